"""The app with one address more, which lets go what is kept for nobody, and counts what of sessions is in memory."""

from __future__ import annotations

import gc
from collections import Counter

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from streamlit import runtime
from streamlit.runtime.app_session import AppSession

from lib.gate.middleware import MIDDLEWARE
from lib.ui.charts.on_axis import RunOnAxis
from lib.ui.service import gone, starting
from lib.ui.session.comparison import Comparison
from tests.browser.harness import PROJECT_ROOT


async def counted(request: Request) -> JSONResponse:
    """So many sessions, and what each of them has drawn; ``seconds`` says how long a session is kept from now on."""
    kept = gone.stored_of(runtime.get_instance())
    kept._ttl = float(request.query_params.get("seconds", kept._ttl))
    if gone.let_go():
        gone.give_back()
    # What is frozen is listed by nobody.
    gc.unfreeze()
    found = Counter(
        type(each).__name__ for each in gc.get_objects() if isinstance(each, AppSession | Comparison | RunOnAxis)
    )
    gc.freeze()
    return JSONResponse({"stored": len(kept._data), **found})


app = st.App(
    str(PROJECT_ROOT / "streamlit_app.py"),
    lifespan=starting.lifespan,
    routes=[Route("/counted", counted)],
    middleware=MIDDLEWARE,
)
