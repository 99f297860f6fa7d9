"""What `weight` gives, refuses and says of several arms: Rossi's people by how many of parole and work experience they had."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.adjust.estimands import ESTIMANDS, weights_from_log_odds, weights_from_odds
from outcomes.comparison.multiplicity import benjamini_hochberg, holm

FORMULA = "age + race + prio"
ARMS = {0: "none", 1: "one", 2: "two"}


def rossi(**changes: object) -> oc.SurvivalData:
    frame = load_rossi()
    frame = frame.assign(group=frame["paro"] + frame["wexp"], **changes)
    return oc.survival_data(frame, duration="week", event="arrest", arm="group", reference=0, unit="weeks", arms=ARMS)


def weights(
    estimand: str = "ato", formula: str = FORMULA, data: oc.SurvivalData | None = None, **more: object
) -> oc.PropensityWeights:
    focal = "two" if estimand == "att" else None
    return oc.weight(data or rossi(), formula, estimand=estimand, focal=focal, **more)  # type: ignore[arg-type]


def test_weights_follow_from_the_scores_as_defined() -> None:
    e = weights().score
    own = e[np.arange(432), rossi().arm]
    tilts = {
        "ate": np.ones(432),
        "att": e[:, 2],
        "atc": e[:, 0],
        "ato": 1 / (1 / e).sum(axis=1),
        "atm": e.min(axis=1),
    }
    for estimand, tilt in tilts.items():
        np.testing.assert_allclose(weights(estimand).values, tilt / own, rtol=1e-10)


def test_scores_are_chances_and_their_log_odds_against_all_other_arms() -> None:
    made = weights()
    assert made.score.shape == made.linear.shape == (432, 3)
    np.testing.assert_allclose(made.score.sum(axis=1), 1)
    np.testing.assert_allclose(made.linear, np.log(made.score / (1 - made.score)), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_slopes_are_the_derivatives_of_the_weights_by_each_arms_log_odds(estimand: str) -> None:
    rng = np.random.default_rng(3)
    linear, arm = rng.normal(size=(50, 4)), rng.integers(0, 4, 50)
    _, slopes = weights_from_log_odds(linear, arm, estimand, 2)
    for a in range(4):
        step = np.zeros(4)
        step[a] = 1e-6
        up, down = (weights_from_log_odds(linear + s * step, arm, estimand, 2)[0] for s in (1, -1))
        np.testing.assert_allclose(slopes[:, a], (up - down) / 2e-6, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_extreme_odds_cost_no_digits(estimand: str) -> None:
    linear = np.array([[0.0, -60.0, 3.0], [0.0, 60.0, 3.0], [0.0, 400.0, -400.0]])
    for arm in range(3):
        values, slopes = weights_from_log_odds(linear, np.full(3, arm), estimand, 1)
        assert np.isfinite(values).all()
        assert np.isfinite(slopes).all()
    assert weights_from_odds(np.array([60.0]), np.array([1.0]), "ato")[0][0] == pytest.approx(np.exp(-60), rel=1e-12)


def test_where_an_arm_could_not_be_someones_overlap_and_matching_weights_are_0() -> None:
    linear, arm = np.array([[0.0, -np.inf, 0.5], [0.0, 0.2, 0.5]]), np.array([0, 0])
    for estimand in ("ato", "atm"):
        values, slopes = weights_from_log_odds(linear, arm, estimand, 1)
        assert values[0] == 0 < values[1]
        assert (slopes[0] == 0).all()
    assert weights_from_log_odds(linear, arm, "att", 1)[0][0] == 0


def test_influence_is_close_to_leaving_each_person_out() -> None:
    data = rossi()
    made = weights("ate", data=data)
    from outcomes.adjust.arm_scores import fit_arm_scores

    left_out = []
    for i in range(0, 432, 9):
        keep = np.arange(432) != i
        fit = fit_arm_scores(made.design[keep], data.arm[keep], made.columns, data.arms)
        left_out.append((made.coefficients - fit.coefficients).ravel())
    close, errors = np.array(left_out), made.std_errors.ravel()
    np.testing.assert_allclose(made.influence[::9] / errors, close / errors, atol=0.06)
    for k in range(len(errors)):
        assert np.corrcoef(made.influence[::9, k], close[:, k])[0, 1] > 0.99


def test_the_fit_does_not_depend_on_the_units_of_the_covariates() -> None:
    frame = load_rossi()
    data = rossi(days=frame["age"] * 365.25, tiny=frame["prio"] * 1e-6)
    one, other = weights(data=data), weights(formula="days + race + tiny", data=data)
    np.testing.assert_allclose(one.values, other.values, rtol=1e-9)


def test_the_att_of_several_arms_names_the_arm() -> None:
    data = rossi()
    with pytest.raises(oc.EstimationError, match=r"needs focal=.*one of one, two"):
        oc.weight(data, FORMULA, estimand="att")
    with pytest.raises(oc.EstimationError, match=r"focal must be one of one, two; got 'none'.*estimand='atc'"):
        oc.weight(data, FORMULA, estimand="att", focal="none")
    with pytest.raises(oc.EstimationError, match="names the arm the ATT is about; estimand='ato'"):
        oc.weight(data, FORMULA, estimand="ato", focal="one")
    made = oc.weight(data, FORMULA, estimand="att", focal="one")
    assert (made.values[data.arm == 1] == 1).all()
    assert "people like those in one" in made.describe()
    assert made.provenance["focal"] == "one"


def test_entropy_balancing_gives_every_arm_the_means_of_those_asked_about() -> None:
    data = rossi()
    x = data.baseline[["age", "race", "prio"]].to_numpy(dtype=float)
    for estimand, asked in {"ate": data.arm >= 0, "att": data.arm == 2, "atc": data.arm == 0}.items():
        made = weights(estimand, data=data, method="entropy")
        for arm in range(3):
            mine = data.arm == arm
            np.testing.assert_allclose(
                np.average(x[mine], axis=0, weights=made.values[mine]), x[asked].mean(axis=0), rtol=1e-9
            )


def test_each_method_prints_under_its_own_name() -> None:
    assert repr(weights("ate")).startswith("Propensity weights\n")
    assert repr(weights("ate", method="entropy")).startswith("Entropy-balancing weights\n")
    assert "<caption>Entropy-balancing weights</caption>" in weights("ate", method="entropy")._repr_html_()


def with_a_period_that_lacks_an_arm() -> tuple[oc.SurvivalData, np.ndarray]:
    """Every seventh person is of a period in which nobody was in the last arm; so that column says who could not be in it."""
    frame = load_rossi()
    late = np.asarray(frame.index % 7 == 0) & (frame["paro"] + frame["wexp"] < 2).to_numpy()
    return rossi(late=late.astype(int)), late


def test_people_whom_a_column_keeps_from_an_arm_are_an_error_where_the_estimand_speaks_of_them() -> None:
    data, late = with_a_period_that_lacks_an_arm()
    count = {"ate": late.sum(), "atc": (late & (data.arm == 0)).sum()}
    for estimand, people in count.items():
        with pytest.raises(
            oc.EstimationError, match=rf"theirs for {people} of 432 people exactly \(separation\).*Look at late"
        ):
            weights(estimand, f"{FORMULA} + late", data)
    made = weights("att", f"{FORMULA} + late", data)  # nobody of the arm asked about is of that period
    assert (made.values[late] == 0).all()
    assert (made.values[data.arm == 2] == 1).all()


@pytest.mark.parametrize("estimand", ["ato", "atm"])
def test_overlap_and_matching_weights_leave_them_out_and_say_so(estimand: str) -> None:
    data, late = with_a_period_that_lacks_an_arm()
    made = weights(estimand, f"{FORMULA} + late", data)
    assert (made.certain == late).all()
    assert (made.values[late] == 0).all()
    assert (made.score[late, 2] == 0).all()
    note = {n.code: n.text for n in made.notes}["one_arm_only"]
    assert note.startswith(f"{late.sum()} people")
    assert "(late)" in note


def test_the_limit_of_the_fit_is_where_ever_longer_iteration_goes() -> None:
    """statsmodels' MNLogit stops on the way: after 25 steps the chance of the missing arm is 1e-10, all others have settled."""
    import statsmodels.api as sm

    data = with_a_period_that_lacks_an_arm()[0]
    made = weights("ato", f"{FORMULA} + late", data)
    x = sm.add_constant(made.design)
    model = sm.MNLogit(data.arm, x)
    beta = np.zeros((x.shape[1], 2))
    for _ in range(25):
        beta = beta - np.linalg.solve(model.hessian(beta), model.score(beta)).reshape(2, -1).T
    np.testing.assert_allclose(made.score, model.predict(beta), atol=1e-8)


def test_separation_of_everybody_is_an_error_that_names_the_columns() -> None:
    data = rossi(sure=load_rossi()["paro"] + load_rossi()["wexp"] + np.linspace(0, 0.5, 432))
    with pytest.raises(oc.EstimationError, match=r"nobody of 432 people is left to compare\. Look at sure"):
        oc.weight(data, "age + sure", estimand="ato")


def test_an_arm_nobody_of_which_could_have_been_elsewhere_is_an_error() -> None:
    data = rossi(alone=(load_rossi()["paro"] + load_rossi()["wexp"] == 2).astype(int))
    with pytest.raises(
        oc.EstimationError,
        match=r"nobody of the 76 people in none could have been in every other arm \(told exactly by alone\)",
    ):
        oc.weight(data, "age + alone", estimand="ato")


def test_extreme_scores_without_separation_are_fitted_not_refused() -> None:
    x = np.concatenate([np.linspace(-30, 1, 300), np.linspace(-1, 30, 300), np.linspace(28, 60, 300)])
    frame = pd.DataFrame({"t": 1.0, "e": 0, "x": x, "arm": np.repeat(["a", "b", "c"], 300)})
    made = oc.weight(oc.survival_data(frame, duration="t", event="e", arm="arm", reference="a"), "x", estimand="ato")
    assert np.abs(made.linear).max() > 12
    assert not made.certain.any()
    assert np.isfinite(made.values).all()
    assert np.isfinite(made.gradient).all()
    assert np.isfinite(made.std_errors).all()


@pytest.mark.parametrize("formula", ["age + flat", "age + age2"])
def test_columns_that_say_nothing_are_refused(formula: str) -> None:
    with pytest.raises(oc.EstimationError, match=r"flat|age2"):
        oc.weight(rossi(flat=1, age2=2 * load_rossi()["age"]), formula, estimand="ate")


def test_an_arm_of_one_person_cannot_be_made_alike() -> None:
    frame = pd.DataFrame({"t": 1.0, "e": 0, "x": np.arange(9.0), "arm": ["a"] * 4 + ["b"] * 4 + ["c"]})
    data = oc.survival_data(frame, duration="t", event="e", arm="arm", reference="a")
    with pytest.raises(oc.EstimationError, match=r"arm 'c' has fewer than two people \(1\)"):
        oc.weight(data, "x", estimand="ate")


def test_matching_is_of_two_arms() -> None:
    with pytest.raises(oc.NotSupportedError, match="match: two arms are needed; these data have 3"):
        oc.match(rossi(), FORMULA)


def test_the_largest_difference_between_any_two_arms_is_summed_up() -> None:
    balance = weights("ate").balance()
    frame, summary = balance.to_frame(), balance.summary().set_index("term")
    rows = frame[frame["term"] == "age"]
    assert len(rows) == 3
    assert summary.loc["age", "smd_before"] == rows["smd_before"].abs().max()
    assert summary.loc["age", "smd_after"] == rows["smd_after"].abs().max()
    assert list(frame.loc[frame["term"] == "propensity score", "level"].unique()) == ["none", "one", "two"]
    assert "between any two arms" in balance.describe()


def test_the_yardstick_of_several_arms() -> None:
    by_arm = load_rossi().assign(group=rossi().arm).groupby("group")["age"]
    spread = {"ate": np.sqrt(by_arm.var().mean()), "att": by_arm.std()[2], "atc": by_arm.std()[0]}
    for estimand, scale in spread.items():
        row = weights(estimand).balance(["age"]).to_frame().iloc[0]
        assert row["smd_before"] == pytest.approx((by_arm.mean()[1] - by_arm.mean()[0]) / scale)
    assert weights("att").balance(["age"]).denominator == "standard deviation of two"
    with pytest.raises(oc.NotSupportedError, match="denominator='arm'"):
        weights("ate").balance(denominator="arm")


def test_characteristics_set_every_arm_beside_the_reference() -> None:
    data = rossi()
    made = weights("att", data=data)
    found = oc.characteristics(data, ["age", "prio"], weights=made)
    frame, balance = found.to_frame(), made.balance(["age", "prio"]).to_frame()
    assert list(zip(frame["term"], frame["arm"], strict=True)) == [
        (t, a) for t in ("age", "prio") for a in ("one", "two")
    ]
    beside = balance[balance["reference"] == "none"].reset_index(drop=True)
    for column in ("smd_before", "smd_after", "n_arm"):
        np.testing.assert_allclose(frame[column], beside[column])
    ages = load_rossi()["age"]
    assert list(frame["arm_value"][:2]) == pytest.approx([ages[data.arm == a].mean() for a in (1, 2)])
    assert list(frame["arm_sd"][:2]) == pytest.approx([ages[data.arm == a].std() for a in (1, 2)])
    assert found.describe().startswith("76 people in none, 198 people in one, 158 people in two. Of 2 characteristics")
    assert list(found.summary().columns[:3]) == ["term", "level", "arm"]


def test_overlap_has_bins_of_every_score_by_arm() -> None:
    made = weights("ate")
    found = made.overlap()
    frame = found.to_frame()
    assert list(frame.columns[:2]) == ["score_of", "arm"]
    assert found.scores == ("none", "one", "two")
    rows = frame[(frame["score_of"] == "two") & (frame["arm"] == "one")]
    counts, _ = np.histogram(made.score[made.arm == 1, 2], bins=np.linspace(0, 1, 21))
    assert list(rows["n"]) == list(counts)
    low = max(made.score[made.arm == a, 1].min() for a in range(3))
    assert found.ranges[1][0] == low
    outside = np.zeros(432, dtype=bool)
    for k in range(3):
        values = [made.score[made.arm == a, k] for a in range(3)]
        outside |= (made.score[:, k] < max(v.min() for v in values)) | (made.score[:, k] > min(v.max() for v in values))
    assert list(found.summary()["n_outside_common"]) == [int(outside[made.arm == a].sum()) for a in range(3)]
    assert "of two from" in found.describe()


def test_love_plot_and_overlap_are_drawn_of_three_arms() -> None:
    import matplotlib.pyplot as plt

    made = weights("ate")
    ax = made.balance().plot()
    assert "any two arms" in ax.get_xlabel()
    assert len(ax.get_yticks()) == 6
    panels = made.overlap().plot().figure.axes
    assert [panel.get_xlabel() for panel in panels[:3]] == [f"chance of being in {a}" for a in ARMS.values()]
    _, alone = plt.subplots()
    made.overlap().plot(ax=alone)
    assert alone.get_xlabel() == "chance of being in none"
    plt.close("all")


def test_poor_overlap_and_a_large_weight_are_said_of_the_arm() -> None:
    notes = {note.code: note.text for note in weights("atc", "age + race + mar + prio").notes}
    assert "of arm two. Overlap weights" in notes["poor_overlap"]
    assert "of the weight of arm two" in notes["large_weight"]


def test_two_contrasts_with_the_reference_carry_holms_and_benjamini_and_hochbergs_p_values() -> None:
    data = rossi()
    for estimand in ("ate", "att"):
        curve = oc.kaplan_meier(data, weights=weights(estimand, data=data))
        frame = oc.compare(curve, measure="risk_difference", at=[26, 52]).to_frame()
        assert list(frame["arm"]) in (["one", "one", "two", "two"], ["one", "two", "one", "two"])
        assert set(frame["reference"]) == {"none"}
        p = frame["p_value"].to_numpy()
        np.testing.assert_allclose(frame["p_holm"], holm(p))
        np.testing.assert_allclose(frame["p_bh"], benjamini_hochberg(p))
        assert (frame["p_holm"] >= frame["p_bh"] - 1e-15).all()
        assert (frame["p_bh"] >= p).all()
        risks = 1 - curve.at([52]).set_index("arm")["estimate"]
        at_52 = frame[frame["time"] == 52].set_index("arm")["estimate"]
        assert at_52["two"] == pytest.approx(risks["two"] - risks["none"])


def test_holm_and_benjamini_hochberg_of_three_arms_are_those_of_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    data = rossi()
    frame = oc.compare(
        oc.kaplan_meier(data, weights=weights(data=data)), measure="risk_difference", at=[20, 30, 52]
    ).to_frame()
    for column, method in (("p_holm", "holm"), ("p_bh", "fdr_bh")):
        np.testing.assert_allclose(frame[column], multipletests(frame["p_value"], method=method)[1])


def test_sentences_name_the_arm_an_att_is_about_in_every_contrast() -> None:
    data = rossi()
    said = oc.compare(
        oc.kaplan_meier(data, weights=weights("att", data=data)), measure="risk_difference", at=52
    ).describe()
    assert said.count("weighted to the people of two (ATT)") == 2
    said = oc.compare(
        oc.kaplan_meier(data, weights=weights("ate", data=data)), measure="risk_difference", at=52
    ).describe()
    assert said.count("weighted to everybody in all arms (ATE)") == 2


def test_the_order_of_rows_and_the_names_of_arms_decide_nothing() -> None:
    frame = load_rossi().assign(group=lambda d: (d["paro"] + d["wexp"]).map(ARMS))
    one = oc.survival_data(frame, duration="week", event="arrest", arm="group", reference="none")
    order = np.random.default_rng(5).permutation(432)
    other = oc.survival_data(
        frame.iloc[order].reset_index(drop=True), duration="week", event="arrest", arm="group", reference="two"
    )
    a, b = oc.weight(one, FORMULA, estimand="ato"), oc.weight(other, FORMULA, estimand="ato")
    np.testing.assert_allclose(a.values[order], b.values, rtol=1e-9)


def with_an_entry_rule() -> tuple[oc.SurvivalData, np.ndarray]:
    """The rules of arm two exclude every fifth person of the others, and nobody who is in it."""
    group = load_rossi()["paro"] + load_rossi()["wexp"]
    barred = np.asarray((group < 2) & (load_rossi().index % 5 == 0))
    return rossi(eligible_two=np.where(barred, "no", "yes"), barred=barred.astype(int)), barred


def test_entry_rules_are_looked_at_for_the_people_asked_about() -> None:
    data, barred = with_an_entry_rule()
    for arm, code in (("none", 0), ("one", 1)):
        people = int((barred & (data.arm == code)).sum())
        estimand = {"estimand": "atc"} if arm == "none" else {"estimand": "att", "focal": "one"}
        with pytest.raises(
            oc.EstimationError, match=f"entry rules leave some of them nobody.*{people} people of {arm}"
        ):
            oc.weight(data, FORMULA, **estimand)  # type: ignore[arg-type]
    made = oc.weight(data, FORMULA, estimand="att", focal="two")
    assert "excluded_by_rule" in {n.code for n in made.notes}


def test_cells_that_lack_an_arm_tell_rule_from_chance() -> None:
    data, barred = with_an_entry_rule()
    found = weights("ato", f"{FORMULA} + barred", data).overlap(by=["barred"])
    cells = found.cells.set_index("barred")
    assert list(cells.loc["1", ["n_none", "n_one", "n_two"]]) == [*np.bincount(data.arm[barred], minlength=2), 0]
    assert list(cells["n_arms"]) == [3, 2]
    assert list(cells["by_rule"]) == [False, True]
    assert "cells_empty_by_rule" in {n.code for n in found.notes}


def test_a_score_of_100_000_people_takes_moments() -> None:
    """Newton's steps on sums over people: no matrix of people by people, no loop over them."""
    from time import perf_counter

    from outcomes.adjust.arm_scores import fit_arm_scores

    rng = np.random.default_rng(1)
    x = rng.normal(size=(100_000, 8))
    arm = (0.3 * np.column_stack([0 * x[:, 0], x[:, 0], x[:, 1] - x[:, 2]]) + rng.gumbel(size=(100_000, 3))).argmax(
        axis=1
    )
    begun = perf_counter()
    found = fit_arm_scores(x, arm, tuple("abcdefgh"), ("0", "1", "2"))
    assert perf_counter() - begun < 8
    assert found.coefficients[0, 1] == pytest.approx(0.3, abs=0.04)
    assert found.coefficients[1, 3] == pytest.approx(-0.3, abs=0.04)
