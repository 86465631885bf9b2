"""What the lines of a log say that state no metrics: settings, plans, how it ended."""

from __future__ import annotations

import re
import zlib
from array import array
from dataclasses import dataclass, field
from typing import Any

import numpy as np

MAX_OTHER_LINES = 500_000
"""So many lines that are none of metrics are remembered, to know the head of a log again."""
_SHORTEST_HEADER = 8

_DIGITS = re.compile(r"\d+(?:\.\d+)?")
# It ends with what is no blank, so that the blanks behind it are not tried from each of its places.
_VALUE = r"(\s|.{0,299}\S)\s*+"
_MEGATRON = re.compile(rf"\s{{2}}([a-z_]\w{{0,60}}) \.{{3,60}} {_VALUE}")
_OVERRIDE = re.compile(rf"Overriding(?: config)?: ([a-z_]\w{{0,60}}) = {_VALUE}")
_STATED = re.compile(r"(?:^|[\s:|])(Total optimization steps|Num Epochs|Num examples) ?[=:] ?([\d,]{1,20})\b")
_ERROR = re.compile(r"(?:[\w.]{1,100}\.)?(\w{0,80}(?:Error|Exception|Interrupt|Exit|OutOfMemory\w{0,20}))(?::.*+)?\s*+")
_TRAINING = r"(?:model )?(?:training|fine-?tuning|pre-?training)(?: loop| run| process)?"
_OVER = re.compile(
    rf"(?:{_TRAINING}(?: is| has| was)?(?: been)?(?: now)?(?: successfully)?"
    r" (?:complete|completed|finished|done|over|ended)"
    rf"|(?:finished|completed|done)(?: with)?(?: the)? {_TRAINING})"
    r"(?:[ !.:,;(-].{0,300})?",
    re.I,
)
_STOPPED = re.compile(
    r"(?!.{0,300}\bnan\b)(?:`?Trainer\.fit`? stopped: `?max_\w{1,20}=[\d:]{1,20}`? reached\.?"
    r"|early[ -]?stop(?:ping|ped)?(?: criterion| condition)?(?: was| is| has been)?[ :!,]{1,3}"
    r"(?:triggered|activated|reached|met|at (?:epoch|step|iteration))\b.{0,200}"
    r"|stopp?(?:ing|ed) (?:training )?early\b.{0,200}|train_runtime {1,40}= .{1,40})",
    re.I,
)
"""Ends on purpose: by a limit, by a callback, and what the Trainer prints of a training behind it."""
_ENDS = (
    (re.compile(r"[\w./-]{1,200}: line \d{1,6}: {1,9}\d{1,9} Killed\b.{0,300}|Killed"), "Killed"),
    (re.compile(r"Segmentation fault\b.{0,100}|.{0,200}\bSIGSEGV\b.{0,100}"), "Segmentation fault"),
    (re.compile(r"terminate called after throwing .{0,200}|Aborted \(core dumped\).{0,100}"), "Aborted"),
    (re.compile(r"Terminated"), "Terminated"),
    (re.compile(r"(?:slurmstepd|srun): error: .{0,200}\bCANCELLED\b.{0,200}"), "Cancelled by Slurm"),
    (re.compile(r"(?:slurmstepd|srun): error: .{0,200}\boom.kill.{0,200}", re.I), "Out of memory"),
    (re.compile(r"(?:[\w.]{1,100}\.)?OutOfMemoryError: .{0,2000}|CUDA out of memory\b.{0,2000}"), "OutOfMemoryError"),
    (re.compile(r"(?:[\w.]{1,100}\.)?ChildFailedError:.{0,300}"), "ChildFailedError"),
    (re.compile(r".{0,100}\bProcess completed with exit code [1-9]\d{0,2}\.?"), "Exit code"),
)
"""What the system, a launcher or a driver says of a process that it ended, and what that is called."""
CANCELLATIONS = frozenset(("KeyboardInterrupt", "Terminated", "Cancelled by Slurm"))
_COUNTED = re.compile(r"\b[\d,]{1,20} (?:steps?|epochs?|iterations?)\b", re.I)
_NOT_OVER = re.compile(
    r"\b(?:epochs?|fold|steps?|iterations?|iter|stage|phase|batch|false|not|no|when|until|if|tokenizer|early|aborted"
    r"|interrupted|error|failed|failure|nan)\b",
    re.I,
)
"""With one of these it is the end of a part, or a condition, or no good end."""
_DONE = re.compile(r"(?:all )?(?:done|finished|completed?)[.! ]{0,5}", re.I)
# What was taken is not tried otherwise: of a row of numbers each comma could stand between two or inside one.
_EVALUATES = re.compile(
    r"(?:(?:now|start(?:ing|ed)?|begin(?:ning)?|running|run|doing|performing|the) )*"
    r"(?:evaluat(?:ion|e|ing)|validat(?:ion|e|ing)|eval|val)"
    r"(?:[\s,;:.!()\[\]/-]{1,5}+(?:(?:on|of|at|after|for|the|a|step|epoch|iteration|set|subset|data|dataset|split|loop|phase"
    r"|metrics?|results?|perplexity|loss|accuracy|scores?|model|batch|begins?|started|train|test|dev|val|valid|validation"
    r"|eval|evaluation)\b|\d[\d,./]{0,20}+|[\"'][\w./-]{1,60}[\"']))*+[\s,;:.!)\]-]*",
    re.I,
)
"""Nothing but words for what is evaluated, and when: "Validation loss decreased, saving" heads nothing."""
_TRAINS = re.compile(
    r"(?:(?:start(?:ing|ed)? |begin(?:ning)? |running |run |resum(?:e|ing) )*)(?:training|train)", re.I
)
_LEVEL = re.compile(
    r"^[\W\d]*(?:(?:[\w.]{1,40}\.py:\d{1,6}|\b(?:info|root|__main__|train(?:er)?)\b)[\W\d]+){0,4}", re.I
)
_TRACEBACK = "Traceback (most recent call last)"


@dataclass(slots=True)
class Words:
    """What was said.

    Attributes:
        numbers, marks: Which lines said nothing that is understood, and what tells them apart.
        config: Settings by section.
        stated: Plans by their names.
        broke_at: The line that the last traceback begins with; -1 for none.
        error: What it ends with.
        over: The lines that say that training came to its end; and those that say "done" of whatever.
        evaluates: Lines that are headers of an evaluation, or of training, and which of both.
    """

    numbers: array[int] = field(default_factory=lambda: array("q"))
    marks: array[int] = field(default_factory=lambda: array("q"))
    config: dict[str, dict[str, Any]] = field(default_factory=dict)
    stated: dict[str, float] = field(default_factory=dict)
    broke_at: int = -1
    error: str = ""
    over: list[int] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    evaluates: list[tuple[int, bool]] = field(default_factory=list)

    def read(self, number: int, text: str) -> None:
        """Take a line that states no metrics and has no bar."""
        if found := _MEGATRON.fullmatch(text):
            self.config.setdefault("args", {})[found[1]] = found[2]
        elif found := _OVERRIDE.fullmatch(text):
            self.config.setdefault("overrides", {})[found[1]] = found[2]
        for found in _STATED.finditer(text):
            self.stated[found[1]] = float(found[2].replace(",", "") or "nan")
        if (evaluates := heads_evaluation(text)) is not None:
            self.evaluates.append((number, evaluates))
        elif is_over(text):
            self.over.append(number)
        elif _DONE.fullmatch(_said(text)):
            self.done.append(number)
        bare = text.strip().removeprefix("^C")
        if bare.startswith(_TRACEBACK):
            self.broke_at, self.error = number, ""
        elif self.broke_at >= 0 and (error := _ERROR.fullmatch(text.lstrip())):
            self.error = error[1]
        elif not self.over and not self.error and (ended := ended_by(bare)):
            # Whoever is ended behind the end of training ended nothing.
            self.broke_at, self.error = number, ended
        if (mark := mark_of(text)) is not None and len(self.marks) < MAX_OTHER_LINES:
            self.numbers.append(number)
            self.marks.append(mark)

    def add_marks(self, numbers: np.ndarray, marks: np.ndarray) -> None:
        """The same for many lines that say nothing else."""
        left = max(MAX_OTHER_LINES - len(self.marks), 0)
        self.numbers.frombytes(numbers[:left].astype("int64").tobytes())
        self.marks.frombytes(marks[:left].astype("int64").tobytes())


def heads_evaluation(text: str) -> bool | None:
    """Whether a line stands above what an evaluation came to, or training did (``False``); ``None`` for other lines.

    Example:
        >>> [heads_evaluation(each) for each in ("***** Running Evaluation *****", "Train:", "Evaluation took 3 s")]
        [True, False, None]
    """
    if len(text) > 200:
        return None
    said = _said(text).rstrip(":")
    if _EVALUATES.fullmatch(said):
        return True
    return False if _TRAINS.fullmatch(text.strip(" \t=-*#>|~:")) else None


def ended_by(text: str) -> str:
    """By what a line says that a process was ended; "" where it says nothing of that.

    Example:
        >>> [ended_by(each) for each in ("train.sh: line 7:  1234 Killed  python train.py", "Killed time: 3 s")]
        ['Killed', '']
    """
    return next((word for pattern, word in _ENDS if pattern.fullmatch(text)), "")


def is_over(text: str) -> bool:
    """Whether a line says that the whole training came to its end.

    Example:
        >>> [is_over(each) for each in ("INFO - Training complete in 3m 20s", "Training complete for epoch 3")]
        [True, False]
    """
    if len(text) <= 400 and (_STOPPED.fullmatch(_said(text)) or _STOPPED.fullmatch(text.strip())):
        return True
    if len(text) > 400 or not (found := _OVER.fullmatch(_said(text))):
        return False
    return not _NOT_OVER.search(_COUNTED.sub("", found[0]))


def _said(text: str) -> str:
    """What a line says behind the words and signs that a logger puts before it."""
    return _LEVEL.sub("", text[:500]).strip(" \t=-*#>|~✓✔🎉")


def says_something(text: str) -> bool:
    """Whether a line says more than its mark."""
    bare = text.lstrip()
    return bool(
        _MEGATRON.fullmatch(text)
        or _OVERRIDE.fullmatch(text)
        or _STATED.search(text)
        or bare.removeprefix("^C").startswith(_TRACEBACK)
        or ended_by(text.strip())
        or heads_evaluation(text) is not None
        or is_over(text)
        or _DONE.fullmatch(_said(text))
        or _ERROR.fullmatch(bare)
    )


def mark_of(text: str) -> int | None:
    """What tells a line apart from those that differ in more than numbers; ``None`` for a short one."""
    words = _DIGITS.sub("#", text).strip()
    return zlib.crc32(words.encode("utf-8", "replace")) if len(words) >= _SHORTEST_HEADER else None
