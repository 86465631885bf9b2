"""One run of the several forms that it was logged in: of each metric the richest series, of facts the surest.

Forms of one format that share an identity are parts of one log, as a resumed run leaves them: their points are put
together, and the later part holds. Any others say the same, or complete each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from lib.core.curves.metric_curves import MetricCurve, RunCurves, tidy_curve
from lib.core.facts.foreign import isolated
from lib.core.facts.metrics import METRICS
from lib.core.facts.runs import RunStatus, RunSummary
from lib.data.formats.forms.agreement import Verdict, agreement_of, agreement_of_curves, plain_name, rounding_of
from lib.data.formats.forms.facts import RATE_NOTE, End, losses_of, plan_of, progress_of, reread, settings_of
from lib.data.formats.forms.form import HF_TRAINER, Form
from lib.data.formats.forms.places import is_of_its_folder, place_of
from lib.data.formats.logged import Folder
from lib.data.formats.metric_names import AS_LOGGED

NAMED = 4
"""So many files, metrics or settings are named in a sentence."""
_FINER = 0.5
"""Values are finer where rounding may have changed them by less than this share of what it did to the others."""
LONG_NAME = 24
"""A file with a longer name is called by its format."""
_OWN = frozenset(("run_id", "name", "version", "config", "extra", "notes", "read_as", "formats", "files"))
"""Fields that are put together in a way of their own."""


def merged(forms: Sequence[Form]) -> Form:
    """Make one run of its forms.

    Args:
        forms: Those of one run, the leading form first (``same_runs``); at least one.

    Returns:
        The run, in the folder that all of it lies in where that is the folder of no other run; its notes say what was
        read from where, and what was not needed.
    """
    if len(forms) == 1:
        return forms[0]
    parts = [_whole(part) for part in _parts(forms)]
    lead, *others = parts
    if not others:
        return lead
    curves, used, notes = _curves(lead, others)
    config, clashes = _config(parts)
    run = _facts(parts, curves, config, [note for form in used for note in form.run.notes])
    run = replace(run, notes=tuple(dict.fromkeys((*run.notes, *notes, *clashes))))
    return replace(
        lead,
        folder=_folder(lead, others),
        files=_unique(parts, "files"),
        identity=next((each.identity for each in parts if each.identity), ""),
        name=next((each.name for each in parts if each.name), ""),
        parent=next((each.parent for each in parts if each.parent), ""),
        run=run,
        curves=curves,
    )


def _parts(forms: Sequence[Form]) -> list[list[Form]]:
    """The forms by the log that they are parts of, in the order of the first of each."""
    found: dict[tuple[str, str], list[Form]] = {}
    for at, form in enumerate(forms):
        own = form.identity if form.curves.curves else ""
        found.setdefault((form.format, own or f"/{at}"), []).append(form)
    return list(found.values())


def _whole(parts: Sequence[Form]) -> Form:
    """One log of its parts, the later ones written over the earlier."""
    if len(parts) == 1:
        return parts[0]
    ordered = sorted(parts, key=_began)
    start = _began(ordered[0])[1]
    gathered: defaultdict[str, list[tuple[np.ndarray, ...]]] = defaultdict(list)
    for form in ordered:
        later = _began(form)[1] - start if _is_timed(form) and _is_timed(ordered[0]) else np.nan
        for metric, curve in form.curves.curves.items():
            gathered[metric].append((curve.step, curve.value, curve.epoch, curve.elapsed_s + later))
    made = {
        metric: tidy_curve(*(np.concatenate(column) for column in zip(*columns, strict=True)))
        for metric, columns in sorted(gathered.items())
    }
    first, last = ordered[0], ordered[-1]
    written = sum(len(curve) for form in ordered for curve in form.curves.curves.values())
    again = written - sum(map(len, made.values()))
    curves = replace(last.curves, run_id=parts[0].curves.run_id, curves=MappingProxyType(made), rows=None)
    note = f"The log stands in {len(parts)} parts, as a resumed run leaves it."
    note += f" Of {again:,} values that two of them have the later is shown." if again else ""
    if written - again == max(sum(map(len, form.curves.curves.values())) for form in parts):
        note = f"The log stands in {len(parts)} places, of which one has all."
    config = {**_merged_config(ordered)}
    run = replace(
        last.run,
        run_id=parts[0].run.run_id,
        name=parts[0].run.name,
        config=config,
        created_at=first.run.created_at or last.run.created_at,
        started_at=first.run.started_at or last.run.started_at,
        duration_s=_sum([form.run.duration_s for form in ordered]),
        notes=tuple(dict.fromkeys((*(note for form in ordered for note in form.run.notes), note))),
        files=tuple(dict.fromkeys(path for form in ordered for path in form.run.files)),
        read_as=_read_as(ordered, made),
    )
    run = reread(replace(run, **_progress(run, curves)), curves)
    return replace(parts[0], files=_unique(ordered, "files"), run=run, curves=curves)


def _is_timed(form: Form) -> bool:
    return form.run.started_at is not None


def _began(form: Form) -> tuple[bool, float, Folder]:
    started = form.run.started_at
    return started is not None, 0.0 if started is None else started.timestamp(), form.folder


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _merged_config(forms: Sequence[Form]) -> dict[str, Any]:
    """Sections of all, the later forms over the earlier."""
    config: dict[str, Any] = {}
    for form in forms:
        for section, stated in form.run.config.items():
            known = config.get(section)
            is_both = isinstance(known, Mapping) and isinstance(stated, Mapping)
            config[section] = {**(known or {}), **stated} if is_both else stated
    return config


def _curves(lead: Form, others: Sequence[Form]) -> tuple[RunCurves, list[Form], list[str]]:
    """Of each metric the richest curve; the forms that something was taken from; and a sentence on all of them."""
    first = next((form for form in (lead, *others) if form.curves.curves), None)
    if first is None:
        return lead.curves, [lead, *others], []
    made: dict[str, MetricCurve] = dict(first.curves.curves)
    told, used, same = [f"Read from {_source(first)}"], [first], []
    for form in (each for each in (lead, *others) if each is not first):
        if not form.curves.curves:
            used.append(form)
            told.append(f"{_source(form)} states settings and results")
            continue
        found = agreement_of(first.curves, form.curves)
        points = f" ({found.points:,} points)" if found.verdict is Verdict.SAME else ""
        if taken := _take(made, form, found.shift):
            used.append(form)
            how = "says the same" if points else "is of the same run"
            told.append(f"{_source(form)} {how}{points}, and from it come {_listed(taken)}")
        elif points:
            same.append(f"{_source(form)}{points}")
        else:
            told.append(f"{_source(form)} has nothing else and was not needed")
    if same:
        said = ("says", "was") if len(same) == 1 else ("say", "were")
        told.append(f"{_listed(same)} {said[0]} the same and {said[1]} not needed")
    curves = replace(first.curves, run_id=lead.curves.run_id, curves=MappingProxyType(dict(sorted(made.items()))))
    return curves, used, [f"{'; '.join(told)}."]


def _take(made: dict[str, MetricCurve], form: Form, shift: int) -> list[str]:
    """Take what is richer in a form, or only there; the names of what was taken."""
    plain = {plain_name(metric): metric for metric in made}
    logged = {each.metric: each.name for each in form.run.read_as}
    taken = []
    for metric, curve in form.curves.curves.items():
        key = metric if metric in made else plain.get(plain_name(metric), metric)
        held = made.get(key)
        if held is None:
            made[key] = _moved(curve, shift)
        else:
            found = agreement_of_curves(held, curve, shift)
            if found.verdict is Verdict.SAME:
                made[key] = _united(held, _moved(curve, found.shift))
            elif found.verdict is Verdict.TWO_RUNS:
                # Of one run, and not the same: it measures something else, under its own name.
                key = _own_name(logged.get(metric, metric), made)
                made[key] = _moved(curve, shift)
            elif len(curve) > len(held):
                made[key] = _moved(curve, shift)
        if made[key] is not held:
            taken.append(key)
    return taken


def _own_name(name: str, taken: Mapping[str, MetricCurve]) -> str:
    while name in taken or name in METRICS:
        name += AS_LOGGED
    return name


def _united(one: MetricCurve, other: MetricCurve) -> MetricCurve:
    """Two curves of the same values as one: the finer values, and at the steps that these lack the others."""
    is_finer = rounding_of(other) < _FINER * rounding_of(one)
    fine, coarse = (other, one) if is_finer else (one, other)
    lacking = ~np.isin(coarse.step, fine.step)
    if not lacking.any():
        return fine
    # Each form has a clock of its own, so that times of the two cannot stand in one curve.
    times = coarse.elapsed_s[lacking] if not np.isfinite(fine.elapsed_s).any() else np.full(lacking.sum(), np.nan)
    added = coarse.step[lacking], coarse.value[lacking], coarse.epoch[lacking], times
    return tidy_curve(*(np.concatenate(both) for both in zip(fine.columns, added, strict=True)))


def _moved(curve: MetricCurve, shift: int) -> MetricCurve:
    """The curve by the steps of the leading form."""
    if not shift:
        return curve
    step = curve.step + shift
    kept = curve.where(step >= 0)
    return replace(kept, step=step[step >= 0])


def _config(parts: Sequence[Form]) -> tuple[dict[str, Any], list[str]]:
    """The configuration of all, the leading form's first, and sentences on what another states otherwise."""
    config, notes = _merged_config(list(reversed(parts))), []
    lead = parts[0]
    for form in parts[1:]:
        differing = [
            isolated(f"{section}.{key}")
            for section, stated in form.run.config.items()
            if isinstance(stated, Mapping) and isinstance(config.get(section), Mapping)
            for key, value in stated.items()
            if str(config[section].get(key)) != str(value)
        ]
        if differing:
            notes.append(f"{_source(form)} states {_listed(differing)} otherwise; {_source(lead)} counts.")
    return config, notes


def _facts(parts: Sequence[Form], curves: RunCurves, config: Mapping[str, Any], notes: Sequence[str]) -> RunSummary:
    """The facts of all, each from the first form that has it; what follows from curves anew from those of all."""
    lead, *others = (form.run for form in parts)
    filled: dict[str, Any] = {}
    for each in fields(RunSummary):
        if each.name not in _OWN and getattr(lead, each.name) is None:
            value = next((found for run in others if (found := getattr(run, each.name)) is not None), None)
            filled[each.name] = value
    configured = {name: value for name, value in settings_of(config).items() if value is not None}
    said = RATE_NOTE if "max_learning_rate" in configured else None
    run = replace(
        lead,
        **{**filled, **configured},
        config=config,
        extra={key: value for each in reversed(parts) for key, value in each.run.extra.items()},
        notes=tuple(dict.fromkeys(note for note in notes if note != said)),
        read_as=_read_as(parts, curves.curves),
        formats=tuple(dict.fromkeys(name for form in parts for name in form.run.formats)),
        files=tuple(dict.fromkeys(path for form in parts for path in form.run.files)),
    )
    if parts[0].format == HF_TRAINER:
        # Its state knows how far it came, and which of its values are of the end.
        ending = next((other for other in others if other.status is not RunStatus.UNKNOWN), None)
        if run.status is RunStatus.UNKNOWN and ending is not None:
            run = replace(run, status=ending.status, raw_status=ending.raw_status)
        losses = losses_of(curves, {})
        lost = {key: value for key, value in losses.items() if getattr(run, key) is None and value is not None}
        return replace(run, **lost)
    ends = [each for each in (lead, *others) if each.status is not RunStatus.UNKNOWN]
    run = replace(run, status=ends[0].status, raw_status=ends[0].raw_status) if ends else run
    return reread(replace(run, **_progress(run, curves)), curves)


def _progress(run: RunSummary, curves: RunCurves) -> dict[str, Any]:
    """Progress and status anew, where forms together say more of it than each."""
    said = run.raw_status if run.status is not RunStatus.UNKNOWN else None
    plan = plan_of(run.config, run.total_steps, run.total_epochs)
    steps_are_epochs = run.current_epoch is not None and run.current_step == run.current_epoch
    in_epochs = steps_are_epochs and (run.total_steps is None or run.total_steps == run.total_epochs)
    return progress_of(curves, plan, End(run.status, said, run.error_message), in_epochs=in_epochs)


def _read_as(forms: Sequence[Form], curves: Mapping[str, MetricCurve]) -> tuple[Any, ...]:
    """What the metrics that are shown were called, by the first form that has each."""
    found: dict[str, Any] = {}
    for form in forms:
        for each in form.run.read_as:
            if each.metric in curves and each.metric not in {other.metric for other in found.values()}:
                found.setdefault(each.name, each)
    return tuple(found[name] for name in sorted(found) if name not in METRICS or found[name].metric != name)


def _folder(lead: Form, others: Sequence[Form]) -> Folder:
    """The folder of the run: the outermost that a form names as its own, where no file in it may be another run."""
    if lead.format == HF_TRAINER or not all(is_of_its_folder(form) for form in (lead, *others)):
        return lead.folder
    return min((place_of(form) for form in (lead, *others)), key=len)


def _unique(forms: Sequence[Form], name: str) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(each for form in forms for each in getattr(form, name)))


def _source(form: Form) -> str:
    """What a form is called in a sentence: by its file, or by its format where it has many."""
    if len(form.files) == 1 and len(form.files[0][-1]) <= LONG_NAME:
        return isolated(form.files[0][-1])
    return isolated(form.format)


def _listed(names: Sequence[str]) -> str:
    told = [isolated(name) for name in names[:NAMED]]
    if len(names) > NAMED:
        return f"{', '.join(told)} and {len(names) - NAMED} more"
    *first, last = told
    return f"{', '.join(first)} and {last}" if first else last
