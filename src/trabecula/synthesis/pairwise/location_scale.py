"""Location-scale models: moderators of the effect, and of how much studies differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import FloatArray, IntArray, confidence_level, require_option
from trabecula.synthesis.pairwise.likelihood import Criteria
from trabecula.synthesis.pairwise.meta_regression import criteria
from trabecula.synthesis.pairwise.moderators import Design
from trabecula.synthesis.pairwise.projection import Projection
from trabecula.synthesis.pairwise.regression_text import (
    COEFFICIENT,
    coefficient_rows,
    coefficient_sentence,
)
from trabecula.synthesis.pairwise.scale_ascent import climb
from trabecula.synthesis.pairwise.wald import (
    OmnibusTest,
    Test,
    Wald,
    omnibus_p,
    omnibus_statistic,
)
from trabecula.synthesis.result import Json, Result, frozen, shaped

ScaleMethod = Literal["ML", "REML"]
"""*REML*: restricted maximum likelihood; *ML*: maximum likelihood."""


@dataclass(frozen=True, slots=True, eq=False)
class LocationScaleFit(Result):
    """Coefficients of the effect and of the logarithm of the between-study variance.

    Arrays have the leading axes of the data; those about coefficients have the columns
    (``names`` or ``scale_names``) as a last axis, ``tau2`` the studies (NaN for missing ones).
    ``df`` and ``scale_df`` are ``inf`` where the tests are normal.

    Where the likelihood only rises as variances run off to 0 there is no maximum:
    ``converged`` is false, the fields about the scale are NaN, and ``tau2`` and the
    coefficients of the effect are those of the limit.
    """

    method: ScaleMethod
    test: Test
    level: float
    names: tuple[str, ...]
    scale_names: tuple[str, ...]
    intercept: bool
    scale_intercept: bool
    k: IntArray
    converged: NDArray[np.bool_]
    coefficients: FloatArray
    se: FloatArray
    covariance: FloatArray
    statistic: FloatArray
    df: FloatArray
    p_value: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    qm: FloatArray
    qm_df: IntArray
    qm_p_value: FloatArray
    scale_coefficients: FloatArray
    scale_se: FloatArray
    scale_covariance: FloatArray
    scale_statistic: FloatArray
    scale_df: FloatArray
    scale_p_value: FloatArray
    scale_ci_low: FloatArray
    scale_ci_high: FloatArray
    qs: FloatArray
    qs_df: IntArray
    qs_p_value: FloatArray
    tau2: FloatArray
    ml: Criteria
    reml: Criteria

    @property
    def likelihood(self) -> Criteria:
        """The fit criteria that belong to the method: restricted for REML."""
        return self.reml if self.method == "REML" else self.ml

    def rows(self) -> list[dict[str, Json]]:
        """Return one record a coefficient; `ValueError` for several data sets."""
        self.require_one("a table")
        table = self.to_dict()
        location = coefficient_rows(table, self.names)
        scale = coefficient_rows(table, self.scale_names, "scale_")
        parts: tuple[tuple[Json, list[dict[str, Json]]], ...]
        parts = (("location", location), ("scale", scale))
        return [{"part": part, **row} for part, rows in parts for row in rows]

    def summary(self) -> str:
        """Return the result in sentences a paper could print; `ValueError` for several sets."""
        self.require_one()
        text = [f"Location-scale model of {self.k:.0f} studies ({self.method})."]
        text += self._coefficients("", self.names, self.df)
        if not self.converged:
            text.append(
                "The likelihood only rises as between-study variances run off to 0: no "
                "coefficients of their logarithm can be estimated."
            )
            return " ".join(text)
        text.append("Logarithm of the between-study variance:")
        text += self._coefficients("scale_", self.scale_names, self.scale_df)
        if self.scale_intercept and len(self.scale_names) == 1:
            return " ".join(text)  # that a variance is 1 is no hypothesis
        names = self.scale_names[int(self.scale_intercept) :]
        qs = OmnibusTest(
            names, self.qs, frozen(self.qs_df.astype(float)), self.scale_df, self.qs_p_value
        )
        text.append(f"Scale moderators together: {qs.summary()}.")
        return " ".join(text)

    def _coefficients(self, prefix: str, names: tuple[str, ...], df: FloatArray) -> list[str]:
        values = np.stack([getattr(self, prefix + field) for field in COEFFICIENT], axis=-1)
        rows: list[list[float]] = values.tolist()
        return [
            coefficient_sentence(name, self.level, row, float(df))
            for name, row in zip(names, rows, strict=True)
        ]


def location_scale(
    estimate: ArrayLike,
    variance: ArrayLike,
    moderators: ArrayLike | None,
    scale: ArrayLike | None,
    *,
    names: Sequence[str] | None = None,
    scale_names: Sequence[str] | None = None,
    intercept: bool = True,
    scale_intercept: bool = True,
    method: ScaleMethod = "REML",
    test: Test = "knapp-hartung",
    level: float = 0.95,
) -> LocationScaleFit:
    """Return the model in which the between-study variance has moderators too, by data set.

    Parameters
    ----------
    estimate, variance, moderators, names, intercept, level
        As in `meta_regression`.
    scale, scale_names, scale_intercept
        The moderators of the logarithm of the between-study variance, in the same form.
    method
        Which likelihood is maximised.
    test
        How intervals and p-values are formed, as in `meta_regression`; those of the scale
        coefficients are normal for *z* and t with k minus their number otherwise.

    Raises
    ------
    ValueError
        As in `meta_regression`, for both sets of moderators; if there are not more studies
        than coefficients of both kinds.
    ArithmeticError
        If the search for the maximum does not end.

    Notes
    -----
    Viechtbauer and López-López (2022), Res Synth Methods 13:697-715. Standard errors of the
    scale coefficients come from the curvature of the likelihood at its maximum.

    Examples
    --------
    >>> y, x = [0.1, 0.2, 0.0, 0.3, -0.8, 1.1, 0.6, -1.2], [0, 0, 0, 0, 1, 1, 1, 1]
    >>> fit = location_scale(y, [0.01] * 8, None, x, scale_names=["late"], test="z")
    >>> f"{fit.scale_coefficients[1]:.2f} (SE {fit.scale_se[1]:.2f})"
    '4.97 (SE 2.17)'
    """
    require_option("method", method, get_args(ScaleMethod))
    require_option("test", test, get_args(Test))
    level = confidence_level(level)
    design = Design.read(estimate, variance, moderators, names, intercept=intercept)
    spread = Design.read(
        estimate, variance, scale, scale_names, intercept=scale_intercept, argument="scale"
    )
    if design.shape != spread.shape:
        raise ValueError(
            "moderators and scale must have the same leading axes, or none; "
            f"got {design.shape} and {spread.shape}"
        )
    _enough(design, spread)
    peak = climb(design, spread, restricted=method == "REML")
    total = design.variance + peak.tau2
    fit = Projection.of(design.matrix, design.estimate, design.present / total)
    df = np.full_like(design.k, np.inf) if test == "z" else spread.df
    wald = Wald(peak.coefficients, peak.covariance, np.ones_like(df), df)
    values = {"k": design.k.astype(np.int64), "converged": peak.converged}
    values |= _part(Wald.of(design, fit, test), design.tested, level, "", "qm")
    values |= _part(wald, spread.tested, level, "scale_", "qs")
    values["tau2"] = np.where(design.present > 0, peak.tau2, np.nan)
    parameters = design.p + spread.p
    return LocationScaleFit(
        method=method,
        test=test,
        level=level,
        names=design.names,
        scale_names=spread.names,
        intercept=intercept,
        scale_intercept=scale_intercept,
        ml=criteria(design, fit, total, parameters, restricted=False),
        reml=criteria(design, fit, total, parameters, restricted=True),
        **shaped(values, design.shape),
    )


def _enough(design: Design, spread: Design) -> None:
    needed = design.p + spread.p
    if (design.k <= needed).any():
        raise ValueError(
            f"{int(design.k.min())} studies cannot carry {design.p} coefficients of the effect "
            f"and {spread.p} of the scale: at least {needed + 1} are needed, use fewer moderators"
        )


def _part(
    wald: Wald, tested: tuple[int, ...], level: float, prefix: str, omnibus: str
) -> dict[str, Any]:
    low, high = wald.intervals(level)
    statistic = omnibus_statistic(wald.coefficients, wald.covariance, tested, wald.df)
    values = {
        "coefficients": wald.coefficients,
        "se": wald.se,
        "covariance": wald.covariance,
        "statistic": wald.statistic,
        "df": wald.df,
        "p_value": wald.p_values(),
        "ci_low": low,
        "ci_high": high,
    }
    return {prefix + name: value for name, value in values.items()} | {
        omnibus: statistic,
        f"{omnibus}_df": np.full(len(statistic), len(tested), dtype=np.int64),
        f"{omnibus}_p_value": omnibus_p(statistic, len(tested), wald.df),
    }
