#!/usr/bin/env python3
"""Stand-ins for the third-party images of a compose file.

Where no image registry can be reached, each image is built from the program
itself, taken from a package registry, and tagged with the name the compose
file uses. images.toml maps an image repository to a recipe.

    images.py list                     the recipes
    images.py build REF...             build these image references
    images.py compose FILE... [-o OUT] build what the compose files name, and
                                       write to OUT the overrides they need;
                                       with --stubs an image without a recipe
                                       becomes a stub

Builds in the engine of engine.sh and in no other, whatever DOCKER_HOST says: a
stand-in must not take an image's name where somebody works.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LABEL = "archc.live.recipe"
MARK = f'{{{{with index .Config.Labels "{LABEL}"}}}}{{{{.}}}}{{{{else}}}}none{{{{end}}}}'


def say(text: str) -> None:
    print(f"images: {text}", file=sys.stderr, flush=True)


@dataclasses.dataclass(frozen=True)
class Recipe:
    name: str
    repositories: tuple[str, ...]
    directory: Path
    version: str
    default: str
    stages: tuple[int, ...]
    args: dict[str, str]
    what: str
    stub: bool

    def version_of(self, tag: str) -> str:
        found = re.search(self.version, tag) if self.version else None
        return found.group(0) if found else self.default

    def stage_of(self, tag: str) -> str | None:
        major = re.match(r"\d+", tag)
        fitting = [stage for stage in self.stages if major and int(major.group(0)) >= stage]
        return f"v{max(fitting)}" if fitting else None

    def fingerprint(self, version: str, stage: str | None, base: str) -> str:
        """Changes when anything of the recipe or of what it is built on does."""
        digest = hashlib.sha256(repr((version, stage, self.args, base)).encode())
        for path in sorted(self.directory.rglob("*")):
            if path.is_file():
                digest.update(path.name.encode())
                digest.update(path.read_bytes())
        return f"{self.name}-{digest.hexdigest()[:16]}"


def recipes() -> list[Recipe]:
    table = tomllib.loads((HERE / "images.toml").read_text())
    return [
        Recipe(
            name=name,
            repositories=tuple(entry["for"]),
            directory=HERE / "images" / entry.get("dir", name),
            version=entry.get("version", ""),
            default=entry.get("default", ""),
            stages=tuple(entry.get("stages", ())),
            args=entry.get("args", {}),
            what=entry.get("is", ""),
            stub=entry.get("stub", False),
        )
        for name, entry in table.items()
    ]


# A program of somebody's own, which no table can know.
UNKNOWN = Recipe(
    name="unknown",
    repositories=(),
    directory=HERE / "images" / "stub",
    version="",
    default="",
    stages=(),
    args={},
    what="a stub of a program without a recipe",
    stub=True,
)


def split(reference: str) -> tuple[str, str]:
    """Repository and tag of an image reference, without the default host."""
    name = reference.split("@", 1)[0]
    tag = "latest"
    if ":" in name.rsplit("/", 1)[-1]:
        name, tag = name.rsplit(":", 1)
    for prefix in ("docker.io/", "index.docker.io/", "library/"):
        name = name.removeprefix(prefix)
    return name, tag


def recipe_for(reference: str) -> Recipe | None:
    repository, _ = split(reference)
    return next((recipe for recipe in recipes() if repository in recipe.repositories), None)


def use_engine() -> None:
    subprocess.run([str(HERE / "engine.sh"), "start"], check=True)
    script = f'eval "$({shlex.quote(str(HERE / "engine.sh"))} env)" && env -0'
    done = subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True)
    for pair in done.stdout.split("\0"):
        name, separator, value = pair.partition("=")
        if separator:
            os.environ[name] = value
    os.environ.pop("DOCKER_CONTEXT", None)


def inspect(reference: str, template: str) -> str:
    done = subprocess.run(
        ["docker", "image", "inspect", "-f", template, reference], capture_output=True, text=True
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def bases(dockerfile: Path, args: dict[str, str] | None = None) -> list[str]:
    """The images a Dockerfile starts from or copies from, its own stages left out."""
    values = dict(args or {})
    stages: set[str] = set()
    found: list[str] = []

    def resolved(text: str) -> str:
        return re.sub(
            r"\$\{(\w+)(?::-([^}]*))?\}|\$(\w+)",
            lambda m: values.get(m.group(1) or m.group(3), m.group(2) or ""),
            text,
        )

    lines = re.sub(r"\\\n", " ", dockerfile.read_text()).splitlines()
    for line in lines:
        words = line.split()
        if not words:
            continue
        keyword = words[0].upper()
        if keyword == "ARG" and not stages and not found:
            for word in words[1:]:
                name, _, default = word.partition("=")
                values.setdefault(name, default.strip("\"'"))
        elif keyword == "FROM":
            rest = [word for word in words[1:] if not word.startswith("--")]
            image = resolved(rest[0])
            if image not in stages and image != "scratch":
                found.append(image)
            if len(rest) == 3:
                stages.add(rest[2])
        elif keyword in ("COPY", "RUN", "ADD"):
            for source in re.findall(r"(?:--from=|,from=)([^\s,]+)", line):
                image = resolved(source)
                if image not in stages and not image.isdigit() and image != "prepared":
                    found.append(image)
    return list(dict.fromkeys(found))


class Builder:
    def __init__(self, home: Path, stubs: bool = False) -> None:
        self.home = home
        self.stubs = stubs
        self.times: dict[str, float] = {}
        self.missing: list[str] = []
        self.failed: list[str] = []
        self.done: dict[str, Recipe] = {}

    def ensure(self, reference: str) -> bool:
        """Builds the stand-in for one reference unless it is there."""
        plain = reference.split("@", 1)[0]
        if plain in self.done or plain in self.failed:
            return plain in self.done
        recipe = recipe_for(plain)
        present = inspect(plain, MARK)
        if recipe is None and present and not present.startswith(f"{UNKNOWN.name}-"):
            return True  # somebody brought it here
        if recipe is None and self.stubs:
            recipe = UNKNOWN
        if recipe is None:
            if plain not in self.missing:
                self.missing.append(plain)
            return False
        _, tag = split(plain)
        version, stage = recipe.version_of(tag), recipe.stage_of(tag)
        dockerfile = recipe.directory / "Dockerfile"
        base = ""
        if dockerfile.exists():
            for needed in bases(dockerfile):
                if not self.ensure(needed):
                    return False
                base += inspect(needed, "{{.Id}}")
        mark = recipe.fingerprint(version, stage, base)
        # A version that cannot be had is built as the default one; its mark says so.
        default_mark = recipe.fingerprint(recipe.default, stage, base)
        with self.alone(recipe):
            if inspect(plain, MARK) not in (mark, default_mark):
                started = time.monotonic()
                say(f"building {plain}" + (f" ({recipe.what})" if recipe.what else ""))
                try:
                    self.build(recipe, plain, version, stage, base)
                except subprocess.CalledProcessError as error:
                    say(f"{plain} failed ({error.returncode}): {error.cmd}")
                    self.failed.append(plain)
                    return False
                self.times[plain] = time.monotonic() - started
        self.done[plain] = recipe
        return True

    @contextlib.contextmanager
    def alone(self, recipe: Recipe) -> Iterator[None]:
        """No two runs build with one recipe at once."""
        locks = self.home / "run" / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        with (locks / recipe.name).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"waiting for another run that builds {recipe.name}")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def build(self, recipe: Recipe, reference: str, version: str, stage: str | None, base: str) -> None:
        mark = recipe.fingerprint(version, stage, base)
        script = recipe.directory / "image.sh"
        if script.exists():
            changes = ["-c", 'CMD ["bash"]', "-c", f"LABEL {LABEL}={mark}"]
            with subprocess.Popen([str(script), version], stdout=subprocess.PIPE) as root:
                subprocess.run(
                    ["docker", "import", *changes, "-", reference],
                    stdin=root.stdout,
                    stdout=subprocess.DEVNULL,
                    check=True,
                )
            if root.returncode:
                subprocess.run(["docker", "image", "rm", reference], stdout=subprocess.DEVNULL, check=False)
                raise subprocess.CalledProcessError(root.returncode, str(script))
            return
        try:
            prepared = self.prepare(recipe, version)
        except subprocess.CalledProcessError:
            if version == recipe.default:
                raise
            say(f"{recipe.name} {version} cannot be had; taking {recipe.default} for {reference}")
            self.build(recipe, reference, recipe.default, stage, base)
            return
        command = ["docker", "build", "--progress=plain", "--network=host", "-t", reference]
        command += ["--label", f"{LABEL}={mark}", "--build-arg", f"VERSION={version}"]
        command += ["--build-context", f"prepared={prepared}"]
        for name, value in recipe.args.items():
            command += ["--build-arg", f"{name}={value}"]
        for name in ("http_proxy", "https_proxy", "no_proxy"):
            if name in os.environ:
                command += ["--build-arg", name]
        if stage:
            command += ["--target", stage]
        done = subprocess.run([*command, str(recipe.directory)], capture_output=True, text=True)
        if done.returncode:
            print("\n".join(done.stderr.splitlines()[-40:]), file=sys.stderr)
            raise subprocess.CalledProcessError(done.returncode, command)

    def prepare(self, recipe: Recipe, version: str) -> Path:
        """What the recipe takes from this machine or its package registries, kept."""
        script = recipe.directory / "prepare.sh"
        target = self.home / "prepared" / recipe.name / (version or "any")
        mark = target.with_name(target.name + ".done")
        wanted = hashlib.sha256(script.read_bytes()).hexdigest() if script.exists() else ""
        if not (mark.exists() and mark.read_text() == wanted):
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            if script.exists():
                done = subprocess.run(
                    [str(script), str(target), version],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
                lines = done.stdout.splitlines()
                for line in lines[-20:] if done.returncode else lines:
                    if done.returncode or line.startswith("note: "):
                        say(f"{recipe.name}: {line.removeprefix('note: ')}")
                done.check_returncode()
            mark.write_text(wanted)
        return target


def compose_config(files: list[str]) -> dict[str, Any]:
    arguments: list[str] = []
    for file in files:
        arguments += ["-f", file]
    done = subprocess.run(
        ["docker", "compose", *arguments, "--profile", "*", "config", "--format", "json"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    config: dict[str, Any] = json.loads(done.stdout)
    return config


def dockerfile_of(build: dict[str, Any]) -> Path:
    return Path(build["context"]) / str(build.get("dockerfile", "Dockerfile"))


def ports_of(service: dict[str, Any]) -> list[int]:
    """The ports a service is spoken to on, as far as its compose entry tells."""
    found = [int(port["target"]) for port in service.get("ports") or []]
    found += [int(str(port).split("/")[0]) for port in service.get("expose") or []]
    check = " ".join((service.get("healthcheck") or {}).get("test") or [])
    found += [int(port) for port in re.findall(r"(?:[:/]| )(\d{2,5})\b", check)]
    variables = service.get("environment") or {}
    found += [int(value) for name, value in variables.items() if re.fullmatch(r"(?:.*_)?PORT", name)
              and re.fullmatch(r"\d{2,5}", str(value))]  # fmt: skip
    return sorted({port for port in found if port < 65536}) or [8080]


def references(config: dict[str, Any], stubs: bool) -> tuple[list[str], dict[str, Any]]:
    """The images a compose configuration needs, and what to override in it: a
    digest is that of the image in its registry, which no stand-in can have, and
    a stub must know its ports."""
    needed: list[str] = []
    services: dict[str, Any] = {}
    for name, service in config.get("services", {}).items():
        build = service.get("build")
        if not build:
            image = service["image"]
            needed.append(image)
            if "@" in image:
                services[name] = {"image": image.split("@", 1)[0]}
            if stubs and recipe_for(image) is None:
                ports = " ".join(map(str, ports_of(service)))
                services.setdefault(name, {})["environment"] = {"STUB_PORTS": ports}
            continue
        args = {key: value or "" for key, value in (build.get("args") or {}).items()}
        contexts = {}
        for image in bases(dockerfile_of(build), args):
            if image in (build.get("additional_contexts") or {}):
                continue
            needed.append(image)
            if "@" in image:
                contexts[image] = "docker-image://" + image.split("@", 1)[0]
        if contexts:
            services[name] = {"build": {"additional_contexts": contexts}}
    return list(dict.fromkeys(needed)), {"services": services} if services else {}


def command_list() -> int:
    for recipe in recipes():
        kind = "stub" if recipe.stub else "stand-in"
        print(f"{recipe.name:20} {kind:9} {', '.join(recipe.repositories)}: {recipe.what}")
    return 0


def command_build(builder: Builder, wanted: list[str]) -> int:
    for reference in wanted:
        builder.ensure(reference)
    for reference, recipe in builder.done.items():
        took = f", built in {builder.times[reference]:.0f} s" if reference in builder.times else ""
        kind = "A STUB" if recipe.stub else recipe.what
        say(f"{reference}: {kind}{took}")
    for reference in builder.missing:
        say(f"{reference}: NO RECIPE (images.toml) and not in the engine")
    for reference in builder.failed:
        say(f"{reference}: NOT BUILT, see above")
    return 1 if builder.failed else 3 if builder.missing else 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Stand-ins for third-party images.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list")
    build = commands.add_parser("build")
    build.add_argument("reference", nargs="+")
    compose = commands.add_parser("compose")
    compose.add_argument("file", nargs="+")
    compose.add_argument("-o", "--overrides", type=Path)
    compose.add_argument("--stubs", action="store_true")
    options = parser.parse_args()
    if options.command == "list":
        return command_list()
    use_engine()
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    home = Path(os.environ.get("ARCHC_LIVE_HOME") or Path(cache) / "archc-live")
    try:
        if options.command == "build":
            return command_build(Builder(home), options.reference)
        builder = Builder(home, options.stubs)
        needed, overrides = references(compose_config(options.file), options.stubs)
        if options.overrides:
            options.overrides.parent.mkdir(parents=True, exist_ok=True)
            # JSON is YAML.
            options.overrides.write_text(json.dumps(overrides or {"services": {}}, indent=2))
        return command_build(builder, needed)
    except subprocess.CalledProcessError as error:
        say(f"failed ({error.returncode}): {error.cmd}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
