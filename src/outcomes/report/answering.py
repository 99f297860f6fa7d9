"""Every result that a report shows, made once and released: those that take minutes last, so that what fails fails soon."""

from __future__ import annotations

from dataclasses import dataclass

from outcomes.design.report_items import FigureSpec, Options, TableSpec
from outcomes.disclosure.policy import DisclosurePolicy
from outcomes.disclosure.releasing import Released, release
from outcomes.errors import OutcomesError
from outcomes.report.analysis import Analysis, Say
from outcomes.report.contents import FIGURES, TABLES, figures_of, tables_of
from outcomes.report.item import Item

__all__ = ["HEADLINE", "answers"]

HEADLINE = ""
"""The key of the headline among the answers, which every report has."""


@dataclass(frozen=True)
class _Asked:
    """What is shown: one result, under one title."""

    item: Item
    outcome: str
    options: Options


def answers(analysis: Analysis, policy: DisclosurePolicy, say: Say) -> dict[str, Released]:
    """Return what each figure and table of a study shows, by its name, and the headline; what several show is made once.

    Parameters
    ----------
    analysis : Analysis
    policy : DisclosurePolicy
    say : callable
        Is told what is being done.

    Raises
    ------
    OutcomesError
        What a question refuses, with the figure or table that asks it.
    """
    headline = analysis.headline.outcome
    listed = [
        _of(f"[[figure]] {spec.name}", spec, FIGURES[spec.draws], headline) for spec in figures_of(analysis.study)
    ]
    listed += [_of(f"[[table]] {spec.name}", spec, TABLES[spec.draws], headline) for spec in tables_of(analysis.study)]
    listed.append(("headline", HEADLINE, "headline", _Asked(TABLES["headline"], headline, Options())))
    made: dict[_Asked, Released] = {}
    for where, _, draws, asked in sorted(listed, key=lambda one: one[3].item.slow):
        if asked not in made:
            say(f"answering {draws}")
            made[asked] = _made(where, asked, analysis, policy)
    return {name: made[asked] for _, name, _, asked in listed}


def _of(where: str, spec: FigureSpec | TableSpec, item: Item, headline: str) -> tuple[str, str, str, _Asked]:
    return where, spec.name, spec.draws, _Asked(item, spec.outcome or headline, spec.options)


def _made(where: str, asked: _Asked, analysis: Analysis, policy: DisclosurePolicy) -> Released:
    """Return one result as released; what it refuses is said with who asked."""
    horizon = analysis.study.follow_up.horizon if asked.item.horizon else None
    title = asked.item.title(analysis, asked.outcome)
    try:
        return release(asked.item.result(analysis, asked.outcome, asked.options), policy, horizon=horizon, title=title)
    except OutcomesError as error:
        kind, why = type(error), str(error)
    raise kind(f"{where}: {why}")
