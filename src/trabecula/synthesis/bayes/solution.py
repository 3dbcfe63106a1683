"""One data set solved: the posteriors of heterogeneity, expectations and true effects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.bayes.heterogeneity_grid import HeterogeneityGrid
from trabecula.synthesis.bayes.heterogeneity_law import HeterogeneityLaw
from trabecula.synthesis.bayes.hierarchical_model import Conditional, HierarchicalModel
from trabecula.synthesis.bayes.normal_mixture import NormalMixture
from trabecula.synthesis.bayes.point_estimates import grid_of
from trabecula.synthesis.bayes.posterior import Summary, mixture_summary


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """A model, the grid of its heterogeneity, and what follows at each node of it."""

    model: HierarchicalModel
    grid: HeterogeneityGrid
    given: Conditional

    @classmethod
    def of(cls, model: HierarchicalModel) -> Self:
        """Return the solution of `model`; `ImproperPosteriorError` if it has none."""
        grid = grid_of(model)
        return cls(model, grid, model.conditional(grid.tau))

    @property
    def law(self) -> HeterogeneityLaw:
        """The posterior of the heterogeneity."""
        return HeterogeneityLaw(self.grid, self.model.log_posterior)

    def effects(
        self, design: FloatArray, new: NDArray[np.bool_], level: float, *, studies: bool
    ) -> Summary:
        """Return the posteriors of effects, one row each.

        First those that rows of `design` (rows, coefficients) expect: where `new` (rows,) is
        true the true effect of a new study, otherwise the expectation itself. Then, with
        `studies`, the true effects of the studies at hand.
        """
        mean, variance = (part.T for part in self.given.expected(design))
        variance = variance + new[:, None] * self.grid.tau**2
        open_ended = new | (design[:, self.model.precision == 0] != 0).any(axis=1)
        if studies:
            own_mean, own_variance = self.model.effects(self.grid.tau, self.given)
            mean = np.concatenate([mean, own_mean.T])
            variance = np.concatenate([variance, own_variance.T])
            open_ended = np.append(open_ended, np.zeros(own_mean.shape[1], dtype=bool))
        mixture = NormalMixture(self.grid.weight, mean + self.model.origin, np.sqrt(variance))
        has_mean, has_sd = (self.grid.has_moment(order) | ~open_ended for order in (1, 2))
        return mixture_summary(mixture, level, has_mean, has_sd)

    def mean_weights(self) -> FloatArray:
        """Return the posterior mean share (studies,) of each study in an overall mean.

        With a normal prior of the mean the rest, to 1, is the share of the prior.
        """
        return np.asarray(self.grid.weight @ self._shares())

    def effect_weights(self) -> FloatArray:
        """Return the posterior mean share of each study in each study's effect.

        Rows are effects, columns the studies they draw on.
        """
        pull, own = self.model.shrinkage(self.grid.tau)
        return (
            np.diag(self.grid.weight @ own) + (pull * self.grid.weight[:, None]).T @ self._shares()
        )

    def _shares(self) -> FloatArray:
        total = self.given.weight.sum(axis=1) + self.model.precision.sum()
        return np.asarray(self.given.weight / total[:, None])
