"""What was found, as JSON and back: between processes, and between two starts. Nothing that it says is code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from operator import attrgetter
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from lib.core.facts.changed_runs import made_again
from lib.core.facts.runs import RunSummary
from lib.data.folder.units import FoundUnit

_T = TypeVar("_T")


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

    if not _has_long_number(text.encode()):
        try:
            # Several times as fast as what reads NaN, halves of surrogate pairs and long numbers too.
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            pass
    return json.loads(text)


def _has_long_number(text: bytes) -> bool:
    """Whether a number of 19 digits or more stands in a JSON; to look for a pattern takes longer than to read it."""
    digits = text.translate(_AS_DIGITS)
    at = digits.find(_LONG_ROW)
    while at >= 0:
        if _BEFORE_NUMBER.fullmatch(text, max(at - 2, 0), at):
            return True
        end = _OTHER.search(digits, at)
        at = digits.find(_LONG_ROW, end.start()) if end else -1
    return False


_BEFORE_NUMBER, _OTHER = re.compile(rb".?[:,\[]|[:,\[]-", re.DOTALL), re.compile(rb"[^0]")
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
