"""Follow-up cut into bands: what changes, and what does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi
from statsmodels.duration.hazard_regression import PHReg

import outcomes as oc

ROSSI = load_rossi()


def rossi(**more: Any) -> oc.SurvivalData:
    return oc.survival_data(ROSSI, duration="week", event="arrest", arm="fin", reference=0, unit="weeks", **more)


def test_rows_are_cut_where_they_are_told_and_the_event_stays_at_the_end() -> None:
    frame = pd.DataFrame({"day": [5.0, 12.0], "event": [1, 1], "start": [0.0, 7.0]})
    data = oc.survival_data(frame, entry="start", exit="day", event="event")
    cut = oc.split_follow_up(data, [10, 3])
    assert list(zip(cut.entry, cut.exit, cut.event, cut.person, strict=True)) == [
        (0, 3, 0, 0), (3, 5, 1, 0), (7, 10, 0, 1), (10, 12, 1, 1)
    ]  # fmt: skip
    assert cut.frame["time_band"].tolist() == ["0 to 3", "over 3 to 10", "over 3 to 10", "over 10 to 12"]
    assert cut.frame["source_row"].tolist() == [0, 0, 1, 1]
    assert len(cut.baseline) == 2


@pytest.mark.parametrize("at", [[10, 30.5], "events"])
def test_a_model_without_bands_is_the_same(at: Any) -> None:
    weights = np.random.default_rng(4).uniform(0.3, 3, len(ROSSI))
    whole = oc.cox(rossi(), "arm + prio", weights=weights)
    split = oc.split_follow_up(rossi(), at)
    by_person = oc.cox(split, "arm + prio", weights=weights)
    by_row = oc.cox(split, "arm + prio", weights=weights[split.frame["source_row"]])
    for fit in (by_person, by_row):
        np.testing.assert_allclose(fit.coefficients, whole.coefficients, rtol=1e-9)
        np.testing.assert_allclose(fit.covariance, whole.covariance, rtol=1e-7)


def test_an_effect_in_each_band_is_that_of_each_band_alone() -> None:
    both = oc.cox(oc.split_follow_up(rossi(), 26), "arm * time_band")
    assert both.terms == ("arm[1]", "arm[1]:time_band[over 26 to 52]")
    early = oc.survival_data(
        ROSSI.assign(arrest=ROSSI["arrest"] * (ROSSI["week"] <= 26), week=ROSSI["week"].clip(upper=26)),
        duration="week", event="arrest", unit="weeks",
    )  # fmt: skip
    late = oc.survival_data(
        ROSSI[ROSSI["week"] > 26].assign(start=26), entry="start", exit="week", event="arrest", unit="weeks"
    )
    first, second = oc.cox(early, "fin").coefficients[0], oc.cox(late, "fin").coefficients[0]
    np.testing.assert_allclose(both.coefficients, [first, second - first], rtol=1e-7)


def test_an_effect_may_move_along_a_function_of_time() -> None:
    """R: coxph(Surv(week, arrest) ~ age + tt(age), tt = function(x, t, ...) x * log(t)) is this model."""
    fit = oc.cox(oc.split_follow_up(rossi(), "events"), "age + age:log(event_time)", robust=False)
    assert fit.terms == ("age", "age:log(event_time)")
    week, arrest, age = (ROSSI[name].to_numpy(dtype=float) for name in ("week", "arrest", "age"))
    times = np.unique(week[arrest == 1])
    there = [week >= t for t in times]
    x = np.concatenate([np.column_stack((age, age * np.log(t)))[here] for t, here in zip(times, there, strict=True)])
    when = np.repeat(np.arange(len(times)), [here.sum() for here in there])  # one stratum a time, rows side by side
    died = np.concatenate([(week == t)[here] * arrest[here] for t, here in zip(times, there, strict=True)])
    apart = PHReg(np.ones(len(x)), x, status=died, strata=when, ties="efron").fit(tol=1e-10)
    np.testing.assert_allclose(fit.coefficients, apart.params, rtol=1e-5)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), apart.bse, rtol=1e-5)
    assert fit.loglik == pytest.approx(apart.llf, abs=1e-7)


def test_what_cannot_be_cut() -> None:
    with pytest.raises(oc.DataError, match="no time lies inside the follow-up, which ends at 52 weeks"):
        oc.split_follow_up(rossi(), 60)
    with pytest.raises(oc.DataError, match="column 'time_band' already"):
        oc.split_follow_up(oc.split_follow_up(rossi(), 10), 20)
