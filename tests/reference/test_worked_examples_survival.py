"""Small examples with hand-worked or published numbers, typed in: they run everywhere.

``tg*``: Therneau & Grambsch (2000), appendix E, and the validation suite of R's survival; the others as named. The last data set is
made by a formula, in R as here, so that ties, weights, late entry, strata, clusters and competing causes meet in one place; its
numbers are survfit's, coxph's, cox.zph's and survdiff's (survival 3.5-3).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from formula_data import from_zero, late, made_by_formula
from lifelines.datasets import load_larynx, load_leukemia, load_psychiatric_patients, load_rossi
from scipy.stats import norm, t

import outcomes as oc

close = np.testing.assert_allclose


def _data(frame: dict[str, Any], **columns: Any) -> oc.SurvivalData:
    return oc.survival_data(pd.DataFrame(frame), **({"duration": "t", "event": "e"} | columns))


@pytest.fixture
def tg1() -> oc.SurvivalData:
    return _data({"t": [1, 1, 6, 6, 8, 9], "e": [1, 0, 1, 1, 0, 1], "x": [1, 1, 1, 0, 0, 0]})


@pytest.fixture
def tg3() -> oc.SurvivalData:
    return _data(
        {"t": [1, 1, 2, 2, 2, 2, 3, 4, 5], "e": [1, 0, 1, 1, 1, 0, 0, 1, 0], "x": [2, 0, 1, 1, 0, 1, 0, 1, 0],
         "wt": [1, 2, 3, 4, 3, 2, 1, 2, 1]}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ties", "beta", "variance", "loglik"),
    [
        ("breslow", math.log(1.5 + math.sqrt(33) / 2), 1.576869, [-4.564348, -3.824750]),
        ("efron", 1.676857, 1.632302, [-4.276666, -3.358975]),
    ],
)
def test_ties_by_hand(tg1: oc.SurvivalData, ties: str, beta: float, variance: float, loglik: list[float]) -> None:
    fit = oc.cox(tg1, "x", ties=ties)
    close(fit.coefficients, [beta], rtol=1e-6)
    close(fit.covariance, [[variance]], rtol=1e-6)
    close([fit.loglik_null, fit.loglik], loglik, rtol=1e-6)


@pytest.mark.parametrize(
    ("ties", "residuals"),
    [
        ("breslow", [0.13564322, -0.05049744, -0.12624360, -0.38168095, 0.21138938, 0.21138938]),
        ("efron", [0.1132780, -0.0442340, -0.1029199, -0.4078409, 0.2208584, 0.2208584]),
    ],
)
def test_score_residuals_by_hand(tg1: oc.SurvivalData, ties: str, residuals: list[float]) -> None:
    fit = oc.cox(tg1, "x", ties=ties)
    influence = fit.influence()[:, 0] / fit.covariance[0, 0]
    close(influence, residuals, atol=1e-7)
    close(influence.sum(), 0, atol=1e-10)


def test_the_score_test_by_hand(tg1: oc.SurvivalData) -> None:
    close(oc.cox(tg1, "x", ties="breslow").score_statistic, 1.6, rtol=1e-12)


def test_robust_standard_errors_of_a_curve_by_hand(tg1: oc.SurvivalData) -> None:
    found = oc.kaplan_meier(tg1, variance="robust").at([1, 6, 8, 9])
    close(found["estimate"], [0.8333333, 0.4166667, 0.4166667, 0], atol=1e-7)
    close(found["std_error"], [0.1521452, 0.2217878, 0.2217878, 0], atol=1e-7)


@pytest.mark.parametrize(
    ("ties", "beta", "variance", "loglik"),
    [
        ("breslow", -0.08452608, 0.6301459, [-9.392662, -9.387015]),
        ("efron", -0.02110521, 0.6323063, [-9.169518, -9.169166]),
    ],
)
def test_late_entry(ties: str, beta: float, variance: float, loglik: list[float]) -> None:
    data = _data(
        {"a": [1, 2, 5, 2, 1, 7, 3, 4, 8, 8], "t": [2, 3, 6, 7, 8, 9, 9, 9, 14, 17], "e": [1, 1, 1, 1, 1, 1, 1, 0, 0, 0],
         "x": [1, 0, 0, 1, 0, 1, 1, 1, 0, 0]},
        duration=None, entry="a", exit="t",
    )  # fmt: skip
    fit = oc.cox(data, "x", ties=ties)
    close(fit.coefficients, [beta], rtol=1e-6)
    close(fit.covariance, [[variance]], rtol=1e-6)
    close([fit.loglik_null, fit.loglik], loglik, rtol=1e-6)


@pytest.mark.parametrize(
    ("ties", "beta", "variance", "robust", "loglik"),
    [
        ("breslow", 0.8595574, 0.5085033, 1.034842, [-32.86755, -32.02105]),
        ("efron", 0.8726042, 0.5077566, 1.252284, [-30.29218, -29.41678]),
    ],
)
def test_weighted_ties(
    tg3: oc.SurvivalData, ties: str, beta: float, variance: float, robust: float, loglik: list[float]
) -> None:
    fit = oc.cox(tg3, "x", weights="wt", ties=ties)
    close(fit.coefficients, [beta], rtol=1e-6)
    close(fit.model_covariance, [[variance]], rtol=1e-6)
    close(fit.covariance, [[robust]], rtol=1e-6)
    close([fit.loglik_null, fit.loglik], loglik, rtol=1e-6)


def test_weights_that_sample_and_weights_that_count_differ_in_their_error_only(tg3: oc.SurvivalData) -> None:
    times = [1, 2, 3, 4, 5]
    sampled = oc.kaplan_meier(tg3, weights="wt").at(times)
    counted = oc.kaplan_meier(_data(tg3.frame.to_dict("list"), frequency="wt")).at(times)
    for found in (sampled, counted):
        close(found["estimate"], [0.9473684, 0.3552632, 0.3552632, 0.1184211, 0.1184211], atol=1e-7)
    close(sampled["std_error"], [0.05342743, 0.17337593, 0.17337593, 0.11748574, 0.11748574], atol=1e-8)
    close(counted["std_error"], [0.05122782, 0.11625883, 0.11625883, 0.10416727, 0.10416727], atol=1e-8)
    assert counted["n_at_risk"].tolist() == [19, 16, 4, 3, 1]
    assert sampled["n_at_risk"].tolist() == [9, 7, 3, 2, 1]


def test_redistribution_to_the_right() -> None:
    km = oc.kaplan_meier(_data({"t": [1, 2, 2, 3, 4, 4, 5, 5, 8, 9], "e": [1, 1, 0, 1, 0, 0, 1, 0, 1, 1]}))
    close(km.at([1, 2, 3, 5, 8, 9])["estimate"], [0.9, 0.8, 0.6857143, 0.5142857, 0.2571429, 0], atol=1e-7)


def test_ties_between_causes_are_exact_and_the_same_each_time() -> None:
    frame = {"t": [1, 2, 3, 4, 4, 4, 5, 5, 6, 8, 8, 9, 10, 12], "e": [1, 2, 0, 1, 0, 0, 2, 1, 0, 0, 2, 0, 1, 0]}
    found = oc.cumulative_incidence(_data(frame, censored=0, causes={1: "first", 2: "second"}))
    first = found.at([1, 4, 5, 10]).query("cause == 'first'")
    close(first["estimate"], [0.07142857, 0.14935065, 0.24675325, 0.48051948], atol=1e-8)
    close(first["std_error"].iloc[-1], 0.19829812, atol=1e-8)
    close(found.at([2, 5, 8]).query("cause == 'second'")["estimate"], [0.07142857, 0.16883117, 0.28571429], atol=1e-8)


def test_incidence_does_not_depend_on_the_times_asked_for() -> None:
    data = _data({"t": [1, 2, 3, 4, 5, 6], "e": [0, 1, 1, 2, 2, 0]}, censored=0, causes={1: "first", 2: "second"})
    found = oc.cumulative_incidence(data)
    assert found.at(6).query("cause == 'second'")["estimate"].item() == pytest.approx(0.4)
    assert found.to_frame().query("cause == 'second'")["estimate"].iloc[-1] == pytest.approx(0.4)


def test_a_split_person_is_the_whole_person() -> None:
    whole = _data({"t": [2, 4, 6, 8], "e": [1, 1, 0, 1], "x": [0, 1, 1, 0]})
    split = _data(
        {"id": [1, 2, 2, 3, 3, 4], "a": [0, 0, 2, 0, 4, 0], "t": [2, 2, 4, 4, 6, 8], "e": [1, 0, 1, 0, 0, 1],
         "x": [0, 1, 1, 1, 1, 0]},
        duration=None, entry="a", exit="t", id="id",
    )  # fmt: skip
    for data in (whole, split):
        close(oc.cox(data, "x").coefficients, [-0.3465736], atol=1e-7)
        found = oc.kaplan_meier(data, variance="greenwood").at([2, 4, 6, 8])
        assert found["n_at_risk"].tolist() == [4, 3, 2, 1]
        close(found["estimate"], [0.75, 0.5, 0.5, 0])
        assert found["n_censored"].tolist() == [0, 0, 1, 1]


def test_a_risk_set_of_one_takes_the_curve_to_zero_and_says_so() -> None:
    km = oc.kaplan_meier(
        _data({"a": [0, 3, 3, 4], "t": [2, 6, 7, 8], "e": [1, 1, 1, 0]}, duration=None, entry="a", exit="t")
    )
    found = km.at([2, 6, 7, 8])
    assert found["n_at_risk"].tolist() == [1, 3, 2, 1]
    assert found["estimate"].tolist() == [0, 0, 0, 0]
    assert [note.code for note in km.notes] == ["risk_set_emptied"]


AML = {"t": [9, 13, 13, 18, 23, 28, 31, 34, 45, 48, 161, 5, 5, 8, 8, 12, 16, 23, 27, 30, 33, 43, 45],
       "e": [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1],
       "x": ["maintained"] * 11 + ["not"] * 12}  # fmt: skip


def test_maintained_leukaemia() -> None:
    """Miller (1997), in every R manual: survfit(Surv(time, status) ~ x, aml)."""
    maintained = _data({key: values[:11] for key, values in AML.items()}, unit="weeks")
    km = oc.kaplan_meier(maintained, conf_type="log")
    found = km.at([9, 13, 18, 23, 31, 34, 48])
    close(found["estimate"], [0.9090909, 0.8181818, 0.7159091, 0.6136364, 0.4909091, 0.3681818, 0.1840909], atol=1e-7)
    close(found["std_error"], [0.0866784, 0.1162913, 0.1396650, 0.1526323, 0.1641933, 0.1626689, 0.1534928], atol=1e-7)
    limits = {"plain": [0, 0.4849312], "log": [0.0359179, 0.9435258], "log-log": [0.01173848, 0.5250148],
              "logit": [0.02954688, 0.6257527], "arcsine": [0.003057984, 0.5461086]}  # fmt: skip
    for kind, expected in limits.items():
        row = oc.kaplan_meier(maintained, conf_type=kind).at(48)
        close(row[["conf_low", "conf_high"]].to_numpy()[0], expected, atol=1e-7)
    hazard = oc.nelson_aalen(maintained).at(48).iloc[0]
    close([hazard["estimate"], hazard["std_error"]], [1.40876623, 0.63780689], atol=1e-8)
    summary = km.summary().iloc[0]
    assert [summary["median"], summary["conf_low"]] == [31, 18]
    assert np.isnan(summary["conf_high"])
    assert oc.kaplan_meier(maintained).summary()["conf_low"].item() == 13


def test_leukaemia_logrank() -> None:
    found = oc.logrank_test(_data(AML, arm="x", reference="maintained"))
    close(found.statistic, 3.396389, rtol=1e-6)
    close(found.expected, [10.689336, 7.310664], rtol=1e-6)
    close(found.covariance[0, 0], 4.007551, rtol=1e-6)


def test_six_mercaptopurine() -> None:
    """Gehan (1965): remission of 42 children; 6-MP is Rx = 0 here."""
    frame = load_leukemia()
    data = oc.survival_data(frame, duration="t", event="status", arm="Rx", reference=1, unit="weeks")
    km = oc.kaplan_meier(data).at([6, 7, 10, 13, 16, 22, 23])
    close(
        km[km["arm"] == "0"]["estimate"],
        [0.8571429, 0.8067227, 0.7529412, 0.6901961, 0.6274510, 0.5378151, 0.4481793],
        atol=1e-7,
    )
    close(oc.logrank_test(data).statistic, 16.79294, rtol=1e-6)
    close(oc.logrank_test(data, rho=1).statistic, 14.45715, rtol=1e-6)
    for ties, expected in (("breslow", [1.509191, 0.4095644]), ("efron", [1.572125, 0.4123967])):
        row = oc.cox(data, "Rx", ties=ties).to_frame().iloc[0]
        close([row["estimate"], row["std_error"]], expected, rtol=1e-6)


def test_larynx() -> None:
    """Klein & Moeschberger (2003), section 8.3."""
    data = oc.survival_data(load_larynx(), duration="time", event="death", unit="years")
    for ties, expected in (
        ("breslow", [0.1385639, 0.6383497, 1.6930564, 0.0189018]),
        ("efron", [0.1400402, 0.6423817, 1.7059796, 0.0190311]),
    ):
        fit = oc.cox(data, "Stage_II + Stage_III + Stage_IV + age", ties=ties)
        close(fit.coefficients, expected, atol=6e-8)


def test_psychiatric_patients_enter_at_their_age() -> None:
    """Klein & Moeschberger (2003), data of Woolson: survfit(Surv(age, age + time, death))."""
    frame = load_psychiatric_patients()
    frame = frame.assign(end=frame["Age"] + frame["T"])
    km = oc.kaplan_meier(oc.survival_data(frame, entry="Age", exit="end", event="C", unit="years"))
    found = km.at([50, 60, 70])
    assert found["n_at_risk"].tolist() == [22, 16, 3]
    close(found["estimate"], [0.9090909, 0.6963055, 0.2907867], atol=1e-7)
    close(found["std_error"], [0.0612909, 0.0956841, 0.1261134], atol=1e-7)


def test_ovarian_logrank() -> None:
    """survdiff(Surv(futime, fustat) ~ rx, ovarian); Edmunson et al. (1979)."""
    data = _data(
        {"t": [59, 115, 156, 421, 431, 448, 464, 475, 477, 563, 638, 744, 769, 770, 803, 855, 1040, 1106, 1129, 1206,
               1227, 268, 329, 353, 365, 377],
         "e": [1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0],
         "rx": [1, 1, 1, 2, 1, 1, 2, 2, 1, 2, 1, 2, 2, 2, 1, 1, 1, 1, 2, 2, 2, 1, 1, 2, 2, 2]},
        arm="rx", reference=1,
    )  # fmt: skip
    close(oc.logrank_test(data).statistic, 1.06274, rtol=1e-5)
    close(oc.logrank_test(data, rho=1).statistic, 1.684855, rtol=1e-5)


@pytest.fixture
def rossi() -> oc.SurvivalData:
    """Rossi, Berk & Lenihan (1980): 432 people released, 114 rearrested within 52 weeks; aid randomised."""
    return oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")


def test_rossi_curves(rossi: oc.SurvivalData) -> None:
    found = oc.kaplan_meier(rossi).at([26, 52])
    close(found["estimate"], [0.8518519, 0.6944444, 0.8981481, 0.7777778], atol=1e-7)
    close(found["std_error"], [0.02417148, 0.03134274, 0.02057935, 0.02828750], atol=1e-8)
    year = found[found["time"] == 52]
    assert year["n_at_risk"].tolist() == [154, 168]
    close(year[["conf_low", "conf_high"]], [[0.6282883, 0.7511909], [0.7162438, 0.8275805]], atol=1e-7)
    year = oc.kaplan_meier(rossi, conf_type="log").at(52)
    close(year[["conf_low", "conf_high"]], [[0.6356525, 0.7586741], [0.7242652, 0.8352441]], atol=1e-7)


def test_rossi_quantiles(rossi: oc.SurvivalData) -> None:
    km = oc.kaplan_meier(rossi)
    for share, expected in ((0.1, [21, 24]), (0.2, [37, 49]), (0.25, [44, np.nan])):
        close(km.quantile(share)["time"], expected)
    for share, expected in ((0.1, [17, 27]), (0.2, [27, 46]), (0.25, [37, np.nan])):  # R's default limits
        row = oc.kaplan_meier(rossi, conf_type="log").quantile(share).iloc[0]
        close([row["conf_low"], row["conf_high"]], expected)


def test_rossi_tests(rossi: oc.SurvivalData) -> None:
    found = oc.logrank_test(rossi)
    close([found.statistic, found.p_value], [3.83757, 0.05011612], rtol=1e-6)
    close(oc.logrank_test(rossi, rho=1).statistic, 3.7495, rtol=1e-6)
    close(oc.logrank_test(rossi, gamma=1).statistic, 3.157429, rtol=1e-6)
    close(oc.logrank_test(rossi, strata="wexp").statistic, 4.033107, rtol=1e-6)


def test_rossi_restricted_mean(rossi: oc.SurvivalData) -> None:
    found = oc.rmst(rossi, horizon=52).to_frame().query("measure == 'rmst'")
    close(found["estimate"], [44.8333333, 46.875], atol=1e-7)
    close(found["std_error"], [0.9176715, 0.7933249], atol=1e-7)


ROSSI = "fin + age + race + wexp + mar + paro + prio"


def test_rossi_cox(rossi: oc.SurvivalData) -> None:
    fit = oc.cox(rossi, ROSSI)
    coefficients = [-0.3794222, -0.05743774, 0.3138998, -0.1497957, -0.4337039, -0.08487108, 0.09149708]
    errors = [0.1913795, 0.02199947, 0.3079928, 0.2122243, 0.3818681, 0.1957567, 0.02864855]
    close(fit.coefficients, coefficients, rtol=1e-6)
    close(fit.to_frame()["std_error"], errors, rtol=1e-6)
    close([fit.loglik_null, fit.loglik], [-675.3806, -658.7477], atol=5e-5)
    concordance = fit.concordance()
    close([concordance.estimate, concordance.std_error], [0.6403292, 0.02665812], atol=1e-7)


def test_rossi_robust_errors_are_of_efron_scores(rossi: oc.SurvivalData) -> None:
    """R's 0.1955; lifelines 0.30 gives 0.1919 and statsmodels 0.14 0.1948 for the first (Breslow scores on an Efron fit)."""
    robust = [0.1955418, 0.02533615, 0.2923286, 0.2180603, 0.3802445, 0.1992008, 0.02897459]
    close(oc.cox(rossi, ROSSI, robust=True).to_frame()["std_error"], robust, rtol=1e-6)
    breslow = oc.cox(rossi, ROSSI, robust=True, ties="breslow").to_frame()
    close(breslow[["estimate", "std_error"]].iloc[0], [-0.3790219, 0.19468774], rtol=1e-6)


def test_rossi_proportional_hazards(rossi: oc.SurvivalData) -> None:
    """The exact score test; lifelines 0.30 gives 11.03 for age and 7.48 for wexp (the superseded approximation)."""
    fit = oc.cox(rossi, ROSSI)
    chisq = [0.06242975, 5.97398165, 2.06826539, 4.22459563, 1.01102156, 0.01838330, 0.52058425, 17.69441525]
    found = fit.proportional_hazards().to_frame()
    close(found["statistic"], chisq, rtol=1e-6)
    close(found["p_value"].iloc[-1], 0.01342751, rtol=1e-6)
    for transform, expected in (("identity", 18.182687), ("log", 17.661571), ("rank", 11.025183)):
        close(fit.proportional_hazards(transform=transform).to_frame()["statistic"].iloc[-1], expected, rtol=1e-6)


def test_rossi_interaction(rossi: oc.SurvivalData) -> None:
    fit = oc.cox(rossi, "fin * wexp").to_frame().set_index("term")
    close(fit.loc["fin:wexp", ["estimate", "p_value"]].astype(float), [0.06855896, 0.8571374], rtol=1e-6)
    plain, more = oc.cox(rossi, "fin + prio"), oc.cox(rossi, "fin * prio")
    close(2 * (more.loglik - plain.loglik), 1.920274, rtol=1e-6)


# fmt: off
R: dict[str, list[float]] = {
    "km_late": [
        0.862570653704,
        0.750688014916,
        0.495200364686,
        0.151887855856,
        0.875698856631,
        0.703092004127,
        0.58596855864,
        0.230836098858,
    ],
    "km_late_se": [
        0.0782164871769,
        0.0884246759741,
        0.105484634363,
        0.0697788356393,
        0.0868216908964,
        0.103346878801,
        0.106062594865,
        0.0925424692776,
    ],
    "km_clustered": [
        0.901970588235,
        0.784977447919,
        0.517819800977,
        0.158825689356,
        0.925916666667,
        0.74341150487,
        0.619571500499,
        0.244073621409,
    ],
    "km_clustered_se": [
        0.0397445346638,
        0.0461796348664,
        0.0485070924192,
        0.0598891969347,
        0.0458414885247,
        0.0730721085782,
        0.0445786194617,
        0.055922437307,
    ],
    "km_clustered_low": [
        0.787974228677,
        0.677197458321,
        0.418995078499,
        0.0639617599145,
        0.76220322719,
        0.566760110284,
        0.525861417837,
        0.143835426305,
    ],
    "km_clustered_high": [
        0.956311672562,
        0.860390742971,
        0.607797917237,
        0.291914300869,
        0.978418159127,
        0.856560630727,
        0.700067038908,
        0.358548201249,
    ],
    "aj_first": [
        0.0634761904762,
        0.155289250096,
        0.309675427802,
        0.540755725979,
        0.124301143369,
        0.240874620066,
        0.320416955819,
        0.592697012734,
    ],
    "aj_second": [
        0.0739531558195,
        0.0940227349879,
        0.195124207512,
        0.307356418164,
        0,
        0.0560333758071,
        0.0936144855408,
        0.176466888408,
    ],
    "aj_first_se": [
        0.0614042026328,
        0.0762791868835,
        0.0961602349182,
        0.109283761325,
        0.0868216908964,
        0.100267597544,
        0.102902979142,
        0.108407284348,
    ],
    "aj_second_se": [
        0.0546900209124,
        0.0579727855507,
        0.0850324517902,
        0.10416261275,
        0,
        0.0543677244871,
        0.0641525660919,
        0.0837187037578,
    ],
    "rmean": [12.7850484572, 13.0469051482, 3.30693351587, 4.07365994981, 1.90801802696, 0.879434902014],
    "hazard": [
        0.101298369549,
        0.234391030801,
        0.628280703845,
        1.61096559066,
        0.0754320519293,
        0.283199110411,
        0.459094689936,
        1.29249865942,
    ],
    "hazard_se": [
        0.0423497456824,
        0.0555578501131,
        0.0836428418491,
        0.214509245953,
        0.0474313416966,
        0.0876486351637,
        0.0618031715438,
        0.19061378212,
    ],
    "cox_efron": [-0.184691404187, 0.0868802959456],
    "cox_efron_se": [0.236404441942, 0.133239158926],
    "cox_efron_naive": [0.329669003066, 0.132845079618],
    "cox_efron_loglik": [-122.433590502, -122.010790316],
    "cox_efron_concordance": [0.530345918753, 0.0587270727012],
    "strata_efron": [-0.111394095572, 0.0664135924639],
    "strata_efron_se": [0.339693642967, 0.138424303351],
    "strata_efron_loglik": [-83.6249175545, -83.4465927339],
    "strata_efron_concordance": [0.526932609514, 0.0779994205534],
    "zph_efron": [0.204179178799, 1.60009367684, 1.60458034752],
    "tests_efron": [0.208044924446, 0.208677628258, 0.2082881274],
    "cox_breslow": [-0.167456539936, 0.0754018554467],
    "cox_breslow_se": [0.22625601205, 0.125566355726],
    "cox_breslow_naive": [0.328311624204, 0.132473494891],
    "cox_breslow_loglik": [-124.81084336, -124.484402044],
    "cox_breslow_concordance": [0.530345918753, 0.0587270727012],
    "strata_breslow": [-0.107966221365, 0.0553524994271],
    "strata_breslow_se": [0.332148563498, 0.135237145331],
    "strata_breslow_loglik": [-85.2486758401, -85.1111751817],
    "strata_breslow_concordance": [0.535736753154, 0.0782844908325],
    "zph_breslow": [0.19143053294, 1.19559989967, 1.20659940073],
    "tests_breslow": [0.123978900908, 0.124254720427, 0.124067100787],
    "survdiff": [0.011854574113, 13.2490280227, 14.1597494048, 13.4924839669, 13.9162934605],
}
# fmt: on


@pytest.fixture
def formula() -> pd.DataFrame:
    return made_by_formula()


GRID = [5, 10, 15, 20]


def test_weighted_curves_with_late_entry(formula: pd.DataFrame) -> None:
    found = oc.kaplan_meier(late(formula), cause="any", weights="w").at(GRID)
    close(found["estimate"], R["km_late"], rtol=1e-9)
    close(found["std_error"], R["km_late_se"], rtol=1e-9)


def test_weighted_and_clustered_curves(formula: pd.DataFrame) -> None:
    """R reads clusters on the normal distribution, however few; ours are on t, and wider by sqrt(G / (G - 1))."""
    found = oc.kaplan_meier(from_zero(formula), cause="any", weights="w", cluster="cl").at(GRID)
    for column, theirs in (("estimate", ""), ("std_error", "_se")):
        close(found[column], R[f"km_clustered{theirs}"], rtol=1e-9)
    clusters = formula.groupby("g")["cl"].nunique().loc[found["arm"].astype(int)].to_numpy()
    wider = t.ppf(0.975, clusters - 1) * np.sqrt(clusters / (clusters - 1)) / norm.ppf(0.975)
    for column, theirs in (("conf_low", "_low"), ("conf_high", "_high")):
        ours, centre, limit = (
            np.log(-np.log(np.array(x, dtype=float)))
            for x in (found[column], R["km_clustered"], R[f"km_clustered{theirs}"])
        )
        close(ours - centre, wider * (limit - centre), rtol=1e-9)


def test_weighted_and_clustered_hazard(formula: pd.DataFrame) -> None:
    found = oc.nelson_aalen(from_zero(formula), cause="any", weights="w", cluster=formula["cl"].to_numpy()).at(GRID)
    close(found["estimate"], R["hazard"], rtol=1e-9)
    close(found["std_error"], R["hazard_se"], rtol=1e-9)


def test_weighted_incidences_with_late_entry(formula: pd.DataFrame) -> None:
    found = oc.cumulative_incidence(late(formula), weights="w").at(GRID)
    for cause in ("first", "second"):
        ours = found[found["cause"] == cause]
        close(ours["estimate"], R[f"aj_{cause}"], rtol=1e-9, atol=1e-12)
        close(ours["std_error"], R[f"aj_{cause}_se"], rtol=1e-9, atol=1e-12)


def test_weighted_times_lost_with_late_entry(formula: pd.DataFrame) -> None:
    frame = oc.rmst(late(formula), horizon=18, weights="w").to_frame()
    close(frame.sort_values("measure", key=lambda m: m.str.len(), kind="stable")["estimate"], R["rmean"], rtol=1e-9)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_weighted_clustered_cox_with_late_entry(formula: pd.DataFrame, ties: str) -> None:
    fit = oc.cox(late(formula), "g + x", cause="first", weights="w", cluster="cl", ties=ties)
    close(fit.coefficients, R[f"cox_{ties}"], rtol=1e-8)
    close(np.sqrt(np.diag(fit.covariance)), R[f"cox_{ties}_se"], rtol=1e-8)
    close(np.sqrt(np.diag(fit.model_covariance)), R[f"cox_{ties}_naive"], rtol=1e-8)
    close([fit.loglik_null, fit.loglik], R[f"cox_{ties}_loglik"], rtol=1e-9)
    found = fit.concordance()
    close([found.estimate, found.std_error], R[f"cox_{ties}_concordance"], rtol=1e-8)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_weighted_stratified_cox_with_late_entry(formula: pd.DataFrame, ties: str) -> None:
    fit = oc.cox(late(formula), "g + x", cause="first", weights="w", strata="h", ties=ties)
    close(fit.coefficients, R[f"strata_{ties}"], rtol=1e-8)
    close(np.sqrt(np.diag(fit.covariance)), R[f"strata_{ties}_se"], rtol=1e-8)
    close([fit.loglik_null, fit.loglik], R[f"strata_{ties}_loglik"], rtol=1e-9)
    found = fit.concordance()
    close([found.estimate, found.std_error], R[f"strata_{ties}_concordance"], rtol=1e-8)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_tests_with_late_entry(formula: pd.DataFrame, ties: str) -> None:
    data = late(formula)
    stratified = oc.cox(data, "g + x", cause="first", strata="h", ties=ties)
    close(stratified.proportional_hazards().to_frame()["statistic"], R[f"zph_{ties}"], rtol=1e-8)
    close(oc.cox(data, "g + x", cause="first", ties=ties).tests()["statistic"], R[f"tests_{ties}"], rtol=1e-8)


def test_stratified_weighted_logrank(formula: pd.DataFrame) -> None:
    found = oc.logrank_test(from_zero(formula), cause="first", rho=0.5, strata="h")
    close([found.statistic, *found.observed, *found.expected], R["survdiff"], rtol=1e-9)
