"""What a random-effects fit says in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trabecula.synthesis.text import decimals, interval, number, p_value, percent

if TYPE_CHECKING:
    from trabecula.synthesis.pairwise.random_effects import RandomEffectsFit

MODEL_TEXT = {
    "z": "normal interval",
    "t": "t interval",
    "knapp-hartung": "Knapp–Hartung interval",
    "knapp-hartung-conservative": "Knapp–Hartung interval, variance not scaled down",
}

INTERVAL_TEXT = {
    "q-profile": "CI",
    "profile-likelihood": "profile-likelihood CI",
    "generalised-q": "generalised-Q CI",
}


def one_study(fit: RandomEffectsFit) -> str:
    """Return what is said of a single study."""
    places = decimals(float(fit.se))
    limits = interval(float(fit.ci_low), float(fit.ci_high), places)
    value = number(float(fit.estimate), places)
    return f"One study, nothing pooled: {value} ({percent(fit.level)} CI {limits})."


def sentences(fit: RandomEffectsFit) -> list[str]:
    """Return what is said of several studies, a sentence each."""
    places, sure = decimals(float(fit.se)), percent(fit.level)
    model = "Common-effect" if fit.method == "common" else "Random-effects"
    how = (
        MODEL_TEXT[fit.test] if fit.method == "common" else f"{fit.method}, {MODEL_TEXT[fit.test]}"
    )
    letter = f"t({fit.df:.0f})" if np.isfinite(fit.df) else "z"
    said = [
        f"{model} meta-analysis of {fit.k:.0f} studies ({how}): "
        f"{number(float(fit.estimate), places)} "
        f"({sure} CI {interval(float(fit.ci_low), float(fit.ci_high), places)}; "
        f"{letter} = {number(float(fit.statistic), 2)}, {p_value(float(fit.p_value))}).",
        f"Heterogeneity: Q({fit.q_df:.0f}) = {number(float(fit.q), 2)}, "
        f"{p_value(float(fit.q_p_value))}, I² = {fit.i2:.0f} %{_i2_interval(fit)}{_tau2(fit)}.",
    ]
    if fit.se == 0:
        said.append("All estimates are equal, so that this interval has no width.")
    if np.isfinite(fit.pi_low):
        limits = interval(float(fit.pi_low), float(fit.pi_high), places)
        said.append(f"{sure} prediction interval {limits}.")
    return said


def _i2_interval(fit: RandomEffectsFit) -> str:
    if fit.method == "common":
        return ""
    limits = interval(float(fit.i2_ci_low), float(fit.i2_ci_high), 0)
    return f" ({percent(fit.level)} CI {limits} %)"


def _tau2(fit: RandomEffectsFit) -> str:
    if fit.method == "common":
        return ""
    places = decimals(float(fit.tau2_se))
    limits = interval(float(fit.tau2_ci_low), float(fit.tau2_ci_high), places)
    kind = INTERVAL_TEXT[fit.tau2_interval]
    return f", τ² = {number(float(fit.tau2), places)} ({percent(fit.level)} {kind} {limits})"
