"""What a link carries, as values and texts: no page is needed."""

from __future__ import annotations

import subprocess
import sys
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.curves.axes import Axis
from lib.core.facts.query import RunSort
from lib.core.facts.runs import RunStatus
from lib.ui.session import link
from lib.ui.session.link import LinkState, Param

numbers = st.one_of(st.floats(), st.floats(0.0, 1.0), st.integers(-5, 200_000), st.floats(25, 100_000))
ranges = st.tuples(numbers, numbers).map(lambda ends: f"{ends[0]!r}~{ends[1]!r}")
words = st.sampled_from([*RunStatus, *RunSort, *Axis, *link.LOSS_MODES, "0", "1", "all", "higher"]).map(str)
one_text = st.one_of(words, numbers.map(repr), ranges, st.text(max_size=8))
texts = st.lists(one_text, min_size=1, max_size=3)
every_param = pytest.mark.parametrize("name", sorted(link.PARAMS))
quick = settings(deadline=None, max_examples=150)


def links() -> st.SearchStrategy[dict[str, list[str]]]:
    return st.dictionaries(st.sampled_from([*link.PARAMS, "utm_source", "embed"]), texts)


@every_param
@quick
@given(texts)
def test_a_value_survives_its_way_through_the_link(name, found):
    param = link.PARAMS[name]
    try:
        value = param.parse(found)
    except ValueError:
        return
    if value != param.default:
        assert param.parse(param.show(value)) == value
    assert isinstance(hash(value), int)


@every_param
def test_every_parameter_takes_some_text_and_leaves_out_its_default(name):
    """Else the law above says nothing of it."""
    param = link.PARAMS[name]
    pool = [
        "words",
        *RunStatus,
        *RunSort,
        *Axis,
        *link.LOSS_MODES,
        "0",
        "1",
        "0.5",
        "50",
        "1~2",
        "all",
        "some",
        "higher",
        "ignored",
        "valid_ce~eval_loss",
        "samples~12000",
        "2.5~€",
    ]
    states = [link.parse({name: [text]})[0] for text in pool]
    assert any(state[param] != param.default for state in states)
    assert all(name in state.texts for state in states if state[param] != param.default)
    assert LinkState().having(param, param.default).texts == {}


@quick
@given(links())
def test_a_link_is_read_to_the_same_values_that_it_was_written_from(found):
    state, ignored = link.parse(found)
    again, none = link.parse(state.texts)
    assert (again, none) == (state, ())
    assert link.parse(parse_qs(urlencode(state.texts, doseq=True, errors="surrogatepass"), errors="surrogatepass")) == (
        state,
        (),
    )
    assert list(state.texts) == [name for name in link.PARAMS if name in state.texts], "always in one order"
    for part in ignored:
        name, _, text = part.partition("=")
        assert found[name][-1] == text
        assert name not in state.texts
    assert not any(part.startswith(("utm_source", "embed")) for part in ignored), "those belong to others"


@quick
@given(links(), st.randoms(use_true_random=False))
def test_the_order_in_which_values_came_about_does_not_matter(found, random):
    state, _ = link.parse(found)
    changed = list(state.changed)
    random.shuffle(changed)
    other = LinkState()
    for name, value in changed:
        other = other.having(link.PARAMS[name], value)
    assert (other, hash(other), other.texts) == (state, hash(state), state.texts)
    for name, param in link.PARAMS.items():
        assert other[param] == dict(state.changed).get(name, param.default)


@quick
@given(links())
def test_charts_see_their_own_parameters_only(found):
    state, _ = link.parse(found)
    for param in link.PARAMS.values():
        assert state.of_charts[param] == (state[param] if param.charts else param.default)


@pytest.mark.parametrize(
    ("param", "value", "shown"),
    [
        (link.EVAL_WEIGHT, 1.0, "1"),
        (link.EVAL_WEIGHT, 0.35, "0.35"),
        (link.SMOOTHING, 0.123456789, "0.123456789"),
        (link.ZOOM, (0.0, 1000.0), "0~1000"),
        (link.ZOOM, (0.1, 0.30000000000000004), "0.1~0.30000000000000004"),
        (link.ZOOM, (-1.5, 1e300), "-1.5~1e+300"),
        (link.PIN, 1234567.0, "1234567"),
        (link.LIMIT, 50, "50"),
        (link.AXIS, Axis.HOURS, "hours"),
        (link.LOG_Y, True, "1"),
    ],
)
def test_a_text_is_short_and_exact(param, value, shown):
    assert LinkState().having(param, value).texts == {param.name: [shown]}
    assert link.parse({param.name: [shown]}) == (LinkState().having(param, value), ())


def test_runs_are_carried_in_their_order_and_once():
    state, _ = link.parse({"run": ["b", "", "a", "b", "ü ~#?%"]})
    assert state[link.RUNS] == ("b", "a", "ü ~#?%")
    assert state.texts == {"run": ["b", "a", "ü ~#?%"]}


def test_a_parameter_is_there_as_soon_as_it_is_made(monkeypatch):
    monkeypatch.setattr(link, "PARAMS", dict(link.PARAMS))
    probe: Param[int] = Param("probe", 0, lambda texts: int(texts[-1]), charts=True)
    state, ignored = link.parse({"probe": ["7"], "weight": ["much"]})
    assert (state[probe], ignored) == (7, ("weight=much",))
    assert state.texts == {"probe": ["7"]}
    assert state.of_charts == state != LinkState()
    with pytest.raises(ValueError, match="'probe'"):
        Param("probe", 1, lambda texts: 1)


def test_links_are_made_and_read_without_streamlit():
    code = "import sys, lib.ui.session.link; sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "text", ["samples", "samples~", "samples~0", "samples~-1", "samples~nan", "samples~1e99", "joules~3"]
)
def test_a_budget_that_makes_no_sense_is_named(text):
    state, ignored = link.parse({"budget": [text]})
    assert state[link.BUDGET] is None
    assert ignored == (f"budget={text}",)


@pytest.mark.parametrize("text", ["2.5", "2.5~", "0~$", "-1~$", "2.5~<b>", "~$", "inf~€"])
def test_a_price_that_makes_no_sense_is_named(text):
    state, ignored = link.parse({"price": [text]})
    assert state[link.PRICE] is None
    assert ignored == (f"price={text}",)
