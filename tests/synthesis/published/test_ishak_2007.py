"""Ishak, Platt, Joseph, Hanley and Caro (2007), Clin Trials 4:525-539: deep-brain stimulation.

Motor scores of 46 studies at up to four times. Figures of Table 1 as the tests of metafor hold
them (``ishak2007``): the two models of the table without autoregression.
"""

from __future__ import annotations

import numpy as np

from tests.synthesis.published.printed import columns, misprints
from trabecula.synthesis.dependent import BlockCovariance, multilevel, multivariate

Y = np.stack(columns("metadat_ishak2007", "y1i", "y2i", "y3i", "y4i"), axis=1)
V = np.stack(columns("metadat_ishak2007", "v1i", "v2i", "v3i", "v4i"), axis=1)
SEEN = np.isfinite(Y)
STUDY, TIME = np.nonzero(SEEN)


def test_independent_times_of_table_1() -> None:
    """Each time for itself: four means, four variances."""
    covariance = BlockCovariance.of(np.diag(V[SEEN]))
    fit = multivariate(Y[SEEN], covariance, STUDY, TIME, structure="diagonal", test="z")

    assert misprints("-24.9 -27.5 -28.5 -24.1", fit.coefficients) == []
    assert misprints("23.1 27.8 27.7 29.9", fit.tau2) == []


def test_random_study_effects_of_table_1() -> None:
    """One effect of each study at all its times."""
    later = (TIME[:, None] == [1, 2, 3]).astype(float)
    fit = multilevel(Y[SEEN], V[SEEN], {"study": STUDY}, moderators=later, test="z")
    means = fit.coefficients[0] + np.append(0, fit.coefficients[1:])

    assert misprints("-26.2 -27.2 -28.5 -25.6", means) == []
    assert misprints("26.7", fit.sigma2) == []
