"""What is shown of a difference over the share of events that are recorded: the curve with its band, and where it tips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outcomes.comparison.detection_result import DetectionSensitivity
from outcomes.disclosure.interval_lines import level_of
from outcomes.durations import in_words

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["shown_over_shares"]


def shown_over_shares(result: DetectionSensitivity) -> tuple[str, dict[str, pd.DataFrame], dict[str, Any]]:
    """Return kind, frames (the main one first) and facts: differences per 100 people, shares per 100 events."""
    import pandas as pd

    frame = result.frame.sort_values("share", ignore_index=True)
    curve = pd.DataFrame({"share": 100 * frame["share"]})
    for name in ("estimate", "conf_low", "conf_high"):
        curve[name] = 100 * frame[name]
    curve["verdict"] = frame["verdict"]
    tips = result.tipping
    tipping = pd.DataFrame(
        {
            "what": ["no difference at", "same verdict down to"],
            "share": [100 * tips.vanishes, 100 * tips.verdict_changes],
        }
    ).dropna(subset=["share"])
    row = frame.iloc[-1]
    return "detection", {"curve": curve, "tipping": tipping, "table": result.to_frame()}, {
        "arms": (str(row["reference"]), str(row["arm"])),
        "margin": result.margin,
        "axis": f"how many of 100 events of {result.whom} are recorded",
        "said": f"{row['arm']} minus {row['reference']}: {row['cause']} by {in_words(row['time'], result.labels.get('unit', 'days'))}; "
        f"{level_of(result.conf_level)}",
    }  # fmt: skip
