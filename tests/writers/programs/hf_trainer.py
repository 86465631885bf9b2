"""Train a few steps with the Trainer of Transformers: a folder for each run, and beside all what it told its callbacks.

A run's options are the learning rate (a large one ends in NaN), the seed and the steps.
"""

from __future__ import annotations

import json
import os

import torch
from telling import place, sessions
from transformers import PretrainedConfig, PreTrainedModel, Trainer, TrainerCallback, TrainingArguments


class Config(PretrainedConfig):
    """Of a model that has none."""

    model_type = "line"


class Line(PreTrainedModel):
    """A linear model."""

    config_class = Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.line = torch.nn.Linear(4, 1)
        self.post_init()

    def forward(self, x, labels=None):
        said = self.line(x).squeeze(-1)
        return {"loss": ((said - labels) ** 2).mean(), "logits": said}


class Sums(torch.utils.data.Dataset):
    """Four numbers and their sum."""

    def __len__(self) -> int:
        return 64

    def __getitem__(self, at: int) -> dict[str, torch.Tensor]:
        x = torch.randn(4, generator=torch.Generator().manual_seed(at))
        return {"x": x, "labels": x.sum()}


class Heard(TrainerCallback):
    """Keeps what the Trainer logs, as it logs it."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, dict[str, float]]] = []

    def on_log(self, args, state, control, logs=None, **more) -> None:
        self.rows.append((state.global_step, {key: float(value) for key, value in (logs or {}).items()}))


def absolute(said) -> dict[str, float]:
    """A metric of its own."""
    return {"mae": float(abs(said.predictions - said.label_ids).mean())}


told = {}
for session in sessions:
    options, name = session["options"], session["run"]
    heard = Heard()
    arguments = TrainingArguments(
        os.path.join(place, "runs", name),
        max_steps=options["steps"],
        learning_rate=options["rate"],
        seed=options["seed"],
        max_grad_norm=0.0,
        optim="sgd",
        lr_scheduler_type="constant",
        logging_steps=2,
        logging_nan_inf_filter=False,
        eval_strategy="steps",
        eval_steps=10,
        save_steps=10,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
    )
    torch.manual_seed(options["seed"])
    trainer = Trainer(
        model=Line(Config()),
        args=arguments,
        train_dataset=Sums(),
        eval_dataset=Sums(),
        compute_metrics=absolute,
        callbacks=[heard],
    )
    trainer.train()
    trainer.save_state()
    told[name] = heard.rows
with open(os.path.join(place, "told.json"), "w", encoding="utf-8") as file:
    json.dump(told, file)
