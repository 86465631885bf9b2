"""What a training run is, once it has left its source.

``RunSummary`` is the app's vocabulary: every layer above speaks it, and none of them knows where a
run came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from lib.core.facts.foreign import isolated
from lib.core.facts.masks import bound
from lib.core.facts.values import finite


class RunStatus(StrEnum):
    """The normalised status of a run; the declaration order is the order in which statuses sort."""

    RUNNING = "running"
    COMPLETED = "completed"
    QUEUED = "queued"
    PAUSED = "paused"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


STATUS_SYNONYMS: Mapping[RunStatus, tuple[str, ...]] = MappingProxyType(
    {
        RunStatus.COMPLETED: ("completed", "succeeded", "success", "finished", "done"),
        RunStatus.RUNNING: ("running", "starting", "in_progress", "training", "resuming"),
        RunStatus.QUEUED: ("queued", "pending", "created", "scheduled"),
        RunStatus.FAILED: ("failed", "error", "crashed"),
        RunStatus.CANCELLED: ("cancelled", "canceled", "stopped", "killed", "aborted"),
        RunStatus.PAUSED: ("paused",),
    }
)
_STATUS_OF = {raw: status for status, synonyms in STATUS_SYNONYMS.items() for raw in synonyms}


def normalise_status(raw: str | None) -> RunStatus:
    """Fold a free-text status into ``RunStatus``; anything unexpected, null or empty is UNKNOWN.

    Example:
        >>> normalise_status(" Succeeded "), normalise_status("aborted"), normalise_status(None)
        (<RunStatus.COMPLETED: 'completed'>, <RunStatus.CANCELLED: 'cancelled'>, <RunStatus.UNKNOWN: 'unknown'>)
    """
    return _STATUS_OF.get((raw or "").strip().lower(), RunStatus.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder of weights that the source saw.

    Attributes:
        folder: Its path below the run's folder. Foreign text.
        step: The step whose weights it holds; ``None`` where that is not known.
        is_complete: False for a save that was not finished.
    """

    folder: str
    step: int | None
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class ReadAs:
    """A logged metric that the app knows under another name.

    Attributes:
        name: What the program called it. Foreign text.
        metric: A key of ``lib.core.facts.metrics.METRICS``.
        guessed: It was taken to be that metric, and may be another one.
    """

    name: str
    metric: str
    guessed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One training run.

    ``None`` always means *not recorded*, never zero. Losses may be NaN or infinite where the run
    logged that. All moments are UTC. Whatever made it: credentials in its texts are masked, and what is longer than
    ``lib.core.facts.sizes`` allows is cut, and said so in ``notes``; the configuration keeps its secrets, which
    ``lib.core.config`` masks.

    Attributes:
        run_id: Stable identity: the only run value in the URL and in session state.
        name: What people call the run. Neither unique nor stable, and foreign text: escape it.
        status: Normalised; ``raw_status`` is what the source said.
        dataset: The full path or key; show its last part.
        version: Opaque. Another one whenever anything changes that the source sees of the run
            (``lib.data.source.RunSource``); what is remembered of a run is remembered under it. Empty where no
            source made the run.
        updated_at: Last sign of life.
        duration_s: Seconds from start to end, or to the last sign of life.
        progress: Share done, 0 to 1.
        ended_early: The source saw that training was ended on purpose before its last planned step: its callbacks say
            so, or its closing summary stands there.
        learning_rate: The *last scheduled* value, near 0 at the end of a run.
        loss, final_loss: Train loss, last logged.
        eval_loss, final_eval_loss: Eval loss, last logged.
        best_eval_loss: Lowest eval loss; as stored, it is what the writer's checkpoint rule chose.
        best_step, best_epoch: Where ``best_eval_loss`` was measured.
        perplexity: exp(eval loss), as logged.
        samples_per_second: As stored; may really be optimizer steps per second.
        checkpoints: Those that the source saw; ``None`` where it does not look for any.
        same_training_as: The ``run_id`` of the run that stands for this one: the log of this one is the same, or the
            beginning of its log. Runs that name the same one are one training too.
        config: Hyperparameters as logged, possibly nested. Read-only by convention.
        named: Hyperparameters that the folder's name states, a hint: configuration and log go before it.
        unseeded: The names around its log without the seed that they state; ``None`` where they state none.
        extra: Source columns or facts that have no field of their own.
        notes: Sentences about how this run was read ("learning rate taken from the folder name").
        read_as: Which of its metrics the program called otherwise, in the order of their names.
        formats: The formats that it was read from, the leading one first ("TensorBoard").
        files: Where it was read from, by path below the source's root. Foreign text.

    Raises:
        ValueError: If ``run_id`` is empty.
    """

    run_id: str
    name: str
    version: str = ""
    status: RunStatus = RunStatus.UNKNOWN
    raw_status: str | None = None
    dataset: str | None = None
    base_model: str | None = None

    created_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    updated_at: datetime | None = None
    duration_s: float | None = None

    current_step: int | None = None
    total_steps: int | None = None
    current_epoch: float | None = None
    total_epochs: float | None = None
    progress: float | None = None
    ended_early: bool | None = None

    learning_rate: float | None = None
    max_learning_rate: float | None = None
    min_learning_rate: float | None = None
    batch_size: int | None = None
    gradient_accumulation_steps: int | None = None
    warmup_steps: int | None = None
    num_gpus: int | None = None
    distributed_strategy: str | None = None

    loss: float | None = None
    final_loss: float | None = None
    eval_loss: float | None = None
    final_eval_loss: float | None = None
    best_eval_loss: float | None = None
    best_step: int | None = None
    best_epoch: float | None = None
    best_checkpoint_path: str | None = None
    perplexity: float | None = None

    samples_per_second: float | None = None
    tokens_per_second: float | None = None

    total_samples: int | None = None
    train_samples: int | None = None
    val_samples: int | None = None
    total_tokens_processed: int | None = None

    resumed_from_run_id: str | None = None
    resumed_from_checkpoint: str | None = None
    checkpoints: tuple[Checkpoint, ...] | None = None
    same_training_as: str | None = None
    error_message: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    named: Mapping[str, float] | None = None
    unseeded: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    read_as: tuple[ReadAs, ...] = ()
    formats: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.run_id:
            raise ValueError("A run needs a non-empty run_id.")
        bound(self)

    @property
    def status_text(self) -> str:
        """The status to show: the normalised word, or the source's own where that is not understood."""
        if self.status is RunStatus.UNKNOWN and self.raw_status:
            return isolated(self.raw_status) or self.status.value
        return self.status.value

    @property
    def steps_are_epochs(self) -> bool:
        """Whether its log counts nothing but epochs, so that a step is one."""
        step, total = self.current_step, self.total_steps
        return bool(step) and step == self.current_epoch and (total is None or total == self.total_epochs)

    @property
    def dataset_name(self) -> str | None:
        """The last part of ``dataset``: storage keys carry folders and ids that say nothing at a glance."""
        if not self.dataset:
            return None
        return self.dataset.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] or self.dataset


def count_epochs(runs: Iterable[RunSummary]) -> bool:
    """Whether a step is an epoch in each of the runs that came anywhere, and in one at least."""
    counted = [run.steps_are_epochs for run in runs if run.current_step]
    return bool(counted) and all(counted)


TOLD_COMPLETED = "completed, as somebody said who knows"
"""The ``raw_status`` of a run whose log does not say whether its training ended."""


def told_completed(run: RunSummary) -> RunSummary:
    """The same run, completed, where nobody but somebody who looks at it knows: its status must be UNKNOWN."""
    is_unknown = run.status is RunStatus.UNKNOWN
    return replace(run, status=RunStatus.COMPLETED, raw_status=TOLD_COMPLETED) if is_unknown else run


def eval_losses_of(run: RunSummary) -> tuple[float | None, ...]:
    """What the run states of its eval loss, the most telling first: best, last, final."""
    return run.best_eval_loss, run.eval_loss, run.final_eval_loss


def eval_loss_of(run: RunSummary) -> float | None:
    """``E``: the first finite value of best, last and final eval loss. Zero is a value."""
    return _first_finite(*eval_losses_of(run))


def train_losses_of(run: RunSummary) -> tuple[float | None, ...]:
    """What the run states of its train loss, the most telling first: last, final."""
    return run.loss, run.final_loss


def train_loss_of(run: RunSummary) -> float | None:
    """The first finite value of the last and the final train loss. Zero is a value."""
    return _first_finite(*train_losses_of(run))


def _first_finite(*values: float | None) -> float | None:
    return next((parsed for value in values if (parsed := finite(value)) is not None), None)
