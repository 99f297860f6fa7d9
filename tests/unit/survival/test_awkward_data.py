"""Every estimator of time at risk on data as they should not be: a number, a note or an error of ours, and nothing else.

Warnings are errors in this suite, so that a number that comes out of an overflow does not pass.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from awkward_data import AWKWARD, awkward, with_second_events

import outcomes as oc

_OF_EVERY_EVENT = ("andersen_gill", "pwp", "mean_count")
_NEEDED = {"horizon": 3.0, "measure": "difference", "distribution": "weibull"}
_COLUMNS = ("estimate", "std_error", "statistic", "p_value")
_PLAIN = {*_NEEDED, "cause", "formula", "strata"}
# Their arrays are those of another that is asked in full; once is enough.
_ONCE = ("parametric", "cause_specific", "andersen_gill", "pwp", "max_combo_test", "pairwise_logrank_test")
_MORE: dict[str, list[dict[str, Any]]] = {
    "cox": [{"ties": "breslow"}, {"ties": "exact"}, {"penalty": "firth"}, {"robust": True}, {"strata": "cluster"}],
    "fine_gray": [{"ties": "efron"}, {"strata": "cluster"}],
    "rate_model": [{"family": "negative_binomial"}],
    "nelson_aalen": [{"ties": "fleming-harrington"}],
    "kaplan_meier": [{"conf_type": "logit"}, {"variance": "robust"}],
    "logrank_test": [{"strata": "cluster", "rho": 1.0}],
    "gray_test": [{"strata": "cluster"}],
}


def _estimators() -> dict[str, Callable[..., Any]]:
    """Return the public functions of time at risk in survival/ and the tests of pairs."""
    found = {}
    for name in oc.__all__:
        value = getattr(oc, name)
        if inspect.isfunction(value) and (".survival." in value.__module__ or name == "pairwise_logrank_test"):
            found[name] = value
    return found


ESTIMATORS = _estimators()


def _calls(name: str, topic: str, causes: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Yield what an estimator is asked with: plain, weighted, clustered, and its own options, as far as the topic concerns it."""
    known = inspect.signature(ESTIMATORS[name]).parameters
    base = {key: value for key, value in _NEEDED.items() if key in known}
    if "cause" in known and len(causes) > 1:
        base["cause"] = "first"
    if "formula" in known:
        base["formula"] = "arm" if topic == "courses" else "arm + x + z"
    elif topic == "covariates":
        return
    weighted: dict[str, Any] = {key: value for key, value in (("weights", "w"), ("cluster", "cluster")) if key in known}
    if name in _ONCE:
        yield {**base, **weighted} if topic == "weights" else base
        return
    if topic == "weights":
        yield {**base, "weights": "w"}
    else:
        yield base
        yield from ({**base, **option} for option in _MORE.get(name, []))
    yield {**base, **weighted}


def _take(frame: pd.DataFrame, every: bool) -> oc.SurvivalData:
    return oc.survival_data(
        with_second_events(frame) if every else frame, entry="entry", exit="exit", event="event", censored=0,
        causes={1: "first", 2: "second"}, arm="arm", reference="a", id="id", repeated=every,
    )  # fmt: skip


def _derived(result: Any) -> Iterator[Callable[[], Any]]:
    """Yield what a result can be asked for beside its tables."""
    yield result.describe
    if isinstance(result, oc.Cox):
        yield from (
            result.proportional_hazards,
            result.concordance,
            result.tests,
            result.baseline_hazard,
            result.influence,
        )
        yield from (lambda kind=kind: result.residuals(kind) for kind in ("dfbetas", "scaled_schoenfeld"))
        yield lambda: result.standardised().at([3.0])
        yield lambda: oc.compare(result, measure="hazard_ratio")
    if isinstance(result, oc.KaplanMeier | oc.CumulativeIncidence | oc.MeanCount):
        yield lambda: result.quantile(0.25)
    if isinstance(result, oc.KaplanMeier | oc.CumulativeIncidence):
        cause = None if isinstance(result, oc.KaplanMeier) else "first"
        yield lambda: oc.compare(result, measure="risk_ratio", at=3.0, cause=cause)
    if isinstance(result, oc.Rmst):
        yield lambda: oc.compare(result, measure="rmst_difference")


def _attempt(call: Callable[[], Any]) -> Any:
    """Return what a call gives; None where it gives an error of ours that drags no other along."""
    caught: oc.OutcomesError | None = None
    try:
        return call()
    except oc.OutcomesError as error:
        caught = error
    assert (caught.__cause__, caught.__context__) == (None, None)
    return None


def _check(result: Any, *, closely: bool) -> None:
    for frame in (result.to_frame(), result.summary()):
        for column in [c for c in _COLUMNS if c in frame.columns]:
            values = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float)
            assert not np.isinf(values).any(), f"{column} is infinite"
            assert result.notes or not np.isnan(values).any(), f"{column} is missing without a word"
    frame = result.to_frame()
    if "measure" in frame and "term" in frame:
        logs = frame.loc[frame["measure"].str.startswith("log"), "estimate"].abs()
        assert not (logs > 1e6).any(), "a coefficient that ran away is given as a number"
    for ask in _derived(result) if closely else ():
        _attempt(ask)


def test_every_estimator_is_swept() -> None:
    assert len(ESTIMATORS) >= 18
    assert {"kaplan_meier", "cumulative_incidence", "cox", "fine_gray", "rate_model"} <= ESTIMATORS.keys()


@pytest.mark.parametrize(("topic", "kind"), AWKWARD)
def test_a_number_a_note_or_an_error_of_ours(topic: str, kind: str) -> None:
    frame = awkward(topic, kind)
    first, every = (_attempt(partial(_take, frame, repeated)) for repeated in (False, True))
    for name, estimate in ESTIMATORS.items():
        data = every if name in _OF_EVERY_EVENT else first
        if data is None:
            continue
        for asked in _calls(name, topic, data.causes):
            result = _attempt(partial(estimate, data, **asked))
            if result is not None:
                _check(result, closely=topic == "courses" and asked.keys() <= _PLAIN)


def test_ordinary_data_are_answered_by_every_estimator() -> None:
    """Without this the sweep would pass if everything refused."""
    frame, refused = awkward("courses", "ordinary"), set()
    first, every = _take(frame, every=False), _take(frame, every=True)
    for name, estimate in ESTIMATORS.items():
        data = every if name in _OF_EVERY_EVENT else first
        for asked in _calls(name, "courses", data.causes):
            if _attempt(partial(estimate, data, **asked)) is None:
                refused.add((name, *asked))
    assert refused == {("gray_test", "cause", "weights")}  # weights are no counts


def _codes(result: Any) -> set[str]:
    return {note.code for note in result.notes}


def test_tests_that_cannot_tell_the_arms_apart_say_so() -> None:
    """Everybody had the event on one day: nothing is left to be explained by chance."""
    data = _take(awkward("courses", "all events on one day"), every=False)
    for test in (oc.logrank_test, oc.gray_test, oc.max_combo_test, oc.pairwise_logrank_test):
        found = test(data, cause="first")
        assert "nothing_to_test" in _codes(found)
        assert found.to_frame()["p_value"].isna().all()


def test_a_coefficient_nobody_moves_has_no_interval_and_a_note() -> None:
    """Under Breslow's ties everybody's score is 0 where all have the event at once."""
    data = _take(awkward("courses", "all events on one day"), every=False)
    found = oc.cox(data, "arm", cause="first", ties="breslow", robust=True)
    row = found.to_frame().iloc[0]
    assert "no_variance" in _codes(found)
    assert abs(row["estimate"]) < 1e-12
    assert row["std_error"] == 0
    assert row[["statistic", "p_value", "conf_low", "conf_high"]].isna().all()
    assert oc.cox(data, "arm", cause="first").tests().shape == (3, 5)


def test_proportional_hazards_cannot_be_tested_at_one_time_of_events() -> None:
    data = _take(awkward("courses", "one event"), every=False)
    found = oc.cox(data, "x", cause="first").proportional_hazards()
    assert found.to_frame()["statistic"].isna().all()
    assert "untestable" in _codes(found)


def test_coefficients_that_run_away_have_wide_limits_and_not_narrow_ones() -> None:
    """Rounding once left curvature below 0 where a stratum of three tells its events exactly."""
    data = _take(awkward("courses", "ordinary"), every=False)
    for cause in ("first", "second"):
        fit = oc.cox(data, "arm + x + z", cause=cause, strata="cluster")
        assert (np.diag(fit.covariance) > 0).all()
        assert ("separation" in _codes(fit)) == (np.diag(fit.covariance) * fit.scale**2 > 1e4).any()


@pytest.mark.parametrize(
    ("topic", "kind", "call", "said"),
    [
        ("weights", "weights beyond reason", lambda d: oc.kaplan_meier(d, cause="first", weights="w"), "24 of 24 weights are above 1e"),
        ("weights", "weights below reason", lambda d: oc.rmst(d, horizon=3, weights="w"), "Only their proportions matter"),
        ("covariates", "a covariate beyond reason", lambda d: oc.cox(d, "x", cause="first"), "values beyond 1e+100 in x"),
        ("courses", "two people", lambda d: oc.rate_model(d, "arm", cause="first"), "2 people cannot tell 2 coefficients"),
        ("courses", "two people", lambda d: oc.parametric(d, "arm", distribution="spline", cause="first"), "knots need events at"),
    ],
)  # fmt: skip
def test_what_has_no_number_is_refused_in_words(
    topic: str, kind: str, call: Callable[[oc.SurvivalData], Any], said: str
) -> None:
    with pytest.raises(oc.EstimationError) as caught:
        call(_take(awkward(topic, kind), every=False))
    assert said in str(caught.value)
