"""What a line of some shape counts and states, learned from one such line and told by the places of its numbers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from lib.data.formats.text import lines, words
from lib.data.formats.text.counters import Found, found_in, is_by_value
from lib.data.formats.text.lines import line_of
from lib.data.formats.text.rows import found_of_bar, is_of_keras, is_summary, of_titles_epoch
from lib.data.formats.text.scan import NUMBER
from lib.data.formats.text.shapes import plan_of

MAX_LENGTH = 2_000
"""Longer lines are read one by one."""
_LAST_OF_DATE = 140
"""A date further behind may be out of reach in another line of the shape, as its numbers may be longer."""
_DIGIT = re.compile(r"\d")

Pick = tuple[int, float]
"""Which number of a line, and what to multiply it with; -1, and a value that is the same in all lines."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the numbers of a line stand. Lines that differ in these only are read together.

    Attributes:
        is_row: Whether it states metrics; else it is a bar, or other text.
        head, names, picks: As in ``Found``.
        step, part: Number and total (-1 for none); ``None`` where not stated.
        epoch: Number, scale and total.
        clock: Seconds since a start.
        rank: Number of the process.
        date: Number of the year, digits of the fraction of a second, and seconds to add for the zone.
        bar: What is done, the total, and numbers of what has elapsed, hours first.
        is_titled: The epoch stands in the title of a bar: what follows is of it too.
        equal: Numbers that must be what they were.
    """

    is_row: bool
    head: str = ""
    names: tuple[str, ...] = ()
    picks: tuple[Pick, ...] = ()
    step: tuple[int, int] | None = None
    part: tuple[int, int] | None = None
    epoch: tuple[int, float, int] | None = None
    clock: Pick | None = None
    rank: int = -1
    date: tuple[int, int, float] | None = None
    bar: tuple[int, int, tuple[int, ...]] | None = None
    is_titled: bool = False
    equal: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned of a shape.

    Attributes:
        plan: How to read its lines; ``None`` where each must be read by itself.
        is_empty: It is no line at all.
        mark: Of a line that states nothing, as ``words.mark_of``.
    """

    plan: Plan | None = None
    is_empty: bool = False
    mark: int | None = None


_BY_ITSELF = Learned()


def learn(raw: str) -> Learned:
    """What a line says about all lines of its shape."""
    if not raw or raw.isspace():
        return Learned(is_empty=True)
    if len(raw) > MAX_LENGTH or (not raw.isascii() and any(each.isdecimal() and each > "9" for each in raw)):
        return _BY_ITSELF
    line = line_of(raw)
    spans = [found.span() for found in NUMBER.finditer(raw)]
    index = {start: place for place, (start, _) in enumerate(spans)}
    own = [found.span() for found in NUMBER.finditer(line.text)]
    shift, skipped = len(raw) - len(line.text), len(spans) - len(own)
    if own and (not raw.endswith(line.text[own[0][0] :]) or index.get(own[0][0] + shift) != skipped):
        return _BY_ITSELF
    before = _before(raw, line, index)
    if before is None:
        return _BY_ITSELF
    if line.bar is not None:
        plan = _of_bar(line, before, {start - shift: place for start, place in index.items()})
        return Learned(plan)
    if "<" in line.text and lines.BAR.search(line.text):
        return _BY_ITSELF
    found = found_in(line.text)
    if is_by_value(line.text):
        return _BY_ITSELF
    if found is None:
        if words.says_something(line.text):
            return _BY_ITSELF
        return Learned(before, mark=words.mark_of(line.text))
    if not found.values or is_summary(found) or is_of_keras(line.text):
        return _BY_ITSELF
    return Learned(_row(line.text, found, before, skipped))


def _before(raw: str, line: lines.Line, index: dict[int, int]) -> Plan | None:
    """Rank and date, as a plan of nothing else; ``None`` where a line must be read by itself."""
    offset, rank = 0, -1
    if label := lines.label_of(raw):
        offset, rank = label.end(), index.get(label.start(1), -1)
        if rank < 0:
            return None
    when = lines.WHEN.search(raw, offset)
    if (when is None) != (line.at is None):
        return None
    if when is None:
        return Plan(False, rank=rank) if (rank < 0) == (line.rank < 0) else None
    year, at = index.get(when.start(1)), lines.unix(when)
    if year is None or at != line.at or when.end() - offset > _LAST_OF_DATE or not when[1].startswith(("19", "20")):
        return None
    if line.rank >= 0 and rank < 0:
        label = lines.RANK.search(raw, when.end())
        rank = -1 if label is None or int(label[1]) != line.rank else index.get(label.start(1), -1)
        if rank < 0:
            return None
    zone = when.span(8)
    equal = tuple(
        (place, float(raw[at:].partition(":")[0][: zone[1] - at]))
        for at, place in index.items()
        if zone[0] <= at < zone[1]
    )
    return Plan(False, rank=rank, date=(year, len(when[7] or ""), lines.zone_of(when)), equal=equal)


def _row(text: str, found: Found, before: Plan, skipped: int) -> Plan | None:
    made = plan_of(text, found)
    if isinstance(made, bool):
        return None

    def moved(place: int) -> int:
        return place + skipped if place >= 0 else -1

    counters = {role: (moved(at), moved(total)) for role, at, total in made.counters}
    own = {start: place for place, start in enumerate(match.start() for match in NUMBER.finditer(text))}
    equal = []
    for (name, _), named in zip(found.values, found.metrics, strict=True):
        if _DIGIT.search(name):
            begin = text.rfind(named.name, 0, named.at) if named.at >= 0 else -1
            if begin < 0:
                return None
            end = begin + len(named.name)
            equal += [
                (moved(own[match.start()]), float(match[0]))
                for match in NUMBER.finditer(text)
                if begin <= match.start() < end
            ]
    return replace(
        before,
        is_row=True,
        head=made.head,
        names=tuple(made.names),
        picks=tuple((moved(at), scale) for at, scale in made.picks),
        step=counters.get("step"),
        part=counters.get("part"),
        epoch=None if made.epoch is None else (moved(made.epoch[0]), made.epoch[1], moved(made.epoch[2])),
        clock=None if made.clock is None else (moved(made.clock[0]), made.clock[1]),
        equal=(*before.equal, *equal),
    )


def _of_bar(line: lines.Line, before: Plan, index: dict[int, int]) -> Plan | None:
    """Args: index: The numbers of the raw line by their places in the text of the line."""
    text, bar = line.text, line.bar
    *_, drawn = lines.BAR.finditer(text)
    assert bar is not None
    if bar.behind:
        return None
    elapsed = [place for start, place in index.items() if drawn.start(3) <= start < drawn.end(3)]
    done, total = index.get(drawn.start(1)), index.get(drawn.start(2))
    if done is None or total is None or "day" in drawn[3] or len(elapsed) != drawn[3].count(":") + 1:
        return None
    plan = replace(before, bar=(done, total, tuple(elapsed)))
    found, title = found_of_bar(bar), of_titles_epoch(bar)
    is_titled = title is not None and not math.isnan(title.epoch)
    if title is None and found is not None:
        title = found_in(bar.title + ":")
    if title is not None and not math.isnan(title.epoch):
        written = bar.title + ":"
        made, begin = plan_of(written, replace(title, values=[], metrics=[])), text.find(bar.title)
        own = [match.start() + begin for match in NUMBER.finditer(written)]
        if isinstance(made, bool) or made.epoch is None or any(start not in index for start in own):
            return None
        at, scale, of = made.epoch
        plan = replace(plan, is_titled=is_titled, epoch=(index[own[at]], scale, index[own[of]] if of >= 0 else -1))
    if found is None:
        return plan
    begin = text.rfind(bar.more)
    own = [match.start() + begin for match in NUMBER.finditer(bar.more)]
    made = plan_of(bar.more, replace(found, said={}))
    if isinstance(made, bool) or any(start not in index for start in own) or made.numbered:
        return None
    picks = tuple((index[own[at]] if at >= 0 else -1, scale) for at, scale in made.picks)
    return replace(plan, is_row=True, head=found.head, names=tuple(made.names), picks=picks)
