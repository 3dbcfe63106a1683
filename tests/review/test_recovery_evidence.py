"""From records to the evidence of the recovery model: what enters, how, and what does not."""

from __future__ import annotations

from decimal import Decimal
from math import hypot, inf, isnan, log, sqrt
from statistics import stdev
from typing import Any

import numpy as np
import pytest

from tests.effects.make import contrast, study
from tests.review.recovery_topic import (
    RECOVERY,
    alone,
    count,
    lenders,
    read,
    recovery_topic,
    rules,
    score,
    time,
)
from trabecula.effects import EffectTable, derive_estimates
from trabecula.records import Arm, OverallTest, Population, Summary, Topic
from trabecula.review.evidence_base import in_scope
from trabecula.review.model import Scope
from trabecula.review.recovery_evidence import RecoveryInput, recovery_input, recovery_priors
from trabecula.review.recovery_rows.contrasts import names_of
from trabecula.review.recovery_rows.counts import wilson
from trabecula.synthesis.recovery.evidence import CLOCKS, KINDS, STATISTICS

D = Decimal
COMPLETE, PARTIAL, SCORE = (KINDS.index(kind) for kind in ("complete", "partial", "score"))
START, ONSET = range(len(CLOCKS))
Z05 = 1.959964
BEFORE = score(week=D(0), mean=D(8), sd=D(2))
WAITING: dict[str, Any] = {"arm": "waiting"}
ARMS = (
    Arm(id="drug", regimens=("drug",), patients=16),
    Arm(id="waiting", regimens=("waiting",), patients=16),
)


def pair(*rows: Any, **given: Any) -> RecoveryInput:
    """Return the evidence of one study of drug against waiting, beside that of the lenders."""
    return read(study(*rows, **({"arms": ARMS} | given)), *lenders())


def entry(made: RecoveryInput, table: str, study_id: str = "doe-2020") -> dict[str, float]:
    """Return the columns of the only row of a study in a table."""
    (row,) = (r for r in made.rows if r.table == table and r.study == study_id)
    columns = getattr(made.evidence, table)
    return {name: getattr(columns, name)[row.place].item() for name in columns.__slots__}


def entries(made: RecoveryInput, table: str) -> list[dict[str, float]]:
    """Return the columns of every row of a study in a table."""
    columns = getattr(made.evidence, table)
    places = [r.place for r in made.rows if r.table == table and r.study == "doe-2020"]
    return [{name: getattr(columns, name)[p].item() for name in columns.__slots__} for p in places]


# --- scores -------------------------------------------------------------------------------


def test_a_mean_stands_beside_the_one_before() -> None:
    """Both means keep their printed spreads; their correlation is that of the protocol."""
    made = read(alone(BEFORE, score(mean=D(2), sd=D(1))))
    found, (row,) = entry(made, "scores"), made.rows

    assert (found["mean"], found["se"]) == (2, 0.25)
    assert (found["baseline"], found["baseline_se"]) == (8, 0.5)
    assert (found["correlation"], found["se_log_sd"]) == (0.5, 0)
    assert (row.value, row.week, row.n, row.basis) == (0.25, 4, 16, "reported")
    assert row.low == pytest.approx(0.25 - Z05 * sqrt(0.25**2 + 0.125**2 - 0.25 * 0.125) / 8)
    assert {str(r) for r in row.rows} == {"doe-2020:results[0]", "doe-2020:results[1]"}
    assert "25 % of the baseline left at week 4 (2.00 of 8.00 before" in row.text


def test_a_borrowed_sd_says_how_uncertain_it_is() -> None:
    """Its log SD is that of the lenders: 1, 2 and 3 points."""
    made = read(alone(BEFORE, score(mean=D(2))), *lenders())
    found = entry(made, "scores")

    assert found["se"] == pytest.approx(2 / 4)
    assert found["se_log_sd"] == pytest.approx(stdev([log(1), log(2), log(3)]))


def test_a_change_and_its_baseline_err_together() -> None:
    """The share left has the error of the change, and that of the baseline where it divides."""
    made = read(alone(BEFORE, score(change=D(-6), change_sd=D(4))))
    found, (row,) = entry(made, "scores"), made.rows

    assert found["mean"] == 2
    assert found["se"] == pytest.approx(hypot(1, 0.5))
    assert found["correlation"] == pytest.approx(0.5 / hypot(1, 0.5))
    assert row.high is not None
    assert row.high - 0.25 == pytest.approx(Z05 * hypot(1, 6 / 8 * 0.5) / 8)


def test_a_change_without_baseline_takes_that_of_the_protocol() -> None:
    """7 points with the SD between groups that print one; no correlation is known."""
    made = read(
        alone(score(change=D(-6), change_sd=D(4))),
        *lenders()[:2],
        alone(
            score(week=D(0), mean=D(5), sd=D(2)), score(mean=D(4), sd=D(1)), identifier="other-1"
        ),
    )
    found = entry(made, "scores")

    assert (found["mean"], found["baseline"]) == (1, 7)
    assert found["baseline_se"] == pytest.approx(stdev([8, 8, 5]))
    assert made.rows[0].basis == "imputed"


def test_a_percentage_needs_no_baseline() -> None:
    """It is relative to the group's own; the SD follows the square root of what is left."""
    made = read(alone(score(change_percent=D(-75))), *lenders())
    found = entry(made, "scores")

    assert (found["mean"], found["baseline"], found["baseline_se"]) == (0.25, 1, 0)
    assert found["se"] == pytest.approx(2 / 8 / sqrt(0.5) * sqrt(0.25) / 4)
    assert found["se_log_sd"] == pytest.approx(stdev([log(1), log(2), log(3)]))


def test_the_sd_of_a_percentage_is_read_as_one() -> None:
    """Beside a percentage whose baseline is not told an SD can only be that of percentages."""
    made = read(alone(score(change_percent=D(-75), change_sd=D(40))))

    assert entry(made, "scores")["se"] == pytest.approx(0.4 / 4)


def test_the_other_arm_lends_its_baseline() -> None:
    """Chance made the arms alike; its error says nothing of this arm's later mean."""
    after = score(mean=D(2), sd=D(1), **WAITING)
    found = next(e for e in entries(pair(BEFORE, after), "scores") if e["mean"] == 2)

    assert (found["baseline"], found["correlation"]) == (8, 0)


def test_patients_of_arms_not_told_are_shared_out() -> None:
    """32 patients in two arms without numbers are 16 each, and the row says so."""
    arms = tuple(Arm(id=a.id, regimens=a.regimens) for a in ARMS)
    people = Population(conditions=("toe",), patients=32)
    rows = [score(week=D(0), mean=D(8), sd=D(2), n=None), score(mean=D(2), sd=D(1), n=None)]
    made = read(study(*rows, arms=arms, population=people))

    assert entry(made, "scores")["se"] == 0.25
    assert "n of drug not told; 16 taken, an equal share of 32 patients" in made.rows[0].text


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (score(mean=D(2), sd=D(1), week=None), "untimed"),
        (score(p="<0.01"), "before-after-p"),
        (score(mean=D(2), sd=D(1), instrument="vague"), "no-baseline"),
        (score(outcome="walking", instrument="up", mean=D(2), sd=D(1)), "no-true-zero"),
        (score(mean=D(2), sd=D(1), set_aside="wrong patients"), "set-aside"),
    ],
)
def test_scores_that_say_nothing_are_left_out(row: Any, rule: str) -> None:
    """Each has its rule, and the value before treatment serves nothing any more."""
    made = read(alone(BEFORE, row))

    assert rules(made) == {"results[0]": "baseline-only", "results[1]": rule}
    assert not made.rows


def test_of_two_instruments_the_one_told_enters() -> None:
    """The same patients on two scales count once, on that of the protocol."""
    twice = (
        BEFORE.model_copy(update={"instrument": "vague"}),
        score(mean=D(1), sd=D(1), instrument="vague"),
    )
    made = read(alone(*twice, BEFORE, score(mean=D(2), sd=D(1))))

    assert entry(made, "scores")["mean"] == 2
    assert rules(made) == {"results[0]": "baseline-only", "results[1]": "better-row"}


def test_a_whole_arm_is_used_before_its_subgroups() -> None:
    """A subgroup of the same patients is left out."""
    part = {"subgroup": "left", "n": 8}
    made = read(alone(BEFORE, score(mean=D(2), sd=D(1)), score(mean=D(3), sd=D(1), **part)))

    assert entry(made, "scores")["mean"] == 2
    assert rules(made) == {"results[2]": "better-row"}


def test_arms_of_a_crossover_study_are_no_groups() -> None:
    """Each patient is in every arm, so that only the comparison is left."""
    made = pair(
        BEFORE,
        score(mean=D(2), sd=D(1)),
        contrasts=(contrast(difference=D(-2), ci=(D(-4), D(0))),),
        crossover=True,
    )

    assert rules(made) == {"results[0]": "crossover", "results[1]": "crossover"}
    assert entry(made, "tests")["week"] == 4


# --- counts -------------------------------------------------------------------------------


def test_nobody_is_counted_twice() -> None:
    """A later count starts from the one before, a lesser recovery from complete recovery."""
    made = read(
        alone(count(12, week=D(13)), count(14, week=D(13), outcome="better"), count(5, week=D(4)))
    )
    found = {(e["week"], e["kind"]): e for e in entries(made, "counts")}
    keys = ("events", "previous_kind", "previous_week", "previous_events")

    assert [found[4, COMPLETE][k] for k in keys] == [5, COMPLETE, 0, 0]
    assert [found[13, COMPLETE][k] for k in keys] == [12, COMPLETE, 4, 5]
    assert [found[13, PARTIAL][k] for k in keys] == [14, COMPLETE, 13, 12]


def test_complete_recovery_never_starts_from_a_lesser_one() -> None:
    """Who of the better will be well is not told."""
    made = read(alone(count(10, outcome="better"), count(9, week=D(13))))
    found = {e["week"]: e for e in entries(made, "counts")}

    assert found[13]["previous_events"] == 0


def test_counts_that_add_nothing_or_fall_are_left_out() -> None:
    """After all have recovered nothing is to be seen; a relapse is not in the model."""
    all_well = read(alone(count(16), count(16, week=D(13))))
    fewer = read(alone(count(12), count(10, week=D(13))))

    assert rules(all_well) == {"results[1]": "all-recovered-before"}
    assert rules(fewer) == {"results[1]": "falling-count"}


def test_counts_of_fewer_patients_are_among_those_of_more() -> None:
    """Two counts with different numbers of patients cannot be chained: the larger stays."""
    made = read(alone(count(10), count(5, n=8, week=D(13))))

    assert rules(made) == {"results[1]": "other-n"}


def test_a_clock_that_is_told_is_used_before_one_that_is_not() -> None:
    """The same patients on two clocks cannot be chained."""
    made = read(alone(count(10, clock="not-stated"), count(5, week=D(13), clock="diagnosis")))

    assert rules(made) == {"results[0]": "other-clock"}
    assert entry(made, "counts")["clock"] == START


@pytest.mark.parametrize(
    ("clock", "place"),
    [("treatment", START), ("diagnosis", START), ("onset", ONSET), ("not-stated", START)],
)
def test_clocks_of_records_are_those_of_the_model(clock: Any, place: int) -> None:
    """The diagnosis is taken as the start, and so is what is not told of a treated arm."""
    assert entry(read(alone(count(10, clock=clock))), "counts")["clock"] == place


def test_a_percentage_that_was_cut_off_gives_the_nearest_count() -> None:
    """28 % of 21 fits no whole number; 6 (28.6 %) is nearest, and more than a point off is none."""
    arms = (Arm(id="drug", regimens=("drug",), patients=21),)
    near = read(study(count(percent=D(28), n=21), arms=arms))
    far = read(study(count(percent=D(31), n=21), arms=arms))

    assert entry(near, "counts")["events"] == 6
    assert near.rows[0].basis == "imputed"
    assert rules(far) == {"results[0]": "percent-fits-no-count"}


def test_lesions_are_worth_fewer_patients() -> None:
    """24 lesions in 16 patients, correlation 0.5: a design effect of 1.25."""
    arms = (Arm(id="drug", regimens=("drug",), patients=16, lesions=24),)
    made = read(study(count(12, n=24, unit="lesions"), arms=arms))

    assert entry(made, "counts")["design_effect"] == 1.25


def test_a_count_without_a_week_is_taken_at_follow_up_or_in_the_end() -> None:
    """Where follow-up is told it gives the week; else recovery may have come whenever."""
    people = Population(conditions=("toe",), patients=16, follow_up_weeks=Summary(median=D(52)))
    at_follow_up = read(alone(count(12, week=None), population=people))
    in_the_end = read(alone(count(12, week=None)))
    lesser = read(alone(count(12, week=None, outcome="better")))

    assert entry(at_follow_up, "counts")["week"] == 52
    assert entry(in_the_end, "counts")["week"] == inf
    assert in_the_end.rows[0].week is None
    assert rules(lesser) == {"results[0]": "untimed"}


def test_where_times_are_told_a_count_says_only_that_all_recovered() -> None:
    """All well at week 9, the slowest after 9 weeks, is the same news once more."""
    times = time(mean=D(6), range=(D(2), D(9)))
    told = read(alone(times, count(16, week=D(9))))
    some = read(alone(times, count(12, week=D(9))))
    sooner = read(alone(times, count(16, week=D(8))))

    assert entry(told, "counts")["week"] == inf
    assert "(when, the times of these patients say)" in told.rows[0].text
    assert entry(some, "counts")["week"] == 9
    assert entry(sooner, "counts")["week"] == 8


def test_limits_of_a_share_are_wilsons() -> None:
    """81 of 263: 0.2553 to 0.3662 (Newcombe 1998, Stat Med 17:857, table I, method 3)."""
    assert wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


# --- times --------------------------------------------------------------------------------


def test_a_mean_time_is_shown_with_the_error_that_its_range_tells() -> None:
    """Wan 2014: range / (2 * 1.766) for 16 patients, over the root of 16."""
    made = read(alone(time(mean=D(6), range=(D(2), D(9)))))
    found = entry(made, "times")

    assert STATISTICS[int(found["statistic"])] == "mean"
    assert (found["value"], found["n"]) == (6, 16)
    row = next(row for row in made.rows if row.kind == "time")
    assert row.high == pytest.approx(6 + 1.96 * 7 / (2 * 1.7688) / 4, rel=2e-3)


def test_a_mean_without_spread_and_a_median_are_known_by_n() -> None:
    """The model's own spread says how far they may be off."""
    mean = entry(read(alone(time(mean=D(6)))), "times")
    median = entry(read(alone(time(median=D(6), iqr=(D(4), D(9))))), "times")

    assert STATISTICS[int(mean["statistic"])] == "mean"
    assert STATISTICS[int(median["statistic"])] == "median"
    assert median["value"] == 6


def test_a_range_is_the_shortest_and_the_longest_time() -> None:
    """A range alone keeps its own likelihood; one of a single patient is none."""
    found = entry(read(alone(time(range=(D(2), D(9)), clock="onset"))), "times")
    single = read(alone(time(range=(D(2), D(9)), n=1)))

    assert STATISTICS[int(found["statistic"])] == "range"
    assert (found["value"], found["upper"], found["clock"]) == (2, 9, ONSET)
    assert rules(single) == {"results[0]": "no-mean"}


def test_a_time_of_unknown_many_is_left_out() -> None:
    """Neither row, arm nor study says how many patients."""
    arms = (Arm(id="drug", regimens=("drug",)),)
    made = read(study(time(mean=D(6), n=None), arms=arms))

    assert rules(made) == {"results[0]": "no-n"}


# --- tests --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "limits", "either"),
    [
        ({"p": "0.05", "favours": "drug"}, (Z05, Z05), False),
        ({"p": "0.05"}, (Z05, Z05), True),
        ({"p": "<0.05", "favours": "drug"}, (Z05, inf), False),
        ({"p": "<0.05"}, (Z05, inf), True),
        ({"p": "significant", "favours": "drug"}, (Z05, inf), False),
        ({"p": "ns"}, (-Z05, Z05), False),
        ({"p": "ns", "favours": "drug"}, (0, Z05), False),
        ({"p": ">0.05"}, (-Z05, Z05), False),
        ({"favours": "drug"}, (0, inf), False),
    ],
)
def test_words_bound_the_statistic(given: Any, limits: Any, either: bool) -> None:
    """A p and a direction say within what limits z lies, and whether its sign is told."""
    made = pair(contrasts=(contrast(**given),))
    found = entry(made, "tests")

    assert (found["lower"], found["upper"]) == pytest.approx(limits, abs=1e-5)
    assert found["either_sign"] == either
    assert found["kind"] == SCORE
    assert made.arms[int(found["first"])] == ("doe-2020", "drug")


def test_the_better_arm_comes_first() -> None:
    """The statistic is positive where the first arm does better, also if that is the control."""
    found = entry(made := pair(contrasts=(contrast(p="<0.05", favours="waiting"),)), "tests")

    assert made.arms[int(found["first"])] == ("doe-2020", "waiting")
    assert found["lower"] > 0


def test_a_difference_with_its_interval_is_known_exactly() -> None:
    """3 points less pain, SE 1, of a baseline of 7: z 3, and 7 for a whole baseline."""
    se = D("2.0423")  # t with 30 df
    found = entry(
        pair(contrasts=(contrast(difference=D(-3), ci=(D(-3) - se, D(-3) + se)),)), "tests"
    )

    assert found["lower"] == found["upper"] == pytest.approx(3, abs=1e-3)
    assert found["per_unit"] == pytest.approx(7, abs=1e-3)


def test_a_test_without_difference_borrows_the_sd_of_scores() -> None:
    """Half of the baseline is taken to be left, where the lenders' SD is 2 of 8 points."""
    found = entry(pair(contrasts=(contrast(p="ns"),)), "tests")

    assert found["per_unit"] == pytest.approx(1 / (0.25 * sqrt(2 / 16)))


def test_a_test_of_counts_rests_on_the_patients() -> None:
    """Its scale follows from the numbers of both arms."""
    healed = contrast(outcome="healed", instrument=None, p="0.04", favours="drug")
    found = entry(pair(contrasts=(healed,)), "tests")

    assert (found["kind"], found["n_first"], found["n_second"]) == (COMPLETE, 16, 16)
    assert isnan(found["per_unit"])


def test_figures_that_cannot_enter_tell_the_direction() -> None:
    """39 against 18 % of unknown many with p 0.044: which was better is seen."""
    arms = tuple(Arm(id=a.id, regimens=a.regimens) for a in ARMS)
    rows = (count(percent=D(18), n=None), count(percent=D(39), n=None, **WAITING))
    healed = contrast(outcome="healed", instrument=None, p="0.044")
    people = Population(conditions=("toe",), patients=59)
    made = read(study(*rows, contrasts=(healed,), arms=arms, population=people))
    found = entry(made, "tests")

    assert made.arms[int(found["first"])] == ("doe-2020", "waiting")
    assert not found["either_sign"]
    assert found["n_first"] == 29.5
    assert len(made.rows[0].rows) == 3
    assert rules(made) == {}


def test_what_both_arms_tell_is_not_told_again() -> None:
    """The contrast of two arms whose figures enter at that week adds nothing."""
    made = pair(
        count(12),
        count(5, **WAITING),
        contrasts=(contrast(outcome="healed", instrument=None, p="0.03"),),
    )

    assert rules(made) == {"contrasts[0]": "told-by-arms"}


def test_borrowed_sds_give_way_to_what_is_said_of_the_difference() -> None:
    """Arms that differ by many borrowed SEs and are not significant have larger ones."""
    rows = [
        BEFORE,
        score(mean=D(2)),
        score(week=D(0), mean=D(8), sd=D(2), **WAITING),
        score(mean=D(6), **WAITING),
    ]
    plain = entries(pair(*rows), "scores")
    made = pair(*rows, contrasts=(contrast(p="ns"),))
    found = entries(made, "scores")
    z = 4 / hypot(*(e["se"] for e in found))

    assert 4 / hypot(*(e["se"] for e in plain)) > 5
    assert z == pytest.approx(Z05, abs=1e-5)
    assert all("contrasts" in {r.section for r in row.rows} for row in made.rows[:2])
    assert rules(made) == {}


def test_of_several_weeks_the_one_nearest_to_the_protocols_enters() -> None:
    """Whatever was found: here the test at week 12 that found nothing."""
    weeks = [(D(4), "<0.001"), (D(12), "ns"), (D(26), "<0.01")]
    made = pair(contrasts=tuple(contrast(week=w, p=p, favours="drug") for w, p in weeks))

    assert entry(made, "tests")["week"] == 12
    assert rules(made) == {"contrasts[0]": "same-patients", "contrasts[2]": "same-patients"}


def test_a_test_without_a_week_is_taken_before_all_have_recovered() -> None:
    """At the protocol's week, or at the end of a shorter follow-up; without either not at all."""
    test = contrast(week=None, p="ns")
    long = Population(conditions=("toe",), follow_up_weeks=Summary(mean=D(52)))
    short = Population(conditions=("toe",), follow_up_weeks=Summary(range=(D(4), D(9))))

    assert entry(pair(contrasts=(test,), population=long), "tests")["week"] == 13
    assert entry(pair(contrasts=(test,), population=short), "tests")["week"] == 6
    assert rules(pair(contrasts=(test,))) == {"contrasts[0]": "untimed"}


def test_a_third_pair_of_arms_follows_from_the_other_two() -> None:
    """Of three arms compared with each other the comparisons with the control enter."""
    arms = (*ARMS, Arm(id="rival", regimens=("rival",), patients=16))
    made = pair(
        arms=arms,
        contrasts=(
            contrast(arms=("drug", "rival"), p="ns"),
            contrast(p="ns"),
            contrast(arms=("rival", "waiting"), p="ns"),
        ),
    )

    assert rules(made) == {"contrasts[0]": "same-patients"}


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"arms": ("other", "waiting"), "p": "ns"}, "same-treatment"),
        ({"outcome": "weeks-to-heal", "instrument": None, "p": "ns"}, "test-of-times"),
        ({"p": "0"}, "no-statistic"),
    ],
)
def test_contrasts_that_say_nothing_are_left_out(given: Any, rule: str) -> None:
    """Arms alike in treatment, tests of times, and p of 0."""
    arms = (*ARMS, Arm(id="other", regimens=("placebo",), patients=16))

    assert rules(pair(arms=arms, contrasts=(contrast(**given),))) == {"contrasts[0]": rule}


def test_a_contrast_of_rows_set_aside_is_set_aside_with_them() -> None:
    """What was wrong with the rows is wrong with their comparison."""
    rows = [score(mean=D(2), set_aside="the other toe", arm=arm) for arm in ("drug", "waiting")]
    made = pair(*rows, contrasts=(contrast(p="0.01"),))

    assert set(rules(made).values()) == {"set-aside"}


def test_a_test_of_three_arms_tells_of_no_pair() -> None:
    """It is listed with the reason."""
    test = OverallTest(outcome="pain", arms=("a", "b", "c"), p="0.01", location="table 3")

    assert rules(pair(overall_tests=(test,))) == {"overall_tests[0]": "overall-test"}


# --- studies and arms ---------------------------------------------------------------------


def test_effects_are_active_regimens_and_know_their_class() -> None:
    """Controls have none, a class stands for any member, a combination adds up."""
    arms = (
        Arm(id="drug", regimens=("drug", "knife", "waiting"), patients=16),
        Arm(id="waiting", regimens=("class",), patients=16),
    )
    one = study(count(12), count(5, **WAITING), arms=arms)
    made, more = read(one).evidence, read(one, interactions=True).evidence

    assert made.effects == ("class", "drug", "knife")
    assert made.effect_class == ("class", "class", None)
    assert made.design.tolist() == [[0, 1, 1], [1, 0, 0]]
    assert more.effects == ("class", "drug", "drug+knife", "knife")
    assert more.design.tolist() == [[0, 1, 1, 1], [1, 0, 0, 0]]


@pytest.mark.parametrize(
    ("given", "uncontrolled", "unblinded"),
    [
        ({"arms": ARMS[:1]}, [1], [0]),
        ({}, [0, 0], [1, 0]),
        ({"blinding": "double-blind"}, [0, 0], [0, 0]),
        ({"blinding": "single-blind"}, [0, 0], [0.5, 0]),
        ({"control": "placebo"}, [0, 0], [0.5, 0]),
        ({"control": "placebo", "blinding": "open"}, [0, 0], [1, 0]),
    ],
)
def test_optimism_touches_treated_arms_by_design(
    given: Any, uncontrolled: list[float], unblinded: list[float]
) -> None:
    """Groups without comparison, else open or partly blind comparisons; controls never."""
    rows = [count(12)] if "arms" in given else [count(12), count(5, **WAITING)]
    made = read(study(*rows, **({"arms": ARMS} | given))).evidence

    assert made.uncontrolled.tolist() == uncontrolled
    assert made.unblinded.tolist() == unblinded


@pytest.mark.parametrize(
    ("told", "weeks"),
    [
        (Summary(mean=D(4), range=(D(1), D(30))), 4),
        (Summary(median=D(5)), 5),
        (Summary(range=(D(4), D(9))), 6),
        (Summary(range=(D(0), D(9))), None),
        (None, None),
    ],
)
def test_delays_are_means_medians_or_the_middle_of_a_range(
    told: Summary | None, weeks: float | None
) -> None:
    """A range is taken at its geometric middle, as delays are skewed."""
    people = Population(conditions=("toe",), patients=16, symptom_weeks=told)
    (delay,) = read(alone(count(12), population=people)).evidence.delay

    assert (None if isnan(delay) else delay) == weeks


def test_moderators_are_strata_sites_and_pregnancy() -> None:
    """Two sites are half of each, several at once none; the first stratum is the reference."""
    one = Population(conditions=("toe",), sites=("toe", "heel"), patients=16, pregnant=4)
    two = Population(conditions=("gout",), sites=("toe", "many"), patients=16)
    made = read(
        alone(count(12), population=one), alone(count(12), population=two, identifier="roe-2021")
    ).evidence

    assert made.moderator_names == ("stratum:far", "site:toe", "site:heel", "pregnant")
    assert made.moderators.tolist() == [[0, 0.5, 0.5, 0.25], [1, 0.5, 0, 0]]


def test_of_a_cohort_the_largest_study_of_the_most_direct_stratum_enters() -> None:
    """Evidence of the primary scope stays in the wider one."""
    far = Population(conditions=("gout",), patients=90)
    studies = (
        alone(count(12), cohort="c"),
        alone(count(8, n=12), cohort="c", identifier="roe-2021"),
        alone(count(8), cohort="c", identifier="poe-2022", population=far),
    )
    made = read(*studies)

    assert made.evidence.studies == ("doe-2020",)
    assert rules(made, "roe-2021") == rules(made, "poe-2022") == {"results[0]": "shared-cohort"}


def test_the_primary_scope_leaves_other_strata_out() -> None:
    """They are no omissions of it either."""
    far = Population(conditions=("gout",), patients=16)
    made = read(
        alone(count(12)), alone(count(8), identifier="roe-2021", population=far), scope="primary"
    )

    assert made.evidence.studies == ("doe-2020",)
    assert made.omissions == ()


def test_a_topic_without_recovery_has_no_evidence() -> None:
    """The error says what is missing."""
    topic = recovery_topic()
    protocol = topic.file.protocol.model_copy(update={"recovery": None})
    bare = recovery_topic()
    object.__setattr__(bare, "file", topic.file.model_copy(update={"protocol": protocol}))

    with pytest.raises(ValueError, match="no section recovery"):
        recovery_input(bare, EffectTable((), ()), "primary")


def test_priors_are_those_of_the_protocol() -> None:
    """Every number arrives under its name."""
    made = recovery_priors(recovery_topic(), "primary")

    assert made.median_weeks == (18,)
    assert (made.effect_sd, made.never_recover, made.delay_weeks) == (0.5, 0.5, 0.5)
    assert RECOVERY.priors.effect_sd.value == D("0.5")


# --- the real topic -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def effects(topic: Topic) -> EffectTable:
    """Return the estimates of the real topic."""
    return derive_estimates(topic)


def asked(topic: Topic, scope: Scope) -> set[str]:
    """Return every row of an outcome that shows recovery, of the studies in scope."""
    recovery = topic.file.protocol.recovery
    assert recovery is not None
    names = {name for outcome in recovery.outcomes for name in names_of(outcome)}
    return {
        f"{s.id}:{section}[{index}]"
        for s in topic.studies.values()
        if in_scope(topic, s, scope)
        for section in ("results", "contrasts", "overall_tests")
        for index, row in enumerate(getattr(s, section))
        if row.outcome in names
    }


@pytest.mark.parametrize("scope", ["primary", "all"])
def test_every_row_of_the_topic_enters_or_says_why_not(
    topic: Topic, effects: EffectTable, scope: Scope
) -> None:
    """No row is lost, and none both enters and is left out."""
    made = recovery_input(topic, effects, scope)
    used = {str(ref) for row in made.rows for ref in row.rows}
    left = {str(omission.row) for omission in made.omissions}

    assert used | left == asked(topic, scope)
    assert used & left == set()
    assert all(o.text and o.rule for o in made.omissions)


@pytest.mark.parametrize("scope", ["primary", "all"])
def test_rows_point_to_their_entries(topic: Topic, effects: EffectTable, scope: Scope) -> None:
    """Table and place of a row lead to the study, arms and outcome it names."""
    made = recovery_input(topic, effects, scope)
    for row in made.rows:
        table = getattr(made.evidence, row.table)
        columns = ("first", "second") if row.table == "tests" else ("arm",)
        arms = [made.arms[getattr(table, column)[row.place]] for column in columns]

        assert arms == [(row.study, arm) for arm in row.arms]
        assert made.evidence.outcomes[table.outcome[row.place]] == row.outcome
    sizes = [len(getattr(made.evidence, t).outcome) for t in ("scores", "counts", "times", "tests")]
    assert sum(sizes) == len(made.rows)


def test_the_wider_scope_holds_all_of_the_primary_one(topic: Topic, effects: EffectTable) -> None:
    """Widening the evidence only adds to it."""
    narrow, wide = (recovery_input(topic, effects, scope) for scope in ("primary", "all"))
    of_narrow = {row.rows[0] for row in narrow.rows}

    assert of_narrow < {row.rows[0] for row in wide.rows}
    assert narrow.evidence.moderator_names[-1] == "pregnant"
    assert not any(name.startswith("stratum") for name in narrow.evidence.moderator_names)


def test_only_arms_that_enter_are_there(topic: Topic, effects: EffectTable) -> None:
    """Each arm has a row, and each study an arm."""
    made = recovery_input(topic, effects, "all")

    assert {arm for row in made.rows for arm in row.arms} == {arm for _, arm in made.arms}
    assert set(np.unique(made.evidence.arm_study)) == set(range(len(made.evidence.studies)))


def test_hyperbaric_oxygen_keeps_its_randomised_comparison(
    topic: Topic, effects: EffectTable
) -> None:
    """11 of 20 against 28 % of 21, which is 6 and was cut off."""
    made = recovery_input(topic, effects, "primary")
    rows = [row for row in made.rows if row.study == "capone-2011"]

    assert [row.text.split(" by week")[0] for row in rows] == [
        "Edema on MRI, MRI back to normal: 11 of 20 patients",
        "Edema on MRI, MRI back to normal: 6 of 21 patients",
    ]


def test_what_is_said_of_shock_waves_in_words_enters(topic: Topic, effects: EffectTable) -> None:
    """Two of three comparative studies print no figure of pain or size, only p."""
    made = recovery_input(topic, effects, "primary")
    tests = {row.study: row.text for row in made.rows if row.table == "tests"}

    assert "eswt against prostacyclin-bisphosphonate: p < 0.05" in tests["gao-2015"]
    assert "eswt against conservative: called significant" in tests["vitali-2018"]
