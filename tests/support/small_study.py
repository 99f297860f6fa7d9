"""An extract written one line a person, and a study of it: for tests that change one thing and look at who is compared.

Everyone is a man of 30 at sentence, assessed on that day: score 3, band medium, no denial, no learning disability. Programme
`m1` is the manualised one, `b1` and `b2` are strands of the bespoke one; `m1` refuses full denial and learning disability.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import narwhals as nw
import pandas as pd
from small_tables import rows, small_tables

import outcomes as oc
from outcomes.design.conditions import parse_condition
from outcomes.design.study import (
    Adjust,
    Arms,
    ArmSpec,
    Checks,
    Eligibility,
    FollowUp,
    Headline,
    Outcome,
    Study,
    TimeZero,
)
from outcomes.loading.cells import SQL_TYPES
from outcomes.loading.duckdb_engine import DuckDBEngine, open_duckdb
from outcomes.loading.frames import as_arrow
from outcomes.loading.schema import SCHEMA

EVERY_TYPE = ("sexual_contact", "sexual_noncontact", "sexual_image", "violent", "acquisitive", "drugs", "other")
TWO_ARMS = {"manualised": ArmSpec(family=("core_manual",)), "bespoke": ArmSpec(family=("south_project",))}
UNTREATED = {**TWO_ARMS, "untreated": ArmSpec(none=True)}

SMALL_FILE = """
[study]
title = "Two programmes"
data = "tables"

[arms]
reference = "manualised"
bespoke = { family = ["south_project"] }
manualised = { family = ["core_manual"] }

[follow_up]
data_cut = 2015-12-31
horizon = "5y"

[outcomes.any]
types = ["violent", "other"]
"""


def extract(*people: str, also: Iterable[str] = (), **changed: Any) -> dict[str, pd.DataFrame]:
    """Return tables from lines ``person programme setting sentenced released started referred``; ``-`` is nothing.

    The n-th line is sentence ``sn``; a person may have several. `also` has further starts: ``sentence programme started``.
    """
    lines = [line.split() + ["-"] * (7 - len(line.split())) for line in people]
    names = list(dict.fromkeys(line[0] for line in lines))
    sentences, referrals, started = [], [], []
    for number, (person, programme, setting, sentenced, released, start, referred) in enumerate(lines, start=1):
        area = "north" if programme == "m1" else "south"
        sentences.append(f"s{number} {person} {sentenced} order {setting} sexual_contact {released} 30 2 1 {area}")
        if referred != "-":
            referrals.append(f"r{number} {person} s{number} {programme} {referred} order accepted")
        if start != "-":
            referral = f"r{number}" if referred != "-" else "-"
            started.append(f"t{number} {referral} {person} s{number} {programme} {start} completed false")
    for number, line in enumerate(also, start=1):
        sentence, programme, start = line.split()
        person = lines[int(sentence[1:]) - 1][0]
        started.append(f"u{number} - {person} {sentence} {programme} {start} completed false")
    tables = {
        "people": rows("person_id sex ethnicity_group", *(f"{name} male white" for name in names)),
        "sentences": rows(
            "sentence_id person_id sentence_date sentence_type setting index_offence release_date age_at_sentence "
            "prior_sanctions prior_sexual_sanctions area",
            *sentences,
        ),
        "assessments": rows(
            "person_id date instrument score band denial learning_disability",
            *dict.fromkeys(f"{line[0]} {line[3]} static 3 medium none false" for line in lines),
        ),
        "referrals": rows("referral_id person_id sentence_id programme_id referral_date stage decision", *referrals),
        "participation": rows(
            "participation_id referral_id person_id sentence_id programme_id start_date status voluntary", *started
        ),
        "reoffences": rows("reoffence_id person_id offence_date proven_date offence_type"),
        "exits": rows("person_id exit_date reason"),
    }
    return small_tables(**tables | changed)


def starters(number: int, **changed: Any) -> dict[str, pd.DataFrame]:
    """Return people p1, p2, … on community orders of 2009-12-01 who started on 2010-01-01: odd ones m1, even ones b1."""
    return extract(
        *(f"p{n} {'m1' if n % 2 else 'b1'} community 2009-12-01 - 2010-01-01" for n in range(1, number + 1)), **changed
    )


def offences(*lines: str, also: str = "") -> pd.DataFrame:
    """Return the table of reoffences from lines ``person committed proven type``, and the columns named in `also`."""
    numbered = (f"o{number} {line}" for number, line in enumerate(lines, start=1))
    return rows(f"reoffence_id person_id offence_date proven_date offence_type {also}", *numbered)


def spells(*lines: str) -> pd.DataFrame:
    return rows("person_id start_date end_date state", *lines)


def exits(*lines: str) -> pd.DataFrame:
    return rows("person_id exit_date reason", *lines)


def day(text: str) -> int:
    """Return days since 1970-01-01."""
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def after(count: int, since: str = "2010-01-01") -> str:
    """Return the date `count` days after `since`."""
    return (date.fromisoformat(since) + timedelta(days=count)).isoformat()


def outcome(
    *types: str,
    proven_within: float = 100,
    competing: tuple[str, ...] = ("death", "deportation"),
    kind: str = "reoffence",
    **more: Any,
) -> Outcome:
    """Return an outcome still without its name, which `small_study` gives it; `more` as in `Outcome`."""
    if kind != "reoffence":
        return Outcome("", (), 0.0, competing, kind, **more)
    return Outcome("", types or EVERY_TYPE, proven_within, competing, **more)


def small_study(
    *,
    arms: Mapping[str, ArmSpec] | None = None,
    reference: str = "manualised",
    assigned_by: str = "start",
    window: float | None = None,
    if_both: str = "first",
    population: str = "own",
    include: Iterable[str] = (),
    covariate_window: float | None = None,
    index: str = "first",
    event: str = "auto",
    strategy: str = "none",
    grace: float | None = None,
    data_cut: str | int = "2015-12-31",
    horizon: float = 1826,
    scale: str = "calendar",
    observed_from: str | None = None,
    outcomes: Mapping[str, Outcome] | None = None,
    headline: str | None = None,
    cluster: str | None = None,
    drop: tuple[str, ...] = (),
) -> Study:
    """Return a study of two arms, everyone's own clients, with one outcome: any offence proven within 100 days."""
    named = outcomes or {"any": outcome()}
    return Study(
        title="A small study",
        data=Path("tables"),
        arms=Arms(reference, MappingProxyType(dict(arms or TWO_ARMS)), assigned_by, window, if_both),
        eligibility=Eligibility(population, tuple(map(parse_condition, include)), covariate_window, index),
        time_zero=TimeZero(event, strategy, grace),
        follow_up=FollowUp(
            day(data_cut) if isinstance(data_cut, str) else data_cut,
            horizon,
            scale,
            None if observed_from is None else day(observed_from),
        ),
        outcomes=MappingProxyType({name: dataclasses.replace(o, name=name) for name, o in named.items()}),
        headline=None if headline is None else Headline(headline, horizon),
        adjust=None if cluster is None else Adjust("age_at_time_zero", "ato", cluster=cluster),
        checks=Checks(drop),
    )


class Reframed:
    """Loaded tables with some frames put in the place of others: as many variants as a test wants, without loading again."""

    def __init__(self, tables: Any, *, origin: str | None = None, **frames: pd.DataFrame) -> None:
        self._frames = {name: frames[name] if name in frames else tables.frame(name) for name in tables.names}
        self.counts = {name: len(frame) for name, frame in self._frames.items()}
        self.origin = origin or tables.origin
        self.programme_ids, self.hashes, self.names = tables.programme_ids, tables.hashes, tables.names
        self._held: oc.Tables | None = None

    @property
    def __class__(self) -> type:
        """The kind `build_cohort` asks for."""
        return oc.Tables

    def _tables(self) -> oc.Tables:
        """Return tables on an engine of their own, made when first asked."""
        if self._held is None:
            self._held = on_an_engine(self)
        return self._held

    def frame(self, name: str) -> pd.DataFrame:
        return self._frames[name].copy() if name in self._frames else empty(name)

    def lazy(self, name: str) -> Any:
        return self._tables().lazy(name)

    def keep(self, rows: Any) -> Any:
        return self._tables().keep(rows)

    def collect(self, rows: Any) -> Any:
        return self._tables().collect(rows)

    def put(self, rows: Any) -> Any:
        return self._tables().put(rows)

    def keeping(self) -> Any:
        return self._tables().keeping()

    def require_clean(self, drop: Any = ()) -> Reframed:
        return self


def empty(name: str) -> pd.DataFrame:
    """Return a table of the schema without rows, in the kinds its columns have once loaded."""
    dtypes = {"id": "Int64", "date": "Int64", "int": "Int64", "float": "float64", "bool": "boolean"}
    return pd.DataFrame({c.name: pd.Series(dtype=dtypes.get(c.kind, "object")) for c in SCHEMA[name].columns})


def on_an_engine(like: Reframed) -> oc.Tables:
    """Return the frames as tables, typed as the schema says and not checked again."""
    connection = open_duckdb()
    for name, table in SCHEMA.items():
        frame = like.frame(name)
        kinds = {column.name: SQL_TYPES[column.kind] for column in table.columns}
        connection.register("given", as_arrow(frame))
        cells = (f'CAST("{c}" AS {kinds[c]}) AS "{c}"' if c in kinds else f'"{c}"' for c in frame.columns)
        connection.execute(f"CREATE TABLE {name} AS SELECT {', '.join(cells)}, row_number() OVER () AS _row FROM given")
        connection.unregister("given")
    return oc.Tables(
        engine=DuckDBEngine(connection),
        counts=like.counts,
        hashes=like.hashes,
        origin=like.origin,
        programme_ids=like.programme_ids,
    )


def on_duckdb(frame: pd.DataFrame) -> Any:
    """Return the rows of a frame as a lazy frame of an engine."""
    connection = open_duckdb()
    connection.register("given", as_arrow(frame))
    return nw.from_native(connection.sql("SELECT * FROM given"))


def held(tables: dict[str, pd.DataFrame]) -> Reframed:
    """Return tables loaded once with their frames at hand, for a test file that builds many cohorts of them."""
    return Reframed(oc.load_tables(tables))


@lru_cache(maxsize=1)
def two_starters() -> Reframed:
    """Return `starters` (two of them), loaded once: a base whose rows others are drawn like."""
    return held(starters(2))


def cohort(tables: Any, **study: Any) -> oc.Cohort:
    """Return the cohort of tables (loaded, or still frames) under `small_study`."""
    loaded = oc.load_tables(tables) if isinstance(tables, dict) else tables
    return oc.build_cohort(loaded, small_study(**study))


def compared(found: oc.Cohort, *columns: str) -> dict[str, Any]:
    """Return, by person, the arm, or the columns asked for (one value, or a tuple of them); days as dates."""
    frame = found.baseline
    wanted = [_shown(frame[name], name) for name in columns or ("arm",)]
    values = wanted[0] if len(wanted) == 1 else list(zip(*wanted, strict=True))
    return dict(zip((f"p{n}" for n in frame["person_id"]), values, strict=True))


def _shown(column: pd.Series[Any], name: str) -> list[Any]:
    if name == "time_zero":
        return [after(int(value), "1970-01-01") for value in column]
    return [None if value is None or value is pd.NA or value != value else value for value in column]


def left(found: oc.Cohort, arm: str = "all") -> dict[str, int]:
    """Return how many left, by reason, in order; reasons for which nobody left are not there."""
    frame = found.flow.to_frame()
    frame = frame[(frame["arm"] == arm) & (frame["n_leaving"] > 0)]
    return dict(zip(frame["reason"], map(int, frame["n_leaving"]), strict=True))


def ended(found: oc.Cohort, name: str = "any") -> dict[str, tuple[float, str]]:
    """Return, by person, days since time zero and what ended them."""
    data = found.outcome(name)
    causes = ("censored", *data.causes)
    who = data.frame["person_id"]
    return {
        f"p{person}": (float(time), causes[event])
        for person, time, event in zip(who, data.exit, data.event, strict=True)
    }


def intervals(
    found: oc.Cohort, name: str = "any", *, every: bool = False, by: str = "person_id"
) -> dict[str, list[tuple[float, float, str]]]:
    """Return, by person (``by="sentence_id"``: by sentence), from when and until when they were at risk, and what ended it."""
    data = found.every_event(name) if every else found.outcome(name)
    causes = ("", *data.causes)
    shown: dict[str, list[tuple[float, float, str]]] = {}
    for key, entry, exit_, event in zip(data.frame[by], data.entry, data.exit, data.event, strict=True):
        shown.setdefault(f"{by[0]}{key}", []).append((float(entry), float(exit_), causes[event]))
    return shown


def notes(found: Any) -> dict[str, str]:
    """Return the notes of a cohort, or of what it gives, by code."""
    return {note.code: note.text for note in found.notes}


def as_days(tables: dict[str, pd.DataFrame], origin: str = "2000-01-01") -> dict[str, pd.DataFrame]:
    """Return the tables with whole days since an origin in place of dates."""
    found = {}
    for name, frame in tables.items():
        dates = [c.name for c in SCHEMA[name].columns if c.kind == "date" and c.name in frame]
        numbers = {
            column: [None if cell is None else str(day(cell) - day(origin)) for cell in frame[column]]
            for column in dates
        }
        found[name] = frame.assign(**numbers)
    return found
