"""Tests whose hypothesis is true: they must reject one time in twenty."""

from __future__ import annotations

import numpy as np
from drawn_times import censoring, observed, weibull, weighted_by_outcome
from scenario import Found, Key, PValue, Scenario
from scenarios_competing import CAUSES, two_causes
from scenarios_cox import changing, with_covariate
from scenarios_curves import AREAS, as_data, in_areas, two_arms

import outcomes as oc

__all__ = ["OF_TESTS"]

TYPE_I = "rejects at 5 %"


def _sizes(**tests: float) -> dict[Key, Found]:
    return {(name, TYPE_I): PValue(float(value)) for name, value in tests.items()}


def _of_tables(found: dict[Key, Found], frame: object, said: str) -> None:
    for row in frame.to_dict("records"):  # type: ignore[attr-defined]
        found[f"{said}, {row.get('test', row.get('term'))}", TYPE_I] = PValue(float(row["p_value"]))


def _same_arms(rng: np.random.Generator) -> dict[Key, Found]:
    frame = two_arms(rng, 300, 1.0)
    data = as_data(frame)
    found = {
        ("logrank_test", TYPE_I): PValue(oc.logrank_test(data).p_value),
        ("logrank_test, rho 1", TYPE_I): PValue(oc.logrank_test(data, rho=1.0).p_value),
        ("logrank_test, gamma 1", TYPE_I): PValue(oc.logrank_test(data, gamma=1.0).p_value),
        ("logrank_test, robust", TYPE_I): PValue(oc.logrank_test(data, variance="robust").p_value),
        ("max_combo_test", TYPE_I): PValue(oc.max_combo_test(data).p_value),
        ("max_combo_test, robust", TYPE_I): PValue(oc.max_combo_test(data, variance="robust").p_value),
    }
    _of_tables(found, oc.cox(data, "arm").tests(), "cox")
    _of_tables(found, oc.cox(data, "arm", robust=True).tests(), "cox, robust")
    row = oc.compare(oc.kaplan_meier(data), measure="risk_difference", at=730).to_frame().iloc[0]
    return found | {("compare, risk_difference", TYPE_I): PValue(float(row["p_value"]))}


def _three_arms(rng: np.random.Generator) -> dict[Key, Found]:
    arm = np.repeat(["a", "b", "c"], 100)
    data = as_data(observed(weibull(rng, np.ones(300)), censoring(rng, 300), arm=arm))
    trend = oc.logrank_test(data, scores=[0, 1, 2]).p_value
    return {
        ("logrank_test, three arms", TYPE_I): PValue(oc.logrank_test(data).p_value),
        ("logrank_test, trend", TYPE_I): PValue(trend),
    }


def _strata(rng: np.random.Generator) -> dict[Key, Found]:
    """The hazard goes with the stratum, and so does the arm."""
    stratum = rng.integers(0, 3, 300)
    arm = np.where(rng.random(300) < np.array([0.3, 0.5, 0.7])[stratum], "b", "a")
    data = as_data(
        observed(weibull(rng, np.array([0.5, 1.0, 2.0])[stratum]), censoring(rng, 300), arm=arm, stratum=stratum)
    )
    return {
        ("logrank_test, strata", TYPE_I): PValue(oc.logrank_test(data, strata="stratum").p_value),
        ("max_combo_test, strata", TYPE_I): PValue(oc.max_combo_test(data, strata="stratum").p_value),
    }


def _causes(rng: np.random.Generator) -> dict[Key, Found]:
    same = {"a": (1.0, 0.5), "b": (1.0, 0.5)}
    frame = two_causes(rng, 300, same)
    data = as_data(frame, causes=CAUSES)
    found = {
        ("gray_test", TYPE_I): PValue(oc.gray_test(data, cause="first").p_value),
        ("gray_test, rho 1", TYPE_I): PValue(oc.gray_test(data, cause="first", rho=1.0).p_value),
        ("logrank_test, cause-specific", TYPE_I): PValue(oc.logrank_test(data, cause="first").p_value),
    }
    _of_tables(found, oc.fine_gray(data, "arm", cause="first").tests(), "fine_gray")
    return found


def _causes_strata(rng: np.random.Generator) -> dict[Key, Found]:
    stratum = rng.integers(0, 2, 300)
    arm = np.where(rng.random(300) < np.array([0.35, 0.65])[stratum], "b", "a")
    both = np.array([0.8, 2.0])[stratum]
    cause = np.where(rng.random(300) < 0.6, 1, 2)
    data = as_data(observed(weibull(rng, both), censoring(rng, 300), cause, arm=arm, stratum=stratum), causes=CAUSES)
    return {("gray_test, strata", TYPE_I): PValue(oc.gray_test(data, cause="first", strata="stratum").p_value)}


def _sampled(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(weighted_by_outcome(rng, two_arms(rng, 500, 1.0), 0.4))
    found = {
        ("logrank_test, weighted", TYPE_I): PValue(oc.logrank_test(data, weights="w").p_value),
        ("max_combo_test, weighted", TYPE_I): PValue(oc.max_combo_test(data, weights="w").p_value),
    }
    _of_tables(found, oc.cox(data, "arm", weights="w").tests(), "cox, weighted")
    return found


def _areas(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(in_areas(rng, 2 * AREAS, 8, by_area=True, ratio=1.0), cluster="area")
    found = {
        ("logrank_test, by area", TYPE_I): PValue(oc.logrank_test(data).p_value),
        ("max_combo_test, by area", TYPE_I): PValue(oc.max_combo_test(data).p_value),
        ("cox, by area, t", TYPE_I): PValue(float(oc.cox(data, "arm").to_frame()["p_value"].iloc[0])),
    }
    row = oc.compare(oc.kaplan_meier(data), measure="risk_difference", at=730).to_frame().iloc[0]
    return found | {("compare, risk_difference, by area", TYPE_I): PValue(float(row["p_value"]))}


def _few_areas(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(in_areas(rng, 12, 50, by_area=True, ratio=1.0), cluster="area")
    return {
        ("logrank_test, by area", TYPE_I): PValue(oc.logrank_test(data).p_value),
        ("cox, by area, t", TYPE_I): PValue(float(oc.cox(data, "arm").to_frame()["p_value"].iloc[0])),
    }


def _proportional(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(with_covariate(rng, 400))
    found: dict[Key, Found] = {}
    for transform in ("km", "identity", "log", "rank"):
        test = oc.cox(data, "arm + x").proportional_hazards(transform=transform)
        _of_tables(found, test.to_frame().iloc[[-1]], f"proportional_hazards, {transform}")
    _of_tables(found, oc.cox(data, "arm + x").proportional_hazards().to_frame().iloc[:-1], "proportional_hazards, km")
    _of_tables(
        found, oc.cox(data, "arm + x", robust=True).proportional_hazards().to_frame(), "proportional_hazards, robust"
    )
    return found


def _proportional_sampled(rng: np.random.Generator) -> dict[Key, Found]:
    found: dict[Key, Found] = {}
    data = as_data(weighted_by_outcome(rng, with_covariate(rng, 600), 0.4))
    test = oc.cox(data, "arm + x", weights="w").proportional_hazards()
    _of_tables(found, test.to_frame(), "proportional_hazards, weighted")
    return found


def _proportional_changing(rng: np.random.Generator) -> dict[Key, Found]:
    found: dict[Key, Found] = {}
    data = as_data(changing(rng, 400), entry="entry", exit="exit", id="person")
    _of_tables(found, oc.cox(data, "exposed + x").proportional_hazards().to_frame(), "proportional_hazards, start–stop")
    return found


_FEW = "twelve areas of very unequal risk, six an arm: fewer than the 30 the gates are for"

OF_TESTS = (
    Scenario("same arms", "Two arms of 150 people with the same Weibull times.", 300, _same_arms),
    Scenario("same three arms", "Three arms of 100 people with the same Weibull times.", 300, _three_arms, daily=True),
    Scenario(
        "same arms in strata",
        "Three strata of different hazards, which go with the arm; arms alike within.",
        300,
        _strata,
    ),
    Scenario("same incidences", "Two arms of 150 people with the same two causes.", 300, _causes, daily=True),
    Scenario(
        "same incidences in strata",
        "Two strata of different hazards, which go with the arm; arms alike within.",
        300,
        _causes_strata,
    ),
    Scenario(
        "same arms, sampled by outcome",
        "500 people, of whom all with an event and 40 % of the others are in the sample.",
        380,
        _sampled,
    ),
    Scenario(
        "same arms, areas to arms",
        f"{2 * AREAS} areas with a positive stable frailty, whole areas to an arm.",
        640,
        _areas,
    ),
    Scenario(
        "same arms, few areas",
        "12 areas, whole areas to an arm.",
        600,
        _few_areas,
        reported={"logrank_test, by area": _FEW, "cox, by area, t": _FEW},
    ),
    Scenario(
        "proportional hazards",
        "400 people of two arms with a covariate, both with proportional hazards.",
        400,
        _proportional,
    ),
    Scenario(
        "proportional hazards, sampled by outcome", "600 such people, sampled.", 460, _proportional_sampled, daily=True
    ),
    Scenario(
        "proportional hazards, changing exposure",
        "400 people with an exposure that begins.",
        400,
        _proportional_changing,
    ),
)
