"""What one session has uploaded: files in a private folder, and the runs in them."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from lib.core.facts.credentials import redact
from lib.core.facts.sizes import plain_text
from lib.core.text.phrases import counted
from lib.data.folder.names import readable
from lib.data.folder.scan import is_skipped
from lib.data.trainer.hf_log import TRAINER_STATE
from lib.data.upload import storage, tar_files, zip_files
from lib.data.upload.entries import Held, write, write_file, writing
from lib.data.upload.guarded import too_much
from lib.data.upload.limits import (
    EVERYBODY_BYTES,
    EVERYBODY_MB,
    FILE_BYTES,
    FILE_MB,
    MOST_DROPPED,
    MOST_FILES,
    TOTAL_BYTES,
)
from lib.data.upload.loose import placed
from lib.data.upload.names import OTHER_ARCHIVE_ENDS, archive_end, cut_name, folded, plain_name
from lib.data.upload.refusals import UploadRefused, said
from lib.data.upload.same import Known
from lib.data.upload.source import UploadSource

ROOT = "uploads"
"""What lies in it is read."""
NUMBERED = "upload"
"""What a folder is called, with a number, whose files do not name it."""
NUMBERED_STATE = "trainer_state"
"""The same where a log of that name lies in it."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file as it came.

    Attributes:
        name: What it is called where it came from. Foreign text.
        file: What it holds, from its beginning.
        size: How many bytes it has.
    """

    name: str
    file: BinaryIO
    size: int


@dataclass(frozen=True, slots=True)
class Item:
    """What was taken at once: an archive, or the files that came together.

    Attributes:
        number: Tells it from others of the upload.
        title: The archive's name, or that of the file; a count of several. Foreign text.
        folders: Where it lies, below the root.
        files: How many files it has.
        entries: How many files and folders.
        size: How many bytes.
        left: What was not taken of it, or is here already, in sentences.
    """

    number: int
    title: str
    folders: tuple[str, ...]
    files: int
    entries: int
    size: int
    left: tuple[str, ...] = ()


_ALL: weakref.WeakSet[Upload] = weakref.WeakSet()
_COUNTING = threading.Lock()


class Upload:
    """The uploaded files of one session. They go when nothing holds it any more, and when the process ends.

    Attributes:
        items: What is there, in the order in which it came.
        source: The runs in it; another one whenever files came or went.
    """

    def __init__(self) -> None:
        """Make a place for files.

        Raises:
            UploadRefused: If there is none.
        """
        self._token = secrets.token_hex(16)
        self._folder = storage.session_folder()
        self._root = self._folder / ROOT
        self._root.mkdir(0o700)
        self._lock = threading.Lock()
        self._count = 0
        self._turns = 0
        self._known_files = Known()
        self.items: tuple[Item, ...] = ()
        self.source = UploadSource(self._root, self._token)
        with _COUNTING:
            _ALL.add(self)
        self._removal = weakref.finalize(self, storage.remove, str(self._folder), os.getpid())

    def take(self, dropped: Sequence[Dropped]) -> tuple[UploadRefused, ...]:
        """Take files; what is refused leaves nothing behind, and the others are taken all the same."""
        with self._lock:
            if len(dropped) > MOST_DROPPED:
                return (_too_many(len(dropped)),)
            if _size_of_all() + sum(each.size for each in dropped) > EVERYBODY_BYTES:
                return (_no_room(),)
            refused: list[UploadRefused] = []
            loose: list[Dropped] = []
            items: list[Item] = []
            for each in dropped:
                try:
                    _check(each)
                    if archive_end(each.name):
                        items.append(self._told([each], self._archive(each)))
                        self.items += (items[-1],)
                    else:
                        loose.append(each)
                except UploadRefused as error:
                    refused.append(error)
            try:
                if loose:
                    items.append(self._told(loose, self._files(loose)))
                    self.items += (items[-1],)
            except UploadRefused as error:
                refused.append(error)
            if items:
                self.source = UploadSource(self._root, self._token, self._turn())
            return tuple(refused)

    def remove(self, number: int) -> None:
        """Remove one item; one that is not there is gone already."""
        with self._lock:
            gone = [item for item in self.items if item.number == number]
            self.items = tuple(item for item in self.items if item.number != number)
            for item in gone:
                self._known_files.forget(item.number)
                for folder in item.folders:
                    shutil.rmtree(self._root / folder, ignore_errors=True)
            if gone:
                self.source = UploadSource(self._root, self._token, self._turn())

    def paths_of(self, item: Item) -> set[str]:
        """The paths of an item's files and folders, as a run says which it was read from: without credentials."""
        paths: list[str] = []
        for top in item.folders:
            for folder, folders, files in os.walk(self._root / top):
                paths += (os.path.relpath(os.path.join(folder, name), self._root) for name in (*folders, *files, ""))
        return {redact(plain_text(readable(path.replace(os.sep, "/")))) for path in paths}

    def close(self) -> None:
        """Remove everything; nothing can be taken afterwards."""
        with self._lock:
            self.items = ()
            self._removal()

    @property
    def is_closed(self) -> bool:
        """Whether it was closed, or somebody cleared it from the disk."""
        return not self._removal.alive or not self._root.is_dir()

    @property
    def size(self) -> int:
        """How many bytes all files have together."""
        return sum(item.size for item in self.items)

    def _told(self, dropped: Sequence[Dropped], item: Item) -> Item:
        """An item with what of it is here already."""
        same = (self._known_files.told(item.number, each.name, each.file, each.size) for each in dropped)
        return replace(item, left=(*item.left, *filter(None, same)))

    def _archive(self, dropped: Dropped) -> Item:
        name = dropped.name
        most, most_entries = (
            min(TOTAL_BYTES - self.size, EVERYBODY_BYTES - _size_of_all()),
            MOST_FILES - sum(item.entries for item in self.items),
        )
        self._count += 1
        staging = self._folder / f"staging-{self._count}"
        scratch = self._folder / f"plain-{self._count}"
        try:
            with writing():
                staging.mkdir(0o700)
            held = _unpack(dropped, staging, scratch, most, most_entries)
            if not held.entries:
                found = f"Expected logs of trainings in {said(name)}, found no file that can be taken."
                raise UploadRefused(" ".join((found, *held.sentences)), hint="Pack the folder of the runs.")
            folder = self._new_folder(plain_name(name)[: -len(archive_end(name))])
            with writing():
                staging.rename(self._root / folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
            scratch.unlink(missing_ok=True)
        return Item(self._count, redact(name), (folder,), held.files, len(held.entries), held.size, held.sentences)

    def _files(self, dropped: Sequence[Dropped]) -> Item:
        total = sum(each.size for each in dropped)
        if total > TOTAL_BYTES - self.size:
            raise too_much(dropped[0].name if len(dropped) == 1 else f"these {len(dropped)} files")
        if len(dropped) > MOST_FILES - sum(item.entries for item in self.items):
            raise _too_many(len(dropped))
        self._count += 1
        numbered = NUMBERED_STATE if any(plain_name(each.name) == TRAINER_STATE for each in dropped) else NUMBERED
        places = placed([each.name for each in dropped], lambda wanted: self._made_folder(wanted, numbered))
        folders = tuple(dict.fromkeys(parts[0] for parts in places))
        try:
            for each, parts in zip(dropped, places, strict=True):
                each.file.seek(0)
                write_file(self._root.joinpath(*parts), each.file, each.size, each.name, FILE_BYTES)
        except BaseException:
            for folder in folders:
                shutil.rmtree(self._root / folder, ignore_errors=True)
            raise
        title = redact(dropped[0].name) if len(dropped) == 1 else counted(len(dropped), "file")
        return Item(self._count, title, folders, len(dropped), len(dropped), total)

    def _made_folder(self, wanted: str, numbered: str) -> str:
        folder = self._new_folder(wanted, numbered)
        with writing():
            (self._root / folder).mkdir(0o700)
        return folder

    def _new_folder(self, wanted: str, numbered: str = NUMBERED) -> str:
        """A name that no folder of the root has, on whatever system; hidden folders are not looked into."""
        # Paths are shown without credentials: a folder that has none is found again by what is shown.
        name = cut_name(redact(wanted)).strip(" .")
        with writing():
            taken = {folded(entry) for entry in os.listdir(self._root)}
        if name and folded(name) not in taken and not is_skipped(name):
            return name
        start, number = (f"{name} (", 2) if name and not is_skipped(name) else (f"{numbered} ", 1)
        end = ")" if start.endswith("(") else ""
        while folded(f"{start}{number}{end}") in taken:
            number += 1
        return f"{start}{number}{end}"

    def _turn(self) -> int:
        self._turns += 1
        return self._turns


def _size_of_all() -> int:
    with _COUNTING:
        return sum(upload.size for upload in _ALL)


def _no_room() -> UploadRefused:
    return UploadRefused(
        f"Expected at most {EVERYBODY_MB:,} MB of all uploads together, found that others have taken most of it.",
        hint="Send less, or try again later.",
    )


def _unpack(dropped: Dropped, staging: Path, scratch: Path, most: int, most_entries: int) -> Held:
    name, file = dropped.name, dropped.file
    file.seek(0)
    if archive_end(name) == ".zip":
        held = zip_files.held_by(file, dropped.size, name, most, most_entries)
        write(held, staging, name, most)
        return held
    plain, size = tar_files.plain_tar(file, name, scratch, most)
    with plain:
        held = tar_files.held_by(plain, size, name, most, most_entries, staging)
        write(held, staging, name, most)
        return held


def _check(dropped: Dropped) -> None:
    """Hold a file against what can be told of it before it is opened."""
    name = said(dropped.name)
    if dropped.size > FILE_BYTES:
        raise UploadRefused(
            f"Expected files of at most {FILE_MB} MB, found {name} with {dropped.size / 2**20:,.0f} MB.",
            hint="Pack it as zip or tar.gz, or leave out weights and other large files.",
        )
    if not archive_end(dropped.name) and dropped.name.lower().endswith(OTHER_ARCHIVE_ENDS):
        raise UploadRefused(
            f"Expected files, or archives of the kinds zip, tar, tar.gz, tar.bz2 and tar.xz, found {name}.",
            hint="Unpack it, or pack it as zip or tar.gz.",
        )
    if not dropped.size:
        raise UploadRefused(f"Expected {name} to hold a log, found an empty file.", hint="Send it again.")


def _too_many(count: int) -> UploadRefused:
    return UploadRefused(
        f"Expected at most {MOST_DROPPED} files at once, found {count:,}.", hint="Pack them as zip or tar.gz."
    )
