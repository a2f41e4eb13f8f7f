"""A data folder checked while no broker has it: every checksum, every offset, every entry of every index.

Nothing is changed. What a crash may have left at the end of a log, and what the next start cuts off or makes
anew, is no damage.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...storage.checkpoint import (
    CLEAN_MARKER,
    RECOVERY_POINTS,
    SEALED,
    START_OFFSETS,
    SWAP,
    Offsets,
    SealedSegment,
    load_offsets,
    load_sealed,
)
from ...storage.disk import LocalDisk
from ...storage.journal import decode
from ...storage.manager import LOCK
from ...storage.names import (
    LOG,
    SNAPSHOT,
    log_path,
    offset_of,
    partition_folder,
    partition_of,
)
from ...storage.producers import Producers
from ...topics.cluster import FILE, ClusterFileError, ClusterRecord, parse
from .client import ToolError
from .verify_segment import Finding, Segment, check_segment

# Of groups' offsets, and of transactions.
_JOURNALS = ("__consumer_offsets", "__transaction_state")


@dataclass(slots=True)
class Report:
    """What was looked at, and what was found."""

    partitions: int = 0
    segments: int = 0
    batches: int = 0
    bytes: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        """Whether nothing is damaged."""
        return not any(finding.is_damage for finding in self.findings)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the data folder says of its partitions. `is_clean`: the last broker was stopped well."""

    is_clean: bool
    recovery_points: Offsets
    start_offsets: Offsets


def verify(folder: Path) -> Report:
    """Check a data folder. Raises ToolError for one that is none, or that a broker has; OSError."""
    names = {path.name for path in folder.iterdir()}
    if FILE not in names and LOCK not in names:
        raise ToolError(f"{folder} is no data folder of a broker")
    lock = _lock(folder) if LOCK in names else None
    try:
        return _verify(folder, names)
    finally:
        if lock is not None:
            LocalDisk().close(lock)


def _lock(folder: Path) -> int:
    try:
        return LocalDisk().lock(str(folder / LOCK))
    except BlockingIOError:
        raise ToolError(f"a broker uses the folder `{folder}`: stop it first") from None


def _verify(folder: Path, names: set[str]) -> Report:
    report = Report()
    cluster = _cluster(folder, report)
    known = _Known(
        CLEAN_MARKER in names,
        _checkpoint(folder / RECOVERY_POINTS, report),
        _checkpoint(folder / START_OFFSETS, report),
    )
    there = {found for name in names if (found := partition_of(name)) is not None}
    wanted = {
        (topic.name, partition): "compact" in topic.configs.get("cleanup.policy", "")
        for topic in cluster.topics.values()
        if not topic.is_deleting
        for partition in range(topic.partitions)
    }
    for topic, partition in sorted(there | wanted.keys()):
        path = folder / partition_folder(topic, partition)
        if (topic, partition) not in there:
            report.findings.append(Finding(str(path), "the folder of a partition is missing"))
            continue
        if (topic, partition) not in wanted:
            report.findings.append(Finding(str(path), "it belongs to no topic", is_damage=False))
        _partition(path, (topic, partition), known, wanted.get((topic, partition), False), report)
    for name in _JOURNALS:
        report.findings += _journal(folder / name)
    return report


def _cluster(folder: Path, report: Report) -> ClusterRecord:
    path = folder / FILE
    try:
        return parse(path.read_bytes(), str(path))
    except ClusterFileError as problem:
        report.findings.append(Finding(str(path), str(problem)))
    except FileNotFoundError:
        report.findings.append(Finding(str(path), "it is missing"))
    return ClusterRecord("", b"")


def _checkpoint(path: Path, report: Report) -> Offsets:
    if not path.exists():
        return {}
    offsets = load_offsets(path.read_bytes())
    if offsets is None:
        report.findings.append(Finding(str(path), "its checksum is wrong"))
    return offsets or {}


def _journal(folder: Path) -> Iterator[Finding]:
    for path in sorted(folder.glob(f"*{LOG}")):
        data = path.read_bytes()
        _, whole_bytes, damaged_lines = decode(data)
        if damaged_lines:
            yield Finding(str(path), f"{damaged_lines} records have wrong checksums")
        if whole_bytes < len(data):
            yield Finding(str(path), "its last record is torn", whole_bytes, is_damage=False)


# ---- partitions


def _partition(folder: Path, key: tuple[str, int], known: _Known, is_compacted: bool, report: Report) -> None:
    report.partitions += 1
    names = [path.name for path in folder.iterdir()]
    if SWAP in names:
        text = "a compaction was interrupted, which the next start finishes; it was not checked"
        report.findings.append(Finding(str(folder), text, is_damage=False))
        return
    sealed = _sealed(folder, report)
    bases = sorted(base for name in names if (base := offset_of(name, LOG)) is not None)
    end = 0
    for number, base in enumerate(bases):
        path = Path(log_path(str(folder), base))
        entry = sealed.get(base)
        gap_allowed = is_compacted or (entry is not None and entry.is_compacted)
        if number and base != end and not (gap_allowed and base > end):
            what = f"offsets {end} to {base - 1} are missing" if base > end else f"offset {base} comes again"
            report.findings.append(Finding(str(path), what))
        synced = max(known.recovery_points.get(key, 0), entry.next_offset if entry else 0)
        may_be_torn = number == len(bases) - 1 and not known.is_clean
        if may_be_torn and entry is not None and path.stat().st_size > entry.size:
            entry = None  # the log was opened again, and has grown
        segment = check_segment(Segment(path, base, entry, gap_allowed, may_be_torn, synced))
        report.segments += 1
        report.batches += segment.batches
        report.bytes += segment.bytes
        report.findings += segment.findings
        end = segment.next_offset
    for known_offset, what in (
        (known.recovery_points.get(key, 0), "was on the disk"),
        (known.start_offsets.get(key, 0), "begins"),
    ):
        if known_offset > end:
            text = f"it ends before offset {end}, and {what} up to {known_offset}"
            report.findings.append(Finding(str(folder), text))
    report.findings += _snapshots(folder, names)


def _sealed(folder: Path, report: Report) -> Mapping[int, SealedSegment]:
    path = folder / SEALED
    if not path.exists():
        return {}
    entries = load_sealed(path.read_bytes())
    if entries is None:
        report.findings.append(Finding(str(path), "its checksum is wrong"))
    found = {entry.base_offset: entry for entry in entries or ()}
    for base in found:
        if not Path(log_path(str(folder), base)).exists():
            report.findings.append(Finding(log_path(str(folder), base), "a full segment is missing"))
    return found


def _snapshots(folder: Path, names: list[str]) -> Iterator[Finding]:
    for name in sorted(names):
        if offset_of(name, SNAPSHOT) is not None and Producers.load((folder / name).read_bytes()) is None:
            yield Finding(str(folder / name), "its checksum is wrong")
