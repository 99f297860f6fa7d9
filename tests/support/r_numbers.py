"""R's numbers, entry by entry: which test reads which, and which are left out with what reason.

The folder (``OUTCOMES_REFERENCE``) holds ``data/*.csv`` and ``expected/*.json``. An entry is checked by the first rule whose pattern
matches its id; one that no rule knows fails, so that nothing is passed over in silence.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

CLOSED_FORM = 1e-9
ITERATED = 1e-6

Check = Callable[[dict[str, Any]], None]


def folder() -> Path | None:
    """Return the folder of R's numbers, None where there is none."""
    named = os.environ.get("OUTCOMES_REFERENCE")
    return Path(named) if named and Path(named).is_dir() else None


@lru_cache
def data_set(file: str) -> pd.DataFrame:
    """Return one data set; not to be changed."""
    found = folder()
    assert found is not None
    return pd.read_csv(found / "data" / file)


def entries(name: str, pattern: str = ".") -> list[Any]:
    """Return the entries of one file whose id starts with `pattern` as test parameters."""
    found = folder()
    if found is None:
        reason = "OUTCOMES_REFERENCE names no folder: R's numbers are not here"
        return [pytest.param({}, id="no-reference", marks=pytest.mark.skip(reason=reason))]
    listed = json.loads((found / "expected" / f"{name}.json").read_text(encoding="utf-8"))["entries"]
    return [pytest.param(entry, id=entry["id"]) for entry in listed if re.match(pattern, entry["id"])]


def check(entry: dict[str, Any], rules: Mapping[str, Check | str]) -> None:
    """Run the first rule whose pattern matches the entry's id; a text is the reason why it is left out."""
    for pattern, rule in rules.items():
        if re.match(pattern, entry["id"]):
            if isinstance(rule, str):
                pytest.skip(f"left out: {rule}")
            rule(entry)
            return
    pytest.fail(f"no rule knows the entry {entry['id']}")


def surv(call: str) -> tuple[str, str]:
    """Return the names of time and status in ``Surv(time, status)``."""
    found = re.search(r"Surv\((\w+),\s*(\w+)\)", call)
    assert found is not None, call
    return found[1], found[2]


def same(ours: Any, theirs: Any, tolerance: float, what: str = "") -> None:
    """Compare arrays by relative difference; where R has no number (null), there is nothing to compare."""
    a, b = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    assert a.shape == b.shape, f"{what}: {a.shape} against {b.shape}"
    known = np.isfinite(b)
    np.testing.assert_allclose(a[known], b[known], rtol=tolerance, atol=tolerance * 1e-3, err_msg=what)


def matrix(table: dict[str, Any]) -> pd.DataFrame:
    """Return ``{rows, cols, values}`` as a frame."""
    values = [row if isinstance(row, list) else [row] for row in table["values"]]
    return pd.DataFrame(values, index=table["rows"], columns=table["cols"])
