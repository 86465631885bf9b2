"""The runs of a source that a command is about: chosen by name, read, and judged."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from lib.cli import read_as
from lib.cli.read_as import Readings
from lib.cli.sources import add_source, listed, source_of
from lib.core.budget.spent import ALL_REACHED, Budget, Kind
from lib.core.budget.words import why_not
from lib.core.config.naming import labels_of
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.errors import AppError
from lib.core.facts.foreign import isolated
from lib.core.facts.metrics import Better
from lib.core.facts.query import RunPage
from lib.core.facts.readings import metric_called
from lib.core.facts.runs import RunSummary, told_completed
from lib.core.facts.selection import MAX_SELECTED
from lib.core.ranking.deciding import may_rank
from lib.data.source import RunSource
from lib.report.compared import Compared, Told, judge


class WrongSelection(AppError):
    """The runs that were named, or not named, cannot be compared, or not by the metric that was named."""


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which runs are compared, and by what."""
    add_source(parser)
    parser.add_argument(
        "--run", action="append", default=[], dest="names", metavar="NAME", help="one of the runs; may be repeated"
    )
    parser.add_argument("--by", metavar="METRIC", help="rank by this evaluation metric, such as eval_loss or eval_f1")
    parser.add_argument("--direction", choices=("lower", "higher"), help="which direction of it is better")
    parser.add_argument(
        "--ended", action="store_true", help="runs whose logs do not say whether their training ended are completed"
    )
    read_as.add_to(parser)


def chosen(called: argparse.Namespace, baseline: str = "", budget: Budget = ALL_REACHED) -> Compared:
    """The comparison that arguments ask for (``add_choice``), beside a baseline and at a budget (``compare``)."""
    readings = read_as.asked(called.read_as)
    with source_of(called) as source:
        return compare(
            source,
            called.names,
            called.by,
            called.direction,
            ended=called.ended,
            readings=readings,
            baseline=baseline,
            budget=budget,
        )


def compare(
    source: RunSource,
    names: Sequence[str],
    by: str | None = None,
    direction: Better | None = None,
    *,
    ended: bool = False,
    readings: Readings | None = None,
    baseline: str = "",
    budget: Budget = ALL_REACHED,
) -> Compared:
    """Compare runs of a source.

    Args:
        source: Where from.
        names: Of the runs, as the list calls them, or their ids; all runs where none is named.
        by: The metric to rank by; the one that the rules give where none is named.
        direction: Which direction of it is better, where neither its name nor the runs say so.
        ended: Runs whose logs do not say whether their training ended count as completed.
        readings: Metrics that are read otherwise than they were taken for.
        baseline: The one of the runs that the others are compared with, by name or id; "" for none.
        budget: At what amount they are compared, and what a GPU hour costs.

    Raises:
        WrongSelection: If a name is of no run or of several, if there are none, or too many, to compare, if no
            evaluation of them measured ``by``, or if they have no such budget.
        RunSourceError: If they cannot be read.
        WrongReading: If ``readings`` name what cannot be read otherwise.
    """
    page = listed(source, names)
    labels = labels_of(page.runs)
    told = Told(ended, tuple(readings.names.items()) if readings is not None else ())
    selected = _chosen(page, labels, names)
    base = _named(baseline, selected, labels, "the baseline to be one run").run_id if baseline else ""
    picked, curves = read(source, selected, told, is_asked=True)
    if by is not None and not any(by in own.curves for own in curves.values()):
        by = metric_called(by, picked)
    _check_logged(by, curves)
    compared = judge(
        picked,
        curves,
        labels,
        source.now(),
        by=by,
        direction=direction,
        told=told,
        unreadable=page.unreadable,
        baseline=base,
        budget=budget,
    )
    _check_budget(compared)
    return compared


def read(
    source: RunSource, runs: Sequence[RunSummary], told: Told, *, is_asked: bool = False
) -> tuple[Sequence[RunSummary], Mapping[str, RunCurves]]:
    """Runs and their curves, as somebody says that they are to be read.

    Args:
        source: Where from.
        runs: As it lists them.
        told: What was said of them.
        is_asked: Somebody says it now, and wants to know where it makes no sense.

    Raises:
        RunSourceError: If the curves cannot be read.
        WrongReading: Where ``told`` names what cannot be read otherwise, if that is asked for.
    """
    runs = [told_completed(run) if told.ended else run for run in runs]
    curves = source.load_curves([run.run_id for run in runs])
    if not told.read_as:
        return runs, curves
    readings = Readings(dict(told.read_as))
    curves = {run.run_id: curves.get(run.run_id, RunCurves(run.run_id)) for run in runs}
    if is_asked:
        readings.check(runs, curves)
    both = [readings.of(run, curves[run.run_id]) for run in runs]
    return [run for run, _ in both], {run.run_id: own for run, own in both}


def _check_logged(by: str | None, curves: Mapping[str, RunCurves]) -> None:
    logged = sorted({metric for own in curves.values() for metric in own.curves if may_rank(own, metric)})
    if by is not None and by not in logged:
        raise WrongSelection(
            f"Expected an evaluation metric that a run logged, got {isolated(by)}.",
            hint=f"Logged are: {', '.join(map(isolated, logged)) or 'none'}",
        )


def _check_budget(compared: Compared) -> None:
    at, price = compared.budget.at, compared.budget.price
    asked = [*([at[0]] if at is not None else ()), *([Kind.MONEY] if price is not None else ())]
    known = [each.kind for each in compared.at_equal] if asked else []
    for kind in asked:
        if kind not in known:
            raise WrongSelection(
                f"Expected runs that have a count of {kind}, got fewer than two.",
                hint=f"{why_not(kind)} Known are: {', '.join(known) or 'none'}",
            )


def _chosen(page: RunPage, labels: Mapping[str, str], names: Sequence[str]) -> list[RunSummary]:
    there = page.runs
    if not there and names and not page.looked_for:
        raise WrongSelection(
            f"Expected one run called {isolated(names[0])}, found none.",
            hint="Name a run by its id, or as the project calls it; and check who may read it.",
        )
    if not there:
        broken = [f"{isolated(each.path)}: {each.reason}" for each in page.unreadable]
        broken += [f"{isolated(each.path)}: {each.why}" for each in page.unused]
        raise WrongSelection(
            "Expected at least one run, found none.",
            hint="\n".join((*broken, "Name a folder of training outputs, or a project whose runs you may read.")),
        )
    if not names and page.total > MAX_SELECTED:
        raise WrongSelection(
            f"Expected at most {MAX_SELECTED} runs, found {page.total}.",
            hint=f"Name up to {MAX_SELECTED} of them with --run: {_first(there, labels)}",
        )
    chosen: dict[str, RunSummary] = {}
    for name in names:
        found = _named(name, there, labels, "one run")
        chosen[found.run_id] = found
    if len(chosen) > MAX_SELECTED:
        raise WrongSelection(f"Expected at most {MAX_SELECTED} runs, got {len(chosen)}.", hint="Name fewer with --run.")
    return list(chosen.values()) if names else list(there)


def _named(name: str, there: Sequence[RunSummary], labels: Mapping[str, str], expected: str) -> RunSummary:
    found = [run for run in there if name in (labels[run.run_id], run.run_id)]
    found = found or [run for run in there if run.name == name]
    if len(found) != 1:
        which = "none" if not found else f"{len(found)}: {', '.join(run.run_id for run in found)}"
        hint = f"The runs are: {_first(there, labels)}"
        raise WrongSelection(f"Expected {expected} called {isolated(name)}, found {which}.", hint=hint)
    return found[0]


def _first(there: Sequence[RunSummary], labels: Mapping[str, str]) -> str:
    return ", ".join(labels[run.run_id] for run in there[:20]) + (", ..." if len(there) > 20 else "")
