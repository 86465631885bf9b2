"""Runs at equal budgets: amounts by their closed forms, crossings, and the Pareto front."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.budget.equal import equal_budgets
from lib.core.budget.spent import ALL_REACHED, Budget, Kind, Price, spent
from lib.core.budget.words import budget_lines
from lib.core.curves.metric_curves import RunCurves, complete_curve
from lib.core.ranking.decision import decide
from lib.core.ranking.policy import DEFAULT_POLICY
from tests.core.decided_runs import run


def course(run_id, values, every=10, hours=None):
    """The evaluations of a run, one each so many steps."""
    steps = np.arange(1, len(values) + 1, dtype=np.int64) * every
    nothing = np.full(len(values), np.nan)
    elapsed = nothing if hours is None else np.arange(1, len(values) + 1) * 3600.0 * hours / len(values)
    return RunCurves(run_id, {"eval_loss": complete_curve(steps, np.asarray(values, float), nothing, elapsed)})


def budgets(runs, curves, budget=ALL_REACHED):
    curves = {each.run_id: each for each in curves}
    runs = [replace(each, best_eval_loss=float(np.nanmin(curves[each.run_id].get("eval_loss").value))) for each in runs]
    decision = decide(runs, curves, DEFAULT_POLICY)
    return {each.kind: each for each in equal_budgets(runs, curves, decision, budget)}, decision


def batched(run_id, batch, **config):
    return run(run_id, **{"batch_size": batch, "gradient_accumulation_steps": 2} | config)


def test_samples_are_steps_times_the_effective_batch():
    found, _ = budgets([batched("a", 4), batched("b", 16)], [course("a", [3, 2, 1]), course("b", [3, 2.5, 2.2])])
    samples = found[Kind.SAMPLES]
    assert found[Kind.STEPS].amount == 30
    assert samples.amount == 30 * 4 * 2
    assert dict(samples.values) == {"a": 1.0}
    assert samples.later == {"b": 10 * 16 * 2}


def test_the_value_at_the_budget_is_the_best_up_to_there():
    found, _ = budgets(
        [batched("a", 4), batched("b", 8)], [course("a", [3, 1.5, 2, 1.8, 1.2, 1.1]), course("b", [2.5, 2.2, 0.5])]
    )
    samples = found[Kind.SAMPLES]
    assert samples.amount == 480
    assert dict(samples.values) == {"b": 0.5, "a": 1.1}
    assert samples.derived["a"].startswith(
        "Samples are steps × effective batch size (derived: config.training.batch_size"
    )
    # At equal steps b had its third evaluation when a had its third.
    assert found[Kind.STEPS].amount == 30
    assert dict(found[Kind.STEPS].values) == {"b": 0.5, "a": 1.5}


def test_hours_are_those_that_were_logged_and_the_front_is_of_what_was_taken():
    runs = [run("fast"), run("slow"), run("worse")]
    fast, slow = course("fast", [3, 2, 1.5], hours=1), course("slow", [3, 2, 1.0], hours=2)
    found, _ = budgets(runs, [fast, slow, course("worse", [3, 2.6, 2.5], hours=7)])
    assert found[Kind.HOURS].amount == pytest.approx(1.0)
    assert found[Kind.HOURS].front == ("fast", "slow")
    assert found[Kind.HOURS].later == {"worse": pytest.approx(7 / 3)}
    assert found[Kind.STEPS].leader == "slow"


def test_who_was_beaten_on_the_way_of_another_run_is_not_on_the_front():
    short, long = course("a", [3, 2], every=10), course("b", [2.5, 1.5, 1.2, 1.0], every=10)
    found, _ = budgets([run("a"), run("b")], [short, long])
    assert found[Kind.STEPS].front == ("b",)
    cheap = course("a", [3, 1.4], every=10)
    found, _ = budgets([run("a"), run("b")], [cheap, long])
    assert found[Kind.STEPS].front == ("a", "b")


def test_a_run_without_a_batch_size_has_no_place_among_samples():
    found, decision = budgets(
        [batched("a", 4), batched("b", 8), run("c")],
        [course("a", [3, 2.9, 2, 1.5]), course("b", [3, 2]), course("c", [3, 1])],
    )
    assert set(found[Kind.SAMPLES].missing) == {"c"}
    lines = dict(budget_lines(list(found.values()), decision.deciding, {"a": "A", "b": "B", "c": "C"}))
    assert "C has no place here. The effective batch size is not known" in lines["Equal samples"]
    assert "The order is another than at equal steps: B, A there." in lines["Equal samples"]


@given(cross=st.floats(60, 900), every=st.integers(5, 50), other=st.integers(5, 50))
@settings(max_examples=60, deadline=None)
def test_a_crossing_is_found_within_one_logging_interval(cross, every, other):
    # Straight lines that meet at ``cross``: the one falls from 30, the other from 29 and slower.
    one = [30.0 - step / cross - 1e-3 * step for step in range(every, 1001, every)]
    two = [29.0 - 1e-3 * step for step in range(other, 1001, other)]
    found, _ = budgets([run("one"), run("two")], [course("one", one, every), course("two", two, other)])
    step = found[Kind.STEPS]
    changed = [each.at for each in step.crossings if each.after == "one"]
    # What was evaluated up to an interval before the other has not fallen by what that one fell meanwhile.
    if step.amount >= cross + 2 * every:
        assert step.leader == "one"
        assert changed
    assert all(abs(at - cross) <= 2 * every + other for at in changed)


def test_the_order_at_equal_budget_is_that_of_curves_that_are_cut_there():
    a, b = course("a", [3, 2, 1.5, 1.4, 1.3, 1.2]), course("b", [3.5, 1.9, 1.6])
    found, _ = budgets([run("a"), run("b")], [a, b])
    cut = {"a": RunCurves("a", {"eval_loss": a.get("eval_loss").where(slice(0, 3))}), "b": b}
    decision = decide([run("a", 1.5), run("b", 1.6)], cut, DEFAULT_POLICY)
    assert tuple(found[Kind.STEPS].values) == decision.ranked


def test_where_less_is_worse_the_highest_leads():
    curves = {}
    runs = []
    for name, values in (("a", [0.1, 0.5, 0.4]), ("b", [0.3, 0.35, 0.9])):
        runs.append(run(name, None))
        curve = course(name, values).get("eval_loss")
        curves[name] = RunCurves(name, {"eval_f1": curve})
    decision = decide(runs, curves, DEFAULT_POLICY, "eval_f1")
    (step,) = equal_budgets(runs, curves, decision)[:1]
    assert dict(step.values) == {"b": 0.9, "a": 0.5}
    assert [(each.before, each.after, each.at) for each in step.crossings] == [("b", "a", 20.0), ("a", "b", 30.0)]


def scored(run_id, losses, scores):
    """A run whose log has train loss, eval loss and a score at each of its steps."""
    columns = {"train_loss": losses, "eval_loss": losses, "eval_f1": scores}
    return RunCurves(run_id, {name: course(run_id, values).get("eval_loss") for name, values in columns.items()})


@pytest.mark.parametrize(("losses", "reached"), [([3.0, 2.5, 2.2, 2.0, 1.9, 1.8], 60.0), ([3.0, *[2.5] * 5], 20.0)])
def test_a_score_that_came_out_the_same_was_reached_where_the_loss_moves(losses, reached):
    curves = {"a": scored("a", losses, [0.1, *[0.4] * 5]), "b": scored("b", [3.0, 2.5, 2.2, 2.0, 1.9, 1.8], range(6))}
    decision = decide([run("a"), run("b")], curves, DEFAULT_POLICY, "eval_f1")
    (step,) = equal_budgets([run("a"), run("b")], curves, decision)[:1]
    assert step.amount == reached


def test_runs_that_do_not_compare_have_no_common_budget():
    runs = [run("a", 0.5, method="sft"), run("b", 0.6, method="dpo")]
    found, _ = budgets(runs, [course("a", [3, 2, 1]), course("b", [3, 2.5, 2])])
    assert found == {}


def test_runs_with_the_same_value_lead_together():
    found, decision = budgets([run("a"), run("b"), run("c")], [course(name, [3, 2, value]) for name, value in
                                                               (("a", 1), ("b", 1), ("c", 1.5))])  # fmt: skip
    lines = dict(budget_lines(list(found.values()), decision.deciding, {"a": "A", "b": "B", "c": "C"}))
    assert "A and B lead in eval loss" in lines["Equal steps"]


def test_runs_with_the_same_value_are_in_no_other_order():
    found, decision = budgets([run("a"), run("b")], [course("a", [3, 2, 1.5]), course("b", [3, 2, 1])])
    step = found[Kind.STEPS]
    assert tuple(step.values) == ("b", "a")
    for values, is_another in (({"a": 1.0, "b": 1.0}, False), ({"a": 1.0, "b": 1.1}, True)):
        other = replace(step, kind=Kind.SAMPLES, values=values)
        lines = dict(budget_lines([step, other], decision.deciding, {"a": "A", "b": "B"}))
        assert ("The order is another than at equal steps: B, A there." in lines["Equal samples"]) is is_another


def packed(run_id, batch, length, **config):
    return batched(run_id, batch, max_length=length, **{"packing": True} | config)


@given(
    batch=st.integers(1, 64), length=st.integers(1, 65536), evaluations=st.integers(1, 20), every=st.integers(1, 500)
)
@settings(max_examples=50, deadline=None)
def test_samples_and_tokens_are_their_closed_forms(batch, length, evaluations, every):
    values = [3.0 - 0.1 * at for at in range(evaluations)]
    runs = [packed("a", batch, length), packed("b", batch, length)]
    found, _ = budgets(runs, [course("a", values, every), course("b", values, every)])
    steps = evaluations * every
    assert found[Kind.SAMPLES].amount == steps * batch * 2
    assert found[Kind.TOKENS].amount == steps * batch * 2 * length


@pytest.mark.parametrize(
    ("config", "is_known"),
    [
        ({"packing": True}, True),
        ({"pad_to_max_length": True}, True),
        ({"pad_to_sequence_len": True}, True),
        ({"padding": "max_length"}, True),
        ({"padding": "longest"}, False),
        ({"padding": True}, False),
        ({"packing": "true-ish"}, False),
        ({"packing": True, "max_length": ...}, False),
        ({"packing": True, "batch_size": ...}, False),
        ({}, False),
    ],
)
def test_tokens_are_worked_out_only_where_each_example_has_as_many(config, is_known):
    way = spent(Kind.TOKENS, batched("a", 4, **config), course("a", [3, 2]))
    assert (way.placing is not None) == is_known
    if is_known:
        assert way.told.startswith("Tokens are derived: steps × effective batch size 8 × sequence length 2048, as ")
        assert ("padding counted" in way.told) == ("packing" not in config)
    else:
        assert "packed or padded to a fixed length" in way.why_not


def test_tokens_that_were_logged_are_not_derived():
    own = course("a", [3, 2])
    counted = complete_curve(np.array([10, 20]), np.array([111.0, 222.0]), np.full(2, np.nan), np.full(2, np.nan))
    way = spent(Kind.TOKENS, packed("a", 4, 2048), RunCurves("a", {**own.curves, "num_input_tokens_seen": counted}))
    assert way.told == ""
    assert way.placing(own.get("eval_loss")).tolist() == [111.0, 222.0]


def test_money_is_hours_of_all_gpus_and_nothing_without_a_price():
    runs = [run("a", num_gpus=4), run("b")]
    curves = [course("a", [3, 2, 1.5], hours=3), course("b", [3, 2.5, 2.2], hours=6)]
    assert Kind.MONEY not in budgets(runs, curves)[0]
    found, decision = budgets(runs, curves, Budget(price=Price(2.5, "€")))
    money = found[Kind.MONEY]
    assert money.amount == pytest.approx(6 * 2.5)
    assert money.later == {}
    assert dict(money.values) == {"b": 2.2, "a": 3.0}
    (_, said) = budget_lines(
        list(found.values()), decision.deciding, {"a": "A", "b": "B"}, budget=Budget(price=Price(2.5, "€"))
    )[-1]
    assert said.startswith("At €15.00, the most that all reached, B leads")
    assert "A: €2.5 for an hour of a GPU × 4 GPUs (config.training.num_gpus)." in said
    assert "B: €2.5 for an hour of a GPU, per run hour: number of GPUs not logged." in said
    assert "wall time" in said


@pytest.mark.parametrize(
    ("settings", "extra", "gpus", "told"),
    [
        ({"num_gpus": 8}, {}, 8, "× 8 GPUs (config.training.num_gpus)"),
        ({"num_gpus": 1}, {}, 1, "× 1 GPU ("),
        ({}, {"tag.gpu_count": "4"}, 4, "× 4 GPUs (of the machine, as its log says)"),
        ({"num_gpus": 2}, {"tag.gpu_count": "8"}, 2, "× 2 GPUs (config"),
        ({"devices": 4, "num_nodes": 2}, {}, 1, "per run hour: 4 GPUs and 2 nodes are set"),
        ({"world_size": 8, "num_nodes": 2}, {}, 8, "× 8 GPUs (config.training.world_size)"),
        ({"devices": "auto"}, {}, 1, "number of GPUs not logged"),
    ],
)
def test_the_number_of_gpus_is_as_logged_or_not_there(settings, extra, gpus, told):
    one = replace(run("a", **settings), extra=extra)
    own = course("a", [3, 2], hours=2)
    way = spent(Kind.MONEY, one, own, Price(10.0))
    assert told in way.told
    assert way.placing(own.get("eval_loss"))[-1] == pytest.approx(2 * 10 * gpus)


def test_a_run_without_a_gpu_costs_no_gpu_hours():
    assert (
        spent(Kind.MONEY, run("a", num_gpus=0), course("a", [3], hours=1), Price(1.0)).why_not
        == "It ran without a GPU."
    )


def test_a_budget_that_somebody_chose_has_the_best_up_to_there():
    runs, curves = [run("a"), run("b")], [course("a", [3, 2, 1]), course("b", [2.5, 2.2, 2.1, 2.0, 0.5])]
    for amount, values in (
        (5.0, {}),
        (10.0, {"b": 2.5, "a": 3.0}),
        (29.9, {"a": 2.0, "b": 2.2}),
        (60.0, {"b": 0.5, "a": 1.0}),
    ):
        found, decision = budgets(runs, curves, Budget((Kind.STEPS, amount)))
        step = found[Kind.STEPS]
        assert (step.amount, step.is_chosen) == (amount, True)
        assert dict(step.values) == values
        ((_, said), *_) = budget_lines(list(found.values()), decision.deciding, {"a": "A", "b": "B"})
        assert ("no run was evaluated yet" in said) == (amount < 10)
        assert ("A had ended by then, at 30 steps." in said) == (amount > 30)
    assert step.front == ("a", "b")
    assert step.ends == (10.0, 50.0)


def test_hours_say_what_is_in_them():
    found, decision = budgets([run("a"), run("b")], [course("a", [3, 2], hours=1), course("b", [3, 1], hours=1)])
    lines = dict(budget_lines(list(found.values()), decision.deciding, {"a": "A", "b": "B"}))
    assert "start-up and compilation" in lines["Equal hours"]
    assert "start-up" not in lines["Equal steps"]
