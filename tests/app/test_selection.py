"""Choosing runs: the cards, the filters, and what survives a change of page."""

from __future__ import annotations

import pytest

from lib.charts.palette import RUN_COLORS
from lib.core.facts.query import PAGE_SIZE, RunQuery, RunSort
from lib.core.facts.runs import RunStatus, eval_loss_of
from lib.core.facts.selection import LIMIT_REACHED
from tests.app.harness import DIFF, MAIN, PAGES, RANKING, App, write_run
from tests.matching import matches


def slot_colors(app: App) -> dict[str, str]:
    """Which of the colours each selected run has in the table, by label."""
    return {label: RUN_COLORS[slot] for label, slot in app.grid.rows["_slot"].items()}


def status_counts(app: App) -> dict[str, int]:
    """What the status filter offers: "failed (2)"."""
    options = [option.removesuffix(")").rsplit(" (", 1) for option in app.at.selectbox(key="widget:status").options]
    return {name: int(count) for name, count in options}


def test_checking_a_card_compares_the_run_and_unchecking_it_ends_that(opened, demo):
    first, second = demo.alike[:2]
    app = opened()
    assert "0/5 selected" in app.text
    assert app.check(first).compared == (first,)
    assert app.check(second).compared == (first, second)
    assert "2/5 selected" in app.text
    assert len(app.grid.rows) == 2
    assert app.uncheck(first).compared == (second,)
    assert app.uncheck(second).link == {}
    assert "0/5 selected" in app.text
    app.assert_sound()


def test_at_the_limit_the_others_are_disabled_and_a_sentence_says_why(opened, demo):
    app = opened(run=demo.alike[:4])
    assert not app.disabled
    assert LIMIT_REACHED not in app.text
    app.check(demo.alike[4])
    assert LIMIT_REACHED in app.text
    assert app.disabled == set(app.listed) - set(demo.alike)
    app.uncheck(demo.alike[0])
    assert not app.disabled
    assert LIMIT_REACHED not in app.text
    app.assert_sound()


def test_clear_empties_the_comparison(opened, demo):
    app = opened(run=demo.alike)
    app.click("clear").assert_sound()
    assert app.link == {}
    assert not app.checked
    assert app.at.button(key="clear").disabled


def test_a_run_keeps_its_colour_while_others_come_and_go(opened, demo):
    # Runs whose labels do not depend on which others are selected.
    first, second, third, fourth = demo.hostile, demo.diverged, demo.running, demo.longest
    names = {run.run_id: run.name for run in demo.runs}
    app = opened(run=[first, second, third])
    before = app.colors
    assert list(before.values()) == list(RUN_COLORS[:3])
    app.uncheck(first)
    assert app.colors == {names[run]: before[names[run]] for run in (second, third)}
    app.check(fourth)
    assert app.colors == {
        names[second]: RUN_COLORS[1],
        names[third]: RUN_COLORS[2],
        names[fourth]: RUN_COLORS[0],
    }
    assert slot_colors(app) == app.colors


def test_the_card_of_a_selected_run_has_its_colour(opened, demo):
    app = opened(run=[demo.hostile, demo.diverged])
    (style,) = [body for body in app.html_bodies if ".st-key-card_" in body and "border-left" in body]
    for run_id, color in zip((demo.hostile, demo.diverged), RUN_COLORS, strict=False):
        card = f".st-key-card_{app.listed.index(run_id)} {{ border-left: 6px solid {color}; }}"
        assert card in style
    assert style.count("border-left") == 2


def test_the_recommended_run_has_a_star_on_its_card(opened, demo):
    app = opened(run=[demo.hostile, demo.alike[0]])
    cards = [text for text in app.said if "recommended]" in text]
    assert len(cards) == 1
    assert "eval loss **0.8592**" in cards[0]


@pytest.mark.parametrize(
    "search", ["llama", " LLAMA  support ", "b>v2 rank", "legal gemma", "客服", "reviews", "%", "zzz"]
)
def test_the_search_shows_the_runs_in_which_every_word_occurs(opened, demo, search):
    app = opened()
    app.turn("text_input", "widget:q", search).assert_sound()
    expected = {run.run_id for run in demo.runs if matches(run, search)}
    assert set(app.listed) == expected
    if not expected:
        assert "No run matches the search and the filter." in app.text
    elif len(expected) == 1:
        assert "1 run of 19" in app.text
    else:
        assert f"{len(expected)} runs of 19" in app.text
    assert app.link == {"q": [search.strip()]} or app.link == {"q": [search]}
    assert opened(**app.link).listed == app.listed


def test_search_and_filter_leave_the_comparison_alone(opened, demo):
    app = opened(run=demo.alike[:2])
    app.turn("text_input", "widget:q", "legal").assert_sound()
    assert not set(app.listed) & set(demo.alike)
    assert app.compared == tuple(demo.alike[:2])
    assert len(app.grid.rows) == 2
    legal = app.listed[0]
    app.check(legal)
    assert app.compared == (*demo.alike[:2], legal)


def test_the_status_filter_folds_synonyms_and_counts(opened, demo):
    app = opened()
    raw = {run.raw_status for run in demo.runs if run.status is RunStatus.COMPLETED}
    assert len(raw) > 1, "the demo says completed in more than one way"
    expected = {status.value: sum(run.status is status for run in demo.runs) for status in RunStatus}
    counts = status_counts(app)
    assert counts.pop("all") == len(demo.runs)
    assert counts == {status: count for status, count in expected.items() if count}
    for status in ("completed", "failed", "queued"):
        app.turn("selectbox", "widget:status", RunStatus(status)).assert_sound()
        assert set(app.listed) == {run.run_id for run in demo.runs if run.status == status}
        assert app.link == {"status": [status]}
    app.turn("selectbox", "widget:status", "all")
    assert app.link == {}
    assert len(app.listed) == len(demo.runs)


def test_the_counts_of_the_status_filter_follow_the_search(opened, demo):
    app = opened(q="legal")
    legal = [run for run in demo.runs if matches(run, "legal")]
    counts = status_counts(app)
    assert counts["all"] == len(legal)
    assert counts["failed"] == sum(run.status is RunStatus.FAILED for run in legal)
    assert counts["running"] == 0, "the usual statuses are offered always"
    assert "queued" not in counts
    assert "paused" in status_counts(opened(q="legal", status="paused")), "the chosen one stays on offer"


def test_search_and_filter_that_leave_nothing_say_so(opened):
    app = opened(q="legal", status="running")
    app.assert_sound()
    assert app.listed == []
    assert "No run matches the search and the filter." in app.text


@pytest.mark.parametrize("sort", RunSort)
def test_the_list_can_be_sorted(opened, demo, sort):
    app = opened()
    app.turn("selectbox", "widget:sort", sort).assert_sound()
    assert app.listed == [run.run_id for run in demo.source.list_runs(RunQuery(sort=sort)).runs]
    assert app.link == ({} if sort is RunSort.NEWEST else {"sort": [sort.value]})


def test_sorted_by_best_loss_the_runs_without_one_come_last(opened, demo):
    losses = {run.run_id: eval_loss_of(run) for run in demo.runs}
    listed = [losses[run_id] for run_id in opened(sort="best loss").listed]
    known = [loss for loss in listed if loss is not None]
    assert known == sorted(known)
    assert listed == known + [None] * (len(listed) - len(known))


@pytest.mark.parametrize("page", [MAIN, DIFF])
def test_one_button_compares_the_five_newest(opened, demo, page):
    app = opened(page)
    assert app.at.button(key="compare_newest").label == "Compare the five newest runs"
    app.click("compare_newest").assert_sound()
    assert app.compared == tuple(app.listed[:5])
    assert app.compared == tuple(run.run_id for run in demo.source.list_runs(RunQuery(limit=5)).runs)


@pytest.mark.parametrize(("count", "label"), [(1, "Compare the newest run"), (3, "Compare the 3 newest runs")])
def test_the_button_counts_the_runs_there_are(on_folder, tmp_path, count, label):
    for number in range(count):
        write_run(tmp_path / f"run {number}", [1.0], [1.0])
    app = on_folder(tmp_path)
    assert app.at.button(key="compare_newest").label == label
    assert len(app.click("compare_newest").compared) == count


def test_more_runs_than_a_page_holds_can_be_loaded(on_folder, tmp_path):
    for number in range(PAGE_SIZE + 3):
        write_run(tmp_path / f"run {number}", [1.0])
    app = on_folder(tmp_path)
    assert len(app.listed) == PAGE_SIZE
    assert f"First {PAGE_SIZE} of {PAGE_SIZE + 3} runs" in app.text
    assert app.at.button(key="more").label == "Show 3 more"
    app.click("more").assert_sound()
    assert len(app.listed) == PAGE_SIZE + 3
    assert f"{PAGE_SIZE + 3} runs" in app.text
    assert "First" not in app.text
    assert app.link == {"list": [str(2 * PAGE_SIZE)]}


@pytest.mark.parametrize("keeps_query", [True, False], ids=["with its query string", "without any"])
def test_the_comparison_survives_a_change_of_page(opened, demo, keeps_query):
    app = opened().check(demo.alike[0]).check(demo.hostile)
    link = app.link
    for page in (DIFF, RANKING, MAIN):
        app.go(page, **(link if keeps_query else {}))
        app.assert_sound()
        assert "2/5 selected" in app.text
        assert app.link == link
    assert len(app.grid.rows) == 2


def test_the_options_of_a_page_survive_a_visit_to_another(opened, demo):
    app = opened(run=demo.alike[:2])
    app.turn("select_slider", "widget:smooth", 0.5).turn("slider", "widget:weight", 0.4)
    link = app.link
    app.go(
        RANKING, **{name: value for name, value in link.items() if name == "run"} | {"weight": "0.4", "smooth": "0.5"}
    )
    app.go(MAIN)
    assert app.link == link
    assert app.at.select_slider(key="widget:smooth").value == 0.5


@pytest.mark.parametrize("page", PAGES)
def test_runs_are_chosen_on_every_page(opened, demo, page):
    app = opened(page)
    app.check(demo.alike[0]).check(demo.alike[1]).assert_sound()
    assert app.compared == tuple(demo.alike[:2])
    assert app.uncheck(demo.alike[0]).compared == (demo.alike[1],)


def test_runs_that_share_a_name_are_told_apart_on_their_cards(opened, demo):
    labels = [box.label for box in opened().at.checkbox]
    assert len(set(labels)) == len(demo.runs)


def test_a_card_says_what_the_run_is(opened, demo):
    texts = [text for text in opened().said if text.startswith(":small[:")]
    assert len(texts) == len(demo.runs)
    by_id = dict(zip(opened().listed, texts, strict=True))
    assert "running for 3 h 9 min · 61% done · code_review_comments.jsonl" in by_id[demo.running]
    assert ":blue-badge[:material/play_circle: running]" in by_id[demo.running]
    assert "no eval loss" in by_id[demo.queued]
