from __future__ import annotations

import ast
import inspect

import pytest

from lib.core.checks import health_loss, health_spikes, passport_check, stability
from lib.core.gap import overfitting
from lib.core.verdict.thresholds import SECTIONS, every_threshold, thresholds_of

MODULES = [module for modules in SECTIONS.values() for module in modules]


def by_name(module):
    return {threshold.name: threshold for threshold in thresholds_of(module)}


def test_a_threshold_is_the_constant_that_the_code_uses_with_its_reason():
    unsteady = by_name(stability)["UNSTEADY_VARIATION"]
    assert unsteady.value == stability.UNSTEADY_VARIATION
    assert unsteady.title == "Unsteady variation"
    assert unsteady.shown == f"{stability.UNSTEADY_VARIATION:g}"
    assert unsteady.reason.startswith("Loss variation at the end above which a run is unsteady.")


def test_a_constant_that_is_another_module_s_has_its_value():
    window = by_name(health_spikes)["SPIKE_WINDOW"]
    assert window.value == health_spikes.SPIKE_WINDOW


def test_several_numbers_are_shown_side_by_side():
    assert by_name(health_loss)["PLATEAU_STARTS"].shown == "0.25 / 0.4 / 0.5"


def test_reasons_are_for_people():
    for module in MODULES:
        for threshold in thresholds_of(module):
            assert "``" not in threshold.reason
            assert "\n" not in threshold.reason
            assert "_" not in threshold.title
            assert threshold.reason.endswith("."), threshold.name


def test_what_is_imported_or_no_number_is_left_out():
    names = by_name(stability)
    assert "SPIKE_MADS" not in names
    assert "REDUCED" not in by_name(passport_check)
    assert "NO_GAP_METHODS" not in by_name(overfitting)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_no_public_number_of_a_module_is_left_out(module):
    """A number without a reason under it would decide something that no page prints."""
    assigned = {
        target.id
        for node in ast.parse(inspect.getsource(module)).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id.isupper() and not target.id.startswith("_")
    }
    numbers = {name for name in assigned if isinstance(getattr(module, name), int | float)}
    assert numbers <= set(by_name(module))


def test_every_module_has_its_section_and_nothing_is_printed_twice():
    found = every_threshold()
    assert list(found) == list(SECTIONS)
    assert all(found.values())
    assert len(MODULES) == len(set(MODULES))
