"""Looking through a folder for the files of training runs, without opening any of them.

Hidden folders and those of installed packages are skipped. Links to folders are followed, after all
that lies in the tree itself, and no folder is looked into twice: a link never renames a run that the
tree has already, and a circle of links ends.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lib.core.facts.errors import AccessDenied, SourceUnavailable
from lib.core.facts.foreign import isolated
from lib.core.facts.query import Unreadable
from lib.data.folder.checkpoint_names import is_weight_file, may_be_checkpoint
from lib.data.folder.formats import LOG_READERS
from lib.data.folder.names import readable
from lib.data.folder.training_files import is_side_file

MAX_FOLDERS = 100_000
"""Where a search ends that a link has led astray, into a whole file system for instance."""
SKIPPED_FOLDERS = frozenset({"node_modules", "site-packages", "venv", "__pycache__"})

Folder = tuple[str, ...]
"""A folder by the names on the way from the root to it; the root itself is ``()``."""
Stamp = tuple[int, int, int] | None
"""When a file was written (ns), its size, and when it was put here or renamed (ns): as long as they stay, a file is
not read again. A copy may keep the time of writing (``rsync -a``, ``cp -p``), but not the last. ``None``: unknown."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What lies below a folder.

    Attributes:
        files: The files of interest, by folder and name.
        checkpoints: The names of the checkpoints' folders, whatever they hold, by the folder that they lie in.
        weights: The names of the files of weights in checkpoints' folders, and in folders inside these, by folder.
        unreadable: The folders that could not be looked into.
    """

    files: Mapping[Folder, Mapping[str, Stamp]]
    checkpoints: Mapping[Folder, Sequence[str]]
    weights: Mapping[Folder, Sequence[str]]
    unreadable: tuple[Unreadable, ...]


def scan_tree(root: Path) -> Scan:
    """Find every log of a training below ``root``, and the files beside it that describe its run.

    Raises:
        SourceUnavailable: If ``root`` does not exist or is not a folder.
        AccessDenied: If it may not be looked into.
    """
    _check_root(root)
    files: dict[Folder, dict[str, Stamp]] = {}
    checkpoints: dict[Folder, list[str]] = {}
    weights: dict[Folder, list[str]] = {}
    unreadable: list[Unreadable] = []
    pending: deque[Folder] = deque([()])
    links: deque[Folder] = deque()
    seen: set[tuple[int, int]] = set()
    while pending or links:
        folder = pending.popleft() if pending else links.popleft()
        try:
            own = os.stat(root.joinpath(*folder))
            if (own.st_dev, own.st_ino) in seen:
                continue
            seen.add((own.st_dev, own.st_ino))
            with os.scandir(root.joinpath(*folder)) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except FileNotFoundError:
            continue  # Deleted since its parent was listed.
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            unreadable.append(Unreadable(path_text(folder), f"The folder could not be opened: {reason}."))
            continue
        if len(seen) > MAX_FOLDERS:
            reason = f"The search ended here, after {MAX_FOLDERS:,} folders. Name a folder further down."
            unreadable.append(Unreadable(path_text(folder), reason))
            break
        is_inside = any(map(may_be_checkpoint, folder))
        for entry in entries:
            if entry.name in LOG_READERS or is_side_file(entry.name):
                files.setdefault(folder, {})[entry.name] = _stamp(entry)
            elif _is_wanted_folder(entry):
                (links if entry.is_symlink() else pending).append((*folder, entry.name))
                if may_be_checkpoint(entry.name):
                    checkpoints.setdefault(folder, []).append(entry.name)
            elif is_inside and is_weight_file(entry.name):
                weights.setdefault(folder, []).append(entry.name)
    return Scan(files, checkpoints, weights, tuple(unreadable))


def path_text(folder: Folder, name: str = "") -> str:
    """A path below the root for people to read."""
    return isolated(readable("/".join((*folder, name) if name else folder))) or "."


def _check_root(root: Path) -> None:
    shown = readable(str(root))
    hint = "Set RUNS to a folder that exists, for example: make run RUNS=path/to/outputs"
    try:
        if not root.is_dir():
            found = "a file" if root.exists() else "nothing"
            raise SourceUnavailable(f"Expected a folder of training outputs at {shown}, found {found}.", hint=hint)
        with os.scandir(root):
            pass
    except PermissionError as error:
        raise AccessDenied(
            f"The folder {shown} may not be read: permission denied.",
            hint="Give the account that runs the app read access to the folder, or set RUNS to another one.",
        ) from error
    except OSError as error:
        raise SourceUnavailable(f"The folder {shown} could not be opened: {error.strerror}.", hint=hint) from error


def _is_wanted_folder(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith(".") or entry.name in SKIPPED_FOLDERS:
        return False
    try:
        return entry.is_dir()
    except OSError:
        return False  # A link that leads to itself.


def _stamp(entry: os.DirEntry[str]) -> Stamp:
    try:
        found = entry.stat()
    except OSError:
        return None  # A broken link; reading it says so.
    return found.st_mtime_ns, found.st_size, found.st_ctime_ns
