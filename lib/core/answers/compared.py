"""The comparison as people read it: one row for one fact, and no difference that is none.

A learning rate that was configured, logged and written into a folder's name is one setting; what a log rounds away
does not differ; and the settings of a method that a run does not use are one row that says so.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from lib.core.config.derived import DIGITS
from lib.core.config.diff import DiffRow, class_of, diff, told_apart
from lib.core.config.notes import PEAK_TOLERANCE
from lib.core.config.parameters import SECTION_NAMES, Group
from lib.core.config.report import LOGGED_RATES
from lib.core.config.setting import title_of
from lib.core.config.training_method import METHOD_WORDS
from lib.core.config.values import MISSING, Comparable, Comparison, Sentinel
from lib.core.curves.metric_curves import MetricCurve
from lib.core.curves.peak_rate import refuting_peak
from lib.core.facts.runs import RunSummary
from lib.core.facts.values import finite

UNSEEN = 0.1
"""A configured peak may lie this share above the highest learning rate of a log that shows one value in many."""

NOT_RECORDED = "not recorded"
NO_CONFIGURATION = "configuration not logged"
"""What is shown for a setting that others state of a run that states none at all: that is no difference."""
ROWS_OF_METHOD = 2
"""A section with fewer rows is no method that needs a row of its own."""

_SWITCHES = frozenset(("finetuning_type", "use_lora", "use_peft"))
_OFF = frozenset(("full", "freeze", "none", "false", "full_finetuning", "no"))
_QUANTIZATION = frozenset(("quantization", "load_in_4bit", "load_in_8bit", "double_quant"))


def compared(runs: Sequence[RunSummary], rates: Mapping[str, MetricCurve] | None = None) -> tuple[DiffRow, ...]:
    """Compare the effective hyperparameters of runs, as ``diff`` does, with one row for one fact.

    Args:
        runs: The runs.
        rates: By run id, the learning rates that each logged: a log shows its peak only where it logged there.
    """
    rows = _one_learning_rate(diff(runs))
    rows = tuple(_without_rounding(row, runs, rates or {}) for row in rows)
    return _with_configurations(_with_methods(rows))


def _one_learning_rate(rows: Sequence[DiffRow]) -> tuple[DiffRow, ...]:
    """Make what was logged of the learning rate places of its row."""
    absorbed = {row.key: row for row in rows if row.key in LOGGED_RATES and _is_logged(row)}
    if not absorbed or all(row.key != "learning_rate" for row in rows):
        return tuple(rows)
    return tuple(
        replace(row, places=tuple(_with_logged(row, run, absorbed) for run in range(len(row.values))))
        if row.key == "learning_rate"
        else row
        for row in rows
        if row.key not in absorbed
    )


def _is_logged(row: DiffRow) -> bool:
    return all(source in ("", f"column {row.key}") for source in row.sources)


def _with_logged(row: DiffRow, run: int, absorbed: Mapping[str, DiffRow]) -> tuple[tuple[str, object], ...]:
    known = row.places[run]
    logged = [
        (LOGGED_RATES[key], other.values[run])
        for key, other in absorbed.items()
        if other.values[run] is not MISSING and other.sources[run] not in (source for source, _ in known)
    ]
    return (*known, *logged)


def _without_rounding(row: DiffRow, runs: Sequence[RunSummary], rates: Mapping[str, MetricCurve]) -> DiffRow:
    """The row, with values that differ by no more than a log rounds as one."""
    if not row.differs:
        return row
    explains: Callable[[int, float], bool]
    if row.key == "learning_rate":
        column = "column max_learning_rate"
        explains = lambda run, value: _may_be_peak(row.values[run], value, runs[run], rates)  # noqa: E731
        # A float's last digits are noise of the schedule's arithmetic.
        values = tuple(
            float(f"{value:.{DIGITS}g}") if source == column and isinstance(value, float) else value
            for value, source in zip(row.values, row.sources, strict=True)
        )
        row = replace(row, values=values)
    elif row.key == "total_epochs":
        column = "column total_epochs"
        explains = lambda run, value: _is_whole_of(row.values[run], value)  # noqa: E731
    else:
        return row
    classes = [class_of(row.key, value, row.comparison) for value in row.values]
    rounded = [run for run, source in enumerate(row.sources) if source == column]
    exact = [run for run in range(len(classes)) if run not in rounded]
    for run in rounded:
        # What is stated stands for what was logged, and of logs the first.
        others = [other for other in (*exact, *rounded) if other != run and other not in rounded[rounded.index(run) :]]
        for other in others:
            mine, theirs = finite(row.values[run]), finite(row.values[other])
            if mine is None or theirs is None:
                continue
            if explains(run, theirs) or (other in rounded and explains(other, mine)):
                classes[run] = classes[other]
                break
    differs, odd = told_apart(classes)
    return replace(row, differs=differs, odd=odd)


def _may_be_peak(logged: object, value: float, run: RunSummary, rates: Mapping[str, MetricCurve]) -> bool:
    """Whether a schedule with this peak may have been logged like this."""
    highest = finite(logged)
    if highest is None or highest <= 0.0 or value <= 0.0:
        return False
    if abs(value - highest) <= PEAK_TOLERANCE * highest:
        return True
    curve = rates.get(run.run_id)
    if curve is None or not len(curve) or not highest < value <= highest * (1.0 + UNSEEN):
        return False
    return refuting_peak(curve, value, run.total_steps, PEAK_TOLERANCE) is None


def _is_whole_of(whole: object, value: float) -> bool:
    """Whether an integer column merely rounds a number of epochs."""
    return not value.is_integer() and finite(whole) in (math.floor(value), math.ceil(value))


def method_of(row: DiffRow) -> str:
    """The method that a setting belongs to, as people call it; "" for what every run has.

    Example:
        >>> [method_of(row) for row in diff([RunSummary(run_id="r", name="r", config={"lora_r": 8, "seed": 1})])]
        ['LoRA', '']
    """
    if row.key in _SWITCHES or row.is_identity:
        return ""
    if row.group is Group.LORA:
        return "LoRA"
    if row.key in _QUANTIZATION or row.key.startswith("bnb_"):
        return "quantization"
    first, dot, _ = row.key.partition(".")
    # A section that is known by name holds what every run has: data, model, tokenizer.
    if not dot or first.lower() in SECTION_NAMES or row.key.startswith('"'):
        return ""
    method = METHOD_WORDS.get(first.lower())
    return title_of(first) if method is None else method.value


def _with_methods(rows: Sequence[DiffRow]) -> tuple[DiffRow, ...]:
    """Mark what a run has not because it does not use the method, and say that in one row for each."""
    methods: dict[str, list[DiffRow]] = defaultdict(list)
    for row in rows:
        methods[method_of(row)].append(row)
    count = len(rows[0].values) if rows else 0
    configured = [any(is_configured(row, run) for row in rows) for run in range(count)]
    off = {run for row in rows if row.key in _SWITCHES for run in range(count) if _is_off(row.values[run])}
    marked: dict[str, DiffRow] = {}
    heads: dict[str, DiffRow] = {}
    for method, own in methods.items():
        uses = [
            not (method == "LoRA" and run in off) and any(_states(row.values[run]) for row in own)
            for run in range(count)
        ]
        if not method or all(uses) or len(own) < ROWS_OF_METHOD:
            continue
        unused = tuple(
            "" if used else f"no {method}" if configured[run] else NOT_RECORDED for run, used in enumerate(uses)
        )
        marked |= {row.key: _unused(row, unused) for row in own}
        if any(uses):
            heads[own[0].key] = _head(method, own, unused)
    found: list[DiffRow] = []
    for row in rows:
        found += [heads[row.key]] if row.key in heads else []
        found.append(marked.get(row.key, row))
    return tuple(found)


def unconfigured(rows: Sequence[DiffRow]) -> frozenset[int]:
    """The places of runs that logged no configuration, where others did."""
    runs = range(len(rows[0].values) if rows else 0)
    having = {run for run in runs if any(is_configured(row, run) for row in rows)}
    return frozenset(runs) - having if having else frozenset()


def _with_configurations(rows: Sequence[DiffRow]) -> tuple[DiffRow, ...]:
    """Mark what a run does not state because nothing of its configuration was logged."""
    lacking = unconfigured(rows)
    if not lacking:
        return tuple(rows)
    found = []
    for row in rows:
        before = row.unused or ("",) * len(row.values)
        unused = tuple(
            why or (NO_CONFIGURATION if run in lacking and not row.sources[run] and row.values[run] is MISSING else "")
            for run, why in enumerate(before)
        )
        if row.is_identity:
            found.append(row)
        elif all(run in lacking for run, source in enumerate(row.sources) if source):
            # Of what only logs show, such as the epochs, a configuration may not speak.
            said = tuple("" if source else why or NOT_RECORDED for source, why in zip(row.sources, unused, strict=True))
            found.append(_unused(row, said))
        else:
            found.append(row if unused == before else _unused(row, unused))
    return tuple(found)


def _unused(row: DiffRow, unused: tuple[str, ...]) -> DiffRow:
    classes: list[Comparable | None] = [
        None if why else class_of(row.key, value, row.comparison) for value, why in zip(row.values, unused, strict=True)
    ]
    differs, odd = told_apart(classes)
    return replace(row, unused=unused, differs=row.differs and differs, odd=odd if row.differs else row.odd)


def _head(method: str, own: Sequence[DiffRow], unused: tuple[str, ...]) -> DiffRow:
    values = tuple(why or _main_values(method, own, run) for run, why in enumerate(unused))
    differs, odd = told_apart([None if why == NOT_RECORDED else ("unused",) if why else ("used",) for why in unused])
    nothing: tuple[tuple[()], ...] = ((),) * len(unused)
    return DiffRow(
        key=f"uses {method}",
        title=method[:1].upper() + method[1:],
        group=own[0].group,
        values=values,
        differs=differs,
        odd=odd,
        sources=tuple("" if why else "by what is stated of it" for why in unused),
        places=nothing,
        remarks=nothing,
        comparison=Comparison.TEXT,
        unused=tuple(why if why == NOT_RECORDED else "" for why in unused),
    )


def _main_values(method: str, own: Sequence[DiffRow], run: int) -> str:
    """What a run has of a method in short."""
    shown = {row.key: row.shown[run] for row in own if _states(row.values[run])}
    main = {"lora_r": "rank ", "lora_alpha": "alpha ", "quantization": ""}
    said = [f"{title}{shown[key]}" for key, title in main.items() if key in shown]
    return ", ".join(said) or f"with {method}"


def is_configured(row: DiffRow, run: int) -> bool:
    """Whether a run's own configuration states this, and not only its log: a method that was used would stand there."""
    source = row.sources[run]
    return source.startswith("config.") and not source.startswith("config.trainer_state.") and not row.is_identity


def _states(value: object) -> bool:
    return not isinstance(value, Sentinel) and value not in (None, False, "", (), [], {})


def _is_off(value: object) -> bool:
    return value is False or (isinstance(value, str) and value.strip().lower() in _OFF)
