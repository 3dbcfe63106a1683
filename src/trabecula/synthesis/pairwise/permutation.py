"""Permutation tests of a meta-regression: how often chance arranges the studies as well."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import cast, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import FloatArray, IntArray, require_option
from trabecula.synthesis.pairwise.moderators import Design
from trabecula.synthesis.pairwise.regression_heterogeneity import Method, between_study_variance
from trabecula.synthesis.pairwise.wald import Test, Wald, omnibus_statistic
from trabecula.synthesis.result import Json, Result, frozen
from trabecula.synthesis.text import p_value

Order = NDArray[np.intp]

EXACT_MOST = 1_000_000
"""Most arrangements that are gone through one by one."""

BATCH = 10_000
"""Arrangements fitted at once."""

TIE = 1e-8
"""A statistic this much smaller than the observed one, relative, still counts as reaching it:
equal arrangements differ by rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class PermutationTest(Result):
    """How often rearranged studies give statistics as large as the observed ones.

    Arrays have the leading axes of the data; ``statistic``, ``p_value`` and ``p_value_se`` have
    the coefficients as a last axis. The standard errors are those of drawing arrangements at
    random, 0 where ``exact``: all ``permutations`` were gone through.
    """

    method: Method
    test: Test
    names: tuple[str, ...]
    intercept: bool
    seed: int
    permutations: IntArray
    exact: NDArray[np.bool_]
    statistic: FloatArray
    p_value: FloatArray
    p_value_se: FloatArray
    qm: FloatArray
    qm_p_value: FloatArray
    qm_p_value_se: FloatArray

    def rows(self) -> list[dict[str, Json]]:
        """Return one record a coefficient; `ValueError` for several data sets."""
        self.require_one("a table")
        return [
            {
                "name": name,
                "statistic": float(self.statistic[i]),
                "p_value": float(self.p_value[i]),
                "p_value_se": float(self.p_value_se[i]),
            }
            for i, name in enumerate(self.names)
        ]

    def summary(self) -> str:
        """Return the result in sentences a paper could print."""
        self.require_one()
        one = len(self.names) == 1 and self.intercept
        what = "sign changes" if one else "rearrangements of the moderators"
        how = (
            f"all {self.permutations} {what}"
            if self.exact
            else (f"{self.permutations} random {what}")
        )
        shown = range(0 if one else int(self.intercept), len(self.names))
        each = "; ".join(f"{self.names[i]} {p_value(float(self.p_value[i]))}" for i in shown)
        text = f"Permutation test ({self.method}, {how}): {each}."
        if len(shown) > 1:
            text += f" Together: {p_value(float(self.qm_p_value))}."
        return text


def permutation_test(
    estimate: ArrayLike,
    variance: ArrayLike,
    moderators: ArrayLike | None,
    *,
    names: Sequence[str] | None = None,
    intercept: bool = True,
    method: Method = "REML",
    test: Test = "knapp-hartung",
    draws: int = 1000,
    exact: bool | None = None,
    seed: int = 1,
) -> PermutationTest:
    """Return permutation p-values of the coefficients and of the omnibus test.

    The rows of the moderators are rearranged among the studies, an estimate and its variance
    staying together, and the whole model is fitted to each arrangement. In a model of an
    intercept alone the signs of the estimates are changed instead. A p-value is the share of
    arrangements whose statistic is at least as large, in absolute value, as the observed one.

    Parameters
    ----------
    estimate, variance, moderators, names, intercept, method, test
        As in `meta_regression`.
    draws
        Number of random arrangements; the first of them is the observed one, so that no
        p-value is 0. With 1,000 a p-value of 0.05 has a standard error of 0.007.
    exact
        Whether to go through all distinct arrangements; by default where there are no more
        than `draws` of them.
    seed
        Seed of the random arrangements. Each data set gets the same ones.

    Raises
    ------
    ValueError
        As in `meta_regression`; if `draws` or `seed` is no such number; if an exact test has too
        many arrangements; if the estimates lie on the regression exactly.

    Notes
    -----
    Follmann and Proschan (1999), Biometrics 55:732-737; Higgins and Thompson (2004), Stat Med
    23:1663-1682.

    Examples
    --------
    >>> result = permutation_test([0.1, 0.3, 0.2, 0.9, 0.8], [0.05] * 5, [1, 2, 3, 4, 5])
    >>> int(result.permutations), bool(result.exact), round(float(result.p_value[1]), 3)
    (120, True, 0.1)
    """
    require_option("method", method, get_args(Method))
    require_option("test", test, get_args(Test))
    for name, value, least in (("draws", draws, 2), ("seed", seed, 0)):
        if not isinstance(value, int | np.integer) or value < least:
            raise ValueError(f"{name} must be a whole number, at least {least}, got {value!r}")
    design = Design.read(estimate, variance, moderators, names, intercept=intercept)
    sets = range(len(design.k))
    parts = [_one(design.only(i), method, test, draws, exact, seed) for i in sets]
    columns = [np.reshape(c, design.shape + np.shape(c)[1:]) for c in zip(*parts, strict=True)]
    number, every, statistic, p, qm, qm_p = (frozen(column) for column in columns)
    chance = np.where(every, 0.0, 1 / number)
    return PermutationTest(
        method=method,
        test=test,
        names=design.names,
        intercept=intercept,
        seed=seed,
        permutations=number,
        exact=every,
        statistic=statistic,
        p_value=p,
        p_value_se=frozen(np.sqrt(p * (1 - p) * chance[..., None])),
        qm=qm,
        qm_p_value=qm_p,
        qm_p_value_se=frozen(np.sqrt(qm_p * (1 - qm_p) * chance)),
    )


def _one(
    design: Design, method: Method, test: Test, draws: int, exact: bool | None, seed: int
) -> tuple[int, bool, FloatArray, FloatArray, float, float]:
    """Return number of arrangements, whether all, statistics, p-values, QM and its p-value."""
    statistic, qm = _statistics(design, design.values, design.variance, method, test)
    if np.isnan(qm[0]):
        raise ValueError(
            "the estimates lie on the regression exactly, there is no residual to test against"
        )
    signs = design.intercept and design.p == 1
    groups = [] if signs else _alike(design.matrix[0])
    count = 2 ** int(design.k[0]) if signs else _arrangements(groups)
    every = count <= draws if exact is None else exact
    if every and count > EXACT_MOST:
        raise ValueError(
            f"an exact test of these studies has {count} arrangements, at most {EXACT_MOST} can "
            "be gone through: leave exact out to draw some at random"
        )
    reached, reached_qm, done = np.zeros(design.p), 0, 0
    batches = _all(groups, design, signs) if every else _random(design, draws, seed, signs)
    for y, v in batches:
        other, other_qm = _statistics(design, y, v, method, test)
        reached += _reaches(np.abs(other), np.abs(statistic)).sum(axis=0)
        reached_qm += int(_reaches(other_qm, qm).sum())
        done += len(y)
    return done, every, statistic[0], reached / done, float(qm[0]), reached_qm / done


def _statistics(
    design: Design, y: FloatArray, v: FloatArray, method: Method, test: Test
) -> tuple[FloatArray, FloatArray]:
    studies = design.rearranged(y, v)
    fit = studies.projection(between_study_variance(studies, method))
    wald = Wald.of(studies, fit, test)
    qm = omnibus_statistic(wald.coefficients, wald.covariance, design.tested, wald.df)
    return wald.statistic, qm


def _reaches(other: FloatArray, observed: FloatArray) -> NDArray[np.bool_]:
    """Return where a statistic reaches the observed one; one without residual (NaN) does."""
    return ~(other < observed * (1 - TIE) - TIE)


def _alike(matrix: FloatArray) -> list[list[int]]:
    """Return the studies with equal moderators, the largest group last."""
    _, group = np.unique(matrix, axis=0, return_inverse=True)
    members = [np.flatnonzero(group == g).tolist() for g in range(int(group.max()) + 1)]
    return sorted(members, key=len)


def _arrangements(groups: list[list[int]]) -> int:
    """Return the number of distinct arrangements of studies over groups of equal moderators."""
    number = math.factorial(sum(map(len, groups)))
    return number // math.prod(math.factorial(len(group)) for group in groups)


def _all(
    groups: list[list[int]], design: Design, signs: bool
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield batches of all distinct arrangements: estimates and variances."""
    y, v = design.values[0], design.variance[0]
    if signs:
        for start in range(0, 2 ** len(y), BATCH):
            number = np.arange(start, min(start + BATCH, 2 ** len(y)))
            sign = 1.0 - 2.0 * (number[:, None] >> np.arange(len(y)) & 1)
            yield sign * y, np.broadcast_to(v, sign.shape)
        return
    place = np.array([study for group in groups for study in group])
    waiting: list[tuple[int, ...]] = []
    for chosen in _choices(tuple(range(len(y))), [len(group) for group in groups]):
        waiting.append(chosen)
        if len(waiting) == BATCH:
            yield _placed(waiting, place, y, v)
            waiting = []
    if waiting:
        yield _placed(waiting, place, y, v)


def _placed(
    chosen: list[tuple[int, ...]], place: Order, y: FloatArray, v: FloatArray
) -> tuple[FloatArray, FloatArray]:
    order = np.empty((len(chosen), len(place)), dtype=np.intp)
    order[:, place] = chosen
    return y[order], v[order]


def _choices(studies: tuple[int, ...], sizes: list[int]) -> Iterator[tuple[int, ...]]:
    """Yield each way to deal `studies` into groups of `sizes`, group after group."""
    if len(sizes) == 1:
        yield studies
        return
    for chosen in combinations(studies, sizes[0]):
        taken = set(chosen)
        rest = tuple(study for study in studies if study not in taken)
        for others in _choices(rest, sizes[1:]):
            yield chosen + others


def _random(
    design: Design, draws: int, seed: int, signs: bool
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield batches of random arrangements, the observed one the first."""
    rng = np.random.default_rng(seed)
    y, v = design.values[0], design.variance[0]
    for start in range(0, draws, BATCH):
        shape = (min(BATCH, draws - start), len(y))
        if signs:
            sign = rng.choice([-1.0, 1.0], size=shape)
            sign[0] = 1.0 if start == 0 else sign[0]
            yield sign * y, np.broadcast_to(v, shape)
            continue
        order = rng.permuted(np.broadcast_to(np.arange(len(y)), shape), axis=1)
        if start == 0:
            order[0] = np.arange(len(y))
        yield cast(FloatArray, y[order]), cast(FloatArray, v[order])
