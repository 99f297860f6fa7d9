"""Starters of two programmes drawn one person a row: whatever a test decides of their ages, courses and offences, all else alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from small_study import Reframed, after, day, two_starters

from outcomes.results import Array, IntArray


def offending_starters(offends: IntArray, **cells: dict[str, Array | Any]) -> Reframed:
    """Return an extract of people 1, 2, …, odd ones in `m1` and even ones in `b1`, who offend so many days after their start.

    Parameters
    ----------
    offends : ndarray of int, shape (P,)
        Days from the start to the first offence; beyond 1,000 there is none.
    **cells : dict
        Columns of ``sentences`` or ``participation`` by table.
    """
    base = two_starters()
    number = np.arange(1, len(offends) + 1)
    programme = np.where(number % 2, base.programme_ids["m1"], base.programme_ids["b1"])

    def table(name: str, **own: Any) -> pd.DataFrame:
        like = base.frame(name).iloc[[0] * len(number)].reset_index(drop=True)
        return like.assign(person_id=number, **own, **cells.get(name, {}))

    hit = number[offends <= 1000]
    on = day(after(0)) + offends[hit - 1]
    offences = pd.DataFrame(dict.fromkeys(base.frame("reoffences")), index=range(len(hit))).assign(
        reoffence_id=hit, person_id=hit, offence_date=on, proven_date=on + 10, offence_type="violent"
    )
    return Reframed(
        base,
        people=table("people"),
        sentences=table("sentences", sentence_id=number),
        assessments=base.frame("assessments").iloc[:0],
        eligibility=base.frame("eligibility").iloc[:0],
        participation=table("participation", sentence_id=number, participation_id=number, programme_id=programme),
        reoffences=offences,
    )
