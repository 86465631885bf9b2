"""Measured values with the digits that their noise allows."""

from __future__ import annotations

import pytest

from lib.core.text.precision import decimals_for, measured, to_decimals, together


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [
        (0.342049, None, "0.3420"),
        (0.342049, 0.0006, "0.342"),
        (0.342049, 0.004, "0.342"),
        (0.342049, 0.006, "0.34"),
        (0.43, 0.0001, "0.43"),
        (0.43, None, "0.43"),
        (2.0, None, "2"),
        (0.0, None, "0"),
        (1.12e-5, None, "1.12e-5"),
        (1.12e-5, 0.004, "1.12e-5"),
        (1.12e-5, 1e-7, "1.12e-5"),
        (-1.12e-5, None, "-1.12e-5"),
        (1e25, None, "1e25"),
        (1e25, 1e24, "1e25"),
        (123.456, 30.0, "123"),
        (None, 0.1, "–"),
        (float("nan"), 0.1, "NaN"),
        (float("inf"), None, "∞"),
    ],
)
def test_the_last_digit_is_one_that_the_noise_allows(value, error, shown):
    assert measured(value, error) == shown


def test_values_that_stand_together_have_as_many_decimals_by_their_typical_error():
    assert together([0.91834, 0.98712, 0.87071], [0.0006, 0.0009, 0.05]) == ("0.918", "0.987", "0.871")
    assert together([0.5, 0.25, None], []) == ("0.50", "0.25", "–")
    assert decimals_for([], []) == 0
    assert decimals_for([0.123456], [0.0, None, float("nan")]) == 4, "an error of 0 is one that is not known"


def test_a_difference_has_its_sign_and_no_rounding_error():
    assert to_decimals(0.8 - 0.7 - 0.1, 3, "+") == "+0.000"
    assert to_decimals(0.0341, 3, "+") == "+0.034"
    assert to_decimals(-0.0341, 3, "+") == "-0.034"
    assert to_decimals(2e-5, 3, "+") == "+2e-5"
    assert to_decimals(-0.0, 2) == "0.00"
