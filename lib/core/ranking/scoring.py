"""Which run is recommended, and why. Pure functions of the runs and a policy.

Eval-loss points are ``100 * exp(-max(E, 0))``: for a loss in nats per token, the geometric-mean
probability that the model gives to a token of the evaluation set, in percent. They fall strictly with
E, never saturate, and need no other run. Gap points band ``gap = E - T``, the eval loss less the
train loss. The composite is their weighted sum.

Everything that can be tuned stands in one ``ScoringPolicy``; every function takes it as an argument.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lib.core.facts.runs import RunStatus, RunSummary, eval_loss_of, eval_losses_of, gap_of, train_loss_of

TIE_DECIMALS = 9
"""Composites and gaps are compared after rounding to this many decimals, so that binary floating
point decides neither a tie nor a band: 0.85 - 0.80 is 0.05, not 0.0499999."""


@dataclass(frozen=True, slots=True)
class GapBand:
    """One band of the gap. It holds the gaps below ``below`` that no earlier band holds."""

    below: float
    points: float
    label: str


@dataclass(frozen=True, slots=True)
class ScoringPolicy:
    """The weights and bands. Weights are shares and sum to one.

    Raises:
        ValueError: If the weight is outside 0 to 1.
    """

    eval_weight: float = 0.70
    bands: tuple[GapBand, ...] = (
        GapBand(0.0, 40.0, "potential data leakage"),
        GapBand(0.05, 100.0, "excellent"),
        GapBand(0.1, 80.0, "good"),
        GapBand(0.2, 60.0, "moderate overfitting"),
        GapBand(math.inf, 30.0, "high overfitting"),
    )
    unknown_band: GapBand = GapBand(math.inf, 50.0, "unknown")

    def __post_init__(self) -> None:
        if not 0.0 <= self.eval_weight <= 1.0:
            raise ValueError(f"The eval-loss weight must be between 0 and 1, got {self.eval_weight!r}.")

    @property
    def gap_weight(self) -> float:
        """The share that the gap points have."""
        # 1 - 0.7 is 0.30000000000000004; the documented weight is 0.30.
        return round(1.0 - self.eval_weight, 12)


DEFAULT_POLICY = ScoringPolicy()


@dataclass(frozen=True, slots=True)
class RunScore:
    """The score of one eligible run. Points and total: 0 to 100, higher is better.

    Attributes:
        eval_loss: ``E``, nats.
        train_loss: ``T``, nats; ``None`` when unknown.
        gap: ``E - T``; ``None`` when either is unknown.
        total: The composite.
        completed_at: Of the run; the last tie-break but one.
    """

    run_id: str
    total: float
    loss_points: float
    gap_points: float
    eval_loss: float
    train_loss: float | None
    gap: float | None
    gap_label: str
    completed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unscorable:
    """A run that may not be recommended. ``code`` is stable; ``why`` is a phrase to show."""

    run_id: str
    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """Eligible runs, best first, and the others with the reason of each, in the order given."""

    scores: tuple[RunScore, ...]
    unscorable: tuple[Unscorable, ...]


class Reason(str):
    """A sentence of the recommendation; ``code`` is its stable name."""

    code: str

    def __new__(cls, code: str, sentence: str) -> Reason:
        """Make the sentence that ``code`` names."""
        reason = super().__new__(cls, sentence)
        reason.code = code
        return reason

    def __getnewargs__(self) -> tuple[str, str]:
        """What a copy is made of; without it, a str subclass is copied from its text alone."""
        return self.code, str(self)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The verdict.

    Attributes:
        run_id: The recommended run; ``None`` when no run may be recommended.
        reasons: Why, or why not, in sentences; never empty. They name no run by its name: the page
            knows what each run is called there.
        margin: Composite of the winner less that of the runner-up; ``None`` without a runner-up.
    """

    run_id: str | None
    reasons: tuple[Reason, ...]
    ranking: Ranking = field(repr=False)
    policy: ScoringPolicy = DEFAULT_POLICY

    @property
    def winner(self) -> RunScore | None:
        """The score of the recommended run."""
        return self.ranking.scores[0] if self.run_id is not None else None

    @property
    def runner_up(self) -> RunScore | None:
        """The score of the second-best run, if two are eligible."""
        return self.ranking.scores[1] if len(self.ranking.scores) > 1 else None

    @property
    def margin(self) -> float | None:
        """How many points the winner is ahead of the runner-up."""
        if self.winner is None or self.runner_up is None:
            return None
        return self.winner.total - self.runner_up.total


def band_of(gap: float | None, policy: ScoringPolicy = DEFAULT_POLICY) -> GapBand:
    """The band of a gap.

    Example:
        >>> band_of(0.85 - 0.80).label, band_of(-0.01).label, band_of(None).points
        ('good', 'potential data leakage', 50.0)
    """
    if gap is None:
        return policy.unknown_band
    rounded = round(gap, TIE_DECIMALS)
    return next(band for band in policy.bands if rounded < band.below or band is policy.bands[-1])


def score(run: RunSummary, policy: ScoringPolicy = DEFAULT_POLICY) -> RunScore | Unscorable:
    """Score one run, or say why it may not be recommended."""
    if run.status is not RunStatus.COMPLETED:
        return Unscorable(run.run_id, run.status.value, _WHY_NOT[run.status].format(run.status_text))
    eval_loss = eval_loss_of(run)
    if eval_loss is None:
        logged = any(value is not None for value in eval_losses_of(run))
        return Unscorable(run.run_id, "no_eval_loss", f"no {'finite ' if logged else ''}eval loss logged")
    gap = gap_of(run)
    band = band_of(gap, policy)
    loss_points = 100.0 * math.exp(-max(eval_loss, 0.0))
    total = policy.eval_weight * loss_points + policy.gap_weight * band.points
    return RunScore(
        run_id=run.run_id,
        total=total,
        loss_points=loss_points,
        gap_points=band.points,
        eval_loss=eval_loss,
        train_loss=train_loss_of(run),
        gap=gap,
        gap_label=band.label,
        completed_at=run.completed_at,
    )


def rank(runs: Iterable[RunSummary], policy: ScoringPolicy = DEFAULT_POLICY) -> Ranking:
    """Score every run and order the eligible ones, best first.

    The order depends neither on the order of ``runs`` nor on which others are among them.
    """
    results = [score(run, policy) for run in runs]
    scores = sorted((result for result in results if isinstance(result, RunScore)), key=_order)
    return Ranking(tuple(scores), tuple(result for result in results if isinstance(result, Unscorable)))


def recommend(runs: Iterable[RunSummary], policy: ScoringPolicy = DEFAULT_POLICY) -> Recommendation:
    """Recommend one run, with reasons; or none, with the reason for that."""
    ranking = rank(runs, policy)
    if not ranking.scores:
        return Recommendation(None, (_why_none(ranking),), ranking, policy)
    return Recommendation(ranking.scores[0].run_id, _reasons(ranking, policy), ranking, policy)


_WHY_NOT = {
    RunStatus.RUNNING: "still running",
    RunStatus.QUEUED: "not started yet",
    RunStatus.PAUSED: "paused",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELLED: "cancelled",
    RunStatus.UNKNOWN: "status not understood: {}",
}


def _gap_size(result: RunScore) -> float:
    return math.inf if result.gap is None else round(abs(result.gap), TIE_DECIMALS)


def _order(result: RunScore) -> tuple:
    return (
        -round(result.total, TIE_DECIMALS),
        result.eval_loss,
        _gap_size(result),
        result.completed_at or datetime.max.replace(tzinfo=UTC),
        result.run_id,
    )


def _why_none(ranking: Ranking) -> Reason:
    if not ranking.unscorable:
        return Reason("nothing_selected", "No run is selected, so there is nothing to recommend.")
    return Reason(
        "none_eligible",
        "No run can be recommended: only completed runs with an eval loss can be, and none of the selected is.",
    )


def _reasons(ranking: Ranking, policy: ScoringPolicy) -> tuple[Reason, ...]:
    winner = ranking.scores[0]
    gap = (
        "The gap between eval and train loss is unknown, because no finite train loss was logged"
        if winner.gap is None
        else f"The gap between eval and train loss is {winner.gap:+z.4f}: {winner.gap_label}"
    )
    reasons = [
        Reason(
            "eval_loss",
            f"Its eval loss is {winner.eval_loss:z.4f}, which gives {winner.loss_points:.2f} of 100 points"
            f" (weight {policy.eval_weight:.0%}).",
        ),
        Reason("gap", f"{gap}, {winner.gap_points:.0f} of 100 points (weight {policy.gap_weight:.0%})."),
    ]
    if len(ranking.scores) == 1:
        reasons.append(
            Reason(
                "no_competition",
                "It had no competition: it is the only completed run with an eval loss among the selected.",
            )
        )
        return tuple(reasons)
    runner_up = ranking.scores[1]
    margin = winner.total - runner_up.total
    if _tied(winner, runner_up):
        reasons.append(Reason("tie", f"It ties with the runner-up and wins by {_tie_break(winner, runner_up)}."))
    else:
        ahead = f"{margin:.2f}" if margin >= 0.01 else "less than 0.01"
        reasons.append(Reason("margin", f"It is {ahead} points ahead of the runner-up."))
    reasons.append(_what_would_change(winner, runner_up, policy))
    return tuple(reasons)


def _tied(winner: RunScore, runner_up: RunScore) -> bool:
    return round(winner.total, TIE_DECIMALS) == round(runner_up.total, TIE_DECIMALS)


def _tie_break(winner: RunScore, runner_up: RunScore) -> str:
    if winner.eval_loss != runner_up.eval_loss:
        return "its lower eval loss"
    if _gap_size(winner) != _gap_size(runner_up):
        return "its smaller gap" if runner_up.gap is not None else "its gap, where the other's is unknown"
    if winner.completed_at != runner_up.completed_at:
        return "having completed earlier" if runner_up.completed_at else "being the one that says when it completed"
    return "the order of the ids alone"


def _what_would_change(winner: RunScore, runner_up: RunScore, policy: ScoringPolicy) -> Reason:
    needed = eval_loss_to_win(runner_up, winner.total, policy)
    if needed is not None:
        # Rounded down: what the sentence promises must hold of the number that it shows. "Just", because
        # a much lower eval loss may leave the gap band that makes it win.
        shown = math.floor(needed * 1e4) / 1e4
        sentence = (
            f"The runner-up would win with an eval loss just below {shown:.4f}"
            f" (it has {runner_up.eval_loss:.4f}), its train loss unchanged."
        )
    elif _tied(winner, runner_up):
        # Reached where the eval loss has no weight: it cannot change the composite, but it breaks the tie.
        sentence = (
            f"The runner-up would win the tie with an eval loss below {winner.eval_loss:z.4f} in its present gap band."
        )
    else:
        sentence = "No lower eval loss alone would make the runner-up win."
    return Reason("would_change", sentence)


def eval_loss_to_win(rival: RunScore, total: float, policy: ScoringPolicy = DEFAULT_POLICY) -> float | None:
    """The eval loss below which ``rival`` would score more than ``total``, its train loss unchanged.

    A lower eval loss moves the gap too, so each band is looked at: inside it the gap points are fixed
    and ``100 * exp(-E)`` can be solved for E.

    Returns:
        The highest such bound at or below the rival's eval loss; ``None`` if no eval loss from 0 on does.
    """
    bounds = []
    lower = -math.inf
    for band in policy.bands if rival.train_loss is not None else (policy.unknown_band,):
        train_loss = rival.train_loss or 0.0
        band_end = math.inf if rival.train_loss is None else train_loss + band.below
        band_start = train_loss + lower
        lower = band.below
        bound = min(_loss_for_total(total, band.points, policy), band_end, rival.eval_loss)
        if bound > max(band_start, 0.0):
            bounds.append(bound)
    return max(bounds, default=None)


def _loss_for_total(total: float, gap_points: float, policy: ScoringPolicy) -> float:
    """The eval loss below which the composite with these gap points exceeds ``total``.

    Infinite where any loss does, minus infinity where none does.
    """
    spare = total - policy.gap_weight * gap_points
    if policy.eval_weight == 0:
        return math.inf if spare < 0 else -math.inf
    if spare <= 0:
        return math.inf
    share = spare / (100.0 * policy.eval_weight)
    return -math.log(share)
