"""Whom a study compares, worked out by hand: sentence by sentence with plain loops, from the rules and not from the library.

Tables are lists of rows, a row is a dict, a missing cell is None, days are whole numbers. How the people so found were followed is
in `by_hand_time`.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from outcomes.design.study import ArmSpec, Condition, Study

Row = dict[str, Any]
Lists = dict[str, list[Row]]

BANDS = ["very_low", "low", "medium", "high", "very_high"]
DENIALS = ["none", "partial", "full"]
OPERATORS = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "in": lambda cell, values: cell in values, "not in": lambda cell, values: cell not in values,
}  # fmt: skip
FAILED = {
    "==": "is not", "!=": "is", "<": "is not below", "<=": "is above", ">": "is not above", ">=": "is below",
    "in": "is none of", "not in": "is one of",
}  # fmt: skip


class ImmortalTime(Exception):
    """The study classes somebody by what came after their time zero."""


@dataclass
class Told:
    """What is said of one sentence: its arm, when its follow-up starts, why it left (None: it is compared), and how far it came."""

    sentence: int
    person: int
    arm: str | None = None
    time_zero: int | None = None
    reason: str | None = None
    steps_passed: int = 0
    sentence_date: int = 0
    known: Row | None = None


def as_lists(frames: dict[str, pd.DataFrame]) -> Lists:
    """Return tables as lists of rows."""
    return {
        name: [
            {column: None if pd.isna(cell) else cell for column, cell in row.items()}
            for row in frame.astype(object).to_dict("records")
        ]
        for name, frame in frames.items()
    }


def compared_by_hand(tables: Lists, study: Study, origin: str) -> list[Told]:
    """Return what is said of every index sentence: one a person, or every one where the study asks for all.

    Raises
    ------
    ImmortalTime
        Somebody is classed by what came after time zero.
    """
    every = []
    for sentence in tables["sentences"]:
        taken = _assigned(sentence, tables, study)
        zero = _time_zero(sentence, taken, study)
        if study.arms.assigned_by == "provision":
            taken = _on_offer(sentence, zero, taken, tables, study)
        if taken["arm"] is not None and None not in (zero, taken["on"]) and taken["on"] > zero:
            raise ImmortalTime
        every.append(_told(sentence, zero, taken, tables, study, origin))
    if study.eligibility.index == "all":
        return every
    chosen: dict[int, Told] = {}
    for told in sorted(every, key=lambda t: (t.sentence_date, t.sentence)):
        if told.person not in chosen or told.steps_passed > chosen[told.person].steps_passed:
            chosen[told.person] = told
    return list(chosen.values())


def _at_liberty(sentence: Row) -> int | None:
    return sentence["release_date"] if sentence["setting"] == "custody" else sentence["sentence_date"]


def _belongs(spec: ArmSpec, programme: Row) -> bool:
    if spec.none:
        return False
    if spec.family and programme["family_id"] not in spec.family:
        return False
    return not spec.strand or programme["strand"] in spec.strand


def programmes_by_arm(tables: Lists, study: Study) -> dict[int, str]:
    """Return the arm of each programme that belongs to one."""
    return {
        programme["programme_id"]: arm
        for programme in tables["programmes"]
        for arm, spec in study.arms.definitions.items()
        if _belongs(spec, programme)
    }


def _untreated(study: Study) -> str | None:
    return next((arm for arm, spec in study.arms.definitions.items() if spec.none), None)


def _assigned(sentence: Row, tables: Lists, study: Study) -> Row:
    """Return the arm of the first start (referral) that counts, and what belongs to it."""
    arm_of = programmes_by_arm(tables, study)
    referred = {row["referral_id"]: row["referral_date"] for row in tables["referrals"]}
    starts = [
        {"on": row["start_date"], "id": row["participation_id"], "arm": arm_of.get(row["programme_id"]),
         "start": row["start_date"], "referral": referred.get(row["referral_id"])}
        for row in tables["participation"] if row["sentence_id"] == sentence["sentence_id"]
    ]  # fmt: skip
    referrals = [
        {"on": row["referral_date"], "id": row["referral_id"], "arm": arm_of.get(row["programme_id"]), "start": None,
         "referral": row["referral_date"]}
        for row in tables["referrals"] if row["sentence_id"] == sentence["sentence_id"]
    ]  # fmt: skip
    steps = referrals if study.arms.assigned_by == "referral" else starts
    window = study.time_zero.grace if study.time_zero.strategy == "landmark" else study.arms.window
    free = _at_liberty(sentence)
    if window is not None and free is not None:
        steps = [step for step in steps if step["on"] <= free + window]
    steps = sorted(steps, key=lambda step: (step["on"], step["id"]))
    mine = [step for step in steps if step["arm"] is not None]
    if not mine:
        arm = None if steps else _untreated(study)
        return {"arm": arm, "on": None, "start": None, "referral": None, "both": False}
    first = dict(mine[0], both=any(step["arm"] != mine[0]["arm"] for step in mine))
    if study.arms.assigned_by == "referral":
        begun = sorted(start["on"] for start in starts if start["arm"] == first["arm"])
        first["start"] = begun[0] if begun else None
    return first


def _on_offer(sentence: Row, zero: int | None, taken: Row, tables: Lists, study: Study) -> Row:
    """Return the arm whose programmes were open in the area on the day of time zero."""
    arm_of = programmes_by_arm(tables, study)
    arms = set()
    for row in tables["provision"]:
        if zero is None or row["area"] != sentence["area"] or row["programme_id"] not in arm_of:
            continue
        if row["open_from"] <= zero and (row["open_to"] is None or zero <= row["open_to"]):
            arms.add(arm_of[row["programme_id"]])
    return dict(taken, arm=min(arms) if arms else _untreated(study), both=len(arms) > 1, on=zero)


def _time_zero(sentence: Row, taken: Row, study: Study) -> int | None:
    event, free = study.time_zero.event, _at_liberty(sentence)
    landmark = study.time_zero.strategy == "landmark"
    alike = _untreated(study) is not None or study.arms.assigned_by == "provision" or landmark
    if event == "auto" and alike:
        event = "release"
    if event == "auto":  # nobody is followed from before release or sentence
        zero = None if None in (taken["on"], free) else max(taken["on"], free)
    else:
        choices = {"release": free, "sentence": sentence["sentence_date"], **taken}
        zero = choices[event]
    return zero if zero is None or not landmark else zero + int(study.time_zero.grace)


def _told(sentence: Row, zero: int | None, taken: Row, tables: Lists, study: Study, origin: str) -> Told:
    told = Told(sentence["sentence_id"], sentence["person_id"], taken["arm"], zero)
    told.sentence_date = sentence["sentence_date"]
    told.known = _known(sentence, zero, taken, tables, study, origin)
    for reason, leaves in _reasons(told, taken, tables, study):
        if leaves:
            told.reason = reason
            return told
        told.steps_passed += 1
    return told


def _known(sentence: Row, zero: int | None, taken: Row, tables: Lists, study: Study, origin: str) -> Row:
    """Return what was known on the day follow-up starts."""
    person = next(row for row in tables["people"] if row["person_id"] == sentence["person_id"])
    free = _at_liberty(sentence)
    known = {**person, **sentence, "start_date": taken["start"], "referral_date": taken["referral"]}
    known["age_at_time_zero"] = (
        None if zero is None else sentence["age_at_sentence"] + (zero - sentence["sentence_date"]) / 365.25
    )
    known["wait_days"] = None if None in (zero, free) else float(zero - free)
    known["period"] = None if zero is None else _period(zero, origin)
    for column, name, severity in (
        ("score", "risk_score", None), ("band", "risk_band", BANDS), ("denial", "denial", DENIALS),
        ("learning_disability", "learning_disability", [False, True]),
    ):  # fmt: skip
        known[name] = _last(column, severity, sentence["person_id"], zero, tables, study)
    arm_of = programmes_by_arm(tables, study)
    for arm in study.arms.names:
        mine = [programme for programme, its in arm_of.items() if its == arm]
        if mine:
            known[f"eligible_{arm}"] = _eligible(mine, known, zero, tables)
    return known


def _period(day: int, origin: str) -> str:
    if origin != "1970-01-01":
        return f"year {math.floor(day / 365.25)}"
    return str(date.fromordinal(date(1970, 1, 1).toordinal() + day).year)


def _last(column: str, severity: list[Any] | None, person: int, zero: int | None, tables: Lists, study: Study) -> Any:
    """Return the last value on or before time zero; of two on one day, the more severe."""
    window = study.eligibility.covariate_window
    best: Any = None
    for row in tables["assessments"]:
        if row["person_id"] != person or row[column] is None or zero is None or row["date"] > zero:
            continue
        if window is not None and row["date"] < zero - window:
            continue
        rank = row[column] if severity is None else severity.index(row[column])
        if best is None or (row["date"], rank) > best:
            best = (row["date"], rank)
    if best is None:
        return None
    return best[1] if severity is None else severity[best[1]]


def _eligible(programmes: list[int], known: Row, zero: int | None, tables: Lists) -> str:
    """Return whether some programme of an arm does not exclude a person: yes, no, or unknown."""
    day = zero if known["referral_date"] is None else known["referral_date"]
    answers = []
    for programme in programmes:
        excluded = unknown = False
        for rule in tables["eligibility"]:
            if rule["programme_id"] != programme or not _in_force(rule, day):
                continue
            cell = known[rule["column"]]
            if cell is None:
                unknown = True
            else:
                excluded |= OPERATORS[rule["operator"]](cell, _value(rule["value"], cell, rule["operator"]))
        answers.append("no" if excluded else "unknown" if unknown else "yes")
    return next(answer for answer in ("yes", "unknown", "no") if answer in answers)


def _in_force(rule: Row, day: int | None) -> bool:
    if rule["valid_from"] is not None and (day is None or day < rule["valid_from"]):
        return False
    return rule["valid_to"] is None or (day is not None and day <= rule["valid_to"])


def _value(text: str, like: Any, how: str) -> Any:
    values = [part == "true" if isinstance(like, bool) else type(like)(part) for part in text.split("|")]
    return values if how in ("in", "not in") else values[0]


def _reasons(told: Told, taken: Row, tables: Lists, study: Study) -> list[tuple[str, bool]]:
    """Return every reason to leave in order, and whether it holds."""
    arms, zero, known = study.arms, told.time_zero, told.known or {}
    proving = max(outcome.proving_period for outcome in study.outcomes.values())
    if study.headline is not None:
        proving = study.outcomes[study.headline.outcome].proving_period
    gone = [row["exit_date"] for row in tables["exits"] if row["person_id"] == told.person]
    did = "referred to" if arms.assigned_by == "referral" else "started"
    without_arm, not_yet = (_without_arm(study, did), told.arm is None), ("not released or started yet", zero is None)
    if arms.assigned_by == "provision":  # what is on offer is asked on the day of release
        reasons = [not_yet, without_arm, ("programmes of two arms on offer there and then", taken["both"])]
    elif arms.if_both == "exclude":
        reasons = [without_arm, (f"{did} programmes of both arms", taken["both"]), not_yet]
    else:
        reasons = [without_arm, not_yet]
    reasons += [
        ("left observation before time zero", zero is not None and any(day < zero for day in gone)),
        (
            "no follow-up before the data cut less the proving period",
            zero is not None and zero >= study.follow_up.data_cut - proving,
        ),
    ]
    for condition in study.eligibility.include:
        reasons += _included(condition, known)
    if study.eligibility.population == "both":
        for arm in arms.names:
            if f"eligible_{arm}" in known:
                reasons.append((f"not eligible for {arm} by its entry rules", known[f"eligible_{arm}"] == "no"))
                reasons.append((f"eligibility for {arm} unknown", known[f"eligible_{arm}"] == "unknown"))
    return reasons


def _included(condition: Condition, known: Row) -> list[tuple[str, bool]]:
    cell, name = known[condition.column], condition.column.replace("_", " ")
    shown = ", ".join(map(str, condition.value)) if isinstance(condition.value, tuple) else condition.value
    fails = cell is not None and not OPERATORS[condition.operator](cell, condition.value)
    return [(f"{name} {FAILED[condition.operator]} {shown}", fails), (f"{name} unknown", cell is None)]


def _without_arm(study: Study, did: str) -> str:
    if study.arms.assigned_by == "provision":
        return "no programme of an arm on offer there and then"
    return f"{did} {'no programme of an arm' if _untreated(study) is None else 'a programme that belongs to no arm'}"
