"""Who the people are, what they were sentenced to, what was known of them, and until when they are seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from invented.catalogue import AREAS, area_names
from invented.columns import NEVER, Flags, codes, day, days, emptied, pseudonyms
from outcomes.results import IntArray
from outcomes.synthetic.draws import below, exponential, pick, table

__all__ = [
    "BANDS",
    "CUT",
    "People",
    "Sentences",
    "assessments",
    "draw_people",
    "draw_sentences",
    "exits",
    "people_table",
]

CUT = day("2015-12-31")
BANDS = ("very_low", "low", "medium", "high", "very_high")
_FROM, _TO = day("2003-01-01"), day("2012-12-31")
_ETHNICITIES = ("white", "asian", "black", "mixed", "other")
_OFFENCES = ("sexual_contact", "sexual_noncontact", "sexual_image", "violent", "other")
_EXITS = ("death", "deportation", "emigration", "lost")
_DENIAL = ("none", "partial", "full")
_AGES = ((0.0, 0.02, 0.25, 0.5, 0.75, 0.98, 1.0), (16.0, 18.5, 29.0, 40.0, 52.0, 74.0, 88.0))


@dataclass(frozen=True, eq=False)
class People:
    """People of one part of the extract, P of them.

    Attributes
    ----------
    first : int
        Running number of the first of them in the whole extract.
    sentenced, release, free, last : ndarray of int, shape (P,)
        Days of the first sentence, of its release (`NEVER`: in the community, or not released yet), from which and until
        which the person is in the community and seen. Who is not released is seen in custody: `free` is `NEVER`.
    again : ndarray of int, shape (P,)
        Day of a second sentence, or `NEVER`.
    exit_reason : ndarray of int, shape (P,)
        Why nobody sees the person after `last`, or -1.
    """

    first: int
    custody: Flags
    sentenced: IntArray
    release: IntArray
    free: IntArray
    last: IntArray
    again: IntArray
    exit_reason: IntArray
    area: IntArray
    band: IntArray
    denial: IntArray
    disability: Flags

    @property
    def ids(self) -> IntArray:
        """Ids of the people."""
        return pseudonyms(self.first + np.arange(len(self.band)), "person")


@dataclass(frozen=True, eq=False)
class Sentences:
    """Index sentences, S of them: everybody's first, then the second ones.

    Attributes
    ----------
    person : ndarray of int, shape (S,)
        Place of the person among the people.
    until : ndarray of int, shape (S,)
        Last day on which something can happen under the sentence.
    """

    ids: IntArray
    person: IntArray
    custody: Flags
    date: IntArray
    release: IntArray
    until: IntArray


def draw_people(rng: np.random.Generator, first: int, n: int) -> People:
    """Return `n` people."""
    custody = rng.random(n) < 0.6
    sentenced = below(rng.random(n), _FROM, _TO)
    served = 120 + np.floor(480 * exponential(rng.random(n))).astype(np.int64)
    release = np.where(custody & (sentenced + served <= CUT), sentenced + served, NEVER)
    free = np.where(custody, release, sentenced)
    leaves = np.where(free < NEVER, free + 30 + below(rng.random(n), 0, 3000), NEVER)
    gone = (rng.random(n) < 0.075) & (leaves <= CUT)
    last = np.where(gone, leaves, CUT)
    seen = np.where(free < NEVER, last - free, 0)
    again = free + np.floor((0.3 + 0.5 * rng.random(n)) * seen).astype(np.int64)
    return People(
        first=first,
        custody=custody,
        sentenced=sentenced,
        release=release,
        free=free,
        last=last,
        again=np.where((rng.random(n) < 0.065) & (seen > 700), again, NEVER),
        exit_reason=np.where(gone, pick(rng.random(n), (55, 25, 10, 10)), -1),
        area=below(rng.random(n), 0, AREAS - 1),
        band=pick(rng.random(n), (8, 27, 35, 20, 10)),
        denial=pick(rng.random(n), (62, 28, 10)),
        disability=rng.random(n) < 0.06,
    )


def people_table(people: People, rng: np.random.Generator) -> pa.Table:
    """Return the table of people."""
    n = len(people.band)
    ethnicity = pick(rng.random(n), (80, 9, 6, 3, 2))
    return pa.table(
        {
            "person_id": people.ids,
            "sex": codes(pick(rng.random(n), (97, 3)), ("male", "female")),
            "ethnicity_group": codes(np.where(rng.random(n) < 0.03, -1, ethnicity), _ETHNICITIES),
        }
    )


def draw_sentences(people: People, first: int, rng: np.random.Generator) -> tuple[Sentences, pa.Table]:
    """Return the index sentences, and their table; `first` is the running number of the first."""
    second = np.flatnonzero(people.again < NEVER)
    person = np.concatenate([np.arange(len(people.band)), second])
    custody = np.concatenate([people.custody, rng.random(len(second)) < 0.7])
    date = np.concatenate([people.sentenced, people.again[second]])
    ends = people.again[second] + 60 + np.floor(250 * exponential(rng.random(len(second)))).astype(np.int64)
    released = np.where(custody[len(people.band) :] & (ends <= people.last[second]), ends, NEVER)
    until = np.concatenate([np.minimum(people.last, people.again - 1), people.last[second]])
    ids = pseudonyms(first + np.arange(len(person)), "sentence")
    sentences = Sentences(ids, person, custody, date, np.concatenate([people.release, released]), until)
    return sentences, _sentences_table(people, sentences, rng)


def _sentences_table(people: People, sentences: Sentences, rng: np.random.Generator) -> pa.Table:
    n, person = len(sentences.person), sentences.person
    kind = np.where(sentences.custody, pick(rng.random(n), (85, 15)), 2)
    at_first = table(rng.random(len(people.band)), *_AGES)[person]
    priors = np.floor(4 * exponential(rng.random(n))).astype(np.int64)
    return pa.table(
        {
            "sentence_id": sentences.ids,
            "person_id": people.ids[person],
            "sentence_date": days(sentences.date),
            "sentence_type": codes(kind, ("determinate", "extended", "community_order")),
            "setting": codes((~sentences.custody).astype(np.int64), ("custody", "community")),
            "index_offence": codes(pick(rng.random(n), (48, 26, 23, 2, 1)), _OFFENCES),
            "release_date": days(sentences.release),
            "age_at_sentence": np.round(at_first + (sentences.date - people.sentenced[person]) / 365.25, 2),
            "prior_sanctions": priors,
            "prior_sexual_sanctions": np.minimum(priors, np.floor(0.5 * exponential(rng.random(n))).astype(np.int64)),
            "area": codes(people.area[person], area_names()),
            "linkage_quality": np.round(1 - 0.2 * rng.random(n) ** 3, 3),
        }
    )


def assessments(people: People, rng: np.random.Generator) -> pa.Table:
    """Return one assessment a person before the first sentence, and a later one for every fifth."""
    n = len(people.band)
    later = np.flatnonzero(rng.random(n) < 0.2)
    person = np.concatenate([np.arange(n), later])
    seen = people.last[later] - people.sentenced[later]
    date = np.concatenate(
        [
            people.sentenced - below(rng.random(n), 1, 60),
            people.sentenced[later] + np.floor(rng.random(len(later)) * seen).astype(np.int64),
        ]
    )
    rows = len(person)
    moved = np.where(np.arange(rows) < n, 0, pick(rng.random(rows), (25, 50, 25)) - 1)
    band = np.clip(people.band[person] + moved, 0, len(BANDS) - 1)
    unscored = rng.random(rows) < 0.01
    return pa.table(
        {
            "person_id": people.ids[person],
            "date": days(date),
            "instrument": codes(np.zeros(rows, dtype=np.int64), ("static_score",)),
            "version": codes((date > day("2007-01-01")).astype(np.int64), ("1", "2")),
            "score": emptied(2.0 * band + (rng.random(rows) < 0.5), unscored),
            "band": codes(np.where(unscored, -1, band), BANDS),
            "denial": codes(np.where(rng.random(rows) < 0.02, -1, people.denial[person]), _DENIAL),
            "learning_disability": emptied(people.disability[person], rng.random(rows) < 0.01),
        }
    )


def exits(people: People) -> pa.Table:
    """Return who left observation for good."""
    gone = np.flatnonzero(people.exit_reason >= 0)
    return pa.table(
        {
            "person_id": people.ids[gone],
            "exit_date": days(people.last[gone]),
            "reason": codes(people.exit_reason[gone], _EXITS),
        }
    )
