"""Runs as a verdict sees them: named, judged and decided about. What every report, record and command is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lib.core.baseline.against import Baseline
from lib.core.baseline.ranking import Beside, beside
from lib.core.budget.equal import EqualBudget, equal_budgets
from lib.core.budget.spent import ALL_REACHED, Budget
from lib.core.budget.words import budget_lines
from lib.core.curves.evidence import RunEvidence, evidence_of, with_evidence
from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.metrics import Better
from lib.core.facts.query import Unreadable
from lib.core.facts.runs import RunSummary, count_epochs
from lib.core.glance.glance import Glance, glance_of
from lib.core.ranking.decision import Decision, decide
from lib.core.ranking.policy import DEFAULT_POLICY, ScoringPolicy
from lib.core.text.labels import brief_labels
from lib.core.verdict.assessment import Assessment, assess, shipping
from lib.core.verdict.grounds import grounds_of
from lib.core.verdict.overview import Overview, overview_of


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody said of runs who looked at them; their logs do not.

    Attributes:
        ended: Runs whose logs do not say how they ended are completed.
        read_as: What a program called a metric, and which of ours it is; "" for none of ours.
    """

    ended: bool = False
    read_as: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """A verdict and what it is about.

    Attributes:
        runs: In the order in which they are listed, with what their curves know better.
        stored: The same as the source has them.
        curves: By run id; runs without any are absent.
        labels: What the runs are called, by run id: as in the list of the page.
        assessed: All that is worked out about each run by itself, by run id.
        overview: The verdict.
        by: The metric that was chosen to rank by, and its direction; ``None`` where none was.
        told: What somebody said of the runs who looked at them.
        slots: Which colour and mark each run has, by run id.
        unreadable: What lies where runs lie and could not be read.
        baseline: The id of the run that the others are compared with; "" for none. The verdict does not depend on it.
        budget: At what amount they are compared, and what a GPU hour costs.
    """

    runs: tuple[RunSummary, ...]
    stored: tuple[RunSummary, ...]
    curves: Mapping[str, RunCurves] = field(repr=False)
    labels: Mapping[str, str]
    assessed: Mapping[str, Assessment]
    overview: Overview
    by: tuple[str | None, Better | None] = (None, None)
    told: Told = Told()
    slots: Mapping[str, int] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()
    baseline: str = ""
    budget: Budget = ALL_REACHED

    @property
    def decision(self) -> Decision:
        """Who is recommended, among whom, and how far that holds."""
        return self.overview.grounds.decision

    @property
    def policy(self) -> ScoringPolicy:
        """Weights and bands of the score."""
        return self.decision.recommendation.policy

    @property
    def names(self) -> Mapping[str, str]:
        """What the runs are called in sentences, by run id."""
        return brief_labels({run.run_id: self.labels[run.run_id] for run in self.runs})

    @property
    def beside(self) -> Beside | None:
        """How far each run is from the baseline; ``None`` where none is pinned."""
        if self.baseline not in self.labels:
            return None
        found = Baseline(self.baseline, self.labels[self.baseline], self.runs, self.curves, self.decision)
        return beside(found, self.decision, {run.run_id: self.labels[run.run_id] for run in self.runs})

    @property
    def budgets(self) -> list[tuple[str, str]]:
        """What the runs come to at equal budgets: titles and sentences."""
        in_epochs = count_epochs(self.runs)
        found = self.at_equal
        return budget_lines(found, self.decision.deciding, self.names, in_epochs=in_epochs, budget=self.budget)

    @property
    def at_equal(self) -> tuple[EqualBudget, ...]:
        """The ranked runs at equal budgets."""
        return equal_budgets(self.runs, self.curves, self.decision, self.budget)

    @property
    def glance(self) -> Glance:
        """The verdict in few words."""
        overview = overview_of(grounds_of(self.decision, self.runs, self.names), self.runs, self.assessed)
        return glance_of(overview, self.runs, self.assessed)


def judge(
    stored: Sequence[RunSummary],
    curves: Mapping[str, RunCurves],
    labels: Mapping[str, str],
    now: datetime | None,
    *,
    policy: ScoringPolicy = DEFAULT_POLICY,
    by: str | None = None,
    direction: Better | None = None,
    told: Told = Told(),
    slots: Mapping[str, int] | None = None,
    unreadable: Sequence[Unreadable] = (),
    baseline: str = "",
    budget: Budget = ALL_REACHED,
) -> Compared:
    """Judge each run by itself and decide about all.

    Args:
        stored: The runs as the source gave them.
        curves: Whole, by run id; runs may lack.
        labels: What they are called, by run id.
        now: The present of the source; ``None`` where nothing shall depend on when it is asked.
        policy: Weights and bands.
        by: The metric to rank by; the one that the rules give where none is named.
        direction: Which direction of it is better, where neither its name nor the runs say so.
        slots: Which colour and mark each run has, by run id; in their order where nobody says so.
        told: What was said of the runs, which ``stored`` and ``curves`` already are as it says.
        unreadable: What lies where runs lie and could not be read.
        baseline: The id of the run that the others are compared with; "" for none.
        budget: At what amount they are compared, and what a GPU hour costs.
    """
    runs: list[RunSummary] = []
    found: dict[str, tuple[Assessment, RunCurves, RunEvidence]] = {}
    for each in stored:
        own = curves.get(each.run_id, RunCurves(each.run_id))
        evidence = evidence_of(own)
        runs.append(with_evidence(each, evidence))
        found[each.run_id] = assess(each, runs[-1], own, evidence, now), own, evidence
    decision = decide(runs, curves, policy, by, direction)
    assessed: dict[str, Assessment] = {}
    for run in runs:
        assessment, own, evidence = found[run.run_id]
        assessed[run.run_id] = shipping(assessment, run, own, evidence, decision)
    grounds = grounds_of(decision, runs, labels)
    overview = overview_of(grounds, runs, assessed)
    return Compared(
        runs=tuple(runs),
        stored=tuple(stored),
        curves=curves,
        labels=labels,
        assessed=assessed,
        overview=overview,
        by=(by, direction),
        told=told,
        slots=slots or {each.run_id: at for at, each in enumerate(stored)},
        unreadable=tuple(unreadable),
        baseline=baseline,
        budget=budget,
    )
