"""Links, rows, answers and files of no particular kind, through every page: nothing is raised, nothing hangs.

The numbers are drawn with a seed, so that a failure comes again. ``RUNOFF_TEST_FUZZ=3`` tries three times as many.
"""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from lib.core.facts.query import PAGE_SIZE
from lib.data.supabase.settings import PREFIX
from lib.ui.session import link
from tests.app.answering import PUBLISHABLE, Answers, answering, metric_rows, row, run_id
from tests.app.harness import PAGES, App, write_run
from tests.forgetting import forget_reads

TIMES_VARIABLE = "RUNOFF_TEST_FUZZ"
TIMES = int(os.environ.get(TIMES_VARIABLE, "1"))
"""Read on import: the fixture of these tests takes the variable away, as it does with every setting of the app."""
LINKS, JOBS, METRICS, FILES = (count * TIMES for count in (300, 200, 200, 200))
IN_ONE = 200
"""Rows in one list and files in one folder: a page costs more than what it shows of one of them."""
AT_ONCE = 4
"""Of these so many are compared with a good one."""
HANGS_S = 60.0
"""Seconds of CPU that no page may take: a guard against what never ends, on a busy machine too."""

SCRIPT = "<script>alert(1)</script>"
TEXTS = (
    "", " ", "0", "-1", "1e400", "NaN", "Infinity", "-0", "9" * 5000, "null", "true", "[]", "{}", "\0", "a\0b",
    "\ud800", "\u202e\u2066x", "\u200b", "é" * 400, "x" * 20_000, SCRIPT, "![x](http:x)", "'; drop table",
    "../../etc/passwd", "%00%ff", "~", "a~b", "1~2", "2~1", "nan~nan", "eval_loss~train_loss", "step", "0000-01-01",
    "10000-01-01T00:00:00Z", "2026-01-01", "2199-01-01T00:00:00+14:00", "\n\r\t",
    ":material/home: **b**", "\\u0000", "=1+1",
)  # fmt: skip
"""What comes where text is expected."""
RAW = ("null", "true", "1e400", "-5", "1.5", "9" * 5000, "[]", "{}", "[null]", "[[1]]", '"x"', "[" * 1500 + "]" * 1500,
       '{"a":' * 1500 + "1" + "}" * 1500, '"\\ud800"', '"\\u0000"', "-1e308", "99999999999999999999", '["a", 1, null]',
       "NaN", "nothing")  # fmt: skip
"""What comes where a value of JSON is expected."""
COLUMNS = [
    "id",
    "model_name",
    "status",
    "dataset_path",
    "base_model",
    "current_step",
    "total_steps",
    "current_epoch",
    "total_epochs",
    "progress",
    "learning_rate",
    "max_learning_rate",
    "batch_size",
    "warmup_steps",
    "num_gpus",
    "loss",
    "eval_loss",
    "perplexity",
    "best_eval_loss",
    "final_loss",
    "best_step",
    "best_epoch",
    "best_checkpoint_path",
    "total_samples",
    "created_at",
    "started_at",
    "completed_at",
    "updated_at",
    "elapsed_seconds",
    "config",
    "resumed_from_job_id",
    "error_message",
    "parameter_updates",
    "samples_per_second",
    "loss_trend",
]
KEYS = [
    "learning_rate",
    "batch_size",
    "num_epochs",
    "warmup_steps",
    "warmup_ratio",
    "max_length",
    "lora_r",
    "lora_alpha",
    "target_modules",
    "seed",
    "bf16",
    "gradient_accumulation_steps",
    "optim",
    "lr_scheduler_type",
    "max_steps",
    "dataset_path",
    "model_name",
    "betas",
    "quantization",
    "packing",
]


@pytest.fixture
def chance(request) -> random.Random:
    return random.Random(request.node.name)


def json_text(chance: random.Random, depth: int = 0) -> str:
    kind = chance.random()
    if kind < 0.5:
        return chance.choice(RAW)
    if kind < 0.8 or depth > 3:
        return json.dumps(chance.choice(TEXTS))
    if kind < 0.9:
        return f"[{', '.join(json_text(chance, depth + 1) for _ in range(chance.randrange(4)))}]"
    return config_text(chance, depth + 1)


def config_text(chance: random.Random, depth: int = 0) -> str:
    keys = [chance.choice((*KEYS, *TEXTS, "training", "lora")) for _ in range(chance.randrange(6))]
    deeper = [depth < 3 and chance.random() < 0.3 for _ in keys]
    values = [config_text(chance, depth + 1) if each else json_text(chance, depth) for each in deeper]
    pairs = (f"{json.dumps(key)}: {value}" for key, value in zip(keys, values, strict=True))
    return "{" + ", ".join(pairs) + "}"


def job_text(chance: random.Random, number: int, ids: set[str]) -> str:
    """A row as JSON; no two have one id, since no table has: of two such the list shows one."""
    if chance.random() < 0.05:
        return chance.choice(RAW)
    changed = chance.sample(COLUMNS[0 if chance.random() < 0.1 else 1 :], chance.randrange(1, 9))
    made = {name: config_text(chance) if name == "config" else json_text(chance) for name in changed}
    if "id" in made:
        # A number and its text are one id.
        same = made["id"].strip('"')
        made = {name: text for name, text in made.items() if name != "id" or same not in ids}
        ids.add(same)
    plain = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in json.loads(row(number)).items()
             if name not in made]  # fmt: skip
    return "{" + ", ".join([*plain, *(f"{json.dumps(name)}: {text}" for name, text in made.items())]) + "}"


def opened(page: str, **query: Any) -> App:
    """Open a page, and see that it ends, raises nothing, and holds nothing that runs."""
    forget_reads()
    before = time.process_time()
    app = App.open(page, **query)
    took = time.process_time() - before
    assert not app.at.exception, [each.stack_trace or each.message for each in app.at.exception]
    assert took < HANGS_S, f"{took:.0f} s of CPU"
    for text in (*app.html_bodies, *app.said):
        assert SCRIPT not in text
        assert "Traceback" not in text
    scripts = re.findall(r"<script[^>]*>", "".join(app.html_bodies))
    assert all("src=" in each or "type=" in each or each == "<script>" for each in scripts)
    return app


def settles(app: App) -> None:
    """One more run changes neither the link nor what is compared: pages do not chase their own tail."""
    before = app.link, app.compared
    app.rerun()
    assert (app.link, app.compared) == before
    assert not app.at.exception


@pytest.mark.parametrize("page", PAGES)
def test_links(chance, demo, page):
    ids = [run.run_id for run in demo.runs]
    names = list(link.PARAMS)
    for _ in range(LINKS // len(PAGES)):
        query = {"run": chance.sample(ids, chance.randrange(3))} if chance.random() < 0.7 else {}
        for name in chance.sample(names, chance.randrange(1, 5)):
            pool = (*TEXTS, *ids[:3], "1", "all", "some", "lower", "relative", "epoch", "time", "oldest", "running")
            query[name] = [chance.choice(pool) for _ in range(chance.choice((1, 1, 1, 2, 300)))]
        query = {name: [_sendable(text) for text in texts] for name, texts in query.items()}
        settles(opened(page, **query))


def _sendable(text: str) -> str:
    """As an address brings it: a browser sends no half of a character."""
    return text.encode("utf-8", "replace").decode()


@pytest.fixture
def project(monkeypatch) -> Iterator[Answers]:
    with answering(Answers()) as answers:
        given = {"URL": answers.url, "KEY": PUBLISHABLE, "SIGN_IN": "off", "TIMEOUT_S": "20"}
        for name, value in given.items():
            monkeypatch.setenv(PREFIX + name, value)
        yield answers


def batches(count: int, most: int) -> Sequence[range]:
    return [range(start, min(start + most, count)) for start in range(0, count, most)]


def test_rows_of_jobs(chance, project):
    for numbers in batches(JOBS, IN_ONE):
        ids = set[str]()
        rows = {run_id(number + 1): job_text(chance, number + 1, ids) for number in numbers}
        project.jobs = {run_id(0): row(0)} | rows
        for page in PAGES:
            listed = opened(page, list=str(IN_ONE + PAGE_SIZE))
            assert "run-0" in {line["name"] for line in listed.lines.values()}, "the good one is listed as ever"
            assert len(listed.lines) + len(listed.runs["unreadable"]) > len(rows), "each is listed, or named"
        opened_by = list(rows)
        for turn, group in enumerate(batches(len(rows), AT_ONCE)):
            for page in PAGES if turn % 5 == 0 else (PAGES[turn % len(PAGES)],):
                app = opened(page, run=[run_id(0), *(opened_by[place] for place in group)])
                assert app.compared[0] == run_id(0)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_answers_of_metrics(chance, project):
    project.jobs = {run_id(1): row(1)}
    columns = (
        "step",
        "epoch",
        "timestamp",
        "train_loss",
        "eval_loss",
        "perplexity",
        "grad_norm",
        "learning_rate",
        "f1",
    )
    values = (*(text for text in TEXTS if len(text) < 1000), None, 0, -1, 1.5, 1e308, -1e308, 2**62, 5, 7, 0.1)
    for number in range(METRICS):
        rows = [dict(each) for each in metric_rows(chance.randrange(12))]
        for _ in range(chance.randrange(1, 12)):
            if rows:
                value = chance.choice(values)
                chance.choice(rows)[chance.choice(columns)] = _sendable(value) if isinstance(value, str) else value
        project.metrics = rows
        app = opened(PAGES[number % len(PAGES)], run=[run_id(1)])
        assert app.compared == (run_id(1),)


NAMES = (
    "trainer_state.json", "trainer_log.jsonl", "metrics.csv", "results.csv", "progress.csv", "log.txt", "train.log",
    "logging.jsonl", "config.yaml", "hparams.yaml", "adapter_config.json", "training_args.json", "all_results.json",
    "events.out.tfevents.1.x", "run-x.wandb", "mlflow.db", "history.json", "x.parquet", "metrics.json",
)  # fmt: skip


def write_file(chance: random.Random, folder: Path) -> None:
    """A file of no particular kind, or a log with something odd in it, some of them cut off."""
    folder.mkdir(parents=True, exist_ok=True)
    kind = chance.random()
    if kind < 0.5:
        name, content = odd_log(chance)
    else:
        name, content = chance.choice(NAMES), no_log(chance, kind)
    (folder / name).write_bytes(content[: chance.randrange(len(content) + 1)] if chance.random() < 0.2 else content)


def no_log(chance: random.Random, kind: float) -> bytes:
    if kind < 0.65:
        return chance.randbytes(chance.choice((0, 1, 100, 5000)))
    if kind < 0.8:
        return json_text(chance).encode("utf-8", "replace")
    if kind < 0.9:
        lines = [",".join(_sendable(chance.choice(TEXTS))[:50] for _ in range(4)) for _ in range(9)]
        return "\n".join(["step,loss,eval_loss,epoch", *lines]).encode()
    logged = ", ".join(config_text(chance) for _ in range(4))
    return f'{{"log_history": [{logged}], "global_step": {json_text(chance)}}}'.encode("utf-8", "replace")


def odd_log(chance: random.Random) -> tuple[str, bytes]:
    """The name of a log of nine steps, and what is in it: most is as its program writes it."""
    name = chance.choice(("trainer_state.json", "trainer_log.jsonl", "metrics.csv", "train.log"))
    step = "current_steps" if name.endswith("jsonl") else "step"
    rows = [
        {step: str(at), "epoch": str(at / 3), "loss": str(1 / at), "eval_loss": str(1.1 / at)} for at in range(1, 10)
    ]
    for _ in range(chance.randrange(1, 5)):
        key = json.dumps(chance.choice((step, "loss", "eval_loss", "epoch", "learning_rate", *KEYS, *TEXTS)))[1:-1]
        chance.choice(rows)[key] = json_text(chance)
    if name.startswith("trainer"):
        texts = ["{" + ", ".join(f'"{key}": {value}' for key, value in row.items()) + "}" for row in rows]
        if name.endswith("jsonl"):
            return name, "\n".join(texts).encode("utf-8", "replace")
        state = f'"log_history": [{", ".join(texts)}], "global_step": 9, "max_steps": {json_text(chance)}'
        return name, f"{{{state}}}".encode("utf-8", "replace")
    header = list(dict.fromkeys(key for row in rows for key in row))
    if name.endswith("csv"):
        lines = [",".join(row.get(key, "")[:200] for key in header) for row in rows]
        return name, "\n".join([",".join(header), *lines]).encode("utf-8", "replace")
    lines = [" ".join(f"{key}: {value[:200]}" for key, value in row.items()) for row in rows]
    return name, "\n".join(lines).encode("utf-8", "replace")


def test_files(chance, on_folder, tmp_path):
    for numbers in batches(FILES, IN_ONE):
        root = tmp_path / str(numbers.start)
        write_run(root / "good", [1.0, 0.5, 0.4], [0.9, 0.6, 0.5])
        for number in numbers:
            write_file(chance, root / f"run{number // 2}")
        listed = on_folder(root, list=str(IN_ONE + PAGE_SIZE)).listed
        assert "good" in listed
        ids = [run for run in listed if run != "good"]
        assert len(ids) > len(numbers) // 8, "of many a run comes"
        for turn, group in enumerate(batches(len(ids), AT_ONCE)):
            for page in PAGES if turn % 3 == 0 else (PAGES[turn % len(PAGES)],):
                app = opened(page, run=["good", *(ids[place] for place in group)])
                assert app.compared[0] == "good"
                assert "good" in {line["name"] for line in app.lines.values()}
