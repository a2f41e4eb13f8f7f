"""One injector or more for each rule: what spoils a clean system so that the rule finds it."""

from tests.oracle.injecting import Injector
from tests.oracle.injectors import beyond, practices

INJECTORS: dict[str, tuple[Injector, ...]] = practices.INJECTORS | beyond.INJECTORS
