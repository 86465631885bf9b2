"""What is masked and cut of the facts of a run when it is made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lib.core.facts import sizes
from lib.core.facts.credentials import redact
from lib.core.facts.foreign import isolated, without_controls

if TYPE_CHECKING:
    from lib.core.facts.runs import Checkpoint, RunSummary

_TEXTS = {
    "name": sizes.LONGEST_NAME,
    "raw_status": sizes.LONGEST_NAME,
    "dataset": sizes.LONGEST_TEXT,
    "base_model": sizes.LONGEST_NAME,
    "distributed_strategy": sizes.LONGEST_NAME,
    "best_checkpoint_path": sizes.LONGEST_TEXT,
    "resumed_from_checkpoint": sizes.LONGEST_TEXT,
    "resumed_from_run_id": sizes.LONGEST_ID,
    "error_message": sizes.LONGEST_TEXT,
}
_TITLES = {"raw_status": "Status", "error_message": "Error"}


@lru_cache(maxsize=8192)
def metric_name(name: str) -> str:
    """What a metric is called that somebody may have called by a credential, or by a whole text.

    Of what is too long the end is a digest, so that two are still two.

    Example:
        >>> metric_name("eval_f1"), len(metric_name("m" * 5000))
        ('eval_f1', 250)
    """
    shown = redact(sizes.plain_text(name))
    if len(shown) <= sizes.LONGEST_METRIC:
        return shown
    seen = hashlib.blake2b(shown.encode(), digest_size=4).hexdigest()
    return f"{shown[: sizes.LONGEST_METRIC - len(seen) - 1]}…{seen}"


def bound(run: RunSummary, names: Collection[str] | None = None) -> None:
    """Mask and cut fields of a run that is being made, by default all, and say in its notes what was cut."""
    said: list[str] = []
    names = _ALL if names is None else names
    for name, mask in _MASKS.items():
        if name in names and (value := getattr(run, name)) and (shown := mask(value, said)) is not value:
            object.__setattr__(run, name, shown)
    if said or (run.notes and "notes" in names):
        notes = (*run.notes, *said)[: sizes.MOST_NOTES]
        object.__setattr__(run, "notes", tuple(_note(note) for note in notes))


def _config(config: Mapping[str, Any], said: list[str]) -> sizes.Bounded:
    kept = sizes.bounded(config, "Configuration")
    said += kept.notes if kept is not config else ()
    return kept


def _text_mask(name: str, most: int) -> _Mask:
    return lambda text, said: _shown(text, most, name, said)


_Mask = Callable[[Any, list[str]], Any]
_MASKS: Mapping[str, _Mask] = MappingProxyType(
    {
        **{name: _text_mask(name, most) for name, most in _TEXTS.items()},
        "config": _config,
        "extra": lambda extra, said: {name: _extra(name, value, said) for name, value in _first(extra, said)},
        "files": lambda files, said: tuple(_shown(path, sizes.LONGEST_TEXT, "file", said) for path in files),
        "read_as": lambda read_as, _: tuple(replace(each, name=metric_name(each.name)) for each in read_as),
        "checkpoints": lambda found, said: tuple(_checkpoint(each, said) for each in found),
    }
)
"""What masks and cuts a field, and says what it cut; in the order in which that is said."""
_ALL = frozenset((*_MASKS, "notes"))


def _shown(text: str, most: int, name: str, said: list[str]) -> str:
    """A text of a run as it may be shown: whole where it is short, without credentials; the very same where it may."""
    if len(text) > most:
        if text[most] != "…" or len(text) > most + 1:
            title = _TITLES.get(name, name.replace("_", " ").capitalize())
            many = f"characters of {text.what}" if isinstance(text, sizes.Cut) else f"of {len(text):,} characters"
            said.append(f"{title}: the first {most:,} {many} are shown.")
        # A credential that is cut through must still look like one.
        return sizes.cut_text(redact(sizes.plain_text(text[: most * 2])), most)
    kept = redact(sizes.plain_text(text))
    return text if kept == text else kept


def _note(note: str) -> str:
    """A sentence of our own, in which a name that is not isolated may steer no more than any other."""
    return without_controls(_shown(note, sizes.LONGEST_TEXT, "", []))


def _first(extra: Mapping[str, Any], said: list[str]) -> Iterable[tuple[str, Any]]:
    if len(extra) <= sizes.MOST_ITEMS:
        return extra.items()
    said.append(f"Of {len(extra):,} further values the first {sizes.MOST_ITEMS:,} are kept.")
    return islice(extra.items(), sizes.MOST_ITEMS)


def _extra(name: str, value: Any, said: list[str]) -> Any:
    if isinstance(value, str):
        return _shown(value, sizes.LONGEST_TEXT, f"column {isolated(name)}", said)
    if isinstance(value, Mapping) and not isinstance(value, sizes.Bounded):
        kept = sizes.bounded(value, f"Column {isolated(name)}")
        said += kept.notes
        return kept
    if isinstance(value, list | int) and not isinstance(value, bool):
        value, notes = sizes.bounded_value(value, f"Column {isolated(name)}")
        said += notes
    return value


def _checkpoint(each: Checkpoint, said: list[str]) -> Checkpoint:
    folder = _shown(each.folder, sizes.LONGEST_TEXT, "checkpoint", said)
    return each if folder is each.folder else replace(each, folder=folder)
