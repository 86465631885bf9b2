"""The catalogue of well-known hyperparameters: names, groups, titles and how they are compared.

One parameter has one row, whatever a tool calls it and in whatever section of the configuration it
stands. The order of the catalogue is the order of the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from lib.core.config.values import Comparison


class Group(StrEnum):
    """The groups of the comparison, in the order in which they are shown."""

    OPTIMIZER = "optimizer"
    SCHEDULE = "schedule"
    BATCH = "batch"
    LORA = "LoRA"
    DATA = "data"
    MODEL = "model"
    PRECISION = "quantization and precision"
    OTHER = "other"
    IDENTITY = "identity"


class Section(StrEnum):
    """The sections of a configuration that say what the names in them mean."""

    PLAIN = "plain"
    """The top level, and sections that only wrap: ``training``, ``training_args``, ``config``..."""
    OPTIMIZER = "optimizer"
    SCHEDULER = "scheduler"
    LORA = "lora"
    DATA = "data"
    MODEL = "model"
    QUANTIZATION = "quantization"
    TOKENIZER = "tokenizer"
    EVALUATION = "evaluation"
    OPAQUE = "opaque"
    """Any other: names in it are its own, and are never taken for a well-known parameter."""


_SECTIONS: Mapping[Section, tuple[Group | None, str]] = MappingProxyType(
    {
        Section.PLAIN: (None, "training training_args training_arguments training_config train trainer train_config"
            " hyperparameters hyper_parameters hparams params parameters args arguments config cfg sft sft_config"
            " finetuning fine_tuning finetune trial_params trainer_state run_manifest"),
        Section.OPTIMIZER: (Group.OPTIMIZER, "optimizer optim optimizer_config optim_config optimization"),
        Section.SCHEDULER: (Group.SCHEDULE, "scheduler lr_scheduler scheduler_config lr_scheduler_config lr_schedule"
            " schedule"),
        Section.LORA: (Group.LORA, "lora lora_config adapter_config peft_config peft adapter qlora lora_args"
            " lora_params"),
        Section.DATA: (Group.DATA, "data dataset data_config dataset_config data_args datamodule"),
        Section.MODEL: (Group.MODEL, "model model_config model_args"),
        Section.QUANTIZATION: (Group.PRECISION, "quantization quantization_config bnb_config bnb bitsandbytes"),
        Section.TOKENIZER: (Group.MODEL, "tokenizer tokenizer_config"),
        Section.EVALUATION: (Group.DATA, "evaluation eval validation"),
    }
)  # fmt: skip
"""The group of what stands in a section, and what tools call the section."""

GROUP_OF: Mapping[Section, Group] = MappingProxyType(
    {section: group for section, (group, _) in _SECTIONS.items() if group is not None}
)
SECTION_NAMES: Mapping[str, Section] = MappingProxyType(
    {name: section for section, (_, names) in _SECTIONS.items() for name in names.split()}
)

_HOMES: Mapping[Group, tuple[Section, ...]] = MappingProxyType(
    {
        Group.OPTIMIZER: (Section.OPTIMIZER,),
        Group.SCHEDULE: (Section.SCHEDULER,),
        Group.BATCH: (Section.DATA,),
        Group.LORA: (Section.LORA,),
        Group.DATA: (Section.DATA,),
        Group.MODEL: (Section.MODEL,),
        Group.PRECISION: (Section.QUANTIZATION, Section.MODEL),
    }
)
"""The sections in which the names of a group's parameters mean the same as at the top level."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One well-known hyperparameter.

    Attributes:
        key: The canonical name.
        title: For people, with a capital letter.
        known_as: What tools call it at the top level and in the section of its group, best known first: words
            between blanks. The key is always one of its names.
        inside: Further names that mean it only inside one section, written so too.
        column: The column of the job that states it, a field of ``RunSummary``; "" for none.
        scientific: Shown in scientific notation.
        is_dataset: The value is a path or an id of which the name counts.
        null_counts: Null switches something off that would be on where nothing is stated; for all others
            null states nothing.
        top_first: Trainers read it at the top before they look into the section of its group.
    """

    key: str
    title: str
    group: Group
    known_as: str = ""
    inside: Mapping[Section, str] = field(default_factory=dict)
    column: str = ""
    comparison: Comparison = Comparison.VALUE
    scientific: bool = False
    is_dataset: bool = False
    null_counts: bool = False
    top_first: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Its names at the top level, each once."""
        return tuple(dict.fromkeys((*self.known_as.split(), self.key)))


_KIND = "name type target class class_name component"
_CATALOGUE = (
    Parameter("learning_rate", "Learning rate", Group.OPTIMIZER, "learning_rate lr base_lr init_lr"
        " initial_learning_rate initial_lr", scientific=True),
    Parameter("max_learning_rate", "Max learning rate", Group.OPTIMIZER, "max_learning_rate max_lr peak_lr"
        " peak_learning_rate", {Section.SCHEDULER: "max_lr"}, column="max_learning_rate", scientific=True),
    Parameter("min_learning_rate", "Min learning rate", Group.OPTIMIZER, "min_learning_rate min_lr lr_min",
        {Section.SCHEDULER: "eta_min min_lr"}, column="min_learning_rate", scientific=True),
    Parameter("optimizer", "Optimizer", Group.OPTIMIZER, "optim optimizer optimizer_name optimizer_type",
        {Section.OPTIMIZER: _KIND}),
    Parameter("weight_decay", "Weight decay", Group.OPTIMIZER, "weight_decay wd adamw_weight_decay weight_decay_rate"),
    Parameter("max_grad_norm", "Gradient clipping (max norm)", Group.OPTIMIZER, "max_grad_norm gradient_clip_val"
        " grad_clip clip_grad_norm gradient_clipping max_gradient_norm grad_norm_clip clip_grad", null_counts=True),
    Parameter("adam_beta1", "Adam beta 1", Group.OPTIMIZER, "adam_beta1 beta1"),
    Parameter("adam_beta2", "Adam beta 2", Group.OPTIMIZER, "adam_beta2 beta2"),
    Parameter("adam_epsilon", "Adam epsilon", Group.OPTIMIZER, "adam_epsilon adam_eps",
        {Section.OPTIMIZER: "eps epsilon"}, scientific=True),
    Parameter("total_epochs", "Epochs", Group.SCHEDULE, "num_train_epochs num_epochs epochs n_epochs max_epochs"
        " total_epochs train_epochs num_epoch max_epoch nb_epochs", column="total_epochs"),
    Parameter("max_steps", "Max steps", Group.SCHEDULE, "max_steps max_train_steps max_iters num_iterations"
        " num_training_steps training_steps train_steps"),
    Parameter("scheduler", "Scheduler", Group.SCHEDULE, "lr_scheduler_type lr_scheduler scheduler scheduler_type"
        " lr_schedule schedule", {Section.SCHEDULER: _KIND}),
    Parameter("warmup_steps", "Warm-up steps", Group.SCHEDULE, "warmup_steps num_warmup_steps lr_warmup_steps"
        " warmup_iters n_warmup_steps", column="warmup_steps"),
    Parameter("warmup_ratio", "Warm-up ratio", Group.SCHEDULE, "warmup_ratio warmup_fraction warmup_proportion"
        " lr_warmup_ratio lr_warmup_fraction warm_up_ratio"),
    Parameter("warmup_in_effect", "Warm-up in effect, steps", Group.SCHEDULE),
    Parameter("warmup_share", "Warm-up in effect, share", Group.SCHEDULE),
    Parameter("batch_size", "Batch size", Group.BATCH, "per_device_train_batch_size batch_size train_batch_size"
        " micro_batch_size per_device_batch_size per_gpu_train_batch_size train_micro_batch_size_per_gpu",
        column="batch_size"),
    Parameter("gradient_accumulation_steps", "Gradient accumulation steps", Group.BATCH, "gradient_accumulation_steps"
        " accumulate_grad_batches gradient_accumulation grad_accumulation_steps grad_accum_steps grad_accum"
        " accumulation_steps", column="gradient_accumulation_steps"),
    Parameter("num_gpus", "GPUs", Group.BATCH, "num_gpus n_gpus n_gpu gpus gpu_count num_devices devices world_size"
        " num_processes", column="num_gpus"),
    Parameter("effective_batch_size", "Effective batch size", Group.BATCH, "effective_batch_size"
        " total_train_batch_size global_batch_size total_batch_size effective_batch"),
    Parameter("eval_batch_size", "Eval batch size", Group.BATCH, "per_device_eval_batch_size eval_batch_size"
        " val_batch_size eval_micro_batch_size per_gpu_eval_batch_size",
        {Section.EVALUATION: "batch_size eval_batch_size per_device_eval_batch_size"}),
    Parameter("distributed_strategy", "Distributed strategy", Group.BATCH, "distributed_strategy strategy",
        column="distributed_strategy"),
    Parameter("tokens_per_step", "Tokens per step, at most", Group.BATCH),
    Parameter("lora_r", "LoRA rank", Group.LORA, "lora_r lora_rank", {Section.LORA: "r rank",
        Section.MODEL: "lora_r lora_rank"}),
    Parameter("lora_alpha", "LoRA alpha", Group.LORA, "lora_alpha", {Section.LORA: "alpha",
        Section.MODEL: "lora_alpha"}),
    Parameter("lora_scaling", "LoRA scaling (alpha / rank)", Group.LORA),
    Parameter("lora_dropout", "LoRA dropout", Group.LORA, "lora_dropout", {Section.LORA: "dropout",
        Section.MODEL: "lora_dropout"}),
    Parameter("target_modules", "Target modules", Group.LORA, "target_modules lora_target_modules lora_target"
        " lora_modules", {Section.LORA: "modules"}, comparison=Comparison.SET),
    Parameter("modules_to_save", "Modules to save", Group.LORA, "modules_to_save lora_modules_to_save"
        " additional_target", comparison=Comparison.SET),
    Parameter("use_rslora", "Rank-stabilised LoRA", Group.LORA, "use_rslora peft_use_rslora"),
    Parameter("use_dora", "DoRA", Group.LORA, "use_dora peft_use_dora"),
    Parameter("finetuning_type", "Fine-tuning type", Group.LORA, "finetuning_type adapter tuner_type train_type"),
    Parameter("dataset", "Dataset", Group.DATA, "dataset dataset_name dataset_path dataset_id dataset_name_or_path"
        " train_dataset train_file train_path train_data data data_path", {Section.DATA: "path name file"},
        column="dataset", is_dataset=True),
    Parameter("max_seq_length", "Max sequence length", Group.DATA, "max_seq_length max_seq_len max_length cutoff_len"
        " model_max_length max_sequence_length sequence_length sequence_len seq_length seq_len block_size"
        " context_length context_len cutoff_length", {Section.TOKENIZER: "max_length max_seq_length max_seq_len",
        Section.MODEL: "max_seq_length max_seq_len"}),
    Parameter("eval_split", "Eval split", Group.DATA, "eval_split validation_split val_split eval_ratio val_size"
        " eval_size test_size val_set_size validation_size validation_ratio valid_ratio eval_fraction"
        " split_dataset_ratio",
        {Section.EVALUATION: "eval_split split validation_split val_split split_ratio"}, top_first=True),
    Parameter("packing", "Packing", Group.DATA, "packing sample_packing use_packing", {Section.DATA: "packed"}),
    Parameter("train_on_inputs", "Train on inputs", Group.DATA, "train_on_inputs train_on_prompt"),
    Parameter("base_model", "Base model", Group.MODEL, "base_model base_model_name model_name_or_path"
        " base_model_name_or_path pretrained_model_name_or_path model_id base_model_id model_path pretrained_model"
        " model", {Section.MODEL: "name name_or_path id path model_name", Section.LORA: "base_model_name_or_path"},
        column="base_model"),
    Parameter("method", "Method", Group.MODEL, "method training_method stage"),
    Parameter("attn_implementation", "Attention implementation", Group.MODEL),
    Parameter("quantization", "Quantization", Group.PRECISION, "quantization quantization_bit quantization_bits"
        " quantization_type", {Section.QUANTIZATION: "bits bit"}, comparison=Comparison.BITS),
    Parameter("load_in_4bit", "Load in 4 bit", Group.PRECISION),
    Parameter("load_in_8bit", "Load in 8 bit", Group.PRECISION),
    Parameter("bnb_4bit_quant_type", "4-bit type", Group.PRECISION),
    Parameter("bnb_4bit_compute_dtype", "4-bit compute type", Group.PRECISION, comparison=Comparison.DTYPE),
    Parameter("bnb_4bit_use_double_quant", "Double quantization", Group.PRECISION, "bnb_4bit_use_double_quant"
        " double_quantization double_quant use_nested_quant use_bnb_nested_quant"),
    Parameter("bf16", "bfloat16", Group.PRECISION),
    Parameter("fp16", "float16", Group.PRECISION),
    Parameter("precision", "Precision", Group.PRECISION, "precision mixed_precision"),
    Parameter("torch_dtype", "Weights' type", Group.PRECISION, "torch_dtype dtype", comparison=Comparison.DTYPE),
    Parameter("seed", "Seed", Group.OTHER, "seed random_seed global_seed rng_seed manual_seed random_state"),
    Parameter("logging_steps", "Logging steps", Group.OTHER, "logging_steps log_steps log_interval log_every_n_steps"),
    Parameter("eval_strategy", "Eval strategy", Group.OTHER, "eval_strategy evaluation_strategy",
        {Section.EVALUATION: "eval_strategy evaluation_strategy strategy"}),
    Parameter("eval_steps", "Eval steps", Group.OTHER, "eval_steps evaluation_steps eval_interval eval_every_n_steps",
        {Section.EVALUATION: "eval_steps evaluation_steps steps"}),
    Parameter("save_steps", "Save steps", Group.OTHER, "save_steps save_interval checkpoint_steps"
        " checkpoint_interval save_every_n_steps"),
    Parameter("model_name", "Model name", Group.IDENTITY),
)  # fmt: skip

PARAMETERS: Mapping[str, Parameter] = MappingProxyType({parameter.key: parameter for parameter in _CATALOGUE})
ORDER: Mapping[str, int] = MappingProxyType({key: position for position, key in enumerate(PARAMETERS)})


def _names() -> dict[tuple[Section, str], tuple[Parameter, int]]:
    table: dict[tuple[Section, str], tuple[Parameter, int]] = {}
    for parameter in _CATALOGUE:
        for section in (Section.PLAIN, *_HOMES.get(parameter.group, ())):
            for position, name in enumerate(parameter.names):
                table.setdefault((section, name), (parameter, position))
    for parameter in _CATALOGUE:
        for section, names in parameter.inside.items():
            for position, name in enumerate(names.split()):
                table[section, name] = (parameter, position)
    return table


NAMES: Mapping[tuple[Section, str], tuple[Parameter, int]] = MappingProxyType(_names())
"""Which parameter a name means in a section, and the position of the name among its synonyms."""


def aliases(key: str) -> tuple[str, ...]:
    """Return every name of a well-known parameter; none for another key.

    Example:
        >>> "cutoff_len" in aliases("max_seq_length"), aliases("bespoke")
        (True, ())
    """
    parameter = PARAMETERS.get(key)
    if parameter is None:
        return ()
    return tuple(dict.fromkeys((*parameter.names, *" ".join(parameter.inside.values()).split())))
