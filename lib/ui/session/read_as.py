"""What somebody who looks at runs says of them: which metric is which of ours, and that their training ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from lib.core.facts.metrics import METRICS
from lib.core.facts.readings import metric_called
from lib.core.facts.runs import RunSummary, told_completed
from lib.core.ranking.metric_names import EVAL_LOSS
from lib.data.formats.assembly import renamed
from lib.ui.session import link, url
from lib.ui.session.run_data import RunData, data_of

Names = tuple[tuple[str, str], ...]
"""What a program called a metric, and which of ours it is; "" for none of ours."""

TRAIN_LOSS = "train_loss"
OFFERED = (EVAL_LOSS, TRAIN_LOSS)
"""What a metric that is none of ours can be read as."""


@dataclass(frozen=True, slots=True)
class Readable:
    """What can be read otherwise in some runs, by the names that their programs gave.

    Attributes:
        guessed: By name, the metrics of ours that it was taken for by a guess, in one of the runs at least.
        further: Names of metrics that are none of ours.
    """

    guessed: dict[str, tuple[str, ...]]
    further: tuple[str, ...]

    def __contains__(self, name: str) -> bool:
        return name in self.guessed or name in self.further


def readable(runs: Iterable[RunData]) -> Readable:
    """What can be read otherwise in these runs: guesses, and what is none of ours; never what is sure.

    A source that did not send every value of a run knows its metrics by their names alone, so these stay.
    """
    guessed: dict[str, dict[str, None]] = {}
    further: dict[str, None] = {}
    for each in runs:
        read = each.origin or each
        logged = read.logged
        if logged is None or not logged.is_complete or logged.unread or logged.may_have_more:
            continue
        names = {named.metric: named.name for named in read.run.read_as}
        for named in read.run.read_as:
            if named.guessed and named.metric in logged.curves:
                guessed.setdefault(named.name, {})[named.metric] = None
        further |= {names.get(key, key): None for key in logged.curves if key not in METRICS}
    others = tuple(sorted(name for name in further if name not in guessed))
    return Readable({name: tuple(metrics) for name, metrics in sorted(guessed.items())}, others)


def read_under(data: RunData, names: Names) -> RunData:
    """A run read under other names; the very same where none of them is to be changed.

    It hangs on what was read, so that it goes with that, and is never changed for others who look at the run.
    """
    may = readable([data])
    said = tuple((name, metric) for name, metric in names if name in may)
    logged = data.logged
    if not said or logged is None:
        return data

    def make() -> RunData:
        run, curves = renamed(data.run, logged, dict(said))
        return data if curves is logged and run is data.run else data_of(curves, run, data)

    return data.computed_values.computed("read as", said, make)


def read_completed(data: RunData) -> RunData:
    """A run that counts as completed where its log does not say how it ended; it hangs on what was read."""
    run, logged = told_completed(data.run), data.logged
    if run is data.run or logged is None:
        return data
    return data.computed_values.computed("completed", (), lambda: data_of(logged, run, data.origin or data))


def asked_by(runs: Iterable[RunSummary], logged: Collection[str]) -> str:
    """The metric that the link asks to rank by; one that a program called so, under the name that is shown."""
    asked = url.value(link.BY)
    by = asked if asked in logged else metric_called(asked, runs)
    if by != asked:
        url.put(link.BY, by)
    return by


def saying(names: Names, name: str, metric: str | None) -> Names:
    """The same with one name read otherwise, or as it was read for ``None``.

    Where another one is read as the same metric, the newer wish counts: two cannot be one metric.
    """
    kept = tuple((one, read) for one, read in names if one != name and (not metric or read != metric))
    return kept if metric is None else (*kept, (name, metric))
