"""The app on real logs, in a browser."""

from __future__ import annotations

from tests.browser.test_folder import compare_all


def test_real_logs_are_listed_compared_and_explained(new_page, serve, logs):
    compare_all(new_page(serve(RUNOFF_RUNS=str(logs / "hf_trainer_state"))))
