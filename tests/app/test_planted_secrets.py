"""No secret that somebody left in a run's data stands on a page, in a file to keep, in a link or in a log."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import streamlit as st
import vl_convert

from lib.cli.__main__ import main
from lib.core.facts.query import RunQuery
from lib.core.facts.selection import is_uploaded
from lib.data.folder.source import FolderSource
from lib.data.supabase.settings import PREFIX
from lib.data.upload import storage
from lib.ui.charts.component import CHARTS
from tests.app.answering import PUBLISHABLE, Answers, answering, row, row_of_text, run_id
from tests.app.everything import offered, sent
from tests.app.harness import MAIN, PAGES, App, write_run
from tests.data.upload.archives import zipped
from tests.forgetting import forget_reads

# Put together here, so that no scanner takes them for real ones.
_PART = "Ab3dE6gH9kL2nP5r"
_AWS = "wJa1rXUt4FEMI/K7MDE8G/" + "bPxRfiC9EXAMPLEK3Y"
SECRETS = {
    "openai": (f"sk-proj-{_PART}{_PART}", f"{_PART}{_PART}"),
    "hugging face": (f"hf_{_PART}{_PART}", f"{_PART}{_PART}"),
    "wandb": ("wandb login " + "0123456789abcdef" * 2 + "01234567", "0123456789abcdef" * 2 + "01234567"),
    "groq": (f"gsk_{_PART}{_PART}{_PART}", f"{_PART}{_PART}"),
    "google": ("AIza" + f"{_PART}{_PART}abc", f"{_PART}{_PART}abc"),
    "jwt": (f"eyJhbGciOiJI.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.{_PART}", f"eyJyb2xlIjoic2VydmljZV9yb2xlIn0.{_PART}"),
    "service role": (f"sb_secret_{_PART}", f"sb_secret_{_PART}"),
    "postgres": (f"postgresql://admin:pw/{_PART}@db.example:5432/x", f"pw/{_PART}"),
    "bearer": (f"Authorization: Bearer {_PART}{_PART}", f"{_PART}{_PART}"),
    "pem": (f"-----BEGIN RSA PRIVATE KEY-----{_PART}{_PART}-----END RSA PRIVATE KEY-----", f"{_PART}{_PART}"),
    "aws": ("AKIA" + f"ABCDEFGH12345678 {_AWS}", _AWS),
    "basic auth": (f"https://me:{_PART}@hub.example/x", f"{_PART}@hub"),
    "cookie": (f"Cookie: sessionid={_PART}; csrftoken={_PART}", f"{_PART}"),
    "signed url": (f"https://s3.example/x?X-Amz-Expires=9&X-Amz-Signature={_PART}{_PART}", f"{_PART}{_PART}"),
    "arguments": (f"['--hf_token', 'x{_PART}', '--seed', '1']", f"x{_PART}"),
    "text in text": (f'"{{\\"api_key\\": \\"x{_PART}\\"}}"', f"x{_PART}"),
    "azure": (f"https://x.blob.core.windows.net/c?sv=2022&sig={_PART}%2B{_PART}%3D", f"{_PART}%2B"),
    "slack": (f"https://hooks.slack.com/services/T1/B1/{_PART}", f"B1/{_PART}"),
}  # fmt: skip


@pytest.fixture
def files(monkeypatch) -> dict[str, Any]:
    """What the page offered to keep, by name."""
    found: dict[str, Any] = {}
    offer = st.download_button

    def noted(label, data, file_name, *args, **options):
        found[file_name] = data
        return offer(label, data, file_name, *args, **options)

    monkeypatch.setattr(st, "download_button", noted)
    return found


def config_with(secret: str) -> dict[str, Any]:
    return {
        "training": {"note": secret, secret: 1, "headers": {"X-Plain": secret}, "args": ["--say", secret]},
        "data": {"train_file": secret, "nested": [{"value": [secret, {"deep": secret}]}]},
        "output_dir": f"out/{secret}",
    }


def hostile_row(number: int, secret: str, **columns: Any) -> str:
    return row_of_text(
        number,
        secret,
        model_name=f"run {secret}",
        parameter_updates=[{"note": secret}],
        config=config_with(secret),
        **columns,
    )


def assert_silent(everything: str, secret: str, where: str) -> None:
    at = everything.find(secret)
    assert at < 0, f"{where}: …{everything[max(0, at - 60) : at + 30]}…"


@pytest.mark.parametrize("shape", SECRETS)
def test_no_page_of_a_project_tells_a_secret(monkeypatch, caplog, files, shape):
    planted, secret = SECRETS[shape]
    caplog.set_level(logging.DEBUG, logger="lib")
    jobs = {run_id(number): hostile_row(number, planted) for number in (1, 2)} | {run_id(3): row(3)}
    metrics = [{"step": step, "train_loss": 1.0, "eval_loss": 1 / (step + 1), f"eval_{planted}": 0.5, "eval_f1": 0.5}
               for step in range(4)]  # fmt: skip
    with answering(Answers(jobs, metrics)) as project:
        for name, value in {"URL": project.url, "KEY": PUBLISHABLE, "SIGN_IN": "off"}.items():
            monkeypatch.setenv(PREFIX + name, value)
        for page in PAGES:
            forget_reads()
            app = App.open(page, run=[run_id(1), run_id(2), run_id(3)])
            assert not app.at.exception
            assert len(app.compared) == 3, "it can be selected whatever it is called"
            assert_silent(sent(app), secret, page)
            if page == MAIN:
                app.trigger(CHARTS, "file", {"chart": "loss", "kind": "svg", "turn": 1790000000000})
        assert files, "the pages offer files"
        assert_silent(offered(files), secret, "a file to keep")
        assert_silent("\n".join(project.asked), secret, "what the project is asked")
    assert_silent(caplog.text, secret, "the log")


@pytest.mark.parametrize("shape", SECRETS)
def test_no_page_of_a_folder_tells_a_secret(monkeypatch, on_folder, tmp_path, caplog, files, capsys, shape):
    planted, secret = SECRETS[shape]
    for number in (1, 2):
        # A slash cannot stand in the name of a folder: below it lies another one.
        folder = tmp_path / f"run {number} {planted}".replace("//", "/")
        write_run(folder, [1.0, 0.5, 0.4], [0.9, 0.6, 0.5], rows=[{"step": 1, f"eval_{planted}": 0.5}],
                  args=config_with(planted) | {"learning_rate": number})  # fmt: skip
        (folder / "adapter_config.json").write_text("{" + planted)
    source = FolderSource(tmp_path)
    source.settle()
    ids = [run.run_id for run in source.list_runs(RunQuery()).runs]
    assert len(ids) == 2
    assert_silent("\n".join([*ids, source.cache_key, source.title]), secret, "ids and keys")
    for page in PAGES:
        app = on_folder(tmp_path, page, run=ids)
        assert not app.at.exception
        assert set(app.compared) == set(ids), "they can be selected"
        assert_silent(sent(app), secret, page)
        if page == MAIN:
            app.trigger(CHARTS, "file", {"chart": "loss", "kind": "svg", "turn": 1790000000000})
    assert_silent(offered(files), secret, "a file to keep")
    for command in (["verdict"], ["verdict", "--json"], ["runs"], ["runs", "--json"]):
        name, *options = command
        try:
            main([name, str(tmp_path), *options])
        except SystemExit:
            continue
        printed = capsys.readouterr()
        assert_silent(printed.out + printed.err, secret, " ".join(command))
    assert_silent(caplog.text, secret, "the log")


@pytest.fixture
def drawn(monkeypatch) -> list[str]:
    """What pictures were drawn from: of a PNG nobody else can read what stands in it."""
    found: list[str] = []
    for name in ("vegalite_to_png", "vegalite_to_svg"):
        draw = getattr(vl_convert, name)

        def noted(spec, *args, draw=draw, **options):
            found.append(json.dumps(spec, ensure_ascii=False, default=str))
            return draw(spec, *args, **options)

        monkeypatch.setattr(vl_convert, name, noted)
    return found


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_no_picture_tells_a_secret(on_folder, tmp_path, files, drawn, kind):
    ids = []
    for number, (planted, _) in enumerate(list(SECRETS.values())):
        folder = tmp_path / f"run {number} {planted}".replace("//", "/")
        write_run(folder, [1.0, 0.5, 0.4], [0.9, 0.6, 0.5], rows=[{"step": 1, f"eval_{planted}": 0.5, f"{planted}": 1}])
        ids.append(number)
    listed = on_folder(tmp_path, list="50").listed
    assert len(listed) == len(ids)
    for start in range(0, len(listed), 5):
        app = on_folder(tmp_path, run=listed[start : start + 5])
        titles = list(app.charts)
        for turn, chart in enumerate(("loss", titles[-1]), 1):
            app.trigger(CHARTS, "file", {"chart": chart, "kind": kind, "turn": turn})
        made = offered({name: data for name, data in files.items() if name.endswith(kind)})
        assert ("PNG" if kind == "png" else "<svg") in made
        for _, secret in SECRETS.values():
            assert_silent("\n".join([*drawn, made, *files]), secret, kind)
    assert len(drawn) >= 3


def of_name(planted: str) -> str:
    """As far as it can be the name of a file: of what has slashes a browser gives the end."""
    return planted.rpartition("/")[2][:150]


@pytest.mark.parametrize("shape", SECRETS)
def test_no_page_tells_a_secret_of_an_upload(opened, monkeypatch, tmp_path, caplog, files, shape):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(storage, "_OWN", {})
    planted, secret = SECRETS[shape]
    name, way = of_name(planted), planted.replace("//", "/")
    log = {"log_history": [{"step": step, "loss": 1 / step, "eval_loss": 1.1 / step, f"eval_{planted}": 0.5}
                           for step in (1, 2, 3)], "best_model_checkpoint": planted, "global_step": 3}  # fmt: skip
    state = json.dumps(log).encode()
    table = f"step,loss,{planted.replace(',', ' ')}\n1,0.5,1\n2,0.4,1\n3,0.3,1\n".encode()
    args = json.dumps(config_with(planted)).encode()
    # Long names are shortened where they are shown: what is left of a secret must not be the half that is not known.
    long = f"{'w' * 30} {name} {'v' * 30}"[-180:]
    sent_files = [
        (f"{name}.zip", zipped({f"{way}/trainer_state.json": state, f"{way}/training_args.json": args})),
        (f"{name}.csv", table),
        (f"{planted}.log", b"nothing " + planted.encode()),
        (f"{name}.json", b"{" + planted.encode()),
        (f"{name}.7z", b"x"),
        (f"{long}.7z", b"x"),
        (f"{name} 2.zip", b"no zip"),
        (f"{name} 3.zip", zipped({f"../{way}": b"x"})),
        (f"{name} 4.csv", b""),
    ]
    app = opened()
    (widget,) = app.at.get("file_uploader")
    widget.set_value([(name, content, "application/octet-stream") for name, content in sent_files])
    app.rerun()
    uploaded = app.compared
    assert [is_uploaded(run) for run in uploaded] == [True, True]
    for page in PAGES:
        app.go(page, run=uploaded)
        app.assert_sound()
        assert set(app.compared) == set(uploaded)
        assert_silent(sent(app), secret, page)
        if page == MAIN:
            app.trigger(CHARTS, "file", {"chart": "loss", "kind": "svg", "turn": 1790000000000})
    assert_silent(offered(files) + "\n".join(files), secret, "a file to keep")
    assert_silent(caplog.text, secret, "the log")


def test_what_only_looks_like_a_secret_stays(monkeypatch):
    told = {
        "commit": "0123456789abcdef0123456789abcdef01234567",
        "path": "models/Llama3/checkpoints/Run1/outputFine",
        "repo": "https://huggingface.co/meta-llama/Llama-3.1-8B/tree/main",
        "mail": "mailto://someone",
        "text": "hf_transfer and skill-based training, basic training of key_proj",
    }
    with answering(Answers({run_id(1): row(1, config={"training": told})})) as project:
        for name, value in {"URL": project.url, "KEY": PUBLISHABLE, "SIGN_IN": "off"}.items():
            monkeypatch.setenv(PREFIX + name, value)
        forget_reads()
        app = App.open(PAGES[1], run=[run_id(1)])
        shown = sent(app)
    for value in told.values():
        assert value in shown
