from __future__ import annotations

import pytest

from lib.core.facts.errors import SettingsError
from lib.data.mlflow_server.settings import REFRESH_S, TIMEOUT_S, MlflowSettings
from lib.data.mlflow_server.source import MlflowSource
from lib.data.settings import Settings, open_source, settings_from

URL = "http://tracking.example:5000"


def read(section=None, environment=None) -> Settings:
    return settings_from(environment or {}, {} if section is None else {"runoff": {"mlflow": section}})


def test_the_address_is_enough():
    assert read({"url": f" {URL}/ "}) == Settings(mlflow=MlflowSettings(URL))
    server = read({"url": URL}).mlflow
    assert (server.timeout_s, server.refresh_s, server.experiments) == (TIMEOUT_S, REFRESH_S, ())
    assert server.host == "tracking.example:5000"
    assert read({"url": f"{URL}/team/mlflow/"}).mlflow.host == "tracking.example:5000/team/mlflow"


def test_every_setting_can_be_given_in_both_places_and_the_environment_goes_first():
    written = {
        "url": URL,
        "experiments": ["one", "two, three"],
        "user": "ann",
        "password": " a planted secret ",
        "workspace": "team",
        "timeout_s": 5,
        "refresh_s": 2.5,
    }
    expected = MlflowSettings(
        URL, ("one", "two, three"), None, "ann", " a planted secret ", "team", timeout_s=5.0, refresh_s=2.5
    )
    assert read(written).mlflow == expected
    variables = {f"RUNOFF_MLFLOW_{name.upper()}": str(value) for name, value in written.items()}
    variables["RUNOFF_MLFLOW_EXPERIMENTS"] = '["one", "two, three"]'
    assert read(environment=variables).mlflow == expected
    assert read(dict.fromkeys(written, 5), variables).mlflow == expected
    assert read({"url": URL}, {"RUNOFF_MLFLOW_EXPERIMENTS": " one, two "}).mlflow.experiments == ("one", "two")
    assert read({"url": URL, "token": "eyJplanted"}).mlflow.token == "eyJplanted"


@pytest.mark.parametrize("environment", [{}, {"RUNOFF_RUNS": "outputs"}, {"MLFLOW_TRACKING_URI": URL}])
def test_nothing_said_is_no_server(environment):
    assert settings_from(environment, {}).mlflow is None


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({}, "found no setting url"),
        ("x", "to be a section"),
        ({"url": ""}, "to be text, found nothing"),
        ({"url": 5}, "a value of type int"),
        ({"url": "tracking.example"}, "does not start with https://"),
        ({"url": "localhost:5000"}, "does not start with https://"),
        ({"url": "file:///planted-secret/mlruns"}, "a store of files or of a database"),
        ({"url": "sqlite:///planted-secret.db"}, "a store of files or of a database"),
        ({"url": "postgresql+psycopg2://u:planted-secret@h/db"}, "a store of files or of a database"),
        ({"url": "databricks"}, "Databricks profile"),
        ({"url": f"http://ann:planted-secret@{URL[7:]}"}, "user name"),
        ({"url": f"{URL}/#/experiments/0"}, "more than the server's own part"),
        ({"url": f"{URL}/api/2.0/mlflow"}, "more than the server's own part"),
        ({"url": URL, "experiments": []}, "names of experiments"),
        ({"url": URL, "experiments": [1]}, "names of experiments"),
        ({"url": URL, "experiments": " "}, "names of experiments"),
        ({"url": URL, "experiments": '["planted-secret'}, "names of experiments"),
        ({"url": URL, "token": "Bearer planted-secret"}, "a single word"),
        ({"url": URL, "token": "planted-secret\u00fc"}, "a single word"),
        ({"url": URL, "token": "planted-secret", "user": "a", "password": "b"}, "found two"),
        ({"url": URL, "user": "ann"}, "user in section [runoff.mlflow] of secrets.toml alone"),
        ({"url": URL, "password": "planted-secret"}, "alone"),
        ({"url": URL, "user": "a:planted-secret", "password": "b"}, "with a colon"),
        ({"url": URL, "timeout_s": 0}, "from 1 to 300"),
        ({"url": URL, "refresh_s": True}, "from 1 to 3600"),
        ({"url": URL, "tokens": "planted-secret"}, "Unknown setting: 'tokens'"),
    ],
)
def test_what_is_wrong_is_said_without_the_value(section, said):
    with pytest.raises(SettingsError) as error:
        read(section)
    assert said in str(error.value)
    assert error.value.hint
    assert "planted-secret" not in f"{error.value} {error.value.hint}"


def test_an_unknown_variable_is_an_error():
    with pytest.raises(SettingsError, match="RUNOFF_MLFLOW_TOKENS"):
        read({"url": URL}, {"RUNOFF_MLFLOW_TOKENS": "x"})


def test_exactly_one_source_can_be_named():
    project = {"url": "https://abc.supabase.co", "key": "sb_publishable_x"}
    with pytest.raises(SettingsError, match="found two: a folder and an MLflow server"):
        read({"url": URL}, {"RUNOFF_RUNS": "outputs"})
    with pytest.raises(SettingsError, match="found two: a Supabase project and an MLflow server"):
        settings_from({}, {"runoff": {"mlflow": {"url": URL}, "supabase": project}})
    with pytest.raises(SettingsError, match="found three"):
        settings_from({"RUNOFF_RUNS": "x"}, {"runoff": {"mlflow": {"url": URL}, "supabase": project}})


def test_a_server_is_opened_without_being_asked():
    source = open_source(read({"url": URL, "user": "ann", "password": "planted-secret"}))
    assert isinstance(source, MlflowSource)
    assert not source.synthetic
    assert "planted-secret" not in f"{source.cache_key} {source.title} {source.way()} {source!r} {read({'url': URL})!r}"


def test_no_secret_is_shown_and_other_servers_have_other_keys():
    one = MlflowSettings(URL, token="planted-secret", password="planted-secret")
    assert "planted-secret" not in repr(one)
    others = [
        MlflowSettings(URL),
        MlflowSettings(f"{URL}1"),
        MlflowSettings(URL, ("a",)),
        MlflowSettings(URL, workspace="team"),
    ]
    assert len({open_source(Settings(mlflow=each)).cache_key for each in others}) == len(others)
