"""Who was referred and who took part: referrals, participation, and the groups they make up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from outcomes.results import Array, IntArray
from outcomes.synthetic.assignment import BESPOKE, MANUALISED
from outcomes.synthetic.draws import below, pick
from outcomes.synthetic.life import RECALLED
from outcomes.synthetic.provision import BOTH_DAYS, CATALOGUE, day
from outcomes.synthetic.records_people import person_ids, sentence_ids
from outcomes.synthetic.records_programmes import LAST_DAYS, site_ids
from outcomes.synthetic.shelf import MISSING, codes, emptied, frame
from outcomes.synthetic.story import EXTRACTED, NEVER, PROGRAMME, Story

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["takeup_tables"]

STATUS = ("completed", "dropped_out", "removed", "transferred", "ended_recall", "ended_order", "ongoing")
COMPLETED, DROPPED, REMOVED, _, ENDED_RECALL, ENDED_ORDER, ONGOING = range(7)
STAGES = ("psr", "order", "custody", "licence", "post_order")
DECISIONS = ("accepted", "not_eligible", "not_suitable", "no_place", "declined", "withdrawn")
_DURATION = np.array([p.duration for p in CATALOGUE])
_SESSIONS = np.array([p.sessions for p in CATALOGUE])


@dataclass(frozen=True, eq=False)
class _Spells:
    """Programme spells; arrays of shape (S,). `programme` is a row of the catalogue; `first` the person's main one."""

    row: IntArray
    programme: IntArray
    start: IntArray
    end: IntArray
    status: IntArray
    attended: Array
    main: np.typing.NDArray[np.bool_]


def takeup_tables(story: Story, rng: np.random.Generator) -> tuple[dict[str, pd.DataFrame], dict[str, IntArray]]:
    """Return referrals and participation, and the groups to whose delivery and fidelity the other tables speak."""
    strand = _strands(story, rng)
    main = _main_spells(story, strand, rng)
    spells = _joined([main, *_further_spells(story, main, rng)])
    groups, group_of = _groups(story, spells)
    referrals, referral_of = _referrals(story, strand, rng)
    participation = _participation(story, spells, group_of, referral_of, rng)
    return {"referrals": referrals, "participation": participation}, groups


def _strands(story: Story, rng: np.random.Generator) -> IntArray:
    """Return the programme each person was meant for (row of the catalogue; -1 for none)."""
    people, planned = story.people, story.assignment.arm
    u = rng.random(people.n)
    alone = ((people.band == 3) | (people.denial == 2)) & (u < 0.5)
    bespoke = np.where(alone, PROGRAMME["individual"], PROGRAMME["core"])
    bespoke = np.where(people.learning_disability, PROGRAMME["adapted"], bespoke)
    meant = np.where(planned == BESPOKE, bespoke, np.where(planned == MANUALISED, PROGRAMME["manual"], -1))
    return np.where(meant >= 0, meant, story.other)


def _main_spells(story: Story, strand: IntArray, rng: np.random.Generator) -> _Spells:
    """Return the spell that each starter of any programme began with."""
    rows = np.flatnonzero(story.started | (story.other >= 0))
    start = np.where(story.started, story.assignment.planned_start, story.other_start)[rows]
    return _run(story, rows, strand[rows], start, story.dropped[rows], rng, main=True)


def _run(
    story: Story,
    rows: IntArray,
    programme: IntArray,
    start: IntArray,
    dropped: np.typing.NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    main: bool,
) -> _Spells:
    """Return spells that run their time unless the person drops out, is taken away or leaves."""
    u = rng.random((4, len(rows)))
    length = np.floor(_DURATION[programme] * (0.85 + 0.35 * u[0])).astype(np.int64)
    taken = np.where(dropped, 0.08 + 0.6 * u[1], 1.0)
    end = start + np.maximum(np.floor(length * taken).astype(np.int64), 1)
    status = np.where(dropped, DROPPED, np.where(u[2] < 0.03, ENDED_ORDER, COMPLETED))
    away, why = _next_spell(story, rows, start)
    cut = away < end
    status = np.where(cut, np.where(why == RECALLED, ENDED_RECALL, REMOVED), status)
    share = np.where(cut, np.maximum(away - start, 1) / np.maximum(length, 1), taken)
    end = np.where(cut, np.maximum(away, start + 1), end)
    gone = story.last[rows] < end
    status, end = np.where(gone, REMOVED, status), np.where(gone, story.last[rows], end)
    ongoing = end > day(EXTRACTED)
    status, end = np.where(ongoing, ONGOING, status), np.where(ongoing, NEVER, end)
    attended = np.minimum(share, 1.0) * (0.82 + 0.18 * u[3])
    return _Spells(rows, programme, start, end, status, attended, np.full(len(rows), main))


def _next_spell(story: Story, rows: IntArray, start: IntArray) -> tuple[IntArray, IntArray]:
    """Return the day of the first spell out of the community that begins on or after a day, and its kind."""
    lives, n = story.lives, story.people.n
    begins = np.full(n, NEVER)
    begins[rows] = start
    when = lives.away_from + story.origin[lives.away_course]
    after = np.flatnonzero(when >= begins[lives.away_course])[::-1]
    first, kind = np.full(n, NEVER), np.full(n, -1)
    first[lives.away_course[after]] = when[after]  # written backwards: the earliest stays
    kind[lives.away_course[after]] = lives.away_kind[after]
    return first[rows], kind[rows]


def _further_spells(story: Story, main: _Spells, rng: np.random.Generator) -> list[_Spells]:
    """Return maintenance after the bespoke core, boosters after the manual, circles beside either, where they can be."""
    u = rng.random((3, len(main.row)))
    done = main.status == COMPLETED
    after = np.maximum(np.where(main.end == NEVER, 0, main.end), story.origin[main.row]) + below(u[0], 14, 60)
    soon = story.time_zero[main.row] + below(u[0], 10, 60)
    closes = story.provision.rollout[story.people.area[main.row]] + BOTH_DAYS + LAST_DAYS["maintenance"]
    if story.provision.offered != "rolled_out":
        closes = np.full(len(closes), NEVER)
    core = (main.programme == PROGRAMME["core"]) | (main.programme == PROGRAMME["adapted"])
    wishes = (
        ("maintenance", done & core & (u[1] < 0.45) & (after < closes), after),
        ("booster", done & (main.programme == PROGRAMME["manual"]) & (u[1] < 0.2), after),
        (
            "circle",
            story.started[main.row]
            & story.people.custody[main.row]
            & (story.people.band[main.row] >= 2)
            & (u[2] < 0.08),
            soon,
        ),
    )
    found = []
    for key, wished, start in wishes:
        able = np.flatnonzero(wished)
        able = able[story.present(main.row[able], start[able])]
        rows, never = main.row[able], np.zeros(len(able), dtype=bool)
        found.append(_run(story, rows, np.full(len(able), PROGRAMME[key]), start[able], never, rng, main=False))
    return found


def _joined(parts: list[_Spells]) -> _Spells:
    """Return all spells in order of person and start."""
    names = ("row", "programme", "start", "end", "status", "attended", "main")
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    order = np.lexsort((columns["programme"], columns["start"], columns["row"]))
    return _Spells(**{name: values[order] for name, values in columns.items()})


def _groups(story: Story, spells: _Spells) -> tuple[dict[str, IntArray], IntArray]:
    """Return the groups (a programme at a site, one for each half-year of starting) and each spell's group id."""
    shared = np.array([p.family in ("south_project", "core_manual") and p.format != "individual" for p in CATALOGUE])
    in_group = np.flatnonzero(shared[spells.programme])
    area, site = story.people.area[spells.row[in_group]], story.assignment.site[spells.row[in_group]]
    half = (spells.start[in_group] - day("1995-01-01")) // 183
    key = np.stack([spells.programme[in_group], area, site, half])
    found, member = np.unique(key, axis=1, return_inverse=True)
    member = member.reshape(-1)
    group_of = np.full(len(spells.row), MISSING)
    group_of[in_group] = member + 7001
    first, last = np.full(found.shape[1], NEVER), np.zeros(found.shape[1], dtype=np.int64)
    np.minimum.at(first, member, spells.start[in_group])
    np.maximum.at(last, member, spells.end[in_group])
    names = ("programme", "area", "site")
    groups = {"group_id": np.arange(found.shape[1]) + 7001, **dict(zip(names, found[:3], strict=True))}
    return groups | {"first": first, "last": last}, group_of


def _referrals(story: Story, strand: IntArray, rng: np.random.Generator) -> tuple[pd.DataFrame, IntArray]:
    """Return the referrals, and each person's referral id (`MISSING` without one)."""
    people, plan, n = story.people, story.assignment, story.people.n
    u = rng.random((6, n))
    meant = strand >= 0
    target = np.where(meant, strand, np.where(plan.offered == MANUALISED, PROGRAMME["manual"], PROGRAMME["core"]))
    refused = ~meant & people.excluded & (plan.offered == MANUALISED) & (story.biases.exclusion > 0)
    asked = u[0] < np.where(refused, 0.8 * (1 - 0.85 * min(1.0, story.biases.non_referral)), 0.6)
    made = np.where(meant, True, asked & people.sexual_index & people.adult_man)
    date, stage = _referral_dates(story, u)
    answer = 2 + pick(u[4], (0.3, 0.2, 0.35, 0.15))
    decision = np.where(meant, 0, np.where(refused, 1, answer))
    why = np.where(people.denial == 2, 0, 1)
    rows = np.flatnonzero(made)
    referral_of = np.full(n, MISSING)
    referral_of[rows] = 30_001 + np.arange(len(rows))
    reason = emptied(codes(why, ("full_denial", "learning_disability")), ~refused)
    return (
        frame(
            "referrals",
            {
                "referral_id": referral_of[rows],
                "person_id": person_ids(rows),
                "sentence_id": sentence_ids(rows),
                "programme_id": target[rows] + 1,
                "referral_date": date[rows],
                "stage": codes(stage[rows], STAGES),
                "decision": codes(decision[rows], DECISIONS),
                "decision_date": (date + below(u[5], 0, 5))[rows],
                "reason": reason[rows],
                "site_id": site_ids(people.area, plan.site)[rows],
            },
        ),
        referral_of,
    )


def _referral_dates(story: Story, u: Array) -> tuple[IntArray, IntArray]:
    """Return the day and the stage of each person's referral: before sentence, under the order, in custody, on licence."""
    people, plan = story.people, story.assignment
    start = np.where(story.other >= 0, story.other_start, plan.planned_start)
    early = story.sentence - below(u[1], 1, 4)
    room = np.maximum(start - 7 - story.origin, 0)
    under_order = story.origin + np.floor(u[2] * room).astype(np.int64)
    # someone taken away before the start was referred early, so that no referral follows death or removal
    waits = (story.started | (story.other >= 0)) & (start > story.origin)
    order = waits & (u[3] < 0.6)
    inside = start - below(u[1], 20, 90)
    released = np.where(waits & (u[3] < 0.5), under_order, story.origin - below(u[1], 20, 90))
    in_custody = np.where(start > story.origin, released, inside)
    date = np.where(people.custody, in_custody, np.where(order, under_order, early))
    stage = np.where(people.custody, np.where(date > story.origin, 3, 2), np.where(order, 1, 0))
    return date, stage.astype(np.int64)


def _participation(
    story: Story, spells: _Spells, group_of: IntArray, referral_of: IntArray, rng: np.random.Generator
) -> pd.DataFrame:
    count = len(spells.row)
    planned = _SESSIONS[spells.programme]
    beyond = (spells.programme == PROGRAMME["maintenance"]) & (rng.random(count) < 0.4)
    tied = np.array([p.family in ("south_project", "core_manual") for p in CATALOGUE])[spells.programme]
    site = site_ids(story.people.area, story.assignment.site)[spells.row]
    return frame(
        "participation",
        {
            "participation_id": 80_001 + np.arange(count),
            "referral_id": np.where(spells.main, referral_of[spells.row], MISSING),
            "person_id": person_ids(spells.row),
            "sentence_id": sentence_ids(spells.row),
            "programme_id": spells.programme + 1,
            "start_date": spells.start,
            "end_date": spells.end,
            "status": codes(spells.status, STATUS),
            "voluntary": beyond | (spells.programme == PROGRAMME["circle"]),
            "sessions_planned": planned,
            "sessions_attended": np.floor(planned * spells.attended).astype(np.int64),
            "site_id": np.where(tied, site, MISSING),
            "group_id": group_of,
        },
    )
