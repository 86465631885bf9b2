"""A run read again under other names, where somebody corrects what was guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.runs import ReadAs, RunSummary
from lib.data.formats.forms.curves import read_as_note
from lib.data.formats.forms.facts import reread
from lib.data.formats.metric_names import own_name


def renamed(run: RunSummary, curves: RunCurves, names: Mapping[str, str]) -> tuple[RunSummary, RunCurves]:
    """Read a run under other names.

    What had a name that is now given to another metric gets its own name back: no curve is lost, and none hides
    another. Facts that follow from the curves (losses, perplexity, learning rate) are those of the new names; what a
    program stated itself stays.

    Args:
        run: Any run.
        curves: All of its curves.
        names: By the name that the program gave a metric, the key of ours that it is; "" for none of ours. Of several
            that are given one key the last by name has it. Names that the run has no metric of are passed over.

    Returns:
        The run and its curves; the very same where nothing changes.
    """
    known = {each.name: each for each in run.read_as}
    at = {each.name: each.metric for each in run.read_as if each.metric in curves.curves}
    at |= {key: key for key in curves.curves if key not in at.values()}
    said = {name: metric for name, metric in names.items() if name in at}
    unsure = {name for name, each in known.items() if each.guessed and name not in said}
    if not any(
        (metric or name) != at[name] or (name in known and known[name].guessed) for name, metric in said.items()
    ):
        return run, curves
    given = {metric: name for name, metric in sorted(said.items()) if metric}
    logged = {name: key for name, key in at.items() if given.get(key, name) == name and name not in said}
    logged |= {name: metric for metric, name in given.items()}
    for name in at:
        if name not in logged:
            logged[name] = own_name(name, logged.values())
    read_as = tuple(
        ReadAs(name, logged[name], name in unsure) for name in sorted(logged) if logged[name] != name or name in unsure
    )
    moved = {logged[name]: curves.curves[key] for name, key in at.items()}
    curves = replace(curves, curves=MappingProxyType(dict(sorted(moved.items()))))
    doubts = read_as_note(run.read_as)
    notes = (*(note for note in run.notes if note not in doubts), *read_as_note(read_as))
    return reread(replace(run, read_as=read_as, notes=notes), curves), curves
