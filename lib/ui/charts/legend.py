"""The legend that charts share: it stands beside them, so that no chart depends on the selection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lib.core.text.labels import short_labels
from lib.ui.session.comparison import ComparedRun


def legend(
    runs: Sequence[ComparedRun], *, limit: int, most_above: int, keys: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What ``static/charts.js`` draws as a legend.

    Args:
        runs: In the order shown.
        limit: Characters a name is cut to; cut names stay unique, and the full one is its tooltip.
        most_above: Up to so many runs it stands above the charts, and else at their right.
        keys: Marks and what they mean, below the runs.
    """
    names = short_labels({each.run.run_id: each.label for each in runs}, limit)
    return {
        "vertical": len(runs) > most_above,
        "runs": [{"name": names[each.run.run_id], "label": each.label, "color": each.color} for each in runs],
        "keys": [f"{mark} {meaning}" for mark, meaning in (keys or {}).items()],
    }
