from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

from lib.charts.lane import KINDS, OTHER
from lib.charts.signs import SIGN_STYLE, sign


def test_every_kind_of_finding_has_a_sign_that_is_drawn():
    for symbol in {kind.symbol for kind in KINDS.values()} | {OTHER}:
        assert f".chip.{symbol}::before" in SIGN_STYLE


def test_a_sign_has_the_colour_of_its_run_and_an_unknown_kind_the_common_sign():
    assert sign("loss_spike", 3) == '<i class="chip spike" style="background: var(--run-3)"></i>'
    assert sign("no such check", 0) == f'<i class="chip {OTHER}" style="background: var(--run-0)"></i>'


def test_the_signs_are_those_that_the_charts_draw():
    script = (Path(__file__).parents[2] / "static" / "plot.js").read_text()
    body = script.partition("export const SIGNS = {")[2].partition("};")[0]
    drawn = {
        name: json.loads(lines) for name, lines in re.findall(r"^\s*(\w+): (\[\[\[.*\]\]\]),$", body, re.MULTILINE)
    }
    assert set(drawn) == {kind.symbol for kind in KINDS.values()} | {OTHER}
    for name, lines in drawn.items():
        path = "".join("M" + "L".join(f"{float(x):g} {float(y):g}" for x, y in line) for line in lines)
        assert unquote(SIGN_STYLE).count(f'd="{path}"') >= 1, name
