"""The hyperparameters of several runs side by side: what differs, what is the same, what stands out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from lib.core.config.effective import effective
from lib.core.config.parameters import ORDER, PARAMETERS, Group, aliases
from lib.core.config.places import Places
from lib.core.config.setting import Oddity, Remark, Setting, title_of
from lib.core.config.values import MISSING, SHOWN_CHARACTERS, Comparable, Comparison, comparable, show
from lib.core.facts.foreign import searchable
from lib.core.facts.runs import RunSummary
from lib.core.text.looks import apart, look

CANNOT_TELL = "cannot tell"
"""Stands for a derived value of which the run lacks a part; the row's source says which."""

_GROUPS = tuple(Group)
_NOTHING: Comparable = ("nothing stated",)


@dataclass(frozen=True)
class DiffRow:
    """One parameter across runs. Every tuple has one entry per run, in the order of the runs.

    Attributes:
        key: The canonical name, unique among the rows.
        title: The name for people.
        values: Effective values; ``MISSING`` where the run has none, ``None`` for null, ``MASKED`` for a
            secret.
        differs: True where two runs have different values. Having a value and having none differ; null
            and an empty section state nothing, as does a key that is missing, unless the catalogue says that
            null counts. A derived value that cannot be worked out is compared with nothing. All that is compared
            of a secret is whether it is set.
        odd: True where more than half of the runs have one value in common, and this run has another. Where no value
            is that common (two runs that differ, or all of them do) none is the norm, and nothing is marked.
        sources: The place that won ("config.lora.r", "column batch_size"); "" for ``MISSING`` values of
            runs that do not state it.
        places: Every place that states the parameter in the run with its value, the winner first.
        remarks: What is odd in the run's own configuration.
        comparison: How the values were compared.
        unused: What is shown in the place of a value that means nothing, as the run does not use what it belongs to;
            "" elsewhere. Such values are compared with nothing. Empty where the row has none.
    """

    key: str
    title: str
    group: Group
    values: tuple[Any, ...]
    differs: bool
    odd: tuple[bool, ...]
    sources: tuple[str, ...]
    places: tuple[tuple[tuple[str, Any], ...], ...]
    remarks: tuple[tuple[Remark, ...], ...]
    comparison: Comparison
    unused: tuple[str, ...] = ()

    @property
    def is_identity(self) -> bool:
        """True for what tells runs apart by design (ids, folders) and for secrets: no hyperparameters."""
        return self.group is Group.IDENTITY

    @property
    def short_title(self) -> str:
        """The title in a sentence: without what stands in brackets, where the title is ours."""
        return self.title.partition(" (")[0] if self.key in PARAMETERS else self.title

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about what is odd in each run's own configuration; "" for nothing."""
        return tuple(" ".join(remark.sentence for remark in each) for each in self.remarks)

    @property
    def contradicted(self) -> tuple[bool, ...]:
        """True where the run's own configuration contradicts itself."""
        return tuple(any(remark.kind is Oddity.CONTRADICTION for remark in each) for each in self.remarks)

    @cached_property
    def shown(self) -> tuple[str, ...]:
        """The values as text to show. Plain text: whoever renders it escapes it."""
        return self.texts()

    def texts(self, limit: int | None = SHOWN_CHARACTERS) -> tuple[str, ...]:
        """The values as text, cut at ``limit`` characters; ``None`` for whole. What differs looks different."""
        parameter = PARAMETERS.get(self.key)
        scientific = parameter is not None and parameter.scientific
        texts = tuple(
            unused
            or (
                CANNOT_TELL
                if value is MISSING and source
                else show(value, scientific=scientific, comparison=self.comparison, limit=limit)
            )
            for value, source, unused in zip(
                self.values, self.sources, self.unused or ("",) * len(self.values), strict=True
            )
        )
        return apart(texts, texts) if self.differs else texts


def diff(runs: Sequence[RunSummary]) -> tuple[DiffRow, ...]:
    """Compare the effective hyperparameters of ``runs``.

    The rows come in the order of the groups, in each the well-known parameters first, then the others by
    name; that order does not depend on the order of ``runs``. With one run nothing differs.

    Returns:
        One row for every parameter that at least one run states; none without runs.
    """
    places = Places()
    configurations = [effective(run, places) for run in runs]
    keys = dict.fromkeys(key for settings in configurations for key in settings)
    rows = [_row(key, [each.get(key) for each in configurations]) for key in keys]
    return tuple(sorted(_with_own_titles(rows), key=_order))


def _with_own_titles(rows: Sequence[DiffRow]) -> Iterator[DiffRow]:
    """The rows; those whose titles look alike have their keys for titles."""
    often = Counter(look(row.title) for row in rows)
    alike = [row for row in rows if often[look(row.title)] > 1]
    keys = [row.key for row in alike]
    told = dict(zip(keys, apart(keys, keys), strict=True))
    for row in rows:
        yield replace(row, title=told[row.key]) if row.key in told else row


def differences(rows: Iterable[DiffRow]) -> tuple[DiffRow, ...]:
    """Return the rows that differ and are hyperparameters. Their number is *the* count of differences."""
    return tuple(row for row in rows if row.differs and not row.is_identity)


def search(rows: Iterable[DiffRow], text: str) -> tuple[DiffRow, ...]:
    """Return the rows in which every word of ``text`` occurs, in any case.

    Looked at are the key, the title, the other names of the parameter, the places it was found in, and
    the shown values.

    Example:
        >>> rows = diff([RunSummary(run_id="r", name="r", batch_size=4, config={"lr": 1e-4})])
        >>> [row.key for row in search(rows, "PER_DEVICE")]
        ['batch_size']
    """
    words = searchable(text).split()
    return tuple(row for row in rows if all(word in _searched(row) for word in words))


def _searched(row: DiffRow) -> str:
    texts = row.key, row.title, row.group, *aliases(row.key), *row.sources, *row.shown
    return "\n".join(map(searchable, texts))


def _row(key: str, settings: Sequence[Setting | None]) -> DiffRow:
    present = [setting for setting in settings if setting is not None]
    # Runs agree on how a parameter is compared; where a secret is only one by its look, the secret decides.
    comparison = max((setting.comparison for setting in present), key=lambda one: one.name)
    group = max((setting.group for setting in present), key=_GROUPS.index)
    values = tuple(MISSING if setting is None else setting.value for setting in settings)
    # Most rows of a large configuration are the same scalar throughout, which needs no closer look.
    first = values[0]
    if type(first) in (str, int, bool) and all(type(value) is type(first) and value == first for value in values):
        classes: list[Comparable] = [("same",)] * len(values)
    else:
        classes = [class_of(key, value, comparison) for value in values]
    # What was worked out and cannot be is compared with nothing; in a row of nothing else, with itself.
    unknown = all(setting.derived for setting in present) and any(one != _NOTHING for one in classes)
    differs, odd = told_apart([None if unknown and one == _NOTHING else one for one in classes])
    return DiffRow(
        key=key,
        title=title_of(key),
        group=group,
        values=values,
        differs=differs,
        odd=odd,
        sources=tuple("" if setting is None else setting.source for setting in settings),
        places=tuple(() if setting is None else setting.places for setting in settings),
        remarks=tuple(() if setting is None else setting.remarks for setting in settings),
        comparison=comparison,
    )


def told_apart(classes: Sequence[Comparable | None]) -> tuple[bool, tuple[bool, ...]]:
    """Whether values differ, and which of them are odd ones (``DiffRow.odd``); ``None`` takes no part.

    Example:
        >>> told_apart([("a",), ("a",), ("b",)]), told_apart([("a",), ("b",)])
        ((True, (False, False, True)), (True, (False, False)))
    """
    counts = Counter(one for one in classes if one is not None)
    norm, many = max(counts.items(), key=lambda each: each[1], default=(None, 0))
    has_norm = 2 * many > counts.total()
    return len(counts) > 1, tuple(has_norm and one is not None and one != norm for one in classes)


def class_of(key: str, value: Any, comparison: Comparison) -> Comparable:
    """What is equal for values that count as equal: null, an empty section and a missing key state nothing."""
    if isinstance(value, Mapping) and not value:
        return _NOTHING
    if value is None and not ((parameter := PARAMETERS.get(key)) and parameter.null_counts):
        return _NOTHING
    return _NOTHING if value is MISSING else comparable(value, comparison)


def _order(row: DiffRow) -> tuple[int, bool, int, str, str]:
    known = ORDER.get(row.key)
    return _GROUPS.index(row.group), known is None, known or 0, row.key.casefold(), row.key
