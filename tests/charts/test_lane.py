"""What a run's findings are called in the lane below a chart, and by which sign."""

from __future__ import annotations

from lib.charts.lane import KINDS, OTHER, SIGNS, counted, kind_of
from lib.core.checks.registry import CHECKS


def test_every_kind_is_a_check_and_its_sign_can_be_drawn():
    assert set(KINDS) <= {check.code for check in CHECKS}
    assert {kind.symbol for kind in KINDS.values()} | {OTHER} == set(SIGNS)


def test_what_is_counted_is_counted_and_the_rest_is_said_once():
    spike, rise = KINDS["loss_spike"], KINDS["eval_rebound"]
    assert counted([spike]) == "loss spike"
    assert counted([rise, spike, rise, spike, spike]) == "eval rises, 3 loss spikes"


def test_a_kind_without_a_sign_of_its_own_is_called_by_its_title():
    assert (kind_of("new_check", "Some new thing").symbol, kind_of("new_check", "Some new thing").one) == (
        OTHER,
        "some new thing",
    )
