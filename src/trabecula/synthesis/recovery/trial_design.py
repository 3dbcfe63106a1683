"""The trial that would settle an effect: two equal arms, natural course and treated.

Vocabulary. What is compared at one week is either the *share* of patients who have recovered, or,
where ``sd`` is given, the *mean score*. Patients are counted per arm as *enrolled*; the share
*dropout* of them is lost before the week and tells nothing. ``alpha`` is the threshold of a
two-sided p-value, ``level`` that of a confidence interval.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from trabecula.synthesis.arguments import (
    ESTIMATE,
    LEVEL,
    SIZE,
    FloatArray,
    Interval,
    confidence_level,
    numbers,
    one_number,
    require,
    require_option,
    same_shape,
)
from trabecula.synthesis.recovery.evidence import SHARE
from trabecula.synthesis.result import frozen

Better = Literal["higher", "lower"]
"""*higher*: treatment is to raise what is compared, as the share recovered; *lower*: to lower it,
as a score of complaints."""

DROPOUT = Interval("[0, 1)")

FEWEST = 2.0
"""Fewest patients of an arm: one has no spread."""


class Compared(NamedTuple):
    """What decides the power of a comparison, for one patient in each arm.

    The ``difference``, negative if not in the direction asked for; ``margin``, what it must
    exceed under no difference; ``spread``, its standard deviation; ``extra``, patients that the
    unknown standard deviation costs.
    """

    difference: FloatArray
    margin: FloatArray
    spread: FloatArray
    extra: float


def patients_per_arm(
    natural: ArrayLike,
    treated: ArrayLike,
    *,
    sd: ArrayLike | None = None,
    power: ArrayLike = 0.8,
    alpha: float = 0.05,
    dropout: ArrayLike = 0.0,
    continuity: bool = True,
) -> FloatArray:
    """Return how many patients to enroll in each of two arms.

    Parameters
    ----------
    natural, treated
        Expected shares without and with treatment, or mean scores where `sd` is given. All
        arrays broadcast.
    sd
        Standard deviation of the scores in either arm; none for shares.
    power
        Probability that the trial shows the difference; it must exceed `alpha`.
    alpha
        Threshold of the two-sided p-value.
    dropout
        Share of the enrolled who are lost.
    continuity
        For shares. True, the default: enough for Fisher's exact test and for chi-square with
        Yates's correction. False: for chi-square without, about ``2 / difference`` fewer.

    Returns
    -------
    FloatArray
        Whole numbers, at least 2; infinite where no difference is expected.

    Raises
    ------
    ValueError
        If an argument is out of range, naming it, its value and what is allowed.

    Notes
    -----
    Shares: Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, 3rd
    edition, chapter 4; with the correction of Casagrande, Pike and Smith (1978), Biometrics
    34:483-486. Scores: the normal formula with Guenther's (1981, Am Stat 35:243-244) addition
    for the t test, within one patient of the exact number. The normal approximation is rough
    where a share times the patients is below 5.

    Examples
    --------
    >>> patients_per_arm(0.6, 0.7), patients_per_arm(0.6, 0.7, continuity=False)
    (array(376.), array(356.))
    """
    compared = _compared(natural, treated, sd, alpha)
    chance = checked("power", power, LEVEL)
    if (chance <= alpha).any():
        raise ValueError(f"power must exceed alpha, which is {alpha:g}, got {chance.min():g}")
    reach = compared.margin + special.ndtri(chance) * compared.spread
    told = _needed(reach, compared.difference, sd is None and continuity) + compared.extra
    return _enrolled(told, dropout)


def power_of_trial(
    natural: ArrayLike,
    treated: ArrayLike,
    n: ArrayLike,
    *,
    sd: ArrayLike | None = None,
    alpha: float = 0.05,
    dropout: ArrayLike = 0.0,
    continuity: bool = True,
) -> FloatArray:
    """Return the probability that a trial shows the difference, in its direction.

    Parameters
    ----------
    natural, treated, sd, alpha, dropout, continuity
        As for `patients_per_arm`, of which this is the inverse.
    n
        Patients enrolled per arm.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> power_of_trial(0.6, 0.7, [188, 376, 752]).round(3)
    array([0.486, 0.8  , 0.98 ])
    """
    compared = _compared(natural, treated, sd, alpha)
    return frozen(_power(compared, _told(n, dropout), sd is None and continuity))


def assurance(
    natural: ArrayLike,
    treated: ArrayLike,
    n: ArrayLike,
    *,
    sd: ArrayLike | None = None,
    alpha: float = 0.05,
    dropout: ArrayLike = 0.0,
    continuity: bool = True,
    better: Better = "higher",
) -> FloatArray:
    """Return the expected power: the probability that a trial shows the treatment to be better.

    Power is computed for each draw from the posterior and averaged. Draws in which treatment
    does harm count with the small probability that the trial errs; so, unlike power, assurance
    has a limit below 1, the probability that treatment is better at all.

    Parameters
    ----------
    natural, treated
        Draws (..., draws) from the posterior of the shares, or mean scores, drawn together.
    n, dropout
        As for `power_of_trial`; they broadcast with the leading axes.
    sd
        Standard deviation of the scores, broadcasts with `natural`; none for shares.
    alpha, continuity
        As for `patients_per_arm`.
    better
        Which difference the trial is to show.

    Raises
    ------
    ValueError
        If an argument is out of range or there is no axis of draws.

    Notes
    -----
    O'Hagan, Stevens and Campbell (2005), Pharm Stat 4:187-201.

    Examples
    --------
    >>> draws = special.ndtri(np.arange(0.5, 1000) / 1000)
    >>> treated = special.expit(special.logit(0.7) + 0.3 * draws)
    >>> assurance(0.6, treated, [376, 3760, 1e6]).round(2)
    array([0.65, 0.87, 0.93])
    """
    require_option("better", better, get_args(Better))
    compared = _compared(natural, treated, sd, alpha, better)
    if compared.difference.ndim == 0 or compared.difference.size == 0:
        raise ValueError("natural or treated must have draws along the last axis, got none")
    told = _told(n, dropout)[..., None]
    return frozen(_power(compared, told, sd is None and continuity).mean(axis=-1))


def width_of_interval(
    natural: ArrayLike,
    treated: ArrayLike,
    n: ArrayLike,
    *,
    sd: ArrayLike | None = None,
    level: float = 0.95,
    dropout: ArrayLike = 0.0,
) -> FloatArray:
    """Return the width, from limit to limit, that the interval of the difference will have.

    Parameters
    ----------
    natural, treated, sd, dropout
        As for `patients_per_arm`.
    n
        Patients enrolled per arm.
    level
        Confidence level. The interval is normal (Wald), without correction.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> width_of_interval(0.6, 0.7, [376, 752]).round(3)
    array([0.136, 0.096])
    """
    unit = _unit_width(natural, treated, sd, level)
    return frozen(unit / np.sqrt(_told(n, dropout)))


def patients_for_width(
    natural: ArrayLike,
    treated: ArrayLike,
    width: ArrayLike,
    *,
    sd: ArrayLike | None = None,
    level: float = 0.95,
    dropout: ArrayLike = 0.0,
) -> FloatArray:
    """Return how many patients to enroll per arm so that the interval is no wider than `width`.

    Parameters
    ----------
    natural, treated, sd, level, dropout
        As for `width_of_interval`, of which this is the inverse.
    width
        Width of the interval of the difference, from limit to limit.

    Returns
    -------
    FloatArray
        Whole numbers, at least 2.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> patients_for_width(0.6, 0.7, [0.2, 0.1])
    array([173., 692.])
    """
    unit = _unit_width(natural, treated, sd, level)
    return _enrolled((unit / checked("width", width, SIZE)) ** 2, dropout)


def checked(name: str, values: ArrayLike, interval: Interval) -> FloatArray:
    """Return `values` as an array of floats; `ValueError` if one lies outside `interval`."""
    held = numbers(name, values)
    require(name, held, interval)
    return held


def gain(natural: FloatArray, treated: FloatArray, better: Better) -> FloatArray:
    """Return how much better the treated do; below 0 where they do worse."""
    return treated - natural if better == "higher" else natural - treated


def _compared(
    natural: ArrayLike,
    treated: ArrayLike,
    sd: ArrayLike | None,
    alpha: float,
    better: Better | None = None,
) -> Compared:
    """Return what decides the power; the direction is that expected unless it is asked for."""
    within = SHARE if sd is None else ESTIMATE
    first, second = checked("natural", natural, within), checked("treated", treated, within)
    same_shape(("natural", "treated"), first, second)
    z = float(-special.ndtri(one_number("alpha", alpha, LEVEL) / 2))
    difference = np.abs(second - first) if better is None else gain(first, second, better)
    if sd is None:
        mean = (first + second) / 2
        under_none = np.sqrt(2 * mean * (1 - mean))
        return Compared(difference, z * under_none, _spread(first, second, sd), 0.0)
    spread = _spread(first, second, sd)
    return Compared(difference, z * spread, spread, z**2 / 4)


def _spread(natural: FloatArray, treated: FloatArray, sd: ArrayLike | None) -> FloatArray:
    """Return the standard deviation of the difference with one patient in each arm."""
    if sd is not None:
        return math.sqrt(2) * checked("sd", sd, SIZE)
    spread: FloatArray = np.sqrt(natural * (1 - natural) + treated * (1 - treated))
    return spread


def _needed(reach: FloatArray, difference: FloatArray, continuity: bool) -> FloatArray:
    """Return for how many patients the difference, less the correction, reaches so far.

    The root of ``sqrt(n) (difference - 1 / n) = reach``, without correction of
    ``sqrt(n) difference = reach``.
    """
    reach, difference = np.broadcast_arrays(reach, difference)
    none = np.full(difference.shape, np.inf)
    top = (reach + np.sqrt(reach**2 + 4 * difference)) / 2 if continuity else reach
    with np.errstate(over="ignore"):
        root: FloatArray = np.divide(top, difference, out=none, where=difference > 0)
        return root**2


def _power(compared: Compared, told: FloatArray, continuity: bool) -> FloatArray:
    size = np.abs(compared.difference)
    if continuity:
        size = np.maximum(size - 1 / told, 0.0)
    effective = np.sqrt(np.maximum(told - compared.extra, 0.0))
    beyond = effective * np.copysign(size, compared.difference) - compared.margin
    # two shares of 0 or 1 leave nothing to chance
    certain = np.where(beyond > 0, np.inf, -np.inf)
    z = np.divide(beyond, compared.spread, out=certain, where=compared.spread > 0)
    return np.asarray(special.ndtr(z))


def _told(n: ArrayLike, dropout: ArrayLike) -> FloatArray:
    """Return how many patients of each arm are there at the week."""
    return checked("n", n, SIZE) * (1 - checked("dropout", dropout, DROPOUT))


def _enrolled(told: FloatArray, dropout: ArrayLike) -> FloatArray:
    enrolled = np.ceil(told / (1 - checked("dropout", dropout, DROPOUT)))
    return np.asarray(frozen(np.maximum(enrolled, FEWEST)))


def _unit_width(
    natural: ArrayLike, treated: ArrayLike, sd: ArrayLike | None, level: float
) -> FloatArray:
    """Return the width of the interval with one patient in each arm."""
    within = SHARE if sd is None else ESTIMATE
    first, second = checked("natural", natural, within), checked("treated", treated, within)
    same_shape(("natural", "treated"), first, second)
    z = float(special.ndtri((1 + confidence_level(level)) / 2))
    return 2 * z * _spread(first, second, sd)
