from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.facts.runs import RunSummary
from lib.core.text.labels import (
    LEGEND_LIMIT,
    NO_NAME,
    brief_labels,
    look,
    shared_beginning,
    short_labels,
    unique_labels,
)

# Few letters, so that names, ids and facts meet each other and the separator often.
TIGHT = st.text(alphabet="aAb1 ·…\u200b2", max_size=8)
NAMES = TIGHT | st.text(max_size=40) | st.sampled_from(["a · 1234", "a · lr 1", "long name " * 4, NO_NAME])
START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = st.none() | st.timedeltas(timedelta(0), timedelta(days=2)).map(lambda age: START + age)


@st.composite
def runs_with_facts(draw):
    ids = draw(st.lists(TIGHT.filter(bool) | st.uuids().map(str), min_size=1, max_size=5, unique=True))
    pool = draw(st.lists(NAMES, min_size=1, max_size=3))
    runs = [RunSummary(run_id=i, name=draw(st.sampled_from(pool)), created_at=draw(DAYS)) for i in ids]
    values = st.sampled_from(["1", "2", "3"])
    facts = {i: draw(st.dictionaries(st.sampled_from(["lr", "r", "bs"]), values, max_size=3)) for i in ids}
    return runs, facts


def run(run_id, name="a", **facts):
    return RunSummary(run_id=run_id, name=name, **facts)


@given(runs_with_facts())
@settings(deadline=None)
def test_every_label_looks_unlike_all_others(case):
    runs, facts = case
    labels = unique_labels(runs, facts)
    assert list(labels) == [run.run_id for run in runs]
    assert len({look(label) for label in labels.values()}) == len(runs)
    assert all(look(label) for label in labels.values())


@given(runs_with_facts(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_runs_does_not_matter(case, shuffle: random.Random):
    runs, facts = case
    shuffled = runs.copy()
    shuffle.shuffle(shuffled)
    assert unique_labels(shuffled, facts) == unique_labels(runs, facts)


@given(runs_with_facts(), st.sampled_from([LEGEND_LIMIT, 14]))
@settings(deadline=None)
def test_short_labels_keep_the_limit_and_stay_unique(case, limit):
    runs, facts = case
    labels = unique_labels(runs, facts)
    short = short_labels(labels, limit)
    assert list(short) == list(labels)
    assert all(0 < len(label) <= limit for label in short.values())
    assert len({look(label) for label in short.values()}) == len(labels)
    assert all(short[key] == label for key, label in labels.items() if len(label) <= limit)


@given(st.dictionaries(st.text(max_size=3), NAMES, max_size=5), st.sampled_from([14, 18]))
@settings(deadline=None)
def test_labels_that_were_not_unique_become_so_when_cut(names, limit):
    short = short_labels(names, limit)
    assert all(len(label) <= limit for label in short.values())
    assert len({look(label) for label in short.values()}) == len(names)


def test_no_run_has_no_label():
    assert unique_labels([]) == {}
    assert short_labels({}, 18) == {}


def test_a_name_that_occurs_once_stays():
    runs = [run("1", "Llama 8B"), run("2"), run("3")]
    assert unique_labels(runs, {"1": {"lr": "1"}})["1"] == "Llama 8B"


def test_the_fewest_and_most_important_facts_tell_runs_apart():
    runs = [run("1"), run("2"), run("3")]
    facts = {
        "1": {"lr": "1e-4", "r": "8", "bs": "1", "wd": "0"},
        "2": {"lr": "1e-4", "r": "16", "bs": "1", "wd": "1"},
        "3": {"lr": "2e-4", "r": "8", "bs": "1", "wd": "2"},
    }
    assert unique_labels(runs, facts) == {"1": "a · wd 0", "2": "a · wd 1", "3": "a · wd 2"}
    without = {key: {title: row[title] for title in ("lr", "r", "bs")} for key, row in facts.items()}
    assert unique_labels(runs, without) == {
        "1": "a · lr 1e-4 · r 8",
        "2": "a · lr 1e-4 · r 16",
        "3": "a · lr 2e-4 · r 8",
    }
    assert unique_labels(runs[1:], facts) == {"2": "a · lr 1e-4", "3": "a · lr 2e-4"}


def test_a_fact_that_one_run_lacks_tells_it_apart_and_is_shown_as_missing():
    labels = unique_labels([run("1"), run("2")], {"1": {"lr": "1", "r": "8"}, "2": {"lr": "1"}})
    assert labels == {"1": "a · r 8", "2": "a · r –"}


def test_after_facts_comes_the_date_then_the_time_then_the_id():
    days = [datetime(2026, 11, 12, 9, tzinfo=UTC), datetime(2026, 11, 13, 9, tzinfo=UTC)]
    later = datetime(2026, 11, 12, 10, 30, tzinfo=UTC)
    assert unique_labels([run("1", created_at=days[0]), run("2", created_at=days[1])]) == {
        "1": "a · 12 Nov 2026",
        "2": "a · 13 Nov 2026",
    }
    assert unique_labels([run("1", created_at=days[0]), run("2", created_at=later)]) == {
        "1": "a · 12 Nov 2026 09:00",
        "2": "a · 12 Nov 2026 10:30",
    }
    assert unique_labels([run("abcdef-1", created_at=days[0]), run("abcdef-2", created_at=days[0])]) == {
        "abcdef-1": "a · abcdef-1",
        "abcdef-2": "a · abcdef-2",
    }
    assert unique_labels([run("12345678"), run("87654321")]) == {"12345678": "a · 1234", "87654321": "a · 8765"}


def test_only_those_that_facts_leave_alike_get_a_date_or_an_id_besides():
    runs = [run("12345"), run("67890"), run("3")]
    facts = {"12345": {"lr": "1"}, "67890": {"lr": "1"}, "3": {"lr": "2"}}
    assert unique_labels(runs, facts) == {
        "12345": "a · lr 1 · 1234",
        "67890": "a · lr 1 · 6789",
        "3": "a · lr 2",
    }


def test_case_and_blanks_do_not_make_a_difference():
    labels = unique_labels([run("1111x", "a"), run("2222x", "A "), run("3333x", "\u200ba")])
    assert [label.rpartition(" · ")[2] for label in labels.values()] == ["1111", "2222", "3333"]


def test_a_name_may_hold_what_would_be_appended():
    labels = unique_labels([run("12345"), run("67890"), run("3", "a · 1234")])
    assert labels == {"12345": "a · 12345", "67890": "a · 6789", "3": "a · 1234"}


def test_ids_that_differ_only_in_case_are_numbered():
    assert unique_labels([run("abcd"), run("ABCD")]) == {"ABCD": "a · ABCD", "abcd": "a · abcd (2)"}


def test_a_run_without_a_name_is_said_to_have_none():
    assert unique_labels([run("1", " \u200b")]) == {"1": NO_NAME}


def test_labels_that_begin_alike_are_cut_in_the_middle():
    labels = {str(rank): f"llama-3.1-8b-instruct · lr 2e-4 · r {rank}" for rank in (8, 16)}
    assert short_labels(labels, 14) == {"8": "llama-3.1-…r 8", "16": "llama-3.1…r 16"}
    assert short_labels({"1": "mistral-7b-instruct-v0.3", "2": "qwen"}, 14) == {
        "1": "mistral-7b-in…",
        "2": "qwen",
    }


def test_labels_that_differ_far_inside_show_that_part_or_are_numbered():
    inside = {key: f"llama-3.1-8b · lr {key} · r 16" for key in ("1e-4", "2e-4")}
    assert all(key[:1] in label and "e-4" in label for key, label in short_labels(inside, 18).items())
    deep = {key: "x" * 30 + key + "y" * 30 for key in "ab"}
    assert short_labels(deep, 14) == {"a": "x" * 11 + "… 1", "b": "x" * 11 + "… 2"}


def test_a_label_that_fits_is_never_changed_for_one_that_does_not():
    labels = {"cut": "abcdefghijklmnopq", "fits": "abcdefghijklm…"}
    assert short_labels(labels, 14)["fits"] == labels["fits"]
    assert len(set(short_labels(labels, 14).values())) == 2


def test_hundreds_of_runs_of_one_name_are_told_apart():
    runs = [run(f"{number:05}-x") for number in range(300)]
    facts = {r.run_id: {f"f{k}": str((index >> k) % 2) for k in range(20)} for index, r in enumerate(runs)}
    labels = unique_labels(runs, facts)
    assert len({look(label) for label in labels.values()}) == len(runs)
    assert len(set(short_labels(labels, 14).values())) == len(runs)


def test_short_labels_refuse_a_limit_without_room():
    with pytest.raises(ValueError, match="at least 8"):
        short_labels({}, 7)


def test_every_permutation_of_a_clash_gives_the_same_short_labels():
    labels = {key: "x" * 30 + key + "y" * 30 for key in "abc"}
    answers = [short_labels(dict(order), 18) for order in itertools.permutations(labels.items())]
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize(
    ("labels", "start"),
    [
        (["support-llama-8b · lr 1e-4 · r 16", "support-llama-8b · lr 5e-5 · r 8"], "support-llama-8b · "),
        (["support-llama-1e-4", "support-llama-1e-5"], "support-llama-"),
        (["support_llama", "support_llama_2"], "support_"),
        (["8 3e-5", "8 4e-5"], ""),
        (["support-llama-8b"], ""),
        (["support-", "support-llama"], ""),
        (["x" * 300 + " a", "x" * 300 + " b"], "x" * 300 + " "),
        (["abc \u2068def-1\u2069", "abc \u2068def-2\u2069"], ""),
        (["runs (checkpoint-200, -800)", "runs (checkpoint-300, -900)"], ""),
        (["llama run (a_b) x", "llama run (a_b) y"], "llama run (a_b) "),
        ([], ""),
    ],
)
def test_the_shared_beginning_ends_with_a_part_and_leaves_every_label_something(labels, start):
    assert shared_beginning(labels) == start


@pytest.mark.parametrize(
    ("labels", "brief"),
    [
        (["support_llama", "support_qwen"], ["llama", "qwen"]),
        (["model · lr 1e-4", "model · lr 5e-5"], ["lr 1e-4", "lr 5e-5"]),
        (["version_0", "version_1"], ["version_0", "version_1"]),
        (["resnet_a", "resnet_b"], ["resnet_a", "resnet_b"]),
        (["dropout_0.15", "dropout_0.25"], ["dropout_0.15", "dropout_0.25"]),
        # One that is no name keeps the names of all alike.
        (["version_100", "version_final"], ["version_100", "version_final"]),
    ],
)
def test_a_name_in_a_sentence_is_not_cut_to_a_number_or_a_letter(labels, brief):
    assert list(brief_labels(dict(enumerate(labels))).values()) == brief


def test_names_that_stay_whole_are_still_cut_to_their_limit_and_told_apart():
    found = brief_labels({"x": "long-name-" * 9 + "1", "y": "long-name-" * 9 + "2"}, 20)
    assert all(len(label) <= 20 and label.startswith("long") for label in found.values())
    assert (found["x"][-1], found["y"][-1]) == ("1", "2")
