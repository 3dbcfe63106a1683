"""A distribution of the heterogeneity, known up to a factor, as nodes and weights.

The density is integrated over ``log tau``, where power-law ends become exponential ones, by
Gauss-Legendre panels that are halved until the Legendre series of each has died out (Trefethen
2013, Approximation Theory and Approximation Practice, SIAM, chapters 7 and 19). Nothing is tuned
to a prior or a data set; any function that can be evaluated can be integrated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.polynomial import legendre, polynomial
from numpy.typing import NDArray

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.bayes.density_scan import HIGHEST, Curve, Scan
from trabecula.synthesis.roots import descending_root

NODES = 16
"""Nodes a panel. The integral of a panel is exact for polynomials up to degree 31."""

MARGIN = 0.05
"""A moment is taken to exist where the tail falls by more than this power beyond what it needs.

Tails have whole or half powers (that of the likelihood plus that of the prior); a margin keeps
rounding from calling a logarithmically diverging moment finite.
"""

SPREADS = 1e5
"""Length of a Newton step, in machine precisions of a panel, that is the last: what remains is of
the order of its square."""

TINY, EPSILON = float(np.finfo(np.float64).tiny), float(np.finfo(np.float64).eps)

NOISE = 100 * EPSILON
"""Rounding of the logarithm of a density, relative to its height: no series can be more exact."""

LAST = 3
"""So many last coefficients stand for the remainder of a series; more than one, since every
second vanishes for symmetric curves."""

NARROWEST = 1e-12
"""Width in ``log tau`` below which a panel is not halved: a jump of the density lies in it."""

MOST_PANELS = 2000
"""Panels at once, beyond which a noisy function is taken as it is and `error` tells."""

GAUSS, GAUSS_WEIGHT = (np.asarray(a) for a in legendre.leggauss(NODES))

TRANSFORM = legendre.legvander(GAUSS, NODES - 1).T * GAUSS_WEIGHT
TRANSFORM *= (np.arange(NODES) + 0.5)[:, None]
"""Takes values at the nodes to Legendre coefficients."""

POWERS = np.zeros((NODES, NODES))
for _order in range(NODES):
    POWERS[: _order + 1, _order] = legendre.leg2poly(np.eye(NODES)[_order])
INSIDE = polynomial.polyint(POWERS, lbnd=-1)
"""Take Legendre coefficients to those of powers, and to those of the integral from the left edge.
High powers cancel only as far as high coefficients are small, so that no digits are lost."""


class ImproperPosteriorError(ValueError):
    """Prior and data together leave a distribution without finite mass."""


@dataclass(frozen=True, slots=True, eq=False)
class HeterogeneityGrid:
    """Nodes and weights of a distribution of the heterogeneity.

    ``sum(weight * g(tau))`` is the expectation of a smooth ``g``. All fields are of one
    distribution: ``tau`` and ``weight`` (nodes,); ``log_evidence``, the logarithm of the integral
    of the function given; ``error``, an upper estimate of the relative error of the distribution
    function; ``tail``, the power with which ``tau`` times its density falls at infinity, huge
    where it falls faster than any (moments of a lower order exist). ``edge`` (panels + 1,) bounds
    the panels in ``log tau``, ``below`` is the probability up to each edge, and ``series`` (nodes
    a panel, panels) holds the Legendre coefficients of the density of ``log tau`` times half the
    panel's width.
    """

    tau: FloatArray
    weight: FloatArray
    log_evidence: float
    error: float
    tail: float
    edge: FloatArray
    below: FloatArray
    series: FloatArray

    def has_moment(self, order: int) -> bool:
        """Return whether the expectation of ``tau ** order`` is finite."""
        return self.tail > order + MARGIN

    def cdf(self, tau: FloatArray) -> FloatArray:
        """Return the probability of a heterogeneity up to `tau`."""
        with np.errstate(divide="ignore"):
            at = np.log(np.maximum(tau, 0.0))
        at = np.clip(at, self.edge[0], self.edge[-1])
        panel = np.clip(np.searchsorted(self.edge, at, side="right") - 1, 0, len(self.edge) - 2)
        left, right = self.edge[panel], self.edge[panel + 1]
        x = (2 * at - left - right) / (right - left)
        inside = _value(INSIDE @ self.series[:, panel], x)
        return np.where(tau > 0, np.clip(self.below[panel] + inside, 0.0, 1.0), 0.0)

    def quantile(self, probability: FloatArray) -> FloatArray:
        """Return the heterogeneity below which `probability` lies; 0 at 0, infinity at 1."""
        p = np.asarray(probability, dtype=np.float64)
        flat = np.atleast_1d(p).ravel()
        last = len(self.edge) - 2
        panel = np.clip(np.searchsorted(self.below, flat, side="right") - 1, 0, last)
        share = flat - self.below[panel]
        density = POWERS @ self.series[:, panel]
        inside = INSIDE @ self.series[:, panel]

        def short_of(x: FloatArray) -> tuple[FloatArray, FloatArray]:
            return share - _value(inside, x), -_value(density, x)

        end = np.ones_like(flat)
        mass = np.maximum(self.below[panel + 1] - self.below[panel], TINY)
        start = np.clip(2 * share / mass - 1, -1.0, 1.0)
        x = descending_root(short_of, -end, end, start, SPREADS)
        left, right = self.edge[panel], self.edge[panel + 1]
        tau = np.exp((left + right + x * (right - left)) / 2)
        tau = np.where(flat <= self.below[0], 0.0, np.where(flat >= 1, np.inf, tau))
        return tau.reshape(p.shape)


def heterogeneity_grid(
    log_posterior: Callable[[FloatArray], FloatArray],
    prior_scale: float,
    *,
    upper: float = math.inf,
    tolerance: float = 1e-8,
) -> HeterogeneityGrid:
    """Return nodes and weights of the distribution with density ``exp(log_posterior)``.

    Parameters
    ----------
    log_posterior
        Logarithm of the density of tau, up to a constant, for an array (n,) of positive tau;
        ``-inf`` where there is none. One call evaluates all it is given.
    prior_scale
        A tau of plausible size: modes are searched most closely around it, within a factor of
        nine million either way.
    upper
        End of the support, where the density may jump to zero.
    tolerance
        Largest remainder of the Legendre series, relative to the whole mass: the error of the
        distribution function. Expectations of smooth functions are far closer.

    Raises
    ------
    ImproperPosteriorError
        If the density has no finite mass, with the end of the line at which it has none.
    ValueError
        If the function gives NaN or no mass at all.

    Examples
    --------
    >>> grid = heterogeneity_grid(lambda tau: -tau, 1.0)
    >>> f"{grid.weight @ grid.tau:.10f} {grid.quantile(0.5):.10f}"
    '1.0000000000 0.6931471806'
    """
    curve = Curve(log_posterior)
    scan = Scan.of(curve, math.log(prior_scale), _end(upper))
    tilt = max(order for order in (0, 1, 2) if order == 0 or scan.fall > order + MARGIN)
    tolerance = max(tolerance, NOISE * abs(scan.top))
    panels = _integrate(curve, scan, tilt, tolerance)
    mass = panels.mass[:, 0]
    total = float(mass.sum())
    _require_mass(scan, tolerance * total)
    weight = (panels.height * GAUSS_WEIGHT).ravel()
    error = (float(panels.error[:, 0].sum()) + sum(scan.left_out)) / total
    return HeterogeneityGrid(
        tau=np.exp(panels.nodes).ravel(),
        weight=weight / weight.sum(),
        log_evidence=scan.top + math.log(total),
        error=error,
        tail=scan.fall,
        edge=np.append(panels.left, panels.right[-1]),
        below=np.append(0.0, np.minimum(np.cumsum(mass) / total, 1.0)),
        series=TRANSFORM @ panels.height.T / total,
    )


def _end(upper: float) -> float:
    """Return the end of the reach; just inside the support, whatever rounding does."""
    end = min(math.log(upper), HIGHEST + 1)
    return min(end - 4 * EPSILON * max(abs(end), 1.0), HIGHEST)


def _require_mass(scan: Scan, limit: float) -> None:
    """Raise `ImproperPosteriorError` unless less than `limit` lies beyond the reach."""
    places = ("towards no heterogeneity", "as the heterogeneity grows")
    for mass, where in zip(scan.left_out, places, strict=True):
        if mass == math.inf:
            raise ImproperPosteriorError(
                f"the posterior of the heterogeneity is improper: it keeps infinite mass {where}, "
                "because the prior does and the studies do not rule it out; choose a proper prior "
                "(half-normal, say), or add studies"
            )
        if mass > limit:
            raise ImproperPosteriorError(
                f"the posterior of the heterogeneity falls so slowly {where} that it keeps mass "
                "beyond the reach of double precision; choose a prior with lighter tails"
            )


def _value(coefficients: FloatArray, x: FloatArray) -> FloatArray:
    """Return polynomials, given by the coefficients of powers (powers, points), at points."""
    powers = np.ones_like(coefficients)
    powers[1:] = x
    return np.asarray((coefficients * np.cumprod(powers, axis=0)).sum(axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class _Panels:
    """Panels of a curve and of the same curve tilted by its highest moment.

    ``left``, ``right`` (panels,), ``nodes`` and ``height`` there times half the panel's width
    (panels, nodes); ``mass`` and ``error`` (panels, 2), the second column tilted.
    """

    left: FloatArray
    right: FloatArray
    nodes: FloatArray
    height: FloatArray
    mass: FloatArray
    error: FloatArray

    @classmethod
    def of(
        cls, curve: Curve, scan: Scan, tilt: float, left: FloatArray, right: FloatArray
    ) -> _Panels:
        """Return the panels between `left` and `right`."""
        half = (right - left)[:, None] / 2
        nodes = left[:, None] + half * (1 + GAUSS)
        height = curve(nodes) - scan.top
        tilted = height + tilt * (nodes - scan.modes[0].at)
        with np.errstate(under="ignore"):
            both = half * np.exp(np.stack([height, tilted]))
        series = both @ TRANSFORM.T
        remainder = np.abs(series[..., -LAST:]).sum(axis=-1)
        return cls(left, right, nodes, both[0], 2 * series[..., 0].T, remainder.T)

    @classmethod
    def joined(cls, parts: list[_Panels]) -> _Panels:
        """Return the panels of all `parts` from left to right."""
        order = np.argsort(np.concatenate([p.left for p in parts]))
        names = [f.name for f in fields(cls)]
        return cls(*(np.concatenate([getattr(p, n) for p in parts])[order] for n in names))

    def __getitem__(self, which: NDArray[np.bool_]) -> _Panels:
        return _Panels(*(getattr(self, f.name)[which] for f in fields(self)))


def _integrate(curve: Curve, scan: Scan, tilt: float, tolerance: float) -> _Panels:
    """Return panels that leave no remainder, or are too narrow to halve."""
    done: list[_Panels] = []
    settled = np.zeros(2)
    edges = scan.breaks(tilt)
    left, right = edges[:-1], edges[1:]
    while len(left):
        now = _Panels.of(curve, scan, tilt, left, right)
        good = (now.error <= tolerance * (settled + now.mass.sum(axis=0))).all(axis=1)
        good |= (right - left < NARROWEST) | (len(left) > MOST_PANELS)
        done.append(now[good])
        settled += done[-1].mass.sum(axis=0)
        left, right = left[~good], right[~good]
        middle = (left + right) / 2
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
    return _Panels.joined(done)
