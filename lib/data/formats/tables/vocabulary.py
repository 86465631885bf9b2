"""What the columns of a table are about, by their names: settings, measured values, runs, parts of the data."""

from __future__ import annotations

import re

from lib.data.formats.tables.axes import plain_name


def _each(words: str) -> tuple[str, ...]:
    return tuple(words.split())


SETTINGS = frozenset(
    _each(
        """
    lr learning_rate batch_size bs batchsize seed weight_decay wd warmup warmup_steps warmup_ratio dropout
    optimizer optim scheduler lr_scheduler epochs num_epochs max_epochs max_steps lora_r lora_rank lora_alpha
    lora_dropout momentum hidden_size hidden_dim num_layers n_layers num_heads grad_accum
    gradient_accumulation_steps label_smoothing adam_beta1 adam_beta2 max_length max_seq_length
    num_train_epochs per_device_train_batch_size gradient_clip_val max_grad_norm
    """
    )
)
"""Names of hyperparameters that hardly mean anything else, whole or behind a "/" or "."."""
SETTING_PREFIXES = ("params_", "params/", "param_", "config/", "hparams/", "hparam/", "args/", "hyperparameters/")
_SETTING_WORDS = frozenset(
    _each(
        """
    lr batch seed decay wd warmup dropout optimizer optim scheduler epochs steps layers heads hidden dim rank
    lora alpha beta gamma momentum clip accumulation smoothing temperature weight weights coef size length max
    min num fn function type every interval
    """
    )
)
_MEASURED_WORDS = frozenset(
    _each(
        """
    loss nll acc accuracy top1 top5 f1 auc auroc auprc bleu rouge rouge1 rouge2 rougel meteor perplexity ppl
    precision recall map map50 map95 mrr ndcg score reward rewards return returns wer cer mse rmse mae r2 iou
    miou dice kappa mcc em match error err eval val valid validation test dev bpb bpc entropy kl elbo psnr
    ssim fid chrf sacrebleu spbleu ter sari bertscore comet bleurt passk winrate elo lpips kid regret hits
    accuracies pearson spearman kendall correlation kl_div divergence cost losses perplexities likelihood
    """
    )
)
_AT_MOST = re.compile(r"(?<![a-z])(?:pass|hits?|recall|precision|acc|accuracy|success|maj|cons|best|p|r)@\d")
"""Such as "pass@1" and "hits@10"."""
_OF_TRAINING = frozenset(_each("grad norm lr learning train training throughput"))

RUN_NAMES = _each(
    """
    run run_name run_id name display_name experiment experiment_name exp exp_name trial trial_name trial_id
    job job_id trial_number trial_index arm_name
    """
)
"""Columns that name runs."""
IDENTITY_NAMES = frozenset({"run_id", "id", "trial_id", "job_id", "uuid", "run_uuid"})
_NUMBERED = IDENTITY_NAMES | {"log_id", "index", "idx", "row", "row_id", "pid", "level_0", "index_level_0"}
SOME_RUN_NAMES = _each(
    """
    seed fold model model_name method variant config algorithm algo optimizer dataset task lr learning_rate
    batch_size weight_decay lora_r lora_rank
    """
)
"""Columns that tell runs apart where nothing else does."""

SPLITS = frozenset(_each("train training val valid validation eval evaluation dev test"))
TAG_NAMES = _each("metric tag key metric_name variable measure name attribute_path")
VALUE_NAMES = _each("value metric_value val float_value scalar y")
PLANNED_STEPS = frozenset({"total_steps", "max_steps"})


def is_setting(name: str) -> bool:
    """Whether a column is surely a hyperparameter.

    Example:
        >>> is_setting("config/lr"), is_setting("params_depth"), is_setting("petal length")
        (True, True, False)
    """
    plain = plain_name(name)
    return plain.startswith(SETTING_PREFIXES) or re.split(r"[/.]", plain)[-1] in SETTINGS


def is_measured(name: str) -> bool:
    """Whether a column holds what a training or an evaluation measures, and no setting of it.

    Example:
        >>> is_measured("val_loss"), is_measured("loss_weight"), is_measured("sepal width")
        (True, False, False)
    """
    words = _words(name)
    # "chrF" and "mAP50" are one word for all their capitals.
    whole = set(re.split(r"[^0-9a-z]+", name.lower()))
    is_known = bool((words | whole) & _MEASURED_WORDS) or _AT_MOST.search(name.lower()) is not None
    return is_known and not words & _SETTING_WORDS and not is_setting(name)


def is_number_of_row(name: str) -> bool:
    """Whether a column of numbers names rows or processes, or is the nameless index that pandas writes.

    Example:
        >>> is_number_of_row("id"), is_number_of_row("Unnamed: 0"), is_number_of_row(""), is_number_of_row("loss")
        (True, True, True, False)
    """
    plain = plain_name(name)
    return not plain or plain in _NUMBERED or plain.startswith("unnamed_")


def is_of_training(name: str) -> bool:
    """Whether a column looks like one of a training's log: measured, or a rate or a norm."""
    return is_measured(name) or bool(_words(name) & _OF_TRAINING)


def _words(name: str) -> set[str]:
    return set(re.split(r"[/_.]", plain_name(name)))
