"""Covariates that are missing for some: refused by column and count, or entered with who misses them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc


def rossi(**changes: object) -> oc.SurvivalData:
    frame = load_rossi()
    age = frame["age"].astype(float).where(frame.index % 7 > 0)
    band = pd.Series(np.array(["low", "medium", "high"])[frame.index % 3], dtype=object).where(frame.index % 11 > 0)
    columns = {"some_age": age, "band": band, **changes}
    return oc.survival_data(
        frame.assign(**columns), duration="week", event="arrest", arm="wexp", reference=0, unit="weeks"
    )


def test_by_default_columns_and_counts_are_named_with_what_can_be_done() -> None:
    with pytest.raises(oc.EstimationError) as caught:
        oc.weight(rossi(), "race + some_age + C(band)", estimand="ate")
    said = str(caught.value)
    assert "covariates are missing: band (40), some_age (62) of 432 people" in said
    assert "impute(data)" in said
    assert "missing='indicator'" in said


def test_the_score_is_that_of_the_columns_filled_and_marked_by_hand() -> None:
    frame = load_rossi()
    gone = frame.index % 7 == 0
    by_hand = rossi(
        filled=np.where(gone, frame["age"][~gone].mean(), frame["age"]),
        gone=gone.astype(int),
        level=np.where(frame.index % 11 == 0, "zzz", np.array(["low", "medium", "high"])[frame.index % 3]),
    )
    made = oc.weight(rossi(), "race + some_age + C(band)", estimand="ate", missing="indicator")
    expected = oc.weight(by_hand, "race + filled + gone + C(level)", estimand="ate")
    np.testing.assert_allclose(made.values, expected.values, rtol=1e-9)
    assert made.columns == (
        "race",
        "some_age",
        "C(band)[low]",
        "C(band)[medium]",
        "C(band)[missing]",
        "some_age[missing]",
    )
    assert made.provenance["missing"] == "indicator"


def test_balance_shows_the_known_values_and_who_misses_them() -> None:
    made = oc.weight(rossi(), "race + some_age + C(band)", estimand="ato", missing="indicator")
    frame = made.balance().to_frame()
    rows = list(zip(frame["term"], frame["level"], strict=True))
    assert rows[:3] == [("race", ""), ("some_age", ""), ("some_age", "missing")]
    assert ("band", "missing") in rows
    assert (
        frame.set_index(["term", "level"])["smd_after"][[("some_age", "missing"), ("band", "missing")]].abs().max()
        < 1e-9
    )
    note = {n.code: n.text for n in made.notes}["missing_indicators"]
    assert "band (40), some_age (62) of 432 people" in note
    assert "not in what those who miss them would have had" in note


def test_columns_that_the_same_people_miss_have_one_indicator() -> None:
    prio = load_rossi()["prio"].astype(float).where(load_rossi().index % 7 > 0)
    made = oc.weight(rossi(prio=prio), "some_age + prio", estimand="ate", missing="indicator")
    assert [c for c in made.columns if "missing" in c] in (["some_age[missing]"], ["prio[missing]"])


def test_transformations_and_products_enter_with_the_mean_of_the_known() -> None:
    made = oc.weight(rossi(), "np.log(some_age) + some_age:race", estimand="ate", missing="indicator")
    assert made.columns[-1] == "some_age[missing]"
    gone = np.arange(432) % 7 == 0
    known = load_rossi()["age"][~gone].mean()
    np.testing.assert_allclose(made.design[gone, 0], np.log(known))


def test_a_number_taken_as_a_factor_has_a_level_of_those_who_miss_it() -> None:
    code = np.where(np.arange(432) % 10 == 0, np.nan, np.arange(432) % 4)
    made = oc.weight(rossi(code=code), "C(code)", estimand="ato", missing="indicator")
    assert made.columns == ("C(code)[1]", "C(code)[2]", "C(code)[3]", "C(code)[missing]")


def test_data_without_gaps_are_the_same_with_and_without_indicators() -> None:
    one, other = (oc.weight(rossi(), "age + prio", estimand="ate", missing=m) for m in ("error", "indicator"))
    assert (one.values == other.values).all()
    assert other.columns == ("age", "prio")


def test_several_arms_take_indicators() -> None:
    frame = load_rossi()
    age = frame["age"].astype(float).where(frame.index % 7 > 0)
    data = oc.survival_data(
        frame.assign(group=frame["paro"] + frame["wexp"], some_age=age),
        duration="week",
        event="arrest",
        arm="group",
        reference=0,
    )
    made = oc.weight(data, "some_age + prio", estimand="ato", missing="indicator")
    assert made.coefficients.shape == (2, 4)


def test_what_is_missing_in_one_arm_only_tells_the_arm_exactly() -> None:
    frame = load_rossi()
    age = frame["age"].astype(float).where((frame["wexp"] == 1) | (frame.index % 3 > 0))
    with pytest.raises(oc.EstimationError, match=r"exactly \(separation\).*Look at some_age\[missing\]"):
        oc.weight(rossi(some_age=age), "some_age", estimand="ate", missing="indicator")


def test_matching_takes_indicators_too() -> None:
    with pytest.raises(
        oc.EstimationError, match=r"match: covariates are missing: some_age \(62\).*missing='indicator'"
    ):
        oc.match(rossi(), "some_age + prio")
    made = oc.match(rossi(), "some_age + prio", missing="indicator")
    assert made.columns == ("some_age", "prio", "some_age[missing]")
    assert "missing_indicators" in {n.code for n in made.notes}


def test_a_column_nobody_has_and_an_unknown_choice_are_refused() -> None:
    with pytest.raises(oc.EstimationError, match="none_has is missing for everybody"):
        oc.weight(rossi(none_has=np.nan), "age + none_has", estimand="ate", missing="indicator")
    with pytest.raises(oc.EstimationError, match="missing must be one of 'error', 'indicator'"):
        oc.weight(rossi(), "some_age", estimand="ate", missing="drop")


def test_levels_of_a_factor_may_be_numbers_and_words() -> None:
    mixed = pd.Series([1, "two", None] * 144, dtype=object)
    made = oc.weight(rossi(mixed=mixed), "some_age + C(mixed)", estimand="ate", missing="indicator")
    assert np.isfinite(made.values).all()
