"""Pooling over imputed sets: each kind of result by Rubin's rules written out, and what a pooled result refuses."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from estimates_to_pool import MODELS, Estimate, M, by_hand, weighted
from incomplete_people import incomplete_people, time_at_risk
from scipy.stats import norm, t

import outcomes as oc

mpl.use("Agg")


@pytest.fixture(scope="module")
def imputed() -> oc.Imputed:
    return oc.impute(time_at_risk(incomplete_people(400, causes=2)), m=M, seed=1)


def sets(imputed: oc.Imputed, estimate: Estimate, *names: str) -> tuple[np.ndarray, ...]:
    frames = [estimate(one).to_frame() for one in imputed]
    return tuple(np.stack([frame[name].to_numpy(dtype=float) for frame in frames]) for name in names)


@pytest.mark.parametrize("name", MODELS)
def test_results_are_pooled_as_they_stand_in_their_tables(name: str, imputed: oc.Imputed) -> None:
    estimates, errors = sets(imputed, MODELS[name], "estimate", "std_error")
    hand, pooled = by_hand(estimates, errors), oc.pool(imputed, MODELS[name])
    frame = pooled.to_frame()
    assert isinstance(pooled, type(MODELS[name](imputed[0])))
    for column in ("estimate", "std_error", "df"):
        np.testing.assert_allclose(frame[column], hand[column], rtol=1e-8, err_msg=column)
    np.testing.assert_allclose(frame["conf_low"], hand["estimate"] - hand["reach"], rtol=1e-6)
    np.testing.assert_allclose(frame["conf_high"], hand["estimate"] + hand["reach"], rtol=1e-6)
    assert ((frame["fmi"] > 0) & (frame["fmi"] < 1)).all()
    assert f"Pooled over {M} imputed sets" in pooled.describe()
    assert pooled.title.endswith("pooled over imputed sets")
    assert len(pooled.missing_information()) == len(frame)


SAME: dict[str, Estimate] = {
    **MODELS,
    "cox, clustered": lambda d: oc.cox(d, "arm + age", cause="any", cluster="area"),
    "fine_gray, clustered": lambda d: oc.fine_gray(d, "arm + age", cause="any", cluster="area"),
    "rmst, clustered": lambda d: oc.rmst(d, horizon=300, cluster="area"),
    "rmst_regression, clustered": lambda d: oc.rmst_regression(d, "arm + age", horizon=300, cluster="area"),
    "kaplan_meier": lambda d: oc.kaplan_meier(d, cause="any"),
    "kaplan_meier, clustered": lambda d: oc.kaplan_meier(d, cause="any", cluster="area", conf_type="logit"),
    "cumulative_incidence": lambda d: oc.cumulative_incidence(d, weights=weighted(d)),
    "risk ratio": lambda d: oc.compare(oc.kaplan_meier(d, cause="any"), measure="risk_ratio", at=300),
    "number needed": lambda d: oc.compare(oc.kaplan_meier(d, cause="any"), measure="nnt", at=300),
    "clustered comparison": lambda d: oc.compare(
        oc.kaplan_meier(d, cause="any", cluster="area"), measure="risk_difference", at=300, margin=5.0
    ),
    "hazard ratio": lambda d: oc.compare(oc.cox(d, "arm + age", cause="any"), measure="hazard_ratio"),
}


@pytest.mark.parametrize("name", SAME)
def test_sets_that_are_the_same_give_the_result_itself(name: str, imputed: oc.Imputed) -> None:
    one = imputed[0]
    alone, pooled = SAME[name](one), oc.pool([one, one, one], SAME[name])
    mine, theirs = (x if isinstance(x, pd.DataFrame) else x.to_frame() for x in (pooled, alone))
    assert len(mine) == len(theirs)
    for column in theirs.columns.intersection(mine.columns):
        if theirs[column].dtype.kind in "if":
            np.testing.assert_allclose(mine[column], theirs[column], rtol=1e-7, atol=1e-12, err_msg=column)
        else:
            assert mine[column].tolist() == theirs[column].tolist()
    assert (mine["fmi"].dropna() == 0).all()


def test_ratios_of_a_comparison_are_pooled_on_the_log(imputed: oc.Imputed) -> None:
    def ratio(data: oc.SurvivalData) -> oc.Comparison:
        curves = oc.cumulative_incidence(data, weights=weighted(data))
        return oc.compare(curves, measure="risk_ratio", at=[200, 300])

    estimates, errors = sets(imputed, ratio, "estimate", "std_error")
    hand, frame = by_hand(np.log(estimates), errors), oc.pool(imputed, ratio).to_frame()
    np.testing.assert_allclose(frame["estimate"], np.exp(hand["estimate"]))
    np.testing.assert_allclose(frame["std_error"], hand["std_error"])
    np.testing.assert_allclose(frame["conf_low"], np.exp(hand["estimate"] - hand["reach"]))
    np.testing.assert_allclose(frame["p_value"], 2 * t.sf(np.abs(hand["estimate"]) / hand["std_error"], hand["df"]))
    assert frame["p_holm"].iloc[0] >= frame["p_value"].iloc[0]


def test_a_number_needed_is_one_over_the_pooled_risk_difference(imputed: oc.Imputed) -> None:
    def of(measure: str) -> pd.Series:
        return oc.pool(
            imputed, lambda d: oc.compare(oc.cumulative_incidence(d, weights=weighted(d)), measure=measure, at=300)
        ).to_frame().iloc[0]  # fmt: skip

    assert of("nnt")["estimate"] == pytest.approx(1 / of("risk_difference")["estimate"])
    assert of("nnt")["std_error"] == pytest.approx(of("risk_difference")["std_error"])


@pytest.mark.parametrize("kind", ["free of the event", "incidence"])
def test_curves_are_pooled_on_the_complementary_log_log_scale(kind: str, imputed: oc.Imputed) -> None:
    def curves(data: oc.SurvivalData) -> Any:
        if kind == "incidence":
            return oc.cumulative_incidence(data, weights=weighted(data))
        return oc.kaplan_meier(data, cause="any", weights=weighted(data))

    frames = [curves(one).at([100, 300]) for one in imputed]
    share, error = (np.stack([f[name].to_numpy() for f in frames]) for name in ("estimate", "std_error"))
    free = 1 - share if kind == "incidence" else share
    hand = by_hand(np.log(-np.log(free)), error / np.abs(free * np.log(free)))
    mean = np.exp(-np.exp(hand["estimate"]))
    found = oc.pool(imputed, curves).at([100, 300])
    np.testing.assert_allclose(found["estimate"], 1 - mean if kind == "incidence" else mean)
    np.testing.assert_allclose(found["std_error"], hand["std_error"] * -mean * np.log(mean))
    np.testing.assert_allclose(found["df"], hand["df"])
    if kind == "free of the event":  # the limits' default scale is the one they are pooled on
        np.testing.assert_allclose(found["conf_low"], np.exp(-np.exp(hand["estimate"] + hand["reach"])))
    counts = ["n", "n_at_risk", "n_events", "n_censored"]
    assert found[counts].equals(frames[0][counts])


def test_a_pooled_curve_is_a_step_function_with_the_rows_of_a_curve(imputed: oc.Imputed) -> None:
    pooled = oc.pool(imputed, lambda d: oc.kaplan_meier(d, cause="any", weights=weighted(d)))
    frame = pooled.to_frame()
    assert frame["time"].tolist() == oc.kaplan_meier(imputed[0], cause="any").to_frame()["time"].tolist()
    steps = frame[frame["arm"] == "old"]
    assert (steps["estimate"].diff().dropna() <= 0).all()
    row = steps.iloc[10]
    between = pooled.at(float(row["time"]) + 0.5)
    assert between[between["arm"] == "old"]["estimate"].iloc[0] == row["estimate"]
    assert steps.iloc[0][["estimate", "std_error", "fmi"]].tolist() == [1.0, 0.0, 0.0]
    last = max(pooled.last_times)
    assert pooled.at(last + 1)["estimate"].isna().any() == (frame["n_censored"].max() > 0)
    assert pooled.plot().get_lines()
    assert "imputed sets" in pooled.describe()


def test_clusters_widen_what_varies_within_a_set_and_not_what_varies_between(imputed: oc.Imputed) -> None:
    def model(data: oc.SurvivalData) -> oc.Cox:
        return oc.cox(data, "risk", cause="any", cluster="area")

    fits = [model(one) for one in imputed]
    estimates, errors = sets(imputed, model, "estimate", "std_error")
    groups = imputed.data.baseline["area"].nunique()
    hand = by_hand(estimates, errors * np.sqrt(groups / (groups - 1)), groups - 1)
    row = oc.pool(imputed, model).to_frame().iloc[0]
    assert fits[0].to_frame()["df"].iloc[0] == groups - 1
    assert row["df"] == pytest.approx(hand["df"][0])
    assert row["df"] < groups - 1
    assert row["conf_high"] - row["estimate"] == pytest.approx(hand["reach"][0])
    assert row["std_error"] == pytest.approx(by_hand(estimates, errors)["std_error"][0])


def test_complete_degrees_of_freedom_can_be_said(imputed: oc.Imputed) -> None:
    model = MODELS["cox"]
    estimates, errors = sets(imputed, model, "estimate", "std_error")
    frame = oc.pool(imputed, model, df_complete=40.0).to_frame()
    np.testing.assert_allclose(frame["df"], by_hand(estimates, errors, 40.0)["df"])


def test_ratios_are_exponentiated_with_their_limits(imputed: oc.Imputed) -> None:
    for name in ("cox", "fine_gray", "weibull"):
        pooled = oc.pool(imputed, MODELS[name])
        logs, ratios = pooled.to_frame(), pooled.to_frame(exponentiate=True)
        turned = (logs["measure"] != ratios["measure"]).to_numpy()
        assert turned.any()
        for column in ("estimate", "conf_low", "conf_high"):
            np.testing.assert_allclose(ratios.loc[turned, column], np.exp(logs.loc[turned, column]))
            np.testing.assert_allclose(ratios.loc[~turned, column], logs.loc[~turned, column])
        assert ratios["std_error"].tolist() == logs["std_error"].tolist()
        assert ratios["p_value"].tolist() == logs["p_value"].tolist()


def test_the_score_is_fitted_to_each_set(imputed: oc.Imputed) -> None:
    once = weighted(imputed[0]).values

    def refitted(data: oc.SurvivalData) -> oc.Comparison:
        return oc.compare(oc.cumulative_incidence(data, weights=weighted(data)), measure="risk_difference", at=300)

    def fixed(data: oc.SurvivalData) -> oc.Comparison:
        return oc.compare(oc.cumulative_incidence(data, weights=once), measure="risk_difference", at=300)

    pooled = oc.pool(imputed, refitted)
    assert pooled.variance == "stacked"
    assert pooled.to_frame()["fmi"].iloc[0] > 0
    assert oc.pool(imputed, fixed).to_frame()["fmi"].iloc[0] == 0


def test_matched_people_can_be_compared_in_each_set(imputed: oc.Imputed) -> None:
    def matched(data: oc.SurvivalData) -> oc.Comparison:
        weights = oc.match(data, "risk + age", method="nearest", estimand="att", caliper=0.2)
        return oc.compare(oc.kaplan_meier(data, cause="any", weights=weights), measure="risk_difference", at=300)

    frame = oc.pool(imputed, matched).to_frame()
    counts = [matched(one).to_frame()["n"].iloc[0] for one in imputed]
    assert frame["n"].iloc[0] == min(counts)
    assert 0 < frame["fmi"].iloc[0] < 1


# arms without events


def rare(missing_event: bool) -> list[oc.SurvivalData]:
    frame = pd.DataFrame(
        {"arm": ["a"] * 20 + ["b"] * 20, "day": np.arange(1.0, 41.0) % 20 + 1, "event": [0] * 20 + [1, 0] * 10}
    )
    changed = frame.assign(event=[1] + [0] * 19 + [1, 0] * 10 if missing_event else frame["event"])
    return [oc.survival_data(f, duration="day", event="event", arm="arm", reference="a") for f in (frame, changed)]


def test_an_arm_without_events_keeps_its_interval_where_the_sets_agree() -> None:
    def difference(data: oc.SurvivalData) -> oc.Comparison:
        return oc.compare(oc.kaplan_meier(data), measure="risk_difference", at=15)

    alone, pooled = difference(rare(False)[0]).to_frame().iloc[0], oc.pool(rare(False), difference)
    assert pooled.to_frame()[["conf_low", "conf_high"]].iloc[0].tolist() == alone[["conf_low", "conf_high"]].tolist()
    apart = oc.pool(rare(True), difference)
    assert apart.to_frame()[["conf_low", "conf_high", "p_value"]].isna().all(axis=None)
    assert "no_events_in_a_set" in [note.code for note in apart.notes]
    assert apart.to_frame()["verdict"].tolist() == ["not determined"]


# tables


def test_tables_are_pooled_on_the_scale_their_measures_say(imputed: oc.Imputed) -> None:
    shares = oc.pool(imputed, lambda d: MODELS["weibull"](d).at([100, 300]))
    frames = [MODELS["weibull"](one).at([100, 300]) for one in imputed]
    free, error = (np.stack([f[name].to_numpy() for f in frames]) for name in ("estimate", "std_error"))
    hand = by_hand(np.log(-np.log(free)), error / np.abs(free * np.log(free)))
    np.testing.assert_allclose(shares["estimate"], np.exp(-np.exp(hand["estimate"])))
    np.testing.assert_allclose(shares["conf_low"], np.exp(-np.exp(hand["estimate"] + hand["reach"])))
    ratios = oc.pool(imputed, lambda d: MODELS["weibull"](d).hazard_ratios())
    by_log = by_hand(
        np.stack([np.log(MODELS["weibull"](d).hazard_ratios()["estimate"]) for d in imputed]), np.ones((M, 2))
    )
    np.testing.assert_allclose(ratios["estimate"], np.exp(by_log["estimate"]))


def test_risks_and_shares_free_of_the_event_are_the_same_doubt(imputed: oc.Imputed) -> None:
    def at(measure: str) -> pd.DataFrame:
        return oc.pool(imputed, lambda d: MODELS["weibull"](d).at([300], measure=measure))

    free, risk = at("survival"), at("risk")
    np.testing.assert_allclose(risk["estimate"], 1 - free["estimate"])
    np.testing.assert_allclose(risk["std_error"], free["std_error"])
    np.testing.assert_allclose(risk["conf_low"], 1 - free["conf_high"])


def test_curves_of_models_and_effects_by_subgroup_are_pooled_as_tables(imputed: oc.Imputed) -> None:
    new = pd.DataFrame({"arm": ["old"], "risk": [50.0]})
    cox = oc.pool(imputed, lambda d: oc.cox(d, "arm + risk", cause="any").predict(new).at(300), scale="loglog")
    assert 0 < cox["conf_low"].iloc[0] < cox["estimate"].iloc[0] < cox["conf_high"].iloc[0] < 1
    standard = oc.pool(
        imputed, lambda d: oc.cox(d, "arm + risk", cause="any").standardised().at(300), scale="loglog"
    )  # fmt: skip
    assert standard["arm"].tolist() == ["old", "new"]
    effects = oc.pool(
        imputed,
        lambda d: oc.subgroup_effects(
            d, "denial", measure="risk_difference", at=300, weights=oc.weight(d, "risk + band", estimand="ate")
        ).to_frame(),
    )
    raw = effects["adjustment"] == "raw"
    assert (effects.loc[raw, "fmi"] == 0).all()
    assert (effects.loc[~raw, "fmi"] > 0).all()


def test_a_plain_table_is_walds(imputed: oc.Imputed) -> None:
    def plain(data: oc.SurvivalData) -> pd.DataFrame:
        return oc.cox(data, "risk", cause="any").to_frame()

    frame, whole = oc.pool(imputed, plain), oc.pool(imputed, lambda d: oc.cox(d, "risk", cause="any")).to_frame()
    for column in ("estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high", "fmi"):
        np.testing.assert_allclose(frame[column], whole[column])
    wide = oc.pool(imputed, plain, conf_level=0.99)
    assert (wide["conf_low"] < frame["conf_low"]).all()


def test_tables_without_a_scale_or_of_other_rows_are_refused(imputed: oc.Imputed) -> None:
    with pytest.raises(oc.EstimationError, match="say on which scale"):
        oc.pool(imputed, lambda d: oc.kaplan_meier(d, cause="any").at(300))
    with pytest.raises(
        oc.EstimationError, match="scale must be one of 'plain', 'log', 'loglog', 'cloglog'; got 'logit'"
    ):
        oc.pool(imputed, lambda d: oc.kaplan_meier(d, cause="any").at(300), scale="logit")
    with pytest.raises(oc.NotSupportedError, match="columns estimate and std_error"):
        oc.pool(imputed, lambda d: d.baseline)
    with pytest.raises(oc.EstimationError, match="scale= is for tables"):
        oc.pool(imputed, MODELS["cox"], scale="log")
    seen = iter(range(M))
    with pytest.raises(oc.EstimationError, match="the rows of 4 of the 5 sets differ"):
        oc.pool(imputed, lambda d: oc.kaplan_meier(d, cause="any").at(100 + next(seen)), scale="cloglog")


# notes


def test_notes_that_differ_from_set_to_set_are_told_once(imputed: oc.Imputed) -> None:
    pooled = oc.pool(imputed, MODELS["risk difference"])
    sizes = [note.text for note in pooled.notes if note.code == "effective_sample_size"]
    assert len(sizes) == 1
    assert sizes[0].startswith("Set by set; in the first: Weighted: ")


def test_too_few_sets_are_told_with_how_many_would_do(imputed: oc.Imputed) -> None:
    pooled = oc.pool(imputed, MODELS["cox"])
    largest = pooled.to_frame()["fmi"].max()
    assert f"Impute {int(np.ceil(100 * largest))} or more" in next(n.text for n in pooled.notes if n.code == "few_sets")


def test_normal_limits_where_nothing_is_missing(imputed: oc.Imputed) -> None:
    one = imputed[0]
    row = oc.pool([one, one], lambda d: oc.cox(d, "age", cause="any")).to_frame().iloc[0]
    assert row["conf_high"] == pytest.approx(row["estimate"] + norm.ppf(0.975) * row["std_error"])
