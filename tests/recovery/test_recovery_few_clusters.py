"""Arms given to a handful of areas that differ, and no effect: tests for few clusters cry wolf as often as they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

import outcomes as oc

REPLICATES, LEVEL = 200, 0.05
AT = 1.5


def areas(rng: np.random.Generator, clusters: tuple[int, int], sizes: tuple[int, int]) -> oc.SurvivalData:
    """Return people of areas whose hazards differ, whole areas in an arm that changes nothing."""
    count = sum(clusters)
    size = rng.integers(*sizes, count)
    area = np.repeat(np.arange(count), size)
    age = rng.standard_normal(len(area))
    hazard = 0.3 * np.exp(0.4 * rng.standard_normal(count)[area] + 0.5 * age)
    time, until = rng.exponential(1 / hazard), rng.uniform(2, 6, len(area))
    frame = pd.DataFrame(
        {
            "years": np.minimum(time, until), "event": (time <= until).astype(int), "area": area, "age": age,
            "arm": (area >= clusters[0]).astype(int),
        }
    )  # fmt: skip
    return oc.survival_data(
        frame, duration="years", event="event", arm="arm", reference=0, cluster="area", unit="years"
    )


def p_values(data: oc.SurvivalData) -> dict[str, float]:
    curves, model = oc.kaplan_meier(data), oc.cox(data, "arm + age")
    people = oc.compare(oc.kaplan_meier(data.with_cluster(None)), measure="risk_difference", at=AT)
    tests = {
        "randomisation": oc.randomisation_test(data, arrangements=1000),
        "wild score of risks": oc.wild_score_test(curves, at=AT, draws=1000),
        "wild score of a model": oc.wild_score_test(model, draws=1000),
        "people as independent": people,
    }
    return {name: float(test.to_frame()["p_value"].iloc[0]) for name, test in tests.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("clusters", "sizes", "seed"), [((7, 5), (20, 40), 1), ((9, 3), (10, 60), 2)], ids=["7 and 5", "9 and 3, unequal"]
)
def test_no_effect_is_found_as_often_as_the_level_says(
    clusters: tuple[int, int], sizes: tuple[int, int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    drawn = pd.DataFrame([p_values(areas(rng, clusters, sizes)) for _ in range(REPLICATES)])
    found = (drawn <= LEVEL).sum()
    low, high = binom.ppf([0.0005, 0.9995], REPLICATES, LEVEL)
    for name in ("randomisation", "wild score of risks", "wild score of a model"):
        assert found[name] <= high, f"{name}: {found[name]} of {REPLICATES}"
    assert min(found["wild score of risks"], found["wild score of a model"]) >= low
    assert found["people as independent"] > high


def test_an_effect_of_the_arm_is_found() -> None:
    rng = np.random.default_rng(3)
    found = []
    for _ in range(20):
        data = areas(rng, (6, 6), (30, 50))
        slow = data.arm[data.person] == 1
        frame = data.frame.assign(years=np.where(slow, np.asarray(data.exit) * 3, data.exit))  # a third of the hazard
        longer = oc.survival_data(
            frame, duration="years", event="event", arm="arm", reference=0, cluster="area", unit="years"
        )
        found.append(
            [
                p_values(longer)[name] <= LEVEL
                for name in ("randomisation", "wild score of risks", "wild score of a model")
            ]
        )
    assert np.mean(found, axis=0).min() >= 0.75
