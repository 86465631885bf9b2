"""A verdict as data, for records and scripts. What is not known is ``None``, and so is what is not finite."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lib.core.checkpoints.advice import CheckpointAdvice, Fate
from lib.core.ranking.scoring import RunScore
from lib.core.verdict.overview import HeadlineKind
from lib.report.compared import Compared


def headline(compared: Compared) -> str:
    """What the verdict is, in one of five words."""
    decision = compared.decision
    match compared.overview.headline.kind:
        case HeadlineKind.WINNER:
            return "alone" if len(decision.ranked) == 1 else "winner"
        case HeadlineKind.TIE:
            return "tie"
        case HeadlineKind.NOT_COMPARABLE:
            return "not comparable"
        case HeadlineKind.NONE | HeadlineKind.NONE_YET:
            return "none"


def as_data(compared: Compared) -> dict[str, Any]:
    """The verdict as JSON has it; what is not known is null, and so is what is not finite."""
    overview, decision, labels = compared.overview, compared.decision, compared.labels
    said = headline(compared)
    winner = decision.recommendation.winner
    best = winner if said in ("winner", "alone") else None
    return {
        "headline": said,
        "recommended": None if best is None else labels[best.run_id],
        "tied": [labels[run_id] for run_id in decision.tied],
        "decided_by": decision.deciding.metric,
        "sure": overview.surety.level.value,
        "checkpoint": None if best is None else checkpoint(compared.assessed[best.run_id].checkpoint),
        "ranking": ranking(compared, decision.recommendation.scores),
        "left_out": [{"run": labels[run_id], "why": why} for run_id, why in overview.grounds.left_out.items()],
        "objections": [{"code": each.code, "sentence": each.sentence} for each in overview.objections],
        "findings": {
            labels[run_id]: [
                {"code": each.code, "severity": each.severity.value, "step": each.step}
                for each in assessed.checks.findings
            ]
            for run_id, assessed in compared.assessed.items()
        },
        "classes": [
            {
                "decided_by": other.recommendation.deciding.metric,
                "ranking": ranking(compared, other.recommendation.scores),
            }
            for other in decision.other_classes
        ],
    }


def as_view(compared: Compared) -> dict[str, Any]:
    """How the comparison was looked at, as JSON has it; nothing where no baseline is pinned."""
    beside = compared.beside
    if beside is None:
        return {}
    return {
        "baseline": {
            "run": compared.labels[beside.run_id],
            "metric": beside.metric,
            "differences": [
                {
                    "run": compared.labels[run_id],
                    "difference": None if each.found is None else each.found.value,
                    "share": None if each.found is None else each.found.share,
                    "sense": None if each.found is None else each.found.sense.value,
                    "said": each.sentence,
                }
                for run_id, each in beside.runs.items()
                if run_id != beside.run_id
            ],
        }
    }


def ranking(compared: Compared, scores: Sequence[RunScore]) -> list[dict[str, Any]]:
    """Ranked runs, best first, each with the checkpoint of it that would be shipped."""
    return [
        {
            "run": compared.labels[score.run_id],
            "value": _number(score.value),
            "step": score.values.step,
            "score": _number(score.total),
            "eval_loss": _number(score.eval_loss),
            "train_loss": _number(score.train_loss),
            "gap": _number(score.gap),
            "gap_error": None if score.gap is None else _number(score.values.gap_error),
            "checkpoint": checkpoint(compared.assessed[score.run_id].checkpoint),
        }
        for score in scores
    ]


def checkpoint(advice: CheckpointAdvice) -> dict[str, Any]:
    """The checkpoint to ship, and what became of that of the best evaluation."""
    fate = "unknown" if advice.fate is Fate.CANNOT_TELL else advice.fate.value
    return {
        "step": advice.saved_step if advice.saved_step is not None else advice.step,
        "path": advice.path,
        "fate": fate,
    }


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
