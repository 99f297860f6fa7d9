"""Everybody under each regime, from people at constant rates: against integrals of what the rates do."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from statsmodels.duration.hazard_regression import PHReg

import outcomes as oc
from outcomes.comparison.regime_models import ELIGIBLE, REGIME, TARGET, RegimeModels, laid_out
from outcomes.comparison.regime_starts import handfuls, starts_under
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


def offered(
    flag: np.ndarray,
    first: np.ndarray,
    *,
    later: np.ndarray | None = None,
    refused: np.ndarray | None = None,
    also: np.ndarray | None = None,
) -> tuple[oc.SurvivalData, RegimeModels]:
    """Return people with a yes-or-no column, all under the regime of b: who started on time zero, and when the others did (inf: never)."""
    people, start = len(flag), np.where(first, 0.0, np.inf if later is None else later)
    same = {
        "id": np.arange(people), "event": False, REGIME: "b", TARGET: True, f"{ELIGIBLE}m": True,
        f"{ELIGIBLE}b": True if refused is None else ~refused, "flag": flag.astype(float),
        "also": 0.0 if also is None else also,
    }  # fmt: skip
    waits = pd.DataFrame({"entry": 0.0, "exit": np.minimum(start, 3.0), "exposure": "nothing", **same})[start > 0]
    treated = pd.DataFrame({"entry": start, "exit": 3.0, "exposure": "b", **same})[start < 3]
    rows = pd.concat([waits, treated]).sort_values(["id", "entry"], ignore_index=True)
    rows.loc[len(rows) - 1, "event"] = True
    rows["exposure"] = pd.Categorical(rows["exposure"], categories=["nothing", *ARMS])
    held = oc.survival_data(rows, entry="entry", exit="exit", event="event", id="id")
    return laid_out(held, ARMS, "", "flag" if also is None else "flag + also", "event", 2.0)


def starts(flag: np.ndarray, first: np.ndarray, **more: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each person's chance of starting b on time zero, and the cumulative hazard of starting it in the two years after."""
    data, models = offered(flag, first, **more)
    begun, hazard = starts_under(data, "b", models.starting, np.arange(len(flag)), np.linspace(0, 2, 5))
    return begun, hazard.sum(axis=1)


def test_who_starts_is_modelled_by_what_it_hangs_on() -> None:
    flag = np.repeat([False, True], 100)
    first = np.r_[np.arange(100) < 20, np.arange(100) < 70]
    chance, _ = starts(flag, first)
    assert chance[:100] == pytest.approx(0.2, abs=1e-6)
    assert chance[100:] == pytest.approx(0.7, abs=1e-6)


def test_when_people_start_is_modelled_by_what_it_hangs_on() -> None:
    flag = np.repeat([False, True], 150)
    later = np.random.default_rng(4).exponential(np.where(flag, 0.8, 2.5))
    _, hazard = starts(flag, np.zeros(300, dtype=bool), later=later)
    model = PHReg(np.minimum(later, 3.0), flag.astype(float), status=later < 3, ties="efron").fit()
    assert hazard[150:] / hazard[:150] == pytest.approx(np.exp(model.params[0]), rel=1e-4)
    at_risk = (later[:, None] >= later[later < 2]).T @ np.where(flag, np.exp(model.params[0]), 1.0)
    assert hazard[0] == pytest.approx((1 / at_risk).sum(), rel=1e-4)


def test_those_shut_out_by_the_rules_have_a_chance_of_their_own() -> None:
    refused = np.repeat([False, True], [80, 120])
    chance, hazard = starts(np.tile([False, True], 100), np.arange(200) < 24, refused=refused)
    assert chance[:80] == pytest.approx(24 / 80)
    assert (chance[80:] == 0).all()
    assert (hazard == 0).all()


@pytest.mark.parametrize("starters", [6, 60])
def test_a_level_of_many_none_of_whom_started_tells_that_nobody_like_them_would(starters: int) -> None:
    flag = np.repeat([False, True], [100, 40])
    never = np.full(140, np.inf)
    at_once, none = np.zeros(140, dtype=bool), np.zeros(140, dtype=bool)
    at_once[:starters] = True
    chance, _ = starts(flag, at_once)
    assert (chance[100:] == 0).all()
    assert chance[:100] == pytest.approx(starters / 100)
    never[:starters] = np.linspace(0.1, 1.9, starters)
    _, hazard = starts(flag, none, later=never)
    assert (hazard[100:] == 0).all()
    assert hazard[:100] == pytest.approx((1 / (100 - np.arange(starters))).sum(), rel=1e-6)


def test_where_others_are_modelled_nobody_of_a_level_that_never_starts_would_either() -> None:
    flag, also = np.repeat([False, True], [200, 40]), np.tile([0.0, 1.0], 120)
    later = np.where(flag, np.inf, np.random.default_rng(6).exponential(np.where(also, 0.8, 2.5)))
    _, hazard = starts(flag, np.zeros(240, dtype=bool), later=later, also=also)
    assert (hazard[200:] == 0).all()
    assert (hazard[1:200:2] > 1.5 * hazard[0:200:2]).all()


@pytest.mark.parametrize(("people", "told"), [(1, False), (9, False), (10, True)])
def test_fewer_than_ten_people_tell_nothing_of_others(people: int, told: bool) -> None:
    flag = np.repeat([False, True], [90, people])
    first = np.r_[np.arange(90) < 18, np.ones(people, dtype=bool)]
    data, models = offered(flag, first)
    assert handfuls(data, "b", models.starting) == (0 if told else 1)
    chance, _ = starts(flag, first)
    everybody = first.mean()
    assert chance[90:] == pytest.approx(1.0 if told else everybody)
    assert chance[:90] == pytest.approx(0.2 if told else everybody)
