"""People who go on to maintenance by chance, or stop attending by chance, in tables: what maintenance and sessions do is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from small_study import Reframed, day, two_starters

ZERO, DONE, FAR = day("2008-01-01"), 100, 2_000
MEAN_DAYS = 350.0  # to a reoffence, in no maintenance


def drawn_maintenance(people: int, rng: np.random.Generator, *, ratio: float, confounded: bool = False) -> Reframed:
    """Return people who completed on day 100 and, half of them, plan to go on within 150 days of it and stay.

    Parameters
    ----------
    ratio : float
        What maintenance does to the hazard from the day after its start on.
    confounded : bool
        Half have three prior sanctions and not one, three times the hazard, and go on at a fifth of the rate.
    """
    number = np.arange(1, people + 1)
    worse = rng.random(people) < 0.5 if confounded else np.zeros(people, dtype=bool)
    wish = np.where(worse, 0.15, 0.75) if confounded else np.full(people, 0.5)
    plans = np.where(rng.random(people) < wish, rng.integers(1, 150, people), FAR * 10)
    rate = np.where(worse, 3.0, 1.0) / MEAN_DAYS
    due = rng.exponential(size=people)
    before = due / rate
    offends = np.where(before <= plans, before, plans + (before - plans) / ratio)
    offends = np.ceil(offends).astype(int) + DONE
    went = plans + DONE < offends
    core = {
        "participation_id": number,
        "programme_id": "b1",
        "start_date": ZERO,
        "end_date": ZERO + DONE,
        "status": "completed",
    }
    more = {
        "participation_id": number + people,
        "programme_id": "b2",
        "start_date": ZERO + plans + DONE,
        "end_date": pd.NA,
        "status": "ongoing",
    }
    everyone = np.ones(people, dtype=bool)
    return _in_tables([(everyone, core), (went, more)], offends, np.where(worse, 3, 1))


def drawn_attendance(people: int, rng: np.random.Generator) -> Reframed:
    """Return people whose 300 sessions lie in 300 days from time zero on: some stop early, nobody attends after a reoffence.

    Sessions do nothing; nor does anything else.
    """
    number = np.arange(1, people + 1)
    offends = np.ceil(MEAN_DAYS * rng.exponential(size=people)).astype(int)
    stops = np.ceil(600 * rng.exponential(size=people)).astype(int)
    last = np.minimum(np.minimum(offends, stops), 300)
    core = {
        "participation_id": number, "programme_id": "b1", "start_date": ZERO, "end_date": ZERO + last,
        "status": np.where(last == 300, "completed", "dropped_out"), "sessions_planned": 300, "sessions_attended": last,
    }  # fmt: skip
    return _in_tables([(np.ones(people, dtype=bool), core)], offends, np.ones(people, dtype=int))


def _in_tables(attended: list[tuple[Any, dict[str, Any]]], offends: Any, prior: Any) -> Reframed:
    """Return people in tables: who is in which of several spells with what cells, when they offend, what they had done before."""
    base, number = two_starters(), np.arange(1, len(offends) + 1)
    ids = {"person_id": number, "sentence_id": number}

    def table(name: str, kept: Any, **cells: Any) -> pd.DataFrame:
        like = base.frame(name).iloc[[0] * int(kept.sum())].reset_index(drop=True)
        return like.assign(**{key: cell[kept] if isinstance(cell, np.ndarray) else cell for key, cell in cells.items()})

    spells = [
        table("participation", kept, **ids, **cells | {"programme_id": base.programme_ids[cells["programme_id"]]})
        for kept, cells in attended
    ]
    everyone, offended = np.ones(len(number), dtype=bool), offends <= FAR
    proven = {"offence_date": ZERO + offends, "proven_date": ZERO + offends + 10, "offence_type": "violent"}
    cells = {"reoffence_id": number, "person_id": number, **proven}
    offences = {key: cell[offended] if isinstance(cell, np.ndarray) else cell for key, cell in cells.items()}
    return Reframed(
        base,
        people=table("people", everyone, person_id=number),
        sentences=table("sentences", everyone, **ids, sentence_date=ZERO, prior_sanctions=prior),
        participation=pd.concat(spells, ignore_index=True),
        reoffences=pd.DataFrame(
            {name: offences.get(name) for name in base.frame("reoffences")}, index=range(int(offended.sum()))
        ),
    )
