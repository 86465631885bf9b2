"""Which forms are of one run."""

from __future__ import annotations

from collections.abc import Sequence

from lib.data.formats.forms.form import Form


def same_runs(forms: Sequence[Form]) -> list[list[int]]:
    """Part forms into runs.

    Args:
        forms: All that lie below one root, in any order.

    Returns:
        The positions of the forms of each run, the leading form first; runs in the order of their first form. A form
        that is in none of them shows nothing by itself: ``why_unused`` says why.
    """
    return [[at] for at in range(len(forms))]


def why_unused(form: Form) -> str:
    """Why a form that is in none of ``same_runs`` is no run, in a sentence."""
    return "It states settings of a run that is not logged here, and no result."
