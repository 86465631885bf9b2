"""Which runs are one training, by the marks of their logs: copies of a log, and earlier states of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

from lib.data.folder.units import FoundForm
from lib.data.trainer.log_marks import LogMark
from lib.data.trainer.trainings import LEAST_ROWS

Beginning = Callable[[FoundForm, int], str]
"""How a log begins, at a number of points: that takes reading it again."""


def same_trainings(logs: Mapping[str, FoundForm], names: Mapping[str, str], beginning: Beginning) -> dict[str, str]:
    """Find the runs that are one training, whichever folders they lie in.

    Args:
        logs: The form of each run with its leading log, by run id.
        names: What each run is called.
        beginning: Is asked where the marks alone do not tell.

    Returns:
        By run id, for each run whose log is that of another or its beginning, the run that stands for both: the
        longest, of equal ones the first by name.
    """
    marks = {run_id: form.mark for run_id, form in logs.items() if form.mark is not None}
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for run_id, mark in marks.items():
        if mark.rows >= LEAST_ROWS:
            alike[mark.opening].append(run_id)
    found: dict[str, str] = {}
    for run_ids in alike.values():
        if len(run_ids) < 2:
            continue
        # Of logs of equal length and content the first stands for all: a sweep has thousands that open alike.
        standing: list[str] = []
        whole: dict[tuple[int, str], str] = {}
        for run_id in sorted(run_ids, key=lambda each: (-marks[each].points, names[each], each)):
            mark = marks[run_id]
            longer = whole.get((mark.points, mark.ladder[-1])) or next(
                (other for other in standing if _is_beginning(mark, logs[other], marks[other], beginning)), None
            )
            if longer is None:
                standing.append(run_id)
                whole[mark.points, mark.ladder[-1]] = run_id
            else:
                found[run_id] = longer
    return found


def _is_beginning(mark: LogMark, log: FoundForm, other: LogMark, beginning: Beginning) -> bool:
    if mark.rows > other.rows or mark.points >= other.points:
        return False
    # Both marks have the same steps up to the last power of four below the shorter one's end.
    steps = len(mark.ladder) - 1
    if mark.ladder[:steps] != other.ladder[:steps]:
        return False
    if mark.points == 4 ** (steps + 1) and steps < len(other.ladder) - 1:
        return mark.ladder[-1] == other.ladder[steps]
    return mark.ladder[-1] == beginning(log, mark.points)
