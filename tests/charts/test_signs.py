from __future__ import annotations

from lib.charts.lane import KINDS, OTHER
from lib.charts.signs import SIGN_STYLE, sign


def test_every_kind_of_finding_has_a_sign_that_is_drawn():
    for symbol in {kind.symbol for kind in KINDS.values()} | {OTHER}:
        assert f".chip.{symbol}::before" in SIGN_STYLE


def test_a_sign_has_the_colour_of_its_run_and_an_unknown_kind_the_common_sign():
    assert sign("loss_spike", 3) == '<i class="chip spike" style="background: var(--run-3)"></i>'
    assert sign("no such check", 0) == f'<i class="chip {OTHER}" style="background: var(--run-0)"></i>'
