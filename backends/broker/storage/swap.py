"""Putting compacted segments in the place of those they were made from, all or nothing.

First a file that says what is to be done comes to the disk; from then on it will be done, if not now then
when the log is opened the next time. Every step can be done again.
"""

import contextlib
from collections.abc import Iterable, Mapping

from .checkpoint import (
    SEALED,
    SWAP,
    SealedSegment,
    Swap,
    dump_sealed,
    dump_swap,
    load_sealed,
    load_swap,
    read_file,
)
from .disk import Disk, sync_folder, write_atomically
from .names import CLEANED_SUFFIX, SEGMENT_SUFFIXES, log_path


class SwapRefusedError(Exception):
    """Nothing was put in place, and nothing will be."""


def swapped(before: Mapping[int, SealedSegment], swap: Swap) -> dict[int, SealedSegment]:
    """What is sealed when the swap is done, by first offset."""
    left = {base: segment for base, segment in before.items() if base not in swap.replaced}
    return left | {segment.base_offset: segment for segment in swap.segments}


def swap_segments(disk: Disk, folder: str, swap: Swap, sealed: Iterable[SealedSegment]) -> None:
    """Put the new segments in place; they are on the disk, under names with the swap's suffix.

    `sealed` are all segments that are sealed then. Raises SwapRefusedError where nothing was changed, and
    OSError where it will be done the next time.
    """
    try:
        write_atomically(disk, f"{folder}/{SWAP}", dump_swap(swap))
    except OSError as problem:
        with contextlib.suppress(FileNotFoundError):
            disk.remove(f"{folder}/{SWAP}")
            sync_folder(disk, folder)
        raise SwapRefusedError(str(problem)) from problem
    _do(disk, folder, swap, sealed)


def finish_swap(disk: Disk, folder: str) -> None:
    """Do what a crash left to be done, and remove what compaction wrote in vain. Raises OSError."""
    data = read_file(disk, f"{folder}/{SWAP}")
    swap = load_swap(data) if data is not None else None
    if swap is not None:
        data = read_file(disk, f"{folder}/{SEALED}")
        before = (load_sealed(data) if data is not None else None) or []
        sealed = swapped({segment.base_offset: segment for segment in before}, swap)
        _do(disk, folder, swap, sealed.values())
    remove_cleaned(disk, folder)


def remove_cleaned(disk: Disk, folder: str) -> None:
    """Remove what compaction wrote and nobody put in place. Raises OSError."""
    for name in disk.list(folder):
        if name.endswith(CLEANED_SUFFIX):
            disk.remove(f"{folder}/{name}")


def _do(disk: Disk, folder: str, swap: Swap, sealed: Iterable[SealedSegment]) -> None:
    names = set(disk.list(folder))
    for segment in swap.segments:
        _replace(disk, folder, names, segment.base_offset, swap.suffix)
    for base_offset in set(swap.replaced) - {segment.base_offset for segment in swap.segments}:
        for suffix in SEGMENT_SUFFIXES:
            with contextlib.suppress(FileNotFoundError):
                disk.remove(log_path(folder, base_offset, suffix))
    sync_folder(disk, folder)
    write_atomically(disk, f"{folder}/{SEALED}", dump_sealed(sealed))
    disk.remove(f"{folder}/{SWAP}")
    sync_folder(disk, folder)


def _replace(disk: Disk, folder: str, names: set[str], base_offset: int, new: str) -> None:
    for suffix in SEGMENT_SUFFIXES:
        path = log_path(folder, base_offset, suffix)
        if path.rpartition("/")[2] + new in names:
            disk.rename(path + new, path)
