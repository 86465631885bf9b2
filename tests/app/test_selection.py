"""Choosing runs: the list, the filters, and what survives a change of page."""

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
    options = [text.removesuffix(")").rsplit(" (", 1) for _, text in app.runs["statuses"]]
    return {name: int(count) for name, count in options}


def test_ticking_a_run_compares_it_and_unticking_it_ends_that(opened, demo):
    first, second = demo.alike[:2]
    app = opened()
    assert app.checked == set()
    assert app.check(first).compared == (first,)
    assert app.check(second).compared == (first, second)
    assert app.checked == {first, second}
    assert len(app.grid.rows) == 2
    assert app.uncheck(first).compared == (second,)
    assert app.uncheck(second).link == {}
    assert app.checked == set()
    app.assert_sound()


def test_a_run_beyond_the_limit_is_refused(opened, demo):
    app = opened(run=demo.alike[:4])
    assert app.runs["most"] == 5
    assert app.runs["tooMany"] == LIMIT_REACHED
    app.ask(picks=[[demo.alike[4], True], [demo.hostile, True]]).assert_sound()
    assert app.compared == tuple(demo.alike)
    assert app.check(demo.hostile).compared == tuple(demo.alike)
    app.ask(picks=[[demo.alike[0], False], [demo.hostile, True]])
    assert app.compared == (*demo.alike[1:], demo.hostile)


def test_what_is_asked_for_twice_is_done_once(opened, demo):
    first, second = demo.alike[:2]
    app = opened().ask(picks=[[first, True]]).ask(picks=[[first, True], [second, True]])
    assert app.compared == (first, second)
    app.ask(clear=True, picks=[[second, True]]).ask(clear=True, picks=[[second, True]])
    assert app.compared == (second,)


def test_clear_empties_the_comparison(opened, demo):
    app = opened(run=demo.alike)
    app.ask(clear=True, picks=[]).assert_sound()
    assert app.link == {}
    assert app.checked == set()


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


def test_the_selected_runs_stand_first_with_their_slots_in_the_order_of_the_ranking(opened, demo):
    app = opened(run=[demo.alike[0], demo.hostile, demo.diverged])
    selected = app.runs["selected"]
    assert {line["id"]: line["slot"] for line in selected} == {demo.alike[0]: 0, demo.hostile: 1, demo.diverged: 2}
    losses = [float(line["value"]) for line in selected if line["id"] != demo.diverged]
    assert losses == sorted(losses), "here the lower loss wins"
    assert selected[-1]["id"] == demo.diverged, "a failed run has no place in the ranking"
    assert not any("slot" in line for line in app.runs["others"])


def test_the_recommended_run_has_a_star_and_says_why(opened, demo):
    app = opened(run=demo.alike[:2])
    (starred,) = [line for line in app.lines.values() if line.get("recommended")]
    assert starred["value"] == "0.850"
    assert starred["details"][0][0] == "Recommended"
    assert starred["details"][0][1] in app.text


def test_what_the_names_share_is_said_once(opened, demo):
    app = opened(run=demo.alike)
    assert app.runs["shared"] == "support-llama-8b · "
    assert app.uncheck(demo.alike[0]).check(demo.hostile).runs["shared"] == "support-"


@pytest.mark.parametrize(
    "search", ["llama", " LLAMA  support ", "b>v2 rank", "legal gemma", "客服", "reviews", "%", "zzz"]
)
def test_the_search_shows_the_runs_in_which_every_word_occurs(opened, demo, search):
    app = opened()
    app.ask(search=search).assert_sound()
    expected = {run.run_id for run in demo.runs if matches(run, search)}
    assert set(app.listed) == expected
    if not expected:
        assert "No run matches the search and the filter." in app.text
    elif len(expected) == 1:
        assert app.runs["count"] == "1 of 19 runs"
    else:
        assert app.runs["count"] == f"{len(expected)} of 19 runs, newest first"
    assert app.link == {"q": [search.strip()]} or app.link == {"q": [search]}
    assert opened(**app.link).listed == app.listed


def test_search_and_filter_leave_the_comparison_alone(opened, demo):
    app = opened(run=demo.alike[:2])
    app.ask(search="legal").assert_sound()
    assert app.checked == set(demo.alike[:2]), "what is compared stays in sight"
    assert app.compared == tuple(demo.alike[:2])
    assert len(app.grid.rows) == 2
    others = [line["id"] for line in app.runs["others"]]
    assert set(others) == {run.run_id for run in demo.runs if matches(run, "legal")}
    assert app.runs["count"] == f"{len(others)} of 17 more, newest first"
    legal = others[0]
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
        app.ask(status=status).assert_sound()
        assert set(app.listed) == {run.run_id for run in demo.runs if run.status == status}
        assert app.link == {"status": [status]}
    app.ask(status="")
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
    app.ask(sort=sort).assert_sound()
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
    assert any("Tick two to five runs, and read which one to ship" in body for body in app.html_bodies)
    assert app.at.button(key="compare_newest").label == "Compare the five newest finished runs"
    finished = demo.source.list_runs(RunQuery(status=RunStatus.COMPLETED, limit=100)).runs
    newest = [run.run_id for run in finished if eval_loss_of(run) is not None][:5]
    assert newest != app.listed[:5], "others are newer"
    app.click("compare_newest").assert_sound()
    assert app.compared == tuple(newest)


@pytest.mark.parametrize(
    ("count", "label"), [(1, "Compare the newest finished run"), (3, "Compare the three newest finished runs")]
)
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
    assert app.runs["count"] == f"First {PAGE_SIZE} of {PAGE_SIZE + 3} runs, newest first"
    assert app.runs["more"] == 3
    app.ask(limit=2 * PAGE_SIZE).assert_sound()
    assert len(app.listed) == PAGE_SIZE + 3
    assert app.runs["count"] == f"{PAGE_SIZE + 3} runs, newest first"
    assert app.runs["more"] == 0
    assert app.link == {"list": [str(2 * PAGE_SIZE)]}


@pytest.mark.parametrize("keeps_query", [True, False], ids=["with its query string", "without any"])
def test_the_comparison_survives_a_change_of_page(opened, demo, keeps_query):
    app = opened().check(demo.alike[0]).check(demo.hostile)
    link = app.link
    for page in (DIFF, RANKING, MAIN):
        app.go(page, **(link if keeps_query else {}))
        app.assert_sound()
        assert app.checked == {demo.alike[0], demo.hostile}
        assert app.link == link
    assert len(app.grid.rows) == 2


def test_the_options_of_a_page_survive_a_visit_to_another(opened, demo):
    app = opened(run=demo.alike[:2])
    app.put(smooth="0.5").turn("slider", "widget:weight", 0.4)
    link = app.link
    app.go(
        RANKING, **{name: value for name, value in link.items() if name == "run"} | {"weight": "0.4", "smooth": "0.5"}
    )
    app.go(MAIN)
    assert app.link == link
    assert app.shared["options"]["values"]["smooth"] == "0.5"


@pytest.mark.parametrize("page", PAGES)
def test_runs_are_chosen_on_every_page(opened, demo, page):
    app = opened(page)
    app.check(demo.alike[0]).check(demo.alike[1]).assert_sound()
    assert app.compared == tuple(demo.alike[:2])
    assert app.uncheck(demo.alike[0]).compared == (demo.alike[1],)


def test_runs_that_share_a_name_are_told_apart_in_the_list(opened, demo):
    assert len({line["name"] for line in opened().lines.values()}) == len(demo.runs)


def test_a_line_says_what_is_unusual_and_its_details_the_rest(opened, demo):
    lines = opened().lines
    assert lines[demo.running]["unusual"] == "running for 3 h 9 min · 61%"
    details = dict(lines[demo.running]["details"])
    assert details["Dataset"].endswith("/code_review_comments.jsonl")
    assert details["Created"] == "2026-11-20 08:47 UTC, 3 h ago", "by the demo's own clock"
    assert details["Run id"] == demo.running
    assert lines[demo.queued]["unusual"] == "queued"
    assert lines[demo.queued]["value"] == "–"
    assert lines[demo.diverged]["unusual"] == "failed at 46%"
    assert "unusual" not in lines[demo.hostile], "it was trained to its end"


def test_the_verdict_is_there_to_be_read_out(opened, demo):
    assert opened().runs["verdict"] == ""
    app = opened(run=demo.alike[:2])
    first = app.runs["verdict"]
    assert app.lines[app.runs["selected"][0]["id"]]["name"] in first
    assert app.uncheck(app.runs["selected"][0]["id"]).runs["verdict"] not in ("", first)
