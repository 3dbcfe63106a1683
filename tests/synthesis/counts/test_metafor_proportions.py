"""Transformed proportions against metafor: from counts, pooled, and back to percentages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

from tests.synthesis.counts.data import one_arm
from tests.synthesis.reference import METHODS, TESTS, agree, disagreements, load
from trabecula.effects import measures
from trabecula.synthesis import random_effects
from trabecula.synthesis.distributions import chi2_upper_tail, two_sided_p

FITS: dict[str, dict[str, Any]] = load("metafor_proportions.json")["fits"]

COUNTS = one_arm("pritz1997")

COVERED_BY_PAIRWISE = {"b", "se", "zval", "pval", "ci_lb", "ci_ub", "ddf", "tau2", "se_tau2"}
COVERED_BY_PAIRWISE |= {"I2", "H2", "QE", "QEp", "k", "fit_stats", "method", "test"}
"""Keys compared in ``tests/synthesis/pairwise/test_metafor_alignment.py``, fit by fit."""

COVERED_HERE = {"yi", "vi", "back", "predict", "vcov", "QM", "QMp", "QMdf", "s2w", "p", "R2"}

Pair = tuple[np.ndarray, np.ndarray]


def corrected() -> Pair:
    """Return events and others, half of each added where one of them is 0."""
    x, n = COUNTS
    empty = 0.5 * ((x == 0) | (x == n))
    return x + empty, n - x + empty


def log_share() -> Pair:
    """Return the logarithms of the proportions and their variances."""
    x, rest = corrected()
    return np.log(x / (x + rest)), 1 / x - 1 / (x + rest)


def probit_share() -> Pair:
    """Return the normal quantiles of the proportions and their variances."""
    x, rest = corrected()
    n, z = x + rest, special.ndtri(x / (x + rest))
    return z, 2 * np.pi * (x / n) * (rest / n) * np.exp(z**2) / n


def of(measure: Callable[..., Any]) -> Pair:
    """Return values and variances of an effect measure of the counts."""
    effect = measure(*COUNTS)
    return effect.value, effect.variance


def harmonic(value: float) -> float:
    """Return the share whose double arcsine is `value` at the harmonic mean of the sizes."""
    size = len(COUNTS[1]) / (1 / COUNTS[1]).sum()
    return float(measures.inverse_freeman_tukey(value, size))


MEASURES: dict[str, tuple[Callable[[], Pair], Callable[[float], Any]]] = {
    "PR": (lambda: of(measures.share), float),
    "PLN": (log_share, np.exp),
    "PLO": (lambda: of(measures.logit_share), special.expit),
    "PRZ": (probit_share, special.ndtr),
    "PAS": (lambda: of(measures.arcsine_share), measures.inverse_arcsine),
    "PFT": (lambda: of(measures.freeman_tukey_share), harmonic),
}
"""metafor's letters, how counts are transformed, and the way back."""


def fit_of(key: str) -> Any:
    """Return our fit of a golden case, from the counts."""
    theirs = FITS[key]
    estimate, variance = MEASURES[key.split("_")[1]][0]()
    method, test = METHODS[theirs["method"]], TESTS[theirs["test"]]
    return random_effects(estimate, variance, method=method, test=test)  # type: ignore[arg-type]


def test_the_grid_is_complete() -> None:
    """Six transformations, four methods, two tests, and every key of each fit."""
    methods = ("EE", "DL", "REML", "PM")
    grid = {f"pritz1997_{m}_{e}_{t}" for m in MEASURES for e in methods for t in ("z", "knha")}

    assert set(FITS) == grid
    assert all(set(fit) == COVERED_BY_PAIRWISE | COVERED_HERE for fit in FITS.values())


@pytest.mark.parametrize("measure", MEASURES)
def test_transformed_counts_agree_with_metafor(measure: str) -> None:
    """Values and variances are those of ``escalc``, wherever the counts have no empty cell."""
    theirs = FITS[f"pritz1997_{measure}_EE_z"]
    estimate, variance = MEASURES[measure][0]()

    np.testing.assert_allclose(estimate, theirs["yi"], rtol=1e-10)
    np.testing.assert_allclose(variance, theirs["vi"], rtol=1e-10)


@pytest.mark.parametrize("key", FITS)
def test_tests_and_predictions_agree_with_metafor(key: str) -> None:
    """The test of the mean, its variance, and what ``predict`` gives."""
    theirs, fit = FITS[key], fit_of(key)
    predicted, df = theirs["predict"], theirs["QMdf"][1]
    statistic = np.asarray(fit.statistic)
    pairs = {
        "vcov": (fit.se**2, theirs["vcov"]["values"][0][0]),
        "QM": (statistic**2, theirs["QM"]),
        "s2w": (fit.se**2 * _precision(fit, theirs), theirs["s2w"]),
        "pred": (fit.estimate, predicted["pred"]),
        "predict se": (fit.se, predicted["se"]),
        "predict ci_lb": (fit.ci_low, predicted["ci_lb"]),
        "predict ci_ub": (fit.ci_high, predicted["ci_ub"]),
        "predict pi_lb": (fit.pi_low, predicted["pi_lb"]),
        "predict pi_ub": (fit.pi_high, predicted["pi_ub"]),
        "pi_se": (np.hypot(fit.se, np.sqrt(fit.tau2)), predicted["pi_se"]),
        "pi_ddf": (fit.df, np.inf if predicted["pi_ddf"] is None else predicted["pi_ddf"]),
    }

    assert disagreements(pairs) == {}
    assert theirs["QMdf"][0] == theirs["p"] == 1
    assert theirs["R2"] is None
    assert predicted["pi_dist"] == ("norm" if df is None else "t")
    p = chi2_upper_tail(statistic**2, np.ones(())) if df is None else two_sided_p(statistic, fit.df)
    assert agree(p, theirs["QMp"], rtol=1e-9)


def _precision(fit: Any, theirs: dict[str, Any]) -> float:
    """Return the sum of the weights at our between-study variance."""
    return float((1 / (np.array(theirs["vi"]) + fit.tau2)).sum())


@pytest.mark.parametrize("key", FITS)
def test_back_transformed_results_agree_with_metafor(key: str) -> None:
    """Estimate and limits as proportions; for the double arcsine at the harmonic mean size.

    metafor gives that one twice, by the mean and by the sizes themselves: they are the same.
    """
    measure, fit = key.split("_")[1], fit_of(key)
    back = MEASURES[measure][1]
    blocks = FITS[key]["back"]
    names = {"pred": "estimate", "ci_lb": "ci_low", "ci_ub": "ci_high"}
    names |= {"pi_lb": "pi_low", "pi_ub": "pi_high"}
    for block in blocks.values() if isinstance(blocks, dict) else blocks:
        pairs = {t: (back(float(getattr(fit, names[t]))), block[t]) for t in block}
        assert {"pred", "ci_lb", "ci_ub"} <= set(block)
        assert disagreements(pairs, rtol=1e-9) == {}
