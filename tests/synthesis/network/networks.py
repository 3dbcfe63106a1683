"""Networks made up for tests, from a seed."""

from __future__ import annotations

import numpy as np

from trabecula.synthesis.network.evidence import NetworkEvidence


def made_up(
    treatments: int, studies: int, seed: int, *, names: list[str] | None = None
) -> NetworkEvidence:
    """Return a connected network; about a fifth of its studies have three or four arms.

    `names` are those of the treatments, in the order in which they are made up.
    """
    random = np.random.default_rng(seed)
    called = names or [f"t{i:03d}" for i in range(treatments)]
    effect = random.normal(size=treatments)
    study, treatment, estimate, variance = [], [], [], []
    for number in range(studies):
        arms = 2 if random.random() > 0.2 else min(int(random.integers(3, 5)), treatments)
        chosen = random.choice(treatments, arms, replace=False)
        if number < treatments - 1:
            chosen = np.array([number + 1, random.integers(0, number + 1)])
        for arm in chosen:
            study.append(f"study {number}")
            treatment.append(called[arm])
            estimate.append(effect[arm] + 0.3 * random.normal())
            variance.append(random.uniform(0.02, 0.3))
    return NetworkEvidence.from_arms(study, treatment, np.array(estimate), np.array(variance))
