"""What lies below a root and is no run, in few lines: nobody shall wonder where their logs are."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from lib.core.facts.query import Unused
from lib.data.folder.names import path_text
from lib.data.folder.scan import AIM, Scan
from lib.data.formats.logged import FilePath, Folder, Told
from lib.data.trainer.checkpoint_names import is_checkpoint

MOST_KINDS = 6
"""Kinds of files that are named; the others are counted together."""
NAMES_SHOWN = 3
"""Files that are named of those that look like logs and are none."""
MOST_LINES = 50
"""What is listed at most."""

_HINTS: Mapping[tuple[str, ...], str] = MappingProxyType({
    (".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".joblib"): "such files are never opened, as opening one may run code"
    " in it. Save what it holds of the training as CSV or JSON lines, with a column of steps.",
    (".swanlab",): "the record of a SwanLab run, which only SwanLab reads. Send it with swanlab sync, and save the"
    " metrics with swanlab api run metrics --save, or as CSV from the page of charts.",
    (AIM,): "the repository of Aim, which only Aim reads. Export its metrics in Python: aim.Repo(path).query_metrics(),"
    " and of each metric.dataframe().to_csv(...).",
})  # fmt: skip
"""What can be done about files that many have, by the ends of their names."""


def unused_of(
    scan: Scan, told: Iterable[Told], passed: Sequence[FilePath], runs: Iterable[Folder]
) -> tuple[Unused, ...]:
    """What is no run.

    Args:
        scan: What lies where.
        told: What the readers of formats say of files that hold nothing to show.
        passed: Files that may have been logs by their names, and that no format took.
        runs: The folders of the runs that were found.
    """
    by_why: defaultdict[str, list[FilePath]] = defaultdict(list)
    for each in told:
        by_why[each.why].append(each.path)
    lines = [_together(paths, why) for why, paths in by_why.items()]
    lines += _checkpoints(scan, runs)
    if passed:
        kinds = _kinds(Counter(os.path.splitext(path[-1])[1].lower() for path in passed))
        named = ", ".join(path_text(path[:-1], path[-1]) for path in sorted(passed, key=_by_telling)[:NAMES_SHOWN])
        more = f" and {len(passed) - NAMES_SHOWN:,} more" if len(passed) > NAMES_SHOWN else ""
        some = f"These files are no logs of trainings, or none that are read: {kinds} ({named}{more})."
        why = "This file is no log of a training, or none that is read." if len(passed) == 1 else some
        lines.append(_together(passed, why, counted=False))
    others = Counter(scan.others)
    for ends, why in _HINTS.items():
        counts = {end: others.pop(end) for end in ends if end in others}
        if counts:
            lines.append(Unused(".", f"{_kinds(counts)}: {why}"))
    if others:
        lines.append(Unused(".", f"Files of kinds that are not read: {_kinds(others)}."))
    unsaid = len(lines) - MOST_LINES
    return tuple(lines[:MOST_LINES]) + ((Unused(".", f"{unsaid:,} more that are no runs."),) if unsaid > 0 else ())


def _by_telling(path: FilePath) -> tuple[bool, bool, FilePath]:
    """Names first that say that somebody expects a training in them."""
    name = path[-1].lower()
    return not name.endswith(".log"), "train" not in name, path


def _together(paths: Sequence[FilePath], why: str, *, counted: bool = True) -> Unused:
    if len(paths) == 1:
        return Unused(path_text(paths[0][:-1], paths[0][-1]) if paths[0] else ".", why)
    first, last = min(paths)[:-1], max(paths)[:-1]
    shared = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), None)
    common = first[: min(len(first), len(last)) if shared is None else shared]
    rest = paths[0][len(common) :]
    said = f"{len(paths):,} files, such as {path_text(rest[:-1], rest[-1])}: {why}" if counted else why
    return Unused(path_text(common), said)


def _checkpoints(scan: Scan, runs: Iterable[Folder]) -> list[Unused]:
    """Checkpoints whose training left no log, by the folder that they lie in."""
    logged = {folder[:depth] for folder in runs for depth in range(len(folder) + 1)}
    found = []
    for folder, names in sorted(scan.checkpoints.items()):
        count = sum(map(is_checkpoint, names))
        own = {(*folder, name) for name in names}
        if count and folder not in logged and not own & logged and not any(map(is_checkpoint, folder)):
            what = "A checkpoint folder" if count == 1 else f"{count:,} checkpoint folders"
            found.append(
                Unused(path_text(folder), f"{what} without a log: no trainer_state.json lies in or beside it.")
            )
    return found


def _kinds(counts: Mapping[str, int]) -> str:
    """Such as "340 .png, 12 .bin"."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{count:,} {kind or 'without an ending'}" for kind, count in ordered[:MOST_KINDS]]
    if rest := sum(count for _, count in ordered[MOST_KINDS:]):
        named.append(f"{rest:,} others")
    return ", ".join(named)
