"""A decision on record: what was decided, by which rule, of which data, so that anybody can check it later.

The same runs, read the same way, give the same bytes: nothing in a record depends on when it was made.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from typing import Any

import numpy as np

from lib.core.config.effective import effective
from lib.core.config.values import Sentinel
from lib.core.curves.metric_curves import MetricCurve
from lib.core.facts.errors import AppError
from lib.core.facts.limits import AnyLimit, Limits
from lib.core.facts.runs import RunSummary
from lib.core.ranking.policy import ScoringPolicy
from lib.core.verdict.limits import LIMITS
from lib.report.compared import Compared, Told, judge
from lib.report.verdict import as_data

KIND, FORMAT = "runoff decision", 1
FACTS = (
    "name",
    "status",
    "raw_status",
    "created_at",
    "completed_at",
    "current_step",
    "total_steps",
    "current_epoch",
    "total_epochs",
    "ended_early",
    "loss",
    "final_loss",
    "eval_loss",
    "final_eval_loss",
    "best_eval_loss",
    "best_step",
    "best_epoch",
    "best_checkpoint_path",
    "train_samples",
    "val_samples",
    "total_samples",
    "total_tokens_processed",
    "same_training_as",
    "checkpoints",
)
"""Fields of a run that a verdict may depend on; the rest is among its settings."""

_LIBRARIES = ("numpy", "scipy")
"""What the numbers of a verdict are worked out with."""


class WrongRecord(AppError):
    """A file that is no record of a decision, or of a kind that this version does not know."""


def record_of(compared: Compared) -> dict[str, Any]:
    """The record of a decision, as JSON has it.

    Args:
        compared: With all points of all curves: of a reduced one only what is left of it is on record, and
            ``complete`` says so.
    """
    by, direction = compared.by
    policy = compared.policy
    timeless = judge(compared.stored, compared.curves, compared.labels, None, policy=policy, by=by, direction=direction)
    return {
        "kind": KIND,
        "format": FORMAT,
        "versions": {name: version(name) for name in _LIBRARIES},
        "by": by,
        "direction": direction,
        "ended": compared.told.ended,
        "read_as": dict(compared.told.read_as),
        "policy": _plain(asdict(policy)),
        "constants": constants(),
        "runs": [fingerprint(run, timeless) for run in timeless.stored],
        "verdict": _plain(as_data(timeless)),
    }


def to_json(record: Mapping[str, Any]) -> str:
    """The record as text, the same each time."""
    return json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def parse(text: str) -> dict[str, Any]:
    """A record from its text.

    Raises:
        WrongRecord: If it is none, or one of a later version.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("kind") != KIND:
        raise WrongRecord("Expected a decision record, got another file.", hint="Save one from the Share dialog.")
    if found.get("format") != FORMAT:
        raise WrongRecord(
            f"Expected a decision record of format {FORMAT}, got format {str(found.get('format'))[:20]}.",
            hint="Open it with the version of the app that wrote it.",
        )
    shapes = {"runs": list, "policy": dict, "constants": dict, "versions": dict, "verdict": dict, "read_as": dict}
    wrong = [name for name, shape in shapes.items() if not isinstance(found.get(name), shape)]
    runs = found["runs"] if "runs" not in wrong else []
    has_runs = all(
        isinstance(run, dict)
        and isinstance(run.get("run_id"), str)
        and isinstance(run.get("label"), str)
        and all(isinstance(run.get(part), dict) for part in ("metrics", "facts"))
        and all(isinstance(curve, dict) for curve in run["metrics"].values())
        for run in runs
    )
    if wrong or not has_runs:
        raise WrongRecord("Expected a whole decision record, got one that lacks parts.", hint="Save it once more.")
    return found


def policy_of(record: Mapping[str, Any]) -> ScoringPolicy:
    """The weights that somebody chose for a record; the bands are those of this version.

    Raises:
        WrongRecord: If its weight is none.
    """
    weight = record["policy"].get("eval_weight")
    if not isinstance(weight, int | float) or not 0.0 <= weight <= 1.0:
        raise WrongRecord("Expected an eval-loss weight between 0 and 1 in the record.", hint="Save it once more.")
    return ScoringPolicy(eval_weight=float(weight))


def told_of(record: Mapping[str, Any]) -> Told:
    """What somebody had said of the runs of a record."""
    names = {str(name): str(metric) for name, metric in record["read_as"].items()}
    return Told(record.get("ended") is True, tuple(names.items()))


def constants() -> dict[str, Any]:
    """Every number that a judgement rests on, by heading and title."""
    return {f"{heading}: {limit.title}": _number_of(limit) for heading, of in LIMITS.items() for limit in of}


def fingerprint(run: RunSummary, compared: Compared) -> dict[str, Any]:
    """What the data of one run were: how many points each curve had, its last step, and a digest of its columns."""
    own = compared.curves.get(run.run_id)
    curves = {} if own is None else dict(own.curves)
    return {
        "run_id": run.run_id,
        "label": compared.labels[run.run_id],
        "complete": own is None or own.is_complete,
        "points": sum(map(len, curves.values())),
        "last_step": max((int(curve.step[-1]) for curve in curves.values() if len(curve)), default=None),
        "metrics": {name: _curve(curve) for name, curve in sorted(curves.items())},
        "facts": {name: _plain(getattr(run, name)) for name in FACTS},
        "settings": _digest_of_settings(run),
    }


def _curve(curve: MetricCurve) -> dict[str, Any]:
    digest = hashlib.sha256()
    for column in curve.columns:
        kind = "<i8" if column.dtype.kind == "i" else "<f8"
        # One bit pattern for NaN and for 0, whoever read them.
        values = column if kind == "<i8" else np.where(np.isnan(column), np.nan, column + 0.0)
        digest.update(np.ascontiguousarray(values, dtype=kind).tobytes())
    return {
        "points": len(curve),
        "last_step": int(curve.step[-1]) if len(curve) else None,
        "sha256": digest.hexdigest(),
    }


def _digest_of_settings(run: RunSummary) -> str:
    settings = {key: _plain(setting.value) for key, setting in effective(run).items()}
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()


def _number_of(limit: AnyLimit) -> Any:
    return [float(each) for each in limit] if isinstance(limit, Limits) else float(limit)


def _plain(value: Any) -> Any:
    """A value as JSON has it, the same each time; numbers that JSON has not are words."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, Sentinel):
        return f"<{value.name.lower()}>"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "__dataclass_fields__"):
        return _plain(asdict(value))
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
