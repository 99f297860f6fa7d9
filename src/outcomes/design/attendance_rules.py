"""What a study must not ask of sessions: how many somebody attended in the end is not known when follow-up starts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from outcomes.errors import DesignError

if TYPE_CHECKING:
    from outcomes.design.study import Study

__all__ = ["refuse_attendance_from_the_start"]

_KNOWN_LATER = ("sessions_attended", "attended_share")


def refuse_attendance_from_the_start(study: Study) -> None:
    """Refuse conditions and covariates that say how many sessions people attended.

    Raises
    ------
    DesignError
        [eligibility] include or [adjust] formula names them; both speak of time zero.
    """
    asked = {"[eligibility] include": {condition.column for condition in study.eligibility.include}}
    if study.adjust is not None:
        asked["[adjust] formula"] = set(re.findall(r"\w+", study.adjust.formula))
    for where, names in asked.items():
        for column in _KNOWN_LATER:
            if column in names:
                raise DesignError(
                    f"{where} names {column!r}, which is not known at time zero: who reoffends or leaves early cannot attend much, so that "
                    "sessions would look good whatever they do (immortal time). Two things can be asked in its place: "
                    "attendance_effect(tables, study, by='landmark'), the share by the scheduled end, or by='cumulative', the share so far."
                )
