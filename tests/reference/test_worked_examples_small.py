"""Small examples in print, second part: hazards and their variances, exact ties, censoring weights, classic data, and what is left out.

Numbers are R's (survival 3.5-3, cmprsk 2.2-11) where no source is named. Data sets of R packages are asked of R and skip without it.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels
from lifelines.datasets import load_leukemia
from r_data import r_data

import outcomes as oc
from outcomes.survival.cox_kernel import information, risk_sums
from outcomes.survival.observation_chances import observe

close = np.testing.assert_allclose


@pytest.fixture
def tg1() -> oc.SurvivalData:
    """Therneau & Grambsch (2000), appendix E.1."""
    frame = pd.DataFrame({"t": [1, 1, 6, 6, 8, 9], "e": [1, 0, 1, 1, 0, 1], "x": [1, 1, 1, 0, 0, 0]})
    return oc.survival_data(frame, duration="t", event="e")


def _hazard_at_zero(fit: oc.Cox, times: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return the cumulative hazard at covariate 0 and its variance."""
    found = fit.predict(pd.DataFrame({"x": [0]})).at(times)
    return found["cumulative_hazard"].to_numpy(), ((found["std_error"] / found["estimate"]) ** 2).to_numpy()


@pytest.mark.parametrize(
    ("ties", "hazard", "variance"),
    [
        ("breslow", [0.06204689, 0.3333333, 1.3333333], [0.007870818, 0.1111111, 1.1111111]),
        ("efron", [0.05250401, 0.3655434, 1.3655434], None),
    ],
)
def test_the_cumulative_hazard_at_covariate_zero_by_hand(
    tg1: oc.SurvivalData, ties: str, hazard: list[float], variance: list[float] | None
) -> None:
    found = _hazard_at_zero(oc.cox(tg1, "x", ties=ties), [1, 6, 9])
    close(found[0], hazard, atol=6e-8)
    if variance is not None:
        close(found[1], variance, atol=6e-8)


def test_residuals_and_hazard_at_a_coefficient_of_zero_by_hand(tg1: oc.SurvivalData) -> None:
    fit = oc.cox(tg1, "x", ties="breslow")
    sums = risk_sums(fit.rows, np.zeros(1))
    known = np.linalg.inv(information(fit.rows, sums)) / fit.scale**2
    still = replace(fit, coefficients=np.zeros(1), covariance=known, model_covariance=known)
    close(still.residuals("score")["x"], [5 / 12, -1 / 12, 7 / 24, -1 / 24, 5 / 24, 5 / 24], rtol=1e-12)
    close(_hazard_at_zero(still, [1, 6, 8, 9])[1], [7 / 180, 2 / 9, 2 / 9, 11 / 9], rtol=1e-12)


def test_a_coefficient_that_exact_ties_make_infinite_is_said(tg1: oc.SurvivalData) -> None:
    """coxph(ties = 'exact') stops at 20.2 without a word in its table."""
    assert "separation" in {note.code for note in oc.cox(tg1, "x", ties="exact").notes}


def test_late_entry_with_exact_ties_by_hand() -> None:
    frame = pd.DataFrame(
        {"a": [1, 2, 5, 2, 1, 7, 3, 4, 8, 8], "t": [2, 3, 6, 7, 8, 9, 9, 9, 14, 17], "e": [1, 1, 1, 1, 1, 1, 1, 0, 0, 0],
         "x": [1, 0, 0, 1, 0, 1, 1, 1, 0, 0]}
    )  # fmt: skip
    fit = oc.cox(oc.survival_data(frame, entry="a", exit="t", event="e"), "x", ties="exact")
    close([fit.coefficients[0], fit.covariance[0, 0]], [-0.09162917, 0.6837708], rtol=1e-6)


def test_weights_at_risk_by_hand() -> None:
    """Therneau & Grambsch (2000), appendix E.3: the weights of those at risk."""
    frame = pd.DataFrame(
        {"t": [1, 1, 2, 2, 2, 2, 3, 4, 5], "e": [1, 0, 1, 1, 1, 0, 0, 1, 0], "w": [1, 2, 3, 4, 3, 2, 1, 2, 1]}
    )
    table = oc.risk_sets(oc.survival_data(frame, duration="t", event="e"), weights="w").to_frame()
    assert table.set_index("time").loc[[1, 2, 3, 4, 5], "w_at_risk"].tolist() == [19, 16, 4, 3, 1]


def test_people_weighted_by_their_chance_to_be_seen_are_the_curve() -> None:
    """Redistribution to the right: a tenth of a person counts 1 / G(t-), and the weighted share left is Kaplan–Meier's."""
    time = np.array([1, 2, 2, 3, 4, 4, 5, 5, 8, 9.0])
    event = np.array([1, 1, 0, 1, 0, 0, 1, 0, 1, 1])
    seen = observe(np.zeros(10), time, event == 0, np.zeros(10, dtype=np.int64), np.ones(10), exact=True)
    weight = event / seen.before(0, time)
    expected = [1, 1, 0, Fraction(8, 7), 0, 0, Fraction(12, 7), 0, Fraction(18, 7), Fraction(18, 7)]
    close(weight, [float(w) for w in expected], rtol=1e-12)
    km = oc.kaplan_meier(oc.survival_data(pd.DataFrame({"t": time, "e": event}), duration="t", event="e")).at(time)
    close(km["estimate"], [1 - weight[time <= t].sum() / 10 for t in time], atol=1e-12)


def test_six_mercaptopurine_with_exact_ties() -> None:
    data = oc.survival_data(load_leukemia(), duration="t", event="status", unit="weeks")
    row = oc.cox(data, "Rx", ties="exact").to_frame().iloc[0]
    close([row["estimate"], row["std_error"]], [1.628244, 0.4331313], rtol=1e-6)


@pytest.fixture(scope="module")
def marrow() -> pd.DataFrame:
    """137 people after a bone marrow transplant (Klein & Moeschberger 2003, section 1.3), as statsmodels ships them."""
    return pd.read_csv(Path(statsmodels.__file__).parent / "duration/tests/results/bmt.csv")


@pytest.mark.parametrize(
    ("kind", "limits"),
    [
        ("plain", [107, 276]),
        ("log-log", [86, 230]),
        ("log", [107, 332]),
        ("arcsine", [104, 276]),
        ("logit", [104, 230]),
    ],
)
def test_limits_of_a_quarter_as_sas_has_them(marrow: pd.DataFrame, kind: str, limits: list[float]) -> None:
    data = oc.survival_data(marrow[marrow["Group"] == "ALL"], duration="T", event="Status")
    row = oc.kaplan_meier(data, conf_type=kind).quantile(0.25).iloc[0]
    assert [row["conf_low"], row["conf_high"]] == limits


@pytest.mark.parametrize(("rho", "statistic"), [(0, 13.44556), (0.5, 14.46866), (1, 14.84500)])
def test_tests_as_sas_has_them(marrow: pd.DataFrame, rho: float, statistic: float) -> None:
    """Low against high risk; the statistics of statsmodels' own test of survdiff."""
    two = marrow[marrow["Group"] != "ALL"]
    data = oc.survival_data(two, duration="T", event="Status", arm="Group", reference="AML-Low Risk")
    close(oc.logrank_test(data, rho=rho).statistic, statistic, rtol=1e-6)


def test_three_groups_after_a_transplant(marrow: pd.DataFrame) -> None:
    data = oc.survival_data(marrow, duration="T", event="Status", arm="Group", reference="ALL")
    close(oc.logrank_test(data).statistic, 13.80372, rtol=1e-6)


def test_relapse_and_death_after_a_transplant() -> None:
    """cuminc(t2, cause, group) of KMsurv::bmt."""
    frame = r_data("KMsurv", "bmt")
    frame["cause"] = np.where(frame["d2"] == 1, "relapse", np.where(frame["d1"] == 1, "death", ""))
    data = oc.survival_data(
        frame, duration="t2", event="cause", censored="", causes={"relapse": "relapse", "death": "death"}, arm="group",
        reference=1,
    )  # fmt: skip
    for cause, expected in (("relapse", [11.9228820, 0.002576197]), ("death", [0.1374108, 0.933601686])):
        found = oc.gray_test(data, cause=cause)
        close([found.statistic, found.p_value], expected, rtol=1e-6)


@pytest.fixture(scope="module")
def catheters() -> oc.SurvivalData:
    """119 dialysis patients by kind of catheter, KMsurv::kidney (Klein & Moeschberger 2003, section 1.4)."""
    return oc.survival_data(r_data("KMsurv", "kidney"), duration="time", event="delta", arm="type", reference=1)


@pytest.mark.parametrize(
    ("rho", "gamma", "statistic"),
    [
        (0, 0, 2.529506), (1, 0, 1.386523), (0, 1, 9.668035), (1, 1, 9.834063), (0.5, 0.5, 9.284859), (0.5, 2, 8.179001),
    ],
)  # fmt: skip
def test_weighted_tests_of_catheters(catheters: oc.SurvivalData, rho: float, gamma: float, statistic: float) -> None:
    close(oc.logrank_test(catheters, rho=rho, gamma=gamma).statistic, statistic, rtol=1e-6)


def test_the_largest_of_four_tests_of_catheters(catheters: oc.SurvivalData) -> None:
    found = oc.max_combo_test(catheters)
    close(found.statistic, 3.135931, rtol=1e-6)
    close(found.p_value, 0.0036, atol=1e-4)


LEFT_OUT: dict[str, str] = {
    "KM_kidney_dialysis: gehan, tarone_ware": "weights by the number at risk are not offered: G^(rho, gamma) is the family",
    "statsmodels bmt: gehan, tw": "weights by the number at risk are not offered: G^(rho, gamma) is the family",
    "5.4 binary52_aipw": "a logistic regression of the outcome within a window is not offered: adjusted_curves takes Cox models",
    "5.5 bladder WLW": "the marginal model of Wei, Lin and Weissfeld puts people at risk of a second event before a first: not offered",
    "5.5 kidney: gamma and gauss frailty": "shared frailty is refused by name; cluster= and strata= are offered",
}


@pytest.mark.parametrize("entry", LEFT_OUT)
def test_numbers_that_are_left_out(entry: str) -> None:
    pytest.skip(f"left out: {LEFT_OUT[entry]}")


def test_shared_frailty_is_refused_with_what_to_do_instead(tg1: oc.SurvivalData) -> None:
    asked: dict[str, Any] = {"formula": "frailty(x)"}
    with pytest.raises(oc.NotSupportedError, match=r"shared frailty is not fitted. Use cluster="):
        oc.cox(tg1, **asked)
