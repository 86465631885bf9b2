"""What a demo run is made of: base model, dataset, the shape of its curves, settings, and mishaps.

The models are real families and sizes, so that memory, speed and losses can be of a realistic order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid5

SEED = 71
DEMO_NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
"""The moment at which the demo data stand still: the running run logged its last row just before."""

_NAMESPACE = UUID("6f2a1f0e-5b7d-4c55-9a35-d3ab0f8e7f71")


def demo_id(key: str) -> str:
    """The uuid that ``key`` always has in the demo."""
    return str(uuid5(_NAMESPACE, key))


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A base model on one 80 GB GPU: GB allocated and tokens per second with 16-bit LoRA."""

    name: str
    memory_gb: float
    tokens_per_second: float


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset: file, samples, tokens of a mean sample, share held out, loss before training."""

    file: str
    samples: int
    tokens: int
    eval_split: float
    start_loss: float

    @property
    def path(self) -> str:
        """Its storage key."""
        return f"datasets/{demo_id(self.file)}/{self.file}"

    @property
    def val_samples(self) -> int:
        """Samples held out."""
        return round(self.samples * self.eval_split)


LLAMA = BaseModel("meta-llama/Llama-3.1-8B-Instruct", 24.6, 3420.0)
QWEN = BaseModel("Qwen/Qwen2.5-7B-Instruct", 22.9, 3710.0)
MISTRAL = BaseModel("mistralai/Mistral-7B-Instruct-v0.3", 21.2, 3890.0)
GEMMA = BaseModel("google/gemma-2-9b-it", 31.8, 2680.0)

SUPPORT = Dataset("support_chats_v2.jsonl", 42_180, 540, 0.1, 1.92)
LEGAL = Dataset("legal_qa_pairs.jsonl", 17_600, 760, 0.1, 1.74)
REVIEWS = Dataset("code_review_comments.jsonl", 26_400, 410, 0.05, 2.15)


@dataclass(frozen=True, slots=True)
class Shape:
    """How the losses of a run go.

    Attributes:
        floor: Where the loss would end after endless training on fresh samples.
        tau, power: The power law ``(1 + steps / tau) ** -power``; steps count as full-rate steps.
        memorised: How much the train loss falls each time the samples come round again.
        offset: Eval loss above (below) the loss on fresh training samples.
        rebound_from, rebound: Share of the steps after which the eval loss turns, and by how much it
            is up at the end.
        noise: Relative spread of the logged train loss.
        spikes: How many gradient spikes there are.
        diverges_at: Share of the steps at which the loss runs away; ``None`` for a sound run.
        creep_gb: Memory that leaks over the whole run.
    """

    floor: float
    tau: float = 60.0
    power: float = 0.55
    memorised: float = 0.02
    offset: float = 0.01
    rebound_from: float = 1.0
    rebound: float = 0.0
    noise: float = 0.035
    spikes: int = 3
    diverges_at: float | None = None
    creep_gb: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRun:
    """One demo run. ``stops_at`` is the share of its steps it has done; 0 for none."""

    key: str
    name: str
    model: BaseModel
    data: Dataset
    created: datetime
    shape: Shape
    status: str = "completed"
    stops_at: float = 1.0
    error: str | None = None
    epochs: int = 3
    learning_rate: float = 2e-4
    min_rate_share: float = 0.0
    scheduler: str = "cosine"
    warmup_steps: int = 100
    batch_size: int = 4
    accumulation: int = 8
    gpus: int = 1
    strategy: str | None = None
    rank: int | None = 16
    quantized: bool = False
    logging_steps: int = 5
    eval_steps: int = 100
    save_steps: int = 100
    save_limit: int | None = 3
    keeps_best: bool = True
    provider: str = "runpod"
    api_key: str | None = None
    queue_minutes: float = 3.0
    boot_minutes: float = 4.0
    unlogged: tuple[str, ...] = ()
    repeats_eval: bool = False
    speed_column: str = "last"
    resumed_from: str | None = None
    first_step: int = 0
    crash: tuple[int, int] | None = None
    odd: frozenset[str] = field(default_factory=frozenset)

    @property
    def run_id(self) -> str:
        """Its uuid."""
        return demo_id(self.key)

    @property
    def effective_batch(self) -> int:
        """Samples per optimizer step."""
        return self.batch_size * self.accumulation * self.gpus

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps per epoch; the last batch may be short."""
        return -(-(self.data.samples - self.data.val_samples) // self.effective_batch)

    @property
    def total_steps(self) -> int:
        """Optimizer steps of the whole run."""
        return self.steps_per_epoch * self.epochs

    @property
    def done_steps(self) -> int:
        """The last step reached."""
        return int(self.total_steps * self.stops_at)
