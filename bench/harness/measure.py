"""Timing of commands, processor time of servers, and the disk's fsync of the very run."""

import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Sample:
    """One timed run."""

    wall: float
    client_cpu: float
    server_cpu: float
    client_peak_mib: float
    facts: dict = field(default_factory=dict)


@dataclass
class Result:
    """All runs of one program at one work."""

    program: str
    durable: bool
    samples: list[Sample] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(sample.wall for sample in self.samples)

    def row(self) -> list[str]:
        walls = [sample.wall for sample in self.samples]
        return [
            self.program,
            "yes" if self.durable else "no",
            f"{self.median:.3f}",
            f"{min(walls):.3f}–{max(walls):.3f}",
            f"{statistics.median(sample.client_cpu for sample in self.samples):.2f}",
            f"{statistics.median(sample.server_cpu for sample in self.samples):.2f}",
            f"{max(sample.client_peak_mib for sample in self.samples):.0f}",
        ]


def session_cpu(session: int) -> float:
    """Processor seconds of all processes of a session, reaped children included."""
    total = 0
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            text = Path(f"/proc/{entry}/stat").read_text()
        except OSError:
            continue
        fields = text.rsplit(")", 1)[1].split()
        if int(fields[3]) == session:
            total += sum(int(value) for value in fields[11:15])
    return total / TICKS


def resident_mib(pid: int, key: str = "VmRSS") -> float:
    """Resident memory of a process now (`VmRSS`) or at its most (`VmHWM`)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


def timed(command: list[str], server_session: int | None = None, env: dict | None = None) -> tuple[Sample, str]:
    """Runs a command to its end and returns what it cost and printed; one that fails ends the benchmark."""
    server_before = session_cpu(server_session) if server_session else 0.0
    with tempfile.TemporaryFile() as sink:
        begin = time.monotonic()
        process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT, env=env)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        sink.seek(0)
        output = sink.read().decode(errors="replace")
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)[:200]}: exit {process.returncode}\n{output[-2000:]}")
    server_after = session_cpu(server_session) if server_session else 0.0
    sample = Sample(wall, usage.ru_utime + usage.ru_stime, server_after - server_before, usage.ru_maxrss / 1024)
    return sample, output


def fsync_times(folder: Path, count: int = 200) -> tuple[float, float]:
    """p50 and p99, in milliseconds, of appending 4 KiB and fsyncing it."""
    path = folder / "fsync-probe"
    times = []
    with open(path, "wb", buffering=0) as out:
        for _ in range(count):
            out.write(b"x" * 4096)
            begin = time.monotonic()
            os.fsync(out.fileno())
            times.append((time.monotonic() - begin) * 1000)
    path.unlink()
    times.sort()
    return times[count // 2], times[count * 99 // 100]
