"""What was found in the files of one unit, without its curves: small enough to keep of all, and to remember on disk."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from operator import attrgetter
from types import UnionType
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from lib.core.facts.changed_runs import made_again
from lib.core.facts.runs import RunSummary
from lib.data.formats.logged import FilePath, Folder, Told
from lib.data.trainer.log_marks import LogMark

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class FoundForm:
    """One run in one form, as it was read.

    Attributes:
        folder, format, files, key, identity, name, parent: As in ``lib.data.formats.assembly.Form``.
        run: Its facts, under a provisional id and name.
        metrics: How many points each of its curves has.
        seen: Another text whenever anything else was seen of it.
        run_id: Its identity, where its format gives one; else "".
        label: The names that tell it from others in the same folder; "" for the only one there.
        mark: Of a log whose copies are looked for.
    """

    folder: Folder
    format: str
    files: tuple[FilePath, ...]
    key: str
    identity: str
    name: str
    parent: str
    run: RunSummary
    metrics: Mapping[str, int]
    seen: str
    run_id: str = ""
    label: str = ""
    mark: LogMark | None = None


@dataclass(frozen=True, slots=True)
class FoundUnit:
    """What was found in the files of a unit.

    Attributes:
        sight: Names what was there to see: as long as it stays, nothing is read again.
        forms: The runs.
        unreadable: Files that could not be read.
        unused: Files that hold nothing that can be shown.
        is_read: False where the files are not of the format after all.
        is_settled: False where another try may give more, though no file changes.
    """

    sight: str
    forms: tuple[FoundForm, ...] = ()
    unreadable: tuple[Told, ...] = ()
    unused: tuple[Told, ...] = ()
    is_read: bool = True
    is_settled: bool = True


class Unit(NamedTuple):
    """Files that are read together.

    Attributes:
        format: The title of what reads them.
        folder: Names their run or runs.
    """

    format: str
    folder: Folder


def to_text(found: FoundUnit) -> str | None:
    """The unit as JSON; ``None`` where it holds what JSON has no word for."""
    return text_of(found)


def text_of(value: Any) -> str | None:
    """As ``to_text``, of any dataclass, or of anything that holds them."""
    import orjson

    try:
        plain = _plain(value)
        try:
            # Several times as fast as what has words for NaN and long numbers; the first of these is null to it.
            if b"null" not in (written := orjson.dumps(plain)):
                return written.decode()
        except TypeError:
            pass
        return _ENCODER.encode(plain)
    except (TypeError, ValueError, RecursionError):
        return None


def from_text(text: str) -> FoundUnit:
    """The unit of such a text.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: If it is none.
    """
    return made_of(FoundUnit, content_of(text))


def made_of(kind: type[_T], said: Any) -> _T:
    """A dataclass of what its JSON says; raises as ``from_text``."""
    maker: Any = _maker
    found = maker(kind)(said)
    if not isinstance(found, kind):
        raise ValueError("Expected something else.")
    return found


def content_of(text: str) -> Any:
    """What a text of JSON says.

    Raises:
        ValueError: If it is none.
    """
    import orjson

    # To look for that pattern takes as long as reading the text; most have no such row of digits.
    if _LONG_ROW not in text.encode().translate(_AS_DIGITS) or not _LONG_NUMBER.search(text):
        try:
            # Several times as fast as what reads NaN, halves of surrogate pairs and long numbers too.
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            pass
    return json.loads(text)


_LONG_NUMBER = re.compile(r"[:,\[]-?[0-9]{19}")
_LONG_ROW, _AS_DIGITS = b"0" * 19, bytes.maketrans(b"123456789", b"000000000")
_ENCODER = json.JSONEncoder(check_circular=False, separators=(",", ":"))
_AS_THEY_ARE = frozenset((str, int, float, bool, type(None)))


def _plain(value: Any) -> Any:
    """Fields that have their default are left out."""
    kind: Any = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is tuple or kind is list:
        return [each if type(each) in _AS_THEY_ARE else _plain(each) for each in value]
    if kind is dict:
        return {key: held if type(held) in _AS_THEY_ARE else _plain(held) for key, held in value.items()}
    if (known := _fields_of(kind)) is not None:
        get, names, defaults = known
        return {
            name: held if type(held) in _AS_THEY_ARE else _plain(held)
            for name, default, held in zip(names, defaults, get(value), strict=True)
            if held is not default and not (held == default and type(held) is type(default))
        }
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return value


@cache
def _fields_of(kind: Any) -> tuple[Callable[[Any], tuple[Any, ...]], tuple[str, ...], tuple[Any, ...]] | None:
    """What gets the fields of a dataclass of several, their names and their defaults; ``None`` for other types."""
    if not is_dataclass(kind):
        return None
    names = tuple(each.name for each in fields(kind))
    return attrgetter(*names), names, tuple(each.default for each in fields(kind))


@cache
def _maker(kind: Any) -> Callable[[Any], Any]:
    """What makes a value of a type out of JSON; nothing but the types of the dataclasses above is ever made."""
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        makers = {name: maker for name, hint in hints.items() if (maker := _maker(hint)) is not _same}

        def make(said: Any) -> Any:
            for name, maker in makers.items():
                if name in said:
                    said[name] = maker(said[name])
            return made_again(said) if kind is RunSummary else kind(**said)

        return make
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    if kind is datetime:
        return datetime.fromisoformat
    arguments = get_args(kind)
    if get_origin(kind) in (Union, UnionType):
        inner = {_maker(each) for each in arguments if each is not type(None)}
        if len(inner) != 1 or _same in inner:
            return _same
        only = inner.pop()
        return lambda said: None if said is None else only(said)
    if get_origin(kind) is tuple:
        item = _maker(arguments[0])
        return tuple if item is _same else lambda said: tuple(item(each) for each in said)
    return _same


def _same(said: Any) -> Any:
    return said
