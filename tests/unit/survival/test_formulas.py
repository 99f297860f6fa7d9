"""What formulas say: one side, splines and polynomials, and what they must not say, refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc

ROSSI = load_rossi()
Ask = Callable[[oc.SurvivalData, str], Any]


def take(frame: pd.DataFrame = ROSSI) -> oc.SurvivalData:
    return oc.survival_data(frame, duration="week", event="arrest", arm="fin", reference=0, unit="weeks")


@pytest.fixture(
    params=[
        oc.cox,
        oc.fine_gray,
        oc.rate_model,
        lambda data, formula: oc.rmst_regression(data, formula, horizon=50),
        lambda data, formula: oc.parametric(data, formula, distribution="weibull"),
        lambda data, formula: oc.weight(data, formula, estimand="ate"),
        lambda data, formula: oc.match(data, formula),
    ],
    ids=["cox", "fine_gray", "rate_model", "rmst_regression", "parametric", "weight", "match"],
)
def ask(request: pytest.FixtureRequest) -> Ask:
    """Everything that takes a formula."""
    made: Ask = request.param
    return made


def test_a_left_side_is_refused(ask: Ask) -> None:
    with pytest.raises(oc.EstimationError, match=r"has a ~\. Give its right side alone"):
        ask(take(), "arrest ~ age")


def test_a_hat_is_no_power(ask: Ask) -> None:
    with pytest.raises(oc.EstimationError, match=r"\^ in the formula 'age\^2' is no power\. Write I\(age\*\*2\)"):
        ask(take(), "age^2")


def test_numbers_as_text_are_no_factor(ask: Ask) -> None:
    with pytest.raises(oc.EstimationError, match="column 'age' holds numbers as text"):
        ask(take(ROSSI.assign(age=ROSSI["age"].astype(str))), "age + prio")


def test_text_of_nearly_everybodys_own_is_no_factor(ask: Ask) -> None:
    with pytest.raises(oc.EstimationError, match="column 'who' is text with 432 values in 432 rows: no factor"):
        ask(take(ROSSI.assign(who=[f"p{i}" for i in range(len(ROSSI))])), "age + who")


@pytest.mark.parametrize("term", ["bs(age, df=4)", "poly(age, 2)", "bs(age, 3):prio"])
def test_splines_and_polynomials_are_the_columns_formulaic_makes(term: str) -> None:
    from formulaic import Formula

    columns = Formula(f"0 + {term}").get_model_matrix(ROSSI[["age", "prio"]])
    frame = ROSSI.assign(**{f"s{i}": column.to_numpy() for i, (_, column) in enumerate(columns.items())})
    by_hand = " + ".join(f"s{i}" for i in range(columns.shape[1]))
    ours, theirs = oc.cox(take(), f"arm + {term}"), oc.cox(take(frame), f"arm + {by_hand}")
    assert ours.to_frame()["estimate"].tolist() == pytest.approx(theirs.to_frame()["estimate"].tolist())


def test_a_formula_read_before_learns_the_knots_of_new_people_anew() -> None:
    old, young = (take(ROSSI[mine].reset_index(drop=True)) for mine in (ROSSI["age"] > 22, ROSSI["age"] <= 22))
    first = oc.cox(young, "bs(age, df=4)").coefficients
    oc.cox(old, "bs(age, df=4)")
    assert oc.cox(young, "bs(age, df=4)").coefficients.tolist() == first.tolist()
    from outcomes.survival.formula_text import parsed

    parsed.cache_clear()
    assert oc.cox(young, "bs(age, df=4)").coefficients.tolist() == first.tolist()


def test_arm_may_not_mean_two_things() -> None:
    frame = ROSSI.assign(arm=ROSSI["race"])
    assert len(oc.cox(take(frame), "fin + age").to_frame()) == 2
    with pytest.raises(oc.EstimationError, match=r"the arm of the data \('fin'\) or the frame's own column 'arm'"):
        oc.cox(take(frame), "arm + age")


def test_a_spline_predicts_new_people_with_the_knots_of_those_it_was_fitted_to() -> None:
    model = oc.cox(take(), "arm + bs(age, df=4)")
    alone = model.predict(pd.DataFrame({"arm": ["0"], "age": [30.0]}), times=[26]).to_frame().iloc[0]
    among = (
        model.predict(pd.DataFrame({"arm": ["0", "1", "1"], "age": [30.0, 20.0, 40.0]}), times=[26]).to_frame().iloc[0]
    )
    assert alone["estimate"] == among["estimate"]


def test_new_rows_with_an_unknown_level_name_the_column() -> None:
    frame = ROSSI.assign(band=np.where(ROSSI["prio"] > 3, "high", "low"))
    model = oc.cox(take(frame), "arm + band + age")
    with pytest.raises(oc.EstimationError, match="predict: band of the new rows do not fit the model"):
        model.predict(pd.DataFrame({"arm": ["0"], "band": ["medium"], "age": [30.0]}))
