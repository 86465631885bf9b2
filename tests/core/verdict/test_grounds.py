"""Whatever the decision, every place that gives a reason gives the same one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.core.facts.runs import RunStatus, RunSummary
from lib.core.glance.glance import glance_of
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY, ScoringPolicy
from lib.core.verdict.flips import flip_sentences
from lib.core.verdict.grounds import Grounds, grounds_of
from lib.core.verdict.overview import HeadlineKind, overview_of
from lib.core.verdict.reasons import LEFT_OUT, TIE_BREAKS, ReasonCode
from lib.core.verdict.ties import lead_sentence, lowest_sentence
from lib.table.cells import summary_of
from lib.table.inputs import SummaryInput
from tests.core.decided_runs import SAME, curves_by_id
from tests.core.verdict.test_objections import assessed

ROOT = Path(__file__).parents[3]
DAYS = [None, *(datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2))]

some_run = st.fixed_dictionaries(
    {
        "loss": st.sampled_from([None, 0.0, 0.3, 0.3, 0.31, 0.6, float("nan")]),
        "train": st.sampled_from([None, 0.0, 0.28, 0.3, 0.32]),
        "status": st.sampled_from([RunStatus.COMPLETED] * 5 + list(RunStatus)),
        "dataset": st.sampled_from(["tatsu-lab/alpaca"] * 3 + ["x/y", ...]),
        "completed": st.sampled_from(DAYS),
    }
)
ALIKE = {"loss": 0.3, "train": 0.28, "status": RunStatus.COMPLETED, "dataset": "x/y", "completed": None}


def run_of(run_id: str, case: dict) -> RunSummary:
    config = {key: value for key, value in {**SAME, "dataset": case["dataset"]}.items() if value is not ...}
    return RunSummary(
        run_id=run_id,
        name=run_id,
        status=case["status"],
        best_eval_loss=case["loss"],
        loss=case["train"],
        completed_at=case["completed"],
        config={"training": config},
    )


def table_of(grounds: Grounds, runs: list[RunSummary]) -> dict[str, str]:
    """The tooltip of each run's score in the table."""
    scores = grounds.decision.scores
    rows = [
        SummaryInput(
            run=run, label=run.run_id, score=scores.get(run.run_id), unscorable=grounds.left_out.get(run.run_id)
        )
        for run in runs
    ]
    summary = summary_of(rows)
    notes = [cell.note for cell in summary.cells["score"]]
    return dict(zip(summary.run_ids, notes, strict=True))


def tie_breaks_in(texts: Iterator[str]) -> set[str]:
    words = "|".join(re.escape(rule.wins_by) for rule in TIE_BREAKS.values())
    return {found for text in texts for found in re.findall(rf"(?:{words})[^.;,]*", text)}


@given(st.lists(some_run, max_size=5), st.sampled_from([0.0, 0.5, 0.7, 1.0]), st.sampled_from([0.001, 0.05]))
@example([ALIKE, {**ALIKE, "dataset": "p/q"}], 0.7, 0.001)
@example([ALIKE, {**ALIKE, "completed": DAYS[1]}], 0.7, 0.001)
@example([ALIKE, {**ALIKE, "train": None}], 1.0, 0.001)
@example([{**ALIKE, "status": RunStatus.RUNNING}], 0.7, 0.001)
@settings(deadline=None, max_examples=150)
def test_all_places_give_the_same_reason(cases, weight, noise):
    runs = [run_of(str(number), case) for number, case in enumerate(cases)]
    decision = decide(runs, curves_by_id(runs, noise), ScoringPolicy(eval_weight=weight))
    grounds = grounds_of(decision, runs)
    winner, ranked = decision.recommendation.winner, decision.ranked
    said = overview_of(grounds, runs, {run.run_id: assessed(run.run_id) for run in runs})
    objections = {objection.code: objection.sentence for objection in said.objections}
    glance = glance_of(said, runs, {run.run_id: assessed(run.run_id) for run in runs})
    rows = {row.run_id: row for row in glance.ranking.rows}
    everything = [grounds.why_first, *grounds.behind.values(), *grounds.other_classes.values(), *objections.values()]
    everything += [grounds.lowest_not_first or "", grounds.leader or "", *glance.texts.values()]

    # Why it is alone: the only one of the selected, or the only one of its class.
    only = "the only completed run with an eval loss among the selected"
    own = "the best of its own class of comparable runs, and the only one in it"
    alone = [*flip_sentences(decision, grounds.labels), lead_sentence(decision, grounds.labels),
             lowest_sentence(decision, grounds.labels)]  # fmt: skip
    is_alone = winner is not None and len(ranked) == 1
    for phrase, holds in ((only, not decision.other_classes), (own, bool(decision.other_classes))):
        assert any(phrase in text.replace("It is", "it is") for text in everything) == (is_alone and holds)
        assert sum(phrase in text for text in alone) == 3 * (is_alone and holds)
    if "alone" in objections:
        assert objections["alone"] == grounds.sentence(ReasonCode.ALONE)

    # What breaks a tie: one phrase for each pair, wherever it is told.
    for rival in ranked[1:]:
        own_line = grounds.behind[rival]
        if glance.kind is HeadlineKind.WINNER and not rows[rival].mark.startswith("≤"):
            assert rows[rival].why == own_line
        told = tie_breaks_in(iter([own_line]))
        assert len(told) == ("level with the recommended run" in own_line)
        about = [grounds.sentence(ReasonCode.TIE)] if rival == ranked[1] else []
        about += [text for text in (grounds.lowest_not_first or "").split(". ") if text.startswith(f"{rival} ")]
        assert tie_breaks_in(iter(about)) <= told

    # Why a run was left out.
    notes = table_of(grounds, runs)
    for run_id, why in grounds.left_out.items():
        assert any(why == words.split(" {")[0] or words.split("{")[0] in why for words in LEFT_OUT.values())
        assert rows[run_id].why.startswith(f"Left out: {why}.")
        assert notes[run_id] == f"Left out: {why}."
        if run_id in grounds.lowest and decision.recommended is not None:
            assert f"but cannot be recommended: {why}." in (grounds.lowest_not_first or "")
        if grounds.lowest == (run_id,) and winner is None and "None leads" not in (grounds.leader or ""):
            assert (grounds.leader or "").startswith(f"{run_id} has the lowest eval loss")
            assert f"({why})" in (grounds.leader or "")

    # Why the lowest eval loss is not first: the panel and the objection say it in the same words, and say it once.
    lower = [text for code, text in objections.items() if code.startswith("lower_loss")]
    assert [text.removesuffix(" This difference is beyond the noise.") for text in lower] == [
        text for text in (grounds.lowest_not_first,) if text
    ]

    # Every run has a row, and every one but the recommended exactly one reason.
    assert sorted(rows) == sorted(run.run_id for run in runs)
    reasoned = [*grounds.behind, *grounds.left_out, *grounds.other_classes]
    assert sorted(reasoned) == sorted(run.run_id for run in runs if winner is None or run.run_id != winner.run_id)


def sentences_in(path: Path) -> list[str]:
    """Texts of more than a few words that are neither documentation, nor an error's, nor a limit's reason."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    apart = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    unsaid = [node for node in ast.walk(tree) if isinstance(node, ast.Raise) or _is_a_limit(node)]
    apart |= {id(inner) for node in unsaid for inner in ast.walk(node)}
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in apart]
    worded = [text for text in texts if isinstance(text, str) and re.search(r"[a-z] [a-z]+ [a-z]", text)]
    return [text for text in worded if not _is_a_name(text)]


def _is_a_limit(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("Limit", "Count", "Limits")


def _is_a_name(text: str) -> bool:
    """Names of options in a row, and what the policy calls a gap band."""
    return "_" in text or text in {band.label for band in DEFAULT_POLICY.bands}


@pytest.mark.parametrize("package", ["ranking", "checkpoints"])
def test_below_the_verdict_nothing_is_worded(package):
    files = (ROOT / "lib" / "core" / package).glob("*.py")
    assert {path.name: found for path in files if (found := sentences_in(path))} == {}
