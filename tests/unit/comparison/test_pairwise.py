"""Log-rank tests of every two arms."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc

ROSSI = load_rossi()
ROSSI = ROSSI.assign(before=ROSSI["prio"].clip(upper=2) + 2)  # earlier convictions: 2, 3 or 4


def take(frame: object = ROSSI) -> oc.SurvivalData:
    return oc.survival_data(frame, duration="week", event="arrest", arm="before", reference=3)


def test_a_pair_is_the_test_of_its_two_arms_alone() -> None:
    found = oc.pairwise_logrank_test(take(), rho=0.5, weights="age").to_frame()
    assert found[["arm", "reference"]].values.tolist() == [["2", "3"], ["4", "3"], ["4", "2"]]
    for row in found.to_dict("records"):
        two = ROSSI[ROSSI["before"].isin([int(row["arm"]), int(row["reference"])])]
        alone = oc.survival_data(two, duration="week", event="arrest", arm="before", reference=int(row["reference"]))
        expected = oc.logrank_test(alone, rho=0.5, weights="age")
        assert row["statistic"] == pytest.approx(expected.statistic)
        assert (row["n"], row["n_events"]) == (len(two), two["arrest"].sum())


def test_adjusted_p_values_are_no_smaller_and_two_arms_need_none() -> None:
    found = oc.pairwise_logrank_test(take()).to_frame()
    assert (found["p_holm"] >= found["p_bh"]).all()
    assert (found["p_bh"] >= found["p_value"]).all()
    two = oc.pairwise_logrank_test(take(ROSSI[ROSSI["before"] > 2])).to_frame()
    assert two["p_holm"].tolist() == two["p_value"].tolist()


def test_a_pair_without_events_is_no_test() -> None:
    quiet = ROSSI.assign(arrest=ROSSI["arrest"].where(ROSSI["before"] == 4, 0))
    found = oc.pairwise_logrank_test(take(quiet)).to_frame().set_index(["arm", "reference"])
    assert np.isnan(found.loc[("2", "3"), "p_value"])
    assert found.loc[("4", "3"), "p_holm"] == pytest.approx(
        min(2 * found["p_value"].min(), found["p_value"].max()), rel=1
    )
    assert "adjusted by Holm's method" in oc.pairwise_logrank_test(take()).describe()
