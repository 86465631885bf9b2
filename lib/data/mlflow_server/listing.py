"""The list of a server's runs: experiments by name, runs page by page, as far as a bound that is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.core.facts.errors import AppError, RunSourceError, SettingsError
from lib.core.facts.foreign import isolated
from lib.core.facts.query import RunIndex, Unreadable
from lib.core.facts.runs import RunSummary
from lib.data.mlflow_server.client import Server
from lib.data.mlflow_server.errors import NotThere
from lib.data.mlflow_server.kept import Kept
from lib.data.mlflow_server.runs import Found, found_run, summary_of
from lib.data.refusals import incomplete

EXPERIMENTS_PAGE = 1000
RUNS_PAGE = 200
"""Runs come with all their parameters and tags, 5 to 50 kB each."""
MOST_RUNS = 10_000
"""The newest so many are listed: each takes some kilobytes, a millisecond here, and the server some more."""
MOST_EXPERIMENTS = 20_000
EXPERIMENTS_AT_ONCE = 500
"""Experiments that one question names."""
MOST_LEVELS = 8
"""Runs inside runs inside runs; more is a ring."""
REST = 10.0
"""To list many runs takes a server seconds. It is asked for a list for a tenth of the time at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """The runs of a server at some moment.

    Attributes:
        runs: In the server's order, the newest first.
        index: Answers questions about them.
        unreadable: What of the server is not among them, in words.
    """

    runs: tuple[RunSummary, ...]
    index: RunIndex
    unreadable: tuple[Unreadable, ...]


class Listing:
    """Lists the runs of a server, again when it is asked some time later. Safe to share between threads."""

    def __init__(self, server: Server) -> None:
        self._server = server
        refresh_s = server.settings.refresh_s
        self._list = Kept(self._read, lambda took: max(refresh_s, REST * took))
        self._names = Kept(self._read_names, lambda _: refresh_s)
        self._summaries: Mapping[str, RunSummary] = {}
        self._found: Mapping[str, Found] = {}

    def newest(self) -> Listed:
        """The list, at most about ``refresh_s`` old, or ten times as old as it takes to be read.

        While another thread reads it anew, the last one.

        Raises:
            AppError: If it cannot be read.
        """
        return self._list.value()

    def found(self, run_id: str) -> Found | None:
        """A run as it is now; ``None`` where it is not there, is deleted, or is of another experiment.

        Raises:
            AppError: If the server cannot be asked.
        """
        own = self._asked(run_id)
        if own is None or not own.parent:
            return own
        outer: list[Found] = []
        above: Found | None = own
        while above is not None and above.parent and len(outer) < MOST_LEVELS:
            above = self._found.get(above.parent) or self._asked(above.parent)
            if above is None or above.run_id in {own.run_id, *(each.run_id for each in outer)}:
                break
            outer.append(above)
        return own.inside(outer)

    def _asked(self, run_id: str) -> Found | None:
        """A run as it is now, by itself."""
        try:
            answer = self._server.get("runs/get", [("run_id", run_id)])
        except NotThere:
            return None
        except AppError as error:
            # What is no id at all is refused as a bad question.
            if type(error) is not RunSourceError or len(run_id) == _ID_LENGTH:
                raise
            return None
        names = self._names.value()
        found = found_run(answer.get("run"), names)
        return found if found is not None and not found.deleted and found.experiment_id in names else None

    def summary(self, found: Found) -> RunSummary:
        """The run as the list shows it; worked out once for each version."""
        known = self._summaries.get(found.run_id)
        if known is None or known.version != found.version:
            known = summary_of(found)
        return known

    def _read(self) -> Listed:
        names = self._names.value(anew=True)
        found: list[Found] = []
        more = False
        ids = list(names)
        for start in range(0, len(ids), EXPERIMENTS_AT_ONCE):
            some, is_cut = self._runs_of(ids[start : start + EXPERIMENTS_AT_ONCE], names)
            found += some
            more |= is_cut
        by_id = {each.run_id: each for each in found}
        if len(by_id) > MOST_RUNS:
            newest = sorted(by_id.values(), key=lambda each: -(each.stated.start_time or 0.0))[:MOST_RUNS]
            by_id, more = {each.run_id: each for each in newest}, True
        outer = outer_runs(by_id)
        self._summaries = {run_id: self.summary(each.inside(outer.get(run_id, ()))) for run_id, each in by_id.items()}
        self._found = by_id
        runs = tuple(self._summaries.values())
        said = f"Only its newest {MOST_RUNS:,} runs are listed. Name fewer experiments in the settings to see others."
        unreadable = (Unreadable(self._server.settings.host, said),) if more else ()
        return Listed(runs, RunIndex(runs), unreadable)

    def _runs_of(self, experiments: Sequence[str], names: Mapping[str, str]) -> tuple[list[Found], bool]:
        """The newest runs of some experiments, and whether there are more."""
        question = {
            "experiment_ids": list(experiments),
            "run_view_type": "ACTIVE_ONLY",
            "max_results": RUNS_PAGE,
            "order_by": ["attributes.start_time DESC"],
        }
        found: list[Found] = []
        for page in self._pages("runs/search", question, "runs"):
            read = (found_run(each, names) for each in page)
            found += [each for each in read if each is not None and not each.deleted]
            if len(found) > MOST_RUNS:
                return found, True
        return found, False

    def _read_names(self) -> dict[str, str]:
        """Names of the experiments that are listed, by id."""
        found: dict[str, str] = {}
        for page in self._pages("experiments/search", {"max_results": EXPERIMENTS_PAGE}, "experiments"):
            for each in page:
                if isinstance(each, Mapping) and each.get("lifecycle_stage") != "deleted":
                    name = str(each.get("name", "")).encode("utf-8", "replace").decode("utf-8")
                    found[str(each.get("experiment_id", ""))] = name
            if len(found) > MOST_EXPERIMENTS:
                break
        if wanted := self._server.settings.experiments:
            known = set(found.values())
            for name in wanted:
                if name not in known:
                    raise _no_such_experiment(name, self._server.settings.host, sorted(known))
            found = {number: name for number, name in found.items() if name in wanted}
        return found

    def _pages(self, endpoint: str, question: Mapping[str, Any], key: str) -> Any:
        """The lists under a key of all pages of an answer."""
        token, seen = "", {""}
        while True:
            answer = self._server.post(endpoint, {**question, **({"page_token": token} if token else {})})
            page = answer.get(key, [])
            if not isinstance(page, list):
                raise incomplete(self._server.settings.host).error
            yield page
            token = answer.get("next_page_token") or ""
            if not isinstance(token, str) or token in seen:
                return
            seen.add(token)


def outer_runs(runs: Mapping[str, Found]) -> dict[str, list[Found]]:
    """For each run that is inside others, these, the innermost first."""
    found: dict[str, list[Found]] = {}
    for run_id, run in runs.items():
        outer: list[Found] = []
        above = runs.get(run.parent) if run.parent else None
        while above is not None and above is not run and above not in outer and len(outer) < MOST_LEVELS:
            outer.append(above)
            above = runs.get(above.parent) if above.parent else None
        if outer:
            found[run_id] = outer
    return found


_ID_LENGTH = 32


def _no_such_experiment(name: str, host: str, known: Sequence[str]) -> SettingsError:
    listed = ", ".join(isolated(each[:80]) for each in known[:10]) + (", ..." if len(known) > 10 else "")
    return SettingsError(
        f"Expected an experiment called {isolated(name[:80])} on {host}, found no active one.",
        hint=f"Change experiments in the settings. There are: {listed or 'none'}.",
    )
