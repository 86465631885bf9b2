"""Where forms of one run lie: in one folder, or in folders that only wrap a log of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from lib.data.formats.forms.form import WANDB_CSV, Form
from lib.data.formats.logged import FilePath, Folder
from lib.data.formats.metric_words import EVAL_WORDS, TRAIN_WORDS, words_of

_WRAPPERS = frozenset((
    "log", "logs", "logging", "train_logs", "training_logs", "text_logs", "csv_logs", "tensorboard", "tensorboards",
    "tb", "tensorboard_logs", "tensorboard_log", "tensorboardlogs", "tb_logs", "tb_log", "tblogs", "tfevents",
    "tf_logs", "event", "events", "summary", "summaries", "runs", "wandb", "files", "metrics", "dvclive", "swanlog",
    "trackio", "catboost_info",
))  # fmt: skip
_WANDB_RUN = re.compile(r"(?:offline-)?run-\d{8}_\d{6}-\w+|latest-run")
_DATE_AND_HOST = re.compile(r"[A-Z][a-z]{2}\d{1,2}_\d{2}-\d{2}-\d{2}_.+")
"""As PyTorch's SummaryWriter names a folder below ``runs``, and the Hugging Face Trainer after it."""

LOOSE_LEVELS = 2
"""So many folders further up a log may lie that is of the same run by what it says, though no name tells it."""

_PLAIN_STEMS = frozenset((
    "log", "logs", "train", "training", "output", "out", "stdout", "stderr", "metrics", "results", "result", "history",
    "train_log", "training_log", "trainer_log", "logging", "main", "run", "console", "err", "progress", "scalars",
    "train_metrics", "training_history", "training_metrics", "events", "loss", "losses", "summary", "nohup", "trainer",
))  # fmt: skip
"""Files that are called so say nothing of which run they are."""
_OF_LOGS = frozenset(("log", "logs", "metrics", "loss", "losses", "history", "stats", "scalars", "curve", "curves"))
"""What else the name of a log of evaluations may say."""
_OF_LAUNCHERS = frozenset((
    "slurm", "job", "jobs", "rank", "node", "gpu", "worker", "host", "pid", "screen", "tmux", "tee", "script", "eval",
    "evaluation", "val", "valid", "validation", "test", "python", "py", "torchrun", "accelerate", "deepspeed", "debug",
    "info", "full", "raw", "copy", "v", "old", "new", "backup", "terminal", "shell", "text", "file", "txt",
))  # fmt: skip
"""Words that people and launchers put into the name of any log."""


def place_of(form: Form) -> Folder:
    """The folder that a form lies in."""
    return form.folder[:-1] if _is_file(form) else form.folder


def levels_of(form: Form) -> Iterator[tuple[Folder, bool]]:
    """The folders that may be the run's, from the one that the form lies in up to the root.

    Yields:
        A folder, and whether all between it and the log only wraps that log. Folders for which that is not so end
        after ``LOOSE_LEVELS``.
    """
    place = place_of(form)
    wraps, loose = True, 0
    yield place, True
    while place and loose < LOOSE_LEVELS:
        wraps = wraps and _is_wrapper(place)
        place = place[:-1]
        loose += not wraps
        yield place, wraps


def is_of_its_folder(form: Form) -> bool:
    """Whether nothing in its own name says that the form is one of several runs that lie in its folder."""
    if form.key:
        return False
    if not _is_file(form):
        return True
    stem = form.folder[-1].casefold().split(".", 1)[0]
    if says_nothing(stem) or re.fullmatch(r"(?:slurm|log)?[-_]?\d+", stem):
        return True
    return bool(form.folder[:-1]) and stem == form.folder[-2].casefold()


def says_nothing(stem: str) -> bool:
    """Whether a file that is called so, without its ending, does not say which run it is of."""
    return stem.casefold() in _PLAIN_STEMS


def are_called_apart(one: Form, other: Form) -> bool:
    """Whether two files beside each other are called after two runs: each has a name, and they share no word of it.

    Example: "llama.log" and "mistral.txt" are; "llama_main.log" and "llama_stdout.log", and "nohup.out" beside any,
    are not.
    """
    if not (_is_file(one) and _is_file(other) and one.folder[:-1] == other.folder[:-1]):
        return False
    words, others = (_telling(form.folder[-1].casefold().split(".", 1)[0]) for form in (one, other))
    return bool(words and others) and words.isdisjoint(others)


def named_alike(forms: Sequence[Form]) -> Iterator[tuple[int, int]]:
    """The positions of forms that are one run by their names, though they have nothing in common to compare."""
    yield from _halves(forms)
    yield from _charts(forms)


def _halves(forms: Sequence[Form]) -> Iterator[tuple[int, int]]:
    """The positions of two files beside each other that are one run, by their names: "train.csv" and "val.csv"."""
    found: dict[tuple[Folder, str, frozenset[str]], dict[bool, list[int]]] = {}
    for at, form in enumerate(forms):
        if form.key or not _is_file(form):
            continue
        words = frozenset(words_of(form.folder[-1].rsplit(".", 1)[0]))
        sides = bool(words & EVAL_WORDS), bool(words & TRAIN_WORDS)
        if sides[0] != sides[1]:
            rest = (form.folder[:-1], form.format, words - EVAL_WORDS - TRAIN_WORDS)
            found.setdefault(rest, {}).setdefault(sides[0], []).append(at)
    for both in found.values():
        if len(both) == 2 and all(len(each) == 1 for each in both.values()):
            yield both[False][0], both[True][0]


def _charts(forms: Sequence[Form]) -> Iterator[tuple[int, int]]:
    """The positions of runs that two charts beside each other show by one name, each in a metric of its own."""
    found: dict[tuple[Folder, str], list[int]] = {}
    for at, form in enumerate(forms):
        if form.format == WANDB_CSV and form.name and form.curves.curves:
            found.setdefault((form.files[0][:-1], form.name), []).append(at)
    for members in found.values():
        metrics = [name for at in members for name in forms[at].curves.curves]
        files = {forms[at].files[0] for at in members}
        if len(set(metrics)) == len(metrics) and len(files) == len(members):
            yield from pairwise(members)


def is_of_evaluation(files: Sequence[FilePath], names: Iterable[str]) -> bool:
    """Whether a log is of evaluations by what its file or folder is called: "val/log.csv", "eval_metrics.csv".

    A name that says more than that counts where none of its metrics says on what it was measured; "dev" may be whoever
    develops.

    Args:
        files: Of the log.
        names: Of its metrics, as the program gave them.
    """
    stem, *folder = (frozenset(words_of(part)) for part in (files[0][-1].rsplit(".", 1)[0], *files[0][-2:-1]))
    if any(words & EVAL_WORDS and words <= EVAL_WORDS | _OF_LOGS for words in (stem, *folder)):
        return True
    is_said = any((EVAL_WORDS | TRAIN_WORDS) & set(words_of(name)) for name in names)
    return bool(stem & (EVAL_WORDS - {"dev"})) and not stem & TRAIN_WORDS and not is_said


def _telling(stem: str) -> frozenset[str]:
    """The words of a file's name that may be those of a run."""
    return frozenset(re.findall(r"[^\W\d_]+", stem)) - _PLAIN_STEMS - _OF_LAUNCHERS


def is_within(form: Form, folder: Folder) -> bool:
    """Whether a form lies in a folder or below it."""
    return place_of(form)[: len(folder)] == folder


def _is_file(form: Form) -> bool:
    return form.folder in form.files


def _is_wrapper(folder: Folder) -> bool:
    name = folder[-1]
    if name.casefold() in _WRAPPERS or _WANDB_RUN.fullmatch(name):
        return True
    return len(folder) > 1 and folder[-2] == "runs" and _DATE_AND_HOST.fullmatch(name) is not None
