"""Networks: what connects is answered together, what does not is left apart."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.review.make import estimate
from trabecula.effects.estimate import Estimate
from trabecula.records import Topic
from trabecula.review import Review
from trabecula.review.evidence_base import in_scope
from trabecula.review.geometry import connected, geometries
from trabecula.review.model import Scope
from trabecula.review.network_evidence import Star, completed_contrasts
from trabecula.review.network_model import NetworkComparison, NetworkSynthesis
from trabecula.review.networks import network_syntheses
from trabecula.review.treatments import treatment_of
from trabecula.synthesis import HalfNormal, NetworkEvidence, bayesian_network


def difference(
    study: str, first: str, second: str, value: float, se: float, **more: object
) -> Estimate:
    """Return a difference of pain scores half a year after treatment; arms named by regimen."""
    given = {
        "arm": first, "regimens": (first,), "comparator_arm": second, "comparator": (second,),
        "measure": "MD", "outcome": "pain", "instrument": "pain-0-10", "value": value, "se": se,
        "week": 26.0, "n": 60, "cohort": study,
    }  # fmt: skip
    return estimate(study, **(given | more))


def three(first: float, second: float, patients: dict[str, int | None]) -> tuple[object, ...]:
    """Complete a study of a, b and c of which a and b are compared with c."""
    mine = [difference("s", "a", "c", -1.0, first), difference("s", "b", "c", -0.4, second)]
    return completed_contrasts(mine, Star(patients))


def test_a_missing_contrast_follows_from_the_others() -> None:
    """With one SD of 2 in arms of 25, 16 and 100, the third contrast is what the arms say."""
    sizes = {"a": 25, "b": 16, "c": 100}
    se = {arm: math.sqrt(4 / sizes[arm] + 4 / 100) for arm in "ab"}
    contrasts, derived, left = three(se["a"], se["b"], dict(sizes))
    found = {frozenset(c[:2]): c for c in contrasts}  # type: ignore[attr-defined]
    first, second, effect, variance = found[frozenset("ab")]

    assert derived
    assert left == []
    assert effect == pytest.approx(-0.6 if (first, second) == ("a", "b") else 0.6)
    assert variance == pytest.approx(4 / 25 + 4 / 16)
    assert found[frozenset("ac")][3] == pytest.approx(se["a"] ** 2)


@pytest.mark.parametrize("patients", [{"a": 25, "b": 16, "c": None}, {"a": 900, "b": 16, "c": 1}])
def test_without_the_sizes_of_arms_one_comparison_stands(patients: dict[str, int | None]) -> None:
    """What comparisons share is then unknown, so the more precise one is taken alone."""
    contrasts, derived, left = three(0.5, 0.3, patients)

    assert not derived
    assert [c[:2] for c in contrasts] == [("b", "c")]  # type: ignore[attr-defined]
    assert [(e.arm, told) for e, told in left] == [  # type: ignore[attr-defined]
        ("a", "what its study's comparisons share cannot be worked out")
    ]


def all_three(third: float, se: float = 0.5) -> tuple[list[object], bool, list[object]]:
    """Complete a study that reports a, b against c, and a against b."""
    mine = [
        difference("s", "a", "c", -1.0, 0.5),
        difference("s", "b", "c", -0.4, 0.5),
        difference("s", "a", "b", third, se),
    ]
    return completed_contrasts(mine, Star({"a": 30, "b": 30, "c": 40}))  # type: ignore[return-value]


def test_contrasts_that_agree_are_taken_as_printed() -> None:
    """Where all were reported and add up nothing is derived, nothing left out."""
    contrasts, derived, left = all_three(-0.6)

    assert [c[:2] for c in contrasts] == [("a", "c"), ("b", "c"), ("a", "b")]  # type: ignore[index]
    assert (derived, left) == (False, [])


@pytest.mark.parametrize(("third", "se"), [(-0.9, 0.5), (-0.6, 5.0)])
def test_contrasts_that_contradict_each_other_are_counted_from_one_arm(
    third: float, se: float
) -> None:
    """Rounded or adjusted figures need not add up: those with the largest arm are kept."""
    contrasts, derived, left = all_three(third, se)
    found = {frozenset(c[:2]): c for c in contrasts}  # type: ignore[index]

    assert derived
    assert len(found) == 3
    assert abs(found[frozenset("ab")][2]) == pytest.approx(0.6)  # type: ignore[index]
    assert found[frozenset("ac")][3] == pytest.approx(0.25)  # type: ignore[index]
    assert [(e.arm, e.comparator_arm) for e, _ in left] == [("a", "b")]  # type: ignore[attr-defined,misc]


def test_a_study_that_compares_in_a_chain_gives_one_comparison() -> None:
    """Without an arm that all others were compared with, what is shared is unknown."""
    chain = [
        difference("s", "a", "b", -1.0, 0.5, n=50),
        difference("s", "b", "c", -1.0, 0.5, n=60),
        difference("s", "c", "d", -1.0, 0.5, n=40),
    ]
    contrasts, derived, left = completed_contrasts(chain, Star(dict.fromkeys("abcd", 30)))

    assert [c[:2] for c in contrasts] == [("b", "c")]
    assert not derived
    assert {told for _, told in left} == {"no arm of its study was compared with every other one"}


def test_two_arms_of_one_treatment_enter_once() -> None:
    """A second dose would otherwise compare a treatment with itself."""
    doses = [
        difference("s", "a", "c", -1.0, 0.5),
        difference("s", "a", "c", -0.8, 0.5, arm="a2", n=90),
        difference("s", "b", "c", -0.4, 0.5),
    ]
    contrasts, _, left = completed_contrasts(doses, Star({"a": 30, "a2": 45, "b": 30, "c": 30}))

    assert sorted(tuple(sorted(c[:2])) for c in contrasts) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [e.arm for e, _ in left] == ["a"]
    only = [difference("s", "a", "a", -1.0, 0.5, arm="a2")]
    assert completed_contrasts(only, Star({}))[0] == []


def test_patients_who_cross_over_are_counted_once(topic: Topic) -> None:
    """Both arms of aitken-2018 are the same 43 patients."""
    (network,) = answered(
        topic,
        difference("laslett-2012", "zoledronate", "placebo", -1.2, 0.5),
        difference("aitken-2018", "adalimumab", "placebo", -0.2, 0.4),
    )

    assert network.n == 43 + (topic.studies["laslett-2012"].population.patients or 0)


def test_the_prior_is_said_in_its_unit(topic: Topic) -> None:
    """Ratios have the log scale, means the SD that standard errors and arms imply."""
    ratio = {"measure": "RR", "outcome": "adverse-event", "instrument": None}
    (logs,) = answered(
        topic,
        difference("laslett-2012", "zoledronate", "placebo", math.log(1.5), 0.1, **ratio),
        difference("cai-2018", "denosumab", "placebo", math.log(1.2), 0.1, **ratio),
    )
    (means,) = answered(
        topic,
        difference("laslett-2012", "zoledronate", "placebo", -1.2, 0.5),
        difference("aitken-2018", "adalimumab", "placebo", -0.2, 0.4),
    )
    sd = []
    for study, arm, se in (
        ("laslett-2012", "zoledronate", 0.5),
        ("aitken-2018", "adalimumab", 0.4),
    ):
        sizes = {a.id: a.patients or math.nan for a in topic.studies[study].arms}
        sd.append(se / math.sqrt(1 / sizes[arm] + 1 / sizes["placebo"]))

    assert logs.prior == "half-normal with scale 0.5, on the log scale"
    assert (
        means.prior == f"half-normal with scale 0.5 SD of patients, here {np.nanmedian(sd) / 2:.2g}"
    )


def test_parts_are_what_comparisons_connect() -> None:
    """A chain is one part whatever the order in which its links come."""
    assert connected([("a", "b"), ("d", "e"), ("c", "d"), ("x", "y"), ("b", "c")]) == (
        ("a", "b", "c", "d", "e"),
        ("x", "y"),
    )
    assert connected([]) == ()


def answered(topic: Topic, *estimates: Estimate) -> list[NetworkSynthesis]:
    """Return the networks of `estimates` in the scope of all strata or the primary one."""
    return list(network_syntheses(topic, estimates))


def pair(network: NetworkSynthesis, first: str, second: str) -> NetworkComparison:
    """Return a comparison of a network."""
    return next(c for c in network.comparisons if (c.treatment, c.comparator) == (first, second))


def test_an_indirect_comparison_adds_up(topic: Topic) -> None:
    """A against C by way of B is A against B plus B against C, with the wider interval."""
    (network,) = answered(
        topic,
        difference("laslett-2012", "zoledronate", "placebo", -1.2, 0.5),
        difference("aitken-2018", "adalimumab", "placebo", -0.2, 0.4),
        difference("cai-2018", "denosumab", "placebo", -0.9, 0.5),
    )
    indirect = pair(network, "adalimumab", "zoledronate")
    direct = pair(network, "zoledronate", "placebo")

    assert indirect.value == pytest.approx(1.0, abs=1e-6)
    assert indirect.direct == ()
    assert direct.direct == ("laslett-2012",)
    assert direct.value == pytest.approx(-1.2, abs=1e-6)
    assert indirect.high - indirect.low > direct.high - direct.low
    assert network.q is None


@pytest.mark.parametrize(
    ("second", "comparator"),
    [("zoledronate", "placebo"), ("calcitonin", "celecoxib")],
)
def test_what_does_not_connect_three_treatments_is_no_network(
    topic: Topic, second: str, comparator: str
) -> None:
    """Two treatments are a pairwise question; parts without a link are not compared."""
    found = answered(
        topic,
        difference("laslett-2012", "zoledronate", "placebo", -1.2, 0.5),
        difference("aitken-2018", second, comparator, -0.2, 0.4),
    )

    assert found == []


def test_ratios_are_shown_as_ratios_and_harm_decides_what_is_first(topic: Topic) -> None:
    """Log ratios become ratios; of a harm the treatment with fewest events comes first."""
    ratio = {"measure": "RR", "outcome": "adverse-event", "instrument": None}
    (network,) = answered(
        topic,
        difference("laslett-2012", "zoledronate", "placebo", math.log(1.5), 0.1, **ratio),
        difference("cai-2018", "denosumab", "placebo", math.log(1.2), 0.1, **ratio),
    )

    assert pair(network, "zoledronate", "placebo").value == pytest.approx(1.5, rel=1e-6)
    assert [r.treatment for r in network.ranks] == ["placebo", "denosumab", "zoledronate"]


def test_a_cohort_enters_a_network_once(topic: Topic) -> None:
    """Of two studies of the same patients that with more comparisons contributes."""
    shared = {"cohort": "tasmania"}
    (network,) = answered(
        topic,
        difference("cai-2018", "denosumab", "placebo", -0.9, 0.5, **shared),
        difference("cai-2018", "zoledronate", "placebo", -0.8, 0.5, **shared),
        difference("cai-2019", "zoledronate", "placebo", -0.1, 0.5, **shared),
        difference("aitken-2018", "adalimumab", "placebo", -0.2, 0.4),
    )

    assert network.studies == ("aitken-2018", "cai-2018")
    assert [(o.estimate.study, o.rule) for o in network.omissions] == [
        ("cai-2019", "shared-cohort")
    ]


def test_a_wider_prior_widens_every_interval(review: Review) -> None:
    """The protocol's other scales are tried, and tell how much the prior decides."""
    for network in review.networks:
        for c in network.comparisons:
            mine = {
                s.assumed: s.high - s.low
                for s in network.sensitivity
                if (s.treatment, s.comparator) == (c.treatment, c.comparator)
            }
            widths = [mine[0.25], c.high - c.low, mine[1.0]]
            assert widths == sorted(widths), (network.id, c)


def test_real_networks_are_coherent_in_themselves(review: Review) -> None:
    """Ranks are probabilities, each treatment has one, and every pair is there once."""
    assert review.networks
    for network in review.networks:
        size = len(network.treatments)
        chances = np.array([rank.probability for rank in network.ranks])

        assert len(network.comparisons) == size * (size - 1) // 2
        # quasi-Monte Carlo: each treatment's ranks are normalised, each rank's treatments are not
        assert chances.sum(axis=0) == pytest.approx(np.ones(size), abs=1e-3)
        assert chances.sum(axis=1) == pytest.approx(np.ones(size), abs=1e-9)
        assert sum(rank.sucra for rank in network.ranks) == pytest.approx(size / 2)
        assert len(network.studies) >= 2


def test_the_geometry_holds_every_comparative_study(review: Review) -> None:
    """A study with two treatments is on the graph of all strata, a usable one as such."""
    everything = next(g for g in review.geometries if g.scope == "all")
    drawn = {study for pair in everything.pairs for study in pair.studies}
    comparative = {
        s.id
        for s in review.topic.studies.values()
        if len({frozenset(a.regimens) for a in s.arms}) > 1
    }
    numbered = {study for pair in everything.pairs for study in pair.numbered}

    assert drawn == comparative
    assert numbered <= drawn
    assert {e.study for e in review.effects.estimates if e.comparator} == numbered


def test_the_primary_geometry_is_part_of_the_whole(review: Review) -> None:
    """Every study of the primary graph is on the other one too."""
    primary, everything = review.geometries

    assert (primary.scope, everything.scope) == ("primary", "all")
    assert {replace(p, studies=(), numbered=()) for p in primary.pairs} <= {
        replace(p, studies=(), numbered=()) for p in everything.pairs
    }


def test_the_prior_counts_in_standard_deviations_of_patients(topic: Topic) -> None:
    """A posterior in points is that of a half-normal prior with half an SD in points."""
    (network,) = answered(
        topic,
        difference("laslett-2012", "zoledronate", "placebo", -1.2, 0.5),
        difference("aitken-2018", "adalimumab", "placebo", -0.2, 0.4),
    )
    sd = 0.4 / math.sqrt(2 / 43)
    evidence = NetworkEvidence.from_contrasts(
        ("a", "b"), ("adalimumab", "zoledronate"), ("placebo",) * 2, (-0.2, -1.2), (0.16, 0.25)
    )
    expected = bayesian_network(evidence, tau_prior=HalfNormal(0.5 * sd))

    assert network.tau[0] == pytest.approx(float(expected.tau.median), rel=1e-9)
    width = float(expected.comparison.ci_high[0] - expected.comparison.ci_low[0])
    shown = pair(network, "adalimumab", "placebo")
    assert shown.high - shown.low == pytest.approx(width, rel=1e-9)


def test_other_diseases_are_answered_only_where_they_add_a_study(topic: Topic) -> None:
    """A network of studies of this disease alone is given once."""
    mine = [s.id for s in topic.studies.values() if in_scope(topic, s, "primary")][:2]
    arms = [{"n": 60, "arm": "x", "comparator_arm": "y"}] * 2
    ratio = {"measure": "RR", "outcome": "adverse-event", "instrument": None}
    found = answered(
        topic,
        difference(mine[0], "zoledronate", "placebo", 0.2, 0.1, **(ratio | arms[0])),
        difference(mine[1], "denosumab", "placebo", 0.3, 0.1, **(ratio | arms[1])),
    )

    assert [network.scope for network in found] == ["primary"]


@pytest.mark.parametrize("scope", ["primary", "all"])
def test_the_geometry_counts_each_cohort_once(topic: Topic, scope: Scope) -> None:
    """Of studies of the same patients the one with most of a treatment is counted."""
    studies = {
        name: study.model_copy(update={"cohort": "one and the same"})
        for name, study in topic.studies.items()
    }
    shared = geometries(replace(topic, studies=studies), [])
    (geometry,) = (g for g in shared if g.scope == scope)
    most: dict[str, int] = {}
    for study in topic.studies.values():
        names = {treatment_of(arm.regimens) for arm in study.arms}
        if in_scope(topic, study, scope) and len(names) > 1:
            for name in names:
                mine = [a.patients or 0 for a in study.arms if treatment_of(a.regimens) == name]
                most[name] = max(most.get(name, 0), sum(mine))

    assert geometry.patients == most


def test_the_geometry_holds_every_pair_of_arms(topic: Topic) -> None:
    """A study of three treatments makes three pairs and is shaded; unusable pairs are told."""
    usable = difference("cai-2018", "denosumab", "placebo", -0.9, 0.5)
    (found,) = (g for g in geometries(topic, [usable]) if g.scope == "all")
    pairs = {(p.treatment, p.comparator): p for p in found.pairs}

    assert ("denosumab", "placebo", "zoledronate") in found.several_arms
    assert all(len(arms) > 2 for arms in found.several_arms)
    for name in (("denosumab", "placebo"), ("denosumab", "zoledronate")):
        assert "cai-2018" in pairs[name].studies
    assert pairs["denosumab", "placebo"].numbered == ("cai-2018",)
    assert pairs["denosumab", "zoledronate"].numbered == ()


def test_what_falls_apart_is_judged_by_what_remains(topic: Topic) -> None:
    """Without the sizes of its arms a study keeps one comparison; the rest may be no network."""
    arms = {"cohort": "mine"}
    star = [
        difference("laslett-2012", "zoledronate", "placebo", -1.2, 0.3, **arms),
        difference("laslett-2012", "denosumab", "placebo", -0.9, 0.5, **arms),
    ]
    again = difference("aitken-2018", "zoledronate", "placebo", -0.2, 0.4)
    other = difference("aitken-2018", "adalimumab", "placebo", -0.2, 0.4)

    assert answered(topic, *star, again) == []
    (network,) = answered(topic, *star, other)
    assert network.treatments == ("adalimumab", "placebo", "zoledronate")
    assert [(o.estimate.arm, o.rule) for o in network.omissions] == [("denosumab", "no-covariance")]
