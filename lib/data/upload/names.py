"""The names in an archive: each leads into the folder that it is unpacked to, or the archive is refused."""

from __future__ import annotations

import re
import unicodedata

from lib.data.upload.limits import LONGEST_NAME, LONGEST_PATH, MOST_DEPTH
from lib.data.upload.refusals import UploadRefused, said

Parts = tuple[str, ...]
"""A path below the folder that is unpacked to; never empty, and no part is "", "." or ".."."""

ARCHIVE_ENDS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tbz2", ".tar.xz", ".txz")
"""Names of archives that are opened."""
OTHER_ARCHIVE_ENDS = (".7z", ".rar", ".zst", ".tar.lz4", ".tar.lzma", ".gz", ".bz2", ".xz")
"""Names of what is packed otherwise."""

_DRIVE = re.compile(r"[A-Za-z]:")
_AGAIN = "Pack the folder of the runs anew, from the folder that it lies in."


def parts_of(name: str, archive: str) -> Parts:
    """Where an entry goes; ``()`` for the folder itself.

    Programs on Windows write backslashes between folders; they are taken as what they mean, so that they lead
    nowhere else on another system.

    Args:
        name: Of the entry, as the archive has it.
        archive: Its name, for the message.

    Raises:
        UploadRefused: If it leads out of the folder, or is longer or deeper than may be.
    """
    if "\0" in name:
        raise _refused(archive, name, "a name without NUL characters")
    if name.startswith(("/", "\\")) or _DRIVE.match(name):
        raise _refused(archive, name, "names that start inside the archive")
    parts = tuple(part for part in re.split(r"[/\\]", name) if part not in ("", "."))
    if ".." in parts:
        raise _refused(archive, name, "names that stay inside the archive")
    if len(parts) > MOST_DEPTH + 1:
        raise _refused(archive, name, f"at most {MOST_DEPTH} folders inside each other")
    longest = max(map(_size, parts), default=0)
    if longest > LONGEST_NAME or sum(map(_size, parts)) + len(parts) > LONGEST_PATH:
        raise _refused(archive, name, f"names of at most {LONGEST_NAME} bytes and paths of at most {LONGEST_PATH}")
    return parts


def plain_name(name: str) -> str:
    r"""The name of a file that was dropped by itself: its last part, without what no file can be called.

    Example:
        >>> plain_name("C:\\logs\\run 1.csv"), plain_name("../.."), plain_name("a" * 300 + ".csv")[-8:]
        ('run 1.csv', 'file', 'aaaa.csv')
    """
    last = re.split(r"[/\\]", name.replace("\0", ""))[-1].strip()
    if last in ("", ".", ".."):
        return "file"
    stem, dot, end = last.rpartition(".")
    stem = cut_name(stem, LONGEST_NAME - _size(end) - 1)
    # A name that is all end is cut like any other.
    return f"{stem}{dot}{end}" if stem else end[: LONGEST_NAME // 4]


def cut_name(name: str, most: int = LONGEST_NAME) -> str:
    """At most so many bytes of a name."""
    name = name[:most]
    while name and _size(name) > most:
        name = name[:-1]
    return name


def folded(part: str) -> str:
    """What two names have in common that are one file where letters are not told apart by case or composition."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", part).casefold())


def archive_end(name: str) -> str:
    """The end of a name that says that it is an archive which is opened; "" for none."""
    return next((end for end in sorted(ARCHIVE_ENDS, key=len, reverse=True) if name.lower().endswith(end)), "")


def is_packed(name: str) -> bool:
    """Whether a name says that something is packed in it."""
    return name.lower().endswith((*ARCHIVE_ENDS, *OTHER_ARCHIVE_ENDS))


def is_of_system(parts: Parts) -> bool:
    """Whether an operating system put a file there that says nothing of runs."""
    return "__MACOSX" in parts or parts[-1] in (".DS_Store", "Thumbs.db", "desktop.ini") or parts[-1].startswith("._")


def _size(part: str) -> int:
    return len(part.encode("utf-8", "surrogateescape"))


def _refused(archive: str, name: str, expected: str) -> UploadRefused:
    return UploadRefused(f'Expected {expected} in {said(archive)}, found "{said(name)}".', hint=_AGAIN)
