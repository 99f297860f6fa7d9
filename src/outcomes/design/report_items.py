"""What a report is asked to hold: the figures and tables of a study file, and what each of them is asked with."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from outcomes.design.study_sections import Section, as_file_name, as_names, as_positive, as_text, as_whole

__all__ = ["FigureSpec", "Options", "TableSpec", "figure_asked", "table_asked"]

Value = str | int | float | bool


@dataclass(frozen=True)
class Options:
    """What a question is asked with, where a study says more than its default. Which question takes what: `outcomes.report.questions`.

    Attributes
    ----------
    arm : str, optional
        Of whose programme it is asked.
    by : tuple of str
        Columns of subgroups, or what people or places are grouped by.
    landmark, grace, scheduled : float, optional
        Days: to the landmark, to start within, a course is due to last.
    high : float, optional
        Share of sessions from which attendance is high.
    monitoring : str, optional
        Which scores of a group count.
    replicates : int, optional
        Bootstrap replicates.
    less_detected : tuple of (column, values)
        Whose events are recorded in part.
    """

    arm: str | None = None
    by: tuple[str, ...] = ()
    landmark: float | None = None
    grace: float | None = None
    scheduled: float | None = None
    high: float | None = None
    monitoring: str | None = None
    replicates: int | None = None
    less_detected: tuple[tuple[str, tuple[Value, ...]], ...] = ()

    @property
    def given(self) -> dict[str, Any]:
        """What the study says, by key; nothing of what it leaves to the defaults."""
        found = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {key: value for key, value in found.items() if value is not None and value != ()}


@dataclass(frozen=True)
class FigureSpec:
    """One figure of the report."""

    name: str
    draws: str
    outcome: str | None = None
    alt: str = "auto"
    options: Options = Options()


@dataclass(frozen=True)
class TableSpec:
    """One table of the report."""

    name: str
    draws: str
    outcome: str | None = None
    options: Options = Options()


def figure_asked(section: Section) -> FigureSpec:
    """Return what a [[figure]] of a study file asks for.

    Raises
    ------
    DesignError
        A key that no figure has, or a value that is not as it must be.
    """
    found = FigureSpec(
        name=section.take("name", as_file_name, "letters, digits and _"),
        draws=section.take("draws", as_text, "a registered figure"),
        outcome=section.take("outcome", as_text, "the name of an outcome", None),
        alt=section.take("alt", as_text, "text, or 'auto'", "auto"),
        options=_options(section),
    )
    section.done()
    return found


def table_asked(section: Section) -> TableSpec:
    """Return what a [[table]] of a study file asks for.

    Raises
    ------
    DesignError
        A key that no table has, or a value that is not as it must be.
    """
    found = TableSpec(
        name=section.take("name", as_file_name, "letters, digits and _"),
        draws=section.take("draws", as_text, "a registered table"),
        outcome=section.take("outcome", as_text, "the name of an outcome", None),
        options=_options(section),
    )
    section.done()
    return found


def _options(section: Section) -> Options:
    found = Options(
        arm=section.take("arm", as_text, "the name of an arm", None),
        by=section.take("by", _one_or_more, "a name, or a list of names", ()),
        landmark=section.duration("landmark", None),
        grace=section.duration("grace", None),
        scheduled=section.duration("scheduled", None),
        high=section.take("high", _share, "a share above 0 and at most 1, such as 0.8", None),
        monitoring=section.take("monitoring", as_text, "'group' or 'before'", None),
        replicates=section.take("replicates", _replicates, "a whole number, at least 2", None),
        less_detected=section.take("less_detected", _conditions, "a table such as { learning_disability = true }", ()),
    )
    return found


def _share(value: Any) -> float:
    if as_positive(value) > 1:
        raise ValueError
    return float(value)


def _replicates(value: Any) -> int:
    if as_whole(value) < 2:
        raise ValueError
    return int(value)


def _one_or_more(value: Any) -> tuple[str, ...]:
    return (as_text(value),) if isinstance(value, str) else as_names(value)


def _conditions(value: Any) -> tuple[tuple[str, tuple[Value, ...]], ...]:
    """Return columns and their values, in order of columns, so that equal conditions are equal."""
    if not isinstance(value, Mapping) or not value:
        raise TypeError
    found = {str(column): tuple(wanted) if isinstance(wanted, list) else (wanted,) for column, wanted in value.items()}
    for wanted in found.values():
        if not wanted or not all(isinstance(one, (str, int, float, bool)) for one in wanted):
            raise TypeError
    return tuple(sorted(found.items()))
