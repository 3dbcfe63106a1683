"""The golden file of netmeta: its data as evidence, its tables in our order."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.synthesis.reference import load
from trabecula.synthesis.network.evidence import NetworkEvidence

CONTENT: dict[str, Any] = load("netmeta.json")
DATASETS: dict[str, dict[str, Any]] = CONTENT["datasets"]

COVERAGE = {
    "csv": "input",
    "sm": "input",
    "small_values": "input",
    "pairwise": "input",
    "netmeta_DL": "test_netmeta_alignment.py",
    "netmeta_REML": "test_netmeta_alignment.py",
    "netmeta_ML": "test_netmeta_alignment.py",
    "netmeta_REML_HK": "test_netmeta_alignment.py",
    "decomp_design": "test_netmeta_alignment.py",
    "netsplit_backcalc": "test_netmeta_alignment.py",
    "hatmatrix_Davies": "test_netmeta_alignment.py",
    "netmeasures": "test_netmeta_alignment.py",
    "rankogram_mc20000": "test_netmeta_alignment.py",
    "netimpact_random": "test_netmeta_alignment.py",
    "netmetabin_MH": "test_rare_events_network.py",
    "netmetabin_NCH": "test_rare_events_network.py",
    "netsplit_SIDDE": "test_node_splitting.py",
    "netcontrib_shortestpath": "test_contribution.py",
    "netcontrib_randomwalk": "test_contribution.py",
}
"""Which test file compares which entry of the golden data sets."""

NOT_COVERED = {
    "netmetabin_LRP": "the reference holds an error message: its package brglm2 was missing",
}
"""Entries that cannot be compared, and why."""


def evidence(dataset: str) -> NetworkEvidence:
    """Return the contrasts of a golden data set."""
    table = DATASETS[dataset]["pairwise"]
    return NetworkEvidence.from_contrasts(
        table["studlab"],
        table["treat1"],
        table["treat2"],
        table["TE"],
        np.square(np.array(table["seTE"])),
    )


def matrix(table: dict[str, Any], treatments: tuple[str, ...]) -> np.ndarray:
    """Return a table of the golden file with rows and columns in the order of `treatments`."""
    rows = [str(name) for name in table["rows"]]
    assert rows == [str(name) for name in table["cols"]]
    place = [rows.index(name) for name in treatments]
    return np.array(table["values"], dtype=float)[np.ix_(place, place)]


def comparison(name: str, treatments: tuple[str, ...]) -> tuple[int, int]:
    """Return the indices of the treatments in a label such as ``A:B``."""
    first, second = name.split(":")
    return treatments.index(first), treatments.index(second)


def numbers(values: list[Any]) -> np.ndarray:
    """Return values of the golden file as floats, null as NaN."""
    return np.array([np.nan if value is None else value for value in values], dtype=float)
