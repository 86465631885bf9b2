"""The room of the verdict panel in a window of 1280 pixels: what names fit, and how many lines each text may take.

The panel leaves most of the first screen to the curves, whatever runs are called. Widths are estimated, rather a little
too large; in full everything stands in tooltips and behind the panel's buttons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile

from lib.charts.theme import SIZES
from lib.core.glance.glance import Glance
from lib.core.text.labels import MIN_LIMIT, MIN_SHARED, shared_beginning, short_labels
from lib.core.text.sentences import plain
from lib.table.widths import width_px

WIDTH_PX, HEIGHT_PX = 460, 163
"""Of all texts beside the ranking."""
ANSWER_PX = 384
"""Width of what a line of the panel says, beside what it answers."""
HEADLINE_PX, SURE_PX, LINE_PX, GAP_PX, ABOVE_PX = 30, 22, 19, 3, 5
"""Heights of a line of the headline, of the line that says how sure, and of an answer; between answers; above them."""
HEADLINE_LINES = 2
"""What a headline takes that names several runs; of one it takes one."""
NAME_PX = 31
"""What a name takes in the headline besides its letters: its mark, a comma, a blank."""
PARTED = " -_/·"
"""Where a part of a name begins."""
BADGE_PX, BETWEEN_PX = 16, 8
REASON, REASON_LINES = "Why", 2
"""The answer that gives way last, and the lines that it keeps as long as others have more than one."""


def headline_names(verb: str, run_ids: Sequence[str], labels: Mapping[str, str]) -> Mapping[str, str]:
    """What runs are called in a headline.

    In full where there is room, else without what all names begin with, else cut so that what differs stays.

    Args:
        verb: Its beginning.
        run_ids: The runs that it names.
        labels: What all selected runs are called, by run id.
    """
    lines = 1 if len(run_ids) == 1 else HEADLINE_LINES
    start = len(shared_beginning(list(labels.values())))
    own = {run_id: (f"…{label[start:]}" if start else label) for run_id, label in labels.items()}
    end = _shared_end(list(own.values()))
    middle = {run_id: f"{label[: len(label) - end]}…" for run_id, label in own.items()} if end else own
    for names in (labels, own, middle):
        if _headline_lines(verb, [names[run_id] for run_id in run_ids]) <= lines:
            return names
    limit = max(map(len, middle.values()))
    names = middle
    while limit > MIN_LIMIT and _headline_lines(verb, [names[run_id] for run_id in run_ids]) > lines:
        limit -= 1
        names = short_labels(middle, limit)
    return names


def lines_of(glance: Glance, names: Mapping[str, str]) -> tuple[int, ...]:
    """How many lines each answer may take, so that the panel is no higher than it should be.

    What comes last gives way first: all of it stands behind a button.

    Args:
        glance: What is said.
        names: Of ``headline_names``.
    """
    headline = _headline_lines(glance.verb, [names[run_id] for run_id in glance.run_ids])
    sure = [(glance.checkpoint, SIZES["title"], 0), (glance.badge.text, SIZES["caption"], BADGE_PX)]
    sure += [(glance.badge.because, SIZES["small"], 0)]
    blocks = [width_px(text, size) + more + BETWEEN_PX for text, size, more in sure if text]
    left = HEIGHT_PX - HEADLINE_PX * headline - SURE_PX * _rows(blocks, WIDTH_PX) - ABOVE_PX
    left -= GAP_PX * max(len(glance.lines) - 1, 0)
    wanted = [text_lines(plain(line.said)) for line in glance.lines]
    kept = [REASON_LINES if line.title == REASON else 1 for line in glance.lines]
    for least in (kept, [1] * len(kept)):
        for at in reversed(range(len(wanted))):
            over = sum(wanted) - left // LINE_PX
            wanted[at] = min(wanted[at], max(wanted[at] - over, least[at]))
    return tuple(wanted)


def _shared_end(names: Sequence[str]) -> int:
    """How many characters at the end of all names are alike, from where a part of them begins; 0 for few."""
    backwards = zip(*(reversed(name) for name in names), strict=False)
    shared = sum(1 for _ in takewhile(lambda letters: len(set(letters)) == 1, backwards)) if len(names) > 1 else 0
    parted = next((at for at in range(shared, 0, -1) if names[0][-at] in PARTED), 0)
    return parted if parted >= MIN_SHARED and min(map(len, names)) > parted + 1 else 0


def _headline_lines(verb: str, names: Sequence[str]) -> int:
    """How many lines a headline takes in which no name is parted; one more than there may be where one is too long."""
    size = SIZES["headline"]
    widths = [NAME_PX + width_px(name, size) for name in names]
    if any(width > WIDTH_PX for width in widths):
        return HEADLINE_LINES + 1
    words = [width_px(f"{word} ", size) for word in verb.split()]
    return _rows([*words, *widths], WIDTH_PX)


def text_lines(text: str) -> int:
    """How many lines a text takes as an answer of the panel."""
    return _rows([width_px(f"{word} ", SIZES["text"], is_bold=False) for word in text.split()], ANSWER_PX)


def _rows(widths: Sequence[float], room: float) -> int:
    """How many rows blocks of these widths take, each put behind the one before where it fits."""
    rows, left = 1, room
    for width in widths:
        if width > left and left < room:
            rows, left = rows + 1, room
        left -= width
    return rows
