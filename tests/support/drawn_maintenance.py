"""People who completed a core programme and go on to maintenance by chance, in tables: what maintenance does is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from small_study import Reframed, day, held, starters

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
    return _in_tables(number, worse, plans + DONE, went, offends)


def _in_tables(number: Any, worse: Any, starts: Any, went: Any, offends: Any) -> Reframed:
    base = held(starters(2))
    ids = {"person_id": number, "sentence_id": number}

    def table(name: str, kept: Any, **cells: Any) -> pd.DataFrame:
        like = base.frame(name).iloc[[0] * int(kept.sum())].reset_index(drop=True)
        return like.assign(**{key: cell[kept] if isinstance(cell, np.ndarray) else cell for key, cell in cells.items()})

    everyone, codes = np.ones(len(number), dtype=bool), base.programme_ids
    core = table(
        "participation", everyone, **ids, participation_id=number, programme_id=codes["b1"], start_date=ZERO,
        end_date=ZERO + DONE, status="completed", voluntary=False,
    )  # fmt: skip
    more = table(
        "participation", went, **ids, participation_id=number + len(number), programme_id=codes["b2"],
        start_date=ZERO + starts, end_date=pd.NA, status="ongoing", voluntary=True,
    )  # fmt: skip
    offended = offends <= FAR
    proven = {"offence_date": ZERO + offends, "proven_date": ZERO + offends + 10, "offence_type": "violent"}
    cells = {key: cell[offended] if isinstance(cell, np.ndarray) else cell for key, cell in
             {"reoffence_id": number, "person_id": number, **proven}.items()}  # fmt: skip
    offences = pd.DataFrame(
        {name: cells.get(name) for name in base.frame("reoffences")}, index=range(int(offended.sum()))
    )
    return Reframed(
        base,
        people=table("people", everyone, person_id=number),
        sentences=table("sentences", everyone, **ids, sentence_date=ZERO, prior_sanctions=np.where(worse, 3, 1)),
        participation=pd.concat([core, more], ignore_index=True),
        reoffences=offences,
    )
