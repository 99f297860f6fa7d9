"""Everybody under each regime, from people at constant rates: against integrals of what the rates do."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad

import outcomes as oc
from outcomes.comparison.regime_models import ELIGIBLE, REGIME, TARGET, laid_out
from outcomes.comparison.regime_starts import starts_under
from outcomes.comparison.regime_worlds import regime_worlds

ARMS, HORIZON, PEOPLE = ("m", "b"), 2.0, 30_000
RATE, WORSE = 0.25, 1.8
AFTER = {"m": 0.8, "b": 0.4}
FIRST, LATER = {"m": 0.2, "b": 0.4}, {"m": 0.5, "b": 1.5}
"""Chance of starting on time zero, and rate later, of those admitted; nobody else starts m."""


def risk(arm: str | None, worse: bool, admitted: bool) -> tuple[float, float]:
    """Return the chance of the event by the horizon, and of having started, under the regime of an arm or of none."""
    before = RATE * (WORSE if worse else 1.0)
    if arm is None or not admitted:
        return -np.expm1(-before * HORIZON), 0.0
    after, rate = before * AFTER[arm], LATER[arm]
    waiting = quad(lambda s: before * np.exp(-(before + rate) * s), 0, HORIZON)[0]
    later = quad(lambda s: rate * np.exp(-(before + rate) * s) * -np.expm1(-after * (HORIZON - s)), 0, HORIZON)[0]
    begins = rate / (before + rate) * -np.expm1(-(before + rate) * HORIZON)
    at_once = -np.expm1(-after * HORIZON)
    return FIRST[arm] * at_once + (1 - FIRST[arm]) * (waiting + later), FIRST[arm] + (1 - FIRST[arm]) * begins


@lru_cache(maxsize=1)
def drawn() -> oc.SurvivalData:
    """Return people of two regimes, half of them at more risk, a quarter refused by m, in rows cut at their start."""
    rng = np.random.default_rng(2010)
    worse, refused = rng.random(PEOPLE) < 0.5, rng.random(PEOPLE) < 0.25
    regime = np.where(rng.random(PEOPLE) < 0.5, "m", "b")
    admitted = {"m": ~refused, "b": np.ones(PEOPLE, dtype=bool)}
    may = np.where(regime == "m", admitted["m"], True)
    first = may & (rng.random(PEOPLE) < np.vectorize(FIRST.get)(regime))
    start = np.where(first, 0.0, np.where(may, rng.exponential(1 / np.vectorize(LATER.get)(regime)), np.inf))
    due, before = rng.exponential(size=PEOPLE), RATE * np.where(worse, WORSE, 1.0)
    after = before * np.vectorize(AFTER.get)(regime)
    event = np.where(
        due <= before * start, due / before, start + (due - before * np.where(np.isfinite(start), start, 0)) / after
    )
    event = np.where(np.isfinite(start), event, due / before)
    last = np.minimum(event, 3.0)
    begun = start < last
    person = np.arange(PEOPLE)
    same = {
        REGIME: regime,
        TARGET: worse,
        f"{ELIGIBLE}m": admitted["m"],
        f"{ELIGIBLE}b": admitted["b"],
        "worse": worse.astype(float),
    }
    waits = pd.DataFrame(
        {
            "id": person,
            "entry": 0.0,
            "exit": np.minimum(start, last),
            "exposure": "nothing",
            "event": (event <= 3.0) & ~begun,
            **same,
        }
    )
    treated = pd.DataFrame(
        {"id": person, "entry": start, "exit": last, "exposure": regime, "event": event <= 3.0, **same}
    )
    rows = pd.concat([waits[~first], treated[begun]], ignore_index=True).sort_values(["id", "entry"], ignore_index=True)
    rows["exposure"] = pd.Categorical(rows["exposure"], categories=["nothing", *ARMS])
    return oc.survival_data(rows, entry="entry", exit="exit", event="event", id="id", unit="years")


@lru_cache(maxsize=1)
def found() -> dict[str, float]:
    data, models = laid_out(drawn(), ARMS, "worse", "worse", "event", HORIZON)
    return dict(regime_worlds(data, models))


def truth(arm: str | None) -> tuple[float, float]:
    """Return risk and reach of the target: everybody at more risk, of whom a quarter are refused by m."""
    admitted, refused = (risk(arm, worse=True, admitted=may) for may in (True, arm != "m"))
    return 0.75 * admitted[0] + 0.25 * refused[0], 0.75 * admitted[1] + 0.25 * refused[1]


@pytest.mark.parametrize("arm", ARMS)
def test_risk_reach_and_effect_are_those_of_the_rates(arm: str) -> None:
    wanted, reached = truth(arm)
    assert found()[f"risk_{arm}"] == pytest.approx(wanted, abs=0.008)
    assert found()[f"reach_{arm}"] == pytest.approx(reached, abs=0.012)
    assert found()[f"effect_{arm}"] == pytest.approx((wanted - truth(None)[0]) / reached, abs=0.012)


def test_nobody_under_no_regime_starts_anything() -> None:
    assert found()["risk_none"] == pytest.approx(truth(None)[0], abs=0.008)


def test_the_regimes_differ_as_they_should_so_that_taking_one_for_the_other_shows() -> None:
    wanted = truth("b")[0] - truth("m")[0]
    assert wanted < -0.1
    assert found()["difference"] == pytest.approx(wanted, abs=0.01)
    assert found()["from_reach"] + found()["from_effect"] == pytest.approx(found()["difference"])


def test_only_the_target_is_averaged_over() -> None:
    everybody = 0.5 * truth("b")[0] + 0.5 * risk("b", worse=False, admitted=True)[0]
    assert abs(found()["risk_b"] - everybody) > 0.05


def starts(flag: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return the chance of starting on time zero of people with a yes-or-no column, all under the regime of b."""
    people = len(flag)
    rows = pd.DataFrame(
        {"id": np.arange(people), "entry": 0.0, "exit": 3.0, "event": False, "exposure": np.where(first, "b", "nothing"), REGIME: "b",
         TARGET: True, f"{ELIGIBLE}m": True, f"{ELIGIBLE}b": True, "flag": flag.astype(float)}
    )  # fmt: skip
    rows.loc[0, "event"] = True
    rows["exposure"] = pd.Categorical(rows["exposure"], categories=["nothing", *ARMS])
    data, models = laid_out(
        oc.survival_data(rows, entry="entry", exit="exit", event="event", id="id"), ARMS, "", "flag", "event", 2.0
    )
    return starts_under(data, "b", models.starting, np.arange(people), np.linspace(0, 2, 5))[0]


def test_who_starts_is_modelled_by_what_it_hangs_on() -> None:
    flag = np.repeat([False, True], 100)
    first = np.r_[np.arange(100) < 20, np.arange(100) < 70]
    chance = starts(flag, first)
    assert chance[:100] == pytest.approx(0.2, abs=1e-6)
    assert chance[100:] == pytest.approx(0.7, abs=1e-6)


def test_a_level_of_many_none_of_whom_started_tells_that_nobody_like_them_would() -> None:
    flag = np.repeat([False, True], [100, 40])
    chance = starts(flag, np.r_[np.arange(100) < 20, np.zeros(40, dtype=bool)])
    assert (chance[100:] == 0).all()
    assert chance[:100] == pytest.approx(0.2)


def test_one_person_tells_nothing_of_others() -> None:
    flag = np.repeat([False, True], [99, 1])
    chance = starts(flag, np.r_[np.arange(99) < 20, True])
    assert chance == pytest.approx(np.full(100, 0.21))
