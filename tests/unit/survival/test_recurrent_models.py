"""Andersen–Gill and Prentice–Williams–Peterson: Cox models of rows of every event."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import outcomes as oc

close = np.testing.assert_allclose


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return 60 people with ties, late entry, deaths, weights and clusters."""
    rng = np.random.default_rng(11)
    rows = []
    for person in range(60):
        at = int(rng.integers(0, 3))
        for _ in range(int(rng.integers(1, 5))):
            stop = at + int(rng.integers(1, 6))
            rows.append((person, at, stop, int(rng.random() < 0.7)))
            at = stop
        if rng.random() < 0.3:
            rows[-1] = (*rows[-1][:3], 2)
    found = pd.DataFrame(rows, columns=["id", "start", "stop", "e"]).astype({"start": float, "stop": float})
    number = found["id"]
    return found.assign(
        arm=np.where(number % 2, "x", "y"), w=0.5 + number % 7, area=number % 12, age=20.0 + number * 7 % 31
    )


def _take(frame: pd.DataFrame) -> oc.SurvivalData:
    return oc.survival_data(
        frame, entry="start", exit="stop", event="e", censored=0, causes={1: "arrest", 2: "death"}, id="id", repeated=True,
        arm="arm", reference="x",
    )  # fmt: skip


@pytest.fixture(scope="module")
def data(frame: pd.DataFrame) -> oc.SurvivalData:
    return _take(frame)


def _by_hand(frame: pd.DataFrame, *, gap: bool, most: int = 99) -> oc.Cox:
    """Return the Cox model of rows numbered and shifted one by one."""
    numbered = []
    for _, mine in frame.groupby("id", sort=False):
        number, since = 1, 0.0
        for row in mine.to_dict("records"):
            shift = since if gap else 0.0
            numbered.append({**row, "start": row["start"] - shift, "stop": row["stop"] - shift, "k": min(number, most)})
            if row["e"] == 1:
                number, since = number + 1, row["stop"]
    rows = pd.DataFrame(numbered).assign(row=range(len(frame)), e=lambda f: (f["e"] == 1).astype(int))
    alone = oc.survival_data(rows, entry="start", exit="stop", event="e", id="row", arm="arm", reference="x")
    return oc.cox(alone, "arm + age", strata="k", cluster="id", weights="w")


def test_andersen_gill_is_cox_on_every_event_with_the_variance_by_person(data: oc.SurvivalData) -> None:
    model, plain = oc.andersen_gill(data, "arm + age"), oc.cox(data, "arm + age", cause="arrest", robust=True)
    close(model.coefficients, plain.coefficients)
    close(model.covariance, plain.covariance)
    assert model.n_events == data.events_by_arm("arrest").sum()
    said = next(note.text for note in model.notes if note.code == "every_event")
    assert "Ends of follow-up by death count as censored" in said


@pytest.mark.parametrize(("clock", "most"), [("total", None), ("gap", None), ("gap", 2)])
def test_pwp_is_cox_by_event_number(frame: pd.DataFrame, data: oc.SurvivalData, clock: str, most: int | None) -> None:
    model, expected = (
        oc.pwp(data, "arm + age", clock=clock, max_event=most, weights="w"),
        _by_hand(frame, gap=clock == "gap", most=most or 99),
    )
    close(model.coefficients, expected.coefficients, rtol=1e-8)
    close(model.covariance, expected.covariance, rtol=1e-8)
    assert ("pooled_events" in [note.code for note in model.notes]) == (most is not None)


def test_strata_few_people_reach_are_said(data: oc.SurvivalData) -> None:
    said = [note.text for note in oc.pwp(data, "arm").notes if note.code == "sparse_strata"]
    assert said
    assert "max_event= pools them" in said[0]
    assert "sparse_strata" not in [note.code for note in oc.pwp(data, "arm", max_event=2).notes]


@pytest.mark.parametrize("fit", [oc.andersen_gill, oc.pwp])
def test_the_scale_of_weights_says_nothing_and_clusters_count(data: oc.SurvivalData, fit: object) -> None:
    assert callable(fit)
    weight = data.baseline["w"].to_numpy()
    one, ten = fit(data, "arm", weights=weight), fit(data, "arm", weights=10 * weight)
    close(ten.covariance, one.covariance, rtol=1e-8)
    clustered = fit(data, "arm", weights=weight, cluster="area")
    moved = np.bincount(data.baseline["area"], weights=one.influence()[:, 0])
    close(clustered.covariance[0, 0], (moved**2).sum(), rtol=1e-8)


@pytest.mark.parametrize("clock", ["total", "gap"])
def test_a_split_row_is_the_whole_row(frame: pd.DataFrame, data: oc.SurvivalData, clock: str) -> None:
    wide = frame[frame["stop"] - frame["start"] > 1]
    cut = pd.concat(
        [frame.drop(wide.index), wide.assign(stop=wide["start"] + 1, e=0), wide.assign(start=wide["start"] + 1)]
    )
    again, whole = (oc.pwp(one, "arm + age", clock=clock) for one in (_take(cut), data))
    close(again.covariance, whole.covariance, rtol=1e-8)


def test_a_ratio_of_rates_is_compared_as_a_hazard_ratio(data: oc.SurvivalData) -> None:
    found = oc.compare(oc.andersen_gill(data, "arm"), measure="hazard_ratio").to_frame()
    close(np.log(found["estimate"]), oc.andersen_gill(data, "arm").coefficients)


def test_what_cannot_be_fitted_is_refused_by_name(frame: pd.DataFrame, data: oc.SurvivalData) -> None:
    first = oc.survival_data(pd.DataFrame({"t": [3, 4], "e": [1, 0], "age": [1, 2]}), duration="t", event="e")
    for fit, name in ((oc.andersen_gill, "andersen_gill"), (oc.pwp, "pwp")):
        with pytest.raises(oc.NotSupportedError, match=f"{name} needs every event of a person"):
            fit(first, "age")
        with pytest.raises(oc.EstimationError, match=r"covariates are missing: age \(2\)"):
            fit(_take(frame.assign(age=frame["age"].where(frame.index > 1))), "age")
        with pytest.raises(oc.EstimationError, match="nobody had the event 'arrest'"):
            fit(_take(frame.assign(e=frame["e"].where(frame["e"] == 2, 0))), "age")
        with pytest.raises(oc.EstimationError, match="only one arm"):
            fit(_take(frame[frame["arm"] == "x"]), "arm")
    with pytest.raises(oc.EstimationError, match="whole number of 1 or more"):
        oc.pwp(data, "arm", max_event=0)
    with pytest.raises(oc.EstimationError, match="must be one of 'total', 'gap'"):
        oc.pwp(data, "arm", clock="gaps")
    with pytest.raises(oc.EstimationError, match="'event_number' of their own"):
        oc.pwp(_take(frame.assign(event_number=1)), "arm")


def test_each_model_of_every_event_is_called_by_its_own_name(frame: pd.DataFrame) -> None:
    data = _take(frame)
    rate, next_one = oc.andersen_gill(data, "age"), oc.pwp(data, "age", max_event=2)
    assert isinstance(rate, oc.Cox)
    assert isinstance(next_one, oc.Cox)
    assert repr(rate).startswith("Andersen–Gill regression\n")
    assert repr(next_one).startswith("Prentice–Williams–Peterson regression\n")
    assert (
        oc.cox(
            oc.survival_data(
                frame, entry="start", exit="stop", event="e", id="id", causes={1: "a", 2: "b"}, repeated=True
            ),
            "age",
            cause="a",
        ).title
        == "Cox regression"
    )


@pytest.mark.parametrize("fit", [oc.andersen_gill, oc.pwp])
def test_models_of_every_event_are_pooled_under_their_own_name(frame: pd.DataFrame, fit: Any) -> None:
    sets = [_take(frame.assign(age=frame["age"] + shift * (frame["id"] % 3))) for shift in (0, 1, 2)]
    pooled = oc.pool(sets, lambda data: fit(data, "age"))
    single = [fit(data, "age") for data in sets]
    assert pooled.title == f"{single[0].title}, pooled over imputed sets"
    assert isinstance(pooled, type(single[0]))
    close(pooled.to_frame()["estimate"], np.mean([one.coefficients for one in single], axis=0))
