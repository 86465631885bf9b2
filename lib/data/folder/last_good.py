"""What a run said before, where its newest log says less or nothing."""

from __future__ import annotations

from dataclasses import replace

from lib.data.folder.reading import tag_of
from lib.data.folder.units import FoundForm, FoundUnit

UNREAD = "The newest log could not be read; this is what it said before."


def last_good(known: FoundUnit, found: FoundUnit) -> FoundUnit:
    """What was found, and in the place of runs that lost what they had said before: what they said."""
    now = {tag_of(form): form for form in found.forms}
    kept = dict(now)
    for form in known.forms:
        own = now.get(tag_of(form))
        if own is None or (own.run.current_step or 0) < (form.run.current_step or 0):
            kept[tag_of(form)] = noted(form, UNREAD)
    return found if kept == now else replace(found, forms=tuple(kept.values()))


def noted(form: FoundForm, note: str) -> FoundForm:
    """A form with one more note."""
    if note in form.run.notes:
        return form
    return replace(form, run=replace(form.run, notes=(*form.run.notes, note)))
