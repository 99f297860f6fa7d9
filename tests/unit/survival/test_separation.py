"""Where an arm has no event a robust variance says nothing: no narrow interval, no verdict, whatever model is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import outcomes as oc


@pytest.fixture(scope="module")
def data() -> oc.SurvivalData:
    """Nobody of arm b has the first cause; everybody has a weight that is no count, and a covariate."""
    rng = np.random.default_rng(7)
    n = 160
    arm = np.repeat(["a", "b"], n // 2)
    cause = np.where(rng.random(n) < 0.4, 1, np.where(rng.random(n) < 0.3, 2, 0))
    cause[(arm == "b") & (cause == 1)] = 2
    frame = pd.DataFrame(
        {
            "t": rng.exponential(10, n) + 0.1,
            "e": cause,
            "arm": arm,
            "x": rng.normal(size=n),
            "w": rng.uniform(0.4, 2, n),
        }
    )
    return oc.survival_data(frame, duration="t", event="e", causes={1: "first", 2: "second"}, arm="arm", reference="a")


MODELS = {
    "cox": lambda d: oc.cox(d, "arm + x", cause="first", weights="w"),
    "cox by person": lambda d: oc.cox(d, "arm + x", cause="first", robust=True),
    "fine_gray": lambda d: oc.fine_gray(d, "arm + x", cause="first"),
    "rate_model": lambda d: oc.rate_model(d, "arm + x", cause="first", weights="w"),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_ratio_without_a_finite_maximum_has_an_endless_interval(data: oc.SurvivalData, name: str) -> None:
    model: Any = MODELS[name](data)
    row = model.to_frame(exponentiate=True).set_index("term").loc["arm[b]"]
    assert "separation" in {note.code for note in model.notes}
    assert row["conf_low"] == 0
    assert np.isinf(row["conf_high"])
    assert row["p_value"] > 0.99


@pytest.mark.parametrize("name", MODELS)
def test_the_other_terms_keep_theirs(data: oc.SurvivalData, name: str) -> None:
    model: Any = MODELS[name](data)
    row = model.to_frame().set_index("term").loc["x"]
    assert 0.05 < row["std_error"] < 0.6
    assert np.isfinite(row[["conf_low", "conf_high", "p_value"]].to_numpy(dtype=float)).all()


def test_a_comparison_of_hazards_comes_to_no_verdict(data: oc.SurvivalData) -> None:
    weights = oc.weight(data, "x", estimand="ate")
    for model in (MODELS["cox"](data), oc.cox(data, "arm", cause="first", weights=weights)):
        found = oc.compare(model, measure="hazard_ratio")
        row = found.to_frame().iloc[0]
        assert (row["conf_low"], row["verdict"]) == (0, "not determined")
        assert np.isinf(row["conf_high"])


def test_tests_of_all_terms_do_not_cry_out(data: oc.SurvivalData) -> None:
    assert oc.cox(data, "arm", cause="first", weights="w").tests()["p_value"].item() > 0.99
    assert oc.fine_gray(data, "arm", cause="first").tests()["p_value"].item() > 0.99


def test_what_is_predicted_has_no_interval(data: oc.SurvivalData) -> None:
    new = pd.DataFrame({"arm": ["a", "b"], "x": [0.0, 0.0]})
    for curves in (MODELS["cox"](data).predict(new, times=[5]), MODELS["fine_gray"](data).predict(new)):
        found = curves.at([5])
        assert np.isfinite(found["estimate"]).all()
        assert found[["conf_low", "conf_high"]].isna().all().all()


def test_a_standardised_contrast_has_an_estimate_and_no_interval(data: oc.SurvivalData) -> None:
    found = oc.compare(MODELS["cox"](data).standardised(), measure="risk_difference", at=5)
    row = found.to_frame().iloc[0]
    assert row["estimate"] < 0
    assert np.isnan(row["conf_low"])
    assert row["verdict"] == "not determined"
    assert "no interval can be given" in found.describe()
