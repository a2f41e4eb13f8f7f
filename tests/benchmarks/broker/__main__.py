"""Our broker and Apache Kafka side by side, under the same client, in one run.

    python -m tests.benchmarks.broker [--quick] [--librdkafka CHECKOUT] [--repeat 5]

Writes docs/broker-benchmarks.json, the tables of docs/broker-benchmarks.md and docs/broker-benchmarks.svg.
The load comes from `rdkafka_performance` of a built checkout of librdkafka where one is given, else from
confluent-kafka. Kafka comes from Maven Central (tests/broker/reference/fetch.sh). The quick form takes two
minutes.
"""

import argparse
import compileall
import datetime
import json
import os
import sys
import tempfile
from pathlib import Path

from archc.backends import broker
from tests.benchmarks.broker import measuring, report
from tests.benchmarks.broker.cases import cases
from tests.benchmarks.broker.ceilings import ceilings
from tests.benchmarks.broker.clients import Confluent, Performance

DOCS = Path(__file__).parents[3] / "docs"
BEGIN, END = "<!-- figures: python -m tests.benchmarks.broker -->", "<!-- end of figures -->"


def main() -> None:
    """Measure, and write the figures down."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--librdkafka", type=Path, help="a built checkout of librdkafka")
    parser.add_argument("--repeat", type=int, help="repetitions of each row (5; 1 in the quick form)")
    parser.add_argument("--quick", action="store_true", help="two minutes: short runs, once each")
    parser.add_argument(
        "--only", default="", help="only the rows whose name has this text; nothing is written"
    )
    parser.add_argument("--out", type=Path, default=DOCS, help="the folder that is written to")
    options = parser.parse_args()
    client = Performance(options.librdkafka) if options.librdkafka else Confluent()
    repeat, scale = options.repeat or (1 if options.quick else 5), 0.1 if options.quick else 1.0
    wanted = [case for case in cases(scale) if options.only in case.name]
    # As an installed one is; where Python may write no bytecode, each start would compile everything.
    compileall.compile_dir(Path(broker.__file__).parent, quiet=1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _say("the machine's ceilings")
        best = ceilings(folder, repeat, 128 if options.quick else 1024)
        _say("starting")
        starts = measuring.starts(folder, repeat)
        figures, peaks = measuring.measure(client, wanted, repeat, folder, _say)
    result = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": report.machine(os.cpu_count() or 1),
        "client": client.name,
        "repeat": repeat,
        "quick": options.quick,
        "ceilings": best,
        "starts": starts,
        "peak_mb": peaks,
        "rows": [
            {"name": case.name, **vars(case), **{side: found.medians() for side, found in sides.items()}}
            for case, sides in figures.items()
        ],
    }
    print(report.tables(result))
    if not options.only:
        _write(options.out, result)


def _write(folder: Path, result: dict[str, object]) -> None:
    (folder / "broker-benchmarks.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    page = folder / "broker-benchmarks.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n\n{report.tables(result)}\n\n{END}{after}", encoding="utf-8")
    try:
        from tests.benchmarks.broker.plot import draw

        draw(result, folder / "broker-benchmarks.svg")
    except ImportError:
        _say("no plot: pip install 'archc[benchmark]' brings matplotlib")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
