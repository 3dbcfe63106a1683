"""The recovery model: how fast a complaint goes by itself, and how much faster with treatment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trabecula.synthesis.arguments import FloatArray, IntArray, require_option
from trabecula.synthesis.recovery.course import FORMS, Form
from trabecula.synthesis.recovery.evidence import RecoveryEvidence
from trabecula.synthesis.recovery.priors import RecoveryPriors
from trabecula.synthesis.recovery.sample import Variant, log_likelihoods, replicates, sample
from trabecula.synthesis.result import Json, Result, frozen
from trabecula.synthesis.sampling.convergence import Diagnostics, diagnosed, diagnostics_of
from trabecula.synthesis.sampling.settings import Settings
from trabecula.synthesis.text import interval, number

SETTINGS = Settings(chains=4, draws=2000, warmup=300, target_accept=0.8, seed=20190501)
"""How the primary model is sampled."""

REPLICATES = 400
"""New data sets of a fit for posterior predictive checks: limits are right to about 1 %."""

ADVICE = (
    "give effects or studies a smaller prior scale if their tails are implausible",
    "look for a study whose standard errors are far smaller than its size allows",
)


@dataclass(frozen=True, slots=True, eq=False)
class RecoveryFit(Result):
    """Posterior draws of the recovery model, all chains one after the other.

    ``studies`` (the first array) counts those that inform it. ``effect`` (draws, effects,
    outcomes) are logarithms of rate ratios, ``log_median`` (draws, outcomes) of the weeks from
    start until half have recovered naturally at the typical delay, ``delay_slope`` of how the
    rate goes with the logarithm of the delay, ``moderator`` (draws, moderators, outcomes) of how
    it goes with moderators. ``spread``, ``never``, ``floor`` (draws, outcomes) are those of one
    patient's log time, of those who never recover and of what stays of a score; ``sooner``
    (draws, 2, outcomes) are log head starts of partial recovery and of scores; ``study_sd`` how
    natural courses differ; ``optimism`` (draws, 2) of uncontrolled and unblinded evidence.
    ``log_likelihood`` (draws, rows) are of all rows, by table: scores, counts, times, tests.
    ``replicates`` (replicates, rows) are new data of the same rows, in the units of `observed`.
    """

    form: Form
    outcomes: tuple[str, ...]
    effects: tuple[str, ...]
    moderator_names: tuple[str, ...]
    priors: RecoveryPriors
    diagnostics: Diagnostics
    studies: IntArray
    effect: FloatArray
    log_median: FloatArray
    delay_slope: FloatArray
    moderator: FloatArray
    spread: FloatArray
    never: FloatArray
    floor: FloatArray
    sooner: FloatArray
    study_sd: FloatArray
    optimism: FloatArray
    log_likelihood: FloatArray
    replicates: FloatArray

    def to_dict(self) -> dict[str, Json]:
        """Return what describes the fit, and `rows`; the draws are left out."""
        return {
            "form": self.form,
            "outcomes": list(self.outcomes),
            "studies": int(self.studies),
            "r_hat": self.diagnostics.r_hat,
            "bulk_sample_size": self.diagnostics.bulk,
            "tail_sample_size": self.diagnostics.tail,
            "rows": list(self.rows()),
        }

    def rows(self) -> list[dict[str, Json]]:
        """Return one record an effect and outcome: the rate ratio and how sure it is above 1."""
        return [
            {
                "effect": effect,
                "outcome": outcome,
                "median": float(np.exp(np.median(draws))),
                "ci_low": float(np.exp(np.quantile(draws, 0.025))),
                "ci_high": float(np.exp(np.quantile(draws, 0.975))),
                "p_faster": float((draws > 0).mean()),
            }
            for k, outcome in enumerate(self.outcomes)
            for e, effect in enumerate(self.effects)
            for draws in [self.effect[:, e, k]]
        ]

    def summary(self) -> str:
        """Return the result in sentences a paper could print."""
        found = self.diagnostics
        told = [
            f"Recovery model ({self.form}) of {int(self.studies)} studies; {len(self.effect)} "
            f"draws, largest R-hat {found.r_hat:.3f}, smallest effective sample size "
            f"{min(found.bulk, found.tail):.0f}."
        ]
        for k, outcome in enumerate(self.outcomes):
            low, middle, high = np.exp(np.quantile(self.log_median[:, k], [0.025, 0.5, 0.975]))
            told.append(
                f"{outcome}: half have recovered naturally after {number(float(middle), 0)} weeks "
                f"(95 % CrI {interval(float(low), float(high), 0)})."
            )
        told += [
            f"{row['effect']}, {row['outcome']}: rate ratio {number(float(row['median']), 2)} "  # type: ignore[arg-type]
            f"(95 % CrI {interval(float(row['ci_low']), float(row['ci_high']), 2)})."  # type: ignore[arg-type]
            for row in self.rows()
        ]
        return " ".join(told)


def recovery_model(
    evidence: RecoveryEvidence,
    priors: RecoveryPriors,
    *,
    form: Form = "weibull",
    exchangeable: bool = True,
    settings: Settings = SETTINGS,
) -> RecoveryFit:
    """Return the posterior of natural courses and of effects.

    Parameters
    ----------
    evidence
        What studies show, see `recovery_evidence`.
    priors
        All that is assumed.
    form
        The distribution of times to recovery.
    exchangeable
        Whether natural courses differ between studies; if not, all share one, and single-arm
        studies count as if they had been compared with it.
    settings
        How to sample.

    Raises
    ------
    NotConverged
        If chains disagree, hold too few effective draws, or had divergent transitions.
    ValueError
        If an argument is out of range, naming it, its value and what is allowed.
    ImportError
        If JAX or NumPyro is not installed, with the command that installs them.
    """
    variant = Variant(priors)
    fits = recovery_models(
        evidence, [variant], form=form, exchangeable=exchangeable, settings=settings
    )
    return fits[0]


def recovery_models(
    evidence: RecoveryEvidence,
    variants: Sequence[Variant],
    *,
    form: Form = "weibull",
    exchangeable: bool = True,
    settings: Settings = SETTINGS,
    check: bool = True,
) -> list[RecoveryFit]:
    """Return one fit a variant of priors and of studies that count, all sampled together.

    Compiled once, and sampled side by side, many variants cost little more than a few. Without
    `check` those that have not settled are returned too, and their ``diagnostics`` say so: a
    sensitivity analysis needs less than an answer.
    """
    require_option("form", form, FORMS)
    drawn, meanings = sample(evidence, variants, form, settings, exchangeable=exchangeable)
    fits = []
    for place, (variant, q) in enumerate(zip(variants, meanings, strict=True)):
        reported = ("effect", "log_median", "spread", "never", "floor", "sooner", "study_sd")
        table = [q[name].reshape(*q[name].shape[:2], -1) for name in reported]
        told, lost = np.concatenate(table, axis=-1), int(drawn.divergences[place])
        checked = diagnosed(told, lost, ADVICE) if check else diagnostics_of(told, lost)
        # Of many variants the answers alone are asked for.
        new = replicates(evidence, variant, form, drawn, place, REPLICATES * (len(variants) == 1))
        rows = log_likelihoods(evidence, variant, form, drawn, place, exchangeable=exchangeable)
        used = len(evidence.studies) if variant.use is None else sum(variant.use)
        flat = {
            name: frozen(q[name].reshape(q[name].shape[0] * q[name].shape[1], *q[name].shape[2:]))
            for name in (*reported, "delay_slope", "moderator", "optimism")
        }
        fits.append(
            RecoveryFit(
                form=form,
                outcomes=evidence.outcomes,
                effects=evidence.effects,
                moderator_names=evidence.moderator_names,
                priors=variant.priors,
                diagnostics=checked,
                studies=frozen(np.int64(used)),
                log_likelihood=frozen(rows),
                replicates=frozen(new),
                **flat,
            )
        )
    return fits
