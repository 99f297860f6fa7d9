"""People written one line each, in days since 2010-01-01: what they were away for, when they offended, when they left for good.

A spell is ``100..200 custody`` (away on day 100, back on day 200; ``100.. custody`` is open), an offence ``150 violent`` (proven ten
days later) or ``150..400 violent`` (proven on day 400), leaving ``300 death``. Several are separated by ``;``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd
from small_study import after, exits, extract, offences, spells


@dataclass(frozen=True)
class Life:
    """One person, sentenced to a community order and on a programme from day `started` (None: never).

    Attributes
    ----------
    away, offends, leaves : str
        Spells, offences, and leaving observation.
    again : str
        A later sentence to custody: ``100..300`` is sentenced on day 100 and released on day 300.
    programme : str
        ``-`` is none; default m1 for the first, third, … person and b1 for the others.
    """

    away: str = ""
    offends: str = ""
    leaves: str = ""
    again: str = ""
    programme: str = ""
    sentenced: int = -31
    started: int | None = 0


def lived(*lives: Life, **changed: Any) -> dict[str, pd.DataFrame]:
    """Return tables of people p1, p2, …, one a life; `changed` replaces tables.

    Of ten or more people the first is p01: ids are numbered in the order of their text.
    """
    width = len(str(len(lives)))
    people = {f"p{n:0{width}}": life for n, life in enumerate(lives, start=1)}
    lines = [_line(name, life, "b1" if n % 2 else "m1") for n, (name, life) in enumerate(people.items())]
    lines += [f"{name} - custody {_days(life.again)}" for name, life in people.items() if life.again]
    away = [f"{name} {_days(days)} {state}" for name, life in people.items() for days, state in _parts(life.away)]
    crimes = [
        f"{name} {_days(_proven(days))} {kind}" for name, life in people.items() for days, kind in _parts(life.offends)
    ]
    gone = [
        f"{name} {after(int(day))} {reason}" for name, life in people.items() for day, reason in _parts(life.leaves)
    ]
    tables = {"spells": spells(*away), "reoffences": offences(*crimes), "exits": exits(*gone)}
    return extract(*lines, **(tables | changed))


def _line(name: str, life: Life, programme: str) -> str:
    start = "-" if life.started is None else after(life.started)
    return f"{name} {life.programme or programme} community {after(life.sentenced)} - {start}"


def _parts(text: str) -> Iterable[list[str]]:
    """Return the days and the word of each part of a text."""
    return [part.split() for part in text.split(";") if part.strip()]


def _days(text: str) -> str:
    """Return ``100..200`` as two dates; an open end as an empty cell."""
    start, end = text.split("..")
    return f"{after(int(start))} {after(int(end)) if end else '-'}"


def _proven(text: str) -> str:
    """Return the day an offence was committed and the day it was proven."""
    return text if ".." in text else f"{text}..{int(text) + 10}"
