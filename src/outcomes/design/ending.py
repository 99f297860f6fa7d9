"""What ended each person's follow-up, and when: first proven offence of a group, competing event, or neither."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.design.study import Outcome, Study
from outcomes.design.time_away import committed_inside
from outcomes.durations import in_words
from outcomes.results import Note

if TYPE_CHECKING:
    import narwhals as nw
    import pandas as pd

    from outcomes.loading.tables import Tables

__all__ = ["Ended", "endings"]

_EXITS = ("death", "deportation", "emigration", "lost")
_NEVER = np.inf
_COUNTED, _LATE, _BEFORE = range(3)  # what is said of an offence


@dataclass(frozen=True)
class Ended:
    """Time and cause of each person's end of follow-up; P people.

    Attributes
    ----------
    time : ndarray, shape (P,)
        Days since time zero, above 0 (an event on the day of time zero counts half a day).
    cause : ndarray of int, shape (P,)
        0 = censored; k = the k-th of ``causes``.
    causes : tuple of str
        Name of the outcome, then its competing events in the study's order.
    followed : ndarray of bool, shape (P,)
        Whether there was any time between time zero and the last usable day.
    """

    time: Any
    cause: Any
    causes: tuple[str, ...]
    followed: Any
    notes: tuple[Note, ...]


def endings(kept: nw.LazyFrame[Any], baseline: pd.DataFrame, tables: Tables, study: Study, outcome: Outcome) -> Ended:
    """Return how follow-up ended for each row of `baseline`, which are the rows of `kept` in the order of person and sentence.

    Notes
    -----
    An offence counts if it was committed on or after time zero and no later than the data cut less the proving period P, was
    proven within P, and was not committed in custody or on recall. On one day, the outcome comes before competing events, and
    those before censoring. Offences committed before time zero and proven after it (pseudo-reconvictions) are neither.
    """
    zero = baseline["time_zero"].to_numpy(dtype=np.float64)
    where = _Places(baseline["sentence_id"].to_numpy(), tables)
    last = study.follow_up.data_cut - outcome.proving_period
    limit = np.minimum(last - zero, study.follow_up.horizon)
    offences, notes = _offences(kept, tables, outcome, last)
    exits = _exit_days(kept, tables, where)
    columns = [where.first(offences, "offence_date")]
    for cause in outcome.competing:
        columns.append(exits[cause] if cause in _EXITS else where.first(_spells_of(kept, tables, cause), "start_date"))
    gone = [days for reason, days in exits.items() if reason not in outcome.competing]
    censored = np.minimum.reduce([zero + limit, *gone])
    candidates = np.stack([*columns, censored])
    candidates[:-1][candidates[:-1] > censored] = _NEVER
    chosen = np.argmin(candidates, axis=0)  # the first of equals: outcome, competing in order, censored
    time = candidates[chosen, np.arange(len(zero))] - zero
    return Ended(
        time=np.maximum(time, 0.5),
        cause=np.where(chosen == len(columns), 0, chosen + 1),
        causes=(outcome.name, *outcome.competing),
        followed=limit > 0,
        notes=notes,
    )


class _Places:
    """Where each sentence stands in the baseline: days collected by sentence become an array by row."""

    def __init__(self, sentences: Any, tables: Tables) -> None:
        self.tables, self.size = tables, len(sentences)
        self.order = np.argsort(sentences, kind="stable")
        self.sorted = sentences[self.order]

    def first(self, rows: nw.LazyFrame[Any], day: str) -> Any:
        """Return the first day of each sentence, infinite where there is none."""
        import narwhals as nw

        return self.spread(rows.group_by("sentence_id").agg(nw.col(day).min()))[day]

    def spread(self, rows: nw.LazyFrame[Any]) -> dict[str, Any]:
        """Return the columns of at most one row a sentence as arrays by row of the baseline, infinite where null."""
        found = self.tables.collect(rows)
        at = self.order[np.searchsorted(self.sorted, found["sentence_id"].to_numpy())]
        spread = {}
        for name in found.column_names:
            if name != "sentence_id":
                spread[name] = np.full(self.size, _NEVER)
                values = found[name].to_numpy().astype(np.float64)
                spread[name][at] = np.where(np.isnan(values), _NEVER, values)
        return spread


def _offences(
    kept: nw.LazyFrame[Any], tables: Tables, outcome: Outcome, last: float
) -> tuple[nw.LazyFrame[Any], tuple[Note, ...]]:
    """Return the counted offences of each sentence (sentence_id, reoffence_id, offence_date), and what was left out."""
    import narwhals as nw

    committed, proven, zero = nw.col("offence_date"), nw.col("proven_date"), nw.col("time_zero")
    offences = tables.lazy("reoffences").filter(nw.col("offence_type").is_in(list(outcome.types)))
    offences = offences.select("reoffence_id", "person_id", "offence_date", "proven_date")
    joined = kept.select("sentence_id", "person_id", "time_zero").join(offences, on="person_id", how="inner")
    before = committed < zero
    joined = joined.filter((before & (proven > zero)) | (~before & (committed <= last)))
    late = proven - committed > outcome.proving_period
    known = nw.when(before).then(_BEFORE).otherwise(nw.when(late).then(_LATE).otherwise(_COUNTED))
    seen = tables.keep(joined.with_columns(what=known, on_the_day=committed == zero).drop("proven_date", "time_zero"))
    in_time = seen.filter(nw.col("what") == _COUNTED)
    inside = committed_inside(in_time.group_by("reoffence_id", "person_id", "offence_date").agg(), tables)
    counted = tables.keep(in_time.join(inside, on="reoffence_id", how="anti"))
    return counted, _left_out(seen, counted, tables, outcome)


def _left_out(
    seen: nw.LazyFrame[Any], counted: nw.LazyFrame[Any], tables: Tables, outcome: Outcome
) -> tuple[Note, ...]:
    """Return how many offences do not count, by reason, and how many fell on the day of time zero."""
    import narwhals as nw

    by_kind = {
        int(row["what"]): int(row["n"]) for row in tables.collect(seen.group_by("what").agg(n=nw.len())).to_pylist()
    }
    on_the_day = nw.when(nw.col("on_the_day")).then(nw.lit(1)).otherwise(nw.lit(0)).sum()
    row = tables.collect(counted.select(n=nw.len(), day=on_the_day)).to_pylist()[0]
    within = in_words(outcome.proving_period)
    said = (
        (
            "pseudo_reconvictions",
            by_kind.get(_BEFORE, 0),
            "were committed before time zero and proven after it: neither outcome nor history",
        ),
        ("proven_late", by_kind.get(_LATE, 0), f"were proven later than {within} after the offence and do not count"),
        (
            "offences_away",
            by_kind.get(_COUNTED, 0) - int(row["n"]),
            "were committed in custody or on recall and do not count",
        ),
        (
            "on_time_zero",
            int(row["day"] or 0),
            "fell on the day of time zero; which came first cannot be known, and they count half a day",
        ),
    )
    return tuple(Note(code, f"{outcome.name}: {n:,} offences {text}.") for code, n, text in said if n)


def _exit_days(kept: nw.LazyFrame[Any], tables: Tables, where: _Places) -> dict[str, Any]:
    """Return the day of leaving observation by reason (never: infinite)."""
    import narwhals as nw

    exits = kept.select("sentence_id", "person_id").join(tables.lazy("exits"), on="person_id", how="inner")
    by_reason = {reason: nw.when(nw.col("reason") == reason).then(nw.col("exit_date")).min() for reason in _EXITS}
    return where.spread(exits.group_by("sentence_id").agg(**by_reason))


def _spells_of(kept: nw.LazyFrame[Any], tables: Tables, state: str) -> nw.LazyFrame[Any]:
    """Return spells of a state that began on time zero or later (sentence_id, start_date)."""
    import narwhals as nw

    spells = tables.lazy("spells").filter(nw.col("state") == state).select("person_id", "start_date")
    joined = kept.select("sentence_id", "person_id", "time_zero").join(spells, on="person_id", how="inner")
    return joined.filter(nw.col("start_date") >= nw.col("time_zero"))
