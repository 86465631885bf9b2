"""Why a run is first, why another is not, and why one was left out: what every part of the page asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lib.core.facts.runs import RunSummary
from lib.core.ranking.decision import Decision
from lib.core.verdict.comparability import why_not_ranked
from lib.core.verdict.lowest_loss import leader_so_far, lowest_shipped, why_lowest_is_not_first
from lib.core.verdict.reasons import Reason, ReasonCode, left_out, reasons_of, why_behind


@dataclass(frozen=True, slots=True)
class Grounds:
    """The grounds of a decision, in words.

    Attributes:
        decision: Whose grounds they are.
        labels: What the runs are called.
        reasons: Why the recommended run is first, or why none is.
        left_out: Why runs may not be recommended, as the end of a sentence, by run id.
        behind: How far the other ranked runs are behind the recommended one, by run id, best first.
        other_classes: Why runs of other classes are not ranked, as the middle of a sentence, by run id.
        lowest: Of the runs that are compared, those whose checkpoint to ship has the lowest eval loss.
        lowest_not_first: Why such a run is not the recommended one; ``None`` where it is, or none is recommended.
        leader: Who leads, or why nobody does, where no run is recommended.
    """

    decision: Decision
    labels: Mapping[str, str] = field(repr=False)
    reasons: tuple[Reason, ...]
    left_out: Mapping[str, str]
    behind: Mapping[str, str]
    other_classes: Mapping[str, str]
    lowest: tuple[str, ...]
    lowest_not_first: str | None
    leader: str | None

    @property
    def why_first(self) -> str:
        """All reasons in a row."""
        return " ".join(reason.sentence for reason in self.reasons)

    def why_without_score(self, run_id: str) -> str | None:
        """Why a run has no score that compares, as the end of a sentence; ``None`` where it has one."""
        if run_id in self.left_out:
            return self.left_out[run_id]
        if self.decision.common_score(run_id) is not None:
            return None
        if not self.decision.has_main_class:
            return "these runs have no common ranking"
        return f"it does not compare with the ranked runs ({self.other_classes.get(run_id, 'it has no value')})"

    def sentence(self, code: ReasonCode) -> str:
        """The reason of this code; "" where it is none."""
        return next((reason.sentence for reason in self.reasons if reason.code is code), "")


def grounds_of(decision: Decision, runs: Sequence[RunSummary], labels: Mapping[str, str] | None = None) -> Grounds:
    """Put the grounds of a decision into words.

    Args:
        decision: About these runs.
        runs: In the order in which they are shown.
        labels: What the runs are called; their ids by default.
    """
    labels = {run.run_id: (labels or {}).get(run.run_id, run.run_id) for run in runs}
    recommendation = decision.recommendation
    scores, unscorable = recommendation.scores, recommendation.unscorable
    reasons = reasons_of(decision)
    whys = {each.run_id: left_out(each, labels) for each in unscorable}
    return Grounds(
        decision=decision,
        labels=labels,
        reasons=reasons,
        left_out=whys,
        behind={each.run_id: why_behind(each, decision) for each in scores if each.run_id != recommendation.run_id},
        other_classes={run_id: why_not_ranked(each) for each in decision.other_classes for run_id in each.run_ids},
        lowest=lowest_shipped(decision),
        lowest_not_first=why_lowest_is_not_first(decision, whys, labels),
        leader=leader_so_far(decision, runs, whys, labels),
    )
