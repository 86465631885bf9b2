"""Units of files for readers of tables, written as their programs write them."""

from __future__ import annotations

from pathlib import Path

from lib.data.formats.logged import Reading


def write(root: Path, files: dict[str, str | bytes]) -> list[tuple[str, ...]]:
    """Write files below a folder; their paths as readers get them."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return [tuple(name.split("/")) for name in files]


def read(reader, root: Path, files: dict[str, str | bytes]) -> Reading | None:
    """What a reader makes of files that it says are one unit."""
    paths = write(root, files)
    units = reader.units([path for path in paths if reader.matches(path)])
    assert len(units) == 1
    ((folder, unit),) = units.items()
    return reader.read(root, folder, unit)


LIGHTNING = {
    "version_0/metrics.csv": "epoch,lr-AdamW,step,train_loss_epoch,train_loss_step,val_loss\n"
    ",0.001,9,,,\n"
    "0,,9,,0.2,\n"
    "0,,19,,nan,\n"
    "0,,19,,,0.25\n"
    "0,,19,0.3,,\n"
    "1,,29,,inf,\n",
    "version_0/hparams.yaml": "lr: 0.001\nbetas: !!python/tuple\n- 0.9\n- 0.95\n"
    "model: !!python/object:x.Y\n  name: tiny\n",
}
ULTRALYTICS = {
    "train/results.csv": "epoch,time,train/box_loss,metrics/mAP50(B),val/box_loss,lr/pg0\n"
    "1,12.5,2,0.4,2.5,0.001\n2,25,1,0.45,nan,0.0005\n",
    "train/args.yaml": "task: detect\nmode: train\nmodel: tiny.pt\nepochs: 10\nbatch: 16\n",
}
DVCLIVE = {
    "live/plots/metrics/train/loss.tsv": "step\tloss\n0\t2.0\n1\tnan\n2\tinf\n",
    "live/plots/metrics/epoch.tsv": "step\tepoch\n0\t1\n2\t2\n",
    "live/plots/metrics/stamped.tsv": "timestamp\tstep\tstamped\n1795950805432\t2\t1.5\n",
    "live/plots/metrics/label.tsv": "step\tlabel\n1\ttext\n",
    "live/params.yaml": "lr: 0.001\nmodel:\n  name: tiny\n",
    "live/metrics.json": '{"train": {"loss": "inf"}, "step": 2, "label": "text", "test": {"acc": 0.91}}',
}
KERAS = {
    "training.log": "epoch,accuracy,loss,val_loss\n0,0.5,2.0,2.5\n1,0.52,nan,NA\n2,0.54,0.7,0.8\n",
}
WANDB_CHART = {
    "export.csv": '"Step","a - b - loss","a - b - loss__MIN","a - b - loss__MAX",'
    '"c - loss","c - loss__MIN","c - loss__MAX"\n'
    '"0","2.5","2.5","2.5","3.5","3.5","3.5"\n"10","","","","NaN","NaN","NaN"\n"20","1.5","1.4","1.6","","",""',
}
WANDB_HISTORY = {
    "history.csv": ",_step,_runtime,_timestamp,epoch,loss,train/global_step\n"
    "0,0,1.5,1729642919.5,0.5,2.0,100\n1,1,3.5,1729642921.5,1.0,,200\n2,2,5.5,1729642923.5,1.5,1.0,300\n",
}
WANDB_RUNS = {
    "runs.csv": '"Name","State","Notes","User","Tags","Created","Runtime","Sweep","ID","lr","optimizer","val_loss"\n'
    '"a","finished","good","me","x","2026-01-02T00:00:00.000Z","60","","r1","0.001","adamw","0.5"\n'
    '"a","crashed","","me","","2026-01-03T00:00:00.000Z","30","","r2","0.01","sgd","NaN"\n',
}
TABLE = {"log.csv": "step,loss,lr\n0,2.0,0.1\n10,nan,0.1\n20,1.0,0.05\n"}
LINES = {
    "log.jsonl": '{"step": 1, "train": {"loss": 2.0}}\n{"step": "2", "train": {"loss": NaN}}\n{"step": 3, "ev": "1"}\n'
}
