"""What a chat shows of a link: whoever asks for that is not signed in, so it names the app and nothing in it."""

from __future__ import annotations

from starlette.types import Message, Send

TITLE = "Runoff: which fine-tuning run to ship"
DESCRIPTION = (
    "A comparison of fine-tuning runs side by side: curves, settings, and which checkpoint to ship. What it compares is"
    " shown to those who may read the runs."
)
_STREAMLITS = b"<title>Streamlit</title>"
"""Of the page that the server gives for every address; its script then writes the title of the page that is shown."""
_OURS = "".join(
    (
        f"<title>{TITLE}</title>",
        f'<meta name="description" content="{DESCRIPTION}">',
        '<meta property="og:type" content="website">',
        '<meta property="og:site_name" content="Runoff">',
        f'<meta property="og:title" content="{TITLE}">',
        f'<meta property="og:description" content="{DESCRIPTION}">',
        '<meta name="twitter:card" content="summary">',
    )
).encode()
_OF_STREAMLITS = (b"content-length", b"etag", b"last-modified", b"accept-ranges")
"""What is not true of the page any more."""


def titled(send: Send) -> Send:
    """``send`` with our title and description in the page, whatever the address; all else passes as it is."""
    start: Message | None = None
    body = b""

    async def sent(message: Message) -> None:
        nonlocal start, body
        if message["type"] == "http.response.start" and message["status"] == 200 and _is_page(message):
            start = message
        elif start is None or message["type"] != "http.response.body":
            await send(message)
        else:
            body += message.get("body", b"")
            if not message.get("more_body"):
                await _finish(start, body, send)

    return sent


async def _finish(start: Message, body: bytes, send: Send) -> None:
    headers = start.get("headers", ())
    if _STREAMLITS in body or not body:
        # Of an answer to HEAD nobody knows how long its body would be.
        body = body.replace(_STREAMLITS, _OURS, 1)
        headers = [each for each in headers if each[0].lower() not in _OF_STREAMLITS]
        headers += [(b"content-length", str(len(body)).encode())] if body else []
    await send({**start, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _is_page(start: Message) -> bool:
    headers = {name.lower(): value for name, value in start.get("headers", ())}
    kind: bytes = headers.get(b"content-type", b"")
    return kind.startswith(b"text/html")
