"""Selection models: pooling where the chance to be seen depends on the p-value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import (
    FloatArray,
    IntArray,
    Interval,
    confidence_level,
    numbers,
    require,
    require_option,
)
from trabecula.synthesis.result import Json, Result, shaped
from trabecula.synthesis.small_study.refusal import (
    MINIMUM_STUDIES,
    require_studies,
)
from trabecula.synthesis.small_study.selection_fit import SelectionPlan, fit_selection
from trabecula.synthesis.small_study.selection_weights import (
    SHAPES,
    Alternative,
    Family,
    Pattern,
    PValues,
)
from trabecula.synthesis.studies import Studies
from trabecula.synthesis.text import decimals, interval, number, p_value, percent

SelectionHeterogeneity = Literal["random", "common"]
"""*random*: true effects vary; *common*: one true effect, tau² is 0."""

PROBABILITY = Interval("[0, 1]")

REASON = (
    "with fewer, weights are fitted to one or two studies and the estimate is mostly noise"
    " (as for tests of asymmetry, Sterne et al. 2011)"
)


@dataclass(frozen=True, slots=True, eq=False)
class SelectionModelFit(Result):
    """A pooled estimate adjusted for selection by p-value, the selection, and a test of it.

    ``delta`` (last axis) are the parameters of the weight function, ``delta_se`` their standard
    errors, NaN for those fixed or at a bound. ``unselected_estimate`` is that without selection
    (maximum likelihood); ``lrt``, ``lrt_df`` and ``lrt_p_value`` compare both, NaN if no parameter
    was estimated. ``interval_k`` (last axis: intervals between steps) counts studies.

    ``status`` says what came of the data set: *estimated*; *empty-interval*: no study lies in
    one of the intervals, everything estimated is NaN; *at-limit*: a weight parameter ran to its
    upper limit, standard errors and tests are NaN since they mean nothing there; *not-converged*:
    no maximum was found, everything estimated is NaN.
    """

    family: Family
    alternative: Alternative
    heterogeneity: SelectionHeterogeneity
    steps: tuple[float, ...]
    level: float
    k: IntArray
    status: NDArray[np.str_]
    estimate: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    statistic: FloatArray
    p_value: FloatArray
    tau2: FloatArray
    tau2_se: FloatArray
    delta: FloatArray
    delta_se: FloatArray
    log_likelihood: FloatArray
    unselected_estimate: FloatArray
    unselected_log_likelihood: FloatArray
    lrt: FloatArray
    lrt_df: IntArray
    lrt_p_value: FloatArray
    interval_k: IntArray

    def weight(self, p: ArrayLike) -> FloatArray:
        """Return the fitted weights at p-values `p`, relative to those of the smallest.

        `ValueError` for the results of several data sets, and for p outside [0, 1].
        """
        self.require_one()
        at = np.atleast_1d(numbers("p", p))
        require("p", at, PROBABILITY)
        if self.family == "step":
            values = self.delta[np.searchsorted(self.steps, at, side="left")]
        else:
            shape = SHAPES[self.family]
            kept = PValues.at(np.clip(at, shape.smallest_p, 1 - shape.smallest_p))
            start = self.steps[0] if len(self.steps) > 1 else 0.0
            values = np.exp(shape.log_weight(kept, self.delta, start).value)
        return np.reshape(values, np.shape(p))

    def rows(self) -> list[dict[str, Json]]:
        """Return the weight function as a table for plotting; `ValueError` for several data sets.

        One row an interval of the p-value for steps, else one for each of 101 p-values.
        """
        self.require_one()
        if self.family == "step":
            lows = (0.0, *self.steps[:-1])
            table = zip(
                lows, self.steps, self.interval_k.tolist(), self.delta.tolist(), strict=True
            )
            return [{"p_above": a, "p_to": b, "k": k, "weight": w} for a, b, k, w in table]
        grid = np.linspace(0, 1, 101)
        return [
            {"p": p, "weight": w}
            for p, w in zip(grid.tolist(), self.weight(grid).tolist(), strict=True)
        ]

    def summary(self) -> str:
        """Return the fit in sentences; `ValueError` for the results of several data sets."""
        self.require_one()
        lines = [_title(self)]
        if str(self.status) in PROBLEMS:
            return " ".join([*lines, f"Nothing is estimated: {PROBLEMS[str(self.status)]}."])
        lines += [_result(self), _heterogeneity(self), _selection(self), _comparison(self)]
        return " ".join([line for line in lines if line] + [CAUTION])


def selection_model(
    estimate: ArrayLike,
    variance: ArrayLike,
    *,
    family: Family = "step",
    steps: Sequence[float] | None = None,
    weights: Sequence[float] | Pattern | None = None,
    alternative: Alternative = "greater",
    heterogeneity: SelectionHeterogeneity = "random",
    level: float = 0.95,
    minimum_studies: int = MINIMUM_STUDIES,
) -> SelectionModelFit:
    """Return the pooled estimate if studies were seen with a chance that depends on their p-value.

    Parameters
    ----------
    estimate, variance
        Arrays (..., studies) that broadcast; NaN marks a missing study. Data sets are fitted one
        by one.
    family
        Shape of the weight. One *step* is the three-parameter selection model.
    steps
        For *step*, p-values at which the weight jumps (an interval includes its upper end); by
        default 0.025, of two-sided p-values 0.05. For other families one p-value up to which all
        studies are seen, by default none.
    weights
        Fixed parameters: the selection is supposed, not estimated. As many as there are intervals,
        or parameters of the family; or the name of a pattern of *step*, which has its own steps.
    alternative
        Which results have small p-values. *greater* by default: choose *less* where studies hope
        for small estimates, or the model looks at the wrong tail.
    heterogeneity
        Whether true effects vary.
    level
        Confidence level of the (normal) interval.
    minimum_studies
        Fewest studies; at least as many as parameters.

    Raises
    ------
    TooFewStudies
        If a data set has fewer.
    ValueError
        If an argument is out of range, naming it, its value and what is allowed.

    Notes
    -----
    Hedges (1992), Stat Sci 7:246-255, and Vevea and Hedges (1995), Psychometrika 60:419-435
    (steps); Citkowicz and Vevea (2017), Psychol Methods 22:28-41 (beta); Preston, Ashby and Smyth
    (2004), J Eval Clin Pract 10:313-322 (the others). Standard errors are those of the observed
    information. With weights whose null value is a bound (all smooth families but beta) the p-value
    of the likelihood ratio test is conservative.

    Examples
    --------
    >>> se = [0.1, 0.12, 0.15, 0.2, 0.22, 0.25, 0.3, 0.32, 0.4, 0.5]
    >>> y = [0.1, 0.32, 0.08, 0.5, 0.05, 0.6, 0.7, 0.2, 0.9, 1.1]
    >>> fit = selection_model(y, [s * s for s in se])
    >>> f"{fit.estimate:.2f} instead of {fit.unselected_estimate:.2f}"
    '0.06 instead of 0.30'
    """
    plan = SelectionPlan.of(family, steps, weights, alternative)
    require_option("heterogeneity", heterogeneity, get_args(SelectionHeterogeneity))
    level = confidence_level(level)
    studies = Studies.read(estimate, variance)
    common = heterogeneity == "common"
    least = 1 + (not common) + plan.estimated
    require_studies(studies.k, max(minimum_studies, least), least, REASON)
    parts: list[dict[str, Any]] = []
    for row in range(len(studies.k)):
        there = studies.present[row] > 0
        y = studies.origin[row] + studies.estimate[row, there]
        parts.append(fit_selection(y, studies.variance[row, there], plan, common, level))
    values = {name: np.stack([part[name] for part in parts]) for name in parts[0]}
    values["k"] = studies.k.astype(np.int64)
    return SelectionModelFit(
        family=family,
        alternative=alternative,
        heterogeneity=heterogeneity,
        steps=plan.steps,
        level=level,
        **shaped(values, studies.shape),
    )


CAUTION = (
    "The estimate is as good as the supposed form of selection: with few studies very different "
    "forms fit alike."
)

FAVOURED = {
    "greater": "large estimates favoured",
    "less": "small estimates favoured",
    "two-sided": "two-sided p-values",
}
"""How an alternative is told."""

PROBLEMS = {
    "empty-interval": "no study lies in one of the intervals, so that its weight is not known; "
    "choose other steps or fix the weights",
    "not-converged": "no maximum of the likelihood was found; choose a form with fewer parameters "
    "or fix the weights",
}
"""What is said where nothing was estimated, by status."""


def _title(fit: SelectionModelFit) -> str:
    inner = [f"{step:g}" for step in fit.steps if step < 1]
    where = f" at {', '.join(inner)}" if inner else ""
    return (
        f"Selection model ({fit.family}{where}; {FAVOURED[fit.alternative]}), {fit.k:.0f} studies."
    )


def _result(fit: SelectionModelFit) -> str:
    if fit.status == "at-limit":
        value = number(float(fit.estimate), 2)
        return (
            f"A weight parameter ran to its upper limit: {value} depends on that limit and has no "
            "standard error."
        )
    places = decimals(float(fit.se))
    limits = interval(float(fit.ci_low), float(fit.ci_high), places)
    return (
        f"Adjusted estimate {number(float(fit.estimate), places)} ({percent(fit.level)} CI "
        f"{limits}; z = {number(float(fit.statistic), 2)}, {p_value(float(fit.p_value))}), "
        f"{number(float(fit.unselected_estimate), places)} without selection."
    )


def _heterogeneity(fit: SelectionModelFit) -> str:
    if fit.heterogeneity == "common":
        return ""
    places = decimals(float(fit.tau2_se))
    return f"τ² = {number(float(fit.tau2), places)}."


def _selection(fit: SelectionModelFit) -> str:
    if fit.family != "step":
        shares = fit.weight([0.05, 0.5])
        return (
            f"Weight of p = 0.05: {number(float(shares[0]), 2)}, of p = 0.5: "
            f"{number(float(shares[1]), 2)}, " + NORMED.get(fit.family, "relative to p = 0.")
        )
    lows = ("0", *[f"{step:g}" for step in fit.steps[:-1]])
    parts = [
        f"{low} < p ≤ {high:g}: {number(float(weight), 2)}"
        for low, high, weight in zip(lows, fit.steps, fit.delta, strict=True)
    ]
    return f"Relative chance to be seen, {', '.join(parts)}."


NORMED = {"beta": "no selection being 1 for both."}
"""What weights are relative to, where not to p = 0."""


def _comparison(fit: SelectionModelFit) -> str:
    if not fit.lrt_df:
        return "The weights were supposed, not estimated."
    return (
        f"Likelihood ratio test against no selection: χ²({fit.lrt_df:.0f}) = "
        f"{number(float(fit.lrt), 2)}, {p_value(float(fit.lrt_p_value))}."
    )
