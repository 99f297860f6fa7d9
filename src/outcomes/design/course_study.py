"""A study asked again of everyone from release or sentence on, whatever it says of arms: for what people start, finish and go on to."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

from outcomes.design.study import Study
from outcomes.errors import DesignError, one_of

__all__ = ["BY", "asked_of_everyone"]

BY = ("all", "offered")
"""Groups that are known at time zero: everyone, or by the arm whose programme was on offer where and when people came."""

_DAYS_OF_ALL = ("auto", "release", "sentence")


def asked_of_everyone(study: Study, outcome: str, *, by: str = "all", scale: str | None = None) -> Study:
    """Return the study of one outcome in which nobody is classed by what they started.

    Parameters
    ----------
    outcome : str
        One of the study's.
    by : {"all", "offered"}
        ``all``: everyone is followed, in no arm (``strategy = "time_varying"``). ``offered``: arms are what was on offer
        (``assigned_by = "provision"``).
    scale : str, optional
        In place of the study's.

    Notes
    -----
    Time zero is release or sentence. A window, `if_both` and a grace, which look at starts to come, are left out. The population
    stays where it can: ``own`` is the caseload where arms are what was on offer, and the caseload is everyone where there are no arms.

    Raises
    ------
    DesignError
        The outcome is dropping out, which is a part of the course and not what comes of it.
    """
    one_of(by, BY, what="by", error=DesignError)
    if study.outcomes[outcome].kind == "drop_out":
        raise DesignError(
            f"outcome {outcome!r} is dropping out, which is a part of the course and not what comes of it. Take another."
        )
    offered = by == "offered"
    assigned = dataclasses.replace(
        study.arms, assigned_by="provision" if offered else "start", window=None, if_both="first"
    )
    whole = {"own": "caseload"} if offered else {"caseload": "own"}
    population = whole.get(study.eligibility.population, study.eligibility.population)
    event = study.time_zero.event if study.time_zero.event in _DAYS_OF_ALL else "auto"
    headline = study.headline if study.headline is not None and study.headline.outcome == outcome else None
    return study.replace(
        arms=assigned,
        eligibility=dataclasses.replace(study.eligibility, population=population),
        time_zero=dataclasses.replace(
            study.time_zero, event=event, strategy="none" if offered else "time_varying", grace=None
        ),
        follow_up=dataclasses.replace(study.follow_up, scale=scale or study.follow_up.scale),
        outcomes=MappingProxyType({outcome: study.outcomes[outcome]}),
        headline=headline,
        figures=(),
        tables=(),
    )
