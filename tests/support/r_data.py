"""Data sets of R packages, asked of R itself where it is installed: their licences keep them out of this project."""

from __future__ import annotations

import io
import shutil
import subprocess
from functools import lru_cache

import pandas as pd
import pytest

__all__ = ["r_data"]

# One process of R a package, since starting it takes longer than all it is asked.
_ASKED = {"survival": ("bladder2", "bladder1", "kidney", "pbc"), "KMsurv": ("kidney", "bmt")}
_END = "--end--"


@lru_cache
def _of_package(package: str) -> dict[str, pd.DataFrame]:
    """Return the data sets of an R package by name; none where R or the package is not installed."""
    program = shutil.which("Rscript")
    if program is None:
        return {}
    # a package keeps its data either as objects of its own or as files
    own = f'tryCatch(getExportedValue("{package}", name), error = function(e) {{ data(list = name, package = "{package}"); get(name) }})'
    one = f'write.csv({own}, row.names = FALSE); cat("{_END}")'
    names = ", ".join(f'"{name}"' for name in _ASKED[package])
    command = f"for (name in c({names})) {{ {one} }}"
    done = subprocess.run([program, "--vanilla", "-e", command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return {}
    tables = [pd.read_csv(io.StringIO(text)) for text in done.stdout.split(_END)[:-1]]
    return dict(zip(_ASKED[package], tables, strict=True))


def r_data(package: str, name: str) -> pd.DataFrame:
    """Return a data set of an R package; the test skips where R or the package is not installed."""
    found = _of_package(package)
    if name not in found:
        pytest.skip(f"{package}::{name} is not here: R or its package is not installed")
    return found[name].copy()
