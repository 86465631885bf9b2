from __future__ import annotations

from lib.core.answers.read_as import MOST_FILES, NamedMetric, read_from
from lib.core.facts.runs import ReadAs, RunSummary


def run(name, *read_as, formats=("Lightning",), files=("metrics.csv",)):
    return RunSummary(run_id=name, name=name, read_as=read_as, formats=formats, files=files)


def test_runs_that_were_read_alike_are_told_together_guesses_first():
    sure, guess = ReadAs("lr-AdamW", "learning_rate"), ReadAs("valid_ce", "eval_loss", guessed=True)
    own = ReadAs("val/f1", "eval_f1")
    one, other = read_from([run("a", sure, guess, own), run("b", sure), run("c", sure, guess)])
    assert one.run_ids == ("a", "c")
    assert one.metrics == (NamedMetric("valid_ce", "eval loss", True), NamedMetric("lr-AdamW", "learning rate", False))
    assert (other.run_ids, other.formats) == (("b",), "Lightning")


def test_of_many_files_some_are_named_and_what_is_hidden_in_a_name_is_written_out():
    many = tuple(f"part {number}" for number in range(MOST_FILES + 2))
    (found,) = read_from(
        [run("a", ReadAs("lo\u202ess", "train_loss"), formats=("text log", "TensorBoard"), files=many)]
    )
    assert found.formats == "text log and TensorBoard"
    assert found.files[0].endswith("part 3 and 2 more files")
    assert found.metrics[0].name == r"lo\u202ess"


def test_a_source_that_says_nothing_of_files_has_nothing_to_tell():
    assert read_from([run("a", formats=(), files=())]) == ()
