"""A comparison as Markdown: short for a comment, whole as a report, and no foreign text is markup in it."""

from __future__ import annotations

import pytest

from lib.report.markdown import MARKER, comment, report
from tests.report.judged import judged, run

HOSTILE = "a|b` <img src=x onerror=alert(1)> [x](javascript:alert(1)) @team #1 **b**\n## c"


def many(count=5):
    further = [{f"setting_{key}": at * key for key in range(40)} for at in range(count)]
    return [run(f"r{at}", 0.5 + 0.02 * at, learning_rate=1e-4 * (at + 1), **own) for at, own in enumerate(further)]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_comment_is_short_and_has_what_decides(count):
    text = comment(judged(*many(count)), "http://127.0.0.1:1/?run=r0")
    lines = text.splitlines()
    assert len(lines) < 60
    assert lines[0] == MARKER
    assert lines[1] == "### Ship r0" if count > 1 else lines[1].startswith("### ")
    assert lines[-1] == "[Open the comparison](http://127.0.0.1:1/?run=r0)"
    assert "| r0 |" in text


def test_a_comment_says_how_many_settings_it_leaves_out():
    text = comment(judged(*many(2)))
    assert "and 28 more settings" in text
    assert text.count("\n| ") < 25


def test_a_report_has_all_settings_and_objections():
    compared = judged(*many(2))
    text = report(compared)
    assert all(f"Setting {key} |" in text for key in range(1, 40))
    assert "more settings" not in text
    assert all(each.sentence.split()[0] in text for each in compared.overview.objections)


@pytest.mark.parametrize("make", [comment, report])
def test_no_foreign_text_is_markup(make):
    runs = [run("a", 0.5, note=HOSTILE), run("b", 0.6, note="plain")]
    text = make(judged(*runs, labels={"a": HOSTILE, "b": "b"}), "")
    assert "<img" not in text
    assert "[x](" not in text
    assert "@team" not in text
    assert r"\*\*b\*\*" in text
    assert "\n## c" not in text
    for line in text.splitlines():
        if line.startswith("| "):
            assert line.endswith(" |")
    widths = {
        line.replace("\\|", "").count("|") for line in text.splitlines() if line.startswith(("| a", "| b", "| Run"))
    }
    assert len(widths) == 1


@pytest.mark.parametrize("link", ["javascript:alert(1)", "", "ftp://a/b", "//a/b"])
def test_a_link_that_leads_to_no_page_is_left_out(link):
    assert "Open the comparison" not in comment(judged(*many(2)), link)


def test_a_link_stays_one_link():
    text = comment(judged(*many(2)), "http://127.0.0.1:1/?run=a%20b&q=x)\n[y](http://other/")
    assert text.splitlines()[-1] == (
        "[Open the comparison](http://127.0.0.1:1/?run=a%20b&q=x%29%0A[y]%28http://other/)"
    )
