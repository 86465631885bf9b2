"""A real MLflow tracking server as a source: the laws of every source, and what its own client logged.

Run by name: ``RUNOFF_WRITERS=/path/to/python pytest tests/writers/test_mlflow_server.py``.
"""

from __future__ import annotations

import math
import os

import numpy as np
import pytest

from lib.core.curves.metric_curves import extended, holds
from lib.core.facts.errors import SettingsError
from lib.core.facts.query import RunQuery
from lib.core.facts.runs import RunStatus
from lib.data.mlflow_server import histories, listing, reading
from lib.data.mlflow_server.client import Server
from lib.data.mlflow_server.settings import MlflowSettings
from lib.data.mlflow_server.source import MlflowSource
from lib.data.source import LiveSource
from tests.data import test_source_contract as contract
from tests.writers.mlflow_server import WRITERS_VARIABLE, MlflowServer, has_mlflow

WEAKER = {"test_hostile_folder_names_survive_as_text"}  # About folders.
LAWS = {name: law for name, law in vars(contract).items() if name.startswith("test_") and name not in WEAKER}
assert vars(contract).keys() >= WEAKER
globals().update(LAWS)

source, runs, curves = contract.source, contract.runs, contract.curves
NAN, INF = "NaN", "inf"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    python = os.environ.get(WRITERS_VARIABLE, "")
    if not python:
        pytest.skip(f"{WRITERS_VARIABLE} names no Python that has MLflow.")
    if not has_mlflow(python):
        pytest.skip(f"The Python that {WRITERS_VARIABLE} names has no MLflow.")
    running = MlflowServer(python, tmp_path_factory.mktemp("mlflow"))
    yield running
    while OPENED:
        OPENED.pop().close()
    running.stop()


OPENED: list[Server] = []
"""Connections of the sources that were opened."""


def connect(server: MlflowServer, **settings) -> Server:
    OPENED.append(Server(MlflowSettings(server.url, **settings)))
    return OPENED[-1]


def open_source(server: MlflowServer, **settings) -> MlflowSource:
    return MlflowSource(connect(server, **settings))


def hostile_runs() -> list[dict]:
    """Runs with names that are markup, with secrets among their parameters, and one without values."""
    written = []
    for place, name in enumerate(contract.HOSTILE_NAMES):
        # MLflow takes letters, digits and a few signs in the names of metrics and parameters, and any name of a run.
        rows = [
            [step, {"train/loss": 1 / step, "grad_norm": NAN if step == 3 else 1.0, "system/cpu": step}]
            for step in range(1, 10 + place)
        ]
        rows += [[step, {"eval/loss": 0.5 + 1 / step}] for step in range(3, 10 + place, 3)]
        rows += [[5, {"train/loss": INF}]] if place == 1 else []
        params = {"hub_token": contract.PLANTED_SECRET, "dataset_name": f"data/{place}", "learning_rate": "2e-4"}
        written.append({"experiment": "hostile", "name": name, "rows": rows, "params": params})
    return [*written, {"experiment": "hostile", "name": "empty", "rows": []}]


@pytest.fixture(scope="module")
def written(server):
    return server.write(hostile_runs())


@pytest.fixture(scope="module")
def make_source(server, written):
    return lambda: open_source(server, experiments=("hostile",))


@pytest.fixture
def changing(server, monkeypatch):
    monkeypatch.setattr(listing, "REST", 0.0)
    number = server.post("experiments/create", name=f"changing {os.urandom(4).hex()}")["experiment_id"]
    ids = []
    for place in range(3):
        created = server.post("runs/create", experiment_id=number, start_time=1_700_000_000_000 + place)
        ids.append(created["run"]["info"]["run_id"])
        log(server, ids[-1], [("loss", step, (1 + place) / step) for step in range(1, 5)])
    name = server.post("experiments/search", max_results=1000)["experiments"]
    (name,) = [each["name"] for each in name if each["experiment_id"] == number]

    return contract.Changing(
        lambda: open_source(server, experiments=(name,), refresh_s=0.0),
        {
            "a value more": (ids[0], lambda: log(server, ids[0], [("loss", 5, 0.25)])),
            "the last step once more": (ids[1], lambda: log(server, ids[1], [("loss", 4, 9.0)])),
            "another metric": (ids[2], lambda: log(server, ids[2], [("eval_loss", 0, math.nan)])),
            "a parameter": (ids[0], lambda: server.post("runs/log-parameter", run_id=ids[0], key="seed", value="7")),
            "a tag": (ids[1], lambda: server.post("runs/set-tag", run_id=ids[1], key="note", value="x")),
            "another name": (ids[2], lambda: server.post("runs/update", run_id=ids[2], run_name="renamed")),
            "the end": (
                ids[0],
                lambda: server.post("runs/update", run_id=ids[0], status="FAILED", end_time=1_700_000_009_000),
            ),
        },
    )


def log(server: MlflowServer, run_id: str, rows, at: int = 1_700_000_000_000) -> None:
    """Log values in batches, as the client does; the time follows from the step."""
    entries = [
        {
            "key": key,
            "value": "NaN" if math.isnan(value) else value,
            "timestamp": at + 1000 * step,
            "step": step,
        }
        for key, step, value in rows
    ]
    for start in range(0, len(entries), 1000):
        server.post("runs/log-batch", run_id=run_id, metrics=entries[start : start + 1000])


def test_it_is_a_live_source(make_source):
    assert isinstance(make_source(), LiveSource)


def test_what_the_client_logged_is_read(source, written):
    names = {run.run_id: run for run in source.list_runs(RunQuery(limit=100)).runs}
    assert set(names) == set(written.values())
    second = names[written[contract.HOSTILE_NAMES[1]]]
    assert (second.name, second.status, second.raw_status) == (
        contract.HOSTILE_NAMES[1],
        RunStatus.COMPLETED,
        "FINISHED",
    )
    assert second.config["params"]["learning_rate"] == 2e-4
    assert second.max_learning_rate == 2e-4
    assert (second.current_step, second.best_eval_loss, second.eval_loss) == (10, None, 0.5 + 1 / 9)
    assert second.duration_s is not None
    own = source.load_curves([second.run_id])[second.run_id]
    assert own.get("train_loss").step.tolist() == list(range(1, 11))
    assert own.get("train_loss").value[4] == math.inf
    assert np.isnan(own.get("grad_norm").value[2])
    assert own.get("eval_loss").step.tolist() == [3, 6, 9]
    assert "system/cpu" in own.curves


def test_only_the_experiments_that_are_named_are_listed(server, written):
    server.write([{"experiment": "another", "name": "elsewhere", "rows": [[1, {"loss": 1.0}]]}])
    named = open_source(server, experiments=("another",))
    (elsewhere,) = named.list_runs(RunQuery()).runs
    assert elsewhere.name == "elsewhere"
    assert elsewhere.extra["tag.experiment"] == "another"
    assert named.load_runs(list(written.values())) == ()
    assert named.load_curves(list(written.values())) == {}
    everything = open_source(server).list_runs(RunQuery(limit=1000)).runs
    assert {elsewhere.run_id, *written.values()} <= {run.run_id for run in everything}
    with pytest.raises(SettingsError, match="no active one") as error:
        open_source(server, experiments=("nowhere",)).list_runs(RunQuery())
    assert "another" in error.value.hint


def test_deleted_runs_and_experiments_are_not_there(server):
    ids = server.write(
        [
            {"experiment": "to go", "name": "gone", "rows": [[1, {"loss": 1.0}]]},
            {"experiment": "to go", "name": "stays", "rows": [[1, {"loss": 1.0}]]},
            {"experiment": "gone too", "name": "with it", "rows": [[1, {"loss": 1.0}]]},
        ]
    )
    server.post("runs/delete", run_id=ids["gone"])
    experiments = server.post("experiments/search", max_results=1000)["experiments"]
    (number,) = [each["experiment_id"] for each in experiments if each["name"] == "gone too"]
    server.post("experiments/delete", experiment_id=number)
    here = open_source(server)
    listed = {run.run_id for run in here.list_runs(RunQuery(limit=1000)).runs}
    assert listed & set(ids.values()) == {ids["stays"]}
    assert [run.run_id for run in here.load_runs(list(ids.values()))] == [ids["stays"]]
    assert set(here.load_curves(list(ids.values()))) == {ids["stays"]}


def test_a_run_inside_another_says_so(server):
    shared = {"lr": 1.0, "batch_size": 8}
    ids = server.write([{"experiment": "nested", "name": "outer", "params": shared, "rows": []}])
    tags = {"mlflow.parentRunId": ids["outer"]}
    inner = {"experiment": "nested", "name": "inner", "tags": tags, "params": {"lr": 0.1}, "rows": [[1, {"loss": 1.0}]]}
    inner_id = server.write([inner])["inner"]
    here = open_source(server, experiments=("nested",))
    (alone,) = here.load_runs([inner_id])
    runs = {run.name: run for run in here.list_runs(RunQuery()).runs}
    assert runs["inner"].extra["parent"] == ids["outer"]
    # And has its settings, whether it is listed or asked for by itself.
    assert runs["inner"].config == {"params": {"lr": 0.1, "batch_size": 8}}
    assert (alone.version, alone.config) == (runs["inner"].version, runs["inner"].config)
    assert here.load_runs([inner_id]) == (alone,)


def new_run(server: MlflowServer, experiment: str) -> str:
    server.write([{"experiment": experiment, "name": "first", "rows": []}])
    experiments = server.post("experiments/search", max_results=1000)["experiments"]
    (number,) = [each["experiment_id"] for each in experiments if each["name"] == experiment]
    created = server.post("runs/create", experiment_id=number, start_time=1_700_000_000_000, run_name="long")
    run_id: str = created["run"]["info"]["run_id"]
    return run_id


def test_long_metrics_come_whole(server, monkeypatch):
    monkeypatch.setattr(histories, "GROWING_PAGE", 700)
    monkeypatch.setattr(reading, "GROWING_PAGE", 700)
    run_id = new_run(server, "long")
    values = [(key, step, step / 7) for key in ("loss", "eval/accuracy") for step in range(1, 2801)]
    log(server, run_id, values)
    told = []
    here = open_source(server)
    own = here.load_curves([run_id], progress=lambda done, total: told.append((done, total)))[run_id]
    for metric in ("train_loss", "eval/accuracy"):
        assert own.get(metric).step.tolist() == list(range(1, 2801))
        assert np.array_equal(own.get(metric).value, np.arange(1, 2801) / 7)
    assert max(told) == (5600, None)
    # The list was read in several pages too.
    monkeypatch.setattr(listing, "RUNS_PAGE", 1)
    monkeypatch.setattr(listing, "EXPERIMENTS_PAGE", 1)
    assert run_id in {run.run_id for run in open_source(server).list_runs(RunQuery(limit=1000)).runs}
    monkeypatch.setattr(listing, "MOST_RUNS", 2)
    page = open_source(server).list_runs(RunQuery(limit=1000))
    assert page.total == 2
    assert "Only its newest 2 runs are listed" in page.unreadable[0].reason


def test_a_run_that_goes_on_is_followed(server, monkeypatch):
    monkeypatch.setattr(reading, "GROWING_PAGE", 50)
    run_id = new_run(server, "live")
    log(server, run_id, [("loss", step, 1 / step) for step in range(1, 121)])
    log(server, run_id, [("eval/loss", step, 2 / step) for step in range(40, 121, 40)])
    here = open_source(server)
    (before,) = here.load_runs([run_id])
    assert before.status is RunStatus.RUNNING
    held = here.load_curves([run_id])[run_id]
    asked = []
    get = here._reader._server.get
    monkeypatch.setattr(here._reader._server, "get", lambda *said, **how: asked.append(said) or get(*said, **how))
    assert holds(held, here.load_new_curves([run_id], {run_id: 120})[run_id])
    assert [endpoint for endpoint, _ in asked] == ["runs/get"], "nothing is new, so nothing is read"
    log(server, run_id, [("loss", step, 1 / step) for step in range(121, 131)])
    asked.clear()
    news = here.load_new_curves([run_id], {run_id: 120})[run_id]
    assert news.get("train_loss").step.tolist() == list(range(120, 131))
    pages = [dict(said) for endpoint, said in asked if endpoint == "metrics/get-history"]
    assert [page["metric_key"] for page in pages] == ["loss"], "only what grew is asked for"
    assert pages[0]["page_token"], "and only from its last page on"
    # Beginning with the page that was the last one.
    assert here.load_runs([run_id])[0].version != before.version
    now = extended(held, news, 120)
    fresh = open_source(server).load_curves([run_id])[run_id]
    assert holds(now, fresh)
    assert holds(fresh, now)


def test_a_value_that_comes_late_is_found(server, monkeypatch):
    monkeypatch.setattr(reading, "GROWING_PAGE", 50)
    run_id = new_run(server, "late")
    log(server, run_id, [("loss", step, 1 / step) for step in range(1, 121) if step != 7])
    here = open_source(server)
    here.load_curves([run_id])
    # Another process of the training writes what it logged before, and then goes on.
    log(server, run_id, [("loss", 7, 1 / 7), ("loss", 121, 1 / 121)])
    news = here.load_new_curves([run_id], {run_id: 0})[run_id]
    assert news.get("train_loss").step.tolist() == list(range(1, 122))
    assert np.array_equal(news.get("train_loss").value, 1 / np.arange(1, 122))


def test_a_server_that_is_called_by_a_name_that_it_does_not_know_is_no_wrong_password(server):
    client = connect(server)
    client._pool.headers["Host"] = "tracking.example"
    called = MlflowSource(client)
    with pytest.raises(SettingsError, match="does not know that it is called by this name"):
        called.list_runs(RunQuery())


def test_an_unknown_metric_is_answered_without_values(server, written):
    client = connect(server)
    read = histories.read_history(client, next(iter(written.values())), "never logged", "", 10, lambda _: None)
    assert len(read.points) == 0
