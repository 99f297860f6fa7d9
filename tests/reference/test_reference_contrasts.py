"""Contrasts against R: 2 x 2 tables, survRM2, PSweight's kin, and the worked examples on the Rossi data.

The Rossi data come with lifelines, so those numbers are always checked. Tolerances: closed forms 1e-9, worked examples their
printed digits.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi
from r_numbers import CLOSED_FORM, check, data_set, entries, matrix, same

import outcomes as oc
from outcomes.comparison.evalue import as_risk_ratio
from outcomes.comparison.rare_events import newcombe

NUMBERS = ["estimate", "conf_low", "conf_high"]


def rossi(arm: str = "fin") -> oc.SurvivalData:
    return oc.survival_data(load_rossi(), duration="week", event="arrest", arm=arm, reference=0, unit="weeks")


def row(result: Any, measure: str, **asked: Any) -> pd.Series:
    return oc.compare(result, measure=measure, **asked).to_frame().iloc[0]


def _two_by_two(entry: dict[str, Any]) -> None:
    """Everybody was followed past 24 months: curves there are plain proportions."""
    data = oc.survival_data(
        data_set("recid.csv"), duration="durat", event="fail", arm="workprg", reference=0, unit="months"
    )
    curve, values = oc.kaplan_meier(data), entry["values"]
    frame = curve.at(24)
    assert list(frame["n_events"]) == [values["b"], values["a"]]
    same(1 - frame["estimate"], [values["p0"], values["p1"]], CLOSED_FORM)
    for measure, name, limits in (
        ("risk_difference", "rd", "rd_wald"),
        ("risk_ratio", "rr", "rr_ci"),
        ("odds_ratio", "or", "or_ci"),
    ):
        same(row(curve, measure, at=24)[NUMBERS].astype(float), [values[name], *values[limits]], CLOSED_FORM, measure)
    same(row(curve, "nnt", at=24)["estimate"], values["nnt"], CLOSED_FORM)
    risks, people = np.array([values["p0"], values["p1"]]), np.array([values["n0"], values["n1"]])
    same(newcombe(risks, people, 0.95), values["rd_newcombe"], CLOSED_FORM, "Newcombe")


@pytest.mark.parametrize("entry", entries("proportions_tables", "table2x2"))
def test_risk_contrasts_agree_with_r_on_a_two_by_two_table(entry: dict[str, Any]) -> None:
    check(entry, {r"table2x2\.recid24\.workprg": _two_by_two})


RMST = {
    "rossi": ("week", "arrest", "fin"),
    "recid": ("durat", "fail", "workprg"),
    "uis575": ("time", "event", "treat"),
    "vermont": ("days", "event", "property_crime"),
}


@pytest.mark.parametrize("entry", entries("rmst", r"rmst\."))
def test_restricted_mean_contrasts_agree_with_survrm2(entry: dict[str, Any]) -> None:
    found = re.fullmatch(r"rmst\.(\w+)\.tau(\d+)", entry["id"])
    assert found is not None
    duration, event, arm = RMST[found[1]]
    data = oc.survival_data(data_set(entry["file"]), duration=duration, event=event, arm=arm, reference=0)
    means, theirs = oc.rmst(data, horizon=float(found[2])), matrix(entry["values"]["unadjusted"])
    for measure, line in (("rmst_difference", 0), ("rmst_ratio", 1)):
        ours = row(means, measure)[[*NUMBERS, "p_value"]].astype(float)
        same(ours, theirs.iloc[line].astype(float), CLOSED_FORM, measure)


def test_rossi_risk_difference_and_ratio_at_one_year() -> None:
    curve = oc.kaplan_meier(rossi())
    gap = row(curve, "risk_difference", at=52)
    assert list(gap[[*NUMBERS, "std_error"]]) == pytest.approx(
        [-0.08333333, -0.166083522, -0.000583145, 0.04222026], abs=6e-9
    )
    assert list(row(curve, "risk_ratio", at=52)[NUMBERS]) == pytest.approx([0.7272727, 0.5278897, 1.0019624], abs=6e-8)
    assert row(curve, "nnt", at=52)["estimate"] == pytest.approx(-12)


def test_rossi_restricted_mean_contrasts() -> None:
    means = oc.rmst(rossi(), horizon=52)
    gap = row(means, "rmst_difference")
    assert list(gap[NUMBERS]) == pytest.approx([2.0416667, -0.3358637, 4.419197], abs=6e-7)
    assert gap["p_value"] == pytest.approx(0.09235804, abs=6e-9)
    assert list(row(means, "rmst_ratio")[NUMBERS]) == pytest.approx([1.045539, 0.9925057, 1.101406], abs=6e-7)
    earlier = row(oc.rmst(rossi(), horizon=40), "rmst_difference")
    assert list(earlier[NUMBERS]) == pytest.approx([1.2268519, -0.3728454, 2.826549], abs=6e-7)


def test_rossi_hazard_ratio_is_that_of_the_published_cox_model() -> None:
    model = oc.cox(rossi(), "fin + age + race + wexp + mar + paro + prio")
    found = row(model, "hazard_ratio")
    assert np.log(found["estimate"]) == pytest.approx(-0.3794222, abs=6e-8)
    assert found["std_error"] == pytest.approx(0.1913795, abs=6e-8)
    robust = row(model, "hazard_ratio", variance="robust")
    assert robust["std_error"] == pytest.approx(0.1955418, abs=6e-8)


WEIGHTED = {  # R: weighted survfit(robust = TRUE) at week 52 and robust coxph; programme = work experience
    "ate": ((0.6836281, 0.7017639), (0.04631315, 0.04370974), (-0.1087362, 0.2504702)),
    "att": ((0.6975340, 0.7894737), (0.06394346, 0.02594021), (-0.4458827, 0.2862557)),
    "atc": ((0.6648649, 0.5896937), (0.0347049, 0.06855463), (0.1972541, 0.2584422)),
    "ato": ((0.6882994, 0.7195714), (0.03697118, 0.03615298), (-0.177537, 0.207814)),
    "atm": ((0.7004614, 0.7264240), None, (-0.1608114, 0.2093803)),
}


@pytest.mark.parametrize("estimand", WEIGHTED)
def test_rossi_weighted_contrasts_with_weights_as_known(estimand: str) -> None:
    data = rossi("wexp")
    weights = oc.weight(data, "age + race + mar + paro + prio", estimand=estimand)
    curve = oc.kaplan_meier(data, weights=weights)
    free, errors, log_hazard = WEIGHTED[estimand]
    assert list(curve.at(52)["estimate"]) == pytest.approx(free, abs=6e-8)
    found = row(curve, "risk_difference", at=52, variance="robust")
    assert found["estimate"] == pytest.approx(free[0] - free[1], abs=1.2e-7)
    if errors is not None:
        assert found["std_error"] == pytest.approx(float(np.hypot(*errors)), abs=1e-7)
    model = row(oc.cox(data, "wexp", weights=weights), "hazard_ratio", variance="robust")
    assert [np.log(model["estimate"]), model["std_error"]] == pytest.approx(log_hazard, abs=6e-7)


def test_rossi_stacked_standard_errors_are_near_the_bootstrap_that_refits_the_score() -> None:
    """R: 2,000 resamples: 0.0472 and 0.0407 by arm, 0.0616 of the difference; the stacked ones are asymptotic."""
    data = rossi("wexp")
    curve = oc.kaplan_meier(data, weights=oc.weight(data, "age + race + mar + paro + prio", estimand="ate"))
    arms = np.sqrt(np.diag(curve.arm_estimates([52], variance="stacked").covariance[0]))
    assert list(arms) == pytest.approx([0.0472, 0.0407], rel=0.15)
    stacked, known = (row(curve, "risk_difference", at=52, variance=v)["std_error"] for v in (None, "robust"))
    assert stacked == pytest.approx(0.0616, rel=0.15)
    assert stacked < known


E_VALUES = [  # R: EValue 4.1
    ((3.9, 1.8, 8.7), {}, (7.263034, 3.0)),
    ((0.80, 0.71, 0.91), {}, (1.809017, 1.428571)),
    ((0.56, 0.46, 0.69), {"measure": "hazard_ratio"}, (2.349531, 1.9080039)),
    ((0.56, 0.46, 0.69), {"measure": "hazard_ratio", "rare": True}, (2.970223, 2.256198)),
    ((0.86, 0.75, 0.99), {"measure": "odds_ratio"}, (1.3689529, 1.0761939)),
]


@pytest.mark.parametrize(("ratio", "asked", "expected"), E_VALUES)
def test_e_values(ratio: tuple[float, float, float], asked: dict[str, Any], expected: tuple[float, float]) -> None:
    found = oc.e_value(*ratio, **asked)
    assert (found.estimate, found.limit) == pytest.approx(expected, abs=6e-7)


def test_risk_ratios_that_hazard_ratios_of_a_common_outcome_stand_for() -> None:
    found = [as_risk_ratio(x, measure="hazard_ratio") for x in (0.56, 0.46, 0.69)]
    assert found == pytest.approx([0.670084, 0.585935, 0.7735267], abs=6e-7)


def test_e_value_of_a_cohort_of_smokers_from_counts() -> None:
    """EValue::evalues.RD on n11 = 397 of 78,954 and n01 = 51 of 108,829: the estimate's E-value is that of the risk ratio."""
    assert oc.e_value((397 / 78954) / (51 / 108829), 8.0, 14.4).estimate == pytest.approx(20.94733, abs=6e-6)
