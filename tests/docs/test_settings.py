"""docs/settings.md has every setting that the code reads, with its default, and no other."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path

import pytest
from streamlit import config

from lib.core.facts.errors import SettingsError
from lib.data import sections, settings
from lib.data.folder.memory.remembered import CACHE_VARIABLE
from lib.data.mlflow_server import settings as mlflow
from lib.data.settings import Settings, settings_from
from lib.data.supabase import command
from lib.data.supabase import settings as supabase
from lib.gate.settings import FRAMED_BY, METRICS
from lib.importer import settings as importer
from lib.log.lines import Form
from lib.ui.session.deployment import unknown_variables
from tests.docs.pages import blocks, page, rows, section

ROOT = Path(__file__).parents[2]
TEXT = page("settings")
SOURCES = {
    "`[runoff.supabase]`": (supabase.SECTION, supabase.PREFIX, supabase.SupabaseSettings, supabase._READERS),
    "`[runoff.mlflow]`": (mlflow.SECTION, mlflow.PREFIX, mlflow.MlflowSettings, mlflow._READERS),
}


def shown(field: dataclasses.Field) -> str:
    """A default as the page shows it."""
    match field.default:
        case dataclasses.MISSING:
            return "needed"
        case None:
            return "none"
        case bool():
            return str(field.default).lower()
        case float():
            return f"{field.default:g}"
        case ():
            return "all active"
        case _:
            return str(field.default)


@pytest.mark.parametrize("heading", SOURCES)
def test_each_setting_of_a_source_stands_there_with_its_variable_and_its_default(heading):
    name, prefix, made, readers = SOURCES[heading]
    assert heading == f"`[{name}]`"
    defaults = {field.name: shown(field) for field in dataclasses.fields(made)}
    assert set(readers) == set(defaults)
    found = rows(section(TEXT, heading))
    assert [row[:3] for row in found] == [[each, prefix + each.upper(), defaults[each]] for each in readers]
    ranges = {"timeout_s": sections.TIMEOUT_RANGE_S, "refresh_s": sections.REFRESH_RANGE_S}
    for setting, _, _, what in found:
        if setting in ranges:
            assert "from {:g} to {:g}".format(*ranges[setting]) in what


def test_the_settings_of_the_app_itself_are_there():
    found = {row[1]: row for row in rows(section(TEXT, "Where runs come from"))}
    own = {settings.RUNS_VARIABLE, settings.LOG_VARIABLE, CACHE_VARIABLE}
    assert set(found) == own | {FRAMED_BY, METRICS}
    assert found[settings.RUNS_VARIABLE][0] == settings.RUNS_SETTING
    assert found[settings.LOG_VARIABLE][::2] == [settings.LOG_SETTING, Settings().log]
    assert all(form in found[settings.LOG_VARIABLE][3] for form in Form)


@pytest.mark.parametrize(
    ("heading", "prefix", "own"),
    [("Import", importer.PREFIX, importer.OWN), ("Commands", command.PREFIX, command.OWN)],
)
def test_the_variables_of_commands_are_there(heading, prefix, own):
    found = {row[0]: row[1] for row in rows(section(TEXT, heading))}
    assert set(found) == {prefix + name.upper() for name in (*own, *command.PASSED_ON)}
    reading = {field.name: shown(field) for field in dataclasses.fields(supabase.SupabaseSettings)}
    for name in command.PASSED_ON:
        assert found[prefix + name.upper()] == reading[name]


def test_no_other_variable_is_read_anywhere():
    named = set(re.findall(r"RUNOFF_[A-Z_]*[A-Z]", TEXT))
    for file in (*ROOT.glob("lib/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "streamlit_app.py", ROOT / "Dockerfile"):
        for variable in re.findall(r"\bRUNOFF_[A-Z_]+", file.read_text(encoding="utf-8")):
            assert any(each == variable or (variable.endswith("_") and each.startswith(variable)) for each in named), (
                f"{variable} of {file.relative_to(ROOT)}"
            )


def test_a_variable_that_stands_there_is_known_when_the_app_starts_and_another_is_named():
    named = set(re.findall(r"`(RUNOFF_[A-Z_]*[A-Z])`", TEXT))
    assert len(named) > 30
    assert unknown_variables(dict.fromkeys([*named, "STREAMLIT_SERVER_PORT", "HOME", "RUNOFF_PORT"], "x")) == []
    assert unknown_variables({"RUNOFF_RUN": "/data", "RUNOFF_VERSION": "3"}) == [
        "Nothing reads the environment variable RUNOFF_RUN. Is RUNOFF_RUNS meant?",
        "Nothing reads the environment variable RUNOFF_VERSION.",
    ]


def test_the_variables_of_make_are_there_with_their_defaults():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    defaults = dict(re.findall(r"^([A-Z]+) \?= ?(.*)$", makefile, re.MULTILINE))
    found = {row[0]: row[1] for row in rows(section(TEXT, "The start"))}
    assert set(found) == {"RUNS", *(set(defaults) - {"BENCHES"})}
    for name in ("PORT", "ADDRESS", "PYTHON"):
        assert found[name] == defaults[name]


def test_options_of_streamlit_exist_and_are_as_the_page_says():
    ours = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    for option, value, _ in rows(section(TEXT, "Streamlit's own")):
        group, name = option.split(".")
        known = config._config_options_template[option]
        said = ours.get(group, {}).get(name, known.default_val)
        assert value == ("none" if said == [] else str(said).lower())
    for option in re.findall(r"`((?:server|client|browser|logger)\.\w+)`", TEXT):
        assert option in config._config_options_template


def test_the_example_is_taken():
    (example,) = blocks(TEXT, "toml")
    taken = settings_from({}, tomllib.loads(example))
    assert taken.log is Form.JSON
    assert taken.supabase.refresh_s == 30
    with pytest.raises(SettingsError, match=r"plain, json, logfmt"):
        settings_from({"RUNOFF_LOG": "yaml"}, {})
