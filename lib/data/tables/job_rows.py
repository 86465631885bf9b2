"""Reading a row of the jobs table into a run.

Rows come from a database client, a JSON answer or a Parquet file, so a value may be a number, its text,
a numpy scalar, a ``Decimal`` or one of pandas' nulls. All of them are understood here and nowhere else.
"""

from __future__ import annotations

import hashlib
import marshal
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from lib.core.facts.errors import MalformedRow
from lib.core.facts.foreign import isolated
from lib.core.facts.runs import RunStatus, RunSummary, normalise_status
from lib.core.facts.sizes import LONGEST_ID, Cut
from lib.core.facts.values import finite, moment, number, text, whole
from lib.data.tables.json_rows import Broken, value_of_json

JOBS_TABLE = "local_training_jobs"
SHORT_ID_LENGTH = 8
"""What a run without any name is called: so many characters of its id, as far as the first hyphen of a uuid."""

_READERS = {
    number: (
        "current_epoch total_epochs learning_rate max_learning_rate min_learning_rate"
        " loss final_loss eval_loss final_eval_loss best_eval_loss best_epoch perplexity"
        " samples_per_second tokens_per_second"
    ),
    whole: (
        "current_step total_steps batch_size gradient_accumulation_steps warmup_steps num_gpus best_step"
        " total_samples train_samples val_samples total_tokens_processed"
    ),
    moment: "created_at started_at completed_at updated_at",
    text: "base_model distributed_strategy best_checkpoint_path resumed_from_checkpoint error_message",
}
_FIELDS = {name: read for read, names in _READERS.items() for name in names.split()}
_EXPECTED = {number: "a number", whole: "a whole number", moment: "a moment", text: "text"}
_RENAMED = {"id", "model_name", "status", "dataset_path", "resumed_from_job_id", "config", "progress"}

CLOCKS_DIFFER = timedelta(minutes=10)
"""The clocks of a trainer, a database and this machine may differ by so much."""
SHOWN = 40
"""Characters of a value that was not expected."""
MOST_WHOLE = 2**63
"""Of PostgreSQL's largest integer: no count comes near it."""

_CREDENTIAL = re.compile(
    r"(?<![a-z])(token|key|apikey|secrets?|passw(or)?d|passphrase|authorization|credentials?|bearer)(?![a-z])"
)
"""Words of a column's name that say it holds a credential. "tokens" is a count, and no such word."""


def run_from_row(
    row: Mapping[str, Any], table: str = JOBS_TABLE, *, versioned: bool = True, now: datetime | None = None
) -> RunSummary:
    """Read one row of the jobs table.

    Columns may be missing. What a column holds and cannot be read as is left out and named in ``notes``.
    Columns without a field of their own go to ``extra``, except nulls and credentials: those, above all
    ``job_token``, are kept nowhere. The version of the run follows from all the others, understood or not.

    Args:
        row: Column name to value.
        table: The table's name, for the error message.
        versioned: Give the run its version; not worth the time where runs are merely counted and sorted.
        now: Moments that are later are named in the notes; ``None`` where nobody knows what time it is.

    Raises:
        MalformedRow: If the row has no id.
    """
    values = {name: plain for name, value in row.items() if (plain := _plain(value)) is not None}
    run_id = _id(values.get("id"))
    if run_id is None:
        got = _brief(row["id"]) if "id" in row else "no such column"
        raise MalformedRow(
            f"Table {table}, column id: expected the id of a run, got {got}.",
            hint="Check that the table name in the settings is the jobs table and that id is its primary key.",
        )
    notes: list[str] = []
    facts = {name: _read(values, name, read, notes) for name, read in _FIELDS.items() if name in values}
    if now is not None:
        notes += _future(facts, now)
    raw_status = _text(values.get("status"))
    status = normalise_status(raw_status)
    base_model = facts.pop("base_model", None)
    return RunSummary(
        run_id=run_id,
        name=_text(values.get("model_name")) or base_model or run_id[:SHORT_ID_LENGTH],
        version=_version(values) if versioned else "",
        status=status,
        raw_status=raw_status,
        dataset=_text(values.get("dataset_path")),
        base_model=base_model,
        duration_s=_duration(facts, finite(values.get("elapsed_seconds")), status, notes),
        progress=_progress(facts, _read(values, "progress", number, notes)),
        resumed_from_run_id=_text(values.get("resumed_from_job_id")),
        config=_config(values.get("config"), notes),
        extra=_extra(values),
        notes=tuple(notes),
        **facts,
    )


@lru_cache(1000)
def is_credential(column: str) -> bool:
    """Tell whether a column's name says that it holds a credential.

    Example:
        >>> is_credential("job_token"), is_credential("wandbApiKey"), is_credential("total_tokens_processed")
        (True, True, False)
    """
    return bool(_CREDENTIAL.search(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column).lower()))


def _version(values: Mapping[str, Any]) -> str:
    # Sorted, since a table's columns have no order; without nulls, since a column that was added changes no run.
    seen = hashlib.blake2b(digest_size=16)
    for named in sorted((name, value) for name, value in values.items() if not is_credential(name)):
        seen.update(_written(named))
    return seen.hexdigest()


def _written(named: tuple[str, Any]) -> bytes:
    """A column's name and value as bytes that no other ones have."""
    try:
        # Of a row with megabytes of text this takes a tenth of the time of writing it out. Form 2 is the last one that
        # says the same of equal values.
        return marshal.dumps(named, 2)
    except ValueError:
        pass
    try:
        text = repr(named)
    except (RecursionError, ValueError):
        # Nested too deeply for Python to write it out, or a number that is too long for that.
        text = "\n".join(_flat(named))
    return text.encode("utf-8", "surrogatepass")


def _flat(value: Any) -> Iterator[str]:
    """Every leaf of a nested value, however deep, with the containers' ends."""
    stack = [value]
    while stack:
        each = stack.pop()
        if isinstance(each, Mapping):
            stack += ["}", *(item for pair in each.items() for item in pair), "{"]
        elif isinstance(each, list | tuple):
            stack += ["]", *each, "["]
        else:
            yield hex(each) if isinstance(each, int) else repr(each)


def _id(value: Any) -> str | None:
    """The id of a run: short text, or a number."""
    if isinstance(value, bool | Mapping | list | tuple | Broken):
        return None
    run_id = _text(value)
    return None if run_id is None or len(run_id) > LONGEST_ID or not run_id.isprintable() else run_id


def _future(facts: Mapping[str, Any], now: datetime) -> Iterator[str]:
    for name in _READERS[moment].split():
        when = facts.get(name)
        if when is not None and when > now + CLOCKS_DIFFER:
            yield f"Column {name}: {when:%Y-%m-%d %H:%M} UTC is in the future: a clock is wrong there or here."


def _plain(value: Any) -> Any:
    """``value`` as a Python object; every kind of null as ``None``. NaN is not a null."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
        return None if value is pd.NaT else value.to_pydatetime(warn=False)
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime(warn=False)
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return value


def _text(value: Any) -> str | None:
    """As ``text``; the NaN that pandas leaves in the gaps of a text column is a gap."""
    try:
        return None if isinstance(value, float) and value != value else text(value)
    except (RecursionError, ValueError):
        return "…"


def _brief(value: Any) -> str:
    """A value in a sentence that says it was not expected."""
    if isinstance(value, Broken):
        return value.got
    if isinstance(value, Mapping | list):
        return "an object" if isinstance(value, Mapping) else "a list"
    shown = _text(value) or ("nothing" if value is None else repr(value))
    quoted = isolated(repr(shown[:SHOWN]))
    return quoted if len(shown) <= SHOWN else f"{quoted}… ({len(shown):,} characters)"


def _read(values: Mapping[str, Any], name: str, read: Any, notes: list[str]) -> Any:
    value = values.get(name)
    if isinstance(value, Broken):
        parsed = None
    elif read is text:
        parsed = _text(value)
    else:
        parsed = read(value)
        if read is whole and parsed is not None and abs(parsed) > MOST_WHOLE:
            parsed = None
    if parsed is None and (read is not text or isinstance(value, Broken)) and _text(value) is not None:
        notes.append(f"Column {name}: expected {_EXPECTED[read]}, got {_brief(value)}; left out.")
    return parsed


def _duration(facts: Mapping[str, Any], elapsed: float | None, status: RunStatus, notes: list[str]) -> float | None:
    """Seconds from start to end. A run without an end has none that could be read off a clock."""
    started, completed, updated = (facts.get(f"{name}_at") for name in ("started", "completed", "updated"))
    if _seconds(started, completed) is not None:
        return _seconds(started, completed)
    if started and completed:
        notes.append("Completed before it started, by its own clock; the duration is taken from elsewhere.")
    if elapsed is not None and elapsed >= 0:
        return elapsed
    return None if status is RunStatus.RUNNING else _seconds(started, updated)


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start and end and end >= start else None


def _progress(facts: Mapping[str, Any], percent: float | None) -> float | None:
    share = finite(percent)
    if share is not None:
        return min(max(share / 100.0, 0.0), 1.0)
    done, total = facts.get("current_step"), facts.get("total_steps")
    return min(max(done / total, 0.0), 1.0) if done is not None and total and total > 0 else None


def _config(value: Any, notes: list[str]) -> Mapping[str, Any]:
    # A JSON document that was stored as a JSON string is text twice over.
    for _ in range(2):
        if isinstance(value, Cut):
            notes.append(f"Column config: too large to be used: {value.what}; the configuration is left out.")
            return {}
        if not isinstance(value, str) or not value.strip():
            break
        value = value_of_json(value)
        if isinstance(value, Broken):
            notes.append("Column config: expected JSON, got text that is not JSON; the configuration is left out.")
            return {}
    if isinstance(value, Mapping):
        return dict(value)
    if value is not None and _text(value) is not None:
        notes.append(f"Column config: expected a JSON object, got {type(value).__name__}; it is left out.")
    return {}


def _extra(values: Mapping[str, Any]) -> dict[str, Any]:
    known = _FIELDS.keys() | _RENAMED
    return {name: value for name, value in values.items() if name not in known and not is_credential(name)}
