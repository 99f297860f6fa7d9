"""What `compare` gives, refuses and says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.comparison.sentences import in_short, sentence

COLUMNS = [
    "outcome", "population", "estimand", "scale", "arm", "reference", "cause", "time", "measure", "estimate", "std_error", "statistic",
    "df", "p_value", "conf_low", "conf_high", "n", "n_events", "verdict",
]  # fmt: skip


def rossi(arm: str = "fin", reference: object = 0, **changes: object) -> oc.SurvivalData:
    frame = load_rossi().assign(**changes)
    return oc.survival_data(frame, duration="week", event="arrest", arm=arm, reference=reference, unit="weeks")


def plain(times: list[float], events: list[int], arms: list[str], **more: object) -> oc.SurvivalData:
    frame = pd.DataFrame({"t": times, "e": events, "arm": arms, **more})
    cluster = "area" if "area" in frame else None
    return oc.survival_data(frame, duration="t", event="e", arm="arm", reference="a", cluster=cluster)


def competing() -> oc.SurvivalData:
    rng = np.random.default_rng(7)
    n = 300
    frame = pd.DataFrame(
        {
            "t": np.ceil(rng.exponential(50, n)),
            "e": rng.choice(["none", "sexual", "death"], n, p=[0.4, 0.4, 0.2]),
            "arm": np.where(np.arange(n) % 2 == 0, "bespoke", "manualised"),
        }
    )
    return oc.survival_data(
        frame, duration="t", event="e", censored="none", causes=["sexual", "death"], arm="arm", reference="manualised",
        labels={"outcome": "sexual", "population": "both", "scale": "calendar", "proven_within": "18 months"},
    )  # fmt: skip


def test_columns_are_the_ones_promised() -> None:
    one = oc.compare(oc.kaplan_meier(rossi()), measure="risk_difference", at=52).to_frame()
    assert list(one.columns) == COLUMNS
    two = oc.compare(oc.kaplan_meier(rossi()), measure="risk_difference", at=[26, 52]).to_frame()
    assert list(two.columns) == [*COLUMNS, "p_holm", "p_bh"]


def test_contrasts_are_arm_minus_reference_on_risk() -> None:
    risk = load_rossi().groupby("fin")["arrest"].mean()
    for reference, other in ((0, 1), (1, 0)):
        row = (
            oc.compare(oc.kaplan_meier(rossi(reference=reference)), measure="risk_difference", at=52).to_frame().iloc[0]
        )
        assert (row["arm"], row["reference"]) == (str(other), str(reference))
        assert row["estimate"] == pytest.approx(risk[other] - risk[reference])


def test_each_arm_is_compared_with_the_reference_in_order_of_time() -> None:
    group = np.array(["none", "bespoke", "manualised"])[np.arange(432) % 3]
    frame = oc.compare(
        oc.kaplan_meier(rossi("group", "none", group=group)), measure="risk_difference", at=[26, 52]
    ).to_frame()
    assert list(zip(frame["arm"], frame["time"], strict=True)) == [
        ("bespoke", 26.0), ("manualised", 26.0), ("bespoke", 52.0), ("manualised", 52.0),
    ]  # fmt: skip
    assert set(frame["reference"]) == {"none"}
    assert set(frame["n"]) == {288}


def test_a_plain_difference_has_the_variance_of_both_arms_greenwood() -> None:
    curve = oc.kaplan_meier(rossi())
    errors = curve.at(40)["std_error"]
    found = oc.compare(curve, measure="risk_difference", at=40)
    assert found.to_frame()["std_error"].iloc[0] == pytest.approx(np.hypot(*errors))
    assert found.variance == "model"


def test_competing_causes_are_contrasted_one_at_a_time() -> None:
    curves = oc.cumulative_incidence(competing())
    risks = curves.at(40).set_index(["cause", "arm"])["estimate"]
    for cause in ("sexual", "death"):
        row = oc.compare(curves, measure="risk_difference", at=40, cause=cause).to_frame().iloc[0]
        assert row["estimate"] == pytest.approx(risks[cause, "bespoke"] - risks[cause, "manualised"])
        assert row["cause"] == cause


def test_the_number_needed_keeps_its_sign_and_has_limits_only_where_the_difference_excludes_zero() -> None:
    curve = oc.kaplan_meier(rossi())
    gap, number = (oc.compare(curve, measure=m, at=[26, 52]).to_frame() for m in ("risk_difference", "nnt"))
    np.testing.assert_allclose(number["estimate"], 1 / gap["estimate"])
    assert number.loc[0, ["conf_low", "conf_high"]].isna().all()
    assert number.loc[1, "conf_low"] == pytest.approx(1 / gap.loc[1, "conf_high"])
    assert number.loc[1, "conf_high"] == pytest.approx(1 / gap.loc[1, "conf_low"])
    assert list(number["verdict"]) == ["not determined", "lower"]


def test_several_rows_get_p_values_by_holm_and_by_benjamini_and_hochberg() -> None:
    from statsmodels.stats.multitest import multipletests

    frame = oc.compare(oc.kaplan_meier(rossi()), measure="risk_difference", at=[10, 20, 30, 40, 50]).to_frame()
    for column, method in (("p_holm", "holm"), ("p_bh", "fdr_bh")):
        np.testing.assert_allclose(frame[column], multipletests(frame["p_value"], method=method)[1])


@pytest.mark.parametrize(
    ("margin", "verdict"),
    [(None, "not determined"), (3.0, "not determined"), (12.0, "no difference larger than the margin")],
)
def test_no_difference_is_said_only_of_a_named_margin_that_holds_the_interval(
    margin: float | None, verdict: str
) -> None:
    found = oc.compare(
        oc.kaplan_meier(rossi()), measure="risk_difference", at=26, margin=margin
    )  # interval -10.9 to 1.6
    assert found.to_frame()["verdict"].iloc[0] == verdict


def test_verdicts_lower_and_higher_need_an_interval_that_excludes_no_difference() -> None:
    for reference, verdict in ((0, "lower"), (1, "higher")):
        curve = oc.kaplan_meier(rossi(reference=reference))
        for measure in ("risk_difference", "nnt"):
            assert oc.compare(curve, measure=measure, at=52).to_frame()["verdict"].iloc[0] == verdict
    row = oc.compare(oc.kaplan_meier(rossi()), measure="risk_difference", at=52, margin=20.0).to_frame().iloc[0]
    assert row["verdict"] == "lower"
    wide = oc.compare(oc.kaplan_meier(rossi()), measure="risk_difference", at=52, conf_level=0.99).to_frame().iloc[0]
    assert wide["verdict"] == "not determined"


def test_what_the_design_could_have_found_comes_from_its_standard_error_not_from_what_was_observed() -> None:
    found = oc.compare(oc.kaplan_meier(rossi()), measure="risk_difference", at=52, margin=3.0)
    plan = found.design().iloc[0]
    error = found.to_frame()["std_error"].iloc[0]
    assert plan["detectable"] == pytest.approx(100 * (1.959964 + 0.841621) * error, rel=1e-6)
    assert plan["target"] == 3.0
    assert plan["people_needed"] == np.ceil(432 * (plan["detectable"] / 3.0) ** 2)
    four_times = found.design(plan["detectable"] / 2).iloc[0]["people_needed"]
    assert four_times == pytest.approx(4 * 432, abs=1)


def test_the_sentence_is_absolute_first_in_words_with_everything_beside() -> None:
    text = oc.compare(oc.kaplan_meier(rossi()), measure="risk_difference", at=52).describe()
    assert text == (
        "By 52 weeks, an estimated 22.2 of 100 people in 1 and 30.6 of 100 in 0 had the event 'arrest': "
        "8.3 fewer per 100 (95 % interval 16.6 fewer to 0.1 fewer) (432 people, 114 events; unadjusted). Verdict: lower."
    )


def test_the_sentence_of_a_study_names_population_scale_and_proving_period() -> None:
    text = oc.compare(oc.cumulative_incidence(competing()), measure="risk_difference", at=40).describe()
    assert "people in bespoke and" in text
    assert "a reoffence (sexual, proven within 18 months)" in text
    assert "eligible for every arm" in text
    assert "calendar time" in text
    assert "people would be needed to find one of 3" in text
    death = oc.compare(oc.cumulative_incidence(competing()), measure="risk_difference", at=40, cause="death").describe()
    assert "had the event 'death'" in death


def test_ratios_are_told_after_the_risks_and_with_their_direction() -> None:
    curve = oc.kaplan_meier(rossi())
    text = oc.compare(curve, measure="risk_ratio", at=52, conf_level=0.9).describe()
    assert text.index("22.2 of 100") < text.index("risk ratio, 1 against 0: 0.73")
    assert text.endswith("Verdict: lower.")
    hazard = oc.compare(oc.cox(rossi(), "fin"), measure="hazard_ratio", conf_level=0.9).describe()
    assert hazard.startswith("Hazard ratio for the event 'arrest' over the whole follow-up, 1 against 0: 0.69")
    assert hazard.endswith("Verdict: lower.")


def test_days_are_said_as_years_and_months() -> None:
    data = plain([200, 400, 900, 800] * 20, [1, 1, 0, 0] * 20, ["a", "a", "b", "b"] * 20)
    assert "By 1 year," in oc.compare(oc.kaplan_meier(data), measure="risk_difference", at="1y").describe()


def test_a_hazard_ratio_brings_the_test_of_proportional_hazards() -> None:
    model = oc.cox(rossi(), "fin + age")
    p = model.proportional_hazards().to_frame().iloc[-1]["p_value"]
    note = {n.code: n.text for n in oc.compare(model, measure="hazard_ratio").notes}["hazard_ratio"]
    assert f"p = {p:.3f}" in note


@pytest.mark.parametrize("formula", ["fin + age", "arm + age", "C(fin) + age"])
@pytest.mark.parametrize("reference", [0, 1])
def test_the_hazard_ratio_follows_the_reference_however_the_arm_was_written(formula: str, reference: int) -> None:
    coefficient = oc.cox(rossi(), "fin + age").to_frame()["estimate"].iloc[0] * (1 if reference == 0 else -1)
    try:
        found = oc.compare(oc.cox(rossi(reference=reference), formula), measure="hazard_ratio").to_frame().iloc[0]
    except oc.NotSupportedError:
        assert formula == "C(fin) + age"
        assert reference == 1  # the factor's own reference is 0: there is no term for arm 0
        return
    assert np.log(found["estimate"]) == pytest.approx(coefficient, rel=1e-6)


def test_a_regression_with_other_terms_is_not_called_unadjusted() -> None:
    found = oc.compare(oc.cox(rossi(), "fin + age"), measure="hazard_ratio")
    assert found.to_frame()["estimand"].iloc[0] == "conditional"
    assert "given the model's other terms" in found.describe()
    alone = oc.compare(oc.cox(rossi(), "fin"), measure="hazard_ratio")
    assert alone.to_frame()["estimand"].iloc[0] == "none"


def test_an_interaction_with_the_arm_has_no_one_hazard_ratio() -> None:
    with pytest.raises(oc.NotSupportedError, match="no one ratio"):
        oc.compare(oc.cox(rossi(), "fin * age"), measure="hazard_ratio")
    with pytest.raises(oc.NotSupportedError, match="no term for each arm"):
        oc.compare(oc.cox(rossi(), "age + prio"), measure="hazard_ratio")


def test_times_beyond_an_arms_follow_up_are_refused_with_its_last_usable_time() -> None:
    data = plain([5, 9, 3, 20], [1, 0, 1, 0], ["a", "a", "b", "b"])
    with pytest.raises(oc.EstimationError, match="beyond the follow-up of arm 'a', whose last usable time is 9"):
        oc.compare(oc.kaplan_meier(data), measure="risk_difference", at=[4, 12])


def test_arguments_without_use_are_errors_not_silence() -> None:
    curve, means, model = oc.kaplan_meier(rossi()), oc.rmst(rossi(), horizon=52), oc.cox(rossi(), "fin")
    for result, asked, message in [
        (curve, {"measure": "risk_difference"}, "say at which time"),
        (curve, {"measure": "risk_difference", "at": []}, "say at which time"),
        (curve, {"measure": "risk_diff", "at": 52}, "measure must be one of"),
        (curve, {"measure": "hazard_ratio", "at": 52}, r"for hazard_ratio take cox\(\)"),
        (curve, {"measure": "rmst_difference", "at": 52}, r"for rmst_difference take rmst\(\)"),
        (curve, {"measure": "risk_ratio", "at": 52, "margin": 3}, "a margin is for"),
        (curve, {"measure": "risk_difference", "at": 52, "margin": -3}, "margin must be above 0"),
        (curve, {"measure": "risk_difference", "at": 52, "cause": "death"}, "No cause 'death'"),
        (curve, {"measure": "risk_difference", "at": 52, "cluster_df": 5}, "cluster_df is for clustered"),
        (curve, {"measure": "risk_difference", "at": 52, "conf_level": 95}, "between 0 and 1"),
        (means, {"measure": "rmst_difference", "at": 52}, "leave at= out"),
        (means, {"measure": "risk_difference"}, "gives rmst_difference, rmst_ratio"),
        (model, {"measure": "hazard_ratio", "cause": "arrest"}, "leave cause= out"),
        (model, {"measure": "hazard_ratio", "margin": 1.0}, "a margin is for"),
    ]:
        with pytest.raises(oc.EstimationError, match=message):
            oc.compare(result, **asked)  # type: ignore[arg-type]


def test_one_arm_cannot_be_compared() -> None:
    data = oc.survival_data(load_rossi(), duration="week", event="arrest")
    for result, measure in ((oc.kaplan_meier(data), "risk_difference"), (oc.cox(data, "age"), "hazard_ratio")):
        with pytest.raises(oc.EstimationError, match="only one arm"):
            oc.compare(result, measure=measure, at=None if measure == "hazard_ratio" else 52)


def test_e_values_belong_to_ratios() -> None:
    curve = oc.kaplan_meier(rossi())
    ratio = oc.compare(curve, measure="risk_ratio", at=52)
    row = ratio.to_frame().iloc[0]
    assert ratio.e_value() == [oc.e_value(row["estimate"], row["conf_low"], row["conf_high"])]
    assert ratio.e_value()[0].limit == 1.0
    with pytest.raises(oc.EstimationError, match="ask it of a risk ratio"):
        oc.compare(curve, measure="risk_difference", at=52).e_value()


@pytest.mark.parametrize("ratio", [(0.0, 0.0, 1.0), (-1.0, 0.5, 2.0), (0.5, 0.6, 0.9)])
def test_e_values_of_impossible_ratios_are_refused(ratio: tuple[float, float, float]) -> None:
    with pytest.raises(oc.EstimationError, match="e_value"):
        oc.e_value(*ratio)


def test_the_result_shows_itself_and_is_not_changed_by_its_reader() -> None:
    found = oc.compare(oc.kaplan_meier(rossi()), measure="risk_difference", at=52)
    found.to_frame()["estimate"] = 99.0
    assert found.to_frame()["estimate"].iloc[0] < 0
    assert len(repr(found).splitlines()) <= 12
    assert "<table>" in found._repr_html_()
    with pytest.raises(oc.EstimationError, match="design: say which difference in weeks"):
        oc.compare(oc.rmst(rossi(), horizon=52), measure="rmst_difference").design()


def test_people_of_weight_0_are_not_among_a_hazard_ratios_people_and_events() -> None:
    frame = load_rossi()
    weight = (np.arange(len(frame)) % 3 > 0).astype(float)
    asked = {"duration": "week", "event": "arrest", "arm": "fin", "reference": 0, "unit": "weeks"}
    found = oc.compare(oc.cox(oc.survival_data(frame, **asked), "arm", weights=weight), measure="hazard_ratio")
    counted = frame[weight > 0]
    assert tuple(found.to_frame().loc[0, ["n", "n_events"]]) == (len(counted), counted["arrest"].sum())


def test_events_at_times_of_weight_0_are_not_counted() -> None:
    """Two rows a person; the second row, with the event, of every other person weighs nothing."""
    frame = load_rossi().assign(id=np.arange(432)).query("week > 10")
    early = frame.assign(start=0, stop=10, arrest=0)
    late = frame.assign(start=10, stop=frame["week"])
    rows = pd.concat([early, late], ignore_index=True)
    data = oc.survival_data(
        rows, entry="start", exit="stop", event="arrest", id="id", arm="fin", reference=0, unit="weeks"
    )
    within = np.where((data.baseline["id"].to_numpy()[data.person] % 2 == 0) & (data.entry > 0), 0.0, 1.0)
    found = oc.compare(oc.cox(data, "arm", weights=within), measure="hazard_ratio").to_frame()
    assert found.loc[0, "n_events"] == frame.loc[frame["id"] % 2 == 1, "arrest"].sum()


def test_what_the_weights_have_to_say_stands_beside_the_contrast() -> None:
    data = rossi("wexp")
    weights = oc.weight(data, "age + race + mar + paro + prio", estimand="att", trim=(0.05, 0.95))
    for found in (
        oc.compare(oc.kaplan_meier(data, weights=weights), measure="risk_difference", at=52),
        oc.compare(oc.rmst(data, horizon=52, weights=weights), measure="rmst_difference"),
        oc.compare(oc.cox(data, "wexp", weights=weights), measure="hazard_ratio"),
    ):
        notes = {n.code: n.text for n in found.notes}
        assert {"trimmed", "poor_overlap", "effective_sample_size"} <= set(notes)
        size = weights.effective_sample_size["0"]
        assert f"185 people in 0 count as {size:,.0f}" in notes["effective_sample_size"]
        assert found.provenance["weights"]["estimand"] == "att"
        assert "weighted to the people of 1 (ATT)" in found.describe()
    known = oc.compare(oc.kaplan_meier(data, weights=weights.values), measure="risk_difference", at=52)
    assert "effective_sample_size" in {n.code for n in known.notes}
    assert "weighted" in known.describe()


def test_row_counts_are_as_many_people() -> None:
    frame = load_rossi().assign(count=np.arange(432) % 3 + 1)
    counted = oc.survival_data(frame, duration="week", event="arrest", arm="fin", reference=0, frequency="count")
    repeated = frame.loc[frame.index.repeat(frame["count"])]
    written_out = oc.survival_data(repeated, duration="week", event="arrest", arm="fin", reference=0)
    for measure in ("risk_difference", "risk_ratio"):
        rows = [
            oc.compare(oc.kaplan_meier(d), measure=measure, at=40).to_frame().iloc[0] for d in (counted, written_out)
        ]
        columns = ["estimate", "std_error", "conf_low", "conf_high", "n", "n_events"]
        np.testing.assert_allclose(rows[0][columns].astype(float), rows[1][columns].astype(float), rtol=1e-9)


def test_what_a_design_could_have_found_reckons_with_the_degrees_of_freedom_of_its_test() -> None:
    from scipy.stats import norm, t

    frame = load_rossi().assign(town=lambda f: f.index % 3 + 3 * f["fin"])
    data = oc.survival_data(frame, duration="week", event="arrest", arm="fin", reference=0, cluster="town")
    few = oc.compare(oc.kaplan_meier(data), measure="risk_difference", at=50)
    row = few.frame.iloc[0]
    assert row["df"] == 4
    assert few.detectable[0] == pytest.approx((t.ppf(0.975, 4) + t.ppf(0.8, 4)) * row["std_error"])
    plain = oc.compare(oc.kaplan_meier(data.with_cluster(None)), measure="risk_difference", at=50)
    assert plain.detectable[0] == pytest.approx((norm.ppf(0.975) + norm.ppf(0.8)) * plain.frame["std_error"].iloc[0])


def test_a_matching_that_leaves_the_arms_unlike_says_so_and_weights_that_make_them_alike_do_not() -> None:
    data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="wexp", reference=0)
    formula = "age + race + mar + paro + prio"

    def codes(weights: oc.Weights) -> dict[str, str]:
        found = oc.compare(oc.kaplan_meier(data, weights=weights), measure="risk_difference", at=50)
        return {note.code: note.text for note in found.notes}

    everyone = oc.match(data, formula)  # each of 247 of the larger arm needs one of 185
    left = everyone.balance().to_frame().query("term != 'score'")["smd_after"].abs()
    assert (left > 0.10).any()
    assert "still not alike" in codes(everyone)["still_unlike"]
    assert "still_unlike" not in codes(oc.weight(data, formula, estimand="ato"))


def test_a_ratio_that_has_left_all_bounds_is_no_number() -> None:
    row = {
        "measure": "hazard_ratio", "estimate": 0.0, "conf_low": 0.0, "conf_high": np.inf, "n": 50,
        "n_events": 1, "verdict": "not determined", "arm": "b", "reference": "m", "outcome": "any",
        "cause": "any", "population": "", "estimand": "none", "scale": "",
    }  # fmt: skip
    assert (
        in_short(row, 0.95)
        == "hazard ratio: no number, since events are too few for one; 50 people, 1 event. Verdict: not determined."
    )
    said = sentence(row, {}, 0.95)
    assert said.startswith(
        "Hazard ratio, b against m: no number, since events are too few for one (50 people, 1 events"
    )
    assert "inf" not in said
