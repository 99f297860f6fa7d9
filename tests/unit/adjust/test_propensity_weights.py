"""What `weight` gives, refuses and says: the Rossi data as a non-randomised comparison (work experience as the arm)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc

FORMULA = "age + race + mar + paro + prio"

# R 4.2: ps <- glm(wexp ~ age + race + mar + paro + prio, binomial); survey and survival for the rest
COEFFICIENTS = [-2.438175, 0.1436729, -0.4259497, 1.925077, 0.1902047, -0.2082662]
FIRST_SCORES = [0.6411708, 0.1475512, 0.0974710, 0.9127248, 0.4643148]
SIZES = {
    "ate": (89.0720, 160.6828),
    "att": (43.37759, 247.0),
    "atc": (185.0, 65.22334),
    "ato": (155.5802, 172.8666),
    "atm": (155.8333, 164.3810),
}


def rossi(**changes: object) -> oc.SurvivalData:
    frame = load_rossi().assign(**changes)
    return oc.survival_data(frame, duration="week", event="arrest", arm="wexp", reference=0, unit="weeks")


def small(**columns: list[object]) -> oc.SurvivalData:
    frame = pd.DataFrame({"t": 1.0, "e": 0, **columns})
    return oc.survival_data(frame, duration="t", event="e", arm="arm", reference="a")


def test_the_score_is_the_unpenalised_logistic_regression_of_the_arm() -> None:
    weights = oc.weight(rossi(), FORMULA, estimand="ate")
    model = weights.score_model()
    assert list(model["term"]) == ["Intercept", "age", "race", "mar", "paro", "prio"]
    np.testing.assert_allclose(model["estimate"], COEFFICIENTS, atol=6e-7)
    np.testing.assert_allclose(weights.score[:5], FIRST_SCORES, atol=6e-8)


@pytest.mark.parametrize("estimand", SIZES)
def test_effective_sample_sizes_of_each_estimand(estimand: str) -> None:
    sizes = oc.weight(rossi(), FORMULA, estimand=estimand).effective_sample_size
    assert (sizes["0"], sizes["1"]) == pytest.approx(SIZES[estimand], rel=1e-6)


def test_weights_follow_from_the_score_as_defined() -> None:
    data = rossi()
    e = oc.weight(data, FORMULA, estimand="ate").score
    treated = data.arm == 1
    expected = {
        "ate": np.where(treated, 1 / e, 1 / (1 - e)),
        "att": np.where(treated, 1.0, e / (1 - e)),
        "atc": np.where(treated, (1 - e) / e, 1.0),
        "ato": np.where(treated, 1 - e, e),
        "atm": np.minimum(e, 1 - e) / np.where(treated, e, 1 - e),
    }
    for estimand, values in expected.items():
        np.testing.assert_allclose(oc.weight(data, FORMULA, estimand=estimand).values, values, rtol=1e-12)


def test_att_is_of_the_arm_that_is_not_the_reference_whichever_is_larger() -> None:
    frame = load_rossi()
    for reference, other in ((0, "1"), (1, "0")):
        data = oc.survival_data(frame, duration="week", event="arrest", arm="wexp", reference=reference)
        weights = oc.weight(data, FORMULA, estimand="att")
        assert weights.arms[1] == other
        assert (weights.values[weights.arm == 1] == 1).all()


def test_stabilised_weights_are_the_weights_times_the_share_of_the_arm() -> None:
    data = rossi()
    plain, stable = (oc.weight(data, FORMULA, estimand="ate", stabilise=s) for s in (False, True))
    share = np.where(data.arm == 1, 247 / 432, 185 / 432)
    np.testing.assert_allclose(stable.values, plain.values * share, rtol=1e-12)
    assert list(stable.summary()["sum_of_weights"]) == pytest.approx([186.1215, 251.7516], abs=6e-5)


def test_trimming_counts_people_and_gives_them_no_weight() -> None:
    data = rossi()
    weights = oc.weight(data, FORMULA, estimand="ate", trim=(0.1, 0.9))
    outside = (weights.score < 0.1) | (weights.score > 0.9)
    assert ((weights.values == 0) == outside).all()
    assert weights.summary()["n_trimmed"].sum() == outside.sum() > 0
    assert "trimmed" in {note.code for note in weights.notes}
    assert f"{outside.sum()} people were trimmed" in weights.describe()


def test_trimming_to_the_common_range_leaves_out_scores_only_one_arm_has() -> None:
    weights = oc.weight(rossi(), FORMULA, estimand="ate", trim="common")
    a, b = (weights.score[weights.arm == arm] for arm in (0, 1))
    low, high = max(a.min(), b.min()), min(a.max(), b.max())
    assert (weights.kept == ((weights.score >= low) & (weights.score <= high))).all()


def test_factors_and_transformations_enter_by_formula() -> None:
    columns = oc.weight(rossi(), "C(race) + np.log(age) + mar:prio", estimand="ato").columns
    assert columns == ("C(race)[1]", "np.log(age)", "mar:prio")


def test_poor_overlap_proposes_overlap_weights() -> None:
    notes = {note.code: note.text for note in oc.weight(rossi(), FORMULA, estimand="att").notes}
    assert "estimand='ato'" in notes["poor_overlap"]
    assert "23 %" in notes["poor_overlap"]
    assert "poor_overlap" not in {note.code for note in oc.weight(rossi(), FORMULA, estimand="ato").notes}


def test_one_person_with_much_of_an_arms_weight_is_said() -> None:
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(0, 1, 60), rng.normal(2.5, 1, 60)])
    data = small(x=list(x), arm=["a"] * 60 + ["b"] * 60)
    weights = oc.weight(data, "x", estimand="ate")
    assert weights.summary()["largest_share"].max() > 0.10
    assert "large_weight" in {note.code for note in weights.notes}


def test_few_people_for_many_columns_is_said() -> None:
    rng = np.random.default_rng(2)
    frame = {f"x{i}": list(rng.normal(size=40)) for i in range(4)}
    weights = oc.weight(small(**frame, arm=["a", "b"] * 20), "x0 + x1 + x2 + x3", estimand="ato")
    assert "few_people" in {note.code for note in weights.notes}


def test_the_estimand_is_required_and_named() -> None:
    with pytest.raises(TypeError, match="estimand"):
        oc.weight(rossi(), FORMULA)  # type: ignore[call-arg]
    with pytest.raises(oc.EstimationError, match="'ate', 'att', 'atc', 'ato', 'atm'; got 'all'"):
        oc.weight(rossi(), FORMULA, estimand="all")
    assert "people who might have gone to either arm" in oc.weight(rossi(), FORMULA, estimand="ato").describe()


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("age + C(wexp)", "names the arm"),
        ("age + prioo", "no column 'prioo'. Did you mean 'prio'"),
        ("age + age2", "collinear.*age2|age2.*collinear"),
        ("age + flat", "flat.*the same for everyone|the same for everyone.*flat"),
        ("age + gap", r"covariates are missing: gap \(3\) of 432"),
        ("age +", "cannot be read"),
    ],
)
def test_formulas_that_cannot_be_fitted_are_refused_by_column(formula: str, message: str) -> None:
    frame = load_rossi()
    gap = frame["age"].astype(float).where(frame.index > 2)
    with pytest.raises(oc.EstimationError, match=message):
        oc.weight(rossi(age2=2 * frame["age"], flat=1, gap=gap), formula, estimand="ato")


def with_a_period_only_the_arm_had() -> tuple[oc.SurvivalData, np.ndarray]:
    """37 people of the arm, and 28 of the reference, in periods when only their own arm existed."""
    frame = load_rossi()
    seventh = frame.index % 7 == 0
    period = np.where(
        seventh, np.where(frame["wexp"] == 1, "late", "early"), np.where(frame.index % 2 == 0, "mid", "middle")
    )
    return rossi(period=period), np.asarray(seventh)


def test_people_without_anybody_like_them_are_an_error_where_the_estimand_speaks_of_them() -> None:
    data, certain = with_a_period_only_the_arm_had()
    arm, reference = int((certain & (data.arm == 1)).sum()), int((certain & (data.arm == 0)).sum())
    for estimand, people in (("ate", arm + reference), ("att", arm), ("atc", reference)):
        message = rf"the arm of {people} of 432 people exactly \(separation\).*Look at C\(period\)\[(late|mid)"
        with pytest.raises(oc.EstimationError, match=message):
            oc.weight(data, f"{FORMULA} + C(period)", estimand=estimand)


@pytest.mark.parametrize("estimand", ["ato", "atm"])
def test_overlap_and_matching_weights_leave_them_out_as_the_limit_of_the_fit_does(estimand: str) -> None:
    data, certain = with_a_period_only_the_arm_had()
    weights = oc.weight(data, f"{FORMULA} + C(period)", estimand=estimand)
    assert (weights.certain == certain).all()
    assert (weights.values[certain] == 0).all()
    assert (weights.influence[certain] == 0).all()
    frame = data.baseline[~certain].reset_index(drop=True)
    rest = oc.survival_data(frame, duration="week", event="arrest", arm="wexp", reference=0, unit="weeks")
    alone = oc.weight(rest, f"{FORMULA} + C(period)", estimand=estimand)
    np.testing.assert_allclose(weights.values[~certain], alone.values, rtol=1e-9)
    note = {n.code: n.text for n in weights.notes}["one_arm_only"]
    assert note.startswith(f"{certain.sum()} people")
    both = [
        oc.compare(oc.kaplan_meier(d, weights=w), measure="risk_difference", at=40).to_frame()
        for d, w in ((data, weights), (rest, alone))
    ]
    columns = ["estimate", "std_error", "conf_low", "conf_high", "n"]
    np.testing.assert_allclose(both[0][columns].astype(float), both[1][columns].astype(float), rtol=1e-8)


def test_the_limit_is_what_ever_longer_iteration_comes_to() -> None:
    """R's glm stops on the way: after 25 steps scores of certain people are 1e-10 from 0 or 1, the others' have settled."""
    data, certain = with_a_period_only_the_arm_had()
    weights = oc.weight(data, f"{FORMULA} + C(period)", estimand="ato")
    x = np.column_stack([np.ones(432), weights.design])
    treated, beta = (data.arm == 1).astype(float), np.zeros(x.shape[1])
    for _ in range(25):
        p = 1 / (1 + np.exp(-x @ beta))
        beta = beta + np.linalg.solve(x.T @ ((p * (1 - p))[:, None] * x), x.T @ (treated - p))
    p = 1 / (1 + np.exp(-x @ beta))
    np.testing.assert_allclose(weights.score[~certain], p[~certain], atol=1e-8)
    np.testing.assert_allclose(weights.score[certain], p[certain], atol=1e-8)


def test_the_att_stands_where_only_people_of_the_reference_have_nobody_like_them() -> None:
    frame = load_rossi()
    refused = ((frame["wexp"] == 0) & (frame.index % 5 == 0)).astype(int)
    data = rossi(refused=refused)
    weights = oc.weight(data, f"{FORMULA} + refused", estimand="att")
    assert (weights.values[refused == 1] == 0).all()
    assert (weights.values[data.arm == 1] == 1).all()
    with pytest.raises(oc.EstimationError, match=f"the arm of {refused.sum()} of 432 people exactly .*Look at refused"):
        oc.weight(data, f"{FORMULA} + refused", estimand="atc")


@pytest.mark.parametrize("estimand", ["ate", "att", "ato"])
def test_separation_of_everybody_by_a_combination_is_an_error_for_every_estimand(estimand: str) -> None:
    rng = np.random.default_rng(3)
    x, z = rng.normal(size=200), rng.normal(size=200)
    arm = np.where(x + z > 0.1, "b", "a")
    with pytest.raises(oc.EstimationError, match=r"\(separation\), and nobody of 200 people is left.*Look at x, z"):
        oc.weight(small(x=list(x), z=list(z), arm=list(arm)), "x + z", estimand=estimand)


def test_extreme_scores_without_separation_are_fitted_not_refused() -> None:
    x = np.concatenate([np.linspace(-30, 1, 300), np.linspace(-1, 30, 300)])
    weights = oc.weight(small(x=list(x), arm=["a"] * 300 + ["b"] * 300), "x", estimand="ato")
    assert np.abs(weights.linear).max() > 12
    assert np.isfinite(weights.values).all()
    assert np.isfinite(weights.gradient).all()


def test_combinations_without_a_right_answer_are_refused() -> None:
    data = rossi()
    with pytest.raises(oc.NotSupportedError, match=r"no method 'entropi'\. Did you mean 'entropy'"):
        oc.weight(data, FORMULA, estimand="att", method="entropi")
    with pytest.raises(oc.NotSupportedError, match="stabilise"):
        oc.weight(data, FORMULA, estimand="att", stabilise=True)
    alone = oc.survival_data(load_rossi(), duration="week", event="arrest")
    with pytest.raises(oc.NotSupportedError, match="two arms are needed; these data have 1"):
        oc.weight(alone, "age", estimand="ate")
    counted = oc.survival_data(
        load_rossi().assign(count=2), duration="week", event="arrest", arm="wexp", reference=0, frequency="count"
    )
    with pytest.raises(oc.NotSupportedError, match="frequency"):
        oc.weight(counted, FORMULA, estimand="ate")


@pytest.mark.parametrize("trim", [(0.9, 0.1), (-0.1, 0.9), (0.1, 1.1), (0.2,), "wide", (float("nan"), 0.9)])
def test_trimming_bounds_must_make_sense(trim: object) -> None:
    with pytest.raises(oc.EstimationError, match="trim must be two scores"):
        oc.weight(rossi(), FORMULA, estimand="ate", trim=trim)  # type: ignore[arg-type]


def test_trimming_that_empties_an_arm_is_an_error() -> None:
    with pytest.raises(oc.EstimationError, match="trimming leaves nobody of 185 people in the reference"):
        oc.weight(rossi(), FORMULA, estimand="ate", trim=(0.99, 1.0))


def test_an_arm_of_one_person_cannot_be_made_alike() -> None:
    data = small(x=[1.0, 2.0, 3.0, 2.5], arm=["a", "a", "a", "b"])
    with pytest.raises(oc.EstimationError, match=r"arm 'b' has fewer than two people \(1\)"):
        oc.weight(data, "x", estimand="ate")


def test_people_with_several_rows_are_one_row_in_the_score() -> None:
    frame = load_rossi().reset_index(names="id").assign(start=0.0, stop=lambda d: d["week"].astype(float))
    halves = pd.concat(
        [frame.assign(stop=frame["stop"] / 2, arrest=0), frame.assign(start=frame["stop"] / 2)], ignore_index=True
    )
    split = oc.survival_data(halves, entry="start", exit="stop", event="arrest", arm="wexp", reference=0, id="id")
    weights = oc.weight(split, FORMULA, estimand="ato")
    np.testing.assert_allclose(weights.values, oc.weight(rossi(), FORMULA, estimand="ato").values, rtol=1e-12)


def test_no_message_shows_a_value_from_a_row() -> None:
    frame = load_rossi()
    secret = frame["age"].astype(float) + 0.123456
    only = np.where(frame["wexp"] == 1, secret, -secret)
    with pytest.raises(oc.EstimationError) as caught:
        oc.weight(rossi(secret=only), "secret", estimand="ate")
    assert ".123456" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("seed", range(6))
def test_the_running_away_of_the_fit_tells_the_same_people_as_linear_programming(seed: int) -> None:
    from outcomes.adjust.separation import _by_divergence, _by_programming

    rng = np.random.default_rng(seed)
    n = 300
    x, level = rng.normal(size=(n, 2)), rng.integers(0, 5, n)
    treated = rng.random(n) < 1 / (1 + np.exp(-x[:, 0]))
    for only, arm in ((0, True), (3, False))[: seed % 3]:
        treated[level == only] = arm
    dummies = (level[:, None] == np.arange(1, 5)).astype(float)
    signed = np.where(treated, 1.0, -1.0)[:, None] * np.column_stack([np.ones(n), x, dummies])
    fast, sure = _by_divergence(signed), _by_programming(signed)
    if seed % 3 == 0:
        assert fast is None
        assert sure is None
        return
    assert fast is not None
    assert sure is not None
    expected = np.isin(level, [0, 3][: seed % 3])
    assert (fast[0] == expected).all()
    assert (sure[0] == expected).all()
    assert (signed @ sure[1] >= -1e-6).all()
    assert (signed @ fast[1] >= -1e-3).all()
