"""The words for what enters the recovery model, what it assumes, and what is varied."""

from __future__ import annotations

from collections.abc import Mapping

from trabecula.review.recovery_model import EvidenceKind, VariantKind

EVIDENCE_KINDS: Mapping[EvidenceKind, str] = {
    "complete": "share recovered",
    "partial": "share recovered at least in part",
    "score": "share of the score left",
    "time": "weeks to recovery",
    "test": "test statistic",
}
"""What a row of the recovery model shows, in the order in which they are listed."""

VARIANT_KINDS: Mapping[VariantKind, str] = {
    "evidence": "Which evidence is used",
    "form": "Form of the model",
    "prior": "What is assumed beforehand",
    "study": "A study left out",
}
"""What a sensitivity analysis of the recovery model changes, in the order shown."""

PRIORS: Mapping[str, str] = {
    "median_weeks": "Weeks until half have recovered by waiting",
    "median_log_sd": "Uncertainty of these weeks (SD of the logarithm)",
    "spread": "How far patients of one study differ (SD of the logarithm)",
    "spread_log_sd": "Uncertainty of how far patients differ (SD of the logarithm)",
    "study_sd": "How far natural courses of studies differ (scale)",
    "effect_sd": "How large effects of treatments are (SD of the logarithm)",
    "member_sd": "How far agents of a class differ (scale)",
    "arm_sd": "How far effects of a treatment differ between studies (scale)",
    "outcome_correlation": "Correlation of effects on two outcomes",
    "uncontrolled_optimism": "Optimism of groups without control (scale)",
    "unblinded_optimism": "Optimism of unblinded comparisons (scale)",
    "moderator_sd": "How much sites and patients matter (SD of the logarithm)",
    "never_recover": "Share that never recovers completely",
    "never_recover_log_odds_sd": "Uncertainty of the share that never does (SD of the log odds)",
    "floor": "Part of a score that stays",
    "floor_log_odds_sd": "Uncertainty of the part that stays (SD of the log odds)",
    "kind_sd": "How much sooner scores fall than recovery is complete (scale)",
    "delay_weeks": "Weeks from onset to treatment where not told",
    "delay_log_sd": "Uncertainty of delays not told (SD of the logarithm)",
    "delay_error": "Error of a delay that is told (SD of the logarithm)",
}
"""What the priors of the recovery model speak of, in the order of the protocol."""

RECOVERY_RULES: Mapping[str, str] = {
    "all-recovered-before": "all patients had recovered before",
    "baseline-only": "values before treatment alone",
    "before-after-p": "only the p of a change in one group",
    "better-row": "another row of the same patients tells more",
    "falling-count": "a count that falls with time",
    "other-clock": "counted from another start than the other rows",
    "other-n": "of another number of patients than the other rows",
    "same-patients": "the same patients stand in another row",
    "shared-cohort": "patients shared with another study",
    "told-by-arms": "the figures of the arms tell it already",
    "untimed": "no week is told",
}
"""Why a row of a recovery outcome does not enter the model, beside `labels.REASONS`."""
