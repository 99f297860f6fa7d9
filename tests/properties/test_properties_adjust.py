"""What must hold for any data: exact balance of overlap weights, invariance to order, labels, units and scale."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import outcomes as oc

seeds = st.integers(0, 2**31 - 1)


def people(seed: int, n: int = 240) -> pd.DataFrame:
    """Invented people whose arm depends on their covariates, with events and censoring."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=n), rng.integers(0, 2, n)
    arm = rng.random(n) < 1 / (1 + np.exp(-(0.7 * x - 0.5 * z)))
    time = np.ceil(20 * rng.exponential(1 / np.exp(0.4 * x - 0.3 * arm)))
    return pd.DataFrame(
        {
            "x": x, "z": z, "group": rng.choice(["p", "q", "r"], n), "arm": np.where(arm, "b", "a"),
            "time": np.minimum(time, 30.0), "event": (time <= 30).astype(int),
        }
    )  # fmt: skip


def data_of(frame: pd.DataFrame, reference: str = "a") -> oc.SurvivalData:
    return oc.survival_data(frame, duration="time", event="event", arm="arm", reference=reference)


def difference(data: oc.SurvivalData, weights: oc.Weights) -> pd.Series:
    curve = oc.kaplan_meier(data, weights=weights)
    return oc.compare(curve, measure="risk_difference", at=10).to_frame().iloc[0]


NUMBERS = ["estimate", "std_error", "conf_low", "conf_high"]
FORMULA = "x + z + C(group)"


@given(seeds)
def test_overlap_weights_balance_exactly(seed: int) -> None:
    balance = oc.weight(data_of(people(seed)), FORMULA, estimand="ato").balance().to_frame()
    assert balance.query("term != 'propensity score'")["smd_after"].abs().max() < 1e-8


@given(seeds, st.sampled_from(["ate", "att", "atc", "ato", "atm"]))
def test_weights_and_contrasts_do_not_depend_on_the_order_of_rows(seed: int, estimand: str) -> None:
    frame = people(seed)
    shuffled = frame.sample(frac=1, random_state=seed % 1000)
    one, other = data_of(frame), data_of(shuffled)
    a, b = oc.weight(one, FORMULA, estimand=estimand), oc.weight(other, FORMULA, estimand=estimand)
    np.testing.assert_allclose(b.values, a.values[shuffled.index], rtol=1e-7)
    np.testing.assert_allclose(
        difference(other, b)[NUMBERS].astype(float), difference(one, a)[NUMBERS].astype(float), rtol=1e-6
    )


@given(seeds, st.sampled_from([("ate", "ate"), ("att", "atc"), ("atc", "att"), ("ato", "ato"), ("atm", "atm")]))
def test_changing_the_reference_turns_the_sign_and_exchanges_att_and_atc(seed: int, pair: tuple[str, str]) -> None:
    frame = people(seed)
    one, other = data_of(frame, "a"), data_of(frame, "b")
    a, b = oc.weight(one, FORMULA, estimand=pair[0]), oc.weight(other, FORMULA, estimand=pair[1])
    np.testing.assert_allclose(a.values, b.values, rtol=1e-7)
    first, second = difference(one, a), difference(other, b)
    assert second["estimate"] == pytest.approx(-first["estimate"], rel=1e-6, abs=1e-9)
    assert second["std_error"] == pytest.approx(first["std_error"], rel=1e-6)


@given(seeds, st.floats(1e-4, 1e4))
def test_units_of_covariates_do_not_matter(seed: int, factor: float) -> None:
    frame = people(seed)
    one, other = data_of(frame), data_of(frame.assign(x=factor * frame["x"] + 3 * factor))
    a, b = oc.weight(one, FORMULA, estimand="ate"), oc.weight(other, FORMULA, estimand="ate")
    np.testing.assert_allclose(b.values, a.values, rtol=1e-6)
    np.testing.assert_allclose(
        difference(other, b)[NUMBERS].astype(float), difference(one, a)[NUMBERS].astype(float), rtol=1e-5, atol=1e-8
    )


@given(seeds)
def test_stabilising_does_not_change_curves_or_their_stacked_intervals(seed: int) -> None:
    data = data_of(people(seed))
    plain, stable = (oc.weight(data, FORMULA, estimand="ate", stabilise=s) for s in (False, True))
    np.testing.assert_allclose(
        difference(data, stable)[NUMBERS].astype(float),
        difference(data, plain)[NUMBERS].astype(float),
        rtol=1e-8,
        atol=1e-12,
    )


@given(seeds, st.floats(0.01, 100))
def test_the_scale_of_weights_does_not_matter(seed: int, factor: float) -> None:
    data = data_of(people(seed))
    weights = oc.weight(data, FORMULA, estimand="ate").values
    one, other = (oc.kaplan_meier(data, weights=weights * f) for f in (1.0, factor))
    found = [oc.compare(c, measure="risk_ratio", at=10).to_frame().iloc[0][NUMBERS].astype(float) for c in (one, other)]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-8)


@given(seeds)
def test_a_score_of_one_half_for_everyone_is_no_weighting(seed: int) -> None:
    frame = people(seed)
    both = pd.concat([frame.assign(arm="a"), frame.assign(arm="b")], ignore_index=True)
    data = data_of(both)
    weights = oc.weight(data, "x + z", estimand="ate")
    np.testing.assert_allclose(weights.values, 2.0, rtol=1e-9)
    plain = oc.compare(oc.kaplan_meier(data, variance="robust"), measure="risk_difference", at=10).to_frame().iloc[0]
    known = (
        oc.compare(oc.kaplan_meier(data, weights=weights), measure="risk_difference", at=10, variance="robust")
        .to_frame()
        .iloc[0]
    )
    np.testing.assert_allclose(known[NUMBERS].astype(float), plain[NUMBERS].astype(float), rtol=1e-9, atol=1e-12)
