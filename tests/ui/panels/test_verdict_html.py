"""The verdict as HTML: what leads to the charts."""

from __future__ import annotations

import re

import pytest

from lib.ui.panels.verdict_html import to_chart

PLACE = (1_850, "eval_loss")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It overfits from step 1,850 on: later checkpoints are worse.", "step 1,850"),
        ("A spike at step 1,850.", "step 1,850"),
        ("From step 1,850,000 on.", "show"),
        ("From step 1,8501 on.", "show"),
        ("Its training broke down.", "show"),
    ],
)
def test_the_step_that_an_objection_names_leads_to_its_place_in_the_charts(text, words):
    said = to_chart(text, PLACE)
    (button,) = re.findall(r"<button.*?</button>", said)
    assert 'data-step="1850" data-metric="eval_loss"' in button
    assert button.endswith(f">{words}</button>")
    assert re.sub(r"<.*?>", "", said).removesuffix(" show") == text


def test_without_a_place_there_is_nothing_to_press():
    assert to_chart("At step 1,850.", None) == "At step 1,850."
