"""What a place in the configuration means: which parameter, in which group, and how much it counts.

A section is known by its name and by where it stands. Sections that only wrap (``training``,
``training_args``, ``config``) do not show in the key, so that ``training.seed`` and ``seed`` are one row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from lib.core.config.parameters import GROUP_OF, NAMES, SECTION_NAMES, Group, Parameter, Section
from lib.core.config.tree import Path, encode, join
from lib.core.config.values import Comparison
from lib.core.facts.credentials import redact
from lib.core.facts.secret_names import Secrecy, secrecy, words_of

COLUMN_RANK = 90
"""Columns of the job come after every place in the configuration."""

FOLDER_NAME = "folder name"
"""The place of what the name of a run's folder states."""

STATE_SECTION = "trainer_state"
"""The section of what a trainer wrote about itself, which is not what it was asked for."""

_INNER = {"params", "parameters", "kwargs", "args", "arguments", "config", "default", "options", "init_args"}
_GROUP_HINTS = (
    (Group.LORA, re.compile(r"^(?:lora|peft|adapter|use_(?:dora|rslora))")),
    (Group.PRECISION, re.compile(r"^(?:bnb_|load_in_|quant|double_quant|tf32|fp8|half|amp)|_dtype$")),
    (Group.OPTIMIZER, re.compile(r"^(?:adam|optim|momentum|nesterov|betas|galore|lr$|neftune|label_smoothing)")),
    (Group.SCHEDULE, re.compile(r"^(?:lr_|warm|sched|cooldown|decay|num_cycles)")),
    (Group.BATCH, re.compile(r"batch|^(?:deepspeed|fsdp|ddp|zero_|tensor_parallel|pipeline_parallel)")),
    (Group.DATA, re.compile(r"^(?:data|train_on|max_samples|completion_only|remove_unused|eval_data|template)")),
    (Group.MODEL, re.compile(r"^(?:model|tokenizer|attn|rope|chat_template|n_(?:layer|head|embd)|vocab|use_flash)")),
)
_DATA_FILE = re.compile(r"^(?:train|eval|val|valid|validation|test|dev|data|dataset)s?_(?:\w+_)?(?:path|file|folder)$")
_IDENTITY = re.compile(
    r"^(?:id|uuid|guid|path|dir|name|title|description|tags?|notes?|comment|author|user|username|owner|email|host"
    r"|hostname|cwd|workdir|pid|port|timestamp|date|dirpath|url|uri|run|job|experiment|project|project_name|entity"
    r"|(?:run|job|experiment|exp|wandb_run|wandb|execution|task|session|trial|display|output|repo|study)_name"
    r"|wandb_project|created_by|main_process_port|master_(?:port|addr)|resume(?:d)?_from(?:_\w+)?)$"
    r"|_(?:dir|directory|folder|path|uuid|guid|url|uri|at|timestamp|port)$"
    r"|(?<!token)(?<!model)(?<!dataset)(?<!device)_id$|^hub_(?:model|repo|dataset)_id$"
)
_NOT_IDENTITY = re.compile(r"_or_path$")
_BARE = {
    "name", "title", "run", "job", "tag", "tags", "note", "notes", "date", "host", "port", "user", "owner", "project",
    "experiment",
}  # fmt: skip
_ABOUT_RUN = {"metadata", "run", "experiment", "wandb", "mlflow"}
_MODULES = re.compile(r"_modules$")
"""Lists of modules: their order means nothing."""
_AS_TEXT = re.compile(r"(?:^|_)(?:versions?|revision|sha|commit|hash|tag|name|id|uuid)$")


class Context(NamedTuple):
    """What is known about a container of the configuration.

    Attributes:
        section: What the names in it mean.
        wrapped: True below a section that only wraps, such as ``training``.
        prefix: What stands before the names in it in a canonical key.
        group: The group of what is in it, where the section says so.
        secrecy: What its name, or that of a container around it, says.
        source: Its own path as text, from ``config`` on.
        name: Its own name, as words; "" for a list's item and for the configuration itself.
    """

    section: Section = Section.PLAIN
    wrapped: bool = False
    prefix: Path = ()
    group: Group | None = None
    secrecy: Secrecy = Secrecy.NONE
    source: str = "config"
    name: str = ""


class Place(NamedTuple):
    """What one leaf of the configuration states.

    Attributes:
        key: The canonical name of the parameter.
        parameter: Its entry in the catalogue; ``None`` for others.
        rank: Places of one parameter in ascending order of rank: the first counts.
    """

    key: str
    parameter: Parameter | None
    group: Group
    rank: tuple[int, int]
    source: str
    secrecy: Secrecy = Secrecy.NONE
    comparison: Comparison = Comparison.VALUE
    is_dataset: bool = False


def place_of(known: Parameter, source: str, rank: tuple[int, int] = (COLUMN_RANK, 0)) -> Place:
    """A place that states a parameter of the catalogue; a column of the job where no rank is given."""
    return Place(known.key, known, known.group, rank, source, Secrecy.NONE, known.comparison, known.is_dataset)


class Places:
    """Tells the place of every leaf of configurations; each path is looked at once."""

    def __init__(self, source: str = "config") -> None:
        self._contexts: dict[Path, Context] = {(): Context(source=source)}
        self._places: dict[Path, Place] = {}

    def of(self, path: Path) -> Place:
        """Return what the leaf at ``path`` states."""
        place = self._places.get(path)
        if place is None:
            place = self._places[path] = _place(self._context(path[:-1]), path[-1])
        return place

    @staticmethod
    def named_by(container: Mapping[Any, Any]) -> Secrecy:
        """Return what a pair of name and value says about its value: ``{name: HF_TOKEN, value: ...}``."""
        names = (container.get(field) for field in ("name", "key", "variable"))
        return max((secrecy(name) for name in names if isinstance(name, str)), default=Secrecy.NONE)

    def _context(self, path: Path) -> Context:
        known = len(path)
        while path[:known] not in self._contexts:
            known -= 1
        context = self._contexts[path[:known]]
        for end in range(known + 1, len(path) + 1):
            context = _enter(context, path[end - 1])
            self._contexts[path[:end]] = context
        return context


def _place(context: Context, last: str | int) -> Place:
    if isinstance(last, int):
        key, source = encode((*context.prefix, last)), join(context.source, last)
        return Place(key, None, context.group or Group.OTHER, _rank(context, 0), source, context.secrecy)
    shown, name = _shown_key(last), words_of(last)
    source = join(context.source, shown)
    level = max(context.secrecy, secrecy(last))
    parameter, position = NAMES.get((context.section, name), (None, 0))
    if parameter is not None and not level:
        return place_of(parameter, source, _rank(context, position, parameter))
    facts = _name_facts(name)
    group = Group.DATA if facts.is_data_file else _group(context, name, facts)
    key = _key(context, shown, name)
    return Place(key, None, group, _rank(context, 0), source, level, facts.comparison, facts.is_data_file)


class _NameFacts(NamedTuple):
    """What the name of a setting that the catalogue does not know says about it."""

    is_identity: bool
    is_data_file: bool
    group: Group | None
    comparison: Comparison


@lru_cache(maxsize=8192)
def _name_facts(name: str) -> _NameFacts:
    return _NameFacts(
        bool(_IDENTITY.search(name)) and not _NOT_IDENTITY.search(name),
        bool(_DATA_FILE.search(name)),
        next((group for group, hint in _GROUP_HINTS if hint.search(name)), None),
        Comparison.SET if _MODULES.search(name) else Comparison.TEXT if _AS_TEXT.search(name) else Comparison.VALUE,
    )


@lru_cache(maxsize=8192)
def _shown_key(key: str) -> str:
    """A mapping key as it may be shown: somebody may have keyed a mapping by credentials."""
    return redact(key)


def _enter(parent: Context, segment: str | int) -> Context:
    if isinstance(segment, int):
        prefix: Path = (*parent.prefix, segment)
        source = join(parent.source, segment)
        return parent._replace(section=Section.OPAQUE, prefix=prefix, source=source, name="")
    segment = _shown_key(segment)
    name = words_of(segment)
    section = _section(parent, name)
    wrapped = parent.wrapped or (section is Section.PLAIN)
    if section is Section.PLAIN:
        prefix = ()
    elif section is parent.section and section is not Section.OPAQUE:
        prefix = parent.prefix
    elif section is Section.OPAQUE:
        prefix = (*parent.prefix, segment)
    else:
        prefix = (section.value,)
    group = GROUP_OF.get(section, parent.group)
    if section is Section.OPAQUE and group is None and parent.section is Section.PLAIN:
        group = _name_facts(name).group
    level = max(parent.secrecy, secrecy(segment))
    return Context(section, wrapped, prefix, group, level, join(parent.source, segment), name)


def _section(parent: Context, name: str) -> Section:
    named = SECTION_NAMES.get(name, Section.OPAQUE)
    match parent.section:
        case Section.PLAIN:
            return named
        case Section.OPAQUE:
            return Section.OPAQUE
        case Section.MODEL if named in (Section.LORA, Section.QUANTIZATION):
            return named
        case own if named is own or name in _INNER:
            return own
    return Section.OPAQUE


def _rank(context: Context, position: int, parameter: Parameter | None = None) -> tuple[int, int]:
    """The order in which trainers look a parameter up.

    LoRA: the section ``lora``, then another adapter section at the top, then one inside ``training``, then
    ``training.lora_r`` and its like. Others: ``training``, then the section of their group, then the top; but for
    those that are ``top_first``, the top before the section.
    """
    if parameter is not None and parameter.group is Group.LORA and context.section is Section.LORA:
        if context.wrapped:
            return 2, position
        return (0 if context.name == "lora" else 1), position
    if context.section is Section.PLAIN:
        # A search overrides what the arguments say, and a trainer's state repeats them in its own way.
        special = {"trial_params": 2, STATE_SECTION: 7}.get(context.name)
        top = 4 if parameter is not None and parameter.top_first else 6
        return special or (3 if context.wrapped else top), position
    return 5, position


def _key(context: Context, name: str, words: str) -> str:
    if context.section is Section.PLAIN and words.startswith("lora_"):
        return encode((Section.LORA.value, words.removeprefix("lora_")))
    if context.section is Section.EVALUATION and words.startswith("eval_"):
        return encode((words,))
    return encode((*context.prefix, name))


def _group(context: Context, name: str, facts: _NameFacts) -> Group:
    # "name" is the run's own at the top and under metadata; in any other section it names a part.
    own = context.section is Section.PLAIN or context.name in _ABOUT_RUN
    if facts.is_identity and (own or name not in _BARE):
        in_data = context.group is Group.DATA and name in ("path", "name")
        return Group.DATA if in_data else Group.IDENTITY
    return context.group or facts.group or Group.OTHER
