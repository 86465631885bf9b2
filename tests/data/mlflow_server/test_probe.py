"""A tracking server is well while it answers one small question."""

from __future__ import annotations

import pytest

from lib.core.facts.errors import AccessDenied, AppError, SourceUnavailable
from lib.data.mlflow_server import client
from lib.data.mlflow_server.settings import MlflowSettings
from lib.data.probe import probe
from lib.data.settings import Settings
from tests.data.mlflow_server.test_faults import SECRET, Tracking, serving


@pytest.fixture
def tracking(monkeypatch):
    monkeypatch.setattr(client, "FIRST_PAUSE_S", 0.001)
    return Tracking()


def settings_of(url: str) -> Settings:
    return Settings(mlflow=MlflowSettings(url, token=SECRET, timeout_s=2.0))


def test_it_is_asked_once_for_one_experiment(tracking):
    with serving(tracking) as url:
        probe(settings_of(url))
    ((path, said, headers),) = tracking.asked
    assert path.endswith("/experiments/search")
    assert said == {"max_results": 1}
    assert headers["authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize(("status", "error"), [(403, AccessDenied), (503, SourceUnavailable)])
def test_a_server_that_refuses_or_fails_is_not_well(tracking, status, error):
    tracking.fault("experiments/search", status, {"error_code": "X", "message": SECRET}, times=10)
    with serving(tracking) as url, pytest.raises(error) as raised:
        probe(settings_of(url))
    assert SECRET not in f"{raised.value} {raised.value.hint}"


def test_a_server_that_is_not_there_is_not_well(tracking):
    with serving(tracking) as url:
        pass
    with pytest.raises(AppError):
        probe(settings_of(url))
