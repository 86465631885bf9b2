from __future__ import annotations

import copy
import math
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.config.diff import diff, differences, search
from lib.core.config.parameters import Group
from lib.core.config.report import to_csv, to_markdown
from lib.core.config.values import MASKED, MISSING
from lib.core.facts.runs import RunSummary

CONFIG = {
    "model": {"name": "meta-llama/Llama-3-8B", "trust_remote_code": True},
    "training": {
        "num_epochs": 3, "learning_rate": 2e-4, "max_length": 2048, "optim": "adamw_torch", "weight_decay": 0.01,
        "lr_scheduler_type": "cosine", "warmup_ratio": 0.03, "max_grad_norm": 1.0, "bf16": True, "packing": False,
        "logging_steps": 10, "quantization": {"bits": 4, "bnb_4bit_quant_type": "nf4"},
        "lora_config": {"lora_alpha": 16, "lora_dropout": 0.05, "target_modules": ["q_proj", "v_proj"], "bias": "none"},
    },
    "data": {"train_file": "alpaca.jsonl", "eval_split": 0.1, "weights": [0.5, 0.5]},
    "lora": {"r": 16},
    "seed": 42,
    "note.with.dots": None,
}  # fmt: skip
BASE_PATHS = [
    ("model", "name"), ("model", "trust_remote_code"), ("training", "num_epochs"), ("training", "learning_rate"),
    ("training", "max_length"), ("training", "optim"), ("training", "weight_decay"), ("training", "bf16"),
    ("training", "lr_scheduler_type"), ("training", "warmup_ratio"), ("training", "packing"), ("lora", "r"),
    ("training", "quantization", "bits"), ("training", "lora_config", "target_modules"), ("data", "train_file"),
    ("training", "lora_config", "bias"), ("data", "eval_split"), ("data", "weights"), ("seed",), ("note.with.dots",),
]  # fmt: skip
RENAMED = {
    "base_model_name_or_path": "meta-llama/Llama-3-8B",
    "model": {"trust_remote_code": True},
    "training_args": {
        "num_train_epochs": 3.0, "lr": "2e-4", "cutoff_len": 2048, "optimizer": "adamw_torch", "weight_decay": "0.01",
        "scheduler": "cosine", "warmup_ratio": 0.03, "gradient_clip_val": 1, "bf16": True, "packing": False,
        "logging_steps": 10,
    },
    "quantization_bit": "4-bit", "bnb_4bit_quant_type": "nf4",
    "peft_config": {"rank": 16, "alpha": 16, "dropout": 0.05, "target_modules": ["v_proj", "q_proj"], "bias": "none"},
    "dataset_config": {"name": "alpaca.jsonl", "eval_split": 0.1, "weights": [0.5, 0.5]},
    "training": {"seed": 42},
    "note.with.dots": None,
}  # fmt: skip

scalars = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["1", "null", "", "x", "cosine", math.nan])
names = st.sampled_from(["lr", "batch_size", "lora_r", "optim", "seed", "foo", "output_dir", "api_key", "a.b"])
configs = st.fixed_dictionaries(
    {},
    optional={
        "training": st.dictionaries(names, scalars, max_size=4),
        "lora": st.dictionaries(st.sampled_from(["r", "alpha", "bias"]), scalars, max_size=2),
        "seed": scalars,
        "list": st.lists(scalars, max_size=2),
    },
)


def run(config=None, number=0, **columns):
    return RunSummary(run_id=f"r{number}", name="r", config=config or {}, **columns)


def row(key, *configs):
    return {each.key: each for each in diff([run(config, number) for number, config in enumerate(configs)])}[key]


def is_derived(each):
    return any(source.startswith("derived") for source in each.sources)


def changed(path, value):
    config = copy.deepcopy(CONFIG)
    *parents, last = path
    node = config
    for parent in parents:
        node = node[parent]
    node[last] = value
    return config


@given(st.data(), st.lists(configs, min_size=1, max_size=5))
@settings(deadline=None, max_examples=60)
def test_permuting_the_runs_permutes_the_values_and_nothing_else(data, chosen):
    runs = [run(config, number) for number, config in enumerate(chosen)]
    order = data.draw(st.permutations(range(len(runs))))
    straight, permuted = diff(runs), diff([runs[position] for position in order])
    assert [each.key for each in straight] == [each.key for each in permuted]
    for one, other in zip(straight, permuted, strict=True):
        for field in ("shown", "odd", "sources", "notes", "contradicted"):
            before = getattr(one, field)
            assert getattr(other, field) == tuple(before[position] for position in order)
        for field in ("title", "group", "differs", "comparison"):
            assert getattr(other, field) == getattr(one, field)


@given(st.lists(configs, min_size=1, max_size=5))
@settings(deadline=None, max_examples=60)
def test_every_row_is_consistent(chosen):
    rows = diff([run(config, number) for number, config in enumerate(chosen)])
    assert len({each.key for each in rows}) == len(rows)
    for each in rows:
        fields = (each.values, each.odd, each.sources, each.notes, each.contradicted, each.shown)
        assert {len(field) for field in fields} == {len(chosen)}
        assert each.differs or not any(each.odd)
        # One or two cells of five against the rest, never half of a row.
        assert 2 * sum(each.odd) < len(chosen)
        stated = {shown for shown in each.shown if shown not in ("null", "not set", "cannot tell", "{}")}
        lacking = len(stated) == 1 and any(shown not in stated for shown in each.shown)
        assert len(stated) <= 1 or each.differs
        if len(stated) <= 1 and not is_derived(each):
            assert each.differs == lacking
        assert any(value is not MISSING for value in each.values) or is_derived(each)


@pytest.mark.parametrize("path", BASE_PATHS, ids=".".join)
@pytest.mark.parametrize("value", ["something else", None, 77, [1], {}])
def test_one_changed_key_is_one_more_difference(path, value):
    runs = [run(CONFIG, 1), run(changed(path, value), 2)]
    expected = 0 if path == ("note.with.dots",) and value in (None, {}) else 1
    assert len([each for each in differences(diff(runs)) if not is_derived(each)]) == expected


def test_a_factor_of_the_effective_batch_changes_the_derived_row_as_well():
    found = differences(diff([run({"batch_size": 4}, 1), run({"batch_size": 8}, 2)]))
    assert [(each.key, is_derived(each)) for each in found] == [("batch_size", False), ("effective_batch_size", True)]


def test_renamed_parameters_differ_nowhere():
    rows = diff([run(CONFIG, 1), run(RENAMED, 2)])
    assert [each.key for each in differences(rows)] == []
    assert not any(note for each in rows for note in each.notes)


def test_no_runs_have_no_rows():
    assert diff([]) == ()


def test_one_run_differs_nowhere_and_has_nothing_odd():
    rows = diff([run(CONFIG)])
    assert rows
    assert not any(each.differs or any(each.odd) for each in rows)


def test_runs_without_any_setting_have_no_rows():
    assert diff([run(number=1), run(number=2)]) == ()


def test_a_key_that_some_runs_lack_differs():
    found = row("foo", {"foo": 1}, {})
    assert found.differs
    assert found.values == (1, MISSING)
    assert found.shown == ("1", "not set")
    assert found.sources == ("config.foo", "")


def test_null_and_a_missing_key_look_different_and_are_no_difference():
    found = row("foo", {"foo": None}, {})
    assert found.values[1] is MISSING
    assert (found.shown, found.differs, found.odd) == (("null", "not set"), False, (False, False))


def test_an_empty_section_states_nothing_and_an_empty_list_does():
    assert not row("deepspeed", {"deepspeed": {}}, {"seed": 1}).differs
    assert row("callbacks", {"callbacks": []}, {"seed": 1}).differs


def test_null_is_a_difference_where_it_switches_off_what_would_be_on():
    assert row("max_grad_norm", {"max_grad_norm": None}, {"seed": 1}).differs


def test_missing_null_zero_and_the_text_null_look_like_four_things():
    found = row("foo", {}, {"foo": None}, {"foo": 0}, {"foo": "null"}, {"foo": ""})
    assert len(set(found.shown)) == 5
    # Two state nothing, three have a value each: nothing is the norm.
    assert found.differs
    assert found.odd == (False,) * 5


def test_a_derived_value_that_cannot_be_worked_out_is_no_difference():
    runs = [run({"warmup_ratio": 0.1}, 1, total_steps=200), run({"warmup_ratio": 0.1}, 2)]
    found = {each.key: each for each in diff(runs)}["warmup_in_effect"]
    assert (found.shown, found.differs, found.odd) == (("20", "cannot tell"), False, (False, False))
    assert found.sources[1].endswith("all steps not known")
    assert differences(diff(runs)) == ()


@pytest.mark.parametrize(
    ("values", "odd"),
    [
        ([1, 1, 2], [False, False, True]),
        ([1, 2, 2, 2, 3], [True, False, False, False, True]),
        ([1, 1, 2, 1], [False, False, True, False]),
        ([1, 2], [False, False]),
        ([1, 2, 3], [False, False, False]),
        ([1, 1, 2, 2], [False, False, False, False]),
        ([1, 1, 2, 2, 3], [False, False, False, False, False]),
        ([1, 1, 2, 3], [False, False, False, False]),
        ([1, 1], [False, False]),
    ],
)
def test_odd_is_what_differs_from_more_than_half_of_the_runs(values, odd):
    assert list(row("foo", *({"foo": value} for value in values)).odd) == odd


def test_nan_is_no_difference_from_nan():
    assert not row("foo", {"foo": math.nan}, {"foo": "NaN"}).differs


def test_versions_are_compared_as_text():
    assert row("transformers_version", {"transformers_version": "4.40"}, {"transformers_version": "4.4"}).differs


def test_the_order_of_a_list_counts_except_for_target_modules():
    assert row("stages", {"stages": ["a", "b"]}, {"stages": ["b", "a"]}).differs
    assert not row("target_modules", {"lora": {"target_modules": ["a", "b"]}}, {"lora_target": "b,a"}).differs


def test_a_typo_in_a_list_is_a_difference_with_a_note_on_that_run():
    good, bad = {"lora": {"target_modules": ["q", "down_proj"]}}, {"lora": {"target_modules": ["q", "down_proj:"]}}
    found = row("target_modules", good, good, bad)
    assert found.odd == (False, False, True)
    assert found.notes[:2] == ("", "")
    assert "Probably down_proj was meant" in found.notes[2]


def test_datasets_that_differ_only_in_an_upload_folder_are_the_same():
    one, other = "5f3a9c1e-0000-4000-8000-00000000abcd/a.jsonl", "6f3a9c1e-0000-4000-8000-00000000abcd/a.jsonl"
    rows = diff([run(number=1, dataset=one), run(number=2, dataset=other)])
    assert [(each.key, each.differs, each.is_identity) for each in rows] == [
        ("dataset", False, False),
        ("dataset.folder", True, True),
    ]
    assert differences(rows) == ()


def test_identity_is_no_difference():
    rows = diff([run({"output_dir": "/a", "execution_id": "1"}, 1), run({"output_dir": "/b", "execution_id": "2"}, 2)])
    assert [each.differs for each in rows] == [True, True]
    assert differences(rows) == ()


def test_rows_come_by_group_then_well_known_then_by_name():
    config = {
        "zeta": 1, "alpha": 1, "output_dir": "/o", "seed": 1, "optim": "a", "lr": 1, "lora": {"r": 1, "bias": "x"},
        "batch_size": 1, "num_epochs": 1, "dataset": "d", "base_model": "b", "bf16": True, "adam_extra": 1,
    }  # fmt: skip
    rows = diff([run(config)])
    assert [each.key for each in rows] == [
        "learning_rate", "optimizer", "adam_extra", "total_epochs", "batch_size", "effective_batch_size", "lora_r",
        "lora.bias", "dataset", "base_model", "bf16", "seed", "alpha", "zeta", "output_dir",
    ]  # fmt: skip
    groups = list(Group)
    assert [groups.index(each.group) for each in rows] == sorted(groups.index(each.group) for each in rows)


@pytest.mark.parametrize(("other", "differs"), [("s3cr3t-1", False), ("s3cr3t-2", False), (None, True)])
def test_a_row_of_secrets_says_only_whether_they_are_set(other, differs):
    found = row("api_key", {"api_key": "s3cr3t-1"}, {"api_key": other})
    assert found.differs == differs
    assert found.values[0] is MASKED
    assert found.shown[0] == "•••• (set)"
    assert found.is_identity


def test_no_secret_is_in_a_row_or_an_export():
    secrets = ["zz-key-1", "zz-pass-2", "zz-list-3", "hf_AbCd12345678"]
    config = {
        "provider": {"api_key": secrets[0], "items": [{"auth": {"value": secrets[2]}}]},
        "endpoint": f"https://u:{secrets[1]}@h/x",
        "command": ["--hf_token", secrets[2]],
        "description": f"uses {secrets[3]}",
        "training": {"api_key": "zz-other-4", "base_model": f"https://u:{secrets[1]}@h/m"},
        "base_model": f"https://u:{secrets[0]}@h/m2",
    }
    rows = diff([run(config, 1), run({}, 2)])
    everything = repr(rows) + to_csv(rows, "ab") + to_markdown(rows, "ab") + repr(pickle.dumps(rows))
    assert "zz-" not in everything
    assert secrets[3] not in everything
    assert search(rows, "zz-key") == ()


def test_rows_survive_pickling_with_their_sentinels():
    before = diff([run({"a": 1, "api_key": "x"}, 1), run({"b": None}, 2)])
    after = pickle.loads(pickle.dumps(before))
    assert after == before
    assert [value for each in after for value in each.values if value is MISSING]


@pytest.mark.parametrize("text", ["RANK", "cutoff lora_r", "  lora   RANK ", "config.lora.r", "16"])
def test_search_looks_at_keys_titles_names_places_and_values(text):
    rows = diff([run({"lora": {"r": 16}, "training": {"cutoff_len": 16}})])
    words = [word for word in text.split() if word != "cutoff"]
    assert "lora_r" in [each.key for each in search(rows, " ".join(words))]


def test_search_wants_every_word_and_an_empty_one_finds_all():
    rows = diff([run(CONFIG)])
    assert search(rows, "  ") == rows
    assert search(rows, "lora cosine") == ()
    assert [each.key for each in search(rows, "CUTOFF_len")] == ["max_seq_length"]


def test_a_configuration_as_large_as_any_has_a_row_for_each_leaf():
    section = {f"k{n}": {"token": f"t{n}", "n": n, "deep": {"a": {"b": {"c": [n, n + 1]}}}} for n in range(400)}
    config = {"tokenizer": section, "blob": "Cg4KBTx1bms+FQAAAAAYAgoMCgM8cz4V" * 20_000}
    runs = [run(config, number) for number in range(5)]
    assert len(diff(runs)) == 1_201
