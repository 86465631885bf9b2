"""The demo runs: what was trained on what, with which settings, and how it went. All of it is invented."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.demo.specs import GEMMA, LEGAL, LLAMA, MISTRAL, QWEN, REVIEWS, SUPPORT, DemoRun, Shape


def _at(day: int, hour: int, minute: int) -> datetime:
    return datetime(2026, 11, day, hour, minute, 17, tzinfo=UTC)


def _one_day(letter: str, minutes: int, rate: float, rank: int, shape: Shape) -> DemoRun:
    return DemoRun(
        key=f"support-llama-{letter}",
        name="support-llama-8b",
        model=LLAMA,
        data=SUPPORT,
        created=_at(17, 6, 2) + timedelta(minutes=minutes),
        shape=shape,
        learning_rate=rate,
        rank=rank,
    )


SAME_DAY = (
    _one_day("a", 0, 5e-5, 8, Shape(0.80, tau=150.0, power=0.72, memorised=0.010)),
    _one_day("b", 2, 1e-4, 16, Shape(0.775, tau=95.0, power=0.72, memorised=0.013)),
    _one_day("c", 7, 2e-4, 16, Shape(0.77, tau=62.0, power=0.74, memorised=0.030, spikes=4)),
    _one_day("d", 449, 2e-4, 64, Shape(0.738, power=0.72, memorised=0.115, rebound_from=0.72, rebound=0.035)),
    _one_day(
        *("e", 458, 5e-4, 64),
        Shape(*(0.766, 38.0, 0.74), memorised=0.165, rebound_from=0.42, rebound=0.16, spikes=9, noise=0.042),
    ),
)
"""Five runs of one model and one day that differ in learning rate and LoRA rank alone."""

_CANCELLED = DemoRun(
    key="reviews-llama",
    name="code-review-llama-8b",
    model=LLAMA,
    data=REVIEWS,
    created=_at(12, 8, 20),
    status="cancelled",
    stops_at=0.36,
    shape=Shape(0.93, tau=45.0, power=0.6, memorised=0.03),
    accumulation=4,
    speed_column="none",
)

UNFINISHED = (
    DemoRun(
        key="support-qwen-diverges",
        name="support-qwen-7b",
        model=QWEN,
        data=SUPPORT,
        created=_at(14, 15, 12),
        status="failed",
        error="FloatingPointError: the train loss is NaN, stopping",
        stops_at=0.46,
        shape=Shape(0.86, tau=22.0, power=0.6, spikes=7, noise=0.05, diverges_at=0.40),
        epochs=2,
        learning_rate=2e-3,
        warmup_steps=20,
        batch_size=8,
        accumulation=2,
        rank=32,
    ),
    DemoRun(
        key="legal-llama-oom",
        name="legal-qa-llama-8b",
        model=LLAMA,
        data=LEGAL,
        created=_at(13, 9, 44),
        status="failed",
        error="torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.31 GiB on GPU 0.",
        stops_at=0.63,
        shape=Shape(0.70, tau=50.0, memorised=0.04, creep_gb=79.0),
        batch_size=8,
        accumulation=2,
        boot_minutes=26.0,
    ),
    _CANCELLED,
    replace(
        _CANCELLED,
        key="reviews-llama-resumed",
        name="code-review-llama-8b (resumed)",
        created=_at(12, 19, 5),
        status="completed",
        stops_at=1.0,
        resumed_from="reviews-llama",
        first_step=1600,
        crash=(2965, 2900),
        speed_column="last",
    ),
    DemoRun(
        key="support-mistral-paused",
        name="support-mistral-7b",
        model=MISTRAL,
        data=SUPPORT,
        created=_at(18, 16, 30),
        status="paused",
        stops_at=0.52,
        shape=Shape(0.83, tau=70.0, memorised=0.02),
        scheduler="linear",
        odd=frozenset({"rank in three places"}),
    ),
    DemoRun(
        key="reviews-gemma-running",
        name="code-review-gemma-9b",
        model=GEMMA,
        data=REVIEWS,
        created=_at(20, 8, 47),
        status="running",
        stops_at=0.61,
        shape=Shape(0.90, tau=55.0, power=0.6, memorised=0.03),
        epochs=4,
        learning_rate=1.5e-4,
        batch_size=2,
        accumulation=16,
        eval_steps=50,
        save_steps=50,
    ),
    DemoRun(
        key="reviews-qwen-queued",
        name="code-review-qwen-7b",
        model=QWEN,
        data=REVIEWS,
        created=_at(20, 11, 48),
        status="queued",
        stops_at=0.0,
        shape=Shape(0.9),
        learning_rate=1e-4,
        rank=32,
    ),
)
"""Runs that did not, or not yet, complete; and one that went on where another was cancelled."""

COMPLETED = (
    DemoRun(
        key="legal-mistral-overfits",
        name="legal-qa-mistral-7b",
        model=MISTRAL,
        data=LEGAL,
        created=_at(10, 7, 15),
        shape=Shape(
            0.66,
            tau=32.0,
            power=0.6,
            memorised=0.17,
            offset=0.02,
            rebound_from=0.30,
            rebound=0.52,
            spikes=5,
        ),
        epochs=6,
        learning_rate=4e-4,
        accumulation=4,
        rank=64,
        logging_steps=10,
        keeps_best=False,
        odd=frozenset({"rank in three places"}),
    ),
    DemoRun(
        key="reviews-mistral-leak",
        name="code-review-mistral-7b",
        model=MISTRAL,
        data=REVIEWS,
        created=_at(11, 10, 3),
        shape=Shape(0.98, tau=50.0, memorised=0.005, offset=-0.13),
        learning_rate=1e-4,
        min_rate_share=0.1,
        batch_size=8,
        accumulation=4,
        provider="modal",
        unlogged=("tokens_per_second",),
        api_key="demo-not-a-real-key",
        odd=frozenset({"other names", "eval split twice"}),
    ),
    DemoRun(
        key="support-qwen-qlora",
        name="customer-support-qwen2.5-7b-qlora-nf4-rank32-cosine-2-epochs",
        model=QWEN,
        data=SUPPORT,
        created=_at(9, 21, 38),
        shape=Shape(0.80, tau=55.0, power=0.62, memorised=0.09, rebound_from=0.8, rebound=0.012),
        epochs=2,
        rank=32,
        quantized=True,
        eval_steps=50,
        save_steps=400,
        save_limit=2,
        odd=frozenset({"rate as text", "typo in list", "rank in three places"}),
    ),
    DemoRun(
        key="support-qwen-chinese",
        name="客服助手-微调-第三版",
        model=QWEN,
        data=SUPPORT,
        created=_at(15, 2, 26),
        shape=Shape(0.79, tau=110.0, power=0.62, memorised=0.045, spikes=6, noise=0.045),
        learning_rate=1e-4,
        accumulation=4,
        eval_steps=200,
        save_steps=200,
        repeats_eval=True,
        odd=frozenset({"warm-up twice"}),
    ),
    DemoRun(
        key="support-gemma-markup",
        name="support-bot <b>v2</b> | rank 64",
        model=GEMMA,
        data=SUPPORT,
        created=_at(16, 11, 54),
        shape=Shape(0.765, tau=60.0, power=0.68, memorised=0.035),
        batch_size=2,
        accumulation=16,
        rank=64,
        logging_steps=10,
        speed_column="steps",
        odd=frozenset({"eval split twice"}),
    ),
    DemoRun(
        key="legal-qwen-full",
        name="legal-qa-qwen-7b-full",
        model=QWEN,
        data=LEGAL,
        created=_at(8, 14, 9),
        shape=Shape(
            0.64,
            tau=70.0,
            power=0.62,
            memorised=0.13,
            rebound_from=0.55,
            rebound=0.05,
            noise=0.085,
            spikes=8,
        ),
        learning_rate=1e-5,
        warmup_steps=90,
        batch_size=2,
        accumulation=2,
        gpus=4,
        strategy="deepspeed_zero3",
        rank=None,
        logging_steps=1,
        save_limit=1,
    ),
    DemoRun(
        key="legal-gemma-linear",
        name="legal-qa-gemma-9b",
        model=GEMMA,
        data=LEGAL,
        created=_at(7, 5, 48),
        status="succeeded",
        shape=Shape(0.665, tau=65.0, power=0.62, memorised=0.035),
        scheduler="linear",
        learning_rate=1e-4,
        batch_size=2,
        provider="lambda",
        unlogged=("gpu_memory_allocated_gb", "gpu_memory_reserved_gb", "gpu_utilization_percent"),
        odd=frozenset({"warm-up twice", "eval split twice"}),
    ),
)
"""Runs that completed, each with an oddity of its own."""


def demo_runs() -> tuple[DemoRun, ...]:
    """All demo runs, in no particular order."""
    return SAME_DAY + UNFINISHED + COMPLETED
