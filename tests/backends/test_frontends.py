"""The pages of frontends: served by nginx as any user on a read-only disk, whatever their titles hold."""

import shutil
import socket
import subprocess
import time
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from archc.backends.backend import Outputs, Plan
from archc.backends.frontends import BACKEND
from archc.compiler.pipeline import compile_source

HOSTILE = "</title><script>alert(1)</script> {{ 7 * 7 }} {% raw %} &amp; ' ` ${x}"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


def outputs_of(title: str = "Shop") -> Outputs:
    text = f"""
    system s {{
      frontend shell "{title}" {{ mounts /; composes [cart]; doc "{title}" }}
      frontend cart "{title}" {{ mounts /cart }}
      frontend own {{ mounts /own; image "registry.example/own:1" }}
    }}
    """
    compilation = compile_source({"s.arch": text})
    assert compilation.system is not None, compilation.diagnostics
    return BACKEND.render(Plan(compilation, compilation.system, compilation.graph))


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href" and value]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_pages_are_the_persons_and_the_server_is_archcs() -> None:
    outputs = outputs_of()
    assert not any("own" in path for path in outputs)
    owned = {path for path, output in outputs.items() if output.ownership == "owned"}
    assert owned == {"frontends/shell/nginx.conf", "frontends/cart/nginx.conf"}


def test_a_title_is_text() -> None:
    page = Page(outputs_of(HOSTILE)["frontends/shell/public/index.html"].content)
    assert "script" not in page.tags
    assert page.text.count(HOSTILE) == 4
    assert page.links == ["/cart"]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_nginx_serves_the_page(tmp_path: Path) -> None:
    port = free_port()
    public = tmp_path / "public"
    public.mkdir()
    (public / "index.html").write_text(outputs_of()["frontends/shell/public/index.html"].content)
    (public / "app.css").write_text("body{}")
    config = outputs_of()["frontends/shell/nginx.conf"].content
    for of_image, here in (
        ("/tmp/", f"{tmp_path}/"),
        ("/usr/share/nginx/html", str(public)),
        ("listen 8080", f"listen 127.0.0.1:{port}"),
        ("/dev/stdout", f"{tmp_path}/access"),
        ("/dev/stderr", f"{tmp_path}/error"),
    ):
        config = config.replace(of_image, here)
    (tmp_path / "nginx.conf").write_text(config)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)  # its workers are somebody else
    command = [
        str(NGINX),
        "-p",
        str(tmp_path),
        "-e",
        str(tmp_path / "error"),
        "-c",
        str(tmp_path / "nginx.conf"),
    ]
    server = subprocess.Popen([*command, "-g", "daemon off;"], stderr=subprocess.PIPE, text=True)
    try:
        answers = asked(port)
    finally:
        server.terminate()
        _, said = server.communicate(timeout=10)
    assert answers, said
    page, deep, style, health, post, up = answers
    assert page.status_code == deep.status_code == 200 and page.text == deep.text
    assert style.headers["content-type"] == "text/css"
    assert health.text == "ready\n"
    assert post.status_code == 403
    assert up.status_code == 400
    assert "server" not in page.headers or page.headers["server"] == "nginx"
    assert "frame-ancestors" in page.headers["content-security-policy"]


def asked(port: int) -> list[httpx.Response]:
    """Answers of the server, once it listens; empty if it never does."""
    base = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=base, trust_env=False) as client:
        for _ in range(100):
            try:
                client.get("/")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        else:
            return []
        up = httpx.Request("GET", base, extensions={"target": b"/../../etc/passwd"})
        gets = [client.get(path) for path in ("/", "/orders/7", "/app.css", "/health/ready")]
        return [*gets, client.post("/", content=b"x"), client.send(up)]
