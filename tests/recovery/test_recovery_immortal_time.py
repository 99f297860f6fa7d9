"""A programme that does nothing: who is classed by what they started later seems far safer, exposure that changes with time does not.

Twenty-five cohorts of 320 people each in one extract. Rates of reoffending fall after the sentence; people start on days that have
nothing to do with it, if they have not offended before.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from small_study import Reframed, cohort, day, held, starters

import outcomes as oc

COHORTS, PEOPLE, HORIZON = 25, 320, 600
ZERO = day("2010-01-01")


def _extract(rng: np.random.Generator) -> Reframed:
    """Return people of whom each starts, unless they offend first, and offends whether they start or not."""
    base = held(starters(2))
    number = np.arange(1, COHORTS * PEOPLE + 1)
    offends = np.ceil(500 * (-np.log(rng.random(len(number)))) ** (1 / 0.7)).astype(int)
    starts = np.ceil(-250 * np.log(rng.random(len(number)))).astype(int)
    started, offended = (starts < offends) & (starts < HORIZON), offends <= HORIZON
    ids = {"person_id": number, "sentence_id": number}

    def table(name: str, kept: np.ndarray, **cells: np.ndarray | int | str) -> pd.DataFrame:
        like = base.frame(name).iloc[[0] * int(kept.sum())].reset_index(drop=True)
        return like.assign(**{key: cell[kept] if isinstance(cell, np.ndarray) else cell for key, cell in cells.items()})

    everyone = np.ones(len(number), dtype=bool)
    return Reframed(
        base,
        people=table("people", everyone, person_id=number),
        sentences=table("sentences", everyone, **ids, sentence_date=ZERO),
        participation=table(
            "participation",
            started,
            **ids,
            participation_id=number,
            start_date=ZERO + starts,
            programme_id=base.programme_ids["m1"],
        ),
        reoffences=_offences(base, number[offended], ZERO + offends[offended]),
    )


def _offences(base: Reframed, who: np.ndarray, on: np.ndarray) -> pd.DataFrame:
    cells = {
        "reoffence_id": who,
        "person_id": who,
        "offence_date": on,
        "proven_date": on + 10,
        "offence_type": "violent",
    }
    return pd.DataFrame({name: cells.get(name) for name in base.frame("reoffences")}, index=range(len(who)))


@pytest.fixture(scope="module")
def log_ratios() -> pd.DataFrame:
    """Return the log hazard ratio of each cohort: with exposure as it was then, and as it turned out in the end."""
    data = cohort(_extract(np.random.default_rng(2010)), strategy="time_varying", horizon=HORIZON).outcome("any")
    rows = data.frame[["person_id", "exposure"]].assign(entry=data.entry, exit=data.exit, event=data.event == 1)
    rows["exposed"] = (rows["exposure"] == "manualised").astype(float)
    rows["ever"] = rows.groupby("person_id")["exposed"].transform("max")
    found = []
    for _, mine in rows.groupby((rows["person_id"] - 1) // PEOPLE):
        one = oc.survival_data(mine, entry="entry", exit="exit", event="event", id="person_id")
        found.append({term: oc.cox(one, term).coefficients[0] for term in ("exposed", "ever")})
    return pd.DataFrame(found)


@pytest.mark.slow
def test_exposure_that_changes_with_time_finds_nothing_where_there_is_nothing(log_ratios: pd.DataFrame) -> None:
    found = log_ratios["exposed"]
    assert abs(found.mean()) <= 0.1 * found.std() + 4 * found.std() / np.sqrt(COHORTS)


@pytest.mark.slow
def test_classed_by_what_they_started_later_people_seem_safe(log_ratios: pd.DataFrame) -> None:
    assert np.exp(log_ratios["ever"].mean()) < 0.5
    assert (log_ratios["ever"] < log_ratios["exposed"]).all()
