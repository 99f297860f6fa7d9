"""Greedy nearest neighbours against a plain double loop."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outcomes.adjust.nearest_people import nearest_in_space, nearest_on_a_line
from outcomes.adjust.who_may import who_may

PLACES = st.lists(st.sampled_from([0.0, 1.0, 1.5, 2.0, 4.0, 7.25]), max_size=9)


def by_hand(people: list[float], others: list[float], order: list[int], ratio: int, limit: float) -> list[list[int]]:
    """Everyone in turn takes the nearest who is left, of equals the first; then everyone a second time."""
    taken: list[list[int]] = [[] for _ in people]
    free = set(range(len(others)))
    for _ in range(ratio):
        for person in order:
            near = [(abs(people[person] - others[j]), j) for j in free if abs(people[person] - others[j]) <= limit]
            if near:
                taken[person].append(min(near)[1])
                free.remove(min(near)[1])
            else:
                taken[person].append(-1)
    return taken


@given(PLACES, PLACES, st.integers(1, 3), st.sampled_from([0.0, 0.5, 1.0, 3.0, float("inf")]), st.randoms())
@settings(max_examples=150, deadline=None)
def test_both_ways_are_the_double_loop(
    people: list[float], others: list[float], ratio: int, limit: float, random: object
) -> None:
    order = list(range(len(people)))
    random.shuffle(order)  # type: ignore[attr-defined]
    expected = np.array(by_hand(people, others, order, ratio, limit), dtype=np.int64).reshape(len(people), ratio)
    p, o, turn = np.array(people), np.array(others), np.array(order, dtype=np.int64)
    np.testing.assert_array_equal(nearest_on_a_line(p, o, order=turn, ratio=ratio, limit=limit), expected)
    found = nearest_in_space(p[:, None], o[:, None], order=turn, ratio=ratio, limit=limit)
    np.testing.assert_array_equal(found, expected)


def test_with_replacement_everyone_takes_the_nearest_and_nobody_the_same_twice() -> None:
    people, others = np.array([[0.0], [0.1]]), np.array([[0.0], [3.0]])
    found = nearest_in_space(people, others, order=np.array([0, 1]), ratio=2, limit=np.inf, replace=True)
    assert found.tolist() == [[0, 1], [0, 1]]


def test_whoever_may_not_be_taken_is_passed_over_however_many_stand_nearer() -> None:
    people, others = np.array([[0.0]]), np.arange(200.0)[:, None]
    frame = pd.DataFrame({"town": ["north"] * 151 + ["south"] * 50})  # the person, 150 of the same town, 50 of another
    may = who_may(frame, {}, ["town"], np.array([0]), np.arange(1, 201))
    found = nearest_in_space(people, others, order=np.array([0]), ratio=1, limit=np.inf, may=may)
    assert found.tolist() == [[150]]


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("ratio", [1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_columns_say_who_may_be_taken_as_in_the_double_loop(seed: int, ratio: int, replace: bool) -> None:
    """Ages within 6 years, of another town; some ages are missing, and many stand at one place."""
    rng = np.random.default_rng(seed)
    n, m = 40, 90
    frame = pd.DataFrame({"age": rng.integers(18, 40, n + m).astype(float), "town": rng.choice(["n", "s", "w"], n + m)})
    frame.loc[rng.random(n + m) < 0.1, "age"] = np.nan
    line = rng.normal(size=n + m).round(1)
    age, town = frame["age"].to_numpy(), frame["town"].to_numpy()
    order, limit = rng.permutation(n), 0.55
    expected = np.full((n, ratio), -1)
    free = np.ones(m, dtype=bool)
    for round_ in range(ratio):
        for i in order:
            may = [
                (round(abs(line[i] - line[n + j]), 9), j)
                for j in range(m)
                if (replace or free[j])
                and j not in expected[i]
                and abs(line[i] - line[n + j]) <= limit
                and abs(age[i] - age[n + j]) <= 6
                and town[i] != town[n + j]
            ]
            if may:
                expected[i, round_] = min(may)[1]
                free[expected[i, round_]] = False
    may_be = who_may(frame, {"age": 6.0}, ["town"], np.arange(n), np.arange(n, n + m))
    found = nearest_in_space(
        line[:n, None], line[n:, None], order=order, ratio=ratio, limit=limit, replace=replace, may=may_be
    )
    assert found.tolist() == expected.tolist()
