"""Signing in and watching a run in a real browser: what it keeps, what it shows, and to whom."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from lib.gate.keeping import COOKIE, KEPT_S
from tests.browser.actions import eventually, hover, line, listed, query
from tests.browser.harness import Server, open_app, wait_idle
from tests.supabase.live import LiveJob
from tests.supabase.project import Project
from tests.supabase.seed import JOBS

REFRESH_S = 1
ANNS, BOBS = ("support-qwen-7b", "legal-qa-llama-8b"), ("legal-qa-mistral-7b", "code-review-mistral-7b")
"""Runs of each that have names of their own."""
NEWS = re.compile(r"running · as of")


@pytest.fixture(scope="module")
def project(stack) -> Iterator[Project]:
    """A project that the tests of this module may write into."""
    project = stack.project("browsed")
    yield project
    stack.remove(project)


@pytest.fixture(scope="module")
def environment(project) -> dict[str, str]:
    """The settings of an app that looks at running runs every second."""
    return {
        "RUNOFF_SUPABASE_URL": project.url,
        "RUNOFF_SUPABASE_KEY": project.anon_key,
        "RUNOFF_SUPABASE_REFRESH_S": str(REFRESH_S),
    }


@pytest.fixture(scope="module")
def app(serve: Callable[..., Server], environment) -> Server:
    """The app on the project."""
    return serve(**environment)


def ids(project: Project, names: tuple[str, ...]) -> list[str]:
    rows = project.execute(f"select id, model_name from public.{JOBS}")
    found = {row["model_name"]: row["id"] for row in rows}
    return [found[name] for name in names]


def enter(page: Page, project: Project, name: str) -> None:
    """Fill in the form."""
    user = project.users[name]
    page.get_by_role("textbox", name="E-mail").fill(user.email)
    page.get_by_role("textbox", name="Password").fill(user.password)
    page.get_by_test_id("stFormSubmitButton").get_by_role("button", name="Sign in").click()
    expect(page.get_by_text(user.email)).to_be_visible()
    wait_idle(page)


def asks_to_sign_in(page: Page) -> None:
    """Wait for the form; there is nothing else."""
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    wait_idle(page)
    assert listed(page) == []
    assert page.locator("canvas").count() == 0


def cookies(page: Page) -> list[dict]:
    return [cookie for cookie in page.context.cookies() if cookie["name"] == COOKIE]


def compared(page: Page) -> set[str]:
    """The runs that the loss chart says something of."""
    return set(hover(page, "loss", 0.3)) - {"Step"}


def test_a_reload_and_a_new_tab_stay_signed_in_until_somebody_signs_out_and_the_browser_gets_no_token(
    new_page, app, project
):
    page = new_page(app)
    received: list[str | bytes] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(frame)))
    wanted = ids(project, ANNS)
    open_app(page, run=wanted)
    asks_to_sign_in(page)
    assert cookies(page) == []
    enter(page, project, "ann")
    assert query(page)["run"] == wanted
    assert compared(page) == set(ANNS)

    (cookie,) = eventually(page, lambda: cookies(page), bool)
    assert cookie["sameSite"] == "Strict"
    assert cookie["path"] == "/"
    assert 0 < cookie["expires"] - time.time() <= KEPT_S
    page.reload()
    expect(page.get_by_text("ann@example.com")).to_be_visible()
    wait_idle(page)
    assert query(page)["run"] == wanted
    assert compared(page) == set(ANNS)
    assert cookies(page)[0]["value"] == cookie["value"]

    other = page.context.new_page()
    open_app(other, "ranking", run=wanted)
    expect(other.get_by_text("ann@example.com")).to_be_visible()

    sent = {entry.headers["authorization"].removeprefix("Bearer ") for entry in project.log.of("/rest/v1/")}
    secrets = [*sent, *project.accounts.refresh_tokens, project.users["ann"].password, project.anon_key]
    log = app.log(10**7)
    assert sent
    assert received
    for secret in secrets:
        for place in (cookie["value"], page.url, page.content(), log, other.url, other.content()):
            assert secret not in place
        assert not any(secret.encode() in (frame if isinstance(frame, bytes) else frame.encode()) for frame in received)
    assert cookie["value"] not in page.url + log

    page.get_by_role("button", name="Sign out").click()
    asks_to_sign_in(page)
    assert query(page)["run"] == wanted
    eventually(page, lambda: cookies(page), [])
    page.reload()
    asks_to_sign_in(page)
    other.get_by_test_id("stPageLink").get_by_role("link", name="Compare runs").first.click()
    asks_to_sign_in(other)


def test_behind_several_processes_a_sign_in_holds_in_every_tab(new_page, serve, environment, project):
    served = serve(processes=2, **environment)
    pages = {name: new_page(served) for name in ("ann", "bob")}
    for name, page in pages.items():
        open_app(page)
        enter(page, project, name)
        eventually(page, lambda page=page: cookies(page), bool)
    processes = {
        cookie["value"]
        for page in pages.values()
        for cookie in page.context.cookies()
        if cookie["name"].startswith("runoff_process")
    }
    assert len(processes) == 2
    for name, page in pages.items():
        for tab in (page, *(page.context.new_page() for _ in range(3))):
            open_app(tab)
            expect(tab.get_by_text(project.users[name].email)).to_be_visible()


def test_two_readers_with_one_link_never_see_each_others_runs_side_by_side_or_one_after_the_other(
    new_page, app, project
):
    wanted = ids(project, (*ANNS, *BOBS))
    own = {"ann": set(ANNS), "bob": set(BOBS)}
    pages = {name: new_page(app) for name in own}
    for name, page in pages.items():
        open_app(page, run=wanted)
        enter(page, project, name)
        assert_sees(page, own, name)
    # And now each in the other one's browser, where the link has become the other one's.
    for first, second in (("ann", "bob"), ("bob", "ann")):
        page = pages[first]
        page.get_by_role("button", name="Sign out").click()
        asks_to_sign_in(page)
        enter(page, project, second)
        assert not own[first] & set(listed(page))
        expect(page.locator("canvas")).to_have_count(0)
        open_app(page, run=wanted)
        expect(page.get_by_text(project.users[second].email)).to_be_visible()
        wait_idle(page)
        assert_sees(page, own, second)


def assert_sees(page: Page, own: dict[str, set[str]], name: str) -> None:
    (other,) = set(own) - {name}
    assert compared(page) == own[name]
    assert own[name] < set(listed(page))
    text = page.content()
    assert not [label for label in own[other] if label in text]


def points(page: Page) -> int:
    """How many points of the loss chart's curves were logged."""
    text = page.locator('figure[aria-label="Loss"] figcaption b').get_attribute("title")
    return int(re.search(r"([\d,]+) points drawn", text)[1].replace(",", ""))


def test_a_running_run_grows_on_the_page_without_a_loss_until_it_is_paused_or_done(new_page, app, project):
    live = LiveJob(project)
    wanted = [live.job, *ids(project, ANNS[:1])]
    page = new_page(app)
    open_app(page, run=wanted, zoom="1500~4000", pin="1800", smooth="0.3")
    enter(page, project, "ann")
    expect(page.get_by_text("1 run is running · as of")).to_be_visible()
    address, before = query(page), points(page)
    assert address == {"run": wanted, "zoom": ["1500~4000"], "pin": ["1800"], "smooth": ["0.3"]}
    page.evaluate("window.sameDocument = true")
    step = live.grow()
    eventually(page, lambda: points(page), before + 1)
    for _ in range(2):
        assert live.grow() > step
    eventually(page, lambda: points(page) >= before + 3, True)
    wait_idle(page)
    assert page.evaluate("window.sameDocument")
    assert query(page) == address
    expect(page.get_by_text("Step 1,800", exact=True)).to_be_visible()
    expect(page.get_by_label("Step from")).to_have_value("1,500")
    expect(page.get_by_label("Step to")).to_have_value("4,000")
    assert compared(page) == {"code-review-gemma-9b", ANNS[0]}

    page.get_by_text("Pause", exact=True).click()
    wait_idle(page)
    shown = points(page)
    live.grow()
    project.log.clear()
    page.wait_for_timeout(1000 * 2.5 * REFRESH_S)
    assert project.log == []
    assert points(page) == shown
    page.get_by_text("Pause", exact=True).click()
    eventually(page, lambda: points(page) > shown, True)

    project.execute(f"update public.{JOBS} set status = 'completed', updated_at = now() where id = '{live.job}'")
    expect(page.get_by_text(NEWS)).to_have_count(0)
    wait_idle(page)
    expect(line(page, "code-review-gemma-9b")).to_be_visible()
    # A range that waited for more ends now where the data end.
    assert query(page) | {"zoom": address["zoom"]} == address
    project.log.clear()
    page.wait_for_timeout(1000 * 2.5 * REFRESH_S)
    assert project.log == []


def test_that_a_running_run_has_no_news_has_one_id_however_often_it_is_asked_for(new_page, app, project):
    (job,) = ids(project, ("code-review-gemma-9b",))
    project.execute(f"update public.{JOBS} set status = 'running', updated_at = now() where id = '{job}'")
    page = new_page(app)
    open_app(page, run=[job])
    enter(page, project, "ann")
    expect(page.get_by_text(NEWS)).to_be_visible()
    project.faults.add(f"/rest/v1/{JOBS}", status=400, body={"code": "22P02", "message": "no"})
    said = page.locator(".st-key-live")
    expect(said).to_contain_text("refused the question")
    first = re.search(r"Error id ([0-9a-f]{8})", said.inner_text())[1]
    project.log.clear()
    eventually(page, lambda: len(project.log.of(f"/rest/v1/{JOBS}")) >= 3, True)
    assert re.findall(r"[Ee]rror id ([0-9a-f]{8})", said.inner_text()) == [first]
    assert app.log(100_000).count(f"(error id {first})") == 1
    assert app.log(100_000).count("refused the question (HTTP 400, code 22P02).") <= 3, "message, and its traceback"


READ_AGAIN = """() => new Promise(done => {
  const verdict = document.querySelector('.verdict'), { top } = verdict.getBoundingClientRect();
  const drawn = [...document.querySelectorAll('canvas, iframe')];
  let palest = 1, moved = 0, most = 0;
  const look = () => {
    const stale = [...document.querySelectorAll('[data-stale="true"]')];
    most = Math.max(most, stale.length);
    palest = Math.min(palest, ...stale.map(each => Number(getComputedStyle(each).opacity)));
    moved = Math.max(moved, Math.abs(verdict.getBoundingClientRect().top - top));
    if (most && !stale.length) done({ palest, moved, most, anew: drawn.filter(each => !each.isConnected).length });
    else requestAnimationFrame(look);
  };
  look();
  document.querySelector('.runs-again').click();
})"""
"""Reads the runs again, and says how pale what is loaded became meanwhile, how far it moved, in pixels, and
how many charts and tables the browser has drawn anew."""


def test_a_slow_project_is_waited_for_with_a_word_at_first_and_then_with_all_that_is_loaded(new_page, app, project):
    page = new_page(app)
    wanted = ids(project, ANNS[::-1])
    open_app(page, run=wanted)
    user = project.users["ann"]
    page.get_by_role("textbox", name="E-mail").fill(user.email)
    page.get_by_role("textbox", name="Password").fill(user.password)
    slow = project.faults.add("/rest/v1/", delay=4)
    page.get_by_test_id("stFormSubmitButton").get_by_role("button", name="Sign in").click()
    expect(page.get_by_test_id("stSpinner")).to_have_text("Reading the runs")
    expect(page.locator("canvas")).to_have_count(0)
    project.faults.remove(slow)
    expect(page.get_by_text(user.email)).to_be_visible()
    wait_idle(page)
    expect(page.get_by_test_id("stSpinner")).to_have_count(0)
    assert compared(page) == set(ANNS)

    project.faults.add("/rest/v1/", delay=3)
    found = page.evaluate(READ_AGAIN)
    assert found.pop("most") > 0
    assert found == {"palest": 1, "moved": 0, "anew": 0}
    wait_idle(page)
    expect(page.locator(".runs-again.busy")).to_have_count(0)
