"""What the selected runs are called on a page, and in which order they stand: the recommended one first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from lib.core.facts.selection import UPLOADED_SIGN, UPLOADED_WORD, is_uploaded
from lib.core.text.labels import shared_beginning, short_labels
from lib.ui.session.comparison import ComparedRun, Comparison

CHARACTERS = 180
"""Characters of the names of all runs together, where they stand beside each other."""
LEAST = 24
STAR = "★"


def uploaded(run_id: str) -> str:
    """The small word behind the name of a run that this session uploaded, as HTML; "" for any other."""
    return f' <span class="run-uploaded">{UPLOADED_WORD}</span>' if is_uploaded(run_id) else ""


def uploaded_sign(run_id: str) -> str:
    """The same where there is little room: a sign, and the word for whoever cannot see it."""
    word = f'<span class="runoff-unseen">{UPLOADED_WORD}</span>'
    shown = f'<i class="run-uploaded" title="Uploaded in this session" aria-hidden="true">{UPLOADED_SIGN}</i>'
    return f" {shown}{word}" if is_uploaded(run_id) else ""


@dataclass(frozen=True, slots=True)
class Named:
    """One run on a page.

    Attributes:
        each: The run.
        brief: Its name without the beginning that all names share, cut so that what differs stays.
        is_recommended: Whether it is the one to ship, or the first of those that tie.
    """

    each: ComparedRun
    brief: str
    is_recommended: bool

    @property
    def run_id(self) -> str:
        """Its identity."""
        return self.each.run.run_id

    @property
    def html(self) -> str:
        """Mark, name and star; what stands around it says ``data-run``."""
        star = f' <span class="star" title="Recommended">{STAR}</span>' if self.is_recommended else ""
        name = f"{escape(self.brief)}{star}{uploaded(self.run_id)}"
        return f'<i class="run-mark slot-{self.each.slot}"></i><span class="name">{name}</span>'


def named_runs(comparison: Comparison, characters: int = CHARACTERS) -> tuple[tuple[Named, ...], str]:
    """The selected runs in the order of the ranking, those that are not ranked last, and what their names share."""
    runs, first = comparison.in_order, comparison.decision.recommended
    start = shared_beginning([each.label for each in runs])
    own = {each.run.run_id: each.label[len(start) :] for each in runs}
    short = short_labels(own, max(characters // max(len(runs), 1), LEAST))
    named = (Named(each, short[each.run.run_id], len(runs) > 1 and each.run.run_id == first) for each in runs)
    return tuple(named), start.strip(" ·")


def shared_words(start: str, named: Sequence[Named]) -> str:
    """What to say below names: what all of them begin with, and what the star means."""
    said = [f"All names begin with <b>{escape(start)}</b>"] if start else []
    said += [f"{STAR} recommended"] if any(each.is_recommended for each in named) else []
    return " · ".join(said)
