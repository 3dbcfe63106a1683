"""Subgroups of studies pooled apart, and the test of whether they differ."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, cast, get_args

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import FloatArray, IntArray, numbers, require_option, same_shape
from trabecula.synthesis.pairwise.labels import distinct_labels
from trabecula.synthesis.pairwise.meta_regression import MetaRegressionFit, meta_regression
from trabecula.synthesis.pairwise.random_effects import RandomEffectsFit, random_effects
from trabecula.synthesis.pairwise.regression_heterogeneity import Method
from trabecula.synthesis.pairwise.regression_text import TEST_TEXT
from trabecula.synthesis.pairwise.wald import OmnibusTest, Test, omnibus_p, omnibus_statistic
from trabecula.synthesis.result import Json, Result, frozen
from trabecula.synthesis.text import decimals, interval, number, percent


@dataclass(frozen=True, slots=True, eq=False)
class SubgroupsFit(Result):
    """Pooled estimates of subgroups, the test of their difference, and all studies together.

    Arrays have the leading axes of the data, and all but ``k`` the subgroups (``groups``) as a
    last axis. ``k`` counts all studies, ``group_k`` those of each subgroup. ``between`` tests
    whether the subgroups differ, ``overall`` pools all studies, subgroups disregarded.

    ``tau2`` is that of each subgroup, or the one of all with ``common_tau2``; ``i2`` belongs to
    it, or, with ``common_tau2``, to the ``q`` within the subgroup. Both are NaN for a lone study
    with its own ``tau2``.
    """

    groups: tuple[str, ...]
    common_tau2: bool
    method: Method
    test: Test
    level: float
    k: IntArray
    group_k: IntArray
    estimate: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    df: FloatArray
    p_value: FloatArray
    tau2: FloatArray
    i2: FloatArray
    q: FloatArray
    q_df: IntArray
    q_p_value: FloatArray
    between: OmnibusTest
    overall: RandomEffectsFit

    def rows(self) -> list[dict[str, Json]]:
        """Return one record a subgroup; `ValueError` for several data sets."""
        self.require_one("a table")
        fields = ("estimate", "se", "ci_low", "ci_high", "p_value", "tau2", "i2", "q", "q_p_value")
        table = self.to_dict()
        columns = {field: cast(list[Json], table[field]) for field in fields}
        return [
            {"group": group, "k": int(self.group_k[i]), **{n: c[i] for n, c in columns.items()}}
            for i, group in enumerate(self.groups)
        ]

    def summary(self) -> str:
        """Return the result in sentences a paper could print; `ValueError` for several sets."""
        self.require_one()
        shared = (
            "one between-study variance"
            if self.common_tau2
            else ("a between-study variance for each")
        )
        how = "" if self.method == "common" else f"{self.method}, {shared}, "
        text = [f"Subgroups of {self.k} studies ({how}{TEST_TEXT[self.test]})."]
        for i, group in enumerate(self.groups):
            places = decimals(float(self.se[i]))
            limits = interval(float(self.ci_low[i]), float(self.ci_high[i]), places)
            studies = "1 study" if self.group_k[i] == 1 else f"{self.group_k[i]} studies"
            text.append(
                f"{group} ({studies}): {number(float(self.estimate[i]), places)} "
                f"({percent(self.level)} CI {limits})."
            )
        if np.isnan(self.between.statistic):
            text.append(
                "The estimates of a subgroup are all equal: without a standard error the "
                "subgroups cannot be compared."
            )
        else:
            text.append(f"Test of differences between subgroups: {self.between.summary()}.")
        return " ".join(text)


def subgroups(
    estimate: ArrayLike,
    variance: ArrayLike,
    group: Sequence[Hashable],
    *,
    common_tau2: bool = False,
    method: Method = "REML",
    test: Test = "knapp-hartung",
    level: float = 0.95,
) -> SubgroupsFit:
    """Return the pooled estimate of each subgroup, and the test of whether they differ.

    Parameters
    ----------
    estimate, variance, method, test, level
        As in `random_effects`.
    group
        The subgroup of each study, along the last axis of the data.
    common_tau2
        Whether all subgroups share one between-study variance. With few studies in a subgroup
        its own cannot be estimated well; a shared one assumes that subgroups are equally
        heterogeneous. With it the fit is the meta-regression on the subgroups, whose test of
        differences is used.

    Raises
    ------
    ValueError
        As in `random_effects`; if there are fewer than two subgroups, a label is missing, their
        number is not that of the studies, or a subgroup has no study in a data set.

    Notes
    -----
    Borenstein and Higgins (2013), Prev Sci 14:134-143; Cochrane Handbook, section 10.11.3. With
    separate variances the weighted sum of squares of the subgroup estimates about their mean is
    compared with chi-square; for the tests with t by Welch's F (Welch 1951, Biometrika
    38:330-336), which knows how few studies each standard error comes from.

    Examples
    --------
    >>> fit = subgroups([0.1, 0.3, 0.2, 0.7, 0.9, 0.8], [0.02] * 6, list("aaabbb"), test="z")
    >>> fit.between.summary()
    'χ²(1) = 27.00, p < 0.001'
    """
    require_option("method", method, get_args(Method))
    require_option("test", test, get_args(Test))
    y, v = numbers("estimate", estimate), numbers("variance", variance)
    shape = same_shape(("estimate", "variance"), y, v)
    member, labels = _members(group, shape)
    y, v = np.broadcast_to(y, shape), np.broadcast_to(v, shape)
    overall = random_effects(y, v, method=method, test=test, level=level)
    parts = np.where(member, y[..., None, :], np.nan), v[..., None, :]
    _filled(parts[0] + parts[1], labels)
    if common_tau2:
        _enough(overall.k, labels)
        columns = np.moveaxis(member.astype(np.float64), 0, -1)
        pooled = meta_regression(
            y, v, columns, names=labels, intercept=False, method=method, test=test, level=level
        )
        within = random_effects(*parts, method="common", test="z", level=level)
        values, between = _shared(pooled, within), _contrast(pooled)
    else:
        within = random_effects(*parts, method=method, test=test, level=level)
        values, between = _separate(within), _spread(within)
    return SubgroupsFit(
        groups=labels,
        common_tau2=common_tau2,
        method=method,
        test=test,
        level=overall.level,
        k=overall.k,
        group_k=within.k,
        q=within.q,
        q_df=within.q_df,
        q_p_value=within.q_p_value,
        i2=within.i2,
        between=OmnibusTest(labels, **{n: frozen(a) for n, a in between.items()}),
        overall=overall,
        **values,
    )


def _members(
    group: Sequence[Hashable], shape: tuple[int, ...]
) -> tuple[np.ndarray[Any, np.dtype[np.bool_]], tuple[str, ...]]:
    """Return which study belongs to which subgroup (subgroups, studies), and their names."""
    studies = shape[-1] if shape else 0
    if len(group) != studies:
        raise ValueError(f"group must name the subgroup of {studies} studies, got {len(group)}")
    labels = distinct_labels("group", group)
    if len(labels) < 2:
        raise ValueError(f"group must name two subgroups or more, got {labels!r}")
    member = np.array([[label == own for own in group] for label in labels])
    return member, tuple(str(label) for label in labels)


def _filled(parts: FloatArray, labels: tuple[str, ...]) -> None:
    empty = np.isnan(parts).all(axis=-1)
    if empty.any():
        place = np.argwhere(empty)[0]
        where = f" in data set {[int(i) for i in place[:-1]]}" if len(place) > 1 else ""
        raise ValueError(f"subgroup {labels[place[-1]]} has no study{where}: leave it out")


def _enough(k: IntArray, labels: tuple[str, ...]) -> None:
    if (k <= len(labels)).any():
        raise ValueError(
            f"{int(k.min())} studies in {len(labels)} subgroups ({', '.join(labels)}) leave "
            "nothing to estimate one between-study variance from: more studies than subgroups "
            "are needed"
        )


def _separate(within: RandomEffectsFit) -> dict[str, FloatArray]:
    fields = ("estimate", "se", "ci_low", "ci_high", "df", "p_value", "tau2")
    return {field: getattr(within, field) for field in fields}


def _shared(pooled: MetaRegressionFit, within: RandomEffectsFit) -> dict[str, FloatArray]:
    fields = ("se", "ci_low", "ci_high", "p_value")
    values = {field: getattr(pooled, field) for field in fields}
    alike = {"df": pooled.df, "tau2": pooled.tau2}
    spread = {n: frozen(np.broadcast_to(a[..., None], within.k.shape)) for n, a in alike.items()}
    return values | spread | {"estimate": pooled.coefficients}


def _spread(within: RandomEffectsFit) -> dict[str, FloatArray]:
    """Return the test of separately pooled subgroups: their weighted spread about the mean.

    Where standard errors have t distributions it is Welch's (1951); chi-square if none has.
    """
    known = (within.se > 0).all(axis=-1)
    weight = 1 / np.where(within.se > 0, within.se, 1.0) ** 2
    mean = (weight * within.estimate).sum(axis=-1) / weight.sum(axis=-1)
    q = (weight * (within.estimate - mean[..., None]) ** 2).sum(axis=-1)
    q = np.asarray(np.where(known, q, np.nan))
    count = weight.shape[-1]
    own = (1 - weight / weight.sum(axis=-1, keepdims=True)) ** 2 / within.df
    doubt = 3 * own.sum(axis=-1) / (count**2 - 1)
    normal = doubt == 0
    df = np.asarray(np.where(normal, np.inf, 1 / np.where(normal, 1.0, doubt)))
    share = np.where(normal, 1.0, (count - 1) * (1 + 2 * (count - 2) * doubt / 3))
    return _tested(q / share, count - 1, df)


def _contrast(pooled: MetaRegressionFit) -> dict[str, FloatArray]:
    """Return the test of subgroups with one variance: all differences from the first are 0."""
    count = len(pooled.names) - 1
    contrast = np.concatenate([-np.ones((count, 1)), np.eye(count)], axis=1)
    difference = pooled.coefficients @ contrast.T
    covariance = contrast @ pooled.covariance @ contrast.T
    statistic = omnibus_statistic(difference, covariance, range(count), pooled.df)
    return _tested(statistic, count, pooled.df)


def _tested(statistic: FloatArray, count: int, df: FloatArray) -> dict[str, FloatArray]:
    return {
        "statistic": statistic,
        "df": np.full_like(statistic, float(count)),
        "residual_df": df,
        "p_value": omnibus_p(statistic, count, df),
    }
