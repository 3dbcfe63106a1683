"""Values of the reference implementation, its vocabulary in ours, and how close is close.

Tolerances are policy, not taste: one a kind of quantity, each with its reason.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

GOLDEN = Path(__file__).parents[1] / "golden" / "synthesis"

METHODS = {
    "EE": "common",
    "DL": "DL",
    "HE": "HE",
    "HS": "HS",
    "HSk": "HS-corrected",
    "SJ": "SJ",
    "ML": "ML",
    "REML": "REML",
    "EB": "EB",
    "PM": "PM",
    "PMM": "PM-median",
    "DLIT": "PM",
    "SJIT": "PM",
    "GENQ": "GENQ",
    "GENQM": "GENQ-median",
}
"""metafor's letters and our names. The iterated DL and SJ solve the Paule-Mandel equation."""

TESTS = {
    "z": "z",
    "t": "t",
    "knha": "knapp-hartung",
    "adhoc": "knapp-hartung-conservative",
}

RTOL = 1e-10
"""Both sides solve the same equation to the end: what differs is rounding, and R's ``qt`` and
SciPy's ``stdtrit`` in the last bits. Worst seen: 7e-12."""

ATOL = 1e-10
"""For what is 0 on one side and rounding on the other (worst seen: an I² of 2.4e-11 %)."""

ITERATED_RTOL = 5e-7
"""The iterated DL of the reference stops when its own steps get short, 5e-8 from the solution;
p-values magnify that. Worst seen: 3.0e-7."""

SEARCH_LIMIT = 100
"""Largest between-study variance that the reference looks at for an upper limit."""


def load(name: str) -> dict[str, Any]:
    """Return a file of golden values."""
    content: dict[str, Any] = json.loads((GOLDEN / name).read_text(encoding="utf-8"))
    return content


def agree(ours: Any, theirs: float | str | None, rtol: float = RTOL, atol: float = ATOL) -> bool:
    """Return whether a value agrees with the reference's (NaN with null)."""
    expected = np.nan if theirs is None else float(theirs)
    return bool(np.isclose(float(ours), expected, rtol=rtol, atol=atol, equal_nan=True))


def disagreements(
    pairs: dict[str, tuple[Any, Any]], rtol: float = RTOL, atol: float = ATOL
) -> dict[str, tuple[float, Any]]:
    """Return the pairs of values that do not agree, by name."""
    return {
        name: (float(ours), theirs)
        for name, (ours, theirs) in pairs.items()
        if not agree(ours, theirs, rtol, atol)
    }


def fit_pairs(fit: Any, theirs: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return every value of a `RandomEffectsFit` beside that of an ``rma`` fit."""
    names = {
        "se": "se",
        "statistic": "zval",
        "p_value": "pval",
        "ci_low": "ci_lb",
        "ci_high": "ci_ub",
        "tau2": "tau2",
        "tau2_se": "se_tau2",
        "i2": "I2",
        "h2": "H2",
        "q": "QE",
        "q_p_value": "QEp",
        "k": "k",
    }
    pairs = {name: (getattr(fit, name), theirs[their]) for name, their in names.items()}
    pairs["estimate"] = (fit.estimate, theirs["b"]["intrcpt"])
    df = theirs["ddf"]
    pairs["df"] = (fit.df, np.inf if df is None else df)
    for side, their in (("low", "pi_lb"), ("high", "pi_ub")):
        pairs[f"pi_{side}"] = (getattr(fit, f"pi_{side}"), theirs["predict"][their])
    criteria = {"log_likelihood": "ll", "deviance": "dev", "aic": "AIC", "bic": "BIC"}
    criteria["aicc"] = "AICc"
    for ours, block in ((fit.ml, "ML"), (fit.reml, "REML")):
        for name, their in criteria.items():
            pairs[f"{block} {name}"] = (getattr(ours, name), theirs["fit_stats"][block][their])
    return pairs
