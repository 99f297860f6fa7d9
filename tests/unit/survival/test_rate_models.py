"""Models of event rates: against statsmodels, in closed form, and what they do where data are thin."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import outcomes as oc

close = np.testing.assert_allclose


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return 200 people, a row up to each event and one after, with more spread than Poisson counts have."""
    rng = np.random.default_rng(5)
    n = 200
    age, time = rng.normal(40, 10, n), 1 + 9 * rng.random(n)
    number = rng.poisson(rng.gamma(1.5, 1 / 1.5, n) * time * np.exp(-1 + 0.02 * (age - 40)))
    rows = []
    for person in range(n):
        cuts = np.linspace(0, time[person], number[person] + 2)
        rows += [(person, a, b, int(k < number[person]), age[person]) for k, (a, b) in enumerate(pairwise(cuts))]
    found = pd.DataFrame(rows, columns=["id", "start", "stop", "e", "age"])
    return found.assign(arm=np.where(found["id"] % 2, "x", "y"), w=0.5 + found["id"] % 5, area=found["id"] % 15)


def _take(frame: pd.DataFrame, **more: str) -> oc.SurvivalData:
    return oc.survival_data(
        frame, entry="start", exit="stop", event="e", id="id", repeated=True, arm="arm", reference="x", **more
    )


@pytest.fixture(scope="module")
def data(frame: pd.DataFrame) -> oc.SurvivalData:
    return _take(frame)


def _counts(frame: pd.DataFrame) -> pd.DataFrame:
    people = frame.groupby("id").agg(
        y=("e", "sum"), time=("stop", "max"), age=("age", "first"), arm=("arm", "first"), w=("w", "first")
    )
    return people.assign(one=1.0, y_arm=(people["arm"] == "y") * 1.0)


def test_poisson_with_weights_agrees_with_statsmodels(frame: pd.DataFrame, data: oc.SurvivalData) -> None:
    people = _counts(frame)
    theirs = sm.GLM(
        people["y"], people[["one", "y_arm", "age"]], family=sm.families.Poisson(), offset=np.log(people["time"]),
        var_weights=people["w"],
    ).fit(cov_type="HC0", tol=1e-12)  # fmt: skip
    ours = oc.rate_model(data, "arm + age", weights="w")
    close(ours.coefficients, theirs.params, rtol=1e-7)
    close(np.sqrt(np.diag(ours.covariance)), theirs.bse, rtol=1e-7)


def test_negative_binomial_agrees_with_statsmodels(frame: pd.DataFrame, data: oc.SurvivalData) -> None:
    people = _counts(frame)
    model = sm.NegativeBinomial(people["y"], people[["one", "y_arm", "age"]], offset=np.log(people["time"]))
    start = [*oc.rate_model(data, "arm + age").coefficients, 0.7]
    theirs = model.fit(start_params=start, method="bfgs", disp=0, gtol=1e-6, maxiter=500)
    ours = oc.rate_model(data, "arm + age", family="negative_binomial", variance="model")
    close([*ours.coefficients, 1 / ours.theta], theirs.params, rtol=1e-4)
    close(np.sqrt(np.diag(ours.covariance)), theirs.bse[:3], rtol=1e-3)
    assert ours.loglik >= theirs.llf - 1e-9


@pytest.mark.parametrize("family", ["quasi_poisson", "negative_binomial"])
def test_the_variance_is_that_of_moving_each_weight(data: oc.SurvivalData, family: str) -> None:
    weight, step = data.baseline["w"].to_numpy(), 1e-4
    ours = oc.rate_model(data, "arm", family=family, weights=weight, cluster="area")
    moved = np.zeros((len(weight), 2))
    for person in range(0, len(weight), 25):
        up, down = weight.copy(), weight.copy()
        up[person] += step
        down[person] -= step
        ends = [oc.rate_model(data, "arm", family=family, weights=w).coefficients for w in (up, down)]
        moved[person] = weight[person] * (ends[0] - ends[1]) / (2 * step)
    alone = [
        oc.rate_model(data, "arm", family=family, weights=weight, cluster=_only(person, len(weight)))
        for person in (0, 25)
    ]
    # a cluster of one beside a cluster of all others, whose sums are opposite: twice the person's own square
    for person, model in zip((0, 25), alone, strict=True):
        close(np.diag(model.covariance), 2 * moved[person] ** 2, rtol=1e-4, atol=1e-18)
    scaled = oc.rate_model(data, "arm", family=family, weights=9 * weight, cluster="area")
    close(scaled.covariance, ours.covariance, rtol=1e-6)


def _only(person: int, people: int) -> np.ndarray:
    return np.arange(people) == person


def test_one_term_is_the_ratio_of_rates(data: oc.SurvivalData) -> None:
    rates, model = oc.event_rate(data).to_frame(), oc.rate_model(data, "arm")
    ratio = model.to_frame(exponentiate=True)
    close(ratio["estimate"], [rates["estimate"].iloc[0], rates["estimate"].iloc[1] / rates["estimate"].iloc[0]])
    close(model.covariance[1, 1], ((rates["std_error"] / rates["estimate"]) ** 2).sum())
    assert ratio["measure"].tolist() == ["rate", "rate_ratio"]
    assert "Ratios of the rate of e (200 people" in model.describe()


def test_counts_without_more_spread_are_poisson_and_said_so() -> None:
    rows = pd.DataFrame({"t": [4.0] * 8, "e": [1, 1, 1, 0] * 2, "arm": ["x"] * 4 + ["y"] * 4})
    data = oc.survival_data(rows, duration="t", event="e", arm="arm", reference="x")
    found = oc.rate_model(data, "arm", family="negative_binomial")
    assert np.isinf(found.theta)
    assert {"no_overdispersion", "few_events"} == {note.code for note in found.notes}


def test_an_arm_without_events_has_no_finite_ratio_and_the_others_keep_theirs(frame: pd.DataFrame) -> None:
    found = oc.rate_model(_take(frame.assign(e=np.where(frame["arm"] == "y", 0, frame["e"]))), "arm + age")
    assert "separation" in [note.code for note in found.notes]
    alone = oc.rate_model(_take(frame[frame["arm"] == "x"]), "age")
    close(found.coefficients[2], alone.coefficients[1], rtol=1e-6)


def test_a_row_that_stands_for_several_people_is_those_people() -> None:
    few = pd.DataFrame({"t": [3.0, 5, 2, 8], "e": [1, 0, 1, 1], "age": [20.0, 30, 25, 50], "many": [3, 4, 2, 5]})
    written = few.loc[few.index.repeat(few["many"])].reset_index(drop=True)
    one, all_of_them = (
        oc.rate_model(oc.survival_data(f, duration="t", event="e", frequency=c), "age", variance=v)
        for f, c, v in ((few, "many", None), (written, None, None))
    )
    close(one.covariance, all_of_them.covariance, rtol=1e-9)
    assert (one.n_events, one.dispersion) == (10, pytest.approx(all_of_them.dispersion))


def test_what_cannot_be_fitted_is_refused_by_name(frame: pd.DataFrame, data: oc.SurvivalData) -> None:
    with pytest.raises(oc.EstimationError, match=r"covariates are missing: age \(1\) of 200"):
        oc.rate_model(_take(frame.assign(age=frame["age"].where(frame["id"] > 0))), "age")
    with pytest.raises(oc.EstimationError, match="nobody had the event"):
        oc.rate_model(_take(frame.assign(e=0)), "age")
    with pytest.raises(oc.EstimationError, match="only one arm"):
        oc.rate_model(_take(frame[frame["arm"] == "x"]), "arm")
    with pytest.raises(oc.EstimationError, match="'expected' is for family"):
        oc.rate_model(data, "arm", variance="expected")
    with pytest.raises(oc.NotSupportedError, match="a person's count has one weight"):
        oc.rate_model(data, "arm", weights=np.ones(len(data.exit)))
    causes = {"causes": ["a", "b"], "censored": "n"}
    competing = oc.survival_data(
        pd.DataFrame({"t": [1, 2], "e": ["a", "b"], "z": [0, 1]}), duration="t", event="e", **causes
    )
    with pytest.raises(oc.EstimationError, match="2 causes compete here"):
        oc.rate_model(competing, "z")
