"""Long logs that are no text, of what ``bench.long_log_files`` logs: Parquet, TensorBoard's event files, W&B's runs."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

import numpy as np

from bench.long_log_files import EVALS, EVERY, PART, WIDE, Rows, Writer, parts
from tests.data.formats.wire import block, varint

RUNS, STEPS = 5, 100_000
_METRICS = ("loss", "grad_norm", "learning_rate", "accuracy", "tokens_per_second", "eval_loss")
_BLOCK = 32_768


def _parquet(path: Path, size: int) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    writer = None
    for part in parts():
        is_eval = np.array(part["step"]) % EVERY == 0
        columns = {name: pa.array(part[name]) for name in (*WIDE, "at")}
        columns |= {name: pa.array(part[name], mask=~is_eval) for name in EVALS}
        table = pa.table(columns)
        writer = writer or parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
        if path.stat().st_size > size:
            break
    writer.close()
    return path


def _parquet_of_runs(path: Path) -> Path:
    """Several runs in one file, told apart by a column of names."""
    import pyarrow as pa
    from pyarrow import parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    logged = list(islice(parts(), STEPS // PART))
    columns = {name: np.concatenate([part[name] for part in logged]) for name in ("step", *_METRICS)}
    tables = []
    for run in range(RUNS):
        own = {name: column + (run * 0.01 if name != "step" else 0) for name, column in columns.items()}
        tables.append(pa.table({"run": [f"run-{run}"] * STEPS, **own}))
    parquet.write_table(pa.concat_tables(tables), path)
    return path


def _crc32c(content: np.ndarray) -> np.ndarray:
    """The masked checksum of each row, shape (n, 4), uint8."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> np.uint32(1)) ^ np.uint32(0x82F63B78), table >> np.uint32(1))
    crc = np.full(len(content), 0xFFFFFFFF, dtype=np.uint32)
    for at in range(content.shape[1]):
        crc = table[(crc ^ content[:, at]) & np.uint32(255)] ^ (crc >> np.uint32(8))
    crc = ~crc
    masked = ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(0xA282EAD8)
    return np.ascontiguousarray(masked).view(np.uint8).reshape(-1, 4)


def _bytes_of(column: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(column).view(np.uint8).reshape(len(column), -1)


def _framed(event: np.ndarray) -> list[np.ndarray]:
    length = np.tile(np.frombuffer(struct.pack("<Q", event.shape[1]), dtype=np.uint8), (len(event), 1))
    return [length, _crc32c(length[:1]).repeat(len(event), 0), event, _crc32c(event)]


def _events(part: Rows, names: Mapping[str, str]) -> Iterator[bytes]:
    """An event for each metric of each step, as PyTorch writes them."""
    step, at = np.array(part["step"]), np.array(part["at"])
    width = 1 + (step >= 128) + (step >= 2**14) + (step >= 2**21)
    for digits in np.unique(width):
        mine = np.flatnonzero(width == digits)
        septets = [(step[mine] >> 7 * place) & 0x7F | (0x80 if place < digits - 1 else 0) for place in range(digits)]
        frames = []
        for name, tag in names.items():
            value = b"\x0a" + bytes([len(tag)]) + tag.encode() + b"\x15"
            head = b"\x2a" + bytes([len(value) + 6]) + b"\x0a" + bytes([len(value) + 4]) + value
            pieces = [
                np.full((len(mine), 1), 0x09, np.uint8),
                _bytes_of(at[mine]),
                np.full((len(mine), 1), 0x10, np.uint8),
                np.array(septets, dtype=np.uint8).T,
                np.tile(np.frombuffer(head, dtype=np.uint8), (len(mine), 1)),
                _bytes_of(np.array(part[name])[mine].astype("<f4")),
            ]
            frames += _framed(np.concatenate(pieces, axis=1))
        yield np.concatenate(frames, axis=1).tobytes()


def _tensorboard(folder: Path, size: int, steps: int | None = None) -> Path:
    names = {name: f"{'eval' if name in EVALS else 'train'}/{name}" for name in _METRICS}
    path = folder / "events.out.tfevents.1767225600.machine.1.0"
    folder.mkdir(parents=True, exist_ok=True)
    version = b"\x09" + struct.pack("<d", 1_767_225_600.0) + b"\x1a\x0dbrain.Event:2"
    with path.open("wb") as file:
        file.writelines(each.tobytes() for each in _framed(np.frombuffer(version, dtype=np.uint8)[None, :]))
        for part in islice(parts(), None if steps is None else steps // PART):
            file.writelines(_events(part, names))
            if steps is None and file.tell() > size:
                break
    return path


def _tensorboard_of_runs(root: Path) -> Path:
    for run in range(RUNS):
        _tensorboard(root / f"run-{run}", 0, STEPS)
    return root


def _items(number: int, row: Mapping[str, float | int]) -> bytes:
    return b"".join(
        block(number, block(2, name.encode()) + block(16, json.dumps(value).encode())) for name, value in row.items()
    )


def _wandb_records() -> Iterator[bytes]:
    """A run, then a row of history for each step, and the summary that W&B repeats behind it."""
    yield b"\x08\x01" + block(17, block(1, b"abc12345") + block(3, b"project") + block(8, b"long"))
    for part in parts():
        for place, step in enumerate(part["step"]):
            names = (*WIDE[1:], *EVALS) if step % EVERY == 0 else WIDE[1:]
            row = {f"train/{name}": part[name][place] for name in names}
            row |= {"_step": step, "_timestamp": part["at"][place], "_runtime": 0.7 * step}
            number, place = b"\x08" + varint(2 * step), step % len(row)
            # Its service keeps items in no order.
            row = dict([*list(row.items())[place:], *list(row.items())[:place]])
            yield number + block(2, _items(1, row) + block(2, b"\x08" + varint(step)))
            yield number + block(3, _items(1, row))


def _wandb(folder: Path, size: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "run-abc12345.wandb"
    with path.open("wb") as file:
        file.write(b":W&B\xe1\xbe\x00")
        at = 7
        for record in _wandb_records():
            is_first, rest = True, record
            while is_first or rest:
                left = _BLOCK - at % _BLOCK
                if left < 7:
                    file.write(bytes(left))
                    at += left
                    left = _BLOCK
                piece, rest = rest[: left - 7], rest[left - 7 :]
                kind = (1 if is_first else 4) if not rest else (2 if is_first else 3)
                check = zlib.crc32(bytes([kind]) + piece)
                file.write(struct.pack("<IHB", check, len(piece), kind) + piece)
                at += 7 + len(piece)
                is_first = False
            if at > size:
                return path
    return path


WRITERS: dict[str, Writer] = {
    "parquet": lambda root, size: _parquet(root / "metrics.parquet", size),
    "parquet runs": lambda root, size: _parquet_of_runs(root / "metrics.parquet"),
    "tensorboard": _tensorboard,
    "tensorboard runs": lambda root, size: _tensorboard_of_runs(root),
    "wandb": lambda root, size: _wandb(root / "wandb" / "run-20260101_000000-abc12345", size),
}
"""As ``bench.long_log_files.WRITERS``; those of runs have ``RUNS`` of ``STEPS``, whatever size is asked for."""
