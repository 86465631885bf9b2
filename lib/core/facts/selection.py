"""Which runs are compared, and which of the five colours each has. Nothing here knows of widgets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

MAX_SELECTED = 5
"""More curves than this cannot be told apart by colour, nor read in one table row by row."""
MOST_NAMED = 3
"""Of many runs that a link asks for in vain, so many are named."""
UPLOADED = "upload~"
"""What the ids of uploaded runs begin with. No id of a source does: one made of a path has no tilde, and no database is
known to make such ids."""
UPLOADED_WORD, UPLOADED_SIGN = "uploaded", "↑"
"""Behind the name of a run that this session uploaded; the sign where there is little room."""
BASELINE_WORD = "baseline"
"""Behind or below the name of the run that the others are compared with."""
LIMIT_REACHED = f"At most {MAX_SELECTED} runs can be compared; deselect one to choose another."


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What became of the ids that were asked for; every id stands in one of the three.

    Attributes:
        ids: Selected, in the order asked for.
        gone: Not among the available: deleted, or not for this reader.
        over: Available, but beyond ``MAX_SELECTED``.
    """

    ids: tuple[str, ...]
    gone: tuple[str, ...] = ()
    over: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was left out and why; empty where nothing was."""
        said = []
        uploaded = sum(map(is_uploaded, self.gone))
        if uploaded:
            what = "1 uploaded run is" if uploaded == 1 else f"{uploaded} uploaded runs are"
            said.append(f"{what} not in this link: uploads stay in the browser session that made them.")
        if gone := [run_id for run_id in self.gone if not is_uploaded(run_id)]:
            said.append(f"{_runs(gone)} left out: deleted, or not visible to this reader ({_named(gone)}).")
        if self.over:
            said.append(f"{_runs(self.over)} left out: at most {MAX_SELECTED} can be compared ({_named(self.over)}).")
        return tuple(said)


def is_uploaded(run_id: str) -> bool:
    """Whether an id is that of an uploaded run, of this session or of another one."""
    return run_id.startswith(UPLOADED)


def reconcile(wanted: Iterable[str], available: Iterable[str]) -> Reconciled:
    """Keep the wanted ids that exist: once each, in their order, at most ``MAX_SELECTED``.

    Example:
        >>> reconcile(["b", "x", "a", "b"], {"a", "b", "c"})
        Reconciled(ids=('b', 'a'), gone=('x',), over=())
    """
    once, existing = tuple(dict.fromkeys(wanted)), set(available)
    found = tuple(run_id for run_id in once if run_id in existing)
    gone = tuple(run_id for run_id in once if run_id not in existing)
    return Reconciled(found[:MAX_SELECTED], gone, found[MAX_SELECTED:])


def toggle(selected: Sequence[str], run_id: str, on: bool) -> tuple[str, ...]:
    """Select a run (at the end) or deselect it; at the limit nothing can be added.

    Example:
        >>> toggle(("a", "b"), "c", True), toggle(("a", "b"), "a", False)
        (('a', 'b', 'c'), ('b',))
    """
    once = tuple(dict.fromkeys(selected))
    if not on:
        return tuple(other for other in once if other != run_id)
    return once if run_id in once or len(once) >= MAX_SELECTED else (*once, run_id)


def assign_slots(previous: Mapping[str, int], selected: Sequence[str]) -> dict[str, int]:
    """Give every selected run a colour slot, 0 to ``MAX_SELECTED - 1``.

    A run keeps its slot as long as it is selected, whatever happens to the others; a newly selected
    run takes the lowest free slot.

    Args:
        previous: The slots before this change.
        selected: The runs selected now, in order.

    Raises:
        ValueError: If more than ``MAX_SELECTED`` runs are selected.

    Example:
        >>> assign_slots({"a": 0, "b": 1, "c": 2}, ["a", "c", "d"])
        {'a': 0, 'c': 2, 'd': 1}
    """
    once = tuple(dict.fromkeys(selected))
    if len(once) > MAX_SELECTED:
        raise ValueError(f"At most {MAX_SELECTED} runs have a colour, got {len(once)}.")
    kept: dict[int, str] = {}
    for run_id in once:
        slot = previous.get(run_id)
        # A slot out of range or held twice can only come from a state that is not ours: as if new.
        if slot is not None and slot in range(MAX_SELECTED):
            kept.setdefault(slot, run_id)
    slots = {run_id: slot for slot, run_id in kept.items()}
    free = iter(slot for slot in range(MAX_SELECTED) if slot not in kept)
    return {run_id: slots[run_id] if run_id in slots else next(free) for run_id in once}


def _runs(run_ids: Sequence[str]) -> str:
    return f"{len(run_ids)} run was" if len(run_ids) == 1 else f"{len(run_ids)} runs were"


def _named(run_ids: Sequence[str]) -> str:
    more = len(run_ids) - MOST_NAMED
    return ", ".join(run_ids[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
