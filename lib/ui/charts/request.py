"""What a chart depends on, as one value: it is made of nothing else, and remembered under just this."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b

from lib.charts.drawn import View
from lib.core.facts.metrics import Better
from lib.ui.session.link import AXIS, LOG_Y, SMOOTHING, ZOOM, LinkState

BUCKETS = {True: 90, False: 50}
"""Buckets a curve is cut into in the wide chart and in a half-width one. Each keeps up to four points, so
that there is about one for every pixel or two; more only make every redraw slower."""

HOVER_POSITIONS = {True: 200, False: 100}
"""Positions that the hover rule can take: as many as a pointer can tell apart."""


@dataclass(frozen=True, slots=True)
class PartRead:
    """A part of a run that was read besides its first read.

    Attributes:
        metrics: Which were asked for.
        steps: From which to which; ``None`` for all.
        points: How many came.
    """

    metrics: tuple[str, ...]
    steps: tuple[int, int] | None
    points: int


@dataclass(frozen=True, slots=True)
class CurvesKey:
    """Names the curves of a run, as finely as they are looked at.

    Attributes:
        run: Reader, run, version and how much was read (``ComparedRun.key``).
        parts: What was read besides.
    """

    run: str
    parts: tuple[PartRead, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What the difference of one curve to the baseline's rests on.

    Attributes:
        curves: The run.
        metric: The metric's key.
        apart: Why there is none, as the end of a sentence; "" where there is one.
        better: Which direction is better; ``None`` where neither is, or it is not known.
        within: What is within the noise; ``None`` where nobody knows.
    """

    curves: CurvesKey
    metric: str
    apart: str
    better: Better | None
    within: float | None


@dataclass(frozen=True, slots=True)
class ToBaseline:
    """The run that the others are compared with.

    Attributes:
        curves: Which one.
        label: What it is called.
        told: Of every run and metric of the chart.
        is_drawn: Curves are drawn as differences to it.
    """

    curves: CurvesKey
    label: str
    told: tuple[Told, ...]
    is_drawn: bool

    def of(self, curves: CurvesKey, metric: str) -> Told | None:
        """What a difference rests on; ``None`` of what is not in the chart."""
        return next((each for each in self.told if (each.curves, each.metric) == (curves, metric)), None)


@dataclass(frozen=True, slots=True)
class CurveRequest:
    """What is drawn of one curve depends on this, whatever the curve is compared with and called there.

    Attributes:
        curves: The run.
        metric: The metric's key.
        options: The link's parameters that charts are looked at through (``LinkState.of_charts``).
        wide: Over the full width.
        log: On a log axis, whatever the options say.
        relative: As a share of the run's first evaluation.
        minus: Less the curve of this run; ``None`` for what was logged.
    """

    curves: CurvesKey
    metric: str
    options: LinkState
    wide: bool
    log: bool
    relative: bool = False
    minus: CurvesKey | None = None

    @property
    def unsmoothed(self) -> CurveRequest:
        """The same for every weight of smoothing."""
        return replace(self, options=self.options.having(SMOOTHING, SMOOTHING.default))


@dataclass(frozen=True, slots=True)
class MetricFinding:
    """A finding about one metric of a run: its kind, where it is, from step to step, and plain text for the tooltip."""

    metric: str
    code: str
    title: str
    first: int
    last: int
    text: str


@dataclass(frozen=True, slots=True)
class ChartRun:
    """A run as charts show it.

    Attributes:
        curves: Names its curves.
        label: What it is called.
        slot: Its colour and shape.
        best_step: Of its best evaluation by the metric that decides; ``None`` where it is not ranked.
        findings: To be marked.
    """

    curves: CurvesKey
    label: str
    slot: int
    best_step: int | None = None
    findings: tuple[MetricFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class Ship:
    """The checkpoint to ship: of which run, at which step, and what it is called."""

    curves: CurvesKey
    step: int
    name: str


@dataclass(frozen=True, slots=True)
class ChartRequest:
    """What a chart depends on: two that are equal are one chart.

    Attributes:
        key: Tells the charts of a page apart.
        title: What it shows, with the unit.
        metrics: Their keys.
        runs: In their order.
        options: The link's parameters that charts are looked at through (``LinkState.of_charts``).
        wide: In the large part at the top, whose curves are labelled.
        note: What is said beside the title.
        better: Which values are better, "lower" or "higher"; "" where neither are, or it is not known.
        ship: What to mark as the checkpoint to ship; ``None`` for nothing.
        log: On a log axis, whatever the options say.
        relative: Each value as a share of the run's own first evaluation.
        in_epochs: The logs of all runs count epochs, so that a step is one.
        against: The run that the others are compared with; ``None`` where none is pinned.
    """

    key: str
    title: str
    metrics: tuple[str, ...]
    runs: tuple[ChartRun, ...]
    options: LinkState
    wide: bool = False
    note: str = ""
    better: str = ""
    ship: Ship | None = None
    log: bool = False
    relative: bool = False
    in_epochs: bool = False
    against: ToBaseline | None = None

    @property
    def is_difference(self) -> bool:
        """Whether curves are drawn as differences to the baseline."""
        return self.against is not None and self.against.is_drawn

    @property
    def view(self) -> View:
        """How the curves are looked at."""
        start, end = self.options[ZOOM] or (None, None)
        return View(
            self.options[AXIS].title_of(in_epochs=self.in_epochs),
            start,
            end,
            self.options[SMOOTHING],
            # A difference may be below 0.
            (self.options[LOG_Y] or self.log) and not self.is_difference,
            BUCKETS[self.wide],
            HOVER_POSITIONS[self.wide],
        )

    @property
    def basis(self) -> str:
        """The same text as long as nothing but the smoothing changes."""
        unsmoothed = replace(self, options=self.options.having(SMOOTHING, SMOOTHING.default))
        return blake2b(repr(unsmoothed).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

    def curve(self, run: ChartRun, metric: str) -> CurveRequest:
        """What one curve of the chart depends on."""
        minus = self.against.curves if self.against is not None and self.is_difference else None
        return CurveRequest(run.curves, metric, self.options, self.wide, self.log, self.relative, minus)
