"""Berkey, Hoaglin, Antczak-Bouckoms, Mosteller and Colditz (1998), Stat Med 17:2537-2550.

Surgery against other treatment of periodontitis, two outcomes in five trials. Figures of Table
II, page 2545, as the tests of metafor hold them (``berkey1998``).
"""

from __future__ import annotations

import numpy as np

from tests.synthesis.dependent.data import periodontitis
from tests.synthesis.published.printed import misprints
from trabecula.synthesis.dependent import multivariate


def test_two_outcomes_with_year_of_table_2() -> None:
    """Means and slopes of attachment level and probing depth, and their covariance matrix."""
    data = periodontitis()
    attachment = data.outcome == "attachment"
    slopes = [np.where(outcome, data.moderator, 0) for outcome in (attachment, ~attachment)]
    fit = multivariate(
        data.estimate,
        data.covariance,
        data.study,
        data.outcome,
        moderators=np.stack(slopes, axis=1),
        names=["year (attachment)", "year (depth)"],
        method="ML",
        test="z",
    )
    covariance = fit.rho[0, 1] * np.sqrt(fit.tau2.prod())

    assert misprints("-0.3351 0.3479 -0.0108 0.0010", fit.coefficients) == []
    assert misprints("0.0787 0.0520 0.0243 0.0154", fit.se) == []
    assert misprints("0.0250 0.0080 0.0093", fit.tau2, covariance) == []
