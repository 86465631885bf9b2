"""What an archive holds, known before anything of it is unpacked, and how it is written to the disk."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from lib.core.text.phrases import counted
from lib.data.upload.guarded import CHUNK, damaged, too_much
from lib.data.upload.limits import MOST_FILES
from lib.data.upload.names import Parts, folded, is_of_system, is_packed
from lib.data.upload.refusals import UploadRefused, said

LATEST_S, EARLIEST_S = 4_102_444_800, 0
"""Times of writing between 1970 and 2100 are kept, in seconds; others are those of clocks that were not set."""
MOST_NAMED = 3


class Reads(Protocol):
    """Something that bytes are read of."""

    def read(self, count: int, /) -> bytes:
        """Return at most so many bytes, none at the end."""
        ...


class Kind(StrEnum):
    """What is not taken out of an archive, in words."""

    LINK = "links are not followed"
    DEVICE = "only files and folders are taken"
    SPARSE = "files with holes in them are not unpacked"
    NESTED = "archives inside archives are not opened: unpack them first"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder in an archive.

    Attributes:
        parts: Where it goes, below the folder that is unpacked to.
        size: Of a file, in bytes.
        written_s: When it was written, in seconds since 1970; ``None`` where that is not known.
        opened: Opens a file; ``None`` for a folder.
    """

    parts: Parts
    size: int = 0
    written_s: float | None = None
    opened: Callable[[], Reads] | None = None


@dataclass(slots=True)
class Held:
    """What an archive holds.

    Attributes:
        entries: What is taken.
        left: What is not, by why.
    """

    entries: list[Entry] = field(default_factory=list)
    left: dict[Kind, list[str]] = field(default_factory=dict)

    def leave(self, kind: Kind, parts: Parts) -> None:
        """Do not take something."""
        self.left.setdefault(kind, []).append("/".join(parts))

    def take(self, entry: Entry) -> None:
        """Take something, unless it is an archive itself or says nothing of runs."""
        if is_of_system(entry.parts):
            return
        if entry.opened is not None and is_packed(entry.parts[-1]):
            self.leave(Kind.NESTED, entry.parts)
        else:
            self.entries.append(entry)

    @property
    def size(self) -> int:
        """Of all files together, in bytes."""
        return sum(entry.size for entry in self.entries)

    @property
    def files(self) -> int:
        """How many files are taken."""
        return sum(entry.opened is not None for entry in self.entries)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was not taken and why."""
        return tuple(_left_out(names, kind) for kind, names in self.left.items())


def check_count(count: int, most: int, archive: str) -> None:
    """Hold a number of entries against what is left of the limit.

    Raises:
        UploadRefused: If there are more.
    """
    if count > most:
        raise UploadRefused(
            f"Expected at most {MOST_FILES:,} files and folders of all archives, found more in {said(archive)}.",
            hint="Pack only the folders of the runs, or remove an upload.",
        )


def check_names(entries: Sequence[Entry], archive: str) -> None:
    """See that no two entries are one file, on whatever system.

    Raises:
        UploadRefused: If two have one name, or names that differ in case or composition only, or if one is a file
            and a folder.
    """
    spelled: dict[Parts, Parts] = {}
    files: set[Parts] = set()
    folders: set[Parts] = set()
    for entry in entries:
        key = tuple(map(folded, entry.parts))
        for depth in range(1, len(key) + 1):
            before = spelled.setdefault(key[:depth], entry.parts[:depth])
            if before != entry.parts[:depth]:
                raise _twice("/".join(before), "/".join(entry.parts[:depth]), archive)
        above = key if entry.opened is None else key[:-1]
        folders.update(above[:depth] for depth in range(1, len(above) + 1))
        if entry.opened is not None:
            if key in files:
                raise _twice("/".join(entry.parts), "/".join(entry.parts), archive)
            files.add(key)
    if both := files & folders:
        name = "/".join(spelled[min(both)])
        raise _twice(name, name, archive)


def write(held: Held, folder: Path, archive: str, most: int) -> None:
    """Unpack what an archive holds into a folder that is new and nobody else's.

    Nothing that is there is opened: each file is made, or it is an error.

    Args:
        held: What it holds.
        folder: The folder.
        archive: The archive's name, for messages.
        most: How many bytes may come of it, whatever it said before.

    Raises:
        UploadRefused: If files are longer or shorter than the archive said, or cannot be read or written.
    """
    made = 0
    for entry in held.entries:
        path = folder.joinpath(*entry.parts)
        with writing():
            _make_folders(folder, entry.parts if entry.opened is None else entry.parts[:-1])
        if entry.opened is not None:
            made += write_file(path, entry.opened(), entry.size, archive, most - made)
            if entry.written_s is not None and EARLIEST_S < entry.written_s < LATEST_S:
                with writing():
                    os.utime(path, (entry.written_s, entry.written_s))


def _make_folders(folder: Path, parts: Parts) -> None:
    """Make a folder and those above it; nobody else may look into them."""
    for part in parts:
        folder = folder / part
        folder.mkdir(0o700, exist_ok=True)


def write_file(path: Path, source: Reads, size: int, name: str, most: int) -> int:
    """Make a file of what is read, and say how long it is.

    Args:
        path: Where; nothing may be there.
        source: What is read.
        size: How many bytes come.
        name: Of what is read, for messages.
        most: How many bytes may come.

    Raises:
        UploadRefused: As ``write``.
    """
    made = 0
    with writing():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(handle, "wb") as file:
        while data := source.read(CHUNK):
            made += len(data)
            if made > most:
                raise too_much(name)
            if made > size:
                raise damaged(name)
            with writing():
                file.write(data)
    if made != size:
        raise damaged(name)
    return made


class writing:
    """Where something is written: what keeps it from being so is said, and a full disk is no fault of the file's."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            what = "its disk is full" if error.errno == errno.ENOSPC else error.strerror or "its disk does not take it"
            raise UploadRefused(
                f"The server could not keep what was uploaded: {what}.",
                hint="Send less, or ask whoever runs the app.",
            ) from error


def _twice(one: str, other: str, archive: str) -> UploadRefused:
    both = f'"{said(one)}" and "{said(other)}", which are one on some systems'
    found = both if one != other else f'"{said(one)}" twice'
    return UploadRefused(
        f"Expected each name once in {said(archive)}, found {found}.",
        hint="Pack the folder of the runs anew, or in several archives.",
    )


def _left_out(names: list[str], why: Kind) -> str:
    named = ", ".join(f'"{said(name)}"' for name in names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    whole = f"{named} and {more:,} more" if more > 0 else named
    return f"{counted(len(names), 'entry', 'entries')} left out, as {why}: {whole}."
