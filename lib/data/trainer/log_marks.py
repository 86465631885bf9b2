"""What tells whether a log is how another one begins, without either of them."""

from __future__ import annotations

from dataclasses import dataclass

from lib.data.trainer.hf_log import TrainerLog
from lib.data.trainer.trainings import LEAST_ROWS


@dataclass(frozen=True, slots=True)
class LogMark:
    """What tells whether a log is how another one begins.

    Attributes:
        digest: Equal for files of equal bytes.
        rows: How many rows gave points.
        points: How many points it has.
        opening: How it begins; "" where it is too short to tell.
        ladder: How it begins, at 4, 16, 64... points and at its end.
    """

    digest: str
    rows: int
    points: int
    opening: str
    ladder: tuple[str, ...]


def mark_of(log: TrainerLog) -> LogMark:
    """The mark of a log."""
    count = len(log.points)
    if not count:
        return LogMark(log.digest, log.rows, 0, log.points.openings([0])[0] if log.rows >= LEAST_ROWS else "", ())
    least, steps = min(LEAST_ROWS, count), ladder_steps(count)
    opened = dict(zip((asked := sorted({least, *steps})), log.points.openings(asked), strict=True))
    opening = opened[least] if log.rows >= LEAST_ROWS else ""
    return LogMark(log.digest, log.rows, count, opening, tuple(opened[step] for step in steps))


def ladder_steps(points: int) -> list[int]:
    """At how many points a mark says how its log begins."""
    return [*(4**power for power in range(1, points.bit_length() // 2 + 1) if 4**power < points), points]
