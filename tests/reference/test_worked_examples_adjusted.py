"""Adjusted curves in worked examples: Rossi, primary biliary cirrhosis, and monoclonal gammopathy with competing deaths.

Numbers are those of R's riskRegression::ate (2022.11.28). Two things of that version stand between it and its own formulas:

- censorings at one time are each a time of their own there, so that a tie of two counts four times in the augmentation: on the gammopathy
  data, in whole months, its doubly robust incidence at 240 months is 0.0954, and by hand from its own predictions 0.1022;
- where event times are tied, its influence functions of Cox coefficients are too short (see test_reference_weights).

Without ties both agree. It takes S and G just before each censoring where we take them after it, as F is taken, and lets each cause jump
by S(t-) times its hazard where we let causes share 1 - exp(-hazard): differences of the order of one over the number at risk.
"""

from __future__ import annotations

import numpy as np
import pytest
from lifelines.datasets import load_rossi
from r_data import r_data
from r_numbers import data_set, folder

import outcomes as oc

close = np.testing.assert_allclose
SCORE = "age + race + mar + paro + prio"
ROSSI = {
    "g-formula": ([0.2707369, 0.2392774], -0.03145951, 0.04531844, 0.02),
    "iptw": ([0.3132775, 0.2935808], -0.01969672, 0.0585275, 1e-6),
    "aipw": ([0.3134512, 0.2799809], -0.03347032, 0.04924365, 0.002),
}
PBC = {
    "g-formula": ([0.5599487, 0.5896536], 1e-6, 0.0387925, 0.01),
    "iptw": ([0.5476876, 0.5524049], 1e-6, 0.0797586, 1e-3),
    "aipw": ([0.5678877, 0.5759768], 0.008, 0.0682780, 0.015),
}
BY_HAND_IN_R = {60: [0.03824125, 0.03030701], 120: [0.07246149, 0.05667657], 240: [0.1021865, 0.09296313]}
UNTIED = {
    "g-formula": (
        [[0.0343094978, 0.0693454167, 0.1092090580], [0.0316223616, 0.0600438870, 0.0876451407]],
        [0.00606284654, 0.01156885291, 0.01686160595],
    ),
    "iptw": (
        [[0.0366904057, 0.0732665652, 0.1051286140], [0.0290164596, 0.0566799555, 0.0964562332]],
        [0.00958071818, 0.01381078290, 0.01977709352],
    ),
    "aipw": (
        [[0.0366688689, 0.0725664277, 0.1025674546], [0.0290318950, 0.0567506771, 0.0933917742]],
        [0.00955822052, 0.01371962513, 0.01889743317],
    ),
}


@pytest.mark.parametrize("method", ROSSI)
def test_work_before_prison_by_week_51(method: str) -> None:
    risks, gap, error, tolerance = ROSSI[method]
    data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="wexp", reference=0, unit="weeks")
    curves = oc.adjusted_curves(data, outcome=f"arm + {SCORE}", treatment=SCORE, estimand="ate", method=method)
    close(curves.at(51)["estimate"], risks, atol=5e-8)
    row = oc.compare(curves, measure="risk_difference", at=51).to_frame().iloc[0]
    close(row["estimate"], gap, atol=5e-9)
    close(row["std_error"], error, rtol=tolerance)


@pytest.mark.parametrize("method", PBC)
def test_primary_biliary_cirrhosis_at_ten_years(method: str) -> None:
    risks, tolerance, error, error_tolerance = PBC[method]
    frame = r_data("survival", "pbc").head(312)
    frame = frame.assign(log_bili=np.log(frame["bili"]), dead=1 * (frame["status"] == 2), trt=frame["trt"].astype(int))
    data = oc.survival_data(frame, duration="time", event="dead", arm="trt", reference=1)
    score = "age + log_bili + albumin"
    curves = oc.adjusted_curves(
        data, outcome=f"arm + {score}", treatment=score, censoring="arm + age", estimand="ate", method=method
    )
    close(curves.at(3650)["estimate"], risks, rtol=tolerance)
    row = oc.compare(curves, measure="risk_difference", at=3650).to_frame().iloc[0]
    close(row["std_error"], error, rtol=error_tolerance)


def gammopathy(method: str, *, ties: bool) -> oc.AdjustedCurves:
    if folder() is None:
        pytest.skip("R's numbers are not here")
    frame = data_set("mgus2_cr.csv")
    frame = frame[frame["mspike"].notna()]
    frame = frame.assign(male=1 * (frame["sex"] == "M"), etime=frame["etime"] + (0 if ties else frame["id"] / 10_000))
    data = oc.survival_data(
        frame, duration="etime", event="event", causes={1: "pcm", 2: "death"}, arm="male", reference=0, unit="months"
    )
    return oc.adjusted_curves(
        data,
        outcome="arm + age + mspike",
        treatment="age + mspike",
        censoring="arm + age",
        estimand="ate",
        method=method,
    )


@pytest.mark.parametrize("method", UNTIED)
def test_gammopathy_with_competing_deaths_and_no_two_at_one_time(method: str) -> None:
    risks, errors = UNTIED[method]
    curves = gammopathy(method, ties=False)
    found = curves.at([60, 120, 240]).pivot_table(index="arm", columns="time", values="estimate")
    close(found, risks, rtol=1e-8 if method == "iptw" else 3e-4 if method == "aipw" else 2e-3)
    rows = oc.compare(curves, measure="risk_difference", at=[60, 120, 240]).to_frame()
    close(rows["std_error"], errors, rtol=1e-8 if method == "iptw" else 1e-3 if method == "aipw" else 4e-3)


def test_gammopathy_in_whole_months_is_the_formula_by_hand_from_rs_own_predictions() -> None:
    curves = gammopathy("aipw", ties=True)
    for time, expected in BY_HAND_IN_R.items():
        close(curves.at(time)["estimate"], expected, rtol=1e-3)
