"""Behind nginx, below a path and over TLS, with the operators' configuration: websocket, uploads, downloads, links."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import ssl
import time
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.actions import FIVE, expect_selected, keep
from tests.browser.harness import TIMEOUT_S, Server, wait_idle
from tests.browser.nginx import MISSING, Nginx, find_nginx
from tests.browser.test_upload import THREE, choose
from tests.data.upload.archives import state, zipped

BASE = "runs"


@pytest.fixture(scope="module")
def nginx(tmp_path_factory):
    """nginx before ``make serve`` with its balancer and one process."""
    program = find_nginx()
    if program is None:
        pytest.skip(MISSING)
    with (
        Server(processes=1, base=BASE) as server,
        Nginx(program, tmp_path_factory.mktemp("nginx"), server.port) as before,
    ):
        yield before


@pytest.fixture
def page(nginx, new_page):
    """A page below the path, in a browser that takes the certificate."""
    return new_page(nginx, ignore_https_errors=True)


def test_charts_downloads_and_the_menu_work_below_the_path(nginx, page):
    sockets: list[str] = []
    page.on("websocket", lambda websocket: sockets.append(websocket.url))
    page.goto(f"{nginx.url}/{BASE}/?run={FIVE[0]}&run={FIVE[1]}")
    wait_idle(page)
    expect_selected(page, 2)
    assert sockets == [f"wss://127.0.0.1:{nginx.port}/{BASE}/_stcore/stream"]
    assert keep(page, "Loss as PNG").startswith(b"\x89PNG\r\n\x1a\n")
    assert keep(page, "All values in view as CSV").startswith(b"run")
    page.get_by_role("link", name="Hyperparameter diff").click()
    page.wait_for_url(re.compile(rf"/{BASE}/hyperparameters\?"))
    wait_idle(page)
    expect_selected(page, 2)
    page.reload()
    wait_idle(page)
    expect_selected(page, 2)
    assert urlsplit(page.url).path == f"/{BASE}/hyperparameters"


def test_who_never_ends_a_request_loses_the_connection(nginx):
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", nginx.port), TIMEOUT_S) as plain,
        trusting.wrap_socket(plain) as slow,
    ):
        slow.sendall(b"GET /runs/ HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        slow.settimeout(0.5)
        began, said = time.monotonic(), None
        # Its own default is a minute for all of the headers.
        while said is None and time.monotonic() - began < TIMEOUT_S - 10:
            with contextlib.suppress(TimeoutError, OSError):
                slow.sendall(b"X-Drop: x\r\n")
            try:
                said = slow.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                said = b""
        assert said is not None


def test_uploads_go_through_also_larger_ones(nginx, page):
    page.goto(f"{nginx.url}/{BASE}/")
    wait_idle(page)
    choose(page, *THREE)
    expect_selected(page, 3)
    wait_idle(page)
    # nginx lets nothing above 1 MB through unless it is told to.
    large = zipped({"d/trainer_state.json": state(5.0, 30), "d/weights.bin": os.urandom(5 * 2**20)})
    choose(page, ("large.zip", large))
    expect_selected(page, 4)
    wait_idle(page)
    expect(page.locator(".upload-item").nth(1)).to_have_text(re.compile(r"large\.zip"))


def test_every_cookie_is_for_tls_only(nginx, page):
    page.goto(f"{nginx.url}/{BASE}/")
    wait_idle(page)
    cookies = {cookie["name"]: cookie["secure"] for cookie in page.context.cookies()}
    assert "_streamlit_xsrf" in cookies
    assert any(name.startswith("runoff_process_") for name in cookies), "the balancer's own is among them"
    assert [name for name, secure in cookies.items() if not secure] == []


def test_plain_addresses_lead_to_the_app_and_its_health_is_there(nginx):
    with httpx.Client(verify=False, trust_env=False, timeout=TIMEOUT_S) as client:
        plain = client.get(f"http://127.0.0.1:{nginx.plain_port}/{BASE}/?run=a")
        assert (plain.status_code, plain.headers["location"]) == (301, f"https://127.0.0.1/{BASE}/?run=a")
        short = client.get(f"{nginx.url}/{BASE}?run=a")
        assert (short.status_code, short.headers["location"]) == (301, f"{nginx.url}/{BASE}/?run=a")
        assert client.get(f"{nginx.url}/{BASE}/health").json() == {"app": "ok", "source": "ok"}
        answer = client.get(f"{nginx.url}/{BASE}/")
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert client.get(f"{nginx.url}/").status_code == 404
