"""Values that look like a direct identifier: numbers given by police, prisons, probation, health and tax services; addresses.

A form is all there is to go by. A pseudonym of a letter and six digits (P000123) has the form of a case reference number of
probation, and one such as A1234BC that of a prison number: they are refused until the column is declared to identify nobody.
Whole numbers below a thousand millions have no form known here; the invented cohorts use such numbers.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import accumulate

__all__ = ["KINDS", "Kind", "identifier_hits"]

_LONGEST = 1_000  # characters of one value that are looked at
_SHARE_OF_SHAPE = 0.5  # one in eleven ten-digit numbers passes for an NHS number by chance
_CHECK_LETTERS = "ZABCDEFGHJKLMNPQRTUVWXY"
_POSTCODE_AREAS = (
    "A[BL]|B[ABDHLNRST]?|C[ABFHMORTVW]|D[ADEGHLNTY]|E[CHNX]?|F[KY]|G[LUY]?|H[ADGPRSUX]|I[GMPV]|JE|K[ATWY]|L[ADELNSU]?|"
    "M[EKL]?|N[EGNPRW]?|O[LX]|P[AEHLOR]|R[GHM]|S[AEGKLMNOPRSTWY]?|T[ADFNQRSW]|UB|W[ACDFNRSV]?|YO|ZE"
)


def _passes_pnc(text: str) -> bool:
    year, rest = text.split("/")
    return text[-1].upper() == _CHECK_LETTERS[int(f"{year[-2:]}{rest[:-1]:0>7}") % 23]


def _passes_nhs(text: str) -> bool:
    digits = [int(character) for character in text if character.isdigit()]
    if len(set(digits)) == 1:  # a filler such as 0000000000
        return False
    weighted = sum(digit * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False))
    return digits[9] == (11 - weighted % 11) % 11


@dataclass(frozen=True)
class Kind:
    """One kind of direct identifier.

    Attributes
    ----------
    name : str
        What a message calls several of them.
    pattern : compiled pattern
        Finds one that is the whole value, or stands in it as a word of its own.
    passes : callable or None
        Whether the check letter or digit of a found one is right, where there is one.
    """

    name: str
    pattern: re.Pattern[str]
    passes: Callable[[str], bool] | None = None


def _kind(name: str, pattern: str, passes: Callable[[str], bool] | None = None) -> Kind:
    alone = rf"(?<![^\s,;:()\[\]\"'])(?:{pattern})(?![^\s,;:()\[\]\"'.?!])"
    return Kind(name, re.compile(alone, re.IGNORECASE | re.ASCII), passes)


KINDS: tuple[Kind, ...] = (
    _kind("PNC numbers", r"(?:\d\d|\d{4})/\d{1,7}[A-Z]", _passes_pnc),
    _kind("CRO numbers", r"(?:\d{1,6}/\d\d|SF\d\d/\d{1,6})[A-Z]"),
    _kind("prison numbers", r"[A-Z]\d{4}[A-Z]{2}"),
    _kind("case reference numbers of probation (CRN)", r"[A-Z]\d{6}"),
    _kind("NHS numbers", r"\d{3}[ -]?\d{3}[ -]?\d{4}", _passes_nhs),
    _kind(
        "National Insurance numbers",
        r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]",
    ),
    _kind("e-mail addresses", r"[A-Z0-9._%+'-]+@[A-Z0-9-]+(?:\.[A-Z0-9-]+)+"),
    _kind(
        "telephone numbers",
        r"(?:(?:\+|00)44 ?(?:\(0\) ?)?|\(?0)"
        r"(?:[1237]\d{3}\)?[ -]?\d{3}[ -]?\d{3}|[1237]\d\d\)?[ -]?\d{3}[ -]?\d{4}|2\d\)?[ -]?\d{4}[ -]?\d{4})",
    ),
    _kind("full postcodes", rf"(?:{_POSTCODE_AREAS})\d[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{{2}}"),
)


def identifier_hits(values: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Return how many rows hold each kind of direct identifier, of the kinds that are there.

    Parameters
    ----------
    values : iterable of (value, rows that hold it)
        Distinct values. One of a kind that has a check letter or digit counts only where at least half of the values of its
        shape pass the check: fewer pass by chance.

    Examples
    --------
    >>> identifier_hits([("A1234BC", 3), ("released to A1234BD.", 1), ("A12", 900)])
    {'prison numbers': 4}
    """
    listed = [(value[:_LONGEST].replace("\n", " "), rows) for value, rows in values]
    text = "\n".join(
        value for value, _ in listed
    )  # one scan a kind over all values is ten times as fast as one a value
    starts = [0, *accumulate(len(value) + 1 for value, _ in listed)]
    found = {}
    for kind in KINDS:
        shaped, passed = set(), set()
        for match in kind.pattern.finditer(text):
            at = bisect_right(starts, match.start()) - 1
            shaped.add(at)
            if kind.passes is None or kind.passes(match[0]):
                passed.add(at)
        if passed and len(passed) >= _SHARE_OF_SHAPE * len(shaped):
            found[kind.name] = sum(listed[at][1] for at in passed)
    return found
