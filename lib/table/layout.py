"""Which columns of the table are shown, in which order, and what is said below it instead of a column.

Shown is what decides and what differs; what is the same in all runs becomes a few words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lib.core.facts.selection import UPLOADED_SIGN, is_uploaded
from lib.core.ranking.metric_names import REWARD, is_loss
from lib.core.text.formatting import NOT_RECORDED
from lib.core.text.labels import MIN_LIMIT, shared_beginning, short_labels
from lib.core.text.log_units import in_epochs
from lib.table.columns import COLUMN_OF, LOWEST_AT, SHIPPED_AT, Column, Group
from lib.table.inputs import Summary
from lib.table.widths import width_px

ROOM_PX = 928
"""How wide the table is in a window of 1280 px: by default it has the columns that fit."""
PADDING_PX = 18
"""Left and right of a cell's text together."""
SIGN_PX, STAR_PX = 18, 15
"""Of a mark or a sign beside a cell's text, and of the star behind a name."""
NAME_PX = (120, 340)
"""How wide the names' column is, at least and at most, where other columns want the room: names may take two lines."""
STEP_PX = 6
"""Widths are multiples of this: a text that is a little longer is no other layout."""
FULL_SHARE = 0.9
"""So much of a name's lines can be filled, as it is parted between words."""
LINES = 2
LEVEL_SHARE = 0.02
"""Durations that differ by no more than this share are the same to whoever decides."""
_GROUPS = (Group.DECIDES, Group.LOSSES, Group.FURTHER, Group.SETTINGS, Group.TRAINING)
"""From left to right."""
_GIVE_WAY = ("duration", "model", "dataset", "batch", "train_loss", "status", LOWEST_AT, "lowest_eval_loss")
"""Columns that leave where there is no room for all, the first first."""
_MEASURED = frozenset(("findings", SHIPPED_AT))
"""Columns that are of what training came to, whatever group they are in: equal ones are no property of the runs."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A column that is shown.

    Attributes:
        column: Which one.
        lines: The two lines of its header.
        width: What it needs, in pixels.
    """

    column: Column
    lines: tuple[str, str]
    width: int


@dataclass(frozen=True, slots=True)
class Layout:
    """What of the table is shown.

    Attributes:
        columns: From left to right, the runs' names first.
        default: The keys of those that are shown where nobody chose any, names apart.
        names: What the runs are called in it, by run id: without what all names begin with.
        is_tall: A row has two lines: of a name, or with the difference to the baseline.
        alike: What is the same in all runs, and has no column.
    """

    columns: tuple[Shown, ...]
    default: tuple[str, ...]
    names: Mapping[str, str]
    is_tall: bool
    alike: tuple[str, ...]


def deciding_keys(summary_columns: Sequence[Column], metric: str | None, *, by_score: bool) -> tuple[str, ...]:
    """The columns of what decides, the most important first.

    Args:
        summary_columns: All there are.
        metric: By which the runs are ranked.
        by_score: The composite ranks.
    """
    if metric is None:
        return ()
    if is_loss(metric):
        return ("score", "eval_loss") if by_score else ("eval_loss",)
    own = COLUMN_OF.get(metric)
    return tuple(column.key for column in summary_columns if column.key == own or column.metric == metric)[:1]


def laid_out(
    summary: Summary,
    metric: str | None,
    chosen: Collection[str] = (),
    *,
    by_score: bool,
    labels: Mapping[str, str],
    recommended: str | None = None,
) -> Layout:
    """Lay the table out.

    Args:
        summary: The table.
        metric: By which the runs are ranked.
        chosen: The keys of the columns that somebody chose; empty where nobody did.
        by_score: The composite ranks.
        labels: What the runs are called, by run id.
        recommended: The run that has a star behind its name.
    """
    decides = deciding_keys(summary.columns, metric, by_score=by_score)
    ordered = _ordered(summary.columns, decides)
    default, alike = _default(summary, ordered, decides, by_score=by_score)
    start = shared_beginning([labels[run_id] for run_id in summary.run_ids])
    names = {run_id: labels[run_id][len(start) :] + _sign(run_id) for run_id in summary.run_ids}
    columns = [column for column in ordered if column.key != "run"]
    widths = {column.key: _width(summary, column) for column in columns}
    if not chosen:
        default = _fitting(default, widths, _least_for(names, recommended))
    picked = [column for column in columns if column.key in (chosen or default)]
    shown = [Shown(column, lines, widths[column.key]) for column, lines in _headed(picked, decides, metric, summary)]
    name = _name_width(names, recommended, sum(each.width for each in shown))
    short = _shortened(names, name)
    run = next(column for column in ordered if column.key == "run")
    return Layout(
        (Shown(run, run.lines, name), *shown),
        tuple(default),
        short,
        is_tall=bool(summary.baseline) or _longest(short, recommended) > name,
        alike=(
            *((start.strip(" ·-_/"),) if start else ()),
            *(words for key, words in alike.items() if all(each.column.key != key for each in shown)),
        ),
    )


def _sign(run_id: str) -> str:
    return f" {UPLOADED_SIGN}" if is_uploaded(run_id) else ""


def _ordered(columns: Sequence[Column], decides: Sequence[str]) -> list[Column]:
    """What decides stands first; the step of the checkpoint behind it."""
    places = {column.key: place for place, column in enumerate(columns)}

    def place(column: Column) -> tuple[int, int]:
        if column.key == "run":
            return -2, 0
        if column.key in decides:
            return -1, decides.index(column.key)
        if column.key == SHIPPED_AT and decides:
            return -1, len(decides)
        # What was found of a run is read last.
        return (len(_GROUPS), 0) if column.key == "findings" else (_GROUPS.index(column.group), places[column.key])

    return sorted(columns, key=place)


def _default(
    summary: Summary, ordered: Sequence[Column], decides: Collection[str], *, by_score: bool
) -> tuple[list[str], dict[str, str]]:
    """The keys of what differs or decides, and words for what is the same in all."""
    shown: list[str] = []
    alike: dict[str, str] = {}
    is_apart = [each.value for each in summary.cells["eval_loss"]] != [
        each.value for each in summary.cells["lowest_eval_loss"]
    ]
    for column in ordered:
        texts = {each.text for each in summary.cells[column.key]}
        if column.key == "duration" and len(texts) > 1 and _is_level(summary.numbers("duration")):
            texts = {f"about {min(texts)}"}
        if column.key in decides:
            shown.append(column.key)
        elif not column.essential or column.key == "run" or texts <= {NOT_RECORDED}:
            continue
        elif column.key in ("lowest_eval_loss", LOWEST_AT):
            shown += [column.key] if is_apart else []
        elif column.key == "score":
            shown += [column.key] if by_score else []
        elif len(texts) > 1 or column.group not in (Group.SETTINGS, Group.TRAINING) or column.key in _MEASURED:
            shown.append(column.key)
        elif texts != {"completed"}:
            (text,) = texts
            is_clear = column.show is None or column.unit_in_cell
            alike[column.key] = text if is_clear else f"{_lower(column.lines[0])} {text}"
    return shown, alike


def _is_level(durations: np.ndarray) -> bool:
    longest = durations.max()
    return bool(np.isfinite(durations).all() and longest - durations.min() <= LEVEL_SHARE * longest)


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]


def _fitting(keys: Sequence[str], widths: Mapping[str, int], name: int) -> list[str]:
    """Those of the columns that fit beside the names, which take this width."""
    kept = list(keys)
    for leaving in _GIVE_WAY:
        if name + sum(widths[key] for key in kept) <= ROOM_PX:
            break
        kept = [key for key in kept if key != leaving]
    return kept


def _headed(
    columns: Sequence[Column], decides: Sequence[str], metric: str | None, summary: Summary
) -> Iterator[tuple[Column, tuple[str, str]]]:
    """The columns with their headers: a step says of what it is where that does not stand before it."""
    before = ""
    for column in columns:
        name, below = column.lines
        if column.key in decides and column.key != "score":
            below = below if column.unit else "at the end" if metric == REWARD else "best"
        elif column.key == SHIPPED_AT and (not decides or before != decides[-1]):
            name, below = "Step", "of the best"
        elif column.key == LOWEST_AT and before != "lowest_eval_loss":
            name = "Lowest loss"
        if summary.in_epochs and column.group in (Group.DECIDES, Group.LOSSES):
            column = replace(column, meaning=in_epochs(column.meaning))
        if summary.in_epochs and column.key in (SHIPPED_AT, LOWEST_AT):
            column = replace(column, title=in_epochs(column.title), meaning=in_epochs(column.meaning))
            name, below = in_epochs(name), in_epochs(below)
        yield column, (name, below)
        before = column.key


def _width(summary: Summary, column: Column) -> int:
    cells = summary.cells[column.key]
    texts = max((width_px(each.text) for each in cells), default=0)
    below = max((width_px(each.against.text, is_bold=False) for each in cells if each.against is not None), default=0)
    has_signs = column.better is not None or column.key == "gap"
    header = max(width_px(line) for line in (*column.lines, "at the end" if column.group is Group.FURTHER else ""))
    widest = max(texts, below) + (SIGN_PX if has_signs else 0)
    return -(-(PADDING_PX + max(widest, header)) // STEP_PX) * STEP_PX


def _longest(names: Mapping[str, str], recommended: str | None) -> int:
    """What the longest name needs in one line."""
    return max(
        (
            PADDING_PX + SIGN_PX + width_px(name, is_bold=False) + (STAR_PX if run_id == recommended else 0)
            for run_id, name in names.items()
        ),
        default=0,
    )


def _shortened(names: Mapping[str, str], width: int) -> dict[str, str]:
    """The names, those that do not fit into their lines cut so that what differs stays."""
    room = FULL_SHARE * LINES * (width - PADDING_PX - SIGN_PX) - STAR_PX
    limit = max((len(each) for each in names.values()), default=MIN_LIMIT)
    while limit > MIN_LIMIT and any(
        width_px(each, is_bold=False) > room for each in short_labels(names, limit).values()
    ):
        limit = max(limit - LINES, MIN_LIMIT)
    return short_labels(names, max(limit, MIN_LIMIT))


def _least_for(names: Mapping[str, str], recommended: str | None) -> int:
    """What names of two lines need."""
    longest = _longest(names, recommended)
    return min(max(round(longest / LINES / FULL_SHARE) + PADDING_PX + SIGN_PX, NAME_PX[0]), NAME_PX[1])


def _name_width(names: Mapping[str, str], recommended: str | None, others: int) -> int:
    """What the longest name needs in one line, where the other columns leave it; else in two."""
    least = _least_for(names, recommended)
    return max(min(_longest(names, recommended), max(least, ROOM_PX - others)), NAME_PX[0])
