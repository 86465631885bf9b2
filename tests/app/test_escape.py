"""Foreign text stays text: in Markdown, in HTML, and on every page."""

from __future__ import annotations

import json
import re
import string
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.core.facts.foreign import without_controls
from lib.core.verdict.metric_titles import metric_title
from lib.data.supabase.settings import PREFIX
from lib.ui.frame.escape import md
from tests.app.answering import PUBLISHABLE, Answers, answering, row, run_id
from tests.app.harness import DIFF, MAIN, PAGES, PROJECT_ROOT, App, write_run

NAMES = (
    "<img src=x onerror=alert(1)>",
    "![x](http:evil.example) [click](javascript:alert(1))",
    "**bold** _it_ ~~no~~ `code` $x^2$",
    ":red[x] :material_home: :smile: :streamlit:",
    "www.evil.example me@evil.example",
    "100. run -> best",
    "&lt;b&gt; \"quoted\" 'text'",
)
SEARCHED_LATER = [
    # What Streamlit 1.67 replaces in pieces of text that are already unescaped: GFM's links, icons,
    # pictures, arrows and signs.
    re.compile(r"(https?://|www(?=\.))([-.\w]+)", re.IGNORECASE),
    re.compile(r"(?<![^\s\W])([-.\w+]+)@([-\w]+(?:\.[-\w]+)+)"),
    re.compile(r":material_(\w+):|:streamlit:"),
    re.compile(r"(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)"),
]
BLOCKS = re.compile(r"[-+*](\s|$)|\d{1,9}[.)](\s|$)|#|>|=+\s*$|```|~~~|\||:::| {4}|\t")
NOTHING = ":small[]"


def reads_as(markdown: str) -> str:
    """What Streamlit shows for ``markdown``; fails where that would be more than text."""
    assert not BLOCKS.match(markdown), markdown
    # Icons are looked for in the source, before the escapes are.
    assert ":material/" not in markdown
    pieces, position = [""], 0
    while position < len(markdown):
        character = markdown[position]
        if markdown.startswith(NOTHING, position):
            pieces.append("")
            position += len(NOTHING)
            continue
        if character == "\\":
            position += 1
            character = markdown[position]
            assert character in string.punctuation, f"a backslash that stays: {markdown}"
        elif character == "_":
            assert re.match(r"[^\W_]_[^\W_]", markdown[position - 1 : position + 2]), markdown
        else:
            assert character not in "`*{}[]<>|~:$&#@", f"{character} means something: {markdown}"
        pieces[-1] += character
        position += 1
    for piece in pieces:
        assert not any(found.search(piece) for found in SEARCHED_LATER), markdown
    return "".join(pieces)


def folded(text: str) -> str:
    return " ".join(without_controls(text).split())


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
MARKDOWN = st.text("\\`*_{}[]()<>|~:$&#@!.-+=/ \tab1w\n", max_size=25)
PARTS = st.lists(
    st.sampled_from(
        ["http", "https", "://", "www", ".", "@", "evil.example", ":", "material", "/", "_", "home", "streamlit",
         "small", "[", "]", "[]", "<", "-", ">", "=", "~", " ", "\\", "1", "12. ", "*", "x", "me", "é", "+"]
    ),
    max_size=12,
).map("".join)  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(ANY_TEXT | MARKDOWN | PARTS)
@example("http://x.y")
@example("HTTPS://X.Y www.x.y a@b.co")
@example(":material/home: :streamlit:")
@example("a -> b <- c -- d >= e <= f ~= g <-> h")
@example(":small[] \\:small[]")
@example("123456789. run")
@example("--")
def test_any_text_reads_as_the_characters_it_is(text):
    assert reads_as(md(text)) == folded(text)


@pytest.mark.parametrize("text", NAMES)
def test_hostile_names_read_as_the_characters_they_are(text):
    assert reads_as(md(text)) == text


@pytest.mark.parametrize(
    "text",
    ["plain", "support-llama-8b · lr 2e-4", "snake_case_name", "8 3e-5", "客服助手", "(a, b)", "50%", 'a "b" c/d'],
)
def test_ordinary_names_are_not_touched(text):
    assert md(text) == text


def test_what_cannot_be_shown_is_replaced():
    assert md("a\0b") == "a\ufffdb"


def test_it_can_be_put_between_other_markdown():
    assert f":red-badge[{md('a] :x[b')}]" == r":red-badge[a\] \:x\[b]"
    assert f"**{md('a** b')}**" == r"**a\*\* b**"


@pytest.fixture
def hostile(on_folder, tmp_path):
    """The pages on runs with hostile names, datasets and metrics, all of them selected."""
    names = NAMES[:5]
    for number, name in enumerate(names):
        write_run(
            tmp_path / name,
            [1.0, 0.5, float("nan") if number == 1 else 0.4],
            [0.8, 0.6 + number / 100],
            rows=[{"step": 1, "eval_<b>f1</b>": 0.5}],
            args={"dataset_name": f"data/{name}", "learning_rate": f"<i>{number}</i>", "note <u>": name},
        )
    ids = on_folder(tmp_path).listed
    return lambda page: on_folder(tmp_path, page, run=ids, metric="eval_<b>f1</b>", pin="2")


class Tags(HTMLParser):
    def __init__(self, body: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(body)

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]


@pytest.mark.parametrize("page", PAGES)
def test_no_page_renders_a_name_as_more_than_text(hostile, page):
    app = hostile(page)
    app.assert_sound()
    for text in app.said:
        for name in NAMES[:5]:
            assert name not in text, "not escaped"
        assert not re.search(r"(?<!\\)<(?:img|b|i|u)\b", text), text
        assert "eval_<b>" not in text
    for name in NAMES[:5]:
        assert name in app.text, "the list names every run"
    tags = set().union(*(Tags(body).found for body in app.html_bodies))
    ours = {"script", "h1", "h2", "button", "details", "summary", "p", "code", "b", "img", "a"}
    panel = {"section", "dl", "dt", "dd", "ol", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"}
    cards = {"header", "h3", "colgroup", "col", "br", "pre"}
    assert tags <= {"style", "div", "span", "i", "small"} | ours | panel | cards
    assert not any(re.search(r"<b>(?:bold|f1)|<i>\d", body) for body in app.html_bodies)
    if page == MAIN:
        assert set(app.colors) == set(NAMES[:5])
        assert set(app.grid.rows.index) == set(NAMES[:5])
        assert metric_title("eval_<b>f1</b>") in app.charts


def test_the_demo_run_with_markup_in_its_name_is_shown_as_it_is_called(opened, demo):
    name = "support-bot <b>v2</b> | rank 64"
    for page in (MAIN, DIFF):
        app = opened(page, run=[demo.hostile, demo.alike[0]])
        app.assert_sound()
        assert name in app.text
        assert not any("<b>" in text.replace(r"\<b\>", "") for text in app.said)
        assert not any("<b>v2" in body for body in app.html_bodies)


@pytest.mark.parametrize("name", NAMES[:5])
def test_below_a_chart_a_name_is_plain_text(on_folder, tmp_path, name):
    # No Markdown is rendered there: an escape would be shown.
    write_run(tmp_path / name, [1.0, 0.5])
    write_run(tmp_path / "check", [1.0, 0.5], [0.8, 0.7])
    ids = on_folder(tmp_path).listed
    app = on_folder(tmp_path, run=ids, loss="eval")
    app.assert_sound()
    assert app.captions[0].endswith(f"not logged: {name} (eval loss)")


@pytest.mark.parametrize("name", ["charts.js", "runs.js", "frame.js"])
def test_our_scripts_make_no_markup_of_any_text(name):
    script = (PROJECT_ROOT / "static" / name).read_text()
    assert "textContent" in script
    assert not re.search(r"(?:inner|outer)HTML|insertAdjacentHTML|document\.write|DOMParser|Fragment\(|eval\(", script)


STEERING = re.compile("[\u200b\u2028-\u202e\u2060\ufeff]")
"""What turns the text beside it around, or cannot be seen, or ends a line."""
STEERED = (
    "turned\u202egnp.exe",
    "wide\u200b",
    "wide",
    "two\u2028lines\r\nthree\tfour",
    "\u05d0\u05d1\u05d2",
    "👩\u200d👧",
    "x" * 10_000,
)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("names", [STEERED[:4], STEERED[4:]], ids=["steering", "long"])
def test_names_steer_nothing_and_what_cannot_be_seen_of_values_is_written_out(monkeypatch, page, names):
    runs = [run_id(number) for number in range(1, len(names) + 1)]
    jobs = {
        run: row(
            number,
            model_name=name,
            dataset_path=name,
            config={"training": {"learning_rate": number, "mode": name, name[:99]: 1}},
        )
        for number, (run, name) in enumerate(zip(runs, names, strict=True), 1)
    }
    with answering(Answers(jobs)) as project:
        for name, value in {"URL": project.url, "KEY": PUBLISHABLE, "SIGN_IN": "off"}.items():
            monkeypatch.setenv(PREFIX + name, value)
        app = App.open(page, run=runs)
        app.assert_sound()
        said = [*app.said, *app.html_bodies, json.dumps(app.lines, ensure_ascii=False)]
        assert [text[max(0, at.start() - 90) : at.end() + 30] for text in said for at in STEERING.finditer(text)] == []
        assert not any("x" * 5_000 in text for text in said)
        if page == DIFF and "wide" in names:
            assert "wide\\u200b" in "".join(app.html_bodies), "two values that differ look different"
