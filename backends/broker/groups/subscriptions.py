"""Which topics the members of a consumer group read, as their protocol's metadata says.

A subscription begins with its version (int16) and the topics (an array of strings); every version of it does
(https://kafka.apache.org/protocol, ConsumerProtocolSubscription).
"""

from struct import Struct, error

from .group import Group

CONSUMER = "consumer"

_HEAD = Struct(">hi")
_LENGTH = Struct(">h")


def topics_of(metadata: bytes) -> frozenset[str]:
    """The topics of a member's metadata. Raises ValueError if it is no subscription."""
    try:
        _, count = _HEAD.unpack_from(metadata)
        position = _HEAD.size
        topics = set()
        for _ in range(count):
            (length,) = _LENGTH.unpack_from(metadata, position)
            position += _LENGTH.size
            if not 0 <= length <= len(metadata) - position:
                raise ValueError(f"there is no topic of {length} bytes")
            topics.add(metadata[position : position + length].decode())
            position += length
    except error as problem:
        raise ValueError(str(problem)) from None
    return frozenset(topics)


def subscribed_topics(group: Group) -> frozenset[str] | None:
    """The topics that the group's members read; None if nobody but them can know."""
    if not group.members:
        return frozenset()
    if group.protocol_type != CONSUMER or group.protocol_name is None:
        return None
    try:
        topics = [topics_of(each.metadata(group.protocol_name)) for each in group.members.values()]
    except ValueError:
        return None
    return frozenset().union(*topics)


def is_subscribed(group: Group, topic: str) -> bool:
    """Whether a member is known to read the topic."""
    topics = subscribed_topics(group)
    return topics is not None and topic in topics
