"""The app's side of a stand-in project: its connections, and somebody who has signed in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from lib.data.supabase.auth import SignedIn, sign_in
from lib.data.supabase.client import Project as Connections
from lib.data.supabase.settings import SupabaseSettings
from tests.supabase.project import Project


@contextlib.contextmanager
def project_for(stand_in: Project, **settings: object) -> Iterator[Connections]:
    """The app's connections to a stand-in project, with further settings."""
    connections = Connections(SupabaseSettings(**{"url": stand_in.url, "key": stand_in.anon_key} | settings))
    try:
        yield connections
    finally:
        connections.close()


def reader_for(connections: Connections, stand_in: Project, name: str) -> SignedIn:
    """Sign ``ann`` or ``bob`` in."""
    user = stand_in.users[name]
    return sign_in(connections, user.email, user.password)
