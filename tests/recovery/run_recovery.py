"""The full recovery run: every scenario many times over, and the headline on invented cohorts.

Run `python tests/recovery/run_recovery.py` (or `make recovery`); it writes the tables and the page in docs/recovery. `--only` runs
some scenarios and puts their rows in place of the old ones; `--page` writes the page from the tables as they are.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pandas as pd
from gates import gates_for
from recovery_page import page
from replicating import recovered
from scenarios import SCENARIOS
from two_year_risk import HEADLINE, many, summary_rows
from two_year_risk import TABLE as COHORTS

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "recovery"
TABLE, PAGE = FOLDER / "recovery.csv", FOLDER / "README.md"

__all__ = ["PAGE", "TABLE", "read_table", "written_page"]


def read_table() -> pd.DataFrame:
    """Return the committed table."""
    return pd.read_csv(TABLE, keep_default_na=True)


def written_page(rows: pd.DataFrame) -> str:
    """Return the page of the table."""
    return page(rows, {**SCENARIOS, HEADLINE.name: HEADLINE})


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    place = {name: number for number, name in enumerate((HEADLINE.name, *SCENARIOS))}
    return rows.sort_values("setting", key=lambda names: names.map(place), kind="stable", ignore_index=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=2000, help="of each scenario")
    parser.add_argument("--cohorts", type=int, default=200, help="of the headline; 0 leaves its table as it is")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", nargs="*", choices=list(SCENARIOS), help="these scenarios alone")
    parser.add_argument("--page", action="store_true", help="the page alone")
    asked = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not asked.page:
        if asked.cohorts and asked.only is None:
            _write(many(range(1, asked.cohorts + 1), workers=asked.workers), COHORTS)
        names = list(SCENARIOS) if asked.only is None else asked.only
        parts = [
            summary_rows(pd.read_csv(COHORTS)),
            recovered(names, asked.replicates, gates_for(asked.replicates), workers=asked.workers),
        ]
        if asked.only is not None and TABLE.exists():
            old = read_table()
            parts.append(old[~old["setting"].isin([*names, HEADLINE.name]) & old["setting"].isin(list(SCENARIOS))])
        _write(_in_order(pd.concat([part.astype(object) for part in parts], ignore_index=True)), TABLE)
    PAGE.write_text(written_page(read_table()), encoding="utf-8")


def _write(rows: pd.DataFrame, path: Path) -> None:
    rows.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


if __name__ == "__main__":
    main()
