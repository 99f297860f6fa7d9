"""What ended each person's follow-up, and when: first proven offence of a group, competing event, or neither."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.design.study import Outcome, Study
from outcomes.durations import in_words
from outcomes.results import Note

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.loading.tables import Tables

__all__ = ["Ended", "endings"]

_EXITS = ("death", "deportation", "emigration")
_NEVER = np.inf


@dataclass(frozen=True)
class Ended:
    """Time and cause of each person's end of follow-up; P people.

    Attributes
    ----------
    time : ndarray, shape (P,)
        Days since time zero, above 0 (an event on the day of time zero counts half a day).
    cause : ndarray of str, shape (P,)
        Name of the outcome, of a competing event, or ``"censored"``.
    followed : ndarray of bool, shape (P,)
        Whether there was any time between time zero and the last usable day.
    """

    time: Any
    cause: Any
    followed: Any
    notes: tuple[Note, ...]


def endings(baseline: pd.DataFrame, tables: Tables, study: Study, outcome: Outcome) -> Ended:
    """Return how follow-up ended for each row of `baseline` (columns person_id, time_zero).

    Notes
    -----
    An offence counts if it was committed on or after time zero and no later than the data cut less the proving period P, was
    proven within P, and was not committed in custody or on recall. On one day, the outcome comes before competing events, and
    those before censoring. Offences committed before time zero and proven after it (pseudo-reconvictions) are neither.
    """
    zero = baseline["time_zero"].to_numpy(dtype=np.float64)
    last = study.follow_up.data_cut - outcome.proving_period
    limit = np.minimum(last - zero, study.follow_up.horizon)
    offended, notes = _first_offence(baseline, tables, outcome, last)
    exits = _exit_days(baseline, tables)
    columns = {outcome.name: offended}
    for cause in outcome.competing:
        columns[cause] = exits[cause] if cause in _EXITS else _first_spell(baseline, tables, cause)
    gone = [days for reason, days in exits.items() if reason not in outcome.competing]
    censored = np.minimum.reduce([zero + limit, *gone])
    names = [*columns, "censored"]
    candidates = np.stack([*columns.values(), censored])
    candidates[:-1][candidates[:-1] > censored] = _NEVER
    chosen = np.argmin(candidates, axis=0)  # the first of equals: outcome, competing in order, censored
    time = candidates[chosen, np.arange(len(zero))] - zero
    return Ended(
        time=np.maximum(time, 0.5),
        cause=np.asarray(names, dtype=object)[chosen],
        followed=limit > 0,
        notes=notes,
    )


def _first_offence(
    baseline: pd.DataFrame, tables: Tables, outcome: Outcome, last: float
) -> tuple[Any, tuple[Note, ...]]:
    """Return the day of each person's first counted offence (never: infinite), and what was left out."""
    offences = tables.frame("reoffences")
    offences = offences[offences["offence_type"].isin(outcome.types)]
    zero = baseline[["person_id", "time_zero"]].assign(_row=np.arange(len(baseline)))
    joined = zero.merge(offences, on="person_id", how="inner")
    before = joined["offence_date"] < joined["time_zero"]
    pseudo = int((before & (joined["proven_date"] > joined["time_zero"])).sum())
    joined = joined[~before & (joined["offence_date"] <= last)]
    late = joined["proven_date"] - joined["offence_date"] > outcome.proving_period
    inside = _away(joined, tables)
    counted = joined[~late.to_numpy() & ~inside]
    on_the_day = int((counted["offence_date"] == counted["time_zero"]).sum())
    first = counted.groupby("_row")["offence_date"].min()
    notes = []
    for code, count, text in (
        (
            "pseudo_reconvictions",
            pseudo,
            "offences were committed before time zero and proven after it: neither outcome nor history",
        ),
        (
            "proven_late",
            int(late.sum()),
            f"offences were proven later than {in_words(outcome.proving_period)} after the offence and do not count",
        ),
        (
            "offences_away",
            int((inside & ~late.to_numpy()).sum()),
            "offences were committed in custody or on recall and do not count",
        ),
        (
            "on_time_zero",
            on_the_day,
            "offences fell on the day of time zero; which came first cannot be known, and they count half a day",
        ),
    ):
        if count:
            notes.append(Note(code, f"{outcome.name}: {count:,} {text}."))
    found = zero["_row"].map(first).to_numpy(dtype=np.float64)
    return np.where(np.isnan(found), _NEVER, found), tuple(notes)


def _away(offences: pd.DataFrame, tables: Tables) -> Any:
    """Return for each offence whether the person was in custody or on recall that day: not its first day, nor its last."""
    spells = _inside(tables)
    keyed = offences[["person_id", "offence_date"]].assign(_offence=np.arange(len(offences)))
    joined = keyed.merge(spells[["person_id", "start_date", "end_date"]], on="person_id", how="inner")
    day = joined["offence_date"].astype(float)
    away = joined.loc[(day > joined["start_date"]) & (day < joined["end_date"]), "_offence"]
    inside = np.zeros(len(offences), dtype=bool)
    inside[away.unique()] = True
    return inside


def _inside(tables: Tables) -> pd.DataFrame:
    """Return person_id, start_date, end_date of time inside, spells that touch or overlap as one; an open end is infinite.

    Custody under a sentence lasts from the sentence to the release; what came after is in the spells.
    """
    import pandas as pd

    spells, sentences = tables.frame("spells"), tables.frame("sentences")
    spells = spells.loc[spells["state"].isin(["custody", "recall"]), ["person_id", "start_date", "end_date"]]
    served = sentences.loc[sentences["setting"] == "custody", ["person_id", "sentence_date", "release_date"]]
    both = [
        _as_one(spells),
        _as_one(served.set_axis(spells.columns, axis=1)),
    ]  # a recall on the day of release is a new one
    return pd.concat(both, ignore_index=True)


def _as_one(spells: pd.DataFrame) -> pd.DataFrame:
    """Return spells that touch or overlap as one."""
    every = spells.copy()
    every["start_date"] = every["start_date"].astype(float)
    every["end_date"] = every["end_date"].astype(float).fillna(_NEVER)
    every = every.sort_values(["person_id", "start_date", "end_date"], kind="stable").reset_index(drop=True)
    reached = every.groupby("person_id")["end_date"].cummax().groupby(every["person_id"]).shift()
    spell = (reached.isna() | (every["start_date"] > reached)).cumsum()
    merged = every.groupby(spell).agg(
        person_id=("person_id", "first"), start_date=("start_date", "first"), end_date=("end_date", "max")
    )
    return merged.reset_index(drop=True)


def _exit_days(baseline: pd.DataFrame, tables: Tables) -> dict[str, Any]:
    """Return the day of leaving observation by reason (never: infinite)."""
    exits = tables.frame("exits")
    found = {}
    for reason in (*_EXITS, "lost"):
        day = exits[exits["reason"] == reason].groupby("person_id")["exit_date"].min()
        values = baseline["person_id"].map(day).to_numpy(dtype=np.float64)
        found[reason] = np.where(np.isnan(values), _NEVER, values)
    return found


def _first_spell(baseline: pd.DataFrame, tables: Tables, state: str) -> Any:
    """Return the first day from time zero on (that day included) on which a spell of this state began."""
    spells = tables.frame("spells")
    spells = spells[spells["state"] == state]
    keyed = baseline[["person_id", "time_zero"]].assign(_row=np.arange(len(baseline)))
    joined = keyed.merge(spells, on="person_id", how="inner")
    joined = joined[joined["start_date"] >= joined["time_zero"]]
    values = keyed["_row"].map(joined.groupby("_row")["start_date"].min()).to_numpy(dtype=np.float64)
    return np.where(np.isnan(values), _NEVER, values)
