from __future__ import annotations

from urllib.parse import unquote

from lib.charts.lane import KINDS, OTHER, SIGNS
from lib.charts.signs import SIGN_STYLE, sign


def test_every_kind_of_finding_has_a_sign_that_is_drawn():
    for symbol in {kind.symbol for kind in KINDS.values()} | {OTHER}:
        assert f".chip.{symbol}::before" in SIGN_STYLE


def test_a_sign_has_the_colour_of_its_run_and_an_unknown_kind_the_common_sign():
    assert sign("loss_spike", 3) == '<i class="chip spike" style="background: var(--run-3)"></i>'
    assert sign("no such check", 0) == f'<i class="chip {OTHER}" style="background: var(--run-0)"></i>'


def test_the_signs_are_those_that_the_charts_draw():
    for name, strokes in SIGNS.items():
        path = "".join("M" + "L".join(f"{x:g} {y:g}" for x, y in stroke) for stroke in strokes)
        (style,) = [line for line in SIGN_STYLE.splitlines() if line.startswith(f".chip.{name}::before")]
        assert f'd="{path}"' in unquote(style)
