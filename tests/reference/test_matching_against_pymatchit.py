"""Who is matched with whom: pairs of pymatchit-causal 0.6.1 and ours, pair by pair, on the Lalonde and the work programme data.

Where people stand at one score, alike in the columns a case looks at, either may be taken: we take the first in the data; the package
takes whom scikit-learn's search for neighbours lists first, and its documentation names no rule. Such people are counted as one
place here, and every pair of places must be the same, as often. Of two sums as small the pairs may differ: optimal and full
matching are compared by their sums. The calls stand at the head of the files of pairs.

By Mahalanobis distance the package takes the covariance of everyone; we take that within arms, as R's MatchIt does, whose results the
package says it gives (MatchIt 4.5.1: the distance of rows 1 and 186 of the Lalonde data is 7.1012 within arms, 6.8523 otherwise).
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from r_numbers import data_set, folder

import outcomes as oc
from outcomes.adjust.nearest_people import nearest_in_space
from outcomes.results import Array, IntArray

pytestmark = pytest.mark.skipif(folder() is None, reason="OUTCOMES_REFERENCE names no folder: the data are not here")

FORMULAS = {
    "lalonde": "age + educ + black + hispan + married + nodegree + re74 + re75",
    "recid": "age + educ + priors + tserved + rules + felon + alcohol + drugs + black + married + property + person + super",
}
NEAREST: dict[str, dict[str, Any]] = {
    "pairs": {},
    "linear": {"distance": "logit"},
    "caliper": {"caliper": 0.1},
    "caliper_linear": {"caliper": 0.2, "distance": "logit"},
    "replace": {"replace": True},
    "replace_caliper": {"replace": True, "caliper": 0.2},
    "two": {"ratio": 2},
    "two_caliper": {"ratio": 2, "caliper": 0.2},
    "two_replace": {"ratio": 2, "replace": True},
    "exact": {"exact": ["married", "black"]},
    "exact_caliper": {"exact": ["married", "black"], "caliper": 0.2},
    "age_caliper": {"caliper": 0.2, "calipers": {"age": 2}},
    "antiexact": {"antiexact": ["married"]},
    "smallest": {"order": "smallest"},
    "data": {"order": "data"},
    "atc": {"estimand": "atc"},
}
SMALLEST_SUM: dict[str, dict[str, Any]] = {
    "optimal": {"method": "optimal"},
    "optimal_two": {"method": "optimal", "ratio": 2},
    "full": {"method": "full"},
    "full_caliper": {"method": "full", "caliper": 0.2},
    "full_exact": {"method": "full", "exact": ["married", "black"]},
    "full_two": {"method": "full", "max_controls": 2},
    "full_atc": {"method": "full", "estimand": "atc"},
}
LOOKS_AT = {"exact": ["married", "black"], "antiexact": ["married"], "calipers": ["age"]}
ONE_SCORE = 1e-9  # of the log odds: the two fits differ by rounding


@lru_cache
def theirs(name: str) -> pd.DataFrame:
    file = Path(__file__).parent / "data" / f"pymatchit_causal_{name}.csv"
    return pd.read_csv(file, comment="#", index_col="row", dtype=str)


@lru_cache
def people(name: str) -> oc.SurvivalData:
    frame = data_set(f"{name}.csv").drop(columns=["id", "follow"], errors="ignore").assign(day=1.0, seen=0)
    return oc.survival_data(
        frame, duration="day", event="seen", arm={"lalonde": "treat", "recid": "workprg"}[name], reference=0
    )


def their_pairs(name: str, case: str) -> IntArray:
    """Pairs of rows, shape (N, 2): the person asked about, who stands for them."""
    cells = theirs(name)[case].dropna().str.split(" ").explode()
    return np.column_stack([cells.index.to_numpy(), cells.astype(int).to_numpy()])


def their_sets(name: str, case: str, arm: IntArray) -> IntArray:
    """Pairs of a full matching, shape (N, 2): in every set the one and each of the several."""
    cells = theirs(name)[case].dropna()
    found = []
    for _, rows in cells.groupby(cells):
        sides = [rows.index.to_numpy()[arm[rows.index] == side] for side in (1, 0)]
        assert min(map(len, sides)) == 1
        found.append(np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2))
    return np.concatenate(found)


def ours(name: str, given: dict[str, Any]) -> tuple[oc.Matched, IntArray]:
    matched = oc.match(people(name), FORMULAS[name], **{"distance": "score", **given})
    assert matched.pairs is not None
    return matched, matched.pairs


def places(matched: oc.Matched, given: dict[str, Any]) -> IntArray:
    """Return the place of each person: those of one place have one score and are alike in the columns looked at."""
    assert matched.linear is not None
    order = np.argsort(matched.linear)
    score = np.empty(len(order), dtype=np.int64)
    score[order] = np.cumsum(np.diff(matched.linear[order], prepend=matched.linear[order[0]]) > ONE_SCORE)
    columns = matched.baseline[[c for argument in given for c in LOOKS_AT.get(argument, [])]].assign(score=score)
    found: IntArray = columns.groupby(list(columns.columns)).ngroup().to_numpy()
    return found


def cases(named: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    """Return data set and case, read off the heads of the files."""
    return [(name, case) for name in FORMULAS for case in named if case in theirs(name).columns]


@pytest.mark.parametrize(("name", "case"), cases(NEAREST))
def test_nearest_neighbours_stand_at_the_same_places(name: str, case: str) -> None:
    matched, pairs = ours(name, NEAREST[case])
    at = places(matched, NEAREST[case])
    assert Counter(map(tuple, at[pairs].tolist())) == Counter(map(tuple, at[their_pairs(name, case)].tolist()))


@pytest.mark.parametrize("case", ["pairs", "caliper_linear", "two_caliper", "replace_caliper", "age_caliper"])
def test_where_no_two_could_be_taken_the_people_are_the_same(case: str) -> None:
    _, pairs = ours("recid", NEAREST[case])
    assert {*map(tuple, pairs.tolist())} == {*map(tuple, their_pairs("recid", case).tolist())}


@pytest.mark.parametrize(("name", "case"), cases(SMALLEST_SUM))
def test_the_sums_of_distances_are_as_small(name: str, case: str) -> None:
    matched, pairs = ours(name, SMALLEST_SUM[case])
    assert matched.score is not None
    other = their_sets(name, case, matched.arm) if "full" in case else their_pairs(name, case)
    assert np.unique(pairs).size == np.unique(other).size  # as many are matched
    lengths = [float(np.abs(np.diff(matched.score[p], axis=1)).sum()) for p in (pairs, other)]
    assert lengths[0] == pytest.approx(lengths[1], rel=1e-9)


@pytest.mark.parametrize(("name", "case"), cases({"mahalanobis": {}, "mahalanobis_replace": {}}))
def test_by_the_covariance_of_everyone_the_distances_are_those_of_the_package(name: str, case: str) -> None:
    """Lalonde without replacement is no case: where twins are taken in another order, later people find others left."""
    data = people(name)
    columns = data.baseline[FORMULAS[name].split(" + ")].to_numpy(dtype=float)
    turned: Array = columns @ np.linalg.cholesky(np.linalg.inv(np.cov(columns.T)))
    asked_about, others = (np.flatnonzero(data.arm == a) for a in (1, 0))
    found = nearest_in_space(
        turned[asked_about], turned[others], order=np.arange(len(asked_about)), ratio=1, limit=np.inf, replace="replace" in case
    )  # fmt: skip
    pairs = np.column_stack([asked_about, others[found[:, 0]]])
    lengths = [np.linalg.norm(turned[p[:, 0]] - turned[p[:, 1]], axis=1) for p in (pairs, their_pairs(name, case))]
    np.testing.assert_allclose(lengths[0], lengths[1], atol=1e-9)
