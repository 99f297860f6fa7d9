"""Running scenarios many times over: one seed a scenario and replicate, the same numbers for any number of processes."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from gates import Gates, summary_row
from scenario import Found, Key, Scenario
from scenarios import SCENARIOS

__all__ = ["COLUMNS", "SEED", "recovered"]

SEED = 2010
COLUMNS = (
    "setting", "estimator", "quantity", "kind", "n", "replicates", "truth", "truth_error", "mean_estimate", "bias", "bias_mcse",
    "empirical_sd", "mean_std_error", "se_ratio", "share", "share_mcse", "gate",
)  # fmt: skip
_CHUNK = 25


def recovered(names: Sequence[str], replicates: int, gates: Gates, *, workers: int = 1) -> pd.DataFrame:
    """Return one row a scenario, estimator and quantity, columns `COLUMNS`."""
    from joblib import Parallel, delayed

    chunks = [(name, first) for name in names for first in range(0, replicates, _CHUNK)]
    done = Parallel(n_jobs=workers)(
        delayed(_chunk)(name, first, min(first + _CHUNK, replicates)) for name, first in chunks
    )
    rows: list[dict[str, Any]] = []
    for name in names:
        found = [one for (mine, _), part in zip(chunks, done, strict=True) if mine == name for one in part]
        rows += _summaries(SCENARIOS[name], found, gates)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def generator(name: str, replicate: int) -> np.random.Generator:
    """Return the generator of one replicate: of the scenario's name and the replicate's number, whatever else runs."""
    key = (zlib.crc32(name.encode()), replicate)
    return np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=key))


def _chunk(name: str, first: int, last: int) -> list[dict[Key, Found]]:
    replicate = SCENARIOS[name].replicate
    return [dict(replicate(generator(name, number))) for number in range(first, last)]


def _summaries(scenario: Scenario, found: Sequence[dict[Key, Found]], gates: Gates) -> list[dict[str, Any]]:
    rows = []
    for estimator, quantity in found[0]:
        each = [one[estimator, quantity] for one in found]
        conservative = estimator in scenario.conservative
        row = summary_row(each, scenario.truths.get(quantity), gates, conservative=conservative)
        passed = row.pop("passed")
        gate = "reported" if estimator in scenario.reported else "pass" if passed else "FAIL"
        rows.append(
            {"setting": scenario.name, "estimator": estimator, "quantity": quantity, "n": scenario.people, **row, "gate": gate}
        )  # fmt: skip
    return rows
