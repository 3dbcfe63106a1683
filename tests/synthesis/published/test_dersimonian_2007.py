"""DerSimonian and Kacker (2007), Contemp Clin Trials 28:105-114: the CLASP example.

Figures of Tables 3 and 4, pages 111-112, as the tests of metafor hold them
(``dersimonian2007``).
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.synthesis.published.printed import log_odds_ratios, misprints
from trabecula.synthesis.pairwise import random_effects

Y, V = log_odds_ratios(
    [5, 5, 12, 69, 9, 313],
    [156, 303, 565, 1570, 103, 4659],
    [8, 17, 9, 94, 11, 352],
    [74, 303, 477, 1565, 105, 4650],
)

ONE_STEP = {
    "PM": "0.3681 -0.3811 0.2060",
    "HE": "0.4410 -0.4035 0.2327",
    "DL": "0.2323 -0.3240 0.1540",
}


@pytest.mark.parametrize("method", ONE_STEP)
def test_moment_estimators(method: str) -> None:
    """τ, mean and its standard error; *HE* is the paper's Cochran ANOVA estimator."""
    fit = random_effects(Y, V, method=method, test="z")  # type: ignore[arg-type]

    assert misprints(ONE_STEP[method], np.sqrt(fit.tau2), fit.estimate, fit.se) == []


@pytest.mark.parametrize(("first", "printed"), [("HE", "0.3831"), ("DL", "0.3254")])
def test_two_step_estimators(first: str, printed: str) -> None:
    """τ of the second step: the generalised Q with the weights of the first."""
    begin = random_effects(Y, V, method=first)  # type: ignore[arg-type]
    second = random_effects(Y, V, method="GENQ", weights=1 / (V + begin.tau2))

    assert misprints(printed, np.sqrt(second.tau2)) == []
