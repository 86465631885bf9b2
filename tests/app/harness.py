"""The app without a browser: opened by link, used like a page, and read like one."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from streamlit.components.v2 import manifest_scanner
from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.testing.v1 import AppTest

from lib.ui.charts.component import CHARTS
from lib.ui.frame.sidebar import RUNS
from tests.app.cards import Cards
from tests.app.reading import Blocks, plain, table_sent
from tests.charts_sent import Part, unpacked

# For each new session Streamlit reads what every installed package says of itself, which stays the same.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)

PROJECT_ROOT = Path(__file__).parents[2]
MAIN, DIFF, HEALTH, RANKING = PAGES = (
    "streamlit_app.py",
    "pages/hyperparameters.py",
    "pages/run_health.py",
    "pages/ranking.py",
)
TITLES = dict(zip(PAGES, ("Compare runs", "Hyperparameter diff", "Run health", "How runs are ranked"), strict=True))
GONE = "0b7c1a6e-0000-4000-8000-000000000000"
"""An id that no source has."""

Query = str | Sequence[str]

LOOK = ("key", "title", "note", "axis", "wide", "height", "log", "format", "higher")
"""What is sent of a chart besides what it shows."""


class App:
    """One session of the app; ``at`` is Streamlit's own view of it."""

    def __init__(self) -> None:
        self.page = MAIN
        self.at = AppTest.from_file(str(PROJECT_ROOT / MAIN), default_timeout=120)

    @classmethod
    def open(cls, page: str = MAIN, **query: Query) -> App:
        """Follow a link to a page, in a new session."""
        return cls().go(page, **query)

    def go(self, page: str, **query: Query) -> App:
        """Follow a link to a page, in this session."""
        if page != self.page:
            self.at.switch_page(page)
            self.page = page
        return self.address(**query)

    def address(self, **query: Query) -> App:
        """Put another query string into the address bar, as Back does too."""
        self.at.query_params.clear()
        for name, value in query.items():
            self.at.query_params[name] = [value] if isinstance(value, str) else list(value)
        return self.rerun()

    def rerun(self) -> App:
        self.at.run()
        return self

    def check(self, run_id: str) -> App:
        return self.ask(picks=[[run_id, True]])

    def uncheck(self, run_id: str) -> App:
        return self.ask(picks=[[run_id, False]])

    def ask(self, **what: Any) -> App:
        """Ask the list of runs for something, as its script does: see ``static/runs.js``."""
        asked = what | {"turn": self.runs["turn"] + 1}
        self.trigger(RUNS, "asked", asked)
        if RUNS in [element.key for element in self.at.get("bidi_component")]:
            assert self.runs["turn"] == asked["turn"], "what was asked for is answered"
        return self

    def trigger(self, key: str, event: str, value: Any) -> App:
        """Send what a component's script sends."""
        states = self.at._tree.get_widget_states()
        (element,) = self._components(key)
        states.widgets.add(
            id=_make_trigger_id(element.proto.id, "events"),
            json_trigger_value=json.dumps([{"event": event, "value": value}]),
        )
        self.at._run(states)
        assert "exception" not in [element.type for element in self.at.main], self.at.exception
        return self

    def click(self, key: str) -> App:
        self.at.button(key=key).click()
        return self.rerun()

    def turn(self, kind: str, key: str, value: Any) -> App:
        """Set a widget."""
        getattr(self.at, kind)(key=key).set_value(value)
        return self.rerun()

    def put(self, **changes: Query) -> App:
        """Change parameters as the charts' toolbar does, which runs in the browser; an empty text for the default."""
        return self.address(**{name: text for name, text in (self.link | changes).items() if text})

    @property
    def link(self) -> dict[str, list[str]]:
        """The query string that the app has written."""
        params = self.at.query_params.items()
        return {name: [value] if isinstance(value, str) else list(value) for name, value in params}

    @property
    def compared(self) -> tuple[str, ...]:
        return tuple(self.link.get("run", ()))

    @property
    def runs(self) -> dict[str, Any]:
        """What the list of runs gets."""
        (element,) = self._components(RUNS)
        return json.loads(element.proto.bytes)

    @property
    def lines(self) -> dict[str, dict[str, Any]]:
        """The lines of the list by run id: the selected runs, then the others. None where there is no list."""
        if not self._components(RUNS):
            return {}
        runs = self.runs
        return {line["id"]: line for line in (*runs["selected"], *runs["others"])}

    @property
    def listed(self) -> list[str]:
        """The ids of the runs in the list: the selected ones, then the others."""
        return list(self.lines)

    @property
    def checked(self) -> set[str]:
        return {line["id"] for line in self.runs["selected"]}

    @property
    def title(self) -> str:
        """What stands in the title line."""
        (line,) = [body for body in self.html_bodies if 'class="page-head"' in body]
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", line.partition("</script>")[2]))).strip()

    @property
    def is_empty(self) -> bool:
        """Whether the page says what to do where nothing is selected."""
        return any('class="page-empty"' in body for body in self.html_bodies)

    def _components(self, key: str) -> list[Any]:
        return [each for each in self.at.get("bidi_component") if each.key == key]

    @property
    def said(self) -> list[str]:
        """Every text of the page that Streamlit renders as Markdown, with the escapes in it."""
        shown = ("title", "subheader", "markdown", "caption", "info", "warning", "error", "success")
        texts = [element.value for kind in shown for element in getattr(self.at, kind)]
        for kind in ("checkbox", "expander", "popover", "button", "page_link", "selectbox", "multiselect"):
            for element in self.at.get(kind):
                proto = element.proto
                texts += [proto.label] if hasattr(proto, "label") else [proto.popover.label or proto.expandable.label]
                texts.append(getattr(proto, "help", ""))
        return [text for text in texts if text]

    @property
    def text(self) -> str:
        """The page's text as a reader sees it: escapes and decoration taken away, the charts' captions behind."""
        return "\n".join([plain("\n".join(self.said)), *self.panel, self.cards.text, *self.captions, *self._list_text])

    @property
    def panel(self) -> list[str]:
        """The texts of the verdict panel, in order: one for each block; what a row's cells say is one text."""
        return [text for body in self.html_bodies if 'class="verdict"' in body for text in Blocks(body).texts]

    @property
    def _list_text(self) -> list[str]:
        """What the list of runs says, a line for each run, and in its tooltips."""
        if not self._components(RUNS):
            return []
        runs = self.runs
        lines = [
            " ".join(filter(None, (line["name"], line.get("unusual"), line["value"]))) for line in self.lines.values()
        ]
        told = [f"{title}: {value}" for line in self.lines.values() for title, value in line["details"]]
        return [runs["count"], runs["nothing"], *lines, *told, *(text for file in runs["unreadable"] for text in file)]

    @property
    def headings(self) -> list[str]:
        """Those below the page's title, of the pages' cards too."""
        return [*(heading.value for heading in self.at.subheader), *self.cards.headings]

    @property
    def cards(self) -> Cards:
        """What the pages beside the main one say."""
        return Cards([body for body in self.html_bodies if 'class="card"' in body or 'class="page-tools"' in body])

    @property
    def html_bodies(self) -> list[str]:
        return [element.proto.body for element in self.at.get("html")]

    @property
    def colors(self) -> dict[str, str]:
        """What the charts call the runs: label to colour."""
        return {run["label"]: self.shared["colors"][run["slot"]] for run in self.shared.get("runs", ())}

    @property
    def shared(self) -> dict[str, Any]:
        """What is sent for all charts together; empty where there are none."""
        sent = self.sent
        return sent[0].head if sent else {}

    @property
    def ranking(self) -> list[str]:
        """The rows of the ranking, as text, its head first."""
        body = next(body for body in self.html_bodies if 'class="verdict"' in body)
        rows = Blocks(body.partition('class="ranking"')[2].partition("</section>")[0]).texts
        return rows[1:]

    @property
    def pinned(self) -> dict[str, Any] | None:
        """What the panel of the pinned step is sent."""
        return self.shared["pinned"]

    def pinned_values(self, label: str) -> dict[str, str]:
        """All values that the panel has of the run that is called so, by the metric's title."""
        (slot,) = [run["slot"] for run in self.shared["runs"] if run["label"] == label]
        return {each["title"]: text for each in self.pinned["all"] for own, text in each["values"] if own == slot}

    @property
    def offered(self) -> list[str]:
        """The further metrics that can be chosen, by title, those in groups too."""
        return [metric["title"] for group in self.shared["further"] for metric in group["metrics"]]

    @property
    def grid(self) -> SimpleNamespace | None:
        """The summary table as it is sent: its arguments, and its rows by label, with a column of each thing sent."""
        found = self.at.get("component_instance")
        if not found:
            return None
        return table_sent(found[0].proto)

    @property
    def columns(self) -> list[str]:
        """The columns that the summary table shows."""
        return [column["colId"] for column in self.grid.arguments["gridOptions"]["columnDefs"]]

    @property
    def sent(self) -> list[Part]:
        """What is sent to draw the charts: first what they share, then a part for each. Empty where there are none."""
        elements = self._components(CHARTS)
        assert len(elements) <= 1, "all charts change at one moment"
        return unpacked(elements[0].proto.bytes) if elements else []

    @property
    def parts(self) -> list[Part]:
        """The parts that are charts, also of those that are empty."""
        sent = self.sent
        if not sent:
            return []
        shared, *rest = sent
        keys = [*shared.head["main"], *shared.head["health"]]
        parts = rest[: len(keys)]
        assert [part.head["key"] for part in parts] == keys, "they are told apart by their place"
        return parts

    @property
    def charts(self) -> dict[str, SimpleNamespace]:
        """The charts that are drawn, by title: how, the datasets, and the pinned position."""
        drawn = [part for part in self.parts if not part.head["empty"]]
        pin = self.shared["options"]["values"]["pin"] if drawn else None
        found = {part.head["title"]: SimpleNamespace(head=part.head, data=part.frames, pin=pin) for part in drawn}
        assert len(found) == len(drawn), "two charts have one title"
        return found

    @property
    def captions(self) -> list[str]:
        """What is said below the charts, as plain text and so without escapes."""
        said = [part.head["said"] for part in self.parts if part.head["said"]]
        return [*said, *filter(None, (*self.shared.get("notes", ()), self.shared.get("absent", "")))]

    @property
    def looks(self) -> dict[str, dict]:
        """How the charts are drawn, whatever they show, by the title of their y axis."""
        return {title: {name: chart.head[name] for name in LOOK} for title, chart in self.charts.items()}

    def assert_sound(self) -> None:
        """Nothing was raised, no error is shown, and it is the right page."""
        assert not self.at.exception, self.at.exception
        assert not self.at.error, [error.value for error in self.at.error]
        assert self.title.startswith(TITLES[self.page])


def write_run(
    path: Path,
    losses: Sequence[float],
    eval_losses: Sequence[float] = (),
    *,
    rows: Sequence[Mapping[str, Any]] = (),
    args: Mapping[str, Any] | None = None,
    total: int | None = None,
) -> Path:
    """A training output as the trainer writes it: one step for each loss.

    Args:
        rows: Logged besides.
        args: The training arguments.
        total: How many steps were planned; as many as were done, if not said.
    """
    log = [{"step": step, "epoch": step / 10, "loss": loss} for step, loss in enumerate(losses, 1)]
    log += [{"step": step, "epoch": step / 10, "eval_loss": loss} for step, loss in enumerate(eval_losses, 1)]
    steps = max(len(losses), len(eval_losses))
    path.mkdir(parents=True, exist_ok=True)
    state = {"global_step": steps, "max_steps": total or steps, "log_history": [*log, *rows]}
    (path / "trainer_state.json").write_text(json.dumps(state), encoding="utf-8")
    if args is not None:
        (path / "training_args.json").write_text(json.dumps(args), encoding="utf-8")
    return path
