"""Turns the figures into JSON and into the tables of docs/broker-benchmarks.md."""

import platform
from typing import Any

READY_AIM_S = 0.3
IDLE_AIM_MB = 60.0


def tables(result: dict[str, Any]) -> str:
    """The Markdown between the page's markers."""
    machine = result["machine"]
    parts = [
        f"{machine['cores']} cores, {machine['system']}, Python {machine['python']}; load by "
        f"{result['client']}; medians of {result['repeat']} interleaved repetitions"
        f"{', quick form' if result['quick'] else ''}; {result['date']}.",
        "### Throughput and the broker's CPU",
        _throughput(result),
        "### Latency to the acknowledgement at a steady rate",
        _latency(result),
        "### Starting, and memory",
        _starts(result),
        "### The machine's own ceilings",
        _ceilings(result["ceilings"]),
        "### What falls short of the aims",
        _shortfalls(result),
    ]
    return "\n\n".join(parts)


def _throughput(result: dict[str, Any]) -> str:
    lines = [
        "| | archc MB/s | Kafka MB/s | ratio | archc CPU s/GB | Kafka CPU s/GB | of the ceiling |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in _rows(result, latency=False):
        ours, theirs = row["archc"], row["kafka"]
        ratio = ours["mb_s"] / theirs["mb_s"]
        ceiling = ours["mb_s"] / result["ceilings"][ceiling_of(row)]["mb_s"]
        lines.append(
            f"| {row['name']} | {ours['mb_s']:.0f} | {theirs['mb_s']:.0f} "
            f"| {_marked(ratio, row['aim_ratio'])} "
            f"| {_marked(ours['broker_cpu_s_per_gb'], row['aim_cpu_s_per_gb'], at_most=True)} "
            f"| {theirs['broker_cpu_s_per_gb']:.2f} | {ceiling:.0%} |"
        )
    return "\n".join(lines)


def _latency(result: dict[str, Any]) -> str:
    lines = ["| | archc p50 | Kafka p50 | archc p99 | Kafka p99 |", "|---|---|---|---|---|"]
    for row in _rows(result, latency=True):
        ours, theirs = row["archc"], row["kafka"]
        cells = [ours["p50_ms"], theirs["p50_ms"], ours["p99_ms"], theirs["p99_ms"]]
        lines.append(f"| {row['name']} | " + " | ".join(f"{cell:.2f} ms" for cell in cells) + " |")
    return "\n".join(lines)


def _starts(result: dict[str, Any]) -> str:
    ours, theirs = result["starts"]["archc"], result["starts"]["kafka"]
    peaks = result["peak_mb"]
    ready, idle = _marked(ours["ready_s"], READY_AIM_S, True), _marked(ours["idle_mb"], IDLE_AIM_MB, True, 0)
    return "\n".join(
        [
            "| | archc | Kafka | aim |",
            "|---|---|---|---|",
            f"| first answer after | {ready} s | {theirs['ready_s']:.2f} s | {READY_AIM_S} s |",
            f"| memory, idle | {idle} MB | {theirs['idle_mb']:.0f} MB | {IDLE_AIM_MB:.0f} MB |",
            f"| memory, highest under the load above | {peaks['archc']:.0f} MB | {peaks['kafka']:.0f} MB | |",
        ]
    )


def _ceilings(found: dict[str, dict[str, float]]) -> str:
    names = {
        "buffered_write": "write of 1 MiB chunks into the page cache",
        "fdatasync": "the same, forced to the disk after each chunk",
        "receive_and_write": "receive 1 MiB chunks over the loopback and write them into the page cache",
        "sendfile_loopback": "sendfile of a cached file over the loopback",
    }
    lines = ["| | MB/s | CPU s/GB |", "|---|---|---|"]
    for name, title in names.items():
        lines.append(f"| {title} | {found[name]['mb_s']:.0f} | {found[name]['cpu_s_per_gb']:.2f} |")
    return "\n".join(lines)


def _shortfalls(result: dict[str, Any]) -> str:
    short = shortfalls(result)
    return "\n".join(f"- {line}" for line in short) if short else "Nothing."


def shortfalls(result: dict[str, Any]) -> list[str]:
    """A line for each figure that misses its aim."""
    found = []
    for row in _rows(result, latency=False):
        ratio = row["archc"]["mb_s"] / row["kafka"]["mb_s"]
        cpu = row["archc"]["broker_cpu_s_per_gb"]
        if ratio < row["aim_ratio"]:
            found.append(
                f"{row['name']}: {ratio:.2f} of Kafka's throughput, where the aim is {row['aim_ratio']:g}"
            )
        if row["aim_cpu_s_per_gb"] and cpu > row["aim_cpu_s_per_gb"]:
            found.append(
                f"{row['name']}: {cpu:.2f} CPU s per GB, where the aim is {row['aim_cpu_s_per_gb']:g}"
            )
    ours = result["starts"]["archc"]
    if ours["ready_s"] > READY_AIM_S:
        found.append(f"first answer after {ours['ready_s']:.2f} s, where the aim is {READY_AIM_S} s")
    if ours["idle_mb"] > IDLE_AIM_MB:
        found.append(f"{ours['idle_mb']:.0f} MB idle, where the aim is {IDLE_AIM_MB:.0f} MB")
    return found


def ceiling_of(row: dict[str, Any]) -> str:
    """Which of the machine's ceilings bounds a row."""
    if row["what"] == "consume":
        return "sendfile_loopback"
    return "fdatasync" if row["flushed"] else "receive_and_write"


def machine(cores: int) -> dict[str, Any]:
    """What the figures are from."""
    return {
        "cores": cores,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _rows(result: dict[str, Any], latency: bool) -> list[dict[str, Any]]:
    return [row for row in result["rows"] if (row["what"] == "latency") == latency]


def _marked(value: float, aim: float, at_most: bool = False, digits: int = 2) -> str:
    """The value, in bold where it misses its aim; an aim of 0 is none."""
    missed = aim and (value > aim if at_most else value < aim)
    return f"**{value:.{digits}f}**" if missed else f"{value:.{digits}f}"
