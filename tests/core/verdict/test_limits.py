"""The limits as they are printed."""

from __future__ import annotations

from itertools import chain

from lib.core.checks import losses, spikes, stability
from lib.core.curves.robust import LEVEL_WINDOW
from lib.core.facts.limits import limits_of, shown
from lib.core.ranking import values
from lib.core.verdict.limits import LIMITS

EVERY = list(chain.from_iterable(LIMITS.values()))


def test_every_heading_has_limits_and_nothing_is_printed_twice():
    assert all(LIMITS.values())
    assert len(EVERY) == len({id(limit) for limit in EVERY})


def test_reasons_are_for_people():
    for limit in EVERY:
        assert limit.title[0].isupper()
        assert "``" not in limit.reason
        assert "\n" not in limit.reason
        assert "_" not in limit.title
        assert limit.reason.endswith("."), limit.title


def test_a_limit_is_the_number_that_the_code_uses():
    assert stability.UNSTEADY_VARIATION in LIMITS["Stability"]
    assert (stability.UNSTEADY_VARIATION.title, shown(stability.UNSTEADY_VARIATION)) == ("Unsteady variation", "0.15")
    assert shown(losses.PLATEAU_STARTS) == "0.25 / 0.4 / 0.5"
    assert spikes.SPIKE_WINDOW == LEVEL_WINDOW


def test_a_heading_has_the_limits_of_its_modules_however_many_they_come_to_be():
    assert set(map(id, limits_of(values))) <= set(map(id, LIMITS["Values that rank"]))
    assert sum(map(len, LIMITS.values())) > 100
