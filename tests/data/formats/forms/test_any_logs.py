"""Whatever stands in logs: nothing raises, nothing is lost, and what is made keeps what everything relies on."""

from __future__ import annotations

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from lib.core.curves.metric_curves import MetricCurve
from lib.core.facts.metrics import LOGGED
from lib.core.facts.runs import RunStatus
from lib.data.formats.assembly import merged, renamed, same_runs
from lib.data.formats.logged import Series
from tests.curves import check_curve
from tests.data.formats.forms.logs import form

NAMES = st.sampled_from(
    ["loss", "val_loss", "train/loss", "eval/f1", "lr", "epoch", "iter", "global_step", "ppl", "", "_step", "a/b",
     "Ä\u202e", "train/train_runtime", "train/epoch", "tokens_per_second_per_gpu", "val", "norm"]
)  # fmt: skip
VALUES = st.one_of(st.floats(), st.sampled_from([0.0, 1.0, 2.5, 1e308, -1e308, 1e-320]), st.integers(-2, 9).map(float))
PLACES = st.sampled_from(
    ["", "a", "a/tb", "a/log.txt", "a/b/x.csv", "runs/Jan01_10-00-00_h", "wandb/run-20250101_010203-ab/files"]
)
CONFIGS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=4), st.integers()),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.sampled_from(["lr", "max_steps", "epochs", "args"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@st.composite
def series(draw):
    count = draw(st.integers(0, 6))
    step = draw(st.lists(st.integers(0, 2**62) | st.integers(0, 9), min_size=count, max_size=count))
    columns = [np.array(draw(st.lists(VALUES, min_size=count, max_size=count)), dtype=np.float64) for _ in range(3)]
    epoch, at = (column if draw(st.booleans()) else None for column in columns[1:])
    return Series(np.array(step, dtype=np.int64), columns[0], epoch, at)


@st.composite
def forms(draw):
    logged = draw(st.dictionaries(NAMES, series(), max_size=5))
    return form(
        draw(PLACES),
        logged,
        draw(st.sampled_from(["TensorBoard", "text log", "Hugging Face Trainer"])),
        side_files=draw(st.fixed_dictionaries({}, optional={"args.json": st.dictionaries(NAMES, CONFIGS, max_size=2)})),
        key=draw(st.sampled_from(["", "", "k"])),
        name=draw(st.sampled_from(["", "n", "a"])),
        identity=draw(st.sampled_from(["", "", "i"])),
        counted=draw(st.sampled_from(["step", "epoch"])),
        config=draw(st.dictionaries(st.sampled_from(["args", "config", "model_config"]), CONFIGS, max_size=2)),
        last=draw(st.dictionaries(NAMES, VALUES, max_size=2)),
        status=draw(st.sampled_from(list(RunStatus))),
        started=draw(st.none() | VALUES),
        ended=draw(st.none() | VALUES),
        total_steps=draw(st.none() | st.integers(-1, 20)),
        total_epochs=draw(st.none() | VALUES),
    )


# To shrink such examples takes minutes.
@settings(max_examples=80, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(st.lists(forms(), max_size=5))
def test_any_logs_become_runs(found):
    groups = same_runs(found)
    places = [at for group in groups for at in group]
    assert len(set(places)) == len(places)
    assert {at for at, each in enumerate(found) if each.curves.curves} <= set(places)
    for group in groups:
        made = merged([found[at] for at in group])
        for curve in made.curves.curves.values():
            check_curve(curve)
        assert made.run.run_id == made.curves.run_id
        metrics = {metric for at in group for metric in found[at].curves.curves if metric in LOGGED}
        assert metrics <= set(made.curves.curves)
        assert made.run.progress is None or 0.0 <= made.run.progress <= 1.0
        assert {each.metric for each in made.run.read_as} <= set(made.curves.curves)


@settings(max_examples=60, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(forms(), st.dictionaries(NAMES, st.sampled_from(["", *LOGGED]), max_size=3))
def test_reading_under_other_names_loses_nothing(made, names):
    run, curves = renamed(made.run, made.curves, names)
    assert sorted(map(id, curves.curves.values())) == sorted(map(id, made.curves.curves.values()))
    assert all(type(curve) is MetricCurve for curve in curves.curves.values())
    assert renamed(run, curves, {}) == (run, curves)
