"""What fails on the way to a project: each failure has its own sentence and a bound, and nothing is cut."""

from __future__ import annotations

import contextlib
import inspect
import re
import socket
import threading

import httpx
import pandas as pd
import pytest
import supabase_auth.errors

from lib.core.facts.errors import (
    AccessDenied,
    AppError,
    RunSourceError,
    SettingsError,
    SignInExpired,
    SourceUnavailable,
)
from lib.core.facts.query import RunQuery
from lib.data.source import IncompleteRead
from lib.data.supabase import client as supabase_client
from lib.data.supabase.auth import send_code, sign_in
from lib.data.supabase.client import ATTEMPTS, Answer, Damaged, Project
from lib.data.supabase.errors import refusal_of_exception
from lib.data.supabase.pages import rows_of_page
from lib.data.supabase.settings import SupabaseSettings
from lib.data.supabase.source import SupabaseSource
from tests.curves import checked
from tests.supabase.project import ANON_KEY, legacy_key
from tests.supabase.readers import project_for, reader_for
from tests.supabase.seed import JOBS, METRICS

TABLE = f"/rest/v1/{JOBS}"
PATIENCE_S = 30.0
"""Where something is answered: it is waited for no longer than that takes, however busy the machine is."""
SILENCE_S = 5.0
"""Where nothing is answered: all of it is waited for."""


@pytest.fixture
def source(plain, request):
    with project_for(plain, timeout_s=getattr(request, "param", PATIENCE_S)) as connections:
        source = SupabaseSource(connections, reader_for(connections, plain, "ann"))
        plain.log.clear()
        yield source


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(supabase_client, "FIRST_PAUSE_S", 0.01)


def failure(ask) -> AppError:
    """What a read raises."""
    with pytest.raises(AppError) as raised:
        ask()
    said = f"{raised.value} {raised.value.hint} {raised.value!r}"
    assert raised.value.hint
    assert "<" not in str(raised.value)
    assert "eyJ" not in said
    assert "password" not in said
    return raised.value


def points(source, job):
    """All points of a run as a table."""
    return checked(source.load_curves([job]))


PAUSED = {"status": 540, "body": {"message": "project paused"}}
ONCE = [
    (
        {"status": 403, "body": {"code": "42501", "message": "permission denied"}},
        AccessDenied,
        "does not let this reader",
    ),
    ({"status": 403}, SourceUnavailable, "got HTTP 403: this is not the answer"),
    ({"status": 401, "body": {"message": "Invalid API key"}}, SettingsError, "Expected the API key"),
    ({"status": 404, "body": {"message": "no Route matched with those values"}}, SourceUnavailable, "got HTTP 404"),
    (
        {"status": 302, "headers": {"Location": "https://example.com/x"}},
        SourceUnavailable,
        "another address (HTTP 302)",
    ),
    ({"status": 200}, SourceUnavailable, "got text/html: this is not the answer of a Supabase project"),
    (PAUSED, SourceUnavailable, "project is paused"),
    ({"status": 500, "body": {"code": "57014", "message": "canceling"}}, SourceUnavailable, "took too long"),
    ({"status": 429, "headers": {"Retry-After": "60"}}, SourceUnavailable, "too many requests"),
    ({"status": 400, "body": {"code": "22P02", "message": "invalid input"}}, RunSourceError, "code 22P02"),
    ({"status": 400, "body": ["odd"]}, RunSourceError, "HTTP 400"),
    (
        {"status": 401, "body": {"code": "PGRST302", "message": "Anonymous access is disabled"}},
        SignInExpired,
        "expired",
    ),
    ({"status": 404, "body": {"code": "PGRST205", "message": "Could not find the table"}}, SettingsError, "a table"),
    ({"status": 404, "body": {"code": "42P01", "message": "relation"}}, SettingsError, "Expected a table"),
]
REPEATED = [
    *[({"status": status}, f"failed \\(HTTP {status}\\)") for status in (500, 502, 503, 504, 520)],
    ({"status": 500, "body": {"error": "boom"}}, "failed"),
    ({"status": 500, "body": '["cut', "content_type": "application/json"}, "failed"),
    ({"status": 503, "body": {"code": "PGRST000", "message": "connection error"}}, "cannot reach its database"),
    ({"status": 429, "body": {"message": "API rate limit exceeded"}}, "too many requests"),
    ({"cut": "body"}, "is not complete"),
    ({"cut": "connection"}, "broke off"),
    ({"status": 200, "body": "", "content_type": "application/json"}, None),
    ({"status": 200, "body": {"a": 1}}, "is not complete"),
    (
        {"headers": {"content-encoding": "gzip"}, "status": 200, "body": "[]", "content_type": "application/json"},
        "broke off",
    ),
]


@pytest.mark.parametrize(("fault", "kind", "sentence"), ONCE)
def test_what_trying_again_does_not_mend_is_said_at_once(plain, source, fault, kind, sentence):
    plain.faults.add(TABLE, **fault)
    error = failure(lambda: source.list_runs(RunQuery()))
    assert isinstance(error, kind)
    assert sentence in str(error)
    assert len(plain.log.of(TABLE)) == (2 if kind is SignInExpired else 1)


@pytest.mark.parametrize(("fault", "sentence"), [case for case in REPEATED if case[1]])
def test_what_passes_is_tried_again_and_then_said(plain, source, fault, sentence):
    plain.faults.add(TABLE, **fault)
    error = failure(lambda: source.list_runs(RunQuery()))
    assert isinstance(error, SourceUnavailable)
    assert re.search(sentence, str(error))
    assert len(plain.log.of(TABLE)) == ATTEMPTS


@pytest.mark.parametrize("fault", [fault for fault, sentence in REPEATED if sentence])
def test_what_fails_once_is_read_all_the_same(plain, source, fault):
    plain.faults.add(TABLE, times=1, **fault)
    assert source.list_runs(RunQuery()).total == len(plain.jobs["ann"])
    plain.faults.add(f"/rest/v1/{METRICS}", times=1, **fault)
    job = plain.jobs["ann"][0]
    assert len(points(source, job)) == len(points(source, job)) > 0


def test_a_server_that_asks_to_wait_is_waited_for(plain, source, monkeypatch):
    pauses = []
    monkeypatch.setattr(supabase_client.time, "sleep", pauses.append)
    plain.faults.add(TABLE, times=1, status=429, headers={"Retry-After": "1"})
    assert source.list_runs(RunQuery()).total
    assert pauses == [1.0]


def test_a_wait_that_is_too_long_is_named(plain, source):
    plain.faults.add(TABLE, status=429, headers={"Retry-After": "60"})
    assert failure(lambda: source.list_runs(RunQuery())).hint == "Try again in 60 s."


@pytest.mark.parametrize("source", [SILENCE_S], indirect=True)
def test_a_connection_that_hangs_leaves_time_for_another(plain, source):
    plain.faults.add(TABLE, times=1, hang=True)
    assert source.list_runs(RunQuery()).total
    plain.log.clear()
    plain.faults.add(TABLE, hang=True)
    assert "none came in time" in str(failure(lambda: source.list_runs(RunQuery())))
    assert len(plain.log.of(TABLE)) <= 2, "the time is for all attempts together"


def test_an_answer_that_trickles_comes_to_an_end():
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def trickle():
            with contextlib.suppress(OSError):
                while not stop.is_set():
                    connection, _ = server.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.recv(65536)
                        connection.sendall(
                            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n"
                        )
                        while not stop.wait(0.05):
                            connection.sendall(b" ")

        thread = threading.Thread(target=trickle, daemon=True)
        thread.start()
        connections = Project(SupabaseSettings(f"http://127.0.0.1:{server.getsockname()[1]}", ANON_KEY, timeout_s=1.0))
        error = failure(lambda: SupabaseSource(connections).list_runs(RunQuery()))
        connections.close()
        stop.set()
        assert "none came in time" in str(error)


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}", "http://no-such-host.invalid"])
def test_a_host_that_is_not_there_cannot_be_reached(url):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = url.format(port=bound.getsockname()[1])
        connections = Project(SupabaseSettings(url, ANON_KEY, timeout_s=PATIENCE_S))
        for ask in (
            lambda: SupabaseSource(connections).list_runs(RunQuery()),
            lambda: sign_in(connections, "ann@example.com", "wrong"),
        ):
            error = failure(ask)
            assert isinstance(error, SourceUnavailable)
            assert "could not be reached" in str(error)
        connections.close()


def test_a_key_of_another_project_is_a_wrong_setting(plain):
    foreign = legacy_key("anon")[:-8] + "AAAAAAAA"
    with project_for(plain, key=foreign) as connections:
        assert isinstance(failure(lambda: SupabaseSource(connections).list_runs(RunQuery())), SettingsError)
        assert isinstance(failure(lambda: sign_in(connections, "ann@example.com", "x")), SettingsError)


def test_a_reader_without_the_privilege_is_told_so(fresh):
    project = fresh()
    project.execute(f"revoke select on {METRICS} from authenticated")
    with project_for(project) as connections:
        source = SupabaseSource(connections, reader_for(connections, project, "ann"))
        error = failure(lambda: source.load_curves(project.jobs["ann"]))
        assert isinstance(error, AccessDenied)
        assert METRICS in str(error)
        assert source.list_runs(RunQuery()).total, "the other table is still read"


# --- nothing is cut silently -------------------------------------------------------------------------


@pytest.fixture
def long_run(fresh):
    project = fresh(seeded=False, max_rows=500)
    job = "00000000-0000-4000-8000-000000000001"
    project.execute(
        f"insert into {JOBS} (id, user_id, status) values ('{job}', '{project.users['ann'].id}', 'running');"
        f"insert into {METRICS} (job_id, step, train_loss) select '{job}', i, i from generate_series(1, 5000) i"
    )
    with project_for(project, timeout_s=PATIENCE_S) as connections:
        yield project, job, SupabaseSource(connections, reader_for(connections, project, "ann"))


@pytest.mark.parametrize("after", [1, 2, 6])
def test_a_page_that_cannot_be_read_makes_the_read_incomplete(long_run, after):
    project, job, source = long_run
    project.log.clear()
    # The first request is for a row that tells the columns.
    project.faults.add(f"/rest/v1/{METRICS}", after=after + 1, status=502)
    error = failure(lambda: source.load_curves([job]))
    assert isinstance(error, IncompleteRead)
    frame = checked(error.curves)
    assert error.run_ids == (job,)
    assert error.rows_expected == 5000
    assert error.rows_read == len(frame) > 0
    assert frame["value"].tolist() == frame["step"].tolist()
    facts = error.curves[job].rows
    assert (facts.received, facts.expected) == (error.rows_read, 5000)
    assert f"Expected 5,000 metric rows of 1 run, read {error.rows_read:,}." in str(error)
    project.faults.clear()
    assert len(points(source, job)) == 5000


PAGE = (
    b'step,timestamp,train_loss,again\n1,"2026-01-01 00:00:01+00",0.25,1\n12,,NaN,12\n123,"2026-01-01 00:00:03+00",,123'
)


def test_a_page_that_is_cut_anywhere_is_noticed():
    columns = ["step", "timestamp", "train_loss"]
    whole = rows_of_page(Answer(PAGE, 3, 3), columns)
    for length in range(len(PAGE)):
        with pytest.raises(Damaged):
            rows_of_page(Answer(PAGE[:length], 3, 3), columns)
        # Where the server does not say how many rows it sent, no row is taken for another at least.
        try:
            rows = rows_of_page(Answer(PAGE[:length], None, None), columns)
        except Damaged:
            continue
        assert rows.num_rows < 3
        assert repr(rows.to_pylist()) == repr(whole.to_pylist()[: rows.num_rows])


def test_pages_that_fail_now_and_then_are_all_read(long_run):
    project, job, source = long_run
    for after in (0, 2, 5, 6, 9):
        project.faults.add(f"/rest/v1/{METRICS}", after=after, times=1, cut="body")
    frame = points(source, job)
    assert frame["value"].tolist() == frame["step"].tolist() == list(range(1, 5001))


def test_a_run_of_which_nothing_can_be_read_is_no_incomplete_read(long_run):
    project, job, source = long_run
    project.faults.add(f"/rest/v1/{METRICS}", status=502)
    error = failure(lambda: source.load_curves([job]))
    assert type(error) is SourceUnavailable


def test_a_run_that_fails_does_not_take_the_others_with_it(plain, source):
    first, second = plain.jobs["ann"][:2]
    alone = points(source, second)
    plain.faults.add(f"/rest/v1/{METRICS}", status=500, body={"code": "57014", "message": "canceling"}, times=1)
    with pytest.raises(IncompleteRead) as raised:
        source.load_curves([first, second])
    (failed,) = raised.value.run_ids
    if failed == first:
        pd.testing.assert_frame_equal(checked(raised.value.curves), alone)
    assert raised.value.curves.keys() == {first, second} - {failed}
    assert raised.value.rows_read == 0


# --- every foreign exception is mapped ---------------------------------------------------------------


def foreign(module, base):
    kinds = [kind for _, kind in inspect.getmembers(module, inspect.isclass) if issubclass(kind, base)]
    assert len(kinds) > 5
    return kinds


def made(kind):
    """An exception of this kind, whatever it wants to be told."""
    wanted = [
        name
        for name, parameter in inspect.signature(kind.__init__).parameters.items()
        if parameter.default is parameter.empty and name not in ("self", "args", "kwargs")
    ]
    request = httpx.Request("GET", "http://x")
    facts = {
        "message": "eyJsecret password",
        "request": request,
        "response": httpx.Response(500, request=request),
        "status": 418,
        "code": None,
        "reasons": [],
        "name": "x",
        "original_error": ValueError(),
    }
    return kind(**{name: facts[name] for name in wanted})


class Failing(httpx.BaseTransport):
    def __init__(self, error):
        self.error = error

    def handle_request(self, request):
        raise self.error


@pytest.mark.parametrize("kind", [*foreign(httpx, httpx.HTTPError), httpx.InvalidURL])
def test_no_exception_of_the_http_client_escapes(kind):
    connections = Project(SupabaseSettings("http://project.invalid", ANON_KEY, timeout_s=0.5))
    connections.pool.close()
    connections.pool = httpx.Client(transport=Failing(made(kind)))
    source = SupabaseSource(connections)
    job = "00000000-0000-4000-8000-000000000001"
    for ask in (
        lambda: source.list_runs(RunQuery()),
        lambda: source.load_curves([job], ["eval_loss"]),
        lambda: sign_in(connections, "a@example.com", "b"),
        lambda: send_code(connections, "a@example.com"),
    ):
        failure(ask)
    assert isinstance(refusal_of_exception(made(kind), host="x").error, AppError)
    connections.close()


@pytest.mark.parametrize("kind", foreign(supabase_auth.errors, supabase_auth.errors.AuthError))
def test_no_exception_of_the_sign_in_library_escapes(kind):
    class Raising(httpx.BaseTransport):
        def handle_request(self, request):
            raise made(kind)

    connections = Project(SupabaseSettings("http://project.invalid", ANON_KEY, timeout_s=0.5))
    connections.pool.close()
    connections.pool = httpx.Client(transport=Raising())
    failure(lambda: sign_in(connections, "a@example.com", "b"))
    connections.close()


@pytest.mark.parametrize(
    ("fault", "kind", "sentence"),
    [
        ({"status": 200}, SourceUnavailable, "not the answer of a Supabase project"),
        ({"status": 200, "body": {}}, SourceUnavailable, "not the answer of a Supabase project"),
        ({"status": 302, "headers": {"Location": "/x"}}, SourceUnavailable, "another address (HTTP 302)"),
        ({"status": 404}, SourceUnavailable, "got HTTP 404"),
        ({"status": 500}, SourceUnavailable, "failed (HTTP 500)"),
        ({"status": 502}, SourceUnavailable, "failed (HTTP 502)"),
        ({"status": 503, "body": {"message": "down"}}, SourceUnavailable, "failed (HTTP 503)"),
        ({"status": 429}, SourceUnavailable, "too many requests"),
        ({"status": 429, "body": {"code": "over_request_rate_limit", "message": "x"}}, SourceUnavailable, "too many"),
        ({"status": 418, "body": {"message": "x"}}, SourceUnavailable, "got HTTP 418"),
        ({"hang": True}, SourceUnavailable, "none came in time"),
        ({"cut": "connection"}, SourceUnavailable, "broke off"),
        ({"cut": "body"}, SourceUnavailable, "not the answer"),
    ],
)
def test_a_sign_in_that_fails_says_why(plain, fault, kind, sentence):
    with project_for(plain, timeout_s=1.0 if "hang" in fault else PATIENCE_S) as connections:
        plain.faults.add("/auth/v1/", **fault)
        error = failure(lambda: reader_for(connections, plain, "ann"))
        assert isinstance(error, kind)
        assert sentence in str(error)
