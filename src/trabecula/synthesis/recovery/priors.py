"""Priors of the recovery model: every number that is assumed and not estimated, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecoveryPriors:
    """What is held plausible before the evidence; scales are those of logarithms of rates.

    Parameters
    ----------
    median_weeks, median_log_sd
        Natural course: weeks from start until half have recovered (log-normal).
    spread, spread_log_sd
        Standard deviation of the logarithm of one patient's time (log-normal).
    study_sd
        Scale of the half-normal prior of how natural courses of studies differ. 0: all alike
        (fixed natural course).
    effect_sd
        Standard deviation of the normal prior of an effect, centered on none. Small is
        skeptical: at 0.35 a treatment doubles the rate with probability 0.024.
    member_sd
        Standard deviation of how effects of members of a class differ. Few classes have several
        members with evidence, so that it cannot be estimated.
    arm_sd
        Standard deviation of how the effect of one treatment differs between studies,
        confounding included. Few studies compare, so that it cannot be estimated.
    outcome_correlation
        Correlation between outcomes of effects, and of studies' courses (0 to 1).
    uncontrolled_optimism, unblinded_optimism
        Scales of the half-normal priors of optimism. 0: taken at face value.
    moderator_sd
        Standard deviation of the normal priors of moderators.
    never_recover, never_recover_log_odds_sd
        Share who never recover completely (logit-normal, its median).
    floor, floor_log_odds_sd
        Share of a score that stays (logit-normal, its median).
    kind_sd
        Scale of the half-normal prior of how much sooner a score falls, or a partial
        recovery comes, than complete recovery.
    delay_weeks
        Weeks from onset to start of a study that does not tell.
    delay_log_sd, delay_error
        Relative standard error of a delay that is assumed, and of one that a study tells: it
        widens mean times that count from onset.
    """

    median_weeks: tuple[float, ...]
    median_log_sd: float = 0.5
    spread: float = 0.8
    spread_log_sd: float = 0.3
    study_sd: float = 0.5
    effect_sd: float = 0.35
    member_sd: float = 0.2
    arm_sd: float = 0.2
    outcome_correlation: float = 0.5
    uncontrolled_optimism: float = 0.3
    unblinded_optimism: float = 0.15
    moderator_sd: float = 0.25
    never_recover: float = 0.05
    never_recover_log_odds_sd: float = 0.8
    floor: float = 0.05
    floor_log_odds_sd: float = 0.8
    kind_sd: float = 0.7
    delay_weeks: float = 8.0
    delay_log_sd: float = 0.5
    delay_error: float = 0.15
