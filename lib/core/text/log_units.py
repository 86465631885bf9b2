"""What the steps in a sentence are called, by what the log of its run counts."""

from __future__ import annotations

import re

from lib.core.facts.runs import RunSummary

_KEPT = re.compile('("[^"]*")')
"""What others wrote stands in quotes."""
_STEP = re.compile(
    r"(?<![\w./-])(?<!optimizer )(?<!accumulation )(?P<article>[Aa] )?(?P<first>[Ss])tep(?P<many>s?)(?![\w/-])"
)
"""Those of an optimizer, and batches that are accumulated, are no epochs whatever the log counts."""


def unit_of(run: RunSummary) -> str:
    """What the log of a run counts: "step", or "epoch" where it counts nothing else."""
    return "epoch" if run.steps_are_epochs else "step"


def by_unit(sentence: str, run: RunSummary) -> str:
    """A sentence about steps of a run, about its epochs where its log counts these.

    What stands in double quotes, and optimizer and accumulation steps, stay.

    Args:
        sentence: Of ours.
        run: The run that it is about, and no other one.
    """
    return in_epochs(sentence) if run.steps_are_epochs else sentence


def in_epochs(sentence: str) -> str:
    """A sentence about steps as one about epochs.

    Example:
        >>> in_epochs('Rises from step 3 on, in "step 9": a step of 8 optimizer steps.')
        'Rises from epoch 3 on, in "step 9": an epoch of 8 optimizer steps.'
    """
    parts = _KEPT.split(sentence)
    return "".join(part if part.startswith('"') else _STEP.sub(_epoch, part) for part in parts)


def _epoch(found: re.Match[str]) -> str:
    article = found["article"]
    article = "" if article is None else f"{article[0]}n "
    return f"{article}{'E' if found['first'] == 'S' else 'e'}poch{found['many']}"
