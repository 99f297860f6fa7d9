"""What was on offer: six programmes of two families, where and when each ran, and whom each refuses.

A local project is replaced, area by area, by a national manualised programme; for two years an area runs both.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from invented.columns import NEVER, day, days
from outcomes.results import IntArray

__all__ = ["AREAS", "OPEN_FROM", "OPEN_TO", "SEXUAL", "SITES", "area_names", "eligibility", "programmes", "provision"]

AREAS = 30
SITES = 2
SEXUAL = ("sexual_contact", "sexual_noncontact", "sexual_image")
_BOTH = 730
_ORDER = np.arange(AREAS) * 7 % AREAS  # areas that begin together are not neighbours
_ROLLOUT = day("2003-04-01") + _ORDER * (day("2010-10-01") - day("2003-04-01")) // AREAS
_CATALOGUE = (
    # programme_id, family, name, design, strand, format, setting
    (1, "local_project", "Local project core group", "bespoke", "core", "mixed", "both"),
    (2, "local_project", "Local project adapted group", "bespoke", "adapted", "mixed", "both"),
    (3, "local_project", "Local project maintenance group", "bespoke", "maintenance", "group", "community"),
    (4, "national_manual", "National programme", "manualised", "core", "group", "both"),
    (5, "national_manual", "National programme booster", "manualised", "maintenance", "group", "community"),
    (6, "national_manual", "National residential programme", "manualised", "residential", "mixed", "custody"),
)

# By programme (row 0 is unused) and area: the first and the last day on offer.
OPEN_FROM: IntArray = np.stack(
    [np.full(AREAS, NEVER), *[np.full(AREAS, day("1998-04-01"))] * 3, _ROLLOUT, _ROLLOUT + 180, _ROLLOUT]
)
OPEN_TO: IntArray = np.stack(
    [
        np.full(AREAS, -1),
        _ROLLOUT + _BOTH,
        _ROLLOUT + _BOTH,
        _ROLLOUT + _BOTH + 365,
        *[np.full(AREAS, NEVER)] * 3,
    ]
)


def area_names() -> tuple[str, ...]:
    """Return the names of the areas."""
    return tuple(f"A{number:02d}" for number in range(1, AREAS + 1))


def programmes() -> pa.Table:
    """Return the catalogue."""
    names = ("programme_id", "family_id", "name", "design", "strand", "format", "setting")
    columns = dict(zip(names, map(list, zip(*_CATALOGUE, strict=True)), strict=True))
    manual = [row[3] == "manualised" for row in _CATALOGUE]
    return pa.table({**columns, "accredited": manual, "recorded": manual})


def provision() -> pa.Table:
    """Return where and when each programme ran: one row a programme, area and site."""
    programme, area, site = (
        part.ravel() for part in np.meshgrid(np.arange(1, 7), np.arange(AREAS), np.arange(SITES), indexing="ij")
    )
    return pa.table(
        {
            "programme_id": programme,
            "area": np.asarray(area_names())[area],
            "site_id": site_of(programme, area, site),
            "open_from": days(OPEN_FROM[programme, area]),
            "open_to": days(OPEN_TO[programme, area]),
            "capacity": 40 + 20 * site,
        }
    )


def site_of(programme: IntArray, area: IntArray, site: IntArray) -> IntArray:
    """Return the id of a programme's site in an area."""
    return 1000 * programme + 10 * area + site


def eligibility() -> pa.Table:
    """Return the entry rules: four of them, each written for every programme of its family."""
    national, local = (4, 5, 6), (1, 2, 3)
    rules = (
        (national, "denial", "==", "full", None, "full_denial"),
        (national, "learning_disability", "==", "true", None, "learning_disability"),
        (national, "risk_band", "==", "very_low", day("2006-01-01"), "risk_too_low"),
        (local, "index_offence", "not in", "|".join(SEXUAL), None, "not_sexual"),
    )
    rows = [(programme, *rule) for family, *rule in rules for programme in family]
    programme, column, operator, value, since, reason = (list(part) for part in zip(*rows, strict=True))
    return pa.table(
        {
            "programme_id": programme,
            "column": column,
            "operator": operator,
            "value": value,
            "valid_from": pa.array(since, pa.date32()),
            "valid_to": pa.nulls(len(rows), pa.date32()),
            "reason": reason,
        }
    )
