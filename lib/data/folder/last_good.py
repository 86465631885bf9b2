"""What a run said before, where its newest log says less or nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from lib.data.folder.reading import tag_of
from lib.data.folder.units import FoundForm, FoundUnit
from lib.data.formats.logged import FilePath

UNREAD = "The newest log could not be read; this is what it said before."


def last_good(known: FoundUnit, found: FoundUnit, empty: Collection[FilePath]) -> FoundUnit:
    """What was found, and in the place of runs that lost what they had said before: what they said.

    Args:
        known: What was found before.
        found: What is found now.
        empty: Files of the unit that are empty now: they are for a moment while they are written anew.
    """
    now = {tag_of(form): form for form in found.forms}
    kept = dict(now)
    for form in known.forms:
        own = now.get(tag_of(form))
        says_less = own is None or (own.run.current_step or 0) < (form.run.current_step or 0)
        is_emptied = (own is None or not own.metrics) and not set(form.files).isdisjoint(empty)
        if (found.unreadable and says_less) or is_emptied:
            kept[tag_of(form)] = noted(form, UNREAD)
    if kept == now:
        return found
    unused = tuple(told for told in found.unused if told.path not in empty)
    return replace(found, forms=tuple(kept.values()), unused=unused, is_read=True)


def noted(form: FoundForm, note: str) -> FoundForm:
    """A form with one more note."""
    if note in form.run.notes:
        return form
    return replace(form, run=replace(form.run, notes=(*form.run.notes, note)))
