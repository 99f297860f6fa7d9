"""Everybody sentenced, whom nobody, the bespoke or the manualised programme took by sanctions and denial: every answer is a sum.

The manual admits nobody in full denial. Who starts does so within 100 days of the sentence; offences begin half a year after it,
at constant rates, and death competes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from small_study import Reframed, day, small_study, two_starters

from outcomes.design.study import Adjust, Study

__all__ = ["AT", "drawn_clients", "study_of_clients", "truths_of_clients"]

AT, GRACE = 730, 183
SANCTIONS = np.arange(5)
SHARES = np.array([0.25, 0.30, 0.20, 0.15, 0.10])
DENIES = 0.25
ARMS = ("none", "m1", "b1")
SCORE = {"none": (0.0, 0.0, 0.0), "m1": (0.5, -0.25, -np.inf), "b1": (0.1, 0.10, 0.3)}
"""Of choosing each: intercept, by sanction, in denial; logits, so that two of them are a logistic score."""
RATE, BY_SANCTION, BY_DENIAL, DEATH = 0.30 / 730, 0.25, 0.4, 4e-5
EFFECT = {"none": (0.0, 0.0), "m1": (-0.3, 0.0), "b1": (-0.5, 0.2)}
"""Log hazard ratio of each, and what is added to it in denial."""


def _chances(sanctions: Any, denies: Any) -> np.ndarray:
    """Return the chance of each of `ARMS`, shape (..., 3)."""
    score = np.stack(
        [a + b * sanctions + np.where(denies, c, 0.0) for a, b, c in (SCORE[arm] for arm in ARMS)], axis=-1
    )
    raw = np.exp(score)
    return np.asarray(raw / raw.sum(axis=-1, keepdims=True))


def _rate(sanctions: Any, denies: Any, arm: str) -> Any:
    effect, more = EFFECT[arm]
    return RATE * np.exp(BY_SANCTION * sanctions + np.where(denies, BY_DENIAL + more, 0.0) + effect)


def _risk(sanctions: Any, denies: Any, arm: str) -> Any:
    rate = _rate(sanctions, denies, arm)
    return rate / (rate + DEATH) * -np.expm1(-(rate + DEATH) * AT)


@dataclass(frozen=True)
class _Cells:
    """Everybody there is, by sanctions and denial, shape (10,), and how many of each kind go where, shape (10, 3)."""

    sanctions: np.ndarray
    denies: np.ndarray
    goes: np.ndarray

    def mean(self, arm: str, who: np.ndarray) -> float:
        """Return the mean risk of people in numbers `who` were all of them in `arm`."""
        return float(np.average(_risk(self.sanctions, self.denies, arm), weights=who))


@lru_cache(maxsize=1)
def _cells() -> _Cells:
    sanctions, denies = (part.ravel() for part in np.meshgrid(SANCTIONS, [False, True], indexing="ij"))
    there = np.repeat(SHARES, 2) * np.where(denies, DENIES, 1 - DENIES)
    return _Cells(sanctions, denies, there[:, None] * _chances(sanctions, denies))


def truths_of_clients() -> dict[str, float]:
    """Return every difference in risk at `AT`, by whom it is about and what is compared."""
    cells = _cells()
    none, m1, b1 = cells.goes.T
    alike = ~cells.denies
    overlap = m1 * b1 / np.where(alike, m1 + b1, 1.0)

    def difference(arm: str, reference: str, who: np.ndarray) -> float:
        return cells.mean(arm, who) - cells.mean(reference, who)

    shut, both = b1 * ~alike, b1 * alike
    least = cells.mean("b1", b1) - (both.sum() * cells.mean("m1", both) + shut.sum()) / b1.sum()
    most = least + shut.sum() / b1.sum()
    return {
        "own clients of manualised: against bespoke": difference("b1", "m1", m1),
        "eligible for both: bespoke against manualised": difference("b1", "m1", overlap),
        "own clients of bespoke: against nothing": difference("b1", "none", b1),
        "own clients of manualised: against nothing": difference("m1", "none", m1),
        "eligible for both: bespoke against nothing": difference("b1", "none", both * none / np.where(alike, b1 + none, 1.0)),
        "eligible for both: manualised against nothing": difference("m1", "none", m1 * none / np.where(alike, m1 + none, 1.0)),
        "own clients of bespoke: against manualised, at least": least,
        "own clients of bespoke: against manualised, at most": most,
        "shut out: against nothing": difference("b1", "none", shut),
    }  # fmt: skip


def drawn_clients(people: int, rng: np.random.Generator) -> Reframed:
    """Return tables of people sentenced from 2008 to 2012."""
    sanctions, denies = rng.choice(SANCTIONS, people, p=SHARES), rng.random(people) < DENIES
    arm = (np.log(_chances(sanctions, denies) + 1e-300) + rng.gumbel(size=(people, 3))).argmax(axis=1)
    rate = np.choose(arm, [_rate(sanctions, denies, name) for name in ARMS])
    offends, dies = (np.ceil(rng.exponential(1 / each)).astype(int) + GRACE for each in (rate, np.full(people, DEATH)))
    sentenced = day("2008-01-01") + rng.integers(0, 5 * 365, people)
    base, number = two_starters(), np.arange(1, people + 1)
    denial = np.where(denies, "full", "none").astype(object)
    began, offended, died = arm > 0, offends < np.minimum(dies, 3000), dies < 3000

    def table(name: str, kept: Any, **cells: Any) -> pd.DataFrame:
        like = base.frame(name).iloc[[0] * int(kept.sum())].reset_index(drop=True)
        return like.assign(**{key: cell[kept] if isinstance(cell, np.ndarray) else cell for key, cell in cells.items()})

    def events(name: str, kept: Any, **cells: Any) -> pd.DataFrame:
        held_cells = {key: cell[kept] if isinstance(cell, np.ndarray) else cell for key, cell in cells.items()}
        return pd.DataFrame({c: held_cells.get(c) for c in base.frame(name)}, index=range(int(kept.sum())))

    everyone, ids = np.ones(people, dtype=bool), {"person_id": number, "sentence_id": number}
    programme = np.where(arm == 1, base.programme_ids["m1"], base.programme_ids["b1"])
    started = sentenced + rng.integers(1, 100, people)
    return Reframed(
        base,
        people=table("people", everyone, person_id=number),
        sentences=table("sentences", everyone, **ids, sentence_date=sentenced, prior_sanctions=sanctions),
        assessments=table("assessments", everyone, person_id=number, date=sentenced, denial=denial),
        participation=table("participation", began, **ids, participation_id=number, start_date=started, programme_id=programme),
        reoffences=events(
            "reoffences", offended, reoffence_id=number, person_id=number, offence_date=sentenced + offends,
            proven_date=sentenced + offends + 10, offence_type="violent",
        ),
        exits=events("exits", died, person_id=number, exit_date=sentenced + dies, reason="death"),
    )  # fmt: skip


def study_of_clients() -> Study:
    """Return the study of both programmes whose formula is what decides who goes where."""
    return small_study(horizon=AT).replace(adjust=Adjust("prior_sanctions + C(denial)", "ato"))
