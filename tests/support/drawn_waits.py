"""People who wait for a programme that does nothing: some offend before they start, and then never do."""

from __future__ import annotations

import numpy as np
import pandas as pd
from small_study import Reframed, day, two_starters

__all__ = ["HORIZON", "drawn_waits"]

HORIZON = 600
ZERO = day("2010-01-01")


def drawn_waits(people: int, rng: np.random.Generator, *, by_sanctions: float = 0.0) -> Reframed:
    """Return people of whom each starts, unless they offend first, and offends whether they start or not.

    Log rates of starting and of offending rise by `by_sanctions` with each sanction before.
    """
    base = two_starters()
    number = np.arange(1, people + 1)
    sanctions = rng.poisson(2, len(number)) if by_sanctions else np.full(len(number), 2)
    faster = np.exp(by_sanctions * (sanctions - 2))
    offends = np.ceil(500 * (-np.log(rng.random(len(number))) / faster) ** (1 / 0.7)).astype(int)
    starts = np.ceil(-250 * np.log(rng.random(len(number))) / faster).astype(int)
    started, offended = (starts < offends) & (starts < HORIZON), offends <= HORIZON
    ids = {"person_id": number, "sentence_id": number}

    def table(name: str, kept: np.ndarray, **cells: np.ndarray | int | str) -> pd.DataFrame:
        like = base.frame(name).iloc[[0] * int(kept.sum())].reset_index(drop=True)
        return like.assign(**{key: cell[kept] if isinstance(cell, np.ndarray) else cell for key, cell in cells.items()})

    everyone = np.ones(len(number), dtype=bool)
    return Reframed(
        base,
        people=table("people", everyone, person_id=number),
        sentences=table("sentences", everyone, **ids, sentence_date=ZERO, prior_sanctions=sanctions),
        participation=table(
            "participation",
            started,
            **ids,
            participation_id=number,
            start_date=ZERO + starts,
            programme_id=base.programme_ids["m1"],
        ),
        eligibility=base.frame("eligibility").iloc[:0],
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
