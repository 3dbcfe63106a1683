"""Pain over time in trials of osteoarthritis, and the reference's fits of it in our words."""

from __future__ import annotations

import csv
from functools import cache
from typing import Any

import numpy as np

from tests.synthesis.reference import GOLDEN, load
from trabecula.synthesis.bayes.priors import HalfNormal
from trabecula.synthesis.time_course import (
    Curve,
    EmaxCurve,
    IntegratedLogisticCurve,
    LinearSplineCurve,
    LogLinearCurve,
    TimeCourseFit,
    time_course_network,
)

LONGEST = 24.0
"""``maxtime`` of the reference: the longest follow-up."""

TAU_PRIOR = HalfNormal(20**0.5)
"""``sd ~ dnorm(0, 0.05) T(0, )``."""

CURVES: dict[str, tuple[Curve, HalfNormal | None]] = {
    "osteopain_emax_common": (EmaxCurve(), None),
    "osteopain_emax_random": (EmaxCurve(), TAU_PRIOR),
    "osteopain_itp_common": (IntegratedLogisticCurve(until=LONGEST), None),
    "osteopain_loglin_common": (LogLinearCurve(), None),
    "osteopain_spline_ls": (LinearSplineCurve(knots=(2.0,)), None),
}
"""Fits of the reference and our curve and prior of the heterogeneity."""

COEFFICIENTS = {"emax": 0, "rate": 0, "d.1": 0, "d.2": 1}
"""Coefficients, written ``name[treatment]`` by the reference, and their place."""

Columns = tuple[list[str], list[str], list[float], list[float], list[float]]


@cache
def columns() -> Columns:
    """Return study, treatment, time, mean pain and its standard error."""
    with (GOLDEN / "mbnma_osteopain.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = [[row[name] for row in rows] for name in ("studyID", "treatment")]
    figures = [[float(row[name]) for row in rows] for name in ("time", "y", "se")]
    return names[0], names[1], figures[0], figures[1], figures[2]


@cache
def theirs() -> dict[str, Any]:
    """Return the fits of the reference by name."""
    fits: dict[str, Any] = load("mbnmatime.json")["fits"]
    return fits


@cache
def ours(name: str) -> TimeCourseFit:
    """Return our fit with the priors that stand in the JAGS code."""
    curve, tau_prior = CURVES[name]
    return time_course_network(
        *columns(),
        curve=curve,
        tau_prior=tau_prior,
        effect_prior_sd=0.001**-0.5,
        baseline_prior_sd=0.0001**-0.5,
        parameter_prior_sd=0.0001**-0.5,
        reference="Pl_0",
        draws=2000,
    )


def samples(name: str, parameter: str) -> np.ndarray:
    """Return our draws (chains, draws) of a parameter that the reference calls so."""
    fit = ours(name)
    if parameter in ("totresdev", "deviance"):
        flat = fit.residual_deviance_samples
        if parameter == "deviance":
            flat = flat + float(fit.deviance - fit.residual_deviance)
    elif "[" in parameter:
        coefficient, number = parameter.removesuffix("]").split("[")
        treatment = fit.treatments.index(theirs()[name]["treatments"][int(number) - 1])
        flat = fit.coefficient_samples[:, COEFFICIENTS[coefficient], treatment]
    elif parameter.startswith("sd."):
        flat = fit.tau_samples[:, fit.random.index(parameter.removeprefix("sd."))]
    else:
        flat = fit.parameter_samples[:, fit.parameters.index(parameter)]
    return flat.reshape(fit.chains, fit.draws)
