"""Measure the synthesis library beside others on the same data in one run: ``make bench``.

Ours and theirs take turns, the best of several turns counts, so that a busy machine disturbs
both alike. Each case names the step that must take most of its time and how fast this machine
could do that alone (memory copied or numbers multiplied per second, measured at the start):
the distance from that limit is what cleverness could still gain. R's packages are measured where
an R with them is found. Results go to stdout and to ``build/benchmarks-synthesis.json``.
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from trabecula import synthesis

REPOSITORY = Path(__file__).parent.parent
TURNS = 7
"""Turns of each contestant; the best counts."""

SHORTEST = 0.02
"""Seconds that a turn takes at least: short work is repeated, so that the clock can tell it."""

LONGEST = 20.0
"""Seconds after which a case takes no further turn."""


@dataclass(frozen=True)
class Limit:
    """What the dominant step touches: bytes through memory, or multiplications in BLAS."""

    step: str
    megabytes: float = 0.0
    megaflops: float = 0.0

    def seconds(self, machine: Machine) -> float:
        """Return how long this machine needs for that step alone."""
        return self.megabytes / machine.megabytes_per_second + (
            self.megaflops / machine.megaflops_per_second
        )


@dataclass(frozen=True)
class Machine:
    """How fast one core copies memory and BLAS multiplies matrices."""

    megabytes_per_second: float
    megaflops_per_second: float

    @classmethod
    def measured(cls) -> Machine:
        """Measure both on sizes that leave the caches."""
        large, square = np.ones(8_000_000), np.ones((1000, 1000))
        copied = best_of({"copy": large.copy})["copy"]
        multiplied = best_of({"matmul": lambda: square @ square})["matmul"]
        return cls(2 * large.nbytes / 1e6 / copied, 2 * 1000**3 / 1e6 / multiplied)


@dataclass(frozen=True)
class Case:
    """One task, who does it, for how many units, and what it should take.

    ``in_r`` are R expressions for one unit on the data frame ``d``, read from the CSV ``table``.
    """

    name: str
    contestants: Mapping[str, Callable[[], object]]
    units: int = 1
    aim_seconds: float = math.inf
    limit: Limit | None = None
    in_r: Mapping[str, str] = field(default_factory=dict)
    table: str = ""


@dataclass(frozen=True)
class Timed:
    """Seconds a unit of each contestant, and how far the first is from the limit."""

    name: str
    seconds: Mapping[str, float]
    aim_seconds: float
    limit_step: str = ""
    times_limit: float = math.nan
    ratios: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        ours = self.seconds["trabecula"]
        met = "" if math.isinf(self.aim_seconds) else f"  aim {_time(self.aim_seconds)}"
        met += "" if ours <= self.aim_seconds else "  MISSED"
        lines = [f"{self.name:58} {_time(ours)}{met}"]
        lines += [
            f"{'':6}{who:52} {_time(self.seconds[who])}  x{r:.1f}" for who, r in self.ratios.items()
        ]
        if self.limit_step:
            lines.append(
                f"{'':6}limit: {self.limit_step}, we take {self.times_limit:.0f} times as long"
            )
        return "\n".join(lines)


def best_of(contestants: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Return the best seconds of each contestant; they take turns."""
    best = dict.fromkeys(contestants, math.inf)
    begun = time.perf_counter()
    for _ in range(TURNS):
        for name, work in contestants.items():
            calls = max(1, min(1000, int(SHORTEST / best[name])))
            start = time.perf_counter()
            for _ in range(calls):
                work()
            best[name] = min(best[name], (time.perf_counter() - start) / calls)
        if time.perf_counter() - begun > LONGEST:
            break
    return best


def timed(case: Case, machine: Machine) -> Timed:
    """Return the measurement of `case`."""
    seconds = {who: s / case.units for who, s in best_of(case.contestants).items()}
    seconds |= {who: r_seconds(code, case.table) for who, code in case.in_r.items() if RSCRIPT}
    ours = seconds["trabecula"]
    ratios = {who: s / ours for who, s in seconds.items() if who != "trabecula"}
    if case.limit is None:
        return Timed(case.name, seconds, case.aim_seconds, ratios=ratios)
    times = ours * case.units / case.limit.seconds(machine)
    return Timed(case.name, seconds, case.aim_seconds, case.limit.step, times, ratios)


def data_sets(count: int, k: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return estimates and variances (count, k) of studies that differ."""
    rng = np.random.default_rng(seed)
    variance = rng.uniform(0.05, 0.3, (count, k))
    return rng.normal(0.3, np.sqrt(variance + 0.1)), variance


def cases() -> Iterator[Case]:
    """Yield what is measured, simple things first."""
    yield from pairwise_cases()
    yield from bayesian_cases()
    yield from network_cases()


def pairwise_cases() -> Iterator[Case]:
    """Yield REML fits one by one and many at once, beside PyMARE and statsmodels."""
    from pymare import Dataset
    from pymare.estimators import VarianceBasedLikelihoodEstimator
    from statsmodels.stats.meta_analysis import combine_effects

    y, v = data_sets(1, 20)
    yield Case(
        "REML, Knapp-Hartung, Q-profile, all summaries; k = 20",
        {
            "trabecula": lambda: synthesis.random_effects(y[0], v[0]),
            "PyMARE (with its Q-profile)": lambda: (
                VarianceBasedLikelihoodEstimator(method="reml")
                .fit_dataset(Dataset(y[0], v[0]))
                .summary()
                .get_re_stats()
            ),
        },
        aim_seconds=150e-6,
        in_r={"metafor": "r <- rma(yi, vi, data = d, test = 'knha'); confint(r)"},
        table=csv_of({"yi": y[0], "vi": v[0]}),
    )
    yield Case(
        "DerSimonian-Laird; k = 20",
        {
            "trabecula": lambda: synthesis.random_effects(y[0], v[0], method="DL", test="z"),
            "statsmodels (no interval of tau2)": lambda: combine_effects(
                y[0], v[0], method_re="dl"
            ),
        },
    )
    many, spread = data_sets(10_000, 20)
    yield Case(
        "The same REML in one call on 10,000 data sets, each",
        {
            "trabecula": lambda: synthesis.random_effects(many, spread),
            "PyMARE (fit alone, no interval of tau2)": lambda: (
                VarianceBasedLikelihoodEstimator(method="reml")
                .fit(many.T, spread.T, np.ones((20, 1)))
                .summary()
            ),
        },
        units=10_000,
        aim_seconds=5e-6,
        limit=Limit("10 passes over the estimates", megabytes=10 * 2 * many.nbytes / 1e6),
    )
    moderators = np.linspace(-1.0, 1.0, 20)[:, None]
    yield Case(
        "Permutation test of a meta-regression, 1,000 draws; k = 20",
        {
            "trabecula": lambda: synthesis.permutation_test(y[0], v[0], moderators, draws=1000),
        },
        aim_seconds=0.05,
    )


def bayesian_cases() -> Iterator[Case]:
    """Yield the exact Bayesian model with all its summaries."""
    for k, aim in ((10, math.inf), (40, 0.02), (80, math.inf)):
        y, v = data_sets(1, k)
        yield Case(
            f"Bayesian random effects, all posteriors; k = {k}",
            {
                "trabecula": lambda y=y, v=v: synthesis.bayesian_random_effects(  # type: ignore[misc]
                    y[0], v[0], tau_prior=synthesis.HalfNormal(0.5)
                )
            },
            aim_seconds=aim,
            in_r={
                "bayesmeta": "bayesmeta(y = d$y, sigma = d$s, "
                "tau.prior = function(t) dhalfnormal(t, scale = 0.5))"
            },
            table=csv_of({"y": y[0], "s": np.sqrt(v[0])}),
        )


def network_evidence(
    treatments: int, studies: int, *, seed: int = 1, three_arms: float = 0.1
) -> synthesis.NetworkEvidence:
    """Return a connected network of trials of two arms, and some of three."""
    rng = np.random.default_rng(seed)
    effects = rng.normal(0, 0.5, treatments)
    rows: list[tuple[str, str, float, float]] = []
    for i in range(studies):
        size = 3 if rng.random() < three_arms else 2
        first = i % treatments
        arms = [first, *rng.choice(np.delete(np.arange(treatments), first), size - 1, False)]
        shift = rng.normal(0, 1)
        for arm in arms:
            variance = rng.uniform(0.01, 0.1)
            value = shift + effects[arm] + rng.normal(0, math.sqrt(variance + 0.02))
            rows.append((f"s{i:04d}", f"t{arm:03d}", value, variance))
    study, treatment, value, variance = zip(*rows, strict=True)
    return synthesis.NetworkEvidence.from_arms(study, treatment, value, variance)


def network_cases() -> Iterator[Case]:
    """Yield network meta-analysis, its contributions and its node splits."""
    large = network_evidence(100, 1000)
    contrasts = len(large.study)
    yield Case(
        "Network meta-analysis, REML; 100 treatments, 1,000 studies",
        {"trabecula": lambda: synthesis.network_meta_analysis(large)},
        aim_seconds=0.1,
        limit=Limit("54 inversions of the reduced Laplacian", megaflops=54 * 2 * 99**3 / 1e6),
    )
    yield Case(
        f"Contribution matrix of all comparisons ({contrasts} contrasts), same network",
        {"trabecula": lambda: synthesis.contribution_matrix(large)},
        aim_seconds=5.0,
    )
    middle = network_evidence(40, 120)
    yield Case(
        "Network meta-analysis, REML; 40 treatments, 120 studies",
        {"trabecula": lambda: synthesis.network_meta_analysis(middle)},
        in_r={"netmeta": "netmeta(e, s, a, b, t, data = d, method.tau = 'REML')"},
        table=csv_of(
            {
                "e": middle.estimate,
                "s": np.sqrt(middle.variance),
                "a": [middle.treatments[i] for i in middle.first],
                "b": [middle.treatments[i] for i in middle.second],
                "t": [middle.studies[i] for i in middle.study],
            }
        ),
    )
    yield Case(
        "Node splitting of every comparison; 40 treatments, 120 studies",
        {"trabecula": lambda: synthesis.node_splitting(middle)},
        aim_seconds=5.0,
    )


def rscript() -> str | None:
    """Return the Rscript of an R that has the packages compared with, if there is one."""
    found = shutil.which("Rscript")
    if found is None:
        return None
    check = "q(status = !all(sapply(c('metafor', 'netmeta', 'bayesmeta'), requireNamespace)))"
    return None if subprocess.run([found, "-e", check], check=False).returncode else found


RSCRIPT = rscript()


def r_seconds(code: str, table: str) -> float:
    """Return the seconds that R takes for `code`, measured inside it; best of three."""
    assert RSCRIPT is not None
    program = f"""
    suppressMessages({{library(metafor); library(netmeta); library(bayesmeta)}})
    d <- read.csv(file("stdin"))
    cat(min(replicate(3, system.time({{ {code} }})[["elapsed"]])))
    """
    run = subprocess.run(
        [RSCRIPT, "-e", program], input=table, capture_output=True, text=True, check=True
    )
    return float(run.stdout.strip().splitlines()[-1])


def csv_of(columns: Mapping[str, Sequence[object]]) -> str:
    """Return columns as CSV."""
    rows = zip(*columns.values(), strict=True)
    return "\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n"


def main() -> None:
    """Measure and print every case."""
    warnings.simplefilter("ignore")  # those of the other libraries
    machine = Machine.measured()
    print(
        f"one core copies {machine.megabytes_per_second / 1000:.1f} GB/s, "
        f"BLAS multiplies {machine.megaflops_per_second / 1000:.0f} Gflop/s"
    )
    if RSCRIPT is None:
        print("no R with metafor, netmeta and bayesmeta here: they are not measured")
    results = []
    for case in cases():
        result = timed(case, machine)
        results.append(result)
        print(result, flush=True)
    target = REPOSITORY / "build" / "benchmarks-synthesis.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps([asdict(r) for r in results], indent=1), encoding="utf-8")


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:8.2f} {unit}"
    return f"{seconds * 1e6:8.2f} µs"


if __name__ == "__main__":
    main()
