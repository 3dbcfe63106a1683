"""A network fit in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trabecula.synthesis.text import decimals, interval, number, p_value, percent

if TYPE_CHECKING:
    from trabecula.synthesis.network.network_meta_analysis import NetworkFit

TEST_TEXT = {
    "z": "normal intervals",
    "t": "t intervals",
    "knapp-hartung": "Knapp–Hartung intervals",
}


def fit_sentences(fit: NetworkFit) -> list[str]:
    """Return what a fit of one data set says: model, effects, heterogeneity, incoherence."""
    sentences = [_model(fit), _effects(fit), _heterogeneity(fit), _incoherence(fit)]
    if not fit.covariance.any():
        sentences.append("All estimates agree exactly, so that these intervals have no width.")
    return sentences


def _model(fit: NetworkFit) -> str:
    model = "Common-effect" if fit.method == "common" else "Random-effects"
    how = TEST_TEXT[fit.test]
    if fit.q_df == 0:
        how = TEST_TEXT["z"]
    elif fit.method != "common":
        given = np.isfinite(fit.tau2) and np.isnan(fit.tau2_se)
        how = f"{'τ² given' if given else fit.method}, {how}"
    return (
        f"{model} network meta-analysis of {_count(int(fit.k), 'study', 'studies')} of "
        f"{len(fit.treatments)} treatments in {_count(fit.designs, 'design', 'designs')} ({how})."
    )


def _effects(fit: NetworkFit) -> str:
    column = fit.treatments.index(fit.reference)
    parts = []
    for row, name in enumerate(fit.treatments):
        if row != column:
            places = decimals(float(fit.se[row, column]))
            low, high = float(fit.ci_low[row, column]), float(fit.ci_high[row, column])
            value = number(float(fit.estimate[row, column]), places)
            parts.append(f"{name} {value} ({interval(low, high, places)})")
    return f"Against {fit.reference} ({percent(fit.level)} CI): {'; '.join(parts)}."


def _heterogeneity(fit: NetworkFit) -> str:
    if fit.q_df == 0:
        return (
            "Every comparison rests on one source: neither heterogeneity nor incoherence "
            "can be estimated, intervals assume that there is none."
        )
    text = (
        f"Heterogeneity and incoherence together: Q({fit.q_df:.0f}) = {number(float(fit.q), 2)}, "
        f"{p_value(float(fit.q_p_value))}, I² = {fit.i2:.0f} %{_tau2(fit)}."
    )
    if fit.q_within_df == 0:
        return text
    return (
        f"{text} Within designs Q({fit.q_within_df:.0f}) = {number(float(fit.q_within), 2)}, "
        f"{p_value(float(fit.q_within_p_value))}."
    )


def _tau2(fit: NetworkFit) -> str:
    if fit.method == "common":
        return ""
    if np.isnan(fit.tau2_se):
        return f", τ² = {float(fit.tau2):.2g} (given)"
    places = decimals(float(fit.tau2_se))
    value = number(float(fit.tau2), places)
    limits = interval(float(fit.tau2_ci_low), float(fit.tau2_ci_high), places)
    return f", τ² = {value} ({percent(fit.level)} CI {limits})"


def _incoherence(fit: NetworkFit) -> str:
    if fit.incoherence == "untestable":
        return (
            "Incoherence cannot be tested: no two designs inform a comparison independently, so "
            "that indirect estimates rest on the assumption that there is none."
        )
    fixed = (
        f"Q({fit.q_between_df:.0f}) = {number(float(fit.q_between), 2)}, "
        f"{p_value(float(fit.q_between_p_value))}"
    )
    if fit.q_within_df == 0:
        return (
            f"Incoherence between designs, if there is no heterogeneity: {fixed}. No design has "
            "two studies: the two cannot be told apart."
        )
    random = (
        f"Q({fit.q_between_df:.0f}) = {number(float(fit.interaction_q), 2)}, "
        f"{p_value(float(fit.interaction_p_value))}"
    )
    return (
        f"Incoherence between designs: {random} beyond the heterogeneity within designs, "
        f"{fixed} without heterogeneity."
    )


def _count(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"
