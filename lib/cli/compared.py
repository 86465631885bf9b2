"""The runs of a folder as a verdict sees them: read, named, judged and decided about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib.cli.read_as import Readings
from lib.core.config.naming import labels_of
from lib.core.curves.evidence import RunEvidence, evidence_of, with_evidence
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.errors import AppError
from lib.core.facts.foreign import isolated
from lib.core.facts.metrics import Better
from lib.core.facts.query import RunPage, RunQuery, Unreadable
from lib.core.facts.readings import metric_called
from lib.core.facts.runs import RunSummary, told_completed
from lib.core.facts.selection import MAX_SELECTED
from lib.core.glance.glance import Glance, glance_of
from lib.core.ranking.deciding import may_rank
from lib.core.ranking.decision import Decision, decide
from lib.core.ranking.policy import DEFAULT_POLICY
from lib.core.text.labels import brief_labels
from lib.core.verdict.assessment import Assessment, assess, shipping
from lib.core.verdict.grounds import grounds_of
from lib.core.verdict.overview import Overview, overview_of
from lib.data.source import RunSource

_ALL = 10**6
"""More runs than a folder holds."""


class WrongSelection(AppError):
    """The runs that were named, or not named, cannot be compared, or not by the metric that was named."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A verdict and what it is about.

    Attributes:
        runs: In the order in which they are listed.
        labels: What the runs are called, by run id: as in the list of the page.
        assessed: All that is worked out about each run by itself, by run id.
        overview: The verdict.
        unreadable: What lies where runs lie and could not be read.
    """

    runs: tuple[RunSummary, ...]
    labels: Mapping[str, str]
    assessed: Mapping[str, Assessment]
    overview: Overview
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def decision(self) -> Decision:
        """Who is recommended, among whom, and how far that holds."""
        return self.overview.grounds.decision

    @property
    def glance(self) -> Glance:
        """The verdict in few words."""
        names = brief_labels({run.run_id: self.labels[run.run_id] for run in self.runs})
        overview = overview_of(grounds_of(self.decision, self.runs, names), self.runs, self.assessed)
        return glance_of(overview, self.runs, self.assessed)


def compare(
    source: RunSource,
    names: Sequence[str],
    by: str | None = None,
    direction: Better | None = None,
    *,
    ended: bool = False,
    readings: Readings | None = None,
) -> Compared:
    """Compare runs of a source.

    Args:
        source: Where from.
        names: Of the runs, as the list calls them, or their ids; all runs where none is named.
        by: The metric to rank by; the one that the rules give where none is named.
        direction: Which direction of it is better, where neither its name nor the runs say so.
        ended: Runs whose logs do not say whether their training ended count as completed.
        readings: Metrics that are read otherwise than they were taken for.

    Raises:
        WrongSelection: If a name is of no run or of several, if there are none, or too many, to compare, or if no
            evaluation of them measured ``by``.
        RunSourceError: If they cannot be read.
        WrongReading: If ``readings`` name what cannot be read otherwise.
    """
    page = source.list_runs(RunQuery(limit=_ALL))
    labels = labels_of(page.runs)
    chosen = [told_completed(run) if ended else run for run in _chosen(page, labels, names)]
    curves = source.load_curves([run.run_id for run in chosen])
    if readings is not None and readings.names:
        curves = {run.run_id: curves.get(run.run_id, RunCurves(run.run_id)) for run in chosen}
        readings.check(chosen, curves)
        read = [readings.of(run, curves[run.run_id]) for run in chosen]
        chosen, curves = [run for run, _ in read], {run.run_id: own for run, own in read}
    if by is not None and not any(by in own.curves for own in curves.values()):
        by = metric_called(by, chosen)
    _check_logged(by, curves)
    now = source.now()
    runs: list[RunSummary] = []
    found: dict[str, tuple[Assessment, RunCurves, RunEvidence]] = {}
    for stored in chosen:
        own = curves.get(stored.run_id, RunCurves(stored.run_id))
        evidence = evidence_of(own)
        runs.append(with_evidence(stored, evidence))
        found[stored.run_id] = assess(stored, runs[-1], own, evidence, now), own, evidence
    decision = decide(runs, curves, DEFAULT_POLICY, by, direction)
    assessed: dict[str, Assessment] = {}
    for run in runs:
        assessment, own, evidence = found[run.run_id]
        assessed[run.run_id] = shipping(assessment, run, own, evidence, decision)
    grounds = grounds_of(decision, runs, labels)
    return Compared(tuple(runs), labels, assessed, overview_of(grounds, runs, assessed), page.unreadable)


def _check_logged(by: str | None, curves: Mapping[str, RunCurves]) -> None:
    logged = sorted({metric for own in curves.values() for metric in own.curves if may_rank(own, metric)})
    if by is not None and by not in logged:
        raise WrongSelection(
            f"Expected an evaluation metric that a run logged, got {isolated(by)}.",
            hint=f"Logged are: {', '.join(map(isolated, logged)) or 'none'}",
        )


def _chosen(page: RunPage, labels: Mapping[str, str], names: Sequence[str]) -> list[RunSummary]:
    listed = page.runs
    if not listed:
        broken = [f"{isolated(each.path)}: {each.reason}" for each in page.unreadable]
        broken += [f"{isolated(each.path)}: {each.why}" for each in page.unused]
        raise WrongSelection(
            "Expected at least one run, found none.", hint="\n".join((*broken, "Name a folder of training outputs."))
        )
    known = ", ".join(labels[run.run_id] for run in listed[:20]) + (", ..." if len(listed) > 20 else "")
    if not names and len(listed) > MAX_SELECTED:
        raise WrongSelection(
            f"Expected at most {MAX_SELECTED} runs, found {len(listed)}.",
            hint=f"Name up to {MAX_SELECTED} of them with --run: {known}",
        )
    chosen: dict[str, RunSummary] = {}
    for name in names:
        found = [run for run in listed if name in (labels[run.run_id], run.run_id)]
        found = found or [run for run in listed if run.name == name]
        if len(found) != 1:
            which = "none" if not found else f"{len(found)}: {', '.join(run.run_id for run in found)}"
            raise WrongSelection(f"Expected one run called {name}, found {which}.", hint=f"The runs are: {known}")
        chosen[found[0].run_id] = found[0]
    if len(chosen) > MAX_SELECTED:
        raise WrongSelection(f"Expected at most {MAX_SELECTED} runs, got {len(chosen)}.", hint="Name fewer with --run.")
    return list(chosen.values()) if names else list(listed)
