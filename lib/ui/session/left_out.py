"""What of a link could not be taken: taken out of it, and said. What merely could not be read stays in it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from lib.core.baseline.words import gone
from lib.core.facts.selection import MOST_NAMED, reconcile
from lib.core.ranking.metric_names import EVAL_LOSS, is_candidate
from lib.core.text.phrases import counted, first_of
from lib.data.source import RunSource
from lib.ui.session import link, reads, url
from lib.ui.session.read_as import asked_by, readable
from lib.ui.session.run_data import RunData


def reconciled(
    source: RunSource, wanted: Sequence[str], found: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The ids of a link's runs that stay selected, and what is to be said of the others.

    Args:
        source: Where the runs were looked for.
        wanted: The link's.
        found: Those that are there.
    """
    if reads.outdated_runs(source, tuple(wanted)) is None:
        taken = reconcile(wanted, found)
        return taken.ids, tuple(taken.sentences)
    # Nobody knows whether the others are gone.
    taken = reconcile(wanted, wanted)
    unread = [run_id for run_id in taken.ids if run_id not in found]
    said = f"{counted(len(unread), 'run')} of the link could not be read yet: {first_of(unread, MOST_NAMED)}."
    return taken.ids, (*taken.sentences, *((said,) if unread else ()))


def without_baseline(source: RunSource, selected: Collection[str]) -> tuple[str, ...]:
    """Take a baseline that is not among the selected runs out of the link, and say so."""
    base = url.value(link.BASE)
    if not base or base in selected:
        return ()
    url.put(link.BASE, "")
    url.put(link.MINUS, False)
    return (gone(next((run.name for run in reads.load_runs(source, (base,))), base)),)


def unknown(found: Sequence[RunData | None]) -> tuple[str, ...]:
    """Take metrics that none of the selected runs logged out of the link, and say so.

    Not where a run was not read, or where its source cannot tell what it logged: it may have logged them.

    Args:
        found: What was read of each run; ``None`` where that is not all of it.
    """
    whole = [data for data in found if data is not None]
    read = [data.curves for data in whole]
    if not found or len(read) < len(found) or any(curves.may_have_more for curves in read):
        return ()
    unread = _drop_readings(whole)
    logged = {metric for curves in read for metric in (*curves.curves, *curves.unread)}
    further = url.value(link.MORE_METRICS)
    lost = [metric for metric in further if metric not in logged]
    if lost:
        url.put(link.MORE_METRICS, tuple(metric for metric in further if metric in logged))
    said = [f"metric={metric}" for metric in lost]
    by = asked_by([data.run for data in whole], logged)
    # An eval loss may be stored where none is logged.
    if by and not (is_candidate(by) and by in {*logged, EVAL_LOSS}):
        url.put(link.BY, "")
        url.put(link.DIRECTION, "")
        said.append(f"by={by}")
    if not said:
        return unread
    return (f"Left out of the link, as no selected run logged such a metric: {first_of(said, MOST_NAMED)}.", *unread)


def _drop_readings(read: Sequence[RunData]) -> tuple[str, ...]:
    """Take names that none of the runs has, or that none can read otherwise, out of the link, and say so."""
    names, may = url.value(link.READ_AS), readable(read)
    lost = [f"as={name}~{metric}" for name, metric in names if name not in may]
    if not lost:
        return ()
    url.put(link.READ_AS, tuple(each for each in names if each[0] in may))
    return (
        f"Left out of the link, as no selected run has a guess or a metric so called: {first_of(lost, MOST_NAMED)}.",
    )
