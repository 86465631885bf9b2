"""What a chat that asks for a link is told: what the app is, and nothing of what is in it."""

from __future__ import annotations

import re

import httpx
import pytest

from lib.gate.preview import DESCRIPTION, TITLE
from tests.browser.harness import Server

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def app(serve) -> Server:
    return serve()


LINKS = ("/", "/?run=demo-1&q=a+secret+name", "/hyperparameters?run=a%3Ctitle%3E", "/run_health", "/no/such/page")


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
@pytest.mark.parametrize("link", LINKS)
def test_every_link_says_what_the_app_is_and_nothing_else(app: Server, link, encoding):
    answer = httpx.get(app.url + link, headers={"Accept-Encoding": encoding, "User-Agent": "Slackbot-LinkExpanding"})
    assert answer.status_code == 200
    text = answer.text
    assert re.findall("<title>(.*?)</title>", text) == [TITLE]
    assert f'<meta property="og:title" content="{TITLE}">' in text
    assert f'<meta property="og:description" content="{DESCRIPTION}">' in text
    assert "secret" not in text
    assert len(answer.content) == int(answer.headers["content-length"])
    # The same for everybody, so nothing of it is about who asks or what for.
    assert text == httpx.get(f"{app.url}/").text


def test_the_page_is_given_anew_and_its_head_too(app: Server):
    first = httpx.get(f"{app.url}/")
    assert first.headers["cache-control"] == "no-cache"
    assert not {"etag", "last-modified"} & set(first.headers)
    head = httpx.head(f"{app.url}/")
    assert head.status_code == 200
    assert head.content == b""


def test_what_is_no_page_is_as_it_was(app: Server):
    for path in ("/_stcore/health", "/favicon.png"):
        answer = httpx.get(app.url + path)
        assert answer.status_code == 200
        assert TITLE not in answer.text
