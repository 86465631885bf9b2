"""The stand-in can be used by a person, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.supabase.live import LiveJob

PROJECT_ROOT = Path(__file__).parents[2]
JOBS = "/rest/v1/local_training_jobs"


def is_running(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def test_nothing_stays_behind_when_the_starter_is_killed():
    script = (
        "import time\nfrom tests.supabase.stack import Stack\nstack = Stack()\nstack.start()\n"
        "project = stack.project('p', seeded=False)\n"
        "print(stack.cluster.folder, stack.cluster.pid, project.rest_pid, flush=True)\ntime.sleep(600)\n"
    )
    starter = subprocess.Popen([sys.executable, "-c", script], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True)
    with starter:
        folder, *pids = starter.stdout.readline().split()
        assert Path(folder).is_dir()
        assert all(is_running(int(pid)) for pid in pids)
        starter.kill()
    deadline = time.monotonic() + 60
    while Path(folder).exists() or any(is_running(int(pid)) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def served():
    command = [sys.executable, "-m", "tests.supabase.serve", "--port", "0", "--live", "0.1"]
    server = subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with server:
        yield server
        server.kill()


@pytest.mark.usefixtures("stack")
def test_the_served_project_says_how_to_use_it_and_ends_cleanly(served):
    said = ""
    for line in served.stdout:
        said += line
        if "gets a new row" in line:
            break
    url = re.search(r'^url = "(.+)"$', said, re.MULTILINE)[1]
    key = re.search(r'^key = "(.+)"$', said, re.MULTILINE)[1]
    email, password = re.search(r"(ann@\S+)\s+password (\S+)", said).groups()
    folder = Path(re.search(r"psql -h (\S+)", said)[1])
    credentials = {"email": email, "password": password}
    with httpx.Client(base_url=url, headers={"apikey": key}, timeout=60) as client:
        session = client.post("/auth/v1/token?grant_type=password", json=credentials).json()
        client.headers["Authorization"] = f"Bearer {session['access_token']}"

        def step():
            return client.get(f"{JOBS}?select=current_step&status=eq.running").json()[0]["current_step"]

        first = step()
        deadline = time.monotonic() + 60
        while step() == first:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    served.send_signal(signal.SIGINT)
    assert served.wait(30) == 0
    assert "Stopped." in served.stdout.read()
    assert not folder.exists()


def test_a_live_job_grows_row_by_row_and_completes(fresh):
    project = fresh()
    live = LiveJob(project)
    counting = f"select count(*) from public.local_training_metrics where job_id = '{live.job}'"
    before = int(project.execute(counting)[0]["count"])
    steps = [live.grow() for _ in range(10)]
    assert steps == [steps[0] + 5 * place for place in range(10)]
    # Ten logged steps, and one evaluation.
    assert int(project.execute(counting)[0]["count"]) == before + 11
    project.execute("update public.local_training_jobs set total_steps = current_step + 3 where status = 'running'")
    last = live.grow()
    assert last == steps[-1] + 3
    assert live.grow() == last
    status = project.execute(f"select status from public.local_training_jobs where id = '{live.job}'")
    assert status == [{"status": "completed"}]
