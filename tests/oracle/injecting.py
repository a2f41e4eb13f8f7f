"""What injectors are made with: a system to be spoilt, the places in it, and what should be found then."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from archc.compiler.rules.severity import PROFILES
from tests.oracle.clean import ANSWERS_ITSELF
from tests.oracle.draft import Draft, Node


@dataclass(frozen=True, slots=True)
class Defect:
    """What a rule should find: about which element (any of `subjects`), on a line with this text.

    `also` are the codes of other rules that are right to find something in it as well. Under `profiles` it is
    a defect; under the others nothing is found.
    """

    subjects: tuple[str, ...]
    at: str
    also: tuple[str, ...] = ()
    profiles: tuple[str, ...] = PROFILES


class Site:
    """A clean system to be spoilt: its parts, drawn by chance."""

    def __init__(self, draft: Draft, chance: random.Random) -> None:
        self.draft = draft
        self.chance = chance
        self.system = draft.system
        self.gateway = draft.system.one("gateway")
        self.names = 0

    def element(self, kind: str, fits: Callable[[Node], bool] = lambda node: True) -> tuple[str, Node]:
        """An element of a kind, as id and statement."""
        return self.chance.choice([(i, n) for i, n in self.draft.elements(kind) if fits(n)])

    def service(self, fits: Callable[[Node], bool] = lambda node: True) -> tuple[str, Node]:
        """A service, as id and statement."""
        return self.element("service", fits)

    def generated(self) -> tuple[str, Node]:
        """A service whose code archc generates."""
        return self.service(lambda node: not node.all("image") and not node.all("build"))

    def domain(self) -> Node:
        """A domain."""
        return self.chance.choice(self.draft.domains)

    def two_domains(self) -> tuple[Node, Node]:
        """Two domains, in any order."""
        first, second = self.chance.sample(self.draft.domains, 2)
        return first, second

    def later_and_earlier(self) -> tuple[Node, Node]:
        """Two domains, the first of which may call the second without closing a circle."""
        earlier, later = sorted(self.chance.sample(range(len(self.draft.domains)), 2))
        return self.draft.domains[later], self.draft.domains[earlier]

    def name(self) -> str:
        """A name that nothing has."""
        self.names += 1
        return f"new{self.names}"

    def type_name(self) -> str:
        """A name for a type or event that nothing has."""
        self.names += 1
        return f"New{self.names}"

    def new_service(
        self, domain: Node | None, *statements: str | Node, name: str = "", is_routed: bool = True
    ) -> tuple[str, Node]:
        """One more service that is clean but for what it is given: its id and statement.

        Its operations, if it is given any, are to be below its name.
        """
        name = name or self.name()
        service = Node(f"service {name}").add("maturity stable", "replicas 2", *statements)
        (domain or self.system).add(service)
        id_ = f"{domain.name}.{name}" if domain is not None else name
        if not service.all("rest"):
            service.add(f"rest v1 {{ GET /{name} scope=data.read; GET /{name}/all scope=data.read }}")
        if not service.all("slo"):
            service.add("slo availability=80% p99=30s" if service.all("calls") else ANSWERS_ITSELF)
        if is_routed:
            self.gateway.add(f"route /{name} -> {id_} {{ timeout 20s }}")
        return id_, service

    def new_owner(self, domain: Node, store: str, *statements: str | Node) -> tuple[str, Node]:
        """One more service of a domain, and a store that it owns."""
        domain.add(store)
        return self.new_service(domain, f"owns {store.split()[1]}", *statements)

    def new_frontend(self, domain: Node | None, *statements: str, is_served: bool = True) -> str:
        """One more frontend, which the CDN serves: its id."""
        name = self.name()
        (domain or self.system).add(Node(f"frontend {name}").add(f"mounts /{name}", *statements))
        id_ = f"{domain.name}.{name}" if domain is not None else name
        if is_served:
            self.system.one("cdn").add(f"serves {id_}")
        return id_


Injector = Callable[[Site], Defect]
