"""The likelihood of estimates of which some were less likely to be seen than others.

A study with estimate y and variance v is seen with a chance proportional to w(p), p being its
p-value, so that :math:`f(y) = w(p) N(y; mu, v + tau2) / A`, and A is the integral of the numerator.
In units of the standard error, :math:`z = y / sqrt(v)`, the weight is the same function for all
studies and the normal density never narrower than 1: one fixed Gauss-Legendre rule integrates it,
with its derivatives, to the last digits. Steps and tails are integrated in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from scipy import special

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.small_study.selection_weights import LogWeight, PValues, Shape

PANEL = 0.5
"""Width of the panels of quadrature, in standard errors."""

NODES = 12
"""Nodes a panel; with `PANEL` integrals are good to about 1e-14 of their size at all parameters."""

FAR = 40.0
"""Standard deviations beyond which a normal density is 0 to a computer."""

GRADING = 3.0
"""Factor between panels towards z = 0, where the weight of two-sided p-values has a kink."""


@dataclass(frozen=True, slots=True, eq=False)
class Height:
    """A log-likelihood with its gradient and Hessian by (mean, tau2, delta)."""

    value: float
    slope: FloatArray
    curvature: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Integrals of Hermite polynomials times the normal density over the cells of a partition.

    ``table[n]`` is an array (studies, cells) for the polynomial of degree n, 0 to 4.
    """

    table: FloatArray

    @classmethod
    def of_points(cls, t: FloatArray, size: FloatArray) -> Self:
        """Return the integrals for nodes at `t` that stand for cells of `size`."""
        density = size * np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)
        return cls(np.stack([density * h for h in _hermite(t)]))

    @classmethod
    def of_intervals(cls, low: FloatArray, high: FloatArray) -> Self:
        """Return the integrals from `low` to `high`; infinite ends are allowed."""
        left, right = np.clip(low, -FAR, FAR), np.clip(high, -FAR, FAR)
        below = np.where(left > 0, special.ndtr(-left) - special.ndtr(-right), 0.0)
        mass = np.where(left > 0, below, special.ndtr(right) - special.ndtr(left))
        ends = []
        for end in (left, right):
            density = np.exp(-(end**2) / 2) / np.sqrt(2 * np.pi)
            ends.append(np.stack([density * h for h in _hermite(end)[:4]]))
        return cls(np.concatenate([mass[None], ends[0] - ends[1]]))

    def beside(self, other: Moments) -> Moments:
        """Return the cells of both."""
        return Moments(np.concatenate([self.table, other.table], axis=2))

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.table + other.table)


def _hermite(t: FloatArray) -> tuple[FloatArray, ...]:
    square = t**2
    return (
        np.ones_like(t),
        t,
        square - 1,
        t * (square - 3),
        square * (square - 6) + 3,
    )


class Weighting(Protocol):
    """What the likelihood needs to know of a weight function and the studies it acted on."""

    def observed(self, delta: FloatArray) -> LogWeight:
        """Return the log-weights of the studies that were seen."""
        ...

    def cells(self, delta: FloatArray) -> LogWeight:
        """Return the log-weight of each cell of the partition."""
        ...

    def moments(self, center: FloatArray, width: FloatArray) -> Moments:
        """Return the moments of normal densities of z with `center` and `width`."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class StepWeighting:
    """Constant weights between steps: cells are intervals of the p-value, closed at the right."""

    group: FloatArray
    """The interval of each study, one-hot, (studies, intervals)."""
    edges: FloatArray
    """Standardised estimates at the steps, falling from infinity; (intervals + 1,)."""
    two_sided: bool

    @classmethod
    def of(cls, z: FloatArray, steps: FloatArray, two_sided: bool) -> Self:
        """Return the weighting of standardised estimates `z`; the last of `steps` is 1."""
        p = PValues.of(z, two_sided).p
        group = np.searchsorted(steps, p, side="left")
        inner = -special.ndtri(steps[:-1] / (2 if two_sided else 1))
        last = 0.0 if two_sided else -np.inf
        edges = np.concatenate([[np.inf], inner, [last]])
        return cls(np.eye(len(steps))[group], edges, two_sided)

    def observed(self, delta: FloatArray) -> LogWeight:
        """Return the logarithm of the weight of each study's interval."""
        cells = self.cells(delta)
        return LogWeight(
            self.group @ cells.value,
            self.group @ cells.slope,
            np.einsum("sc,cij->sij", self.group, cells.curvature),
        )

    def cells(self, delta: FloatArray) -> LogWeight:
        """Return the logarithm of the weight of each interval: `delta` itself."""
        unit = np.eye(len(delta))
        slope = unit / delta
        return LogWeight(np.log(delta), slope, -np.einsum("ci,cj->cij", slope, slope))

    def moments(self, center: FloatArray, width: FloatArray) -> Moments:
        """Return the moments of the intervals, for two-sided p-values of both sides."""
        ends = (self.edges - center[:, None]) / width[:, None]
        upper = Moments.of_intervals(ends[:, 1:], ends[:, :-1])
        if not self.two_sided:
            return upper
        ends = (-self.edges - center[:, None]) / width[:, None]
        return upper + Moments.of_intervals(ends[:, :-1], ends[:, 1:])


@dataclass(frozen=True, slots=True, eq=False)
class SmoothWeighting:
    """A smooth weight function: cells are nodes of quadrature and the two tails."""

    shape: Shape
    start: float
    at_studies: PValues
    at_cells: PValues
    nodes: FloatArray
    sizes: FloatArray
    reach: float

    @classmethod
    def of(cls, z: FloatArray, shape: Shape, start: float, two_sided: bool) -> Self:
        """Return the weighting of standardised estimates `z`, selection beginning at `start`."""
        sides = 2 if two_sided else 1
        reach, inmost = shape.reach, 0.0
        if shape.smallest_p > 0:
            reach = float(-special.ndtri(shape.smallest_p / sides))
            inmost = float(-special.ndtri((1 - shape.smallest_p) / 2)) if two_sided else 0.0
        begin = float(-special.ndtri(start / sides)) if start > 0 else reach
        nodes, sizes = _rule(_panels(reach, begin, inmost, two_sided))
        size = np.clip(np.abs(z), inmost, reach)
        kept = np.where(z < 0, -size, size)
        cells = np.concatenate([np.where(np.abs(nodes) < inmost, inmost, nodes), [-reach, reach]])
        return cls(
            shape,
            start,
            PValues.of(kept, two_sided),
            PValues.of(cells, two_sided),
            nodes,
            sizes,
            reach,
        )

    def observed(self, delta: FloatArray) -> LogWeight:
        """Return the log-weights of the studies."""
        return self.shape.log_weight(self.at_studies, delta, self.start)

    def cells(self, delta: FloatArray) -> LogWeight:
        """Return the log-weights of nodes and tails."""
        return self.shape.log_weight(self.at_cells, delta, self.start)

    def moments(self, center: FloatArray, width: FloatArray) -> Moments:
        """Return the moments at the nodes, then below and above all of them."""
        column, scale = center[:, None], width[:, None]
        inside = Moments.of_points((self.nodes - column) / scale, self.sizes / scale)
        low = np.array([-np.inf, self.reach])
        high = np.array([-self.reach, np.inf])
        tails = Moments.of_intervals((low - column) / scale, (high - column) / scale)
        return inside.beside(tails)


def _panels(reach: float, begin: float, inmost: float, two_sided: bool) -> FloatArray:
    """Return the ends of the panels: even, and at every kink of the weight."""
    count = int(np.ceil(2 * reach / PANEL))
    ends = np.linspace(-reach, reach, count + 1)
    kinks = [begin]
    if two_sided:
        smallest = max(inmost, PANEL / GRADING**12)
        graded = smallest * GRADING ** np.arange(13.0)
        kinks = [begin, 0.0, *graded[graded < PANEL]]
    both = np.array([sign * k for k in kinks for sign in ((1, -1) if two_sided else (1,))])
    return np.unique(np.concatenate([ends, both[np.abs(both) < reach]]))


def _rule(ends: FloatArray) -> tuple[FloatArray, FloatArray]:
    points, weights = np.polynomial.legendre.leggauss(NODES)
    half = np.diff(ends)[:, None] / 2
    middle = (ends[1:] + ends[:-1])[:, None] / 2
    return (middle + half * points).ravel(), (half * weights).ravel()


@dataclass(frozen=True, slots=True, eq=False)
class SelectionLikelihood:
    """The log-likelihood of estimates (studies,) with variances, seen according to `weighting`."""

    estimate: FloatArray
    variance: FloatArray
    weighting: Weighting

    def __call__(self, place: FloatArray) -> Height:
        """Return the height at `place`: mean, tau2, delta; not finite where nothing can be seen."""
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            return self._height(place)

    def _height(self, place: FloatArray) -> Height:
        mean, tau2, delta = place[0], place[1], place[2:]
        total = self.variance + tau2
        sd = np.sqrt(total)
        se = np.sqrt(self.variance)
        t = (self.estimate - mean) / sd
        seen, hidden = self.weighting.observed(delta), self.weighting.cells(delta)
        norm = self._norm(hidden, self.weighting.moments(mean / se, sd / se), sd)
        value = seen.value - np.log(2 * np.pi * total) / 2 - t**2 / 2 - norm.value
        size = len(place)
        slope = np.zeros((len(t), size))
        slope[:, 0], slope[:, 1], slope[:, 2:] = t / sd, (t**2 - 1) / (2 * total), seen.slope
        curvature = np.zeros((len(t), size, size))
        curvature[:, 0, 0] = -1 / total
        curvature[:, 0, 1] = curvature[:, 1, 0] = -t / (total * sd)
        curvature[:, 1, 1] = (1 - 2 * t**2) / (2 * total**2)
        curvature[:, 2:, 2:] = seen.curvature
        return Height(
            float(value.sum()),
            (slope - norm.slope).sum(axis=0),
            (curvature - norm.curvature).sum(axis=0),
        )

    def _norm(self, hidden: LogWeight, moments: Moments, sd: FloatArray) -> LogWeight:
        """Return the logarithm of each study's chance to be seen, by (mean, tau2, delta)."""
        top = hidden.value.max()
        weight = np.exp(hidden.value - top)
        count = hidden.slope.shape[1]
        bend = hidden.curvature + np.einsum("ci,cj->cij", hidden.slope, hidden.slope)
        columns = np.concatenate(
            [np.ones((len(weight), 1)), hidden.slope, bend.reshape(len(weight), -1)], axis=1
        )
        parts = moments.table @ (weight[:, None] * columns)
        parts = parts / parts[0, :, :1]
        by, twice = parts[:, :, 1 : 1 + count], parts[0, :, 1 + count :]
        one, two, three, four = parts[1:, :, 0]
        slope = np.concatenate([(one / sd)[:, None], (two / (2 * sd**2))[:, None], by[0]], axis=1)
        second = np.zeros((len(sd), 2 + count, 2 + count))
        second[:, 0, 0] = two / sd**2
        second[:, 0, 1] = three / (2 * sd**3)
        second[:, 1, 1] = four / (4 * sd**4)
        second[:, 0, 2:] = by[1] / sd[:, None]
        second[:, 1, 2:] = by[2] / (2 * sd[:, None] ** 2)
        for row, column in ((0, slice(1, None)), (1, slice(2, None))):
            second[:, column, row] = second[:, row, column]
        second[:, 2:, 2:] = twice.reshape(-1, count, count)
        value = top + np.log(moments.table[0] @ weight)
        return LogWeight(value, slope, second - np.einsum("si,sj->sij", slope, slope))
