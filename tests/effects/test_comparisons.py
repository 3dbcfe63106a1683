"""One arm against another: which arms, which way round, and which numbers."""

from __future__ import annotations

from math import log, sqrt
from typing import Any

import pytest

from tests.effects.make import (
    ARMS,
    D,
    contrast,
    derived,
    estimates,
    lenders,
    only,
    reasons,
    ref,
    row,
    rules,
    study,
)
from trabecula.effects import measures
from trabecula.effects.recover import critical_value, se_from_p
from trabecula.records import Arm, Population


def both(**given: Any) -> tuple[Any, Any]:
    """Return the same row for drug (first of each pair) and waiting (second)."""
    values = [{k: v[i] for k, v in given.items()} for i in (0, 1)]
    return row(**values[0]), row(arm="waiting", **values[1])


def test_values_at_one_time() -> None:
    """MD and SMD of two arms are those of the measures on their printed figures."""
    table = derived(study(*both(mean=(D(4), D(6)), sd=(D(2), D(3)), n=(16, 20))))
    md, smd = only(table, "MD"), only(table, "SMD")

    assert (md.value, md.se) == (-2.0, pytest.approx(sqrt(4 / 16 + 9 / 20)))
    expected = measures.standardised_mean_difference(4, 2, 16, 6, 3, 20)
    assert smd.value == pytest.approx(float(expected.value))
    assert md.n == 36
    assert (md.arm, md.comparator_arm, md.comparator) == ("drug", "waiting", ("waiting",))
    assert md.basis == "reported"
    assert "values at that time" in md.steps[-1].text


def test_standardised_variance_is_the_large_sample_one() -> None:
    """With equal SDs the variance is metafor's LS, since both arms' SEs share one SD."""
    smd = only(derived(study(*both(mean=(D(4), D(6)), sd=(D(2), D(2)), n=(16, 20)))), "SMD")
    expected = measures.standardised_mean_difference(4, 2, 16, 6, 2, 20)

    assert smd.se == pytest.approx(float(expected.se))


def test_changes_go_before_values() -> None:
    """Changes known as well as the values are compared, in SDs of the values."""
    before = both(mean=(D(7), D(8)), sd=(D(2), D(2)), week=(D(0), D(0)))
    after = both(mean=(D(4), D(6)), sd=(D(2), D(2)), change_sd=(D(2), D(2)))
    table = derived(study(*before, *after))
    md, smd = only(table, "MD"), only(table, "SMD")

    assert md.value == pytest.approx(-1.0)
    assert md.se == pytest.approx(sqrt(2 * 4 / 16))
    assert smd.value == pytest.approx(-0.5 * float(measures.small_sample_correction(30)))
    assert set(md.rows) == {ref(0), ref(1), ref(2), ref(3)}
    assert md.basis == "reported"
    assert "changes-compared" in rules(md)
    assert "changes-compared" in rules(smd)
    assert "of the changes" in md.steps[-1].text


def test_values_go_before_changes_that_need_more() -> None:
    """A change whose SD needs an assumed correlation in one arm is no better than the values."""
    before = both(mean=(D(7), D(8)), sd=(D(2), D(2)), week=(D(0), D(0)))
    after = both(mean=(D(4), D(6)), sd=(D(2), D(2)), change_sd=(D(2), None))
    md = only(derived(study(*before, *after)), "MD")

    assert md.value == -2.0
    assert set(md.rows) == {ref(2), ref(3)}
    assert md.basis == "reported"
    assert "values-compared" in rules(md)


def test_aigner_2005() -> None:
    """Of two arms with ranges the values at three months are compared: 95.1 against 97.0."""
    before = both(
        mean=(D("53.7"), D("64.7")),
        range=((D(31), D(82)), (D(44), D(89))),
        week=(D(0),) * 2,
        n=(20, None),
        instrument=("up", "up"),
    )
    after = both(
        mean=(D("95.1"), D("97.0")),
        range=((D(39), D(100)), (D(83), D(100))),
        n=(20, None),
        instrument=("up", "up"),
    )
    arms = (ARMS[0].model_copy(update={"patients": 20}), ARMS[1])
    md = only(derived(study(*before, *after, arms=arms)), "MD")

    assert md.value == pytest.approx(-1.9)


def test_changes_alone() -> None:
    """Printed changes give MD, and an SMD in SDs of the change, which says so."""
    table = derived(study(*both(change=(D(-3), D(-1)), change_sd=(D(2), D(2)))))

    assert only(table, "MD").value == -2.0
    assert "of the changes, drug minus waiting, in pooled SDs (2.00) of the changes" in (
        only(table, "SMD").steps[-1].text
    )


def test_a_standardised_difference_has_the_sign_of_the_outcome() -> None:
    """Better walking on a scale where lower is better is a positive SMD."""
    rows = both(
        outcome=("walking", "walking"), mean=(D(4), D(6)), sd=(D(2), D(2)), instrument=("ten",) * 2
    )
    table = derived(study(*rows))

    assert only(table, "MD").value == -2.0
    assert only(table, "SMD").value > 0
    assert "sign turned" in only(table, "SMD").steps[-1].text


def test_counts() -> None:
    """RR, OR and RD of 12/16 against 4/16."""
    table = derived(study(*both(outcome=("healed",) * 2, events=(12, 4))))

    assert only(table, "RR").value == pytest.approx(log(3))
    assert only(table, "OR").value == pytest.approx(log(9))
    assert only(table, "RD").value == 0.5
    assert only(table, "RR").se == pytest.approx(sqrt(1 / 12 + 1 / 4 - 2 / 16))


def test_an_empty_cell_is_corrected_and_said() -> None:
    """0/16 against 4/16: one half on each cell of the ratio; the risk difference stays."""
    table = derived(study(*both(outcome=("healed",) * 2, events=(0, 4))))

    assert only(table, "RR").value == pytest.approx(log((0.5 / 17) / (4.5 / 17)))
    assert "0.5 added to each cell, as one is empty" in only(table, "RR").steps[-1].text
    assert only(table, "RD").value == -0.25
    assert "for the SE" in only(table, "RD").steps[-1].text


@pytest.mark.parametrize(
    ("events", "left"), [((0, 0), ["RD"]), ((16, 16), ["RR", "RD"]), ((1, 0), ["RR", "OR", "RD"])]
)
def test_ratios_that_counts_say_nothing_about(events: tuple[int, int], left: list[str]) -> None:
    """No event at all leaves the risk difference; events in all leave no odds ratio."""
    table = derived(study(*both(outcome=("healed",) * 2, events=events)))
    assert [e.measure for e in table.estimates if e.comparator] == left


def test_lesions_enter_comparisons_as_what_they_are_worth() -> None:
    """24 lesions of 16 patients count as 19.2 in the standard error of the risk difference."""
    rows = both(outcome=("healed",) * 2, events=(12, 8), n=(24, 16), unit=("lesions",) * 2)
    rd = only(derived(study(*rows)), "RD")

    assert rd.se == pytest.approx(sqrt(0.25 / 19.2 + 0.25 / 16))
    assert rd.effective_n == pytest.approx(19.2 + 16)


@pytest.mark.parametrize(
    "changed",
    [
        {"week": D(8)},
        {"instrument": "hundred"},
        {"subgroup": "old"},
        {"unit": "lesions"},
        {"clock": "onset"},
        {"week": D(0)},
    ],
)
def test_only_like_is_compared_with_like(changed: dict[str, Any]) -> None:
    """Another time, instrument, subgroup, unit or clock is no comparison; nor is week 0."""
    first = {"mean": D(4), "sd": D(2)} | ({"week": D(0)} if changed == {"week": D(0)} else {})
    table = derived(study(row(**first), row(arm="waiting", mean=D(4), sd=D(2), **changed)))

    assert not any(e.comparator for e in table.estimates)


def arm(identifier: str, *regimens: str) -> Arm:
    """Return an arm of 16 patients."""
    return Arm(id=identifier, regimens=regimens or (identifier,), patients=16)


@pytest.mark.parametrize(
    ("arms", "pairs"),
    [
        ((arm("waiting"), arm("drug")), [("drug", "waiting")]),
        (
            (arm("b"), arm("a"), arm("c")),
            [("a", "b"), ("b", "c"), ("a", "c")],
        ),
        (
            (arm("a"), arm("placebo"), arm("b")),
            [("a", "b"), ("a", "placebo"), ("b", "placebo")],
        ),
        ((arm("placebo"), arm("waiting")), [("placebo", "waiting")]),
        ((arm("low", "drug"), arm("high", "drug")), []),
        ((arm("drug"), arm("mix", "drug", "other")), [("mix", "drug")]),
    ],
)
def test_pairs_and_their_direction(arms: tuple[Arm, ...], pairs: list[tuple[str, str]]) -> None:
    """Every pair once: active minus control, else more regimens minus fewer, else by name."""
    rows = [row(arm=a.id, mean=D(4), sd=D(2)) for a in arms]
    table = derived(study(*rows, arms=arms))

    found = [(e.arm, e.comparator_arm) for e in estimates(table, "MD")]
    assert sorted(found) == sorted(pairs)


def test_a_crossover_has_no_separate_arms() -> None:
    """The arms of a crossover study hold the same patients, so rows are not compared."""
    rows = both(mean=(D(4), D(6)), sd=(D(2), D(2)))
    assert estimates(derived(study(*rows, crossover=True)), "MD") == []


# --- printed contrasts ----------------------------------------------------------------------


def test_a_printed_difference_with_its_interval() -> None:
    """The SE of a printed difference comes from its interval, t with n1 + n2 - 2 df."""
    printed = contrast(difference=D("-2.0"), ci=(D("-3.0"), D("-1.0")))
    estimate = only(derived(study(contrasts=(printed,))), "MD")

    assert (estimate.value, estimate.n) == (-2.0, 32)
    assert estimate.se == pytest.approx(1 / critical_value(30))
    assert estimate.rows == (ref(0, "contrasts"),)
    assert estimate.basis == "computed"


def test_a_contrast_is_turned_to_active_minus_control() -> None:
    """A difference printed as control minus active changes its sign, and says so."""
    printed = contrast(arms=("waiting", "drug"), difference=D(2), ci=(D(1), D(3)))
    estimate = only(derived(study(contrasts=(printed,))), "MD")

    assert (estimate.value, estimate.arm) == (-2.0, "drug")
    assert rules(estimate)[-1] == "sign-turned"


def test_the_n_of_the_rows_goes_before_that_of_the_arms() -> None:
    """Patients lost to follow-up do not count in the interval."""
    rows = both(change=(D(-1), D(0)), n=(10, 12))
    printed = contrast(difference=D(-2), ci=(D(-3), D(-1)))
    assert only(derived(study(*rows, contrasts=(printed,))), "MD").n == 22


def test_a_crossover_contrast_is_paired() -> None:
    """16 patients in both arms of a crossover study are 16, with 15 degrees of freedom."""
    printed = contrast(difference=D(-2), ci=(D(-3), D(-1)))
    estimate = only(derived(study(contrasts=(printed,), crossover=True)), "MD")

    assert estimate.n == 16
    assert estimate.se == pytest.approx(1 / critical_value(15))


def test_p_instead_of_an_interval() -> None:
    """A printed difference with p, exact or a bound, has a standard error too."""
    exact = only(derived(study(contrasts=(contrast(difference=D(-2), p="0.01"),))), "MD")
    bound = only(derived(study(contrasts=(contrast(difference=D(-2), p="<0.01"),))), "MD")

    assert exact.se == bound.se == pytest.approx(se_from_p(2.0, 0.01, 30))
    assert (exact.basis, bound.basis) == ("imputed", "imputed")


def test_patients_of_a_printed_difference() -> None:
    """Arms without n: all patients of a study of two arms, which change no standard error."""
    arms = tuple(arm.model_copy(update={"patients": None}) for arm in ARMS)
    printed = contrast(difference=D(-2), ci=(D(-3), D(-1)))
    people = Population(conditions=("toe",), patients=59)
    whole = only(derived(study(contrasts=(printed,), arms=arms, population=people)), "MD")
    part = study(
        contrasts=(printed.model_copy(update={"subgroup": "old"}),), arms=arms, population=people
    )

    assert whole.n == 59
    assert rules(whole)[-1] == "n-from-study"
    assert whole.se == pytest.approx(1 / 1.959964)
    assert whole.basis == "computed"
    assert only(derived(part), "MD").n is None


def test_p_between_arms_with_means_but_no_spread() -> None:
    """Two means and a p between the arms give a difference that neither gives alone."""
    rows = both(mean=(D(4), D(6)))
    table = derived(study(*rows, contrasts=(contrast(p="<0.001"),)))
    estimate = only(table, "MD")

    assert estimate.value == -2.0
    assert estimate.se == pytest.approx(se_from_p(2.0, 0.001, 30))
    assert estimate.rows == (ref(0, "contrasts"), ref(0), ref(1))
    assert table.unusable == ()


def test_such_a_p_is_not_needed_where_rows_give_the_difference() -> None:
    """If the rows are compared anyway, the p between arms stays a direction."""
    rows = both(mean=(D(4), D(6)), sd=(D(2), D(2)))
    table = derived(study(*rows, contrasts=(contrast(p="0.02"),)), *lenders())

    assert len(estimates(table, "MD")) == 1
    assert reasons(table) == {"contrasts[0]": "direction-only"}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"p": "<0.05", "favours": "drug"}, "direction-only"),
        ({"p": "ns"}, "direction-only"),
        ({"difference": D(-2)}, "no-spread"),
        ({"difference": D(-2), "ci": (D(1), D(3))}, "no-spread"),
        ({"difference": D(-2), "ci": (D(-2), D(-2))}, "no-spread"),
        (
            {"difference": D(-2), "ci": (D(-3), D(-1)), "outcome": "healed", "instrument": None},
            "unclear-difference",
        ),
        ({"difference": D(-2), "ci": (D(-3), D(-1)), "instrument": "vague"}, "unknown-scale"),
    ],
)
def test_contrasts_that_give_no_estimate(given: dict[str, Any], reason: str) -> None:
    """Every contrast without an estimate says why."""
    assert reasons(derived(study(contrasts=(contrast(**given),)))) == {"contrasts[0]": reason}


def test_arms_with_the_same_regimen_are_no_comparison() -> None:
    """Two ways of giving the same regimen say nothing about it."""
    same = (arm("low", "drug"), arm("high", "drug"))
    printed = contrast(arms=("low", "high"), difference=D(-2), ci=(D(-3), D(-1)))
    assert reasons(derived(study(contrasts=(printed,), arms=same))) == {
        "contrasts[0]": "same-treatment"
    }
    assert ARMS[0].regimens != ARMS[1].regimens
