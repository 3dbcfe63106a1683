"""Calibrate the recovery model by simulation: ``make validate``.

Parameters are drawn from their prior, data from the model given them, and the model is fitted to
the data. The rank of a true value among the draws of its posterior is then uniform, whatever the
data, if density, sampler and simulation are the same model (Talts, Betancourt, Simpson, Vehtari
and Gelman 2018, arXiv:1804.06788). The distributions of times take turns. Nothing is left out:
chains that do not settle count as they are, and are told. Ranks are written to
``validation/calibration.json``, and what they show to the manual.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from trabecula.synthesis.recovery import (
    RecoveryEvidence,
    RecoveryPriors,
    Variant,
    recovery_evidence,
)
from trabecula.synthesis.recovery.course import FORMS, Form
from trabecula.synthesis.recovery.evidence import CLOCKS, KINDS, STATISTICS
from trabecula.synthesis.recovery.layout import HALF_NORMAL, layout
from trabecula.synthesis.recovery.sample import (
    HALF_NORMAL_SD,
    TRAJECTORY,
    _center,
    _each,
    _meanings,
    _potential,
    _stacked,
    _starts,
)
from trabecula.synthesis.recovery.simulate import draw_parameters, simulated, true_values
from trabecula.synthesis.sampling.convergence import split_r_hat
from trabecula.synthesis.sampling.frame import Frame, frame_from, frame_of
from trabecula.synthesis.sampling.nuts import Sizes, draw, unravelled
from trabecula.synthesis.sampling.settings import Settings

SEED = 20261123
REPLICATES = 210
"""Data sets; of each form a third."""

LEVELS = 100
"""Ranks lie in 0..99: 99 draws, far enough apart to be all but independent, and the true value."""

BINS = 10
"""Classes of ranks of the chi-squared test: 21 data sets are expected in each."""

ALPHA = 0.01
"""Probability that any of the quantities fails a test by chance, divided among them."""

LARGEST_R_HAT = 1.05
"""Above this the chains of a data set are counted as not settled."""

TOGETHER = 35
"""Data sets that are sampled side by side, of one form."""

CHAINS = 2
SETTINGS = Settings(chains=CHAINS, draws=300, warmup=200, target_accept=0.85)
PILOT = replace(SETTINGS, seed=19930301)
"""How each data set is sampled, and the pilot before: alike, so that they are compiled once."""

STUDIES = 15

TABLE = Path(__file__).parent / "calibration.json"
PAGE = Path(__file__).parent.parent / "docs" / "synthesis" / "calibration.md"

PRIORS = RecoveryPriors(median_weeks=(20.0, 30.0))

START, ONSET = range(len(CLOCKS))
COMPLETE, PARTIAL, SCORE = range(len(KINDS))
MEAN, MEDIAN, RANGE = range(len(STATISTICS))

REPORTED = (
    "log_median",
    "spread",
    "never",
    "floor",
    "sooner",
    "study_sd",
    "optimism",
    "moderator",
    "delay_slope",
    "effect",
)


@dataclass(frozen=True)
class Quantity:
    """The ranks of one quantity, and whether they are uniform."""

    name: str
    ranks: tuple[int, ...]

    @property
    def chi_squared_p(self) -> float:
        """The p-value of the counts of ranks in equal classes."""
        counts = np.bincount(np.array(self.ranks) * BINS // LEVELS, minlength=BINS)
        return float(stats.chisquare(counts).pvalue)

    @property
    def ecdf_p(self) -> float:
        """The p-value of the largest gap between the ranks and a uniform distribution."""
        shares = (np.array(self.ranks) + 0.5) / LEVELS
        return float(stats.kstest(shares, "uniform").pvalue)

    @property
    def within_half(self) -> float:
        """Percentage of true values within the central 50 % interval."""
        ranks = np.array(self.ranks)
        return 100 * float(((ranks >= LEVELS // 4) & (ranks < 3 * LEVELS // 4)).mean())

    @property
    def within_90(self) -> float:
        """Percentage of true values within the central 90 % interval."""
        ranks = np.array(self.ranks)
        return 100 * float(((ranks >= LEVELS // 20) & (ranks < LEVELS - LEVELS // 20)).mean())


def shape() -> RecoveryEvidence:
    """Return evidence of the shape that is filled: every kind of row, and of study."""
    tables: dict[str, list[dict[str, Any]]] = {
        n: [] for n in ("scores", "counts", "times", "tests")
    }
    arm_study: list[int] = []
    design: list[list[float]] = []
    for study in range(STUDIES):
        arms = _arms(study)
        first = len(arm_study)
        for place, has in enumerate(arms):
            arm_study.append(study)
            design.append(has)
            for name, row in _rows(study, first + place):
                tables[name].append(row)
        if len(arms) == 2 and study % 2 == 0:
            tables["tests"].append(_test(study, first))
    alone = np.bincount(arm_study)[arm_study] == 1
    treated = np.array(design).any(axis=1)
    return recovery_evidence(
        studies=tuple(f"study {s + 1}" for s in range(STUDIES)),
        outcomes=("first", "second"),
        effects=("one", "two", "three"),
        effect_class=("class", "class", None),
        arm_study=arm_study,
        design=design,
        uncontrolled=(alone & treated) * 1.0,
        unblinded=treated * (np.array(arm_study) % 2),
        moderator_names=("modifier",),
        moderators=[[s % 3 / 2] for s in range(STUDIES)],
        delay=[np.nan if s % 4 == 0 else 4.0 + s for s in range(STUDIES)],
        **{n: {c: [r[c] for r in rows] for c in rows[0]} for n, rows in tables.items()},
    )


def _arms(study: int) -> list[list[float]]:
    """Return the designs of the arms: compared with nothing or each other, or alone."""
    effect = [float(e == study % 3) for e in range(3)]
    other = [float(e == (study + 1) % 3) for e in range(3)]
    return ([[0.0] * 3, effect], [effect, other], [effect], [[0.0] * 3, effect], [[0.0] * 3])[
        study % 5
    ]


def _rows(study: int, arm: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what an arm reports, with figures that are replaced."""
    outcome, n = study % 2, 15.0 + 2 * study
    cell = {"arm": arm, "outcome": outcome}
    if study % 3 != 1:
        for week in (6.0, 16.0):
            yield "scores", cell | {
                "clock": START, "week": week, "mean": 4.0, "se": 1.8 / np.sqrt(n),
                "baseline": 6.0, "baseline_se": 1.5 / np.sqrt(n), "correlation": 0.4,
                "se_log_sd": 0.25 * (study % 2),
            }  # fmt: skip
    if study % 3 != 0:
        later = {"kind": PARTIAL, "clock": START, "week": 12.0, "previous_kind": COMPLETE}
        shared = {"n": n, "design_effect": 1.0, "previous_events": 0.0, "events": 3.0}
        yield "counts", cell | shared | later | {
            "kind": COMPLETE, "clock": START, "week": 12.0, "previous_week": 0.0
        }  # fmt: skip
        yield "counts", cell | shared | later | {"previous_week": 12.0}
        final = {"kind": COMPLETE, "clock": ONSET, "week": 52.0, "previous_week": 0.0}
        yield "counts", cell | shared | later | final | {"outcome": 1 - outcome}
    if study % 4 == 2:
        statistic = (MEAN, MEDIAN, RANGE)[study // 4 % 3]
        yield "times", cell | {
            "outcome": 1 - outcome, "clock": (START, ONSET)[arm % 2], "statistic": statistic,
            "value": 12.0, "upper": 40.0 if statistic == RANGE else np.nan, "n": n,
        }  # fmt: skip


def _test(study: int, first: int) -> dict[str, Any]:
    """Return a test of two arms: exact, exact without its sign, or censored."""
    limits = ((1.0, 1.0), (-1.96, 1.96), (0.7, 0.7))[study // 2 % 3]
    return {
        "first": first + 1, "second": first, "outcome": 1 - study % 2, "kind": SCORE, "week": 10.0,
        "lower": limits[0], "upper": limits[1], "either_sign": study % 3 == 0, "per_unit": 6.0,
        "n_first": np.nan, "n_second": np.nan,
    }  # fmt: skip


def ranks(form: Form, seeds: Sequence[int]) -> tuple[list[dict[str, int]], int]:
    """Return the ranks of true values among draws, a table a data set, and how many not settled."""
    evidence = shape()
    data, truths = [], []
    for seed in seeds:
        random = np.random.default_rng([SEED, seed])
        at = draw_parameters(evidence, PRIORS, random)
        data.append(simulated(evidence, PRIORS, form, at, random))
        truths.append(true_values(evidence, PRIORS, at))
    posteriors, divergences = posterior(form, data)
    picked = np.arange(LEVELS - 1) * CHAINS * SETTINGS.draws // (LEVELS - 1)
    told, unsettled = [], 0
    for found, truth, divergent in zip(posteriors, truths, divergences, strict=True):
        ranked, r_hat = {}, 0.0
        for name in REPORTED:
            draws = found[name].reshape(*found[name].shape[:2], -1)
            r_hat = max(r_hat, float(split_r_hat(draws).max()))
            below = (draws.reshape(-1, draws.shape[-1])[picked] < truth[name].ravel()).sum(axis=0)
            ranked |= dict(zip(_labels(name, truth, evidence), below.tolist(), strict=True))
        unsettled += r_hat > LARGEST_R_HAT or divergent > 0
        told.append(ranked)
    return told, unsettled


def posterior(
    form: Form, data: Sequence[RecoveryEvidence]
) -> tuple[list[dict[str, np.ndarray]], np.ndarray]:
    """Return draws of what parameters mean, one table a data set, and numbers of divergences.

    All are sampled side by side, as `sample` does it for one: a pilot in the coordinates of the
    peak (of the first data set), whose mean and covariance are those of the draws that count.
    """
    laid = [layout(e, PRIORS) for e in data]
    sizes = laid[0].sizes
    width = laid[0].parameters
    variant = Variant(PRIORS)
    each = [{"shared": one.shared} | _each(variant, e) for one, e in zip(laid, data, strict=True)]
    potential = _framed(form, tuple(sizes.items()))
    frames = [_frame(form, sizes, each[0])] * len(data)
    drawn = None
    for settings in (PILOT, SETTINGS):
        placed = [
            e | {"center": f.center, "scale": f.scale} for e, f in zip(each, frames, strict=True)
        ]
        drawn = draw(
            potential,
            _starts(sizes, len(data), settings),
            settings,
            each=_stacked(placed),
            trajectory=TRAJECTORY,
        )
        flat = [f.center + z @ f.scale.T for f, z in zip(frames, drawn.flat(), strict=True)]
        frames = [frame_from(z.reshape(-1, width)) for z in flat]
    assert drawn is not None
    means = [
        _meanings(unravelled(z, tuple(sizes.items())), one.shared, e["prior"])
        for z, one, e in zip(flat, laid, each, strict=True)
    ]
    return means, drawn.divergences


def _frame(form: Form, sizes: Mapping[str, tuple[int, ...]], each: Any) -> Frame:
    """Return the frame of one data set from its peak."""
    held = dict.fromkeys(HALF_NORMAL, HALF_NORMAL_SD)
    return frame_of(_potential(form), _center(sizes), held=held, shared=each["shared"], each=each)


@cache
def _framed(form: Form, sizes: Sizes) -> Any:
    """Return the density in coordinates of each data set."""
    from trabecula.synthesis.recovery import density

    def potential(at: Mapping[str, Any], _: Any, each: Any) -> Any:
        z = density.jnp.concatenate([at[name].ravel() for name, _ in sizes])
        placed = unravelled(each["center"] + each["scale"] @ z, sizes)
        return density.potential(form, placed, each["shared"], each)

    return potential


def _labels(name: str, truth: Mapping[str, np.ndarray], evidence: RecoveryEvidence) -> list[str]:
    """Return a name for each number of a quantity."""
    size = truth[name].shape
    middle = {"effect": evidence.effects, "moderator": evidence.moderator_names}.get(name)
    middle = ("partial", "score") if name == "sooner" else middle
    if name == "optimism":
        return ["optimism, uncontrolled", "optimism, unblinded"]
    if len(size) == 1:
        return [f"{name}, {outcome}" for outcome in evidence.outcomes]
    return [f"{name}, {m}, {outcome}" for m in middle or () for outcome in evidence.outcomes]


def calibration(replicates: int = REPLICATES) -> tuple[list[Quantity], int]:
    """Return the ranks of all quantities, and how many data sets had chains that did not settle."""
    found: dict[str, list[int]] = {}
    unsettled = 0
    for batch, start in enumerate(range(0, replicates, TOGETHER)):
        form = FORMS[batch % len(FORMS)]
        told, failed = ranks(form, range(start, min(start + TOGETHER, replicates)))
        unsettled += failed
        for ranked in told:
            for name, rank in ranked.items():
                found.setdefault(name, []).append(rank)
        sys.stderr.write(f"{start + len(told)} data sets done, {unsettled} not settled\n")
    return [Quantity(name, tuple(r)) for name, r in found.items()], unsettled


def page(found: list[Quantity], unsettled: int) -> str:
    """Return the chapter of the manual."""
    size = len(found[0].ranks)
    least = min(p for q in found for p in (q.chi_squared_p, q.ecdf_p))
    rows = "\n".join(
        f"| {q.name} | {q.within_half:.1f} | {q.within_90:.1f} | {q.chi_squared_p:.3f} | "
        f"{q.ecdf_p:.3f} |"
        for q in found
    )
    return f"""# Is the recovery model calibrated?

Written by `make validate` (seed {SEED}, {size} data sets, the three distributions in turn).
A test holds this page to `validation/calibration.json`.

Parameters are drawn from their prior, data of {STUDIES} studies of every kind from the model given
them, and the model is fitted to the data. The rank of the true value among draws of its posterior
is uniform if the density, the sampler and the simulation are the same model (Talts, Betancourt,
Simpson, Vehtari and Gelman 2018, arXiv:1804.06788). A posterior too narrow gathers ranks at both
ends, one that leans to a side at one end.

No data set is left out. Chains did not settle in {unsettled} of them (R-hat above
{LARGEST_R_HAT:g}, or a divergent transition).

The table shows the percentages of data sets whose central 50 % and 90 % intervals held the truth
(standard errors {100 * np.sqrt(0.25 / size):.1f} and {100 * np.sqrt(0.09 / size):.1f}), and
p-values of two tests of uniform ranks: chi-squared in {BINS} classes, and Kolmogorov and
Smirnov's of the distribution function. With {2 * len(found)} tests the smallest p-value of a
perfect sampler is below {ALPHA / (2 * len(found)):.1g} in one run of a hundred; here it is
{least:.2g}.

| quantity | 50 % | 90 % | chi-squared p | distribution p |
|---|--:|--:|--:|--:|
{rows}
"""


def read() -> tuple[list[Quantity], int]:
    """Return the committed ranks."""
    held = json.loads(TABLE.read_text(encoding="utf-8"))
    return [Quantity(n, tuple(r)) for n, r in held["ranks"].items()], int(held["unsettled"])


def write(found: list[Quantity], unsettled: int) -> None:
    """Write the ranks and their page."""
    lines = ",\n".join(f"  {json.dumps(q.name)}: {json.dumps(q.ranks)}" for q in found)
    TABLE.write_text(f'{{"unsettled": {unsettled}, "ranks": {{\n{lines}\n}}}}\n', encoding="utf-8")
    PAGE.write_text(page(*read()), encoding="utf-8")


def main() -> None:
    """Fit all data sets, telling what is being done."""
    write(*calibration())


if __name__ == "__main__":
    main()
