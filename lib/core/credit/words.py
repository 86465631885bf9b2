"""What is said of the settings that a difference can be credited with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib.core.config.diff import DiffRow
from lib.core.credit.credit import Credit, Credits, Effect, Standing
from lib.core.ranking.deciding import Deciding
from lib.core.text.phrases import counted, first_of, in_sentence, listed
from lib.core.text.precision import measured, rough
from lib.core.verdict.metric_words import metric_name

MOST_NAMED = 4
"""Settings that change together are named up to so many."""


@dataclass(frozen=True, slots=True)
class CreditLine:
    """What is said of one setting, or of some that change together.

    Attributes:
        what: The settings.
        standing: Whether their part can be told.
        sentence: What came of the change, or why that cannot be said.
        is_beyond: Its part is beyond the noise; ``None`` where that cannot be told.
    """

    what: str
    standing: Standing
    sentence: str
    is_beyond: bool | None = None


@dataclass(frozen=True, slots=True)
class CreditAnswer:
    """All that is said of them.

    Attributes:
        headline: What it comes to, a sentence.
        lines: Of each factor; those whose part can be told first.
        further: Which further run would tell more; "" where none would, or nothing is left to tell.
        aside: What differs besides and is not looked at; "" for nothing.
    """

    headline: str
    lines: tuple[CreditLine, ...]
    further: str
    aside: str


def credit_answer(
    credits: Credits, deciding: Deciding, labels: Mapping[str, str], order: Sequence[str]
) -> CreditAnswer | None:
    """Put it into words.

    Args:
        credits: What was found.
        deciding: The metric whose difference is looked at.
        labels: What the runs are called, by id.
        order: The ids of the runs in the order of the values in the rows.

    Returns:
        ``None`` where fewer than two runs compare.
    """
    if len(credits.run_ids) < 2:
        return None
    words = _Words(deciding, labels, order)
    if not credits.credits:
        return CreditAnswer(_nothing(credits), (), "", words.aside(credits))
    lines = sorted((words.line(each) for each in credits.credits), key=lambda line: not line.is_told)
    told = tuple(each.line for each in lines)
    return CreditAnswer(words.headline(credits), told, words.further(credits), words.aside(credits))


@dataclass(frozen=True, slots=True)
class _Line:
    line: CreditLine
    is_told: bool


class _Words:
    def __init__(self, deciding: Deciding, labels: Mapping[str, str], order: Sequence[str]) -> None:
        self._metric, self._labels = metric_name(deciding.metric), labels
        self._place = {run_id: at for at, run_id in enumerate(order)}
        self._higher = deciding.better == "higher"

    def headline(self, credits: Credits) -> str:
        told = [each for each in credits.credits if each.effects]
        beyond = [each for each in told if any(effect.is_beyond for effect in each.effects)]
        if beyond:
            return f"The difference in {self._metric} can be credited with {_names(_rows(beyond))}."
        if told:
            return f"Nothing can be credited: what {_names(_rows(told))} changed in {self._metric} may be noise."
        many = len(_rows(credits.credits))
        if many == 1:
            return "Nothing can be credited: a run does not state the one setting that differs."
        return f"Nothing can be credited: {counted(many, 'setting')} differ, and none of them by itself."

    def line(self, credit: Credit) -> _Line:
        what = _names(credit.rows, capital=True)
        effects = " ".join(self._effect(credit.rows[0], each) for each in credit.effects)
        sentence = {
            Standing.DIRECT: f"{effects} {self._turned(credit)}".strip(),
            Standing.ADDED: f"{effects} No two runs differ in it alone: this holds if effects add up.",
            Standing.TOGETHER: "They change together: what each of them did cannot be told.",
            Standing.ENTANGLED: f"It cannot be told apart from {_names(credit.others)}.",
            Standing.UNRECORDED: self._unrecorded(credit),
        }[credit.standing]
        beyond = [each.is_beyond for each in credit.effects]
        is_beyond = True if any(beyond) else None if None in beyond or not beyond else False
        return _Line(CreditLine(what, credit.standing, sentence, is_beyond), bool(credit.effects))

    def further(self, credits: Credits) -> str:
        found = credits.further
        if found is None:
            return ""
        base = self._labels[found.run_id]
        value = found.row.shown[self._place[found.like]]
        what = f"Train {base} once more with {in_sentence(found.row.short_title)} {value}, and nothing else changed"
        if not found.rows:
            return f"{what}: that tells more of them apart."
        # Some steps of them can be credited already.
        partly = {row.key for each in credits.credits if each.effects for row in each.rows}
        every = "every step of " if all(row.key in partly for row in found.rows) else ""
        return f"{what}: then {every}{_names(found.rows)} can be credited."

    def aside(self, credits: Credits) -> str:
        found = []
        if any(effect.error is not None for each in credits.credits for effect in each.effects):
            found.append("Differences are those of the curves without their noise, and not of single best evaluations.")
        if credits.aside:
            found.append(f"Left aside, as they change nothing in the training: {_names(credits.aside)}.")
        if credits.seeds and credits.credits and not credits.is_seed_noise_known:
            found.append("The seeds differ as well, and what a seed changes is not known from these runs.")
        return " ".join(found)

    def _effect(self, row: DiffRow, effect: Effect) -> str:
        before, after = (row.shown[self._place[each]] for each in (effect.one, effect.other))
        direction = "higher" if effect.value > 0 else "lower"
        size = measured(abs(effect.value), effect.error)
        if effect.within is None:
            noise = "how much of it is noise cannot be told"
        else:
            noise = f"{'beyond the noise' if effect.is_beyond else 'within the noise'} of {rough(effect.within)}"
        of = f"{self._labels[effect.one]} to {self._labels[effect.other]}"
        change = f"{self._metric} {size} {direction}" if effect.value else f"{self._metric} the same"
        return f"{before} → {after}: {change}, {noise} ({of})."

    def _turned(self, credit: Credit) -> str:
        """That a change was good beside one value of another setting and bad beside another."""
        place, shown = self._place, credit.rows[0].shown
        steps = {(shown[place[each.one]], shown[place[each.other]]) for each in credit.effects if each.is_beyond}
        turned = any((after, before) in steps for before, after in steps)
        return "Which value is better depends on the other settings." if turned else ""

    def _unrecorded(self, credit: Credit) -> str:
        if credit.unstated:
            runs = listed([self._labels[each] for each in credit.unstated])
            do = "does" if len(credit.unstated) == 1 else "do"
            return f"{runs} {do} not state {'them' if len(credit.rows) > 1 else 'it'}."
        return f"It cannot be told apart from {_names(credit.others)}, which not every run states."


def _nothing(credits: Credits) -> str:
    if credits.seeds:
        return "Nothing is to be credited: the ranked runs differ in the seed alone, as far as is recorded."
    return "Nothing can be credited: no recorded setting differs between the ranked runs."


def _rows(credits: Sequence[Credit]) -> tuple[DiffRow, ...]:
    return tuple(row for each in credits for row in each.rows)


def _names(rows: Sequence[DiffRow], *, capital: bool = False) -> str:
    names = [in_sentence(row.short_title) for row in rows]
    text = first_of(names, MOST_NAMED) if len(names) > MOST_NAMED else listed(names)
    return text[:1].upper() + text[1:] if capital else text
