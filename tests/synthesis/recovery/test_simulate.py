"""New data have the laws by which they are judged: each row beside its distribution in scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.synthesis.recovery.made import COMPLETE, PRIORS, evidence_of_all_kinds
from tests.synthesis.recovery.test_density import Written, points, rows
from trabecula.synthesis.recovery import RecoveryEvidence
from trabecula.synthesis.recovery.evidence import TABLES
from trabecula.synthesis.recovery.layout import assumed, layout
from trabecula.synthesis.recovery.simulate import draw_parameters, simulated, true_values

DRAWN = 300
LEAST_P = 1e-4
"""Smallest p-value of a test of 300 draws: the seed is fixed, and some fifteen tests are made."""

AT = points(1)[0]


@pytest.fixture(scope="module")
def new() -> list[RecoveryEvidence]:
    """Return new data drawn at one point."""
    evidence, random = evidence_of_all_kinds(), np.random.default_rng(5)
    return [simulated(evidence, PRIORS, "weibull", AT, random) for _ in range(DRAWN)]


def test_new_times_are_order_statistics_of_their_course(new: list[RecoveryEvidence]) -> None:
    """A median is the middle one, a range the first and the last; also counted from onset."""
    written = Written("weibull", AT)
    levels = np.array([[_levels(written, e, row) for row in (1, 3, 4, 5)] for e in new])

    for row, place, n in ((1, 0, 14), (3, 1, 11)):
        middle = stats.beta((n + 1) / 2, (n + 1) / 2)
        assert stats.kstest(levels[:, place, 0], middle.cdf).pvalue > LEAST_P, row
    for row, place, n in ((4, 2, 9), (5, 3, 2)):
        first, last = levels[:, place].T
        assert stats.kstest(first, stats.beta(1, n).cdf).pvalue > LEAST_P, row
        assert stats.kstest(last, stats.beta(n, 1).cdf).pvalue > LEAST_P, row


def _levels(written: Written, evidence: RecoveryEvidence, row: int) -> list[float]:
    """Return the shares recovered at the times that a row tells."""
    times = evidence.times
    arm, clock = int(times.arm[row]), int(times.clock[row])
    course = written.course(arm, int(times.outcome[row]), COMPLETE)
    weeks = (float(times.value[row]), float(times.upper[row]))
    return [float(course.cdf(written.week(arm, w, clock))) for w in weeks]


def test_new_scores_scatter_as_their_errors(new: list[RecoveryEvidence]) -> None:
    """Each mean has the density of its row: normal, or a t law where its error is borrowed."""
    drawn = np.array([e.scores.mean for e in new])
    printed = [r["se"] for r in rows("scores")]

    for row, free in ((0, np.inf), (1, 5), (4, 5), (6, np.inf)):
        center, spread = np.median(drawn[:, row]), printed[row]
        law = stats.t(free) if np.isfinite(free) else stats.norm
        quartiles = np.subtract(*np.quantile(drawn[:, row], [0.75, 0.25]))
        rho = rows("scores")[row]["correlation"]
        scale = spread * np.sqrt(1 - rho**2)
        scale *= np.sqrt(stats.chi2.median(5) / 5) if np.isfinite(free) else 1.0
        assert quartiles == pytest.approx(2 * law.ppf(0.75) * scale, rel=0.2), row
        assert stats.kstest((drawn[:, row] - center) / scale, law.cdf).pvalue > LEAST_P, row


def test_new_counts_are_chained(new: list[RecoveryEvidence]) -> None:
    """Nobody is lost again; shares are those of the courses, complete, partial and in the end."""
    written = Written("weibull", AT)
    events = np.array([e.counts.events for e in new])
    before = np.array([e.counts.previous_events for e in new])

    assert (before[:, 1] == events[:, 0]).all()
    assert (before[:, 2] == events[:, 1]).all()
    assert (np.diff(events[:, :3], axis=1) >= 0).all()
    for row, told in enumerate(rows("counts")):
        week = written.week(told["arm"], told["week"], told["clock"])
        share = 1 - written.left(told["arm"], told["outcome"], told["kind"], week)
        error = np.sqrt(share * (1 - share) / (DRAWN * told["n"]))
        assert events[:, row].mean() / told["n"] == pytest.approx(share, abs=4 * error + 1e-9)


def test_new_tests_are_censored_where_they_were(new: list[RecoveryEvidence]) -> None:
    """An exact z stays exact, without its sign if that was not told; limits are the same."""
    lower, upper = (np.array([getattr(e.tests, n) for e in new]) for n in ("lower", "upper"))

    assert (lower[:, [0, 2]] == upper[:, [0, 2]]).all()
    assert (lower[:, 2] >= 0).all()
    assert lower[:, 0].std() == pytest.approx(1, abs=0.15)
    assert set(map(tuple, np.stack([lower[:, 1], upper[:, 1]], axis=1))) <= {
        (-1.96, 1.96),
        (1.96, np.inf),
    }


def test_parameters_of_the_prior_have_its_scales() -> None:
    """Over 200 draws: effects about 0 with 0.35, half-normal deviations, and rates that scatter."""
    evidence, random = evidence_of_all_kinds(), np.random.default_rng(2)
    drawn = [
        true_values(evidence, PRIORS, draw_parameters(evidence, PRIORS, random)) for _ in range(200)
    ]
    effect = np.array([d["effect"] for d in drawn])

    np.testing.assert_allclose(effect.mean(axis=0), 0, atol=0.12)
    np.testing.assert_allclose(effect[:, 0].std(axis=0), 0.35, rtol=0.2)
    np.testing.assert_allclose(effect[:, 1].std(axis=0), np.hypot(0.35, 0.2), rtol=0.2)
    assert np.corrcoef(effect[:, 3].T)[0, 1] == pytest.approx(0.5, abs=0.2)
    deviates = np.array([d["deviate"][0] for d in drawn])
    np.testing.assert_allclose(deviates.std(axis=0), 1, rtol=0.2)
    assert np.array([d["study_sd"] for d in drawn]).mean() == pytest.approx(
        0.5 * np.sqrt(2 / np.pi), rel=0.15
    )


def test_slopes_of_the_log_density_of_new_data_vanish_on_average(
    new: list[RecoveryEvidence],
) -> None:
    """Bartlett's first identity: they do where data are drawn from the law that judges them."""
    import jax

    from trabecula.synthesis.recovery import density

    prior = assumed(PRIORS, new[0])

    def heights(at: dict[str, Any], data: Any) -> dict[str, Any]:
        found = density.log_likelihood("weibull", at, data, prior)
        return {name: values.sum() for name, values in found.items()}

    with jax.enable_x64(True):
        slope = jax.jit(jax.jacrev(heights))
        slopes = [slope(AT, layout(e, PRIORS).shared) for e in new]
        for name in TABLES:
            table = np.array(
                [np.concatenate([np.ravel(v) for v in s[name].values()]) for s in slopes]
            )
            error = table.std(axis=0) / np.sqrt(DRAWN)
            told = error > 1e-9
            assert (np.abs(table.mean(axis=0)[told] / error[told]) < 4.5).all(), name
