"""The sums behind every pairwise result: against exact arithmetic, one data set against many."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from trabecula.synthesis import RandomEffectsFit, random_effects
from trabecula.synthesis.pairwise.power_sums import Column, Columns, Table
from trabecula.synthesis.pairwise.q_profile import tau2_at_q
from trabecula.synthesis.studies import Studies

HARD = [
    ([1.6, 2.3, 4.7, 2.9], [1e-24, 1.0, 2.5, 1e8]),
    ([1e6, 1e6 + 1e-3, 1e6 - 2e-3], [1e-12, 1e-12, 1e12]),
    ([0.0, 5.0, 5.000001, 5.000002], [0.9, 1.0, 1.0, 1.0]),
    ([1e9, -1e9, 3.0], [1e-12, 1e12, 1.0]),
    ([0.3, 0.1], [2e-12, 1e-12]),
]


def exact(y: list[float], v: list[float], tau2: float) -> list[float]:
    """Return q1, q2, q3, p1 and p2 by rational arithmetic with the projection written out."""
    weight = [1 / (Fraction(b) + Fraction(tau2)) for b in v]
    total, k = sum(weight), len(y)
    projection = [
        [(weight[i] if i == j else 0) - weight[i] * weight[j] / total for j in range(k)]
        for i in range(k)
    ]
    pulled = [Fraction(value) for value in y]
    forms = []
    for _ in range(3):
        pulled = [sum(p * b for p, b in zip(row, pulled, strict=True)) for row in projection]
        forms.append(sum(a * Fraction(b) for a, b in zip(pulled, y, strict=True)))
    trace = sum(projection[i][i] for i in range(k))
    square = sum(entry * entry for row in projection for entry in row)
    return [float(value) for value in (*forms, trace, square)]


@pytest.mark.parametrize(("y", "v"), HARD)
@pytest.mark.parametrize("tau2", [0.0, 1e-9, 0.3, 1e15])
def test_sums_keep_their_digits(y: list[float], v: list[float], tau2: float) -> None:
    """Nothing cancels although variances span 32 orders of magnitude, for one or for many."""
    one = Table.of(Studies.read(y, v))
    many = Table.of(Studies.read(np.stack([y, y[::-1]]), np.stack([v, v[::-1]])))
    wanted = exact(y, v, tau2)

    for data in (one.data, many.data):
        sums, curves = data.curves(tau2)
        found = [np.atleast_1d(x)[-1] for x in (sums.q1, sums.q2, curves.q3, curves.p1, curves.p2)]
        np.testing.assert_allclose(found, wanted, rtol=1e-13)


def test_one_data_set_is_summed_as_a_column() -> None:
    """Floats for one data set, arrays for many, missing studies or not."""
    y, v = [0.1, np.nan, 0.4, 0.3], [0.2, 0.1, 0.3, 0.05]
    one, many = Table.of(Studies.read(y, v)), Table.of(Studies.read([y, y], v))

    assert isinstance(one.data, Column)
    assert isinstance(many.data, Columns)
    assert isinstance(one.zero.q1, float)
    assert (one.k, one.ragged, many.ragged) == (3.0, True, True)
    for left, right in zip(one.zero + one.zero_curves, many.zero + many.zero_curves, strict=True):
        np.testing.assert_allclose(right, left, rtol=1e-14)
    assert one.data.log_variance(0.1) == pytest.approx(many.data.log_variance(0.1)[0], rel=1e-14)


def every_number(fit: RandomEffectsFit) -> dict[str, np.ndarray]:
    """Return all numbers of a result, those of the criteria too."""
    fields = {n: getattr(fit, n) for n in fit.__slots__}
    for name in ("ml", "reml"):
        criteria = fields.pop(name)
        fields |= {f"{name} {n}": getattr(criteria, n) for n in criteria.__slots__}
    return {n: value for n, value in fields.items() if isinstance(value, np.ndarray)}


@pytest.mark.parametrize("test", ["knapp-hartung", "z"])
@pytest.mark.parametrize("method", ["REML", "ML", "PM", "DL"])
def test_many_are_fitted_as_each_alone(method: Any, test: Any) -> None:
    """Every number of data sets, some ragged, some hard, is that of a call for each."""
    rng = np.random.default_rng(8)
    v = 10 ** rng.uniform(-3, 1, (120, 9))
    y = rng.normal(0.5, np.sqrt(v + 0.2))
    y[:60][rng.uniform(size=(60, 9)) < 0.3] = np.nan
    y[:, :2] = rng.normal(size=(120, 2))
    together = random_effects(y, v, method=method, test=test)

    for i in range(120):
        alone = every_number(random_effects(y[i], v[i], method=method, test=test))
        for name, value in every_number(together[i]).items():
            np.testing.assert_allclose(value, alone[name], rtol=1e-12, atol=1e-12, err_msg=name)


def test_newton_never_passes_the_root_of_q() -> None:
    """1 / Q is concave: from below each step stays below, however far the root."""
    rng = np.random.default_rng(4)
    v = 10 ** rng.uniform(-6, 6, (300, 5))
    table = Table.of(Studies.read(rng.normal(size=(300, 5)) * 10 ** rng.uniform(-3, 6), v))
    target = np.full(300, 0.1)
    root = tau2_at_q(table, target)
    reached = root > 0
    q = table.data.sums(root).q1

    np.testing.assert_allclose(q[reached], 0.1, rtol=1e-12)
    assert (q[~reached] <= 0.1).all()
    for share in (0.0, 0.5, 0.9):
        sums = table.data.sums(share * root)
        step = sums.q1 * (sums.q1 - target) / (target * sums.q2)
        assert (share * root + step <= root * (1 + 1e-9))[reached].all()
