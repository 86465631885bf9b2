"""Which columns are shown, how they are headed, what is said instead, and how wide they are."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lib.table.cells import summary_of
from lib.table.columns import COLUMNS
from lib.table.further import further_columns
from lib.table.inputs import SummaryInput
from lib.table.layout import NAME_PX, ROOM_PX, Layout, laid_out
from lib.table.widths import width_px
from tests.core.judged_runs import judged, run


def table(*runs, labels=None, metric="eval_loss", chosen=(), by_score=True, fields=None, further=()) -> Layout:
    grounds = judged(*runs)
    rows = [
        SummaryInput(
            run=each,
            label=each.run_id,
            values=grounds.decision.values.get(each.run_id),
            score=grounds.decision.scores.get(each.run_id),
            **(fields or {}).get(each.run_id, {}),
        )
        for each in runs
    ]
    named = labels or {each.run_id: each.run_id for each in runs}
    return laid_out(summary_of(rows, further), metric, chosen, by_score=by_score, labels=named)


def keys(layout: Layout) -> list[str]:
    return [each.column.key for each in layout.columns]


TWO = (run("a", 0.4, 0.3, best_step=10, total_steps=20), run("b", 0.5, 0.3, best_step=12, total_steps=20))


def test_what_is_the_same_is_said_and_what_nobody_recorded_is_not():
    fields = {"a": {"batch": 8, "configured_learning_rate": 1e-4}, "b": {"batch": 8, "configured_learning_rate": 2e-4}}
    found = table(*TWO, fields=fields)
    assert "learning_rate" in keys(found)
    assert not {"batch", "model", "duration"} & set(keys(found))
    assert found.alike == ("batch size 8",)


def test_durations_that_hardly_differ_are_about_the_same():
    nearly = [run(name, 0.4, duration_s=seconds) for name, seconds in (("a", 10_000.0), ("b", 10_100.0))]
    # 166.7 and 168.3 minutes.
    assert table(*nearly).alike == ("about 2 h 47 min",)
    apart = [run(name, 0.4, duration_s=seconds) for name, seconds in (("a", 10_000.0), ("b", 11_000.0))]
    assert "duration" in keys(table(*apart))


def test_what_decides_stands_first_and_its_step_behind_it():
    assert keys(table(*TWO))[:4] == ["run", "score", "eval_loss", "steps_to_best"]
    assert keys(table(*TWO, by_score=False))[:3] == ["run", "eval_loss", "steps_to_best"]
    further = further_columns(["eval_f1"], {"eval_f1": "higher"})
    by_f1 = table(*TWO, metric="eval_f1", by_score=False, further=further)
    assert keys(by_f1)[:4] == ["run", further[0].key, "steps_to_best", "eval_loss"]
    assert [each.lines for each in by_f1.columns[1:4]] == [("F1", "best"), ("", "at step"), ("Eval loss", "there")]


def test_a_step_says_of_what_it_is_where_that_does_not_stand_before_it():
    lines = {
        each.column.key: each.lines for each in table(*TWO, chosen=["steps_to_best", "lowest_eval_loss_step"]).columns
    }
    assert lines["steps_to_best"] == ("Step", "of the best")
    assert lines["lowest_eval_loss_step"] == ("Lowest loss", "at step")


def test_what_all_names_begin_with_is_said_once():
    found = table(*TWO, labels={"a": "support-llama-8b · lr 1e-4", "b": "support-llama-8b · lr 2e-4"})
    assert found.names == {"a": "lr 1e-4", "b": "lr 2e-4"}
    assert found.alike[0] == "support-llama-8b"


def test_long_names_take_two_lines_and_the_default_columns_still_fit():
    start = "customer-support-qwen2.5-7b-qlora-nf4-cosine"
    labels = {"a": f"a-{start}-2-epochs-rank-32-alpha-64", "b": f"b-{start}-4-epochs-rank-64-alpha-128"}
    settings = ({"batch": 8, "configured_learning_rate": 1e-4}, {"batch": 16, "configured_learning_rate": 2e-4})
    runs = [
        run(name, loss, 0.3, best_step=10, base_model=f"org/model-{name}", dataset=f"{name}.jsonl", duration_s=seconds)
        for name, loss, seconds in (("a", 0.4, 100.0), ("b", 0.5, 200.0))
    ]
    found = table(*runs, labels=labels, fields=dict(zip("ab", settings, strict=True)))
    assert found.is_tall
    assert found.names == labels
    assert NAME_PX[0] <= found.columns[0].width <= NAME_PX[1]
    assert sum(each.width for each in found.columns) <= ROOM_PX


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_longer_text_is_no_narrower(one, two):
    assert width_px(one + two) >= max(width_px(one), width_px(two))


def test_every_column_is_in_one_place_whatever_decides():
    every = [column.key for column in COLUMNS]
    for metric, by_score in (("eval_loss", True), ("eval_loss", False), ("perplexity", False), (None, False)):
        assert sorted(keys(table(*TWO, metric=metric, by_score=by_score, chosen=every))) == sorted(every)


def test_headers_and_their_help_speak_of_epochs_where_all_logs_count_these():
    in_epochs = [replace(each, current_step=20, current_epoch=20.0, total_epochs=20.0) for each in TWO]
    for runs, unit, other in ((TWO, "step", "epoch"), (in_epochs, "epoch", "step")):
        shown = table(*runs, chosen=["steps_to_best", "lowest_eval_loss_step", "gap", "batch"]).columns
        said = {each.column.key: " ".join((*each.lines, each.column.tooltip)).lower() for each in shown}
        assert "device and step" in said.pop("batch", "device and step")
        assert unit in said["steps_to_best"]
        assert not any(other in text for text in said.values()), said
