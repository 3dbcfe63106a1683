"""What each study does to a pooled estimate or a meta-regression, by leaving it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.distributions import chi2_upper_tail
from trabecula.synthesis.pairwise.fitted import CARRIES, Fitted, rows_of, study_data
from trabecula.synthesis.pairwise.heterogeneity import Method
from trabecula.synthesis.pairwise.random_effects_numbers import Test
from trabecula.synthesis.pairwise.subsets import without_each
from trabecula.synthesis.pairwise.wald import ratio, standard_errors
from trabecula.synthesis.result import Json, Result, frozen
from trabecula.synthesis.text import number

DELETED = (
    "residual",
    "residual_se",
    "rstudent",
    "dffits",
    "cooks_distance",
    "covariance_ratio",
    "tau2_deleted",
    "q_deleted",
    "dfbetas",
)
"""Fields that need a fit without the study."""

LARGE_DFFITS = 3.0
LARGE_HAT = 3.0
LARGE_DFBETAS = 1.0
MEDIAN = 0.5
"""Rule of Viechtbauer and Cheung (2010), as metafor applies it: a study is called influential
where |DFFITS| exceeds 3 sqrt(p / (k - p)), Cook's distance the median of chi-square with as many
degrees of freedom as coefficients it is about, the hat value 3 p / k, or any |DFBETAS| 1. The
thresholds are conventions: lower ones mark more studies."""


@dataclass(frozen=True, slots=True, eq=False)
class Influence(Result):
    """Deletion diagnostics, one entry a study along the last axis.

    ``residual`` is the estimate minus what the other studies expect, ``residual_se`` its
    standard error and ``rstudent`` their ratio. ``dfbetas`` has the coefficients (``names``) as
    a further axis. Entries are NaN where a study is missing, or where ``estimable`` is false:
    that study carries a coefficient alone, and nothing can be fitted without it. Where a
    standard error is 0, all estimates being equal, its ratios are NaN.
    """

    method: Method
    test: Test
    names: tuple[str, ...]
    k: IntArray
    residual: FloatArray
    residual_se: FloatArray
    rstudent: FloatArray
    dffits: FloatArray
    cooks_distance: FloatArray
    covariance_ratio: FloatArray
    tau2_deleted: FloatArray
    q_deleted: FloatArray
    hat: FloatArray
    weight: FloatArray
    dfbetas: FloatArray
    influential: NDArray[np.bool_]
    estimable: NDArray[np.bool_]

    def rows(self) -> list[dict[str, Json]]:
        """Return one row a study, for one data set; ``study`` counts from 0."""
        fields = (*DELETED[:-1], "hat", "weight", "influential", "estimable")
        rows = rows_of(self, fields)
        for row, values in zip(
            rows, cast(list[list[Json]], self.to_dict()["dfbetas"]), strict=True
        ):
            row |= {f"dfbetas {n}": value for n, value in zip(self.names, values, strict=True)}
        return rows

    def summary(self) -> str:
        """Return which studies stand out, in sentences a paper could print; studies from 1."""
        self.require_one()
        marked = np.flatnonzero(self.influential)
        if not len(marked):
            text = f"None of {self.k} studies is influential by the usual rules."
        else:
            which = ", ".join(str(i + 1) for i in marked)
            text = f"Influential by the usual rules, of {self.k} studies: {which}."
        worst = np.where(np.isfinite(self.rstudent), np.abs(self.rstudent), -1.0)
        if worst.max() >= 0:
            at = int(worst.argmax())
            text += (
                f" The largest studentised residual is {number(float(self.rstudent[at]), 2)} "
                f"(study {at + 1})."
            )
        alone = np.flatnonzero(~self.estimable & np.isfinite(self.hat))
        if len(alone):
            which = ", ".join(str(i + 1) for i in alone)
            text += f" Without study {which} the model cannot be fitted."
        return text


def influence(
    estimate: ArrayLike,
    variance: ArrayLike,
    *,
    moderators: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    method: Method = "REML",
    test: Test = "knapp-hartung",
) -> Influence:
    """Return how the fit changes when each study is left out.

    Parameters
    ----------
    estimate, variance
        Arrays (..., studies) that broadcast; NaN marks a missing study.
    moderators, names
        Columns (..., studies, columns) of a meta-regression, and their names. By default none:
        the studies are pooled.
    method, test
        As in `random_effects`. All models without a study are fitted in one call.

    Raises
    ------
    ValueError
        If there are fewer than two studies more than moderators, or *GENQ* is asked for: its
        weights are not those of these diagnostics.

    Notes
    -----
    Viechtbauer and Cheung (2010), Res Synth Methods 1:112-125. With two pooled studies one is
    left, whose between-study variance is taken as 0.

    Examples
    --------
    >>> found = influence([-0.9, -1.6, -1.3, -1.4, 0.4], [0.1, 0.2, 0.1, 0.1, 0.1])
    >>> [i for i, marked in enumerate(found.influential) if marked]
    [4]
    """
    data, columns = study_data(estimate, variance, moderators, method)
    whole = Fitted.of(data, columns, names, method, test)
    _require_spare(whole)
    there, alone = ~np.isnan(data[0]), _carriers(whole)
    y, v = without_each(*data)
    y = np.where(alone[..., None], data[0][..., None, :], y)  # stands in: set aside below
    if columns is not None and columns.ndim > 2:
        columns = columns[..., None, :, :]
    rest = Fitted.of((y, v), columns, names, method, test)
    values, estimable = _diagnostics(data, whole, rest), there & ~alone
    influential = _influential(whole, values) & estimable
    for name in DELETED:
        keep = estimable[..., None] if name == "dfbetas" else estimable
        values[name] = np.where(keep, values[name], np.nan)
    return Influence(
        method=method,
        test=test,
        names=whole.names,
        k=whole.k,
        influential=frozen(influential),
        estimable=frozen(estimable),
        **{name: frozen(value) for name, value in values.items()},
    )


def _carriers(fit: Fitted) -> NDArray[np.bool_]:
    """Return which studies carry a coefficient alone: whatever the weights, none can replace it."""
    there = ~np.isnan(fit.hat)
    design = np.where(there[..., None], fit.design, 0.0)
    size = np.abs(design).max(axis=-2, keepdims=True)
    basis = np.linalg.qr(design / np.where(size > 0, size, 1.0))[0]
    return np.asarray((basis**2).sum(axis=-1) >= 1 - CARRIES)


def _require_spare(fit: Fitted) -> None:
    p = len(fit.names)
    if (fit.k < p + 1 + (p > 1)).any():
        raise ValueError(
            f"{int(fit.k.min())} studies are too few to leave one out of a model with {p} "
            f"coefficients: at least {p + 1 + (p > 1)} are needed"
        )


def _diagnostics(
    data: tuple[FloatArray, FloatArray], whole: Fitted, rest: Fitted
) -> dict[str, Any]:
    """Return the deletion diagnostics; `rest` has the study left out as its last leading axis."""
    estimate, variance = data
    change = whole.coefficients[..., None, :] - rest.coefficients
    fitted = (whole.design * rest.coefficients).sum(axis=-1)
    own = rest.scale * (variance + rest.tau2)
    residual = estimate - fitted
    residual_se = np.sqrt(own + _quadratic(whole.design, rest.covariance))
    moved = (whole.design * change).sum(axis=-1)
    plugged = np.diagonal(_covariance_at(data, whole.design, rest.tau2), axis1=-2, axis2=-1)
    return {
        "residual": residual,
        "residual_se": residual_se,
        "rstudent": ratio(residual, residual_se),
        "dffits": ratio(moved, np.sqrt(own * whole.hat)),
        **_joint(whole, rest, change),
        "tau2_deleted": rest.tau2,
        "q_deleted": rest.q,
        "hat": whole.hat,
        "weight": 100 * whole.hat,
        "dfbetas": ratio(change, np.sqrt(rest.scale[..., None] * plugged)),
    }


def _joint(whole: Fitted, rest: Fitted, change: FloatArray) -> dict[str, FloatArray]:
    """Return Cook's distances and covariance ratios, in units of the standard errors.

    NaN where a standard error is 0.
    """
    se = standard_errors(whole.covariance)
    known = np.asarray((se > 0).all(axis=-1))
    unit = np.where(known[..., None], se, 1.0)
    pairs = unit[..., :, None] * unit[..., None, :]
    correlation = np.where(known[..., None, None], whole.covariance / pairs, np.eye(se.shape[-1]))
    inverse = np.linalg.inv(correlation)[..., None, :, :]
    size = np.linalg.det(rest.covariance / pairs[..., None, :, :])
    values = {
        "cooks_distance": _quadratic(change / unit[..., None, :], inverse),
        "covariance_ratio": size / np.linalg.det(correlation)[..., None],
    }
    return {name: np.where(known[..., None], value, np.nan) for name, value in values.items()}


def _covariance_at(
    data: tuple[FloatArray, FloatArray], design: FloatArray, tau2: FloatArray
) -> FloatArray:
    """Return the covariance of the coefficients of all studies at each `tau2` (..., values)."""
    total = data[1][..., None, :] + tau2[..., :, None]
    weight = np.where(np.isnan(data[0])[..., None, :], 0.0, 1 / total)
    information = np.einsum("...ki,...jk,...kl->...jil", design, weight, design)
    size = np.sqrt(np.diagonal(information, axis1=-2, axis2=-1))
    pairs = size[..., :, None] * size[..., None, :]
    value: FloatArray = np.linalg.inv(information / pairs) / pairs
    return value


def _quadratic(vector: FloatArray, matrix: FloatArray) -> FloatArray:
    value: FloatArray = np.einsum("...i,...ij,...j->...", vector, matrix, vector)
    return value


def _influential(whole: Fitted, values: dict[str, Any]) -> NDArray[np.bool_]:
    p, k = len(whole.names), whole.k[..., None]
    far = chi2_upper_tail(np.nan_to_num(values["cooks_distance"]), np.full(k.shape, float(p)))
    marked: NDArray[np.bool_] = (
        (np.abs(np.nan_to_num(values["dffits"])) > LARGE_DFFITS * np.sqrt(p / (k - p)))
        | (far < MEDIAN)
        | (np.nan_to_num(values["hat"]) > LARGE_HAT * p / k)
        | (np.abs(np.nan_to_num(values["dfbetas"])) > LARGE_DFBETAS).any(axis=-1)
    )
    return marked
