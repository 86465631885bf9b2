"""What a page says when it has nothing, or not everything, to show."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.core.facts.query import RunQuery
from lib.core.facts.selection import MAX_SELECTED
from lib.data.source import RunSource
from lib.ui.frame import messages
from lib.ui.frame.escape import md
from lib.ui.session import deployment, link, reads, url
from lib.ui.session.comparison import ComparedRun


def nothing_selected(source: RunSource) -> None:
    """Say what to do, and offer the quickest start."""
    newest = reads.list_runs(source, RunQuery(limit=MAX_SELECTED)).runs
    with st.container(border=True):
        st.markdown(
            "#### Which of your runs should ship?\n"
            f"Tick up to {MAX_SELECTED} runs in the sidebar. You get their loss and health curves side by side,"
            " a summary table, a recommendation with its reasons, and what differs between their"
            " hyperparameters. The address bar always holds a link to what you see."
        )
        if newest:
            count = {1: "the newest run", 5: "the five newest runs"}.get(len(newest), f"the {len(newest)} newest runs")
            st.button(
                f"Compare {count}",
                key="compare_newest",
                type="primary",
                icon=":material/bolt:",
                on_click=url.put,
                args=(link.RUNS, tuple(run.run_id for run in newest)),
            )
        else:
            no_runs("There are no runs to compare yet.")


def no_runs(sentence: str) -> None:
    """Say so with this sentence; of a project, which hides runs from some readers, that this may be why."""
    if deployment.settings().supabase is None:
        st.info(sentence, icon=":material/inbox:")
        return
    st.info(
        "There are no runs that you may see. Runs of others are hidden by the project's rules;"
        " your own are listed here as soon as there is one.",
        icon=":material/visibility_off:",
    )


def failed_runs(runs: Sequence[ComparedRun]) -> None:
    """Name the runs whose metrics could not be read; the others are compared all the same."""
    for each in runs:
        if each.error:
            what = "could not be read; it is compared by its summary" if each.data is None else "are incomplete"
            st.markdown(f"The metrics of **{md(each.label)}** {what}.")
            messages.error_panel(each.error, retry=each.run.run_id)
        elif each.data is not None and not each.data.curves.curves:
            st.info(f"{md(each.label)} has logged no metrics.", icon=":material/inbox:")
