"""What the parts of a study must not say of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.design.attendance_rules import refuse_attendance_from_the_start
from outcomes.design.strategy_rules import refuse_what_looks_ahead
from outcomes.design.time_away import AWAY
from outcomes.errors import DesignError, did_you_mean

if TYPE_CHECKING:
    from outcomes.design.study import FigureSpec, Outcome, Study, TableSpec

__all__ = ["refuse_contradictions"]


def refuse_contradictions(study: Study) -> None:
    """Refuse a study whose parts contradict each other."""
    arms = study.arms
    if arms.reference not in arms.definitions:
        raise DesignError(
            f"[arms] reference {arms.reference!r} is no arm. {did_you_mean(arms.reference, arms.definitions)}"
        )
    if len(arms.definitions) < 2:
        raise DesignError("[arms] needs at least two arms, one table each: bespoke = { family = ['…'] }.")
    for name in ("all", "no arm"):
        if name in arms.definitions:
            raise DesignError(f"[arms] an arm cannot be called {name!r}: the flow counts people under that name.")
    if sum(arm.none for arm in arms.definitions.values()) > 1:
        raise DesignError("[arms] one arm at most can be made of people who started nothing (none = true).")
    for name, arm in arms.definitions.items():
        if arm.none == bool(arm.family or arm.programme or arm.strand):
            raise DesignError(
                f"[arms] {name}: give family, programme or strand; or none = true for people who started nothing."
            )
    if not study.outcomes:
        raise DesignError("[outcomes] names no outcome; write [outcomes.any] with its types.")
    for outcome in study.outcomes.values():
        _consistent_outcome(outcome)
    refuse_attendance_from_the_start(study)
    _consistent_clock(study)
    _consistent_strategy(study)
    if not study.arms_are_fixed:
        refuse_what_looks_ahead(study)
    if study.headline is not None:
        if study.headline.outcome not in study.outcomes:
            raise DesignError(
                f"[headline] outcome {study.headline.outcome!r}. {did_you_mean(study.headline.outcome, study.outcomes)}"
            )
        if study.headline.horizon > study.follow_up.horizon:
            raise DesignError("[headline] horizon lies beyond the horizon of [follow_up].")
    if study.disclosure.policy == "none" and not study.synthetic:
        raise DesignError(
            "[disclosure] policy = 'none' is for invented data only; say synthetic = true in [study] if they are."
        )
    specs: tuple[FigureSpec | TableSpec, ...] = (*study.figures, *study.tables)
    for spec in specs:
        if spec.outcome is not None and spec.outcome not in study.outcomes:
            raise DesignError(f"{spec.name}: outcome {spec.outcome!r}. {did_you_mean(spec.outcome, study.outcomes)}")


def _consistent_outcome(outcome: Outcome) -> None:
    """Refuse an outcome that competes with itself, and a severity that no tier has."""
    where, name = f"[outcomes.{outcome.name}]", outcome.name
    if name == "censored":
        raise DesignError(f"{where} an outcome cannot be called censored.")
    if name in outcome.competing:
        raise DesignError(f"{where} competing: an outcome cannot be called like a competing event ({name!r}).")
    if outcome.kind in outcome.competing:
        raise DesignError(f"{where} competing: {outcome.kind!r} is the outcome itself; it cannot compete with it.")
    if outcome.severity is not None and outcome.severity < 1:
        raise DesignError(f"{where} severity: 1 is the most severe tier; got {outcome.severity}.")


def _consistent_clock(study: Study) -> None:
    """Refuse a clock without time, and an outcome that counts leaving the community while the clock leaves that time out."""
    scale, seen_from = study.follow_up.scale, study.follow_up.observed_from
    if seen_from is not None and seen_from >= study.follow_up.data_cut:
        raise DesignError("[follow_up] observed_from lies on or after data_cut: nobody would be followed.")
    for outcome in study.outcomes.values():
        away = [state for state in AWAY if state in outcome.competing or outcome.kind == state]
        if away and scale != "calendar":
            what = "its event" if outcome.kind == away[0] else "a competing event"
            raise DesignError(
                f"[outcomes.{outcome.name}] counts {away[0]} as {what} while [follow_up] scale = {scale!r} takes time in {away[0]} "
                "out of the clock. One analysis may do one of the two."
            )
        if outcome.rule == "moj_window" and (scale != "calendar" or study.time_zero.strategy != "none"):
            raise DesignError(
                f"[outcomes.{outcome.name}] rule = 'moj_window' counts a year of the calendar from time zero: it goes with [follow_up] "
                "scale = 'calendar' and no [time_zero] strategy."
            )


def _consistent_strategy(study: Study) -> None:
    """Refuse a strategy against immortal time that has nothing to do, or not what it needs."""
    strategy, event = study.time_zero.strategy, study.time_zero.event
    if strategy in ("landmark", "clone_censor_weight") and study.time_zero.grace is None:
        raise DesignError(f"[time_zero] strategy = {strategy!r} needs grace, such as grace = '6m'.")
    _consistent_window(study)
    if strategy != "none" and study.arms.assigned_by != "start":
        raise DesignError(
            f"[time_zero] strategy = {strategy!r} is for arms of people who started; [arms] assigned_by = "
            f"{study.arms.assigned_by!r} classes nobody by a start."
        )
    if strategy != "none" and event in ("start", "referral"):
        raise DesignError(
            f"[time_zero] event = {event!r} starts follow-up with the programme, which leaves strategy = {strategy!r} nothing to do. "
            "Take event = 'release' or 'auto', or no strategy."
        )
    population, by = study.eligibility.population, study.arms.assigned_by
    if by == "provision" and event in ("start", "referral"):
        raise DesignError(
            f"[time_zero] event = {event!r} keeps only people who came to a programme, while [arms] assigned_by = 'provision' compares "
            "everyone where it was on offer. Take event = 'auto', 'release' or 'sentence'."
        )
    if population == "caseload" and by != "provision":
        raise DesignError(
            "[eligibility] population = 'caseload' is everyone with a sentence where and while a programme was on offer, referred or not: "
            f"it needs [arms] assigned_by = 'provision', not {by!r}."
        )
    if population == "own" and by == "provision":
        raise DesignError(
            "[arms] assigned_by = 'provision' has no clients of its own: take [eligibility] population = 'caseload' (everyone) or 'both' "
            "(those whom the entry rules of both arms admit)."
        )


def _consistent_window(study: Study) -> None:
    """Refuse a window for starts where something else says which starts count."""
    if study.arms.window is None:
        return
    if study.time_zero.strategy == "landmark":
        raise DesignError(
            "[arms] window goes without [time_zero] strategy = 'landmark': what was started by the landmark decides the arm, and a shorter "
            "window would take people for untreated who had started by then. Leave window out and let grace say how soon a start counts."
        )
    if study.arms.assigned_by == "provision":
        raise DesignError(
            "[arms] window counts starts or referrals, and assigned_by = 'provision' goes by neither. Leave window out."
        )
