"""What the kernel says of a process."""

from pathlib import Path


def resident_bytes(pid: int) -> int:
    """The memory that is its own: without the pages of files."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"process {pid} has no RssAnon")


def cpu_s(pid: int) -> float:
    """Processor time that it has used, in user and kernel mode."""
    import os

    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
