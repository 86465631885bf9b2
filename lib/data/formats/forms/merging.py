"""One run of the several forms that it was logged in: of each metric the richest series, of facts the surest.

Forms of one format that share an identity are parts of one log (``lib.data.formats.forms.parts``). Any others say the
same, or complete each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from lib.core.curves.metric_curves import MetricCurve, RunCurves, tidy_curve
from lib.data.formats.forms.agreement import Verdict, agreement_of, agreement_of_curves, plain_name, rounding_of
from lib.data.formats.forms.form import HF_TRAINER, Form
from lib.data.formats.forms.joint_facts import config_of_forms, facts_of_forms
from lib.data.formats.forms.parts import parts_of, whole_of
from lib.data.formats.forms.places import is_of_its_folder, place_of
from lib.data.formats.forms.wording import listed, source_of
from lib.data.formats.logged import Folder
from lib.data.formats.metric_names import own_name

_FINER = 0.5
"""Values are finer where rounding may have changed them by less than this share of what it did to the others."""


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
    parts = [whole_of(part) for part in parts_of(forms)]
    lead, *others = parts
    if not others:
        return lead
    curves, used, notes = _curves(lead, others)
    config, clashes = config_of_forms(parts)
    run = facts_of_forms(parts, curves, config, [note for form in used for note in form.run.notes])
    run = replace(run, notes=tuple(dict.fromkeys((*run.notes, *notes, *clashes))))
    folder = _folder(lead, others)
    name = next((each.name for each in parts if each.name), "")
    run = replace(run, name=name or (folder[-1] if folder else run.name))
    return replace(
        lead,
        folder=folder,
        files=tuple(dict.fromkeys(path for form in parts for path in form.files)),
        identity=next((each.identity for each in parts if each.identity), ""),
        name=name,
        parent=next((each.parent for each in parts if each.parent), ""),
        run=run,
        curves=curves,
    )


def _curves(lead: Form, others: Sequence[Form]) -> tuple[RunCurves, list[Form], list[str]]:
    """Of each metric the richest curve; the forms that something was taken from; and a sentence on all of them."""
    first = next((form for form in (lead, *others) if form.curves.curves), None)
    if first is None:
        return lead.curves, [lead, *others], []
    made: dict[str, MetricCurve] = dict(first.curves.curves)
    told, used, same = [f"Read from {source_of(first)}"], [first], []
    for form in (each for each in (lead, *others) if each is not first):
        if not form.curves.curves:
            used.append(form)
            told.append(f"{source_of(form)} states settings and results")
            continue
        found = agreement_of(first.curves, form.curves)
        points = f" ({found.points:,} points)" if found.verdict is Verdict.SAME else ""
        if taken := _take(made, form, found.shift):
            used.append(form)
            how = "says the same" if points else "is of the same run"
            told.append(f"{source_of(form)} {how}{points}, and from it come {listed(taken)}")
        elif points:
            same.append(f"{source_of(form)}{points}")
        else:
            told.append(f"{source_of(form)} has nothing else and was not needed")
    if same:
        said = ("says", "was") if len(same) == 1 else ("say", "were")
        told.append(f"{listed(same)} {said[0]} the same and {said[1]} not needed")
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
                key = own_name(logged.get(metric, metric), made)
                made[key] = _moved(curve, shift)
            elif len(curve) > len(held):
                made[key] = _moved(curve, shift)
        if made[key] is not held:
            taken.append(key)
    return taken


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


def _folder(lead: Form, others: Sequence[Form]) -> Folder:
    """The folder of the run: the outermost that a form names as its own, where no file in it may be another run."""
    if lead.format == HF_TRAINER or not all(is_of_its_folder(form) for form in (lead, *others)):
        return lead.folder
    return min((place_of(form) for form in (lead, *others)), key=len)
