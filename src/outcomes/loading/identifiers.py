"""Names of columns that say a direct identifier. Such a column is refused: it must not reach a table of this library."""

from __future__ import annotations

import re

__all__ = ["names_a_person"]

# Whole words of a column's name: names, dates of birth, numbers given by police, prisons, probation, health and tax services,
# and places exact enough to find a door.
_SAYS = re.compile(
    r"(?:^|_)(?:forenames?|surname|(?:first|last|full|given|family|middle|nick)_?name|alias|initials|"
    r"dob|birth|birth_?da(?:te|y)|nino|ni_?(?:no|num|number)|pnc|pncid|cro|noms|nomis|crn|delius|nhs|passport|urn|url|"
    r"prison(?:er)?_?(?:n|no|num|number)|court_?ref|(?:post|zip)_?codes?|address|e?_?mail|phone|telephone|tel|mobile|"
    r"lat|latitude|lon|lng|longitude|easting|northing|victim)\d*(?:_|$)"
)
# The word "name" is innocent after the name of a thing.
_NAME = re.compile(
    r"(?:^|_)(?<!area_)(?<!court_)(?<!file_)(?<!group_)(?<!instrument_)(?<!office_)(?<!offence_)(?<!prison_)(?<!programme_)"
    r"(?<!project_)(?<!region_)(?<!scale_)(?<!site_)(?<!team_)(?<!unit_)names?\d*(?:_|$)"
)


def names_a_person(column: str) -> bool:
    """Return whether a column's name plainly says a direct identifier.

    Examples
    --------
    >>> [names_a_person(name) for name in ("Surname", "dateOfBirth", "NHS number", "post_code", "relation", "site_name")]
    [True, True, True, True, False, False]
    """
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column.strip())
    snake = re.sub(r"[^a-z0-9]+", "_", snake.lower()).strip("_")
    return bool(_SAYS.search(snake) or _NAME.search(snake))
