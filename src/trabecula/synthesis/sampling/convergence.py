"""Whether chains of draws have settled: rank-normalised split R-hat and effective sample sizes.

Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021), Bayesian Anal 16:667-718.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, cast

import numpy as np
from scipy import special

from trabecula.synthesis.arguments import FloatArray

TAILS = (0.05, 0.95)
"""Quantiles whose effective sample size counts as that of the tails."""


R_HAT = 1.01
"""Largest R-hat of chains that agree (Vehtari et al. 2021)."""

DRAWS_A_CHAIN = 100
"""Smallest effective sample size, bulk and tail, a chain; with fewer R-hat itself is too noisy to
tell (the same source)."""


class NotConverged(RuntimeError):  # noqa: N818 (named for what is found)
    """The chains do not agree, or could not follow the posterior: there is no result.

    ``r_hat`` is the largest, ``bulk`` and ``tail`` the smallest effective sample sizes, with
    ``divergences`` the number of divergent transitions.
    """

    def __init__(self, found: Diagnostics, needed: int, advice: Sequence[str] = ()) -> None:
        self.r_hat, self.bulk, self.tail = found.r_hat, found.bulk, found.tail
        self.divergences = found.divergences
        told = (
            f"largest R-hat {found.r_hat:.3f} (at most {R_HAT}), smallest effective sample sizes "
            f"{found.bulk:.0f} bulk and {found.tail:.0f} tail (at least {needed}), "
            f"{found.divergences} divergent transitions (none)"
        )
        first = (
            "raise draws and warmup"
            if found.divergences == 0
            else "raise target_accept towards 0.99"
        )
        super().__init__(f"the chains have not converged: {told}; {'; '.join((first, *advice))}")
        self._made_of = (found, needed, tuple(advice))

    def __reduce__(self) -> tuple[type[Self], tuple[Diagnostics, int, tuple[str, ...]]]:
        """Let the error come back from another process."""
        return type(self), self._made_of


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """The largest R-hat and the smallest effective sample sizes of several quantities."""

    r_hat: float
    bulk: float
    tail: float
    divergences: int


def diagnostics_of(draws: FloatArray, divergences: int) -> Diagnostics:
    """Return the diagnostics of `draws` (chains, draws, quantities)."""
    return Diagnostics(
        float(np.nanmax(split_r_hat(draws))),
        float(np.nanmin(bulk_sample_size(draws))),
        float(np.nanmin(tail_sample_size(draws))),
        divergences,
    )


def diagnosed(draws: FloatArray, divergences: int, advice: Sequence[str] = ()) -> Diagnostics:
    """Return the diagnostics of `draws` (chains, draws, quantities) that have settled.

    Raises
    ------
    NotConverged
        Where chains disagree, hold too few effective draws, or had divergent transitions;
        `advice` is added to what it says.
    """
    found = diagnostics_of(draws, divergences)
    needed = DRAWS_A_CHAIN * len(draws)
    if not (found.r_hat <= R_HAT and min(found.bulk, found.tail) >= needed and divergences == 0):
        raise NotConverged(found, needed, advice)
    return found


def split_r_hat(draws: FloatArray) -> FloatArray:
    """Return R-hat (parameters,) of `draws` (chains, draws, parameters); 1 where settled.

    The larger of that of ranks and that of ranks of distances from the median. NaN where a
    parameter does not move.
    """
    halves = _split(draws)
    folded = np.abs(halves - np.median(halves, axis=(0, 1)))
    return np.maximum(_r_hat(_normal_ranks(halves)), _r_hat(_normal_ranks(folded)))


def bulk_sample_size(draws: FloatArray) -> FloatArray:
    """Return how many independent draws tell as much about the middle (parameters,)."""
    return _sample_size(_normal_ranks(_split(draws)))


def tail_sample_size(draws: FloatArray) -> FloatArray:
    """Return how many independent draws tell as much about both tails (parameters,)."""
    halves = _split(draws)
    limits = np.quantile(halves, TAILS, axis=(0, 1))
    sizes = [_sample_size((halves <= limit).astype(np.float64)) for limit in limits]
    return np.minimum(*sizes)


def _split(draws: FloatArray) -> FloatArray:
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, -half:]])


def _normal_ranks(draws: FloatArray) -> FloatArray:
    """Return the normal quantiles of the ranks among all draws of each parameter."""
    from scipy.stats import rankdata

    flat = draws.reshape(-1, draws.shape[-1])
    share = (rankdata(flat, axis=0) - 3 / 8) / (len(flat) + 1 / 4)
    return cast(FloatArray, special.ndtri(share).reshape(draws.shape))


def _r_hat(draws: FloatArray) -> FloatArray:
    within = draws.var(axis=1, ddof=1).mean(axis=0)
    between = draws.mean(axis=1).var(axis=0, ddof=1)
    length = draws.shape[1]
    total = within * (length - 1) / length + between
    ratio = np.divide(total, within, out=np.full_like(within, np.nan), where=within > 0)
    return cast(FloatArray, np.sqrt(ratio))


def _sample_size(draws: FloatArray) -> FloatArray:
    """Return the effective sample size by Geyer's initial monotone sequence."""
    chains, length, parameters = draws.shape
    covariance = _autocovariance(draws)
    own = covariance[:, 0] * length / (length - 1)
    within = own.mean(axis=0)
    total = within * (length - 1) / length + draws.mean(axis=1).var(axis=0, ddof=1)
    safe = np.where(total > 0, total, 1.0)
    correlation = 1 - (within - covariance.mean(axis=0)) / safe
    correlation[0] = 1.0
    pairs = correlation[: length // 2 * 2].reshape(-1, 2, parameters).sum(axis=1)
    negative = pairs < 0
    stop = np.where(negative.any(axis=0), negative.argmax(axis=0), len(pairs))
    pairs = np.minimum.accumulate(np.maximum(pairs, 0.0), axis=0)
    pairs = np.where(np.arange(len(pairs))[:, None] < stop, pairs, 0.0)
    time = np.maximum(-1 + 2 * pairs.sum(axis=0), 1 / np.log10(chains * length))
    return np.where(total > 0, chains * length / time, np.nan)


def _autocovariance(draws: FloatArray) -> FloatArray:
    """Return the autocovariances (chains, lags, parameters) by fast Fourier transform."""
    from scipy import fft

    length = draws.shape[1]
    size = fft.next_fast_len(2 * length)
    transformed = fft.rfft(draws - draws.mean(axis=1, keepdims=True), size, axis=1)
    raw = fft.irfft(np.abs(transformed) ** 2, size, axis=1)
    return cast(FloatArray, raw[:, :length] / length)
