"""Signing in, staying signed in, and signing out; one visitor never becomes another."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.core.facts.errors import AccessDenied, SignInExpired, SourceUnavailable
from lib.core.facts.query import RunQuery
from lib.data.settings import Settings, open_source
from lib.data.supabase import auth
from lib.data.supabase.auth import EARLY_S, send_code, sign_in, sign_in_with_code
from lib.data.supabase.settings import SignIn, SupabaseSettings
from lib.data.supabase.source import SupabaseSource
from tests.supabase.readers import project_for, reader_for

TOKEN = "/auth/v1/token"


@pytest.fixture
def connections(plain):
    with project_for(plain) as connections:
        yield connections


def expires_in(reader, seconds: float) -> None:
    """Let the reader's token seem to expire then."""
    object.__setattr__(reader._session, "expires_at", time.time() + seconds)


def total(connections, reader) -> int:
    return SupabaseSource(connections, reader).list_runs(RunQuery()).total


def test_a_password_opens_what_is_hers(plain, connections):
    ann = reader_for(connections, plain, "ann")
    assert (ann.user_id, ann.email) == (plain.users["ann"].id, plain.users["ann"].email)
    assert total(connections, ann) == len(plain.jobs["ann"])


def test_a_code_that_came_by_e_mail_opens_too(plain, connections):
    email = plain.users["bob"].email
    send_code(connections, f" {email} ")
    bob = sign_in_with_code(connections, email, f" {plain.accounts.codes[email]} ")
    assert bob.user_id == plain.users["bob"].id
    assert total(connections, bob) == len(plain.jobs["bob"])


def test_what_is_wrong_about_a_sign_in_is_said(plain, connections):
    email = plain.users["ann"].email
    for ask, sentence in (
        (lambda: sign_in(connections, email, "wrong"), "E-mail address or password is wrong"),
        (lambda: sign_in(connections, "nobody@example.com", "wrong"), "E-mail address or password is wrong"),
        (lambda: sign_in(connections, "", ""), "Expected an e-mail address and a password"),
        (lambda: send_code(connections, "nobody@example.com"), "no account with this e-mail address"),
        (lambda: send_code(connections, " "), "Expected an e-mail address"),
        (lambda: sign_in_with_code(connections, email, "000"), "code is wrong or has expired"),
        (lambda: sign_in_with_code(connections, email, ""), "Expected an e-mail address and the code"),
    ):
        with pytest.raises(AccessDenied, match=sentence) as raised:
            ask()
        assert raised.value.hint


def test_a_code_works_once(plain, connections):
    email = plain.users["ann"].email
    send_code(connections, email)
    code = plain.accounts.codes[email]
    sign_in_with_code(connections, email, code)
    with pytest.raises(AccessDenied):
        sign_in_with_code(connections, email, code)


def test_a_failed_sign_in_leaves_the_others_as_they_are(plain, connections):
    ann = reader_for(connections, plain, "ann")
    with pytest.raises(AccessDenied):
        sign_in(connections, plain.users["bob"].email, "wrong")
    assert total(connections, ann) == len(plain.jobs["ann"])


def test_nothing_that_can_be_printed_holds_a_token(plain, connections):
    ann = reader_for(connections, plain, "ann")
    source = SupabaseSource(connections, ann)
    for said in (repr(ann), repr(ann._session), str(ann._session), source.cache_key, repr(connections.settings)):
        assert ann.access_token() not in said
        assert ann._session.refresh_token not in said
        assert plain.anon_key not in said


def test_a_token_is_renewed_before_it_expires_and_only_then(plain, connections):
    ann = reader_for(connections, plain, "ann")
    plain.log.clear()
    first = ann.access_token()
    assert ann.access_token() == first
    assert not plain.log.of(TOKEN)
    expires_in(ann, EARLY_S / 2)
    # Tokens of one second differ by when they expire.
    plain.accounts.token_seconds = 1800
    assert ann.access_token() != first
    assert len(plain.log.of(TOKEN)) == 1
    assert total(connections, ann) == len(plain.jobs["ann"])


def test_many_threads_renew_once(plain, connections):
    ann = reader_for(connections, plain, "ann")
    expires_in(ann, EARLY_S / 2)
    plain.log.clear()
    # Slow enough for every thread to come before the first has a new token.
    plain.faults.add(TOKEN, delay=0.2)
    with ThreadPoolExecutor(8) as threads:
        tokens = set(threads.map(lambda _: ann.access_token(), range(24)))
    assert len(tokens) == 1
    assert len(plain.log.of(TOKEN)) == 1


def test_a_token_that_the_project_refuses_is_renewed_once(plain, connections):
    ann = reader_for(connections, plain, "ann")
    object.__setattr__(ann._session, "access_token", plain.token("ann", seconds=-120))
    plain.log.clear()
    assert total(connections, ann) == len(plain.jobs["ann"])
    assert len(plain.log.of(TOKEN)) == 1
    assert [entry.status for entry in plain.log.of("/rest/v1/")] == [401, 200]


def test_a_revoked_sign_in_has_expired(plain, connections):
    ann = reader_for(connections, plain, "ann")
    plain.accounts.end_sessions(plain.users["ann"])
    object.__setattr__(ann._session, "access_token", plain.token("ann", seconds=-120))
    plain.log.clear()
    for _ in range(2):
        with pytest.raises(SignInExpired) as raised:
            total(connections, ann)
        assert raised.value.hint == "Sign in again."
    assert len(plain.log.of(TOKEN)) == 1, "what is over is not asked for again"
    assert ann.email, "the form can be filled in with it"


def test_a_service_that_is_away_is_not_an_expired_sign_in(plain, connections):
    ann = reader_for(connections, plain, "ann")
    expires_in(ann, EARLY_S / 2)
    plain.faults.add(TOKEN, status=502)
    assert total(connections, ann) == len(plain.jobs["ann"]), "the old token does for some seconds yet"
    expires_in(ann, -1)
    with pytest.raises(SourceUnavailable):
        total(connections, ann)
    plain.faults.clear()
    assert total(connections, ann) == len(plain.jobs["ann"])


def test_a_service_that_does_not_answer_is_waited_for_once_by_all_who_need_a_token(plain, connections):
    ann = reader_for(connections, plain, "ann")
    expires_in(ann, -1)
    plain.log.clear()
    # Slow enough for every thread to come before the first is refused.
    plain.faults.add(TOKEN, delay=1.0, status=503)

    def refused() -> str:
        with pytest.raises(SourceUnavailable) as raised:
            ann.access_token()
        return str(raised.value)

    with ThreadPoolExecutor(8) as threads:
        assert len({each.result() for each in [threads.submit(refused) for _ in range(8)]}) == 1
    assert len(plain.log.of(TOKEN)) <= 2, "each would be waited for, one after the other"
    plain.faults.clear()
    assert ann.access_token()


def test_while_the_old_token_does_a_service_that_fails_is_asked_now_and_then(plain, connections, monkeypatch):
    ann = reader_for(connections, plain, "ann")
    expires_in(ann, EARLY_S / 2)
    old = ann._session.access_token
    plain.log.clear()
    plain.faults.add(TOKEN, status=503)
    assert {ann.access_token() for _ in range(5)} == {old}
    assert len(plain.log.of(TOKEN)) == 1
    monkeypatch.setattr(auth, "AGAIN_S", 0.0)
    plain.faults.clear()
    plain.accounts.token_seconds = 1800
    assert ann.access_token() != old


@pytest.mark.parametrize("code", ["conflict", "hook_timeout"])
def test_a_refusal_that_passes_ends_no_sign_in(plain, connections, code):
    ann = reader_for(connections, plain, "ann")
    expires_in(ann, -1)
    plain.faults.add(TOKEN, status=409, body={"code": 409, "error_code": code, "msg": "Try again."})
    with pytest.raises(SourceUnavailable):
        ann.access_token()
    plain.faults.clear()
    assert total(connections, ann) == len(plain.jobs["ann"])


def test_signing_out_ends_this_sign_in_and_no_other(plain, connections):
    here, elsewhere = (reader_for(connections, plain, "ann") for _ in range(2))
    refresh_token = here._session.refresh_token
    here.sign_out()
    here.sign_out()
    with pytest.raises(SignInExpired):
        here.access_token()
    assert refresh_token not in plain.accounts.refresh_tokens
    assert elsewhere._session.refresh_token in plain.accounts.refresh_tokens
    assert total(connections, elsewhere) == len(plain.jobs["ann"])
    (logout,) = plain.log.of("/auth/v1/logout")
    assert logout.query == "scope=local"


def test_signing_out_works_without_the_service(plain, connections):
    ann = reader_for(connections, plain, "ann")
    plain.faults.add("/auth/v1/logout", status=502)
    ann.sign_out()
    with pytest.raises(SignInExpired):
        total(connections, ann)


def test_a_source_that_asks_for_a_sign_in_opens_for_nobody_else(plain, connections):
    settings = Settings(supabase=SupabaseSettings(plain.url, plain.anon_key))
    with pytest.raises(SignInExpired, match="Nobody is signed in"):
        open_source(settings)
    ann = reader_for(connections, plain, "ann")
    assert open_source(settings, ann).cache_key.endswith(plain.users["ann"].id)
    nobody = Settings(supabase=SupabaseSettings(plain.url, plain.anon_key, sign_in=SignIn.OFF))
    assert open_source(nobody).cache_key.endswith("anon")


def test_no_timer_and_no_client_stay_behind(plain, connections):
    before = threading.active_count()
    for _ in range(5):
        reader_for(connections, plain, "ann").access_token()
    assert threading.active_count() <= before
