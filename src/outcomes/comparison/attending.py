"""Sessions attended of those planned, as it was by the scheduled end or so far: the function people call. Never from the start."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.adjust.case_mix import telling_terms
from outcomes.comparison.course_effect import CourseEffect
from outcomes.comparison.exposure_hazards import counts_by, exposure_rows
from outcomes.comparison.landmark_answers import landmark_rows
from outcomes.comparison.study_questions import asked_of, case_mix_of, margin_of, must_weigh
from outcomes.design.attendance import Attendance, attendance_of, attended_share, scheduled_lengths, share_days
from outcomes.design.cohort import build_cohort
from outcomes.design.course_people import from_later, people_and_courses
from outcomes.design.course_study import asked_of_everyone
from outcomes.design.cutting import cut_rows
from outcomes.design.data import SurvivalData
from outcomes.design.some_people import some_people
from outcomes.durations import days, in_words
from outcomes.errors import DesignError, did_you_mean, one_of
from outcomes.results import Note, read_only
from outcomes.survival.inputs import normal_quantile

if TYPE_CHECKING:
    from outcomes.design.study import Study
    from outcomes.loading.tables import Tables

__all__ = ["AttendanceEffect", "attendance_effect"]

_BY = ("both", "landmark", "cumulative")
_FROM_THE_START = ("start", "time_zero", "baseline", "share")
_BANDS = ("under half", "half to four fifths", "four fifths or more")
_MORE, _LESS = "each tenth of sessions attended", "missed"
_CAVEAT = (
    "Neither shows that sessions did it: who attends more is not chosen by lot, and what leads people to stop (work, motivation, trouble, "
    "risk) may lead to reoffending too. Values at time zero do not adjust for that: time-varying confounding remains."
)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class AttendanceEffect(CourseEffect):
    """What the share of planned sessions attended goes with, by the scheduled end and so far."""

    title: ClassVar[str] = "Sessions attended of those planned"


def attendance_effect(
    tables: Tables,
    study: Study,
    *,
    outcome: str | None = None,
    arm: str | None = None,
    by: str = "both",
    scheduled: float | str | None = None,
    high: float = 0.8,
    at: float | str | None = None,
    formula: str | None = None,
    margin: float | None = None,
    conf_level: float = 0.95,
) -> AttendanceEffect:
    """Compare starters by the share of planned sessions they attended: by the scheduled end, and so far as time goes on.

    Use it to ask about dose. The share attended in the end is not known at the start: who reoffends or leaves early cannot attend
    much, so that classing people by it from the start makes sessions look good whatever they do (immortal time). That is refused.

    Parameters
    ----------
    tables : Tables
    study : Study
        Its conditions, arms (whose core counts), outcomes and adjustment.
    outcome : str, optional
        Default: that of the headline, or the only one.
    arm : str, optional
        Only starters of this arm. Default: of any arm; each then has a baseline hazard of its own.
    by : {"both", "landmark", "cumulative"}
        ``landmark``: the share attended by the scheduled end, in those still followed then. ``cumulative``: the share so far, changing
        with time since the start.
    scheduled : float or str, optional
        How long a course is due to last (days, or text such as ``"9m"``). Default, by programme: the time by which nine in ten of
        those who completed it had.
    high : float
        Share from which attendance counts as high where two groups are compared.
    at : float or str, optional
        Time since the scheduled end by which risks are compared. Default: the headline's horizon (else the study's), or as long as both
        groups were followed if that is less.
    formula : str, optional
        Covariates at time zero. Default: those of ``[adjust]``; ``""``: none.
    margin : float, optional
        Percentage points that would not matter. Default: the headline's, where it is about this outcome.
    conf_level : float

    Returns
    -------
    AttendanceEffect
        ``to_frame()`` has hazard ratios a tenth of the planned sessions (``time_varying``: so far; ``landmark``: by the scheduled end),
        and hazard ratio and risk difference of high against low attendance (``landmark``); ``counts()`` what was observed by share so
        far (with ``by="landmark"``: by share at the scheduled end).

    Raises
    ------
    DesignError
        Attendance from the start is asked; nobody's sessions are recorded, or nobody was followed after the scheduled end; no such
        arm or outcome.
    NotSupportedError
        [adjust] makes arms alike by something else than weighting.

    Notes
    -----
    Courses are the first core, adapted or individual one of an arm that a person started. Only sums of sessions are recorded:
    they are taken to lie evenly from the start to the end of attendance, and the share so far moves in tenths. Whoever stops some days
    after a session counts as a little behind before (of 50 sessions in 300 days that do nothing the ratio a tenth comes out as 0.99).
    Follow-up starts at the scheduled end, or at the start, or with release where that came later. The days from release
    or sentence to it are one more covariate. A hazard ratio a tenth takes each tenth to do the same.

    References
    ----------
    Anderson, Cain & Gelber (1983), Journal of Clinical Oncology 1:710 (landmarks); Suissa (2008), American Journal of Epidemiology
    167:492 (immortal time).

    Examples
    --------
    >>> import outcomes as oc
    >>> tables, study = oc.load_tables("data/synthetic"), oc.read_study("notebooks/study.toml")  # doctest: +SKIP
    >>> print(oc.attendance_effect(tables, study, arm="manualised").describe())  # doctest: +SKIP
    """
    what = "attendance_effect"
    name, horizon = asked_of(tables, study, outcome, at, what)
    _check(study, arm, by, high)
    mix = case_mix_of(study, formula, what)
    if mix and study.adjust is not None:
        must_weigh(study, what)
    normal_quantile(conf_level)
    length = None if scheduled is None else days(scheduled, what=f"{what}: scheduled")
    margin = margin_of(study, name) if margin is None else margin
    cohort = build_cohort(tables, asked_of_everyone(study, name))
    people, _ = people_and_courses(cohort, name)
    found = attendance_of(cohort, people)
    asked = (found.arm >= 0) & (found.arm == (found.arm if arm is None else study.arms.treated.index(arm)))
    usable = asked & found.recorded
    if not usable.any():
        raise DesignError(
            f"{what}: of {int(asked.sum()):,} people who started a core course none has its planned and attended sessions and its end "
            "recorded (table participation)."
        )
    asking = _Asking(people, found, usable, study, mix, name, conf_level)
    parts = [] if by == "landmark" else [_so_far_answers(asking, int(asked.sum()))]
    if by != "cumulative":
        when = horizon if at is not None else None
        parts.append(_by_the_end_answers(asking, length, high, when, horizon, margin))
    return _result(asking, parts, _left_out(people, asked, usable), margin)


@dataclass(frozen=True)
class _Asking:
    """What both ways share: everyone from release or sentence, their attendance, whose is recorded, and what is adjusted for."""

    people: SurvivalData
    found: Attendance
    usable: Any
    study: Study
    mix: str
    cause: str
    conf_level: float


@dataclass(frozen=True)
class _Part:
    """What one way gives: rows, notes, a sentence on who was followed, and what was observed by share."""

    rows: list[dict[str, Any]]
    notes: tuple[Note, ...]
    lead: str
    spent: Any


def _so_far_answers(asking: _Asking, started: int) -> _Part:
    data = _so_far(asking.people, asking.found, asking.usable, asking.study.arms.treated)
    rows, notes = _by_tenth(data, asking, "time_varying", "By the share attended so far")
    lead = f"{len(data.baseline):,} people were followed from the start of a core course ({started:,} started one)."
    return _Part(rows, notes, lead, counts_by(data, "attended", _BANDS, asking.cause))


def _by_the_end_answers(
    asking: _Asking, length: float | None, high: float, at: float | None, default: float, margin: float | None
) -> _Part:
    data = _by_the_end(asking.people, asking.found, asking.usable, asking.study.arms.treated, length)
    when = "the scheduled end" if length is None else f"{in_words(length)} after the start"
    rows, notes = _by_tenth(data, asking, "landmark", f"By the share attended by {when}, in those still followed then")
    two = _two_groups(data, high)
    text = f"Of those still followed at {when}, low attendance being under {100 * high:g} % of the planned sessions, from then on"
    groups, more = landmark_rows(
        two, _formula(asking.mix, two), asking.study.adjust, cause=asking.cause, at=at, default=default, said=text,
        conf_level=asking.conf_level, margin=margin,
    )  # fmt: skip
    half = 10 * data.baseline["attended_tenths"].median()
    lead = (
        f"{len(data.baseline):,} were still followed at {when}; half of them had attended {half:.0f} % or more by then."
    )
    return _Part([*rows, *groups], (*notes, *more), lead, counts_by(data, "attended", _BANDS, asking.cause))


def _result(asking: _Asking, parts: list[_Part], notes: list[Note], margin: float | None) -> AttendanceEffect:
    import pandas as pd

    return AttendanceEffect(
        frame=pd.DataFrame([row for part in parts for row in part.rows]),
        time_spent=parts[0].spent,
        labels=MappingProxyType({**asking.people.labels, "unit": "days"}),
        lead=" ".join(part.lead for part in parts),
        caveat=_CAVEAT,
        conf_level=asking.conf_level,
        margin=margin,
        notes=tuple(dict.fromkeys([*notes, *(note for part in parts for note in part.notes)])),
        provenance=MappingProxyType({"study": asking.study.hash, "formula": asking.mix}),
    )


def _check(study: Study, arm: str | None, by: str, high: float) -> None:
    if by in _FROM_THE_START:
        raise DesignError(
            f"attendance_effect: by={by!r}: the share of sessions attended is not known at the start. Who reoffends or leaves early cannot "
            "attend much, so that classing people by it from the start makes sessions look good whatever they do (immortal time). Take "
            "by='landmark' (the share by the scheduled end, in those still followed then) or by='cumulative' (the share so far, changing "
            "with time)."
        )
    one_of(by, _BY, what="attendance_effect: by", error=DesignError)
    if isinstance(high, bool) or not 0 < high <= 1:
        raise DesignError(f"attendance_effect: high is a share above 0 and at most 1, such as 0.8; got {high!r}.")
    if arm is not None and arm not in study.arms.treated:
        raise DesignError(
            f"attendance_effect: the study has no arm {arm!r} with programmes. {did_you_mean(arm, study.arms.treated)}"
        )


def _left_out(people: SurvivalData, asked: Any, usable: Any) -> list[Note]:
    notes = [note for note in people.notes if note.code != "time_varying_confounding"]
    if unknown := int((asked & ~usable).sum()):
        text = (
            f"{unknown:,} people who started a core course are left out: their sessions, or its end, are not recorded."
        )
        notes.append(Note("sessions_unknown", text))
    even = "Sessions are taken to lie evenly from the start to the end of attendance: only their sums are recorded."
    lot = "Who attends more is not chosen by lot; time-varying confounding remains in every analysis of attendance."
    return [*notes, Note("sessions_even", even), Note("time_varying_confounding", lot)]


def _so_far(people: SurvivalData, found: Attendance, usable: Any, arms: tuple[str, ...]) -> SurvivalData:
    """Return starters from their start on, cut where the share so far reaches another tenth: column ``attended_tenths``."""
    start = np.where(usable, np.maximum(found.start, 0.0), np.inf)
    data, kept = from_later(people, start)
    _somebody(kept, "after the start of a core course")
    place = np.full(len(start), -1)
    place[kept] = np.arange(len(kept))
    whose, on = share_days(found)
    mine = place[whose] >= 0
    person_of, day = place[whose[mine]], on[mine] - start[whose[mine]]
    row, begin, end, after = cut_rows(data.person, data.entry, data.exit, person_of, day)
    person = data.person[row]
    share = attended_share(found, kept[person], after + start[kept][person])
    tenths = np.floor(10 * share + 1e-9)
    last = np.r_[row[1:] != row[:-1], True]
    known = {"core_arm": np.array(arms, dtype=object)[found.arm[kept]], "days_to_it": start[kept]}
    cut = replace(
        data,
        entry=read_only(begin),
        exit=read_only(end),
        event=read_only(np.where(last, data.event[row], 0), np.int64),
        person=read_only(person, np.int64),
        baseline=data.baseline.assign(**known),
        frame=data.frame.iloc[row]
        .reset_index(drop=True)
        .assign(**{key: values[person] for key, values in known.items()}),
        varying=("attended_tenths", "attended"),
    )
    return replace(cut, frame=cut.frame.assign(attended_tenths=tenths, attended=_bands(tenths / 10)))


def _by_the_end(
    people: SurvivalData, found: Attendance, usable: Any, arms: tuple[str, ...], length: float | None
) -> SurvivalData:
    """Return starters still followed at the scheduled end, from it on, with the share attended by then: ``attended_tenths``."""
    due = found.start + (scheduled_lengths(found) if length is None else length)
    due = np.where(usable & np.isfinite(due), np.maximum(due, 0.0), np.inf)
    data, kept = from_later(people, due)
    _somebody(kept, "after the scheduled end of a core course")
    share = attended_share(found, kept, due[kept])
    known = {
        "core_arm": np.array(arms, dtype=object)[found.arm[kept]],
        "days_to_it": due[kept],
        "attended_tenths": 10 * share,
        "attended": _bands(share),
    }
    rows = {key: values[data.person] for key, values in known.items()}
    return replace(data, baseline=data.baseline.assign(**known), frame=data.frame.assign(**rows))


def _bands(share: Any) -> Any:
    return np.array(_BANDS, dtype=object)[(share >= 0.5 - 1e-9).astype(int) + (share >= 0.8 - 1e-9).astype(int)]


def _somebody(kept: Any, where: str) -> None:
    if not len(kept):
        raise DesignError(
            f"attendance_effect: nobody with recorded sessions was followed {where}, free of the outcome."
        )


def _two_groups(data: SurvivalData, high: float) -> SurvivalData:
    above = (data.baseline["attended_tenths"].to_numpy(dtype=np.float64) >= 10 * high - 1e-9).astype(np.int64)
    return some_people(data, np.arange(len(above)), above, ("low attendance", "high attendance"))


def _formula(mix: str, data: SurvivalData) -> str:
    """Return the case mix with the days to the moment and the arm, without the terms that are the same for everybody."""
    if not mix:
        return ""
    return telling_terms(f"{mix} + days_to_it + C(core_arm)", data.baseline)[0]


def _by_tenth(
    data: SurvivalData, asking: _Asking, analysis: str, said: str
) -> tuple[list[dict[str, Any]], tuple[Note, ...]]:
    """Return the hazard ratio of a tenth of the planned sessions, raw and adjusted."""
    mixed = len(data.baseline["core_arm"].unique()) > 1
    terms = telling_terms(f"{asking.mix} + days_to_it", data.baseline)[0] if asking.mix else ""
    return exposure_rows(
        data, "attended_tenths", {"attended_tenths": (_MORE, _LESS)}, terms, strata="core_arm" if mixed else None,
        said={"attended_tenths": said}, analysis=analysis, cause=asking.cause,
        conf_level=asking.conf_level,
    )  # fmt: skip
