"""Archives as honest and as hostile writers make them."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Mapping

from lib.data.upload.upload import Dropped

Files = Mapping[str, bytes]


def state(level: float = 1.0, steps: int = 9) -> bytes:
    """The log of a ``Trainer``."""
    rows = [{"step": step, "epoch": step / 10, "loss": level / step} for step in range(1, steps + 1)]
    rows += [{"step": step, "epoch": step / 10, "eval_loss": level + 1 / step} for step in range(3, steps + 1, 3)]
    return json.dumps({"global_step": steps, "max_steps": steps, "log_history": rows}).encode()


def table(level: float = 1.0, steps: int = 20) -> bytes:
    """A table of metrics."""
    rows = (f"0,{step},{level / step},{level + 1 / step}" for step in range(1, steps))
    return "\n".join(["epoch,step,train_loss,val_loss", *rows, ""]).encode()


def dropped(name: str, content: bytes) -> Dropped:
    return Dropped(name, io.BytesIO(content), len(content))


def zipped(files: Files, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip; a name that ends in "/" is a folder."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, (2024, 5, 6, 7, 8, 10))
            info.compress_type = method
            archive.writestr(info, content)
    return made.getvalue()


def zipped_entry(name: str, content: bytes = b"x", mode: int = 0, **changes: object) -> bytes:
    """A zip of one entry, with attributes of its own."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = 3, mode << 16
        for attribute, value in changes.items():
            setattr(info, attribute, value)
        archive.writestr(info, content)
    return made.getvalue()


def member(name: str, content: bytes = b"", **changes: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.mtime = len(content), 1_700_000_000
    for attribute, value in changes.items():
        setattr(info, attribute, value)
    return info, content


def tarred(*members: tuple[tarfile.TarInfo, bytes], files: Files | None = None) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in [*members, *(member(name, content) for name, content in (files or {}).items())]:
            archive.addfile(info, io.BytesIO(content))
    return made.getvalue()


PACKS = {
    ".tar": bytes,
    ".tar.gz": gzip.compress,
    ".tgz": gzip.compress,
    ".tar.bz2": bz2.compress,
    ".tar.xz": lzma.compress,
}


def overlapping(files: int, content: bytes) -> bytes:
    """A zip whose directory names one member many times: it unpacks to as many times what it holds."""
    whole = zipped({"member": content})
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        start = archive.start_dir
    end = whole.rindex(b"PK\x05\x06")
    entry = whole[start:end]
    # All names are as long, as the local header has one of them only.
    names = [f"m{number:05d}"[:6].encode() for number in range(files)]
    directory = b"".join(entry.replace(b"member", name) for name in names)
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, files, files, len(directory), start, 0)
    return whole[:start] + directory + tail


def with_size(archive: bytes, size: int) -> bytes:
    """The same zip, with another size in its directory and its local header."""
    changed = bytearray(archive)
    for sign, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = changed.index(sign) + place
        changed[at : at + 4] = struct.pack("<L", size)
    return bytes(changed)


def tar_header(name: bytes, size: bytes, kind: bytes = b"0") -> bytes:
    """The header of a tar with a size as it is written there."""
    header = bytearray(512)
    header[: len(name)] = name
    header[100:108] = b"0000644\0"
    header[108:124] = b"0000000\x000000000\0"
    header[124 : 124 + len(size)] = size
    header[136:148] = b"00000000000\0"
    header[156:157] = kind
    header[257:265] = b"ustar\x0000"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)
