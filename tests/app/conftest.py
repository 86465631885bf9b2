"""Fixtures of the tests that run the app without a browser."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit import config
from streamlit.runtime.secrets import Secrets

from lib.core.config.naming import labels_of
from lib.core.facts.query import RunQuery
from lib.data.demo.source import EmbeddedSource
from lib.data.folder import source as folder
from lib.data.folder.memory.remembered import CACHE_VARIABLE
from lib.data.settings import RUNS_VARIABLE
from tests.app.harness import MAIN, App, Query
from tests.forgetting import forget_reads


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch, tmp_path) -> Iterator[None]:
    """No setting of the account that runs the tests reaches the app; files are looked at on every read."""
    for name in [name for name in os.environ if name.startswith("RUNOFF_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv(CACHE_VARIABLE, "")
    monkeypatch.setattr(folder, "SCAN_INTERVAL_S", 0.0)
    forget_reads()
    before = config.get_option("secrets.files")
    config.set_option("secrets.files", [str(tmp_path / "secrets.toml")])
    monkeypatch.setattr(st, "secrets", Secrets())
    yield
    config.set_option("secrets.files", before)


@pytest.fixture
def opened() -> Callable[..., App]:
    """Open the app by link: ``opened(page, run=[...], weight="0.5")``."""
    return App.open


@pytest.fixture
def on_folder(monkeypatch) -> Callable[..., App]:
    """The same, on a folder of training outputs: ``on_folder(path, page, run=[...])``."""

    def open_on(path: Path, page: str = MAIN, **query: Query) -> App:
        monkeypatch.setenv(RUNS_VARIABLE, str(path))
        return App.open(page, **query)

    return open_on


@pytest.fixture(scope="session")
def demo() -> SimpleNamespace:
    """The demo runs: the source, all runs, and the ids of those that the tests need."""
    source = EmbeddedSource()
    runs = source.list_runs(RunQuery(limit=1000)).runs
    ids = {run.name: run.run_id for run in runs}
    return SimpleNamespace(
        source=source,
        runs=runs,
        labels=labels_of(runs),
        alike=[run.run_id for run in runs if run.name == "support-llama-8b"],
        hostile=ids["support-bot <b>v2</b> | rank 64"],
        running=ids["code-review-gemma-9b"],
        queued=ids["code-review-qwen-7b"],
        diverged=ids["support-qwen-7b"],
        four_gpus=ids["legal-qa-qwen-7b-full"],
        longest=ids["customer-support-qwen2.5-7b-qlora-nf4-rank32-cosine-2-epochs"],
    )


@pytest.fixture
def files(monkeypatch) -> dict[str, Callable[[], bytes]]:
    """What makes the files that were offered last, by their names."""
    found = {}
    offer = st.download_button

    def offered(label, data, file_name, *args, **options):
        found[file_name] = data
        return offer(label, data, file_name, *args, **options)

    monkeypatch.setattr(st, "download_button", offered)
    return found
