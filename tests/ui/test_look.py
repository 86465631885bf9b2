"""Text can be read on whatever it stands on, in both themes (WCAG 2.2, AA: 4.5 : 1)."""

from __future__ import annotations

import pytest

from lib.charts.theme import COLORS, GROUNDS, SIZES
from tests.color import contrast

AA = 4.5
ON_EVERY_GROUND = ("text", "muted")
ON_ITS_OWN = ("good", "warn", "info", "bad")
SMALLEST = 12


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("text", [*ON_EVERY_GROUND, *ON_ITS_OWN])
def test_text_can_be_read_on_every_ground(text, ground, theme):
    assert contrast(COLORS[text][theme], GROUNDS[ground][theme]) >= AA


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("text", ON_ITS_OWN)
def test_a_badge_can_be_read_on_the_ground_of_its_kind(text, theme):
    assert contrast(COLORS[text][theme], COLORS[f"{text}-ground"][theme]) >= AA


def test_what_is_chosen_can_be_read():
    for theme in (0, 1):
        assert contrast(COLORS["info"][theme], COLORS["accent-ground"][theme]) >= AA


def test_there_are_five_sizes_of_text_and_none_is_too_small():
    assert len(SIZES) == len(set(SIZES.values())) == 5
    assert min(SIZES.values()) >= SMALLEST
