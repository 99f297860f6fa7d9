"""Checks that protect people: columns that hold direct identifiers, dates of birth, free text or keys of their own are refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from outcomes.loading.births import born_before, holds_dates, holds_years, years_before_sentence
from outcomes.loading.engine import Engine
from outcomes.loading.faults import Fault, nearest
from outcomes.loading.keys import Domain
from outcomes.loading.profiling import Profile, profiles_of
from outcomes.loading.staging import Staged
from outcomes.loading.value_patterns import identifier_hits

__all__ = [
    "PROTECTIVE_RULES",
    "CheckRow",
    "Finding",
    "Protected",
    "judge_birth",
    "judge_forms",
    "judge_values",
    "protect",
]

CheckRow = tuple[str, str, str, str, int, int, str]
"""rule, table, column, severity, n, of, text"""

PROTECTIVE_RULES = ("direct_identifier", "date_of_birth", "year_of_birth", "free_text", "unique_per_row")

_REFUSED_SHARE = 0.05  # of the rows that say something
_LONG = 30  # characters on average: names hide in longer text
_LABELS, _USES = 50, 3  # no more than so many long texts, each used so often on average, are labels of a code
_MANY_WORDS, _MOSTLY_DIFFERENT, _ENOUGH_TEXTS = 4, 0.8, 10
_NEARLY_UNIQUE, _ENOUGH_ROWS = 0.95, 50
_MOST_KEYS = 5_000  # ids of one name that are looked at: they have one form, or a few
_LONG_NUMBER = 1_000_000_000  # no shorter whole number is an identifier we know
_KEY_FROM = 1_000  # whole numbers with fewer digits are measures, unless they count the rows
_DECIMAL = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)


@dataclass(frozen=True)
class Finding:
    """What one column seems to hold, in how many rows of those looked at; never which value.

    `refused` says that the table is not loaded with it, unless the column is declared.
    """

    rule: str
    table: str
    column: str
    refused: bool
    text: str
    n: int
    of: int

    def fault(self) -> Fault:
        """Return the fault that refuses the column, with what to do."""
        advice = f"take it out of the extract, or list '{self.table}.{self.column}' in [checks] declared if it identifies nobody."
        if self.rule == "direct_identifier":
            advice = (
                "put a pseudonym in its place or take it out of the extract; "
                f"list '{self.table}.{self.column}' in [checks] declared if these are pseudonyms already."
            )
        return Fault(self.table, self.column, f"{self.text}; {advice}", self.n, self.of)

    def row(self, severity: Literal["warning", "note"]) -> CheckRow:
        """Return the row of the report of checks."""
        text = self.text if severity == "warning" else f"{self.text}; declared to identify nobody"
        return (self.rule, self.table, self.column, severity, self.n, self.of, text)


@dataclass(frozen=True)
class Protected:
    """What the checks found: faults that refuse the extract, and rows for the report of checks."""

    faults: tuple[Fault, ...]
    rows: tuple[CheckRow, ...]


def protect(
    engine: Engine, tables: Mapping[str, Staged], domains: Mapping[str, Domain], declared: Sequence[str], dated: bool
) -> Protected:
    """Return what the staged tables hold that could say who somebody is.

    Parameters
    ----------
    engine : Engine
        Holds ``staged_<table>`` and the ids of each domain.
    declared : sequence of str
        Columns, ``"table.column"``, of which the user says that they identify nobody: what is found in them is a note. One of
        the schema's ids is declared wherever it stands.
    dated : bool
        Whether the extract's days count from 1970; otherwise nobody's age can be told.
    """
    present = {f"{staged.name}.{part.name}": part for staged in tables.values() for part in staged.parts}
    faults = [
        Fault(
            *place.partition(".")[::2], f"[checks] declared names a column that is not there.{nearest(place, present)}"
        )
        for place in declared
        if place not in present
    ]
    findings = _in_keys(engine, domains)
    for staged in tables.values():
        for profile in profiles_of(engine, staged):
            findings += judge_values(profile)
            if profile.own and dated and "person_id" in domains and "sentences" in tables:
                findings += _births(engine, staged, tables["sentences"], domains["person_id"], profile)
    ids = {present[place].name for place in declared if place in present and present[place].kind == "id"}
    rows: list[CheckRow] = []
    for finding in findings:
        place = f"{finding.table}.{finding.column}"
        if place in declared or (present[place].kind == "id" and finding.column in ids):
            rows.append(finding.row("note"))
        elif finding.refused:
            faults.append(finding.fault())
        else:
            rows.append(finding.row("warning"))
    warned = {row[1] for row in rows if row[0] == "direct_identifier"}
    rows += [
        ("direct_identifier", name, "", "warning", 0, staged.rows, "no value looks like a direct identifier")
        for name, staged in tables.items()
        if name not in warned
    ]
    return Protected(tuple(faults), tuple(rows))


def judge_values(profile: Profile) -> list[Finding]:
    """Return what the values of a column of codes, text or whole numbers say against it."""
    found = judge_forms(profile.table, profile.column, profile.sample)
    if _is_free_text(profile):
        n, text = profile.filled, "free text, in which names hide"
        found.append(Finding("free_text", profile.table, profile.column, True, text, n, n))
    elif profile.own and _is_key(profile):
        n, text = profile.distinct, "nearly every row has a value of its own, as a key has"
        found.append(Finding("unique_per_row", profile.table, profile.column, True, text, n, profile.filled))
    return found


def judge_birth(profile: Profile, born: int, known: int, *, dates: bool) -> list[Finding]:
    """Return whether a column says when people were born, from the rows that lie 10 to 100 years before the first sentence."""
    if 2 * born <= known:
        return []
    if dates:
        text = "dates 10 to 100 years before the person's first sentence, as dates of birth are"
        return [Finding("date_of_birth", profile.table, profile.column, True, text, born, known)]
    text = "years 10 to 100 before the person's first sentence, as years of birth are"
    return [Finding("year_of_birth", profile.table, profile.column, False, text, born, known)]


def judge_forms(table: str, column: str, sample: Sequence[tuple[str, int]]) -> list[Finding]:
    """Return what the forms of values say against them: a number by which others know the person is no pseudonym."""
    looked_at = sum(rows for _, rows in sample)
    return [
        Finding("direct_identifier", table, column, n >= _REFUSED_SHARE * looked_at, f"looks like {name}", n, looked_at)
        for name, n in identifier_hits(sample).items()
    ]


def _is_free_text(profile: Profile) -> bool:
    """Return whether values are sentences rather than codes or labels; the catalogue's own texts are exempt."""
    if (profile.table, profile.column) in (("programmes", "name"), ("eligibility", "value")):
        return False
    if profile.mean_length > _LONG:
        return profile.distinct > _LABELS or profile.filled < _USES * profile.distinct
    return (
        profile.filled >= _ENOUGH_TEXTS
        and profile.mean_words >= _MANY_WORDS
        and profile.distinct >= _MOSTLY_DIFFERENT * profile.filled
    )


def _is_key(profile: Profile) -> bool:
    """Return whether nearly every row has its own value, and these are no measures and no dates."""
    if profile.filled < _ENOUGH_ROWS or profile.distinct < _NEARLY_UNIQUE * profile.filled:
        return False
    values = [value for value, _ in profile.sample]
    if (
        holds_dates(profile)
        or holds_years(profile)
        or 2 * sum(bool(_DECIMAL.fullmatch(value)) for value in values) > len(values)
    ):
        return False
    numbers = [int(value) for value in values if _WHOLE.fullmatch(value) and not _is_code(value)]
    if 2 * len(numbers) <= len(values):
        return True
    low, high = min(numbers), max(numbers)
    return low >= _KEY_FROM or high - low < 2 * profile.distinct


def _is_code(value: str) -> bool:
    return len(value) > 1 and value.startswith("0")


def _in_keys(engine: Engine, domains: Mapping[str, Domain]) -> list[Finding]:
    """Return what the ids of the schema look like: each name of id once, in the table whose key it is."""
    if not domains:
        return []
    counted = " UNION ALL ".join(
        f"SELECT '{name}', count(*), {'max(key)' if domain.numbers == 'all' else _LONG_NUMBER} FROM {domain.ids(engine)} i"
        for name, domain in domains.items()
    )
    step = {name: 1 + int(n) // _MOST_KEYS for name, n, largest in engine.ask(counted) if n and largest >= _LONG_NUMBER}
    if not step:
        return []
    sampled = (
        f"SELECT '{name}', CAST(key AS STRING) FROM {domains[name].ids(engine)} i WHERE {domains[name].every(n)}"
        for name, n in step.items()
    )
    values: dict[str, list[tuple[str, int]]] = {name: [] for name in step}
    for name, value in engine.ask(" UNION ALL ".join(sampled)):
        values[name].append((value, 1))
    return [
        finding
        for name, sample in values.items()
        for finding in judge_forms(domains[name].owner or domains[name].places[0][0], name, sample)
    ]


def _births(engine: Engine, staged: Staged, sentences: Staged, domain: Domain, profile: Profile) -> list[Finding]:
    for dates, year in ((True, holds_dates(profile)), (False, holds_years(profile))):
        if year is not None:
            return judge_birth(
                profile,
                *born_before(years_before_sentence(engine, staged, sentences, domain, profile, year)),
                dates=dates,
            )
    return []
