"""Gleser and Olkin (2009), Handbook of Research Synthesis and Meta-Analysis, 2nd ed., chapter 19.

Several treatments against one control, in studies of several arms: a common-effect network.
Figures of pages 360-367 as the tests of metafor hold them (``gleser2009``).
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.synthesis.published.printed import misprints
from trabecula.synthesis.network import NetworkEvidence, NetworkFit, network_meta_analysis

STUDY = ["1", "1", "1", "2", "2", "3", "3", "3", "3"]
ARM = ["control", "1", "2", "control", "1", "control", "1", "2", "3"]
EVENTS = np.array([40, 100, 150, 10, 15, 150, 40, 80, 50.0])
N = np.array([1000, 4000, 4000, 200, 400, 2000, 1000, 1000, 1000.0])
P = EVENTS / N
"""Table 19.1: events and persons in three studies with a control arm each."""

SCALES = {
    "risk difference": (P, P * (1 - P) / N),
    "log odds ratio": (np.log(P / (1 - P)), 1 / (N * P * (1 - P))),
    "log risk ratio": (np.log(P), (1 - P) / (N * P)),
    "arcsine difference": (2 * np.arcsin(np.sqrt(P)), 1 / N),
}


def pooled(estimate: np.ndarray, variance: np.ndarray) -> NetworkFit:
    """Return the network; signs are those of the chapter, control minus treatment."""
    evidence = NetworkEvidence.from_arms(STUDY, ARM, -estimate, variance)
    return network_meta_analysis(evidence, method="common", reference="control")


def against_control(fit: NetworkFit) -> tuple[np.ndarray, np.ndarray]:
    """Return effects against the control and the upper triangle of their covariance."""
    names = [name for name in fit.treatments if name != "control"]
    at = [fit.treatments.index(name) for name in names]
    column = fit.treatments.index("control")
    contrast = np.eye(len(fit.treatments))[at]
    contrast[:, column] -= 1
    covariance = contrast @ fit.covariance @ contrast.T
    return fit.estimate[at, column], covariance[np.triu_indices(len(at))]


@pytest.mark.parametrize(
    ("scale", "effects", "variances", "unit", "q"),
    [
        (
            "risk difference",
            "0.0200 0.0043 0.0211",
            "24.612 19.954 13.323 28.538 13.255 69.806",
            1e-6,
            "7.1907",
        ),
        (
            "log odds ratio",
            "0.5099 0.0044 0.4301",
            "0.01412 0.00712 0.00425 0.01178 0.00455 0.02703",
            1.0,
            "2.056",
        ),
        ("log risk ratio", "0.4875 0.0006 0.4047", "", 1.0, "1.895"),
        (
            "arcsine difference",
            "0.1010 0.0102 0.0982",
            "0.00058 0.00040 0.00024 0.00061 0.00025 0.00137",
            1.0,
            "4.263",
        ),
    ],
)
def test_multiple_treatments(scale: str, effects: str, variances: str, unit: float, q: str) -> None:
    """Pages 361-365; the chapter prints Q of the odds ratio as 2.057, of the arcsine as 4.264."""
    fit = pooled(*SCALES[scale])
    estimate, covariance = against_control(fit)

    assert misprints(effects, estimate) == []
    assert misprints(variances, covariance / unit if variances else []) == []
    assert misprints(q, fit.q) == []


def test_standardised_mean_differences() -> None:
    """Page 367: two treatments, four studies, covariances that depend on the effects themselves."""
    control = np.array([-1.36, 0.98, 1.17, 0.45])
    sd, size, total = [4.2593, 2.8831, 3.1764, 2.9344], [25, 40, 50, 30], [72, 78, 100, 90]
    rows: list[tuple[str, str, str, float, float]] = []
    arms = {
        0: [(7.87, 25), (4.35, 22)],
        1: [(9.32, 38)],
        2: [(8.08, 50)],
        3: [(7.44, 30), (5.34, 30)],
    }
    for study, treated in arms.items():
        d = [(mean - control[study]) / sd[study] for mean, _ in treated]
        for name, effect, (_, n) in zip("12", d, treated, strict=False):
            variance = 1 / n + 1 / size[study] + effect**2 / (2 * total[study])
            rows.append((str(study), name, "control", effect, variance))
        if len(d) == 2:
            (_, n_1), (_, n_2) = treated
            between = 1 / n_1 + 1 / n_2 + (d[0] - d[1]) ** 2 / (2 * total[study])
            rows.append((str(study), "1", "2", d[0] - d[1], between))
    evidence = NetworkEvidence.from_contrasts(*(list(column) for column in zip(*rows, strict=True)))
    fit = network_meta_analysis(evidence, method="common", reference="control")
    estimate, covariance = against_control(fit)

    assert misprints("2.3743 1.5702", estimate) == []
    assert misprints("0.02257 0.01244 0.03554", covariance) == []
    assert misprints("3.9447", fit.q) == []
