"""A decision on record: what was decided, by which rule, of which data, so that anybody can check it later.

The same runs, read the same way, give the same bytes: nothing in a record depends on when it was made.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from typing import Any

import numpy as np

from lib.core.config.effective import effective
from lib.core.config.values import Sentinel
from lib.core.curves.metric_curves import MetricCurve, RunCurves
from lib.core.facts.errors import AppError
from lib.core.facts.limits import AnyLimit, Limits
from lib.core.facts.readings import readings
from lib.core.facts.runs import RunSummary
from lib.core.facts.selection import MAX_SELECTED
from lib.core.ranking.deciding import Basis
from lib.core.ranking.policy import ScoringPolicy
from lib.core.verdict.limits import LIMITS
from lib.report.compared import Compared, Told, judge
from lib.report.verdict import as_data, as_view

KIND, FORMAT = "runoff decision", 1
DEEPEST = 12
"""Objects and lists inside each other, more than a record has."""
FACTS = (
    "status",
    "raw_status",
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
"""Fields of a run that a verdict may depend on; the rest is among its settings. No name, and no time: of a log that
holds none it is that of the file, which another copy has not."""

_LIBRARIES = ("numpy", "scipy")
"""What the numbers of a verdict are worked out with."""


class WrongRecord(AppError):
    """A file that is no record of a decision, or of a kind that this version does not know."""


def record_of(compared: Compared) -> dict[str, Any]:
    """The record of a decision, as JSON has it.

    Args:
        compared: With all points of all curves: of a reduced one only what is left of it is on record, and
            ``complete`` says so. What it was looked at beside is its ``view``, which nothing else depends on.
    """
    by, direction = compared.by
    policy = compared.policy
    timeless = judge(compared.stored, compared.curves, compared.labels, None, policy=policy, by=by, direction=direction)
    # A metric that no ranked run logged ranks nothing: the rules choose, as if nobody had named one.
    is_chosen = any(part.deciding.basis is Basis.CHOSEN for part in timeless.decision.parts)
    view = as_view(compared)
    record = {
        "kind": KIND,
        "format": FORMAT,
        "versions": {name: version(name) for name in _LIBRARIES},
        "by": by if is_chosen else None,
        "direction": direction,
        "ended": compared.told.ended,
        "read_as": dict(compared.told.read_as),
        "policy": _plain(asdict(policy)),
        "constants": constants(),
        "runs": [fingerprint(run, timeless) for run in timeless.stored],
        "verdict": _plain(as_data(timeless)),
        **({"view": _plain(view)} if view else {}),
    }
    return record | {"sha256": digest_of(record)}


def digest_of(record: Mapping[str, Any]) -> str:
    """A digest of all that stands in a record beside it: of the values, however their text was laid out since."""
    rest = {name: value for name, value in record.items() if name != "sha256"}
    text = json.dumps(_canonical(rest), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _canonical(value: Any) -> Any:
    """The same, with one spelling for a number: other programs write 1.0 as 1. True is no number."""
    if isinstance(value, Mapping):
        return {key: _canonical(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_canonical(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def to_json(record: Mapping[str, Any]) -> str:
    """The record as text, the same each time."""
    return json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def parse(text: str) -> dict[str, Any]:
    """A record from its text: whatever somebody made of it, what is given has the shape that ``record_of`` writes.

    Raises:
        WrongRecord: If it is none, or one of a later version.
    """
    try:
        found = json.loads(text, parse_constant=_no_number)
        is_text = bool(json.dumps(found, ensure_ascii=False).encode())
    except (ValueError, RecursionError):
        found, is_text = None, False
    if not is_text or not isinstance(found, dict) or found.get("kind") != KIND:
        raise WrongRecord("Expected a decision record, got another file.", hint="Save one from the Share dialog.")
    if found.get("format") != FORMAT:
        raise WrongRecord(
            f"Expected a decision record of format {FORMAT}, got format {str(found.get('format'))[:20]}.",
            hint="Open it with the version of the app that wrote it.",
        )
    if not _is_whole(found):
        raise WrongRecord("Expected a whole decision record, got one that lacks parts.", hint="Save it once more.")
    return found


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON.")


def _is_whole(found: Mapping[str, Any]) -> bool:
    parts = {"runs": list, "policy": dict, "constants": dict, "versions": dict, "verdict": dict, "read_as": dict}
    if not all(isinstance(found.get(name), shape) for name, shape in parts.items()) or not _is_shallow(found):
        return False
    runs = found["runs"]
    weight, names = found["policy"].get("eval_weight"), found["read_as"]
    try:
        readings(f"{name}~{metric}" for name, metric in names.items())
    except ValueError:
        return False
    return (
        0 < len(runs) <= MAX_SELECTED
        and all(map(_is_run, runs))
        and len({run["run_id"] for run in runs}) == len(runs)
        and {"by", "direction"} <= set(found)
        and isinstance(found["by"], str | None)
        and isinstance(found.get("sha256"), str)
        and found["direction"] in (None, "lower", "higher")
        and isinstance(found.get("ended"), bool)
        and isinstance(weight, int | float)
        and 0.0 <= weight <= 1.0
    )


def _is_run(run: object) -> bool:
    if not isinstance(run, dict) or not all(isinstance(run.get(part), dict) for part in ("metrics", "facts")):
        return False
    texts = run.get("run_id"), run.get("label"), run.get("settings")
    return all(isinstance(text, str) and text for text in texts) and all(
        isinstance(curve, dict) and _is_count(curve.get("points")) and _is_count(curve.get("last_step", 0) or 0)
        for curve in run["metrics"].values()
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and 0 <= value < 2**63


def _is_shallow(value: object, left: int = DEEPEST) -> bool:
    """Whether nothing is nested deeper than in a record; what is may be too deep to be said."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left > 0 and all(_is_shallow(each, left - 1) for each in inner)


def again(record: Mapping[str, Any], stored: Sequence[RunSummary], curves: Mapping[str, RunCurves]) -> dict[str, Any]:
    """The record of the same decision, made of what is there now.

    Args:
        record: What was recorded (``parse``).
        stored: Its runs as the source has them now, read as it was said (``told_of``); those that are gone are absent.
        curves: Theirs, by run id.
    """
    labels = {run["run_id"]: run["label"] for run in record["runs"]}
    # The weights are somebody's choice, and the bands those of this version.
    policy = ScoringPolicy(eval_weight=float(record["policy"]["eval_weight"]))
    by, direction = record["by"], record["direction"]
    told = told_of(record)
    return record_of(judge(stored, curves, labels, None, policy=policy, by=by, direction=direction, told=told))


def told_of(record: Mapping[str, Any]) -> Told:
    """What somebody had said of the runs of a record."""
    return Told(record["ended"], tuple(record["read_as"].items()))


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
