"""What is judged of each selected run, once for what was read of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from lib.core.checkpoints.advice import CheckpointAdvice, checkpoint_to_ship
from lib.core.checks.health import Health, health_of
from lib.core.checks.noticed import Noticed, noticed
from lib.core.checks.passport import Passport, passport_of
from lib.core.checks.stability import Stability, stability_of
from lib.core.gap.overfitting import Overfitting, overfitting_of
from lib.ui.session import cached
from lib.ui.session.comparison import ComparedRun


@dataclass(frozen=True, slots=True)
class Judgements:
    """What is judged of one run.

    Attributes:
        health: What its curves show that should worry somebody.
        stability: How steadily it trained.
        passport: What was checked of its data.
        overfitting: Its gap at the best step, and what came after.
        checkpoint: Which checkpoint to ship.
    """

    health: Health
    stability: Stability
    passport: Passport
    overfitting: Overfitting
    checkpoint: CheckpointAdvice


def judgements(each: ComparedRun) -> Judgements | None:
    """What is judged of a run; ``None`` where its curves could not be read."""
    return cached.once("judgements", each.key, lambda: _judge(each)) if each.data is not None else None


def noticed_of(each: ComparedRun) -> Noticed | None:
    """What was noticed about a run; ``None`` where its curves could not be read."""
    judged = judgements(each)
    if judged is None:
        return None
    return cached.once("noticed", each.key, lambda: noticed(judged.health, judged.stability, judged.passport))


def _judge(each: ComparedRun) -> Judgements:
    curves, evidence = each.data.curves, each.data.evidence
    # A silent run is noticed when it is looked at anew, after some minutes.
    now = datetime.now(UTC)
    health = health_of(each.run, curves, now)
    return Judgements(
        health,
        stability_of(curves, health.checks),
        passport_of(each.stored, curves, evidence, now),
        overfitting_of(each.run, curves, evidence),
        checkpoint_to_ship(each.run, evidence, curves),
    )
