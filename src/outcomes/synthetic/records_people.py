"""Tables about people: people, sentences, assessments, supervision, exits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.results import IntArray
from outcomes.synthetic.draws import below
from outcomes.synthetic.hazards import YEAR
from outcomes.synthetic.people import BANDS, DENIAL, ETHNIC_GROUPS, INDEX_OFFENCES, band_of
from outcomes.synthetic.provision import day
from outcomes.synthetic.shelf import codes, emptied, frame
from outcomes.synthetic.story import EXTRACTED, NEVER, Story

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["area_codes", "people_tables", "person_ids", "sentence_ids"]


def person_ids(rows: IntArray) -> IntArray:
    """Return the pseudonyms of people."""
    return rows + 10_001


def sentence_ids(rows: IntArray) -> IntArray:
    """Return the pseudonyms of their sentences."""
    return rows + 50_001


def area_codes(area: IntArray) -> np.typing.NDArray[np.object_]:
    """Return the names of areas."""
    return np.array([f"A{a + 1:02d}" for a in area], dtype=object)


def people_tables(story: Story, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Return the tables about people."""
    return {
        "people": _people(story),
        "sentences": _sentences(story, rng),
        "assessments": _assessments(story, rng),
        "supervision": _supervision(story, rng),
        "exits": _exits(story),
    }


def _people(story: Story) -> pd.DataFrame:
    people = story.people
    known = tuple(None if name == "not_stated" else name for name in ETHNIC_GROUPS)
    return frame(
        "people",
        {
            "person_id": person_ids(np.arange(people.n)),
            "sex": np.where(people.male, "male", "female").astype(object),
            "ethnicity_group": codes(people.ethnicity, known),
        },
    )


def _sentences(story: Story, rng: np.random.Generator) -> pd.DataFrame:
    people = story.people
    u = rng.random((2, people.n))
    kind = np.where(people.custody, np.where(people.extended, 1, 0), np.where(u[0] < 0.75, 2, 3))
    age = np.maximum(people.age - story.custody_days / YEAR, 10.0)
    return frame(
        "sentences",
        {
            "sentence_id": sentence_ids(np.arange(people.n)),
            "person_id": person_ids(np.arange(people.n)),
            "sentence_date": story.sentence,
            "sentence_type": codes(kind, ("determinate", "extended", "community_order", "suspended_sentence")),
            "setting": codes(people.custody.astype(np.int64), ("community", "custody")),
            "index_offence": codes(people.index_offence, INDEX_OFFENCES),
            "release_date": np.where(people.custody, story.origin, NEVER),
            "age_at_sentence": np.round(age, 2),
            "prior_sanctions": people.prior,
            "prior_sexual_sanctions": people.prior_sexual,
            "area": area_codes(people.area),
            "linkage_quality": np.round(1.0 - 0.3 * u[1] ** 4, 3),
        },
    )


def _assessments(story: Story, rng: np.random.Generator) -> pd.DataFrame:
    """Before sentence for everyone; again shortly before time zero for many; later ones, which are never baseline."""
    people, n = story.people, story.people.n
    u = rng.random((9, n))
    before = story.sentence - below(u[0], 5, 40)
    until = np.minimum(story.assignment.planned_start, story.origin)
    inside = np.maximum(until - below(u[1], 5, 60), story.sentence + 30)
    near = np.where(people.custody, inside, story.time_zero - below(u[1], 1, 14))
    again = np.where(people.custody, u[2] < 0.8, story.started & (story.wait >= 60))
    later = story.time_zero + below(u[3], 150, 900)
    kept = (u[4] < 0.5) & (later < story.last) & (later <= day(EXTRACTED))
    # the last one on or before time zero holds the score that moved people; an earlier one may differ by a point
    earlier = np.clip(people.score + np.where(again, below(u[5], -1, 1), 0), 0, 14)
    since = np.clip(people.score + below(u[5], -3, 1), 0, 14)
    opened = np.where(u[6] < 0.5, np.maximum(people.denial - 1, 0), people.denial)
    unscored = u[7] < 0.03 * story.biases.missing
    unasked = u[8] < 0.02 * story.biases.missing
    rows = np.concatenate([np.arange(n), np.flatnonzero(again), np.flatnonzero(kept)])
    wave = np.repeat([0, 1, 2], [n, again.sum(), kept.sum()])
    score = np.stack([earlier, people.score, since])[wave, rows]
    denial = np.stack([people.denial, people.denial, opened])[wave, rows]
    date = np.stack([before, near, later])[wave, rows]
    order = np.lexsort((wave, rows))
    rows, wave, score, denial, date = (x[order] for x in (rows, wave, score, denial, date))
    empty, silent = unscored[rows] & (wave < 2), unasked[rows] & (wave < 2)
    return frame(
        "assessments",
        {
            "person_id": person_ids(rows),
            "date": date,
            "instrument": np.full(len(rows), "static_score", dtype=object),
            "version": np.where(wave == 0, "1", "2").astype(object),
            "score": np.where(empty, np.nan, score.astype(np.float64)),
            "band": emptied(codes(band_of(score), BANDS), empty),
            "denial": emptied(codes(denial, DENIAL), silent),
            "learning_disability": people.learning_disability[rows],
        },
    )


def _supervision(story: Story, rng: np.random.Generator) -> pd.DataFrame:
    """Licence, community order, prevention order, notification; an end after the extract or death is not in it."""
    people, n = story.people, story.people.n
    u = rng.random((3, n))
    parts = (
        (people.custody, story.origin, story.origin + story.licence_days, 0),
        (~people.custody, story.origin, story.origin + below(u[0], 1, 3) * 365, 1),
        (people.sexual_index & (u[1] < 0.10), story.origin, story.origin + 1826, 2),
        (people.sexual_index, story.origin, np.full(n, NEVER), 3),
    )
    rows = np.concatenate([np.flatnonzero(who) for who, _, _, _ in parts])
    start = np.concatenate([begin[who] for who, begin, _, _ in parts])
    end = np.concatenate([finish[who] for who, _, finish, _ in parts])
    kind = np.concatenate([np.full(int(who.sum()), k) for who, _, _, k in parts])
    end = np.minimum(end, story.last[rows])
    order = np.lexsort((kind, rows))
    level = np.array(["1", "1", "2", "3"], dtype=object)[people.band]
    return frame(
        "supervision",
        {
            "person_id": person_ids(rows[order]),
            "start_date": start[order],
            "end_date": np.where(end > day(EXTRACTED), NEVER, end)[order],
            "type": codes(kind[order], ("licence", "community_order", "prevention_order", "notification")),
            "level": level[rows[order]],
        },
    )


def _exits(story: Story) -> pd.DataFrame:
    rows = np.flatnonzero(story.last < NEVER)
    abroad = story.people.foreign[rows]
    reason = np.where(story.exits.reason[rows] == 2, np.where(abroad, 2, 3), story.exits.reason[rows])
    return frame(
        "exits",
        {
            "person_id": person_ids(rows),
            "exit_date": story.last[rows],
            "reason": codes(reason, ("death", "deportation", "emigration", "lost")),
        },
    )
