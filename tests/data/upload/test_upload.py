"""What is taken of files and archives, what is refused, and that nothing is left of either."""

from __future__ import annotations

import gc
import io
import lzma
import os
import shutil
import stat
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from lib.core.facts.query import RunQuery
from lib.core.facts.selection import is_uploaded
from lib.data.folder import following
from lib.data.folder.memory.remembered import CACHE_VARIABLE
from lib.data.upload import guarded, limits, storage, tar_files, zip_files
from lib.data.upload import upload as uploads
from lib.data.upload.entries import write_file
from lib.data.upload.names import parts_of, plain_name
from lib.data.upload.refusals import UploadRefused
from lib.data.upload.upload import Upload
from tests.data.upload.archives import (
    PACKS,
    dropped,
    member,
    overlapping,
    state,
    table,
    tar_header,
    tarred,
    with_size,
    zipped,
    zipped_entry,
)

EVERYTHING = RunQuery(limit=1000)


@pytest.fixture(autouse=True)
def _own_place(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(storage, "_OWN", {})


@pytest.fixture
def upload() -> Upload:
    return Upload()


def names(upload: Upload) -> set[str]:
    return {run.name for run in upload.source.list_runs(EVERYTHING).runs}


def on_disk(place: Path) -> set[str]:
    """Everything below the folder of the tests but the lock, and folders that hold nothing."""
    return {
        str(path.relative_to(place))
        for path in place.rglob("*")
        if path.name != storage.LOCK and (path.is_symlink() or not path.is_dir())
    }


def refusal(upload: Upload, name: str, content: bytes) -> str:
    """What is said of an archive that is refused, of which nothing is left."""
    before = on_disk(upload._folder)
    (error,) = upload.take([dropped(name, content)])
    assert on_disk(upload._folder) == before
    assert upload.items == ()
    assert os.listdir(upload._folder) == [uploads.ROOT]
    assert str(error).endswith(".")
    assert error.hint.endswith(".")
    return str(error)


RUNS = {"runs/a/trainer_state.json": state(1.0), "runs/b/trainer_state.json": state(2.0), "runs/notes.md": b"hello"}


@pytest.mark.parametrize("end", [".zip", ".ZIP", *PACKS])
def test_an_archive_of_each_kind_is_read(upload, end):
    content = zipped(RUNS) if end.lower() == ".zip" else PACKS[end](tarred(files=RUNS))
    assert upload.take([dropped(f"sweep{end}", content)]) == ()
    assert names(upload) == {"a", "b"}
    (item,) = upload.items
    assert (item.title, item.files, item.size) == (f"sweep{end}", 3, sum(map(len, RUNS.values())))
    assert item.left == ()
    assert all(is_uploaded(run.run_id) for run in upload.source.list_runs(EVERYTHING).runs)


def test_what_is_unpacked_keeps_its_time_and_is_private(upload):
    upload.take([dropped("x.zip", zipped(RUNS)), dropped("y.tar", tarred(files=RUNS))])
    for folder, written in (("x", 1_714_979_290), ("y", 1_700_000_000)):
        found = (upload._root / folder / "runs" / "a" / "trainer_state.json").stat()
        assert found.st_mtime == written
        assert stat.S_IMODE(found.st_mode) == 0o600
    for path in (upload._folder, upload._root, upload._root / "x" / "runs"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_an_archive_of_one_run_calls_it_by_its_name(upload):
    assert upload.take([dropped("lr 3e-5.zip", zipped({"trainer_state.json": state()}))]) == ()
    assert names(upload) == {"lr 3e-5"}


def test_two_archives_of_one_name_are_two(upload):
    archive = zipped({"trainer_state.json": state(1.0)})
    upload.take([dropped("run.zip", archive), dropped("Run.zip", zipped({"trainer_state.json": state(2.0)}))])
    assert names(upload) == {"run", "Run (2)"}


def test_files_that_come_together_keep_their_names(upload):
    assert upload.take([dropped(f"{name}.csv", table(level)) for level, name in enumerate("abc", 1)]) == ()
    assert names(upload) == {"a", "b", "c"}
    assert [item.title for item in upload.items] == ["3 files"]


def test_a_file_that_comes_alone_names_its_run(upload):
    upload.take([dropped("lr3e-5.csv", table())])
    assert names(upload) == {"lr3e-5"}


def test_files_of_one_name_go_to_numbered_folders(upload):
    upload.take([dropped("trainer_state.json", state(level)) for level in (1.0, 2.0, 3.0)])
    assert names(upload) == {"trainer_state 1", "trainer_state 2", "trainer_state 3"}
    upload.take([dropped("trainer_state.json", state(4.0))])
    assert names(upload) == {"trainer_state 1", "trainer_state 2", "trainer_state 3", "trainer_state 4"}


@pytest.mark.parametrize(
    "beside", [{"m.pkl": b"\x80"}, {"a.png": b"x", "config.json": b'{"lr": 0.1}'}, {"notes.md": b"x"}]
)
def test_the_only_log_of_some_files_names_its_run(upload, beside):
    upload.take([dropped("resnet_a.csv", table()), *(dropped(name, content) for name, content in beside.items())])
    assert names(upload) == {"resnet_a"}


def test_a_state_beside_other_logs_is_called_one(upload):
    upload.take([dropped("trainer_state.json", state()), dropped("resnet_a.csv", table(3.0)), dropped("m.pkl", b"x")])
    assert names(upload) == {"resnet_a", "trainer_state 1"}


def test_what_lies_beside_a_log_describes_it(upload):
    args = b'{"learning_rate": 0.00123}'
    upload.take([dropped("trainer_state.json", state()), dropped("training_args.json", args)])
    (run,) = upload.source.list_runs(EVERYTHING).runs
    assert "0.00123" in repr(run.config)


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("lr3_trainer_state.json", "lr3"),
        ("trainer_state (1).json", "trainer_state (1)"),
        ("trainer_state-8 3e-5.json", "8 3e-5"),
        ("llama Trainer_State.JSON", "llama"),
    ],
)
def test_a_renamed_log_of_a_trainer_is_read_as_one(upload, name, called):
    upload.take([dropped(name, state()), dropped("other.csv", table(3.0))])
    assert called in names(upload)


@pytest.mark.parametrize(
    "name", ["../../evil.csv", "/etc/evil.csv", "C:\\x\\evil.csv", "a/../../evil.csv", "e\0vil.csv"]
)
def test_a_file_goes_nowhere_but_into_its_folder_whatever_it_is_called(upload, tmp_path, name):
    assert upload.take([dropped(name, table())]) == ()
    assert names(upload) == {"evil"}
    assert all(path.startswith(storage.PREFIX) for path in on_disk(tmp_path))


@pytest.mark.parametrize(
    "name", ["", ".", "..", "///", "\0", " ", "." * 300, "n" * 1000, "n." + "e" * 1000, "é" * 500 + ".csv"]
)
def test_every_name_becomes_one_that_a_file_can_have(upload, name):
    assert upload.take([dropped(name, table())]) == ()
    assert 0 < len(plain_name(name).encode()) <= limits.LONGEST_NAME + 1


HOSTILE = {
    "/etc/passwd": "names that start inside the archive",
    "\\\\server\\share\\x": "names that start inside the archive",
    "C:\\x.json": "names that start inside the archive",
    "c:x.json": "names that start inside the archive",
    "../x.json": "names that stay inside the archive",
    "a/b/../../../x.json": "names that stay inside the archive",
    "a\\..\\..\\x.json": "names that stay inside the archive",
    "a/..": "names that stay inside the archive",
    "n" * 1000: "names of at most 200",
    "/".join(["n" * 100] * 10): "names of at most 200",
    "/".join("a" * 40): "at most 20 folders",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("end", [".zip", ".tar.gz"])
def test_no_archive_leaves_its_folder(upload, name, end):
    files = {"good/trainer_state.json": state(), name: b"{}"}
    content = zipped(files) if end == ".zip" else PACKS[end](tarred(files=files))
    assert HOSTILE[name] in refusal(upload, f"x{end}", content)


def test_a_name_with_nul_is_refused(upload):
    content = zipped({"good.json!x": b"{}"}).replace(b"good.json!", b"good.json\0")
    assert "NUL" in refusal(upload, "x.zip", content)
    with pytest.raises(UploadRefused, match="NUL"):
        parts_of("a\0b", "x.tar")


def test_backslashes_of_windows_lead_into_folders(upload):
    upload.take(
        [dropped("x.zip", zipped({"runs\\a\\trainer_state.json": state(), "runs\\b\\trainer_state.json": state(2.0)}))]
    )
    assert names(upload) == {"a", "b"}


@pytest.mark.parametrize(
    ("one", "other"),
    [("a/x.json", "a/x.json"), ("a/x.json", "a/X.json"), ("a/x.json", "A/y.json"), ("é.json", "e\u0301.json"),
     ("a", "a/x.json"), ("a/x.json", "a"), ("a\\x", "a/x"), ("straße", "STRASSE")],
)  # fmt: skip
@pytest.mark.parametrize("end", [".zip", ".tar"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_no_name_stands_for_two_files(upload, one, other, end):
    made = io.BytesIO()
    if end == ".zip":
        with zipfile.ZipFile(made, "w") as archive:
            for name in (one, other):
                archive.writestr(name, b"{}")
        content = made.getvalue()
    else:
        content = tarred(member(one, b"{}"), member(other, b"{}"))
    assert "Expected each name once" in refusal(upload, f"x{end}", content)


def test_links_and_devices_are_left_out_and_named(upload, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_bytes(table())
    kinds = {
        "soft": (tarfile.SYMTYPE, str(secret)),
        "up": (tarfile.SYMTYPE, "../../../.."),
        "hard": (tarfile.LNKTYPE, "runs/a/trainer_state.json"),
        "fifo": (tarfile.FIFOTYPE, ""),
        "disk": (tarfile.BLKTYPE, ""),
        "tty": (tarfile.CHRTYPE, ""),
    }
    odd = [member(name, type=kind, linkname=target) for name, (kind, target) in kinds.items()]
    assert upload.take([dropped("x.tar", tarred(*odd, member("through/x.csv", table()), files=RUNS))]) == ()
    (item,) = upload.items
    assert sorted(item.left) == [
        '3 entries left out, as links are not followed: "soft", "up", "hard".',
        '3 entries left out, as only files and folders are taken: "fifo", "disk", "tty".',
    ]
    assert not [path for path in upload._root.rglob("*") if path.is_symlink() or path.name in kinds]


def test_nothing_is_written_through_a_link(upload, tmp_path):
    (tmp_path / "outside").mkdir()
    link = member("d", type=tarfile.SYMTYPE, linkname=str(tmp_path / "outside"))
    upload.take([dropped("x.tar", tarred(link, member("e/x.csv", table())))])
    assert names(upload) == {"e"}
    # A file below the link's own name: the link is not there, so that it is a folder.
    upload.take([dropped("y.tar", tarred(link, member("d/x.csv", table(2.0))))])
    assert os.listdir(tmp_path / "outside") == []


def test_links_of_a_zip_are_left_out(upload):
    made = io.BytesIO(zipped(RUNS))
    with zipfile.ZipFile(made, "a") as archive:
        for name, mode in (("link", stat.S_IFLNK), ("pipe", stat.S_IFIFO)):
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, (mode | 0o777) << 16
            archive.writestr(info, "/etc/passwd")
    assert upload.take([dropped("x.zip", made.getvalue())]) == ()
    assert len(upload.items[0].left) == 2
    assert names(upload) == {"a", "b"}


def test_archives_inside_archives_are_named_and_not_opened(upload):
    files = RUNS | {"inner.zip": zipped(RUNS), "more/inner.tar.gz": b"x", "log.csv.gz": b"x"}
    upload.take([dropped("x.zip", zipped(files))])
    assert names(upload) == {"a", "b"}
    (said,) = upload.items[0].left
    assert said.startswith("3 entries left out, as archives inside archives are not opened")
    assert "inner.zip" in said


def test_what_systems_put_beside_files_is_no_entry(upload):
    files = RUNS | {"__MACOSX/runs/._a": b"x", "runs/.DS_Store": b"x", "runs/a/._trainer_state.json": b"x"}
    upload.take([dropped("x.zip", zipped(files))])
    assert upload.items[0].files == 3
    assert upload.items[0].left == ()


def test_an_archive_without_a_file_is_refused(upload):
    assert "found no file" in refusal(upload, "x.zip", zipped({"__MACOSX/._a": b"x"}))
    assert "found no file" in refusal(upload, "x.tar", tarred(member("l", type=tarfile.SYMTYPE, linkname="x")))


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz", "x.tar.bz2", "x.tar.xz"])
@pytest.mark.parametrize(
    "content", [b"no archive", b"PK\x03\x04", b"PK\x05\x06" + b"\xff" * 18, b"\x1f\x8b" * 9, b"\xfd7zXZ\0x", b"BZh9x"]
)
def test_what_is_no_archive_is_said_to_be_none(upload, name, content):
    assert "Expected x" in refusal(upload, name, content)


@pytest.mark.parametrize("name", ["x.rar", "x.7z", "log.csv.gz", "x.tar.zst", "model.xz"])
def test_other_archives_are_named(upload, name):
    assert "archives of the kinds zip" in refusal(upload, name, b"x")


@pytest.mark.parametrize("end", [".zip", *PACKS])
def test_an_archive_that_ends_early_or_is_damaged_is_no_traceback(upload, end):
    noise = os.urandom(3000)
    files = RUNS | {"noise.bin": noise}
    content = zipped(files) if end == ".zip" else PACKS[end](tarred(files=files))
    for cut in range(0, len(content), max(1, len(content) // 40)):
        upload.take([dropped(f"x{end}", content[:cut])])
        changed = bytearray(content)
        changed[cut : cut + 4] = b"\xff\xff\xff\xff"
        upload.take([dropped(f"x{end}", bytes(changed))])
        for item in upload.items:
            upload.remove(item.number)
    assert on_disk(upload._folder) == set()


def test_a_password_is_told(upload):
    content = bytearray(zipped({"a.json": b"{}"}))
    for sign, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.index(sign) + place] |= 1
    assert "needs a password" in refusal(upload, "x.zip", bytes(content))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_is_packed_as_zips_are(upload, method):
    assert "another way of packing" in refusal(upload, "x.zip", zipped({"a.json": b"{}"}, method))


def test_a_small_file_that_unpacks_to_a_large_one_is_refused(upload):
    bomb = b"0" * (20 * limits.MB)
    assert "at most 200 times" in refusal(upload, "x.zip", zipped({"a.json": bomb}))
    for end in (".tar.gz", ".tar.bz2", ".tar.xz"):
        assert "at most 200 times" in refusal(upload, f"x{end}", PACKS[end](tarred(files={"a.json": bomb})))


def test_what_lies_in_itself_is_refused(upload):
    assert "lie behind each other" in refusal(upload, "x.zip", overlapping(500, os.urandom(20_000)))


def test_a_directory_that_lies_about_sizes_is_found_out(upload):
    content = zipped({"a.json": os.urandom(5000)}, zipfile.ZIP_STORED)
    for size in (0, 1, 4999, 5001, 2**31):
        assert "Expected x.zip" in refusal(upload, "x.zip", with_size(content, size))


def test_what_comes_is_counted_whatever_was_said(tmp_path):
    with pytest.raises(UploadRefused, match="at most 300 MB"):
        write_file(tmp_path / "a", io.BytesIO(b"x" * 100), 100, "x.zip", 99)
    with pytest.raises(UploadRefused, match="damaged"):
        write_file(tmp_path / "b", io.BytesIO(b"x" * 100), 50, "x.zip", 1000)


def test_zip64_sizes_beyond_all_measure_are_refused(upload):
    content = bytearray(zipped({"a.json": b"{}" * 50}, zipfile.ZIP_STORED))
    extra = struct.pack("<HHQQ", 1, 16, 2**62, 2**62)
    at = content.index(b"PK\x01\x02")
    content[at + 20 : at + 28] = b"\xff" * 8
    content[at + 30 : at + 32] = struct.pack("<H", len(extra))
    content[at + 46 + 6 : at + 46 + 6] = extra
    end = content.index(b"PK\x05\x06")
    content[end + 12 : end + 16] = struct.pack("<L", end - at)
    assert "Expected" in refusal(upload, "x.zip", bytes(content))


def test_a_directory_larger_than_any_is_not_read(upload, monkeypatch):
    monkeypatch.setattr(guarded, "LARGEST_READ", 10_000)
    many = zipped({f"{number:04d}/{'n' * 100}": b"" for number in range(200)})
    assert "headers that are larger than any" in refusal(upload, "x.zip", many)


def test_headers_of_a_tar_that_ask_for_too_much_are_not_read(upload, monkeypatch):
    monkeypatch.setattr(guarded, "LARGEST_READ", 10_000)
    pax = tarfile.TarInfo("a.json")
    pax.pax_headers = {"comment": "x" * 50_000}
    assert "headers that are larger than any" in refusal(upload, "x.tar", tarred((pax, b"")))
    long = tar_header(b"././@LongLink", b"00000200000\0", b"L") + b"n" * 65536
    assert "headers that are larger than any" in refusal(upload, "x.tar", long)


@pytest.mark.parametrize("kind", [b"0", b"x", b"g", b"L", b"K", b"S", b"5", b"2", b"7", b"?"])
@pytest.mark.parametrize(
    "size",
    [b"77777777777\0", b"\x80" + b"\x7f" * 11, b"\xff" * 12, b"\xff" * 10 + b"\xfe\x00", b"-0000000777\0", b"junk"],
)
def test_sizes_that_cannot_be_are_refused_and_nothing_goes_in_circles(upload, kind, size):
    content = tar_header(b"good.json", b"00000000000\0") + tar_header(b"a.json", size, kind) + b"x" * 5000
    upload.take([dropped("x.tar", content), dropped("y.tar", content[512:])])
    for item in upload.items:
        assert item.size < 10_000


def test_a_pax_header_that_states_another_size_is_found_out(upload):
    info, _ = member("a.json")
    info.pax_headers = {"size": str(2**50)}
    assert "Expected x.tar" in refusal(upload, "x.tar", tarred((info, b"")))


def test_a_chain_of_headers_is_no_traceback(upload):
    chain = b"".join(
        tar_header(b"pax", b"00000000020\0", b"x") + b"16 comment=abcd\n".ljust(512, b"\0") for _ in range(5000)
    )
    assert "cannot be read as one" in refusal(upload, "x.tar", chain + tar_header(b"a.json", b"00000000000\0"))


def test_files_with_holes_are_left_out(upload):
    header = bytearray(tar_header(b"hole.json", b"00000000000\0", b"S"))
    header[386:410] = b"00000000000\x0000000000000\0"
    header[483:495] = b"77777777777\0"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    upload.take([dropped("x.tar", bytes(header) + tarred(files=RUNS))])
    (item,) = upload.items
    assert item.left == ('1 entry left out, as files with holes in them are not unpacked: "hole.json".',)


def test_an_xz_that_wants_more_memory_than_there_is_is_refused(upload, monkeypatch):
    monkeypatch.setattr(guarded, "XZ_MEMORY", 2**20)
    content = lzma.compress(tarred(files=RUNS), preset=9)
    assert "damaged" in refusal(upload, "x.tar.xz", content)


def test_streams_behind_each_other_are_one_file(upload):
    whole = tarred(files=RUNS)
    for pack, end in ((PACKS[end], end) for end in (".tar.gz", ".tar.bz2", ".tar.xz")):
        content = b"".join(pack(whole[at : at + 700]) for at in range(0, len(whole), 700)) + bytes(512)
        upload.take([dropped(f"x{end}", content)])
        assert names(upload) == {"a", "b"}
        upload.remove(upload.items[0].number)


def test_streams_without_end_are_refused(upload):
    assert "damaged" in refusal(upload, "x.tar.gz", PACKS[".tar.gz"](b"") * (guarded.MOST_STREAMS + 1))


def test_limits_hold_for_all_uploads_of_a_session_together(upload, monkeypatch):
    monkeypatch.setattr(uploads, "TOTAL_BYTES", 10_000)
    assert upload.take([dropped("a.csv", b"x" * 6000)]) == ()
    for name, content in (
        ("b.csv", b"x" * 6000),
        ("b.zip", zipped({"b.csv": b"x" * 6000})),
        ("b.tar.gz", PACKS[".tar.gz"](tarred(files={"b.csv": b"x" * 6000}))),
    ):
        (error,) = upload.take([dropped(name, content)])
        assert "300 MB of all uploaded files together" in str(error)
    upload.remove(upload.items[0].number)
    assert upload.take([dropped("b.zip", zipped({"b.csv": b"x" * 6000}))]) == ()


def test_limits_hold_for_all_sessions_together(upload, monkeypatch):
    other = Upload()
    assert other.take([dropped("a.csv", b"x" * 6000)]) == ()
    monkeypatch.setattr(uploads, "EVERYBODY_BYTES", uploads._size_of_all() + 4000)
    (error,) = upload.take([dropped("b.csv", b"x" * 6000)])
    assert "3,000 MB of all uploads together" in str(error)
    (error,) = upload.take([dropped("b.zip", zipped({"b.csv": b"x" * 6000}))])
    assert "has more than is left" in str(error)
    other.close()
    assert upload.take([dropped("b.csv", b"x" * 6000)]) == ()


def test_a_file_that_takes_long_is_waited_for(upload, monkeypatch):
    monkeypatch.setattr(following, "STUCK_S", 0.0)
    upload.take([dropped(f"{level} trainer_state.json", state(level, 60_000)) for level in (1.0, 2.0, 3.0)])
    page = upload.source.list_runs(EVERYTHING)
    assert len(page.runs) == 3
    assert page.unreadable == ()


def test_nothing_of_it_is_remembered_elsewhere(upload, tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    upload.take([dropped("x.zip", zipped(RUNS))])
    assert names(upload) == {"a", "b"}
    assert not (tmp_path / "cache").exists()


def test_files_and_archives_beyond_the_numbers_are_refused(upload, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_FILES", 5)
    monkeypatch.setattr(uploads, "MOST_DROPPED", 3)
    six = {f"{number}.csv": b"x" for number in range(6)}
    assert "5,000 files and folders" in refusal(upload, "x.zip", zipped(six))
    assert "5,000 files and folders" in refusal(upload, "x.tar", tarred(files=six))
    monkeypatch.setattr(guarded, "LARGEST_READ", 200)
    assert "5,000 files and folders" in refusal(upload, "x.zip", zipped(six)), "a directory that is larger than any"
    (error,) = upload.take([dropped(name, content) for name, content in six.items()])
    assert "files at once" in str(error)


def test_a_file_that_is_too_large_or_empty_is_refused_and_the_others_are_taken(upload, monkeypatch):
    monkeypatch.setattr(uploads, "FILE_BYTES", 1000)
    found = upload.take([dropped("large.csv", b"x" * 1001), dropped("none.csv", b""), dropped("a.csv", table())])
    assert [str(error)[:40] for error in found] == [
        "Expected files of at most 50 MB, found l",
        "Expected none.csv to hold a log, found a",
    ]
    assert names(upload) == {"a"}


def test_what_is_removed_is_gone_and_the_rest_stays(upload):
    upload.take([dropped("x.zip", zipped(RUNS)), dropped("c.csv", table())])
    upload.take([dropped("trainer_state.json", state(5.0)), dropped("trainer_state.json", state(6.0))])
    assert names(upload) == {"a", "b", "c", "trainer_state 1", "trainer_state 2"}
    before = {run.name: run.run_id for run in upload.source.list_runs(EVERYTHING).runs}
    upload.remove(upload.items[0].number)
    upload.remove(upload.items[-1].number)
    upload.remove(12345)
    after = {run.name: run.run_id for run in upload.source.list_runs(EVERYTHING).runs}
    assert after == {"c": before["c"]}
    assert {path.split(os.sep)[-1] for path in on_disk(upload._root)} == {"c.csv"}


def test_ids_tell_nothing_and_are_those_of_one_session(upload):
    other = Upload()
    for each in (upload, other):
        each.take([dropped("secret-project.csv", table())])
    ids = {run.run_id for each in (upload, other) for run in each.source.list_runs(EVERYTHING).runs}
    assert len(ids) == 2
    assert not any("secret" in run_id or each._token in run_id for run_id in ids for each in (upload, other))
    assert upload.source.cache_key != other.source.cache_key


def test_what_is_no_run_is_named(upload):
    upload.take([dropped("trainer_state.json", b"{"), dropped("picture.png", b"x")])
    page = upload.source.list_runs(EVERYTHING)
    assert page.runs == ()
    assert [each.path for each in page.unreadable] == ["trainer_state 1/trainer_state.json"]
    assert page.unused


def test_the_folder_goes_with_the_session(tmp_path):
    upload = Upload()
    upload.take([dropped("x.zip", zipped(RUNS))])
    source = upload.source
    assert on_disk(tmp_path)
    del upload
    gc.collect()
    assert on_disk(tmp_path) == set()
    assert source.title


def test_the_folder_goes_at_once_where_somebody_asks(upload, tmp_path):
    upload.take([dropped("x.zip", zipped(RUNS))])
    upload.close()
    assert on_disk(tmp_path) == set()
    assert upload.items == ()


def test_a_process_that_ends_leaves_nothing_and_what_one_left_that_was_killed_is_found(tmp_path):
    code = (
        "import io, os, sys; from lib.data.upload.upload import Dropped, Upload;"
        "upload = Upload(); upload.take([Dropped('a.csv', io.BytesIO(b'x'), 1)]);"
        "print(upload._folder, flush=True);"
        "sys.stdin.readline() and os.kill(os.getpid(), 9)"
    )

    def started() -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        return subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"TMPDIR": str(tmp_path)}, **pipes)

    ended, killed, alive = started(), started(), started()
    folders = [Path(each.stdout.readline().strip()) for each in (ended, killed, alive)]
    assert all(folder.is_dir() for folder in folders)
    ended.communicate("")
    killed.communicate("die\n")
    assert [folder.is_dir() for folder in folders] == [False, True, True]
    (tmp_path / f"{storage.PREFIX}link").symlink_to(tmp_path)
    storage.clear_leftovers(tmp_path)
    assert folders[1].is_dir(), "one so young may be about to be locked"
    storage.clear_leftovers(tmp_path, time.time() + 2 * storage.JUST_MADE_S)
    assert [folder.is_dir() for folder in folders] == [False, False, True]
    alive.communicate("")
    assert on_disk(tmp_path) == {f"{storage.PREFIX}link"}


def test_a_full_disk_is_no_fault_of_the_file(upload, monkeypatch):
    opened = os.open

    def full(path: object, flags: int, *rest: object, **more: object) -> int:
        if flags & os.O_CREAT:
            raise OSError(28, "No space left on device")
        return opened(path, flags, *rest, **more)

    monkeypatch.setattr("lib.data.upload.entries.os.open", full)
    assert "its disk is full" in refusal(upload, "x.zip", zipped(RUNS))


def test_a_folder_that_somebody_cleared_is_said_to_be_gone(upload):
    upload.take([dropped("a.csv", table())])
    shutil.rmtree(upload._folder)
    for name, content in (("b.csv", table()), ("b.zip", zipped(RUNS)), ("b.tar", tarred(files=RUNS))):
        (error,) = upload.take([dropped(name, content)])
        assert "could not keep what was uploaded" in str(error)
    upload.remove(upload.items[0].number)
    assert upload.items == ()


def test_a_reader_that_asks_again_and_again_at_the_end_is_stopped():
    file = guarded.Guarded(io.BytesIO(b"x"), 1, "x.tar")

    def forever() -> None:
        while True:
            file.read(512)

    with pytest.raises(UploadRefused):
        forever()


def test_readers_are_told_apart_by_what_they_open():
    with pytest.raises(UploadRefused, match="Expected x to be a zip archive"):
        zip_files.held_by(io.BytesIO(b"nothing"), 7, "x", 100, 10)
    with pytest.raises(UploadRefused, match="Expected x to be a tar archive"):
        tar_files.held_by(io.BytesIO(b"nothing"), 7, "x", 100, 10, Path("x"))


def test_an_entry_of_a_zip_may_have_no_time(upload):
    content = bytearray(zipped_entry("a.csv", table()))
    for sign, place in ((b"PK\x01\x02", 12), (b"PK\x03\x04", 10)):
        at = content.index(sign) + place
        content[at : at + 4] = bytes(4)
    assert upload.take([dropped("x.zip", bytes(content))]) == ()
    assert names(upload) == {"x"}
