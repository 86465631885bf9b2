"""The facts of a run that was logged in several forms: each from the first that has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.facts.foreign import isolated
from lib.core.facts.metrics import METRICS
from lib.core.facts.runs import ReadAs, RunStatus, RunSummary
from lib.data.formats.forms.facts import RATE_NOTE, End, losses_of, plan_of, progress_of, reread, settings_of
from lib.data.formats.forms.form import HF_TRAINER, Form
from lib.data.formats.forms.wording import listed, source_of

_OWN = frozenset(("run_id", "name", "version", "config", "extra", "notes", "read_as", "formats", "files"))
"""Fields that are put together in a way of their own."""


def facts_of_forms(
    parts: Sequence[Form], curves: RunCurves, config: Mapping[str, Any], notes: Sequence[str]
) -> RunSummary:
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
        read_as=read_as_of(parts, curves.curves),
        formats=tuple(dict.fromkeys(name for form in parts if _says_more(form) for name in form.run.formats))
        or lead.formats,
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
    return reread(replace(run, **progress_again(run, curves)), curves)


def _says_more(form: Form) -> bool:
    """Whether a form is more than settings: these alone do not tell which program logged the run."""
    return bool(form.curves.curves or form.run.extra) or form.run.status is not RunStatus.UNKNOWN


def progress_again(run: RunSummary, curves: RunCurves) -> dict[str, Any]:
    """Progress and status anew, where forms together say more of it than each."""
    said = run.raw_status if run.status is not RunStatus.UNKNOWN else None
    plan = plan_of(run.config, run.total_steps, run.total_epochs)
    return progress_of(curves, plan, End(run.status, said, run.error_message), in_epochs=run.steps_are_epochs)


def config_of_forms(parts: Sequence[Form]) -> tuple[dict[str, Any], list[str]]:
    """The configuration of all, the leading form's first, and sentences on what another states otherwise."""
    config, notes = joined_config(list(reversed(parts))), []
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
            notes.append(f"{source_of(form)} states {listed(differing)} otherwise; {source_of(lead)} counts.")
    return config, notes


def joined_config(forms: Sequence[Form]) -> dict[str, Any]:
    """Sections of all, the later forms over the earlier."""
    config: dict[str, Any] = {}
    for form in forms:
        for section, stated in form.run.config.items():
            known = config.get(section)
            is_both = isinstance(known, Mapping) and isinstance(stated, Mapping)
            config[section] = {**(known or {}), **stated} if is_both else stated
    return config


def read_as_of(forms: Sequence[Form], curves: Mapping[str, MetricCurve]) -> tuple[ReadAs, ...]:
    """What the metrics that are shown were called, by the first form that has each."""
    found: dict[str, ReadAs] = {}
    for form in forms:
        for each in form.run.read_as:
            if each.metric in curves and each.metric not in {other.metric for other in found.values()}:
                found.setdefault(each.name, each)
    return tuple(found[name] for name in sorted(found) if name not in METRICS or found[name].metric != name)
