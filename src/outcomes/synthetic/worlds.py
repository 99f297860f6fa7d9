"""What the programmes of an invented cohort do, and where they are on offer."""

from __future__ import annotations

import math
from dataclasses import dataclass

from outcomes.errors import DesignError, one_of

__all__ = ["OFFERED", "World"]

OFFERED = ("rolled_out", "bespoke", "manualised", "nothing")


@dataclass(frozen=True)
class World:
    """Effects of the two programmes, and what areas have on offer.

    Attributes
    ----------
    bespoke, manualised : float
        Log hazard ratio of the full programme on sexual, violent, acquisitive, drugs and other offences, for a person whose risk makes
        no difference to it.
    offered : {"rolled_out", "bespoke", "manualised", "nothing"}
        The bespoke programme replaced area by area; or one of the two everywhere, or neither, always: what happens then to everybody
        is the truth of a regime.

    Examples
    --------
    >>> World().bespoke < World().manualised < 0
    True
    """

    bespoke: float = -0.40
    manualised: float = -0.17
    offered: str = "rolled_out"

    def __post_init__(self) -> None:
        for name in ("bespoke", "manualised"):
            if not math.isfinite(getattr(self, name)):
                raise DesignError(f"World: {name} must be a log hazard ratio, a finite number.")
        one_of(self.offered, OFFERED, what="World: offered", error=DesignError)
