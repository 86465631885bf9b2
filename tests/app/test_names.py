"""Odd characters in whatever others name: nothing of it steers a page, a file or a terminal."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest

from lib.cli.__main__ import main
from lib.core.facts.foreign import END_OF_ISOLATE, ISOLATE, isolated, legible
from lib.core.facts.sizes import plain_text
from lib.core.text.looks import look
from lib.data.supabase.settings import PREFIX
from lib.ui.charts.component import CHARTS
from tests.app.answering import PUBLISHABLE, Answers, answering, metric_rows, row_of_text, run_id
from tests.app.everything import texts
from tests.app.harness import MAIN, PAGES, App, write_run
from tests.app.test_fuzz import TIMES
from tests.forgetting import forget_reads

FLAG = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
STEERING = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2067\u206a-\u206f"
    "\u3164\uffa0\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e00ff]|[\u0300-\u036f]{5}|\u0e47{3}"
)
"""What turns or moves the text beside it, piles up over it, or cannot be seen."""
ODD = {
    "override": "model\u202egnp.exe",
    "embeddings": "a\u202b\u202a\u202c\u202cb",
    "isolates": "x\u2067y\u2066z\u2069",
    "end of an isolate": "clo\u2069sed",
    "marks of direction": "run\u200e-m\u200fark\u061c",
    "zero width": "ru\u200bn\ufeff-\u20601",
    "tags": "flag\U000e0041\U000e0042 hidden\U000e007f",
    "pile": "z" + "".join(chr(0x300 + number % 0x70) for number in range(200)) + "algo",
    "Thai pile": "\u0e01" + "\u0e47" * 60,
    "lines": "two\nlines\r\n2026-11-30T00:00:00 ERROR runoff: forged\u2028x\u2029y\x85z",
    "terminal": "esc\x1b[31mred\x1b]0;title\x07 bs\x08\x08 del\x7f c1\x9b31m",
    "half": "half\ud83d",
    "no character": "no\ufffe\uffff\U0001ffff",
    "fillers": "run-1\u3164\uffa0\u115f",
    "mark first": "\u0338run",
    "nothing": "\u200b\u2060",
    "right to left": "\u05e0\u05d9\u05e1\u05d5\u05d9 5 (base)",
    "pictures": f"\U0001f468\u200d\U0001f469\u200d\U0001f467 {FLAG}",
    "long": "w" * 5_000,
    "ours": "baseline",
    "prototype": "__proto__",
}


def steers(text: str) -> str:
    """What of a text steers, with what stands around it; "" for nothing."""
    plain = text.replace(FLAG, "")
    if found := STEERING.search(plain):
        return ascii(plain[max(0, found.start() - 60) : found.end() + 20])
    depth = 0
    for character in plain:
        depth += (character == ISOLATE) - (character == END_OF_ISOLATE)
        if depth < 0:
            break
    return ascii(plain[:200]) if depth else ""


def odd_row(number: int, odd: str, **columns: Any) -> str:
    return row_of_text(
        number,
        odd,
        config={
            "training": {"learning_rate": number, "note": odd, odd[:99]: odd, "parts": [odd, number]},
            "__proto__": {odd[:50]: number},
            "constructor": number,
        },
        **columns,
    )


def project_of(monkeypatch, odds: list[str]) -> Answers:
    jobs = {run_id(number): odd_row(number, odd) for number, odd in enumerate(odds, 1)}
    values = {f"eval_{odd[:40]}": 0.5 for odd in odds if "," not in odd and '"' not in odd}
    return Answers(jobs, [dict(each) | values for each in metric_rows(4)])


def serve(monkeypatch, project: Answers) -> None:
    for name, value in {"URL": project.url, "KEY": PUBLISHABLE, "SIGN_IN": "off"}.items():
        monkeypatch.setenv(PREFIX + name, value)


GROUPS = [[*ODD][start : start + 5] for start in range(0, len(ODD), 5)]


@pytest.mark.parametrize("kinds", GROUPS, ids=lambda kinds: kinds[0])
def test_nothing_of_a_row_steers_a_page_or_a_file(monkeypatch, files, kinds):
    with answering(project_of(monkeypatch, [ODD[kind] for kind in kinds])) as project:
        serve(monkeypatch, project)
        for page in PAGES:
            forget_reads()
            app = App.open(page, run=[run_id(number) for number in range(1, len(kinds) + 1)], pin="2")
            app.assert_sound()
            assert [found for text in texts(app) if (found := steers(text))] == []
            names = [line["name"] for line in app.lines.values()]
            assert len({*names}) == len(kinds)
            if page == MAIN:
                app.trigger(CHARTS, "file", {"chart": "loss", "kind": "svg", "turn": 1790000000000})
                ElementTree.fromstring(files["runoff-loss.svg"]())
                assert not steers(files["runoff-loss.svg"]().decode())


@pytest.mark.parametrize("kinds", GROUPS, ids=lambda kinds: kinds[0])
def test_nothing_of_a_folder_steers_a_page_a_file_or_a_terminal(on_folder, tmp_path, capsys, kinds):
    for number, kind in enumerate(kinds, 1):
        odd = ODD[kind].encode("utf-8", "replace").decode()
        folder = odd.replace("/", "_").encode()[:200].decode("utf-8", "ignore") or "x"
        log = [{"step": 1, f"eval_{each[:60]}": number / 10} for each in (ODD[kind] for kind in kinds)]
        args = {"learning_rate": number, "note": odd, odd[:99]: [odd, number], "dataset_name": odd}
        write_run(tmp_path / folder, [1.0, 0.5, 0.4 + number], [0.8, 0.6 + number / 100], rows=log, args=args)
        broken = tmp_path / f"{folder[:60]}-broken"
        broken.mkdir()
        (broken / "trainer_state.json").write_text("{nonsense")
    runs = on_folder(tmp_path).listed[:5]
    logged = [f"eval_{plain_text(ODD[kind][:60])}" for kind in kinds]
    for page in PAGES:
        app = on_folder(tmp_path, page, run=runs, metric=logged, **({"cols": logged} if page == MAIN else {}))
        app.assert_sound()
        assert [found for text in texts(app) if (found := steers(text))] == []
        if page == MAIN:
            assert len(app.charts) == len({*app.charts})
    for call in ("runs", "verdict", "report"):
        capsys.readouterr()
        main([call, str(tmp_path), *(f"--run={run}" for run in runs if call != "runs")])
        printed = capsys.readouterr()
        assert not steers((printed.out + printed.err).replace("\n", " "))


RANGES = (
    *((0x20, 0x7E), (0, 0x1F), (0x7F, 0xAD), (0x300, 0x36F), (0x590, 0x6FF), (0x900, 0xDFF), (0xE00, 0xFFF)),
    *((0x1100, 0x11FF), (0x17B0, 0x17DF), (0x1800, 0x180F), (0x1AB0, 0x1AFF), (0x2000, 0x206F), (0x20D0, 0x20FF)),
    *((0x2800, 0x2803), (0x3000, 0x30FF), (0x4E00, 0x4E20), (0xD800, 0xDFFF), (0xE000, 0xE010), (0xFB1D, 0xFB4F)),
    *((0xFDD0, 0xFDF0), (0xFE00, 0xFE2F), (0xFFA0, 0xFFFF), (0x110B0, 0x110CF), (0x1D165, 0x1D182), (0x1F3F0, 0x1F4FF)),
    *((0xE0000, 0xE01FF), (0x1FFFE, 0x1FFFF), (0x410, 0x44F), (0x391, 0x3C9)),
)
"""Blocks that have what steers, joins, piles up or looks like something else, and those of ordinary letters."""


def drawn_names(chance: random.Random, count: int) -> Iterator[str]:
    """Names of characters drawn from a few blocks each, with a word that can be read in some."""
    for _ in range(count):
        blocks = chance.sample(RANGES, chance.randrange(1, 4))
        drawn = [chr(chance.randint(*chance.choice(blocks))) for _ in range(chance.randrange(1, 40))]
        word = [chance.choice(("run-1", "eval", "a_b", "5 (base)", "=1+1"))] if chance.random() < 0.5 else []
        yield "".join(chance.sample([*drawn, *word], len(drawn) + len(word)))


def test_nothing_of_drawn_names_steers_a_page(monkeypatch, request):
    chance = random.Random(request.node.name)
    for _ in range(2 * TIMES):
        names = [*drawn_names(chance, 5)]
        with answering(project_of(monkeypatch, names)) as project:
            serve(monkeypatch, project)
            for page in PAGES:
                forget_reads()
                app = App.open(page, run=[run_id(number) for number in range(1, 6)])
                app.assert_sound()
                assert [(found, names) for text in texts(app) if (found := steers(text))] == []
                labels = [look(line["name"]) for line in app.lines.values()]
                assert len({*labels}) == 5, names


def test_of_drawn_names_what_is_shown_stays_when_it_is_cleaned_again(request):
    chance = random.Random(request.node.name)
    for name in drawn_names(chance, 3_000 * TIMES):
        shown = isolated(name)
        assert not steers(shown), ascii(name)
        assert isolated(shown) == shown, ascii(name)
        assert not steers(legible(name)), ascii(name)
        shown.encode()
