"""Multilevel meta-analysis: true effects that differ at several nested or crossed levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.dependent.estimation import (
    CoefficientTest,
    DegreesOfFreedom,
    LikelihoodMethod,
    Maximum,
    Options,
    fit_fields,
    groups_present,
)
from trabecula.synthesis.dependent.linear import (
    CoefficientPrediction,
    LinearFit,
    closing_sentences,
    coefficient_sentence,
    design_at,
)
from trabecula.synthesis.dependent.marginal import Component
from trabecula.synthesis.dependent.partition import codes_of, nested
from trabecula.synthesis.dependent.profile import profile_intervals
from trabecula.synthesis.dependent.rows import Rows, row_axis, with_moderators
from trabecula.synthesis.dependent.sampling import BlockCovariance, Labels
from trabecula.synthesis.dependent.structures import Quadratic
from trabecula.synthesis.pairwise.moderators import INTERCEPT
from trabecula.synthesis.result import Json
from trabecula.synthesis.text import decimals, interval, number, percent

SEPARABLE = 1e-8
"""Variances whose information matrix, scaled to a unit diagonal, has an eigenvalue below this
cannot be told apart by any data of this layout."""


@dataclass(frozen=True, slots=True, eq=False)
class MultilevelFit(LinearFit):
    """A `LinearFit` with the variance of true effects at each level.

    Arrays of levels have ``levels`` as their last axis: ``groups`` of each, ``sigma2`` with its
    profile-likelihood interval and ``i2``, the percentage of the total variance that lies there.
    """

    levels: tuple[str, ...]
    groups: IntArray
    sigma2: FloatArray
    sigma2_ci_low: FloatArray
    sigma2_ci_high: FloatArray
    i2: FloatArray

    def predict(self, at: ArrayLike | None = None) -> CoefficientPrediction:
        """Return the mean effect at moderators `at` (..., moderators), and that of a new group.

        The prediction interval is for a true effect that is new at every level. One data set.
        """
        self.require_one()
        return self.predicted(design_at(self, at, [1.0]), self.sigma2.sum(axis=-1))

    def level_rows(self) -> list[dict[str, Json]]:
        """Return one row a level, for one data set."""
        self.require_one()
        fields = ("groups", "sigma2", "sigma2_ci_low", "sigma2_ci_high", "i2")
        columns = {f: getattr(self, f).tolist() for f in fields}
        return [
            {"level": n} | {f: columns[f][i] for f in fields} for i, n in enumerate(self.levels)
        ]

    def summary(self) -> str:
        """Return the result in sentences a paper could print; digits follow the standard error."""
        self.require_one()
        return " ".join(_sentences(self))


def multilevel(
    estimate: ArrayLike,
    variance: ArrayLike | BlockCovariance,
    levels: Mapping[str, Labels],
    *,
    moderators: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    crossed: bool = False,
    method: LikelihoodMethod = "REML",
    test: CoefficientTest = "t",
    df: DegreesOfFreedom = "residual",
    level: float = 0.95,
) -> MultilevelFit:
    """Return coefficients and the variance of true effects at each level.

    Parameters
    ----------
    estimate
        Effect estimates (..., rows); leading axes are data sets of one layout. NaN marks a
        missing row.
    variance
        Sampling variances (..., rows), or sampling covariances: a matrix (..., rows, rows) or a
        `BlockCovariance`, for instance of `impute_covariance`.
    levels
        Labels of each grouping, outermost first: ``{"study": ..., "estimate": ...}`` is the
        three-level model. A label counts within the groups of the levels before it.
    moderators, names
        Known values (rows, moderators) and what they are called. There is always an intercept.
    crossed
        Whether labels of a level mean the same group whatever the levels before it.
    method
        Likelihood that the variances maximise.
    test, df
        Distribution of the tests and its degrees of freedom. *contain* is more cautious for
        what differs between few outer groups.
    level
        Confidence level of all intervals.

    Raises
    ------
    ValueError
        If an argument is out of range, the moderators are collinear, or the layout cannot tell
        a variance from the others or from the coefficients.

    Notes
    -----
    Konstantopoulos (2011), Res Synth Methods 2:61-76, and Cheung (2014), Psychol Methods
    19:211-229, for the three-level model.

    Examples
    --------
    >>> study = ["a", "a", "b", "b", "c", "c"]
    >>> fit = multilevel(
    ...     [0.1, 0.3, 0.6, 0.7, 0.2, 0.5], [0.02] * 6, {"study": study, "estimate": range(6)}
    ... )
    >>> f"{fit.coefficients[0]:.2f}, {fit.sigma2[0]:.3f} between studies"
    '0.40, 0.041 between studies'
    """
    options = Options.read(method, test, df, level)
    count = row_axis(estimate).shape[-1]
    design = with_moderators(np.ones((count, 1)), [INTERCEPT], moderators, names)
    rows = Rows.read(estimate, variance, design)
    model = NestedLevels(tuple(levels), _groups(levels, count, crossed))
    return MultilevelFit(
        method=options.method,
        test=options.test,
        df_method=options.df,
        level=options.level,
        names=design.names,
        levels=model.names,
        **fit_fields(rows, model, options),
    )


@dataclass(frozen=True, slots=True, eq=False)
class NestedLevels:
    """Independent true effects of the groups at each level."""

    names: tuple[str, ...]
    groups: tuple[IntArray, ...]

    @property
    def components(self) -> tuple[Component, ...]:
        """One component a level."""
        one = np.zeros((1, 1), dtype=np.int64)
        return tuple(Component(code, np.zeros_like(code), one) for code in self.groups)

    @property
    def structure(self) -> Quadratic:
        """One variance a level."""
        return Quadratic.independent(len(self.names))

    def starts(self, sets: int) -> list[FloatArray]:
        """Return standard deviations equal at all levels, nearly all at one, hardly any."""
        n = len(self.names)
        shares = [np.full(n, 1 / n), np.full(n, 0.01 / n)]
        if n > 1:
            shares += list(np.full((n, n), 0.05 / (n - 1)) + np.diag(np.full(n, 0.95)))
        return [np.sqrt(np.tile(share, (sets, 1))) for share in shares]

    def require_separable(self, information: FloatArray, k: FloatArray) -> None:
        """Raise `ValueError` if a level has no variance of its own."""
        size = np.sqrt(np.maximum(np.diagonal(information, axis1=1, axis2=2), 0.0))
        lost = size < SEPARABLE * k[:, None]
        if lost.any():
            at = int(np.argwhere(lost)[0][1])
            raise ValueError(
                f"the variance of level {self.names[at]!r} cannot be told from the coefficients: "
                f"it has {int(self.groups[at].max()) + 1} groups; leave the level out"
            )
        bend, axes = np.linalg.eigh(information / size[:, :, None] / size[:, None, :])
        if (bend[:, 0] < SEPARABLE).any():
            share = np.abs(axes[int(np.argmin(bend[:, 0])), :, 0])
            same = [repr(n) for n, w in zip(self.names, share, strict=True) if w > 0.1]
            raise ValueError(
                f"the variances of levels {', '.join(same)} cannot be told apart: their groups "
                "are the same; keep one of them"
            )

    def finish(self, found: Maximum, level: float) -> dict[str, Any]:
        """Return variances with intervals, shares of the total, and numbers of groups."""
        rows = found.rows
        peak = found.peak
        low, high = profile_intervals(found.hill, peak, level)
        trace = found.hill.likelihood.projection_trace(found.sampling)
        typical = (rows.k - len(rows.design.names)) / trace
        total = peak.natural.sum(axis=1) + typical
        unit2 = rows.unit[:, None] ** 2
        return {
            "groups": np.stack([groups_present(rows, code) for code in self.groups], axis=1),
            "sigma2": peak.natural * unit2,
            "sigma2_ci_low": low * unit2,
            "sigma2_ci_high": high * unit2,
            "i2": 100 * peak.natural / total[:, None],
        }


def _groups(levels: Mapping[str, Labels], rows: int, crossed: bool) -> tuple[IntArray, ...]:
    if not levels:
        raise ValueError("levels must name at least one grouping, outermost first")
    codes = [codes_of(f"levels[{name!r}]", labels, rows)[1] for name, labels in levels.items()]
    if not crossed:
        for i in range(1, len(codes)):
            codes[i] = nested(codes[i - 1], codes[i])
    return tuple(codes)


def _sentences(fit: MultilevelFit) -> list[str]:
    counts = ", ".join(f"{g} × {n}" for g, n in zip(fit.groups, fit.levels, strict=True))
    head = f"Multilevel meta-analysis of {fit.k} estimates ({counts}; {fit.method})"
    shown = [_level_text(fit, i) for i in range(len(fit.levels))]
    sentences = [coefficient_sentence(fit, head)]
    sentences.append(f"Variance of true effects: {'; '.join(shown)}.")
    sentences += closing_sentences(fit)
    if len(fit.names) == 1:
        predicted, places = fit.predict(), decimals(float(fit.se[0]))
        limits = interval(float(predicted.pi_low), float(predicted.pi_high), places)
        sentences.insert(2, f"{percent(fit.level)} prediction interval {limits}.")
    return sentences


def _level_text(fit: MultilevelFit, i: int) -> str:
    low, high = float(fit.sigma2_ci_low[i]), float(fit.sigma2_ci_high[i])
    places = decimals((high - low) / 4)  # about a standard error
    return (
        f"{fit.levels[i]} σ² = {number(float(fit.sigma2[i]), places)} "
        f"({percent(fit.level)} CI {interval(low, high, places)}; I² = {fit.i2[i]:.0f} %)"
    )
