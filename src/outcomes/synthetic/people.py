"""Who the invented people are: age, history, risk, denial, learning disability, setting, area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.results import Array, IntArray
from outcomes.synthetic.draws import pick, spread, table

__all__ = ["BANDS", "DENIAL", "ETHNIC_GROUPS", "INDEX_OFFENCES", "People", "band_of", "draw_people"]

BANDS = ("low", "medium", "high", "very_high")
DENIAL = ("none", "partial", "full")
ETHNIC_GROUPS = ("white", "asian", "black", "mixed", "other", "not_stated")
INDEX_OFFENCES = ("sexual_contact", "sexual_noncontact", "sexual_image", "violent", "acquisitive", "other")
SEXUAL_INDEX = 3  # the first three of them

Bool = np.typing.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class People:
    """One entry a person; arrays of shape (n,)."""

    male: Bool
    ethnicity: IntArray
    foreign: Bool
    age: Array
    prior: IntArray
    prior_sexual: IntArray
    score: IntArray
    band: IntArray
    denial: IntArray
    learning_disability: Bool
    custody: Bool
    index_offence: IntArray
    extended: Bool
    area: IntArray
    unmeasured: Array

    @property
    def n(self) -> int:
        """Number of people."""
        return len(self.age)

    @property
    def sexual_index(self) -> Bool:
        """Sentenced for a sexual offence."""
        return self.index_offence < SEXUAL_INDEX

    @property
    def excluded(self) -> Bool:
        """Refused by the manual: full denial or a learning disability."""
        return np.asarray((self.denial == 2) | self.learning_disability)

    @property
    def adult_man(self) -> Bool:
        """A man of 18 or over, as the example study asks for."""
        return self.male & (self.age >= 18)


def draw_people(n: int, n_areas: int, rng: np.random.Generator) -> People:
    """Return `n` people spread over `n_areas` areas; age is at sentence (community) or release (custody)."""
    u = rng.random((16, n))
    age = np.round(table(u[0], (0, 0.012, 0.15, 0.4, 0.7, 0.93, 1), (16, 18, 24, 34, 46, 62, 82)), 2)
    age = np.where(np.abs(age - 18.0) < 0.1, 18.1, age)  # rounded ages must not differ on who is an adult
    prior = np.floor(table(u[1], (0, 0.28, 0.45, 0.65, 0.83, 0.95, 1), (0, 1, 2, 4, 8, 15, 26))).astype(np.int64)
    sexual_share = np.where(u[2] < 0.7, 0.0, u[3] * 0.6)
    prior_sexual = np.minimum(np.ceil(prior * sexual_share), prior).astype(np.int64)
    index_offence = pick(u[4], (0.50, 0.18, 0.27, 0.025, 0.015, 0.01))
    score = _static_score(age, prior, prior_sexual, spread(u[5], 1.6))
    band = band_of(score)
    custody = u[6] < np.array([0.45, 0.58, 0.68, 0.76])[band]
    return People(
        male=u[7] >= 0.015,
        ethnicity=pick(u[8], (0.80, 0.07, 0.06, 0.03, 0.02, 0.02)),
        foreign=u[9] < 0.02,
        age=age,
        prior=prior,
        prior_sexual=prior_sexual,
        score=score,
        band=band,
        denial=pick(u[10], (0.64, 0.27, 0.09)),
        learning_disability=u[11] < 0.045,
        custody=custody,
        index_offence=index_offence,
        extended=u[12] < np.array([0.02, 0.06, 0.14, 0.24])[band],
        area=np.minimum(np.floor(u[13] * n_areas), n_areas - 1).astype(np.int64),
        unmeasured=np.where(u[14] < 0.5, -1.0, 1.0),
    )


def _static_score(age: Array, prior: IntArray, prior_sexual: IntArray, noise: Array) -> IntArray:
    """Return a static score from 0 to 14, points for youth, sanctions and sexual sanctions."""
    youth = np.searchsorted(-np.array([60, 50, 35, 25]), -age, side="left")
    points = youth + np.searchsorted([1, 3, 6, 12], prior, side="right") + np.minimum(prior_sexual, 3) * 1.5 + noise
    return np.clip(np.floor(points + 0.5), 0, 14).astype(np.int64)


def band_of(score: IntArray) -> IntArray:
    """Return the band of a static score: 0-1 low, 2-4 medium, 5-7 high, 8 and over very high."""
    return np.searchsorted([2, 5, 8], score, side="right").astype(np.int64)
