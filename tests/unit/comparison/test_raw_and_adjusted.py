"""A contrast as it was and adjusted: no answer where people count as fewer than a handful once weighted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import outcomes as oc
from outcomes.comparison.raw_and_adjusted import Asked, raw_and_adjusted
from outcomes.design.study import Adjust


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    x = rng.normal(size=260)
    treated = rng.random(260) < 1 / (1 + np.exp(1.5 - 2.2 * x))
    return pd.DataFrame({"x": x, "arm": np.where(treated, "new", "none"), "t": rng.exponential(3, 260), "end": True})


def counted_as(people: pd.DataFrame) -> float:
    """Return how many people those without the programme count as, weighted by the odds of a logistic model (Kish)."""
    x = sm.add_constant(people["x"])
    chance = sm.Logit((people["arm"] == "new").astype(float), x).fit(disp=0).predict(x)[people["arm"] == "none"]
    odds = chance / (1 - chance)
    return float(odds.sum() ** 2 / (odds**2).sum())


@pytest.mark.parametrize("enough", [True, False])
def test_who_count_as_too_few_once_weighted_have_no_answer(people: pd.DataFrame, study: oc.Study, enough: bool) -> None:
    size = counted_as(people)
    assert 5 < size < (people["arm"] == "none").sum() / 2
    fewest = int(size) if enough else int(size) + 1
    data = oc.survival_data(people, duration="t", event="end", arm="arm", reference="none")
    named = study.replace(adjust=Adjust("x", "att"))
    raw, adjusted = raw_and_adjusted(data, named, Asked("end", 2.0, None, 0.95, fewest), "att").rows
    assert raw["identified"]
    assert adjusted["identified"] == enough
    assert np.isfinite(adjusted["estimate"]) == enough
    if enough:
        assert adjusted["effective_reference"] == pytest.approx(size, rel=1e-4)
        assert adjusted["effective_arm"] == (people["arm"] == "new").sum()
    else:
        assert adjusted["why"] == f"weighted, people of none count as fewer than {fewest}"
        assert adjusted["verdict"] == "not determined"
