"""The method of a run, by its configuration and by the names of the metrics that it logged."""

from __future__ import annotations

import pytest

from lib.core.config.training_method import Method, logged_methods, logs_training, method_of
from lib.core.facts.runs import RunSummary

TRAINER = "loss grad_norm learning_rate epoch"
DPO = f"{TRAINER} rewards/chosen rewards/rejected rewards/accuracies rewards/margins logps/chosen logps/rejected"
KTO = f"{TRAINER} kl rewards/chosen rewards/rejected rewards/margins logps/chosen logps/rejected logits/chosen"
GRPO = f"{TRAINER} reward reward_std kl completions/mean_length rewards/format_reward/mean num_tokens"
PPO = "objective/kl objective/entropy objective/scores policy/approxkl_avg policy/clipfrac_avg loss/policy_avg"

LOGS = {
    "DPO of TRL": (DPO, "DPO SimPO", True),
    "DPO, evaluated": ("eval_loss eval_rewards/accuracies eval_logps/chosen", "DPO SimPO", True),
    "DPO on a named set": ("eval_helpful_rewards/chosen eval_helpful_rewards/accuracies", "DPO SimPO", True),
    "DPO in columns": ("train_loss rewards_chosen rewards_rejected rewards_accuracies logps_chosen", "DPO SimPO", True),
    "DPO under a folder": ("train/loss train/rewards/chosen train/rewards/accuracies", "DPO SimPO", True),
    "margins alone": (f"{TRAINER} rewards/margins logps/chosen", "DPO SimPO KTO", True),
    "DPO that logs token accuracy": (f"{DPO} mean_token_accuracy entropy", "DPO SimPO", True),
    "CPO": (f"{DPO} nll_loss", "CPO SimPO DPO", True),
    "ORPO of TRL": (f"{DPO} nll_loss log_odds_ratio log_odds_chosen", "ORPO", True),
    "ORPO of LLaMA-Factory": (f"{DPO} sft_loss odds_ratio_loss", "ORPO", True),
    "KTO": (KTO, "KTO", True),
    "online DPO": (f"{DPO} objective/kl objective/entropy val/contain_eos_token", "online DPO", True),
    "GRPO": (GRPO, "GRPO RLOO", True),
    "GRPO, short": ("loss reward kl", "GRPO RLOO PPO", True),
    "OpenRLHF with a critic": ("policy_loss critic_loss reward return kl response_length", "PPO", True),
    "GRPO with a reward called chosen": (f"{GRPO} rewards/chosen_format/mean", "GRPO RLOO", True),
    "PPO": (f"{PPO} loss/value_avg val/clipfrac_avg", "PPO", True),
    "PPO or RLOO": (PPO, "PPO RLOO", True),
    "PPO of old": ("ppo/loss/policy ppo/loss/value ppo/mean_scores env/reward_mean", "PPO", True),
    "verl with a critic": ("actor/pg_loss actor/ppo_kl critic/vf_loss critic/rewards/mean", "PPO", True),
    "verl without": ("actor/pg_loss actor/kl_loss critic/rewards/mean", "GRPO RLOO PPO", True),
    "a reward alone": (f"{TRAINER} reward", "PPO GRPO RLOO", False),
    "reward modelling": (f"{TRAINER} accuracy min_reward mean_reward max_reward margin", "reward modelling", True),
    "accuracy alone": (f"{TRAINER} eval_accuracy", "", False),
    "SFT of TRL": (f"{TRAINER} mean_token_accuracy entropy num_tokens", "SFT pre-training", False),
    "SFT that generates": (f"{TRAINER} eval_loss eval_rouge1 eval_gen_len", "SFT", False),
    "SFT whose samples are logged": (f"{TRAINER} eval_loss eval_bleu completions/mean_length", "SFT", False),
    "SFT judged by a reward": (f"{TRAINER} eval_loss eval_reward", "", False),
    "SFT that logs a divergence": (f"{TRAINER} eval_loss eval_kl", "", False),
    "a classifier": (f"{TRAINER} eval_loss eval_macro-avg-f1score eval_accuracy_thresh", "classification SFT", False),
    "a classifier, by class": (f"{TRAINER} eval_f1/ClassA eval_f1/ClassB", "classification SFT", False),
    "retrieval": (f"{TRAINER} eval_recall@10 eval_recall_at_5", "", False),
    "losses": (f"{TRAINER} eval_loss eval_runtime eval_samples_per_second", "", False),
    "nothing": ("", "", False),
}


def called(methods: str) -> tuple[Method, ...]:
    """Methods by their values, in the order in which they stand."""
    found = sorted((methods.find(method), method) for method in Method if method in methods)
    inside = {Method.DPO} if "online DPO" in methods else set()
    return tuple(method for _, method in found if method not in inside)


@pytest.mark.parametrize(("names", "methods", "is_certain"), LOGS.values(), ids=LOGS)
def test_the_method_of_a_log(names, methods, is_certain):
    found = logged_methods(names.split())
    assert found.methods == called(methods)
    assert found.is_certain is is_certain


def test_rows_of_a_trainer_have_a_loss():
    assert logs_training(TRAINER.split())
    assert logs_training(["train_loss", "grad_norm"])
    assert logs_training(["train_loss", "epoch"])
    assert not logs_training(["eval_loss", "learning_rate"])


def run_of(**config):
    return RunSummary(run_id="a", name="a", config=config)


STATED = {
    "ms-swift": ({"args": {"rlhf_type": "kto", "train_type": "lora"}}, Method.KTO),
    "ms-swift, a reward model": ({"args": {"rlhf_type": "rm", "task_type": "seq_cls"}}, Method.REWARD),
    "ms-swift, a classifier": ({"args": {"rlhf_type": None, "task_type": "seq_cls"}}, Method.CLASSIFICATION),
    "LLaMA-Factory": ({"stage": "dpo", "pref_loss": "sigmoid"}, Method.DPO),
    "LLaMA-Factory, SimPO": ({"stage": "dpo", "pref_loss": "simpo"}, Method.SIMPO),
    "LLaMA-Factory, ORPO": ({"stage": "dpo", "pref_loss": "orpo"}, Method.ORPO),
    "LLaMA-Factory, defaults beside SFT": ({"stage": "sft", "pref_loss": "orpo"}, Method.SFT),
    "axolotl": ({"rl": "grpo", "trl": {"beta": 0.001}}, Method.GRPO),
    "a section trl": ({"trl": {"trainer": "trl.DPOTrainer"}}, Method.DPO),
    "TRL's CPO trainer": ({"trainer": "CPOTrainer", "loss_type": "simpo"}, Method.SIMPO),
    "options of GRPO": ({"training_args": {"num_generations": 8}}, Method.GRPO),
    "options of a reward model": ({"training_args": {"center_rewards_coefficient": 0.01}}, Method.REWARD),
    "a trainer's class": ({"trainer_class": "trl.trainer.KTOTrainer"}, Method.KTO),
    "an adapter with a head": ({"adapter_config": {"task_type": "SEQ_CLS"}}, Method.CLASSIFICATION),
    "an adapter of a language model": ({"adapter_config": {"task_type": "CAUSAL_LM"}}, None),
    "LoRA is no method": ({"method": "lora"}, None),
    "nothing": ({}, None),
}


@pytest.mark.parametrize(("config", "method"), STATED.values(), ids=STATED)
def test_the_method_that_a_configuration_states(config, method):
    assert method_of(run_of(**config)) is method


BOTH = {
    "the log is less exact": ({"method": "simpo"}, DPO, Method.SIMPO),
    "the log contradicts": ({"method": "sft"}, DPO, Method.DPO),
    "GRPO in a folder of PPO": ({"rl": "rlhf"}, GRPO, Method.GRPO),
    "a reward beside SFT is no RL": ({"method": "sft"}, f"{TRAINER} reward", Method.SFT),
    "scores of classes in QA": ({"method": "sft"}, f"{TRAINER} eval_f1 eval_exact_match", Method.SFT),
    "DPO whose source keeps losses only": ({"method": "dpo"}, TRAINER, Method.DPO),
    "a head that gives rewards": (
        {"adapter_config": {"task_type": "SEQ_CLS"}}, f"{TRAINER} min_reward max_reward", Method.REWARD,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("config", "names", "method"), BOTH.values(), ids=BOTH)
def test_a_log_says_what_was_run(config, names, method):
    assert method_of(run_of(**config), names.split()) is method
