"""The configuration that a demo run logged: nested, and with the contradictions that real ones have."""

from __future__ import annotations

from typing import Any

from tests.demo.specs import GEMMA, LLAMA, MISTRAL, QWEN, DemoRun, demo_id

_TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
_TEMPLATES = {LLAMA: "llama3", QWEN: "chatml", MISTRAL: "mistral", GEMMA: "gemma"}


def execution_id(run: DemoRun) -> str:
    """The id under which the run's training program ran."""
    return demo_id(f"{run.key}/execution")


def output_dir(run: DemoRun) -> str:
    """Where the run wrote its checkpoints."""
    return f"outputs/{execution_id(run)}"


def config_of(run: DemoRun) -> dict[str, Any]:
    """The run's configuration, as its JSON column holds it."""
    config = {
        "model": {
            "name": run.model.name,
            "torch_dtype": "bfloat16",
            "attn_implementation": "eager" if run.model is GEMMA else "flash_attention_2",
            "trust_remote_code": False,
        },
        "tokenizer": {"padding_side": "right", "chat_template": _TEMPLATES[run.model], "add_eos_token": True},
        "training": _training(run),
        "data": {"format": "chat", "shuffle": True, "max_samples": None, "eval_split": run.data.eval_split},
        "predictions": {"enabled": True, "num_samples": 5, "frequency": "eval"},
        "metadata": {"project": run.data.file.split("_")[0], "tags": ["demo"], "version": 3},
        "provider": _provider(run),
        "evaluation": {"metrics": ["loss", "perplexity"], "batch_size": 8},
        "seed": 42,
        "dataset_path": run.data.path,
        "output_dir": output_dir(run),
        "execution_id": execution_id(run),
        "eval_split": run.data.eval_split,
    }
    if run.rank is not None:
        config["lora"] = {"r": run.rank, "lora_alpha": 32, "lora_dropout": 0.05}
    _make_odd(config, run)
    return config


def _training(run: DemoRun) -> dict[str, Any]:
    training: dict[str, Any] = {
        "method": "sft",
        "num_epochs": run.epochs,
        "learning_rate": run.learning_rate,
        "batch_size": run.batch_size,
        "gradient_accumulation_steps": run.accumulation,
        "warmup_steps": run.warmup_steps,
        "max_length": 2048,
        "optim": "paged_adamw_8bit" if run.quantized else "adamw_torch_fused",
        "weight_decay": 0.01,
        "lr_scheduler_type": run.scheduler,
        "max_grad_norm": 1.0,
        "logging_steps": run.logging_steps,
        "eval_strategy": "steps",
        "eval_steps": run.eval_steps,
        "save_strategy": "steps",
        "save_steps": run.save_steps,
        "save_total_limit": run.save_limit,
        "load_best_model_at_end": run.keeps_best,
        "metric_for_best_model": "eval_loss",
        "bf16": True,
        "packing": False,
        "gradient_checkpointing": True,
    }
    if run.min_rate_share:
        training["lr_scheduler_type"] = "cosine_with_min_lr"
        training["lr_scheduler_kwargs"] = {"min_lr_rate": run.min_rate_share}
    if run.strategy:
        training["deepspeed"] = {"zero_stage": 3, "offload_optimizer": False}
    if run.rank is not None:
        lora = {"r": run.rank, "lora_alpha": 32, "lora_dropout": 0.05}
        training["lora_config"] = {**lora, "bias": "none", "target_modules": list(_TARGETS)}
        training["lora_r"] = run.rank
    if run.quantized:
        training["quantization"] = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "double_quant": True}
    return training


def _provider(run: DemoRun) -> dict[str, Any]:
    provider: dict[str, Any] = {"type": run.provider, "gpu": "A100-SXM4-80GB", "gpu_count": run.gpus}
    if run.api_key:
        provider["api_key"] = run.api_key
    return provider


def _make_odd(config: dict[str, Any], run: DemoRun) -> None:
    """Write into ``config`` what people and forms get wrong."""
    training = config["training"]
    if "rank in three places" in run.odd:
        training["lora_config"]["r"] = 16 if run.rank != 16 else 32
        training["lora_r"] = 8
    if "eval split twice" in run.odd:
        config["eval_split"] = 0.2
    if "warm-up twice" in run.odd:
        training["warmup_ratio"] = 0.1
    if "typo in list" in run.odd:
        training["lora_config"]["target_modules"][-1] = "down_proj:"
    if "rate as text" in run.odd:
        training["learning_rate"] = f"{run.learning_rate:.0e}".replace("e-0", "e-")
    if "other names" in run.odd:
        training["per_device_train_batch_size"] = training.pop("batch_size")
        training["num_train_epochs"] = training.pop("num_epochs")
        training["max_seq_length"] = training.pop("max_length")
