"""Every change of a configuration is found as that change, and rewriting it is no change."""

from __future__ import annotations

import copy
import itertools
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lib.core.config.diff import DiffRow, diff, differences
from lib.core.facts.runs import RunSummary
from tests.core.config.shapes import AXOLOTL, CONTAINERS, FOLLOWS, JOB, SHAPES, Leaf, Path

MUTATIONS = 1_000
REWRITINGS = 300


def build(leaves: list[tuple[Path, Any]]) -> dict[str, Any]:
    """The nested configuration with these leaves; the job's columns under "columns"."""
    tree: dict[Any, Any] = {}
    for path, value in leaves:
        node = tree
        for part in path[:-1]:
            node = node.setdefault(part, {})
        node[path[-1]] = copy.deepcopy(value)
    return listed(tree)


def listed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(isinstance(key, int) for key in node):
        return [listed(node[key]) for key in sorted(node)]
    return {key: listed(value) for key, value in node.items()}


def run_of(tree: dict[str, Any], number: int = 0) -> RunSummary:
    config = {key: value for key, value in tree.items() if key != "columns"}
    # Through JSON, as a configuration comes from a database.
    config = json.loads(json.dumps(config))
    return RunSummary(run_id=f"r{number}", name="r", config=config, **tree.get("columns", {}))


def node_at(tree: Any, path: Path) -> Any:
    for part in path:
        tree = tree[part]
    return tree


def other_value(value: Any, dice: random.Random) -> Any:
    """A value of the same kind that means something else."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return dice.choice([value * 2 + 1, value + 1, value + 3, "auto"])
    if isinstance(value, list):
        changed = list(value)
        place = dice.randrange(len(changed))
        how = dice.choice(["replace", "drop", "append"])
        if how == "replace":
            changed[place] = f"{changed[place]}:"
        elif how == "drop":
            del changed[place]
        else:
            changed.append("another")
        return changed
    if isinstance(value, str):
        return dice.choice([f"{value}x", f"other-{value.rsplit('/', 1)[-1]}", "2e-3"])
    return dice.choice([7, "text", False])


@dataclass(frozen=True)
class Mutation:
    shape: str
    tree: dict[str, Any]
    key: str
    kind: str
    how: str
    value: Any

    def __str__(self) -> str:
        return f"{self.shape}: {self.how} {self.key} ({self.kind}) -> {self.value!r}"


def mutations(count: int) -> Iterator[Mutation]:
    """Single-key mutations: changed, nulled, deleted and added, at every place of every shape."""
    dice = random.Random(20_261_123)
    shapes = itertools.cycle(SHAPES)
    for number in range(count):
        shape = next(shapes)
        leaves = SHAPES[shape]
        tree = build([(leaf.path, leaf.value) for leaf in leaves])
        how = dice.choices(["change", "delete", "null", "add"], [6, 2, 1, 2])[0]
        if how == "add":
            container = dice.choice(list(CONTAINERS[shape]))
            name, value = f"bespoke_{number}", dice.choice([0, 1.5, "x", True, [1, 2], [], {"a": 1}])
            node_at(tree, container)[name] = value
            nested = ".a" if isinstance(value, dict) else ""
            yield Mutation(shape, tree, CONTAINERS[shape][container] + name + nested, "setting", how, value)
            continue
        # A list of datasets is not made shorter here: that is a change of more keys than one.
        leaf = dice.choice(
            [leaf for leaf in leaves if leaf.kind != "fixed" and (how == "change" or leaf.value is not None)]
        )
        parent, last = node_at(tree, leaf.path[:-1]), leaf.path[-1]
        if how == "change":
            parent[last] = other_value(leaf.value, dice)
        elif how == "null":
            parent[last] = None
        else:
            del parent[last]
        yield Mutation(shape, tree, leaf.key, leaf.kind, how, parent.get(last))


def found_by(base: RunSummary, changed: RunSummary) -> tuple[dict[str, DiffRow], set[str], set[str]]:
    rows = diff([base, changed])
    different = differences(rows)
    derived = {row.key for row in different if any(source.startswith("derived") for source in row.sources)}
    return {row.key: row for row in rows}, {row.key for row in different} - derived, derived


def test_each_of_a_thousand_mutations_is_found_and_none_is_invented():
    bases = {shape: run_of(build([(leaf.path, leaf.value) for leaf in leaves])) for shape, leaves in SHAPES.items()}
    seen = set()
    for number, mutation in enumerate(mutations(MUTATIONS), 1):
        rows, stated, derived = found_by(bases[mutation.shape], run_of(mutation.tree, number))
        seen.add((mutation.shape, mutation.key, mutation.kind))
        assert derived <= FOLLOWS.get(mutation.key, set()), str(mutation)
        # Where another place states the same, that one counts now, and nothing has changed.
        replaced = mutation.kind == "winner" and mutation.how != "change"
        if mutation.kind in ("setting", "winner") and not replaced:
            assert stated == {mutation.key}, str(mutation)
            assert_shows(rows[mutation.key], mutation)
        else:
            assert stated == set(), str(mutation)
        if mutation.kind == "identity":
            assert rows[mutation.key].differs, str(mutation)
        if mutation.kind == "secret":
            assert rows[mutation.key].is_identity, str(mutation)
        if mutation.kind == "shadowed":
            assert rows[mutation.key].contradicted == (False, mutation.how == "change"), str(mutation)
    assert len(seen) > 150, "the mutations reach most places"


def assert_shows(row: DiffRow, mutation: Mutation) -> None:
    """The row of the mutated run holds what was written, or nothing if that was deleted."""
    if isinstance(mutation.value, bool | int | float):
        assert row.values[1] == mutation.value
        assert type(row.values[1]) is type(mutation.value)
    elif mutation.value is None:
        assert row.shown[1] == ("null" if mutation.how == "null" else "not set")
    assert row.shown[0] != row.shown[1]
    assert row.differs


@pytest.mark.parametrize("factor", ["batch_size", "gradient_accumulation_steps", "num_gpus"])
def test_a_factor_takes_the_effective_batch_with_it(factor):
    leaves = {leaf.path: leaf for leaf in JOB}
    (path,) = [leaf.path for leaf in JOB if leaf.key == factor]
    base = [(leaf.path, leaf.value) for leaf in JOB]
    changed = [(where, value * 2 if where == path else value) for where, value in base]
    rows, _, derived = found_by(run_of(build(base)), run_of(build(changed), 1))
    assert {"effective_batch_size", "tokens_per_step"} == derived
    product = 4 * 8 * 2
    assert rows["effective_batch_size"].values == (product, 2 * product)
    assert rows["tokens_per_step"].values == (product * 2048, 2 * product * 2048)
    assert leaves[path].value * 2 == rows[factor].values[1]


def test_the_derived_rows_are_the_arithmetic():
    rows = {row.key: row for row in diff([run_of(build([(leaf.path, leaf.value) for leaf in JOB]))])}
    assert rows["lora_scaling"].values == (2.0,)
    assert (rows["warmup_in_effect"].values, rows["warmup_share"].values) == ((100,), (0.03333,))
    axolotl = {row.key: row for row in diff([run_of(build([(leaf.path, leaf.value) for leaf in AXOLOTL]))])}
    assert axolotl["lora_scaling"].values == (2.828,)


def reformat(value: Any, dice: random.Random) -> Any:
    """The same number written in another way; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    writings: list[Callable[[Any], Any]] = [
        float,
        str,
        repr,
        lambda number: f"{number:.6e}",
        lambda number: f" {number}",
    ]
    return dice.choice(writings)(value)


def rewritten(leaves: list[Leaf], dice: random.Random) -> dict[str, Any]:
    """The same configuration in other words: places, names, formats and order."""
    written: list[tuple[Path, Any]] = []
    shadowed = {leaf.key for leaf in leaves if leaf.kind == "shadowed"}
    for leaf in leaves:
        path, value = leaf.path, leaf.value
        is_setting = leaf.kind == "setting" and leaf.key != "base_model"
        if leaf.others and leaf.key not in shadowed and dice.random() < 0.5:
            path = dice.choice(leaf.others)
        if path[-1] == "quantization_bit" and value is True:
            value = 4
        if leaf.unordered:
            value = dice.sample(value, len(value))
        if is_setting and path[0] != "columns" and dice.random() < 0.5:
            value = reformat(value, dice)
        written.append((path, value))
    nulls = [(("training", f"unset_{n}"), None) for n in range(dice.randrange(3))]
    dice.shuffle(written)
    return build_safely([*written, *nulls])


def build_safely(leaves: list[tuple[Path, Any]]) -> dict[str, Any]:
    """Leave a section a section: where a name is one already, "optimizer: adamw" stands inside of it."""
    sections = {path[:end] for path, _ in leaves for end in range(1, len(path))}
    return build([((*path, "name") if path in sections else path, value) for path, value in leaves])


def test_saying_the_same_in_other_words_is_no_difference():
    dice = random.Random(60_64)
    for number, shape in zip(range(REWRITINGS), itertools.cycle(SHAPES), strict=False):
        leaves = SHAPES[shape]
        base = run_of(build([(leaf.path, leaf.value) for leaf in leaves]))
        tree = rewritten(leaves, dice)
        rows = diff([base, run_of(tree, number + 1)])
        assert [(row.key, row.shown, row.sources) for row in differences(rows)] == [], f"{shape}: {tree}"
        assert not any(any(row.contradicted) for row in rows), f"{shape}: {tree}"


@pytest.mark.parametrize("shape", SHAPES)
def test_a_configuration_with_its_keys_in_another_order_is_the_same_in_every_row(shape):
    tree = build([(leaf.path, leaf.value) for leaf in SHAPES[shape]])
    backwards = reversed_keys(tree)
    rows = diff([run_of(tree), run_of(backwards, 1)])
    assert not any(row.differs for row in rows)
    assert all(row.sources[0] == row.sources[1] for row in rows)


def reversed_keys(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: reversed_keys(node[key]) for key in reversed(node)}
    return [reversed_keys(item) for item in node] if isinstance(node, list) else node
