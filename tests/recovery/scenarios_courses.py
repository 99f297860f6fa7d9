"""Courses: who is in which state when, what maintenance does, what sessions do."""

from __future__ import annotations

import numpy as np
import pandas as pd
from drawn_maintenance import DONE, MEAN_DAYS, drawn_attendance, drawn_maintenance
from scenario import Found, Key, Scenario, Truth, interval, log_interval
from small_study import small_study

import outcomes as oc

__all__ = ["OF_COURSES"]

PEOPLE, YEAR, LATER, RATIO = 600, 365, 250, 0.5
_RAW = "maintenance_effect, as it was"


def _effects(frame: pd.DataFrame, who: str) -> dict[Key, Found]:
    """Return rows of an effect by analysis and measure."""
    found: dict[Key, Found] = {}
    for row in frame.to_dict("records"):
        if row["arm"] == "after maintenance":
            continue
        name = f"{who}, as it was" if row["adjustment"] == "raw" else who
        ratio = row["measure"] == "hazard_ratio"
        arm = " by tenth" if str(row["arm"]).startswith("each") else ""
        quantity = f"{row['analysis'].replace('_', ' ')}: {'log hazard ratio' if ratio else 'risk difference'}{arm}"
        found[name, quantity] = log_interval(row) if ratio else interval(row)
    return found


def _going_on(rng: np.random.Generator) -> dict[Key, Found]:
    tables, study = drawn_maintenance(PEOPLE, rng, ratio=RATIO), small_study(horizon=1_500)
    effects = _effects(
        oc.maintenance_effect(tables, study, landmark=180, at=YEAR, formula="").to_frame(), "maintenance_effect"
    )
    at = oc.course_states(tables, study).at(LATER).set_index("state")
    found = {(key[0].removesuffix(", as it was"), key[1]): value for key, value in effects.items()}
    for state in ("completed", "maintenance", "reoffended"):
        found["course_states", f"in {state} on day {LATER}"] = interval(at.loc[state])
    return found


def _states() -> dict[str, float]:
    """Return the share in each state on a day: half plan to go on, on a day of 1 to 149 after completion."""
    since, plans = LATER - DONE, np.arange(1, 150)
    went = np.minimum(plans, since)
    still = np.exp(-(went + RATIO * (since - went)) / MEAN_DAYS)
    never = np.exp(-since / MEAN_DAYS)
    there = 0.5 * np.where(plans <= since, still, 0.0).mean()
    offended = 1 - 0.5 * (still.mean() + never)
    return {"maintenance": there, "reoffended": offended, "completed": 1 - there - offended}


def _confounded(rng: np.random.Generator) -> dict[Key, Found]:
    tables = drawn_maintenance(PEOPLE, rng, ratio=1.0, confounded=True)
    frame = oc.maintenance_effect(
        tables, small_study(horizon=1_500), landmark=180, at=YEAR, formula="prior_sanctions"
    ).to_frame()
    return _effects(frame, "maintenance_effect")


def _sessions(rng: np.random.Generator) -> dict[Key, Found]:
    tables = drawn_attendance(PEOPLE, rng)
    frame = oc.attendance_effect(tables, small_study(horizon=1_500), scheduled=300, at=YEAR, formula="").to_frame()
    return {
        (key[0].removesuffix(", as it was"), key[1]): value
        for key, value in _effects(frame, "attendance_effect").items()
    }


_FREE = np.exp(-YEAR / MEAN_DAYS)
_LOG, _RISK = "log hazard ratio", "risk difference"

OF_COURSES = (
    Scenario(
        name="going on to maintenance",
        said=(
            "everybody completes on day 100; half plan to go on to maintenance within 150 days and do so if free of a reoffence; "
            f"maintenance halves a constant rate; no censoring. Effects from day 180 to {YEAR} days later, or as exposure changes"
        ),
        people=PEOPLE,
        replicate=_going_on,
        truths={
            f"time varying: {_LOG}": Truth(np.log(RATIO)),
            f"landmark: {_LOG}": Truth(np.log(RATIO)),
            f"landmark: {_RISK}": Truth(_FREE - _FREE**RATIO),
            **{f"in {state} on day {LATER}": Truth(value) for state, value in _states().items()},
        },
    ),
    Scenario(
        name="maintenance that does nothing, taken by those at less risk",
        said=(
            "half have more prior sanctions, three times the rate, and go on at a fifth of the chance; maintenance does nothing; "
            "adjusted for prior sanctions"
        ),
        people=PEOPLE,
        replicate=_confounded,
        truths={f"{how}: {what}": Truth(0.0) for how in ("time varying", "landmark") for what in (_LOG, _RISK)},
        reported={_RAW: "those who go on are at less risk: this is what adjustment is for"},
    ),
    Scenario(
        name="sessions that do nothing",
        said=(
            "300 sessions in 300 days; some stop early and nobody attends after a reoffence, at a constant rate; sessions do nothing. "
            "From the scheduled end on, or as sessions add up"
        ),
        people=PEOPLE,
        replicate=_sessions,
        truths={
            f"{how}: {what}": Truth(0.0)
            for how in ("time varying", "landmark")
            for what in (_LOG, _RISK, f"{_LOG} by tenth")
        },
    ),
)  # fmt: skip
