"""Who of a programme's own clients is not eligible for the others: why, and what they are like beside those who are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.results import Note, Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Outside", "outside_of"]

_DESCRIBED = ("denial", "learning_disability", "risk_band", "setting")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Outside(Result):
    """Clients of each programme who are not eligible for all of them, beside those who are.

    Attributes
    ----------
    frame : pandas.DataFrame
        As `to_frame` gives it.
    reasons : pandas.DataFrame
        arm, reason, n: the rule of another programme that shuts them out, or that its rules cannot be applied.
    """

    frame: pd.DataFrame
    reasons: pd.DataFrame
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    title: ClassVar[str] = "Own clients who are not eligible for every programme"
    tabled: ClassVar[bool] = True

    def to_frame(self) -> pd.DataFrame:
        """Return one row a programme, characteristic and level.

        Columns: arm, characteristic, level, n_inside, share_inside, n_outside, share_outside. Inside are those eligible for every
        programme. Shares are of those inside, and of those outside.
        """
        return self.frame.copy()

    def summary(self) -> pd.DataFrame:
        """Return arm, reason, n."""
        return self.reasons.copy()

    def describe(self) -> str:
        """Return for each programme how many of its clients are outside, why, and where they differ most."""
        parts = []
        for arm, frame in self.frame.groupby("arm", sort=False):
            first = frame[frame["characteristic"] == frame["characteristic"].iloc[0]]
            inside, outside = int(first["n_inside"].sum()), int(first["n_outside"].sum())
            lead = f"Of {inside + outside:,} own clients of {arm}, {outside:,} are not eligible for every programme"
            if not outside:
                parts.append(f"{lead}.")
                continue
            mine = self.reasons[self.reasons["arm"] == arm]
            why = ", ".join(f"{row['n']:,} {row['reason']}" for row in mine.to_dict("records"))
            parts.append(f"{lead} ({why}).{_largest(frame)}")
        return " ".join(parts)


def _largest(frame: pd.DataFrame) -> str:
    """Return where those outside differ most from those inside, in words; empty where there is nobody inside."""
    gap = (frame["share_outside"] - frame["share_inside"]).to_numpy()
    if not np.isfinite(gap).any():
        return ""
    row = frame.iloc[int(np.nanargmax(gap))]
    return (
        f" They differ most in {row['characteristic'].replace('_', ' ')}: {100 * row['share_outside']:.0f} of 100 of them are "
        f"'{row['level']}', of those inside {100 * row['share_inside']:.0f}."
    )


def outside_of(baseline: pd.DataFrame, arms: Sequence[str], programmes: Sequence[str]) -> Outside:
    """Describe who is outside.

    Parameters
    ----------
    baseline : pandas.DataFrame
        Own clients of all arms, with ``eligible_<arm>`` and, where a rule excludes somebody, ``excluded_by_<arm>``.
    arms : sequence of str
    programmes : sequence of str
        The arms that have programmes.
    """
    import pandas as pd

    verdicts = np.stack([baseline[f"eligible_{arm}"].astype(str).to_numpy() for arm in programmes])
    outside = (verdicts != "yes").any(axis=0)
    arm_of = baseline["arm"].astype(str).to_numpy()
    because = _why(baseline, programmes, verdicts)
    rows, reasons = [], []
    for arm in (name for name in arms if name in programmes):
        mine = arm_of == arm
        rows += list(_levels(baseline, arm, mine, outside))
        why = pd.Series(because[mine & outside])
        reasons += [{"arm": arm, "reason": reason, "n": int(n)} for reason, n in why.value_counts().items()]
    return Outside(frame=pd.DataFrame(rows), reasons=pd.DataFrame(reasons, columns=["arm", "reason", "n"]))


def _levels(baseline: pd.DataFrame, arm: str, mine: Any, outside: Any) -> Iterator[dict[str, Any]]:
    for name in _DESCRIBED:
        if name not in baseline:
            continue
        values = baseline[name].astype(object).where(baseline[name].notna(), "unknown").astype(str).to_numpy()
        sizes = [int((mine & ~outside).sum()), int((mine & outside).sum())]
        for level in sorted(set(values[mine])):
            there = [int((mine & side & (values == level)).sum()) for side in (~outside, outside)]
            share = [n / size if size else float("nan") for n, size in zip(there, sizes, strict=True)]
            yield {
                "arm": arm, "characteristic": name, "level": level, "n_inside": there[0], "share_inside": share[0],
                "n_outside": there[1], "share_outside": share[1],
            }  # fmt: skip


def _why(baseline: pd.DataFrame, programmes: Sequence[str], verdicts: Any) -> Any:
    """Return why each person is outside, in words: the first programme that shuts them out, else the first that cannot tell."""
    found = np.full(len(baseline), "", dtype=object)
    for place, arm in reversed(list(enumerate(programmes))):
        found[verdicts[place] == "unknown"] = f"eligibility for {arm} not known"
    for place, arm in reversed(list(enumerate(programmes))):
        here = verdicts[place] == "no"
        rule = baseline.get(f"excluded_by_{arm}")
        if rule is None or not here.any():
            found[here] = f"shut out by the rules of {arm}"
            continue
        reasons = rule.astype(object).where(rule.notna(), "no reason recorded").to_numpy()[here]
        found[here] = [f"shut out by {arm}: {str(reason).replace('_', ' ')}" for reason in reasons]
    return found
