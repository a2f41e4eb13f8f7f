"""What a process and its children have used, as the kernel counts it: CPU time and memory, from /proc."""

import os
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """The process and everything below it; empty when it is gone."""
    if not Path(f"/proc/{pid}").exists():
        return []
    children: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        children += map(int, tasks.read_text(encoding="ascii").split())
    return [pid, *(below for child in children for below in tree(child))]


def cpu_s(pid: int) -> float:
    """Seconds of CPU that the tree has used so far, of its ended children too, in user mode and kernel."""
    ticks = 0
    for process in tree(pid):
        # The command's name is in brackets and may hold anything; utime is the 14th field, cstime the 17th.
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))
    return ticks / TICKS_PER_S


def memory_mb(pid: int, key: str = "VmRSS") -> float:
    """Resident memory of the tree in 10^6 bytes: now (VmRSS), or each process's highest (VmHWM)."""
    kib = 0
    for process in tree(pid):
        for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{key}:"):
                kib += int(line.split()[1])
    return kib * 1024 / 1e6
