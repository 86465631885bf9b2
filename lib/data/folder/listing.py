"""Making runs of what was found in all units: which forms are one run, what it is called, and what identifies it."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, count
from types import MappingProxyType

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.changed_runs import changed
from lib.core.facts.foreign import isolated
from lib.core.facts.runs import RunSummary
from lib.data.folder.beside import WRAPPERS
from lib.data.folder.copies import Beginning, same_trainings
from lib.data.folder.memory.kept import LazyCurves
from lib.data.folder.names import readable, run_id_of, telling_names
from lib.data.folder.reading import TRAINER, Curves, digest, tag_of
from lib.data.folder.units import FoundForm, Unit
from lib.data.formats.assembly import Form, merged, outer_forms, same_runs, why_unused, with_settings_of
from lib.data.formats.forms.continued import chains_of, unsure_note
from lib.data.formats.logged import Folder, Told

MOST_TWINS = 5
"""Copies of a log that its note names."""

Member = tuple[Unit, FoundForm]
ReadCurves = Callable[[Unit], Curves]
"""Gives the curves of a unit's runs."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The runs below a root.

    Attributes:
        runs: By id.
        members: The forms of each, the leading one first.
        unused: Forms that are no run by themselves.
    """

    runs: Mapping[str, RunSummary] = field(default_factory=dict)
    members: Mapping[str, tuple[Member, ...]] = field(default_factory=dict)
    unused: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True)
class _One:
    """A run before it has its name.

    Attributes:
        members: Its forms, the leading one first.
        run: Its facts.
        home: The folder that names it.
        seen: Another text for anything else that was seen of it.
        trainer: Its form as a ``Trainer`` left it, which gives it identity and name.
    """

    members: tuple[Member, ...]
    run: RunSummary
    home: Folder
    seen: str
    trainer: FoundForm | None


class Listing:
    """Makes the list anew whenever something was found, and keeps what did not change.

    Args:
        top: What the root is called.
        curves: Where curves come from, should forms have to be compared.
        beginning: Where beginnings of logs come from.
    """

    def __init__(self, top: str, curves: ReadCurves, beginning: Beginning) -> None:
        self._top, self._curves, self._beginning = top, curves, beginning
        self._merged: dict[tuple[str, ...], RunSummary] = {}
        self._groups: tuple[object, list[list[int]]] = (None, [])
        self._made: dict[str, RunSummary] = {}

    def make(self, found: Sequence[Member]) -> Listed:
        """The list of runs of all forms that were found."""
        groups = self._grouped(found)
        outer = outer_forms([form for _, form in found])
        ones = [self._inside(self._one([found[at] for at in group]), group, found, outer) for group in groups]
        kept = {at for group in groups for at in group}
        lending = Counter(above for at in kept for above in outer.get(at, ()))
        unused = [
            Told(form.files[0], why_unused(_form_of(form, partial(self._curves, unit)), lending[at]))
            for at, (unit, form) in enumerate(found)
            if at not in kept and form.files
        ]
        ids = _ids(ones)
        names = dict(zip(ids, self._names(ones), strict=True))
        logs = {run_id: one.trainer for run_id, one in zip(ids, ones, strict=True) if one.trainer is not None}
        marks = {run_id: form.mark for run_id, form in logs.items() if form.mark is not None}
        same = same_trainings(logs, names, self._beginning)
        copies: defaultdict[str, list[str]] = defaultdict(list)
        for run_id, mark in marks.items():
            if mark.points:
                copies[mark.digest].append(run_id)
        unsure = self._unsure(found, groups, [names[run_id] for run_id in ids], ids)
        runs: dict[str, RunSummary] = {}
        for run_id, one in zip(ids, ones, strict=True):
            notes, leading = [*one.run.notes, *unsure.get(run_id, ())], same.get(run_id)
            if run_id in marks:
                twins = copies[marks[run_id].digest]
                notes += _twin_note(
                    [names[other] for other in twins[: MOST_TWINS + 1] if other != run_id], len(twins) - 1
                )
                if leading is not None and marks[leading].digest != marks[run_id].digest:
                    is_whole = marks[run_id].points == marks[leading].points
                    how = "says the same as" if is_whole else "is the beginning of"
                    notes.append(f'The log {how} that of "{isolated(names[leading])}": the same training.')
            version = digest(one.seen, names[run_id], tuple(notes), leading)
            before = self._made.get(run_id)
            runs[run_id] = (
                before
                if before is not None and before.version == version
                else changed(
                    one.run,
                    run_id=run_id,
                    name=names[run_id],
                    notes=tuple(notes),
                    same_training_as=leading,
                    version=version,
                )
            )
        self._made = runs
        return Listed(runs, dict(zip(ids, (one.members for one in ones), strict=True)), tuple(unused))

    def _grouped(self, found: Sequence[Member]) -> list[list[int]]:
        """Which forms are one run; a ``Trainer``'s alone never are, as their logs were compared when they were read."""
        if all(form.format == TRAINER for _, form in found):
            return [[at] for at in range(len(found))]
        key = [(unit, form.seen, tag_of(form)) for unit, form in found]
        if self._groups[0] != key:
            self._groups = key, same_runs([_form_of(form, partial(self._curves, unit)) for unit, form in found])
        return self._groups[1]

    def _unsure(
        self, found: Sequence[Member], groups: Sequence[Sequence[int]], names: Sequence[str], ids: Sequence[str]
    ) -> dict[str, list[str]]:
        """Notes on runs that may go on where another one ends, by id."""
        if all(form.format == TRAINER for _, form in found):
            return {}
        run_of = {at: number for number, group in enumerate(groups) for at in group}
        notes: defaultdict[str, list[str]] = defaultdict(list)
        for one, other, why in chains_of([_form_of(form, partial(self._curves, unit)) for unit, form in found]).unsure:
            if one in run_of and other in run_of and run_of[one] != run_of[other]:
                notes[ids[run_of[other]]].append(unsure_note(names[run_of[one]], why))
        return {run_id: list(dict.fromkeys(each)) for run_id, each in notes.items()}

    def _one(self, members: Sequence[Member]) -> _One:
        if len(members) == 1 and (only := members[0][1]).format == TRAINER:
            return _One(tuple(members), only.run, only.folder, only.seen, only)
        seen = tuple(form.seen for _, form in members)
        forms = [form for _, form in members]
        trainer = next((form for form in forms if form.format == TRAINER), None)
        homes = [trainer.folder] if trainer is not None else [_home(form) for form in _placed(forms)]
        home = min(homes, key=lambda path: (len(path), path))
        if len(members) == 1:
            return _One(tuple(members), forms[0].run, home, seen[0], trainer)
        key = tuple(part for (unit, form) in members for part in (repr(unit), tag_of(form), form.seen))
        if key not in self._merged:
            self._merged[key] = merged([_form_of(form, partial(self._curves, unit)) for unit, form in members]).run
        return _One(tuple(members), self._merged[key], home, digest(seen), trainer)

    @staticmethod
    def _inside(one: _One, group: Sequence[int], found: Sequence[Member], outer: Mapping[int, tuple[int, ...]]) -> _One:
        """The run with the settings of those that it is inside of; its version is another one when theirs change."""
        above = [found[each][1] for each in dict.fromkeys(each for at in group for each in outer.get(at, ()))]
        if not above:
            return one
        run = with_settings_of(one.run, ((form.name or form.identity, form.run.config) for form in above))
        return replace(one, run=run, seen=digest((one.seen, *(form.seen for form in above))))

    def _names(self, ones: Sequence[_One]) -> list[str]:
        """What each run is called: by its folder, and by its files where others are in the same one."""
        at_home = Counter(one.home for one in ones)
        paths = []
        for one in ones:
            lead = one.members[0][1]
            path = (self._top, *one.home)
            is_plain = one.trainer is not None or (at_home[one.home] == 1 and not lead.name)
            paths.append(path if is_plain else (*path, _own_name(lead)))
        names = telling_names(set(paths))
        return [
            f"{names[path]} ({one.trainer.label})"
            if one.trainer is not None and one.trainer.label
            else readable(one.members[0][1].name)
            if one.trainer is None and one.members[0][1].name
            else names[path]
            for one, path in zip(ones, paths, strict=True)
        ]


def curves_of(run_id: str, members: Sequence[Member], curves: ReadCurves) -> RunCurves:
    """The curves of a run, of all its forms."""
    if len(members) == 1:
        unit, form = members[0]
        found = curves(unit).get(tag_of(form), RunCurves(run_id))
    else:
        read = {unit: curves(unit) for unit, _ in members}
        forms = [_form_of(form, partial(read.__getitem__, unit)) for unit, form in members]
        found = merged(forms).curves
        # A log that was written anew since it was listed may have lost a metric.
        there = {metric: curve for metric, curve in found.curves.items() if len(curve)}
        found = replace(found, curves=MappingProxyType(there)) if len(there) < len(found.curves) else found
    return found if found.run_id == run_id else replace(found, run_id=run_id)


def _form_of(form: FoundForm, curves: Callable[[], Curves]) -> Form:
    """The form as those who compare forms know it; its curves are read when somebody looks at one."""
    tag = tag_of(form)

    def read() -> Mapping[str, object]:
        own = curves().get(tag)
        return {} if own is None else own.curves

    lazy = RunCurves(form.run.run_id, LazyCurves(form.metrics, read))  # type: ignore[arg-type]
    return Form(form.folder, form.format, form.files, form.key, form.identity, form.name, form.parent, form.run, lazy)


def _placed(forms: Sequence[FoundForm]) -> Sequence[FoundForm]:
    """The forms whose place is the run's: a table of many runs lies where it is of none of them."""
    return [form for form in forms if form.metrics or not form.key] or forms


def _home(form: FoundForm) -> Folder:
    """The folder that a form is called by: not the file, and not a folder that only holds logs."""
    folder = form.folder[:-1] if form.folder in form.files else form.folder
    while folder and folder[-1].lower() in WRAPPERS:
        folder = folder[:-1]
    return folder


def _own_name(form: FoundForm) -> str:
    """What tells a form from others in the same folder."""
    if form.name or form.key:
        return form.name or form.key
    return os.path.splitext(form.files[0][-1])[0] if form.files else form.format


def _ids(ones: Sequence[_One]) -> list[str]:
    """Identities that stay while runs grow and while others come; those of a ``Trainer``'s runs first."""
    taken: set[str] = set()
    ids: dict[int, str] = {}
    for at in sorted(range(len(ones)), key=lambda at: ones[at].trainer is None):
        trainer = ones[at].trainer
        if trainer is not None:
            run_id = trainer.run_id
        else:
            first = min(
                _placed([form for _, form in ones[at].members]),
                key=lambda form: (len(form.folder), form.folder, form.key),
            )
            path = (*first.folder, first.key) if first.key else first.folder
            tried = chain((path, (*path, first.format)), ((*path, first.format, str(number)) for number in count(2)))
            run_id = next(each for each in map(run_id_of, tried) if each not in taken)
        taken.add(run_id)
        ids[at] = run_id
    return [ids[at] for at in range(len(ones))]


def _twin_note(names: Sequence[str], count: int) -> tuple[str, ...]:
    if count < 1:
        return ()
    named = [f'"{isolated(name)}"' for name in names[:MOST_TWINS]]
    if count > len(named):
        named.append(f"{count - len(named):,} more")
    return (f"The log is byte for byte that of {' and '.join(named)}: the same training, listed more than once.",)
