"""The place in the sidebar where runs are uploaded: what may come, what came, and taking it away again."""

from __future__ import annotations

from html import escape

import streamlit as st

from lib.core.answers.health import NUMBERS
from lib.core.facts.errors import AppError
from lib.core.facts.limits import shown
from lib.core.facts.selection import MAX_SELECTED, UPLOADED
from lib.core.text.formatting import shorten_middle
from lib.core.text.phrases import counted
from lib.data.upload.limits import FILE_MB, MB, SAID
from lib.data.upload.upload import Item
from lib.ui.frame import error_ids
from lib.ui.frame.escape import md
from lib.ui.session import link, url
from lib.ui.uploads import uploads

MOST_REFUSED = 5
"""Of what was not taken, so much is named."""
TITLE_LIMIT = 28
"""Letters of a file's name beside its button."""

_MAY_COME = (
    "<details><summary>What can be uploaded</summary><p>Log files, with the files beside them if they have one name"
    " each, or a zip, tar, tar.gz, tar.bz2 or tar.xz of folders of runs.</p>"
    "<p>Links, and archives inside archives, are left out. Leave out weights. At most:</p><ul>"
    + "".join(f"<li>{escape(limit.title)}: {shown(limit)}</li>" for limit in SAID)
    + "</ul><p>Uploads stay in this browser session. They are removed when it ends,"
    " and a reload ends it.</p></details>"
)


def upload_panel() -> None:
    """Draw it."""
    with st.container(key="upload"):
        st.file_uploader(
            "Upload runs",
            accept_multiple_files=True,
            max_upload_size=int(FILE_MB),
            key=uploads.key(),
            help=None,
        )
        st.html(f'<div class="upload-said" aria-live="polite">{_came()}{_MAY_COME}</div>')
        came = uploads.came()
        if came is not None and came.run_ids:
            _choice(came.run_ids)
        for item in uploads.items():
            with st.container(key=f"upload_item_{item.number}", horizontal=True, wrap=False, gap="small"):
                left = "".join(f"<p>{escape(said)}</p>" for said in item.left)
                st.html(
                    f'<div class="upload-item"><b>{escape(shorten_middle(item.title, TITLE_LIMIT, 12))}</b>'
                    f" <span>{_size(item)}</span>{left}</div>"
                )
                st.button(
                    "Remove",
                    key=f"upload_remove_{item.number}",
                    type="tertiary",
                    help=f"Remove {md(item.title)} and its runs from this session",
                    on_click=uploads.remove,
                    args=(item.number,),
                )


def _size(item: Item) -> str:
    """How large it is; where the title counts the files, not how many these are once more."""
    size = f"{max(item.size / MB, 0.1):.1f} MB"
    files = counted(item.files, "file")
    return size if item.title == files else f"{files}, {size}"


def _refusal(error: AppError) -> str:
    """Why something was not taken; what the server's disk has refused is the operator's to find in the log."""
    error_id = error_ids.said(error) if isinstance(error.__cause__, OSError) else ""
    return " ".join(filter(None, (str(error), error.hint, error_id)))


def _came() -> str:
    came = uploads.came()
    if came is None:
        return ""
    said = [f'<p class="refused">{escape(_refusal(error))}</p>' for error in came.refused[:MOST_REFUSED]]
    if (more := len(came.refused) - MOST_REFUSED) > 0:
        said.append(f'<p class="refused">{more:,} more were not taken.</p>')
    count = len(came.run_ids)
    if count > MAX_SELECTED:
        said.append(f"<p>{count:,} runs were found; tick up to {NUMBERS[MAX_SELECTED]}.</p>")
    elif count:
        said.append(f"<p>{counted(count, 'run')} found.</p>")
    elif not came.same and (came.nothing or not came.refused):
        said.append("<p>No run was found in what came.</p>")
    said += [
        f"<p><b>{escape(name)}</b> is the same training as <b>{escape(other)}</b>, and is not compared with it.</p>"
        for name, other in came.same[:MOST_REFUSED]
    ]
    for path, why in came.nothing:
        said.append(
            f"<p>{'Not used: ' if count else ''}{'' if path == '.' else f'<b>{escape(path)}</b> '}{escape(why)}</p>"
        )
    return "".join(said)


def _choice(run_ids: tuple[str, ...]) -> None:
    """Where there was no room for the runs that came, what to do with them."""
    if set(run_ids) & set(url.value(link.RUNS)):
        return
    if len(run_ids) <= MAX_SELECTED:
        what = "Compare it" if len(run_ids) == 1 else f"Compare these {len(run_ids)}"
        st.button(what, key="upload_compare", on_click=uploads.compare, args=(run_ids,))
    elif url.value(link.SEARCH) != UPLOADED:
        st.button("List the uploaded runs", key="upload_list", on_click=uploads.list_them)
