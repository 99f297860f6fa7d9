"""What was on offer where and when: the catalogue, the areas' roll-out, sites and their effects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.results import Array, IntArray
from outcomes.synthetic.draws import spread

__all__ = ["BOTH_DAYS", "CATALOGUE", "Programme", "Provision", "day", "draw_provision"]

Bool = np.typing.NDArray[np.bool_]
BOTH_DAYS = 548  # how long an area runs both programmes before the bespoke one closes
SITES_PER_AREA = 2


def day(iso: str) -> int:
    """Return days since 1970-01-01.

    Examples
    --------
    >>> day("1970-01-02")
    1
    """
    return int(np.datetime64(iso, "D").astype(np.int64))


@dataclass(frozen=True)
class Programme:
    """One programme of the catalogue; `key` is how the generator calls it."""

    key: str
    programme_id: int
    family: str
    name: str
    design: str
    strand: str
    format: str
    setting: str
    accredited: bool
    recorded: bool
    sessions: int
    duration: int


CATALOGUE = tuple(
    Programme(*row)
    for row in (
        ("core", 1, "south_project", "South project core group", "bespoke", "core", "mixed", "both", False, False, 40, 210),
        ("maintenance", 2, "south_project", "South project maintenance group", "bespoke", "maintenance", "group",
         "community", False, False, 20, 300),
        ("adapted", 3, "south_project", "South project adapted group", "bespoke", "adapted", "mixed", "both", False, False,
         44, 270),
        ("individual", 4, "south_project", "South project individual work", "bespoke", "individual", "individual", "both",
         False, False, 30, 240),
        ("manual", 5, "core_manual", "Core programme", "manualised", "core", "group", "both", True, True, 90, 200),
        ("booster", 6, "core_manual", "Core programme booster", "manualised", "maintenance", "group", "community", True, True,
         12, 90),
        ("circle", 7, "circles", "Circle of support and accountability", "bespoke", "circle", "mixed", "community", False,
         False, 48, 365),
        ("partner", 8, "family_work", "Partners and families", "bespoke", "partner", "mixed", "community", False, False, 12,
         120),
        ("residential", 9, "residential", "Residential programme", "manualised", "residential", "mixed", "custody", True,
         False, 120, 270),
        ("counselling", 10, "counselling", "Individual counselling, highest risk", "bespoke", "individual", "individual",
         "community", False, False, 36, 365),
        ("youth", 11, "youth", "Young people's programme", "bespoke", "youth", "mixed", "both", False, False, 30, 180),
    )
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Provision:
    """Roll-out and effects by area and site.

    Attributes
    ----------
    rollout : ndarray of int, shape (areas,)
        Day from which the area offers the manualised programme; `BOTH_DAYS` later the bespoke one closes.
    area_effect : ndarray, shape (areas,)
        Log hazard of the area.
    site_effect : ndarray, shape (areas, sites, 2)
        Log hazard of the site and its facilitators, for the bespoke and the manualised programme.
    offered : str
        ``rolled_out``, or what is on offer everywhere and always.
    """

    rollout: IntArray
    area_effect: Array
    site_effect: Array
    offered: str = "rolled_out"

    @property
    def n_areas(self) -> int:
        """Number of areas."""
        return len(self.rollout)

    def bespoke_open(self, area: IntArray, on: IntArray) -> Bool:
        """Whether the bespoke programme takes people in these areas on these days."""
        if self.offered != "rolled_out":
            return np.full(len(on), self.offered == "bespoke")
        return np.asarray(on < self.rollout[area] + BOTH_DAYS)

    def manualised_open(self, area: IntArray, on: IntArray) -> Bool:
        """Whether the manualised programme takes people in these areas on these days."""
        if self.offered != "rolled_out":
            return np.full(len(on), self.offered == "manualised")
        return np.asarray(on >= self.rollout[area])

    def log_odds(self, on: IntArray) -> Array:
        """Return the log odds that an area chosen blindly offers the manualised programme first on these days."""
        start = np.sort(self.rollout)
        offered = np.searchsorted(start, on, side="right")
        alone = np.searchsorted(start + BOTH_DAYS, on, side="right")
        share = (offered + alone) / (2 * self.n_areas)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(share) - np.log1p(-share))


def draw_provision(n_areas: int, clustering: float, rng: np.random.Generator, offered: str = "rolled_out") -> Provision:
    """Return the roll-out (evenly staggered, in an order of areas independent of their effects) and the effects."""
    first, last = day("2002-04-01"), day("2012-01-01")
    order = np.argsort(rng.random(n_areas), kind="stable").astype(np.float64)
    rollout = first + np.floor((order + rng.random(n_areas)) / n_areas * (last - first)).astype(np.int64)
    area_effect = clustering * spread(rng.random(n_areas), 0.08)
    site = spread(rng.random((n_areas, SITES_PER_AREA, 2)), 0.05)
    facilitators = spread(rng.random((n_areas, SITES_PER_AREA, 2)), 0.05)
    return Provision(
        rollout=rollout, area_effect=area_effect, site_effect=clustering * (site + facilitators), offered=offered
    )
