"""What this session uploaded: taken when it comes, listed with the runs of the source, gone with the session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lib.core.facts.errors import AppError
from lib.core.facts.query import RunQuery, RunSort
from lib.core.facts.runs import RunSummary
from lib.core.facts.selection import MAX_SELECTED, UPLOADED, is_uploaded
from lib.core.text.phrases import counted
from lib.data.folder.scan import NO_ANSWER
from lib.data.joined import joined_with
from lib.data.source import RunSource
from lib.data.upload.upload import Dropped, Item, Upload
from lib.ui.session import link, reads, url
from lib.ui.uploads import upload_ends

_UPLOAD, _TURN, _CAME = "upload", "upload:turn", "upload:came"
_ALL = RunQuery(sort=RunSort.MODEL, limit=10**9)
MOST_REASONS = 3
"""Of files that held no run, so many are named with the reason; the list has all."""


@dataclass(frozen=True, slots=True)
class Came:
    """What became of the files that came last.

    Attributes:
        run_ids: The runs that were found in them, by name.
        same: Runs in them that are one training with another one, and the name of that.
        refused: What was not taken.
        nothing: What came and was not used, and why; a path may be ".".
    """

    run_ids: tuple[str, ...] = ()
    same: tuple[tuple[str, str], ...] = ()
    refused: tuple[AppError, ...] = ()
    nothing: tuple[tuple[str, str], ...] = ()


def key() -> str:
    """The key of the widget that takes files: another one for each turn, as it is empty when they were taken."""
    return f"upload:files:{st.session_state.get(_TURN, 0)}"


def items() -> tuple[Item, ...]:
    """What was uploaded."""
    upload = _current()
    return () if upload is None else upload.items


def came() -> Came | None:
    """What became of the files that came last; ``None`` where none came."""
    found: Came | None = st.session_state.get(_CAME)
    return found


def take(box: DeltaGenerator) -> None:
    """Take the files that came with this run of the page, and select the runs in them where there is room.

    Args:
        box: Nothing is drawn behind its last element: there it is said that files are read.
    """
    files: Sequence[Any] = st.session_state.get(key()) or ()
    if not files:
        return
    place = box.empty()
    place.html(f'<p class="upload-reading" role="status">Reading {counted(len(files), "file")}…</p>')
    _take(files)
    place.empty()


def _take(files: Sequence[Any]) -> None:
    # Nothing is drawn here, so that no other run of the page can come between.
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
    try:
        upload = _opened()
        before = tuple(run.run_id for run in _runs(upload))
        told, items_before = set(_reasons(upload)), {item.number for item in upload.items}
        refused = upload.take([Dropped(file.name, file, file.size) for file in files])
        found, same, replaced = _each_once({run.run_id: run for run in _runs(upload)}, before)
        nothing = tuple(each for each in _reasons(upload) if each not in told)[:MOST_REASONS]
        _leave_useless(upload, items_before)
    except AppError as error:
        clear()
        st.session_state[_CAME] = Came(refused=(error,))
        return
    finally:
        _free(files)
    st.session_state[_CAME] = Came(tuple(found), same, refused, nothing)
    held = set(before) - replaced
    chosen = tuple(run_id for run_id in url.value(link.RUNS) if not is_uploaded(run_id) or run_id in held)
    if found and len(chosen) + len(found) <= MAX_SELECTED:
        url.put(link.RUNS, (*chosen, *found))


def _each_once(
    runs: Mapping[str, RunSummary], before: Sequence[str]
) -> tuple[list[str], tuple[tuple[str, str], ...], set[str]]:
    """The runs that came, each training once: nobody compares a log with itself.

    Args:
        runs: All that are uploaded by now.
        before: Those that were.

    Returns:
        The runs to select; those that are not, each with what it is the same as, by name; and those of before of which
        more came.
    """
    shown = {run.same_training_as or run_id: run for run_id, run in runs.items() if run_id in before}
    found: list[str] = []
    same: list[tuple[str, str]] = []
    replaced: set[str] = set()
    ordered = sorted((run for run_id, run in runs.items() if run_id not in before), key=lambda run: -_length(run))
    for run in ordered:
        training = run.same_training_as or run.run_id
        other = shown.get(training)
        if other is None or _length(run) > _length(other):
            replaced |= {other.run_id} if other is not None else set()
            found.append(run.run_id)
            shown[training] = run
        else:
            same.append((run.name, other.name))
    places = list(runs)
    return sorted(found, key=places.index), tuple(same), replaced


def _length(run: RunSummary) -> int:
    return run.current_step or 0


def joined(base: RunSource) -> RunSource:
    """The source with what was uploaded, or the source itself where nothing was."""
    upload = _current()
    return joined_with(base, upload.source) if upload is not None and upload.items else base


def remove(number: int) -> None:
    """Remove one item; its runs are not selected any more."""
    upload = _current()
    if upload is None:
        return
    upload.remove(number)
    st.session_state.pop(_CAME, None)
    try:
        left: set[str] = {run.run_id for run in _runs(upload)}
    except AppError as error:
        # Somebody has cleared the disk.
        clear()
        st.session_state[_CAME] = Came(refused=(error,))
        return
    reads.forget_upload(upload.source.cache_key, left)
    _keep_selected(left)


def clear() -> None:
    """Remove all that this session uploaded."""
    upload: Upload | None = st.session_state.pop(_UPLOAD, None)
    st.session_state.pop(_CAME, None)
    if upload is not None:
        upload.close()
        reads.forget_upload(upload.source.cache_key)
        _keep_selected(set())


def compare(run_ids: Sequence[str]) -> None:
    """Select these runs and no others."""
    url.put(link.RUNS, tuple(run_ids[:MAX_SELECTED]))


def list_them() -> None:
    """List uploaded runs only: no other has such an id."""
    url.put(link.SEARCH, UPLOADED)


def _keep_selected(left: set[str]) -> None:
    chosen = url.value(link.RUNS)
    kept = tuple(run_id for run_id in chosen if not is_uploaded(run_id) or run_id in left)
    if kept != chosen:
        url.put(link.RUNS, kept)


def _current() -> Upload | None:
    upload: Upload | None = st.session_state.get(_UPLOAD)
    return None if upload is None or upload.is_closed else upload


def _opened() -> Upload:
    """The session's upload; a new one where there is none, or where it went while the browser was away."""
    upload = _current()
    if upload is None:
        upload = st.session_state[_UPLOAD] = Upload()
    context = get_script_run_ctx()
    if context is not None:
        upload_ends.watch(context.session_id, upload)
    return upload


def _runs(upload: Upload) -> Sequence[Any]:
    return upload.source.list_runs(_ALL).runs if upload.items else ()


def _leave_useless(upload: Upload, held: set[int]) -> None:
    """Remove what came without a run: there is nothing to do with it but to send it anew.

    Args:
        upload: Where it came to.
        held: What was there before.
    """
    page = upload.source.list_runs(_ALL) if upload.items else None
    if page is None or any(each.reason == NO_ANSWER for each in page.unreadable):
        return
    used = {path for run in page.runs for path in run.files}
    for item in upload.items:
        if item.number not in held and used.isdisjoint(upload.paths_of(item)):
            upload.remove(item.number)


def _reasons(upload: Upload) -> tuple[tuple[str, str], ...]:
    if not upload.items:
        return ()
    page = upload.source.list_runs(_ALL)
    lies = [*((each.path, each.reason) for each in page.unreadable), *((each.path, each.why) for each in page.unused)]
    return tuple(lies)


def _free(files: Sequence[Any]) -> None:
    """Let Streamlit forget the files, which it holds in memory as long as the session lives."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        for file in files:
            context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
