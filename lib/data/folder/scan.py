"""Looking through a folder for the files of training runs, without opening any of them.

Hidden folders and those of installed packages are skipped. Links to folders are followed, after all
that lies in the tree itself, and no folder is looked into twice: a link never renames a run that the
tree has already, and a circle of links ends.
"""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

from lib.core.facts.errors import AccessDenied, SourceUnavailable
from lib.core.facts.query import Unreadable
from lib.data.folder.names import kind_of, path_text, readable
from lib.data.formats.logged import FilePath, Folder, Format
from lib.data.stated.settings import HYDRA_CONFIG
from lib.data.trainer.checkpoint_names import is_weight_file, may_be_checkpoint
from lib.data.trainer.hf_log import TRAINER_STATE
from lib.data.trainer.training_files import is_side_file

MAX_FOLDERS = 100_000
"""Where a search ends that a link has led astray, into a whole file system for instance."""
SKIPPED_FOLDERS = frozenset({"node_modules", "site-packages", "venv", "__pycache__"})

AIM, HYDRA = ".aim", ".hydra"
"""Hidden folders that say something of runs all the same."""

EMPTY_S = 600.0
"""An empty folder in the place of the root is for so many seconds taken for one that a disk was mounted on."""
GONE = "The folder is not there at the moment; this is what it held."
CLOSED = "The folder cannot be opened at the moment; this is what it held."
NO_ANSWER = "Reading it takes long, or the disk does not answer; it is listed as soon as it was read."

Stamp = tuple[int, int, int] | None
"""When a file was written (ns), its size, and when it was put here or renamed (ns): as long as they stay, a file is
not read again. A copy may keep the time of writing (``rsync -a``, ``cp -p``), but not the last. ``None``: unknown."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What lies below a folder.

    Attributes:
        files: The states of a ``Trainer`` and the files beside logs that describe a run, by folder and name.
        checkpoints: The names of the checkpoints' folders, whatever they hold, by the folder that they lie in.
        weights: The names of the files of weights in checkpoints' folders, and in folders inside these, by folder.
        unreadable: The folders that could not be looked into.
        matching: The files that may be of each format, by its title.
        stamps: Of these files.
        others: How many files lie there that nobody reads, by the end of their names.
        looked_at: How many folders were looked into.
        closed: The folders that are there and could not be opened.

    Scans are equal where all of that is.
    """

    files: Mapping[Folder, Mapping[str, Stamp]]
    checkpoints: Mapping[Folder, Sequence[str]]
    weights: Mapping[Folder, Sequence[str]]
    unreadable: tuple[Unreadable, ...]
    matching: Mapping[str, Sequence[FilePath]] = field(default_factory=dict)
    stamps: Mapping[FilePath, Stamp] = field(default_factory=dict)
    others: Mapping[str, int] = field(default_factory=dict)
    looked_at: int = 0
    closed: frozenset[Folder] = frozenset()
    _below: dict[Folder, list[Folder]] = field(default_factory=dict, compare=False)

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all lies there."""
        return self.looked_at < 2 and not (self.files or self.matching or self.others or self.unreadable)

    def is_closed(self, folder: Folder) -> bool:
        """Whether a folder, or one that it lies in, could not be opened."""
        return any(folder[:depth] in self.closed for depth in range(len(folder) + 1))

    def weights_below(self, folder: Folder) -> Sequence[Folder]:
        """The folders with weights that are this one or lie in it."""
        if not self._below and self.weights:
            for place in self.weights:
                for depth in range(len(place) + 1):
                    self._below.setdefault(place[:depth], []).append(place)
        return self._below.get(folder, ())


def scan_tree(
    root: Path,
    formats: Sequence[Format] = (),
    told: Callable[[Folder], None] = lambda _: None,
    skipped: Collection[Folder] = (),
) -> Scan:
    """Find every file below ``root`` that may be a log of a training, and the files beside it that describe its run.

    Args:
        root: Where to look.
        formats: Whose files are looked for beside the states of a ``Trainer``.
        told: Is told each folder before it is looked into; what it raises ends the search.
        skipped: Folders that are not looked into.

    Raises:
        SourceUnavailable: If ``root`` does not exist or is not a folder.
        AccessDenied: If it may not be looked into.
    """
    check_root(root)
    search = _Search(str(root), formats)
    pending: deque[Folder] = deque([()])
    links: deque[Folder] = deque()
    seen: set[tuple[int, int]] = set()
    while pending or links:
        folder = pending.popleft() if pending else links.popleft()
        if folder in skipped:
            search.unreadable.append(Unreadable(path_text(folder), NO_ANSWER))
            continue
        told(folder)
        path = search.path_of(folder)
        try:
            own = os.stat(path)
            if (own.st_dev, own.st_ino) in seen:
                continue
            seen.add((own.st_dev, own.st_ino))
            with os.scandir(path) as listing:
                entries = sorted(listing, key=attrgetter("name"))
        except FileNotFoundError:
            continue  # Deleted since its parent was listed.
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            search.closed.append(folder)
            search.unreadable.append(Unreadable(path_text(folder), f"The folder could not be opened: {reason}."))
            continue
        if len(seen) > MAX_FOLDERS:
            reason = f"The search ended here, after {MAX_FOLDERS:,} folders. Name a folder further down."
            search.unreadable.append(Unreadable(path_text(folder), reason))
            break
        search.take(folder, entries, pending, links)
    found = tuple(search.unreadable)
    return Scan(
        search.files,
        search.checkpoints,
        search.weights,
        found,
        search.matching,
        search.stamps,
        search.others,
        len(seen),
        frozenset(search.closed),
    )


class _Search:
    """What a search has found so far."""

    def __init__(self, root: str, formats: Sequence[Format]) -> None:
        self._root, self._formats = root, formats
        self.files: dict[Folder, dict[str, Stamp]] = {}
        self.checkpoints: dict[Folder, list[str]] = {}
        self.weights: dict[Folder, list[str]] = {}
        self.unreadable: list[Unreadable] = []
        self.closed: list[Folder] = []
        self.matching: dict[str, list[FilePath]] = {}
        self.stamps: dict[FilePath, Stamp] = {}
        self.others: Counter[str] = Counter()

    def path_of(self, folder: Folder) -> str:
        return os.path.join(self._root, *folder)

    def take(
        self, folder: Folder, entries: Sequence[os.DirEntry[str]], pending: deque[Folder], links: deque[Folder]
    ) -> None:
        """Take what lies in a folder; folders in it are put to those that are to be looked into."""
        for entry in entries:
            is_taken = entry.name == TRAINER_STATE or is_side_file(entry.name)
            if is_taken:
                self.files.setdefault(folder, {})[entry.name] = _stamp(entry)
            elif _is_folder(entry):
                if entry.name == HYDRA:
                    self._take_hydra(folder)
                elif entry.name == AIM:
                    self.others[AIM] += 1
                if not is_skipped(entry.name):
                    (links if entry.is_symlink() else pending).append((*folder, entry.name))
                    if may_be_checkpoint(entry.name):
                        self.checkpoints.setdefault(folder, []).append(entry.name)
                continue
            elif is_weight_file(entry.name) and any(map(may_be_checkpoint, folder)):
                self.weights.setdefault(folder, []).append(entry.name)
                continue
            if entry.name != TRAINER_STATE and not self._offered(folder, entry) and not is_taken:
                self.others[kind_of(entry.name)] += 1

    def _take_hydra(self, folder: Folder) -> None:
        """The configuration that Hydra leaves beside what its job writes, in a hidden folder."""
        try:
            found = os.stat(os.path.join(self.path_of(folder), HYDRA_CONFIG))
        except OSError:
            return
        self.files.setdefault(folder, {})[HYDRA_CONFIG] = found.st_mtime_ns, found.st_size, found.st_ctime_ns

    def _offered(self, folder: Folder, entry: os.DirEntry[str]) -> bool:
        """Whether a format may read a file; its kind is asked only then."""
        path = (*folder, entry.name)
        wanted = [each.title for each in self._formats if each.matches(path)]
        if not wanted or not _is_file(entry):
            return False
        self.stamps[path] = _stamp(entry)
        for title in wanted:
            self.matching.setdefault(title, []).append(path)
        return True


def check_root(root: Path) -> None:
    """See whether a folder is there and may be looked into.

    Raises:
        SourceUnavailable, AccessDenied: As ``scan_tree``.
    """
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
            # It is the app that is refused, not somebody who reads: what was read is theirs as before.
            withdraws=False,
        ) from error
    except OSError as error:
        raise SourceUnavailable(f"The folder {shown} could not be opened: {error.strerror}.", hint=hint) from error


class Mount:
    """Tells a disk that is not mounted from a folder whose runs were deleted: another folder lies there then.

    Args:
        root: Where it is mounted, or is itself.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._mark: tuple[int, int] | None = None
        self._empty_since: float | None = None

    def check(self, scan: Scan, *, had_runs: bool) -> None:
        """See whether what lies there now is what lay there.

        Args:
            scan: What lies there now.
            had_runs: Runs lay there.

        Raises:
            SourceUnavailable, AccessDenied: If it is another folder, and empty; or is not there any more.
        """
        try:
            own, now = os.stat(self._root), time.monotonic()
        except OSError:
            check_root(self._root)
            return  # It is there again: the next look sees what lies there.
        mark = own.st_dev, own.st_ino
        if scan.is_empty and had_runs and self._mark not in (None, mark):
            self._empty_since = now if self._empty_since is None else self._empty_since
            if now - self._empty_since < EMPTY_S:
                raise SourceUnavailable(
                    f"Expected the runs of {readable(str(self._root))}; another folder is there now, and it is empty.",
                    hint="Is the disk mounted? If its runs were deleted: they leave the list in some minutes.",
                )
        self._mark, self._empty_since = mark, None


def is_gone(path: str) -> bool:
    """Whether a folder is not there, or holds nothing: a disk that is not mounted leaves an empty one."""
    try:
        with os.scandir(path) as entries:
            return next(entries, None) is None
    except OSError:
        return not os.path.isdir(path)


def is_skipped(name: str) -> bool:
    """Whether a folder of this name is hidden or of installed packages."""
    return name.startswith(".") or name in SKIPPED_FOLDERS


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # A link that leads to itself.


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _stamp(entry: os.DirEntry[str]) -> Stamp:
    try:
        found = entry.stat()
    except OSError:
        return None  # A broken link; reading it says so.
    return found.st_mtime_ns, found.st_size, found.st_ctime_ns
