"""PET-PEESE: the estimate of an infinitely precise study, by one of two regressions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import LEVEL, FloatArray, IntArray, one_number
from trabecula.synthesis.distributions import two_sided_p
from trabecula.synthesis.pairwise.regression_heterogeneity import Method
from trabecula.synthesis.pairwise.wald import Test, ratio
from trabecula.synthesis.result import Result, frozen
from trabecula.synthesis.small_study.refusal import MINIMUM_STUDIES, NOT_BIAS
from trabecula.synthesis.small_study.regression_test import (
    RegressionModel,
    RegressionTest,
    regression_test,
)
from trabecula.synthesis.studies import Studies
from trabecula.synthesis.text import decimals, interval, number, p_value, percent

THRESHOLD = 0.10
"""Two-sided p-value of the PET estimate below which PEESE is used, if the sign is that of the mean:
5 % one-sided (Stanley 2017). A larger one uses PEESE more often, which overstates small effects."""


@dataclass(frozen=True, slots=True, eq=False)
class PetPeese(Result):
    """The limit estimate of PET or PEESE, and both regressions.

    ``estimate`` to ``ci_high`` are those of PEESE where ``uses_peese``, else of PET.
    ``pet_p_value`` tests the PET estimate against 0 (two-sided), NaN without a standard error.
    PEESE is used where that is below ``threshold`` and the PET estimate has the sign of the
    common-effect mean.
    """

    level: float
    threshold: float
    k: IntArray
    estimate: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    pet_p_value: FloatArray
    uses_peese: NDArray[np.bool_]
    pet: RegressionTest
    peese: RegressionTest

    def summary(self) -> str:
        """Return the estimate in sentences; `ValueError` for the results of several data sets."""
        self.require_one()
        places = decimals(float(self.se))
        limits = interval(float(self.ci_low), float(self.ci_high), places)
        chosen = "PEESE" if self.uses_peese else "PET"
        relation = "below" if self.pet_p_value < self.threshold else "not below"
        if relation == "below" and not self.uses_peese:
            relation = "the other sign than the mean, below"
        reason = f"has {p_value(float(self.pet_p_value))}, {relation} {self.threshold:g}"
        if np.isnan(self.pet_p_value):
            reason = "lies on the line exactly and cannot be tested"
        return (
            f"PET-PEESE ({self.k:.0f} studies): {number(float(self.estimate), places)} "
            f"({percent(self.level)} CI {limits}) by {chosen}, since the PET estimate "
            f"{reason}. The interval does "
            f"not know of this choice. {NOT_BIAS}"
        )


def pet_peese(
    estimate: ArrayLike,
    variance: ArrayLike,
    *,
    model: RegressionModel = "weighted-regression",
    method: Method = "REML",
    test: Test = "z",
    threshold: float = THRESHOLD,
    level: float = 0.95,
    minimum_studies: int = MINIMUM_STUDIES,
) -> PetPeese:
    """Return the estimate as the standard error goes to 0, on a line or on a parabola.

    PET regresses estimates on standard errors, PEESE on variances. PEESE is used where the PET
    estimate lies clearly on the side of the mean, PET where it could be 0 or has crossed it.

    Parameters
    ----------
    estimate, variance
        Arrays (..., studies) that broadcast; NaN marks a missing study.
    model, method, test
        As for `regression_test`; the default is weighted least squares.
    threshold
        P-value of the PET estimate below which PEESE is used.
    level
        Confidence level of all limits.
    minimum_studies
        Fewest studies; at least 3.

    Raises
    ------
    TooFewStudies
        If a data set has fewer.
    SimilarStandardErrors
        If the studies of a data set are all about equally precise.

    Notes
    -----
    Stanley and Doucouliagos (2014), Res Synth Methods 5:60-78. Stanley (2017), Soc Psychol Personal
    Sci 8:581-591: not to be relied on with few studies, large heterogeneity, or only small studies.

    Examples
    --------
    >>> se = [0.1, 0.12, 0.15, 0.2, 0.22, 0.25, 0.3, 0.32, 0.4, 0.5]
    >>> y = [0.1, 0.12, 0.08, 0.2, 0.05, 0.4, 0.5, 0.6, 0.8, 1.1]
    >>> fit = pet_peese(y, [s * s for s in se])
    >>> f"{fit.estimate:.2f} ({fit.ci_low:.2f} to {fit.ci_high:.2f})"
    '-0.16 (-0.32 to 0.00)'
    """
    threshold = one_number("threshold", threshold, LEVEL)
    pet, peese = (
        regression_test(
            estimate,
            variance,
            model=model,
            predictor=predictor,
            method=method,
            test=test,
            level=level,
            minimum_studies=minimum_studies,
        )
        for predictor in ("standard-error", "variance")
    )
    p = two_sided_p(ratio(pet.intercept, pet.intercept_se), pet.df)
    studies = Studies.read(estimate, variance)
    mean = studies.origin + studies.weighted(np.zeros_like(studies.k)).mean
    same_side = pet.intercept * mean.reshape(studies.shape) > 0
    better = np.asarray((p < threshold) & same_side)

    def chosen(name: str) -> FloatArray:
        values: FloatArray = frozen(np.where(better, getattr(peese, name), getattr(pet, name)))
        return values

    return PetPeese(
        level=pet.level,
        threshold=threshold,
        k=pet.k,
        estimate=chosen("intercept"),
        se=chosen("intercept_se"),
        ci_low=chosen("limit_ci_low"),
        ci_high=chosen("limit_ci_high"),
        pet_p_value=frozen(p),
        uses_peese=frozen(better),
        pet=pet,
        peese=peese,
    )
