"""Generated files tried with the programs that read them; what these say against them."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.backends.gateway.proxies import check_haproxy, check_nginx, check_varnish
from tests.backends.gateway.town import program


def complaints(files: Mapping[str, str], folder: Path) -> Iterator[str]:
    """What nginx, HAProxy, Varnish, Envoy, Graphviz and kustomize say against an environment's files."""
    for path, text in files.items():
        name = path.rpartition("/")[2]
        said = ""
        if name == "nginx.conf":
            cache = "proxy_cache_path /var/cache/nginx"  # whatever the volume is called
            answer = check_nginx(folder, re.sub(r"proxy_cache_path \S+", cache, text))
            said = "" if "test is successful" in answer else answer
        elif name == "haproxy.cfg":
            done = check_haproxy(folder, text)
            said = done.stdout + done.stderr if done.returncode else ""
        elif name == "default.vcl":
            done = check_varnish(folder, text)
            said = done.stderr[-2_000:] if done.returncode else ""
        elif name == "envoy.yaml":
            said = _envoy(folder, text)
        if said:
            yield f"{path}: {said}"
    yield from _graphviz([text for path, text in files.items() if path.endswith(".dot")])
    if any(path.endswith("/kustomization.yaml") for path in files):
        yield from _kustomize(files, folder / "tree")


def _envoy(folder: Path, text: str) -> str:
    config = folder / "envoy.yaml"
    config.write_text(text, encoding="utf-8")
    done = _run([program("envoy"), "--mode", "validate", "-l", "critical", "-c", str(config)])
    return "" if done.returncode == 0 else (done.stdout + done.stderr)[-2_000:]


def _graphviz(drawings: list[str]) -> Iterator[str]:
    """All drawings at once: each comes back as one graph, or something has broken out of its text."""
    if not drawings:
        return
    done = _run([program("dot"), "-Tcanon"], "".join(drawings))
    graphs = len(re.findall(r"^digraph ", done.stdout, re.MULTILINE))
    if done.returncode or done.stderr or graphs != len(drawings):
        yield f"dot: {graphs} of {len(drawings)} graphs {done.stderr}"


def _kustomize(files: Mapping[str, str], tree: Path) -> Iterator[str]:
    for path, text in files.items():
        file = tree / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    root = next(path for path in files if path.endswith("/kustomization.yaml"))
    done = _run([program("kubectl"), "kustomize", str((tree / root).parent)])
    if done.returncode:
        yield f"kustomize: {done.stderr}"


def _run(command: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
