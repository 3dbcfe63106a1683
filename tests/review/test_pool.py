"""Pooled results are those of the synthesis library, on the scale that is shown."""

from __future__ import annotations

import math

import pytest

from tests.review.make import estimate
from trabecula.effects.estimate import Estimate
from trabecula.review.pool import contribution, effective_counts, pool, small_study_effects

# BCG trials 1 to 13 (Colditz et al. 1994), log risk ratios and variances as in metafor's
# dat.bcg; REML and Knapp-Hartung as printed by rma(method="REML", test="knha"), metafor 5.1.0.
BCG = [
    (-0.8893113339202054, 0.32558476500396133),
    (-1.5853886572014306, 0.19458112139814385),
    (-1.3480731482996933, 0.4153679653679654),
    (-1.4415511900213054, 0.020010031902247573),
    (-0.21754732221129558, 0.05121017216963086),
    (-0.786115585818864, 0.0069056184559087574),
    (-1.6208982235983918, 0.22301724757231517),
    (0.011952333523840508, 0.0039615792978177295),
    (-0.4694176487381494, 0.056434210463248966),
    (-1.3713448034727844, 0.07302479361302891),
    (-0.3393588283383906, 0.01241221397155972),
    (0.44591340057137874, 0.5325058452001528),
    (-0.017313948216879815, 0.0714046596839863),
]


def ratios() -> list[Estimate]:
    """Return the BCG trials as estimates."""
    return [
        estimate(f"bcg-{i}", measure="RR", value=y, se=math.sqrt(v), comparator_arm="control")
        for i, (y, v) in enumerate(BCG)
    ]


def share(events: int, n: int, study: str = "a", effective_n: float | None = None) -> Estimate:
    """Return a proportion."""
    return estimate(
        study, measure="PR", value=events / n, events=events, n=n, effective_n=effective_n
    )


def test_ratios_are_pooled_as_logarithms_and_shown_as_ratios() -> None:
    """The BCG trials give 0.489 with I² 92.2 % (metafor: exp(-0.7145), REML)."""
    pooled, weights, why_not = pool("RR", ratios())

    assert why_not is None
    assert pooled is not None
    assert pooled.value == pytest.approx(math.exp(-0.7145323406), rel=1e-6)
    assert pooled.tau2 == pytest.approx(0.3132433, rel=1e-5)
    assert pooled.i2 == pytest.approx(92.22139, rel=1e-5)
    assert pooled.low < pooled.value < pooled.high < 1
    assert sum(w for w in weights if w is not None) == pytest.approx(100)


@pytest.mark.parametrize("k", [1, 2])
def test_fewer_than_three_studies_are_not_pooled(k: int) -> None:
    """One study has nothing to be pooled with, two cannot tell how much studies differ."""
    pooled, weights, why_not = pool("RR", ratios()[:k])

    assert pooled is None
    assert weights == (None,) * k
    assert why_not is not None
    assert ("one", "two")[k - 1] in why_not


def test_times_have_no_negative_limit() -> None:
    """Mean weeks are pooled as logarithms, so every limit is a possible time."""
    times = [
        estimate(f"s{i}", measure="MN", value=v, se=se)
        for i, (v, se) in enumerate([(4.0, 1.0), (30.0, 9.0), (60.0, 4.0)])
    ]
    pooled, _, _ = pool("MN", times)

    assert pooled is not None
    assert 0 < pooled.low < pooled.value < pooled.high
    single = contribution(estimate(measure="MN", value=10.0, se=1.0, n=None), None)
    assert single.high == pytest.approx(10.0 * math.exp(1.959964 * 0.1), rel=1e-6)
    assert contribution(times[1], None).low > 0


def test_proportions_without_any_event_have_the_exact_interval_of_all_patients() -> None:
    """0 of 60 in three studies: the upper limit is that of Clopper and Pearson, 5.96 %."""
    pooled, weights, _ = pool("PR", [share(0, 10, "a"), share(0, 20, "b"), share(0, 30, "c")])

    assert pooled is not None
    assert pooled.value == 0.0
    assert pooled.high == pytest.approx(1 - 0.025 ** (1 / 60), rel=1e-9)
    assert pooled.pi_low is None
    assert weights == pytest.approx((100 / 6, 200 / 6, 50.0))


def test_studies_that_contradict_each_other_are_not_pooled() -> None:
    """Where some studies have all events and the rest none there is no estimate."""
    pooled, _, why_not = pool("PR", [share(0, 9, "a"), share(9, 9, "b"), share(5, 5, "c")])

    assert pooled is None
    assert why_not is not None
    assert "contradict" in why_not


def test_shares_that_differ_too_widely_are_not_pooled() -> None:
    """0 of 7, 27 of 31 and 0 of 14 have no common share; their likelihood is next to flat."""
    pooled, _, why_not = pool("PR", [share(0, 7, "a"), share(27, 31, "b"), share(0, 14, "c")])

    assert pooled is None
    assert why_not is not None
    assert "too widely" in why_not


def test_the_mean_of_a_few_patients_has_a_t_interval() -> None:
    """Five patients leave four degrees of freedom: 2.776 standard errors, not 1.96."""
    few = contribution(estimate(value=-3.0, se=0.5, n=5), None)
    pair = contribution(
        estimate(value=-3.0, se=0.5, n=12, measure="MD", comparator_arm="control"), None
    )

    assert few.high == pytest.approx(-3.0 + 2.7764451 * 0.5, abs=1e-6)
    assert pair.high == pytest.approx(-3.0 + 2.2281389 * 0.5, abs=1e-6)


def test_a_difference_of_proportions_is_shown_in_percentage_points() -> None:
    """0.25 is 25 percentage points."""
    assert contribution(estimate(measure="RD", value=0.25, se=0.1), None).value == 25.0


def test_lesions_count_for_their_effective_number() -> None:
    """Ten lesions worth eight keep their proportion and lose weight."""
    assert effective_counts(share(5, 10, effective_n=8.0)) == (4.0, 8.0)


def test_a_single_proportion_has_the_exact_interval() -> None:
    """22 of 23: 78.1 to 99.9 % (Clopper and Pearson)."""
    shown = contribution(share(22, 23), None)

    assert (shown.low, shown.high) == pytest.approx((0.7805, 0.9989), abs=5e-5)


def test_small_study_effects_are_tested_from_ten_studies_on() -> None:
    """Below ten the reason is given; asymmetry is never called publication bias."""
    values = [0.1 * i for i in range(12)]
    errors = [0.1 + 0.05 * i for i in range(12)]
    few, many = small_study_effects(values[:9], errors[:9]), small_study_effects(values, errors)

    assert few.startswith("Not tested: 9 studies, 10 are needed")
    assert many.startswith("Regression test for funnel plot asymmetry")
    assert "not publication bias" in many
    assert "equally precise" in small_study_effects(values, [0.3] * 12)
