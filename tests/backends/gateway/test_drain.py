"""The script that ends Envoy gently."""

import signal
import threading
import time
from pathlib import Path

from tests.backends.gateway.client import Answer, ask
from tests.backends.gateway.town import SOURCE, rendered, running_envoy


def test_what_is_under_way_is_finished(tmp_path: Path) -> None:
    text = SOURCE.replace("gateway api {", "gateway api { grace 8s; timeout 10s;")
    script = rendered(text)["deploy/local/gateway/api/drain.sh"]
    answers: list[Answer] = []
    with running_envoy(tmp_path, wrapper=script) as town:
        assert town.process is not None
        asker = threading.Thread(target=lambda: answers.append(ask(town.port, "/public?wait=3")))
        asker.start()
        time.sleep(0.3)
        start = time.monotonic()
        town.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert ask(town.port, "/healthz").status == 503
        assert ask(town.port, "/public").status == 200
        asker.join()
        town.process.wait(timeout=10)
        assert [answer.status for answer in answers] == [200]
        assert 2.5 < time.monotonic() - start < 6
        assert town.process.returncode == 0
