"""Lists, titles and numbers in the middle of a sentence."""

from __future__ import annotations

from collections.abc import Sequence


def listed(names: Sequence[str]) -> str:
    """Names as a list; where one of them is a list itself, told apart by semicolons.

    Example:
        >>> listed(["a"]), listed(["a", "b", "c"]), listed(["a, b", "c"])
        ('a', 'a, b and c', 'a, b; and c')
    """
    between = _between(names)
    last = " and " if between == _COMMA else "; and "
    return last.join(filter(None, (between.join(names[:-1]), *names[-1:])))


def first_of(names: Sequence[str], most: int) -> str:
    """At most so many names as a list, and how many more there are.

    Example:
        >>> first_of(["a", "b", "c"], 3), first_of(["a", "b", "c"], 1), first_of(["a, b", "c"], 2)
        ('a, b, c', 'a and 2 more', 'a, b; c')
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return _between(names[:most]).join(names[:most]) + more


def _between(names: Sequence[str]) -> str:
    return "; " if any(_COMMA in name for name in names) else _COMMA


_COMMA = ", "


def lower_first(title: str) -> str:
    """A title in the middle of a sentence."""
    return title[:1].lower() + title[1:]


def in_sentence(title: str) -> str:
    """The same of one that may begin with an abbreviation.

    Example:
        >>> in_sentence("Learning rate"), in_sentence("LoRA rank"), in_sentence("NaN or infinity")
        ('learning rate', 'LoRA rank', 'NaN or infinity')
    """
    first = title.split(" ", 1)[0]
    return title if any(letter.isupper() for letter in first[1:]) else lower_first(title)


def counted(many: int, one: str, more: str | None = None) -> str:
    """A number and its noun.

    Example:
        >>> counted(1, "row"), counted(1200, "row"), counted(0, "time")
        ('1 row', '1,200 rows', '0 times')
    """
    return f"{many:,} {one if many == 1 else more or one + 's'}"


def with_article(noun: str) -> str:
    """A noun with "a" or "an" before it.

    Example:
        >>> with_article("eval_f1"), with_article("mean reward")
        ('an eval_f1', 'a mean reward')
    """
    return f"{'an' if noun[:1].lower() in set('aeiou') else 'a'} {noun}"
