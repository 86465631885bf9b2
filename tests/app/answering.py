"""A project that answers whatever it is told: rows that no test could write into a database."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PUBLISHABLE = "sb_publishable_x"
JOBS, METRICS = "local_training_jobs", "local_training_metrics"
HEADER = "step,epoch,timestamp,train_loss,eval_loss"


def run_id(number: int) -> str:
    """The id of a run: a uuid with this number in it."""
    return f"00000000-0000-4000-8000-{number:012d}"


def row(number: int, **columns: Any) -> str:
    """A row of the jobs table as JSON; ``columns`` win over what an ordinary run has."""
    ordinary = {
        "id": run_id(number),
        "model_name": f"run-{number}",
        "status": "completed",
        "created_at": "2026-01-01T00:00:00+00:00",
        "updated_at": "2026-01-02T00:00:00+00:00",
        "current_step": 3,
        "loss": 0.5,
        "eval_loss": 0.6,
        "config": {"training": {"learning_rate": 1e-4, "seed": number}},
    }
    return json.dumps(ordinary | columns)


def row_of_text(number: int, text: str, **columns: Any) -> str:
    """A row with this text in every column that people or programs fill."""
    filled = {
        "model_name": text,
        "status": f"odd {text}",
        "dataset_path": f"data/{text}",
        "base_model": text,
        "error_message": f"It failed: {text}",
        "best_checkpoint_path": f"out/{text}/checkpoint-1",
        "resumed_from_checkpoint": text,
        "distributed_strategy": text,
        "created_at": text,
        "learning_rate": text,
    }
    return row(number, **filled | columns)


def metric_rows(steps: int = 3) -> tuple[Mapping[str, Any], ...]:
    """Rows of the metrics table as an ordinary run has them."""
    return tuple(
        {"step": step, "epoch": 1, "timestamp": f"2026-01-01T00:00:0{step}+00:00",
         "train_loss": 1 / (step + 1), "eval_loss": 1.1 / (step + 1)}
        for step in range(steps)
    )  # fmt: skip


@dataclass
class Answers:
    """What the project answers.

    Attributes:
        jobs: Rows of the jobs table, as JSON each: by id, in the order of the list. Not all of them are valid.
        metrics: Rows of the metrics table, of every run: texts and numbers by column.
        body: In the place of every answer of the jobs table.
        asked: The path and the query of each request.
        fault: What is answered instead of a request, by how many came before: a status and a body, nothing at all
            where the status is 0; ``None`` for what is told.
    """

    jobs: dict[str, str] = field(default_factory=dict)
    metrics: Sequence[Mapping[str, Any]] = field(default_factory=metric_rows)
    body: bytes | None = None
    asked: list[str] = field(default_factory=list)
    url: str = ""
    fault: Callable[[int], tuple[int, bytes] | None] = lambda _: None

    def of_jobs(self, query: Mapping[str, list[str]]) -> tuple[bytes, str]:
        rows = list(self.jobs.values())
        if wanted := re.fullmatch(r"in\.\((.*)\)", query.get("id", [""])[0]):
            ids = wanted[1].replace('"', "").split(",")
            rows = [row for run, row in self.jobs.items() if run in ids]
        total, offset = len(rows), int(query.get("offset", ["0"])[0])
        rows = rows[offset : offset + int(query.get("limit", ["1000"])[0])]
        body = self.body if self.body is not None else f"[{','.join(rows)}]".encode()
        return body, f"{offset}-{offset + len(rows) - 1}/{total}" if rows else f"*/{total}"

    def of_metrics(self, query: Mapping[str, list[str]]) -> tuple[bytes, str]:
        columns = [name.strip('"') for name in query["select"][0].split(",")]
        if columns == ["*"]:
            return json.dumps([dict(each) for each in self.metrics[:1]], default=str).encode(), "0-0/*"
        named = [name.rpartition(":")[2] for name in columns]
        rows = self.metrics[int(query.get("offset", ["0"])[0]) :]
        if query.get("order", [""])[0].endswith("desc"):
            rows = rows[-1:]
        rows = rows[: int(query.get("limit", ["10000"])[0])]
        lines = [",".join(name.partition(":")[0] for name in columns)]
        lines += [",".join(_cell(each.get(name)) for name in named) for each in rows]
        return "\n".join(lines).encode(), f"0-{len(rows) - 1}/{len(self.metrics)}" if rows else "*/0"


def _cell(value: Any) -> str:
    return "" if value is None else '"' + value.replace('"', '""') + '"' if isinstance(value, str) else str(value)


@contextmanager
def answering(answers: Answers) -> Iterator[Answers]:
    """Serve it on this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            fault = answers.fault(len(answers.asked))
            answers.asked.append(self.path)
            if fault is not None:
                if fault[0]:
                    self._answer(fault[0], "application/json", fault[1])
                else:
                    self.close_connection = True
                return
            query = parse_qs(asked.query, keep_blank_values=True)
            if asked.path.endswith(f"/{JOBS}"):
                body, rows = answers.of_jobs(query)
                self._answer(200, "application/json", body, rows)
            elif asked.path.endswith(f"/{METRICS}"):
                body, rows = answers.of_metrics(query)
                kind = "text/csv" if "csv" in self.headers.get("Accept", "") else "application/json"
                self._answer(200, kind, body, rows)
            else:
                self._answer(404, "application/json", b'{"code": "PGRST202", "message": "no such function"}')

        do_POST = do_GET

        def _answer(self, status: int, kind: str, body: bytes, rows: str = "") -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            if rows:
                self.send_header("Content-Range", rows)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    answers.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield answers
    finally:
        server.shutdown()
        server.server_close()
