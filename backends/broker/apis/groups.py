"""Consumer groups: finding the coordinator, being a member, looking at groups and deleting them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from ..groups.group import Group, GroupState
from ..groups.messages import (
    JoinRequest,
    JoinResult,
    MemberIdentity,
    Protocol,
    SyncRequest,
    SyncResult,
)
from ..protocol.errors import ErrorCode
from .answers import OPERATIONS_UNASKED
from .api import LATER
from .gathering import Gathering
from .metadata import node

if TYPE_CHECKING:
    from ..broker import Broker
    from .api import Answer, Request

GROUP_KEY, TRANSACTION_KEY = 0, 1
CLASSIC = "classic"
# Bits of AclOperation (KIP-430): read, delete, describe.
GROUP_OPERATIONS = sum(1 << bit for bit in (3, 6, 8))


def find_coordinator(broker: Broker, request: Request) -> Answer:
    """FindCoordinator: this node coordinates everything."""
    body = request.body
    if body.key_type not in (GROUP_KEY, TRANSACTION_KEY):
        error: Mapping[str, object] = {
            "error_code": ErrorCode.INVALID_REQUEST,
            "error_message": f"there is no coordinator of type {body.key_type}",
            "node_id": -1,
            "port": -1,
        }
        return {**error, "coordinators": [{"key": key, **error} for key in body.coordinator_keys]}
    found = node(broker, "node_id")
    return {**found, "coordinators": [{"key": key, **found} for key in body.coordinator_keys]}


# ---- members


def join_group(broker: Broker, request: Request) -> Answer:
    """JoinGroup: answered when the group's next generation begins."""
    body, version = request.body, request.api_version

    def answer(result: JoinResult) -> None:
        request.respond(_joined(result, is_null_known=version >= 7))

    join = JoinRequest(
        group_id=body.group_id,
        member_id=body.member_id,
        instance_id=body.group_instance_id,
        client_id=request.client_id or "",
        client_host=request.connection.peer.rpartition(":")[0],
        session_timeout_ms=body.session_timeout_ms,
        rebalance_timeout_ms=body.rebalance_timeout_ms if version >= 1 else body.session_timeout_ms,
        protocol_type=body.protocol_type,
        protocols=tuple(Protocol(each.name, bytes(each.metadata)) for each in body.protocols),
        needs_member_id=version >= 4,
        can_skip_assignment=version >= 9,
    )
    broker.groups.join(join, answer)
    return LATER


def _joined(result: JoinResult, *, is_null_known: bool) -> Mapping[str, object]:
    nothing = None if is_null_known else ""
    return {
        "error_code": result.error,
        "generation_id": result.generation,
        "protocol_type": result.protocol_type,
        "protocol_name": nothing if result.protocol_name is None else result.protocol_name,
        "leader": result.leader_id,
        "skip_assignment": result.skip_assignment,
        "member_id": result.member_id,
        "members": [
            {
                "member_id": each.member_id,
                "group_instance_id": each.instance_id,
                "metadata": each.metadata,
            }
            for each in result.members
        ],
    }


def sync_group(broker: Broker, request: Request) -> Answer:
    """SyncGroup: answered when the leader has shared out the partitions."""
    body = request.body

    def answer(result: SyncResult) -> None:
        request.respond(
            {
                "error_code": result.error,
                "protocol_type": result.protocol_type,
                "protocol_name": result.protocol_name,
                "assignment": result.assignment,
            }
        )

    sync = SyncRequest(
        group_id=body.group_id,
        member_id=body.member_id,
        instance_id=body.group_instance_id,
        generation=body.generation_id,
        protocol_type=body.protocol_type,
        protocol_name=body.protocol_name,
        assignments={each.member_id: bytes(each.assignment) for each in body.assignments},
    )
    broker.groups.sync(sync, answer)
    return LATER


def heartbeat(broker: Broker, request: Request) -> Answer:
    """Heartbeat: the member is alive, and learns whether it has to join again."""
    body = request.body
    identity = MemberIdentity(body.member_id, body.group_instance_id)
    return {"error_code": broker.groups.heartbeat(body.group_id, identity, body.generation_id)}


def leave_group(broker: Broker, request: Request) -> Answer:
    """LeaveGroup: of one member before version 3, of several since."""
    body = request.body
    if not body.group_id:
        return {"error_code": ErrorCode.INVALID_GROUP_ID}
    if request.api_version < 3:
        (error,) = broker.groups.leave(body.group_id, [MemberIdentity(body.member_id)])
        return {"error_code": error}
    leaving = [MemberIdentity(each.member_id, each.group_instance_id) for each in body.members]
    errors = broker.groups.leave(body.group_id, leaving)
    return {
        "members": [
            {
                "member_id": identity.member_id,
                "group_instance_id": identity.instance_id,
                "error_code": error,
            }
            for identity, error in zip(leaving, errors, strict=True)
        ]
    }


# ---- groups


def describe_groups(broker: Broker, request: Request) -> Answer:
    """DescribeGroups: a group that is not there is dead."""
    body = request.body
    operations = GROUP_OPERATIONS if body.include_authorized_operations else OPERATIONS_UNASKED
    described = (_described(group_id, broker.groups.group(group_id)) for group_id in body.groups)
    return {"groups": [{**each, "authorized_operations": operations} for each in described]}


def _described(group_id: str, group: Group | None) -> Mapping[str, object]:
    if group is None:
        return {"group_id": group_id, "group_state": GroupState.DEAD}
    # Between generations, what members say and what they read is about to change.
    protocol_name = group.protocol_name if group.state is GroupState.STABLE else None
    return {
        "group_id": group_id,
        "group_state": group.state,
        "protocol_type": group.protocol_type or "",
        "protocol_data": protocol_name or "",
        "members": [
            {
                "member_id": each.member_id,
                "group_instance_id": each.instance_id,
                "client_id": each.client_id,
                "client_host": each.client_host,
                "member_metadata": each.metadata(protocol_name) if protocol_name else b"",
                "member_assignment": each.assignment if protocol_name else b"",
            }
            for each in group.members.values()
        ],
    }


def list_groups(broker: Broker, request: Request) -> Answer:
    """ListGroups: all groups, or those in some states. All are of the classic type."""
    body = request.body
    states = {state.lower() for state in body.states_filter}
    types = {kind.lower() for kind in body.types_filter}
    is_asked = not types or CLASSIC in types
    return {
        "groups": [
            {
                "group_id": group.group_id,
                "protocol_type": group.protocol_type or "",
                "group_state": group.state,
                "group_type": CLASSIC,
            }
            for group in broker.groups.groups()
            if is_asked and (not states or group.state.lower() in states)
        ]
    }


def delete_groups(broker: Broker, request: Request) -> Answer:
    """DeleteGroups: each is deleted with its offsets, or refused, alone."""
    group_ids: list[str] = list(dict.fromkeys(request.body.groups_names))

    def answer(errors: Mapping[str, ErrorCode]) -> None:
        request.respond({"results": [{"group_id": each, "error_code": errors[each]} for each in group_ids]})

    gathering: Gathering[str, ErrorCode] = Gathering(group_ids, answer)
    for group_id in group_ids:
        broker.groups.delete_group(group_id, partial(gathering.put, group_id))
    return LATER
