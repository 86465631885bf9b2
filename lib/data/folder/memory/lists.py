"""The list that was made of a tree, remembered beside what was read in it.

A start shows it as soon as the same tree was walked through again. Of its runs those are made that somebody looks at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from lib.core.facts.query import RunFacts, Unreadable, Unused, facts_of
from lib.core.facts.runs import RunStatus, RunSummary
from lib.data.folder.memory.remembered import Remembered
from lib.data.folder.memory.texts import content_of, made_of, text_of

LEAST_LISTED = 1000
"""Shorter lists are made anew before anybody notices."""
Stored = tuple["StoredRuns", tuple[Unreadable, ...], tuple[Unused, ...]]


class StoredRuns(Mapping[str, RunSummary]):
    """Runs by their ids, each made when it is asked for.

    Args:
        facts: Of each, in order.
        texts: Each as JSON.

    Attributes:
        facts: As given.
    """

    def __init__(self, facts: Sequence[RunFacts], texts: Sequence[str]) -> None:
        self.facts = facts
        self._texts = dict(zip((each.run_id for each in facts), texts, strict=True))
        self._made: dict[str, RunSummary] = {}

    def __getitem__(self, run_id: str) -> RunSummary:
        made = self._made.get(run_id)
        if made is None:
            made = self._made[run_id] = made_of(RunSummary, content_of(self._texts[run_id]))
        return made

    def __contains__(self, run_id: object) -> bool:
        return run_id in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


class StoredLists:
    """The lists of one root. No call raises.

    Args:
        remembered: Holds them.
    """

    def __init__(self, remembered: Remembered) -> None:
        self._remembered = remembered

    def load(self, scan: str) -> Stored | None:
        """The runs of the list that was made of a tree, what could not be read in it, and what is no run."""
        text = self._remembered.list_of(scan)
        if text is None:
            return None
        try:
            said = content_of(text)
            runs = StoredRuns([_facts_from(each) for each in said["facts"]], said["runs"])
            unreadable = tuple(made_of(Unreadable, each) for each in said["unreadable"])
            return runs, unreadable, tuple(made_of(Unused, each) for each in said["unused"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None  # Damaged: it is made anew.

    def store(
        self,
        scan: str,
        runs: Mapping[str, RunSummary],
        unreadable: Sequence[Unreadable],
        unused: Sequence[Unused],
    ) -> None:
        """Take the list of a tree in the place of the one before."""
        texts = [text_of(run) for run in runs.values()]
        if None in texts:
            return
        said = {
            "facts": [_facts_to(facts_of(run)) for run in runs.values()],
            "runs": texts,
            "unreadable": unreadable,
            "unused": unused,
        }
        if (text := text_of(said)) is not None:
            self._remembered.store_list(scan, text)


def _facts_to(facts: RunFacts) -> list[Any]:
    *others, created = facts
    return [*others, None if created is None else created.isoformat()]


def _facts_from(said: Sequence[Any]) -> RunFacts:
    run_id, name, text, status, losses, perplexity, speed, duration_s, created = said
    moment = None if created is None else datetime.fromisoformat(created)
    return RunFacts(run_id, name, text, RunStatus(status), tuple(losses), perplexity, speed, duration_s, moment)
