"""The model written out as one normal distribution of all means, row by row: slow and plain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Functions = Callable[[float], list[float]]


@dataclass(frozen=True)
class Dense:
    """What is linear given curve and heterogeneity: its posterior and what it says of the means."""

    effect_mean: np.ndarray
    effect_covariance: np.ndarray
    log_marginal: float
    residual_deviance_mean: float
    residual_deviance_variance: float


def dense(
    columns: tuple[list[str], list[str], list[float], list[float], list[float]],
    functions: Functions,
    tau: list[float],
    correlation: float,
    prior_sd: tuple[float, float],
    reference: str,
) -> Dense:
    """Return the posterior with every mean, unknown and covariance in one matrix.

    `functions` gives the values of the curve's functions at a time, `tau` a heterogeneity each;
    `prior_sd` those of baselines and of effects. Effects are sorted by coefficient and treatment.
    """
    study, treatment, time, y, se = columns
    n, size = len(y), len(tau)
    names = sorted(set(treatment) - {reference})
    order = [reference, *names]
    trials = list(dict.fromkeys(study))
    held = {s: {t for i, t in zip(study, treatment, strict=True) if i == s} for s in trials}
    first = {s: min(held[s], key=order.index) for s in trials}
    f = np.array([functions(t) for t in time])
    x = np.zeros((n, size * len(names) + len(trials) * (1 + size)))
    noise = np.zeros((n, n))
    spread = np.zeros((n, n))
    for i in range(n):
        own = size * len(names) + trials.index(study[i]) * (1 + size)
        x[i, own : own + 1 + size] = [1, *f[i]]
        for c in range(size):
            for name, sign in ((treatment[i], 1), (first[study[i]], -1)):
                if name != reference:
                    x[i, c * len(names) + names.index(name)] += sign * f[i, c]
        for j in range(n):
            if study[i] != study[j]:
                continue
            if treatment[i] == treatment[j]:
                noise[i, j] = se[i] * se[j] * (1 if i == j else correlation)
            if first[study[i]] not in (treatment[i], treatment[j]):
                half = 1 if treatment[i] == treatment[j] else 0.5
                spread[i, j] = half * sum(
                    t**2 * a * b for t, a, b in zip(tau, f[i], f[j], strict=True)
                )
    known = size * len(names)
    prior = np.where(np.arange(x.shape[1]) < known, prior_sd[1], prior_sd[0]) ** 2
    return _solved(x, noise, spread, np.array(y), prior, known)


def _solved(
    x: np.ndarray,
    noise: np.ndarray,
    spread: np.ndarray,
    y: np.ndarray,
    prior: np.ndarray,
    known: int,
) -> Dense:
    signal = x * prior @ x.T + spread
    total = signal + noise
    gain = signal @ np.linalg.inv(total)
    fitted, uncertain = gain @ y, signal - gain @ signal
    weight = np.linalg.inv(noise)
    rest = y - fitted
    beside = (x * prior).T[:known] @ np.linalg.inv(total)
    sign, log_determinant = np.linalg.slogdet(total)
    assert sign == 1
    return Dense(
        effect_mean=beside @ y,
        effect_covariance=np.diag(prior[:known]) - beside @ (x * prior)[:, :known],
        log_marginal=float(-(y @ np.linalg.solve(total, y) + log_determinant) / 2),
        residual_deviance_mean=float(rest @ weight @ rest + np.trace(weight @ uncertain)),
        residual_deviance_variance=float(
            2 * np.trace(weight @ uncertain @ weight @ uncertain)
            + 4 * rest @ weight @ uncertain @ weight @ rest
        ),
    )
