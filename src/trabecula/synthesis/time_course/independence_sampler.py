"""Draws of the hyperparameters by chains whose proposals do not depend on where they are.

Metropolis-Hastings with proposals from a mixture (Tierney 1994, Ann Stat 22:1701-1728): a t
distribution about the mode as wide as the density is there, and the prior. The share of the prior
bounds the ratio of density to proposal, so that no region is out of reach and the chains converge
from anywhere at a geometric rate (Mengersen and Tweedie 1996, Ann Stat 24:101-121).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import special

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.time_course.collapsed import CollapsedPosterior

PRIOR_SHARE = 0.1
"""Share of proposals from the prior: the price, about as many draws, of certain convergence."""

DF = 5.0
"""Degrees of freedom of the other proposals: tails heavier than those of most densities here."""

WIDENED = 1.1
"""Factor of their width: a proposal a little too wide costs less than one too narrow."""

SCATTERED, REACH = 64, 1.5
"""Points, and their standard deviation, among which the search for the mode begins."""

PASSES, STEP = 4, 0.3
"""Passes that find the width at the mode, and their steps in units of the width found before."""

CHANGE = (0.2, 100.0)
"""Smallest and largest factor by which a pass divides a width."""

WARMUP = 50
"""Draws of each chain that are dropped."""


@dataclass(frozen=True, slots=True, eq=False)
class _Proposal:
    """A mixture of a t distribution about ``mode``, of width ``root``, and the prior.

    Heterogeneities, the last ``len(random)`` dimensions, are folded: of either sign is one.
    """

    posterior: CollapsedPosterior
    mode: FloatArray
    root: FloatArray

    def draw(self, shape: tuple[int, int], random: np.random.Generator) -> FloatArray:
        """Return proposals (*shape, dimensions)."""
        tail = np.sqrt(DF / random.chisquare(DF, shape))[..., None]
        near = self.mode + (tail * random.standard_normal((*shape, len(self.mode)))) @ self.root.T
        prior = self.posterior.draw_prior(shape, random)
        values = np.where(random.random(shape)[..., None] < PRIOR_SHARE, prior, near)
        return _folded(values, self.posterior)

    def log_density(self, values: FloatArray) -> FloatArray:
        """Return the log density of proposals at `values` (values, dimensions), none negative."""
        certain, folded = len(self.posterior.curve.parameters), len(self.posterior.random)
        signs = np.array([*product((1.0, -1.0), repeat=folded)]).reshape(2**folded, folded)
        images = np.repeat(values[None], len(signs), axis=0)
        images[..., certain:] *= signs[:, None]
        near = special.logsumexp(self._log_t(images), axis=0)
        mixed: FloatArray = np.logaddexp(
            math.log(1 - PRIOR_SHARE) + near,
            math.log(PRIOR_SHARE) + self.posterior.log_prior(values),
        )
        return mixed

    def _log_t(self, values: FloatArray) -> FloatArray:
        """Return the log density of the t distribution at `values` (..., dimensions)."""
        d = len(self.mode)
        z = (values - self.mode) @ np.linalg.inv(self.root).T
        constant = special.gammaln((DF + d) / 2) - special.gammaln(DF / 2)
        constant -= d / 2 * math.log(DF * math.pi) + np.linalg.slogdet(self.root)[1]
        density: FloatArray = constant - (DF + d) / 2 * np.log1p((z**2).sum(axis=-1) / DF)
        return density


def sample_hyperparameters(
    posterior: CollapsedPosterior,
    guess: FloatArray,
    unit: FloatArray,
    chains: int,
    draws: int,
    seed: int,
) -> FloatArray:
    """Return logarithms of curve parameters, and heterogeneities (chains, draws, dimensions).

    The search for the mode begins about `guess`, in steps of `unit` (dimensions,). The same
    `seed` gives the same draws.
    """
    random = np.random.default_rng([seed, 0])
    shape = (chains, WARMUP + draws)
    if not posterior.dimensions:
        return np.empty((chains, draws, 0))
    mode = _mode(posterior, guess, unit, random)
    proposal = _Proposal(posterior, mode, WIDENED * _width(posterior, mode, unit))
    values = proposal.draw(shape, random)
    flat = values.reshape(-1, len(mode))
    weight = (posterior.log_density(flat) - proposal.log_density(flat)).reshape(shape)
    level = np.log(random.random(shape))
    at = np.zeros(shape, dtype=np.int64)
    chain = np.arange(chains)
    for step in range(1, shape[1]):
        before = at[:, step - 1]
        moved = weight[:, step] - weight[chain, before] > level[:, step]
        at[:, step] = np.where(moved, step, before)
    return values[chain[:, None], at[:, WARMUP:]]


def _folded(values: FloatArray, posterior: CollapsedPosterior) -> FloatArray:
    """Return `values` with heterogeneities that are not negative."""
    certain = len(posterior.curve.parameters)
    return np.concatenate([values[..., :certain], np.abs(values[..., certain:])], axis=-1)


def _mode(
    posterior: CollapsedPosterior,
    guess: FloatArray,
    unit: FloatArray,
    random: np.random.Generator,
) -> FloatArray:
    """Return where the density is largest, searched from the best of points about `guess`."""
    from scipy.optimize import minimize

    points = guess + unit * REACH * random.standard_normal((SCATTERED, len(guess)))
    points[0] = guess
    best = points[posterior.log_density(points).argmax()]

    def height(at: FloatArray) -> float:
        return -float(posterior.log_density((best + unit * at)[None])[0])

    found = minimize(
        height,
        np.zeros(len(guess)),
        method="Nelder-Mead",
        options={
            "initial_simplex": 0.1 * np.eye(len(guess) + 1, len(guess), -1),
            "xatol": 1e-3,
            "fatol": 1e-3,
        },
    )
    return _folded(best + unit * np.asarray(found.x), posterior)


def _width(posterior: CollapsedPosterior, mode: FloatArray, unit: FloatArray) -> FloatArray:
    """Return a root of the inverse of minus the second derivatives at `mode`.

    Differences are taken in units of the width of the pass before, so that they are as good
    for a sharp density as for a flat one.
    """
    root = np.diag(unit)
    for _ in range(PASSES):
        curvature = -_second_differences(posterior, mode, STEP * root) / STEP**2
        value, vector = np.linalg.eigh(curvature)
        change = np.sqrt(np.clip(value, CHANGE[0] ** 2, CHANGE[1] ** 2))
        root = root @ (vector / change)
    return root


def _second_differences(
    posterior: CollapsedPosterior, mode: FloatArray, step: FloatArray
) -> FloatArray:
    """Return the central second differences of the log density along the columns of `step`."""
    d = len(mode)
    signs = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    moves = [
        signs[:, :1] * step[:, i] + signs[:, 1:] * step[:, j] for i in range(d) for j in range(d)
    ]
    values = posterior.log_density(mode + np.concatenate(moves)).reshape(d, d, 4)
    differences: FloatArray = values @ np.array([1.0, -1.0, -1.0, 1.0]) / 4
    return differences
