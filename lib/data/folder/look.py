"""One look at all that lies below a root: what is new is read, what stayed is known."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.errors import SourceUnavailable
from lib.core.facts.foreign import isolated
from lib.core.facts.query import Unreadable, Unused
from lib.data.folder.collection import paused
from lib.data.folder.gathered import Gathered, Look, is_empty, scan_digest
from lib.data.folder.grouping import files_by_run
from lib.data.folder.last_good import UNREAD, last_good, noted
from lib.data.folder.listing import Listed, Listing, curves_of
from lib.data.folder.memory.kept import Kept, room_of
from lib.data.folder.memory.lists import LEAST_LISTED, StoredLists
from lib.data.folder.memory.remembered import Remembered
from lib.data.folder.names import path_text, readable, run_id_of
from lib.data.folder.processes.ahead import Ahead
from lib.data.folder.processes.beside import Beside, Read, longest_of
from lib.data.folder.reading import TRAINER, Curves, Files, UnitReader, digest, stamps_of, tag_of
from lib.data.folder.scan import CLOSED, GONE, NO_ANSWER, Mount, Scan, is_gone, scan_tree
from lib.data.folder.units import FoundForm, FoundUnit, Unit
from lib.data.folder.unused import unused_of
from lib.data.formats.logged import FilePath, Folder, Format, Told
from lib.data.trainer.hf_log import TRAINER_STATE

KEPT_POINTS = 8_000_000
"""Of the curves that were read: 256 MB. What an open page shows is kept by the page besides."""
REST, QUICK_S = 10.0, 0.2
"""A file that changes is not read again before this many times the time of its last read has passed, unless that was
quicker than so many seconds of a processor."""
GONE_S = 30.0
"""A folder that is gone is waited for so many seconds before its runs are: disks of others come back."""
PUBLISH_S, PUBLISH_SHARE = 0.5, 0.05
"""While a look goes on, what it found is listed so often, and takes this share of the time at most."""
LISTED_S = 1.0
"""So long is waited with all else where a list of the same tree was remembered."""


class Gatherer:
    """Looks at a root again and again. One look at a time; curves may be asked for from any thread meanwhile.

    Args:
        root: The folder, by its real path.
        top: What it is called.
        formats: What is read beside the states of a ``Trainer``.
        remembered: What was read before this process.

    Attributes:
        named: The folder, for people to read.
        stuck: What another thread waits for, and is left out.
        wanted: Ids of runs that somebody waits for: they are read first.
        hurry: Set when somebody waits for more than a list.
    """

    def __init__(self, root: Path, top: str, formats: Sequence[Format], remembered: Remembered) -> None:
        self._root, self._top, self._formats, self._remembered = root, top, formats, remembered
        self.named = isolated(readable(str(root)))
        self._reader = UnitReader(root, top)
        self._long = Beside(root, top, self._reader)
        self._curves: Kept[Unit, Curves] = Kept(KEPT_POINTS)
        self._held: dict[Unit, tuple[str, Curves]] = {}
        self._known: dict[Unit, FoundUnit] | None = None
        self._rests: dict[Unit, float] = {}
        self._gone: dict[Unit, float] = {}
        self._beginnings: dict[tuple[str, int], str] = {}
        self._mount = Mount(root)
        self._last = self._view = Gathered()
        self._scan: Scan | None = None
        self._lists = StoredLists(remembered)
        self._kept: Gathered | None = None
        self._to_keep: Gathered | None = None
        self._listing = Listing(top, lambda unit: self._unit_curves(unit, self._view), self._beginning)
        self.stuck: set[Unit | Folder] = set()
        self.wanted: set[str] = set()
        self.hurry = threading.Event()

    def look(self, told: Callable[[Unit | Folder], None], publish: Callable[[Gathered], None]) -> Gathered:
        """Look at everything.

        Args:
            told: Is told each folder and each unit before it is read, and may raise to end the look.
            publish: Is given what was found so far, now and then.

        Raises:
            SourceUnavailable, AccessDenied: If the root cannot be looked into.
        """
        with contextlib.closing(Ahead(self._root, self._top)) as ahead, contextlib.closing(self._long):
            return self._look(told, publish, ahead)

    def _look(
        self, told: Callable[[Unit | Folder], None], publish: Callable[[Gathered], None], ahead: Ahead
    ) -> Gathered:
        shut = {each for each in self.stuck if not isinstance(each, Unit)}
        is_new = self._known is None and not self.stuck and self._remembered.is_empty()
        found_by = ahead.expected_by(told) if is_new else told
        look = Look(scan_tree(self._root, self._formats, found_by, shut), self._last, time.monotonic() + PUBLISH_S)
        self._mount.check(look.scan, had_runs=bool(self._last.units))
        is_listed = self._known is None and not self.stuck and self._listed_before(look, publish)
        known = self._known = self._remembered.load() if self._known is None else self._known
        if look.scan == self._scan and not self.stuck:
            self.wanted.clear()
            self._to_keep = self._last if self._kept is not self._last else None
            return self._last

        def before(what: Unit | Folder) -> None:
            told(what)
            # What was found is listed before the next file, which may take long.
            if time.monotonic() >= look.publish_at and not is_listed:
                began = time.monotonic()
                publish(self._gathered(look, is_whole=False))
                self._store(look, is_last=False)
                ended = time.monotonic()
                look.publish_at = ended + max(PUBLISH_S, (ended - began) / PUBLISH_SHARE)
                told(what)

        for unit, files, found in self._each(look, before, ahead):
            look.take(unit, files, found)
        self._await_gone(look)
        for unit in known.keys() - look.units.keys():
            look.fresh[unit] = None
            del known[unit]
        self._store(look)
        self._last = self._gathered(look, is_whole=True)
        self._scan = look.scan if look.is_final and not shut and not self._gone else None
        if is_listed:
            self._kept = self._last
        elif self._scan is not None and self._kept is None:
            self._to_keep = self._last
        self.wanted.clear()
        return self._last

    def _listed_before(self, look: Look, publish: Callable[[Gathered], None]) -> bool:
        """Publish the list that was made of the same tree before this process; whether there is one."""
        stored = self._lists.load(scan_digest(look.scan))
        if stored is None:
            return False
        runs, unreadable, unused = stored
        publish(Gathered(Listed(runs), {}, {}, unreadable, unused, is_list=True))
        # Who asks for the list goes first; the rest of what is known is wanted when a run is looked at.
        self.hurry.wait(LISTED_S)
        return True

    def keep(self) -> None:
        """Have the list remembered, if it is long and a tree that came to rest was made into it."""
        gathered, scan, self._to_keep = self._to_keep, self._scan, None
        if gathered is not None and scan is not None and len(gathered.listed.runs) >= LEAST_LISTED:
            self._kept = gathered
            self._lists.store(scan_digest(scan), gathered.listed.runs, gathered.unreadable, gathered.unused)

    def curves(self, run_id: str, gathered: Gathered) -> RunCurves:
        """The curves of a run, read where they are not kept."""
        return curves_of(
            run_id, gathered.listed.members.get(run_id, ()), lambda unit: self._unit_curves(unit, gathered)
        )

    def _each(
        self, look: Look, told: Callable[[Unit | Folder], None], ahead: Ahead
    ) -> Iterator[tuple[Unit, Files, FoundUnit]]:
        """Every unit and what is in it: a file that one format takes is not asked of those after it."""
        trainings = {Unit(TRAINER, at): Files(look.scan, own) for at, own in files_by_run(look.scan).items()}
        yield from self._found_in(look, trainings, told, ahead)
        taken: set[FilePath] = set()
        passed: dict[FilePath, None] = {}
        for each in self._formats:
            paths = [path for path in look.asked_of(each) if path not in taken]
            units = each.units(paths) if paths else {}
            logged = {Unit(each.title, at): Files(look.scan, None, each, tuple(own)) for at, own in units.items()}
            for unit, files, found in self._found_in(look, logged, told, ahead):
                if found.is_read:
                    taken.update(files.paths)
                else:
                    passed.update(dict.fromkeys(files.paths))
                yield unit, files, found
        look.pass_over(passed, taken)

    def _found_in(
        self, look: Look, units: Mapping[Unit, Files], told: Callable[[Unit | Folder], None], ahead: Ahead
    ) -> Iterator[tuple[Unit, Files, FoundUnit]]:
        """What is in the units of a format; many that nobody knows are read ahead."""
        known = self._known or {}
        if self.wanted:
            # Most runs are called by their folder.
            units = dict(sorted(units.items(), key=lambda item: run_id_of(item[0].folder) not in self.wanted))
        new = {unit: files for unit, files in units.items() if unit not in known and unit not in self.stuck}
        sights = {unit: digest(stamps_of(unit.folder, files)) for unit, files in units.items()}
        ahead.ask(new, sights)
        for unit, files in units.items():
            yield self._found(look, unit, files, sights[unit], told, ahead)

    def _found(
        self,
        look: Look,
        unit: Unit,
        files: Files,
        sight: str,
        told: Callable[[Unit | Folder], None],
        ahead: Ahead,
    ) -> tuple[Unit, Files, FoundUnit]:
        """What is in a unit: what is known of it, unless something else is there to see."""
        known = None if self._known is None else self._known.get(unit)
        is_same = known is not None and known.sight == sight and known.is_settled
        if unit in self.stuck:
            look.is_final = False
            waiting = Told(files.paths[0] if files.paths else (*unit.folder, TRAINER_STATE), NO_ANSWER)
            return unit, files, replace(known or FoundUnit(""), unreadable=(waiting,), is_settled=False)
        if known is not None and (is_same or time.monotonic() < self._rests.get(unit, 0.0)):
            look.is_final &= is_same
            return unit, files, known
        told(unit)
        theirs = ahead.take(unit, lambda: told(unit))
        found = self._read(unit, files, sight, known, lambda: told(unit)) if theirs is None else theirs[0]
        look.is_final &= found.is_settled
        if self._known is not None:
            self._known[unit] = found
        if unit not in self._held:
            look.fresh[unit] = found if theirs is None else theirs[1]
        # Once more: another look may have begun while this one waited for the disk.
        told(unit)
        return unit, files, found

    def _read(
        self, unit: Unit, files: Files, sight: str, known: FoundUnit | None, goes_on: Callable[[], None]
    ) -> FoundUnit:
        """What is in the files of a unit."""
        began = time.monotonic()
        try:
            read = self._long.read(unit.folder, files, sight, goes_on)
        except SourceUnavailable as error:
            lost = (Told(longest_of(unit.folder, files), str(error)),)
            read = Read(FoundUnit(sight, unreadable=lost, is_settled=False), {}, time.monotonic() - began)
        self._rests[unit] = time.monotonic() + REST * read.cost_s if read.cost_s > QUICK_S else 0.0
        return self._with_last_good(unit, files, known, read.found, read.curves)

    def _with_last_good(
        self, unit: Unit, files: Files, known: FoundUnit | None, found: FoundUnit, curves: Curves
    ) -> FoundUnit:
        """What was found, and where its newest log could not be read what was said before; keeps the curves."""
        empty = [path for path in files.paths if is_empty(files.scan.stamps.get(path))]
        kept = found if known is None else last_good(known, found, empty)
        held = self._held.pop(unit, None)
        if kept is not found and known is not None:
            old = held[1] if held is not None else self._curves.get(unit, known.sight) or {}
            tags = {tag_of(form) for form in kept.forms if UNREAD in form.run.notes}
            curves = {**curves, **{tag: old[tag] for tag in tags if tag in old}}
            self._held[unit] = found.sight, curves
        self._curves.put(unit, found.sight, curves, room_of(curves.values()))
        return kept

    def _await_gone(self, look: Look) -> None:
        """Keep for a while what was there at the last look, and whose very folder is gone."""
        now = time.monotonic()
        self._gone = {unit: since for unit, since in self._gone.items() if unit not in look.units}
        for unit, found in self._last.units.items():
            if unit in look.units or not found.forms:
                continue
            files = self._last.files[unit]
            folder = unit.folder if files.states is not None else files.paths[0][:-1]
            since, path = self._gone.setdefault(unit, now), os.path.join(self._root, *folder)
            note = CLOSED if look.scan.is_closed(folder) else GONE if now - since < GONE_S and is_gone(path) else ""
            if note:
                self._held.setdefault(unit, (found.sight, self._curves.get(unit, found.sight) or {}))
                look.take(unit, files, replace(found, forms=tuple(noted(form, note) for form in found.forms)))

    def _store(self, look: Look, *, is_last: bool = True) -> None:
        if look.fresh or (is_last and not look.is_bounded):
            self._remembered.store(look.fresh, is_last=is_last)
            look.fresh, look.is_bounded = {}, is_last

    def _gathered(self, look: Look, *, is_whole: bool) -> Gathered:
        """What a look came to; of one that goes on, with what the last one knew of what it has not come to."""
        last = self._last
        rest = {} if is_whole else {unit: each for unit, each in last.units.items() if unit not in look.units}
        units = {**look.units, **rest}
        files = {**{unit: last.files[unit] for unit in rest}, **look.files}
        self._view = Gathered(units=units, files=files)
        listed = last.listed
        if units.keys() != last.units.keys() or any(last.units[unit] is not each for unit, each in units.items()):
            with paused():
                listed = self._listing.make([(unit, form) for unit, found in units.items() for form in found.forms])
        told = chain.from_iterable(found.unreadable for found in units.values())
        said = {(path_text(each.path[:-1], each.path[-1]) if each.path else ".", each.why) for each in told}
        unreadable = [*look.scan.unreadable, *(Unreadable(*each) for each in said)]
        unused: tuple[Unused, ...] = last.unused
        if is_whole:
            empty = chain(look.told_empty(), chain.from_iterable(found.unused for found in units.values()))
            runs = {unit.folder for unit, found in units.items() if found.forms}
            unused = unused_of(look.scan, chain(listed.unused, empty), look.passed, runs)
        in_order = tuple(sorted(unreadable, key=lambda each: (each.path, each.reason)))
        return Gathered(listed, files, units, in_order, unused, None if is_whole else look.looked_at)

    def _unit_curves(self, unit: Unit, gathered: Gathered) -> Curves:
        """The curves of the runs of a unit."""
        found = gathered.units[unit]
        held = self._held.get(unit)
        if held is not None and held[0] == found.sight:
            return held[1]
        kept = self._curves.get(unit, found.sight)
        if kept is None:
            kept = self._long.read(unit.folder, gathered.files[unit], found.sight).curves
            self._curves.put(unit, found.sight, kept, room_of(kept.values()))
        return kept

    def _beginning(self, form: FoundForm, count: int) -> str:
        """How the log of a form begins."""
        key = form.seen, count
        if key not in self._beginnings:
            self._beginnings[key] = self._reader.beginning(form, count)
        return self._beginnings[key]
