"""A record says what a decision was made of, and a check names what has changed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.facts.runs import RunStatus
from lib.core.ranking.policy import ScoringPolicy
from lib.report import record
from lib.report.changes import About, changes
from lib.report.compared import Told, judge
from tests.report.judged import judged, run

RUNS = (run("a", 0.50, learning_rate=1e-4), run("b", 0.60, learning_rate=2e-4))


def recorded(compared):
    return record.parse(record.to_json(record.record_of(compared)))


def again(compared, curves=None, runs=None, **how):
    return judge(runs or compared.stored, curves or compared.curves, compared.labels, None, **how)


def said(compared, other):
    return changes(recorded(compared), record.record_of(other))


def changed(curve, at, value):
    values = curve.value.copy()
    values[at] = value
    return complete_curve(curve.step, values, curve.epoch, curve.elapsed_s)


def with_curve(compared, run_id, metric, curve):
    own = compared.curves[run_id]
    return {**compared.curves, run_id: RunCurves(run_id, {**own.curves, metric: curve})}


def test_the_same_input_gives_the_same_bytes_in_any_order():
    one, other = judged(*RUNS), judged(*RUNS)
    assert record.to_json(record.record_of(one)) == record.to_json(record.record_of(other))
    assert said(one, other) == ()
    # Curves that were read again are other arrays.
    read = {key: RunCurves(key, {name: changed(curve, 0, curve.value[0]) for name, curve in own.curves.items()})
            for key, own in one.curves.items()}  # fmt: skip
    assert said(one, again(one, read)) == ()


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_change_of_one_value_by_a_millionth_is_named(data):
    compared = judged(*RUNS)
    run_id = data.draw(st.sampled_from(sorted(compared.curves)))
    metric = data.draw(st.sampled_from(sorted(compared.curves[run_id].curves)))
    curve = compared.curves[run_id].curves[metric]
    at = data.draw(st.integers(0, len(curve) - 1))
    other = again(compared, with_curve(compared, run_id, metric, changed(curve, at, curve.value[at] + 1e-6)))
    found = [each for each in said(compared, other) if each.about is About.DATA]
    assert len(found) == 1
    assert run_id in found[0].sentence
    assert metric.replace("_", " ") in found[0].sentence
    assert "other values" in found[0].sentence


def test_a_further_row_is_named_with_the_step():
    compared = judged(*RUNS)
    curve = compared.curves["a"].curves["eval_loss"]
    longer = complete_curve(
        np.append(curve.step, 310), np.append(curve.value, 0.6), np.append(curve.epoch, np.nan),
        np.append(curve.elapsed_s, np.nan),
    )  # fmt: skip
    found = said(compared, again(compared, with_curve(compared, "a", "eval_loss", longer)))
    assert found[0].sentence == (
        "The eval loss of a has 31 points, up to step 310; on record are 30 points, up to step 300."
    )


def test_a_metric_that_came_or_went_is_named():
    compared = judged(*RUNS)
    curve = compared.curves["a"].curves["eval_loss"]
    more = again(compared, with_curve(compared, "a", "eval_f1", curve))
    assert any("a has eval_f1 now, 30 points." in each.sentence for each in said(compared, more))
    assert any("a has no eval_f1 any more." in each.sentence for each in said(more, compared))


def test_a_run_that_is_gone_and_one_whose_state_is_another_are_named():
    compared = judged(*RUNS)
    alone = judge(compared.stored[:1], {"a": compared.curves["a"]}, compared.labels, None)
    assert said(compared, alone)[0].sentence == "b is gone, or may not be read."
    runs = (compared.stored[0], replace(compared.stored[1], status=RunStatus.FAILED))
    found = [each.sentence for each in said(compared, again(compared, runs=runs))]
    assert "b, status: failed; on record is completed." in found


def test_another_setting_is_named_and_its_value_is_not_in_the_record():
    compared = judged(*RUNS)
    config = {"training": {**compared.stored[0].config["training"], "api_key": "sk-very-secret-0123456789abcdef"}}
    runs = (replace(compared.stored[0], config=config), compared.stored[1])
    other = again(compared, runs=runs)
    assert "The settings of a are others than on record." in [each.sentence for each in said(compared, other)]
    assert "very-secret" not in record.to_json(record.record_of(other))


def test_another_name_or_time_of_a_file_is_no_change():
    compared = judged(*RUNS)
    moved = replace(compared.stored[0], name="elsewhere", created_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert said(compared, again(compared, runs=(moved, compared.stored[1]))) == ()


def test_values_that_begin_alike_are_said_as_far_as_they_differ():
    compared = judged(*RUNS)
    before, now = (recorded(compared) for _ in range(2))
    before["verdict"]["recommended"], now["verdict"]["recommended"] = f"{'x' * 90}a", f"{'x' * 90}b"
    (only,) = changes(signed(before), now)
    assert f"{'x' * 90}b; on record is {'x' * 90}a." in only.sentence


def test_points_that_contradict_the_metrics_are_named():
    compared = judged(*RUNS)
    before = recorded(compared)
    before["runs"][0]["points"] += 1
    assert "are others on record" in changes(signed(before), record.record_of(compared))[0].sentence


def test_another_weight_is_named():
    compared = judged(*RUNS)
    other = again(compared, policy=ScoringPolicy(eval_weight=0.5))
    assert "The rule: eval weight is 0.5; on record is 0.7." in [each.sentence for each in said(compared, other)]


def test_each_constant_of_the_code_is_named(monkeypatch):
    compared = judged(*RUNS)
    before = recorded(compared)
    known = record.constants()
    assert len(known) > 50
    for name in known:
        monkeypatch.setattr(record, "constants", lambda name=name: known | {name: 12345.0})
        (only,) = changes(before, record.record_of(compared))
        assert only.about is About.CONSTANT
        assert name in only.sentence


def test_another_verdict_is_named():
    compared = judged(*RUNS)
    other = judged(run("a", 0.70, learning_rate=1e-4), RUNS[1])
    found = {each.sentence for each in said(compared, other) if each.about is About.VERDICT}
    assert "The recommended run: b; on record is a." in found


def test_what_was_said_of_the_runs_is_kept():
    told = Told(ended=True, read_as=(("mlm_loss", "eval_loss"),))
    compared = judged(*RUNS, told=told)
    assert record.told_of(recorded(compared)) == told


def test_numbers_that_are_none_are_the_same_whatever_their_bits():
    compared = judged(*RUNS)
    curve = compared.curves["a"].curves["eval_loss"]
    strange = np.frombuffer(np.uint64(0x7FF8000000000123).tobytes(), "<f8")[0]
    one = again(compared, with_curve(compared, "a", "eval_loss", changed(curve, 3, np.nan)))
    other = again(compared, with_curve(compared, "a", "eval_loss", changed(curve, 3, strange)))
    assert said(one, other) == ()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"kind": "runoff decision"}', '{"kind": "runoff decision", "format": 2}', "[" * 100_000,
     '{"kind": "runoff decision", "format": 1, "runs": [1]}', "\x00", "null"],
)  # fmt: skip
def test_what_is_no_record_is_said_to_be_none(text):
    with pytest.raises(record.WrongRecord) as raised:
        record.parse(text)
    assert raised.value.hint


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


def places(value, path=()):
    """All places in a record."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, key))


def put(value, path, new):
    if not path:
        return new
    key, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = put(copy[key], rest, new)
    return copy


def get(value, path):
    for key in path:
        value = value[key]
    return value


COMPARED = judged(*RUNS)
WHOLE = json.loads(record.to_json(record.record_of(COMPARED)))
# Of what is long, the first part stands for the others.
PLACES = [path for path in places(WHOLE) if path[0:1] != ("constants",) or len(path) < 2]


@given(st.sampled_from(PLACES), ANYTHING)
@settings(max_examples=150, deadline=None)
def test_a_part_of_a_record_that_is_something_else_is_refused_or_named(path, value):
    try:
        found = record.parse(json.dumps(put(WHOLE, path, value)))
    except record.WrongRecord:
        return
    now = record.again(found, COMPARED.stored, COMPARED.curves)
    for each in changes(found, now):
        assert each.sentence


def edits(value):
    """A value of the same kind that is another one."""
    match value:
        case bool():
            return [not value]
        case int() | float():
            return [value + 1, value - 1] if value else [1]
        case str():
            return [f"{value}x"]
        case None:
            return ["x", 1]
        case _:
            return []


def signed(whole):
    return whole | {"sha256": record.digest_of(whole)}


EDITED = [(path, new) for path in places(WHOLE) for new in edits(get(WHOLE, path))]
"""Every field of a record with another value."""


AGAIN = {}
"""What was decided again, by all of a record that it depends on."""


def checked(whole):
    """What is named of a record, or why it is refused."""
    try:
        found = record.parse(json.dumps(whole))
    except record.WrongRecord as error:
        return [str(error)]
    names = [(each["run_id"], each["label"]) for each in found["runs"]]
    asked = {key: found[key] for key in ("policy", "by", "direction", "ended", "read_as")}
    key = json.dumps([asked, names])
    if key not in AGAIN:
        # A source gives the runs that it is asked for.
        there = [each for each in COMPARED.stored if each.run_id in dict(names)]
        AGAIN[key] = record.again(found, there, COMPARED.curves)
    return [each.sentence for each in changes(found, AGAIN[key])]


def test_every_field_that_is_changed_by_hand_is_named():
    assert len(EDITED) > 300
    assert checked(WHOLE) == []
    # Of the constants one stands for all, as each has a test of its own.
    constants = [each for each in EDITED if each[0][0] == "constants"]
    for path, new in [*(each for each in EDITED if each not in constants), *constants[:3]]:
        assert checked(put(WHOLE, path, new)), path


SILENT = {"versions", "ended", "read_as", "direction"}
"""What changes nothing of these runs: libraries, and what was said that is of none of them."""


def test_every_field_is_named_by_itself_too():
    for path, new in EDITED:
        if path[0] not in SILENT | {"sha256"} and path[0] != "constants":
            assert checked(signed(put(WHOLE, path, new))), path


@pytest.mark.parametrize("path", [path for path in PLACES if path and path[0] != "constants"], ids=str)
def test_a_field_that_is_not_there_or_stands_there_besides_is_named(path):
    *above, last = path
    inner = get(WHOLE, above)
    if isinstance(inner, list):
        assert checked(put(WHOLE, above, [each for at, each in enumerate(inner) if at != last]))
    elif above or last not in ("runs",):
        assert checked(put(WHOLE, above, {key: each for key, each in inner.items() if key != last}))
        assert checked(put(WHOLE, above, inner | {"besides": 1}))


def test_a_metric_that_no_run_logged_is_named_and_no_record_is_made_of_it():
    (first, *_) = checked(signed(WHOLE | {"by": "eval_no_such"}))
    assert first == "The metric that was chosen, eval_no_such, is none that a ranked run logged."
    assert recorded(judged(*RUNS, by="eval_no_such"))["by"] is None
    assert recorded(judged(*RUNS, by="eval_loss"))["by"] == "eval_loss"


def test_a_record_that_another_program_wrote_anew_is_as_it_was():
    # A program of the web writes 1.0 as 1, in any order, on one line.
    text = json.dumps(dict(reversed(WHOLE.items())), ensure_ascii=True).replace(".0,", ",").replace(".0}", "}")
    assert text != json.dumps(WHOLE)
    assert checked(json.loads(text)) == []


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "change",
    [
        lambda whole: whole["runs"][0].update(run_id="\ud800"),
        lambda whole: whole["runs"].append(whole["runs"][0]),
        lambda whole: whole["runs"].clear(),
        lambda whole: whole["runs"].extend({**whole["runs"][0], "run_id": f"r{at}"} for at in range(10)),
        lambda whole: whole["runs"][0]["metrics"]["eval_loss"].update(points="30"),
        lambda whole: whole["runs"][0]["metrics"]["eval_loss"].update(points=10**400),
        lambda whole: whole["policy"].update(eval_weight=float("nan")),
        lambda whole: whole["policy"].update(eval_weight=2),
        lambda whole: whole.update(by=["eval_loss"]),
        lambda whole: whole.update(direction="sideways"),
        lambda whole: whole.update(read_as={"loss": "no metric of ours"}),
        lambda whole: whole["verdict"].update(tied=nested(500)),
    ],
    ids=range(12),
)
def test_a_record_that_was_tampered_with_is_refused(change):
    whole = json.loads(json.dumps(WHOLE))
    change(whole)
    with pytest.raises(record.WrongRecord):
        record.parse(json.dumps(whole))
