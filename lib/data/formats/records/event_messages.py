"""The messages in TensorBoard's event files, and what single values of them are."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np

_SCHEMA = {
    "Event": "wall_time 1 double; step 2 int64; file_version 3 bytes; summary 5 Summary; session_log 7 SessionLog",
    "SessionLog": "status 1 int32",
    "Summary": "value 1 Value*",
    "Value": "tag 1 bytes; simple_value 2 float?; tensor 8 Tensor?; metadata 9 Metadata",
    "Metadata": "plugin 1 Plugin; data_class 4 int32",
    "Plugin": "name 1 bytes; content 2 bytes",
    "Tensor": "dtype 1 int32; shape 2 Shape; content 4 bytes; floats 5 float*; doubles 6 double*; ints 7 int32*;"
    " texts 8 bytes*; longs 10 int64*; bools 11 bool*; halves 13 int32*",
    "Shape": "dim 2 Dim*",
    "Dim": "size 1 int64",
    "HParams": "start 3 Start; end 4 End",
    "Start": "hparams 1 Entry*; start_time 5 double",
    "End": "status 1 int32; end_time 2 double",
    "Entry": "key 1 bytes; value 2 Any",
    "Any": "null 1 int32?; number 2 double?; text 3 bytes?; flag 4 bool?; struct 5 Struct?; list 6 List?",
    "Struct": "fields 1 Entry*",
    "List": "values 1 Any*",
}

STRING = 7
"""The type of a tensor of texts."""
_TYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 10: "?", 14: "bf16", 19: "<f2", 5: "<i2", 6: "i1", 4: "u1"}
_TYPES |= {17: "<u2", 22: "<u4", 23: "<u8"}


@cache
def _classes() -> dict[str, Any]:
    from lib.data.formats.records.protobuf_schema import message_classes

    return message_classes("runoff.events", _SCHEMA)


def parsed(name: str, content: bytes) -> Any:
    """A message of that name, or ``None`` where the content is none."""
    from google.protobuf.message import DecodeError

    try:
        return _classes()[name].FromString(content)
    except DecodeError:
        return None


def scalar(value: Any) -> tuple[str, float] | None:
    """The number that a value of a summary is, after its type (``<f4``, ``<f2``, ``bf16`` or ``<f8``)."""
    if value.HasField("simple_value"):
        return "<f4", value.simple_value
    if not value.HasField("tensor"):
        return None
    tensor = value.tensor
    kind = _TYPES.get(tensor.dtype)
    if kind is None or any(dim.size != 1 for dim in tensor.shape.dim):
        return None
    width = 2 if kind == "bf16" else np.dtype(kind).itemsize
    if tensor.content:
        if len(tensor.content) != width:
            return None
        if kind == "bf16":
            return kind, float(np.frombuffer(b"\0\0" + tensor.content, dtype="<f4")[0])
        number = float(np.frombuffer(tensor.content, dtype=kind)[0])
        return (kind if kind in ("<f4", "<f2") else "<f8"), number
    for numbers, of_kind in (
        (tensor.floats, "<f4"),
        (tensor.doubles, "<f8"),
        (tensor.ints, "<f8"),
        (tensor.longs, "<f8"),
        (tensor.bools, "<f8"),
    ):
        if len(numbers) == 1:
            return of_kind, float(numbers[0])
    if len(tensor.halves) == 1 and kind in ("bf16", "<f2"):
        bits = np.uint16(tensor.halves[0] & 0xFFFF)
        if kind == "<f2":
            return kind, float(bits.view(np.float16))
        return kind, float(np.array([np.uint32(bits) << np.uint32(16)], dtype=np.uint32).view(np.float32)[0])
    # A zero may not be written at all.
    written = tensor.floats or tensor.doubles or tensor.ints or tensor.longs or tensor.bools or tensor.halves
    return None if written else ("<f8", 0.0)


def hyperparameters(entries: Iterable[Any]) -> dict[str, Any]:
    """The hyperparameters of a session, or the fields of one that has some."""
    return {entry.key.decode("utf-8", "replace"): _plain(entry.value) for entry in entries}


def _plain(value: Any) -> Any:
    """A value of a hyperparameter; whole numbers are written as doubles there and were whole."""
    kind = value.WhichOneof("one")
    if kind == "number":
        number = value.number
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if kind == "text":
        return value.text.decode("utf-8", "replace")
    if kind == "flag":
        return value.flag
    if kind == "struct":
        return hyperparameters(value.struct.fields)
    if kind == "list":
        return [_plain(each) for each in value.list.values]
    return None
