"""Tables about what was on offer: programmes, provision, eligibility, delivery, fidelity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.results import IntArray
from outcomes.synthetic.draws import below, spread
from outcomes.synthetic.people import INDEX_OFFENCES, SEXUAL_INDEX
from outcomes.synthetic.provision import BOTH_DAYS, CATALOGUE, SITES_PER_AREA, Provision, day
from outcomes.synthetic.records_people import area_codes
from outcomes.synthetic.shelf import MISSING, codes, frame
from outcomes.synthetic.story import EXTRACTED, NEVER

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LAST_DAYS", "group_tables", "programme_tables", "site_ids"]

BESPOKE_FAMILY, MANUAL_FAMILY = "south_project", "core_manual"
LAST_DAYS = {"maintenance": 365}  # the bespoke maintenance group outlives the other strands by a year
_OPENED = {"circle": "2001-04-01", "partner": "1999-09-01", "residential": "1996-01-01", "counselling": "2000-01-01",
           "youth": "1998-09-01"}  # fmt: skip


def site_ids(area: IntArray, site: IntArray) -> IntArray:
    """Return the pseudonyms of sites."""
    return (area + 1) * 100 + site + 1


def programme_tables(provision: Provision) -> dict[str, pd.DataFrame]:
    """Return the catalogue, where and when each programme ran, and whom it refuses."""
    return {"programmes": _programmes(), "provision": _provision(provision), "eligibility": _eligibility()}


def _programmes() -> pd.DataFrame:
    names = {"family_id": "family"}
    wanted = ("programme_id", "family_id", "name", "design", "strand", "format", "setting", "accredited", "recorded")
    return frame("programmes", {c: [getattr(p, names.get(c, c)) for p in CATALOGUE] for c in wanted})


def _provision(provision: Provision) -> pd.DataFrame:
    rows: list[tuple[int, int, int, int, int, int]] = []
    for area in range(provision.n_areas):
        rollout = int(provision.rollout[area])
        for programme in CATALOGUE:
            shared = programme.family in (BESPOKE_FAMILY, MANUAL_FAMILY)
            alone = {"bespoke": BESPOKE_FAMILY, "manualised": MANUAL_FAMILY}.get(provision.offered)
            if shared and provision.offered != "rolled_out" and programme.family != alone:
                continue
            opened, closed = day(_OPENED.get(programme.key, "1997-04-01")), NEVER
            if provision.offered != "rolled_out":
                pass
            elif programme.family == BESPOKE_FAMILY:
                closed = rollout + BOTH_DAYS - 1 + LAST_DAYS.get(programme.key, 0)
            elif programme.family == MANUAL_FAMILY:
                opened = rollout
            for site in range(SITES_PER_AREA) if shared else (MISSING,):
                where = MISSING if site == MISSING else int(site_ids(np.array([area]), np.array([site]))[0])
                rows.append(
                    (programme.programme_id, area, where, opened, closed, 8 if programme.format != "group" else 16)
                )
    programme_id, area_of, where_of, opened_of, closed_of, places = (np.array(c) for c in zip(*rows, strict=True))
    closed_of = np.where(closed_of > day(EXTRACTED), NEVER, closed_of)
    return frame(
        "provision",
        {
            "programme_id": programme_id,
            "area": area_codes(area_of),
            "site_id": where_of,
            "open_from": opened_of,
            "open_to": closed_of,
            "capacity": places,
        },
    )


def _eligibility() -> pd.DataFrame:
    """Rules: a person is refused while a row in force holds."""
    sexual = "|".join(INDEX_OFFENCES[:SEXUAL_INDEX])
    always = (NEVER, NEVER)
    rows: list[tuple[int, str, str, str, int, int, str]] = []
    for p in CATALOGUE:
        if p.family in (BESPOKE_FAMILY, MANUAL_FAMILY):
            rows.append((p.programme_id, "index_offence", "not in", sexual, *always, "not_sexual"))
        if p.family == MANUAL_FAMILY:
            rows.append((p.programme_id, "sex", "!=", "male", *always, "not_male"))
            rows.append((p.programme_id, "denial", "==", "full", *always, "full_denial"))
            rows.append((p.programme_id, "learning_disability", "==", "true", *always, "learning_disability"))
        if p.key == "youth":
            rows.append((p.programme_id, "age_at_time_zero", ">=", "21", *always, "over_age"))
        if p.key == "circle":
            rows.append((p.programme_id, "risk_band", "in", "low|medium", *always, "low_risk"))
        if p.key == "residential":
            rows.append((p.programme_id, "denial", "in", "partial|full", NEVER, day("2006-12-31"), "denial"))
            rows.append((p.programme_id, "denial", "==", "full", day("2007-01-01"), NEVER, "full_denial"))
    names = ("programme_id", "column", "operator", "value", "valid_from", "valid_to", "reason")
    return frame("eligibility", dict(zip(names, (list(c) for c in zip(*rows, strict=True)), strict=True)))


def group_tables(
    provision: Provision, groups: dict[str, IntArray], rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """Return who ran each group, and the monitoring of the recorded ones.

    `groups` has one entry a group: ``group_id, programme`` (row of the catalogue), ``area, site, first, last`` (days).
    """
    return {"delivery": _delivery(groups), "fidelity": _fidelity(provision, groups, rng)}


def _delivery(groups: dict[str, IntArray]) -> pd.DataFrame:
    """Two facilitators a group; a site keeps one pair for each family."""
    count = len(groups["group_id"])
    manual = _manual(groups["programme"])
    first = site_ids(groups["area"], groups["site"]) * 10 + 2 * manual + 1
    which = np.tile([0, 1], count)
    twice = np.repeat(np.arange(count), 2)
    facilitator = first[twice] + which
    last = groups["last"][twice]
    return frame(
        "delivery",
        {
            "group_id": groups["group_id"][twice],
            "facilitator_id": facilitator,
            "role": codes(which, ("lead", "co_facilitator")),
            "grade": codes((facilitator * 7 + which) % 3, ("psychologist", "probation_officer", "programme_tutor")),
            "from": groups["first"][twice],
            "to": np.where(last > day(EXTRACTED), NEVER, last),
        },
    )


def _fidelity(provision: Provision, groups: dict[str, IntArray], rng: np.random.Generator) -> pd.DataFrame:
    """Two looks at every recorded group; groups whose site does well score a little higher."""
    recorded = np.array([p.recorded for p in CATALOGUE])
    rows = np.repeat(np.flatnonzero(recorded[groups["programme"]]), 2)
    u = rng.random((3, len(rows)))
    second = np.tile([0, 1], len(rows) // 2)
    length = np.maximum(groups["last"][rows] - groups["first"][rows], 8)
    date = groups["first"][rows] + np.floor(length * (0.1 + 0.4 * second + 0.35 * u[0])).astype(np.int64)
    effect = provision.site_effect[groups["area"][rows], groups["site"][rows], 1]
    score = np.clip(2.9 - 4.0 * effect + spread(u[1], 0.35), 0.0, 4.0)
    kept = date <= day(EXTRACTED)
    return frame(
        "fidelity",
        {
            "group_id": groups["group_id"][rows][kept],
            "date": date[kept],
            "score": np.round(score, 2)[kept],
            "scale": np.full(int(kept.sum()), "compliance_0_to_4", dtype=object),
            "sessions_monitored": below(u[2], 3, 8)[kept],
        },
    )


def _manual(programme: IntArray) -> IntArray:
    """Return 1 for programmes of the manualised family, 0 for others."""
    return np.array([int(p.family == MANUAL_FAMILY) for p in CATALOGUE])[programme]
