"""Ranks of treatments with their uncertainty, never without the estimates behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from scipy import special

from trabecula.synthesis.arguments import FloatArray, require_option
from trabecula.synthesis.network.network_meta_analysis import NetworkFit, SmallValues
from trabecula.synthesis.result import Json, Result, shaped
from trabecula.synthesis.text import decimals, interval, number, percent

SCRAMBLES = 8
"""Independent point sets; the spread between them is the error of the probabilities."""

FEW = 12
"""Up to so many treatments each is integrated exactly given the others, which costs the square of
their number but is more exact for the same time; beyond, ranks are counted."""

POINTS = 2048
"""Points of each set for few treatments: errors are 1e-4 for four and 1e-3 for ten."""

MANY_POINTS = 16384
"""Points of each set where ranks are counted: errors of 1e-3."""

SEED = 20190501
"""Default seed of the point sets; any other gives the same probabilities but for their error."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking(Result):
    """How the treatments (..., treatments) rank, rank 1 being best.

    ``p_score`` is the mean probability of being better than another treatment; the surface under
    the cumulative ranking curve (``sucra``) is the same number. ``mean_rank`` follows from it.
    ``rank_probability`` (..., treatments, ranks) has rows that sum to 1; ``error`` is its largest
    standard error by quasi-Monte Carlo. ``estimate``, ``ci_low`` and ``ci_high`` are against
    ``reference``.
    """

    treatments: tuple[str, ...]
    reference: str
    small_values: SmallValues
    level: float
    seed: int
    error: FloatArray
    p_score: FloatArray
    mean_rank: FloatArray
    rank_probability: FloatArray
    estimate: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray

    @property
    def sucra(self) -> FloatArray:
        """The surface under the cumulative ranking curve, exactly the P-score.

        Rücker and Schwarzer (2015), BMC Med Res Methodol 15:58.
        """
        return self.p_score

    def rows(self) -> list[dict[str, Json]]:
        """Return one record a treatment, best first: ranks beside the estimate they stand on."""
        self.require_one("a table")
        names = ("p_score", "mean_rank", "estimate", "ci_low", "ci_high")
        return [
            {
                "treatment": self.treatments[i],
                **{name: float(getattr(self, name)[i]) for name in names},
                "against": self.reference,
                "rank_probability": self.rank_probability[i].tolist(),
            }
            for i in np.argsort(-self.p_score, kind="stable")
        ]

    def summary(self) -> str:
        """Return the order with estimates and intervals; it says how sure the first rank is."""
        rows = self.rows()
        parts = []
        for row in rows:
            low, high = float(row["ci_low"]), float(row["ci_high"])  # type: ignore[arg-type]
            places = decimals((high - low) / 4)
            value = number(float(row["estimate"]), places)  # type: ignore[arg-type]
            score = number(float(row["p_score"]), 2)  # type: ignore[arg-type]
            against = (
                "the reference"
                if row["treatment"] == self.reference
                else f"{value}, {interval(low, high, places)}"
            )
            parts.append(f"{row['treatment']} {score} ({against})")
        best = self.treatments.index(str(rows[0]["treatment"]))
        sure = float(self.rank_probability[best, 0])
        return (
            f"P-scores, with estimates against {self.reference} and {percent(self.level)} CI: "
            f"{'; '.join(parts)}. {rows[0]['treatment']} is best with probability "
            f"{number(sure, 2)}; ranks say nothing about the size of differences or their "
            "certainty."
        )


def p_scores(fit: NetworkFit, *, small_values: SmallValues | None = None) -> FloatArray:
    """Return the P-score of each treatment (..., treatments): 1 surely best, 0 surely worst.

    Parameters
    ----------
    fit
        A network meta-analysis; where its test is not normal, neither is the score.
    small_values
        Whether small values are *desirable* or *undesirable*; that of the fit if not given.

    Raises
    ------
    ValueError
        If neither says which values are desirable.

    Notes
    -----
    Rücker and Schwarzer (2015), BMC Med Res Methodol 15:58.
    """
    sign = -1.0 if _direction(fit, small_values) == "desirable" else 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        statistic = np.nan_to_num(sign * fit.estimate / fit.se)
    df = fit.df[..., None, None]
    usable = np.where(np.isfinite(df), df, 1.0)
    better = np.where(np.isinf(df), special.ndtr(statistic), special.stdtr(usable, statistic))
    others = len(fit.treatments) - 1
    scores: FloatArray = (better.sum(axis=-1) - 0.5) / others
    return scores


def ranking(
    fit: NetworkFit, *, small_values: SmallValues | None = None, seed: int = SEED
) -> Ranking:
    """Return P-scores, mean ranks and the probability of each rank of each treatment.

    The probabilities come from the joint normal (or t) distribution of the effects by scrambled
    Sobol points; up to twelve treatments, each one is integrated exactly given the others. `seed`
    changes them by about ``error``.

    Parameters
    ----------
    fit
        A network meta-analysis.
    small_values
        Whether small values are *desirable* or *undesirable*; that of the fit if not given.
    seed
        Seed of the point sets.

    Raises
    ------
    ValueError
        If nothing says which values are desirable.

    Notes
    -----
    Salanti, Ades and Ioannidis (2011), J Clin Epidemiol 64:163-171, for rankograms and SUCRA.
    Ranks hide how large and how certain differences are (Chaimani et al., Cochrane Handbook,
    chapter 11): report them with the estimates, as `Ranking.rows` does.
    """
    direction = _direction(fit, small_values)
    if not np.trace(fit.covariance, axis1=-2, axis2=-1).all():
        raise ValueError(
            "the effects of this fit have no uncertainty (all estimates agree exactly and the test "
            "is knapp-hartung): rank them with the test z"
        )
    scores = p_scores(fit, small_values=direction)
    size = len(fit.treatments)
    column = fit.treatments.index(fit.reference)
    flat = {
        "effect": fit.effect.reshape(-1, size) * (1 if direction == "desirable" else -1),
        "covariance": fit.covariance.reshape(-1, size, size),
        "df": np.atleast_1d(fit.df).ravel(),
    }
    sets = zip(flat["effect"], flat["covariance"], flat["df"], strict=True)
    found = [rank_probabilities(*one, seed) for one in sets]
    values: dict[str, Any] = {
        "error": np.array([error for _, error in found]),
        "p_score": scores.reshape(-1, size),
        "mean_rank": size - (size - 1) * scores.reshape(-1, size),
        "rank_probability": np.array([probability for probability, _ in found]),
    }
    for name in ("estimate", "ci_low", "ci_high"):
        values[name] = getattr(fit, name)[..., column].reshape(-1, size)
    return Ranking(
        treatments=fit.treatments,
        reference=fit.reference,
        small_values=direction,
        level=fit.level,
        seed=seed,
        **shaped(values, fit.shape),
    )


def _direction(fit: NetworkFit, small_values: SmallValues | None) -> SmallValues:
    direction = small_values or fit.small_values
    if direction is None:
        raise ValueError(
            "small_values must say whether small values are desirable or undesirable: "
            "without it treatments cannot be ranked"
        )
    require_option("small_values", direction, get_args(SmallValues))
    return direction


def rank_probabilities(
    effect: FloatArray, covariance: FloatArray, df: float, seed: int
) -> tuple[FloatArray, float]:
    """Return the probability (treatments, ranks) of each rank by smallest value, and its error.

    The precision matrix of effects known up to their mean gives the distribution of each one
    given the others; its rows sum to 0.
    """
    size = len(effect)
    scale = np.trace(covariance) / size
    precision = np.linalg.inv(covariance / scale + 1 / size) - 1 / size
    values, vectors = np.linalg.eigh(covariance)
    factor = vectors[:, ::-1] * np.sqrt(np.maximum(values[::-1], 0.0))
    spread = np.sqrt(scale / np.diagonal(precision))
    parts = []
    for points, stretch in _point_sets(size - 1, df, seed):
        deviation = stretch * (points @ factor[:, :-1].T)
        if size > FEW:
            parts.append(_counted(effect + deviation))
            continue
        centre = effect + deviation - (deviation @ precision) / np.diagonal(precision)
        parts.append(_given_others(effect + deviation, centre, stretch * spread))
    table = np.array(parts)
    error = table.std(axis=0, ddof=1).max() / np.sqrt(SCRAMBLES)
    return table.mean(axis=0), float(error)


def _point_sets(dimensions: int, df: float, seed: int) -> list[tuple[FloatArray, FloatArray]]:
    """Return sets of normal points (points, dimensions) with the stretch (points, 1) of a t."""
    from scipy.stats import qmc

    sets = []
    size = POINTS if dimensions < FEW else MANY_POINTS
    finite = bool(np.isfinite(df))
    for stream in np.random.SeedSequence(seed).spawn(SCRAMBLES):
        sobol = qmc.Sobol(dimensions + finite, rng=np.random.default_rng(stream))
        uniform = np.clip(sobol.random(size), 1e-12, 1 - 1e-12)
        stretch = np.ones((size, 1))
        if finite:
            stretch = np.sqrt(df / 2 / special.gammaincinv(df / 2, uniform[:, -1:]))
        sets.append((special.ndtri(uniform[:, :dimensions]), stretch))
    return sets


def _counted(value: FloatArray) -> FloatArray:
    """Return how often (treatments, ranks) each of the values (points, treatments) has a rank."""
    points, size = value.shape
    cell = value.argsort(axis=1) * size + np.arange(size)
    counts = np.bincount(cell.ravel(), minlength=size**2).reshape(size, size)
    share: FloatArray = counts / points
    return share


def _given_others(value: FloatArray, centre: FloatArray, spread: FloatArray) -> FloatArray:
    """Return mean probabilities (treatments, ranks) that each value falls between the others."""
    size = value.shape[1]
    table = np.empty((size, size))
    for i in range(size):
        others = np.sort(np.delete(value, i, axis=1), axis=1)
        below = special.ndtr((others - centre[:, i : i + 1]) / spread[:, i : i + 1])
        steps = np.diff(below, axis=1, prepend=0.0, append=1.0)
        table[i] = steps.mean(axis=0)
    return table
