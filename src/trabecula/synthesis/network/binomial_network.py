"""Bayesian network meta-analysis of counts: binomial arms, logit link, random effects, by NUTS."""

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
    one_number,
    require_option,
)
from trabecula.synthesis.bayes.priors import HalfNormal
from trabecula.synthesis.network.binomial_arms import BinomialArms
from trabecula.synthesis.network.evidence import Names
from trabecula.synthesis.network.network_meta_analysis import SmallValues
from trabecula.synthesis.network.nuts import Priors, sample
from trabecula.synthesis.result import Json, Result, frozen
from trabecula.synthesis.sampling.convergence import diagnosed
from trabecula.synthesis.sampling.settings import Settings
from trabecula.synthesis.text import decimals, interval, number, percent

SEED = 20190501
"""Default seed of the chains."""

ADVICE = (
    "give tau_prior a smaller scale if its tail is implausible",
    "look for treatments whose arms all have no event, or events only: "
    "a smaller effect_prior_sd holds their effects",
)
"""What else helps where chains have not settled."""


@dataclass(frozen=True, slots=True, eq=False)
class BinomialNetworkFit(Result):
    """Posterior of log odds ratios: matrices (treatments, treatments), row minus column.

    ``mean``, ``sd``, ``median``, ``ci_low`` and ``ci_high`` (central) are those of average
    effects, ``prediction_low`` and ``prediction_high`` limits of the effect in a new study.
    ``tau_mean`` and its companions are of the heterogeneity; ``deviance`` is the posterior mean
    residual deviance, to be compared with ``arms``. ``sucra`` (treatments,) and
    ``rank_probability`` (treatments, ranks) are NaN where ``small_values`` does not say whether
    events are wanted.
    ``effect_samples`` (draws, treatments), against ``reference``, and ``tau_samples`` (draws,)
    hold all chains one after the other; `to_dict` leaves them out. ``r_hat`` is the largest,
    ``bulk_sample_size`` and ``tail_sample_size`` are the smallest of all parameters.
    """

    level: float
    treatments: tuple[str, ...]
    reference: str
    small_values: SmallValues | None
    tau_prior: str
    effect_prior_sd: float
    baseline_prior_sd: float
    seed: int
    chains: int
    draws: int
    k: IntArray
    arms: IntArray
    mean: FloatArray
    sd: FloatArray
    median: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    prediction_low: FloatArray
    prediction_high: FloatArray
    tau_mean: FloatArray
    tau_sd: FloatArray
    tau_median: FloatArray
    tau_ci_low: FloatArray
    tau_ci_high: FloatArray
    deviance: FloatArray
    sucra: FloatArray
    rank_probability: FloatArray
    r_hat: FloatArray
    bulk_sample_size: FloatArray
    tail_sample_size: FloatArray
    effect_samples: FloatArray
    tau_samples: FloatArray

    def to_dict(self) -> dict[str, Json]:
        """Return every field but the samples as JSON knows it."""
        table = Result.to_dict(self)
        return {name: value for name, value in table.items() if not name.endswith("_samples")}

    def rows(self) -> list[dict[str, Json]]:
        """Return one record a comparison, first minus second."""
        names = ("mean", "sd", "median", "ci_low", "ci_high", "prediction_low", "prediction_high")
        return [
            {
                "first": self.treatments[i],
                "second": self.treatments[j],
                **{name: float(getattr(self, name)[i, j]) for name in names},
            }
            for i, j in zip(*np.triu_indices(len(self.treatments), 1), strict=True)
        ]

    def summary(self) -> str:
        """Return the result in sentences a paper could print; digits follow the spread."""
        return " ".join(_sentences(self))


def binomial_network(
    study: Names,
    treatment: Names,
    events: ArrayLike,
    n: ArrayLike,
    *,
    tau_prior: HalfNormal,
    effect_prior_sd: float = 10.0,
    baseline_prior_sd: float = 10.0,
    level: float = 0.95,
    reference: str | None = None,
    small_values: SmallValues | None = None,
    chains: int = 4,
    draws: int = 1000,
    warmup: int = 1000,
    target_accept: float = 0.9,
    seed: int = SEED,
) -> BinomialNetworkFit:
    """Return the posterior of log odds ratios from the counts of arms.

    No continuity correction and no normal approximation: arms without events are as good as
    others. The chains are checked, and chains that do not agree give an error, not a result.

    Parameters
    ----------
    study, treatment, events, n
        One entry an arm: names, and how many of how many had the event.
    tau_prior
        Half-normal prior of the heterogeneity, the standard deviation of a log odds ratio
        between studies; multi-arm contrasts correlate by one half.
    effect_prior_sd, baseline_prior_sd
        Standard deviations of normal priors about 0 of the effects against `reference` and of
        the logits of first arms. 10 is wide: it holds odds ratios of a hundred million.
    level
        Probability that the credible intervals hold.
    reference
        The treatment against which priors and summary count; the one in most arms where none
        is named.
    small_values
        Whether few events are *desirable* or *undesirable*; treatments are ranked only where
        this is said.
    chains, draws, warmup
        Chains, draws kept of each, and draws before them that only tune the sampler.
    target_accept
        Nearer to 1 the sampler takes smaller steps: slower, fewer divergences.
    seed
        The same seed gives the same draws, to the last bit on one machine.

    Raises
    ------
    NotConverged
        If chains disagree, hold too few effective draws, or had divergent transitions.
    DisconnectedNetwork
        If nothing links some treatments, naming the parts.
    ValueError
        If an argument is out of range, naming it, its value and what is allowed.
    ImportError
        If JAX or NumPyro is not installed, with the command that installs them.

    Notes
    -----
    Dias, Sutton, Ades and Welton (2013), Med Decis Making 33:607-617. Sampled by NUTS with
    deviations of studies in units of tau (non-centered).
    """
    level = confidence_level(level)
    priors = _priors(tau_prior, effect_prior_sd, baseline_prior_sd)
    settings = Settings(chains, draws, warmup, target_accept, seed)
    if small_values is not None:
        require_option("small_values", small_values, get_args(SmallValues))
    arms = BinomialArms.read(study, treatment, events, n)
    if reference is not None:
        require_option("reference", reference, arms.treatments)
    name = reference or arms.treatments[int(np.bincount(arms.treatment).argmax())]
    drawn = sample(arms, arms.treatments.index(name), priors, settings)
    checked = diagnosed(drawn.parameters, drawn.divergences, ADVICE)
    tau = drawn.tau.reshape(-1)
    effect = drawn.effect.reshape(len(tau), -1)
    tail = (1 - level) / 2
    low, middle, high = np.quantile(tau, [tail, 0.5, 1 - tail])
    values: dict[str, FloatArray | float] = {
        "r_hat": checked.r_hat,
        "bulk_sample_size": checked.bulk,
        "tail_sample_size": checked.tail,
    }
    values |= _matrices(effect, tau, tail, seed) | _ranks(effect, small_values)
    values |= {"tau_mean": tau.mean(), "tau_sd": tau.std(ddof=1), "tau_median": middle}
    values |= {"tau_ci_low": low, "tau_ci_high": high, "tau_samples": tau}
    values |= {"effect_samples": effect, "deviance": arms.residual_deviance(drawn.logit).mean()}
    values |= {"k": len(arms.studies), "arms": len(arms.events)}
    return BinomialNetworkFit(
        level=level,
        treatments=arms.treatments,
        reference=name,
        small_values=small_values,
        tau_prior=tau_prior.label,
        effect_prior_sd=priors.effect,
        baseline_prior_sd=priors.baseline,
        seed=seed,
        chains=chains,
        draws=draws,
        **{n: frozen(v) for n, v in values.items()},
    )


def _priors(tau_prior: HalfNormal, effect: float, baseline: float) -> Priors:
    if not isinstance(tau_prior, HalfNormal):
        raise ValueError(
            f"tau_prior must be a HalfNormal(scale), got {tau_prior!r}; other priors are those of "
            "bayesian_network, which takes estimates"
        )
    return Priors(
        one_number("baseline_prior_sd", baseline, SIZE),
        one_number("effect_prior_sd", effect, SIZE),
        tau_prior.scale,
    )


def _matrices(effect: FloatArray, tau: FloatArray, tail: float, seed: int) -> dict[str, FloatArray]:
    """Return means, spreads and limits of all comparisons, row minus column."""
    apart = effect[:, :, None] - effect[:, None, :]
    new = apart + (tau * np.random.default_rng(seed).standard_normal(len(tau)))[:, None, None]
    low, median, high = np.quantile(apart, [tail, 0.5, 1 - tail], axis=0)
    new_low, new_high = np.quantile(new, [tail, 1 - tail], axis=0)
    own = np.eye(effect.shape[1], dtype=bool)
    return {
        "mean": apart.mean(axis=0),
        "sd": apart.std(axis=0, ddof=1),
        "median": median,
        "ci_low": low,
        "ci_high": high,
        "prediction_low": np.where(own, 0.0, new_low),
        "prediction_high": np.where(own, 0.0, new_high),
    }


def _ranks(effect: FloatArray, small_values: SmallValues | None) -> dict[str, FloatArray]:
    size = effect.shape[1]
    if small_values is None:
        return {
            "sucra": np.full(size, np.nan),
            "rank_probability": np.full((size, size), np.nan),
        }
    sign = 1.0 if small_values == "desirable" else -1.0
    rank = np.argsort(np.argsort(sign * effect, axis=1), axis=1)
    table = (rank[:, :, None] == np.arange(size)).mean(axis=0)
    return {
        "sucra": 1 - (table @ np.arange(size)) / (size - 1),
        "rank_probability": table,
    }


def _sentences(fit: BinomialNetworkFit) -> list[str]:
    places = decimals(float(fit.tau_sd))
    sure = percent(fit.level)
    told = [
        f"Bayesian network meta-analysis of counts in {fit.arms:.0f} arms of {fit.k:.0f} studies "
        f"and {len(fit.treatments)} treatments (binomial, logit link, random effects; "
        f"heterogeneity prior {fit.tau_prior}; {fit.chains} chains of {fit.draws} draws by NUTS, "
        f"largest R-hat {float(fit.r_hat):.3f}, smallest effective sample size "
        f"{min(float(fit.bulk_sample_size), float(fit.tail_sample_size)):.0f}). "
        f"Heterogeneity τ {number(float(fit.tau_median), places)} "
        f"({sure} CrI {interval(float(fit.tau_ci_low), float(fit.tau_ci_high), places)}), "
        f"mean residual deviance {number(float(fit.deviance), 1)}."
    ]
    column = fit.treatments.index(fit.reference)
    for row, treatment in enumerate(fit.treatments):
        if row != column:
            places = decimals(float(fit.sd[row, column]))
            low, high = float(fit.ci_low[row, column]), float(fit.ci_high[row, column])
            told.append(
                f"{treatment} versus {fit.reference}, log odds ratio: "
                f"{number(float(fit.median[row, column]), places)} "
                f"({sure} CrI {interval(low, high, places)})."
            )
    if fit.small_values is None:
        return [*told, "Treatments are not ranked: small_values does not say what is desirable."]
    best = int(fit.sucra.argmax())
    told.append(
        f"Highest SUCRA: {fit.treatments[best]} {number(float(fit.sucra[best]), 2)}, best with "
        f"probability {number(float(fit.rank_probability[best, 0]), 2)}; ranks say nothing about "
        "the size of differences."
    )
    return told
