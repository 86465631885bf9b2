"""Whatever comes in the place of an answer: it is said, what was loaded stays, and it comes back by itself."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lib.core.facts.errors import AppError
from lib.core.facts.query import RunQuery
from lib.data import connections as shared
from lib.data.supabase import client as supabase_client
from lib.data.supabase.auth import SignedIn, sign_in
from lib.data.supabase.client import Project as Connections
from lib.data.supabase.settings import SupabaseSettings
from lib.data.supabase.source import SupabaseSource
from lib.ui.session import reads
from tests.supabase.front import Front
from tests.supabase.kinds import HUGE, KINDS, Kind
from tests.supabase.seed import JOBS, METRICS

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
PLACES = {"jobs": f"/rest/v1/{JOBS}", "metrics": f"/rest/v1/{METRICS}", "function": "/rest/v1/rpc/"}
SIGN_IN = "/auth/v1/"
RANGE = "a wrong content range"
PATIENCE_S, SILENCE_S = 30.0, 1.0
SECRETS = re.compile(r"eyJ|password|Traceback|HTTPStatusError|httpx|<html", re.IGNORECASE)


@pytest.fixture
def front(migrated) -> Iterator[Front]:
    made = Front(migrated.url)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def unknown(tmp_path_factory) -> ssl.SSLContext:
    """A certificate that is its own authority."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    named = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(named, critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "own.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.fixture
def connections(front, migrated) -> Iterator[Connections]:
    made = Connections(SupabaseSettings(front.url, migrated.anon_key, timeout_s=PATIENCE_S))
    yield made
    made.close()


@pytest.fixture
def reader(connections, migrated) -> SignedIn:
    user = migrated.users["ann"]
    return sign_in(connections, user.email, user.password)


@pytest.fixture
def source(connections, reader) -> SupabaseSource:
    return SupabaseSource(connections, reader)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(supabase_client, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(shared, "MOST_BODY", HUGE // 2)


def breaks(front: Front, connections: Connections, kind: Kind, prefix: str, unknown: ssl.SSLContext) -> None:
    settings = connections.settings
    if kind.is_silent:
        settings = replace(settings, timeout_s=SILENCE_S)
    if kind.is_secure:
        settings = replace(settings, url=settings.url.replace("http:", "https:"))
    if kind.host:
        settings = replace(settings, url=settings.url.replace("127.0.0.1", kind.host))
    connections.settings, connections.pool.timeout = settings, settings.timeout_s
    # A connection that is open stays open, whoever listens no more.
    connections.pool._transport._pool.close()
    if kind.is_signed_by_nobody:
        front.secure = unknown
        return
    front.breaks(prefix, kind.answer)


def mends(front: Front, connections: Connections) -> None:
    connections.settings = replace(connections.settings, url=front.url, timeout_s=PATIENCE_S)
    connections.pool.timeout = PATIENCE_S
    front.secure = None
    front.mends()


def worded(error: AppError) -> str:
    """What the user reads, with names of this test replaced."""
    said = f"{error} {error.hint}".strip()
    assert error.hint
    assert not SECRETS.search(said)
    said = re.sub(r"(127\.0\.0\.1|project\.invalid)(:\d+)?", "PROJECT", said)
    return re.sub(rf"{JOBS}|{METRICS}", "TABLE", said).replace("at most 1 MB", "at most 256 MB")


def rows_of_page() -> dict[str, tuple[str, str]]:
    """What the page for operators says: of each kind the sentence on reading, and that on signing in."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {name: (read, entered) for name, read, entered in cells[1:] if not name.startswith("--")}


def loaded(source: SupabaseSource, run_id: str, *, every_row: bool) -> tuple[list[str], int]:
    """What a page shows: the ids of the list, and how many points of one run."""
    (run,) = reads.load_runs(source, (run_id,))
    listed = [each.run_id for each in reads.list_runs(source, RunQuery()).runs]
    return listed, reads.load_data(source, run, every_row=every_row).curves.points


def outdated(source: SupabaseSource, place: str, run_id: str) -> AppError | None:
    found = (
        reads.outdated_list(source, RunQuery())
        if place == "jobs"
        else reads.outdated_curves(source, run_id, every_row=place == "metrics")
    )
    return None if found is None else found.error


def eventually(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def comes_back(source: SupabaseSource) -> None:
    """What the timer of an open page does."""
    readers = reads.readers_of(source)
    drawn_at = time.monotonic()

    def has_come() -> bool:
        reads.failures().due(lambda _: True)
        reads.failures().retry(readers, drawn_at)
        return not reads.failures().any_of(readers, drawn_at)

    eventually(has_come)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_was_loaded_stays_and_comes_back_by_itself(front, connections, source, migrated, unknown, kind, place):
    run_id = migrated.jobs["ann"][0]
    before = loaded(source, run_id, every_row=place == "metrics")
    assert before[0]
    assert before[1]
    reads.refresh(source, (run_id,), RunQuery())
    breaks(front, connections, kind, PLACES[place], unknown)
    if kind.name == "an API key that the project does not know":
        refused(source, run_id, place)
        return
    assert loaded(source, run_id, every_row=place == "metrics") == before
    error = outdated(source, place, run_id)
    if place == "function" and kind.name == RANGE:
        # Nobody counts what a function gives.
        assert error is None
        return
    assert error is not None
    assert worded(error) == rows_of_page()[kind.name][0]
    mends(front, connections)
    comes_back(source)
    assert outdated(source, place, run_id) is None
    assert loaded(source, run_id, every_row=place == "metrics") == before


def refused(source: SupabaseSource, run_id: str, place: str) -> None:
    """The deployment's key is withdrawn: nothing stays."""
    with pytest.raises(AppError) as raised:
        loaded(source, run_id, every_row=place == "metrics")
    assert worded(raised.value) == rows_of_page()["an API key that the project does not know"][0]
    assert raised.value.withdraws


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_sign_in_that_cannot_be_made_or_renewed_takes_nothing_away(
    front, connections, reader, source, migrated, unknown, kind
):
    run_id = migrated.jobs["ann"][0]
    before = loaded(source, run_id, every_row=False)
    breaks(front, connections, kind, SIGN_IN, unknown)
    user = migrated.users["ann"]
    if kind.name == RANGE:
        assert sign_in(connections, user.email, user.password).user_id == user.id
        return
    with pytest.raises(AppError) as raised:
        sign_in(connections, user.email, user.password)
    assert worded(raised.value) == rows_of_page()[kind.name][1]
    # The token that is held is over.
    reader._session = replace(reader._session, expires_at=time.time() - 1)
    reads.refresh(source, (run_id,), RunQuery())
    if raised.value.withdraws:
        with pytest.raises(AppError):
            loaded(source, run_id, every_row=False)
        return
    assert loaded(source, run_id, every_row=False) == before
    assert outdated(source, "jobs", run_id) is not None
    mends(front, connections)
    comes_back(source)
    assert loaded(source, run_id, every_row=False) == before
    assert outdated(source, "jobs", run_id) is None


def test_every_kind_has_its_row():
    assert list(rows_of_page()) == [kind.name for kind in KINDS]
