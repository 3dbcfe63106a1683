"""Measure what a user waits for, against budgets: ``make bench``.

Every figure is the best of several fresh processes, measured from outside (wall time and peak
memory of the process and its children), so that start-up and imports count. Results go to
stdout and to ``build/benchmarks.json``; nothing fails when a budget is missed, it is reported.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
TRABECULA = Path(sys.executable).parent / "trabecula"
TOPIC = REPOSITORY / "topics" / "bmes"
SIZES = (625, 1250, 2500, 5000)
"""Studies of the synthetic topics; doubling shows whether the time grows linearly."""


@dataclass(frozen=True)
class Measurement:
    """One measured command against its budget (seconds, megabytes; ``None``: none set)."""

    name: str
    seconds: float
    megabytes: float
    budget_seconds: float | None = None
    budget_megabytes: float | None = None

    def __str__(self) -> str:
        within = (self.budget_seconds is None or self.seconds <= self.budget_seconds) and (
            self.budget_megabytes is None or self.megabytes <= self.budget_megabytes
        )
        budget = "" if self.budget_seconds is None else f"  budget {self.budget_seconds:g} s"
        budget += "" if self.budget_megabytes is None else f", {self.budget_megabytes:g} MB"
        verdict = "" if self.budget_seconds is None else ("  within" if within else "  MISSED")
        return f"{self.name:44} {self.seconds:7.2f} s {self.megabytes:6.0f} MB{budget}{verdict}"


def measure(command: list[str], times: int) -> tuple[float, float]:
    """Return the best wall time in seconds and the largest peak memory in MB of `times` runs."""
    best, peak = math.inf, 0.0
    for _ in range(times):
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        best = min(best, time.perf_counter() - start)
        peak = max(peak, usage.ru_maxrss / 1024)
        if os.waitstatus_to_exitcode(status) != 0:
            raise SystemExit(f"failed: {' '.join(command)}")
    return best, peak


def real_topic(work: Path) -> list[Measurement]:
    """Measure the commands a person runs on the real topic."""
    build = [str(TRABECULA), "build", "--topic", str(TOPIC), "--out", str(work / "site"),
             "--no-recovery",
             "--cache", str(work / "cache")]  # fmt: skip
    return [
        Measurement("trabecula --help", *measure([str(TRABECULA), "--help"], 5), 0.3),
        Measurement("trabecula check", *measure([str(TRABECULA), "check", str(TOPIC)], 3), 1.5),
        Measurement("trabecula build, nothing drawn yet", *measure(build, 1)),
        Measurement("trabecula build, warm", *measure(build, 3), 10.0, 600.0),
    ]


def growth(work: Path) -> list[Measurement]:
    """Measure ``check`` on synthetic topics of growing size."""
    from synthetic import write_synthetic_topic

    measured = []
    for size in SIZES:
        root = work / f"topic-{size}"
        write_synthetic_topic(root, size, seed=1)
        budget = 30.0 if size == max(SIZES) else None
        name = f"trabecula check, {size} studies"
        taken = measure([str(TRABECULA), "check", str(root)], 1)
        measured.append(Measurement(name, *taken, budget))
    return measured


def main() -> None:
    """Measure everything and print it."""
    with tempfile.TemporaryDirectory() as folder:
        real, grown = real_topic(Path(folder)), growth(Path(folder))
    for measurement in (*real, *grown):
        print(measurement)
    slope = math.log(grown[-1].seconds / grown[0].seconds) / math.log(SIZES[-1] / SIZES[0])
    print(f"check grows with the number of studies to the power {slope:.2f} (1 is linear)")
    out = REPOSITORY / "build" / "benchmarks.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps([asdict(m) for m in (*real, *grown)], indent=2) + "\n")


if __name__ == "__main__":
    main()
