"""Pooled odds ratios from the counts of two arms: generalised linear mixed models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import FloatArray, IntArray, confidence_level, require_option
from trabecula.synthesis.ascent import GAIN, TAUS, ascend, best_start, blocks
from trabecula.synthesis.counts.binomial_normal import (
    NODES,
    BinomialMethod,
    BinomialTest,
    number_of_nodes,
)
from trabecula.synthesis.counts.hypergeometric import MOST_EVENTS
from trabecula.synthesis.counts.observed import heterogeneity, observed_studies
from trabecula.synthesis.counts.random_studies import RandomStudyEffects
from trabecula.synthesis.counts.tables import Tables
from trabecula.synthesis.counts.two_arm_models import (
    ApproximateConditional,
    ExactConditional,
    FixedStudyEffects,
    TwoArmModel,
)
from trabecula.synthesis.counts.two_arms_text import describe_two_arms
from trabecula.synthesis.distributions import critical_value, two_sided_p
from trabecula.synthesis.quadrature import Marginal
from trabecula.synthesis.result import Result, frozen, shaped
from trabecula.synthesis.studies import Studies, Weighted

TwoArmsModel = Literal[
    "unconditional-fixed", "unconditional-random", "conditional-exact", "conditional-approximate"
]
"""*unconditional-fixed*: two binomials, each study's level a parameter. *unconditional-random*: the
levels vary normally. *conditional-exact*: noncentral hypergeometric, given the events of both arms;
the levels drop out. *conditional-approximate*: binomial share of the events, for rare events."""

MODELS: dict[str, type[TwoArmModel]] = {
    "unconditional-fixed": FixedStudyEffects,
    "unconditional-random": RandomStudyEffects,
    "conditional-exact": ExactConditional,
    "conditional-approximate": ApproximateConditional,
}

TwoArmsStatus = Literal[
    "fitted", "one-study", "zero", "infinite", "no-information", "all-or-none", "not-converged"
]
"""*fitted*: the model was fitted. *one-study*: one study tells something of the odds ratio; its own
estimate, nothing about heterogeneity. *zero*, *infinite*: every study that tells something pushes
the odds ratio there; no interval. *no-information*: no study has both events and others.
*all-or-none*: each study pushes to an end, some to this, some to that; the likelihood rises without
end with the between-study variance. *not-converged*: the search for the maximum did not end."""


@dataclass(frozen=True, slots=True, eq=False)
class BinomialNormalTwoArmsFit(Result):
    """A pooled log odds ratio of arm 1 against arm 2 and the heterogeneity behind it.

    ``k`` counts all studies, ``k_double_zero`` those without events, or with nothing but
    events, in both arms: they have no part but in *unconditional-random*. ``tau2`` is the
    variance of the log odds ratios, ``sigma2`` that of the studies' levels (*unconditional-random*
    only, else NaN). ``q_lrt`` and ``q_wald`` test whether all studies share one odds ratio; the
    second leaves out studies with infinite estimates. ``log_likelihood`` is marginal; conditional
    and unconditional ones are of different data and cannot be compared. ``status`` says
    whether the model could be fitted; what does not exist is NaN.
    """

    model: TwoArmsModel
    method: BinomialMethod
    test: BinomialTest
    level: float
    nodes: int
    k: IntArray
    k_double_zero: IntArray
    status: NDArray[np.str_]
    estimate: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    statistic: FloatArray
    df: FloatArray
    p_value: FloatArray
    tau2: FloatArray
    sigma2: FloatArray
    i2: FloatArray
    h2: FloatArray
    pi_low: FloatArray
    pi_high: FloatArray
    q_df: IntArray
    q_lrt: FloatArray
    q_lrt_p_value: FloatArray
    q_wald: FloatArray
    q_wald_p_value: FloatArray
    log_likelihood: FloatArray
    aic: FloatArray

    def summary(self) -> str:
        """Return the result in sentences a paper could print, the odds ratio as a ratio.

        Says where nothing was pooled, and why. `ValueError` for the results of several data
        sets: describe one, ``fit[i].summary()``.
        """
        return describe_two_arms(self)


def binomial_normal_two_arms(
    events_1: ArrayLike,
    n_1: ArrayLike,
    events_2: ArrayLike,
    n_2: ArrayLike,
    *,
    model: TwoArmsModel = "unconditional-fixed",
    method: BinomialMethod = "ML",
    test: BinomialTest = "t",
    level: float = 0.95,
    nodes: int = NODES,
) -> BinomialNormalTwoArmsFit:
    """Return the pooled log odds ratio of arm 1 against arm 2, from the counts as they are.

    Parameters
    ----------
    events_1, n_1, events_2, n_2
        Arrays (..., studies) that broadcast, ``0 <= events <= n``. NaN marks a missing study.
        *conditional-exact* needs whole numbers.
    model
        How the level of risk in each study is dealt with. *conditional-exact* has no level
        and is the one to trust with few events; *unconditional-random* alone uses double-zero
        studies, but assumes that levels and effects vary normally and independently.
    method
        *common* assumes that all studies share one odds ratio.
    test
        *t* widens the intervals for few studies (k - 1 degrees of freedom, double-zero studies
        that have no part not counted); *z* is what most programs print.
    level
        Confidence level of all intervals.
    nodes
        Nodes of the quadrature for each random effect, 1 (Laplace approximation) to 200.

    Raises
    ------
    ValueError
        If an argument is out of range, naming it, its value and what is allowed.

    Notes
    -----
    Stijnen, Hamza and Özdemir (2010), Stat Med 29:3046-3067, for the conditional models;
    Turner, Omar, Yang, Goldstein and Thompson (2000), Stat Med 19:3417-3432, for the
    unconditional ones; Jackson, Law, Stijnen, Viechtbauer and White (2018), Stat Med
    37:1059-1085, compare them. The random effect is split evenly between the arms.

    Examples
    --------
    >>> treated, control = ([1, 0, 4, 9], [50, 40, 60, 70]), ([5, 2, 9, 8], [50, 40, 58, 75])
    >>> fit = binomial_normal_two_arms(*treated, *control, model="conditional-exact")
    >>> f"{np.exp(fit.estimate):.2f} ({np.exp(fit.ci_low):.2f} to {np.exp(fit.ci_high):.2f})"
    '0.50 (0.10 to 2.54)'
    """
    require_option("model", model, get_args(TwoArmsModel))
    require_option("method", method, get_args(BinomialMethod))
    require_option("test", test, get_args(BinomialTest))
    level, nodes = confidence_level(level), number_of_nodes(nodes)
    tables = Tables.read(events_1, n_1, events_2, n_2)
    if model == "conditional-exact":
        _require_whole(tables)
    own = _own(tables)
    counted = tables.present if model == "unconditional-random" else own.present > 0
    k = counted.sum(axis=1)
    values = _fitted(tables, own, model, method, nodes)
    status = values.pop("status")
    df = np.where((test == "t") & (status == "fitted"), np.maximum(k - 1.0, 1.0), np.inf)
    values |= _intervals(values, df, level, random=method == "ML")
    values |= heterogeneity(own, values["tau2"], values.pop("ratio"), values.pop("wald"), k)
    values |= {
        "q_df": np.maximum(k - 1, 0),
        "k": tables.present.sum(axis=1),
        "k_double_zero": tables.double_zero.sum(axis=1),
    }
    return BinomialNormalTwoArmsFit(
        model=model,
        method=method,
        test=test,
        level=level,
        nodes=nodes,
        status=frozen(status.reshape(tables.shape)),
        **shaped(values, tables.shape),
    )


def _require_whole(t: Tables) -> None:
    cells = np.stack([t.a, t.b, t.c, t.d])
    if (cells != np.round(cells)).any():
        broken = cells[cells != np.round(cells)][0]
        raise ValueError(
            f"the model conditional-exact needs whole numbers of patients, got {broken:g}: round "
            "them, or choose another model"
        )
    most = (t.a + t.c).max()
    if most > MOST_EVENTS:
        raise ValueError(
            f"the model conditional-exact takes at most {MOST_EVENTS:,} events a study, got "
            f"{most:g}: choose unconditional-fixed, which agrees where events are many"
        )


def _own(t: Tables) -> Studies:
    """Return the log odds ratios of the studies that are not double-zero, cells corrected."""
    a, b, c, d = (np.where(t.present, cell, 1.0) for cell in t.corrected())
    variance = 1 / a + 1 / b + 1 / c + 1 / d
    return observed_studies(np.log(a * d / (b * c)), variance, t.present & ~t.double_zero)


def _edges(
    tables: Tables, own: Studies, model: TwoArmsModel
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the studies that push to the ends; a lone study is judged by its own table."""
    low, high = MODELS[model].edges(tables)
    own_low, own_high = FixedStudyEffects.edges(tables)
    lone = (own.k == 1)[:, None] & (model == "unconditional-random")
    return np.where(lone, own_low, low), np.where(lone, own_high, high)


def _status(
    low: NDArray[np.bool_], high: NDArray[np.bool_], own: Studies, method: BinomialMethod
) -> NDArray[np.str_]:
    there = own.present > 0
    at_low, at_high = (low | ~there).all(axis=1), (high | ~there).all(axis=1)
    conditions = {
        "no-information": own.k == 0,
        "zero": at_low & ~at_high,
        "infinite": at_high & ~at_low,
        "one-study": own.k == 1,
        "all-or-none": (low | high | ~there).all(axis=1) & (method == "ML"),
    }
    return np.select(list(conditions.values()), list(conditions), "fitted").astype("<U14")


def _fitted(
    tables: Tables, own: Studies, model: TwoArmsModel, method: BinomialMethod, nodes: int
) -> dict[str, Any]:
    """Return estimates where there are any, the status, and the heterogeneity statistics."""
    status = _status(*_edges(tables, own, model), own, method)
    names = ("estimate", "se", "tau2", "sigma2", "log_likelihood", "aic", "ratio", "wald")
    values: dict[str, Any] = {name: np.full(len(status), np.nan) for name in names}
    values["estimate"][status == "zero"], values["estimate"][status == "infinite"] = -np.inf, np.inf
    lone = np.flatnonzero(status == "one-study")
    if len(lone):
        alone = FixedStudyEffects if model == "unconditional-random" else MODELS[model]
        fit = alone(tables.rows(lone), nodes).common()
        values["estimate"][lone], values["se"][lone] = fit.effect, np.sqrt(fit.variance)
    kind = MODELS[model]
    numbers = len(TAUS) * kind.numbers(tables) * nodes ** kind.model.spread.shape[1]
    for rows in blocks(np.flatnonzero(status == "fitted"), numbers):
        likelihood = kind(tables.rows(rows), nodes)
        found, converged = _maximum(likelihood, own.take(rows), method)
        for name, value in found.items():
            values[name][rows] = np.where(converged, value, np.nan)
        status[rows[~converged]] = "not-converged"
    return values | {"status": status}


def _maximum(
    likelihood: TwoArmModel, own: Studies, method: BinomialMethod
) -> tuple[dict[str, FloatArray], NDArray[np.bool_]]:
    """Return the fit and where it converged; that of one effect where none varying is better."""
    common = likelihood.common()
    apart, wald = likelihood.apart()
    found = {
        "estimate": common.effect,
        "se": np.sqrt(common.variance),
        "tau2": np.zeros_like(common.effect),
        "sigma2": common.sigma2,
        "log_likelihood": common.height,
    }
    converged = common.ended
    if method == "ML":
        marginal = Marginal.of(likelihood.kernel, likelihood.model, likelihood.nodes)
        weight = own.present / (own.variance + TAUS[:, None, None] ** 2)
        effects = Weighted.of(own.estimate, weight).mean
        taus = np.broadcast_to(TAUS[:, None], effects.shape)
        top, ended = ascend(marginal, best_start(marginal, likelihood.starts(effects, taus)))
        better = top.height > common.height + GAIN * (1 + np.abs(common.height))
        variance = np.where(better, top.variance(), 1.0)
        converged = converged & ended & np.isfinite(variance)
        risen = {
            "estimate": top.place[0, :, 0],
            "se": np.sqrt(variance),
            "tau2": top.place[1, :, 0] ** 2,
            "log_likelihood": top.height,
        }
        if likelihood.model.spread.shape[1] > 1:
            risen["sigma2"] = top.place[3, :, 0] ** 2
        found |= {name: np.where(better, value, found[name]) for name, value in risen.items()}
    found["log_likelihood"] = found["log_likelihood"] + likelihood.constant
    count = likelihood.parameters + (2 if method == "ML" else 1)
    found["aic"] = 2 * count - 2 * found["log_likelihood"]
    return found | {"ratio": 2 * (apart - common.height), "wald": wald}, converged


def _intervals(
    values: dict[str, FloatArray], df: FloatArray, level: float, *, random: bool
) -> dict[str, FloatArray]:
    estimate, se = values["estimate"], values["se"]
    half = critical_value(level, df)
    with np.errstate(invalid="ignore"):
        wide = half * np.sqrt(se**2 + (values["tau2"] if random else np.nan))
        statistic = np.where(np.isnan(se), np.nan, estimate / se)
    inside = np.where(np.isnan(se), np.nan, estimate)
    return {
        "df": df,
        "statistic": statistic,
        "p_value": two_sided_p(statistic, df),
        "ci_low": inside - half * se,
        "ci_high": inside + half * se,
        "pi_low": inside - wide,
        "pi_high": inside + wide,
    }
