"""What counts as the outcome of a study, and on which day: proven offences of a group, a recall, dropping out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from outcomes.design.assignment import arm_of
from outcomes.design.study import MOJ_FOLLOW_UP, MOJ_PROVING, Outcome, Study
from outcomes.design.time_away import AWAY, INSIDE, committed_inside, served
from outcomes.durations import in_words
from outcomes.errors import DesignError
from outcomes.results import Note

if TYPE_CHECKING:
    import narwhals as nw

    from outcomes.loading.tables import Tables

__all__ = ["Counted", "counted_events", "spells_begun"]

_COUNTED, _LATE, _BEFORE = range(3)  # what is said of an offence
_LEFT = ("dropped_out", "removed")


@dataclass(frozen=True)
class Counted:
    """Events that count, by sentence (columns sentence_id, day), and what was left out."""

    rows: nw.LazyFrame[Any]
    notes: tuple[Note, ...] = ()


def counted_events(
    kept: nw.LazyFrame[Any], tables: Tables, study: Study, outcome: Outcome, programmes: Mapping[str, frozenset[int]]
) -> Counted:
    """Return the events of an outcome from time zero on.

    Parameters
    ----------
    kept : LazyFrame
        One row an index sentence compared: sentence_id, person_id, arm, time_zero (where there is a landmark: the day it waits from).
    programmes : mapping of arm to programme ids

    Notes
    -----
    An offence counts if it is of the outcome's types (and severity, and disposals), was committed on or after time zero and no later
    than the data cut less the proving period P, was proven within P, and was not committed in custody or on recall (where time away
    is out of the clock: nor in hospital or abroad). Offences committed before time zero and proven after it (pseudo-reconvictions)
    are neither outcome nor history. Under ``moj_window`` an offence counts if committed within a year of time zero and proven
    within six months after that year. Dropping out is the end of a participation in the person's own arm, dropped out or removed.
    """
    import narwhals as nw

    if outcome.kind in AWAY:
        return Counted(spells_begun(kept, tables, outcome.kind).select("sentence_id", day=nw.col("start_date")))
    if outcome.kind == "drop_out":
        return Counted(_drop_outs(kept, tables, programmes))
    return _offences(kept, tables, study, outcome)


def _offences(kept: nw.LazyFrame[Any], tables: Tables, study: Study, outcome: Outcome) -> Counted:
    import narwhals as nw

    committed, proven, zero = nw.col("offence_date"), nw.col("proven_date"), nw.col("time_zero")
    _refuse_grading(tables, outcome)
    offences = tables.lazy("reoffences").filter(nw.col("offence_type").is_in(list(outcome.types)))
    if outcome.severity is not None:
        offences = offences.filter((nw.col("severity") <= outcome.severity).fill_null(False))
    if outcome.disposals:
        offences = offences.filter(nw.col("disposal").is_in(list(outcome.disposals)).fill_null(False))
    offences = offences.select("reoffence_id", "person_id", "offence_date", "proven_date")
    joined = kept.select("sentence_id", "person_id", "time_zero").join(offences, on="person_id", how="inner")
    before = committed < zero
    if outcome.rule == "moj_window":
        in_reach = committed <= zero + int(MOJ_FOLLOW_UP)
        late = proven > zero + int(MOJ_FOLLOW_UP + MOJ_PROVING)
    else:
        in_reach = committed <= study.follow_up.data_cut - outcome.proving_period
        late = proven - committed > outcome.proving_period
    joined = joined.filter((before & (proven > zero)) | (~before & in_reach))
    known = nw.when(before).then(_BEFORE).otherwise(nw.when(late).then(_LATE).otherwise(_COUNTED))
    on_the_day = committed == zero + study.time_zero.landmark
    seen = tables.keep(joined.with_columns(what=known, on_the_day=on_the_day).drop("proven_date", "time_zero"))
    in_time = seen.filter(nw.col("what") == _COUNTED)
    states = INSIDE if study.follow_up.scale == "calendar" else AWAY
    each = in_time.select("reoffence_id", "person_id", "offence_date")
    if study.eligibility.index == "all":  # one offence may count for several sentences of a person
        each = each.group_by("reoffence_id", "person_id", "offence_date").agg()
    inside = committed_inside(each, tables, states)
    counted = tables.keep(in_time.join(inside, on="reoffence_id", how="anti"))
    rows = counted.select("sentence_id", day=nw.col("offence_date"))
    return Counted(rows, _left_out(seen, counted, tables, study, outcome))


def _refuse_grading(tables: Tables, outcome: Outcome) -> None:
    """Refuse a severity or a disposal that no offence of the extract has: nobody would have the outcome."""
    import narwhals as nw

    if outcome.severity is None and not outcome.disposals:
        return
    graded = tables.lazy("reoffences").group_by("disposal").agg(nw.col("severity").min())
    found = tables.collect(graded)
    present = set(found["disposal"].to_pylist())
    for disposal in outcome.disposals:
        if disposal not in present:
            raise DesignError(
                f"[outcomes.{outcome.name}] disposals: no offence has disposal {disposal!r} (table reoffences; disposals there: "
                f"{len(present - {None}):,})."
            )
    if outcome.severity is not None and all(value is None for value in found["severity"].to_pylist()):
        raise DesignError(f"[outcomes.{outcome.name}] severity: no offence has a severity (table reoffences).")


def _left_out(
    seen: nw.LazyFrame[Any], counted: nw.LazyFrame[Any], tables: Tables, study: Study, outcome: Outcome
) -> tuple[Note, ...]:
    """Return how many offences do not count, by reason, and how many fell on the day of time zero."""
    import narwhals as nw

    each = seen.group_by("what", "reoffence_id").agg()  # one offence may count for several sentences of a person
    by_kind = {
        int(row["what"]): int(row["n"]) for row in tables.collect(each.group_by("what").agg(n=nw.len())).to_pylist()
    }
    on_the_day = nw.when(nw.col("on_the_day")).then(nw.lit(1)).otherwise(nw.lit(0)).max()
    once = counted.group_by("reoffence_id").agg(day=on_the_day)
    row = tables.collect(once.select(n=nw.len(), day=nw.col("day").sum())).to_pylist()[0]
    within = (
        "six months after the year that counts"
        if outcome.rule == "moj_window"
        else f"{in_words(outcome.proving_period)} after the offence"
    )
    where = "in custody or on recall" if study.follow_up.scale == "calendar" else "out of the community"
    said = (
        (
            "pseudo_reconvictions",
            by_kind.get(_BEFORE, 0),
            "were committed before time zero and proven after it: neither outcome nor history",
        ),
        ("proven_late", by_kind.get(_LATE, 0), f"were proven later than {within} and do not count"),
        (
            "offences_away",
            by_kind.get(_COUNTED, 0) - int(row["n"]),
            f"were committed {where} and do not count",
        ),
        (
            "on_time_zero",
            int(row["day"] or 0),
            "fell on the day of time zero; which came first cannot be known, and they count half a day",
        ),
    )
    return tuple(Note(code, f"{outcome.name}: {n:,} offences {text}.") for code, n, text in said if n)


def _drop_outs(kept: nw.LazyFrame[Any], tables: Tables, programmes: Mapping[str, frozenset[int]]) -> nw.LazyFrame[Any]:
    import narwhals as nw

    left = tables.lazy("participation").filter(nw.col("status").is_in(list(_LEFT)), ~nw.col("end_date").is_null())
    left = left.select("sentence_id", "programme_id", "end_date").with_columns(arm=arm_of(programmes))
    mine = kept.select("sentence_id", "arm", "time_zero").join(left, on=["sentence_id", "arm"], how="inner")
    return mine.filter(nw.col("end_date") >= nw.col("time_zero")).select("sentence_id", day=nw.col("end_date"))


def spells_begun(kept: nw.LazyFrame[Any], tables: Tables, state: str) -> nw.LazyFrame[Any]:
    """Return spells of a state that began on time zero or later (sentence_id, start_date).

    Custody under a later sentence is one too; that under a sentence of the day of time zero is what follow-up starts with. What goes
    on from a spell of its own kind that reaches its first day is no new one, nor is what lies in one of another kind.
    """
    import narwhals as nw

    spells = tables.lazy("spells").filter(nw.col("state") == state).select("person_id", "start_date", "end_date")
    every = spells.with_columns(_served=nw.lit(0))
    if state == "custody":
        every = nw.concat([every, served(tables).with_columns(_served=nw.lit(1))])
    begun = every.group_by("person_id", "start_date", "_served").agg()
    earlier = every.select("person_id", _from="start_date", _to="end_date", _kind="_served")
    reached = begun.join(earlier, on="person_id", how="inner").filter(nw.col("_from") < nw.col("start_date"))
    touched = (nw.col("_to") == nw.col("start_date")) & (nw.col("_kind") == nw.col("_served"))
    goes_on = nw.col("_to").is_null() | ((nw.col("_to") > nw.col("start_date")) | touched).fill_null(False)
    new = begun.join(reached.filter(goes_on), on=["person_id", "start_date", "_served"], how="anti")
    joined = kept.select("sentence_id", "person_id", "time_zero").join(new, on="person_id", how="inner")
    first = nw.col("start_date") - nw.col("_served")
    return joined.filter(first >= nw.col("time_zero")).select("sentence_id", "start_date")
