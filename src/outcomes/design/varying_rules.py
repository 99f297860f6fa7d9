"""What a study cannot ask where exposure changes with time: whatever looks ahead, or needs a clock that stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.errors import DesignError, NotSupportedError

if TYPE_CHECKING:
    from outcomes.design.study import Study

__all__ = ["NOBODYS", "OTHER", "VARYING", "refuse_what_cannot_vary"]

VARYING = ("exposure", "state", "strand", "voluntary")
"""Columns that change with time."""

NOBODYS, OTHER = "none", "other"
"""Exposure of who has started nothing, and of who has started programmes of no arm only."""

_HERE = "[time_zero] strategy = 'time_varying'"


def refuse_what_cannot_vary(study: Study) -> None:
    """Refuse a study under ``time_varying`` that asks for what exposure changing with time cannot give.

    Raises
    ------
    DesignError
        A window or ``if_both``, which look ahead; a grace; dropping out as an outcome; an arm called like a level of exposure.
    NotSupportedError
        The scale ``community``.
    """
    arms = study.arms
    if study.time_zero.grace is not None:
        raise DesignError(f"{_HERE} has no grace: a start counts from its own day on. Leave grace out.")
    if arms.window is not None or arms.if_both != "first":
        key = "window" if arms.window is not None else "if_both"
        raise DesignError(
            f"{_HERE} takes every start from its own day on; [arms] {key} looks at starts that are still to come. Leave it out."
        )
    for name, arm in arms.definitions.items():
        if (name == NOBODYS and not arm.none) or name == OTHER:
            raise DesignError(f"{_HERE}: {name!r} is a level of exposure of its own; give arm {name!r} another name.")
    for outcome in study.outcomes.values():
        if outcome.kind == "drop_out":
            raise DesignError(
                f"[outcomes.{outcome.name}] kind = 'drop_out': only who has started can drop out, and {_HERE} follows everyone. There "
                "it is a level of the column state; as an outcome it goes with strategy = 'none'."
            )
    if study.follow_up.scale == "community":
        raise NotSupportedError(
            f"{_HERE} cuts time at risk on the calendar days on which people start and leave; [follow_up] scale = 'community' stops the "
            "clock while they are away, and keeps no calendar. Take scale = 'at_risk', on which time away is left out too."
        )
