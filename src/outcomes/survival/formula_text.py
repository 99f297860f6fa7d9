"""What the text of a formula says before it meets data: one side, no powers, and the columns it names."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from outcomes.errors import EstimationError

__all__ = ["must_be_one_side", "names_in", "parsed", "required_by", "terms_of"]

_NAME = re.compile(r"(?<![\w.])[^\W\d]\w*\b(?!\s*(?:[(.]|=(?!=)))")  # no function, no module, no name of an argument


def must_be_one_side(formula: str, what: str) -> None:
    """Raise where a formula has a left side, or a power that formulas read as something else."""
    if "~" in formula:
        raise EstimationError(
            f"{what}: the formula {formula!r} has a ~. Give its right side alone, such as 'arm + age'; the data know the outcome."
        )
    if re.search(r"\w\s*\^", formula):
        raise EstimationError(
            f"{what}: ^ in the formula {formula!r} is no power. Write I(age**2) for a square, and a*b or a:b for products."
        )


def names_in(formula: str) -> tuple[str, ...]:
    """Return the columns a formula speaks of, in the order of the alphabet.

    Examples
    --------
    >>> names_in("prior + C(risk_band) + prior:age")
    ('age', 'prior', 'risk_band')
    >>> names_in("bs(age, df=4) + np.log(prior)")
    ('age', 'prior')
    """
    return required_by(parsed(formula), formula)


def terms_of(formula: str) -> tuple[str, ...]:
    """Return the terms a formula adds up, without the intercept, as text that may stand in a formula again.

    Examples
    --------
    >>> terms_of("age + C(risk_band) * prior")
    ('age', 'C(risk_band)', 'prior', 'C(risk_band):prior')
    """
    return tuple(str(term) for term in parsed(formula) if str(term) not in ("0", "1"))


@lru_cache(maxsize=256)
def parsed(formula: str) -> Any:
    """Return a formula as formulaic reads it, read once; what it learns of data is kept with the matrix it makes, not here."""
    from formulaic import Formula

    return Formula(formula)


def required_by(parsed: Any, formula: str) -> tuple[str, ...]:
    """Return the columns a formula needs: those formulaic knows of, and the arguments of its splines and polynomials."""
    said = re.sub(r"\"[^\"]*\"|'[^']*'|`[^`]*`", "", formula)
    names = {str(name) for name in parsed.required_variables} | {*_NAME.findall(said)}
    return tuple(sorted(names - {"True", "False", "None"}))
