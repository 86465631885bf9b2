"""Configurations as trainers write them, each stated leaf by leaf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

UUID = "5f3a9c1e-0000-4000-8000-00000000abcd"


Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Leaf:
    """One place of a configuration, and what a change of it is a change of.

    Attributes:
        key: The parameter, written down by hand: these tests must not ask the code that they test.
        kind: "setting"; "identity" and "secret" are no hyperparameters; "shadowed" is a place that the
            "winner" of the same parameter overrides; "fixed" is not changed.
        others: Places that mean the same. The first name "columns" stands for the columns of the job.
        unordered: A list whose order means nothing.
    """

    path: Path
    value: Any
    key: str
    kind: str = "setting"
    others: tuple[Path, ...] = ()
    unordered: bool = False


def at(text: str, value: Any, key: str = "", kind: str = "setting", others: str = "", unordered: bool = False) -> Leaf:
    path = tuple(int(part) if part.isdigit() else part for part in text.split("/"))
    places = tuple(tuple(other.split("/")) for other in others.split())
    return Leaf(path, value, key or str(path[-1]), kind, places, unordered)


MODULES = ["q_proj", "k_proj", "v_proj", "down_proj"]


JOB = [
    at("model/name", "meta-llama/Llama-3.1-8B", "base_model", others="model/name_or_path columns/base_model"),
    at("model/trust_remote_code", False, "model.trust_remote_code"),
    at("model/torch_dtype", "bfloat16", "torch_dtype", others="torch_dtype model/dtype"),
    at("tokenizer/padding_side", "right", "tokenizer.padding_side"),
    at("training/num_epochs", 3, "total_epochs", others="training/num_train_epochs num_epochs columns/total_epochs"),
    at("training/learning_rate", 2e-4, "learning_rate", others="training/lr lr training/optimizer/lr"),
    at("training/batch_size", 4, "batch_size", others="training/per_device_train_batch_size micro_batch_size"),
    at("training/gradient_accumulation_steps", 8, others="grad_accum columns/gradient_accumulation_steps"),
    at("training/warmup_steps", 100, others="training/num_warmup_steps warmup_steps"),
    at("training/max_length", 2048, "max_seq_length", others="training/max_seq_length cutoff_len data/max_length"),
    at("training/optim", "adamw_torch", "optimizer", others="training/optimizer optimizer/name"),
    at("training/weight_decay", 0.01, others="optimizer/weight_decay wd"),
    at("training/lr_scheduler_type", "cosine", "scheduler", others="training/scheduler lr_scheduler/name"),
    at("training/max_grad_norm", 1.0, others="training/gradient_clip_val"),
    at("training/bf16", True, others="bf16"),
    at("training/packing", False, others="data/packing sample_packing"),
    at("training/method", "sft", others="method"),
    at("training/eval_strategy", "steps", others="training/evaluation_strategy"),
    at("training/deepspeed/zero_stage", 3, "deepspeed.zero_stage"),
    at("training/deepspeed/offload", False, "deepspeed.offload"),
    at("training/lora_config/r", 16, "lora_r", "shadowed"),
    at("training/lora_config/lora_dropout", 0.05, "lora_dropout", others="lora/dropout training/lora_dropout"),
    at("training/lora_config/target_modules", MODULES, "target_modules", others="lora_target", unordered=True),
    at("training/lora_config/bias", "none", "lora.bias", others="lora/bias training/lora_bias"),
    at("training/lora_r", 16, "lora_r", "shadowed"),
    at("training/quantization/load_in_4bit", True, "load_in_4bit", others="load_in_4bit quantization_bit"),
    at("lora/r", 16, "lora_r", "winner", others="lora/rank lora/lora_r"),
    at("lora/lora_alpha", 32, "lora_alpha", others="training/lora_alpha lora/alpha"),
    at("data/format", "chat", "data.format"),
    at("data/eval_split", 0.1, "eval_split", others="eval_split training/eval_split"),
    at("data/mixture/0/name", "a", "data.mixture[0].name"),
    at("data/mixture/0/weight", 0.25, "data.mixture[0].weight"),
    at("data/mixture/1/name", "b", "data.mixture[1].name"),
    at("data/mixture/1/weight", 0.75, "data.mixture[1].weight"),
    at("evaluation/batch_size", 8, "eval_batch_size", others="training/per_device_eval_batch_size"),
    at("evaluation/metrics", ["loss", "perplexity"], "evaluation.metrics"),
    at("provider/type", "runpod", "provider.type"),
    at("provider/api_key", "sk-0123456789", "provider.api_key", "secret"),
    at("metadata/level", 3, "metadata.level"),
    at("metadata/tags", ["demo"], "metadata.tags", "identity"),
    at("seed", 42, others="training/seed random_seed"),
    at("dataset_path", f"datasets/{UUID}/chats.jsonl", "dataset", others="data/path columns/dataset"),
    at("output_dir", "outputs/1", "output_dir", "identity"),
    at("execution_id", "e-1", "execution_id", "identity"),
    at("columns/num_gpus", 2, "num_gpus", others="num_gpus training/world_size"),
    at("columns/total_steps", 3000, "total_steps", "fixed"),
]  # fmt: skip


ARGUMENTS = [
    at("model_name_or_path", "Qwen/Qwen2.5-7B", "base_model", others="model model/name"),
    at("per_device_train_batch_size", 2, "batch_size", others="train_batch_size columns/batch_size"),
    at("per_device_eval_batch_size", 4, "eval_batch_size", others="val_batch_size"),
    at("gradient_accumulation_steps", 16, others="accumulate_grad_batches"),
    at("learning_rate", 5e-5, others="training_args/lr"),
    at("num_train_epochs", 2.5, "total_epochs", others="epochs"),
    at("warmup_ratio", 0.03, others="warmup_fraction training/warmup_ratio"),
    at("adam_beta1", 0.9, others="beta1"),
    at("adam_beta2", 0.999, others="beta2"),
    at("dataloader_num_workers", 4, others="training_args/dataloader_num_workers"),
    at("label_names", ["labels", "mask"]),
    at("neftune_noise_alpha", None),
    at("fsdp_config/min_num_params", 0, "fsdp_config.min_num_params"),
    at("fsdp_config/xla", False, "fsdp_config.xla"),
    at("optim_args", "a=1", "optim_args"),
    at("seed", 7, others="training_arguments/seed"),
    at("bf16", False),
    at("report_to", ["wandb"]),
    at("hub_token", "hf_abcdefghij0123456789", "hub_token", "secret"),
    at("logging_dir", "runs/Nov01", "logging_dir", "identity"),
    at("run_name", "first", "run_name", "identity"),
    at("dataset_name", "tatsu-lab/alpaca", "dataset", others="data dataset/name"),
]


AXOLOTL = [
    at("base_model", "mistralai/Mistral-7B", others="model_name_or_path"),
    at("micro_batch_size", 2, "batch_size", others="per_device_train_batch_size"),
    at("gradient_accumulation_steps", 4),
    at("num_epochs", 4, "total_epochs", others="num_train_epochs"),
    at("sequence_len", 4096, "max_seq_length", others="max_seq_length"),
    at("sample_packing", True, "packing", others="packing"),
    at("lr_scheduler", "cosine", "scheduler", others="lr_scheduler_type"),
    at("optimizer", "adamw_bnb_8bit", others="optim"),
    at("adapter", "qlora", "finetuning_type", others="finetuning_type"),
    at("lora_r", 32, others="lora_rank peft/r"),
    at("lora_alpha", 16, others="peft/alpha"),
    at("lora_target_modules", MODULES, "target_modules", others="lora_target", unordered=True),
    at(
        "lora_modules_to_save",
        ["lm_head", "embed_tokens"],
        "modules_to_save",
        others="additional_target",
        unordered=True,
    ),
    at("peft_use_rslora", True, "use_rslora", others="use_rslora"),
    at("val_set_size", 0.05, "eval_split", others="val_size"),
    at("train_on_inputs", False, others="train_on_prompt"),
    at("datasets/0/path", "tatsu-lab/alpaca", "datasets[0].path"),
    at("datasets/0/type", "alpaca", "datasets[0].type"),
    at("datasets/1/path", "vicgalle/alpaca-gpt4", "datasets[1].path"),
    at("datasets/1/type", "chat", "datasets[1].type"),
    at("special_tokens/pad_token", "<pad>", "special_tokens.pad_token"),
    at("special_tokens/eos_token", "</s>", "special_tokens.eos_token"),
    at("wandb_project", "x", "wandb_project", "identity"),
]


FACTORY = [
    at("stage", "sft", "method", others="training_method"),
    at("finetuning_type", "lora", others="adapter"),
    at("lora_target", "q_proj,v_proj", "target_modules", others="lora_target_modules"),
    at("lora_rank", 8, "lora_r", others="lora_r"),
    at("lora_alpha", 16),
    at("cutoff_len", 1024, "max_seq_length", others="max_length"),
    at("quantization_bit", 4, "quantization", others="quantization/bits"),
    at("template", "llama3"),
    at("dataset", "identity,alpaca_en_demo", others="train_dataset"),
    at("val_size", 0.1, "eval_split", others="val_set_size"),
    at("per_device_train_batch_size", 1, "batch_size", others="micro_batch_size"),
    at("learning_rate", "1.0e-4", others="lr"),
    at("max_steps", 500, others="max_train_steps"),
    at("warmup_steps", 0, others="num_warmup_steps"),
    at("pure_bf16", True),
    at("cache.with.dots", 1, "cache\\.with\\.dots"),
]


TORCHTUNE = [
    at("model/_component_", "torchtune.models.llama3.lora_llama3_8b", "model._component_"),
    at("model/lora_rank", 8, "lora_r", others="lora/r"),
    at("model/lora_alpha", 16, "lora_alpha", others="lora/alpha"),
    at("model/lora_attn_modules", ["q_proj", "v_proj"], "model.lora_attn_modules", unordered=True),
    at("optimizer/_component_", "torch.optim.AdamW", "optimizer", others="optim"),
    at("optimizer/lr", 2e-5, "learning_rate", others="learning_rate"),
    at("optimizer/fused", True, "optimizer.fused"),
    at("lr_scheduler/_component_", "cosine_with_warmup", "scheduler", others="scheduler/name"),
    at("lr_scheduler/num_warmup_steps", 100, "warmup_steps", others="warmup_steps"),
    at("tokenizer/max_seq_len", 2048, "max_seq_length", others="max_length"),
    at("tokenizer/prompt_template", None, "tokenizer.prompt_template"),
    at("dataset/packed", True, "packing", others="packing"),
    at("dataset/split", "train", "data.split"),
    at("batch_size", 2),
    at("epochs", 1, "total_epochs", others="num_epochs"),
    at("dtype", "bf16", "torch_dtype", others="model/torch_dtype"),
    at("clip_grad_norm", 1.0, "max_grad_norm", others="max_grad_norm"),
    at("profiler/enabled", False, "profiler.enabled"),
    at("profiler/steps", [1, [2, 3]], "profiler.steps", "fixed"),
]  # fmt: skip


SHAPES = {"job": JOB, "arguments": ARGUMENTS, "axolotl": AXOLOTL, "factory": FACTORY, "torchtune": TORCHTUNE}


CONTAINERS = {
    "job": {
        (): "", ("training",): "", ("lora",): "lora.", ("training", "lora_config"): "lora.", ("data",): "data.",
        ("training", "quantization"): "quantization.", ("provider",): "provider.", ("model",): "model.",
        ("evaluation",): "evaluation.", ("metadata",): "metadata.", ("data", "mixture", 1): "data.mixture[1].",
        ("training", "deepspeed"): "deepspeed.", ("tokenizer",): "tokenizer.",
    },
    "arguments": {(): "", ("fsdp_config",): "fsdp_config."},
    "axolotl": {(): "", ("datasets", 0): "datasets[0].", ("special_tokens",): "special_tokens."},
    "factory": {(): ""},
    "torchtune": {(): "", ("optimizer",): "optimizer.", ("lr_scheduler",): "scheduler.", ("profiler",): "profiler."},
}  # fmt: skip
"""Where an unknown key may be put, and what then stands before it in its name."""


FOLLOWS = {
    "batch_size": {"effective_batch_size", "tokens_per_step"},
    "gradient_accumulation_steps": {"effective_batch_size", "tokens_per_step"},
    "num_gpus": {"effective_batch_size", "tokens_per_step"},
    "max_seq_length": {"tokens_per_step"},
    "lora_r": {"lora_scaling"},
    "lora_alpha": {"lora_scaling"},
    "use_rslora": {"lora_scaling"},
    "warmup_steps": {"warmup_in_effect", "warmup_share"},
    "warmup_ratio": {"warmup_in_effect", "warmup_share"},
    "max_steps": {"warmup_in_effect", "warmup_share"},
    "load_in_4bit": {"quantization"},
    "quantization": {"load_in_4bit"},
}
"""What is worked out from a parameter, and may differ with it."""
