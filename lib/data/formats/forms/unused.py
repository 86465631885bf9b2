"""Why a form that is in no run shows nothing by itself."""

from __future__ import annotations

from lib.core.facts.foreign import isolated
from lib.data.formats.forms.form import Form


def why_unused(form: Form, inside: int = 0) -> str:
    """Why a form that is in none of ``same_runs`` is no run, in a sentence; ``inside`` of it are so many that are."""
    called = f' "{isolated(form.name)}"' if form.name else ""
    if inside:
        runs = "1 run" if inside == 1 else f"{inside:,} runs"
        return f"A run{called} without a curve: what it states of settings is read with the {runs} inside it."
    return f"It states settings of a run{called}, but no curve and no evaluation, and no other log here is of that run."
