"""A project that goes down while somebody looks, in a real browser: nothing goes, and all comes back by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.actions import checked, drag, eventually, listed, picture, query, tick
from tests.browser.harness import Server, open_app, wait_idle
from tests.supabase.front import Front
from tests.supabase.kinds import KINDS, Kind
from tests.supabase.project import Project
from tests.supabase.seed import METRICS
from tests.supabase.test_browser import ANNS, asks_to_sign_in, compared, enter, ids

TIMEOUT_S = 2
SAMPLE = ("HTTP 503 with a web page", "nobody listens", "silence", "an empty body", "HTTP 403 with a web page")
BAR = ".st-key-outdated"


@pytest.fixture(scope="module")
def project(stack) -> Iterator[Project]:
    project = stack.project("down", migrated=True)
    yield project
    stack.remove(project)


@pytest.fixture(scope="module")
def front(project) -> Iterator[Front]:
    front = Front(project.url)
    yield front
    front.stop()


@pytest.fixture(scope="module")
def app(serve: Callable[..., Server], project, front) -> Server:
    return serve(
        RUNOFF_SUPABASE_URL=front.url,
        RUNOFF_SUPABASE_KEY=project.anon_key,
        RUNOFF_SUPABASE_TIMEOUT_S=str(TIMEOUT_S),
    )


@pytest.fixture
def page(new_page, app, front, project) -> Iterator[Page]:
    """Signed in, with two runs compared."""
    page = new_page(app)
    open_app(page, run=ids(project, ANNS))
    enter(page, project, "ann")
    assert compared(page) == set(ANNS)
    yield page
    front.mends()


def shows(page: Page) -> tuple:
    """What must not go."""
    return query(page)["run"], sorted(listed(page)), checked(page), page.locator("canvas").count()


def verdict(page: Page) -> str:
    return page.locator(".st-key-above").inner_text()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.name in SAMPLE], ids=lambda kind: kind.name)
def test_a_page_keeps_all_while_the_project_is_down_and_is_fresh_again_by_itself(page, front, kind: Kind):
    before, said = shows(page), verdict(page)
    front.breaks("/rest/v1/", kind.answer)
    page.locator(".runs-again").click()
    expect(page.locator(BAR)).to_contain_text("could not be refreshed")
    wait_idle(page)
    assert shows(page) == before
    assert verdict(page) == said
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    # A control that is moved meanwhile works on what is there.
    tick(page, ANNS[1])
    eventually(page, lambda: query(page)["run"], before[0][:1])
    wait_idle(page)
    assert checked(page) == [ANNS[0]]
    tick(page, ANNS[1])
    eventually(page, lambda: query(page)["run"], before[0])
    wait_idle(page)
    assert shows(page) == before
    front.mends()
    expect(page.locator(BAR)).to_have_count(0)
    wait_idle(page)
    assert shows(page) == before
    page.mouse.move(0, 0)
    assert compared(page) == set(ANNS)


def test_a_range_that_is_zoomed_into_while_the_project_is_down_stays_and_comes_in_full_by_itself(page, front, project):
    (job, *_) = project.jobs["ann"]
    project.execute(
        f"insert into public.{METRICS} (job_id, step, train_loss)"
        f" select '{job}', i, 1 + random() from generate_series(4000, 20000) i"
    )
    open_app(page, run=job)
    front.breaks("/rest/v1/", next(kind.answer for kind in KINDS if kind.name == SAMPLE[0]))
    page.mouse.move(0, 0)
    drag(page, "loss", 0.4, 0.6)
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_contain_text("is not shown in full resolution")
    expect(alert).to_contain_text("This page tries again by itself.")
    wait_idle(page)
    assert page.locator("canvas").count() == 5
    first = query(page)["zoom"]
    drag(page, "loss", 0.4, 0.6)
    eventually(page, lambda: query(page)["zoom"] != first, True)
    expect(alert).to_contain_text("is not shown in full resolution")
    wait_idle(page)
    zoomed, shown = query(page), picture(page, "loss")
    front.mends()
    expect(alert).to_have_count(0)
    wait_idle(page)
    assert query(page) == zoomed
    assert page.locator("canvas").count() == 5
    assert picture(page, "loss") != shown


FOCUSED = "document.activeElement.textContent"


def test_the_dialog_and_the_focus_in_it_stay_while_the_page_is_read_again(page, front):
    share = page.locator(".page-head").get_by_role("button", name="Share")
    dialog = page.get_by_test_id("stDialog")
    share.click()
    expect(dialog.get_by_text("Check a decision")).to_be_visible()
    wait_idle(page)
    assert page.evaluate("Boolean(document.activeElement.closest('[data-testid=stDialog]'))")
    for name in ("Copy", "Record (.json)"):
        dialog.get_by_role("button", name=name, exact=True).focus()
        front.breaks("/rest/v1/", lambda connection: connection.wait(10) and connection.send(connection.forward()))
        page.locator(".runs-again").evaluate("button => button.click()")
        eventually(page, lambda: front.struck > 0, True)
        expect(dialog.get_by_text("Check a decision")).to_be_visible()
        front.mends()
        expect(page.locator(".runs-again.busy")).to_have_count(0)
        wait_idle(page)
        eventually(page, lambda name=name: name in page.evaluate(FOCUSED), True)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(share).to_be_focused()
    share.press("Enter")
    expect(dialog.get_by_text("Check a decision")).to_be_visible()
    wait_idle(page)
    assert page.evaluate("document.activeElement.role") == "dialog", "opened anew, it begins at its beginning"


def test_a_page_that_is_opened_while_the_project_is_down_comes_by_itself(page, front, project):
    front.breaks("/rest/v1/", next(kind.answer for kind in KINDS if kind.name == SAMPLE[0]))
    other = page.context.new_page()
    open_app(other, run=[*ids(project, ANNS), "00000000-0000-4000-8000-000000000000"])
    front.mends()
    eventually(other, lambda: compared(other), set(ANNS))
    expect(other.get_by_text("left out: deleted")).to_be_visible()


def test_a_sign_in_that_is_ended_takes_all_away(page, front, project):
    front.breaks("/rest/v1/", next(kind.answer for kind in KINDS if kind.name == SAMPLE[0]))
    page.locator(".runs-again").click()
    expect(page.locator(BAR)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    asks_to_sign_in(page)
    expect(page.locator(BAR)).to_have_count(0)
    for name in ANNS:
        expect(page.get_by_text(name)).to_have_count(0)


def test_signing_out_takes_nothing_from_the_same_person_elsewhere(page, front, project, new_page, app):
    elsewhere = new_page(app)
    open_app(elsewhere, run=ids(project, ANNS))
    enter(elsewhere, project, "ann")
    before = shows(page)
    front.breaks("/rest/v1/", next(kind.answer for kind in KINDS if kind.name == SAMPLE[0]))
    elsewhere.get_by_role("button", name="Sign out").click()
    asks_to_sign_in(elsewhere)
    page.locator(".runs-again").click()
    expect(page.locator(BAR)).to_contain_text("could not be refreshed")
    wait_idle(page)
    assert shows(page) == before
