"""The profile-likelihood interval: where its limits lie, and when it is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.synthesis.pairwise.test_random_effects import random_data
from trabecula.synthesis import random_effects
from trabecula.synthesis.distributions import chi2_quantile
from trabecula.synthesis.pairwise.likelihood import log_likelihood
from trabecula.synthesis.pairwise.power_sums import Table
from trabecula.synthesis.studies import Studies


@pytest.mark.parametrize("method", ["ML", "REML"])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.9999])
@pytest.mark.parametrize("k", [2, 3, 20])
def test_limits_lie_half_a_quantile_below_the_maximum(method: Any, level: float, k: int) -> None:
    """Or the lower one at 0, where the likelihood has not fallen so far."""
    y, v = random_data(200, k, 0.3, seed=k)
    fit = random_effects(y, v, method=method, level=level, tau2_interval="profile-likelihood")
    table, restricted = Table.of(Studies.read(y, v)), method == "REML"
    fall = chi2_quantile(level, 1.0) / 2

    def below(tau2: np.ndarray) -> np.ndarray:
        heights = [log_likelihood(table, t, restricted=restricted) for t in (fit.tau2, tau2)]
        return heights[0] - heights[1]

    np.testing.assert_allclose(below(fit.tau2_ci_high), fall, rtol=1e-9)
    zero = fit.tau2_ci_low == 0
    np.testing.assert_allclose(below(fit.tau2_ci_low)[~zero], fall, rtol=1e-9)
    assert (below(fit.tau2_ci_low)[zero] <= fall * (1 + 1e-12)).all()
    assert (fit.tau2_ci_low <= fit.tau2).all()
    assert (fit.tau2 <= fit.tau2_ci_high).all()


def test_limits_span_all_maxima() -> None:
    """Of two maxima, 0.002 and 0.16, with values rejected between, the interval holds both."""
    y = [-0.047, 1.305, 0.0, 0.082, -0.0014]
    v = [2.0, 0.134, 2.1, 1.06e-6, 4e-7]
    fit = random_effects(y, v, method="ML", tau2_interval="profile-likelihood", level=0.65)
    table = Table.of(Studies.read(y, v))
    top, fall = float(fit.tau2), chi2_quantile(0.65, 1.0) / 2
    wanted = log_likelihood(table, top, restricted=False) - fall
    mesh = np.append(0.0, np.geomspace(1e-9, 1e3, 4000))
    height = np.array([log_likelihood(table, t, restricted=False) for t in mesh.tolist()])
    inside = mesh[height >= wanted]
    between = height[(mesh > inside.min()) & (mesh < inside.max())]

    assert between.min() < wanted
    assert float(fit.tau2_ci_low) == pytest.approx(inside.min(), rel=0.01)
    assert float(fit.tau2_ci_high) == pytest.approx(inside.max(), rel=0.01)


def test_many_data_sets_have_the_limits_of_each_alone() -> None:
    """One call for a table gives what a call for each gives."""
    y, v = random_data(40, 6, 0.2, seed=9)
    together = random_effects(y, v, tau2_interval="profile-likelihood")
    apart = [
        random_effects(a, b, tau2_interval="profile-likelihood") for a, b in zip(y, v, strict=True)
    ]

    for name in ("tau2_ci_low", "tau2_ci_high", "i2_ci_high", "h2_ci_low"):
        np.testing.assert_allclose(
            getattr(together, name), [float(getattr(f, name)) for f in apart], rtol=1e-9, atol=1e-12
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"method": "DL", "tau2_interval": "profile-likelihood"},
            "needs a likelihood, got method 'DL': use method ML or REML",
        ),
        (
            {"method": "REML", "tau2_interval": "generalised-q"},
            "belongs to methods GENQ, GENQ-median, got method 'REML'",
        ),
        ({"tau2_interval": "wald"}, "tau2_interval must be one of as-method, q-profile, .*'wald'"),
    ],
)
def test_intervals_that_do_not_go_with_the_method_are_refused(
    arguments: dict[str, Any], message: str
) -> None:
    """Each refusal says what to do instead."""
    with pytest.raises(ValueError, match=message):
        random_effects([0.1, 0.5, 0.4], [0.1, 0.2, 0.1], **arguments)


def test_summary_names_the_interval() -> None:
    """An interval of τ² that is not the Q-profile is named."""
    y, v = random_data(1, 8, 0.3, seed=2)
    kinds = {"profile-likelihood": "profile-likelihood CI", "q-profile": "95 % CI"}

    for kind, words in kinds.items():
        fit = random_effects(y[0], v[0], tau2_interval=kind)  # type: ignore[arg-type]
        assert words in fit.summary().split("τ²")[1]
        assert fit.tau2_interval == kind
