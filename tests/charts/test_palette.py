"""Runs are told apart by everybody: by colour under each kind of colour blindness, on every ground, and by shape."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lib.charts.palette import RUN_COLORS, RUN_SHAPES
from lib.charts.theme import GROUNDS
from tests.color import contrast, difference, seen_with

LEAST_DIFFERENCE = 11.0
LEAST_CONTRAST = 3.0
"""WCAG 2.2, 1.4.11: of graphical objects."""

PAIRS = list(itertools.combinations(RUN_COLORS, 2))


@pytest.mark.parametrize("deficiency", ["", "protan", "deutan", "tritan"])
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_every_two_colours_differ_for_everybody(pair, deficiency):
    assert difference(*(seen_with(color, deficiency) for color in pair)) >= LEAST_DIFFERENCE


@pytest.mark.parametrize("ground", [shade for shades in GROUNDS.values() for shade in shades])
@pytest.mark.parametrize("color", RUN_COLORS)
def test_every_colour_stands_out_from_every_ground(color, ground):
    assert contrast(color, ground) >= LEAST_CONTRAST


def test_every_slot_has_a_shape_of_its_own():
    assert len(set(RUN_SHAPES)) == len(RUN_SHAPES) == len(RUN_COLORS)


def test_the_measures_are_those_of_their_authors():
    # Sharma, Wu and Dalal (2005), pairs 1, 17 and 25 of their test data: Lab and the CIEDE2000 of the two.
    data = [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ]
    for one, other, expected in data:
        assert difference(np.array(one), np.array(other)) == pytest.approx(expected, abs=1e-4)
    assert contrast("#ffffff", "#000000") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    # White and black are the same for everybody; red and green are nearly so without the middle cones.
    for deficiency in ("protan", "deutan", "tritan"):
        assert difference(seen_with("#ffffff", deficiency), seen_with("#ffffff", "")) < 0.5
    assert (
        difference(seen_with("#9a6500", "deutan"), seen_with("#5f7a00", "deutan"))
        < 11
        < difference(seen_with("#9a6500", ""), seen_with("#5f7a00", ""))
    )
