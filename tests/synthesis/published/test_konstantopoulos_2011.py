"""Konstantopoulos (2011), Res Synth Methods 2:61-76: school calendars, schools in districts.

Figures of Tables 4 and 5, pages 70-71, as the tests of metafor hold them
(``konstantopoulos2011``), with its notes on misprints.
"""

from __future__ import annotations

from tests.synthesis.dependent.data import schools
from tests.synthesis.published.printed import misprints
from trabecula.synthesis.dependent import multilevel
from trabecula.synthesis.pairwise import meta_regression, random_effects

DATA = schools()
YEAR = DATA.year - DATA.year.mean()


def test_two_levels_of_table_4() -> None:
    """Mean, standard error, heterogeneity and its standard error."""
    fit = random_effects(DATA.estimate, DATA.variance, test="z")

    assert (
        misprints("0.1279 0.0439 0.0884 0.0202", fit.estimate, fit.se, fit.tau2, fit.tau2_se) == []
    )


def test_two_levels_with_year_of_table_4() -> None:
    """The table cuts 0.0440 and 0.0889 off to 0.043 and 0.088."""
    fit = meta_regression(DATA.estimate, DATA.variance, YEAR, test="z")

    assert misprints("0.1258 0.0052 0.0440 0.0044", fit.coefficients, fit.se) == []
    assert misprints("0.0889 0.0205", fit.tau2, fit.tau2_se) == []


def test_three_levels_of_table_5() -> None:
    """Mean, standard error, heterogeneity between districts and between schools."""
    fit = multilevel(DATA.estimate, DATA.variance, DATA.levels, method="ML", test="z")

    assert misprints("0.1845 0.0805 0.0577 0.0329", fit.coefficients, fit.se, fit.sigma2) == []


def test_three_levels_with_year_of_table_5() -> None:
    """The table prints the intercept as 0.183, which no fit gives: it is 0.178."""
    fit = multilevel(
        DATA.estimate, DATA.variance, DATA.levels, moderators=YEAR, method="ML", test="z"
    )

    assert misprints("0.1780 0.0051 0.0805 0.0085", fit.coefficients, fit.se) == []
    assert misprints("0.0565 0.0329", fit.sigma2) == []
