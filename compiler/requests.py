"""What one request sets off, operation by operation: which calls it makes, how often, and how long it waits.

A call that stands in an operation's block belongs to that operation; one in the service's own block belongs
to all of them. So the places of a request are finer than elements, and a service that is only asked for one
of its operations does not answer for what the others do. All questions are linear in the calls.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property, lru_cache
from typing import NamedTuple

from archc.compiler import model
from archc.compiler.chains import Chains, chains_by
from archc.compiler.consistency import plain_operation
from archc.compiler.graph import Graph
from archc.compiler.questions import behind, operations_of

ANY_OPERATION = "*"


class Place(NamedTuple):
    """Where a request is: in an operation of an element, or in what all its operations do ("").

    A gateway's operations are its routes, by number. ANY_OPERATION is where requests arrive that name none.
    """

    element: str
    operation: str = ""


class Step(NamedTuple):
    """A request leads from a place to another: by a call or a route, or, by none, on its way."""

    source: Place
    target: Place
    by: model.Call | model.Route | None = None

    @property
    def tries(self) -> int:
        """How often the request may be sent: once, and once more for each retry."""
        return 1 + self.by.retries if self.by is not None else 1


class Requests:
    """The steps of all requests of a system."""

    def __init__(self, graph: Graph) -> None:
        self.system = graph.system
        self.steps: tuple[Step, ...] = tuple(_steps(graph))

    @cached_property
    def _out(self) -> Mapping[Place, tuple[Step, ...]]:
        groups: defaultdict[Place, list[Step]] = defaultdict(list)
        for step in self.steps:
            groups[step.source].append(step)
        return {place: tuple(group) for place, group in groups.items()}

    def steps_from(self, place: Place) -> tuple[Step, ...]:
        """The steps that leave a place, as declared."""
        return self._out.get(place, ())

    def timeout_ms(self, step: Step) -> int:
        """How long whoever takes a step waits for the answer, all tries together; 0 where nothing says so."""
        if step.by is None or step.by.timeout_ms:
            return step.by.timeout_ms if step.by is not None else 0
        source = self.system[step.source.element]
        is_route = isinstance(source, model.Gateway) and isinstance(step.by, model.Route)
        return source.timeout_ms if is_route and isinstance(source, model.Gateway) else 0

    @cached_property
    def waiting_ms(self) -> Mapping[Place, int]:
        """How long a request may wait for others at each place.

        That is the sum of the timeouts of its calls, as if they were made one after the other; those without
        one do not count. Where a request may be for one of several operations or routes, the longest counts.
        An operation with a timeout of its own waits no longer than that.
        """
        found: dict[Place, int] = {}
        for element in self.system.all(model.Element):
            own = Place(element.id)
            shared = found[own] = self._calls_ms(own)
            for operation in operations_of(element):
                place = Place(element.id, operation.name)
                time = shared + self._calls_ms(place)
                found[place] = min(time, operation.timeout_ms or time)
            routes = element.route if isinstance(element, model.Gateway) else ()
            for number in range(len(routes)):
                place = Place(element.id, str(number))
                found[place] = max(map(self.timeout_ms, self.steps_from(place)), default=0)
            arriving = Place(element.id, ANY_OPERATION)
            found[arriving] = max((found[step.target] for step in self.steps_from(arriving)), default=0)
        return found

    def _calls_ms(self, place: Place) -> int:
        return sum(map(self.timeout_ms, self.steps_from(place)))

    @cached_property
    def most_tries(self) -> Chains[Place, Step]:
        """The chains along which one request is sent most often, if each try fails until the last one."""
        return chains_by(self.steps, 1, lambda tries, step: tries * step.tries)


@lru_cache(maxsize=1)
def requests_of(graph: Graph) -> Requests:
    """The requests of a graph, which several rules ask for."""
    return Requests(graph)


def _steps(graph: Graph) -> Iterator[Step]:
    system = graph.system

    @cache
    def named(element_id: str) -> Mapping[str, str]:
        return {plain_operation(op.name): op.name for op in operations_of(system[element_id])}

    def called(source: Place, calls: Iterable[model.Call]) -> Iterator[Step]:
        for call in calls:
            operation = named(call.target).get(plain_operation(call.operation_name), "")
            yield Step(source, _arriving(system[call.target], operation), call)

    for element in system.all(model.Element):
        if isinstance(element, model.Caller | model.Gateway | model.Registry):
            yield from called(Place(element.id), element.calls)
        for operation in operations_of(element):
            place = Place(element.id, operation.name)
            yield Step(Place(element.id, ANY_OPERATION), place)
            yield Step(place, Place(element.id))
            yield from called(place, operation.calls)
        if isinstance(element, model.Gateway):
            yield from _routed(system, element)
        elif isinstance(element, model.LoadBalancer | model.Cdn):
            for edge in graph.edges_from(element.id, ("forward", "origin")):
                yield Step(Place(element.id), _arriving(system[edge.target]))


def _routed(system: model.System, gateway: model.Gateway) -> Iterator[Step]:
    """A gateway's requests: by a route to the operations behind it, or answered by calls of its own."""
    arriving = Place(gateway.id, ANY_OPERATION)
    yield Step(arriving, Place(gateway.id))
    for number, route in enumerate(gateway.route):
        place = Place(gateway.id, str(number))
        yield Step(arriving, place)
        target = system[route.target]
        offered = [operation.name for operation in behind(route, target)]
        for name in offered if operations_of(target) else [""]:
            yield Step(place, _arriving(target, name), route)


def _arriving(element: model.Element, operation: str = "") -> Place:
    """Where a request for an operation arrives; "" for one that names none."""
    has_operations = isinstance(element, model.Gateway) or bool(operations_of(element))
    return Place(element.id, operation or (ANY_OPERATION if has_operations else ""))
