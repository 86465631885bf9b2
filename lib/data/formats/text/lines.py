"""Lines of text as a program meant them, out of the bytes that a terminal, a launcher and a crash left."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import BinaryIO

import numpy as np

MAX_LINE = 20_000
"""Characters of a line that are looked at: the longest lines of metrics have some thousands."""
_CHUNK = 2**20
"""Bytes that are read at once: what is made of so many fits into a processor's cache."""

_COMMA = re.compile(rb"(?<!\d:)(?<=[ \t:=])[+-]?\d{1,9},\d{1,9}(?!\d|[.,]\d)")
"""A number with a comma in it that no list, no pair and no time of day has."""
_DOT = re.compile(rb"(?<![\d.\w])\d{1,9}\.\d{1,9}(?![\d.])")
_BETWEEN_DIGITS = re.compile(rb"(?<=\d),(?=\d)")
_MANY_COMMAS, _FEW_DOTS = 8, 0.2
"""So many numbers with a comma say that it stands before the fraction, if not more than this share have a dot there."""
_CONTROL = re.compile(
    r"\x1b\[[0-9;?]{0,20}[ -/]{0,4}[@-~]|\x1b\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)?|[\x00-\x08\x0e-\x1f\x7f]"
)
WHEN = re.compile(r"(\d{4})[-/.](\d\d)[-/.](\d\d)[ T_](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?")
RANK = re.compile(
    r"\s{0,4}\[?(?:rank|default|gpu|worker|node|local_rank|proc)[ :=_-]?(\d{1,5})(?:\][:|]?[ \t]?|[:|]?[ \t])",
    re.IGNORECASE,
)
_LABELS = (
    RANK,
    re.compile(r"\s{0,4}(\d{1,5}): (?=\s{0,16}\S)"),
    # Of mpirun, and of MPICH, whose bare number in brackets is one of processes only where the line counts by itself.
    re.compile(r"\[(?:prterun-[^\]@]{1,100}@)?\d{1,9},(\d{1,5})\]<std(?:out|err)>: ?"),
    re.compile(r"\[(\d{1,4})\]:? ?(?=.{0,200}\b(?:step|iter|iteration|epoch)\b)", re.IGNORECASE),
)
_CONTAINER = re.compile(r"\s?std(?:out|err) [FP] ")
"""What Kubernetes' log files have between the time and the line."""
_GLOG = re.compile(r"[IWEF]\d{4,8} \d\d:\d\d:\d\d\.\d{1,9}\s{1,9}\d{1,9} [\w./-]{1,200}:\d{1,6}\] ")
_LOGURU = re.compile(r"[\w.]{1,100}:[\w.<>]{1,100}:\d{1,6} - ")
_LEVEL = re.compile(r"\s{0,4}(?:TRACE|DEBUG|INFO|NOTICE|SUCCESS|WARN|WARNING|ERROR|CRITICAL|FATAL)\s{1,9}(?=[A-Za-z])")
"""How important a line is, where only a space parts that from a message: "INFO Epoch 3" counts as "Epoch 3" does."""
_GLUED = re.compile(r"(?<![\w.])(?:\d{1,9}-)?(\d{1,9})(epoch|batch|step|iter)(?=[:\s,])")
"""Counts that stand before their names, as ESPnet writes them: "2epoch:train:51-100batch:"."""
BAR = re.compile(r"(?<![\w./])(\d{1,15})/(\d{1,15}) \[((?:\d+ days?, )?\d{1,6}:\d\d(?::\d\d)?)<([^\[\]]{0,2000})\]?")
_PERCENT = re.compile(r"\d{1,3}%\|[^|]{0,400}\| ?$")


@dataclass(frozen=True, slots=True)
class Bar:
    """A progress bar as tqdm draws it.

    Attributes:
        done, total: Of what it counts.
        elapsed: Seconds since it was begun.
        title: What stands before it.
        more: What stands behind the rate: the values of its postfix.
        behind: What was written behind it before it was drawn anew: a message of its own.
    """

    done: int
    total: int
    elapsed: float
    title: str
    more: str
    behind: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line without what a terminal or a launcher added.

    Attributes:
        text: Its message; the time is cut out.
        at: When it was written, in Unix seconds (times without a zone are taken as UTC); ``None`` where not stated.
        rank: The process that a launcher says wrote it; -1 where it says nothing.
        bar: The bar that stands in it, or ``None``.
    """

    text: str
    at: float | None
    rank: int
    bar: Bar | None


def texts(chunk: bytes) -> Iterator[str]:
    """The lines of a part of a file that are not empty, at most ``MAX_LINE`` characters of each."""
    for line in re.split(r"[\r\n]+", chunk.decode("utf-8", errors="replace")):
        if line and not line.isspace():
            yield line[:MAX_LINE]


def chunks(file: BinaryIO) -> Iterator[bytes]:
    """A file in parts of whole lines, without colours and holes.

    Args:
        file: Read on to its end. Bytes that are no UTF-8 are replaced; UTF-16 is known by its mark, as Windows' shell
            writes it.

    Yields:
        UTF-8. A line ends with a line feed, or with a carriage return, as a bar is drawn over.
    """
    data = file.read(_CHUNK + 1)
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        # Half of the bytes of such text are zero.
        if data.startswith(mark) and data.count(b"\x00", 0, 400) > 40:
            data = (data[2:] + file.read()).decode(name, errors="replace").encode()
            file = io.BytesIO()
    data = data.removeprefix(codecs.BOM_UTF8)
    with_commas = has_decimal_commas(data)
    while data:
        data += file.read(max(_CHUNK + 1 - len(data), 0))
        end = len(data)
        if end > _CHUNK:
            # A part ends with a line; where there is none for so long, anywhere.
            cut = max(data.rfind(b"\n", 0, _CHUNK), data.rfind(b"\r", 0, _CHUNK))
            end = cut + 1 if cut > 0 else _CHUNK
        cleaned = _clean(data[:end])
        yield _BETWEEN_DIGITS.sub(b".", cleaned) if with_commas else cleaned
        data = data[end:]


def has_decimal_commas(data: bytes) -> bool:
    """Whether the fractions of a log stand behind a comma, as programs write in many countries.

    Example:
        >>> has_decimal_commas(b" step 1: loss 2,4312" * 8), has_decimal_commas(b" step 1,000: loss 2.4312" * 8)
        (True, False)
    """
    found = _COMMA.findall(data)
    if len(found) < _MANY_COMMAS or len(_DOT.findall(data)) > _FEW_DOTS * len(found):
        return False
    # Thousands have three digits behind each comma, and no 0 before the first.
    fractions = [each for each in found if len(each.rpartition(b",")[2]) != 3 or each.startswith(b"0,")]
    return len(fractions) >= 0.5 * len(found)


def _clean(data: bytes) -> bytes:
    if not _has_controls(data) and (data.isascii() or _is_utf8(data)):
        return data
    return _CONTROL.sub("", data.decode("utf-8", errors="replace")).encode()


def _has_controls(data: bytes) -> bool:
    letters = np.frombuffer(data, dtype=np.uint8)
    # Below a space only tabs and ends of lines are text.
    return bool(((letters < 32) & (letters - np.uint8(9) > 4)).any() or b"\x7f" in data)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def label_of(text: str) -> re.Match[str] | None:
    """What a launcher put before a line, with the number of the process as its group."""
    return next((found for each in _LABELS if (found := each.match(text))), None)


def line_of(text: str) -> Line:
    """Take a line apart."""
    at: float | None = None
    rank = -1
    if found := label_of(text):
        rank, text = int(found[1]), text[found.end() :]
    if found := _GLOG.match(text):
        text = text[found.end() :]
    # A look for the century is quick, and spares most lines the search.
    if ("20" in text[:160] or "19" in text[:160]) and (found := WHEN.search(text, 0, 160)):
        at = unix(found)
        if (place := _LOGURU.search(text, found.end(), found.end() + 300)) is not None:
            text = text[: place.start()] + text[place.end() :]
        behind = _CONTAINER.match(text, found.end())
        text = text[: found.start()] + " " + text[behind.end() if behind else found.end() :]
        if rank < 0 and (label := RANK.search(text, 0, 160)):
            rank, text = int(label[1]), text[: label.start()] + " " + text[label.end() :]
    if found := _LEVEL.match(text):
        text = text[found.end() :]
    text = _GLUED.sub(r"\2 \1", text)
    return Line(text, at, rank, bar_of(text) if "<" in text else None)


def bar_of(text: str) -> Bar | None:
    """The last progress bar of a line."""
    last = None
    for found in BAR.finditer(text):
        last = found
    if last is None:
        return None
    done, total = int(last[1]), int(last[2])
    if not 0 < total < 2**53 or done > total:
        return None
    rate = last[4].split(",", 2)
    title = _PERCENT.sub("", text[max(0, last.start() - 600) : last.start()])
    behind = text[last.end() :].strip()
    return Bar(done, total, seconds(last[3]), title.strip(), rate[2] if len(rate) > 2 else "", behind)


# Many lines in a row say the same time.
@lru_cache(maxsize=4096)
def seconds(text: str) -> float:
    """The seconds of a duration: "0:01:03", "03:59", "3 days, 17:51:32"; NaN where it is none.

    Example:
        >>> seconds("0:01:03"), seconds("1 day, 0:00:10"), seconds("59:59")
        (63.0, 86410.0, 3599.0)
    """
    days, _, rest = text.rpartition(", ")
    try:
        total = 0.0
        for part in rest.strip().split(":"):
            total = total * 60 + float(part)
        return total + 86_400 * float(days.split()[0]) if days else total
    except (ValueError, IndexError, OverflowError):
        return float("nan")


def unix(found: re.Match[str]) -> float | None:
    """The Unix time that ``WHEN`` found; ``None`` where there is no such date."""
    fraction = float("0." + found[7]) if found[7] else 0.0
    try:
        moment = datetime(*(int(part) for part in found.groups()[:6]), tzinfo=UTC).timestamp()  # type: ignore[misc,arg-type]
    except (ValueError, OverflowError):
        return None
    return moment + zone_of(found) + fraction


def zone_of(found: re.Match[str]) -> float:
    """What is added to a time in its zone, in seconds."""
    zone = found[8]
    if not zone or zone == "Z":
        return 0.0
    shift = float(int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)
    return -shift if zone[0] == "+" else shift
