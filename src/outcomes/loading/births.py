"""Dates and years of birth in columns of the extract's own: known by how long before the person's first sentence they lie.

Nothing is asked where days count from an undisclosed origin. A calendar date there has no sentence it could be set beside, and a
whole number decades of days before the sentence may as well be a score, a distance or a sum; an age, which would tell them apart,
is on no such extract's clock. What can be done is done elsewhere: a column called like a date of birth is refused by its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from outcomes.loading.engine import Engine
from outcomes.loading.keys import Domain
from outcomes.loading.profiling import MOST_VALUES, Profile
from outcomes.loading.staging import Staged

__all__ = ["born_before", "holds_dates", "holds_years", "year_of", "years_before_sentence"]

_DATE = re.compile(r"(\d{4})-\d\d-\d\d([ T].*)?|\d{1,2}[/.-]\d{1,2}[/.-](\d{4})", re.ASCII)
_YEAR = re.compile(r"\d{4}", re.ASCII)
_YOUNGEST, _OLDEST = 10, 100  # years at the first sentence


def year_of(day: str) -> str:
    """Return SQL: the calendar year of a day since 1970-01-01 (exact from 1901 to 2099).

    Examples
    --------
    >>> year_of("release_date")
    '(1970 + CAST(floor((4 * (release_date) + 2) / 1461.0) AS BIGINT))'
    """
    return f"(1970 + CAST(floor((4 * ({day}) + 2) / 1461.0) AS BIGINT))"


def holds_dates(profile: Profile) -> str | None:
    """Return the SQL of the year in a cell where most values are dates, ``2010-03-31`` or ``31/03/2010``; else None."""
    found = [match for value, _ in profile.sample if (match := _DATE.fullmatch(value))]
    if 2 * len(found) <= len(profile.sample):
        return None
    cell = f"t.v{profile.number}"
    return f"CASE WHEN {cell} LIKE '____-__-__%' THEN substr({cell}, 1, 4) ELSE right({cell}, 4) END"


def holds_years(profile: Profile) -> str | None:
    """Return the SQL of the year in a cell where every value is one, from 1850 to 2100; else None."""
    if not all(_YEAR.fullmatch(value) and 1850 <= int(value) <= 2100 for value, _ in profile.sample):
        return None
    return f"CAST(CAST(CAST(t.v{profile.number} AS DOUBLE) AS BIGINT) AS STRING)"


def years_before_sentence(
    engine: Engine, table: Staged, sentences: Staged, domain: Domain, profile: Profile, year: str
) -> list[tuple[str, int, int]]:
    """Return how many rows have which year in the column beside which year of the person's first sentence.

    Of many people every n-th is looked at.
    """
    here, there = _numbers(table), _numbers(sentences)
    if not ("person_id" in here and {"person_id", "sentence_date"} <= there.keys()):
        return []
    sentenced = domain.key_of(f"s.v{there['person_id']}")
    person = domain.key_of(f"t.v{here['person_id']}")
    people = f"SELECT key FROM {domain.ids(engine)} i WHERE {domain.every(1 + sentences.rows // MOST_VALUES)}"
    first = (
        f"SELECT d.key AS p, min(s.v{there['sentence_date']}) AS first_day FROM {engine.place('staged_sentences')} s "
        f"JOIN ({people}) d ON d.key = {sentenced} GROUP BY d.key"
    )
    return engine.ask(
        f"SELECT y, s, count(*) FROM (SELECT {year} AS y, {year_of('f.first_day')} AS s FROM {engine.place(f'staged_{table.name}')} t "
        f"JOIN ({first}) f ON f.p = {person} "
        f"WHERE t.v{profile.number} IS NOT NULL AND f.first_day IS NOT NULL) k GROUP BY y, s"
    )


def born_before(years: Iterable[tuple[str, Any, Any]]) -> tuple[int, int]:
    """Return in how many rows the year lies 10 to 100 years before that of the first sentence, of how many rows.

    Examples
    --------
    >>> born_before([("1975", 2010, 40), ("2009", 2010, 2)])
    (40, 42)
    """
    born = known = 0
    for year, sentenced, rows in years:
        if _YEAR.fullmatch(year):
            known += int(rows)
            born += int(rows) * (_YOUNGEST <= int(sentenced) - int(year) <= _OLDEST)
    return born, known


def _numbers(staged: Staged) -> Mapping[str, int]:
    return {part.name: part.i for part in staged.parts}
