"""Every parameter of every fit of the reference agrees within the Monte-Carlo errors of both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.synthesis.time_course.osteopain import CURVES, ours, samples, theirs
from trabecula.synthesis.sampling.convergence import bulk_sample_size

ERRORS = 4.5
"""Monte-Carlo standard errors, of both sides together, that may lie between two right answers.

Of the 910 figures of the posteriors one would be farther off in one of 160 runs (two-sided 6.8e-6
each); the seed is fixed. Worst seen: 2.3 of the means, 2.7 of the spreads (2.5 %), 2.5 of medians
and lower limits, 3.1 of upper limits. The root mean squares are 0.8 to 1.0.
"""

CONSTANT = {"rho"}
"""What the reference monitors but sets to 0; its correlation argument does nothing."""


def compared(name: str) -> list[str]:
    """Return the parameters that vary."""
    return [p for p in theirs()[name]["params"] if p not in CONSTANT and not p.endswith("[1]")]


def test_every_fit_and_every_block_of_the_reference_is_compared() -> None:
    """No fit, no parameter and no block of results of the reference is left out."""
    settings = {"csv", "call", "seconds", "n_chains", "n_iter", "n_burnin", "n_thin", "n_keep"}
    told = {"params", "n_eff", "Rhat", "jags_code", "treatments", "pD"}
    values = {"DIC", "mean", "sd", "q025", "q50", "q975", "relative_12wk", "pred_E0_8"}

    assert set(theirs()) == set(CURVES)
    for name, fit in theirs().items():
        assert set(fit) <= settings | told | values
        assert fit["pD"] is None
        assert set(fit["treatments"]) == set(ours(name).treatments)
        constant = [p for p in fit["params"] if p not in compared(name)]
        assert {p for p in constant if p != "rho"} <= {"emax[1]", "rate[1]", "d.1[1]", "d.2[1]"}
        assert {fit["mean"][fit["params"].index(p)] for p in constant} == {0}
    assert {n for n, fit in theirs().items() if "relative_12wk" in fit} == {"osteopain_emax_common"}
    assert {n for n, fit in theirs().items() if "pred_E0_8" in fit} == {"osteopain_emax_common"}


@pytest.mark.parametrize("name", CURVES)
def test_posteriors_agree(name: str) -> None:
    """Means, spreads and quantiles of all parameters agree within Monte-Carlo error."""
    fit = theirs()[name]
    table = np.stack([samples(name, p) for p in compared(name)], axis=-1)
    place = [fit["params"].index(p) for p in compared(name)]
    flat = table.reshape(-1, table.shape[-1])
    sizes = bulk_sample_size(table), np.array(fit["n_eff"], dtype=float)[place]
    spread = flat.std(axis=0, ddof=1)
    scale = np.sqrt(1 / sizes[0] + 1 / sizes[1])
    reference = {key: np.array(fit[key])[place] for key in ("mean", "sd", "q025", "q50", "q975")}

    off = {"mean": (flat.mean(axis=0) - reference["mean"]) / (spread * scale)}
    off["sd"] = np.log(spread / reference["sd"]) / (scale / np.sqrt(2))
    for key, share in (("q025", 0.025), ("q50", 0.5), ("q975", 0.975)):
        factor = np.sqrt(share * (1 - share)) / stats.norm.pdf(stats.norm.ppf(share))
        gap = np.quantile(flat, share, axis=0) - reference[key]
        off[key] = gap / (factor * spread * scale)

    wrong = {
        (key, parameter): float(value)
        for key, values in off.items()
        for parameter, value in zip(compared(name), values, strict=True)
        if not abs(value) < ERRORS
    }
    assert wrong == {}


@pytest.mark.parametrize("name", CURVES)
def test_dic_agrees(name: str) -> None:
    """DIC, the mean deviance and half its variance, agrees within Monte-Carlo error."""
    fit, draws = theirs()[name], samples(name, "deviance")
    n_eff = fit["n_eff"][fit["params"].index("deviance")]
    share = 1 / bulk_sample_size(draws[..., None])[0] + 1 / n_eff
    pv = float(ours(name).pv)
    error = np.sqrt((2 * pv + 2 * pv**2) * share)

    assert abs(float(ours(name).dic) - fit["DIC"]) < ERRORS * error
    assert float(ours(name).deviance) == pytest.approx(draws.mean())


EMAX = "osteopain_emax_common"


def share_of(names: list[str]) -> float:
    """Return the sum of inverse sample sizes, ours and theirs, the smallest of `names` and ET50."""
    fit = theirs()[EMAX]
    told = ["et50", *(f"emax[{fit['treatments'].index(name) + 1}]" for name in names)]
    told = [p for p in told if p != "emax[1]"]
    mine = bulk_sample_size(np.stack([samples(EMAX, p) for p in told], axis=-1)).min()
    return float(1 / mine + 1 / min(fit["n_eff"][fit["params"].index(p)] for p in told))


def test_relative_effects_agree() -> None:
    """Differences at 12 weeks have the sign of row minus column, and the reference's values."""
    told = theirs()[EMAX]["relative_12wk"]["mean"]
    effects = ours(EMAX).relative_effects(12)
    place = np.ix_(*[[effects.treatments.index(name) for name in told["rows"]]] * 2)
    apart = effects.mean[place] - np.array(told["values"], dtype=float)
    error = effects.sd[place] * np.sqrt(share_of(told["rows"]))
    off = ~np.eye(len(apart), dtype=bool)

    assert told["rows"] == told["cols"]
    assert (np.abs(apart[off]) < ERRORS * error[off]).all()
    assert (np.diag(effects.mean) == 0).all()


def test_predictions_agree() -> None:
    """Pain from 8 on, with a change of -2 in the end under placebo, is what the reference predicts.

    That change is not told by the reference but follows from its predictions.
    """
    told = theirs()[EMAX]["pred_E0_8"]
    times = told["Pl_0"]["time"]
    quartiles = replace(ours(EMAX), level=0.5).predict(times, response={"emax": -2}, baseline=8)
    predicted = ours(EMAX).predict(times, response={"emax": -2}, baseline=8)
    limits = {
        "2.5%": (predicted.ci_low, 0.025),
        "25%": (quartiles.ci_low, 0.25),
        "50%": (predicted.median, 0.5),
        "75%": (quartiles.ci_high, 0.75),
        "97.5%": (predicted.ci_high, 0.975),
    }

    assert set(told) == {"Pl_0", "Ce_100", "Ce_200"}
    for treatment, block in told.items():
        row = predicted.treatments.index(treatment)
        scale = np.sqrt(share_of([treatment]))
        sd = np.array(block["sd"])
        assert set(block) == {"time", "mean", "sd", *limits}
        assert block["time"] == times
        assert (np.abs(predicted.mean[row] - block["mean"]) <= ERRORS * scale * sd).all()
        spread = np.log(predicted.sd[row][1:] / sd[1:])
        assert (np.abs(spread) < ERRORS * scale / np.sqrt(2)).all()
        for key, (values, share) in limits.items():
            factor = np.sqrt(share * (1 - share)) / stats.norm.pdf(stats.norm.ppf(share))
            gap = np.abs(values[row] - block[key])
            assert (gap <= ERRORS * factor * scale * sd).all()
