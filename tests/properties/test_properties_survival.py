"""What must hold for any data: the invariants of the survival estimators."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from drawn_cohorts import cohorts, take
from hypothesis import assume, given
from hypothesis import strategies as st

import outcomes as oc
from outcomes.results import Weights

close = np.testing.assert_allclose


def columns(found: pd.DataFrame, *names: str) -> np.ndarray:
    return found[list(names or ("estimate", "std_error"))].to_numpy(dtype=float)


def fitted(data: oc.SurvivalData, formula: str = "x", **options: Any) -> oc.Cox:
    """Fit a Cox model; data on which it has no finite maximum are passed over."""
    assume(data.events_by_arm("first").sum() > 1)
    died = np.asarray(data.event) == 1
    assume(np.ptp(data.frame["x"].to_numpy()[died]) > 0)
    try:
        fit = oc.cox(data, formula, cause="first", **options)
    except oc.EstimationError:  # the covariate says nothing among those at risk
        assume(False)
    assume("separation" not in {note.code for note in fit.notes} and np.abs(fit.coefficients).max() < 6)
    return fit


@given(cohorts())
def test_incidences_and_event_free_share_add_to_one(frame: pd.DataFrame) -> None:
    found = oc.cumulative_incidence(take(frame), weights="w")
    for fit in found.fits:
        close(fit.cif.sum(axis=0) + fit.survival, 1.0, atol=1e-12)


@given(cohorts())
def test_incidence_of_the_only_cause_is_one_minus_kaplan_meier(frame: pd.DataFrame) -> None:
    data = take(frame.assign(event=(frame["event"] > 0).astype(int)), causes={1: "first"})
    km = oc.kaplan_meier(data, weights="w", conf_type="plain").to_frame()
    cif = oc.cumulative_incidence(data, weights="w", conf_type="plain").to_frame()
    close(1 - km["estimate"], cif["estimate"], atol=1e-12)
    close(km["std_error"], cif["std_error"], atol=1e-10)


@given(cohorts(late=False))
def test_without_censoring_the_curve_is_the_share_that_is_left(frame: pd.DataFrame) -> None:
    data = take(frame.assign(event=1), causes={1: "first"})
    km = oc.kaplan_meier(data).to_frame()
    for arm, rows in km.groupby("arm"):
        times = frame.loc[frame["arm"] == arm, "exit"].to_numpy()
        share = (times[None, :] > rows["time"].to_numpy()[:, None]).mean(axis=1)
        close(rows["estimate"], share, atol=1e-12)
        close(rows["std_error"], np.sqrt(share * (1 - share) / len(times)), atol=1e-12)


@given(cohorts(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(frame: pd.DataFrame, random: Any) -> None:
    order = list(range(len(frame)))
    random.shuffle(order)
    mixed = take(frame.iloc[order])
    data = take(frame)
    for estimate in (oc.kaplan_meier, oc.nelson_aalen):
        ours = estimate(data, cause="first", weights="w", cluster="cluster").to_frame()
        theirs = estimate(mixed, cause="first", weights="w", cluster="cluster").to_frame()
        close(columns(ours), columns(theirs), atol=1e-12)
    close(
        columns(oc.cumulative_incidence(data).to_frame()),
        columns(oc.cumulative_incidence(mixed).to_frame()),
        atol=1e-12,
    )
    one, two = fitted(data, weights="w"), fitted(mixed, weights="w")
    close(one.coefficients, two.coefficients, rtol=1e-7, atol=1e-9)
    close(one.covariance, two.covariance, rtol=1e-7, atol=1e-9)


@given(cohorts())
def test_exchanging_the_arms_turns_contrasts_round(frame: pd.DataFrame) -> None:
    one, other = take(frame), take(frame, reference="b")
    for cause in ("first", "second"):
        ours, theirs = (oc.kaplan_meier(d, cause=cause, weights="w").to_frame() for d in (one, other))
        both = ours.merge(theirs, on=["arm", "time"])
        close(both["estimate_x"], both["estimate_y"])
        close(both["std_error_x"], both["std_error_y"], atol=1e-12)
    first, second = fitted(one, "arm + x"), fitted(other, "arm + x")
    close(first.coefficients, second.coefficients * [-1, 1], rtol=1e-6, atol=1e-8)
    close(first.loglik, second.loglik)


@given(cohorts(), st.sampled_from([7.0, 0.25, 365.25]))
def test_the_unit_of_time_does_not_matter(frame: pd.DataFrame, factor: float) -> None:
    data, longer = take(frame), take(frame.assign(entry=frame["entry"] * factor, exit=frame["exit"] * factor))
    ours, theirs = (oc.cumulative_incidence(d, weights="w").to_frame() for d in (data, longer))
    close(ours["time"] * factor, theirs["time"])
    close(columns(ours), columns(theirs), atol=1e-12)
    horizon = min(frame.groupby("arm")["exit"].max())
    ours, theirs = (
        oc.rmst(d, horizon=h, weights="w").to_frame() for d, h in ((data, horizon), (longer, horizon * factor))
    )
    close(columns(ours) * factor, columns(theirs), rtol=1e-9, atol=1e-9)
    one, two = fitted(data), fitted(longer)
    close(one.coefficients, two.coefficients, rtol=1e-7, atol=1e-9)


@given(cohorts(), st.sampled_from([10.0, 0.01]))
def test_the_scale_of_the_weights_does_not_matter(frame: pd.DataFrame, factor: float) -> None:
    data = take(frame)
    light, heavy = frame["w"].to_numpy(), frame["w"].to_numpy() * factor
    for estimate in (oc.kaplan_meier, oc.nelson_aalen):
        ours, theirs = (columns(estimate(data, cause="first", weights=w).to_frame()) for w in (light, heavy))
        close(ours, theirs, atol=1e-11)
    ours, theirs = (columns(oc.cumulative_incidence(data, weights=w).to_frame()) for w in (light, heavy))
    close(ours, theirs, atol=1e-11)
    one, two = fitted(data, weights=light), fitted(data, weights=heavy)
    close(one.coefficients, two.coefficients, rtol=1e-7, atol=1e-9)
    close(one.covariance, two.covariance, rtol=1e-7, atol=1e-9)
    ours, theirs = (oc.logrank_test(data, cause="first", weights=w).statistic for w in (light, heavy))
    close(ours, theirs, rtol=1e-8)


@given(cohorts())
def test_weights_of_one_are_no_weights(frame: pd.DataFrame) -> None:
    data, ones = take(frame), np.ones(len(frame))
    plain = oc.kaplan_meier(data, cause="any", variance="robust").to_frame()
    close(columns(plain), columns(oc.kaplan_meier(data, cause="any", weights=ones).to_frame()), atol=1e-12)
    close(fitted(data, robust=True).covariance, fitted(data, weights=ones).covariance, rtol=1e-9)


@given(cohorts(), st.data())
def test_a_frequency_is_that_many_rows(frame: pd.DataFrame, draw: st.DataObject) -> None:
    rng = np.random.default_rng(draw.draw(st.integers(0, 2**32 - 1)))
    counted = frame.assign(f=rng.integers(1, 4, len(frame)))
    repeated = frame.loc[frame.index.repeat(counted["f"])].reset_index(drop=True)
    few, many = take(counted, frequency="f"), take(repeated)
    assert few.n == many.n
    for variance in ("greenwood", "robust"):
        ours, theirs = (oc.kaplan_meier(d, cause="first", variance=variance).to_frame() for d in (few, many))
        close(columns(ours), columns(theirs), atol=1e-11)
        assert ours[["n", "n_at_risk", "n_events", "n_censored"]].equals(
            theirs[["n", "n_at_risk", "n_events", "n_censored"]]
        )
    for options in ({}, {"weights": "w"}, {"cluster": "cluster"}):
        ours, theirs = (columns(oc.cumulative_incidence(d, **options).to_frame()) for d in (few, many))
        close(ours, theirs, atol=1e-11)
    for ties in ("nelson-aalen", "fleming-harrington"):
        ours, theirs = (columns(oc.nelson_aalen(d, cause="first", ties=ties).to_frame()) for d in (few, many))
        close(ours, theirs, atol=1e-11)
    assume(few.events_by_arm("first").sum() > 0)
    close(oc.logrank_test(few, cause="first").covariance, oc.logrank_test(many, cause="first").covariance, atol=1e-10)
    for options in ({"ties": "efron"}, {"ties": "breslow"}, {"weights": "w"}, {"robust": True}, {"cluster": "cluster"}):
        one, two = fitted(few, **options), fitted(many, **options)
        close(one.coefficients, two.coefficients, rtol=1e-6, atol=1e-8)
        close(one.covariance, two.covariance, rtol=1e-6, atol=1e-8)
        close(one.loglik, two.loglik, rtol=1e-9)
        assert one.n_events == two.n_events
    assume(abs(one.coefficients[0]) > 1e-6)  # else the order of the scores is rounding
    close(one.concordance().std_error, two.concordance().std_error, rtol=1e-7, atol=1e-9)


def _split(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Cut some people's time into pieces; only the last holds the event."""
    rows = []
    for row in frame.to_dict("records"):
        inside = np.arange(row["entry"] + 0.5, row["exit"], 0.5)
        cuts = sorted(rng.choice(inside, min(len(inside), int(rng.integers(0, 4))), replace=False))
        edges = [row["entry"], *cuts, row["exit"]]
        for k, (low, high) in enumerate(pairwise(edges)):
            rows.append(row | {"entry": low, "exit": high, "event": row["event"] if k == len(edges) - 2 else 0})
    return pd.DataFrame(rows)


@given(cohorts(), st.integers(0, 2**32 - 1))
def test_a_split_spell_is_the_whole_spell(frame: pd.DataFrame, seed: int) -> None:
    whole, split = take(frame, id="id"), take(_split(frame, np.random.default_rng(seed)), id="id")
    times = sorted(set(frame["exit"]))
    counts = ["n", "n_at_risk", "n_events", "n_censored"]
    for options in ({"variance": "robust"}, {"weights": "w"}, {"weights": "w", "cluster": "cluster"}):
        ours, theirs = (oc.kaplan_meier(d, cause="first", **options).at(times) for d in (whole, split))
        close(columns(ours), columns(theirs), atol=1e-11)
        assert ours[counts].equals(theirs[counts])
        ours, theirs = (oc.cumulative_incidence(d, **options).at(times) for d in (whole, split))
        close(columns(ours), columns(theirs), atol=1e-11)
        ours, theirs = (oc.nelson_aalen(d, cause="first", **options).at(times) for d in (whole, split))
        close(columns(ours), columns(theirs), atol=1e-11)
    horizon = min(frame.groupby("arm")["exit"].max())
    ours, theirs = (columns(oc.rmst(d, horizon=horizon, weights="w").to_frame()) for d in (whole, split))
    close(ours, theirs, rtol=1e-9, atol=1e-10)
    one, two = fitted(whole, robust=True), fitted(split)
    close(one.coefficients, two.coefficients, rtol=1e-6, atol=1e-8)
    close(one.covariance, two.covariance, rtol=1e-6, atol=1e-8)
    assume(abs(one.coefficients[0]) > 1e-6)
    ours, theirs = one.concordance(), two.concordance()
    close([ours.estimate, ours.std_error], [theirs.estimate, theirs.std_error], rtol=1e-6, atol=1e-8)
    ours, theirs = (oc.logrank_test(d, cause="first", weights="w") for d in (whole, split))
    close(ours.covariance, theirs.covariance, atol=1e-10)
    assert (
        oc.kaplan_meier(whole, cause="any")
        .summary()["median_follow_up"]
        .equals(oc.kaplan_meier(split, cause="any").summary()["median_follow_up"])
    )


@given(cohorts())
def test_time_free_and_time_lost_add_to_the_horizon(frame: pd.DataFrame) -> None:
    horizon = min(frame.groupby("arm")["exit"].max())
    found = oc.rmst(take(frame), horizon=horizon, weights="w").to_frame()
    close(found.groupby("arm")["estimate"].sum(), horizon)


@given(cohorts())
def test_influences_are_derivatives_by_the_weights(frame: pd.DataFrame) -> None:
    data, weight = take(frame), frame["w"].to_numpy()
    horizon = float(min(frame.groupby("arm")["exit"].max()))
    times = [horizon / 2, horizon]
    probes: list[Any] = [
        (lambda w: oc.kaplan_meier(data, cause="any", weights=w).influence(times), "values"),
        (lambda w: oc.cumulative_incidence(data, weights=w).influence(times, cause="first"), "values"),
        (lambda w: oc.cumulative_incidence(data, weights=w).influence(times, cause="second"), "values"),
        (lambda w: oc.rmst(data, horizon=horizon, weights=w).influence(), "values"),
        (lambda w: oc.rmst(data, horizon=horizon, weights=w).influence(measure="rmtl: second"), "values"),
    ]
    for ask, _ in probes:
        found = ask(weight)
        for person in (0, 1, len(frame) - 1):
            step = 1e-5 * weight[person]
            up, down = weight.copy(), weight.copy()
            up[person] += step
            down[person] -= step
            slope = (ask(up).estimate - ask(down).estimate) / (2 * step)
            close(found.values[person], weight[person] * slope, atol=2e-7, rtol=1e-5)


@given(cohorts(least=15), st.sampled_from(["efron", "breslow"]))
def test_influences_on_a_coefficient_sum_to_zero_and_are_near_leaving_a_person_out(
    frame: pd.DataFrame, ties: str
) -> None:
    data, weight = take(frame), frame["w"].to_numpy()
    fit = fitted(data, weights=weight, ties=ties)
    influence = fit.influence()
    close(influence.sum(axis=0), 0.0, atol=1e-8)
    close(fit.covariance, influence.T @ influence, rtol=1e-9)
    if ties == "breslow":  # under Efron the mean weight of the tied moves too, which R's residuals leave out
        person = 2
        up, down = weight.copy(), weight.copy()
        up[person], down[person] = weight[person] * (1 + 1e-5), weight[person] * (1 - 1e-5)
        slope = (
            fitted(data, weights=up, ties=ties).coefficients - fitted(data, weights=down, ties=ties).coefficients
        ) / 2e-5
        close(influence[person], slope, rtol=1e-4, atol=1e-7)


@given(cohorts(), st.booleans(), st.booleans())
def test_errors_over_time_are_the_squares_of_the_influences(
    frame: pd.DataFrame, stacked: bool, clustered: bool
) -> None:
    rng = np.random.default_rng(len(frame))
    data = take(frame)
    weights = Weights(
        values=frame["w"].to_numpy(), estimand="ate", arm=data.arm, arms=data.arms,
        influence=rng.normal(size=(len(frame), 3)) / len(frame), gradient=rng.normal(size=(len(frame), 3)),
    )  # fmt: skip
    options: dict[str, Any] = {"weights": weights, "variance": "stacked" if stacked else "robust"}
    if clustered:
        options["cluster"] = "cluster"
    horizon = float(min(frame.groupby("arm")["exit"].max()))
    times = np.append(np.arange(1.0, horizon), horizon)
    for found, cause in (
        (oc.kaplan_meier(data, cause="first", **options), "first"),
        (oc.cumulative_incidence(data, **options), "second"),
    ):
        influence = found.influence(times, cause=cause)
        ours = found.at(times).query("cause == @cause")["std_error"].to_numpy().reshape(2, -1)
        close(ours, np.sqrt(np.einsum("taa->at", influence.covariance)), atol=1e-10)
        joint = found.arm_estimates(times, cause=cause)
        close(joint.covariance, influence.covariance, atol=1e-12)
        close(joint.estimate, influence.estimate.T)


@given(cohorts(), st.integers(0, 2**32 - 1))
def test_tests_of_the_arms_know_no_order_name_or_unit(frame: pd.DataFrame, seed: int) -> None:
    assume((frame["event"] == 1).any())
    order = np.random.default_rng(seed).permutation(len(frame))
    changed = frame.iloc[order].assign(entry=lambda f: f["entry"] * 7, exit=lambda f: f["exit"] * 7)
    one, other = take(frame), take(changed, reference="b")
    found = [
        [
            oc.logrank_test(d, cause="first", rho=0.5, gamma=1, weights="w").covariance[0, 0],
            oc.logrank_test(d, cause="first", strata="cluster").statistic,
            oc.gray_test(d, cause="first", rho=1).covariance[0, 0],
            oc.gray_test(d, cause="first", strata="cluster").statistic,
        ]
        for d in (one, other)
    ]
    close(*found, rtol=1e-7, atol=1e-9)
    z = [oc.max_combo_test(d, cause="first", family=[(0, 0), (1, 0)]).z for d in (one, other)]
    close(z[0], -z[1], rtol=1e-7, atol=1e-7)


@given(cohorts(late=False))
def test_one_stratum_is_no_strata(frame: pd.DataFrame) -> None:
    data = take(frame.assign(s=1))
    assume(data.events_by_arm("first").sum() > 0)
    ours, theirs = oc.logrank_test(data, cause="first", strata="s"), oc.logrank_test(data, cause="first")
    close([ours.statistic, ours.p_value], [theirs.statistic, theirs.p_value])
    one, two = fitted(data, strata="s"), fitted(data)
    close(one.coefficients, two.coefficients, rtol=1e-9)
    close(one.loglik, two.loglik)


@given(cohorts(late=False))
def test_without_ties_the_score_test_is_the_logrank_test(frame: pd.DataFrame) -> None:
    data = take(frame.assign(exit=frame["exit"] + np.arange(len(frame)) / 1000))
    fit = fitted(data, "arm")
    close(fit.score_statistic, oc.logrank_test(data, cause="first").statistic, rtol=1e-9)


@given(cohorts(least=20, most=40), st.booleans())
def test_concordance_counts_every_pair(frame: pd.DataFrame, stratified: bool) -> None:
    frame = frame.assign(s=frame["id"] % 3)
    data = take(frame)
    fit = fitted(data, weights="w", strata="s" if stratified else None)
    score, counts = fit.coefficients[0] * frame["x"].to_numpy(), np.zeros(3)
    start, stop, w = frame["entry"].to_numpy(), frame["exit"].to_numpy(), frame["w"].to_numpy()
    died, stratum = frame["event"].to_numpy() == 1, frame["s"].to_numpy() if stratified else np.zeros(len(frame))
    for i in np.flatnonzero(died):
        for j in range(len(frame)):
            later = stop[j] > stop[i] or (stop[j] == stop[i] and not died[j])
            if i != j and start[j] < stop[i] and later and stratum[i] == stratum[j]:
                counts[[0 if score[i] > score[j] else 1 if score[i] < score[j] else 2]] += w[i] * w[j]
    found = fit.concordance()
    close([found.concordant, found.discordant, found.tied], counts, atol=1e-9)
    assert found.estimate == pytest.approx((counts[0] + counts[2] / 2) / counts.sum(), nan_ok=True)


def test_leaving_one_out_moves_the_estimate_by_its_influence() -> None:
    rng = np.random.default_rng(4)
    n = 400
    frame = pd.DataFrame({"t": rng.exponential(10, n).round() + 1, "e": rng.integers(0, 2, n), "x": rng.normal(size=n)})
    data = oc.survival_data(frame, duration="t", event="e")
    whole = {"km": oc.kaplan_meier(data).influence(8), "cox": oc.cox(data, "x")}
    moved = []
    for person in range(0, n, 20):
        rest = oc.survival_data(frame.drop(index=person), duration="t", event="e")
        left = oc.kaplan_meier(rest).influence(8).estimate[0, 0], oc.cox(rest, "x").coefficients[0]
        moved.append([whole["km"].estimate[0, 0] - left[0], whole["cox"].coefficients[0] - left[1]])
    predicted = np.column_stack([whole["km"].values[::20, 0, 0], whole["cox"].influence()[::20, 0]])
    close(moved, predicted, rtol=0.05, atol=1e-5)
