"""What is written beyond declarations: names inside elements, and thresholds that contradict each other."""

import re
from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import is_bundled, operations
from archc.compiler.kinds import PARTITIONS_MAX
from archc.compiler.suggest import did_you_mean
from archc.compiler.thresholds import contradictions
from archc.dsl.diagnostics import Diagnostic, Related, error

# What a management brings: a program for each, named `<management>-<part>`.
MANAGEMENT_PARTS = ("metrics", "dashboards", "alerts", "logs", "traces")


def check(system: model.System) -> Iterator[Diagnostic]:
    """The faults of names inside elements, of thresholds, and of what the bundled broker cannot do."""
    yield from _called_operations(system)
    yield from _scopes(system)
    yield from _roles(system)
    yield from _topic_keys(system)
    yield from _derived_names(system)
    yield from contradictions(system.rules)
    yield from _single_nodes(system)
    yield from _too_many_partitions(system)


def plain_operation(name: str) -> str:
    """An operation's name with nameless path parameters: the same for all names that mean the same."""
    return re.sub(r"\{[^}]*\}", "{}", name)


def _called_operations(system: model.System) -> Iterator[Diagnostic]:
    for caller in system.all(model.Element):
        for call in _calls(caller):
            target = system[call.target]
            if not isinstance(target, model.Service):
                continue
            offered = [operation.name for operation in operations(target)]
            for named in (call, call.undo):
                wanted = named.operation_name if named is not None else ""
                if not (named and wanted and offered):
                    continue
                if plain_operation(wanted) not in map(plain_operation, offered):
                    hint = did_you_mean(wanted, offered) or f"it offers {', '.join(offered[:6])}"
                    yield error("A1702", named.span, f"`{target.id}` has no operation `{wanted}`", hint=hint)


def _calls(element: model.Element) -> Iterator[model.Call]:
    if isinstance(element, model.Caller | model.Gateway | model.Registry):
        yield from element.calls
    if isinstance(element, model.Code):
        for operation in operations(element):
            yield from operation.calls


def _scopes(system: model.System) -> Iterator[Diagnostic]:
    known = {scope.name for identity in system.all(model.Identity) for scope in identity.scope}
    if not known:
        return  # an identity of somebody else's keeps its scopes elsewhere
    used = [
        (operation.scope, operation.span)
        for service in system.all(model.Service)
        for operation in operations(service)
    ]
    used += [(route.scope, route.span) for gateway in system.all(model.Gateway) for route in gateway.route]
    for scope, span in used:
        if scope and scope not in known:
            hint = did_you_mean(scope, known) or f"declare it: `scope {scope} roles=[…]` in the identity"
            yield error("A1702", span, f"no identity provider has the scope `{scope}`", hint=hint)


def _roles(system: model.System) -> Iterator[Diagnostic]:
    for identity in system.all(model.Identity):
        for scope in identity.scope:
            for role in scope.roles:
                if role not in identity.role:
                    hint = did_you_mean(role, identity.role) or f"declare it: `role {role}`"
                    yield error("A1702", scope.span, f"`{identity.id}` has no role `{role}`", hint=hint)


def _topic_keys(system: model.System) -> Iterator[Diagnostic]:
    for topic in system.all(model.Topic):
        for id_ in topic.carries if topic.key else ():
            event = system[id_]
            assert isinstance(event, model.Event)
            names = [field.name for field in event.fields_]
            if topic.key not in names:
                hint = did_you_mean(topic.key, names) or f"its fields are {', '.join(names)}"
                message = f"`{event.id}` has no field `{topic.key}` to keep `{topic.id}` in order by"
                yield error("A1702", topic.place("key"), message, hint=hint)


def _derived_names(system: model.System) -> Iterator[Diagnostic]:
    """Names of elements that a program derived from another element would have as well."""
    taken = {e.name: e for e in system.all(model.Element) if isinstance(e, model.Runnable)}
    derived: dict[str, model.Element] = {
        f"{m.name}-{part}": m for m in system.all(model.Management) for part in MANAGEMENT_PARTS
    }
    derived |= {f"{broker.name}-topics": broker for broker in system.all(model.Broker)}
    for name in sorted(taken.keys() & derived.keys()):
        owner = derived[name]
        message = f"`{name}` is the host name of a program that `{owner.id}` brings"
        related = (Related(owner.span, "derived from this"),)
        yield error("A1701", taken[name].span, message, hint="give it another name", related=related)


def _single_nodes(system: model.System) -> Iterator[Diagnostic]:
    """Wishes of more than one node, where the bundled broker is one."""
    hint = "write `engine kafka` in the broker, and as many `brokers` as copies: nothing else changes"
    for broker in system.all(model.Broker):
        if not is_bundled(broker):
            continue
        asked = {"brokers": broker.brokers, "replication": broker.replication}
        if broker.replicas is not None:
            asked["replicas"] = broker.replicas.count.max
        for word, count in asked.items():
            if count > 1:
                message = f"`{broker.id}` runs on logbroker, which is one node: {word} {count} cannot be"
                yield error("A1717", broker.place(word), message, hint=hint)
        for topic in system.all(model.Topic):
            if topic.on == broker.id and topic.replication > 1:
                message = f"`{topic.id}` is kept once: `{broker.id}` runs on logbroker, which is one node"
                related = (Related(broker.span, "carried by this"),)
                yield error("A1717", topic.place("replication"), message, hint=hint, related=related)


def _too_many_partitions(system: model.System) -> Iterator[Diagnostic]:
    """Topics that the bundled broker would not start with, as all of them are on its one node."""
    for broker in system.all(model.Broker):
        asked = sum(max(1, topic.partitions) for topic in system.all(model.Topic) if topic.on == broker.id)
        if is_bundled(broker) and asked > PARTITIONS_MAX:
            message = f"`{broker.id}` is to carry {asked} partitions, and logbroker holds {PARTITIONS_MAX}"
            hint = "ask for fewer, or write `engine kafka` in the broker"
            yield error("A1712", broker.span, message, hint=hint)
