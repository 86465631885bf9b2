"""What an uploaded run is called, and that the same log again is said to be here."""

from __future__ import annotations

from lib.core.facts.query import RunQuery
from lib.data.upload.upload import Upload
from tests.data.upload.archives import dropped


def log(scale):
    return ("step,loss\n" + "".join(f"{step},{scale / (step + 9)}\n" for step in range(0, 90, 3))).encode()


def names(upload):
    return sorted(run.name for run in upload.source.list_runs(RunQuery()).runs)


def test_the_one_good_log_of_several_files_is_called_by_its_name():
    upload = Upload()
    assert (
        upload.take([dropped("lora r8.csv", log(5)), dropped("notes.txt", b"hello"), dropped("odd.csv", b"a,b\n")])
        == ()
    )
    assert upload.take([dropped("lora r16.csv", log(6)), dropped("other.log", b"hello")]) == ()
    assert names(upload) == ["lora r16", "lora r8"]


def test_two_logs_of_one_name_are_told_apart():
    upload = Upload()
    for scale in (5, 6):
        upload.take([dropped("train.csv", log(scale)), dropped("notes.txt", b"hello")])
    assert len(set(names(upload))) == 2
    assert all("train" in name for name in names(upload))


def test_the_same_log_again_is_said_to_be_here():
    upload = Upload()
    upload.take([dropped("a.csv", log(5)), dropped("config.json", b"{}")])
    upload.take([dropped("b.csv", log(5)), dropped("config.json", b"{}"), dropped("c.csv", log(7))])
    assert [len(item.left) for item in upload.items] == [0, 1]
    assert "b.csv is the same as a.csv, which is here already" in upload.items[1].left[0]


def test_what_was_removed_is_here_no_more():
    upload = Upload()
    upload.take([dropped("a.csv", log(5))])
    upload.remove(upload.items[0].number)
    upload.take([dropped("a.csv", log(5))])
    assert upload.items[0].left == ()


def test_what_is_called_like_a_credential_is_kept_and_named_without_it():
    upload = Upload()
    called = ("sk-proj-bert4run1.csv", "key=a&" * 20 + "b.csv", "token=5f3a.csv")
    assert upload.take([dropped(name, log(scale)) for scale, name in enumerate(called, 5)]) == ()
    (item,) = upload.items
    runs = upload.source.list_runs(RunQuery()).runs
    assert len(runs) == 3
    assert {path.split("/")[0] for run in runs for path in run.files} == {*item.folders}
    assert not [text for text in (*item.folders, *names(upload)) if "bert" in text or "5f3a" in text]
