from __future__ import annotations

import pytest

from lib.core.facts.errors import SettingsError, SourceUnavailable
from lib.core.facts.query import RunQuery
from lib.data.demo.source import EmbeddedSource
from lib.data.folder.source import FolderSource
from lib.data.mlflow_server import settings as mlflow
from lib.data.settings import (
    LOG_SETTING,
    LOG_VARIABLE,
    RUNS_SETTING,
    RUNS_VARIABLE,
    SECTION,
    Settings,
    open_source,
    settings_from,
)
from lib.data.supabase import settings as supabase
from lib.gate.settings import FRAMED_BY, METRICS, gate_settings_from
from lib.importer.settings import import_settings_from


def test_nothing_set_means_the_demo():
    settings = settings_from({}, {})
    assert settings == Settings()
    source = open_source(settings)
    assert isinstance(source, EmbeddedSource)
    assert source.synthetic


def test_settings_of_others_do_not_count():
    assert settings_from({"HOME": "/", "RUNOFF_RUN": "x"}, {"other": {"runs": 1}, "runs": "x"}) == Settings()
    assert settings_from({}, {SECTION: {}}) == Settings()


@pytest.mark.parametrize("service", ["RUNOFF_SUPABASE", "RUNOFF_MLFLOW"])
def test_what_kubernetes_says_of_a_service_of_that_name_is_no_setting(service):
    of_a_service = {
        **{f"{service}_SERVICE_HOST": "10.0.0.11", f"{service}_SERVICE_PORT": "80"},
        **{f"{service}_SERVICE_PORT_HTTP": "80", f"{service}_PORT": "tcp://10.0.0.11:80"},
        **{f"{service}_PORT_80_TCP": "tcp://10.0.0.11:80", f"{service}_PORT_80_TCP_ADDR": "10.0.0.11"},
    }
    assert settings_from(of_a_service, {}) == Settings()
    with pytest.raises(SettingsError, match=f"Unknown setting: environment variable {service}_PORTAL"):
        settings_from({**of_a_service, f"{service}_PORTAL": "x"}, {})


@pytest.mark.parametrize(
    ("environment", "secrets"),
    [
        ({RUNS_VARIABLE: "out puts"}, {}),
        ({RUNS_VARIABLE: " out puts\n"}, {}),
        ({}, {SECTION: {RUNS_SETTING: "out puts"}}),
        ({RUNS_VARIABLE: "out puts"}, {SECTION: {RUNS_SETTING: "others"}}),
        ({RUNS_VARIABLE: "out puts"}, {SECTION: {RUNS_SETTING: 5}}),
    ],
)
def test_the_folder_is_taken_from_the_environment_before_the_secrets(environment, secrets):
    assert settings_from(environment, secrets) == Settings(runs="out puts")


@pytest.mark.parametrize("value", ["", "  ", 5, 0, False, True, [], ["a"], {"a": "b"}, None, 1.5])
def test_a_folder_that_is_none_is_an_error_and_never_the_demo(value):
    with pytest.raises(
        SettingsError, match=r"Expected runs in section \[runoff\] of secrets.toml to name a folder"
    ) as error:
        settings_from({}, {SECTION: {RUNS_SETTING: value}})
    assert "remove the setting" in error.value.hint


@pytest.mark.parametrize("value", ["", " \t"])
def test_an_empty_environment_variable_is_an_error_even_where_the_secrets_name_a_folder(value):
    with pytest.raises(SettingsError, match="Expected the environment variable RUNOFF_RUNS to name a folder"):
        settings_from({RUNS_VARIABLE: value}, {SECTION: {RUNS_SETTING: "others"}})


@pytest.mark.parametrize("section", ["x", 5, None, [], ["runs"], True])
def test_a_section_that_is_none_is_an_error(section):
    for environment in ({}, {RUNS_VARIABLE: "outputs"}):
        with pytest.raises(SettingsError, match=r"Expected \[runoff\] in secrets.toml to be a section"):
            settings_from(environment, {SECTION: section})


def test_an_unknown_setting_is_an_error_that_names_it_and_the_known_ones():
    with pytest.raises(SettingsError, match=r"Unknown setting 'folder' in section \[runoff\]") as error:
        settings_from({RUNS_VARIABLE: "outputs"}, {SECTION: {RUNS_SETTING: "a", "folder": "secret-value"}})
    assert RUNS_SETTING in error.value.hint
    assert "secret-value" not in f"{error.value} {error.value.hint}"


def test_settings_can_be_part_of_a_cache_key():
    assert len({Settings(), Settings(None), Settings("a"), Settings(runs="a")}) == 2


def test_a_folder_is_opened_as_a_source_that_is_not_synthetic(tmp_path):
    source = open_source(Settings(str(tmp_path)))
    assert isinstance(source, FolderSource)
    assert not source.synthetic
    assert source.list_runs(RunQuery()).source_total == 0


def test_different_folders_and_the_demo_have_different_cache_keys(tmp_path):
    settings = [Settings(), Settings(str(tmp_path)), Settings(str(tmp_path / "a"))]
    assert len({open_source(each).cache_key for each in settings}) == 3
    assert open_source(settings[1]).cache_key == open_source(Settings(f"{tmp_path}/.")).cache_key


@pytest.mark.parametrize("kind", ["missing", "a file"])
def test_a_folder_that_is_not_there_is_unavailable_and_says_how_to_name_one(tmp_path, kind):
    path = tmp_path / "x"
    if kind == "a file":
        path.write_text("")
    source = open_source(Settings(str(path)))
    with pytest.raises(SourceUnavailable, match="Expected a folder of training outputs") as error:
        source.list_runs(RunQuery())
    assert "make run RUNS=" in error.value.hint


PASSWORDS = ["hunter2", "correct horse battery", "8675309867", 8675309867, ["hunter2"], {"hunter2": "hunter2"}]
PROJECT = {"url": "https://abcdefgh.supabase.co", "key": "sb_publishable_a"}
SERVER = {"url": "https://mlflow.example"}
OF_THE_APP = [
    *((supabase.PREFIX, "supabase", PROJECT, setting) for setting in supabase._READERS),
    *((mlflow.PREFIX, "mlflow", SERVER, setting) for setting in mlflow._READERS),
]
"""How its variables begin, its section, what else is said there, and a setting."""
FREE = ["password", "experiments", "jobs_table", "metrics_table", "user", "workspace", "token"]
"""Settings that take some of the passwords for what they ask for."""


def said_of(read, *asked):
    """What is said of settings that are wrong; "" where nothing is."""
    try:
        read(*asked)
    except SettingsError as error:
        return f"{error} {error.hint}"
    return ""


def assert_unsaid(said, password):
    words = ["hunter2"] if isinstance(password, list | dict) else [str(password), str(password).split()[0]]
    assert not [word for word in words if word in said], said


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize(("prefix", "section", "others", "setting"), OF_THE_APP)
def test_a_password_in_the_place_of_a_setting_is_not_repeated(prefix, section, others, setting, password):
    said = said_of(settings_from, {}, {SECTION: {section: others | {setting: password}}})
    assert said or setting in FREE
    assert_unsaid(said, password)
    if isinstance(password, str):
        variables = {prefix + name.upper(): text for name, text in (others | {setting: password}).items()}
        said = said_of(settings_from, variables, {})
        assert said or setting in FREE
        assert_unsaid(said, password)


@pytest.mark.parametrize("password", PASSWORDS)
def test_nor_in_the_place_of_a_section_or_of_what_stands_beside_them(password):
    for said in (
        said_of(settings_from, {}, {SECTION: password}),
        *(said_of(settings_from, {}, {SECTION: {name: password}}) for name in ("supabase", "mlflow", LOG_SETTING)),
    ):
        if not isinstance(password, dict):
            assert_unsaid(said, password)
        assert said
    if not isinstance(password, str):
        assert_unsaid(said_of(settings_from, {}, {SECTION: {RUNS_SETTING: password}}), password)
    else:
        for said in (
            said_of(settings_from, {LOG_VARIABLE: password}, {}),
            said_of(gate_settings_from, {FRAMED_BY: password}),
            said_of(gate_settings_from, {METRICS: password}),
            *(
                said_of(import_settings_from, variables | {f"RUNOFF_IMPORT_{name}": password})
                for variables in [{f"RUNOFF_IMPORT_{name.upper()}": text for name, text in PROJECT.items()}]
                for name in ("URL", "KEY", "TIMEOUT_S", "USER", "EMAIL", "PASSWORD", "JOBS_TABLE")
            ),
        ):
            assert said
            assert_unsaid(said, password)
