"""Texts that are made to be read slowly take the time of their length: who reads one holds up everybody's pages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from lib.data.formats.text.counters import found_in
from lib.data.formats.text.values import numbers_of

PROGRAM = """
import resource
from lib.core.aspects.sizes import named_classes
from lib.core.config.values import _bits
from lib.core.facts.credentials import redact
from lib.core.ranking.offers import _uncounted
from lib.data.formats.forms.continued import _NEXT
from lib.data.formats.json_shapes import _METRIC_NAME
from lib.data.formats.records.event_folder import _NAME
from lib.data.formats.stores.text_values import _PART
from lib.data.formats.text.file_names import should_be_written
from lib.data.formats.text.words import Words
from lib.data.tables.json_rows import _MARKS
from lib.data.trainer.checkpoint_names import step_in
from lib.data.upload.loose import may_be_log
from lib.data.upload.names import plain_name

# Seconds of processor time for all of it; many of these take minutes by themselves if time is the square of length.
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
many = 50_000
redact("key:" * many)
redact("tokens=5)" * many)
redact("token='" + "\\\\'" * many * 2)
_bits("4" + " " * many + "x")
_uncounted("a" * many)
_NEXT.fullmatch("_" * 20_000 + "!")
_METRIC_NAME.search("loss_train" * many + "!")
named_classes(["eval_" + "f1_" * many + "/"])
_NAME.search("tfevents.1." * many + "\\n!")
_PART.sub("", '\\\\"' * many)
list(_MARKS.finditer('\\\\"' * many))
should_be_written("_debug" * 20_000 + "\\n.log")
step_in("a1" * many)
step_in("1" * 4_000 + "a1")
may_be_log("_" * many + "!")
plain_name("a" * many * 10)
words = Words()
for number in range(50):
    words.read(number, "  name ..... x" + " " * 19_000 + "x")
print("read")
"""


def test_hostile_texts_take_the_time_of_their_length() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("read\n", 0), done.stderr


def test_a_unit_with_strokes_behind_a_name_belongs_to_it() -> None:
    line = "elapsed time per iteration (ms): 2000.0 | throughput per GPU (TFLOP/s/GPU): 150.3 | lm loss: 2.5"
    names = [each.name for each in numbers_of(line)]
    assert names == ["elapsed time per iteration", "throughput per GPU (TFLOP/s/GPU)", "lm loss"]


def test_no_name_ends_with_a_bracket_that_was_opened_before_it() -> None:
    assert [each.name for each in numbers_of("step 3 (tok/s): 12, lr: 0.5")] == ["step", "tok/s", "lr"]


def test_the_step_behind_the_word_for_metrics_is_a_step() -> None:
    found = found_in("eval metrics after step: 49, loss=1.09, total_weights=3000")
    assert found is not None
    assert (found.step, found.values) == (49, [("eval/loss", 1.09), ("eval/total_weights", 3000.0)])
