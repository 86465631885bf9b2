"""What the list of runs shows, before it is drawn: the selected runs, and a page of the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from lib.core.facts.foreign import enclosed, legible, spelled_out
from lib.core.facts.liveness import is_stalled, silent_for
from lib.core.facts.query import PAGE_SIZE, RunPage, RunQuery, RunSort, answer
from lib.core.facts.runs import RunStatus, RunSummary, eval_loss_of
from lib.core.facts.selection import BASELINE_WORD, LIMIT_REACHED, MAX_SELECTED, UPLOADED_WORD, is_uploaded
from lib.core.facts.sizes import LONGEST_LIST
from lib.core.glance.glance import headline_text
from lib.core.ranking.metric_names import EVAL_LOSS
from lib.core.text import formatting
from lib.core.text.labels import shared_beginning
from lib.core.text.precision import decimals_for, to_decimals
from lib.core.verdict.metric_words import metric_name
from lib.core.verdict.overview import headline
from lib.ui.session.assessments import are_checked, shipped_assessments
from lib.ui.session.comparison import ComparedRun, Comparison

ALWAYS_OFFERED = (RunStatus.COMPLETED, RunStatus.RUNNING, RunStatus.FAILED)
"""Statuses that the filter offers though no run has them."""

BEYOND = f"The list shows {formatting.count(LONGEST_LIST)} runs at most: search for the others, or filter."

OTHER_DECIMALS = 3
"""At most, of the losses of runs that are not selected."""

ORDER_WORDS: Mapping[RunSort, str] = {
    RunSort.NEWEST: "newest first",
    RunSort.OLDEST: "oldest first",
    RunSort.BEST_LOSS: "lowest eval loss first",
    RunSort.LAST_LOSS: "lowest last eval loss first",
    RunSort.TRAIN_LOSS: "lowest train loss first",
    RunSort.PERPLEXITY: "lowest perplexity first",
    RunSort.SPEED: "most samples a second first",
    RunSort.STATUS: "by status",
    RunSort.DURATION: "shortest first",
    RunSort.MODEL: "by name",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A run in the list, in plain text.

    Attributes:
        name: Unlike that of any other run of the list.
        value: Of the metric that the list shows.
        unusual: What sets it apart from a run that was trained to its end; "" for nothing.
        details: Titles and texts of what else is known; a title may be "".
        slot: Its colour and mark; ``None`` for a run that is not selected.
        mark: A small word behind the name; "" for none.
    """

    run_id: str
    name: str
    value: str
    unusual: str
    details: tuple[tuple[str, str], ...]
    slot: int | None = None
    is_recommended: bool = False
    mark: str = ""


@dataclass(frozen=True, slots=True)
class RunList:
    """All that the list shows, in plain text.

    Attributes:
        selected: In the order of the ranking.
        shared: What the names of all selected runs begin with.
        selected_value, other_value: What the values are of.
        others: The page's runs that are not selected.
        count: How many others there are, and in which order.
        nothing: Why there are no others; "" where there are some.
        more: How many runs the next page may bring; 0 where no more are listed.
        beyond: How to see those that no page brings; "" where there are none.
        query: What is asked for.
        statuses, orders: Value and text of what can be asked for.
        unreadable: Paths and reasons.
        unused: Of what lies there and is no run, paths and reasons.
        looking: How far the source is with looking through its folder; "" when it is done.
        verdict: What the verdict's first line says; "" where nothing is selected.
        most, too_many: How many runs can be selected, and what is said where so many are.
    """

    selected: tuple[Line, ...]
    shared: str
    selected_value: str
    other_value: str
    others: tuple[Line, ...]
    count: str
    nothing: str
    more: int
    beyond: str
    query: RunQuery
    statuses: tuple[tuple[str, str], ...]
    orders: tuple[tuple[str, str], ...]
    unreadable: tuple[tuple[str, str], ...]
    unused: tuple[tuple[str, str], ...]
    looking: str
    verdict: str
    most: int = MAX_SELECTED
    too_many: str = LIMIT_REACHED


def run_list(
    page: RunPage,
    query: RunQuery,
    compared: Comparison,
    labels: Mapping[str, str],
    now: datetime,
    no_runs: str,
    uploaded_now: datetime | None = None,
) -> RunList:
    """Make the list.

    Args:
        page: The answer to ``query``.
        query: What was asked for.
        compared: The selected runs.
        labels: Of the page's runs and of the selected ones, by run id.
        now: By the source's clock.
        no_runs: What is said where the source has none.
        uploaded_now: By the clock of the runs that this session uploaded; ``now`` where that is the same.
    """

    def clock(run: RunSummary) -> datetime:
        return uploaded_now if uploaded_now is not None and is_uploaded(run.run_id) else now

    metric, values = _deciding(compared)
    ids = {each.run.run_id for each in compared.runs}
    not_selected = [run for run in page.runs if run.run_id not in ids]
    other_values = [eval_loss_of(run) for run in not_selected]
    decimals = decimals_for(values.values(), _errors(compared))
    # Of runs that were not read nobody knows the noise.
    other_decimals = min(decimals_for(other_values), OTHER_DECIMALS)
    selected = tuple(
        Line(
            each.run.run_id,
            each.label,
            to_decimals(values.get(each.run.run_id), decimals),
            unusual(each.run, labels, clock(each.run)),
            _details(each.run, clock(each.run), _why(each, compared)),
            each.slot,
            each.run.run_id == compared.decision.recommended,
            BASELINE_WORD if each.run.run_id == compared.base else mark_of(each.run.run_id),
        )
        for each in compared.in_order
    )
    others = tuple(
        Line(
            run.run_id,
            labels[run.run_id],
            to_decimals(value, other_decimals),
            unusual(run, labels, clock(run)),
            _details(run, clock(run)),
            mark=mark_of(run.run_id),
        )
        for run, value in zip(not_selected, other_values, strict=True)
    )
    # Of the runs that match, some may be selected and beyond the page.
    matching = answer([each.stored for each in compared.runs], replace(query, limit=MAX_SELECTED)).total
    found = max(page.total - matching, len(others))
    hidden = page.total - len(page.runs)
    return RunList(
        selected=selected,
        shared=shared_beginning([line.name for line in selected]),
        selected_value=_title(metric),
        other_value=_title(EVAL_LOSS),
        others=others,
        count=_count(len(others), found, page.source_total - len(ids), query, "more" if ids else "runs"),
        # How far the source is says it already.
        nothing=""
        if found or page.looked_at is not None
        else no_runs
        if not page.source_total
        else _nothing(query, bool(ids)),
        more=min(hidden, PAGE_SIZE, LONGEST_LIST - query.limit),
        beyond=BEYOND if hidden and query.limit >= LONGEST_LIST else "",
        query=query,
        statuses=_statuses(page, query.status),
        orders=tuple((each.value, ORDER_WORDS[each]) for each in RunSort),
        unreadable=tuple((each.path, each.reason) for each in page.unreadable),
        unused=tuple((each.path, each.why) for each in page.unused),
        looking=looking(page),
        verdict=_verdict(compared),
    )


def mark_of(run_id: str) -> str:
    """The small word behind the name of a run that this session uploaded; "" for any other."""
    return UPLOADED_WORD if is_uploaded(run_id) else ""


def looking(page: RunPage) -> str:
    """How far the source is with looking through its folder, in a sentence; "" when it is done."""
    if page.looked_at is None:
        return ""
    done, count = page.looked_at
    if not count:
        return "Looking through the folder…"
    return f"Looked at {formatting.count(done)} of {formatting.count(count)} folders…"


def unusual(run: RunSummary, labels: Mapping[str, str], now: datetime) -> str:
    """What sets a run apart from one that was trained to its end; "" for nothing."""
    at = "" if run.progress is None else f" at {formatting.percent(run.progress)}"
    match run.status:
        case RunStatus.COMPLETED:
            said = ""
        case RunStatus.RUNNING if is_stalled(run, now):
            said = f"stalled{at} · silent for {formatting.duration(silent_for(run, now))}"
        case RunStatus.RUNNING:
            time = "" if run.duration_s is None else f" for {formatting.duration(run.duration_s)}"
            said = f"running{time}" + ("" if run.progress is None else f" · {formatting.percent(run.progress)}")
        case RunStatus.QUEUED:
            said = "queued"
        case RunStatus.UNKNOWN:
            said = run.status_text
        case _:
            said = f"{run.status_text}{at}"
    first = run.same_training_as
    same = "" if first in (None, run.run_id) else f"same training as {labels.get(first or '', 'another run')}"
    return " · ".join(filter(None, (said, same)))


def _deciding(compared: Comparison) -> tuple[str, Mapping[str, float | None]]:
    """The metric that decides, and its values by run id; the eval loss where runs do not have one in common."""
    decision = compared.decision
    metric = decision.deciding.metric
    if metric in (None, EVAL_LOSS) or decision.other_classes:
        return EVAL_LOSS, {each.run.run_id: eval_loss_of(each.run) for each in compared.runs}
    return str(metric), {run_id: values.value for run_id, values in decision.values.items()}


def _errors(compared: Comparison) -> list[float | None]:
    """The standard errors of what decides, of the ranked runs."""
    decision = compared.decision
    estimates = (decision.contest.estimate(run_id) for run_id in decision.ranked)
    return [None if one is None else one.error for one in estimates]


def _title(metric: str) -> str:
    words = metric_name(metric)
    return words[:1].upper() + words[1:]


def _why(each: ComparedRun, compared: Comparison) -> str:
    return compared.grounds.why_first if each.run.run_id == compared.decision.recommended else ""


def _details(run: RunSummary, now: datetime, why_first: str = "") -> tuple[tuple[str, str], ...]:
    """What the line has no room for."""
    created = run.created_at or run.started_at
    lines = [
        ("Recommended", why_first),
        ("Name", legible(run.name)),
        ("Status", run.status_text),
        ("Created", f"{formatting.exact_date(created)}, {formatting.relative_date(created, now)}" if created else None),
        ("Finished", formatting.exact_date(run.completed_at) if run.completed_at else None),
        ("Duration", formatting.duration(run.duration_s) if run.duration_s is not None else None),
        ("Dataset", legible(run.dataset or "")),
        ("Base model", legible(run.base_model or "")),
        ("Error", enclosed(spelled_out(run.error_message or ""))),
        ("Run id", run.run_id),
        *(("", note) for note in run.notes),
    ]
    return tuple((title, value) for title, value in lines if value)


def _count(shown: int, found: int, all_others: int, query: RunQuery, noun: str) -> str:
    if not found:
        return ""
    is_narrowed = bool(query.search.strip() or query.status)
    noun = "run" if noun == "runs" and all_others == 1 else noun
    said = f"{formatting.count(found)} {noun}"
    if is_narrowed:
        said = f"{formatting.count(found)} of {formatting.count(all_others)} {noun}"
    if shown < found:
        said = f"First {formatting.count(shown)} of {formatting.count(found)} {'found' if is_narrowed else noun}"
    return said if found == 1 else f"{said}, {ORDER_WORDS[query.sort]}"


def _nothing(query: RunQuery, is_any_selected: bool) -> str:
    if query.search.strip() or query.status:
        return f"No {'other ' if is_any_selected else ''}run matches the search and the filter."
    return "All runs are selected."


def _statuses(page: RunPage, chosen: RunStatus | None) -> tuple[tuple[str, str], ...]:
    """The statuses that occur or are usual, with their counts where the source has counted them."""
    is_counted = bool(page.statuses) or not page.total
    offered = [
        status
        for status in (*ALWAYS_OFFERED, *(each for each in RunStatus if each not in ALWAYS_OFFERED))
        if status in ALWAYS_OFFERED or not is_counted or page.statuses.get(status) or status is chosen
    ]

    def counted(text: str, count: int) -> str:
        return f"{text} ({formatting.count(count)})" if is_counted else text

    return (
        ("", counted("all", sum(page.statuses.values()))),
        *((status.value, counted(status.value, page.statuses.get(status, 0))) for status in offered),
    )


def _verdict(compared: Comparison) -> str:
    if not compared.runs:
        return ""
    # What takes longer to check is said by the panel.
    assessed = shipped_assessments(compared) if are_checked(compared.runs) else None
    first = headline(compared.decision, [each.run for each in compared.runs], assessed)
    return headline_text(first, compared.decision, compared.labels)
