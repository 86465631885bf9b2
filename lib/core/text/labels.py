"""What a run is called where several are shown: labels that tell runs apart.

Names are neither unique nor stable, and widgets, legends and tables tell options apart by their text.
Two labels differ only if they *look* different: case, blanks and invisible characters do not count, nor does the
alphabet of letters that are drawn alike.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial

from lib.core.facts.foreign import closed, isolated
from lib.core.facts.runs import RunSummary
from lib.core.facts.values import moment as as_moment
from lib.core.text.formatting import NOT_RECORDED, day, shorten, shorten_middle
from lib.core.text.looks import look

LEGEND_LIMIT = 18
"""Characters of a run's label in a legend at the right of a chart."""
SENTENCE_LIMIT = 36
"""The same in a sentence."""
MIN_LIMIT = 8
"""Below this there is no room for a beginning, an ellipsis and a number."""
MIN_HEAD = 5
"""Room for an ellipsis and enough of a name to know it again, before the part that tells it apart."""
SEPARATOR = " · "
NO_NAME = "(no name)"
ID_CHARACTERS = 4
"""Fewer characters of an id are taken for a version number."""
FACT_CHARACTERS = 24
"""Longer values (lists of modules, paths) would hide the name that they qualify."""
MAX_FACTS = 12
"""Only this many differing facts, from the most important on, are tried in pairs."""

MIN_SHARED = 6
"""Fewer characters at the beginning of all labels are read as fast as they are said once."""
MIN_NAME = 3
"""Fewer characters, or digits alone, do not read as a name in a sentence."""
_PART_ENDS = re.compile(r" · |[ _/]|(?<!\de)-")
"""Where a label may be parted: not inside a number such as 1e-4."""

_Teller = Callable[[RunSummary], str]


def unique_labels(runs: Sequence[RunSummary], facts: Mapping[str, Mapping[str, str]] | None = None) -> dict[str, str]:
    """Give every run a label that looks unlike all others.

    A name that occurs once is the label. Runs that share a name get what tells them apart: the fewest
    facts (one, else two), then the date, then the first characters of the id. The order of ``runs``
    decides nothing but the order of the answer.

    Args:
        runs: Any number of runs.
        facts: For each ``run_id`` short titles and shown values, most important first, such as
            ``{"lr": "2e-4", "r": "16"}``.

    Returns:
        The label of each ``run_id``.

    Example:
        >>> runs = [RunSummary(run_id="x1", name="a"), RunSummary(run_id="x2", name="a")]
        >>> unique_labels(runs, {"x1": {"lr": "1e-4"}, "x2": {"lr": "2e-4"}})
        {'x1': 'a · lr 1e-4', 'x2': 'a · lr 2e-4'}
    """
    groups: dict[str, list[RunSummary]] = defaultdict(list)
    for run in sorted({run.run_id: run for run in runs}.values(), key=lambda run: run.run_id):
        groups[look(_name(run))].append(run)
    labels = {group[0].run_id: _name(group[0]) for group in groups.values() if len(group) == 1}
    stems: dict[str, tuple[str, int]] = {}
    for group in groups.values():
        if len(group) > 1:
            stems |= _tell_apart(group, facts or {})
    taken = {look(label) for label in labels.values()}
    for run_id in sorted(stems):
        candidates = _candidates(*stems[run_id], run_id)
        labels[run_id] = next(label for label in candidates if look(label) not in taken)
        taken.add(look(labels[run_id]))
    return {run.run_id: labels[run.run_id] for run in runs}


def short_labels(labels: Mapping[str, str], limit: int = LEGEND_LIMIT) -> dict[str, str]:
    """Cut labels for a legend so that each still looks unlike all others.

    Labels that fit stay. The others lose their end; where two would then look the same, their middle;
    where that does not help either, they are numbered.

    Args:
        labels: The label of each ``run_id``, as ``unique_labels`` gives them.
        limit: How many characters (code points) a label may have, at least ``MIN_LIMIT``.

    Raises:
        ValueError: If ``limit`` is below ``MIN_LIMIT``.
    """
    if limit < MIN_LIMIT:
        raise ValueError(f"Labels need a limit of at least {MIN_LIMIT} characters, got {limit!r}.")
    short: dict[str, str] = {}
    taken: set[str] = set()
    cut = {key: shorten(label, limit) for key, label in labels.items()}
    for forms in ({key: label for key, label in labels.items() if label == cut[key]}, cut):
        loners = _loners({key: form for key, form in forms.items() if key not in short}, taken)
        short |= loners
        taken |= {look(label) for label in loners.values()}
    clashes: dict[str, list[str]] = defaultdict(list)
    for key in sorted(labels.keys() - short.keys(), key=lambda key: (labels[key], key)):
        clashes[look(cut[key])].append(key)
    for keys in clashes.values():
        told = _clashing([labels[key] for key in keys], limit, taken)
        short |= dict(zip(keys, told, strict=True))
        taken |= {look(form) for form in told}
    return {key: short[key] for key in labels}


def shared_beginning(labels: Collection[str]) -> str:
    """The beginning that all labels share, to the end of a part; "" where it is short, or all that one of them has.

    Example:
        >>> shared_beginning(["llama-8b · lr 1e-4", "llama-8b · lr 2e-4"]), shared_beginning(["8 3e-5", "8 4e-5"])
        ('llama-8b · ', '')
    """
    if len(labels) < 2:
        return ""
    first, last = min(labels), max(labels)
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    common = "".join(one for one, _ in same)
    # A fact keeps its title: "lr 1e-4".
    ends = [found.end() for found in _PART_ENDS.finditer(common)]
    facts = [end for end in ends if common[:end].endswith(SEPARATOR)]
    starts = [common[:end] for end in reversed(facts or [end for end in ends if end >= MIN_SHARED])]
    return next((start for start in starts if _parts(start) and all(look(label[len(start) :]) for label in labels)), "")


def _parts(start: str) -> bool:
    """Whether a name may be parted behind a beginning: not where marks of direction or a bracket are still open."""
    return closed(start) == start and all(
        start.count(opening) <= start.count(end) for opening, end in ("()", "[]", "{}")
    )


def brief_labels(labels: Mapping[str, str], limit: int = SENTENCE_LIMIT) -> dict[str, str]:
    """What runs are called in a sentence: without the beginning that all share, and cut so that what differs stays.

    The beginning stays where one of them would be called by a number or a letter or two, which are no names.

    Example:
        >>> brief_labels({"x": "resnet_small", "y": "resnet_large"}), brief_labels({"x": "version_0", "y": "version_1"})
        ({'x': 'small', 'y': 'large'}, {'x': 'version_0', 'y': 'version_1'})
    """
    start = len(shared_beginning(labels.values()))
    own = {key: label[start:] for key, label in labels.items()}
    return short_labels(own if all(map(_is_name, own.values())) else labels, limit)


def _is_name(part: str) -> bool:
    seen = look(part)
    return len(seen) >= MIN_NAME and not seen.replace(".", "").isdigit()


def _name(run: RunSummary) -> str:
    name = isolated(" ".join(run.name.split())).strip()
    return name if look(name) else NO_NAME


def _tell_apart(group: list[RunSummary], facts: Mapping[str, Mapping[str, str]]) -> dict[str, tuple[str, int]]:
    """For each run a label, and how many characters of its id that needs besides (0 for none)."""
    stems = {}
    for alike, fact in _split(group, _fact_tellers(group, facts)):
        if len(alike) == 1:
            stems[alike[0].run_id] = (_joined(_name(alike[0]), fact), 0)
            continue
        for same, date in _split(alike, _DATES):
            told = len(same) == 1 and date
            length = 0 if told else _id_length([run.run_id for run in same])
            stems |= {run.run_id: (_joined(_name(run), fact, date), length) for run in same}
    return stems


def _split(group: list[RunSummary], tellers: Iterable[_Teller]) -> list[tuple[list[RunSummary], str]]:
    """Part the group by the first of the tellers that make the most parts, each with what it tells."""
    best: list[tuple[list[RunSummary], str]] = [(group, "")]
    for teller in tellers:
        parts: dict[str, list[RunSummary]] = defaultdict(list)
        for run in group:
            parts[look(teller(run))].append(run)
        if len(parts) > len(best):
            best = [(part, teller(part[0])) for part in parts.values()]
        if len(best) == len(group):
            break
    return best


def _fact_tellers(group: list[RunSummary], facts: Mapping[str, Mapping[str, str]]) -> Iterator[_Teller]:
    places: dict[str, int] = {}
    for run in group:
        for place, title in enumerate(facts.get(run.run_id, {})):
            places[title] = max(place, places.get(title, 0))
    shown = {
        run.run_id: {title: _fact(title, facts.get(run.run_id, {}).get(title)) for title in places} for run in group
    }
    # Titles in the order of importance, whichever run lacks some of them.
    titles = sorted(places, key=lambda title: (places[title], title))
    differing = [title for title in titles if len({look(row[title]) for row in shown.values()}) > 1]
    singles = [(title,) for title in differing]

    def telling(chosen: tuple[str, ...]) -> _Teller:
        return lambda run: _joined(*(shown[run.run_id][title] for title in chosen))

    return map(telling, itertools.chain(singles, itertools.combinations(differing[:MAX_FACTS], 2)))


def _fact(title: str, value: str | None) -> str:
    text = isolated(" ".join(value.split())) if value is not None else NOT_RECORDED
    return f"{title} {shorten(text, FACT_CHARACTERS)}"


def _dated(time: str, run: RunSummary) -> str:
    moment = as_moment(run.created_at or run.started_at)
    return day(moment) + moment.strftime(time) if moment else ""


_DATES: Sequence[_Teller] = [partial(_dated, time) for time in ("", " %H:%M", " %H:%M:%S")]
"""The day, then with the minute, then with the second."""


def _id_length(run_ids: list[str]) -> int:
    longest = max(ID_CHARACTERS, *(len(run_id) for run_id in run_ids))
    return next(
        (
            length
            for length in range(ID_CHARACTERS, longest)
            if len({look(run_id[:length]) for run_id in run_ids}) == len(run_ids)
        ),
        longest,
    )


def _candidates(stem: str, id_length: int, run_id: str) -> Iterator[str]:
    """The labels a run may get, best first, without end: names may hold whatever we would append."""
    if not id_length:
        yield stem
    first = min(id_length or ID_CHARACTERS, len(run_id))
    for length in range(first, len(run_id) + 1):
        yield _joined(stem, isolated(" ".join(run_id[:length].split())))
    for number in itertools.count(2):
        yield f"{_joined(stem, isolated(' '.join(run_id.split())))} ({number})"


def _joined(*parts: str) -> str:
    return SEPARATOR.join(part for part in parts if part)


def _loners(labels: Mapping[str, str], taken: set[str]) -> dict[str, str]:
    """Those of the labels that look like no other, nor like what is taken."""
    looks = Counter(look(label) for label in labels.values())
    return {key: label for key, label in labels.items() if looks[look(label)] == 1 and look(label) not in taken}


def _clashing(labels: list[str], limit: int, taken: set[str]) -> list[str]:
    """Short forms of labels that begin alike, in the order given."""
    for tails in _tails(labels, limit):
        forms = [shorten_middle(label, limit, tail) for label, tail in zip(labels, tails, strict=True)]
        looks = {look(form) for form in forms}
        if len(looks) == len(labels) and looks.isdisjoint(taken):
            return forms
    numbers = itertools.count(1)
    return [
        next(form for number in numbers if look(form := _numbered(label, limit, number)) not in taken)
        for label in labels
    ]


def _tails(labels: list[str], limit: int) -> Iterator[list[int]]:
    """How much of each label's end to keep: its last one or two parts where they fit, else ever more."""
    for parts in (1, 2):
        ends = [len(SEPARATOR.join(label.split(SEPARATOR)[-parts:])) for label in labels]
        if max(ends) <= limit - MIN_HEAD:
            yield ends
    for tail in range(limit // 2, limit - 1):
        yield [tail] * len(labels)


def _numbered(label: str, limit: int, number: int) -> str:
    suffix = f" {number}"
    return shorten(label, limit - len(suffix)) + suffix
