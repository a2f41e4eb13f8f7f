"""Hostile values for every type of slot, and what may differ between two files that differ in texts alone."""

import json
from collections.abc import Iterator
from typing import Any

MARK = "zqmark"
"""Stands in the harmless twin of a system for what is hostile in the other."""

HARMLESS = {
    "text": MARK,
    "texts": MARK,
    "yaml": f"{MARK}: {MARK}",
    "env-name": MARK.upper(),
    "host": f"{MARK}.example",
    "url": f"https://{MARK}.example/{MARK}",
    "path": f"/{MARK}",
    "inside": f"/{MARK}",
    "folder": MARK,
    "image": MARK,
    "version": MARK,
    "cron": "0 3 * * 1",
    "word": MARK,
}

# Short enough that no picture breaks the line, which would be a difference of its own.
TEXTS = (
    '"', "'", '"quoted" and \'quoted\'', "\\", "ends in \\", "\\n\\x41\\u0041", "a\nb: c", "\n", "\na",
    "a\n", "a\nimport os", "\f", "\ttab", "$HOME", "${HOME}", "$(id)", "$$", "$", "%",
    "%s %(a)s %%", "%REQ(:path)%", "{{ 7 * 7 }}", "{{ .Values.x }}", "{% raw %}", "{# no #}", "{}",
    "{0} {name}", '"""', "'''", "''' + '''", '"""\nimport os\n"""', "# syntax=evil", "#", " # comment",
    "---", "--- a", "...", "no", "Yes", "null", "~", "1e3", "0o17", "0x1F", "12:30", "1_000", ".inf", "=",
    "<<", "2024-01-01", "@", "@a", "`", "`id`", "``` x", ";}", "; ls", "| cat", "& true", "> out", "< in",
    "a && b", "!x", "!!python/object", "&a", "*a", "? a", "- a", "[a", "{a", "a: b", "a #b", "</script>",
    "<script>1</script>", "<b>bold</b>", "<!-- x -->", "]]>", "&amp;", "&#60;", "--", "-- drop", "--help",
    "-", "a -->|b| c", "end", "graph TD", "subgraph x", 'click x "y"', "x[y]", "((x))", "| a | b |",
    "**b**", "[a](http://x.example)", "![a](b)", "1. a", "# a", "*/ /*", "// x", "/* x */",
    "'; DROP TABLE a", "' OR '1'='1", "\\\"; x", "$'a'", "\\$(id)", "~root", "*", "?", "é", "日本語", "😀",
    "a  b ", " a", "", "class", "import", "None", "def f(): pass", "__import__('os')", "f'{x}'",
    "\\N{DASH}", "a\\\nb", "%%{init: {}}%%", ":::x", "#quot;", "\u00a0", "${{ secrets.X }}",
    "../../etc/passwd", "/etc/passwd", "C:\\x", "nul", "http://x.example/?a=b&c=d", "a,b", "a=b",
)  # fmt: skip
LONG_TEXTS = ("x" * 300, "word " * 80, "a\n" * 60, "日本語" * 50, '"\\$`' * 40)
PATHS = (
    "/", "//", "/a//b", "/..", "/../a", "/a/../../b", "/.", "/.hidden", "/$uri", "/${HOME}", "/$HOME/x",
    "/a$", "/%2e%2e/%2fa", "/%", "/%REQ%", "/%{x}", "/a%0d%0aX", "/*", "/**", "/a*b", "/*/a", "/{id}",
    "/{class}", "/a{id}b", "/{id}{id}", "/{id}/{id}", "/a:b", "/a:ro", "/a,b", "/a@b", "/a+b", "/a!b",
    "/~root", "/é", "/a.b", "/a-b_c", "/health", "/healthz", "/metrics", "/oauth2", "/A", "/a/",
    "/" + "a" * 200, "/con/nul", "/docs", "/openapi.json",
)  # fmt: skip
URLS = (
    "https://a.example", "https://a.example/$(id)", "https://a.example/$HOME",
    "https://a.example/?a=%s&b={{", "https://a.example:99999/", "https://a.example:x/",
    "https://a.example:0/", "https://[::1]/", "https://[bad/", "https://u@a.example/",
    "https://%41.example/", "https://a.example/'", "https://a.example/;x", "https:///a", "https://",
    "x://y", "javascript://%0aalert(1)", "file:///etc/passwd", "https://é.example/", "https://a;b/#c",
    "https://-a/", "https://a_b.example/", "https://a.example./", "https://a..b/", "https://1.2.3.4:443/",
    "https://a.example/../x", "https://a.example//x", "https://a.example/x?#%", "https://a$b/",
    "ftp://a.example/", "postgres://a.example:5432/x", "https://a.example/" + "x" * 300,
)  # fmt: skip
HOSTS = (
    "*.a.example", "a", "localhost", "1.2.3.4", "0x7f.1", "a-b.example", "xn--d1acufc.example", "x" * 63,
    "*.com", "A.EXAMPLE", "default", "_a.example", "a.example.", "*", "-a", "a b", "a;b", "$host", "a\n",
    "~^a$", '"',
)  # fmt: skip
VERSIONS = (
    "16", "16.4-alpine", "latest", "16\nRUN id", "16 AS x", "16;id", "$(id)", "${X}", "{version}", "{0}",
    "../x", "a b", "@sha256:0", "16@sha256:" + "0" * 64, "16'", '16"', "16\\", "-1", ".", "v" * 200, "é",
    "16 # x", "%s", "{{ x }}",
)  # fmt: skip
ENV_NAMES = (
    "PATH", "LD_PRELOAD", "PYTHONPATH", "_", "a", "class", "HOME", "KAFKA_BOOTSTRAP_SERVERS",
    "POSTGRES_PASSWORD", "DATABASE_THINGS_DB_URL", "X" * 200, "A-B", "A B", "A=B", "1A", "A\nB", "$A",
    "É", "PYTHONSTARTUP",
)  # fmt: skip
WORDS = (
    "class", "import", "none", "None", "True", "yes", "no", "on", "null", "end", "self", "def", "é",
    "a.b", "a-b", "a_b", "X" * 40, "graph", "message", "package", "NUL", "__init__", "ﬁle", "日本語",
    "select", "NET_BIND_SERVICE",
)  # fmt: skip
CRONS = (
    "0 3 * * *", "@daily", "* * * *", "0 3 * * * x", "0 3 * * *\nX", "$(id)", "`id` * * * *",
    "*/5 * * * 1-5",
)  # fmt: skip
YAMLS = (
    "a: b", "a: &a [*a]", "a: &a {b: *a}", "a: &a [1, 2]\nb: *a",
    "? [1]\n: 2", "1: 2", "null: 1", "on: yes", "a: 2020-01-01", "a: 2020-01-01T00:00:00Z",
    "a: !!binary aGk=", "a: !!set {x, y}", "a: .nan", "a: .inf", "a: 1e999",
    'a: !!python/object/apply:os.system ["id"]', "<<: {a: b}", "image: null", "services: null",
    "spec: []", "spec: null", "metadata: null", "kind: null", "name: null", "containers: 3",
    'a: "\\u2028\\x00\\x85"', '{"a\\nb": 1}', '"": x', '"$(id)": "${HOME}"', "a: [[[[[[]]]]]]",
    "a: " + "[" * 300 + "]" * 300, "networks: 1", "environment: x", "--- {}", "a: 1\n---\nb: 2",
    "a: 1\na: 2", "static_resources: null", "filter_chains: []", "typed_config: 3", "routes: 1",
    "ports: x", "deploy: null", "a: 0o17", "a: 99999999999999999999999999", "a: -0.0", "a: ~",
    "build: {context: /}", "spec: {template: null}", "spec: {template: {spec: {containers: null}}}",
    "metadata: {name: null}", "a: =",
    "lol1: &l1 [x,x,x,x,x,x,x,x,x]\nlol2: &l2 [*l1,*l1,*l1,*l1,*l1,*l1]\nlol3: [*l2,*l2,*l2,*l2,*l2,*l2]",
)  # fmt: skip
FOLDERS = (
    ".", "..", "../..", "../../../../etc", "/", "/etc", "~", "~root", "a\nb", "a b", "a/../b", "a//b",
    "./a/", "a:b", "C:\\a", "$(id)", "${HOME}", "$HOME", "`id`", "é", "日本語", "'a'", '"a"', "#a",
    "{{ a }}", "-f", "a" * 300, "a;b", "a\\b", "%s", "con", "a.", " a", "",
)  # fmt: skip
IMAGES = (
    "a", "a:1", "a@sha256:" + "0" * 64, "registry.example:5000/a/b:c", "a\nRUN id", "a AS b", "$(id)",
    "${X}", "A", "a b", "http://a/b", "a:b:c", "a/../b", "a;b", "", "#a", "é", "{version}", "{{ a }}",
    "scratch", "a:" + "b" * 128, "-a",
)  # fmt: skip
INSIDE = (*PATHS, "/var/lib/a_b-c+d@e.f", "/tmp", "/proc", "/run/secrets", "/etc/nginx", "/a/.b")
HOSTILE = {
    "text": TEXTS,
    "texts": TEXTS,
    "yaml": YAMLS,
    "env-name": ENV_NAMES,
    "host": HOSTS,
    "url": URLS,
    "path": PATHS,
    "inside": INSIDE,
    "folder": FOLDERS,
    "image": IMAGES,
    "version": VERSIONS,
    "cron": CRONS,
    "word": WORDS,
}


def differences(plain: Any, hostile: Any, at: str = "") -> Iterator[str]:
    """Where read data differ in more than texts that hold the mark in the harmless one."""
    if is_marked(plain) and isinstance(plain, str) and isinstance(hostile, str):
        return
    if type(plain) is not type(hostile):
        yield f"{at}: {_short(plain)} has become {_short(hostile)}"
    elif isinstance(plain, dict):
        yield from _of_mappings(plain, hostile, at)
    elif isinstance(plain, list):
        yield from _of_lists(plain, hostile, at)
    elif plain != hostile:
        yield f"{at}: {_short(plain)} has become {_short(hostile)}"


def _of_mappings(plain: dict[str, Any], hostile: dict[str, Any], at: str) -> Iterator[str]:
    same = [key for key in plain if key in hostile]
    for key in same:
        yield from differences(plain[key], hostile[key], f"{at}.{key}")
    gone = [key for key in plain if key not in hostile]
    new = [key for key in hostile if key not in plain]
    if len(gone) != len(new) or not all(is_marked(key) for key in gone):
        yield f"{at}: the keys {_short(gone)} have become {_short(new)}"
        return
    for before, after in zip(gone, new, strict=True):
        yield from differences(plain[before], hostile[after], f"{at}.{before}")


def _of_lists(plain: list[Any], hostile: list[Any], at: str) -> Iterator[str]:
    """Item by item; where sorting has moved items, first those without the mark, then the others in order."""
    if len(plain) != len(hostile):
        yield f"{at}: {len(plain)} have become {len(hostile)}: {_short(hostile)}"
        return
    found = [d for one, other in zip(plain, hostile, strict=True) for d in differences(one, other, f"{at}[]")]
    if not found:
        return
    rest = list(hostile)
    marked = []
    for item in plain:
        if item in rest and not is_marked(item):
            rest.remove(item)
        else:
            marked.append(item)
    moved = [d for one, other in zip(marked, rest, strict=True) for d in differences(one, other, f"{at}[]")]
    yield from (moved if len(moved) < len(found) else found)


def is_marked(data: Any) -> bool:
    """Whether the mark is anywhere in read data."""
    return MARK in (data if isinstance(data, str) else json.dumps(data, default=str)).lower()


def _short(data: Any) -> str:
    text = repr(data)
    return text if len(text) < 120 else f"{text[:117]}…"
