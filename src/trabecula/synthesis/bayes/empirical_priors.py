"""Priors of the heterogeneity that thousands of earlier meta-analyses suggest.

The predictive distributions of the between-study variance of a future meta-analysis, as printed
in Turner et al. (2015), Stat Med 34:984-998, table IV and page 993 (log odds ratios, log-normal)
and Rhodes, Turner and Higgins (2015), J Clin Epidemiol 68:52-60, section 3.3 and tables 3, A.3.1
and A.3.2 (standardized mean differences, log-t with 5 degrees of freedom). They stand in
``empirical_priors.csv`` as two public transcriptions have them, those of the R packages bayesmeta
and rnmamod. One figure on which the two disagree is left out.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from trabecula.synthesis.arguments import require_option
from trabecula.synthesis.bayes.priors import LogNormal, LogT
from trabecula.synthesis.result import Json

Measure = Literal["log-odds-ratio", "standardized-mean-difference"]
"""The scale of the estimates; heterogeneity on one says nothing of that on another."""

TABLE = Path(__file__).with_name("empirical_priors.csv")

DEGREES_OF_FREEDOM = 5.0
"""Those of the log-t distributions of Rhodes et al."""

ANY = "any"


@cache
def _table() -> tuple[dict[str, str], ...]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def empirical_prior_table() -> list[dict[str, Json]]:
    """Return every setting for which there is a prior, one record each.

    ``location`` and ``spread`` are those of the logarithm of the between-study *variance*, as
    printed; ``None`` where the figure is in doubt. ``source`` is the paper with its table or page.
    """
    return [
        {
            **row,
            "location": float(row["location"]) if row["location"] else None,
            "spread": float(row["spread"]) if row["spread"] else None,
        }
        for row in _table()
    ]


def empirical_prior(
    measure: Measure, outcome: str = ANY, comparison: str = ANY, area: str = ANY
) -> LogNormal | LogT:
    """Return the prior of the heterogeneity for a setting.

    Parameters
    ----------
    measure
        Scale of the estimates.
    outcome, comparison
        Type of the outcome and of what is compared, as `empirical_prior_table` lists them. Left
        out, the prior is that of a meta-analysis of which nothing is known; it is wide.
    area
        Field of medicine, for standardized mean differences of a known outcome.

    Raises
    ------
    ValueError
        If there is no prior for the setting, with the choices there are.

    Examples
    --------
    >>> empirical_prior("log-odds-ratio")
    LogNormal(location=-1.28, spread=0.87)
    """
    require_option("measure", measure, get_args(Measure))
    rows = [row for row in _table() if row["measure"] == measure]
    for name, value in (("area", area), ("outcome", outcome), ("comparison", comparison)):
        require_option(name, value, list(dict.fromkeys(row[name] for row in rows)))
        rows = [row for row in rows if row[name] == value]
    if not rows[0]["location"]:
        raise ValueError(
            f"the prior for {outcome}, {comparison}, {area} is left out: transcriptions of the "
            "printed table disagree on it; use a neighboring setting or look into the paper"
        )
    location, spread = (float(rows[0][name]) / 2 for name in ("location", "spread"))
    if measure == "log-odds-ratio":
        return LogNormal(location, spread)
    return LogT(location, spread, DEGREES_OF_FREEDOM)
