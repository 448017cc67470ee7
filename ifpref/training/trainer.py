"""A trainer of trl, told to train an adapter on the sampled token ids, and watched: the same for every algorithm.

    record = train(loaded, rows, settings, seed=0, folder=Path("work"))

What is changed in trl's trainers, and why, stands beside each override; losses, LoRA, the optimizer, the schedule,
checkpoints and several processes are trl's, peft's and accelerate's own.

A row of the log: step, epoch, loss, what the algorithm adds (see algorithms/), grad_norm, learning_rate, measured
before the update of that step.
"""

import math
import os
import random
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import PrinterCallback, TrainerCallback
from trl.trainer.utils import disable_dropout_in_model

from ifpref.models import LoadedModel
from ifpref.training.algorithms import Row, find_algorithm
from ifpref.training.checkpoints import KEPT, Seal, last_checkpoint, run_of
from ifpref.training.checks import check_trainable, expected_trainable
from ifpref.training.forward import on_same_weights
from ifpref.training.settings import TrainingSettings
from ifpref.training.watch import Progress, Watch

OF_EVERY_TRAINER = (
    "learning_rate",
    "lr_scheduler_type",
    "warmup_steps",
    "max_grad_norm",
    "bf16",
    "gradient_checkpointing",
    "save_steps",
)
"""The settings that every trainer of trl reads, under the same names."""


class Fed:
    """What is overridden in all trainers of trl: put before trl's class in `build_trainer`."""

    def _prepare_dataset(self, dataset: Dataset, *args: Any) -> Dataset:
        """trl would make text of the ids and tokenise it again, which changes 0.16 % of sampled sequences, and
        leave out in silence what `max_length` cuts. The ids are what was sampled, and checks.py has seen them."""
        return dataset

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """trl writes one with each checkpoint."""

    def _send_telemetry(self) -> None:
        """A study does not report to anybody."""


def order_of(lengths: Sequence[int], batch_size: int, steps: int, seed: int) -> list[int]:
    """Indices of rows, batch after batch: the epochs' shuffles one after the other, cut into whole batches.

    The last batch is filled up from one more shuffle, so that every step averages over as many rows and no row is
    left out. In a batch the longest come first: micro-batches hold rows of like length, while what a step averages
    over stays a random draw. The order is a function of the seed alone.
    """
    order: list[int] = []
    for epoch in range(math.ceil(steps * batch_size / len(lengths))):
        shuffled = list(range(len(lengths)))
        random.Random(f"{seed}/pairs/{epoch}").shuffle(shuffled)
        order += shuffled
    batches = (order[start : start + batch_size] for start in range(0, steps * batch_size, batch_size))
    return [index for batch in batches for index in sorted(batch, key=lambda index: -lengths[index])]


def train(
    loaded: LoadedModel,
    rows: Sequence[Row],
    settings: TrainingSettings,
    *,
    seed: int,
    folder: Path,
    callbacks: Sequence[TrainerCallback] = (),
) -> dict[str, Any]:
    """Train an adapter on the rows of an algorithm, save it in folder/adapter, and return the record of the run.

    Goes on from the last whole checkpoint of this run in `folder`, if there is one. In each process of `launch`, the
    same call. `loaded` stays as it is.

    The record: state ("finished" or "diverged"), reason, steps, adapter_step (the updates that the adapter has),
    trainable_parameters, pairs_seen, start, log, and what the algorithm adds.
    """
    with warnings.catch_warnings():
        # trl 1.16 goes by a name that transformers 6 will drop, and says so at each turn.
        warnings.filterwarnings("ignore", message=".*gradient_checkpointing.*deprecated", category=FutureWarning)
        expected = expected_trainable(loaded.model, settings)
        trainer = build_trainer(loaded, rows, settings, seed, folder)
        n_trainable = check_trainable(trainer.model, expected)
        start = measure_start(trainer, settings)
        watch = Watch(settings.divergence_ratio * start["loss"])
        run = run_of(loaded, rows, settings, seed, trainer.accelerator.num_processes)
        shown = [Progress()] if trainer.is_world_process_zero() else []
        for callback in (watch, Seal(run), *shown, *callbacks):
            trainer.add_callback(callback)
        with trainer.accelerator.main_process_first():  # it removes what is damaged
            checkpoint = last_checkpoint(folder, run)
        trainer.train(resume_from_checkpoint=checkpoint and str(checkpoint))
        steps = trainer.state.global_step
        if trainer.is_world_process_zero():
            trainer.model.save_pretrained(str(folder / "adapter"), save_embedding_layers=False)  # there are none
        log = [_log_row(entry, settings, len(rows)) for entry in trainer.state.log_history if "loss" in entry]
    return {
        "state": "diverged" if watch.reason else "finished",
        "reason": watch.reason,
        "steps": steps,
        "adapter_step": watch.adapter_step if watch.reason else steps,
        "trainable_parameters": n_trainable,
        "pairs_seen": steps * settings.effective_batch_size,
        **trainer.remarks,
        "start": start,
        "log": log,
    }


def build_trainer(loaded: LoadedModel, rows: Sequence[Row], settings: TrainingSettings, seed: int, folder: Path) -> Any:
    """The trainer, ready to train; its `remarks` are its algorithm's. `loaded` stays as it is."""
    algorithm, on_cpu = find_algorithm(settings.algorithm), loaded.model.device.type == "cpu"
    model = on_same_weights(loaded.model)
    disable_dropout_in_model(model)  # the base's; trl's own switch would silence LoRA's with it
    steps, targets = settings.steps(len(rows)), settings.lora_target_modules
    lora = LoraConfig(
        r=settings.lora_r,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        target_modules="all-linear" if targets == ("all-linear",) else list(targets),
        task_type="CAUSAL_LM",
    )
    order = order_of([algorithm.length(row) for row in rows], settings.effective_batch_size, steps, seed)
    trainer_class, _ = algorithm.trainer()
    trainer = type(f"Fed{trainer_class.__name__}", (Fed, trainer_class), {})(
        model=model,
        args=config(settings, seed, folder, steps, on_cpu),
        processing_class=loaded.tokenizer,
        train_dataset=Dataset.from_list([dict(row) for row in rows]).select(order),
        peft_config=lora,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.remarks = algorithm.adapt(trainer)
    return trainer


def config(settings: TrainingSettings, seed: int, folder: Path, steps: int, on_cpu: bool) -> Any:
    """Our settings as trl's; all that trl would choose by itself for the machine is said."""
    algorithm, processes = find_algorithm(settings.algorithm), int(os.environ.get("WORLD_SIZE", 1))  # set by `launch`
    micro_batch, accumulation = settings.micro_batches(processes)
    _, config_class = algorithm.trainer()
    options = config_class(
        output_dir=str(folder),
        max_steps=steps,
        train_sampling_strategy="sequential",  # in an order that no number of processes and no resume changes
        per_device_train_batch_size=micro_batch,
        gradient_accumulation_steps=accumulation,
        seed=seed % 2**32,  # as NumPy wants it
        use_cpu=on_cpu,
        ddp_backend="gloo" if on_cpu and processes > 1 else None,
        ddp_find_unused_parameters=False,
        dataloader_pin_memory=not on_cpu,
        logging_steps=1,
        logging_nan_inf_filter=False,  # it would write the mean of earlier losses where a loss is NaN
        save_total_limit=KEPT,
        disable_tqdm=True,
        **{name: getattr(settings, name) for name in OF_EVERY_TRAINER},
        **algorithm.options(settings),
    )
    if not on_cpu:
        options._n_gpu = 1  # in one process on a machine with several GPUs: one of them, not `DataParallel`
    return options


def measure_start(trainer: Any, settings: TrainingSettings) -> dict[str, float]:
    """What the algorithm measures on the first micro-batch at step 0; `TrainingError` where that cannot be right. In
    several processes each looks at the same batch."""
    first = trainer.train_dataset.select(range(settings.per_device_train_batch_size))
    batch = trainer._prepare_inputs(trainer.data_collator(list(first)))
    trainer.model.eval()  # without LoRA's dropout
    with torch.no_grad(), trainer.compute_loss_context_manager(), trainer.accelerator.autocast():
        start = find_algorithm(settings.algorithm).measure_start(trainer, batch, settings)
    trainer._metrics["eval"].clear()
    trainer.model.train()
    return start


def _log_row(entry: Row, settings: TrainingSettings, n_rows: int) -> dict[str, Any]:
    """trl's entry of a step under our names; null for what is not finite."""
    row = {"loss": entry["loss"], **find_algorithm(settings.algorithm).log_row(entry, settings)}
    row |= {name: entry[name] for name in ("grad_norm", "learning_rate")}
    finite = {name: value if math.isfinite(value) else None for name, value in row.items()}
    return {"step": entry["step"], "epoch": entry["step"] * settings.effective_batch_size / n_rows} | finite
