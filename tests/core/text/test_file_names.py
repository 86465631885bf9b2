"""What a file to keep is called by a text that somebody else wrote."""

from __future__ import annotations

import pytest

from lib.core.text.file_names import LONGEST, in_file_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("eval_loss", "eval_loss"),
        ("val/acc@1", "val-acc-1"),
        ("eval_\u202egnp.exe", "eval_gnp.exe"),
        ("../../etc/passwd", "etc-passwd"),
        ("..", ""),
        ('a\r\nb"; filename="x.exe', "a-b-filename-x.exe"),
        ("\u0e19\u0e49\u0e33", "\u0e19\u0e49\u0e33"),
        ("\u0915\u094d\u0937", "\u0915\u094d\u0937"),
        ("\u2068\u05d0\u2069 1", "\u05d0-1"),
        ("half\ud83d", "half"),
    ],
)
def test_letters_and_digits_of_any_script_stay(text, name):
    assert in_file_name(text) == name


def test_it_is_no_longer_than_file_systems_take():
    assert len(in_file_name("m" * 5_000)) == LONGEST
