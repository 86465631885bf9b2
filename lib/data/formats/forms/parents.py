"""Settings of a run inside another: what the runs of one outer run share is often stated in that alone."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from lib.core.facts.foreign import isolated
from lib.core.facts.runs import RunSummary
from lib.data.formats.forms.facts import settings_of

MOST_LEVELS = 8
"""Runs inside runs inside runs; more is a ring."""


class Nested(Protocol):
    """What says where a run stands among others, as ``lib.data.formats.forms.form.Form``."""

    @property
    def format(self) -> str: ...
    @property
    def identity(self) -> str: ...
    @property
    def parent(self) -> str: ...


def outer_forms(forms: Sequence[Nested]) -> dict[int, tuple[int, ...]]:
    """For each form that says what it is inside of, the positions of these forms, the innermost first.

    Args:
        forms: All that lie below one root. A parent is named by its identity, within one program's logs.
    """
    if not any(form.parent for form in forms):
        return {}
    by_identity: dict[Hashable, int] = {}
    for at, form in enumerate(forms):
        if form.identity:
            by_identity.setdefault((form.format, form.identity), at)
    found: dict[int, tuple[int, ...]] = {}
    for at, form in enumerate(forms):
        outer: list[int] = []
        above = by_identity.get((form.format, form.parent)) if form.parent else None
        while above is not None and above != at and above not in outer and len(outer) < MOST_LEVELS:
            outer.append(above)
            above = by_identity.get((form.format, forms[above].parent)) if forms[above].parent else None
        if outer:
            found[at] = tuple(outer)
    return found


def with_settings_of(run: RunSummary, outer: Iterable[tuple[str, Mapping[str, Any]]]) -> RunSummary:
    """A run with the settings of the runs that it is inside of, where it does not state them itself.

    Args:
        run: The inner one.
        outer: Name and configuration, by section, of those that it is inside of, the innermost first.
    """
    config: dict[str, Any] = dict(run.config)
    notes = []
    for name, stated in outer:
        taken = 0
        for section, settings in stated.items():
            known = config.get(section, {})
            if not isinstance(settings, Mapping) or not isinstance(known, Mapping):
                continue
            new = {key: value for key, value in settings.items() if key not in known}
            if new:
                config[section] = {**known, **new}
                taken += len(new)
        if taken:
            notes.append(_lent_from(name, taken))
    if not notes:
        return run
    fields = {name: value for name, value in settings_of(config).items() if getattr(run, name) is None}
    return replace(run, config=config, notes=(*run.notes, *notes), **fields)


def _lent_from(name: str, count: int) -> str:
    """A sentence on settings that are those of an outer run."""
    said = (
        "1 setting that it does not state itself is that"
        if count == 1
        else (f"{count:,} settings that it does not state itself are those")
    )
    return f'{said} of the run that it is inside of, "{isolated(name)}".'
