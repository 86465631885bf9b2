"""Rows of a comparison as a report on single runs: values with their places, and what is odd."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lib.core.config.diff import DiffRow
from lib.core.config.setting import Oddity
from lib.core.config.values import MISSING
from lib.core.facts.runs import RunSummary


@dataclass(frozen=True, slots=True)
class OddSetting:
    """One thing that is odd about the configuration of one run.

    Attributes:
        run: The position of the run among those compared.
        titles: The parameters that it is about.
        sentence: For people, whole. Plain text: whoever renders it escapes it.
        places: For a contradiction, the places that disagree, each with its value as it is shown.
        used: The place that counts; "" where there is none or none is known.
    """

    run: int
    kind: Oddity
    titles: tuple[str, ...]
    sentence: str
    places: tuple[tuple[str, str], ...]
    used: str


def odd_settings(rows: Iterable[DiffRow]) -> tuple[OddSetting, ...]:
    """Return what is odd in each run's own configuration, by run, then in the order of the rows.

    What concerns several parameters is said once.
    """
    found: dict[tuple[int, str], OddSetting] = {}
    for row in rows:
        for run, remarks in enumerate(row.remarks):
            for remark in remarks:
                known = found.get((run, remark.sentence))
                titles = (*known.titles, row.title) if known else (row.title,)
                found[run, remark.sentence] = OddSetting(
                    run, remark.kind, titles, remark.sentence, remark.places, remark.used
                )
    return tuple(sorted(found.values(), key=lambda one: one.run))


def effective_table(rows: Iterable[DiffRow], run: int) -> list[tuple[str, str, str, str, str]]:
    """Return the effective configuration of one run, a tuple for each parameter that it states.

    Args:
        rows: The rows of a comparison.
        run: The position of the run in them.

    Returns:
        Title, value, the place it is from, the other places that state it, and the group. What is overridden
        comes with its value.
    """
    return [
        (row.title, row.shown[run], row.sources[run], _other_places(row, run), row.group.value)
        for row in rows
        if row.values[run] is not MISSING or row.sources[run]
    ]


def tokens_per_step(run: RunSummary) -> float | None:
    """Return how many tokens an optimizer step processed on average, as the job counted them.

    ``None`` where the counts are not recorded, and for a resumed run, whose tokens may be counted anew
    while its steps go on.
    """
    tokens, steps = run.total_tokens_processed, run.current_step
    if not tokens or not steps or run.resumed_from_run_id or run.resumed_from_checkpoint:
        return None
    return tokens / steps


def _other_places(row: DiffRow, run: int) -> str:
    """The places that the effective value overrides, with their values, then those that agree with it."""
    differing = {
        source: shown
        for remark in row.remarks[run]
        for source, shown in remark.places
        if source != row.sources[run] and any(source == place for place, _ in row.places[run])
    }
    agreeing = [source for source, value in row.places[run][1:] if source not in differing and value is not None]
    overridden = ", ".join(f"{source} = {shown}" for source, shown in differing.items())
    parts = (f"overrides {overridden}" if overridden else "", f"same in {', '.join(agreeing)}" if agreeing else "")
    return "; ".join(part for part in parts if part)
