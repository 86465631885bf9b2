"""Lines that are read together come to what they come to one by one."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.data.formats.text import blocks, lines
from lib.data.formats.text.log import runs_of
from lib.data.formats.text.scan import NUMBER, scan
from tests.data.formats.readers.test_text_logs import PROGRAMS, hf, modded, nanogpt

FILES = (("train.log",),)


def told(data: bytes) -> list[str]:
    """All that is made of a log, as text."""

    def numbers(array: np.ndarray | None) -> object:
        return None if array is None else array.tolist()

    return [
        repr(
            [
                *(run.key, run.name, run.counted, run.config, run.last, run.status, run.error, run.started, run.ended),
                *(run.total_steps, run.total_epochs, run.notes),
                {
                    name: [numbers(each) for each in (series.step, series.value, series.epoch, series.at)]
                    for name, series in run.series.items()
                },
            ]
        )
        for run in runs_of([io.BytesIO(data)], FILES)
    ]


def one_by_one(data: bytes, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    with monkeypatch.context() as patch:
        patch.setattr(blocks, "MAX_SHAPES", 0)
        return told(data)


def number(luck: random.Random) -> str:
    odd = [
        "nan",
        "inf",
        "-1.5",
        "1e-5",
        "12",
        "1,234",
        "50%",
        "3.2ms",
        "5.",
        "0",
        "1e400",
        "9" * 50,
        "1.2k",
        ".5",
        "+3",
    ]
    return luck.choice(odd) if luck.random() < 0.2 else f"{3 * luck.random():.4f}"


def line(kind: int, step: int, luck: random.Random) -> str:
    """One of the ways to print a step, with all that changes from line to line."""
    value, clock = number(luck), f"00:{step % 60:02d}"
    match kind:
        case 0:
            zone = luck.choice(["", "Z", "+02:00"])
            at = f"2025-1{step % 3}-{1 + step % 31:02d}T10:{step % 60:02d}:{step % 70:02d}.{step % 1000:03d}{zone}"
            return f"[rank{step % 2}]: {at} step {step}/400 loss: {value} Acc@{1 + step % 2} 0.5 tps: {step * 997:,}\n"
        case 1:
            bar = f"{step}%|#   | {step % 100}/100 [{clock}<00:10, 2.0it/s"
            return f"Epoch {step // 100}:  {bar}, loss={value}, v_num=0]\r"
        case 2:
            dictionary = f"{{'loss': {value}, 'grad_norm': {luck.random() * 1e-5}, 'epoch': {step / 100}}}\n"
            return f"\r{step}%|█▏| {step}/400 [0:{clock}<1:00:00,  2.0it/s]" + (dictionary if step % 3 == 0 else "")
        case 3:
            return f"[step={step}/400,epoch={step // 100}]\n    train/loss={value}\n    val loss {value}, val acc 0.5\n"
        case 4:
            return luck.choice([f"Epoch {step // 10}/40\n", "WARNING: 3.5 1. x 1.2.3\n", f"Saved to /out/{step}\n"])
        case 5:
            return f"\x1b[32miter {step} loss={value} time {step}ms\x1b[0m norm.{step % 3}: 0.5\r\n"
        case _:
            return f"iter {step % 150}: loss {value}, time {100 * luck.random():.2f}ms, mfu {50 * luck.random():.2f}%\n"


@pytest.mark.parametrize("seed", range(60))
def test_a_log_of_many_shapes(seed, monkeypatch) -> None:
    luck = random.Random(seed)
    kinds = luck.sample(range(7), luck.randint(1, 3))
    data = "".join(line(luck.choice(kinds), step, luck) for step in range(200)).encode()
    if luck.random() < 0.3:
        changed = bytearray(data)
        for _ in range(10):
            changed[luck.randrange(len(changed))] = luck.randrange(256)
        data = bytes(changed)
    assert told(data) == one_by_one(data, monkeypatch)


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_programs_print(program, monkeypatch) -> None:
    data = PROGRAMS[program][0].encode()
    for more in (b"", nanogpt(0, 900).encode(), hf(quoted=True, bar=True).encode(), modded().encode()):
        assert told(data + more) == one_by_one(data + more, monkeypatch)


@pytest.mark.parametrize("size", [200, 1000, 2**20])
def test_parts_of_a_file_change_nothing(size, monkeypatch) -> None:
    data = ("caf\u00e9\n" + nanogpt(0, 3000) + hf(quoted=False, bar=True, broken="\r")).encode()
    whole = told(data)
    monkeypatch.setattr(lines, "_CHUNK", size)
    assert told(data) == whole


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(["1", "22", ".", "e", "E", "-", "+", " ", "\n", "\r", "x", "345", ".5", "1e-05", "µ"])))
def test_numbers_are_those_of_the_pattern(pieces) -> None:
    found = scan("".join(pieces).encode())
    for place, odd in enumerate(found.is_odd):
        mine = found.value[found.first[place] : found.first[place + 1]].tolist()
        assert odd or mine == [float(each) for each in NUMBER.findall(found.text(place))]


def test_many_numbers_are_read_as_a_few_are() -> None:
    luck = random.Random(3)
    texts = [repr(luck.random() * 10.0 ** luck.randint(-30, 30)) for _ in range(9000)]
    for more in ([], ["1e400", "4.9e-324", "5.", ".5", "9" * 30]):
        assert scan(" \n".join(texts + more).encode()).value.tolist() == [float(each) for each in texts + more]
