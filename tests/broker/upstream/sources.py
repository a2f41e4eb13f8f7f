"""Source packages of clients, for their own test suites: fetched once, kept outside the repository."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path


def source(package: str, version: str) -> Path:
    """The unpacked source package from the package index; CalledProcessError when it cannot be had."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    home = Path(os.environ.get("ARCHC_REFERENCE_HOME") or Path(cache) / "archc-reference")
    folder = home / f"{package.replace('-', '_')}-{version}"
    if not folder.exists():
        home.mkdir(parents=True, exist_ok=True)
        download = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*download, "-d", str(home), f"{package}=={version}"], check=True)
        with tarfile.open(folder.with_name(folder.name + ".tar.gz")) as archive:
            archive.extractall(home, filter="data")
    return folder


def left_out(path: Path) -> dict[str, str]:
    """Test -> why it is left out, from lines of `TEST  # REASON`; blank lines and lines of `#` are notes."""
    lines = (line.partition("#") for line in path.read_text(encoding="utf-8").splitlines())
    return {test.strip(): reason.strip() for test, _, reason in lines if test.strip()}
