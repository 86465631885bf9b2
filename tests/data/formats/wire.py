"""Protocol buffers, event files and W&B run files as bytes, written field by field."""

from __future__ import annotations

import json
import struct
import zlib


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def block(field: int, content: bytes | str) -> bytes:
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def double(field: int, value: float) -> bytes:
    return varint(field << 3 | 1) + struct.pack("<d", value)


def single(field: int, value: float) -> bytes:
    return varint(field << 3 | 5) + struct.pack("<f", value)


def crc32c(content: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(content: bytes) -> bytes:
    crc = crc32c(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def frame(event: bytes) -> bytes:
    length = struct.pack("<Q", len(event))
    return length + masked(length) + event + masked(event)


def event(*fields: bytes, step: int = 0, wall: float = 1_700_000_000.0) -> bytes:
    """A frame with an event; step 0 is not written."""
    return frame(double(1, wall) + (number(2, step) if step else b"") + b"".join(fields))


VERSION = event(block(3, "brain.Event:2"))


def value(tag: str, *fields: bytes) -> bytes:
    return block(1, block(1, tag) + b"".join(fields))


def scalar(tag: str, number_: float, step: int = 0, wall: float = 1_700_000_000.0) -> bytes:
    return event(block(5, value(tag, single(2, number_))), step=step, wall=wall)


def plugin(name: str, content: bytes = b"", data_class: int = 0) -> bytes:
    return block(9, block(1, block(1, name) + block(2, content)) + (number(4, data_class) if data_class else b""))


def tensor(tag: str, dtype: int, content: bytes, *more: bytes, step: int = 0, wall: float = 1_700_000_000.0) -> bytes:
    """A frame with a tensor: ``content`` are its fields after the shape."""
    return event(
        block(5, value(tag, block(8, number(1, dtype) + block(2, b"") + content), *more)), step=step, wall=wall
    )


def text(tag: str, content: str) -> bytes:
    shape = block(2, block(2, number(1, 1)))
    return event(block(5, value(tag, block(8, number(1, 7) + shape + block(8, content)), plugin("text"))))


def restart(step: int) -> bytes:
    return event(block(7, number(1, 1)), step=step)


def hparam(key: str, content: object) -> bytes:
    if isinstance(content, bool):
        kind = number(4, int(content))
    elif isinstance(content, str):
        kind = block(3, content)
    elif content is None:
        kind = number(1, 0)
    elif isinstance(content, list):
        kind = block(6, b"".join(block(1, double(2, each)) for each in content))
    else:
        kind = double(2, float(content))
    return block(1, block(1, key) + block(2, kind))


def session_start(hparams: dict[str, object]) -> bytes:
    data = block(3, b"".join(hparam(*item) for item in hparams.items()))
    return event(block(5, value("_hparams_/session_start_info", plugin("hparams", data))))


def session_end(status: int, wall: float = 1_700_000_000.0) -> bytes:
    data = block(4, number(1, status))
    return event(block(5, value("_hparams_/session_end_info", plugin("hparams", data))), wall=wall)


# W&B.


def run_file(records: list[bytes]) -> bytes:
    """A run file: records in blocks of 32 kB, as LevelDB writes its logs."""
    out = bytearray(b":W&B" + struct.pack("<HB", 0xBEE1, 0))
    for record in records:
        first, rest = True, record
        while True:
            left = 32768 - len(out) % 32768
            if left < 7:
                out += bytes(left)
                left = 32768
            part, rest = rest[: left - 7], rest[left - 7 :]
            kind = (1 if first else 4) if not rest else (2 if first else 3)
            out += struct.pack("<IHB", zlib.crc32(bytes([kind]) + part), len(part), kind) + part
            first = False
            if not rest:
                break
    return bytes(out)


def item(name: str | list[str], content: object, *, raw: str | None = None, typed: bytes = b"") -> bytes:
    """An item of history, summary or configuration: a list of names is nested."""
    names = b"".join(block(2, each) for each in name) if isinstance(name, list) else block(1, name)
    return block(1, names + (typed or block(16, json.dumps(content) if raw is None else raw)))


def row(step: int, content: dict[str, object], at: float | None = None) -> bytes:
    """A record of history, as newer versions write it."""
    items = [item([name], each) for name, each in content.items()]
    items.append(item(["_step"], step))
    if at is not None:
        items.append(item(["_timestamp"], at))
    return number(1, 1) + block(2, b"".join(items))


def run_record(run_id: str, name: str = "", config: dict[str, object] | None = None, started: int = 0) -> bytes:
    stated = b"".join(item(key, each) for key, each in (config or {}).items())
    content = block(1, run_id) + block(3, "project") + block(4, stated)
    content += (block(8, name) if name else b"") + (block(17, number(1, started)) if started else b"")
    return number(1, 2) + block(17, content)


def exit_record(code: int) -> bytes:
    return number(1, 9) + block(18, number(1, code) if code else b"")


def config_record(update: dict[str, object], remove: list[str] | None = None) -> bytes:
    content = b"".join(item(*each) for each in update.items())
    return number(1, 3) + block(5, content + b"".join(block(2, block(1, each)) for each in remove or []))


def summary_record(update: dict[str, object]) -> bytes:
    return number(1, 4) + block(3, b"".join(item([key], each) for key, each in update.items()))


def metric_record(name: str, axis: str) -> bytes:
    return number(1, 5) + block(12, block(2 if "*" in name else 1, name) + block(4, axis))
