"""The files in ``static``: their addresses, and components that are drawn by them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

_STATIC = Path(__file__).parents[3] / "static"
KINDS = (".css", ".js")
"""What the names of these files end in."""

# Streamlit's own script lies beside the app's static files, whatever path the app is served under.
_ADDRESS = "new URL('../../app/static/%s?v=%s', document.querySelector('script[type=module][src]').src).href"
_JS = f"""
const loading = import({_ADDRESS});
export default async component => {{
  let drawing;
  try {{
    drawing = await loading;
  }} catch (error) {{
    component.parentElement.textContent = 'This is drawn by the files in static/, which could not be used: '
      + error.message + '. Reload the page; if that does not help, see that server.enableStaticServing is on.';
    return;
  }}
  return drawing.draw(component);
}};
"""


def version() -> str:
    """What tells these files from those of another version: it follows them, as they may change below a server."""
    return _version(tuple((path, *_stamp(path)) for path in _files()))


def text(name: str) -> str:
    """What a file holds."""
    return _text(name, _stamp(_STATIC / name))


def _files() -> list[Path]:
    # Not what an editor leaves beside them.
    return sorted(path for path in _STATIC.iterdir() if path.suffix in KINDS and not path.name.startswith("."))


def _stamp(path: Path) -> tuple[int, int]:
    """Another one whenever a file was written."""
    found = path.stat()
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=1)
def _version(files: tuple[tuple[Path, int, int], ...]) -> str:
    contents = b"".join(path.name.encode() + path.read_bytes() for path, *_ in files)
    return blake2b(contents, digest_size=8).hexdigest()


@lru_cache(maxsize=32)
def _text(name: str, _: tuple[int, int]) -> str:
    return (_STATIC / name).read_text(encoding="utf-8")


def scripts(modules: Sequence[str]) -> str:
    """HTML that runs modules, each once for a page of the browser, in any order."""
    return "".join(f'<script type="module" src="{address(name)}"></script>' for name in modules)


def address(name: str) -> str:
    """Where a file is for Streamlit's own page, whose scripts are found in the same way."""
    return f"app/static/{name}?v={version()}"


def component(name: str, module: str, style: str) -> ComponentRenderer:
    """A component of the page that a module's ``draw`` draws. Its style holds for the whole page."""
    return st.components.v2.component(name, js=_JS % (module, version()), css=text(style), isolate_styles=False)
