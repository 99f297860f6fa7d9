"""Who was referred to which programme, and who started it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from invented.catalogue import OPEN_FROM, OPEN_TO, SITES, site_of
from invented.columns import NEVER, Flags, codes, days, emptied, pseudonyms
from invented.people import CUT, People, Sentences
from outcomes.results import IntArray
from outcomes.synthetic.draws import below, exponential, pick

__all__ = ["Takeup", "draw_takeup", "participation", "referrals"]

_STAGES = ("psr", "order", "custody", "licence", "post_order")
_DECISIONS = ("accepted", "not_eligible", "not_suitable", "no_place", "declined", "withdrawn", "pending")
_STATUS = ("completed", "dropped_out", "removed", "transferred", "ended_recall", "ended_order", "ongoing")
_SESSIONS = np.array([0, 40, 44, 20, 90, 12, 120])
_LENGTH = np.array([0, 210, 270, 300, 200, 90, 270])
_MAINTENANCE, _OTHER_CORE = np.array([0, 3, 3, 3, 5, 5, 5]), np.array([0, 4, 4, 4, 1, 1, 1])


@dataclass(frozen=True, eq=False)
class Takeup:
    """Sentences under which a programme was considered, T of them.

    Attributes
    ----------
    sentence : ndarray of int, shape (T,)
        Place among the sentences.
    referral : ndarray of int, shape (T,)
        Id of the referral, -1 for those who came without one.
    start : ndarray of int, shape (T,)
        First session, or the day it would have been on.
    """

    sentence: IntArray
    referral: IntArray
    referred_on: IntArray
    programme: IntArray
    site: IntArray
    decision: IntArray
    start: IntArray
    started: Flags


def draw_takeup(people: People, sentences: Sentences, first: int, rng: np.random.Generator) -> Takeup:
    """Return who was considered for what; `first` is the running number of the first referral."""
    wanted = rng.random(len(sentences.person))
    sentence = np.flatnonzero(wanted < 0.6)
    direct = wanted[sentence] >= 0.571
    person, n = sentences.person[sentence], len(sentence)
    start = _start(sentences, sentence, rng)
    until = sentences.until[sentence]
    programme = _programme(people, sentences.custody[sentence], person, start, rng)
    refused = (programme >= 4) & ((people.denial[person] == 2) | people.disability[person] | (people.band[person] == 0))
    decision = pick(rng.random(n), (84, 0, 6, 3, 4, 2, 1))
    decision = np.where(refused & (rng.random(n) < 0.9), 1, decision)
    decision = np.where((decision == 0) & (start > until), 5, decision)
    decision = np.where(direct & (start <= until), 0, decision)
    numbers = np.where(direct, -1, np.cumsum(~direct) - 1)
    return Takeup(
        sentence=sentence,
        referral=np.where(direct, -1, pseudonyms(first + numbers, "referral")),
        referred_on=np.minimum(start - 10 - np.floor(45 * exponential(rng.random(n))).astype(np.int64), until),
        programme=programme,
        site=site_of(programme, people.area[person], below(rng.random(n), 0, SITES - 1)),
        decision=decision,
        start=start,
        started=decision == 0,
    )


def _start(sentences: Sentences, sentence: IntArray, rng: np.random.Generator) -> IntArray:
    """Return the first session: in custody or after it, or in the months after a community sentence."""
    n, custody, date = len(sentence), sentences.custody[sentence], sentences.date[sentence]
    release = np.where(custody, sentences.release[sentence], date)
    inside = custody & ((rng.random(n) < 0.55) | (release >= NEVER))
    stay = np.minimum(release, CUT) - date
    in_custody = date + 14 + np.floor(np.maximum(stay - 14, 0) * rng.random(n)).astype(np.int64)
    outside = release + 7 + np.floor(80 * exponential(rng.random(n))).astype(np.int64)
    return np.where(inside, in_custody, outside)


def _programme(people: People, custody: Flags, person: IntArray, start: IntArray, rng: np.random.Generator) -> IntArray:
    """Return a programme that is open on the day; where both families are, denial and disability keep out of the manual."""
    n, area = len(person), people.area[person]
    both = (start >= OPEN_FROM[4, area]) & (start <= OPEN_TO[1, area])
    chance = np.where((people.denial[person] == 2) | people.disability[person], 0.15, 0.5)
    manual = np.where(both, rng.random(n) < chance, start >= OPEN_FROM[4, area])
    local = np.where(people.disability[person] & (rng.random(n) < 0.7), 2, 1)
    national = np.where(custody & (people.band[person] >= 3) & (rng.random(n) < 0.1), 6, 4)
    return np.where(manual, national, local)


def referrals(people: People, sentences: Sentences, takeup: Takeup, rng: np.random.Generator) -> pa.Table:
    """Return the table of referrals."""
    kept = np.flatnonzero(takeup.referral >= 0)
    sentence, date, decision = takeup.sentence[kept], takeup.referred_on[kept], takeup.decision[kept]
    custody, pending = sentences.custody[sentence], decision == 6
    stage = np.where(custody, np.where(date < sentences.release[sentence], 2, 3), 1)
    stage = np.where(date < sentences.date[sentence], 0, stage)
    decided = np.minimum(date + below(rng.random(len(kept)), 0, 9), sentences.until[sentence])
    return pa.table(
        {
            "referral_id": takeup.referral[kept],
            "person_id": people.ids[sentences.person[sentence]],
            "sentence_id": sentences.ids[sentence],
            "programme_id": takeup.programme[kept],
            "referral_date": days(date),
            "stage": codes(stage, _STAGES),
            "decision": codes(decision, _DECISIONS),
            "decision_date": days(np.where(pending, NEVER, decided)),
            "reason": codes(np.where(decision == 1, 0, -1), ("entry_rules",)),
            "site_id": takeup.site[kept],
        }
    )


def participation(
    people: People, sentences: Sentences, takeup: Takeup, first: int, rng: np.random.Generator
) -> pa.Table:
    """Return the table of participation: the first programme under a sentence, and for some one that followed it."""
    began = np.flatnonzero(takeup.started)
    sentence, programme, start = takeup.sentence[began], takeup.programme[began], takeup.start[began]
    area = people.area[sentences.person[sentence]]
    next_start = start + _LENGTH[programme] + 30 + below(rng.random(len(began)), 0, 60)
    own, other = _MAINTENANCE[programme], _OTHER_CORE[programme]
    follows = np.where(_is_open(own, area, next_start), own, np.where(_is_open(other, area, next_start), other, 0))
    more = np.flatnonzero((rng.random(len(began)) < 0.13) & (follows > 0) & (next_start <= sentences.until[sentence]))
    site = site_of(follows[more], area[more], below(rng.random(len(more)), 0, SITES - 1))
    return _participation_table(
        people,
        sentences,
        sentence=np.concatenate([sentence, sentence[more]]),
        referral=np.concatenate([takeup.referral[began], np.full(len(more), -1)]),
        programme=np.concatenate([programme, follows[more]]),
        start=np.concatenate([start, next_start[more]]),
        site=np.concatenate([takeup.site[began], site]),
        voluntary=np.arange(len(began) + len(more)) >= len(began),
        first=first,
        rng=rng,
    )


def _is_open(programme: IntArray, area: IntArray, on: IntArray) -> Flags:
    return np.asarray((on >= OPEN_FROM[programme, area]) & (on <= OPEN_TO[programme, area]))


def _participation_table(
    people: People,
    sentences: Sentences,
    *,
    sentence: IntArray,
    referral: IntArray,
    programme: IntArray,
    start: IntArray,
    site: IntArray,
    voluntary: Flags,
    first: int,
    rng: np.random.Generator,
) -> pa.Table:
    n, until = len(sentence), sentences.until[sentence]
    status = pick(rng.random(n), (70, 14, 5, 4, 4, 3))
    share = np.where(status == 0, 1.0, rng.random(n))
    end = start + np.floor(share * _LENGTH[programme]).astype(np.int64)
    status = np.where(end > CUT, 6, status)
    planned = _SESSIONS[programme]
    return pa.table(
        {
            "participation_id": pseudonyms(first + np.arange(n), "participation"),
            "referral_id": emptied(referral, referral < 0),
            "person_id": people.ids[sentences.person[sentence]],
            "sentence_id": sentences.ids[sentence],
            "programme_id": programme,
            "start_date": days(start),
            "end_date": days(np.where(status == 6, NEVER, np.minimum(end, until))),
            "status": codes(status, _STATUS),
            "voluntary": voluntary,
            "sessions_planned": planned,
            "sessions_attended": np.floor(planned * share * (0.8 + 0.2 * rng.random(n))).astype(np.int64),
            "site_id": site,
            "group_id": site * 1000 + (start // 91),
        }
    )
