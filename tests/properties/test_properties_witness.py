"""What must hold for any data, against a second witness: estimates by plain loops, and what weights, contrasts and residuals add up to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from curves_by_hand import chance_to_be_seen, curve, loglik, mean_time, people_of, pseudo_values
from drawn_cohorts import cohorts, take
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import outcomes as oc

close = np.testing.assert_allclose
FEWER = settings(max_examples=15)


def fitted(data: oc.SurvivalData, **options: Any) -> oc.Cox:
    """Fit a Cox model of x; data on which it has no finite maximum are passed over."""
    assume(data.events_by_arm("first").sum() > 1)
    try:
        fit = oc.cox(data, "x", cause="first", **options)
    except oc.EstimationError:  # x says nothing among those at risk
        assume(False)
    assume("separation" not in {note.code for note in fit.notes} and np.abs(fit.coefficients).max() < 6)
    return fit


@FEWER
@given(cohorts())
def test_curves_by_plain_loops(frame: pd.DataFrame) -> None:
    data, times = take(frame), sorted(set(frame["exit"]))
    for weights in ("w", None):
        km, cif = oc.kaplan_meier(data, cause="any", weights=weights), oc.cumulative_incidence(data, weights=weights)
        for arm in "ab":
            mine = frame[frame["arm"] == arm]
            witness = [curve(people_of(mine, weighted=weights is not None), t) for t in times]
            known = np.array(times) <= mine["exit"].max()
            ours = km.at(times).loc[lambda f, arm=arm: f["arm"] == arm, "estimate"].to_numpy()
            close(ours[known], np.array([free for free, _ in witness])[known], atol=1e-12)
            for code, cause in ((1, "first"), (2, "second")):
                found = cif.at(times)
                ours = found.loc[(found["arm"] == arm) & (found["cause"] == cause), "estimate"].to_numpy()
                close(ours[known], np.array([each[code] for _, each in witness])[known], atol=1e-12)


@given(cohorts())
def test_mean_times_by_plain_loops(frame: pd.DataFrame) -> None:
    horizon = float(frame.groupby("arm")["exit"].max().min())
    ours = oc.rmst(take(frame), horizon=horizon, weights="w").to_frame().query("measure == 'rmst'")["estimate"]
    close(ours, [mean_time(people_of(mine), horizon) for _, mine in frame.groupby("arm")], rtol=1e-12)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@given(cohorts(least=10))
def test_partial_likelihoods_by_plain_loops(ties: str, frame: pd.DataFrame) -> None:
    fit, people = fitted(take(frame), ties=ties, weights="w"), people_of(frame)
    at = [loglik(people, b, cause=1, efron=ties == "efron") for b in (0.0, fit.coefficients[0])]
    close([fit.loglik_null, fit.loglik], at, rtol=1e-9)
    here = fit.coefficients[0]
    low, top, high = (loglik(people, here + s, cause=1, efron=ties == "efron") for s in (-1e-3, 0.0, 1e-3))
    assert top >= max(low, high)
    close(fit.model_covariance[0, 0], -1e-6 / (low - 2 * top + high), rtol=1e-3)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@given(cohorts(least=10), st.booleans())
def test_residuals_add_to_nothing(ties: str, frame: pd.DataFrame, stratified: bool) -> None:
    frame = frame.assign(s=frame["id"] % 2)
    fit = fitted(take(frame), ties=ties, weights="w", strata="s" if stratified else None)
    for kind in ("martingale", "score"):
        close(frame["w"] @ fit.residuals(kind).to_numpy(), 0.0, atol=1e-8)
    close(fit.residuals("dfbeta").sum(), 0.0, atol=1e-8)
    close(fit.influence().sum(axis=0), 0.0, atol=1e-8)


@FEWER
@given(cohorts(), st.integers(0, 2**32 - 1))
def test_whole_weights_are_that_many_rows_in_the_estimate_and_not_in_its_error(frame: pd.DataFrame, seed: int) -> None:
    counts = np.random.default_rng(seed).integers(2, 5, len(frame))
    rows = frame.loc[frame.index.repeat(counts)].assign(id=lambda f: np.arange(len(f)))
    weighted, repeated = take(frame), take(rows.reset_index(drop=True))
    for ours, theirs in (
        (
            oc.kaplan_meier(weighted, cause="any", weights=counts),
            oc.kaplan_meier(repeated, cause="any", variance="robust"),
        ),
        (oc.cumulative_incidence(weighted, weights=counts), oc.cumulative_incidence(repeated, variance="robust")),
        (
            oc.nelson_aalen(weighted, cause="first", weights=counts),
            oc.nelson_aalen(repeated, cause="first", variance="robust"),
        ),
    ):
        one, many = ours.to_frame(), theirs.to_frame()
        close(one["estimate"], many["estimate"], atol=1e-12)
        assert (one["std_error"] >= many["std_error"] - 1e-12).all()
        assert one["std_error"].sum() > many["std_error"].sum() or one["std_error"].sum() == 0
    one, many = (
        fitted(d, ties="breslow", **o) for d, o in ((weighted, {"weights": counts}), (repeated, {"robust": True}))
    )
    close(one.coefficients, many.coefficients, rtol=1e-7, atol=1e-9)
    assert one.covariance[0, 0] > many.covariance[0, 0]


@FEWER
@given(cohorts(late=False, least=10), st.sampled_from([10.0, 0.01]))
def test_ten_times_the_weights_change_no_regression_and_no_rate(frame: pd.DataFrame, factor: float) -> None:
    data, weight = take(frame), frame["w"].to_numpy()
    assume(data.events_by_arm("first").min() > 0)
    horizon = float(frame.groupby("arm")["exit"].max().min())
    for estimate in (
        lambda w: oc.fine_gray(data, "arm", cause="first", weights=w).to_frame(),
        lambda w: oc.event_rate(data, cause="first", weights=w).to_frame(),
        lambda w: oc.rmst(data, horizon=horizon, weights=w, cluster="cluster").to_frame(),
        lambda w: oc.cox(data, "arm", cause="first", weights=w, cluster="cluster").to_frame(),
    ):
        try:
            ours = estimate(weight)
        except oc.EstimationError:  # arms that never meet, or nobody left in view
            assume(False)
        theirs = estimate(factor * weight)
        close(ours[["estimate", "std_error"]], theirs[["estimate", "std_error"]], rtol=1e-5, atol=1e-7)


@given(cohorts(late=False))
def test_without_censoring_incidences_are_shares(frame: pd.DataFrame) -> None:
    data = take(frame.assign(event=np.where(frame["event"] == 0, 1, frame["event"])))
    found = oc.cumulative_incidence(data).to_frame()
    event = np.asarray(data.event)
    for (arm, cause), rows in found.groupby(["arm", "cause"]):
        mine = (frame["arm"] == arm).to_numpy()
        had = mine & (event == 1 + data.causes.index(cause))
        share = [(had & (frame["exit"] <= t)).sum() / mine.sum() for t in rows["time"]]
        close(rows["estimate"], share, atol=1e-12)


@given(cohorts(late=False))
def test_people_weighted_by_their_chance_to_be_seen_are_the_curve(frame: pd.DataFrame) -> None:
    one = frame[frame["arm"] == "a"]
    people, times = people_of(one), sorted(set(one["exit"]))
    seen = [(p, chance_to_be_seen(people, p.exit)) for p in people if p.event > 0]
    total = sum(p.weight for p in people)
    risk = [sum(p.weight / chance for p, chance in seen if p.exit <= t) / total for t in times]
    data = take(one, arm=None, reference=None)
    close(1 - oc.kaplan_meier(data, cause="any", weights="w").at(times)["estimate"], risk, atol=1e-10)


@FEWER
@given(cohorts(late=False, least=10, most=16))
def test_without_censoring_regression_of_time_free_is_that_of_pseudo_values(frame: pd.DataFrame) -> None:
    frame = frame.assign(event=1)
    horizon = float(frame.groupby("arm")["exit"].max().min())
    data = take(frame, causes={1: "first"})
    ours = oc.rmst_regression(data, "arm + x", horizon=horizon).to_frame()["estimate"]
    columns = np.column_stack([np.ones(len(frame)), frame["arm"] == "b", frame["x"]])
    assume(np.linalg.matrix_rank(columns) == 3)
    close(ours, np.linalg.lstsq(columns, pseudo_values(people_of(frame, weighted=False), horizon))[0], atol=1e-8)


@FEWER
@given(cohorts(), st.booleans())
def test_exchanging_the_arms_negates_differences_and_inverts_ratios(frame: pd.DataFrame, clustered: bool) -> None:
    one, other = take(frame), take(frame, reference="b")
    horizon = float(frame.groupby("arm")["exit"].max().min())
    cluster = {"cluster": "cluster"} if clustered and frame.groupby("arm")["cluster"].nunique().min() > 1 else {}
    for estimate, measure, at in (
        (lambda d: oc.kaplan_meier(d, cause="any", weights="w", **cluster), "risk_difference", {"at": horizon}),
        (lambda d: oc.cumulative_incidence(d, weights="w", **cluster), "risk_ratio", {"at": horizon, "cause": "first"}),
        (lambda d: oc.rmst(d, horizon=horizon, weights="w", **cluster), "rmst_difference", {"cause": None}),
    ):
        ours, theirs = (oc.compare(estimate(d), measure=measure, **at).to_frame().iloc[0] for d in (one, other))
        low, high = theirs["conf_high"], theirs["conf_low"]
        turned = [theirs["estimate"], low, high]
        turned = [1 / v if v else np.inf for v in turned] if measure == "risk_ratio" else [-v for v in turned]
        mine = ours[["estimate", "conf_low", "conf_high"]].astype(float).to_numpy()
        close(mine, turned, rtol=1e-8, atol=1e-10)
