"""The runs in uploaded files, as a source whose ids are those of no other source and no other session."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.query import RunIndex, RunPage, RunQuery
from lib.core.facts.runs import RunSummary
from lib.core.facts.selection import UPLOADED
from lib.data.folder.scan import NO_ANSWER
from lib.data.folder.source import FolderSource
from lib.data.formats.forms.places import says_nothing
from lib.data.source import IncompleteRead

ID_BYTES = 8
_NUMBERED = re.compile(r"upload \d+")
EVERYTHING = RunQuery(limit=10**9)


class UploadSource:
    """A ``RunSource`` over what one session uploaded, which does not change any more.

    The ids say nothing of files or names, as they stand in links: others cannot open them.

    Args:
        root: The folder that it lies in.
        token: The session's, at random; it is part of the key that what was read is kept under, and of no id.
        turn: Tells this from what the session had uploaded before.
    """

    title = "Uploaded runs"
    synthetic = False

    def __init__(self, root: Path, token: str, turn: int = 0) -> None:
        self.cache_key = f"upload:{token}"
        self.turn = turn
        self._token = token
        # What somebody uploaded is not remembered on the disk.
        self._folder = FolderSource(root, is_own=True)
        self._lock = threading.Lock()
        self._read: tuple[RunPage, RunIndex, Mapping[str, RunSummary], Mapping[str, str]] | None = None

    def now(self) -> datetime:
        """The moment it is."""
        return self._folder.now()

    def list_runs(self, query: RunQuery) -> RunPage:
        """As ``RunSource.list_runs``; waits until all files were read."""
        page, index, runs, _ = self._all()
        ordered = tuple(runs.values())
        answer = index.page(query, lambda places: [ordered[place] for place in places], page.unreadable)
        return replace(answer, unused=page.unused, looked_for=page.looked_for)

    def load_runs(self, run_ids: Sequence[str]) -> tuple[RunSummary, ...]:
        """As ``RunSource.load_runs``."""
        runs = self._all()[2]
        return tuple(runs[run_id] for run_id in run_ids if run_id in runs)

    def load_curves(
        self,
        run_ids: Sequence[str],
        metrics: Sequence[str] | None = None,
        steps: tuple[int, int] | None = None,
        buckets: int | None = None,
    ) -> dict[str, RunCurves]:
        """As ``RunSource.load_curves``; every point is there, whatever ``buckets`` says."""
        own = self._all()[3]
        asked = {own[run_id]: run_id for run_id in run_ids if run_id in own}
        if not asked:
            return {}
        try:
            found = self._folder.load_curves(list(asked), metrics, steps, buckets)
        except IncompleteRead as error:
            raise IncompleteRead(
                str(error),
                curves=_under(error.curves, asked),
                run_ids=[asked[run_id] for run_id in error.run_ids],
                rows_read=error.rows_read,
                rows_expected=error.rows_expected,
                hint="Upload it again.",
            ) from error
        return _under(found, asked)

    def _all(self) -> tuple[RunPage, RunIndex, Mapping[str, RunSummary], Mapping[str, str]]:
        """All runs by id, what answers questions of them, and the folder's ids by theirs."""
        with self._lock:
            if self._read is not None:
                return self._read
            self._folder.settle()
            page = self._folder.list_runs(EVERYTHING)
            ids = {run.run_id: self._id(run.run_id) for run in page.runs}
            runs = {ids[run.run_id]: _renamed(run, ids) for run in page.runs}
            runs = _named_by_files(runs)
            read = page, RunIndex(runs.values()), runs, {ids[own]: own for own in ids}
            if all(each.reason != NO_ANSWER for each in page.unreadable):
                self._read = read
            return read

    def _id(self, run_id: str) -> str:
        seen = hashlib.blake2b(run_id.encode(), digest_size=ID_BYTES, key=bytes.fromhex(self._token))
        return f"{UPLOADED}{seen.hexdigest()}"


def _renamed(run: RunSummary, ids: Mapping[str, str]) -> RunSummary:
    same = run.same_training_as
    return replace(run, run_id=ids[run.run_id], same_training_as=None if same is None else ids.get(same))


def _named_by_files(runs: Mapping[str, RunSummary]) -> dict[str, RunSummary]:
    """The runs that are called by a number of ours, called by the file that they were read from.

    A file whose name says nothing is told by the day on which its training began, where the log says that.
    """
    told = {}
    for run_id, run in runs.items():
        if _NUMBERED.fullmatch(run.name) and run.files:
            stem = os.path.splitext(run.files[0].rpartition("/")[2])[0]
            day = f" {run.started_at:%Y-%m-%d}" if run.started_at is not None and says_nothing(stem) else ""
            told[run_id] = f"{stem}{day}"
    often = Counter([*told.values(), *(run.name for run_id, run in runs.items() if run_id not in told)])
    named = {run_id: name if often[name] == 1 else f"{name} ({runs[run_id].name})" for run_id, name in told.items()}
    return {run_id: replace(run, name=named.get(run_id, run.name)) for run_id, run in runs.items()}


def _under(curves: Mapping[str, RunCurves], ids: Mapping[str, str]) -> dict[str, RunCurves]:
    return {ids[run_id]: replace(read, run_id=ids[run_id]) for run_id, read in curves.items()}
