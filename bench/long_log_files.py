"""Long logs of text as programs write them: many metrics with all their digits, and evaluations now and then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

EVERY = 100
"""Steps from one evaluation to the next."""
PART = 20_000
_BEGAN = 1_767_225_600.0
Rows = dict[str, list]
Writer = Callable[[Path, int], Path]


def parts() -> Iterator[Rows]:
    """What a training measures, some thousands of steps at a time, without an end: lists of equal length by name."""
    random, begin = np.random.default_rng(7), 1
    while True:
        step = np.arange(begin, begin + PART)
        share = step / 2_000_000
        loss = 0.5 + 2.0 * np.exp(-3.0 * share) + random.normal(0.0, 0.05, PART)
        yield {
            "step": step.tolist(),
            "epoch": (3.0 * share).tolist(),
            "loss": loss.tolist(),
            "grad_norm": np.exp(random.normal(0.0, 0.3, PART)).tolist(),
            "learning_rate": (5e-5 * (1.0 - share / 2)).tolist(),
            "accuracy": random.uniform(0.5, 0.9, PART).round(4).tolist(),
            "tokens_per_second": random.normal(9000.0, 200.0, PART).round(1).tolist(),
            "eval_loss": (loss + 0.1).tolist(),
            "eval_accuracy": random.uniform(0.5, 0.9, PART).tolist(),
            "at": (_BEGAN + 0.7 * step + random.uniform(0, 0.1, PART)).tolist(),
        }
        begin += PART


def _write(path: Path, size: int, texts: Iterator[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        while file.tell() < size:
            file.write(next(texts))
    return path


WIDE = ("step", "epoch", "loss", "grad_norm", "learning_rate", "accuracy", "tokens_per_second")
EVALS = ("eval_loss", "eval_accuracy")


def _table(path: Path, size: int, separator: str = ",", quote: str = "", when: Callable[[float], str] = str) -> Path:
    """A wide table; evaluations stand in few of its rows."""
    ending = f"{quote}\n{quote}"

    def texts() -> Iterator[str]:
        names = (*WIDE, *EVALS, "timestamp")
        between = f"{quote}{separator}{quote}"
        yield quote + between.join(names) + quote + "\n"
        for part in parts():
            evals = [
                between.join(map(str, pair)) if step % EVERY == 0 else between
                for step, *pair in zip(part["step"], *(part[name] for name in EVALS), strict=True)
            ]
            columns = [*(map(str, part[name]) for name in WIDE), evals, map(when, part["at"])]
            yield quote + ending.join(map(between.join, zip(*columns, strict=True))) + quote + "\n"

    return _write(path, size, texts())


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _long(path: Path, size: int) -> Path:
    """A row for each value: step, metric, value."""

    def texts() -> Iterator[str]:
        yield "step,metric,value\n"
        names = WIDE[2:]
        for part in parts():
            rows = []
            for place, step in enumerate(part["step"]):
                named = names if step % EVERY else (*names, *EVALS)
                rows += [f"{step},{name},{part[name][place]}\n" for name in named]
            yield "".join(rows)

    return _write(path, size, texts())


def _lightning(folder: Path, size: int) -> Path:
    """``metrics.csv`` of Lightning's CSVLogger: evaluations and rates have rows of their own."""

    def texts() -> Iterator[str]:
        yield "epoch,grad_norm,lr-AdamW,step,train_loss,val_acc,val_loss\n"
        for part in parts():
            rows = []
            columns = (part[name] for name in ("step", "loss", "grad_norm", "learning_rate", *EVALS))
            for step, loss, norm, rate, val_loss, val_acc in zip(*columns, strict=True):
                rows += [f",,{rate},{step},,,\n", f"{step // 40_000},{norm},,{step},{loss},,\n"]
                if step % EVERY == 0:
                    rows.append(f"{step // 40_000},,,{step},,{val_acc},{val_loss}\n")
            yield "".join(rows)

    return _write(folder / "lightning_logs" / "version_0" / "metrics.csv", size, texts())


def _json_rows(rename: Callable[[Rows, int], list[dict]]) -> Iterator[dict]:
    for part in parts():
        for place in range(PART):
            yield from rename(part, place)


def _lines(path: Path, size: int, objects: Iterator[dict]) -> Path:
    def texts() -> Iterator[str]:
        while True:
            yield "".join(f"{json.dumps(next(objects))}\n" for _ in range(PART))

    return _write(path, size, texts())


def _metrics(part: Rows, place: int) -> list[dict]:
    """As many own scripts do: all of a step in one object, groups as objects in it."""
    row = {name: part[name][place] for name in ("step", "epoch")}
    row["train"] = {name: part[name][place] for name in ("loss", "grad_norm", "learning_rate", "tokens_per_second")}
    row["timestamp"] = part["at"][place]
    if row["step"] % EVERY == 0:
        row["eval"] = {name.removeprefix("eval_"): part[name][place] for name in EVALS}
    return [row]


def _flat_metrics(part: Rows, place: int) -> list[dict]:
    row = {name: part[name][place] for name in (*WIDE, "at")}
    if row["step"] % EVERY == 0:
        row |= {name: part[name][place] for name in EVALS}
    return [row]


def _swift(part: Rows, place: int) -> list[dict]:
    """Rows of ms-swift's ``logging.jsonl``."""
    step = part["step"][place]
    seconds = int(0.7 * step)
    clock = {
        "epoch": part["epoch"][place],
        "global_step/max_steps": f"{step}/2000000",
        "percentage": f"{step / 20_000:.2f}%",
        "elapsed_time": _said(seconds),
        "remaining_time": _said(1_400_000 - seconds),
    }
    row = {name: part[name][place] for name in ("loss", "grad_norm", "learning_rate")}
    row |= {"token_acc": part["accuracy"][place], **clock, "memory(GiB)": 17.31, "train_speed(iter/s)": 1.428571}
    if step % EVERY:
        return [row]
    evaluation = {
        "eval_loss": part["eval_loss"][place],
        "eval_token_acc": part["eval_accuracy"][place],
        "eval_runtime": 3.2112,
        "eval_samples_per_second": 31.141,
        "eval_steps_per_second": 3.893,
    }
    return [row, evaluation | clock]


def _said(seconds: int) -> str:
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (seconds % 60, "s"))
    return " ".join(f"{count}{unit}" for count, unit in parts if count) or "0s"


def _factory(part: Rows, place: int) -> list[dict]:
    """Rows of LLaMA-Factory's ``trainer_log.jsonl``."""
    step = part["step"][place]
    seconds = int(0.7 * step)
    clock = {
        "epoch": part["epoch"][place],
        "percentage": round(step / 20_000, 2),
        "elapsed_time": _spoken(seconds),
        "remaining_time": _spoken(1_400_000 - seconds),
    }
    count = {"current_steps": step, "total_steps": 2_000_000}
    row = count | {"loss": round(part["loss"][place], 4), "lr": part["learning_rate"][place]} | clock
    return [row] if step % EVERY else [row, count | {"eval_loss": part["eval_loss"][place]} | clock]


def _spoken(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    clock = f"{rest // 3600}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days} day{'s' * (days > 1)}, {clock}" if days else clock


def _pairs(path: Path, size: int) -> Path:
    """A text log of key=value, each line with the time that ``logging`` puts before it."""

    def texts() -> Iterator[str]:
        for part in parts():
            lines = []
            names = ("step", "at", "epoch", "loss", "grad_norm", "learning_rate", "tokens_per_second", *EVALS)
            for step, at, epoch, loss, norm, rate, tokens, *evals in zip(*(part[name] for name in names), strict=True):
                begin = f"{_when(at)[:19]},{int(at % 1 * 1000):03} INFO trainer: step={step} "
                told = f"epoch={epoch:.4f} loss={loss:.6f} grad_norm={norm:.4f} lr={rate:.4e} tokens_per_s={tokens}"
                lines.append(f"{begin}{told}\n")
                if step % EVERY == 0:
                    lines.append(f"{begin}eval_loss={evals[0]:.6f} eval_accuracy={evals[1]:.4f}\n")
            yield "".join(lines)

    return _write(path, size, texts())


def _nine(path: Path, size: int) -> Path:
    """The same with nine metrics in full, and a counter with its end."""

    def texts() -> Iterator[str]:
        for part in parts():
            columns = (part[name] for name in ("step", *WIDE[2:], *EVALS))
            yield "".join(
                f"step: {step}/2000000 | loss: {a} | grad_norm: {b} | lr: {c} | acc: {d} | tok/s: {e} |"
                f" aux_loss: {f} | entropy: {g}\n"
                for step, a, b, c, d, e, f, g in zip(*columns, strict=True)
            )

    return _write(path, size, texts())


def _printed(path: Path, size: int) -> Path:
    """What a Trainer prints: a dictionary of each step."""

    def texts() -> Iterator[str]:
        for part in parts():
            lines = []
            columns = (part[name] for name in ("step", "loss", "grad_norm", "learning_rate", "epoch", "eval_loss"))
            for step, loss, norm, rate, epoch, eval_loss in zip(*columns, strict=True):
                lines.append(
                    f"{{'loss': {loss:.4f}, 'grad_norm': {norm}, 'learning_rate': {rate}, 'epoch': {epoch:.4f}}}\n"
                )
                if step % EVERY == 0:
                    lines.append(f"{{'eval_loss': {eval_loss}, 'eval_runtime': 3.21, 'epoch': {epoch:.4f}}}\n")
            yield "".join(lines)

    return _write(path, size, texts())


def _state(path: Path, size: int) -> Path:
    """``trainer_state.json``, as the Trainer writes it, with a NaN in it."""

    def texts() -> Iterator[str]:
        yield '{\n  "best_metric": null,\n  "epoch": 3.0,\n  "log_history": [\n'
        first = True
        for part in parts():
            rows = []
            for place, step in enumerate(part["step"]):
                row = {name: part[name][place] for name in ("epoch", "grad_norm", "learning_rate", "loss", "step")}
                if step == 777:
                    row["grad_norm"] = float("nan")
                rows.append(row)
                if step % EVERY == 0:
                    own = {name: part[name][place] for name in ("epoch", "eval_loss", "eval_accuracy")}
                    rows.append({**own, "eval_runtime": 3.2112, "eval_samples_per_second": 31.141, "step": step})
            text = json.dumps(rows, indent=2)[2:-2].replace("\n", "\n  ")
            yield ("" if first else ",\n") + "  " + text
            first = False

    _write(path, size, texts())
    with path.open("a") as file:
        file.write('\n  ],\n  "global_step": 2000000,\n  "max_steps": 2000000,\n  "num_train_epochs": 3\n}\n')
    return path


WRITERS: dict[str, Writer] = {
    "csv": lambda root, size: _table(root / "metrics.csv", size),
    "tsv": lambda root, size: _table(root / "metrics.tsv", size, "\t"),
    "csv quoted": lambda root, size: _table(root / "metrics.csv", size, quote='"'),
    "csv dates": lambda root, size: _table(root / "metrics.csv", size, when=_when),
    "csv long": lambda root, size: _long(root / "metrics.csv", size),
    "lightning": _lightning,
    "jsonl": lambda root, size: _lines(root / "metrics.jsonl", size, _json_rows(_flat_metrics)),
    "jsonl groups": lambda root, size: _lines(root / "metrics.jsonl", size, _json_rows(_metrics)),
    "ms-swift": lambda root, size: _lines(root / "v0-20260101-000000" / "logging.jsonl", size, _json_rows(_swift)),
    "llama-factory": lambda root, size: _lines(root / "trainer_log.jsonl", size, _json_rows(_factory)),
    "trainer": lambda root, size: _state(root / "trainer_state.json", size),
    "text pairs": lambda root, size: _pairs(root / "train.log", size),
    "text nine": lambda root, size: _nine(root / "train.log", size),
    "text printed": lambda root, size: _printed(root / "train.log", size),
}
"""Formats by what they are called here: each writes below a folder, and says where."""
