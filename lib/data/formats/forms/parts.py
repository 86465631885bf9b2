"""The parts of one log, as a resumed run leaves them, put together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from lib.core.curves.metric_curves import tidy_curve
from lib.data.formats.forms.continued import chains_of
from lib.data.formats.forms.curves import FROM_0
from lib.data.formats.forms.facts import reread
from lib.data.formats.forms.form import Form
from lib.data.formats.forms.joint_facts import joined_config, progress_again, read_as_of
from lib.data.formats.logged import Folder


def parts_of(forms: Sequence[Form]) -> list[list[Form]]:
    """The forms by the log that they are parts of, in the order of the first of each."""
    found: dict[tuple[str, str], list[Form]] = {}
    first = list(range(len(forms)))
    for one, other in sorted(chains_of(forms).joined):
        first = [first[one] if each == first[other] else each for each in first]
    for at, form in enumerate(forms):
        own = form.identity if form.curves.curves else ""
        found.setdefault((form.format, own or f"/{first[at]}"), []).append(form)
    return list(found.values())


def whole_of(parts: Sequence[Form]) -> Form:
    """One log of its parts, the later ones written over the earlier."""
    if len(parts) == 1:
        return parts[0]
    ordered = sorted(parts, key=_began)
    start = _began(ordered[0])[1]
    gathered: defaultdict[str, list[tuple[np.ndarray, ...]]] = defaultdict(list)
    for form in ordered:
        later = _began(form)[1] - start if _is_timed(form) and _is_timed(ordered[0]) else np.nan
        # A part that goes on with epoch 10 does not show that the first was called 0.
        shift = int(FROM_0 in ordered[0].run.notes and FROM_0 not in form.run.notes and form.run.steps_are_epochs)
        for metric, curve in form.curves.curves.items():
            gathered[metric].append((curve.step + shift, curve.value, curve.epoch + shift, curve.elapsed_s + later))
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
    run = replace(
        last.run,
        run_id=parts[0].run.run_id,
        name=parts[0].run.name,
        config=joined_config(ordered),
        created_at=first.run.created_at or last.run.created_at,
        started_at=first.run.started_at or last.run.started_at,
        duration_s=_sum([form.run.duration_s for form in ordered]),
        notes=tuple(dict.fromkeys((*(note for form in ordered for note in form.run.notes), note))),
        files=tuple(dict.fromkeys(path for form in ordered for path in form.run.files)),
        read_as=read_as_of(ordered, made),
    )
    run = reread(replace(run, **progress_again(run, curves)), curves)
    return replace(
        parts[0], files=tuple(dict.fromkeys(path for form in ordered for path in form.files)), run=run, curves=curves
    )


def _is_timed(form: Form) -> bool:
    return form.run.started_at is not None


def _began(form: Form) -> tuple[bool, float, int, Folder]:
    started = form.run.started_at
    return started is not None, 0.0 if started is None else started.timestamp(), form.run.current_step or 0, form.folder


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
