"""Cohorts of areas that replace one programme by the other, and what happens to everybody where one alone is on offer."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from scenario import Truth

import outcomes as oc
from outcomes.design.some_people import some_people
from outcomes.design.study import Condition, Study
from outcomes.synthetic import Biases, World, make_cohort

__all__ = ["AT", "TRUTHS", "drawn", "found_truths", "study", "truths_of"]

AT = 730
FORMULA = "age_at_time_zero + C(risk_band) + prior_sanctions + C(setting) + C(denial) + learning_disability + C(period)"
BOTH_REGIMES = [str(year) for year in range(2005, 2012)]  # years in which some areas had one and some the other
PEOPLE, DRAWS = 60_000, 4
TRUTHS = Path(__file__).parent / "regime_truths.csv"
"""The truths of the default world, which take half a minute to find; this module, run by itself, writes them."""


@lru_cache(maxsize=1)
def study() -> Study:
    """Return the example study, for men sentenced for a sexual offence, with all that decides about the outcome in its formula."""
    written = oc.read_study(Path(__file__).parents[2] / "notebooks/study.toml")
    assert written.adjust is not None
    sexual = Condition("index_offence", "in", ("sexual_contact", "sexual_noncontact", "sexual_image"))
    return written.replace(
        eligibility=dataclasses.replace(written.eligibility, include=(*written.eligibility.include, sexual)),
        adjust=dataclasses.replace(written.adjust, formula=FORMULA),
        headline=None,
        outcomes={"any": written.outcomes["any"]},
        figures=(),
        tables=(),
    )


def drawn(seed: int, people: int, areas: int, *, biases: Biases | None = None, world: World | None = None) -> oc.Tables:
    """Return an invented extract without its truth."""
    made = make_cohort(people, n_areas=areas, seed=seed, biases=biases, world=world, replicates=0)
    return oc.load_tables(made.tables)


def _everybody(tables: oc.Tables, exposure: str) -> tuple[float, float]:
    """Return the risk of everybody, of the years of both regimes, and the share that started while followed."""
    asked = study()
    moving = asked.replace(
        time_zero=dataclasses.replace(asked.time_zero, event="auto", strategy="time_varying"),
        eligibility=dataclasses.replace(asked.eligibility, population="own"),
    )
    data = oc.build_cohort(tables, moving).outcome("any")
    kept = np.flatnonzero(data.baseline["period"].astype(str).isin(BOTH_REGIMES).to_numpy())
    data = some_people(data, kept, np.zeros(len(kept), dtype=np.int64), ("all",))
    risk = oc.cumulative_incidence(data).at(AT)
    started = (data.frame["exposure"].astype(str) == exposure).to_numpy() & (data.entry < AT)
    return float(risk.loc[risk["cause"] == "any", "estimate"].iloc[0]), len(np.unique(data.person[started])) / len(kept)


def truths_of() -> dict[str, Truth]:
    """Return the truths of the default world as they were found."""
    rows = pd.read_csv(TRUTHS)
    return {row["quantity"]: Truth(row["value"], row["error"]) for row in rows.to_dict("records")}


def found_truths(biases: Biases, world: World, *, people: int = PEOPLE, draws: int = DRAWS) -> dict[str, Truth]:
    """Return risks, reach, effects among those reached and their difference, from worlds in which one thing is on offer everywhere.

    The same people live in each world, so that most of what chance does to a risk is the same in all.
    """
    rows = []
    for seed in range(9001, 9001 + draws):
        risk, reach = {}, {}
        for offered in ("nothing", "bespoke", "manualised"):
            there = dataclasses.replace(world, offered=offered)
            risk[offered], reach[offered] = _everybody(drawn(seed, people, 60, biases=biases, world=there), offered)
        one = {"difference": risk["bespoke"] - risk["manualised"], "risk_none": risk["nothing"]}
        for arm in ("bespoke", "manualised"):
            one |= {f"risk_{arm}": risk[arm], f"reach_{arm}": reach[arm]}
            one[f"effect_{arm}"] = (risk[arm] - risk["nothing"]) / reach[arm]
        rows.append(one)
    means = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return {name: Truth(float(v.mean()), float(v.std(ddof=1) / np.sqrt(draws))) for name, v in means.items()}


if __name__ == "__main__":
    pd.DataFrame(
        [{"quantity": name, "value": round(truth.value, 6), "error": round(truth.error, 6)}
         for name, truth in found_truths(Biases(), World()).items()]
    ).to_csv(TRUTHS, index=False)  # fmt: skip
