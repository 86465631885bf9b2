"""What goes wrong between the app and a tracking server, as a small server on this machine plays it."""

from __future__ import annotations

import contextlib
import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from lib.core.facts.errors import AccessDenied, AppError, RunSourceError, SettingsError, SourceUnavailable
from lib.core.facts.query import RunQuery
from lib.core.facts.runs import RunStatus
from lib.data import connections
from lib.data.mlflow_server import client, histories, reading
from lib.data.mlflow_server.client import Server
from lib.data.mlflow_server.settings import MlflowSettings
from lib.data.mlflow_server.source import MlflowSource
from lib.data.source import IncompleteRead

SECRET = "planted-secret-of-the-deployment"
RUN = "0123456789abcdef0123456789abcdef"
LARGEST = 1.7976931348623157e308


class Tracking:
    """A server with one experiment and one run, and with faults by the end of a path.

    Attributes:
        faults: By the end of a path, answers that come instead, in their order: status, headers and body.
        asked: Path, parameters or body, and headers of the requests so far.
        histories: By metric, entries as the server tells them.
        info: What the run's ``info`` says besides.
    """

    def __init__(self) -> None:
        self.faults: dict[str, list[tuple[int, dict[str, str], bytes]]] = {}
        self.asked: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.histories: dict[str, list[Any]] = {
            "loss": [{"key": "loss", "value": 1 / step, "timestamp": 1_700_000_000_000 + step, "step": step}
                     for step in range(1, 8)]
        }  # fmt: skip
        self.info: dict[str, Any] = {}
        self.params: list[Any] = [{"key": "lr", "value": "0.1"}]

    def fault(self, path: str, status: int, body: Any = b"", times: int = 1, **headers: str) -> None:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers.setdefault("content_type", "text/html" if isinstance(body, bytes) else "application/json")
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults.setdefault(path, []).extend([(status, told, sent)] * times)

    def answer(self, path: str, said: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        for end, faults in self.faults.items():
            if path.endswith(end) and faults:
                return faults.pop(0)
        latest = [
            {**max(rows, key=lambda row: (row["step"], row["timestamp"])), "key": key}
            for key, rows in self.histories.items()
            if rows and all(isinstance(row, dict) and "step" in row for row in rows)
        ]
        info = {"run_id": RUN, "experiment_id": "0", "run_name": "one", "status": "RUNNING", **self.info}
        run = {"info": info, "data": {"metrics": latest, "params": self.params, "tags": []}}
        if path.endswith("experiments/search"):
            found: Any = {"experiments": [{"experiment_id": "0", "name": "Default", "lifecycle_stage": "active"}]}
        elif path.endswith("runs/search"):
            found = {"runs": [run]}
        elif path.endswith("runs/get"):
            found = {"run": run}
        else:
            rows, start = self.histories[said["metric_key"]], int(said.get("page_token", 0))
            end = start + int(said["max_results"])
            found = {"metrics": rows[start:end]} | ({"next_page_token": str(end)} if end < len(rows) else {})
        return 200, {"content-type": "application/json"}, json.dumps(found).encode()


@contextlib.contextmanager
def serving(tracking: Tracking) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            said = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
            self._reply(said)

        def do_POST(self) -> None:
            self._reply(json.loads(self.rfile.read(int(self.headers["content-length"]))))

        def _reply(self, said: dict[str, Any]) -> None:
            path = urlsplit(self.path).path
            tracking.asked.append((path, said, {name.lower(): value for name, value in self.headers.items()}))
            status, headers, body = tracking.answer(path, said)
            pause = float(headers.get("x-trickle", 0))
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                for start in range(0, len(body), 64) if pause else (0,):
                    self.wfile.write(body[start : start + 64] if pause else body)
                    self.wfile.flush()
                    time.sleep(pause)
            if int(headers.get("content-length", len(body))) != len(body):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def tracking(monkeypatch) -> Tracking:
    monkeypatch.setattr(client, "FIRST_PAUSE_S", 0.001)
    return Tracking()


@pytest.fixture
def opened(tracking) -> Iterator[Callable[..., MlflowSource]]:
    with serving(tracking) as url, contextlib.ExitStack() as stack:

        def make(**settings: Any) -> MlflowSource:
            server = Server(MlflowSettings(url, **{"timeout_s": 5.0, "token": SECRET} | settings))
            stack.callback(server.close)
            return MlflowSource(server)

        yield make


def refused(source: MlflowSource) -> AppError:
    with pytest.raises(AppError) as error:
        source.list_runs(RunQuery())
    said = f"{error.value} {error.value.hint}"
    assert SECRET not in said
    assert error.value.hint
    return error.value


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (401, b"You are not authenticated. " + SECRET.encode(), SettingsError, "refuses those in the settings"),
        (403, b"Invalid Host header - possible DNS rebinding attack detected", SettingsError, "by this name"),
        (403, b"Permission denied", AccessDenied, "does not let this user"),
        (404, b"<!doctype html><title>404 Not Found</title>", SourceUnavailable, "Expected the REST API of an MLflow"),
        (405, b"Method Not Allowed", SourceUnavailable, "Expected the REST API of an MLflow"),
        (400, {"error_code": "INVALID_PARAMETER_VALUE", "message": SECRET}, RunSourceError, "INVALID_PARAMETER_VALUE"),
        (200, b"<html>Sign in</html>", SourceUnavailable, "got a web page"),
        (200, [1], SourceUnavailable, "JSON of another kind"),
    ],
)
def test_what_the_server_refuses_is_said_at_once(opened, tracking, status, body, kind, said):
    tracking.fault("experiments/search", status, body)
    error = refused(opened())
    assert type(error) is kind
    assert said in str(error)
    assert len(tracking.asked) == 1, "to ask again helps nobody"


def test_without_credentials_the_server_asks_for_them(opened, tracking):
    tracking.fault("experiments/search", 401)
    assert "asks for them" in str(refused(opened(token=None)))


@pytest.mark.parametrize(
    "fault",
    [
        (429, b"slow down", {"retry_after": "0"}),
        (429, b"slow down", {}),
        (500, b"Internal Server Error", {}),
        (503, {"error_code": "TEMPORARILY_UNAVAILABLE"}, {}),
        (504, b"<html>Gateway</html>", {}),
        (200, b'{"experiments": [{"exper', {"content_type": "application/json"}),
        (200, b'{"experiments": [', {"content_type": "application/json", "content_length": "500"}),
    ],
)
def test_what_may_pass_is_asked_again(opened, tracking, fault):
    status, body, headers = fault
    tracking.fault("experiments/search", status, body, times=2, **headers)
    assert opened().list_runs(RunQuery()).total == 1
    tracking.asked.clear()
    tracking.fault("experiments/search", status, body, times=100, **headers)
    assert isinstance(refused(opened()), SourceUnavailable)
    assert len(tracking.asked) == client.ATTEMPTS


def test_nobody_waits_longer_than_the_settings_say(opened, tracking):
    tracking.fault("experiments/search", 429, b"", retry_after="3600")
    error = refused(opened())
    assert "too many requests" in str(error)
    assert "3600 s" in error.hint
    body = b'{"experiments": [' + b" " * 5000 + b"]}"
    tracking.fault("experiments/search", 200, body, times=9, content_type="application/json", x_trickle="0.05")
    assert "none came in time" in str(refused(opened(timeout_s=1.0)))


def test_a_host_that_is_not_there(tracking):
    with serving(tracking) as url:
        pass
    error = refused(MlflowSource(Server(MlflowSettings(url, token=SECRET, timeout_s=2.0))))
    assert "could not be reached" in str(error)


def test_credentials_do_not_follow_a_redirect(opened, tracking):
    other = Tracking()
    with serving(other) as elsewhere:
        place = f"{elsewhere}/login?token={SECRET}"
        tracking.fault("experiments/search", 302, b"", location=place)
        error = refused(opened())
    assert "sends on to 127.0.0.1, which is not followed" in str(error)
    assert other.asked == []


def test_credentials_and_workspace_are_sent_as_mlflow_wants_them(opened, tracking):
    opened(workspace="team").list_runs(RunQuery())
    assert tracking.asked[0][2]["authorization"] == f"Bearer {SECRET}"
    assert tracking.asked[0][2]["x-mlflow-workspace"] == "team"
    tracking.asked.clear()
    opened(token=None, user="ann", password="pass:word ü").list_runs(RunQuery())
    assert tracking.asked[0][2]["authorization"] == "Basic YW5uOnBhc3M6d29yZCDDvA=="
    assert all(SECRET not in path and "pass" not in path for path, _, _ in tracking.asked)


def test_an_answer_that_is_too_long_is_not_taken(opened, tracking, monkeypatch):
    monkeypatch.setattr(connections, "MOST_BODY", 1000)
    body = b'{"experiments": [' + b" " * 5000 + b"]}"
    tracking.fault("experiments/search", 200, body, content_type="application/json")
    assert "got a longer one" in str(refused(opened()))


@pytest.mark.parametrize(
    "answer",
    [
        {"experiments": "none"},
        {"experiments": [1, None, {"experiment_id": {}, "name": []}]},
        {"experiments": [{"experiment_id": "0", "name": None}], "next_page_token": 5},
        {},
    ],
)
def test_nothing_in_an_answer_is_a_traceback(opened, tracking, answer):
    tracking.fault("experiments/search", 200, answer, times=100)
    with contextlib.suppress(AppError):
        opened().list_runs(RunQuery())


@pytest.mark.parametrize(
    "run",
    [
        None,
        5,
        {},
        {"info": 5, "data": []},
        {"info": {"run_id": "\ud800"}},
        {"info": {"run_id": RUN, "experiment_id": "0", "start_time": "soon", "status": 7}, "data": {"metrics": {}}},
        {"info": {"run_id": RUN, "experiment_id": 0, "start_time": 1e300}, "data": {"params": [5, {"key": 5}]}},
        {"info": {"run_id": RUN, "experiment_id": "0"}, "data": {"metrics": [{"key": "a"}, {"key": "b", "value": []}]}},
        {
            "info": {"run_id": RUN, "experiment_id": "0", "run_name": "\ud800", "status": "ODD"},
            "data": {
                "metrics": [
                    {"key": "loss", "value": 1e999, "step": 1e40, "timestamp": -5},
                    {"key": "learning_rate", "value": 1e-4, "step": 2**60, "timestamp": 5},
                    {"key": "/", "value": 1, "step": -3, "timestamp": None},
                ]
            },
        },
        {
            "info": {"run_id": RUN, "experiment_id": "0", "end_time": -1},
            "data": {"metrics": [{"key": "loss", "value": "NaN", "step": "7", "timestamp": "1700000000000"}]},
        },
    ],
)
def test_whatever_a_run_consists_of_the_list_is_there(opened, tracking, run):
    tracking.fault("runs/search", 200, {"runs": [run]})
    tracking.fault("runs/get", 200, {"run": run})
    source = opened()
    page = source.list_runs(RunQuery())
    assert page.total <= 1
    for each in page.runs:
        each.name.encode()
        source.load_runs([each.run_id])


def test_pages_that_never_end_are_left(opened, tracking):
    tracking.fault("experiments/search", 200, {"experiments": [], "next_page_token": "again"}, times=50)
    opened().list_runs(RunQuery())
    assert len(tracking.asked) < 10
    tracking.faults.clear()
    tracking.fault("get-history", 200, {"metrics": [], "next_page_token": "again"}, times=50)
    with pytest.raises(IncompleteRead, match="again and again"):
        opened().load_curves([RUN])


def test_a_metric_that_could_not_be_read_leaves_the_others(opened, tracking):
    tracking.histories["accuracy"] = tracking.histories["loss"]
    source = opened()
    real = tracking.answer

    def answer(path: str, said: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        if said.get("metric_key") == "accuracy":
            return 500, {"content-type": "text/html"}, b""
        return real(path, said)

    tracking.answer = answer  # type: ignore[method-assign]
    with pytest.raises(IncompleteRead) as error:
        source.load_curves([RUN])
    assert error.value.run_ids == (RUN,)
    assert set(error.value.curves[RUN].curves) == {"train_loss"}
    assert error.value.rows_read == 7
    tracking.answer = real  # type: ignore[method-assign]
    tracking.asked.clear()
    assert set(source.load_curves([RUN])[RUN].curves) == {"train_loss", "accuracy"}
    read = [said["metric_key"] for path, said, _ in tracking.asked if path.endswith("get-history")]
    assert read == ["accuracy"], "what is there is not read again"


def test_values_that_are_spelled_otherwise(opened, tracking):
    values = [0.5, "NaN", "Infinity", "-Infinity", LARGEST, -LARGEST, "7", 0]
    tracking.histories["loss"] = [
        {"key": "loss", "value": value, "timestamp": str(1_700_000_000_000 + step), "step": str(step)}
        for step, value in enumerate(values, 1)
    ]
    tracking.histories["odd"] = [
        {"key": "odd", "value": 1.0, "timestamp": 1_700_000_000_001, "step": 1},
        5,
        None,
        {"value": None, "step": 2, "timestamp": 3},
        {"value": 2.0, "step": -4, "timestamp": 1_700_000_000_002},
        {"value": 2.0, "step": 2.5, "timestamp": 1_700_000_000_003},
        {"value": 3.0, "step": 4, "timestamp": 1_700_000_000_004},
    ]
    latest = {"key": "odd", "value": 3.0, "timestamp": 1_700_000_000_004, "step": 4}
    real = tracking.answer

    def answer(path: str, said: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = real(path, said)
        if path.endswith("runs/get"):
            found = json.loads(body)
            found["run"]["data"]["metrics"].append(latest)
            body = json.dumps(found).encode()
        return status, headers, body

    tracking.answer = answer  # type: ignore[method-assign]
    own = opened().load_curves([RUN])[RUN]
    expected = [0.5, math.nan, math.inf, -math.inf, math.inf, -math.inf, 7.0, 0.0]
    assert np.array_equal(own.get("train_loss").value, expected, equal_nan=True)
    assert own.get("odd").step.tolist() == [1, 4]


def test_more_values_than_are_read_are_said(opened, tracking, monkeypatch):
    monkeypatch.setattr(reading, "MOST_VALUES", 5)
    with pytest.raises(IncompleteRead, match="at most 5 values of a run"):
        opened().load_curves([RUN])


def test_a_run_without_an_end_is_running_and_its_last_sign_is_its_last_value(opened, tracking):
    tracking.info = {"start_time": 1_700_000_000_000}
    (run,) = opened().list_runs(RunQuery()).runs
    assert run.status is RunStatus.RUNNING
    assert run.updated_at is not None
    assert run.updated_at.timestamp() == pytest.approx(1_700_000_000.007)
    assert run.completed_at is None
    assert (run.loss, run.current_step) == (1 / 7, 7)


@pytest.mark.parametrize(("last", "early"), [(1000, False), (990, False), (500, True)])
def test_whether_a_run_ended_early_is_told_by_its_last_value(opened, tracking, last, early):
    tracking.info = {"start_time": 1_700_000_000_000, "end_time": 1_700_000_100_000, "status": "FINISHED"}
    tracking.params = [{"key": "max_steps", "value": "1000"}, {"key": "logging_steps", "value": "20"}]
    tracking.histories["loss"][-1]["step"] = last
    (run,) = opened().list_runs(RunQuery()).runs
    assert (run.ended_early, run.total_steps, run.current_step) == (early, 1000, last)


def test_what_one_value_cannot_say_is_left_open(opened, tracking):
    rows = tracking.histories["loss"]
    tracking.params = []
    tracking.histories["learning_rate"] = [{**row, "value": 1e-3 / row["step"]} for row in rows]
    tracking.histories["eval_loss"] = [{**row, "value": row["step"]} for row in rows]
    source = opened()
    (run,) = source.list_runs(RunQuery()).runs
    assert (run.best_eval_loss, run.best_step, run.max_learning_rate) == (None, None, None)
    assert (run.eval_loss, run.learning_rate) == (7.0, 1e-3 / 7)
    assert source.load_runs([RUN]) == (run,)
    assert source.load_curves([RUN])[RUN].get("eval_loss").value.min() == 1.0


def test_a_page_that_begins_otherwise_is_no_page_to_go_on_from(opened, tracking, monkeypatch):
    monkeypatch.setattr(reading, "GROWING_PAGE", 3)
    source = opened()
    assert len(source.load_curves([RUN])[RUN].get("train_loss")) == 7
    rows = tracking.histories["loss"]
    rows.insert(0, {"key": "loss", "value": 9.0, "timestamp": 1_600_000_000_000, "step": 0})
    rows.append({"key": "loss", "value": 8.0, "timestamp": 1_700_000_000_009, "step": 8})
    own = source.load_new_curves([RUN], {RUN: 0})[RUN]
    assert own.get("train_loss").step.tolist() == list(range(9))
    assert own.get("train_loss").value.tolist() == [9.0, *(1 / step for step in range(1, 8)), 8.0]


def test_of_many_runs_at_once_the_list_is_asked(opened, tracking):
    source = opened()
    many = [f"{number:032x}" for number in range(100)]
    assert [run.run_id for run in source.load_runs([*many, RUN])] == [RUN]
    assert not [path for path, _, _ in tracking.asked if path.endswith("runs/get")]


def test_where_a_page_takes_too_long_less_is_asked_for(opened, tracking, monkeypatch):
    monkeypatch.setattr(histories, "LEAST_PAGE", 2)
    monkeypatch.setattr(reading, "GROWING_PAGE", 16)
    real = tracking.answer

    def answer(path: str, said: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        if int(said.get("max_results", 0)) in (16, 4):
            time.sleep(2)
        return real(path, said)

    tracking.answer = answer  # type: ignore[method-assign]
    own = opened(timeout_s=1.0).load_curves([RUN])[RUN]
    assert own.get("train_loss").step.tolist() == list(range(1, 8))
    sizes = [said["max_results"] for path, said, _ in tracking.asked if path.endswith("get-history")]
    assert sizes == ["16", "4", "2", "2", "2", "2"]


def test_however_many_ask_the_server_is_not_asked_more_at_once(opened, tracking):
    now, most, lock = 0, 0, threading.Lock()
    real = tracking.answer

    def answer(path: str, said: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1
        return real(path, said)

    tracking.histories = {f"metric {number}": tracking.histories["loss"] for number in range(12)}
    tracking.answer = answer  # type: ignore[method-assign]
    source = opened()
    with ThreadPoolExecutor(5) as pool:
        found = list(pool.map(lambda _: source.load_curves([RUN])[RUN], range(5)))
    assert 1 < most <= client.AT_ONCE
    assert {len(own.curves) for own in found} == {12}


def test_the_largest_page_is_one_that_servers_give():
    assert histories.GROWING_PAGE < histories.PAGE <= 25_000
