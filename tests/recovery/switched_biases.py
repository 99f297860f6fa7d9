"""Each bias switched on alone: it moves the naive answer and not the right one; with every bias off the two agree.

Run `python tests/recovery/switched_biases.py` (or `make switches`); it writes the tables and the page in docs/recovery. `--only` asks about
some biases again and keeps the rows of the others; `--keep` draws no cohort that is in the table of cohorts already; `--page` writes the
summary and the page from the table of cohorts as it is.
"""

from __future__ import annotations

import argparse
import os
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pandas as pd
from switched_page import page
from switched_questions import with_everything_off
from switched_summary import summarised
from switches import OFF, SWITCHES, Switch, cohort, off_cohort

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "recovery"
COHORTS, TABLE, PAGE = FOLDER / "switched_cohorts.csv", FOLDER / "switches.csv", FOLDER / "switches.md"

_BATCH = 4  # seeds

__all__ = ["COHORTS", "PAGE", "TABLE", "one_cohort", "read", "summarised", "written_page"]


def one_cohort(world: str, seed: int) -> list[dict[str, Any]]:
    """Return the answers in the cohort of a seed: with one bias on, or with all off."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if world != OFF:
            switch = _of(world)
            return [{"on": world, "question": world, "seed": seed, **switch.asked(cohort(switch, seed))._asdict()}]
        drawn = off_cohort(seed)
        found = {switch.bias: switch.asked(drawn) for switch in SWITCHES if switch.same}
        return [
            {"on": OFF, "question": question, "seed": seed, **answer._asdict()}
            for question, answer in (found | with_everything_off(drawn)).items()
        ]


def _of(bias: str) -> Switch:
    return next(switch for switch in SWITCHES if switch.bias == bias)


def drawn(wanted: list[tuple[str, int]], *, workers: int) -> pd.DataFrame:
    """Return the rows of some worlds and seeds."""
    from joblib import Parallel, delayed

    found = Parallel(n_jobs=workers)(delayed(one_cohort)(world, seed) for world, seed in wanted)
    return _with_truths(pd.DataFrame([row for rows in found for row in rows]).assign(truth_error=0.0))


def _with_truths(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the truths that all cohorts of a bias share."""
    for switch in SWITCHES:
        mine = rows["on"] == switch.bias
        if switch.fixed is not None and mine.any():
            rows.loc[mine, "truth"], rows.loc[mine, "truth_error"] = switch.fixed()
    return rows


def read(path: Path) -> pd.DataFrame:
    """Return a committed table."""
    return pd.read_csv(path)


def written_page(rows: pd.DataFrame) -> str:
    """Return the page of the summary."""
    return page(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=int, default=20, help="of each bias, and of none")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--only", nargs="*", choices=[OFF, *(switch.bias for switch in SWITCHES)], help="these worlds alone"
    )
    parser.add_argument("--keep", action="store_true", help="keep the cohorts that are there")
    parser.add_argument("--page", action="store_true", help="summary and page alone")
    asked = parser.parse_args()
    if not asked.page:
        worlds = asked.only if asked.only is not None else [*(switch.bias for switch in SWITCHES), OFF]
        _draw(worlds, asked.cohorts, keep=asked.keep, workers=asked.workers)
    _write(summarised(read(COHORTS)), TABLE)
    PAGE.write_text(written_page(read(TABLE)), encoding="utf-8")


def _draw(worlds: list[str], cohorts: int, *, keep: bool, workers: int) -> None:
    """Write the table of cohorts, some seeds at a time: what is cut short goes on with `--keep`."""
    rows = read(COHORTS) if COHORTS.exists() else pd.DataFrame({"on": [], "seed": []})
    rows = rows if keep else rows[~rows["on"].isin(worlds)]
    there = set(zip(rows["on"], rows["seed"].astype(int), strict=True))
    for first in range(1, cohorts + 1, _BATCH):
        seeds = range(first, min(first + _BATCH, cohorts + 1))
        wanted = [(world, seed) for seed in seeds for world in worlds if (world, seed) not in there]
        if wanted:
            rows = pd.concat([part for part in (rows, drawn(wanted, workers=workers)) if len(part)], ignore_index=True)
            _write(_in_order(rows), COHORTS)


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows by world, question and seed, questions as they are declared."""
    place = {switch.bias: number for number, switch in enumerate(SWITCHES)} | {OFF: len(SWITCHES)}
    order = rows.assign(
        _on=rows["on"].map(place),
        _question=rows["question"].map(place).fillna(len(SWITCHES)),
        seed=rows["seed"].astype(int),
    )
    order = order.sort_values(["_on", "_question", "question", "seed"], kind="stable", ignore_index=True)
    return order.drop(columns=["_on", "_question"])


def _write(rows: pd.DataFrame, path: Path) -> None:
    rows.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


if __name__ == "__main__":
    main()
