"""The files in ``static``: their addresses, and components that are drawn by them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

_STATIC = Path(__file__).parents[3] / "static"

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


@cache
def version() -> str:
    """What tells these files from those of another version."""
    contents = b"".join(path.read_bytes() for path in sorted(_STATIC.iterdir()))
    return blake2b(contents, digest_size=8).hexdigest()


@cache
def text(name: str) -> str:
    """What a file holds."""
    return (_STATIC / name).read_text(encoding="utf-8")


def script(module: str, preloaded: Sequence[str]) -> str:
    """HTML that runs a module, and lets the browser load others before they are asked for."""
    links = "".join(
        f"document.head.append(Object.assign(document.createElement('link'),"
        f" {{ rel: 'modulepreload', href: {_ADDRESS % (name, version())} }}));"
        for name in preloaded
    )
    return f'<script type="module">{links} import({_ADDRESS % (module, version())});</script>'


def component(name: str, module: str, style: str) -> ComponentRenderer:
    """A component of the page that a module's ``draw`` draws. Its style holds for the whole page."""
    return st.components.v2.component(name, js=_JS % (module, version()), css=text(style), isolate_styles=False)
