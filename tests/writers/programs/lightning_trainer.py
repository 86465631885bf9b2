"""Train a few steps with Lightning's Trainer and two of its loggers, and say what these were told."""

from __future__ import annotations

import json
import os

import pytorch_lightning as lightning
import torch
from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger
from telling import place, sessions
from torch.utils.data import DataLoader, TensorDataset


class Line(lightning.LightningModule):
    """A linear model."""

    def __init__(self, lr: float, name: str = "tiny", width: int = 4) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.line = torch.nn.Linear(width, 1)

    def loss(self, batch) -> torch.Tensor:
        x, y = batch
        return ((self.line(x).squeeze(-1) - y) ** 2).mean()

    def training_step(self, batch, number) -> torch.Tensor:
        found = self.loss(batch)
        self.log("train_loss", found, on_step=True, on_epoch=False)
        return found

    def validation_step(self, batch, number) -> None:
        self.log("val_loss", self.loss(batch))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)


class Heard(CSVLogger):
    """A logger that keeps what it is told."""

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self.rows: list[tuple[int, dict[str, float]]] = []

    def log_metrics(self, metrics, step=None) -> None:
        self.rows.append((step, {key: float(value) for key, value in metrics.items() if key != "epoch"}))
        super().log_metrics(metrics, step)


told = {}
for session in sessions:
    name, options = session["run"], session["options"]
    lightning.seed_everything(options["seed"])
    x = torch.randn(64, 4)
    data = DataLoader(TensorDataset(x, x.sum(1)), batch_size=8)
    heard = Heard(os.path.join(place, "runs", "csv", name))
    trainer = lightning.Trainer(
        max_epochs=options["steps"] // 8,
        log_every_n_steps=2,
        accelerator="cpu",
        logger=[heard, TensorBoardLogger(os.path.join(place, "runs", "tensorboard", name))],
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=place,
    )
    trainer.fit(Line(options["rate"]), data, data)
    told[name] = heard.rows
with open(os.path.join(place, "told.json"), "w", encoding="utf-8") as file:
    json.dump(told, file)
