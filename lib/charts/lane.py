"""The lane of a run's findings below a chart: one symbol for each kind, and what is said of it there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding.

    Attributes:
        symbol: The name of the sign on its chip (``SIGNS``).
        one: What is said of one of them.
        many: What is said of several, where that is counted; "" where it is not.
    """

    symbol: str
    one: str
    many: str = ""


KINDS = {
    "loss_spike": Kind("spike", "loss spike", "loss spikes"),
    "gradient_spike": Kind("peak", "spike", "spikes"),
    "eval_rebound": Kind("rise", "eval rises"),
    "nonfinite_value": Kind("broken", "NaN or infinity"),
    "divergence": Kind("rise", "diverges"),
    "gradient_growth": Kind("rise", "grows"),
    "plateau": Kind("flat", "plateau"),
    "dead_training": Kind("flat", "learns nothing"),
    "never_learns": Kind("flat", "never learns"),
    "clipping_saturation": Kind("flat", "clipped"),
    "throughput_decay": Kind("fall", "slows down"),
    "memory_creep": Kind("rise", "memory creeps"),
    "rate_zero": Kind("fall", "rate 0"),
    "rate_restarted": Kind("rise", "rate restarts"),
    "logging_gap": Kind("gap", "gap in the log", "gaps in the log"),
    "reporting_gap": Kind("gap", "pause", "pauses"),
    "evaluation_gap": Kind("gap", "evaluations missing"),
    "stale_evaluations": Kind("flat", "repeated values"),
    "identical_evaluations": Kind("flat", "identical values"),
}
"""Those that have a place on an axis and a sign of their own."""

OTHER = "other"
"""The sign of a kind that has none of its own."""

SIGNS: Mapping[str, Sequence[Sequence[tuple[float, float]]]] = {
    "spike": [[(-3.2, 2.5), (-1.2, 2.5), (0, -3), (1.2, 2.5), (3.2, 2.5)]],
    "peak": [[(-3, 2.5), (0, -3), (3, 2.5)]],
    "rise": [[(-2.7, 2.7), (2.7, -2.7)], [(-1, -2.7), (2.7, -2.7), (2.7, 1)]],
    "fall": [[(-2.7, -2.7), (2.7, 2.7)], [(-1, 2.7), (2.7, 2.7), (2.7, -1)]],
    "flat": [[(-3.2, 2.5), (-3.2, -2), (3.2, -2), (3.2, 2.5)]],
    "gap": [[(-3.2, 0), (-1.3, 0)], [(1.3, 0), (3.2, 0)]],
    "broken": [[(-2.5, -2.5), (2.5, 2.5)], [(2.5, -2.5), (-2.5, 2.5)]],
    "other": [[(0, -3), (0, 0.5)], [(0, 2.6), (0, 3)]],
}
"""The signs, as lines around the middle of a chip, in pixels."""


def kind_of(code: str, title: str) -> Kind:
    """How a kind of finding is shown; one without a sign of its own is called by its ``title``."""
    return KINDS.get(code) or Kind(OTHER, title[:1].lower() + title[1:])


def counted(kinds: Iterable[Kind]) -> str:
    """What was found of a run, in few words.

    Example:
        >>> counted([KINDS["loss_spike"], KINDS["eval_rebound"], KINDS["loss_spike"]])
        '2 loss spikes, eval rises'
    """
    return ", ".join(
        f"{times} {kind.many}" if times > 1 and kind.many else kind.one for kind, times in Counter(kinds).items()
    )


def path_of(symbol: str) -> str:
    """A sign as the path of an SVG."""
    return "".join("M" + "L".join(f"{x:g} {y:g}" for x, y in stroke) for stroke in SIGNS[symbol])
