"""Draws the figures: throughput and CPU of both brokers, side by side."""

from pathlib import Path
from typing import Any

COLOURS = {"archc": "#1f5fa8", "kafka": "#c9c9c9"}
NAMES = {"archc": "archc's broker", "kafka": "Apache Kafka"}
BAR_HEIGHT = 0.38


def draw(result: dict[str, Any], file: Path) -> None:
    """Write an SVG whose bytes follow from the figures alone; ImportError where matplotlib is missing."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams |= {"svg.hashsalt": "archc", "svg.fonttype": "none", "font.family": "sans-serif"}
    from matplotlib import pyplot

    rows = [row for row in result["rows"] if row["what"] != "latency"][::-1]
    figure, axes = pyplot.subplots(1, 2, figsize=(12, 0.42 * len(rows) + 1.2), sharey=True)
    panels = (("mb_s", "MB/s"), ("broker_cpu_s_per_gb", "CPU seconds of the broker per GB"))
    for axis, (key, title) in zip(axes, panels, strict=True):
        for side, shift in (("archc", BAR_HEIGHT / 2), ("kafka", -BAR_HEIGHT / 2)):
            places = [index + shift for index in range(len(rows))]
            values = [row[side][key] for row in rows]
            axis.barh(places, values, BAR_HEIGHT, color=COLOURS[side], label=NAMES[side])
        axis.set_title(title, fontsize=10)
        axis.grid(axis="x", alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    # One unbatched row would squeeze all others.
    axes[1].set_xscale("log")
    axes[0].set_yticks(range(len(rows)), [row["name"] for row in rows], fontsize=8)
    axes[0].set_ylim(-0.6, len(rows) - 0.4)
    axes[0].legend(loc="lower right", fontsize=8)
    figure.tight_layout()
    figure.savefig(file, format="svg", metadata={"Date": None})
    pyplot.close(figure)
