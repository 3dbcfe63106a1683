"""Inverse-variance pooling of study estimates, with or without between-study variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import (
    SIZE,
    FloatArray,
    IntArray,
    confidence_level,
    numbers,
    require,
    require_option,
)
from trabecula.synthesis.pairwise.heterogeneity import Method
from trabecula.synthesis.pairwise.likelihood import Criteria
from trabecula.synthesis.pairwise.random_effects_numbers import (
    Model,
    Prediction,
    Tau2Interval,
    Test,
    numbers_of,
)
from trabecula.synthesis.pairwise.random_effects_text import one_study, sentences
from trabecula.synthesis.result import Result, shaped
from trabecula.synthesis.studies import Studies

GENERALISED = ("GENQ", "GENQ-median")
"""Methods with weights of their own."""


@dataclass(frozen=True, slots=True, eq=False)
class RandomEffectsFit(Result):
    """A pooled estimate with its uncertainty and the heterogeneity behind it.

    All arrays have the leading axes of the data (none for one data set); ``weights`` has the
    studies as a further, last axis, sums to 100 and is NaN for missing studies. ``i2`` is in
    percent. ``df`` is ``inf`` where the test is normal.

    A single study is passed through with a normal interval: nothing about heterogeneity can
    be known then, and those fields are NaN (``None`` in `to_dict`). There is no prediction
    interval for the *common* model, nor where its degrees of freedom fall below 1.
    ``ml`` and ``reml`` are the fit criteria of the likelihood and the restricted likelihood
    at ``tau2``; `likelihood` is the one that belongs to ``method``.
    """

    method: Method
    test: Test
    prediction: Prediction
    level: float
    tau2_interval: Tau2Interval
    k: IntArray
    estimate: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    statistic: FloatArray
    df: FloatArray
    p_value: FloatArray
    tau2: FloatArray
    tau2_se: FloatArray
    tau2_ci_low: FloatArray
    tau2_ci_high: FloatArray
    i2: FloatArray
    i2_ci_low: FloatArray
    i2_ci_high: FloatArray
    h2: FloatArray
    h2_ci_low: FloatArray
    h2_ci_high: FloatArray
    q: FloatArray
    q_df: IntArray
    q_p_value: FloatArray
    pi_low: FloatArray
    pi_high: FloatArray
    weights: FloatArray
    ml: Criteria
    reml: Criteria

    @property
    def likelihood(self) -> Criteria:
        """The fit criteria that belong to the method: restricted for REML."""
        return self.reml if self.method == "REML" else self.ml

    def summary(self) -> str:
        """Return the result in sentences a paper could print; digits follow the standard error.

        A single study is reported as such, nothing is called pooled. `ValueError` for the
        results of several data sets: describe one, ``fit[i].summary()``.
        """
        self.require_one()
        return one_study(self) if self.k == 1 else " ".join(sentences(self))


OPTIONS = {
    "method": get_args(Method),
    "test": get_args(Test),
    "prediction": get_args(Prediction),
    "tau2_interval": get_args(Tau2Interval),
}

CRITERIA = Criteria.__slots__

NUMBERS = [n for n in RandomEffectsFit.__slots__ if n not in {*OPTIONS, "level", "ml", "reml"}]
NUMBERS += [f"{likelihood}_{n}" for likelihood in ("ml", "reml") for n in CRITERIA]
"""Names of the numbers of a result, those of the criteria before they have places of their own."""


def random_effects(
    estimate: ArrayLike,
    variance: ArrayLike,
    *,
    method: Method = "REML",
    test: Test = "knapp-hartung",
    prediction: Prediction = "as-test",
    level: float = 0.95,
    tau2_interval: Tau2Interval = "as-method",
    weights: ArrayLike | None = None,
) -> RandomEffectsFit:
    """Return the pooled estimate of each data set.

    Parameters
    ----------
    estimate, variance
        Arrays (..., studies) that broadcast: effect estimates on a scale where they are about
        normal (log for ratios, logit for proportions) and their sampling variances. NaN marks
        a missing study, so that data sets may differ in their number of studies.
    method
        How the between-study variance is estimated. REML is approximately unbiased and
        efficient; *common* assumes there is none.
    test
        How interval and p-value are formed. The default keeps its level with few studies
        where *z* gives intervals that are too narrow.
    prediction
        Distribution behind the prediction interval.
    level
        Confidence level of all intervals.
    tau2_interval
        How the interval of the between-study variance is formed. The Q-profile is exact under
        the model; the profile likelihood is shorter, and holds its level with many studies.
    weights
        Weights (..., studies) of the generalised Q, for *GENQ* and *GENQ-median* alone; by
        default the inverse sampling variances. The mean is weighted by them too.

    Raises
    ------
    ValueError
        If an argument is out of range or does not go with the method, naming it, its value and
        what is allowed.

    Notes
    -----
    Viechtbauer (2010), J Stat Softw 36(3), for the model; Hartung and Knapp (2001), Stat Med
    20:3875-3889, Sidik and Jonkman (2002), Stat Med 21:3153-3159, and Knapp and Hartung (2003),
    Stat Med 22:2693-2710, for the test. With one study the interval is normal whatever
    the test; with two studies the t interval has one degree of freedom and is very wide.

    Examples
    --------
    >>> fit = random_effects([-0.82, -0.21, -0.47], [0.11, 0.06, 0.08], test="z")
    >>> f"{fit.estimate:.3f} ({fit.ci_low:.3f} to {fit.ci_high:.3f})"
    '-0.444 (-0.775 to -0.114)'
    """
    require_option("method", method, OPTIONS["method"])
    require_option("test", test, OPTIONS["test"])
    require_option("prediction", prediction, OPTIONS["prediction"])
    require_option("tau2_interval", tau2_interval, OPTIONS["tau2_interval"])
    kind = _interval_of(method, tau2_interval)
    model = Model(method, test, prediction, confidence_level(level), kind)
    studies = Studies.read(estimate, variance)
    given = _weights(studies, method, weights)
    held = shaped(numbers_of(studies, model, given, NUMBERS), studies.shape)
    ml, reml = (Criteria(*(held.pop(f"{name}_{n}") for n in CRITERIA)) for name in ("ml", "reml"))
    return RandomEffectsFit(
        method=method,
        test=test,
        prediction=prediction,
        level=model.level,
        tau2_interval=kind,
        ml=ml,
        reml=reml,
        **held,
    )


def _interval_of(method: Method, asked: Tau2Interval) -> Tau2Interval:
    """Return which interval is meant; `ValueError` if there is none such for the method."""
    own: Tau2Interval = "generalised-q" if method in GENERALISED else "q-profile"
    if asked == "profile-likelihood" and method not in ("ML", "REML"):
        raise ValueError(
            f"tau2_interval 'profile-likelihood' needs a likelihood, got method {method!r}: "
            "use method ML or REML, or tau2_interval 'q-profile'"
        )
    if asked == "generalised-q" and method not in GENERALISED:
        raise ValueError(
            f"tau2_interval 'generalised-q' belongs to methods {', '.join(GENERALISED)}, "
            f"got method {method!r}: use one of these, or tau2_interval 'q-profile'"
        )
    return own if asked == "as-method" else asked


def _weights(studies: Studies, method: Method, given: ArrayLike | None) -> FloatArray | None:
    """Return the weights of the generalised Q, 0 for missing studies; no others have any."""
    if method not in GENERALISED:
        if given is None:
            return None
        raise ValueError(
            f"weights are for methods {', '.join(GENERALISED)}, got method {method!r}: "
            "the others weigh by the variances"
        )
    if given is None:
        return studies.present / studies.variance
    values = numbers("weights", given)
    shape = (*studies.shape, studies.estimate.shape[1])
    try:
        table = np.broadcast_to(values, shape).reshape(studies.estimate.shape)
    except ValueError as error:
        message = f"weights must broadcast to shape {shape}, got shape {values.shape}"
        raise ValueError(message) from error
    present = studies.present > 0
    require("weights", table[present], SIZE)
    return np.where(present, table, 0.0)
