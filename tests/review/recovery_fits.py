"""Fits made by hand, for tests of what is done with fits."""

import numpy as np

from trabecula.synthesis.recovery.evidence import TABLES, RecoveryEvidence
from trabecula.synthesis.recovery.fit import RecoveryFit
from trabecula.synthesis.recovery.priors import RecoveryPriors
from trabecula.synthesis.sampling.convergence import Diagnostics

DRAWS = 200


def made_fit(
    evidence: RecoveryEvidence,
    *,
    ratio: float = 1.0,
    spread: float = 0.0,
    weeks: float = 20.0,
    seed: int = 1,
) -> RecoveryFit:
    """Return a fit: median `weeks`, all rate ratios about `ratio`, with the log SD `spread`."""
    random = np.random.default_rng(seed)
    outcomes, effects = len(evidence.outcomes), len(evidence.effects)
    rows = sum(len(getattr(evidence, name).outcome) for name in TABLES)
    flat = np.ones((DRAWS, outcomes))
    noise = spread * random.standard_normal((DRAWS, effects, outcomes))
    return RecoveryFit(
        form="weibull",
        outcomes=evidence.outcomes,
        effects=evidence.effects,
        moderator_names=evidence.moderator_names,
        priors=RecoveryPriors(median_weeks=(weeks,) * outcomes),
        diagnostics=Diagnostics(1.0, 1000.0, 1000.0, 0),
        studies=np.array(len(evidence.studies)),
        effect=np.log(ratio) + noise,
        log_median=np.log(weeks) * flat,
        delay_slope=0.0 * flat,
        moderator=np.zeros((DRAWS, len(evidence.moderator_names), outcomes)),
        spread=0.8 * flat,
        never=0.05 * flat,
        floor=0.1 * flat,
        sooner=np.full((DRAWS, 2, outcomes), 0.3),
        study_sd=0.0 * flat,
        optimism=np.zeros((DRAWS, 2)),
        log_likelihood=random.normal(-1.0, 0.1, (DRAWS, rows)),
        replicates=random.random((50, rows)),
    )
