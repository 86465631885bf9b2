"""Foreign text for LaTeX: it prints as it is, and nothing in it is a command."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lib.core.facts.foreign import without_controls

_SPECIAL = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",
    # Two of them would be one longer sign; brackets would be the option of the end of the row before.
    "`": "{`}",
    "'": "{'}",
    "-": "{-}",
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    # What the app itself writes, in fonts that may not have it.
    "\N{EN DASH}": r"\textendash{}",
    "\N{EM DASH}": r"\textemdash{}",
    "\N{MINUS SIGN}": "$-$",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{DIVISION SIGN}": r"$\div$",
    "\N{INFINITY}": r"$\infty$",
    "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}",
    "\N{MIDDLE DOT}": r"\textperiodcentered{}",
    "\N{BLACK STAR}": r"$\star$",
    "\N{BLACK CIRCLE}": r"$\bullet$",
    "\N{HEAVY MULTIPLICATION X}": r"$\times$",
    "\N{WARNING SIGN}": r"$\triangle$",
    "\N{NO-BREAK SPACE}": "~",
    "\N{NARROW NO-BREAK SPACE}": "~",
}
_ANY = re.compile("|".join(map(re.escape, _SPECIAL)))
_NUMBER = re.compile(r"-(?=\d)")
_ISOLATES = str.maketrans("", "", "\u2066\u2067\u2068\u2069\u200e\u200f")


def latex(text: str) -> str:
    r"""Text as LaTeX sets it, on one line. Letters of other scripts stay: they need XeLaTeX or LuaLaTeX, and a font.

    Example:
        >>> latex("lr_1 50% $x$"), latex("-0.5")
        ('lr\\_1 50\\% \\$x\\$', '$-$0.5')
    """
    plain = without_controls(text.replace("\N{NO-BREAK SPACE}", " ")).translate(_ISOLATES)
    signed = _NUMBER.sub("\N{MINUS SIGN}", plain, count=1) if plain[:1] == "-" else plain
    return _ANY.sub(lambda found: _SPECIAL[found.group()], signed).strip()


def tabular(heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]) -> str:
    """A tabular of foreign texts that needs no package, a line for each row.

    Args:
        heads: The header.
        rows: Cells, as many in each as there are heads.
        right: Whether a column stands to the right, as numbers do.
    """
    lines = [" & ".join(map(latex, row)) + r" \\" for row in (heads, *rows)]
    kinds = "".join("r" if each else "l" for each in right)
    begin, rule, end = rf"\begin{{tabular}}{{{kinds}}}", r"\hline", r"\end{tabular}"
    return "\n".join((begin, rule, lines[0], rule, *lines[1:], rule, end))


def remark(text: str) -> str:
    """A line that LaTeX does not set."""
    return f"% {without_controls(text)}"
