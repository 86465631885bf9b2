"""From what readers give to the app's runs: one module for whoever reads a folder.

``form_of`` makes a run of what one program logged, ``same_runs`` says which of these are one run in several forms, and
``merged`` makes one of them. ``renamed`` reads a run again under other names than were guessed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.foreign import isolated
from lib.core.facts.runs import RunStatus, RunSummary, normalise_status
from lib.core.facts.values import finite, moment, text, whole
from lib.data.formats.forms.curves import Gathered, closing_of, gathered, read_as_note
from lib.data.formats.forms.facts import (
    RATE_NOTE,
    End,
    last_epoch,
    losses_of,
    peak_rate_of,
    plan_of,
    progress_of,
    settings_of,
    tokens_of,
)
from lib.data.formats.forms.form import Form
from lib.data.formats.forms.merging import merged
from lib.data.formats.forms.parents import outer_forms, with_settings_of
from lib.data.formats.forms.renaming import renamed
from lib.data.formats.forms.same import Known, same_runs
from lib.data.formats.forms.unused import why_unused
from lib.data.formats.logged import Folder, LoggedRun
from lib.data.formats.metric_names import read_names
from lib.data.stated.name_hints import NameHints, unseeded
from lib.data.stated.settings import config_of, manifest_of, results_of, training_returned

__all__ = [
    "Form",
    "Known",
    "form_of",
    "merged",
    "outer_forms",
    "renamed",
    "same_runs",
    "why_unused",
    "with_settings_of",
]

_OVER = (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED)
_ONE_STEP = np.zeros(1, dtype=np.int64)
MOST_FACTS = 200
"""So many closing values, and so many tags, are kept of a run."""
MOST_CHARACTERS = 500
"""A tag is cut here: notes that people write can be whole documents."""


def form_of(
    folder: Folder, format: str, logged: LoggedRun, side_files: Mapping[str, Mapping[str, Any]], changed_at: float
) -> Form:
    """Make a run of what one program logged.

    Args:
        folder: That of the unit it was read in.
        format: The title of the format.
        logged: What the reader gave.
        side_files: Objects of the JSON files beside it, by file name. What the log itself states goes before them.
        changed_at: When the newest of its files changed, in Unix seconds; NaN where that is not known.
    """
    run_id = "/".join((*folder, logged.key)).strip("/") or "run"
    made = gathered(run_id, logged)
    curves = made.curves
    config, clashes = _config(logged.config, config_of(side_files))
    manifest, results = manifest_of(side_files), results_of(side_files)
    closing = {**made.closing, **closing_of(logged.last)}
    last = {**results, **logged.last, **closing}
    total, epochs = plan_of(config, logged.total_steps, logged.total_epochs)
    folders = [*folder, logged.name] if logged.name else [*folder]
    hints = NameHints(folders, config, lambda: curves.get("learning_rate"), total)
    settings = settings_of(config, hints)
    notes = [*logged.notes, *made.notes, *read_as_note(made.read_as), *clashes, *hints.notes]
    if settings["max_learning_rate"] is None and (peak := peak_rate_of(curves)) is not None:
        settings["max_learning_rate"] = peak
        notes.append(RATE_NOTE)
    end = _end(logged, manifest, {**results, **closing}, curves)
    progress = progress_of(curves, (total, epochs), end, in_epochs=made.in_epochs)
    run = RunSummary(
        run_id=run_id,
        name=logged.name or logged.key or (folder[-1] if folder else run_id),
        config=config,
        named=hints.values or None,
        unseeded=unseeded(folders),
        extra=_extra(logged, last),
        notes=tuple(dict.fromkeys(notes)),
        read_as=made.read_as,
        formats=(format,),
        files=tuple("/".join(path) for path in logged.files),
        total_tokens_processed=tokens_of(curves, last),
        samples_per_second=last.get("train_samples_per_second"),
        tokens_per_second=last.get("train_tokens_per_second"),
        train_samples=whole(last.get("train_samples")),
        val_samples=whole(last.get("eval_samples")),
        **_times(logged, made, manifest, last, changed_at, is_over=progress["status"] in _OVER),
        **progress,
        **losses_of(curves, _ours(last)),
        **settings,
    )
    return Form(folder, format, logged.files, logged.key, logged.identity, logged.name, logged.parent, run, curves)


def _end(logged: LoggedRun, manifest: Mapping[str, Any], results: Mapping[str, float], curves: RunCurves) -> End:
    """What the log says of its end; else what the files beside it do."""
    error = logged.error or text(manifest.get("error_message") or manifest.get("error"))
    if logged.status is not RunStatus.UNKNOWN:
        return End(logged.status, logged.said, error)
    if (said := text(manifest.get("status"))) is not None:
        return End(normalise_status(said), said, error)
    if training_returned(results, last_epoch(curves)):
        return End(RunStatus.COMPLETED, None, error)
    return End(said=logged.said, error=error)


def _config(own: Mapping[str, Any], beside: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, Any], list[str]]:
    """What the log and the files beside it state, by section, the log's own first; and where they differ."""
    config: dict[str, Any] = dict(own)
    clashes = []
    for section, stated in beside.items():
        known = config.get(section)
        if not isinstance(known, Mapping):
            config.setdefault(section, dict(stated))
            continue
        config[section] = {**stated, **known}
        clashes += [
            f"{isolated(f'{section}.{key}')} is another in a file beside the log; that of the log counts."
            for key, value in stated.items()
            if key in known and known[key] != value and str(known[key]) != str(value)
        ][:3]
    return config, clashes


def _ours(last: Mapping[str, float]) -> dict[str, float]:
    """Closing values by our names. A mean over the whole training is not the last train loss."""
    names = read_names({name: _ONE_STEP for name in last if name != "train_loss" or not _is_mean(last)})
    return {each.metric: last[name] for name, each in names.items()}


def _is_mean(last: Mapping[str, float]) -> bool:
    """Whether the train loss among closing values is a Trainer's, which is the mean over the whole training."""
    return "train_runtime" in last


def _extra(logged: LoggedRun, last: Mapping[str, float]) -> dict[str, Any]:
    facts: dict[str, Any] = {f"result.{name}": value for name, value in list(last.items())[:MOST_FACTS]}
    facts |= {f"tag.{name}": value[:MOST_CHARACTERS] for name, value in list(logged.tags.items())[:MOST_FACTS]}
    facts |= {
        "mean_train_loss": last.get("train_loss") if _is_mean(last) else None,
        "best_metric": last.get("best_metric"),
    }
    facts |= {"parent": logged.parent or None}
    return {name: value for name, value in facts.items() if value is not None}


def _times(
    logged: LoggedRun,
    made: Gathered,
    manifest: Mapping[str, Any],
    last: Mapping[str, float],
    changed_at: float,
    *,
    is_over: bool,
) -> dict[str, Any]:
    started = logged.started if logged.started is not None else made.began
    ended = logged.ended if logged.ended is not None else made.ended
    began = moment(manifest.get("started_at")) or moment(started)
    runtime = finite(last.get("train_runtime"))
    if runtime is None or runtime < 0:
        runtime = ended - started if started is not None and ended is not None and ended >= started else None
    if runtime is None:
        clocks = {id(curve.elapsed_s): curve.elapsed_s for curve in made.curves.curves.values()}.values()
        spans = [float(clock[clock == clock].max(initial=-math.inf)) for clock in clocks]
        runtime = finite(max(spans, default=None))
    changed = moment(changed_at)
    return {
        "created_at": moment(logged.created_at) or moment(manifest.get("created_at")) or began or changed,
        "started_at": began,
        "completed_at": (moment(manifest.get("completed_at")) or moment(ended)) if is_over else None,
        "updated_at": changed or moment(ended),
        "duration_s": runtime,
    }
