"""A small review with one of everything, made by hand, and its figures.

The topic is the small sound one of the record tests, grown by a second and third study, a
differential, risk factors and a published review.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure as Drawing

from tests.records.small_topic import write_topic
from trabecula.audit.finding import Acknowledged, Finding
from trabecula.effects.derive import EffectTable
from trabecula.effects.estimate import Estimate, RowRef, Step, Unusable
from trabecula.plots import Picture, Plot
from trabecula.records import Topic, load_topic
from trabecula.reference.figures import Figure
from trabecula.review import Contribution, Omission, Pooled, Review, Synthesis
from trabecula.review.evidence_base import evidence_bases
from trabecula.review.geometry import geometries
from trabecula.review.network_model import (
    NetworkComparison,
    NetworkRank,
    NetworkSensitivity,
    NetworkSynthesis,
)

FOLDER = Path(__file__).parent / "data" / "sore-toe"

EXTRA = {
    str(path.relative_to(FOLDER)): path.read_text(encoding="utf-8")
    for path in sorted(FOLDER.rglob("*.yaml"))
}
"""What stands in place of, or beside, the files of the small topic of the record tests."""

DOE, ROE_ROW = RowRef("doe-2020", "contrasts", 0), RowRef("roe-2021", "results", 1)

IMPUTED = Step("sd-borrowed", "SD borrowed: median of 14 arms", "imputed", "Handbook 6.5.2.7")
COMPUTED = Step("se-from-ci", "SE from the 95 % CI", "computed", "Handbook 6.3.1")


def small_topic(root: Path) -> Topic:
    """Return the small topic with one of everything."""
    return load_topic(write_topic(root, EXTRA))


def _estimate(study: str, measure: Any, value: float, se: float, **more: Any) -> Estimate:
    defaults: dict[str, Any] = {
        "cohort": "toes" if study != "doe-2020" else study,
        "outcome": "pain",
        "arm": "bath",
        "regimens": ("bathing",),
        "week": 4.0,
        "clock": "treatment",
        "unit": "patients",
        "rows": (DOE,),
        "steps": (COMPUTED,),
        "n": 20,
        "instrument": "vas-10",
    }
    return Estimate(study=study, measure=measure, value=value, se=se, **(defaults | more))


def small_review(topic: Topic, word: str = "plain") -> Review:
    """Return a review of the small topic; `word` stands in every text a computation writes."""
    versus = {"comparator_arm": "wait", "comparator": ("waiting",), "n": 40}
    difference = _estimate("doe-2020", "MD", -2.0, 0.51, **versus)
    other = _estimate("roe-2021", "MD", -1.2, 0.66, rows=(ROE_ROW,), steps=(IMPUTED,), **versus)
    change = _estimate("roe-2021", "MC", -4.0, 0.4, rows=(ROE_ROW,), steps=(IMPUTED,), baseline=6.0)
    twin = _estimate("poe-2022", "MC", -4.0, 0.4, rows=(RowRef("poe-2022", "results", 1),))
    healed = _estimate(
        "doe-2020", "PR", 0.6, 0.11, outcome="healed", instrument=None, events=12,
        rows=(RowRef("doe-2020", "results", 2),), steps=(),
    )  # fmt: skip
    ratio = _estimate(
        "doe-2020", "RR", math.log(1.5), 0.3, outcome="healed", instrument=None,
        rows=(RowRef("doe-2020", "results", 2),), steps=(Step("rr", word, "computed"),), **versus,
    )  # fmt: skip
    estimates = (difference, other, change, twin, healed, ratio)
    unusable = (Unusable(RowRef("doe-2020", "results", 0), "pain", "no-baseline", f"why: {word}"),)
    return Review(
        topic=topic,
        effects=_table(estimates, unusable),
        findings=_findings(word),
        syntheses=_syntheses(word, difference, other, change, twin, healed, ratio),
        unplaced=(),
        bases=evidence_bases(topic),
        networks=(_network(word, difference, other),),
        geometries=geometries(topic, estimates),
    )


def _network(word: str, *estimates: Estimate) -> NetworkSynthesis:
    pairs = (("bathing", "waiting", -1.5), ("sand", "waiting", -1.0), ("bathing", "sand", -0.5))
    return NetworkSynthesis(
        id="network-bathing-sand-waiting--pain--md--vas-10--month--all", outcome="pain",
        event=None, measure="MD", instrument="vas-10", timing="window", window="month",
        scope="all", scale="points", treatments=("bathing", "sand", "waiting"),
        contributions=tuple(
            Contribution(e, e.value, e.value - 1, e.value + 1, None) for e in estimates
        ),
        omissions=(Omission(estimates[1], "shared-cohort", f"left {word}"),),
        comparisons=tuple(
            NetworkComparison(a, b, x, x - 1, x + 1, x - 2, x + 2, ("doe-2020",) if x < -1 else ())
            for a, b, x in pairs
        ),
        ranks=tuple(
            NetworkRank(t, 1 - i / 2, i + 1, (0.5, 0.3, 0.2))
            for i, t in enumerate(("bathing", "sand", "waiting"))
        ),
        tau=(0.4, 0.1, 1.2), prior=f"prior {word}", q=None, q_df=None, q_p=None,
        completed=("doe-2020",),
        sensitivity=tuple(NetworkSensitivity(1.0, a, b, x, x - 3, x + 3) for a, b, x in pairs),
        n=80,
    )  # fmt: skip


def _table(estimates: tuple[Estimate, ...], unusable: tuple[Unusable, ...]) -> EffectTable:
    return EffectTable(estimates=estimates, unusable=unusable)


def _findings(word: str) -> tuple[Finding, ...]:
    def finding(subject: str, severity: Any, number: int, **more: Any) -> Finding:
        return Finding(
            id=f"grim:results[{number}]", subject=subject, severity=severity, check="grim",
            where=(f"results[{number}].percent",), message=f"message {word}",
            printed=f"printed {word}", recomputed=f"recomputed {word}", method=f"method {word}",
            source=f"source {word}", **more,
        )  # fmt: skip

    return (
        finding("doe-2020", "error", 2),
        finding("doe-2020", "note", 1, acknowledged=Acknowledged(f"reason {word}", word)),
        finding("roe-review", "suspicious", 0),
        finding("diagnosis", "suspicious", 0),
    )


def _syntheses(
    word: str,
    difference: Estimate,
    other: Estimate,
    change: Estimate,
    twin: Estimate,
    healed: Estimate,
    ratio: Estimate,
) -> tuple[Synthesis, ...]:
    pooled = Pooled(
        value=-1.68231, low=-2.47011, high=-0.8945, pi_low=-6.2, pi_high=2.9, tau2=0.0123,
        i2=12.0, i2_low=0.0, i2_high=80.0, q=1.2, q_df=1, q_p=0.273, method=f"method {word}",
        small_studies=f"small {word}",
    )  # fmt: skip

    def synthesis(name: str, kind: Any, measure: str, scale: Any, **more: Any) -> Synthesis:
        defaults: dict[str, Any] = {
            "treatment": "bathing", "comparator": None, "outcome": "pain",
            "instrument": "vas-10", "event": None, "window": "month", "timing": "window",
            "scope": "primary",
            "omissions": (), "pooled": None, "not_pooled": f"one study {word}", "n": 20,
        }  # fmt: skip
        return Synthesis(id=name, kind=kind, measure=measure, scale=scale, **(defaults | more))

    compared = {"comparator": "waiting", "n": 80}
    both = (
        Contribution(difference, -2.0, -3.0, -1.0, 62.5),
        Contribution(other, -1.2, -2.49, 0.09, 37.5),
    )
    healing = {"outcome": "healed", "instrument": None, "window": None, "timing": "latest"}
    return (
        synthesis("bathing--waiting--pain--md--month--primary", "comparison", "MD", "points",
                  contributions=both, **compared | {"pooled": pooled, "not_pooled": None}),
        synthesis("bathing--waiting--pain--md--month--all", "comparison", "MD", "points",
                  contributions=both, **compared, scope="all"),
        synthesis("bathing--pain--mc--month--primary", "before-after", "MC", "points",
                  contributions=(Contribution(change, -4.0, -4.78, -3.22, None),),
                  omissions=(Omission(twin, "shared-cohort", f"shares patients {word}"),)),
        synthesis("bathing--healed--pr--primary", "proportion", "PR", "proportion",
                  contributions=(Contribution(healed, 0.6, 0.36, 0.81, None),), **healing),
        synthesis("bathing--waiting--healed--rr--primary", "comparison", "RR", "ratio",
                  contributions=(Contribution(ratio, 1.5, 0.833, 2.7, None),),
                  **healing | {"comparator": "waiting", "n": 40}),
    )  # fmt: skip


def stub_figures(review: Review, word: str = "plain") -> dict[str, Figure]:
    """Return a figure for each synthesis of two studies, one of a course and one of a flow."""
    keys = [s.id for s in review.syntheses if len(s.contributions) > 1]
    return {key: _figure(key, word) for key in (*keys, "course-pain", "flow", "elsewhere")}


def _figure(key: str, word: str) -> Figure:
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 20" role="img" '
        f'aria-labelledby="{key}-t"><title id="{key}-t">{key}</title>'
        '<path d="M0 10h90" style="stroke: var(--fig-ink)"/></svg>'
    )
    plot = Plot(
        id=key, title=f"title {word}", alt=f"what is seen {word}",
        columns=("Study", word), rows=(("Doe 2020", f"1 {word}"),), note=f"note {word}",
        picture=NeverDrawn(),
    )  # fmt: skip
    return Figure(plot, Picture(svg, svg, svg.replace(f'"{key}-t"', f'"{key}-narrow-t"')))


class NeverDrawn:
    """A picture whose drawing stands beside it already."""

    def drawing(self) -> Drawing:
        """Refuse."""
        raise AssertionError("drawn again")

    narrow_drawing = drawing
