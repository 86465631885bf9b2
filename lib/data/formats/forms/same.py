"""Which forms are of one run: by identity, by place and by what they say.

One identity is one run. In one folder, or in folders that only wrap a log, forms of one run say the same at the steps
that they share; where they share none, the place decides, if there is only one run of either format that it can be.
What contradicts is two runs, wherever it lies. A copy of a run elsewhere is a run of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from lib.core.curves.metric_curves import RunCurves
from lib.core.facts.metrics import is_of_evaluations
from lib.data.formats.forms.agreement import Verdict, agreement_of, comparable, results_differ
from lib.data.formats.forms.continued import chains_of
from lib.data.formats.forms.form import HF_TRAINER, TEXT_LOG, Form
from lib.data.formats.forms.places import (
    are_called_apart,
    is_of_its_folder,
    is_within,
    levels_of,
    named_alike,
    place_of,
)
from lib.data.formats.logged import Folder

MANY = 40
"""From so many logs in one folder on, only those are compared that share a first, a last or a lowest value."""
BELOW = 200
"""So many pairs of a log in a folder and one further down are compared; of more only those that share a name."""


@dataclass(slots=True)
class Known:
    """What curves were read for, kept from one call to the next by whoever asks again and again.

    Attributes:
        verdicts: What comparing two forms came to, by what they looked like.
        points: How many points a form has in its losses, and in all.
    """

    verdicts: dict[tuple[Hashable, Hashable], Verdict] = field(default_factory=dict)
    points: dict[Hashable, tuple[int, int]] = field(default_factory=dict)


def same_runs(
    forms: Sequence[Form], seen: Sequence[Hashable] | None = None, known: Known | None = None
) -> list[list[int]]:
    """Part forms into runs.

    Args:
        forms: All that lie below one root, in any order.
        seen: For each form something that no other has, and that is another one whenever the form is.
        known: Of an earlier call: taken instead of reading curves again, and replaced by what this one used. Only with
            ``seen``.

    Returns:
        The positions of the forms of each run, the leading form first; runs in the order of their first form. A form
        that is in none of them shows nothing by itself: ``forms.unused`` says why.
    """
    earlier = Known() if seen is None or known is None else known
    runs = _Runs(forms, list(range(len(forms))) if seen is None else seen, earlier)
    _join_identities(runs)
    for one, other in chains_of(forms).joined:
        runs.join(one, other)
    for one, other in named_alike(forms):
        runs.join(one, other)
    _join_places(runs)
    _join_rows(runs)
    groups = [sorted(group, key=runs.lead) if len(group) > 1 else group for group in runs.groups()]
    if known is not None:
        known.verdicts, known.points = runs.used.verdicts, runs.used.points
    shown = [group for group in groups if any(_shows(forms[at]) for at in group)]
    return sorted(shown, key=min)


class _Runs:
    """Forms as they are joined to runs."""

    def __init__(self, forms: Sequence[Form], seen: Sequence[Hashable], earlier: Known) -> None:
        self.forms = forms
        self.used = Known()
        self._seen, self._earlier = seen, earlier
        self._of = list(range(len(forms)))
        self._members = {at: [at] for at in range(len(forms))}

    def root(self, at: int) -> int:
        """The number of the run that a form is of by now."""
        return self._of[at]

    def members(self, root: int) -> list[int]:
        """The forms of a run."""
        return self._members[root]

    def groups(self) -> Iterable[list[int]]:
        """The forms of each run."""
        return self._members.values()

    def join(self, one: int, other: int) -> None:
        """Make one run of two."""
        one, other = self._of[one], self._of[other]
        if one == other:
            return
        for at in self._members[other]:
            self._of[at] = one
        self._members[one] += self._members.pop(other)

    def formats(self, root: int) -> frozenset[str]:
        """The formats of a run's forms."""
        return frozenset(self.forms[at].format for at in self._members[root])

    def verdict(self, one: int, other: int) -> Verdict:
        """What the forms of two runs say of each other: any two that agree make one run of them."""
        pairs = [(a, b) for a in self._members[one] for b in self._members[other]]
        if any(_are_told_apart(self.forms[a], self.forms[b]) for a, b in pairs):
            return Verdict.TWO_RUNS
        found = [self._compared(a, b) for a, b in pairs]
        if Verdict.SAME in found:
            return Verdict.SAME
        return Verdict.TWO_RUNS if Verdict.TWO_RUNS in found else Verdict.CANNOT_TELL

    def count_alike(self, one: int, other: int) -> bool:
        """Whether two runs may stand on one axis: not one by epochs and the other by steps."""
        members = [self.forms[at] for at in (*self._members[one], *self._members[other])]
        return len({_counts_epochs(form) for form in members if form.curves.curves}) < 2

    def _compared(self, one: int, other: int) -> Verdict:
        one, other = min(one, other), max(one, other)
        key = self._seen[one], self._seen[other]
        if key not in self.used.verdicts:
            found = self._earlier.verdicts.get(key)
            if found is None:
                found = _said(self.forms[one], self.forms[other])
            self.used.verdicts[key] = found
        return self.used.verdicts[key]

    def lead(self, at: int) -> tuple[bool, bool, int, int, str, Folder]:
        """Sorts the form that tells most first; a Trainer's own state has its checkpoints, and names the run."""
        form, key = self.forms[at], self._seen[at]
        found = self._earlier.points.get(key)
        if found is None:
            losses = sum(len(form.curves.get(metric)) for metric in ("train_loss", "eval_loss"))
            found = losses, form.curves.points
        self.used.points[key] = found
        return form.format != HF_TRAINER, not form.curves.curves, -found[0], -found[1], form.format, form.folder


def _said(one: Form, other: Form) -> Verdict:
    """What two forms say of each other; two programs may well measure something else under one name."""
    found = agreement_of(one.curves, other.curves).verdict
    is_split = found is Verdict.SAME and one.format == other.format and results_differ(one.curves, other.curves)
    return Verdict.TWO_RUNS if is_split else found


def _are_told_apart(one: Form, other: Form) -> bool:
    """Whether one program itself says that two of its logs are of different runs."""
    if one.format != other.format:
        return False
    if one.format == HF_TRAINER:
        # Whoever read them has parted the trainings of a folder.
        return True
    if one.format == TEXT_LOG and are_called_apart(one, other):
        # Any program writes such logs, and few rounded losses are easily equal.
        return True
    two_names = bool(one.identity and other.identity and one.identity != other.identity)
    return two_names or (one.folder == other.folder and one.key != other.key)


def _counts_epochs(form: Form) -> bool:
    """Whether the steps of a form are epochs."""
    return form.run.current_epoch is not None and form.run.current_epoch == form.run.current_step


def _join_identities(runs: _Runs) -> None:
    named: defaultdict[str, list[int]] = defaultdict(list)
    for at, form in enumerate(runs.forms):
        if form.identity:
            named[form.identity].append(at)
    for members in named.values():
        for at in members[1:]:
            earlier = next((one for one in members if one < at and not _start_apart(runs, one, at)), None)
            if earlier is not None:
                runs.join(earlier, at)


def _start_apart(runs: _Runs, one: int, other: int) -> bool:
    """Whether two logs of one identity both begin at the beginning, and differ: numbers are given anew elsewhere."""
    first, second = runs.forms[one], runs.forms[other]
    if first.format != second.format or place_of(first)[:-1] == place_of(second)[:-1]:
        return False
    starts = [
        min((int(each.step[0]) for each in form.curves.curves.values()), default=None) for form in (first, second)
    ]
    return (
        None not in starts
        and starts[0] == starts[1]
        and runs.verdict(runs.root(one), runs.root(other)) is Verdict.TWO_RUNS
    )


def _join_places(runs: _Runs) -> None:
    tight: defaultdict[Folder, list[int]] = defaultdict(list)
    loose: defaultdict[Folder, list[int]] = defaultdict(list)
    for at, form in enumerate(runs.forms):
        if _is_row(form):
            continue
        for folder, wraps in levels_of(form):
            (tight if wraps else loose)[folder].append(at)
    for folder in sorted(tight, key=lambda each: (-len(each), each)):
        if len(tight[folder]) > 1:
            _join_in(runs, tight[folder])
        own = {runs.root(at) for at in tight[folder] if place_of(runs.forms[at]) == folder}
        below = {runs.root(at) for at in loose.get(folder, ())} - own if own else set()
        pairs = ((one, other) for one in sorted(own) for other in sorted(below))
        if len(own) * len(below) > BELOW:
            names = {root: _names_of(runs, root) for root in own | below}
            pairs = ((one, other) for one in sorted(own) for other in sorted(below) if names[one] & names[other])
        if own:
            _join_agreeing(runs, [pair for pair in pairs if not runs.formats(pair[0]) & runs.formats(pair[1])])


def _names_of(runs: _Runs, root: int) -> set[str]:
    forms = [runs.forms[at] for at in runs.members(root)]
    return {name for form in forms for name in (*_own_names(form), *_folder_names(form))}


def _join_agreeing(runs: _Runs, pairs: Iterable[tuple[int, int]]) -> None:
    for one, other in pairs:
        one, other = runs.root(one), runs.root(other)
        if one != other and runs.verdict(one, other) is Verdict.SAME:
            runs.join(one, other)


def _join_in(runs: _Runs, members: Sequence[int]) -> None:
    """Join the runs of which a log lies in one folder, in what only wraps it, or both."""
    roots = sorted({runs.root(at) for at in members})
    _join_agreeing(runs, _worth_comparing(runs, roots))
    roots = sorted({runs.root(at) for at in members})
    of_format: defaultdict[str, set[int]] = defaultdict(set)
    for root in roots:
        for name in runs.formats(root):
            of_format[name].add(root)
    alone = [
        root
        for root in roots
        if all(len(of_format[name]) == 1 for name in runs.formats(root))
        and all(is_of_its_folder(runs.forms[at]) for at in runs.members(root))
    ]
    for one, other in combinations(alone, 2):
        one, other = runs.root(one), runs.root(other)
        apart = one != other and not runs.formats(one) & runs.formats(other)
        if apart and runs.verdict(one, other) is not Verdict.TWO_RUNS and runs.count_alike(one, other):
            runs.join(one, other)


def _worth_comparing(runs: _Runs, roots: Sequence[int]) -> Iterable[tuple[int, int]]:
    if len(roots) <= MANY:
        return list(combinations(roots, 2))
    if len({name for root in roots for name in runs.formats(root)}) == 1:
        return []
    sharing: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for root in roots:
        for mark in {mark for at in runs.members(root) for mark in _marks(runs.forms[at].curves)}:
            sharing[mark].append(root)
    return sorted({pair for each in sharing.values() if len(each) <= MANY for pair in combinations(each, 2)})


def _marks(curves: RunCurves) -> Iterable[tuple[str, str]]:
    for name, curve in comparable(curves).items():
        known = curve.finite().value
        if len(known):
            for value in (known[0], known[-1], known.min()):
                yield name, f"{value:.2g}"


def _is_row(form: Form) -> bool:
    """Whether it is one of several that a table states without curves, as the table of a sweep does."""
    return bool(form.key) and not form.curves.curves


def _join_rows(runs: _Runs) -> None:
    """Give the rows of tables without curves to the runs that they are of: by name, then by that of the folder."""
    rows = [at for at, form in enumerate(runs.forms) if _is_row(form) and len(runs.members(runs.root(at))) == 1]
    logged = [at for at, form in enumerate(runs.forms) if form.curves.curves]
    for at in rows:
        row = runs.forms[at]
        near = [other for other in logged if is_within(runs.forms[other], place_of(row))]
        for wanted in filter(None, (row.name, row.key, row.identity)):
            for names in (_own_names, _folder_names):
                found = {runs.root(other) for other in near if wanted in names(runs.forms[other])}
                if len(found) == 1 and runs.root(at) == at:
                    runs.join(found.pop(), at)


def _own_names(form: Form) -> tuple[str, ...]:
    return tuple(name for name in (form.name, form.key, form.identity) if name)


def _folder_names(form: Form) -> tuple[str, ...]:
    """The folders that may be called after the run: that of the log, and those that it is wrapped in."""
    names = [folder[-1] for folder, wraps in levels_of(form) if wraps and folder]
    own = form.folder[-1].rsplit(".", 1)[0] if form.folder else ""
    return (*names, own)


def _shows(form: Form) -> bool:
    """Whether there is anything to see of a run that has this form: curves, or what an evaluation came to."""
    if form.curves.curves or form.format == HF_TRAINER or form.run.final_eval_loss is not None:
        return True
    results = (name.removeprefix("result.") for name in form.run.extra if name.startswith("result."))
    return any(is_of_evaluations(name) for name in results)
