"""The training method of two runs, by what was stated and by what was logged."""

from __future__ import annotations

from lib.core.aspects.facts import Agreement, Compared, RunFacts, agreement_of, shown_setting
from lib.core.config.training_method import UNNAMED, UPDATE_WORDS, Method, logs_training


def method(first: RunFacts, second: RunFacts) -> Compared:
    """What the loss, and the scores beside it, are of."""
    one, other = _methods(first, second), _methods(second, first)
    shown = _shown_methods(first, one), _shown_methods(second, other)
    if one and other:
        if set(one).isdisjoint(other):
            return Compared(Agreement.DIFFERENT, shown)
        return Compared(agreement_of(True if len(one) == len(other) == 1 else None), shown)
    words = [shown_setting(facts.first("method")) for facts in (first, second)]
    if not one and not other and words[0] and words[1] and words[0].casefold() == words[1].casefold():
        # One word that is not in the catalogue; but how weights are updated says nothing about the loss.
        return Compared(agreement_of(None if words[0].casefold() in UPDATE_WORDS else True), shown)
    return Compared(Agreement.CANNOT_TELL, shown)


def _methods(facts: RunFacts, other: RunFacts) -> tuple[Method, ...]:
    """What a run's method may be, beside another run.

    A source that shows how the trainer of the other named its metrics would show it of this one too: what a whole log
    does not name was not run. By itself the lack of names says nothing, as sources leave them out.
    """
    if not facts.methods and other.logged.is_certain and logs_training(facts.curves.curves):
        return tuple(method for method in UNNAMED if method not in other.logged.methods)
    return facts.methods


def _shown_methods(facts: RunFacts, methods: tuple[Method, ...]) -> str | None:
    if not methods:
        return shown_setting(facts.first("method"))
    if not facts.methods:
        return "no such metrics"
    named = " or ".join(methods)
    if facts.stated and set(facts.stated).isdisjoint(methods):
        return f"{named} by its metrics, {' or '.join(facts.stated)} by its configuration"
    return named if facts.stated else f"{named} by its metrics"
