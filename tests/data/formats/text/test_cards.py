"""Logs of Stable-Baselines3, which prints what it logs in boxes."""

from __future__ import annotations

import numpy as np
import pytest

from lib.data.formats.metric_names import read_names
from lib.data.formats.readers.text_logs import FORMAT
from lib.data.formats.text.cards import without_cards
from tests.data.formats.reading import only_run, points, put, readings

EDGE = "-" * 32 + "\n"


def row(name: str, value: object = "") -> str:
    return f"| {name:<18} | {value!s:<8} |\n"


def box(step: int, reward: float, loss: float | None = None) -> str:
    rows = [row("rollout/"), row("   ep_rew_mean", reward), row("time/"), row("   total_timesteps", step)]
    rows += [row("train/"), row("   loss", loss)] if loss is not None else []
    return EDGE + "".join(rows) + EDGE


def test_each_box_is_a_row_at_the_step_that_it_states(tmp_path):
    put(tmp_path, {"log.txt": "Using cpu device\n" + box(256, 27.8) + "New best mean reward!\n" + box(512, 30.5, 0.25)})
    assert points(only_run(FORMAT, tmp_path)) == {
        "rollout/ep_rew_mean": [(256, 27.8), (512, 30.5)],
        "train/loss": [(512, 0.25)],
    }


def test_a_box_without_sections_and_one_that_breaks_off(tmp_path):
    boxes = [EDGE + row("total_timesteps", step) + row("mean_reward", step / 10) + EDGE for step in (100, 200, 300)]
    put(tmp_path, {"stdout": "".join(boxes) + EDGE + row("total_timesteps", 400) + row("mean_reward", 1)})
    assert points(only_run(FORMAT, tmp_path)) == {"mean_reward": [(100, 10.0), (200, 20.0), (300, 30.0)]}


@pytest.mark.parametrize("cut", [1, 40, 100, 170])
def test_a_box_may_go_on_in_the_next_part_of_the_file(cut):
    text = (box(256, 27.8) + box(512, 30.5)).encode()
    at = text.index(b"\n", cut) + 1
    assert b"".join(without_cards([text[:at], text[at:]])) == b"".join(without_cards([text]))


@pytest.mark.parametrize(
    "text",
    [
        EDGE + row("lr", 0.1) + row("batch size", 8) + EDGE,
        "| a | b |\n|---|---|\n| 1 | 2 |\n",
        EDGE + row("total_timesteps", "many") + row("reward", 1) + EDGE,
        "step 1 loss 2\n| x |\n",
    ],
)
def test_what_is_no_box_of_a_log_stays_as_it_is(text):
    assert b"".join(without_cards([text.encode()])) == text.encode()


def test_a_table_of_settings_is_no_log(tmp_path):
    put(tmp_path, {"log.txt": EDGE + row("lr", 0.1) + row("seed", 8) + EDGE})
    assert not readings(FORMAT, tmp_path)


def test_its_rewards_are_those_that_a_run_is_ranked_by():
    found = read_names(
        {name: np.arange(9) for name in ("eval/mean_reward", "rollout/ep_rew_mean", "train/mean_reward")}
    )
    assert [each.metric for each in found.values()] == ["eval_reward", "reward", "train/mean_reward"]
    tracked = read_names({name: np.arange(9) for name in ("train/objective/rlhf_reward", "train/global_step")})
    assert tracked["train/objective/rlhf_reward"].metric == "reward"
