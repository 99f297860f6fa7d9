"""Something a report can hold: what makes it, what it is called, where it stands, and what it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from outcomes.design.report_items import Options
from outcomes.design.study import Study
from outcomes.durations import in_words
from outcomes.loading.tables import Tables
from outcomes.report.analysis import Analysis
from outcomes.results import Result

__all__ = ["Item", "event_of", "horizon_of"]


def _nothing(study: Study, tables: Tables) -> str:
    return ""


@dataclass(frozen=True)
class Item:
    """Something a report can hold.

    Attributes
    ----------
    chapter : str
        A key of `CHAPTERS`.
    result : callable
        Makes the exact result, from the analysis, the outcome's name and the options.
    title : callable
        Makes the title, from the analysis and the outcome's name.
    heading : str
        What stands above it in its chapter, where the chapter holds several.
    horizon : bool
        Whether curves end at the end of follow-up.
    adjusted : bool
        Whether it needs [adjust] in the study.
    drawing : str
        What draws it; default: the figure of its own name. A question without one is a table only.
    explained : bool
        Whether its sentences stand above the picture.
    exploratory : bool
        Whether it is so even of the outcome that the headline names.
    slow : bool
        Whether it takes minutes: it is then estimated last.
    takes : tuple of (key, names)
        Keys of `Options` it is asked with; a key with names is one of them.
    needs : tuple of str
        Those of them it cannot be asked without.
    lacking : callable
        Says, from study and tables, why there can be no answer; ``""`` where there may be one.
    numbers : str
        The frame of what was released that its table is written from.
    """

    chapter: str
    result: Callable[[Analysis, str, Options], Result]
    title: Callable[[Analysis, str], str]
    heading: str = ""
    horizon: bool = False
    adjusted: bool = False
    drawing: str = ""
    explained: bool = False
    exploratory: bool = False
    slow: bool = False
    takes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    needs: tuple[str, ...] = ()
    lacking: Callable[[Study, Tables], str] = _nothing
    numbers: str = "table"


def event_of(outcome: str) -> str:
    """Return an outcome as a title begins with it."""
    return f"{outcome.replace('_', ' ')} reoffence".capitalize()


def horizon_of(analysis: Analysis) -> str:
    """Return the headline's horizon in words."""
    return in_words(analysis.headline.horizon)
