"""The words of the method, defined once; templates link to them by id."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the method and what it means here."""

    id: str
    name: str
    text: str


TERMS: tuple[Term, ...] = (
    Term(
        "before-after",
        "Before–after change",
        "The change of one group of patients from before to some time after treatment. In a "
        "self-limited disease it mixes the treatment with the course and is no effect of "
        "treatment.",
    ),
    Term(
        "cohort",
        "Cohort",
        "Studies that share, or may share, patients. Of one cohort only one study enters a "
        "synthesis, so that no patient counts twice.",
    ),
    Term(
        "comparison",
        "Comparison",
        "The result of one group of patients against that of another group of the same study "
        "who had another treatment or none. Only a comparison tells what a treatment adds.",
    ),
    Term(
        "computed",
        "Computed",
        "Follows from figures that the study prints, without any assumption about it.",
    ),
    Term(
        "confidence-interval",
        "95 % confidence interval (95 % CI)",
        "The values that agree with the data. Computed this way in many repetitions, 95 of 100 "
        "intervals would hold the true value.",
    ),
    Term(
        "credible-interval",
        "95 % credible interval (95 % CrI)",
        "Where a value lies with 95 % probability, given the model, what was assumed beforehand "
        "and the data.",
    ),
    Term(
        "estimate",
        "Estimate",
        "A number with its standard error, derived from printed figures by steps that are shown.",
    ),
    Term(
        "evidence-version",
        "Evidence version",
        "The start of a digest of all evidence files: the same version always gives the same "
        "reference.",
    ),
    Term(
        "extrapolated",
        "Extrapolated",
        "Later than anything that was observed: the model continues the curve. Drawn dashed.",
    ),
    Term(
        "granularity",
        "Granularity test (GRIM, GRIMMER, DEBIT)",
        "Checks whether a printed mean, SD or percentage can come from whole numbers of "
        "patients or points.",
    ),
    Term(
        "heterogeneity",
        "Heterogeneity (τ², I²)",
        "How much the true results of studies differ. τ² is their variance; I² the share of "
        "the scatter between studies that chance does not explain.",
    ),
    Term(
        "imputed",
        "Imputed",
        "Needs a number that the study does not print, such as a borrowed SD or an assumed "
        "correlation. Never shown like a reported number.",
    ),
    Term(
        "judgement",
        "Judgement",
        "A statement of general clinical knowledge or opinion for which no source was read.",
    ),
    Term(
        "minimal-important-difference",
        "Minimal important difference (MID)",
        "The smallest difference on a scale that patients notice.",
    ),
    Term(
        "off-label",
        "Off-label",
        "The product is licensed, but not for this disease; the treating clinician answers for "
        "its use and informs the patient.",
    ),
    Term(
        "prediction-interval",
        "95 % prediction interval",
        "Where the true result of a new, similar study would lie. Wider than the confidence "
        "interval when studies differ.",
    ),
    Term(
        "primary-stratum",
        "This disease",
        "As a label of results and studies: patients with the disease itself, whose studies speak "
        "most directly to it.",
    ),
    Term(
        "random-effects",
        "Random-effects synthesis",
        "Pools studies whose true results may differ, weighting each by its precision and by "
        "how much studies differ.",
    ),
    Term(
        "randomised",
        "Randomised",
        "Chance (or nearly so) decided who had which treatment, so that groups are alike but "
        "for the treatment.",
    ),
    Term(
        "ratio",
        "Risk ratio, odds ratio",
        "How many times as frequent an event is with one treatment as with the other; 1 means "
        "no difference.",
    ),
    Term(
        "recovery-rate-ratio",
        "Rate ratio of recovery",
        "How many times as fast patients recover with a treatment as by waiting: at 1 as fast, "
        "at 1.25 any share has recovered in four fifths of the time, at 2 in half of it. Above 1 "
        "is faster.",
    ),
    Term("reported", "Reported", "Printed by the study as such; nothing had to be derived."),
    Term(
        "standard-error",
        "Standard error",
        "How far an estimate would typically lie from the truth by chance alone.",
    ),
    Term(
        "standardised",
        "Standardised mean difference (SD)",
        "A difference in units of the standard deviation between patients, used where studies "
        "measured on different scales.",
    ),
    Term(
        "stratum",
        "Related and other diseases",
        "As a label: also patients whose illness resembles this disease (related) or goes with "
        "another one (other), beside those with the disease itself. A study of mixed patients "
        "counts with the least direct of them. Which is which stands below.",
    ),
    Term(
        "weeks-saved",
        "Weeks saved",
        "By how many weeks earlier half of the patients have recovered with a treatment than by "
        "waiting, counted from the start of treatment. Below 0: later.",
    ),
    Term(
        "weight",
        "Weight",
        "The share of a pooled result that comes from one study, in percent.",
    ),
    Term(
        "window",
        "Time window",
        "A time of interest and the weeks counted to it; of each study the nearest time is used.",
    ),
)

FORMULAS: tuple[tuple[str, str], ...] = (
    ("SD from a standard error", "SD = SE × √n"),
    (
        "SD from a confidence interval",
        "SD = √n × (upper − lower) / (2t), t being the 97.5th centile of Student’s "
        "distribution with n − 1 degrees of freedom",
    ),
    ("SD of a change", "SD² = SD₁² + SD₂² − 2 r SD₁ SD₂, r being the assumed correlation"),
    ("Mean difference", "difference of means; SE² = SD₁²/n₁ + SD₂²/n₂"),
    (
        "Standardised mean difference",
        "Hedges’ g: difference of means over the pooled SD, times the exact small-sample "
        "correction",
    ),
    ("Risk ratio", "log of (a/n₁)/(c/n₂); SE² = 1/a − 1/n₁ + 1/c − 1/n₂"),
    ("Rows that count lesions", "effective n = n / (1 + (m − 1) ICC), m lesions a patient"),
)
"""Name and formula, as statisticians know them."""
