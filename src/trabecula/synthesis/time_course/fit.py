"""The posterior of a time-course network: parameters, courses, comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import (
    ESTIMATE,
    FloatArray,
    IntArray,
    numbers,
    one_number,
    require,
)
from trabecula.synthesis.result import Json, Result, frozen
from trabecula.synthesis.text import decimals, interval, number, percent
from trabecula.synthesis.time_course.curves import Curve
from trabecula.synthesis.time_course.evidence import TIME
from trabecula.synthesis.time_course.prediction import (
    MEASURES,
    TimeCourseComparison,
    TimeCoursePrediction,
    described,
)


@dataclass(frozen=True, slots=True, eq=False)
class TimeCourseFit(Result):
    """Posterior of a time-course network.

    ``mean``, ``sd``, ``median``, ``ci_low`` and ``ci_high`` (central) of the coefficients
    (coefficients, treatments) are differences from the ``reference``, the averages over studies;
    ``parameter_mean`` and its companions (parameters,) are those of what is shared in the curve,
    ``tau_mean`` and its companions (random,) of the standard deviations between studies of the
    coefficients named in ``random``. ``response_mean`` and its companions (coefficients,)
    describe the course under the reference, averaged over ``response_k`` studies that hold it and
    have enough times to tell it (NaN where there is none).

    ``residual_deviance`` is the posterior mean of the squared standardised residuals, to be
    compared with ``observations``; ``deviance`` that of minus twice the log-likelihood, ``pv``
    half its variance, which counts effective parameters, and ``dic`` their sum.

    ``form`` holds the curve itself. What ends in ``_samples`` (draws, ...) holds all chains one
    after the other; `to_dict` leaves it out. ``r_hat`` is the largest, ``bulk_sample_size`` and
    ``tail_sample_size`` are the smallest of everything that was drawn.
    """

    level: float
    curve: str
    coefficients: tuple[str, ...]
    parameters: tuple[str, ...]
    random: tuple[str, ...]
    treatments: tuple[str, ...]
    reference: str
    tau_prior: str | None
    effect_prior_sd: float
    baseline_prior_sd: float
    parameter_prior_sd: float
    correlation: float
    seed: int
    chains: int
    draws: int
    k: IntArray
    arms: IntArray
    observations: IntArray
    mean: FloatArray
    sd: FloatArray
    median: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    parameter_mean: FloatArray
    parameter_sd: FloatArray
    parameter_median: FloatArray
    parameter_ci_low: FloatArray
    parameter_ci_high: FloatArray
    tau_mean: FloatArray
    tau_sd: FloatArray
    tau_median: FloatArray
    tau_ci_low: FloatArray
    tau_ci_high: FloatArray
    response_k: IntArray
    response_mean: FloatArray
    response_sd: FloatArray
    response_median: FloatArray
    response_ci_low: FloatArray
    response_ci_high: FloatArray
    residual_deviance: FloatArray
    deviance: FloatArray
    pv: FloatArray
    dic: FloatArray
    r_hat: FloatArray
    bulk_sample_size: FloatArray
    tail_sample_size: FloatArray
    form: NDArray[Any]
    coefficient_samples: FloatArray
    parameter_samples: FloatArray
    tau_samples: FloatArray
    response_samples: FloatArray
    residual_deviance_samples: FloatArray

    def to_dict(self) -> dict[str, Json]:
        """Return every field but curve and samples as JSON knows it."""
        table = Result.to_dict(self)
        return {name: value for name, value in table.items() if not name.endswith("_samples")}

    def rows(self) -> list[dict[str, Json]]:
        """Return one record a coefficient and treatment but the reference."""
        return [
            {
                "coefficient": coefficient,
                "treatment": treatment,
                "reference": self.reference,
                **{name: float(getattr(self, name)[i, j]) for name in MEASURES},
            }
            for i, coefficient in enumerate(self.coefficients)
            for j, treatment in enumerate(self.treatments)
            if treatment != self.reference
        ]

    def summary(self) -> str:
        """Return the result in sentences a paper could print; digits follow the spread."""
        return " ".join(_sentences(self))

    def predict(
        self,
        times: ArrayLike,
        *,
        response: Mapping[str, float] | None = None,
        baseline: float = 0.0,
    ) -> TimeCoursePrediction:
        """Return the mean under each treatment at `times`; the mean change where nothing is added.

        Parameters
        ----------
        times
            Times, of the scale of the evidence. Beyond its last time the curve extrapolates.
        response
            Coefficients of the reference treatment by name, known without error, of the
            population that is meant. Without it they are averaged over the studies that hold the
            reference and have more different times than the curve has coefficients, all alike.
        baseline
            The mean at time 0, added to all; without it, changes.

        Raises
        ------
        ValueError
            If no study tells the course under the reference, or an argument is out of range.
        """
        at = _times(times)
        added = one_number("baseline", baseline, ESTIMATE)
        ground = self._ground(response)
        draws = added + self._courses(self.coefficient_samples + ground[..., None], at)
        told = f"mean course of {self.response_k} studies under {self.reference}"
        return TimeCoursePrediction(
            level=self.level,
            curve=self.curve,
            treatments=self.treatments,
            reference=self.reference,
            response=told if response is None else f"given course under {self.reference}",
            k=frozen(self.response_k if response is None else 0),
            baseline=frozen(added),
            times=frozen(at),
            **{n: frozen(v) for n, v in described(draws, self.level).items()},
        )

    def relative_effects(self, time: float) -> TimeCourseComparison:
        """Return the differences between the means of all treatments at `time`, row minus column.

        Baseline and course of the reference cancel.
        """
        at = one_number("time", time, TIME)
        effect = self._courses(self.coefficient_samples, np.array([at]))[..., 0]
        draws = effect[:, :, None] - effect[:, None, :]
        return TimeCourseComparison(
            level=self.level,
            curve=self.curve,
            treatments=self.treatments,
            reference=self.reference,
            k=self.k,
            time=frozen(at),
            **{n: frozen(v) for n, v in described(draws, self.level).items()},
        )

    def _courses(self, coefficients: FloatArray, at: FloatArray) -> FloatArray:
        """Return draws (draws, treatments, times) of curves with `coefficients`."""
        curve: Curve = self.form.item()
        functions = curve.functions(at, self.parameter_samples[:, None, :])
        functions = np.broadcast_to(functions, (len(coefficients), *functions.shape[-2:]))
        courses: FloatArray = np.einsum("nct,nmc->ntm", coefficients, functions)
        return courses

    def _ground(self, response: Mapping[str, float] | None) -> FloatArray:
        """Return coefficients (draws or 1, coefficients) of the reference."""
        if response is None:
            if not self.response_k:
                raise ValueError(
                    f"no study holds {self.reference!r} and has more different times than "
                    f"{len(self.coefficients)}: give response, the coefficients of its course "
                    f"({', '.join(self.coefficients)})"
                )
            return self.response_samples
        if set(response) != set(self.coefficients):
            raise ValueError(
                f"response must name {', '.join(self.coefficients)}; got {', '.join(response)}"
            )
        values = numbers("response", [response[name] for name in self.coefficients])
        require("response", values, ESTIMATE)
        return values[None]


def _times(times: ArrayLike) -> FloatArray:
    at = numbers("times", times)
    if at.ndim != 1 or not len(at):
        raise ValueError(f"times must be a row of times, one at least; got shape {at.shape}")
    require("times", at, TIME)
    return at


def _sentences(fit: TimeCourseFit) -> list[str]:
    effects = "common effects"
    if fit.random:
        effects = f"random effects of {', '.join(fit.random)}, heterogeneity prior {fit.tau_prior}"
    told = [
        f"Time-course network meta-analysis of {fit.k} studies, {len(fit.treatments)} treatments "
        f"and {fit.observations} means ({fit.curve} curve, {effects}). Residual deviance "
        f"{number(float(fit.residual_deviance), 0)} for {fit.observations} means; DIC "
        f"{number(float(fit.dic), 0)}."
    ]
    for prefix, names in (("parameter_", fit.parameters), ("tau_", fit.random)):
        for i, name in enumerate(names):
            label = f"τ of {name}" if prefix == "tau_" else name
            told.append(f"{label}: {_estimate(fit, prefix, (i,))}.")
    for i, coefficient in enumerate(fit.coefficients):
        for j, treatment in enumerate(fit.treatments):
            if treatment != fit.reference:
                estimate = _estimate(fit, "", (i, j))
                told.append(f"{coefficient}, {treatment} versus {fit.reference}: {estimate}.")
    return told


def _estimate(fit: TimeCourseFit, prefix: str, at: tuple[int, ...]) -> str:
    value = {name: float(getattr(fit, prefix + name)[at]) for name in MEASURES}
    places = decimals(value["sd"])
    limits = interval(value["ci_low"], value["ci_high"], places)
    return f"{number(value['median'], places)} ({percent(fit.level)} CrI {limits})"
