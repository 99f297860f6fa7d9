"""What a study cannot ask where no arm is fixed at time zero: whatever looks ahead, or needs a clock that stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.errors import DesignError, NotSupportedError

if TYPE_CHECKING:
    from outcomes.design.study import Study

__all__ = ["NOBODYS", "OTHER", "VARYING", "refuse_what_looks_ahead"]

VARYING = ("exposure", "state", "strand", "voluntary")
"""Columns that change with time."""

NOBODYS, OTHER = "none", "other"
"""Exposure of who has started nothing, and of who has started programmes of no arm only."""


def refuse_what_looks_ahead(study: Study) -> None:
    """Refuse a study under a strategy that fixes no arm at time zero, and asks for what only fixed arms can give.

    Raises
    ------
    DesignError
        A window or ``if_both``, which look ahead; dropping out as an outcome. Under ``time_varying`` a grace, and an arm called like a
        level of exposure; under ``clone_censor_weight`` people who come late under observation.
    NotSupportedError
        The scale ``community``.
    """
    arms, strategy = study.arms, study.time_zero.strategy
    here = f"[time_zero] strategy = {strategy!r}"
    if arms.window is not None or arms.if_both != "first":
        key = "window" if arms.window is not None else "if_both"
        raise DesignError(
            f"{here} takes every start from its own day on; [arms] {key} looks at starts that are still to come. Leave it out."
        )
    for outcome in study.outcomes.values():
        if outcome.kind == "drop_out":
            raise DesignError(
                f"[outcomes.{outcome.name}] kind = 'drop_out': only who has started can drop out, and {here} follows everyone. It goes "
                "with strategy = 'none'."
            )
    if strategy == "time_varying":
        _refuse_what_cannot_vary(study, here)
    elif study.follow_up.observed_from is not None:
        raise DesignError(
            f"{here} follows everyone from time zero; [follow_up] observed_from has people enter late, when some have departed already "
            "and are not seen. Leave it out, and those whose time zero came before it with [eligibility] include."
        )
    if study.follow_up.scale == "community":
        raise NotSupportedError(
            f"{here} cuts time at risk on the calendar days on which people start and leave; [follow_up] scale = 'community' stops the "
            "clock while they are away, and keeps no calendar. Take scale = 'at_risk', on which time away is left out too."
        )


def _refuse_what_cannot_vary(study: Study, here: str) -> None:
    if study.time_zero.grace is not None:
        raise DesignError(f"{here} has no grace: a start counts from its own day on. Leave grace out.")
    for name, arm in study.arms.definitions.items():
        if (name == NOBODYS and not arm.none) or name == OTHER:
            raise DesignError(f"{here}: {name!r} is a level of exposure of its own; give arm {name!r} another name.")
