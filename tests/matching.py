"""What a search of the run list means, written down a second time."""

from __future__ import annotations

from lib.core.facts.runs import RunSummary


def matches(run: RunSummary, search: str) -> bool:
    """Every word, in any case, occurs in the run's name, dataset, id or base model."""
    fields = [text.casefold() for text in (run.name, run.dataset, run.run_id, run.base_model) if text]
    return all(any(word in field for field in fields) for word in search.casefold().split())
