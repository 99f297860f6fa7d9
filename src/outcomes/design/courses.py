"""Courses through programmes, from the engine to arrays: who was referred and attended what, from when, until when, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.design.ending import Places
from outcomes.loading.schema import STRANDS
from outcomes.results import Array, IntArray

if TYPE_CHECKING:
    import narwhals as nw
    import pyarrow as pa

    from outcomes.loading.tables import Tables

__all__ = ["STATES", "Courses", "courses_of"]

STATES = ("not_referred", "referred", "started", "completed", "dropped_out", "ended")
"""Where a person stands: before any programme, in one, and (attending none) how the last one ended."""

_LEFT = {
    "completed": "completed",
    "dropped_out": "dropped_out",
    "removed": "dropped_out",
}  # with any other status: ended
_COLUMNS = (
    "participation_id", "sentence_id", "start_date", "end_date", "arm", "strand", "left", "ongoing", "voluntary"
)  # fmt: skip


@dataclass(frozen=True)
class Courses:
    """A spells in programmes of P people, in the order of person, start and id. Days since time zero.

    Attributes
    ----------
    row : ndarray of int, shape (A,)
        Whose.
    start, end : ndarray, shape (A,)
        First and last day; infinite where no end is recorded.
    left : ndarray of int, shape (A,)
        Index into `STATES`: what the end makes of a person.
    arm : ndarray of int, shape (A,)
        Index into the arms that were asked for; -1 where the programme belongs to none.
    strand : ndarray of int, shape (A,)
        Index into the strands of the schema.
    voluntary, unknown_end : ndarray of bool, shape (A,)
        Attended voluntarily; ended, but nobody recorded when.
    referred : ndarray, shape (P,)
        Day of the first referral, infinite where there is none.
    elsewhere : ndarray, shape (P,)
        Day of the first start after time zero under another sentence of the person, infinite where there is none.
    """

    row: IntArray
    start: Array
    end: Array
    left: IntArray
    arm: IntArray
    strand: IntArray
    voluntary: Any
    unknown_end: Any
    referred: Array
    elsewhere: Array


def courses_of(
    kept: nw.LazyFrame[Any],
    where: Places,
    zero: Array,
    programmes: Mapping[str, frozenset[int]],
    arms: Sequence[str],
) -> Courses:
    """Return what people were referred to and attended under their index sentence.

    Parameters
    ----------
    kept : LazyFrame
        Who is followed, on the engine: sentence_id, person_id.
    where : Places
        Their rows.
    zero : ndarray, shape (P,)
        Time zero of each row.
    programmes : mapping of arm to programme ids
    arms : sequence of str
        Arms in the order their codes should have.
    """
    tables = where.tables
    found = {name: column.to_numpy() for name, column in _spells(kept, tables, programmes, arms).items()}
    row = where.of(found["sentence_id"])
    order = np.lexsort((found["participation_id"], found["start_date"], row))
    row, found = row[order], {name: values[order] for name, values in found.items()}
    end = found["end_date"].astype(np.float64)
    endless = np.isnan(end)
    referrals = tables.lazy("referrals").join(kept.select("sentence_id"), on="sentence_id", how="semi")
    return Courses(
        row=row,
        start=found["start_date"] - zero[row],
        end=np.where(endless, np.inf, end - zero[row]),
        left=found["left"],
        arm=found["arm"],
        strand=found["strand"],
        voluntary=found["voluntary"] == 1,
        unknown_end=endless & (found["ongoing"] == 0),
        referred=where.first(referrals, "referral_date") - zero,
        elsewhere=where.first(_elsewhere(kept, tables), "start_date") - zero,
    )


def _spells(
    kept: nw.LazyFrame[Any], tables: Tables, programmes: Mapping[str, frozenset[int]], arms: Sequence[str]
) -> dict[str, pa.ChunkedArray]:
    """Return the columns of what people attended, texts as numbers."""
    import narwhals as nw

    status, programme, strands = (
        nw.col("status"),
        nw.col("programme_id"),
        tables.lazy("programmes").select("programme_id", "strand"),
    )
    mine = tables.lazy("participation").join(kept.select("sentence_id"), on="sentence_id", how="semi")
    coded = mine.join(strands, on="programme_id", how="inner").with_columns(
        arm=_first_true([(n, programme.is_in(sorted(programmes[arm]))) for n, arm in enumerate(arms)], -1),
        strand=_first_true([(n, nw.col("strand") == strand) for n, strand in enumerate(STRANDS)], -1),
        left=_first_true([(STATES.index(state), status == how) for how, state in _LEFT.items()], STATES.index("ended")),
        ongoing=_first_true([(1, status == "ongoing")], 0),
        voluntary=_first_true([(1, nw.col("voluntary"))], 0),
    )
    table = tables.collect(coded.select(*_COLUMNS))
    return {name: table[name] for name in _COLUMNS}


def _first_true(conditions: Sequence[tuple[int, nw.Expr]], otherwise: int) -> nw.Expr:
    """Return the number that goes with the first condition that holds."""
    import narwhals as nw

    found: nw.Expr = nw.lit(otherwise)
    for number, holds in reversed(conditions):
        found = nw.when(holds).then(nw.lit(number)).otherwise(found)
    return found


def _elsewhere(kept: nw.LazyFrame[Any], tables: Tables) -> nw.LazyFrame[Any]:
    """Return starts after time zero under another sentence of the person: sentence_id, start_date."""
    import narwhals as nw

    started = tables.lazy("participation").select("person_id", "start_date", _other="sentence_id")
    met = kept.select("sentence_id", "person_id", "time_zero").join(started, on="person_id", how="inner")
    met = met.filter(nw.col("_other") != nw.col("sentence_id"), nw.col("start_date") > nw.col("time_zero"))
    return met.select("sentence_id", "start_date")
