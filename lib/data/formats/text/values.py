"""The numbers of a line of text, each with the name that stands before it.

A line is read from number to number: what stands between two of them names the second. That takes the time of one pass
whatever a line looks like, and knows no program. A name ends with ":" or "=" ("lr: 1e-4", "loss=0.3"); or it is a few
words that with their number fill the place between two separators ("iter 250: loss 3.01, time 31.75ms").
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from lib.data.formats.text.lines import seconds

_TOKEN = re.compile(
    r"""(?<![\w.])(?<!\w[-@])(?:
      (?P<junk>\d{4}[-/]\d\d?[-/]\d\d?|\d\d?/\d\d?/\d{2,4}|\d\d/\d\d(?=\ \d\d:\d\d:)|\d{1,9}(?:\.\d{1,9}){2,9})
    | (?P<clock>(?:\d{1,5}\ days?,\ )?\d{1,6}:\d\d(?::\d\d)?(?:\.\d{1,9})?)(?![\w:])
    | (?P<number>[-+]?(?:\d{1,3}(?:,\d{3}){1,6}(?:\.\d{1,40})?(?![\d.,])
        |\d{1,310}(?:\.\d{0,310})?(?:[eE][-+]?\d{1,4})?|\.\d{1,310}(?:[eE][-+]?\d{1,4})?|(?P<word>(?i:nan|inf(?:inity)?))))
      (?P<unit>%|(?:[mµun]?s|secs?|seconds|min|m|h|hrs?|[kKMGTB]|[KMGT]i?B|it/s|s/it|/s)(?!\w))?
      (?!\w)(?!\.\d)
      (?P<of>\s{0,12}/\s{0,12}(?P<total>\d{1,15}(?:(?:\.\d{1,9})?(?P<times>[kKM]))?)(?![\w.]))?
    )""",
    re.VERBOSE,
)
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "secs": 1.0, "seconds": 1.0}
_SECONDS |= {"m": 60.0, "min": 60.0, "h": 3600.0, "hr": 3600.0, "hrs": 3600.0}
_TIMES = {"k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12}
_OF = r"(?:%|percent|pct|nats)"
_SPLIT = re.compile(
    rf"[|,;{{}}<>\"'\t]|\[(?!{_OF}\])|\](?<!%\])(?<!percent\])(?<!pct\])(?<!nats\])"
    rf"|(?:^|\s)\((?!{_OF}\)|[A-Za-z ]{{2,20}}\)$|(?<=\w\s\()[A-Za-z/]{{2,20}}\)$)"
    r"|:\s?|\s-{1,3}\s|\s{2,}|\)\s|[^\w\x00-\x7f]+\s?",
    re.I,
)
"""Signs of other alphabets than ASCII part, such as arrows; a unit in brackets parts nothing: "Val. Acc. (%): 61.2"."""
_NAME = re.compile(rf"[A-Za-z_%#][\w ./@%+*()#&-]{{0,79}}(?:\[{_OF}\])?", re.I)
_UNIT_IN_NAME = re.compile(r"\s?\((ns|us|µs|ms|s|sec|secs|seconds|min|h|hrs)\)$")
_PHASE = re.compile(
    r"(?<![\w./-])(train(?:ing)?|val(?:id(?:at(?:ion|e|ing))?)?|eval(?:uat(?:ion|e|ing))?|test(?:ing)?|dev)(?![\w./-])",
    re.I,
)
_PHASE_NAME = re.compile(r"(?:train|test)(?:ing)?|val(?:id(?:at(?:ion|e|ing))?)?|eval(?:uat(?:ion|e|ing))?", re.I)
_PHASED = re.compile(r"(\w{1,20})\((train|val|valid|test)\)", re.I)
_COUNTED = re.compile(r"(?:step|iter|iteration|epoch|update)$", re.I)
_WRAPPER = re.compile(r"(?:tensor|[Aa]rray|(?:np\.|numpy\.)?float\d{1,3})\(\[?$")
_OWNER = re.compile(r"(?<![\w'])(\w{1,40})'s (?=\w)")
"""LightGBM names the data that a metric is of as its owner: "valid_0's auc: 0.9"."""
_SOURCE = re.compile(r"\.(?:py|cc|cpp|cu|c|h|rs|go|js|ts)$")
_NO_NAMES = frozenset(
    {
        "pid",
        "rank",
        "cuda",
        "gpu",
        "device",
        "line",
        "port",
        "worker",
        "thread",
        "v_num",
        "local_rank",
        "dp",
        "pp",
        "tp",
    }
)
"""What launchers and loggers count."""
_BEHIND = re.compile(r"\s?([A-Za-z][\w ]{0,16}(?:/[a-z]{1,6})?)\s?")


class Named(NamedTuple):
    """A number of a line.

    Attributes:
        name: As the program wrote it; "" where nothing names it.
        value: In seconds where a unit of time stands with it. NaN and infinities are values.
        total: What it is stated to be a part of ("20/100"), or ``None``.
        phase: The word for training or evaluation under which it stands ("valid | loss 3.2"), and not in its name.
        is_sure: A sign says that the name belongs to it, and not just its place.
        is_clock: It was written as a duration ("0:01:03").
        gap: What stands between the number before it and itself.
        is_closed: Nothing but a separator follows it.
        at, end: Where its digits stand, without a sign.
        scale: What they were multiplied with.
    """

    name: str
    value: float
    total: int | None
    phase: str
    is_sure: bool
    is_clock: bool
    gap: str
    is_closed: bool
    at: int = -1
    end: int = -1
    scale: float = 1.0


def numbers_of(text: str) -> list[Named]:
    """All numbers of a line, in their order.

    Example:
        >>> [(each.name, each.value, each.total) for each in numbers_of("step:20/100 val_loss:10.0 train_time:2000ms")]
        [('step', 20.0, 100), ('val_loss', 10.0, None), ('train_time', 2.0, None)]
    """
    found: list[Named] = []
    last, phase = 0, ""
    for match in _TOKEN.finditer(text):
        if match["junk"] is not None:
            last = match.end()
            continue
        gap = text[max(last, match.start() - 200) : match.start()]
        after = text[match.end() : match.end() + 2]
        is_closed = (
            not after.strip()
            or after[0] in ",|;)(]\t}'\""
            or (after[0] == " " and (after[1:] in "|([-\t " or not after[1].isascii()))
        )
        if match["word"] is not None and not is_closed and not gap.rstrip().endswith((":", "=")):
            # "number of nan iterations: 0" has one number.
            continue
        name, is_sure, seen, unit = _named(gap)
        phase = seen or phase
        last = match.end()
        if match["clock"] is not None:
            found.append(Named(name, seconds(match["clock"]), None, phase, is_sure, True, gap, True))
            continue
        raw = match["number"]
        signed = raw[0] in "+-"
        begin, end = match.start("number") + signed, match.end("number")
        value = float(raw.replace(",", "") if "," in raw else raw)
        mark = match["unit"] or unit
        if not name and gap.rstrip().endswith("|"):
            name, mark, last = _named_behind(text, match, last, mark)
            is_closed = bool(name)
        scale = _SECONDS.get(mark, 1.0)
        if mark in _TIMES and "mem" not in name.lower():
            scale = _TIMES[mark]
        total = _total(match["total"], match["times"])
        if _PHASE_NAME.fullmatch(name) and (total or text[last : last + 3].lstrip().startswith("[")):
            # "Test: [ 10/50]", "Train: 0 [  50/1251]": the word is over the whole line.
            phase = name
        scale_of = -scale if raw[0] == "-" else scale
        found.append(Named(name, value * scale, total, phase, is_sure, False, gap, is_closed, begin, end, scale_of))
    return found


def _total(written: str | None, times: str | None) -> int | None:
    """What is stated behind a stroke: "100", "40k", "1.5M"."""
    if written is None:
        return None
    return int(written) if times is None else round(float(written[:-1]) * _TIMES[times])


def _named_behind(text: str, match: re.Match[str], last: int, mark: str) -> tuple[str, str, int]:
    """The name of a number that stands first between two bars: "| 512.30 ms | 35.1% bf16 MFU |"."""
    end = text.find("|", last, last + 40)
    behind = text[last : end if end >= 0 else last + 40]
    found = _BEHIND.fullmatch(behind)
    if found is None:
        return ("time", mark, last) if mark in _SECONDS and not behind.strip() else ("", mark, last)
    words = found[1].strip()
    return ("time", words, last + len(behind)) if words in _SECONDS else (words, mark, last + len(behind))


@lru_cache(maxsize=8192)
def _named(gap: str) -> tuple[str, bool, str, str]:
    """The name that a gap ends with, whether a sign ends it, the phase that stands before it, and its unit."""
    gap = _OWNER.sub(r"\1 ", _WRAPPER.sub("", gap))
    core = gap.rstrip(" \t\"'[(")
    is_sure = core.endswith((":", "="))
    # "lr:1e-4" and "lr=1e-4" have names of one word; "train loss: 3" has not.
    is_tight = is_sure and gap == core and len(core) > 1 and not core[-2].isspace()
    core = core.rstrip(" \t:=\"'")
    unit = ""
    if found := _UNIT_IN_NAME.search(core):
        core, unit = core[: found.start()], found[1]
    start = 0
    for each in _SPLIT.finditer(core):
        start = each.end()
    name = core[start:].strip()
    if is_tight and name and not gap.endswith(('":', "':")):
        name = name.split()[-1]
    elif "=" in name:
        name = name.rpartition("=")[2].strip()
    before = core[: len(core) - len(name)]
    if name.endswith(")") and "(" not in name:
        name = name[:-1]
    phases = _PHASE.findall(before)
    phase = phases[-1] if phases else ""
    if _COUNTED.search(name) and (phases := _PHASE.findall(name)):
        phase = phases[-1]
    if found := _PHASED.fullmatch(name):
        name, phase = found[1], found[2]
    if (
        not _NAME.fullmatch(name)
        or _SOURCE.search(name)
        or name.lower() in _NO_NAMES
        or name.count(" ") > (5 if is_sure else 4)
    ):
        name = ""
    return name, is_sure, phase, unit
