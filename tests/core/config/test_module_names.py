from __future__ import annotations

import pytest

from lib.core.config.module_names import KNOWN_MODULES, misspelt, nearest_module
from lib.core.config.setting import Oddity


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("down_porj", "down_proj"),
        ("q_prj", "q_proj"),
        ("gate-proj", "gate_proj"),
        ("Q_proj", "q_proj"),
        ("model.layers.3.self_attn.o_porj", "o_proj"),
        ("embed_token", "embed_tokens"),
    ],
)
def test_a_slip_of_the_pen_is_noticed(name, meant):
    assert nearest_module(name) == meant
    (remark,) = misspelt(("q_proj", name))
    assert remark.kind is Oddity.TYPO
    assert f"Probably {meant} was meant." in remark.sentence


@pytest.mark.parametrize(
    "name", [*sorted(KNOWN_MODULES), "g_proj", "w_proj", "dense1", "in_proj_qkvz", "lora_A", "to_q"]
)
def test_real_names_and_those_near_several_are_left_alone(name):
    assert nearest_module(name) is None
    assert list(misspelt((name,))) == []


@pytest.mark.parametrize("pattern", [".*_proj$", r"model\.layers\.\d+", "(?:q|k)_proj", "[qk]_proj"])
def test_patterns_are_no_typos(pattern):
    assert list(misspelt(pattern)) == list(misspelt((pattern,))) == []


def test_a_stray_mark_and_a_slip_at_once_are_told_with_what_was_meant():
    (remark,) = misspelt(("down_porj:",))
    assert remark.sentence.endswith("Probably down_proj was meant.")


def test_lists_in_text_and_other_values_are_read():
    assert len(list(misspelt("q_proj, down_porj"))) == 1
    assert [*misspelt(None), *misspelt(()), *misspelt((3, None, True)), *misspelt("all-linear")] == []
