"""Foreign text in LaTeX: read back by TeX's own rules for characters, it prints as it was and commands nothing."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.text.latex import latex, remark, tabular

PRINTED = {
    r"\textbackslash{}": "\\",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    r"\textless{}": "<",
    r"\textgreater{}": ">",
    r"\textbar{}": "|",
    r"\char34{}": '"',
    r"\textendash{}": "–",
    r"\textemdash{}": "—",
    r"\ldots{}": "…",
    r"\textperiodcentered{}": "·",
    "$-$": "−",
    r"$\pm$": "±",
    r"$\times$": "×",
    r"$\div$": "÷",
    r"$\infty$": "∞",
    r"$\star$": "★",
    r"$\bullet$": "●",
    r"$\triangle$": "⚠",
    **{f"\\{each}": each for each in "&%$#_{}"},
    **{f"{{{each}}}": each for each in "[]*-'`"},
}
"""What is printed by each of the few things that a cell may hold besides plain characters."""
TOKENS = re.compile(
    "|".join(map(re.escape, sorted(PRINTED, key=len, reverse=True))) + r"|[^\\{}$&#^_~%\[\]*'`\"-]", re.DOTALL
)


def printed(cell):
    """What TeX prints of a cell; fails for anything that it would take for a command, a group or the end of a cell."""
    at, out = 0, ""
    while at < len(cell):
        found = TOKENS.match(cell, at)
        assert found, cell[at:]
        out += PRINTED.get(found.group(), found.group())
        at = found.end()
    return out


HOSTILE = (
    "a|b", "$x_1$", "<script>", "\\input{/etc/passwd}", "\\\\[5cm]", "a\nb", "=cmd()", "\u202eevil\u202c", "50% off",
    "{}}{", "^^M", "~root", "--", "''``", "*[x]", "#1 & 2", "\\end{tabular}", '"a"', "\\", "a\u2028b", "x\x00y",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_prints_as_it_is(text):
    plain = "".join(
        each for each in text if unicodedata.category(each) not in ("Cc", "Cf", "Zl", "Zp") or each.isspace()
    )
    assert printed(latex(text)) == re.sub(r"\s", " ", plain)
    assert "\n" not in latex(text)


@given(st.text(max_size=30))
def test_any_text_commands_nothing(text):
    assert "\n" not in printed(latex(text))


@pytest.mark.parametrize("number", ["-0.5", "0.3293", "+0.31", "3e-5", "1,234"])
def test_a_number_is_the_same_number(number):
    assert printed(latex(number)).replace("−", "-") == number


def test_a_tabular_has_a_cell_for_each_and_no_row_begins_with_an_option():
    rows = [list(HOSTILE), list(reversed(HOSTILE))]
    lines = tabular([f"h{at}" for at in range(len(HOSTILE))], rows, [False] * len(HOSTILE)).splitlines()
    assert lines[0] == r"\begin{tabular}{" + "l" * len(HOSTILE) + "}"
    assert lines[-1] == r"\end{tabular}"
    body = [line for line in lines[1:-1] if line != r"\hline"]
    assert len(body) == 3
    for line in body:
        assert line.endswith(r" \\")
        assert not line.startswith(("[", "*"))
        cells = re.split(r"(?<!\\) & ", line.removesuffix(r" \\"))
        assert len(cells) == len(HOSTILE)
        assert all(printed(cell) is not None for cell in cells)


def test_a_remark_is_one_line():
    assert "\n" not in remark("a\n\\input{b}\r\x85c")
