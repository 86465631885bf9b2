"""Uploading runs, in a session without a browser."""

from __future__ import annotations

import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from lib.core.facts.selection import is_uploaded
from lib.data.upload import storage
from lib.ui.session.current_curves import CurvesMemory
from lib.ui.uploads import uploads
from tests.app.harness import HEALTH, MAIN, PAGES, App, plain, write_run
from tests.data.upload.archives import state, table, zipped

CSV = "text/csv"


@pytest.fixture(autouse=True)
def _own_place(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(storage, "_OWN", {})


def send(app: App, *files: tuple[str, bytes]) -> App:
    """Drop files on the page."""
    (widget,) = app.at.get("file_uploader")
    widget.set_value([(name, content, "application/octet-stream") for name, content in files])
    return app.rerun()


THREE = tuple((f"lr{level}_trainer_state.json", state(float(level))) for level in (1, 2, 3))


def said(app: App) -> str:
    (body,) = [body for body in app.html_bodies if 'class="upload-said"' in body]
    return re.sub(r"<[^>]*>", " ", body.split("<details>")[0])


def uploaded(app: App) -> list[str]:
    return [line["name"] for line in app.lines.values() if line.get("mark") == "uploaded"]


def uploads_kept(app: App) -> tuple[object, ...]:
    return app.at.session_state["upload"].items


def test_what_the_servers_disk_has_refused_has_an_id_and_what_is_wrong_with_a_file_needs_none(
    opened, monkeypatch, tmp_path, caplog
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    app = send(opened(), *THREE)
    assert "The server has no place for uploads: No such file or directory." in said(app)
    (entry,) = [each for each in caplog.records if each.name == "runoff"]
    assert f"Error id {entry.error_id}" in said(app)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert "Error id" not in said(send(app, ("x.zip", b"no archive")))


@pytest.mark.parametrize("name", [".hidden/trainer_state.json", "node_modules/run/trainer_state.json", "empty/"])
def test_an_archive_of_which_nothing_is_looked_at_is_said_to_hold_no_run(opened, name):
    app = send(opened(), ("x.zip", zipped({name: state() if not name.endswith("/") else b""})))
    assert "No run was found in what came." in said(app)
    assert not uploads_kept(app)
    assert "3 runs found." in said(send(app, *THREE))


def test_three_files_are_compared_beside_the_demo(opened):
    app = send(opened(), *THREE)
    app.assert_sound()
    assert sorted(uploaded(app)) == ["lr1", "lr2", "lr3"]
    assert len(app.compared) == 3
    assert all(map(is_uploaded, app.compared))
    assert app.panel[0].startswith("Ship lr1 uploaded")
    assert "3 runs found." in said(app)
    assert len(app.listed) > 3, "the demo's runs are listed too"


def test_an_upload_is_listed_beside_the_runs_of_a_folder_and_compared_with_them(on_folder, tmp_path):
    write_run(tmp_path / "runs" / "own", [3.0, 2.0, 1.0], [3.5, 2.5, 1.5])
    app = on_folder(tmp_path / "runs", run=["own"])
    send(app, ("trainer_state.json", state(0.5)))
    app.assert_sound()
    assert uploaded(app) == ["trainer_state 1"]
    assert [is_uploaded(run_id) for run_id in app.compared] == [False, True]
    assert app.title.count("1 run in") == 1


def test_no_run_is_called_by_a_number_alone(opened):
    app = send(opened(), *(("trainer_state.json", state(level)) for level in (1.0, 2.0)))
    assert app.panel[0].startswith("Ship trainer_state 1")
    assert "Runner-up: trainer_state 2" in " ".join(app.panel)


def test_uploads_stay_on_every_page(opened):
    app = send(opened(), *THREE)
    for page in PAGES:
        app.go(page, **app.link).assert_sound()
        assert len(app.compared) == 3
        assert not app.at.warning


def test_an_archive_and_more_later_and_what_is_removed(opened):
    app = send(
        opened(),
        ("sweep.zip", zipped({f"{name}/trainer_state.json": state(level) for level, name in enumerate("ab", 1)})),
    )
    assert sorted(uploaded(app)) == ["a", "b"]
    send(app, ("c.csv", table(3.0)))
    assert sorted(uploaded(app)) == ["a", "b", "c"]
    assert len(app.compared) == 3
    app.click("upload_remove_1")
    app.assert_sound()
    assert uploaded(app) == ["c"]
    assert len(app.compared) == 1
    assert not app.at.warning, "who removes runs knows that they are gone"
    app.click("upload_remove_2")
    app.assert_sound()
    assert uploaded(app) == []
    assert app.compared == ()


def test_the_same_files_are_taken_once(opened):
    app = send(opened(), *THREE)
    for _ in range(3):
        app.rerun()
    assert len(uploaded(app)) == 3


def test_the_same_log_again_is_said_to_be_and_not_compared_with_itself(opened):
    app = send(opened(), THREE[0], THREE[1])
    first = set(app.compared)
    send(app, ("again_trainer_state.json", THREE[0][1]), THREE[2])
    app.assert_sound()
    assert "again is the same training as lr1 , and is not compared with it." in " ".join(said(app).split())
    assert first < set(app.compared)
    assert len(app.compared) == 3
    send(app, ("more_trainer_state.json", THREE[0][1]))
    assert "No run was found" not in said(app)
    assert len(app.compared) == 3


def test_a_log_that_grew_takes_the_place_of_what_was_uploaded_of_it(opened):
    rows = json.loads(THREE[0][1])
    whole = json.dumps(rows).encode()
    begun = {**rows, "log_history": rows["log_history"][: len(rows["log_history"]) // 2]}
    begun["global_step"] = max(row["step"] for row in begun["log_history"])
    app = send(opened(), ("begun_trainer_state.json", json.dumps(begun).encode()), THREE[1])
    assert len(app.compared) == 2
    send(app, ("whole_trainer_state.json", whole))
    names = {line["name"] for run_id, line in app.lines.items() if run_id in app.compared}
    assert names == {"whole", "lr2"}


def test_what_is_refused_is_said_and_the_rest_is_taken(opened):
    app = send(opened(), ("x.zip", zipped({"../x.json": b"{}"})), THREE[0], ("empty.csv", b""))
    app.assert_sound()
    assert 'found "../x.json"' in said(app).replace("&quot;", '"')
    assert "found an empty file" in said(app)
    assert uploaded(app) == ["lr1"]


def test_files_without_a_run_are_named_with_the_reason(opened):
    app = send(opened(), ("notes.txt", b"nothing here"), ("trainer_state.json", b"{"))
    app.assert_sound()
    assert "No run was found" in said(app)
    assert "trainer_state.json" in said(app)
    assert uploaded(app) == []


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [("m.pkl", b"\x80\x04", ".pkl"), ("a.png", b"\x89PNG", ".png"), ("none.csv", b"step,train_loss\n", "no rows")],
)
def test_what_came_and_is_no_run_is_said_and_not_kept(opened, name, content, why):
    app = send(opened(), (name, content))
    app.assert_sound()
    assert "No run was found" in said(app)
    assert why in said(app)
    assert uploads_kept(app) == ()
    send(app, ("good.csv", table()), (name, content)).assert_sound()
    assert "1 run found." in said(app)
    assert "Not used:" in said(app)
    assert why in said(app)
    assert len(uploads_kept(app)) == 1
    assert len(uploaded(app)) == 1


def test_more_runs_than_can_be_compared_are_listed(opened):
    files = [(f"run{level}.csv", table(1 + level / 10)) for level in range(8)]
    app = send(opened(), *files)
    assert app.compared == ()
    assert "8 runs were found; tick up to five." in said(app)
    assert [line["name"] for line in app.lines.values()][:8] == [f"run{level}" for level in range(8)]
    app.click("upload_list")
    assert len(app.listed) == 8
    assert len(uploaded(app)) == 8


def test_where_there_is_no_room_the_new_runs_can_be_compared_instead(opened, demo):
    app = send(opened(run=[run.run_id for run in demo.runs[:4]]), *THREE)
    assert len(app.compared) == 4
    app.click("upload_compare")
    assert len(app.compared) == 3
    assert all(map(is_uploaded, app.compared))


def test_another_session_sees_nothing_of_it_and_says_so(opened):
    first = send(opened(), *THREE[:2])
    other = opened(**first.link)
    assert uploaded(other) == []
    assert other.compared == ()
    (warning,) = [plain(each.value) for each in other.at.warning]
    assert warning == "2 uploaded runs are not in this link: uploads stay in the browser session that made them."
    again = send(opened(), *THREE[:2])
    assert set(again.compared).isdisjoint(first.compared)


def test_the_link_says_what_it_cannot_carry(opened, demo):
    app = opened(run=[demo.runs[0].run_id])
    assert not any("data-without" in body for body in app.html_bodies)
    send(app, THREE[0])
    (head,) = [body for body in app.html_bodies if 'class="page-head"' in body]
    assert 'data-without="without the 1 uploaded run"' in head


def test_the_way_in_is_named_where_there_is_nothing_and_on_the_demo(opened, on_folder, tmp_path):
    app = opened()
    assert "make run" not in " ".join(app.html_bodies)
    assert sum('data-opens="upload"' in body for body in app.html_bodies) == 2
    (tmp_path / "none").mkdir()
    empty = on_folder(tmp_path / "none")
    assert any('class="page-empty"' in body and 'data-opens="upload"' in body for body in empty.html_bodies)


def test_nothing_is_held_in_memory_once_it_is_taken(opened, monkeypatch):
    freed: list[str] = []
    monkeypatch.setattr(uploads, "_free", lambda files: freed.extend(file.name for file in files))
    send(opened(), *THREE)
    assert freed == [name for name, _ in THREE]


def test_an_upload_that_somebody_cleared_from_the_disk_is_no_traceback(opened):
    app = send(opened(), *THREE)
    shutil.rmtree(app.at.session_state["upload"]._folder)
    app.rerun().assert_sound()
    assert uploaded(app) == []
    assert "3 uploaded runs are not in this link" in app.text
    send(app, THREE[0]).assert_sound()
    assert uploaded(app) == ["lr1"]


def test_of_many_refusals_some_are_said(opened):
    app = send(opened(), *((f"{number}.rar", b"x") for number in range(9)))
    app.assert_sound()
    assert said(app).count("Expected files, or archives") == 5
    assert "4 more were not taken." in said(app)


def test_hostile_names_are_shown_as_text(opened):
    name = "<img src=x onerror=alert(1)> **b** :red[x]"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{name}/trainer_state.json", json.dumps(json.loads(state())))
    app = send(opened(), (f"{name}.zip", packed.getvalue()), (f"{name}.rar", b"x"))
    app.assert_sound()
    assert not any("<img src=x" in body for body in app.html_bodies)
    app.go(HEALTH, **app.link).assert_sound()
    app.go(MAIN, **app.link).assert_sound()


def test_what_is_read_of_the_source_is_shared_and_what_is_read_of_an_upload_is_not(opened, demo, monkeypatch):
    read: list[tuple[str, str]] = []
    newest = CurvesMemory.newest

    def noted(self, source, run, *rest):
        read.append((source.cache_key, run.run_id))
        return newest(self, source, run, *rest)

    monkeypatch.setattr(CurvesMemory, "newest", noted)
    first, second = (send(opened(run=[demo.runs[3].run_id]), THREE[0]) for _ in range(2))
    keys = {key for key, run_id in read if run_id == demo.runs[3].run_id}
    assert keys == {demo.source.cache_key}
    own = {run_id: key for key, run_id in read if is_uploaded(run_id)}
    assert set(own) == {first.compared[1], second.compared[1]}
    assert len(set(own.values())) == 2


def test_signing_out_removes_what_was_uploaded(opened, tmp_path):
    app = send(opened(), *THREE)
    upload = app.at.session_state["upload"]
    assert list(upload._folder.rglob("*.json"))

    def leave() -> None:
        from lib.ui.frame import sign_in

        sign_in.forget()

    run_with(leave, upload)
    assert not upload._folder.exists()
    app.rerun()
    app.assert_sound()
    assert uploaded(app) == []
    send(app, THREE[0])
    assert uploaded(app) == ["lr1"]


def run_with(script: Callable[[], None], upload: object) -> None:
    """Run a script in a session that holds an upload."""
    at = AppTest.from_function(script)
    at.session_state["upload"] = upload
    at.run()
    assert not at.exception
    assert "upload" not in at.session_state
