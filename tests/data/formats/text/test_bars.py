"""Logs of a Trainer whose lines state no step, and in which bars are drawn: of the training, and of anything else."""

from __future__ import annotations

from lib.data.formats.assembly import form_of
from lib.data.formats.readers.text_logs import FORMAT
from tests.data.formats.reading import only_run, points, put, readings

SHARDS = (
    "\rWriting model shards:   0%|          | 0/1 [00:00<?, ?it/s]\rWriting model shards: 100%|██| 1/1 [00:00<00:00]\n"
)
TOKENS = (
    "\rTokenizing:   0%|          | 0/100 [00:00<?, ?it/s]\rTokenizing: 100%|██████| 100/100 [00:00<00:00, 9.0it/s]\n"
)
LOADING = "".join(f"\rLoading: |██| {done}/40 [00:00<00:00, 9.0it/s]" for done in range(41)) + "\n"
SUMMARY = "{'train_runtime': '10', 'train_samples_per_second': '3', 'train_loss': '1.5', 'epoch': '2'}\n"


def training(loss: float, count: int = 6, bar: bool = False) -> str:
    lines = []
    for step in range(1, count + 1):
        lines += [f"\r 10%|██| {10 * step}/60 [00:{step:02}<00:10, 9.0it/s]\n"] if bar else []
        lines += [f"{{'loss': '{loss - step / 10:.2f}', 'learning_rate': '1e-4', 'epoch': '{step / 3:.2f}'}}\n"]
        lines += [SHARDS] if step % 2 == 0 else []
        lines += (
            [f"{{'eval_loss': '{loss - step / 10 + 0.05:.2f}', 'epoch': '{step / 3:.2f}'}}\n"] if step % 3 == 0 else []
        )
    return "".join(lines)


def losses(loss: float, count: int = 6, every: int = 1) -> list[tuple[int, float]]:
    return [(every * step, round(loss - step / 10, 2)) for step in range(1, count + 1)]


def test_bars_of_anything_else_are_no_steps_of_the_training(tmp_path):
    put(tmp_path, {"train.log": TOKENS + training(3.0) + SUMMARY})
    run = only_run(FORMAT, tmp_path)
    assert points(run)["loss"] == losses(3.0)
    assert points(run)["eval_loss"] == [(3, 2.75), (6, 2.45)]
    assert run.total_steps is None


def test_a_bar_that_stands_still_is_not_that_of_the_training_however_it_moved_before(tmp_path):
    put(tmp_path, {"train.log": LOADING + training(3.0) + SUMMARY})
    assert points(only_run(FORMAT, tmp_path))["loss"] == losses(3.0)


def test_among_bars_of_files_that_are_written_that_of_the_training_counts(tmp_path):
    put(tmp_path, {"train.log": TOKENS + training(3.0, bar=True) + SUMMARY})
    run = only_run(FORMAT, tmp_path)
    assert points(run)["loss"] == losses(3.0, every=10)
    assert run.total_steps == 60


def test_trainings_one_after_the_other_are_counted_each_for_itself(tmp_path):
    put(tmp_path, {"train.log": "".join(TOKENS + training(loss) + SUMMARY for loss in (3.0, 9.0, 2.0))})
    (reading,) = readings(FORMAT, tmp_path).values()
    assert [points(run)["loss"] for run in reading.runs] == [losses(3.0), losses(9.0), losses(2.0)]


def test_a_training_that_was_started_again_without_an_end_is_another(tmp_path):
    put(tmp_path, {"train.log": training(3.0, 4) + "Killed\n" + training(2.0)})
    (reading,) = readings(FORMAT, tmp_path).values()
    assert [points(run)["loss"] for run in reading.runs] == [losses(3.0, 4), losses(2.0)]


def test_what_is_evaluated_after_the_end_is_no_point(tmp_path):
    after = "{'eval_loss': '0.10', 'epoch': '2'}\n"
    put(tmp_path, {"train.log": training(3.0) + SUMMARY + after + training(2.0) + SUMMARY + after})
    (reading,) = readings(FORMAT, tmp_path).values()
    assert [points(run)["eval_loss"] for run in reading.runs] == [[(3, 2.75), (6, 2.45)], [(3, 1.75), (6, 1.45)]]
    assert any("after the end of training" in note for note in reading.runs[0].notes)


def test_an_evaluation_at_the_end_alone_is_a_result(tmp_path):
    lines = "".join(line for line in training(3.0).splitlines(keepends=True) if "eval_loss" not in line)
    after = "{'eval_loss': '2.10', 'eval_runtime': '3.0', 'epoch': '2'}\n{'eval_loss': '0.10', 'epoch': '2'}\n"
    put(tmp_path, {"train.log": lines + SUMMARY + after})
    run = only_run(FORMAT, tmp_path)
    assert "eval_loss" not in run.series
    assert run.last["eval_loss"] == 2.1
    assert form_of(("a",), FORMAT.title, run, {}, 0.0).run.final_eval_loss == 2.1


def test_a_training_that_goes_on_behind_a_summary_is_one(tmp_path):
    second = training(2.4).replace("'epoch': '", "'epoch': '2")
    put(tmp_path, {"train.log": training(3.0) + SUMMARY + second + SUMMARY})
    assert len(points(only_run(FORMAT, tmp_path))["loss"]) == 12


def test_a_bar_that_begins_shows_what_the_one_before_it_came_to(tmp_path):
    """As Lightning draws them: the old title with nothing done, then the new one, both with the old values."""
    text, shown = "", "train_loss=9.0"
    for epoch in range(4):
        text += f"\rEpoch {epoch}:   0%|          | 0/32 [00:00<?, ?it/s, {shown}]"
        for done in (16, 32):
            shown = f"train_loss={3 - epoch / 2 - done / 100:.2f}, {shown.partition(', ')[2]}".rstrip(", ")
            text += f"\rEpoch {epoch}:  50%|#####     | {done}/32 [00:01<00:02, 9.0it/s, {shown}]"
        shown = f"{shown.partition(', ')[0]}, val_loss={2 - epoch / 4:.3f}"
        text += f"\rEpoch {epoch}: 100%|##########| 32/32 [00:02<00:00, 9.0it/s, {shown}]"
        text += f"\rEpoch {epoch}:   0%|          | 0/32 [00:00<?, ?it/s, {shown}]"
    put(tmp_path, {"train.log": text + "\n"})
    found = points(only_run(FORMAT, tmp_path))
    assert dict(found["train_loss"]) == {
        32 * epoch + done: round(3 - epoch / 2 - done / 100, 2) for epoch in range(4) for done in (16, 32)
    }
    assert [dict(found["val_loss"])[32 * (epoch + 1)] for epoch in range(4)] == [2.0, 1.75, 1.5, 1.25]
