"""Network meta-analysis of time courses: curves whose coefficients differ between treatments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import SIZE, FloatArray, confidence_level, one_number
from trabecula.synthesis.bayes.priors import HalfNormal
from trabecula.synthesis.network.evidence import Names
from trabecula.synthesis.result import frozen
from trabecula.synthesis.sampling.settings import Settings
from trabecula.synthesis.time_course.collapsed import CollapsedPosterior, TimeCoursePriors
from trabecula.synthesis.time_course.curves import Curve
from trabecula.synthesis.time_course.evidence import TimeCourseEvidence
from trabecula.synthesis.time_course.fit import TimeCourseFit
from trabecula.synthesis.time_course.posterior import TimeCourseDraws, sample
from trabecula.synthesis.time_course.prediction import described

SEED = 20190501
"""Default seed of the chains."""


def time_course_network(
    study: Names,
    treatment: Names,
    time: ArrayLike,
    y: ArrayLike,
    se: ArrayLike,
    *,
    curve: Curve,
    tau_prior: HalfNormal | None = None,
    random: Sequence[str] | None = None,
    correlation: float = 0.0,
    effect_prior_sd: float = 100.0,
    baseline_prior_sd: float = 100.0,
    parameter_prior_sd: float = 100.0,
    level: float = 0.95,
    reference: str | None = None,
    chains: int = 4,
    draws: int = 1000,
    seed: int = SEED,
) -> TimeCourseFit:
    """Return the posterior of how treatments change a time course.

    All times of all arms enter one model, so that studies with different follow-up can be
    compared. The chains are checked, and chains that do not agree give an error, not a result.

    Parameters
    ----------
    study, treatment, time, y, se
        One entry a mean: the names of study and treatment, the time since the start, the mean
        and its standard error. Means at time 0 count. A study of one arm tells the shape of
        the curve only, nothing about treatments.
    curve
        The shape: `EmaxCurve`, `ExponentialCurve`, `IntegratedLogisticCurve`, `LogLinearCurve`,
        `LinearSplineCurve`.
    tau_prior
        Half-normal prior of the heterogeneity, the standard deviation of a contrast of
        coefficients between studies; contrasts of one study correlate by one half. Without it
        effects are common: the same in all studies.
    random
        The coefficients whose effects differ between studies, each with a heterogeneity of its
        own; all of them if `tau_prior` is given and this is not.
    correlation
        Correlation between the means of an arm at different times, 0 to 1. Means of the same
        patients are correlated; 0 takes them for independent, which makes changes and their
        differences look less certain than they are, and averages over time more.
    effect_prior_sd, baseline_prior_sd
        Standard deviations of normal priors about 0: of coefficients against the reference;
        of the value at time 0 and the coefficients of the first arm of a study. The defaults
        are wide where values and slopes are far below 100.
    parameter_prior_sd
        Scale of half-normal priors of the parameters of the curve.
    level
        Probability that the credible intervals hold.
    reference
        The treatment against which effects count; the one in most studies where none is named.
    chains, draws
        Chains, and draws kept of each.
    seed
        The same seed gives the same draws, to the last bit on one machine.

    Raises
    ------
    NotConverged
        If chains disagree or hold too few effective draws.
    DisconnectedNetwork
        If nothing links some treatments, naming the parts.
    ValueError
        If an argument is out of range, naming it, its value and what is allowed.

    Notes
    -----
    Pedder, Dias, Bennetts, Boucher and Welton (2019), Res Synth Methods 10:267-286.

    Examples
    --------
    >>> from trabecula.synthesis.time_course.curves import LogLinearCurve
    >>> trials = ["A"] * 4 + ["B"] * 4, ["placebo", "placebo", "drug", "drug"] * 2, [0, 4] * 4
    >>> y = [6.0, 5.2, 6.1, 4.1, 5.5, 4.9, 5.4, 3.8]
    >>> data = *trials, y, [0.2] * 8
    >>> fit = time_course_network(*data, curve=LogLinearCurve(), reference="placebo")
    >>> f"{fit.mean[0, 0]:.1f} ({fit.sd[0, 0]:.1f})"
    '-0.7 (0.1)'
    """
    level = confidence_level(level)
    settings = Settings(chains=chains, draws=draws, seed=seed)
    if not isinstance(curve, Curve):
        raise ValueError(f"curve must be a curve such as LogLinearCurve(), got {curve!r}")
    priors = TimeCoursePriors(
        one_number("baseline_prior_sd", baseline_prior_sd, SIZE),
        one_number("effect_prior_sd", effect_prior_sd, SIZE),
        one_number("parameter_prior_sd", parameter_prior_sd, SIZE),
        1.0 if tau_prior is None else _scale(tau_prior),
    )
    places = _places(curve, tau_prior, random)
    evidence = TimeCourseEvidence.read(
        study, treatment, time, y, se, correlation=correlation, reference=reference
    )
    drawn = sample(CollapsedPosterior(evidence, curve, places, priors), settings)
    values = _described(evidence, drawn, level) | _fit(evidence, drawn)
    found = drawn.diagnostics
    values |= {"r_hat": found.r_hat, "bulk_sample_size": found.bulk, "tail_sample_size": found.tail}
    held = np.empty((), dtype=object)
    held[()] = curve
    return TimeCourseFit(
        level=level,
        curve=curve.label,
        coefficients=curve.coefficients,
        parameters=curve.parameters,
        random=tuple(curve.coefficients[i] for i in places),
        treatments=evidence.treatments,
        reference=evidence.reference,
        tau_prior=None if tau_prior is None else tau_prior.label,
        effect_prior_sd=priors.effect,
        baseline_prior_sd=priors.baseline,
        parameter_prior_sd=priors.parameter,
        correlation=float(correlation),
        seed=seed,
        chains=chains,
        draws=draws,
        form=held,
        **{name: frozen(value) for name, value in values.items()},
    )


def _scale(tau_prior: HalfNormal) -> float:
    if not isinstance(tau_prior, HalfNormal):
        raise ValueError(f"tau_prior must be a HalfNormal(scale) or None, got {tau_prior!r}")
    return tau_prior.scale


def _places(
    curve: Curve, tau_prior: HalfNormal | None, random: Sequence[str] | None
) -> tuple[int, ...]:
    """Return the places of the coefficients whose effects differ between studies."""
    if tau_prior is None:
        if random is not None:
            raise ValueError(f"random effects of {', '.join(random)} need a tau_prior, got None")
        return ()
    names = curve.coefficients if random is None else tuple(random)
    unknown = [name for name in names if name not in curve.coefficients]
    if unknown or not names or len(set(names)) < len(names):
        raise ValueError(
            f"random must name some of {', '.join(curve.coefficients)}, each once; got {random!r}"
        )
    return tuple(sorted(curve.coefficients.index(name) for name in names))


def _described(
    evidence: TimeCourseEvidence, drawn: TimeCourseDraws, level: float
) -> dict[str, Any]:
    """Return samples by name and what describes them."""
    ground = evidence.treatments.index(evidence.reference)
    telling = (evidence.holds_reference > 0) & (evidence.times > drawn.effect.shape[1])
    response = np.full((len(drawn.effect), drawn.effect.shape[1]), np.nan)
    if telling.any():
        response = drawn.study[:, telling, 1:].mean(axis=1)
    samples = {
        "coefficient": np.insert(drawn.effect, ground, 0.0, axis=-1),
        "parameter": drawn.parameter,
        "tau": drawn.tau,
        "response": response,
    }
    values: dict[str, Any] = {"response_k": telling.sum()}
    for name, draws in samples.items():
        values |= {f"{name}_samples": draws}
        values |= described(draws, level, "" if name == "coefficient" else f"{name}_")
    return values


def _fit(evidence: TimeCourseEvidence, drawn: TimeCourseDraws) -> dict[str, FloatArray | int]:
    """Return counts, and how closely the curves follow the means."""
    constant = evidence.log_determinant + evidence.observations * np.log(2 * np.pi)
    deviance = drawn.residual_deviance + constant
    pv = deviance.var(ddof=1) / 2
    return {
        "k": len(evidence.studies),
        "arms": int(evidence.arms.sum()),
        "observations": evidence.observations,
        "residual_deviance_samples": drawn.residual_deviance,
        "residual_deviance": drawn.residual_deviance.mean(),
        "deviance": deviance.mean(),
        "pv": pv,
        "dic": deviance.mean() + pv,
    }
