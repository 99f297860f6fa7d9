"""Residuals of a Cox model: what they add up to, by row, by person and by event."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.errors import NotSupportedError

ROSSI = load_rossi()
# Therneau & Grambsch (2000), appendix E.1
SMALL = pd.DataFrame({"time": [1, 1, 6, 6, 8, 9], "status": [1, 0, 1, 1, 0, 1], "x": [1, 1, 1, 0, 0, 0]})


def small(ties: str) -> oc.Cox:
    return oc.cox(oc.survival_data(SMALL, duration="time", event="status"), "x", ties=ties)


def rossi(**more: object) -> oc.SurvivalData:
    return oc.survival_data(ROSSI, duration="week", event="arrest", unit="weeks", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ties", "martingale", "score", "schoenfeld"),
    [
        (
            "breslow",
            [0.7287136, -0.2712864, -0.4574271, 0.6666667, -0.3333333, -0.3333333],
            [0.13564322, -0.05049744, -0.12624360, -0.38168095, 0.21138938, 0.21138938],
            [0.1861407, 0.4069297, -0.5930703, 0],
        ),
        (
            "efron",
            [0.7191707, -0.2808293, -0.4383414, 0.7310869, -0.3655434, -0.3655434],
            [0.1132780, -0.0442340, -0.1029199, -0.4078409, 0.2208584, 0.2208584],
            [0.157512, 0.421244, -0.578756, 0],
        ),
    ],
)
def test_the_worked_example_in_print(
    ties: str, martingale: list[float], score: list[float], schoenfeld: list[float]
) -> None:
    fit = small(ties)
    np.testing.assert_allclose(fit.residuals()["martingale"], martingale, atol=5e-7)
    np.testing.assert_allclose(fit.residuals("score")["x"], score, atol=5e-7)
    np.testing.assert_allclose(fit.residuals("schoenfeld")["x"], schoenfeld, atol=5e-7)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_weighted_sums_are_zero(ties: str) -> None:
    weights = np.random.default_rng(1).uniform(0.3, 3, len(ROSSI))
    fit = oc.cox(rossi(), "fin + age + prio", weights=weights, ties=ties, strata="wexp")
    for kind in ("martingale", "score"):
        np.testing.assert_allclose(weights @ fit.residuals(kind).to_numpy(), 0, atol=1e-8)


def test_dfbeta_is_the_influence_and_dfbetas_counts_it_in_standard_errors() -> None:
    fit = oc.cox(rossi(), "fin + prio", robust=True)
    moved = fit.residuals("dfbeta").to_numpy()
    np.testing.assert_allclose(moved, fit.influence(), rtol=1e-12)
    errors = np.sqrt(np.diag(fit.model_covariance))
    np.testing.assert_allclose(fit.residuals("dfbetas"), moved / errors, rtol=1e-12)


def test_rows_of_a_person_add_up() -> None:
    whole = oc.cox(rossi(), "fin + prio", robust=True)
    split = oc.cox(oc.split_follow_up(rossi(), [10, 30]), "fin + prio")
    for kind in ("martingale", "deviance", "score", "dfbeta"):
        mine, theirs = split.residuals(kind, by="person"), whole.residuals(kind)
        np.testing.assert_allclose(mine, theirs, rtol=1e-8, atol=1e-10)
    assert len(split.residuals()) == len(split.data.frame)


def test_rows_without_weight_have_no_residual() -> None:
    fit = oc.cox(rossi(), "fin", weights=np.where(ROSSI["age"] > 30, 0.0, 1.0))
    np.testing.assert_array_equal(fit.residuals()["martingale"].isna(), ROSSI["age"] > 30)


def test_schoenfeld_residuals_have_a_row_an_event_with_its_time_and_stratum() -> None:
    frame = oc.cox(rossi(), "fin + prio", strata="wexp").residuals("scaled_schoenfeld")
    assert list(frame.columns) == ["wexp", "time", "fin", "prio"]
    assert len(frame) == ROSSI["arrest"].sum()
    assert (frame["wexp"].to_numpy() == ROSSI["wexp"].to_numpy()[frame.index]).all()
    assert (frame["time"].to_numpy() == ROSSI["week"].to_numpy()[frame.index]).all()


def test_what_cannot_be_asked() -> None:
    fit = oc.cox(rossi(), "fin")
    with pytest.raises(oc.EstimationError, match="kind must be one of 'martingale'"):
        fit.residuals("martingal")
    with pytest.raises(NotSupportedError, match="of events, not of people"):
        fit.residuals("schoenfeld", by="person")
    with pytest.raises(NotSupportedError, match="exact"):
        oc.cox(rossi(), "fin", ties="exact").residuals()
