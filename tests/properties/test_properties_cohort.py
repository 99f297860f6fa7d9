"""What must not change in a cohort: other clocks, other orders of rows, what happens when nobody looks any more."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from small_study import UNTREATED, Reframed, cohort, ended, held, outcome, starters

import outcomes as oc
from outcomes.errors import DesignError
from outcomes.loading.schema import SCHEMA

PEOPLE = 9
CUT = 16_000
OUTCOMES = {
    "any": outcome(),
    "sexual": outcome("sexual_contact", proven_within=200, competing=("death", "recall")),
}
seeds = st.integers(0, 2**32 - 1)


@cache
def _loaded() -> Reframed:
    return held(starters(PEOPLE))


def _typed(name: str, columns: dict[str, Any]) -> pd.DataFrame:
    """Return rows of a table in the columns and kinds it has once loaded."""
    like = _loaded().frame(name)
    return pd.DataFrame(columns).reindex(columns=like.columns).astype(like.dtypes)


def _lives(seed: int) -> dict[str, pd.DataFrame]:
    """Return what happened to nine people: sentences, starts, assessments, offences, spells and exits of their own."""
    rng = np.random.default_rng(seed)
    number = np.arange(1, PEOPLE + 1)
    sentenced = rng.integers(14_000, 14_600, PEOPLE)
    custody = rng.random(PEOPLE) < 0.5
    free = sentenced + np.where(custody, rng.integers(0, 600, PEOPLE), 0)
    released = pd.array(np.where(custody, free, 0), dtype="Int64")
    released[~custody | (custody & (rng.random(PEOPLE) < 0.15))] = pd.NA
    started = rng.random(PEOPLE) < 0.9
    when = np.where(rng.random(PEOPLE) < 0.5, sentenced, free) + rng.integers(0, 150, PEOPLE)
    base = _loaded().frame("sentences")
    taken = _loaded().frame("participation").iloc[:PEOPLE]
    who = rng.permutation(np.repeat(number, 3))[: 2 * PEOPLE]
    committed = np.repeat(free, 3)[: 2 * PEOPLE] + rng.integers(-50, 1200, 2 * PEOPLE)
    away = rng.random(PEOPLE) < 0.4
    left = rng.random(PEOPLE) < 0.4
    assessed = np.repeat(number, 2)
    begins = free[away] + rng.integers(0, 600, away.sum())
    return {
        "sentences": base.assign(
            sentence_date=sentenced,
            setting=np.where(custody, "custody", "community"),
            release_date=released,
            age_at_sentence=rng.integers(16, 60, PEOPLE).astype(float),
        ),
        "participation": taken.assign(start_date=when)[started],
        "assessments": _typed(
            "assessments",
            {
                "person_id": assessed,
                "date": np.repeat(sentenced, 2) + np.tile([0, 400], PEOPLE) + rng.integers(0, 300, 2 * PEOPLE),
                "instrument": "static",
                "band": rng.choice(["low", "high"], 2 * PEOPLE),
                "denial": rng.choice(["none", "full"], 2 * PEOPLE, p=[0.8, 0.2]),
                "learning_disability": False,
            },
        ),
        "reoffences": _typed(
            "reoffences",
            {
                "reoffence_id": np.arange(2 * PEOPLE) + 1,
                "person_id": who,
                "offence_date": committed,
                "proven_date": committed + rng.integers(0, 150, 2 * PEOPLE),
                "offence_type": rng.choice(["violent", "sexual_contact", "motoring"], 2 * PEOPLE),
            },
        ),
        "spells": _typed(
            "spells",
            {
                "person_id": number[away],
                "start_date": begins,
                "end_date": begins + rng.integers(0, 200, away.sum()),
                "state": rng.choice(["custody", "recall", "hospital"], away.sum()),
            },
        ),
        "exits": _typed(
            "exits",
            {
                "person_id": number[left],
                "exit_date": free[left] + rng.integers(-20, 1500, left.sum()),
                "reason": rng.choice(["death", "deportation", "lost"], left.sum()),
            },
        ),
    }


def _cohort(lives: dict[str, pd.DataFrame], *, origin: str = "undisclosed", **study: Any) -> oc.Cohort:
    """Return the cohort of these lives; those in which an arm is empty are passed over."""
    given_study = {"data_cut": CUT, "horizon": 800, "outcomes": OUTCOMES, "headline": "any", **study}
    try:
        return cohort(Reframed(_loaded(), origin=origin, **lives), **given_study)
    except DesignError as error:
        assume("is empty" not in str(error))
        raise


def _ends(found: oc.Cohort) -> dict[str, Any]:
    """Return how everyone ended, by outcome, having seen that times are above zero and inside horizon and data."""
    zero = dict(zip(found.baseline["person_id"], found.baseline["time_zero"], strict=True))
    ends = {}
    for name, spec in OUTCOMES.items():
        try:
            ends[name] = ended(found, name)
        except DesignError as error:
            assume("has follow-up" not in str(error))
            raise
        for person, (time, cause) in ends[name].items():
            last = min(
                found.study.follow_up.horizon,
                found.study.follow_up.data_cut - spec.proving_period - zero[int(person[1:])],
            )
            assert 0 < time <= last
            assert cause in (name, *spec.competing, "censored")
    return ends


def _known(found: oc.Cohort) -> pd.DataFrame:
    """Return the baseline without its days and their names."""
    days = [c.name for c in SCHEMA["sentences"].columns if c.kind == "date"]
    return found.baseline.drop(columns=[*days, "start_date", "referral_date", "time_zero", "period"])


def _same(found: oc.Cohort, other: oc.Cohort) -> None:
    assert _ends(found) == _ends(other)
    pd.testing.assert_frame_equal(_known(found), _known(other))
    pd.testing.assert_frame_equal(found.flow.to_frame(), other.flow.to_frame())


@settings(max_examples=10)
@given(seed=seeds, days=st.integers(-13_000, 13_000), population=st.sampled_from(["own", "both"]))
def test_another_origin_of_the_days_changes_nothing(seed: int, days: int, population: str) -> None:
    lives = _lives(seed)
    frames = {name: lives.get(name, _loaded().frame(name)) for name in _loaded().names}
    moved = {
        name: frame.assign(**{c.name: frame[c.name] + days for c in SCHEMA[name].columns if c.kind == "date"})
        for name, frame in frames.items()
    }
    _same(_cohort(lives, population=population), _cohort(moved, population=population, data_cut=CUT + days))


@settings(max_examples=10)
@given(seed=seeds, order=seeds, share=st.floats(0, 1))
def test_neither_the_order_of_rows_nor_spells_cut_in_two_change_anything(seed: int, order: int, share: float) -> None:
    lives = _lives(seed)
    spells = lives["spells"]
    middle = spells["start_date"] + ((spells["end_date"] - spells["start_date"]) * share).astype("Int64")
    cut = pd.concat([spells.assign(end_date=middle), spells.assign(start_date=middle.astype("int64"))])
    frames = {name: lives.get(name, _loaded().frame(name)) for name in _loaded().names} | {"spells": cut}
    turned = {name: frame.sample(frac=1, random_state=order).reset_index(drop=True) for name, frame in frames.items()}
    one, other = _cohort(lives), _cohort(turned)
    _same(one, other)
    assert one.notes == other.notes


@settings(max_examples=10)
@given(seed=seeds, later=st.integers(1, 500), horizon=st.integers(100, 800))
def test_offences_after_the_horizon_change_nothing(seed: int, later: int, horizon: int) -> None:
    lives = _lives(seed)
    found = _cohort(lives, horizon=horizon)
    committed = found.baseline["time_zero"].astype(int) + horizon + later
    more = _typed(
        "reoffences",
        {
            "reoffence_id": 1000 + np.arange(len(committed)),
            "person_id": found.baseline["person_id"].to_numpy(),
            "offence_date": committed.to_numpy(),
            "proven_date": committed.to_numpy(),
            "offence_type": "sexual_contact",
        },
    )
    other = _cohort({**lives, "reoffences": pd.concat([lives["reoffences"], more])}, horizon=horizon)
    _same(found, other)


@settings(max_examples=12)
@given(
    seed=seeds,
    population=st.sampled_from(["own", "both"]),
    include=st.lists(
        st.sampled_from(["age_at_time_zero >= 18", "risk_band == 'low'", "denial != 'full'"]), unique=True, max_size=2
    ),
    window=st.none() | st.integers(1, 200),
    untreated=st.booleans(),
)
def test_the_flow_adds_up(
    seed: int, population: str, include: list[str], window: float | None, untreated: bool
) -> None:
    lives = _lives(seed)
    if (
        untreated
    ):  # everyone who starts does so on the day of sentence, and the untreated count from release or sentence
        begun = lives["sentences"].set_index("sentence_id")["sentence_date"]
        taken = lives["participation"].assign(start_date=lambda t: t["sentence_id"].map(begun))
        lives["participation"] = taken[taken["sentence_id"] % 4 > 0]
    arms = UNTREATED if untreated else None
    found = _cohort(lives, population=population, include=include, window=window, arms=arms)
    frame = found.flow.to_frame()
    everyone = frame[frame["arm"] == "all"].set_index("step")
    parts = frame[frame["arm"] != "all"].groupby("step")[["n_leaving", "n_remaining"]].sum()
    pd.testing.assert_frame_equal(parts, everyone[["n_leaving", "n_remaining"]])
    assert everyone["n_remaining"].iloc[0] == PEOPLE
    assert (everyone["n_remaining"].diff().iloc[1:] == -everyone["n_leaving"].iloc[1:]).all()
    assert (frame["n_leaving"] >= 0).all()
    last = frame[frame["step"] == frame["step"].max()].set_index("arm")["n_remaining"]
    assert last["all"] == len(found.baseline)
    assert last["no arm"] == 0
    for arm in found.arms:
        assert last[arm] == (found.baseline["arm"] == arm).sum()
