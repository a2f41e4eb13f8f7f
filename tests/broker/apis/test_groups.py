"""Joining groups, as far as it is a matter of what goes over the wire."""

from tests.broker.apis.desk import Desk, Line, request

JOIN, VERSION = 11, 5
# The longest text of a request: with anything behind it, no answer could carry it.
LONGEST = "x" * 32_767


def _join(line: Line, instance_id: str) -> None:
    fields = {
        "group_id": "billing",
        "session_timeout_ms": 10_000,
        "rebalance_timeout_ms": 10_000,
        "member_id": "",
        "group_instance_id": instance_id,
        "protocol_type": "consumer",
        "protocols": [{"name": "range", "metadata": b""}],
    }
    assert not line.send(request(JOIN, VERSION, fields))


def test_a_member_with_the_longest_name_keeps_nobody_from_being_answered(broker: Desk) -> None:
    lines = [Line(broker) for _ in range(2)]
    for line, instance_id in zip(lines, (LONGEST, "short"), strict=True):
        _join(line, instance_id)
    # The group waits for more members once, and then begins.
    for _ in range(2):
        broker.broker.loop._run_timers()
    assert not any(line.is_owed or line.is_closed for line in lines)
