"""The checks that tell whether a program is alive, also made from inside its container.

Compose and Docker look from inside only, with what the image holds. Ports and paths are arguments of the
commands, never part of a script's text.
"""

from archc.backends.workload import Probe

_PYTHON = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=2)"
_BASH_TCP = "exec 3<>/dev/tcp/127.0.0.1/$0"
_BASH_HTTP = (
    'exec 3<>/dev/tcp/127.0.0.1/$0 && printf "GET %s HTTP/1.1\\r\\nHost: localhost\\r\\n'
    'Connection: close\\r\\n\\r\\n" "$1" >&3'
    ' && read -r -t 2 line <&3 && [[ $line == *" 200"* ]]'
)
# For images whose contents nobody knows: one of these is in most of them.
_SHELL_HTTP = 'wget -q -O /dev/null "$0" || curl -fsS -o /dev/null "$0" || bash -c "$1" "$2" "$3"'
_SHELL_TCP = 'nc -z 127.0.0.1 "$0" || bash -c "exec 3<>/dev/tcp/127.0.0.1/$0"'


def python_http(port: int, path: str) -> Probe:
    """An HTTP check with Python."""
    return Probe(port=port, path=path, command=("python", "-c", _PYTHON, _url(port, path)))


def bash_http(port: int, path: str) -> Probe:
    """An HTTP check with nothing but bash."""
    return Probe(port=port, path=path, command=("bash", "-c", _BASH_HTTP, str(port), path))


def bash_tcp(port: int) -> Probe:
    """Whether a port is open, with nothing but bash."""
    return Probe(port=port, check="tcp", command=("bash", "-c", _BASH_TCP, str(port)))


def wget_http(port: int, path: str) -> Probe:
    """An HTTP check with the wget of busybox."""
    return Probe(port=port, path=path, command=("wget", "-q", "-O", "/dev/null", _url(port, path)))


def curl_http(port: int, path: str) -> Probe:
    """An HTTP check with curl."""
    return Probe(port=port, path=path, command=("curl", "-fsS", "-o", "/dev/null", _url(port, path)))


def unseen_http(port: int, path: str) -> Probe:
    """An HTTP check in an image with unknown contents."""
    by_bash = (_BASH_HTTP, str(port), path)
    return Probe(port=port, path=path, command=("sh", "-c", _SHELL_HTTP, _url(port, path), *by_bash))


def unseen_tcp(port: int) -> Probe:
    """Whether a port is open, in an image with unknown contents."""
    return Probe(port=port, check="tcp", command=("sh", "-c", _SHELL_TCP, str(port)))


def by_command(*command: str) -> Probe:
    """A check that the program's own command makes."""
    return Probe(command=command, check="command")


def outside_only(probe: Probe) -> Probe:
    """The same check for an image that holds nothing to make it with."""
    return Probe(port=probe.port, path=probe.path, check=probe.check)


def _url(port: int, path: str) -> str:
    return f"http://127.0.0.1:{port}{path}"
