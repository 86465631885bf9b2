"""What the page of the hyperparameters says: how many settings differ and which, and what is the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from lib.core.answers.compared import NOT_RECORDED, is_configured, method_of, unconfigured
from lib.core.config.diff import CANNOT_TELL, DiffRow, differences
from lib.core.config.parameters import Group
from lib.core.config.values import MISSING
from lib.core.text.phrases import counted, first_of, in_sentence, listed

MOST_NAMED = 5
"""Settings that differ are named in the headline, up to so many."""

_NOTHING = frozenset((MISSING.value, CANNOT_TELL, "null"))

_EXPECTED: Sequence[tuple[str, Sequence[str]]] = (
    ("learning rate", ("learning_rate",)),
    ("optimizer", ("optimizer",)),
    ("schedule", ("scheduler",)),
    ("warm-up", ("warmup_steps", "warmup_ratio")),
    ("batch size", ("batch_size", "effective_batch_size")),
    ("seed", ("seed",)),
    ("data set", ("dataset",)),
    ("base model", ("base_model",)),
)
"""What a training is repeated by, and the settings that state it."""


@dataclass(frozen=True, slots=True)
class SettingsAnswer:
    """The settings of some runs at a glance.

    Attributes:
        headline: How many differ, and which.
        beside: What else is to be said of that; "" for nothing.
        different: The rows that differ, and are hyperparameters.
        same: Those that do not, and mean something in a run at least.
        identity: What tells runs apart by design.
        unused: The methods of which no run uses any, in words.
        missing: What no run states of that by which a training is repeated.
        lacking: How many runs logged no configuration, where others did.
    """

    headline: str
    beside: str
    different: tuple[DiffRow, ...]
    same: tuple[DiffRow, ...]
    identity: tuple[DiffRow, ...]
    unused: tuple[str, ...]
    missing: tuple[str, ...]
    lacking: int = 0

    def narrowed(self, found: Iterable[DiffRow]) -> SettingsAnswer:
        """The same with the rows of a search only: what is recorded, and which methods are used, no search changes."""
        keys = {row.key for row in found}
        different, same, identity = (
            tuple(row for row in rows if row.key in keys) for rows in (self.different, self.same, self.identity)
        )
        return replace(self, different=different, same=same, identity=identity)


def settings_answer(every: Sequence[DiffRow], runs: int) -> SettingsAnswer:
    """Say what a comparison comes to.

    Args:
        every: All of its rows (``lib.core.answers.compared.compared``).
        runs: How many are compared.
    """
    different = differences(every)
    meant = [row for row in every if not row.is_identity and not (row.unused and all(row.unused))]
    same = tuple(row for row in meant if not row.differs)
    unused = dict.fromkeys(method_of(row) for row in every if row.unused and all(row.unused))
    lacking = len(unconfigured(every))
    stated = {row.key for row in every}
    if any(row.group is Group.LORA for row in every):
        methods = tuple(unused)
    else:
        # Whoever trains an adapter writes that down; a log alone tells nothing.
        configured = any(is_configured(row, run) for row in every for run in range(runs))
        methods = ("LoRA", *unused) if configured else tuple(unused)
    return SettingsAnswer(
        headline=_headline(different, len(meant), runs, lacking),
        beside=_beside(different, len(meant))
        if not lacking
        else _without(lacking, runs, has_difference=bool(different)),
        different=different,
        same=same,
        identity=tuple(row for row in every if row.is_identity),
        unused=tuple(f"no {method}" for method in methods),
        missing=tuple(title for title, keys in _EXPECTED if not stated & set(keys)),
        lacking=lacking,
    )


def _headline(different: Sequence[DiffRow], count: int, runs: int, lacking: int) -> str:
    if runs == 1:
        return counted(count, "setting") + (" is recorded" if count == 1 else " are recorded")
    if not different and runs - lacking == 1:
        return "Only one run logged its configuration"
    if not different:
        return (
            f"None of the {counted(count, 'setting')} differs"
            if count != 1
            else "The one recorded setting does not differ"
        )
    names = [in_sentence(row.short_title) for row in different]
    if len(names) == 1:
        return f"Only the {names[0]} differs"
    return f"{len(names)} of {counted(count, 'setting')} differ: {first_of(names, MOST_NAMED)}"


def _without(lacking: int, runs: int, *, has_difference: bool) -> str:
    """Of how many runs no configuration is known."""
    said = f"Configuration not logged: {lacking} of {counted(runs, 'run')}"
    return f"{said}." if has_difference else f"{said}, so that nobody can tell whether settings differ."


def _beside(different: Sequence[DiffRow], count: int) -> str:
    if len(different) != 1:
        return ""
    (row,) = different
    origins = set(filter(None, row.sources))
    if origins == {"folder name"}:
        return "It was read from the folder names; the logs agree."
    if origins == {"column max_learning_rate"}:
        return "It is the highest that each run logged; none is configured."
    return f"{counted(count - 1, 'other setting')} {'is' if count == 2 else 'are'} equal." if count > 1 else ""


def equal_by_group(rows: Iterable[DiffRow]) -> dict[str, tuple[tuple[str, str], ...]]:
    """Titles and values of rows that do not differ, by the title of their group.

    The value is that of the first run that has one; where others have none, it says how many have it.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        found.setdefault(row.group.value, []).append((in_sentence(row.short_title), equal_value(row)))
    return {group: tuple(values) for group, values in found.items()}


def equal_value(row: DiffRow) -> str:
    """The value that all runs have that have any, and how many these are where others have none."""
    unused = row.unused or ("",) * len(row.values)
    having = [text for text, why in zip(row.shown, unused, strict=True) if not why and text not in _NOTHING]
    if not having:
        return next((text for text, why in zip(row.shown, unused, strict=True) if not why), NOT_RECORDED)
    return having[0] + (f" ({len(having)} of {len(row.values)} runs)" if len(having) < len(row.values) else "")


def provenance(row: DiffRow, names: Sequence[str]) -> str:
    """Where the values of a row are from, runs with the same place together.

    Args:
        row: The row.
        names: What the runs are called, in the order of its values.
    """
    origins: dict[str, list[str]] = {}
    for name, source in zip(names, row.sources, strict=True):
        origins.setdefault(source or "not stated", []).append(name)
    if len(origins) == 1:
        return next(iter(origins))
    return "; ".join(f"{source} ({listed(of)})" for source, of in origins.items())
