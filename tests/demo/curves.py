"""The curves of a demo run: rows of the metrics table, as its training program would have written them.

Losses follow a power law in the steps taken at full learning rate, with the staircase that repeated
samples cut into a train loss and the rebound that they cause in an eval loss; everything else hangs on
them, on the clock, or on the hardware.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.demo.specs import SEED, DemoRun

EVAL_TOKENS_SPEEDUP = 3.1
"""A forward pass costs about a third of a training step."""
GPU_MEMORY_GB = 79.1
SAVE_SECONDS = 9.0
RESTART_SECONDS = 41 * 60.0
DECIMALS = {
    "epoch": 4,
    "train_loss": 4,
    "eval_loss": 4,
    "perplexity": 4,
    "train_perplexity": 4,
    "grad_norm": 4,
    "tokens_per_second": 1,
    "samples_per_second": 3,
    "gpu_memory_allocated_gb": 2,
    "gpu_memory_reserved_gb": 2,
    "gpu_utilization_percent": 0,
}
"""As many decimals as training programs log."""


def metric_rows(run: DemoRun) -> pd.DataFrame:
    """The rows of the metrics table that ``run`` wrote, in order, without ids.

    ``is_train`` tells rows of a logging step from rows of an evaluation: in a train row a NaN train value
    was logged as NaN, while a NaN eval value was not logged at all, and the other way about.
    """
    steps, restarted = _logged_steps(run)
    if not len(steps):
        return pd.DataFrame()
    random = np.random.default_rng([SEED, int(run.run_id[:8], 16)])
    evaluated = steps % run.eval_steps == 0
    saved = steps % run.save_steps == 0
    spikes = _spikes(run, steps, random)
    train_loss = _train_loss(run, steps, spikes, random)
    grad_norm = _grad_norm(run, steps, spikes, random)
    train_loss, grad_norm = _diverge(run, steps, train_loss, grad_norm)
    speed = _tokens_per_second(run, steps, evaluated, saved, random)
    train = pd.DataFrame(
        {
            "step": steps,
            "train_loss": train_loss,
            "learning_rate": scheduled_rate(run, steps),
            "grad_norm": grad_norm,
            "tokens_per_second": speed,
            "samples_per_second": speed / (run.data.tokens * random.normal(1.0, 0.02, len(steps))),
            "gpu_utilization_percent": _utilisation(evaluated, random),
            **_memory(run, steps, random),
        }
    )
    eval_loss = _eval_loss(run, steps[evaluated], random)
    if run.shape.diverges_at is not None:
        eval_loss = _runaway(run, steps[evaluated], eval_loss)
    seconds = _clock(run, speed, evaluated, saved, restarted)
    eval_seconds = _eval_seconds(run)
    if run.repeats_eval:
        # The writer keeps the last evaluation at hand and sends it along with every later row.
        repeated = pd.Series(np.nan, index=range(len(steps)))
        repeated[evaluated] = eval_loss
        train["eval_loss"] = repeated.ffill().shift().round(DECIMALS["eval_loss"])
    evals = pd.DataFrame({"step": steps[evaluated], "eval_loss": eval_loss})
    train["is_train"], evals["is_train"] = True, False
    train["seconds"], evals["seconds"] = seconds, seconds[evaluated] + eval_seconds
    rows = pd.concat([train, evals], ignore_index=True).sort_values("seconds", kind="stable", ignore_index=True)
    return _as_logged(run, rows)


def scheduled_rate(run: DemoRun, steps: np.ndarray) -> np.ndarray:
    """The learning rate that the schedule gives at ``steps``: linear warm-up, then cosine or linear."""
    warm = np.minimum(steps / max(run.warmup_steps, 1), 1.0)
    done = np.clip((steps - run.warmup_steps) / max(run.total_steps - run.warmup_steps, 1), 0.0, 1.0)
    falling = 0.5 * (1.0 + np.cos(np.pi * done)) if run.scheduler == "cosine" else 1.0 - done
    share = run.min_rate_share + (1.0 - run.min_rate_share) * falling
    return run.learning_rate * warm * share


def _logged_steps(run: DemoRun) -> tuple[np.ndarray, np.ndarray]:
    """Steps in the order in which they were logged, and which of them came right after a restart."""
    every = run.logging_steps
    steps = np.arange((run.first_step // every + 1) * every, run.done_steps + 1, every)
    restarted = np.zeros(len(steps), dtype=bool)
    if run.crash is not None:
        crashed, checkpoint = run.crash
        before, after = steps[steps <= crashed], steps[steps > checkpoint]
        steps = np.concatenate([before, after])
        restarted = np.arange(len(steps)) == len(before)
    return steps, restarted


def _expected_loss(run: DemoRun, steps: np.ndarray) -> np.ndarray:
    """The loss on fresh training samples, without noise."""
    at_full_rate = np.cumsum(scheduled_rate(run, np.arange(run.total_steps + 1))) / run.learning_rate
    shape = run.shape
    return shape.floor + (run.data.start_loss - shape.floor) * (1.0 + at_full_rate[steps] / shape.tau) ** -shape.power


def _train_loss(run: DemoRun, steps: np.ndarray, spikes: np.ndarray, random: np.random.Generator) -> np.ndarray:
    loss = _expected_loss(run, steps) - run.shape.memorised * _rounds(steps / run.steps_per_epoch)
    # Samples differ in difficulty; part of that lasts for a few rows.
    noise = random.normal(0.0, 1.0, len(steps))
    noise = 0.9 * noise + 0.44 * pd.Series(noise).ewm(span=9).mean().to_numpy()
    return loss * np.exp(run.shape.noise * noise) + spikes


def _rounds(epochs: np.ndarray) -> np.ndarray:
    """How far a train loss has come down the staircase: a step at each new epoch, lower each time."""
    whole = np.floor(epochs)
    onset = np.clip((epochs - whole) * 14.0, 0.0, 1.0)
    heights = 0.82 ** np.arange(whole.max() + 2)
    stairs = np.concatenate([[0.0], np.cumsum(heights)])
    at = whole.astype(int)
    return np.where(at == 0, 0.0, stairs[np.maximum(at - 1, 0)] + heights[np.maximum(at - 1, 0)] * onset)


def _eval_loss(run: DemoRun, steps: np.ndarray, random: np.random.Generator) -> np.ndarray:
    shape = run.shape
    past = np.clip((steps / run.total_steps - shape.rebound_from) / max(1.0 - shape.rebound_from, 1e-9), 0.0, 1.0)
    noise = random.normal(0.0, 0.0016, len(steps))
    return _expected_loss(run, steps) + shape.offset + shape.rebound * past**1.25 + noise


def _spikes(run: DemoRun, steps: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """What gradient spikes add to the train loss; they fade within a few rows."""
    after_warmup = np.flatnonzero(steps > max(2 * run.warmup_steps, run.first_step + 50))
    added = np.zeros(len(steps))
    if not len(after_warmup):
        return added
    count = max(1, round(run.shape.spikes * run.stops_at))
    for at in random.choice(after_warmup, size=count, replace=False):
        size = random.choice([0.02, random.uniform(0.12, 0.45)])
        added[at : at + 4] += size * np.array([1.0, 0.55, 0.25, 0.1])[: len(steps) - at]
    return added


def _grad_norm(run: DemoRun, steps: np.ndarray, spikes: np.ndarray, random: np.random.Generator) -> np.ndarray:
    level = 1.9 if run.rank is None else 0.62 * (run.rank / 16) ** 0.25
    falling = level * (1.0 + 2.4 * (1.0 + steps / 25.0) ** -0.7)
    # Memorised samples leave a small, uneven gradient that grows again late in training.
    late = 1.0 + 2.2 * run.shape.memorised * steps / run.total_steps
    noise = np.exp(random.normal(0.0, 0.11, len(steps)))
    return falling * late * noise * (1.0 + 11.0 * np.sqrt(spikes))


def _diverge(
    run: DemoRun, steps: np.ndarray, train_loss: np.ndarray, grad_norm: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    if run.shape.diverges_at is None:
        return train_loss, grad_norm
    start = run.shape.diverges_at * run.total_steps
    away = np.clip((steps - start) / (run.logging_steps * 12), 0.0, None)
    grad_norm = grad_norm * np.exp(np.minimum(away, 8.0) * 1.3)
    lost = np.flatnonzero(away > 3.2)
    grad_norm[lost[:1]], grad_norm[lost[1:]] = np.inf, np.nan
    return _runaway(run, steps, train_loss), grad_norm


def _runaway(run: DemoRun, steps: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """The loss from the step on at which the run diverges: up to that of guessing, then not a number."""
    away = np.clip((steps - run.shape.diverges_at * run.total_steps) / (run.logging_steps * 12), 0.0, None)
    ceiling = np.log(32_000.0)
    away_loss = loss + (ceiling - loss) * (1.0 - np.exp(-(away**1.6) / 3.0))
    return np.where(away > 3.2, np.nan, away_loss)


def _tokens_per_second(
    run: DemoRun, steps: np.ndarray, evaluated: np.ndarray, saved: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    speed = run.model.tokens_per_second * run.gpus
    speed *= 0.68 if run.quantized else 0.72 if run.rank is None else 1.0
    jitter = random.normal(1.0, 0.014, len(steps))
    drift = 1.0 + 0.012 * np.sin(2.0 * np.pi * steps / run.total_steps * 3.0 + random.uniform(0.0, 6.0))
    # What an evaluation or a checkpoint takes is part of the time of the row that follows it.
    after_eval = np.concatenate([[False], evaluated[:-1]])
    after_save = np.concatenate([[False], saved[:-1]])
    dips = np.where(after_eval, random.uniform(0.66, 0.82, len(steps)), 1.0)
    dips *= np.where(after_save, random.uniform(0.86, 0.96, len(steps)), 1.0)
    return speed * jitter * drift * dips


def _utilisation(evaluated: np.ndarray, random: np.random.Generator) -> np.ndarray:
    busy = 97.0 - np.abs(random.normal(0.0, 1.6, len(evaluated)))
    return np.where(np.concatenate([[False], evaluated[:-1]]), random.uniform(61.0, 82.0, len(evaluated)), busy)


def _memory(run: DemoRun, steps: np.ndarray, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Allocated follows the longest sample of the batch; reserved only ever grows, in blocks."""
    base = run.model.memory_gb * (0.58 if run.quantized else 2.7 if run.rank is None else 1.0)
    base += 0.9 * (run.batch_size - 2)
    allocated = base + random.gamma(2.0, 0.11, len(steps)) + run.shape.creep_gb * steps / run.total_steps
    reserved = np.minimum(np.ceil(np.maximum.accumulate(allocated + 0.9) * 2.0) / 2.0, GPU_MEMORY_GB)
    return {
        "gpu_memory_allocated_gb": np.minimum(allocated, reserved - 0.2),
        "gpu_memory_reserved_gb": reserved,
    }


def _eval_seconds(run: DemoRun) -> float:
    speed = run.model.tokens_per_second * run.gpus
    # Long evaluations would dwarf the training between them; writers cap their samples.
    samples = min(run.data.val_samples, 512)
    return samples * run.data.tokens / (speed * EVAL_TOKENS_SPEEDUP)


def _clock(
    run: DemoRun, speed: np.ndarray, evaluated: np.ndarray, saved: np.ndarray, restarted: np.ndarray
) -> np.ndarray:
    """Seconds from the creation of the run to each train row."""
    working = run.logging_steps * run.effective_batch * run.data.tokens / speed
    pauses = _eval_seconds(run) * evaluated + SAVE_SECONDS * saved
    waiting = np.concatenate([[0.0], pauses[:-1]]) + RESTART_SECONDS * restarted
    return (run.queue_minutes + run.boot_minutes) * 60.0 + np.cumsum(working + waiting)


def _as_logged(run: DemoRun, rows: pd.DataFrame) -> pd.DataFrame:
    """Rounded as training programs log, with what follows from other columns."""
    rows["epoch"] = rows["step"] / run.steps_per_epoch
    rows = rows.round({name: digits for name, digits in DECIMALS.items() if name in rows})
    rows["train_perplexity"] = np.exp(rows["train_loss"]).round(DECIMALS["train_perplexity"])
    rows["perplexity"] = np.exp(rows["eval_loss"]).round(DECIMALS["perplexity"])
    rows["learning_rate"] = np.array([float(f"{rate:.6g}") for rate in rows["learning_rate"]])
    start = pd.Timestamp(run.created)
    rows["timestamp"] = start + pd.to_timedelta((rows.pop("seconds") * 1000).round() * 1000, unit="us")
    return rows.drop(columns=[name for name in run.unlogged if name in rows])
