from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.data.formats.records import event_records
from lib.data.formats.records.event_records import EventFile
from tests.data.formats import wire


def read(content: bytes) -> tuple[list[bytes], int | None]:
    """The records in their order, and where the damage is."""
    file = EventFile(io.BytesIO(content), len(content))
    found = {
        int(order): row.tobytes()
        for batch in file.batches()
        for records in batch
        for order, row in zip(records.order, records.content, strict=True)
    }
    return [found[order] for order in sorted(found)], file.damage


CONTENTS = st.lists(st.binary(max_size=40), max_size=12)


@given(CONTENTS, st.data())
def test_what_is_whole_before_a_cut_is_read(contents, data) -> None:
    frames = [wire.frame(each) for each in contents]
    whole = b"".join(frames)
    assert read(whole) == (contents, None)
    cut = data.draw(st.integers(0, len(whole)))
    before = int(np.searchsorted(np.cumsum([len(each) for each in frames]), cut, side="right")) if frames else 0
    assert read(whole[:cut]) == (contents[:before], None)


@given(CONTENTS.filter(bool), st.data())
def test_a_flipped_byte_ends_the_reading_before_its_record(contents, data) -> None:
    frames = [wire.frame(each) for each in contents]
    whole = bytearray(b"".join(frames))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    ends = np.cumsum([len(each) for each in frames])
    hurt = int(np.searchsorted(ends, at, side="right"))
    start = int(ends[hurt]) - len(frames[hurt])
    assert read(bytes(whole)) == (contents[:hurt], start)


@given(st.binary(max_size=200))
def test_any_bytes_end(content) -> None:
    read(content)


@pytest.mark.parametrize("many", [1, 3, event_records._MANY, 200])
@pytest.mark.parametrize("length", [0, 1, 35, 300])
def test_the_checksum_is_that_of_the_definition(many, length) -> None:
    rows = np.random.default_rng(1).integers(0, 256, (many, length), dtype=np.uint8)
    stored = np.array([list(wire.masked(row.tobytes())) for row in rows], dtype=np.uint8)
    assert event_records._has_checksum(rows, stored).all()
    stored[-1, 2] ^= 1
    assert event_records._has_checksum(rows, stored).tolist() == [True] * (many - 1) + [False]


def test_the_checksum_of_a_known_text() -> None:
    assert wire.crc32c(b"123456789") == 0xE3069283


def test_records_across_the_ends_of_blocks_and_a_picture_between_them(monkeypatch) -> None:
    monkeypatch.setattr(event_records, "_BLOCK", 100)
    monkeypatch.setattr(event_records, "_MOST_RECORD", 300)
    small = [bytes([each]) * each for each in range(1, 60)]
    content = b"".join(wire.frame(each) for each in [*small[:30], bytes(5000), *small[30:]])
    assert read(content) == (small, None)


def test_a_length_beyond_the_file_is_an_unfinished_record_or_damage() -> None:
    length = struct.pack("<Q", 2**62)
    first = wire.frame(b"a")
    assert read(first + length + wire.masked(length) + b"abc") == ([b"a"], None)
    assert read(first + length + b"\0\0\0\0" + b"abc") == ([b"a"], len(first))


@given(
    st.lists(st.tuples(st.lists(st.integers(0, 300), min_size=1, max_size=40), st.integers(1, 300)), max_size=4),
    st.integers(0, 400),
)
def test_records_begin_where_their_lengths_say(cycles, cut) -> None:
    """However often lengths repeat, and wherever they stop to."""
    sizes = [size for cycle, often in cycles for size in cycle * often][:3_000]
    data = b"".join(struct.pack("<Q", size) + bytes(size + 8) for size in sizes)
    data = data[: len(data) - cut] if cut else data
    expected, at = [], 0
    while at + 12 <= len(data) and at + 16 + struct.unpack_from("<Q", data, at)[0] <= len(data):
        expected.append(at)
        at += 16 + struct.unpack_from("<Q", data, at)[0]
    starts, end = event_records._starts(data)
    assert (starts.tolist(), end) == (expected, at)


def test_lengths_that_are_no_lengths_lead_nowhere() -> None:
    data = b"".join(struct.pack("<Q", 5) + bytes(13) for _ in range(500))
    for bad in (2**64 - 1, 2**63, 2**64 - 16):
        hurt = bytearray(data)
        hurt[300 * 21 : 300 * 21 + 8] = struct.pack("<Q", bad)
        starts, end = event_records._starts(bytes(hurt))
        assert (len(starts), end) == (300, 300 * 21)
