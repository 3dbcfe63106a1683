"""Recovery: how fast a complaint goes by itself, and how much faster with treatment."""

from trabecula.synthesis.recovery.answers import (
    Patient,
    recovered,
    score_left,
    weeks_to_recovery,
    weeks_to_score,
)
from trabecula.synthesis.recovery.best_week import BestWeek, best_week
from trabecula.synthesis.recovery.evidence import RecoveryEvidence, recovery_evidence
from trabecula.synthesis.recovery.fit import RecoveryFit, recovery_model, recovery_models
from trabecula.synthesis.recovery.priors import RecoveryPriors
from trabecula.synthesis.recovery.sample import Variant
from trabecula.synthesis.recovery.trial_design import (
    assurance,
    patients_for_width,
    patients_per_arm,
    power_of_trial,
    width_of_interval,
)

__all__ = [
    "BestWeek",
    "Patient",
    "RecoveryEvidence",
    "RecoveryFit",
    "RecoveryPriors",
    "Variant",
    "assurance",
    "best_week",
    "patients_for_width",
    "patients_per_arm",
    "power_of_trial",
    "recovered",
    "recovery_evidence",
    "recovery_model",
    "recovery_models",
    "score_left",
    "weeks_to_recovery",
    "weeks_to_score",
    "width_of_interval",
]
