"""What the gateway does while the identity provider cannot be reached."""

import time
from pathlib import Path

from tests.backends.gateway.town import Town, login_server, running_envoy
from tests.backends.gateway.upstreams import serving

READ = "orders.read"


def test_keys_are_asked_for_until_they_come_and_stay_when_the_provider_goes(tmp_path: Path) -> None:
    login = login_server()
    login.server_close()  # it has a port, and nobody answers there
    with running_envoy(tmp_path, login=login) as town:
        assert town.ask("/catalogue").status == 200
        assert town.ask("/orders/1", READ).status == 401
        with serving(login_server(login.port)):
            assert _status_in_time(town) == 200
        assert town.ask("/orders/1", READ).status == 200
        assert town.ask("/orders/1", "").status == 403


def _status_in_time(town: Town) -> int:
    """The status after the 5 s in which keys are asked for again, and a little."""
    for _ in range(70):
        status = town.ask("/orders/1", READ).status
        if status != 401:
            return status
        time.sleep(0.1)
    return 401
