"""The verdict and the ranking in miniature as one piece of HTML: the browser takes its time for each element."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from lib.core.baseline.ranking import Beside
from lib.core.glance.glance import Glance, Line
from lib.core.glance.rows import FIRST, LEVEL, PICK, SHIP, Row
from lib.core.text.labels import shared_beginning, short_labels
from lib.core.text.sentences import Sentence, Strong, plain
from lib.ui.frame.run_names import uploaded, uploaded_sign
from lib.ui.panels.verdict_room import headline_names, lines_of, text_lines

ROW_LIMIT, ROW_TAIL = 64, 14
"""Characters of a name's own part in the ranking, and of its end: the browser cuts before that where there is no
room, since what differs is mostly at the end."""

GAP_TITLE = ' title="Eval loss less train loss, at the run\'s best step"'


def panel(glance: Glance, labels: Mapping[str, str], slots: Mapping[str, int], against: Beside | None = None) -> str:
    """The two sides of the panel.

    Args:
        glance: What is said.
        labels: What the runs are called in full, by run id.
        slots: Which colour and mark each has.
        against: How far each is from the baseline; ``None`` where none is pinned.
    """
    names = headline_names(glance.verb, glance.run_ids, labels)
    said = _headline(glance, names, labels, slots) + _how_sure(glance) + _lines(glance, lines_of(glance, names))
    return (
        f'<section class="verdict" aria-label="Verdict"><div class="says">{said}</div>'
        f'<div class="ranking">{_ranking(glance, labels, slots, against)}</div></section>'
    )


def mark(slot: int) -> str:
    """The mark of a run."""
    return f'<i class="run-mark slot-{slot}"></i>'


def _headline(glance: Glance, short: Mapping[str, str], labels: Mapping[str, str], slots: Mapping[str, int]) -> str:
    comma = dict.fromkeys(glance.run_ids[:-1], ",")
    names = " ".join(
        f'<span data-run="{slots[run_id]}" title="{escape(labels[run_id])}">{mark(slots[run_id])}'
        f'<b class="slot-{slots[run_id]}">{escape(short[run_id])}</b>{uploaded(run_id)}{comma.get(run_id, "")}</span>'
        for run_id in glance.run_ids
    )
    return f"<h2>{escape(glance.verb)} {names}</h2>"


def _how_sure(glance: Glance) -> str:
    badge = glance.badge
    checkpoint = f'<span class="checkpoint">{escape(glance.checkpoint)}</span>' if glance.checkpoint else ""
    because = f'<span class="because">{escape(badge.because)}</span>' if badge.because else ""
    word = f'<span class="badge {badge.level}">{escape(badge.text)}</span>'
    return f'<div class="how-sure">{checkpoint}{word}{because}</div>'


def _lines(glance: Glance, most: Sequence[int]) -> str:
    lines = "".join(
        f"<dt>{escape(line.title)}</dt>"
        f'<dd style="--lines:{lines}"{_whole(line, lines)}>{to_chart(sentence(line.said), line.place)}</dd>'
        for line, lines in zip(glance.lines, most, strict=True)
    )
    return f"<dl>{lines}</dl>"


def _whole(line: Line, lines: int) -> str:
    """What a line may be read whole by, where it is likely to be cut (``static/frame.js``)."""
    text = plain(line.said)
    return f' tabindex="0" title="{escape(text)}"' if text_lines(text) > lines else ""


def to_chart(text: str, place: tuple[int, str] | None) -> str:
    """HTML whose first mention of a step leads to that place in the charts (``static/frame.js``).

    Args:
        text: The HTML.
        place: The step and the metric; ``None`` for none.
    """
    if place is None:
        return text
    step, metric = place
    found = re.search(rf"(?:step|epoch) {step:,}(?!\d|[,.]\d)", text)
    words = found[0] if found else "show"
    shown = f"Step {step:,}" if found is None else words[:1].upper() + words[1:]
    button = (
        f'<button type="button" class="to-chart" data-step="{step}" data-metric="{escape(metric)}"'
        f' title="{shown} in the charts">{words}</button>'
    )
    return f"{text[: found.start()]}{button}{text[found.end() :]}" if found else f"{text} {button}"


def sentence(said: Sentence) -> str:
    """A sentence with what stands out in it."""
    return "".join(f"<b>{escape(part)}</b>" if isinstance(part, Strong) else escape(part) for part in said)


def _ranking(glance: Glance, labels: Mapping[str, str], slots: Mapping[str, int], against: Beside | None = None) -> str:
    ranking = glance.ranking
    is_ordered = any(row.behind is not None for row in ranking.rows)
    start = shared_beginning(list(labels.values()))
    own = short_labels({run_id: label[len(start) :] for run_id, label in labels.items()}, ROW_LIMIT)
    heads = ["Run", ranking.title or "Best"]
    heads += ["Behind the best"] if is_ordered else []
    heads += [against.title] if against else []
    heads += ["Gap", "Mark"] if is_ordered else ["Own metric", "Mark"]
    classes = ["", "value", *(["barhead"] if is_ordered else []), *(["against"] if against else [])]
    classes += ["gap" if is_ordered else "metric", "mark"]
    head = "".join(_head(kind, title) for kind, title in zip(classes, heads, strict=True))
    rows = "".join(
        _row(
            row,
            slots[row.run_id],
            (labels[row.run_id], start, own[row.run_id]),
            is_ordered=is_ordered,
            beside=_against(against, row.run_id),
        )
        for row in ranking.rows
    )
    note = f'<p class="note">{escape(ranking.note)}</p>' if ranking.note else ""
    note += f'<p class="note against">{escape(against.note)}</p>' if against else ""
    apart = ("" if is_ordered else " apart") + (" against" if against else "")
    table = f'<div class="row head" role="row">{head}</div>{rows}'
    return f'<div class="rows{apart}" role="table" aria-label="Ranking">{table}</div>{note}'


def _head(kind: str, title: str) -> str:
    # Marks need no title for whoever sees them.
    shown = f'<span class="runoff-unseen">{escape(title)}</span>' if kind == "mark" else escape(title)
    return f'<span role="columnheader" class="{kind}"{GAP_TITLE if kind == "gap" else ""}>{shown}</span>'


def _against(against: Beside | None, run_id: str) -> str:
    """How far a run is from the baseline, as a cell; "" where none is pinned."""
    if against is None:
        return ""
    found = against.runs[run_id]
    title = f' title="{escape(found.sentence)}"'
    told = f'<span class="runoff-unseen">{escape(found.sentence)}</span>'
    words = f'<span aria-hidden="true">{escape(found.words)}</span>' if found.words else ""
    return f'<span role="cell" class="against {found.sense}"{title}>{words}{told}</span>'


def _row(row: Row, slot: int, names: tuple[str, str, str], *, is_ordered: bool, beside: str = "") -> str:
    """One row; ``names`` are the run's in full, the part that it shares with all, and the rest of it."""
    full, start, own = names
    first = " first" if row.mark in (SHIP, FIRST) else ""
    shared = f'<span class="shared">{escape(start)}</span>' if start else ""
    title = ". ".join(filter(None, (full, row.why)))
    cells = [
        f'<span role="cell" class="name" title="{escape(title)}">{mark(slot)}{shared}{_cut(own)}'
        f"{uploaded_sign(row.run_id)}</span>",
        f'<span role="cell" class="value">{escape(row.value)}</span>',
    ]
    if is_ordered:
        cells.append("".join(_bar(row, slot)) + beside)
        cells.append(f'<span role="cell" class="gap{" wide" if row.is_wide else ""}">{escape(row.gap)}</span>')
    else:
        cells.append(f'{beside}<span role="cell" class="metric">{escape(row.metric)}</span>')
    level = " level" if row.mark in (LEVEL, PICK) else ""
    cells.append(f'<span role="cell" class="mark{level}" title="{escape(row.why)}">{escape(row.mark)}</span>')
    return f'<div class="row{first}" role="row" data-run="{slot}">{"".join(cells)}</div>'


def _cut(own: str) -> str:
    """A name of which the browser cuts the middle."""
    if len(own) <= 2 * ROW_TAIL:
        return f'<span class="own">{escape(own)}</span>'
    return f'<span class="own long">{escape(own[:-ROW_TAIL])}</span><span class="own">{escape(own[-ROW_TAIL:])}</span>'


def _bar(row: Row, slot: int) -> Iterator[str]:
    if row.behind is None:
        yield '<span role="cell"></span>'
        return
    yield f'<span role="cell" class="bar" title="{escape(row.distance)}" aria-label="{escape(row.distance)}">'
    if row.within is not None:
        yield f'<i class="noise" style="width:{row.within:.2%}"></i>'
    yield f'<i class="stem" style="width:{row.behind:.2%};background:var(--run-{slot})"></i>'
    yield f'<i class="run-mark slot-{slot}" style="left:{row.behind:.2%}"></i></span>'
