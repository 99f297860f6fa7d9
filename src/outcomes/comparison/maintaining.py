"""Maintenance after the core of a programme: whether those in it, or after it, reoffend later; the function people call."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.adjust.case_mix import left_out_notes, telling_terms
from outcomes.comparison.course_effect import CourseEffect
from outcomes.comparison.exposure_hazards import counts_by, exposure_rows
from outcomes.comparison.landmark_answers import landmark_rows
from outcomes.comparison.study_questions import asked_of, case_mix_of, margin_of, must_weigh
from outcomes.design.cohort import build_cohort
from outcomes.design.course_people import (
    FirstCourses,
    first_completed,
    from_later,
    of_strands,
    people_and_courses,
)
from outcomes.design.course_study import asked_of_everyone
from outcomes.design.courses import STATES, Courses
from outcomes.design.cutting import cut_rows
from outcomes.design.data import SurvivalData
from outcomes.design.exposure import situation
from outcomes.design.some_people import some_people
from outcomes.durations import days, in_words
from outcomes.errors import DesignError, did_you_mean
from outcomes.results import Array, IntArray, Note, read_only
from outcomes.survival.inputs import normal_quantile

if TYPE_CHECKING:
    from outcomes.design.study import Study
    from outcomes.loading.tables import Tables

__all__ = ["PHASES", "MaintenanceEffect", "maintenance_effect"]

PHASES = ("not_yet", "in_maintenance", "after_maintenance")
"""Where people stand who have completed the core: not in maintenance so far, in it, no longer in it."""

_CAVEAT = (
    "Neither way shows that maintenance did it: who goes on is not chosen by lot (some attend voluntarily), and what changes after "
    "completion (work, motivation, risk as staff see it) may decide both who goes on and who reoffends. Values at time zero do not "
    "adjust for that: time-varying confounding remains."
)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class MaintenanceEffect(CourseEffect):
    """What maintenance after core completion goes with, by exposure that changes with time and from a landmark on."""

    title: ClassVar[str] = "Maintenance after core completion"


@dataclass(frozen=True)
class _Completers:
    """Those who completed a core course, K people, from then on.

    Attributes
    ----------
    data : SurvivalData
        Days since completion, a row a person (or several, with gaps).
    courses : Courses
        Maintenance of all people; days since time zero.
    kept : ndarray of int, shape (K,)
        Their rows of the courses' people.
    day : ndarray, shape (K,)
        Day of completion since time zero.
    """

    data: SurvivalData
    courses: Courses
    kept: IntArray
    day: Array

    def whose(self) -> IntArray:
        """Return the person each course belongs to, -1 where it is not one of them."""
        place = np.full(len(self.courses.referred), -1)
        place[self.kept] = np.arange(len(self.kept))
        return place[self.courses.row]

    def attended(self, *, voluntary: bool = False) -> IntArray:
        """Return the people of the courses attended while followed: of all, or of the voluntary ones."""
        whose, last = self.whose(), np.zeros(len(self.kept))
        np.maximum.at(last, self.data.person, self.data.exit)
        start, end = (days_ - self.day[whose] for days_ in (self.courses.start, self.courses.end))
        seen = (whose >= 0) & (start < last[whose]) & (end > 0)
        return whose[seen & self.courses.voluntary] if voluntary else whose[seen]


def maintenance_effect(
    tables: Tables,
    study: Study,
    *,
    outcome: str | None = None,
    arm: str | None = None,
    landmark: float | str = "6m",
    at: float | str | None = None,
    formula: str | None = None,
    margin: float | None = None,
    conf_level: float = 0.95,
) -> MaintenanceEffect:
    """Compare people who completed the core of a programme by whether they have gone on to maintenance, in two ways side by side.

    Use it to ask whether going on helps. Classing people from the start by whether they ever went on would make maintenance look good
    whatever it does: who reoffends early cannot go on (immortal time).

    Parameters
    ----------
    tables : Tables
    study : Study
        Its conditions, arms (whose core counts), outcomes and adjustment.
    outcome : str, optional
        Default: that of the headline, or the only one.
    arm : str, optional
        Only those who completed the core of this arm. Default: of any arm; each then has a baseline hazard of its own.
    landmark : float or str
        Days after completion (or text such as ``"6m"``) on which people are classed by whether they have started maintenance.
    at : float or str, optional
        Time since the landmark by which risks are compared. Default: the headline's horizon (else the study's), or as long as both
        groups were followed if that is less.
    formula : str, optional
        Covariates at time zero. Default: those of ``[adjust]``; ``""``: none.
    margin : float, optional
        Percentage points that would not matter. Default: the headline's, where it is about this outcome.
    conf_level : float

    Returns
    -------
    MaintenanceEffect
        ``to_frame()`` has one row an analysis, adjustment and contrast: hazard ratios ``in_maintenance`` and ``after_maintenance``
        against ``not_yet`` (``time_varying``), hazard ratio and risk difference of those in maintenance by the landmark against those
        not (``landmark``); ``counts()`` what was observed in each phase.

    Raises
    ------
    DesignError
        Nobody completed a core course and was followed after it; nobody of them went on; no such arm or outcome.
    NotSupportedError
        [adjust] makes arms alike by something else than weighting.

    Notes
    -----
    Follow-up starts with the completion of the first core, adapted or individual course of an arm, or with release where that came
    later, in those who have not had the outcome. The days from release or sentence to it are one more covariate. By exposure: a Cox
    model on time since completion, exposure changing on the day after a start or end, robust by person or by the study's cluster. By
    landmark: those still there, weighted as the study says (overlap weights where it says nothing), followed from it on; who goes on
    later stays among those who had not. The two ask different things and agree only where there is no effect. Both take it that
    nothing unrecorded decides both who goes on and who reoffends.

    References
    ----------
    Anderson, Cain & Gelber (1983), Journal of Clinical Oncology 1:710 (landmarks); Andersen & Gill (1982), Annals of Statistics
    10:1100; Suissa (2008), American Journal of Epidemiology 167:492 (immortal time).

    Examples
    --------
    >>> import outcomes as oc
    >>> tables, study = oc.load_tables("data/synthetic"), oc.read_study("notebooks/study.toml")  # doctest: +SKIP
    >>> print(oc.maintenance_effect(tables, study, outcome="any").describe())  # doctest: +SKIP
    """
    what = "maintenance_effect"
    name, horizon = asked_of(tables, study, outcome, at, what)
    wait = days(landmark, what=f"{what}: landmark")
    case_mix = case_mix_of(study, formula, what)
    if case_mix and study.adjust is not None:
        must_weigh(study, what)
    normal_quantile(conf_level)
    if arm is not None and arm not in study.arms.treated:
        raise DesignError(
            f"{what}: the study has no arm {arm!r} with programmes. {did_you_mean(arm, study.arms.treated)}"
        )
    margin = margin_of(study, name) if margin is None else margin
    cohort = build_cohort(tables, asked_of_everyone(study, name))
    people, courses = people_and_courses(cohort, name)
    done = _completers(people, courses, study.arms.treated, arm)
    mixed = done.data.baseline["core_arm"].nunique() > 1
    mix, left = telling_terms(_with_wait(case_mix), done.data.baseline)
    varying = _by_phase(done)
    options: dict[str, Any] = {"cause": name, "conf_level": conf_level}
    rows, notes = exposure_rows(
        varying, "maintenance", _terms(varying), mix, strata="core_arm" if mixed else None, said=_SAID, **options
    )
    later = _by_landmark(done, wait)
    said = (
        f"Of those still followed {in_words(wait)} after completion, classed by whether they had started maintenance by then and followed "
        "from then on"
    )
    more, notes_later = landmark_rows(
        later, " + ".join(filter(None, (mix, "C(core_arm)" if mixed else ""))) if mix else "", study.adjust, said=said,
        at=None if at is None else horizon, default=horizon, margin=margin, **options,
    )  # fmt: skip
    import pandas as pd

    spent = counts_by(varying, "maintenance", PHASES, name)
    return MaintenanceEffect(
        frame=pd.DataFrame([*rows, *more]),
        time_spent=spent,
        labels=MappingProxyType({**people.labels, "unit": "days"}),
        lead=_lead(done, spent, arm),
        caveat=_CAVEAT,
        conf_level=conf_level,
        margin=margin,
        notes=tuple(
            dict.fromkeys((*_notes(people), *left_out_notes({"those who completed": left}), *notes, *notes_later))
        ),
        provenance=MappingProxyType({"study": study.hash, "landmark": wait, "formula": mix}),
    )


_CALLED = dict(zip(PHASES, ("no maintenance yet", "in maintenance", "after maintenance"), strict=True))
_SAID = {
    "maintenance[in_maintenance]": "By exposure that changes with time, while in maintenance",
    "maintenance[after_maintenance]": "By exposure that changes with time, once maintenance is over",
}


def _with_wait(formula: str) -> str:
    """Return the case mix with the days to completion: hazards fall after release, and people complete on different days."""
    return f"{formula} + days_to_completion" if formula else ""


def _completers(people: SurvivalData, courses: Courses, arms: tuple[str, ...], arm: str | None) -> _Completers:
    """Return those who completed the core, from then on, with ``days_to_completion`` and ``core_arm`` among their covariates."""
    done: FirstCourses = first_completed(courses)
    asked = np.isfinite(done.day) if arm is None else done.arm == arms.index(arm)
    data, kept = from_later(people, np.where(asked, done.day, np.inf))
    if not len(kept):
        whom = "any arm" if arm is None else f"arm {arm!r}"
        raise DesignError(
            f"maintenance_effect: of {len(people.baseline):,} people followed nobody completed a core course of {whom} and was "
            "followed after it, free of the outcome (table participation, status completed)."
        )
    known = {"days_to_completion": done.day[kept], "core_arm": np.array(arms, dtype=object)[done.arm[kept]]}
    data = replace(
        data,
        baseline=data.baseline.assign(**known),
        frame=data.frame.assign(**{key: values[data.person] for key, values in known.items()}),
    )
    found = _Completers(data, of_strands(courses, ("maintenance",)), kept, done.day[kept])
    if not len(found.attended()):
        raise DesignError(
            f"maintenance_effect: none of {len(kept):,} people who completed the core went on to maintenance while followed; there is "
            "nothing to compare (table programmes, strand maintenance)."
        )
    return found


def _by_phase(done: _Completers) -> SurvivalData:
    """Return the rows cut where maintenance starts and ends, with the phase in the column ``maintenance``."""
    import pandas as pd

    data, courses = done.data, done.courses
    every = done.whose()
    mine = np.flatnonzero(every >= 0)
    whose = every[mine]
    days_ = np.r_[courses.start[mine] - done.day[whose], courses.end[mine] - done.day[whose]]
    row, begin, end, after = cut_rows(data.person, data.entry, data.exit, np.r_[whose, whose], days_)
    person = data.person[row]
    state = situation(courses, done.kept[person], after + done.day[person]).state
    phase = np.where(state < STATES.index("started"), 0, np.where(state == STATES.index("started"), 1, 2))
    last = np.r_[row[1:] != row[:-1], True]
    levels = pd.Categorical.from_codes(
        phase.tolist(), dtype=pd.CategoricalDtype(list(PHASES))
    ).remove_unused_categories()
    return replace(
        data,
        entry=read_only(begin),
        exit=read_only(end),
        event=read_only(np.where(last, data.event[row], 0), np.int64),
        person=read_only(person, np.int64),
        frame=data.frame.iloc[row].reset_index(drop=True).assign(maintenance=levels),
        varying=("maintenance",),
    )


def _terms(varying: SurvivalData) -> dict[str, tuple[str, str]]:
    """Return the terms of the phases somebody was in, and what they are against: the first of these phases."""
    met = list(varying.frame["maintenance"].cat.categories)
    return {f"maintenance[{phase}]": (_CALLED[phase], _CALLED[met[0]]) for phase in met[1:]}


def _by_landmark(done: _Completers, wait: float) -> SurvivalData:
    """Return those still followed on the landmark, from it on, in two arms: who had started maintenance by then, and who had not."""
    data, kept = from_later(done.data, np.full(len(done.kept), wait))
    first = np.full(len(done.courses.referred), np.inf)
    np.minimum.at(first, done.courses.row, done.courses.start)
    started = first[done.kept[kept]] - done.day[kept] <= wait
    arms = ("no maintenance", "maintenance")
    return some_people(data, np.arange(len(kept)), started.astype(np.int64), arms)


def _lead(done: _Completers, spent: Any, arm: str | None) -> str:
    rows = {row["exposure"]: row for row in spent.to_dict("records")}
    went = len(np.unique(done.attended(voluntary=True)))
    by = "; ".join(
        f"{phase.replace('_', ' ')}: {row['n_events']:,} events in {row['person_years']:,.0f} person-years of {row['n_people']:,} people"
        for phase, row in rows.items()
    )
    core = "the core" if arm is None else f"the core of {arm}"
    return (
        f"Of {len(done.kept):,} people who completed {core} and were followed after it, {rows['in_maintenance']['n_people']:,} were seen "
        f"in maintenance ({went:,} attended some of it voluntarily). {by[0].upper()}{by[1:]}."
    )


def _notes(people: SurvivalData) -> list[Note]:
    text = "Who goes on to maintenance is not chosen by lot; time-varying confounding remains in both analyses."
    others = [note for note in people.notes if note.code != "time_varying_confounding"]
    return [*others, Note("time_varying_confounding", text)]
