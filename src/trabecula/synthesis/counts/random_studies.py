"""Two binomial arms whose level varies normally between studies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.ascent import Surface, ascend, best_start
from trabecula.synthesis.counts.binomial import Binomial
from trabecula.synthesis.counts.tables import Tables
from trabecula.synthesis.counts.two_arm_models import (
    RANDOM_STUDIES,
    CommonFit,
    TwoArmModel,
)
from trabecula.synthesis.quadrature import Marginal, Model
from trabecula.synthesis.studies import over_studies

ONE_EFFECT = Model(
    center=np.array([[0.5, 1.0, 0.0], [-0.5, 1.0, 0.0]]),
    spread=np.array([[[0.0, 0.0, 1.0]], [[0.0, 0.0, 1.0]]]),
)
"""Logits ``level + sigma v ± effect / 2``."""

OWN_EFFECTS = Model(
    center=np.array([[1.0, 0.0, 1.0], [1.0, 0.0, 0.0]]),
    spread=np.array([[[0.0, 1.0, 0.0]], [[0.0, 1.0, 0.0]]]),
    own=True,
)
"""Logits ``level + sigma v`` in arm 2, ``effect_i`` more in arm 1."""

SIGMAS = np.array([0.1, 0.3, 1.0, 3.0])
"""Where the likelihood is looked at before the climb."""


class RandomStudyEffects(TwoArmModel):
    """Two binomial arms, the levels of the studies normal (UM.RS).

    Double-zero studies count: they tell about the levels, and a little about the effect.
    """

    model = RANDOM_STUDIES
    kernel: Binomial

    def __init__(self, t: Tables, nodes: int) -> None:
        self.nodes = nodes
        self.tables = t
        self.kernel = Binomial.of(np.stack([t.a, t.c]), np.stack([t.n_1, t.n_2]))
        self.constant = self.kernel.constant
        self.parameters = np.full(len(t.a), 2.0)

    @staticmethod
    def edges(t: Tables) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return all studies where an arm has no event, or nothing but events, in any study.

        Studies whose arms both are all or none, if there are no others, are on both edges.
        """
        none_1, none_2 = ~(t.a > 0).any(axis=1), ~(t.c > 0).any(axis=1)
        all_1, all_2 = ~(t.b > 0).any(axis=1), ~(t.d > 0).any(axis=1)
        low, high = none_1 | all_2, none_2 | all_1
        inner = ((t.a > 0) & (t.b > 0)) | ((t.c > 0) & (t.d > 0))
        both = ~inner.any(axis=1) & ~low & ~high
        low, high = np.asarray(low | both), np.asarray(high | both)
        return t.present & low[:, None], t.present & high[:, None]

    @staticmethod
    def numbers(t: Tables) -> float:
        """Return how many numbers a look at one place of one data set takes, for each node."""
        return float(2 * len(SIGMAS) * t.a.shape[1])

    def common(self) -> CommonFit:
        """Return the fit of one effect, the levels of the studies normal."""
        likelihood = Marginal.of(self.kernel, ONE_EFFECT, self.nodes)
        effect, level = self._crude()
        sigmas = np.broadcast_to(SIGMAS[:, None], (len(SIGMAS), len(effect)))
        ones = np.ones_like(sigmas)
        candidates = np.stack([effect * ones, level * ones, sigmas])[..., None]
        top, ended = ascend(likelihood, best_start(likelihood, candidates))
        sigma2 = top.place[2, :, 0] ** 2
        return CommonFit(top.place[0, :, 0], top.variance(), top.height, sigma2, ended)

    def starts(self, effects: FloatArray, taus: FloatArray) -> FloatArray:
        """Return places with the mean observed level and several spreads of levels."""
        _, level = self._crude()
        shape = (len(SIGMAS), *effects.shape)
        sigmas = np.broadcast_to(SIGMAS.reshape(-1, *[1] * effects.ndim), shape)
        places = [np.broadcast_to(x, shape) for x in (effects, taus, level)]
        flat = [p.reshape(-1, shape[-1]) for p in (*places, sigmas)]
        return np.stack(flat)[..., None]

    def apart(self) -> tuple[FloatArray, FloatArray]:
        """Return the height where each study has its own effect, and the Wald statistic.

        Where arm 1 is all or none the own effect is infinite: the arm is certain, and tells
        nothing of the level.
        """
        t = self.tables
        inner = (t.a > 0) & (t.b > 0)
        a, n_1 = np.where(inner, t.a, 0.0), np.where(inner, t.n_1, 0.0)
        data = Binomial.of(np.stack([a, t.c]), np.stack([n_1, t.n_2]))
        likelihood = Marginal.of(data, OWN_EFFECTS, self.nodes)
        mean = Binomial.of(t.c[None], t.n_2[None])
        level = over_studies(mean.weight[0] * mean.observed[0]) / over_studies(mean.weight[0])
        own = np.where(inner, data.observed[0] - data.observed[1], 0.0)
        shape = (len(SIGMAS), *own.shape)
        places = (level[:, None], SIGMAS[:, None, None], own)
        candidates = np.stack([np.broadcast_to(p, shape) for p in places])
        top, _ = ascend(likelihood, best_start(likelihood, candidates))
        return top.height, _wald(top, inner)

    def _crude(self) -> tuple[FloatArray, FloatArray]:
        """Return the weighted means of the observed effects and levels, one a data set."""
        first, second = self.kernel.observed
        weight = self.tables.present * self.kernel.weight.min(axis=0)
        total = over_studies(weight)
        effect = over_studies(weight * (first - second)) / total
        return effect, over_studies(weight * (first + second)) / (2 * total)


def _wald(top: Surface, inner: NDArray[np.bool_]) -> FloatArray:
    """Return the distance of the own effects from their mean, in their information matrix.

    The parameters level and sigma are eliminated: their uncertainty ties the effects together.
    """
    bend = np.where(inner, -top.curvature[-1, -1], 0.0)
    mixed = np.where(inner, -top.curvature[:-1, -1], 0.0)
    shared = np.moveaxis(-top.curvature[:-1, :-1].sum(axis=-1), -1, 0)
    inverse = np.linalg.pinv(shared, hermitian=True)

    def inner_product(x: FloatArray, y: FloatArray) -> FloatArray:
        left, right = (np.moveaxis(over_studies(mixed * z), 0, -1) for z in (x, y))
        tied = np.einsum("si,sij,sj->s", left, inverse, right)
        product: FloatArray = over_studies(bend * x * y) - tied
        return product

    own = np.where(inner, top.place[-1], 0.0)
    ones = np.ones_like(own)
    weight = inner_product(ones, ones)
    mean = inner_product(ones, own) / np.where(weight > 0, weight, 1.0)
    distance = own - mean[:, None]
    return np.maximum(inner_product(distance, distance), 0.0)
