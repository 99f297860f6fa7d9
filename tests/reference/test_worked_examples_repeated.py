"""Competing causes, repeated events, clusters and rates whose numbers are in print (survival 3.5-3, cmprsk 2.2-11, MASS, survRM2 1.0-4).

Data sets of R packages are asked of R and skip without it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_stanford_heart_transplants
from r_data import r_data
from r_numbers import data_set

import outcomes as oc
from outcomes.survival.event_rates import exact_limits

close = np.testing.assert_allclose


@pytest.fixture(scope="module")
def gammopathy(reference: object) -> oc.SurvivalData:
    frame = data_set("mgus2_cr.csv").assign(w=lambda f: (0.5 + f["age"] % 7 / 4).round(2))
    return oc.survival_data(
        frame, duration="etime", event="event", censored=0, causes={1: "pcm", 2: "death"}, arm="sex", reference="F",
        unit="months",
    )  # fmt: skip


def _column(found: pd.DataFrame, cause: str, arm: str, column: str = "estimate") -> pd.Series:
    return found.loc[(found["cause"] == cause) & (found["arm"] == arm), column]


def test_incidence_of_progression_and_death(gammopathy: oc.SurvivalData) -> None:
    found = oc.cumulative_incidence(gammopathy).at([60, 120, 240])
    close(_column(found, "pcm", "F"), [0.03978962, 0.07388566, 0.10494067], atol=6e-9)
    close(_column(found, "pcm", "M"), [0.02934628, 0.05531024, 0.09565076], atol=6e-9)
    close(_column(found, "pcm", "F", "std_error"), [0.007798334, 0.010769797, 0.014262957], atol=6e-10)
    close([_column(found, "death", arm).iloc[-1] for arm in "FM"], [0.6953078, 0.7481279], atol=6e-8)


@pytest.mark.parametrize(("cause", "expected"), [("pcm", [1.194508, 0.2744222]), ("death", [11.651259, 0.000641591])])
def test_tests_of_incidence(gammopathy: oc.SurvivalData, cause: str, expected: list[float]) -> None:
    found = oc.gray_test(gammopathy, cause=cause)
    close([found.statistic, found.p_value], expected, rtol=2e-6)


def test_months_lost_to_progression(gammopathy: oc.SurvivalData) -> None:
    found = oc.rmst(gammopathy, horizon=240).to_frame().query("measure == 'rmtl: pcm'")
    close(found["estimate"], [15.87940, 12.77632], atol=6e-6)


def test_incidence_under_weights(gammopathy: oc.SurvivalData) -> None:
    found = oc.cumulative_incidence(gammopathy, weights="w").at([60, 120, 240])
    close(_column(found, "pcm", "F"), [0.04121119, 0.08014297, 0.10504207], atol=6e-9)
    close(_column(found, "pcm", "F", "std_error"), [0.008732736, 0.012380612, 0.014453878], atol=6e-10)
    last = [_column(found, "pcm", "M", column).iloc[-1] for column in ("estimate", "std_error")]
    close(last, [0.09540183, 0.014241939], atol=6e-9)


@pytest.fixture(scope="module")
def tumours() -> oc.SurvivalData:
    """Recurrences of bladder tumours, up to four a person, survival::bladder2 (Wei, Lin & Weissfeld 1989)."""
    return oc.survival_data(
        r_data("survival", "bladder2"), entry="start", exit="stop", event="event", id="id", repeated=True, arm="rx",
        reference=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ties", "coefficients", "robust", "naive"),
    [
        ("breslow", [-0.4597909, -0.04256223, 0.1716441], [0.2580105, 0.07554755, 0.06131414], None),
        (
            "efron", [-0.464687, -0.04366028, 0.1749604], [0.2655608, 0.07761611, 0.06304054],
            [0.1997322, 0.0690509, 0.0470741],
        ),
    ],
)  # fmt: skip
def test_andersen_gill(
    tumours: oc.SurvivalData, ties: str, coefficients: list[float], robust: list[float], naive: list[float] | None
) -> None:
    fit = oc.andersen_gill(tumours, "rx + size + number", ties=ties)
    close(fit.coefficients, coefficients, rtol=2e-6)
    close(fit.to_frame()["std_error"], robust, rtol=2e-6)
    if naive is not None:
        close(np.sqrt(np.diag(fit.model_covariance)), naive, rtol=2e-6)


def test_prentice_williams_peterson(tumours: oc.SurvivalData) -> None:
    total = oc.pwp(tumours, "rx + size + number", ties="breslow")
    close(total.coefficients, [-0.3342955, -0.008050815, 0.1156526], rtol=2e-6)
    close(total.to_frame()["std_error"], [0.19706439, 0.06012387, 0.04991267], rtol=2e-6)
    gap = oc.pwp(tumours, "rx + size + number", clock="gap", ties="breslow")
    close(gap.coefficients, [-0.2695213, 0.006840243, 0.1535334], rtol=2e-6)


def test_mean_number_of_recurrences(tumours: oc.SurvivalData) -> None:
    found = oc.mean_count(tumours).at([12, 24, 36, 48])
    first, second = (found[found["arm"] == arm] for arm in "12")
    close(first["estimate"], [0.7168284, 1.4467742, 1.9332158, 2.0998825], atol=6e-8)
    close(second["estimate"], [0.4473736, 0.8898365, 1.3481009, 1.6528628], atol=6e-8)
    close(first["std_error"], [0.1405844, 0.2438208, 0.3037143, 0.3484668], atol=6e-8)


@pytest.mark.parametrize(("ties", "expected"), [("efron", [-0.837733, 0.4837705]), ("breslow", [-0.829567, 0.4829705])])
def test_two_infections_a_person_are_a_cluster(ties: str, expected: list[float]) -> None:
    """survival::kidney (McGilchrist & Aisbett 1991): two catheters of each of 38 patients."""
    frame = r_data("survival", "kidney")
    fit = oc.cox(oc.survival_data(frame, duration="time", event="status", cluster="id"), "sex", ties=ties)
    close([fit.coefficients[0], fit.to_frame()["std_error"].iloc[0]], expected, rtol=2e-6)
    if ties == "efron":
        close(np.sqrt(fit.model_covariance[0, 0]), 0.296612, rtol=2e-6)


def test_transplants_that_come_while_people_wait() -> None:
    """Crowley & Hu (1977)."""
    data = oc.survival_data(load_stanford_heart_transplants(), entry="start", exit="stop", event="event", id="id")
    fit = oc.cox(data, "transplant + surgery + year + age")
    close(fit.coefficients, [-0.01025077, -0.6372099, -0.1463463, 0.02716664], rtol=2e-6)
    close(fit.loglik, -290.5656, rtol=2e-7)


@pytest.fixture(scope="module")
def courses() -> oc.SurvivalData:
    """Every recurrence of survival::bladder1 (Andrews & Herzberg 1985): 116 people seen after the start, deaths left out."""
    frame = r_data("survival", "bladder1")
    frame = frame[frame["stop"] > frame["start"]].assign(event=lambda f: (f["status"] == 1).astype(int))
    return oc.survival_data(
        frame, entry="start", exit="stop", event="event", id="id", repeated=True, arm="treatment", reference="placebo"
    )


def test_numbers_of_recurrences(courses: oc.SurvivalData) -> None:
    close(
        oc.rate_model(courses, "arm + number + size", family="poisson").coefficients[1:],
        [0.02126746, -0.51664466, 0.19257858, -0.0120706], rtol=2e-6,
    )  # fmt: skip
    for variance, errors, tolerance in (
        ("expected", [0.31572575, 0.31681310, 0.07259564, 0.08013111], 1e-5),
        ("model", [0.320866, 0.326801, 0.082046, 0.086184], 1e-4),
    ):
        fit = oc.rate_model(courses, "arm + number + size", family="negative_binomial", variance=variance)
        close(fit.coefficients[1:], [0.1269422, -0.5321465, 0.2459836, 0.0290344], atol=6e-7)
        close(np.sqrt(np.diag(fit.covariance))[1:5], errors, rtol=tolerance)
        close([fit.theta, fit.loglik], [0.8763496, -188.1809], rtol=1e-5)


@pytest.mark.parametrize(("events", "time", "limits"), [(10, 100, [0.04795389, 0.18390356]), (0, 50, [0, 0.07377759])])
def test_exact_limits_of_a_rate(events: int, time: float, limits: list[float]) -> None:
    close(exact_limits(events, time, 0.95), limits, atol=6e-9)
    last = [0] if events == 0 else [1] * events
    lived = pd.DataFrame({"t": time / len(last), "e": last, "arm": "a"})
    other = pd.DataFrame({"t": [1.0], "e": [1], "arm": ["b"]})
    data = oc.survival_data(pd.concat([lived, other]), duration="t", event="e", arm="arm", reference="a")
    found = oc.event_rate(data, variance="model").to_frame().iloc[0]
    close([found["conf_low"], found["conf_high"]], limits, atol=6e-9)


def test_restricted_means_of_a_trial_with_and_without_covariates() -> None:
    """survival::pbc[1:312], rmst2 at ten years, arm = trt 1."""
    frame = r_data("survival", "pbc").head(312)
    frame = frame.assign(
        year=frame["time"] / 365.25, died=(frame["status"] == 2).astype(int), first=2 - frame["trt"].astype(int)
    )
    data = oc.survival_data(frame, duration="year", event="died", arm="first", reference=0, unit="years")
    means = oc.rmst(data, horizon=10)
    found = means.to_frame().query("measure == 'rmst'")
    close(found["estimate"], [7.2834158, 7.1464930], atol=6e-8)
    close(found["std_error"], [0.2954781, 0.2827748], atol=6e-8)
    gap = oc.compare(means, measure="rmst_difference").to_frame().iloc[0]
    numbers = gap[["estimate", "conf_low", "conf_high", "p_value"]].astype(float)
    close(numbers, [-0.1369228, -0.9385191, 0.6646736, 0.7377861], atol=6e-8)
    close(oc.compare(means, measure="rmst_ratio").to_frame()["estimate"].item(), 0.9812007, atol=6e-8)
    lost = means.to_frame().query("measure == 'rmtl'")["estimate"].to_numpy()
    close(lost[1] / lost[0], 1.0504025, atol=6e-8)
    adjusted = oc.rmst_regression(data, "arm + age + bili + albumin", horizon=10).to_frame().iloc[1]
    close([adjusted["estimate"], adjusted["std_error"]], [-0.2102945, 0.3432695], rtol=2e-6)
