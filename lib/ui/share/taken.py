"""The comparison of the page as reports and records see it, and a recorded one of what is there now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lib.core.budget.spent import Budget
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.errors import AppError
from lib.core.facts.metrics import Better
from lib.core.facts.runs import RunSummary, told_completed
from lib.data.source import RunSource
from lib.report.changes import Change, changes
from lib.report.compared import Compared, Told, judge
from lib.report.record import again, told_of
from lib.ui.session import link, reads, url
from lib.ui.session.comparison import Comparison
from lib.ui.session.read_as import read_completed, read_under
from lib.ui.session.run_data import RunData


class NotWhole(AppError):
    """A run of the comparison could not be read, or not all of it: no decision about it is put on record."""


def compared_of(comparison: Comparison) -> Compared:
    """The comparison that the page shows.

    Raises:
        NotWhole: If a run was not read.
    """
    unread = [each.label for each in comparison.runs if each.data is None or each.error is not None]
    if unread:
        raise NotWhole(
            f"Expected all curves of the selected runs, got none or a part of {', '.join(unread)}.",
            hint="Try again when they could be read, or leave these runs out.",
        )
    by, direction = comparison.by
    better: Better | None = "lower" if direction == "lower" else "higher" if direction == "higher" else None
    known = {each.run.run_id: each.data for each in comparison.runs if each.data is not None}
    first = comparison.runs[0] if comparison.runs else None
    return judge(
        [data.run for data in known.values()],
        {run_id: _logged(data) for run_id, data in known.items()},
        comparison.labels,
        None if first is None else first.clock(),
        policy=comparison.policy,
        by=by or None,
        direction=better,
        told=Told(url.value(link.ENDED), tuple(url.value(link.READ_AS))),
        slots={each.run.run_id: each.slot for each in comparison.runs},
        budget=Budget(url.value(link.BUDGET), url.value(link.PRICE)),
    )


def changed(record: Mapping[str, Any], source: RunSource) -> Sequence[Change]:
    """What is another than on record, of the runs that this reader may see; () for nothing.

    Raises:
        RunSourceError: If they cannot be read.
    """
    told = told_of(record)
    every_row = all(run.get("complete") is True for run in record["runs"])
    runs = reads.load_runs(source, tuple(run["run_id"] for run in record["runs"]))
    known = [_as_told(run, reads.load_data(source, run, every_row=every_row), told) for run in runs]
    curves = {data.run.run_id: _logged(data) for data in known}
    return changes(record, again(record, [data.run for data in known], curves))


def _logged(data: RunData) -> RunCurves:
    """Its curves without those that are derived."""
    return data.curves if data.logged is None else data.logged


def _as_told(run: RunSummary, data: RunData, told: Told) -> RunData:
    if told.read_as:
        data = read_under(data, told.read_as)
    return read_completed(data) if told.ended and told_completed(run) is not run else data
