"""Where people sign in: nobody else reaches what they see, and all of it ends when they sign out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from lib.gate.keeping import COOKIE
from tests.browser.actions import eventually
from tests.browser.chromium import find_chromium
from tests.browser.harness import CHROMIUM_ARGS, Server, open_app, wait_idle
from tests.gate.stranger import Stranger
from tests.supabase.project import Project
from tests.supabase.seed import METRICS
from tests.supabase.test_browser import ANNS, asks_to_sign_in, cookies, enter, ids


@pytest.fixture(scope="module")
def project(stack) -> Iterator[Project]:
    """A project of this module's own."""
    project = stack.project("visited")
    yield project
    stack.remove(project)


@pytest.fixture(scope="module")
def app(serve: Callable[..., Server], project) -> Server:
    """The app on the project."""
    return serve(RUNOFF_SUPABASE_URL=project.url, RUNOFF_SUPABASE_KEY=project.anon_key)


@pytest.fixture
def ann(new_page, app, project) -> Page:
    """A browser in which Ann has signed in and looks at two runs."""
    page = new_page(app)
    open_app(page, run=ids(project, ANNS))
    enter(page, project, "ann")
    eventually(page, lambda: cookies(page), bool)
    return page


@pytest.fixture
def eve(app) -> Iterator[Stranger]:
    with Stranger(app) as eve:
        yield eve


def jar(page: Page) -> dict[str, str]:
    return {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}


def agent(page: Page) -> str:
    return page.evaluate("navigator.userAgent")


def test_no_message_of_a_stranger_costs_anybody_else_anything(ann, eve, project):
    tab = eve.tab().run()
    assert "Please sign in" in tab.text
    project.log.clear()
    for kind in ("clear_cache", "stop_script", "load_git_info", "clear_cache", "app_heartbeat"):
        tab.say(kind)
    assert "Please sign in" in tab.run().text
    ann.reload()
    expect(ann.get_by_text("ann@example.com")).to_be_visible()
    wait_idle(ann)
    assert ann.locator("canvas").count()
    assert project.log.of(f"/rest/v1/{METRICS}") == []


def test_signing_out_ends_every_tab_and_what_any_of_them_offered(ann, eve, new_page, app, project):
    bob = new_page(app)
    open_app(bob)
    enter(bob, project, "bob")
    other = ann.context.new_page()
    open_app(other, "ranking", run=ids(project, ANNS))
    expect(other.get_by_text("ann@example.com")).to_be_visible()
    open_app(ann, run=ids(project, ANNS))
    ann.locator(".st-key-summary_files button").click()
    with ann.expect_download() as begun:
        ann.get_by_test_id("stDownloadButton").get_by_role("button", name="CSV").first.click()
    address = begun.value.url
    assert "/media/" in address
    assert ann.request.get(address).status == 200
    assert ann.request.get(address).headers["cache-control"] == "no-store"
    assert eve.client.get(address).status_code == 404, "a link alone is not enough"
    assert bob.request.get(address).status == 404, "nor is a sign-in of one's own"

    kept = jar(ann)
    # A tab whose connection broke: Streamlit keeps it for its browser to come back.
    away = eve.tab(cookies=kept, User_Agent=agent(ann)).run()
    assert "Sign out" in away.text
    away.close()
    ann.get_by_role("button", name="Sign out").click()
    asks_to_sign_in(ann)
    # Nobody touches the other tab.
    asks_to_sign_in(other)
    assert not [name for name in ANNS if name in other.content()]
    # Bob is signed in, and somebody told him the address.
    for who in (ann, other, bob):
        assert who.request.get(address).status == 404
    back = eve.tab(session=away.session, cookies=kept, User_Agent=agent(ann)).run()
    assert back.session != away.session
    assert "Please sign in" in back.text
    eve.client.cookies.update(kept)
    assert eve.client.get(address).status_code == 404
    assert "Please sign in" in eve.tab(cookies=kept, User_Agent=agent(ann)).run().text
    expect(bob.get_by_text("bob@example.com")).to_be_visible()
    bob.reload()
    expect(bob.get_by_text("bob@example.com")).to_be_visible()


def test_going_back_to_a_page_after_signing_out_shows_nothing_of_it(browser, app, project):
    # The tests' browser keeps no page that is left, unless it is told to.
    with browser.browser_type.launch(
        executable_path=find_chromium(), args=CHROMIUM_ARGS, ignore_default_args=["--disable-back-forward-cache"]
    ) as keeping:
        page = keeping.new_context().new_page()
        page.goto(app.url)
        enter(page, project, "ann")
        eventually(page, lambda: cookies(page), bool)
        page.evaluate("addEventListener('pageshow', event => sessionStorage.setItem('kept', event.persisted))")
        page.goto(f"{app.url}/_stcore/health")
        other = page.context.new_page()
        other.goto(app.url)
        other.get_by_role("button", name="Sign out").click()
        expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
        page.go_back(wait_until="commit")
        assert not page.get_by_text("ann@example.com").is_visible()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert page.evaluate("sessionStorage.getItem('kept')") == "true", "the browser had kept the page"
        assert not [name for name in ANNS if name in page.content()]


def test_the_cookie_cannot_be_read_by_a_script_and_its_code_is_good_once(new_page, app, project):
    page = new_page(app)
    codes: list[str] = []
    page.on("request", lambda request: codes.append(request.post_data) if "/runoff/sign-in" in request.url else None)
    open_app(page)
    enter(page, project, "ann")
    (cookie,) = eventually(page, lambda: cookies(page), bool)
    assert cookie["httpOnly"]
    assert COOKIE not in page.evaluate("document.cookie")
    (code,) = codes
    assert code != cookie["value"]
    again = page.request.post(f"{app.url}/runoff/sign-in", data=code)
    assert again.status == 403
    assert "set-cookie" not in again.headers


def test_a_ticket_in_another_browser_is_refused_and_ends(ann, eve):
    ticket = {COOKIE: jar(ann)[COOKIE]}
    assert "Sign out" in eve.tab(cookies=jar(ann), User_Agent=agent(ann)).run().text
    assert "Please sign in" in eve.tab(cookies=ticket, User_Agent="curl/9").run().text
    assert "Please sign in" in eve.tab(cookies=ticket, User_Agent=agent(ann)).run().text
    ann.reload()
    asks_to_sign_in(ann)


def test_nobody_sends_files_to_a_session_without_a_sign_in(eve):
    session = eve.tab().run().session
    assert eve.upload(session, b"x").status_code == 403


def test_a_session_that_signed_in_is_not_given_to_another_browser(ann, eve, app):
    tab = eve.tab(cookies=jar(ann), User_Agent=agent(ann))
    session = tab.run().session
    taken = eve.tab(session=session, User_Agent=agent(ann)).run()
    assert taken.session != session
    assert "Please sign in" in taken.text
    assert "Sign out" in tab.run().text
