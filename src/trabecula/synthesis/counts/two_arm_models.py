"""Four likelihoods of the log odds ratio of two arms, common or varying between studies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.counts.binomial import Binomial
from trabecula.synthesis.counts.hypergeometric import (
    POINTS,
    Hypergeometric,
    fitted_cell,
    inverse_of_inverses,
)
from trabecula.synthesis.counts.observed import wald_spread
from trabecula.synthesis.counts.tables import Tables
from trabecula.synthesis.quadrature import RANDOM_INTERCEPT, Kernel, Model
from trabecula.synthesis.roots import descending_root
from trabecula.synthesis.studies import over_studies

WIDEST = 100.0
"""No finite log odds ratio of counts below 1e20 lies farther from 0."""

LEAST_CELL = 1e-12
"""Expected counts below this are rounding, and lower levels no better places to start from."""

FIXED_STUDIES = Model(
    center=np.array([[0.5, 0.0, 1.0], [-0.5, 0.0, 1.0]]),
    spread=np.array([[[0.0, 0.5, 0.0]], [[0.0, -0.5, 0.0]]]),
    own=True,
)
"""Logits ``level_i ± (effect + tau u) / 2``, the level free in each study."""

RANDOM_STUDIES = Model(
    center=np.array([[0.5, 0.0, 1.0, 0.0], [-0.5, 0.0, 1.0, 0.0]]),
    spread=np.array([[[0, 0, 0, 1], [0, 0.5, 0, 0]], [[0, 0, 0, 1], [0, -0.5, 0, 0]]], dtype=float),
)
"""Logits ``level + sigma v ± (effect + tau u) / 2``."""


@dataclass(frozen=True, slots=True, eq=False)
class CommonFit:
    """The fit of one log odds ratio for all studies, one entry a data set.

    ``place`` are the other parameters where the model has some. ``ended`` is false where a
    search did not end.
    """

    effect: FloatArray
    variance: FloatArray
    height: FloatArray
    sigma2: FloatArray
    ended: NDArray[np.bool_]


class TwoArmModel(ABC):
    """A likelihood of tables, studies that tell nothing set to nothing where it says so.

    ``model`` tells how the parameters (effect and tau first) make linear predictors of
    ``kernel``, ``constant`` is what the kernel leaves out; ``parameters`` counts those besides
    effect and tau; ``nodes`` is how finely random effects are integrated out.
    """

    model: ClassVar[Model]
    nodes: int
    kernel: Kernel
    constant: FloatArray
    parameters: FloatArray

    @abstractmethod
    def __init__(self, t: Tables, nodes: int) -> None: ...

    @staticmethod
    @abstractmethod
    def edges(t: Tables) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return the studies that alone would push the effect to minus and to plus infinity."""

    @staticmethod
    def numbers(t: Tables) -> float:
        """Return how many numbers a look at one place of one data set takes, for each node."""
        return float(2 * t.a.shape[1])

    @abstractmethod
    def common(self) -> CommonFit:
        """Return the fit of one effect."""

    @abstractmethod
    def starts(self, effects: FloatArray, taus: FloatArray) -> FloatArray:
        """Return places (parameters, ..., sets, studies or 1) for effects and taus (..., sets)."""

    @abstractmethod
    def apart(self) -> tuple[FloatArray, FloatArray]:
        """Return the height where each study has its own effect, and the Wald statistic."""


def informative(t: Tables) -> Tables:
    """Return the tables without those that are double-zero (all their cells set to 0)."""
    kept = t.present & ~t.double_zero
    a, b, c, d = (np.where(kept, cell, 0.0) for cell in (t.a, t.b, t.c, t.d))
    return Tables(a, b, c, d, kept, t.shape)


def _root_of_score(
    score: Callable[[FloatArray], tuple[FloatArray, FloatArray]], sets: int
) -> FloatArray:
    low, high = np.full(sets, -WIDEST), np.full(sets, WIDEST)
    return descending_root(score, low, high, np.zeros(sets), 1.0)


def _one_effect(kernel: Kernel) -> CommonFit:
    """Return the fit of one effect to a kernel of a single arm."""

    def score(effect: FloatArray) -> tuple[FloatArray, FloatArray]:
        _, slope, curvature = kernel.derivatives(effect[None, :, None], 2)
        return over_studies(slope[0]), over_studies(curvature[0])

    sets = kernel.observed.shape[1]
    effect = _root_of_score(score, sets)
    value, _, curvature = kernel.derivatives(effect[None, :, None], 2)
    spread = -1 / over_studies(curvature[0])
    height = over_studies(np.broadcast_to(value[0], kernel.observed.shape[1:]))
    return CommonFit(effect, spread, height, np.full(sets, np.nan), np.ones(sets, dtype=bool))


def _shared(effects: FloatArray, taus: FloatArray) -> FloatArray:
    return np.stack([effects, taus])[..., None]


class ExactConditional(TwoArmModel):
    """The noncentral hypergeometric likelihood given the events of both arms (CM.EL)."""

    model = RANDOM_INTERCEPT
    kernel: Hypergeometric

    def __init__(self, t: Tables, nodes: int) -> None:
        self.nodes = nodes
        self.tables = t = informative(t)
        self.kernel = Hypergeometric.of(t.a, t.n_1, t.c, t.n_2)
        self.constant = self.parameters = np.zeros(len(t.a))

    @staticmethod
    def edges(t: Tables) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return the studies whose arm 1 has the least or the most events that it can have."""
        return _table_edges(informative(t))

    @staticmethod
    def numbers(t: Tables) -> float:
        """Return how many numbers a look at one place of one data set takes, for each node."""
        return float(t.a.shape[1] * min((t.a + t.c).max() + 1, POINTS))

    def common(self) -> CommonFit:
        """Return the conditional maximum likelihood fit of one effect."""
        return _one_effect(self.kernel)

    def starts(self, effects: FloatArray, taus: FloatArray) -> FloatArray:
        """Return places with the given effects and taus."""
        return _shared(effects, taus)

    def apart(self) -> tuple[FloatArray, FloatArray]:
        """Return the height at each study's conditional estimate, and their Wald statistic.

        A study on the edge of its table is certain where its effect is infinite: height 0.
        """
        low, high = _table_edges(self.tables)
        inner = self.tables.present & ~low & ~high

        def score(effect: FloatArray) -> tuple[FloatArray, FloatArray]:
            _, slope, curvature = self.kernel.derivatives(effect[None], 2)
            return np.where(inner, slope[0], -effect), np.where(inner, curvature[0], -1.0)

        widest = np.full(inner.shape, WIDEST)
        effect = descending_root(score, -widest, widest, self.kernel.observed[0], 1.0)
        value, _, curvature = self.kernel.derivatives(effect[None], 2)
        variance = np.where(inner, -1 / np.where(inner, curvature[0], -1.0), 1.0)
        height = over_studies(np.where(inner, value[0], 0.0))
        return height, wald_spread(effect, variance, inner)


class ApproximateConditional(TwoArmModel):
    """The binomial likelihood of arm 1's share of the events (CM.AL), good for rare events."""

    model = RANDOM_INTERCEPT
    kernel: Binomial

    def __init__(self, t: Tables, nodes: int) -> None:
        self.nodes = nodes
        self.tables = t = informative(t)
        ratio = np.where(t.present, t.n_1, 1.0) / np.where(t.present, t.n_2, 1.0)
        self.kernel = Binomial.of(t.a[None], (t.a + t.c)[None], np.log(ratio)[None])
        self.constant = self.kernel.constant
        self.parameters = np.zeros(len(t.a))

    @staticmethod
    def edges(t: Tables) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return the studies without events in arm 1, and those without in arm 2."""
        t = informative(t)
        return t.present & (t.a == 0), t.present & (t.c == 0)

    def common(self) -> CommonFit:
        """Return the fit of one effect."""
        return _one_effect(self.kernel)

    def starts(self, effects: FloatArray, taus: FloatArray) -> FloatArray:
        """Return places with the given effects and taus."""
        return _shared(effects, taus)

    def apart(self) -> tuple[FloatArray, FloatArray]:
        """Return the height at each study's own share, and the Wald statistic."""
        t = self.tables
        inner = (t.a > 0) & (t.c > 0)
        a, c = np.where(inner, t.a, 1.0), np.where(inner, t.c, 1.0)
        effect = np.log(a / c) - self.kernel.offset[0]
        return self.kernel.saturated(), wald_spread(effect, 1 / a + 1 / c, inner)


class FixedStudyEffects(TwoArmModel):
    """Two binomial arms, the level of each study a parameter (UM.FS)."""

    model = FIXED_STUDIES
    kernel: Binomial

    def __init__(self, t: Tables, nodes: int) -> None:
        self.nodes = nodes
        self.tables = t = informative(t)
        self.kernel = Binomial.of(np.stack([t.a, t.c]), np.stack([t.n_1, t.n_2]))
        self.constant = self.kernel.constant
        self.parameters = t.present.sum(axis=1).astype(np.float64)

    @staticmethod
    def edges(t: Tables) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return the studies whose arm 1 has the least or the most events that it can have."""
        return _table_edges(informative(t))

    def common(self) -> CommonFit:
        """Return the logistic regression on arm and study.

        At an effect the expected events of a study solve the quadratic of `fitted_cell`: the
        levels of the studies need no search.
        """
        t = self.tables

        def score(effect: FloatArray) -> tuple[FloatArray, FloatArray]:
            cells = self._expected(effect[:, None])
            return over_studies(t.a - cells[0]), -over_studies(inverse_of_inverses(*cells))

        effect = _root_of_score(score, len(t.a))
        cells = self._expected(effect[:, None])
        n_1, n_2 = np.maximum(t.n_1, 1e-300), np.maximum(t.n_2, 1e-300)
        terms = special.xlogy(t.a, cells[0] / n_1) + special.xlogy(t.b, cells[1] / n_1)
        terms += special.xlogy(t.c, cells[2] / n_2) + special.xlogy(t.d, cells[3] / n_2)
        variance = 1 / over_studies(inverse_of_inverses(*cells))
        nothing, ended = np.full(len(effect), np.nan), np.ones(len(effect), dtype=bool)
        height = over_studies(np.asarray(terms, dtype=np.float64))
        return CommonFit(effect, variance, height, nothing, ended)

    def starts(self, effects: FloatArray, taus: FloatArray) -> FloatArray:
        """Return places with the levels that belong to the studies' shrunken effects.

        Levels that belong to the shared effect would put large studies so low where tau is
        large that a maximum there was never tried.
        """
        t = self.tables
        cells = [np.where(t.present, cell, 1.0) for cell in t.corrected()]
        variance = np.sum([1 / cell for cell in cells], axis=0)
        own = np.log(cells[0] / cells[1]) - np.log(cells[2] / cells[3])
        pull = taus[..., None] ** 2 / (taus[..., None] ** 2 + variance)
        expected = self._expected(effects[..., None] * (1 - pull) + own * pull)
        first, other, second, rest = (
            np.log(np.where(t.present, np.maximum(cell, LEAST_CELL), 1.0)) for cell in expected
        )
        level = (first + second - other - rest) / 2
        shared = [np.broadcast_to(x[..., None], level.shape) for x in (effects, taus)]
        return np.stack([*shared, level])

    def apart(self) -> tuple[FloatArray, FloatArray]:
        """Return the height at each arm's own share, and the Wald statistic."""
        t = self.tables
        cells = (t.a, t.b, t.c, t.d)
        inner = np.all([cell > 0 for cell in cells], axis=0)
        a, b, c, d = (np.where(inner, cell, 1.0) for cell in cells)
        wald = wald_spread(np.log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d, inner)
        return self.kernel.saturated(), wald

    def _expected(
        self, effect: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        t = self.tables
        m = t.a + t.c
        odds = np.exp(effect)
        first = fitted_cell(t.n_1, t.n_2, m, odds)
        return first, t.n_1 - first, m - first, t.n_2 - m + first


def _table_edges(t: Tables) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    low = t.present & ((t.a == 0) | (t.d == 0))
    high = t.present & ((t.b == 0) | (t.c == 0))
    return low, high
