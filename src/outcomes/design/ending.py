"""What ended each person's follow-up, and when: the first event that counts, a competing event, or neither."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.design.events import spells_begun
from outcomes.design.study import MOJ_FOLLOW_UP, MOJ_PROVING, Outcome, Study
from outcomes.results import Array, IntArray

if TYPE_CHECKING:
    import narwhals as nw
    import pandas as pd

    from outcomes.loading.tables import Tables

__all__ = ["Ended", "Places", "endings"]

_EXITS = ("death", "deportation", "emigration", "lost")
_NEVER = np.inf


@dataclass(frozen=True)
class Ended:
    """Day and cause of each person's end of follow-up; P people.

    Attributes
    ----------
    time : ndarray, shape (P,)
        Days since time zero, 0 or more.
    cause : ndarray of int, shape (P,)
        0 = censored; 1 = the outcome; k + 1 = its k-th competing event.
    entry : ndarray, shape (P,)
        Day since time zero from which a person was observed.
    last : ndarray, shape (P,)
        Days from time zero to the last usable day: how long the data follow a person who stays.
    followed : ndarray of bool, shape (P,)
        Whether there was any time between time zero and the last usable day.
    """

    time: Array
    cause: IntArray
    entry: Array
    last: Array
    followed: Any


def endings(
    events: nw.LazyFrame[Any] | None,
    kept: nw.LazyFrame[Any],
    baseline: pd.DataFrame,
    tables: Tables,
    study: Study,
    outcome: Outcome,
    *,
    start: float = 0.0,
) -> Ended:
    """Return how follow-up ended for each row of `baseline`.

    Parameters
    ----------
    events : LazyFrame or None
        Events of the outcome (sentence_id, day); None where they do not end follow-up.
    kept : LazyFrame
        The sentences of `baseline` on the engine.
    start : float
        Day since time zero from which follow-up counts.

    Notes
    -----
    On one day, the outcome comes before competing events, in the study's order, and those before censoring. Leaving observation for
    a reason that does not compete is censoring.
    """
    zero = baseline["time_zero"].to_numpy(dtype=np.float64)
    where = Places(baseline["sentence_id"].to_numpy(), tables)
    limit, last = _limits(zero, study, outcome)
    exits = _exit_days(kept, tables, where)
    columns = [np.full(len(zero), _NEVER) if events is None else where.first(events, "day")]
    for cause in outcome.competing:
        begun = cause not in _EXITS
        columns.append(where.first(spells_begun(kept, tables, cause), "start_date") if begun else exits[cause])
    gone = [days for reason, days in exits.items() if reason not in outcome.competing]
    censored = np.minimum.reduce([zero + limit, *gone])
    candidates = np.stack([*columns, censored])
    candidates[:-1][candidates[:-1] > censored] = _NEVER
    chosen = np.argmin(candidates, axis=0)  # the first of equals: outcome, competing in order, censored
    seen_from = study.follow_up.observed_from
    return Ended(
        time=np.maximum(candidates[chosen, np.arange(len(zero))] - zero, 0.0),
        cause=np.where(chosen == len(columns), 0, chosen + 1),
        entry=np.zeros(len(zero)) if seen_from is None else np.maximum(seen_from - zero, 0.0),
        last=last,
        followed=last > start,
    )


def _limits(zero: Array, study: Study, outcome: Outcome) -> tuple[Array, Array]:
    """Return until when follow-up may go on, in days since time zero, and how much of it the data cut leaves."""
    cut = study.follow_up.data_cut - zero
    if outcome.rule == "moj_window":  # the whole window or nothing
        whole = cut >= MOJ_FOLLOW_UP + MOJ_PROVING
        return np.full(len(zero), min(MOJ_FOLLOW_UP, study.follow_up.horizon)), np.where(whole, MOJ_FOLLOW_UP, 0.0)
    last = cut - outcome.proving_period
    on_own_clock = study.follow_up.scale == "community"  # there the horizon is cut where the clock reaches it
    return last if on_own_clock else np.minimum(last, study.follow_up.horizon), last


class Places:
    """Where each sentence stands in the baseline: days collected by sentence become an array by row."""

    def __init__(self, sentences: Any, tables: Tables) -> None:
        import pandas as pd

        self.tables, self.size = tables, len(sentences)
        self._present = pd.Index(sentences)

    def of(self, sentences: Any) -> IntArray:
        """Return the row of the baseline of each sentence."""
        return np.asarray(self._present.get_indexer(sentences), dtype=np.int64)

    def first(self, rows: nw.LazyFrame[Any], day: str) -> Array:
        """Return the first day of each sentence, infinite where there is none."""
        import narwhals as nw

        return self.spread(rows.group_by("sentence_id").agg(nw.col(day).min()))[day]

    def spread(self, rows: nw.LazyFrame[Any]) -> dict[str, Array]:
        """Return the columns of at most one row a sentence as arrays by row of the baseline, infinite where null."""
        found = self.tables.collect(rows)
        at = self.of(found["sentence_id"].to_numpy())
        spread = {}
        for name in found.column_names:
            if name != "sentence_id":
                spread[name] = np.full(self.size, _NEVER)
                values = found[name].to_numpy().astype(np.float64)
                spread[name][at] = np.where(np.isnan(values), _NEVER, values)
        return spread


def _exit_days(kept: nw.LazyFrame[Any], tables: Tables, where: Places) -> dict[str, Array]:
    """Return the day of leaving observation by reason (never: infinite)."""
    import narwhals as nw

    exits = kept.select("sentence_id", "person_id").join(tables.lazy("exits"), on="person_id", how="inner")
    by_reason = {reason: nw.when(nw.col("reason") == reason).then(nw.col("exit_date")).min() for reason in _EXITS}
    return where.spread(exits.group_by("sentence_id").agg(**by_reason))
