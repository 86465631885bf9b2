"""The pages on a real project: who must sign in, who sees what, and what is said when something fails."""

from __future__ import annotations

import contextlib
import math
import os
import re
import socket
import time
from collections.abc import Callable, Sequence

import jwt
import pytest
import streamlit as st

from lib.core.facts.query import PAGE_SIZE, RunSort
from lib.data.supabase import client as supabase_client
from lib.data.supabase.auth import SignedIn
from lib.data.supabase.settings import PREFIX
from lib.data.supabase.source import SupabaseSource
from lib.gate.keeping import KEPT_S
from lib.gate.sessions import SESSIONS
from lib.gate.visitors import VISITORS
from lib.ui.frame import live
from lib.ui.session import reads
from lib.ui.session.comparison import ComparedRun
from tests.app.conftest import _own_settings  # noqa: F401 - a fixture
from tests.app.harness import DIFF, MAIN, PAGES, RANKING, TITLES, App
from tests.forgetting import forget_reads
from tests.supabase.live import LiveJob
from tests.supabase.project import Project
from tests.supabase.readers import project_for, reader_for
from tests.supabase.seed import JOBS, METRICS
from tests.supabase.test_source import add_job, add_rows

JOBS_PATH, METRICS_PATH = f"/rest/v1/{JOBS}", f"/rest/v1/{METRICS}"
SECRETS = re.compile(r"eyJ|sb_secret_|sb_publishable_|-has-a-password|Traceback|HTTPStatusError|httpx")
"""What no page may say: keys, tokens, passwords, and how the code fails."""
HIDDEN = "There are no runs that you may see."


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    """No setting of the caller's shell gets through, and a repetition comes at once."""
    monkeypatch.setattr(supabase_client, "FIRST_PAUSE_S", 0.01)
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


@pytest.fixture
def on(monkeypatch) -> Callable[..., App]:
    """Open a page of the app on a project: ``on(project, page, user="ann", run=[...], timeout_s=2)``."""

    def open_on(
        project: Project | None,
        page: str = MAIN,
        *,
        user: str | None = None,
        settings: dict[str, object] | None = None,
        **query: str | Sequence[str],
    ) -> App:
        given = {"url": project.url, "key": project.anon_key} if project else {}
        for name, value in (given | (settings or {})).items():
            monkeypatch.setenv(PREFIX + name.upper(), str(value))
        app = App()
        if page != MAIN:
            app.at.switch_page(page)
            app.page = page
        for name, value in query.items():
            app.at.query_params[name] = [value] if isinstance(value, str) else list(value)
        app.rerun()
        return enter(app, project, user) if user else app

    return open_on


def enter(app: App, project: Project, name: str, password: str | None = None) -> App:
    """Fill in the form with the password."""
    user = project.users[name]
    app.at.text_input(key="sign-in:email").set_value(user.email)
    field(app, "Password").set_value(user.password if password is None else password)
    return submit(app, "Sign in")


def field(app: App, label: str):
    (found,) = [each for each in app.at.text_input if each.label == label]
    return found


def submit(app: App, label: str) -> App:
    (button,) = [each for each in app.at.button if each.label == label]
    button.click()
    return app.rerun()


def asks_to_sign_in(app: App) -> bool:
    """The form is there, and nothing of a run."""
    assert not app.at.exception, app.at.exception
    assert not SECRETS.search(everything(app))
    form = "#### Sign in" in app.text
    if form:
        assert not app.listed
        assert app.grid is None
        assert not app.charts
        (head,) = [body for body in app.html_bodies if 'class="page-head"' in body]
        assert 'data-opens="runs"' not in head, "no button opens a list that is not there"
    return form


def everything(app: App) -> str:
    """All that is sent to the browser."""
    charts = [f"{part.head} {part.tables}" for part in app.sent]
    return "\n".join([*map(str, app.at._tree), *app.said, *app.html_bodies, *charts, *map(str, app.lines.values())])


def labels(app: App) -> set[str]:
    return set(app.grid.rows.index) if app.grid else set()


def says(app: App) -> str:
    """The one error on the page, or what the line above the content says; it holds no secret and no traceback."""
    assert not app.at.exception, app.at.exception
    above = [each for each in app.at.markdown if "could not be refreshed" in each.value]
    (error,) = app.at.error or above
    assert not SECRETS.search(everything(app))
    assert "<html" not in everything(app).lower()
    return error.value.replace("\\", "")


def assert_compares(app: App, run_ids: Sequence[str]) -> None:
    app.assert_sound()
    assert not asks_to_sign_in(app)
    assert app.compared == tuple(run_ids)
    if app.page == MAIN:
        assert len(app.grid.rows) == len(run_ids)


@contextlib.contextmanager
def closed_port():
    """An address where nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("page", PAGES)
def test_every_page_asks_to_sign_in_and_then_shows_what_the_link_says(plain, on, page):
    wanted = plain.jobs["ann"][1:3]
    app = on(plain, page, run=wanted, weight="0.5")
    assert asks_to_sign_in(app)
    assert app.title.startswith(TITLES[page])
    assert app.link == {"run": list(wanted), "weight": ["0.5"]}
    assert plain.log == []
    # Nothing to choose from or to share.
    offered = ('data-opens="runs"><span>Runs', 'data-presses="share_open" title')
    assert not any(each in body for each in offered for body in app.html_bodies)
    enter(app, plain, "ann")
    assert all(any(each in body for body in app.html_bodies) for each in offered)
    assert_compares(app, wanted)
    assert app.link == {"run": list(wanted), "weight": ["0.5"]}
    assert "ann@example.com" in app.text
    assert len(app.listed) == len(plain.jobs["ann"])


def test_a_wrong_password_is_named_and_the_right_one_is_taken_after_it(plain, on):
    app = enter(on(plain, run=plain.jobs["ann"][:2]), plain, "ann", "guess")
    assert asks_to_sign_in(app)
    assert "E-mail address or password is wrong." in says(app)
    assert "guess" not in app.text
    assert not plain.log.of("/rest/v1/")
    assert_compares(enter(app, plain, "ann"), plain.jobs["ann"][:2])


def test_a_form_that_is_not_filled_in_asks_nobody(plain, on):
    app = submit(on(plain), "Sign in")
    assert "Expected an e-mail address and a password." in says(app)
    assert plain.log == []


def test_a_code_from_an_e_mail_signs_in_once_a_wrong_one_never(plain, on):
    app = on(plain, run=plain.jobs["bob"][:2])
    app.at.get("button_group")[0].set_value("Code by e-mail")
    app.rerun()
    email = plain.users["bob"].email
    app.at.text_input(key="sign-in:email").set_value(email)
    submit(app, "Send me a code")
    assert [each.value for each in app.at.success] == ["A code is on its way by e-mail."]
    code = plain.accounts.codes[email]
    field(app, "Code from the e-mail").set_value("not the code")
    assert "The code is wrong or has expired." in says(submit(app, "Sign in"))
    field(app, "Code from the e-mail").set_value(code)
    assert_compares(submit(app, "Sign in"), plain.jobs["bob"][:2])
    assert email in app.text
    assert email not in plain.accounts.codes


def test_a_code_for_nobody_is_refused_and_no_account_is_made(plain, on):
    app = on(plain)
    app.at.get("button_group")[0].set_value("Code by e-mail")
    app.rerun()
    app.at.text_input(key="sign-in:email").set_value("eve@example.com")
    assert "There is no account with this e-mail address." in says(submit(app, "Send me a code"))
    assert "eve@example.com" not in plain.accounts.by_email


def test_signing_out_ends_the_session_at_the_project_too_and_keeps_the_link(plain, on):
    wanted = plain.jobs["ann"][:2]
    app = on(plain, user="ann", run=wanted)
    before = len(plain.accounts.sessions)
    app.click("sign_out")
    assert asks_to_sign_in(app)
    assert app.link == {"run": list(wanted)}
    assert len(plain.accounts.sessions) == before - 1
    assert asks_to_sign_in(app.rerun())
    assert_compares(enter(app, plain, "ann"), wanted)


def test_a_tab_that_is_opened_while_another_one_signs_out_is_known_before_it_is_let_in(plain, on, monkeypatch):
    on(plain, user="ann")
    ticket = next(iter(VISITORS._known))
    known, get = [], VISITORS.get

    def asked(shown: str, agent: str = "") -> SignedIn | None:
        known.append(SESSIONS.under(shown))
        return get(shown, agent)

    monkeypatch.setattr(VISITORS, "get", asked)
    # Here all tabs have one id.
    for session in SESSIONS.under(ticket):
        SESSIONS.note(session, "")
    tab = App()
    tab.at.session_state["sign-in:ticket"] = ticket
    assert not asks_to_sign_in(tab.rerun())
    assert len(known[-1]) == 1, "who signs out now would find it"
    # And where they had just done so before it was known.
    VISITORS.drop(ticket)
    assert asks_to_sign_in(tab.rerun())
    assert SESSIONS.under(ticket) == []


def test_no_browser_can_sign_the_others_out(plain, on):
    wanted = plain.jobs["ann"][:2]
    app = on(plain, user="ann", run=wanted)
    # What Streamlit does when any visitor's browser sends "clear_cache".
    st.cache_data.clear()
    st.cache_resource.clear()
    plain.log.clear()
    assert_compares(app.rerun(), wanted)
    assert not plain.log.of("/rest/v1/"), "nor make them read anew"


def test_a_sign_in_ends_by_the_clock_however_much_it_is_used(plain, on, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(VISITORS, "_clocks", (lambda: now[0], lambda: now[0]))
    wanted = plain.jobs["ann"][:2]
    app = on(plain, user="ann", run=wanted)
    now[0] += KEPT_S / 2
    assert_compares(app.rerun(), wanted)
    now[0] += KEPT_S / 2 - 1
    assert_compares(app.rerun(), wanted)
    now[0] += 1
    assert asks_to_sign_in(app.rerun())
    assert_compares(enter(app, plain, "ann"), wanted)


def test_a_sign_in_that_the_project_has_ended_is_asked_for_again_and_the_comparison_comes_back(plain, on):
    # Renewed after half of its life.
    plain.accounts.token_seconds = 1
    wanted = plain.jobs["ann"][:2]
    app = on(plain, user="ann", run=wanted, weight="0.4")
    plain.accounts.end_sessions(plain.users["ann"])
    time.sleep(0.6)
    app.ask(refresh=True)
    assert asks_to_sign_in(app)
    assert "The sign-in has expired." in app.text
    assert app.link == {"run": list(wanted), "weight": ["0.4"]}
    plain.accounts.reset()
    assert_compares(enter(app, plain, "ann"), wanted)
    assert app.link == {"run": list(wanted), "weight": ["0.4"]}


def test_a_token_that_the_project_refuses_is_renewed_without_a_word(plain, on):
    wanted = plain.jobs["ann"][:2]
    app = on(plain, user="ann", run=wanted)
    plain.faults.add(JOBS_PATH, status=401, body={"code": "PGRST301", "message": "JWT expired"}, times=1)
    assert_compares(app.ask(refresh=True), wanted)


@pytest.mark.parametrize("order", [("ann", "bob"), ("bob", "ann")])
def test_two_readers_with_the_same_link_see_their_own_runs_only_whatever_is_cached(plain, on, order):
    wanted = [*plain.jobs["ann"][:2], *plain.jobs["bob"][2:5]]
    apps = {name: on(plain, user=name, run=wanted) for name in order}
    for name, other in (order, order[::-1], order):
        app = apps[name].rerun()
        assert_compares(app, [run_id for run_id in wanted if run_id in plain.jobs[name]])
        assert set(app.listed) == set(plain.jobs[name])
        shown = everything(app) + str(app.grid.rows.to_dict())
        assert not [model for model in models(plain, other) - models(plain, name) if model in shown]
        assert plain.users[other].email not in shown


def models(project: Project, user: str) -> set[str]:
    """What somebody's runs are called."""
    return {row["model_name"] for row in project.execute(f"select model_name from public.{JOBS}", user=user)}


def label_of(project: Project, run_id: str) -> str:
    """What a run is called where no other has its name."""
    (row,) = project.execute(f"select model_name from public.{JOBS} where id = '{run_id}'")
    return row["model_name"]


@pytest.mark.parametrize("order", [("ann", "bob"), ("bob", "ann")])
def test_whoever_signs_in_after_somebody_else_in_one_browser_sees_nothing_of_theirs(plain, on, order):
    first, second = order
    wanted = plain.jobs[first][:2]
    app = on(plain, user=first, run=wanted)
    assert_compares(app, wanted)
    foreign = labels(app)
    assert asks_to_sign_in(app.click("sign_out"))
    enter(app, plain, second)
    app.assert_sound()
    assert app.compared == ()
    assert set(app.listed) == set(plain.jobs[second])
    assert not [label for label in foreign if label in app.text]
    assert "2 runs were left out: deleted, or not visible to this reader" in app.text


def test_each_page_asks_as_its_own_reader(plain, on):
    apps = [on(plain, user=name, run=plain.jobs[name][:1]) for name in ("ann", "bob")]
    for app, name in zip(apps, ("ann", "bob"), strict=True):
        plain.log.clear()
        app.ask(refresh=True).assert_sound()
        tokens = {entry.headers["authorization"].removeprefix("Bearer ") for entry in plain.log.of("/rest/v1/")}
        readers = {jwt.decode(token, options={"verify_signature": False})["sub"] for token in tokens}
        assert readers == {plain.users[name].id}


@pytest.mark.parametrize("page", PAGES)
def test_without_sign_in_the_rules_may_leave_nothing_and_the_page_says_why(plain, on, page):
    app = on(plain, page, settings={"sign_in": "off"}, run=plain.jobs["ann"][:1])
    app.assert_sound()
    assert HIDDEN in app.text
    assert "has no runs yet" not in app.text
    assert app.listed == []
    assert app.compared == ()
    assert not asks_to_sign_in(app)
    assert "sign_out" not in [button.key for button in app.at.button]


def test_a_reader_without_runs_of_their_own_is_told_the_same(fresh, on):
    project = fresh(seeded=False)
    app = on(project, user="ann")
    app.assert_sound()
    assert HIDDEN in app.text


def test_a_search_that_finds_nothing_is_not_taken_for_an_empty_project(plain, on):
    app = on(plain, user="ann", q="no such run")
    app.assert_sound()
    assert HIDDEN not in app.text
    assert "No run matches the search and the filter." in app.text


@pytest.mark.parametrize("schema", ["plain", "migrated", "old"])
def test_every_schema_opens_on_every_page(request, on, schema):
    project = request.getfixturevalue(schema)
    wanted = project.jobs["ann"][:2]
    app = on(project, user="ann", run=wanted)
    assert_compares(app, wanted)
    assert len(app.charts) == 5
    for page in (DIFF, RANKING):
        assert_compares(app.go(page, run=wanted), wanted)


def test_a_project_that_is_not_there_has_a_sentence_and_a_retry(on, plain):
    with closed_port() as nowhere:
        app = on(plain, settings={"url": nowhere, "sign_in": "off"})
        assert "could not be reached" in says(app)
        app = on(plain, settings={"url": nowhere, "sign_in": "required"})
        enter(app, plain, "ann")
        assert "could not be reached" in says(app)
        assert asks_to_sign_in(app)


FAULTS = {
    "502 with a page of HTML": ({"status": 502}, "the server failed (HTTP 502)"),
    "429": ({"status": 429, "headers": {"Retry-After": "60"}}, "too many requests"),
    "a cut answer": ({"cut": "body"}, "is not complete"),
    "a connection cut off": ({"cut": "connection"}, "broke off"),
    "silence": ({"hang": True}, "none came in time"),
}


def patience(fault: dict[str, object]) -> dict[str, object]:
    """Settings: silence is waited for in full, anything else no longer than it takes."""
    return {"timeout_s": 4 if "hang" in fault else 30}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_list_that_cannot_be_read_has_a_sentence_and_what_was_read_stays(plain, on, kind):
    fault, sentence = FAULTS[kind]
    wanted = plain.jobs["ann"][:2]
    app = on(plain, user="ann", run=wanted, settings=patience(fault))
    plain.faults.add(JOBS_PATH, **fault)
    app.ask(refresh=True)
    assert_compares(app, wanted)
    assert "could not be refreshed" in app.text
    assert sentence in app.text.replace("\\", "")
    assert set(app.listed) == set(plain.jobs["ann"])
    plain.faults.clear()
    assert_compares(app.click("refresh_now"), wanted)
    assert "could not be refreshed" not in app.text


@pytest.mark.parametrize("kind", FAULTS)
def test_a_list_that_never_came_has_a_sentence_and_a_retry_that_works_afterwards(plain, on, kind):
    fault, sentence = FAULTS[kind]
    wanted = plain.jobs["ann"][:2]
    plain.faults.add(JOBS_PATH, **fault)
    app = on(plain, user="ann", run=wanted, settings=patience(fault))
    assert sentence in says(app)
    assert app.link == {"run": list(wanted)}
    plain.faults.clear()
    assert_compares(app.click("retry:page"), wanted)


@pytest.mark.parametrize("kind", FAULTS)
def test_a_run_whose_metrics_cannot_be_read_leaves_the_others_compared(plain, on, kind):
    fault, sentence = FAULTS[kind]
    wanted = plain.jobs["bob"][2:5]
    lost = wanted[1]
    plain.faults.add(METRICS_PATH, query=lost, **fault)
    app = on(plain, user="bob", run=wanted, settings=patience(fault))
    assert sentence in says(app)
    name = label_of(plain, lost)
    why = "" if app.at.error else ", for the reason above"
    assert f"The metrics of {name} could not be read{why}; it is compared by its summary." in app.text
    assert len(app.grid.rows) == 3
    assert len(app.colors) == 2
    assert len(app.charts) == 5
    plain.faults.clear()
    assert_compares(app.click(f"retry:{lost}" if app.at.error else "refresh_now"), wanted)
    assert len(app.colors) == 3


def test_rows_that_are_missing_are_marked_until_they_are_there(plain, on):
    (long,) = [run_id for run_id in plain.jobs["bob"] if label_of(plain, run_id) == "legal-qa-qwen-7b-full"]
    wanted = [plain.jobs["bob"][2], long]
    # When the run began and its first page come at the same time, in any order.
    plain.faults.add(METRICS_PATH, query=long, after=2, status=502)
    app = on(plain, user="bob", run=wanted)
    said = says(app)
    assert re.search(r"Expected 2,999 metric rows of 1 run, read 1,000\.", said)
    assert "rows are missing" in said
    assert "The metrics of legal-qa-qwen-7b-full are incomplete." in app.text
    assert len(app.colors) == 2
    plain.faults.clear()
    assert_compares(app.click(f"retry:{long}"), wanted)
    assert "are incomplete" not in app.text


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("key", "service_key", "Expected a public key, found a service key"),
        ("key", "secret_key", "Expected a public key, found a service key"),
        ("url", "anon_key", "Expected"),
        ("refresh_s", "0", "Expected the environment variable RUNOFF_SUPABASE_REFRESH_S to be a number of seconds"),
        ("sign_in", "maybe", 'to be "required" or "off"'),
        ("password", "hunter2", "environment variable RUNOFF_SUPABASE_PASSWORD"),
    ],
)
@pytest.mark.parametrize("page", [MAIN, DIFF])
def test_settings_that_are_wrong_are_said_on_the_page_without_a_key(plain, on, page, setting, value, sentence):
    given = getattr(plain, value, value)
    app = on(plain, page, settings={setting: given})
    assert sentence in says(app)
    assert given not in everything(app) or given in ("0", "maybe")
    assert not asks_to_sign_in(app)
    assert app.listed == []
    assert plain.log == []


def test_a_key_that_the_project_does_not_know_is_named_without_being_shown(plain, on):
    key = "sb_publishable_of_another_project"
    app = on(plain, user="ann", settings={"key": key})
    assert "Expected the API key" in says(app)
    assert key not in everything(app)


def test_search_filter_and_order_are_the_databases(plain, on):
    app = on(plain, user="ann", q="support-llama", sort="best loss", status="completed")
    app.assert_sound()
    assert len(app.listed) == 5
    losses = {
        row["id"]: float(row["best_eval_loss"])
        for row in plain.execute(f"select id, best_eval_loss from public.{JOBS} where model_name = 'support-llama-8b'")
    }
    assert app.listed == sorted(losses, key=losses.get)
    (asked,) = [entry.query for entry in plain.log.of(JOBS_PATH) if "model_name.imatch" in entry.query]
    assert "order=best_eval_loss.asc" in asked
    assert f"limit={PAGE_SIZE}" in asked
    plain.log.clear()
    app.ask(status="failed")
    app.ask(search="")
    app.assert_sound()
    assert {label_of(plain, run_id) for run_id in app.listed} == {"support-qwen-7b", "legal-qa-llama-8b"}
    app.ask(sort=RunSort.MODEL)
    assert [label_of(plain, run_id) for run_id in app.listed] == ["legal-qa-llama-8b", "support-qwen-7b"]
    app.ask(status="")
    assert len(app.listed) == len(plain.jobs["ann"])


def test_a_long_list_comes_in_pieces(fresh, on):
    project, total = fresh(seeded=False), 2 * PAGE_SIZE + 20
    owner = project.users["ann"].id
    project.execute(
        f"insert into public.{JOBS} (user_id, model_name, dataset_path, base_model, status, created_at)"
        f" select '{owner}', 'run-' || lpad(n::text, 3, '0'), 'd', 'b', 'completed', now() - n * interval '1 minute'"
        f" from generate_series(1, {total}) n"
    )
    app = on(project, user="ann")
    app.assert_sound()
    assert len(app.listed) == PAGE_SIZE
    assert f"First {PAGE_SIZE} of {total} runs" in app.text
    app.ask(limit=app.runs["limit"] + app.runs["more"]).assert_sound()
    assert len(app.listed) == 2 * PAGE_SIZE
    assert app.link == {"list": [str(2 * PAGE_SIZE)]}
    assert app.runs["more"] == 20
    app.ask(limit=app.runs["limit"] + app.runs["more"]).assert_sound()
    assert [label_of(project, run_id) for run_id in app.listed[::60]] == ["run-001", "run-061"]
    assert len(set(app.listed)) == total
    assert f"{total} runs" in app.text
    assert app.runs["more"] == 0


def test_a_running_run_is_watched_and_a_finished_one_is_not(fresh, on):
    project = fresh()
    running = LiveJob(project)
    app = on(project, user="ann", run=[running.job])
    app.assert_sound()
    assert "1 run is running · as of" in app.text
    assert "stalled" not in app.text
    before = last_step(app)
    assert running.grow() == before + 5
    reads._CURVES.forget()
    assert last_step(app.rerun()) == before + 5

    project.execute(f"update public.{JOBS} set status = 'completed', updated_at = now() where id = '{running.job}'")
    app.ask(refresh=True).assert_sound()
    assert "running · as of" not in app.text
    assert "live_pause" not in [toggle.key for toggle in app.at.toggle]


def last_step(app: App) -> int:
    """The last step that is drawn."""
    return int(app.charts["Loss"].data["lines"]["x"].max())


def test_a_run_that_has_not_reported_for_ten_minutes_is_stalled_in_list_and_page(fresh, on):
    project = fresh()
    running = LiveJob(project)
    for minutes, stalled in ((9, False), (11, True)):
        project.execute(
            f"update public.{JOBS} set updated_at = now() - interval '{minutes} minutes' where id = '{running.job}'"
        )
        forget_reads()
        app = on(project, user="ann", run=[running.job])
        app.assert_sound()
        assert ("is stalled: it has not reported for 11 min" in app.text) is stalled
        assert app.lines[running.job]["unusual"].startswith("stalled") is stalled


def test_a_number_that_is_none_is_no_news_at_each_look(fresh):
    project = fresh()
    job = LiveJob(project).job
    project.execute(f"update public.{JOBS} set loss = 'NaN', grad_norm = 'Infinity' where id = '{job}'")
    with project_for(project) as connections:
        source = SupabaseSource(connections, reader_for(connections, project, "ann"))
        (run,) = source.load_runs([job])
        shown = ComparedRun(run, run, "a", "#000000", 0, reads.load_data(source, run), "key")
        assert math.isnan(run.loss)
        assert not live._has_news(source, [shown])
        project.execute(f"update public.{JOBS} set loss = 0.5 where id = '{job}'")
        assert live._has_news(source, [shown])


LONG = 9000


def row_reads(project: Project) -> list:
    """The reads of metric rows, beside the one of a row that tells the columns."""
    return [entry for entry in project.log.of(METRICS_PATH) if "select=%2A" not in entry.query]


FUNCTION_PATH = "/rest/v1/rpc/reduced_metrics"


@pytest.fixture
def long_run(fresh) -> Callable[..., tuple[Project, str]]:
    """Make a project with a run that logged more than comes whole: ``long_run(migrated=True)``."""

    def make(*, migrated: bool) -> tuple[Project, str]:
        project = fresh(migrated=migrated, seeded=False)
        job = add_job(project, model_name="long-run", status="completed")
        add_rows(
            project,
            job,
            1,
            LONG,
            epoch="i / 3000.0",
            train_loss="2 + sin(i)",
            grad_norm="case when i = 4321 then 50 else 1 + cos(i) / 2 end",
            eval_loss="case when i % 100 = 0 then 2 - i / 1e5 end",
            perplexity="case when i % 100 = 0 then exp(2 - i / 1e5) end",
            tokens_per_second="1000 + i % 7",
            gpu_utilization_percent="90 + i % 10",
        )
        return project, job

    return make


def test_the_page_says_that_a_database_reduces_and_every_row_can_be_read(long_run, on):
    project, job = long_run(migrated=True)
    app = on(project, user="ann", run=job)
    app.assert_sound()
    assert "Curves are reduced in the database (function reduced_metrics)." in app.text
    assert re.search(
        r"Of 1 run, [\d,]+ of 27,180 values are here, every extreme and every evaluation among them", app.text
    )
    assert not row_reads(project), "one small answer, and no rows"
    assert len(project.log.of(FUNCTION_PATH)) == 1

    app.turn("toggle", "widget:rows", True)
    app.assert_sound()
    assert app.link["rows"] == ["all"]
    assert "Every logged value is here." in app.text
    assert "Read every row" in [toggle.label for toggle in app.at.toggle]
    assert row_reads(project)
    again = on(project, user="ann", run=job, rows="all")
    again.assert_sound()
    assert "Every logged value is here." in again.text
    app.turn("toggle", "widget:rows", False)
    assert "rows" not in app.link
    assert "of 27,180 values are here" in app.text


def test_short_runs_come_whole_either_way_and_nothing_is_offered(plain, migrated, on):
    for project, way in ((plain, "Every row is read"), (migrated, "Curves are reduced in the database")):
        forget_reads()
        app = on(project, user="ann", run=project.jobs["ann"][:2])
        app.assert_sound()
        assert way in app.text
        assert "Every logged value is here." in app.text
        assert "Read every row" not in [toggle.label for toggle in app.at.toggle]


def test_without_the_migration_a_long_run_is_read_row_by_row_and_the_page_says_so(long_run, on):
    project, job = long_run(migrated=False)
    app = on(project, user="ann", run=job)
    app.assert_sound()
    assert "Every row is read; the optional migration would let the database reduce long curves." in app.text
    assert "Every logged value is here." in app.text
    assert "Read every row" not in [toggle.label for toggle in app.at.toggle]
    assert len(project.log.of(FUNCTION_PATH)) == 1


def test_both_ways_draw_the_same_points_and_extremes_and_judge_alike(long_run, on):
    project, job = long_run(migrated=True)
    charts, grids = [], []
    for rows in ([], ["all"]):
        app = on(project, user="ann", run=job, rows=rows)
        app.assert_sound()
        charts.append(app.charts)
        grids.append(app.grid.rows)
    for name in ("Loss", "Gradient norm"):
        few, whole = (each[name].data["lines"] for each in charts)
        assert (few["y"].min(), few["y"].max()) == (whole["y"].min(), whole["y"].max())
        assert (few["x"].min(), few["x"].max()) == (whole["x"].min(), whole["x"].max())
        assert (charts[0][name].data["evals"] == charts[1][name].data["evals"]).all(axis=None)
    for column in ("best_eval_loss", "best_step", "tokens_per_second"):
        if column in grids[0]:
            assert grids[0][column].tolist() == pytest.approx(grids[1][column].tolist(), rel=1e-12)
    assert charts[0]["Gradient norm"].data["lines"]["y"].max() == 50


def test_zooming_into_a_reduced_run_shows_full_resolution(long_run, on):
    project, job = long_run(migrated=True)
    app = on(project, user="ann", run=job, zoom="4300~4400", loss="train")
    app.assert_sound()
    shown = app.charts["Gradient norm"].data["lines"]
    inside = shown[shown["x"].between(4300, 4400)]
    assert inside["x"].tolist() == list(range(4300, 4401))
    assert app.charts["Gradient norm"].head["counted"] == "all 101 points drawn"
    assert not row_reads(project), "the database reduced nothing of so few, and sent no rows"


def test_a_sign_in_that_ends_before_somebody_zooms_is_asked_for_again(long_run, on):
    project, job = long_run(migrated=True)
    app = on(project, user="ann", run=job, loss="train")
    app.assert_sound()
    # All that the page itself shows is read; only the charts ask for more.
    project.faults.add(FUNCTION_PATH, status=401, body={"code": "PGRST301", "message": "JWT expired"})
    app.at.query_params["zoom"] = "4300~4400"
    app.rerun()
    assert asks_to_sign_in(app)
    assert "The sign-in has expired." in app.text
    project.faults.clear()
    enter(app, project, "ann").assert_sound()
    assert app.charts["Gradient norm"].head["counted"] == "all 101 points drawn"
    assert app.link["zoom"] == ["4300~4400"]


def test_a_zoom_that_cannot_be_read_has_a_reason_with_an_id(long_run, on):
    project, job = long_run(migrated=True)
    app = on(project, user="ann", run=job, loss="train")
    project.faults.add("/rest/v1/", status=400, body={"code": "22P02", "message": "no"})
    app.at.query_params["zoom"] = "4300~4400"
    app.rerun()
    (said,) = [each.value for each in app.at.warning if "is not shown in full resolution" in each.value]
    assert re.search(r"Error id [0-9a-f]{8}", said)


def test_pinned_values_of_a_reduced_run_are_those_of_all_rows(long_run, on):
    project, job = long_run(migrated=True)
    for pin in ("4322", "777.5", "8999", "1"):
        reduced, whole = (on(project, user="ann", run=job, pin=pin, rows=rows).pinned for rows in ([], ["all"]))
        assert {"Train loss", "Gradient norm", "GPU utilisation (%)"} <= {each["title"] for each in reduced["all"]}
        assert (reduced["rows"], reduced["all"]) == (whole["rows"], whole["all"])


@pytest.mark.parametrize("migrated", [True, False])
def test_a_further_metric_is_read_when_it_is_chosen(long_run, on, migrated):
    project, job = long_run(migrated=migrated)
    app = on(project, user="ann", run=job)
    before = set(app.charts)
    app.put(metric=["gpu_utilization_percent", "perplexity"]).assert_sound()
    assert set(app.charts) - before == {"GPU utilisation (%)", "Perplexity"}
    utilisation = app.charts["GPU utilisation (%)"].data["lines"]
    assert (utilisation["y"].min(), utilisation["y"].max()) == (90, 99)
    assert len(app.charts["Perplexity"].data["evals"]) == LONG // 100


@pytest.mark.parametrize("migrated", [True, False])
def test_a_column_that_only_this_project_has_is_a_further_metric(fresh, on, migrated):
    project = fresh(migrated=migrated, seeded=False)
    project.execute(f"alter table {METRICS} add eval_accuracy double precision, add note text, add api_token text")
    project.reload_schema()
    job = add_job(project, model_name="run", status="completed")
    accuracy = "case when i % 10 = 0 then i / 1000.0 end"
    add_rows(project, job, 1, 200, eval_accuracy=accuracy, note="'text'", api_token="'a-secret'")
    app = on(project, user="ann", run=job)
    app.assert_sound()
    assert "Accuracy" in app.offered
    assert not {"Note", "Api token", "note", "api_token"} & set(app.offered)
    app.put(metric=["eval_accuracy"]).assert_sound()
    assert len(app.charts["Accuracy"].data["evals"]) == 20
    assert "a-secret" not in app.text


# --- another metric than the eval loss decides --------------------------------------------------------


@pytest.fixture(params=[False, True], ids=["every row", "reduced"])
def by_f1(request, fresh) -> tuple[Project, list[str]]:
    """Two long runs: the first has the lower eval loss, the second the higher F1, best at another step."""
    project = fresh(seeded=False, migrated=request.param)
    project.execute(f"alter table {METRICS} add eval_macro_f1 double precision, add eval_alpha_loss double precision")
    project.reload_schema()
    jobs = [add_job(project, number, status="completed", model_name=name) for number, name in ((1, "a"), (2, "b"))]
    for job, loss, f1 in ((jobs[0], 0.4, 0.80), (jobs[1], 0.5, 0.90)):
        add_rows(
            project,
            job,
            1,
            5000,
            # Lowest at step 2000 and highest at step 4000.
            eval_loss=f"case when i % 500 = 0 then {loss} + abs(i - 2000) / 1e5 end",
            eval_macro_f1=f"case when i % 500 = 0 then {f1} - abs(i - 4000) / 1e5 end",
        )
    return project, jobs


def recommended(app: App) -> str:
    (name,) = app.grid.rows.index[app.grid.rows["_recommended"]]
    return name


def test_a_further_column_decides_where_the_link_says_so(by_f1, on):
    project, jobs = by_f1
    plainly = on(project, user="ann", run=jobs)
    plainly.assert_sound()
    assert recommended(plainly) == "a"
    assert plainly.grid.rows["eval_loss_text"]["a"].startswith("🏆 0.4")
    app = on(project, user="ann", run=jobs, by="eval_macro_f1", col=["eval_loss", "lowest_eval_loss", "eval_macro_f1"])
    app.assert_sound()
    assert recommended(app) == "b"
    assert app.link["by"] == ["eval_macro_f1"]
    rows = app.grid.rows
    # All of the shipped step, 4000: 0.5 + 2000 / 1e5.
    assert rows["eval_loss"]["b"] == pytest.approx(0.52)
    assert "The lowest is 0.5000 at step 2,000." in rows["eval_loss_note"]["b"]
    assert rows["lowest_eval_loss"]["b"] == pytest.approx(0.5)
    (key,) = [
        each["colId"] for each in app.grid.arguments["gridOptions"]["columnDefs"] if "f1" in each["headerName"].lower()
    ]
    assert rows[key].to_dict() == {"a": 0.8, "b": 0.9}
    assert rows[f"{key}_mark"].to_dict() == {"a": "worst", "b": "best"}
    # The choice beside the verdict has it, with its direction and the best of each run.
    said = "\n".join(app.said).replace("\\", "")
    assert "| macro F1 | ↑ | 0.9 | 0.8 |" in said


def test_a_further_column_decides_where_the_configuration_names_it(by_f1, on):
    project, jobs = by_f1
    chosen = '{"training": {"metric_for_best_model": "macro_f1", "greater_is_better": true}}'
    project.execute(f"update public.{JOBS} set config = '{chosen}'")
    app = on(project, user="ann", run=jobs)
    app.assert_sound()
    assert recommended(app) == "b"
    assert "by" not in app.link


def test_a_column_that_is_empty_for_these_runs_decides_nothing_and_the_link_drops_it(by_f1, on):
    project, jobs = by_f1
    app = on(project, user="ann", run=jobs, by="eval_alpha_loss", metric=["eval_alpha_loss", "unheard"], col="nothing")
    app.assert_sound()
    assert recommended(app) == "a"
    assert not {"by", "metric", "col"} & app.link.keys()
    said = "\n".join(each.value for each in app.at.warning).replace("\\", "")
    assert "such a metric: metric=eval_alpha_loss, metric=unheard, by=eval_alpha_loss." in said
    assert "1 column of the link left out: nothing." in said


def test_what_a_chart_and_a_column_both_show_is_read_once(by_f1, on):
    project, jobs = by_f1
    project.execute(f"alter table {METRICS} add power double precision")
    project.execute(f"update {METRICS} set power = step where step <= 3000")
    project.reload_schema()
    counts = []
    for query in ({}, {"metric": "power"}, {"metric": "power", "col": "power"}, {"col": "power"}):
        forget_reads()
        reads._SOURCES.forget()
        project.log.clear()
        app = on(project, user="ann", run=jobs, **query)
        app.assert_sound()
        # A single row tells what columns there are, and when a run began.
        rows = [entry for entry in project.log.of(METRICS_PATH) if "limit=1&" not in f"{entry.query}&"]
        counts.append(len(rows) + len(project.log.of(FUNCTION_PATH)))
        if "col" in query:
            (_, column) = app.columns
            # The median of 1, 2, ... 3000.
            assert app.grid.rows[column]["a"] == 1500.5
    assert counts[1] == counts[2] == counts[3] > counts[0]
