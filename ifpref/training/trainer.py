"""trl's `DPOTrainer`, told to train on the sampled token ids, and watched.

    log = train(loaded, rows, settings, seed=0, folder=Path("work"))

What is changed in trl's trainer, and why, stands beside each override; the loss, LoRA, the optimizer, the schedule,
checkpoints and several processes are trl's, peft's and accelerate's own.

A row of the log (losses and log-ratios are means over the batch of that step, before its update):

    {"step": 1, "epoch": 0.04, "loss": 0.6931, "margin": 0.0, "accuracy": 0.0, "chosen_log_ratio": 0.0,
     "rejected_log_ratio": 0.0, "grad_norm": 1.9, "learning_rate": 0.0001}
"""

from __future__ import annotations

import json
import math
import os
import random
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import save_file
from torch.utils.data import Sampler
from transformers import PrinterCallback, TrainerCallback
from trl import DPOConfig, DPOTrainer
from trl.trainer.utils import disable_dropout_in_model

from ifpref.models import LoadedModel, remove_adapter
from ifpref.training.checks import check_start, check_trainable, expected_trainable
from ifpref.training.forward import IGNORED, share_prefixes
from ifpref.training.settings import TrainingSettings
from ifpref.training.watch import Progress, Watch

COLUMNS = ("prompt_ids", "chosen_ids", "rejected_ids", "ref_chosen_logps", "ref_rejected_logps")
Row = Mapping[str, Any]


class PairTrainer(DPOTrainer):
    """`DPOTrainer` on rows of `COLUMNS`, whose reference log-probabilities are there already."""

    def __init__(self, *, batches: Sampler[int], **options: Any) -> None:
        self.batches = batches
        super().__init__(**options)
        # What `precompute_ref_log_probs=True` sets, without its hash of all weights and its pass over the data.
        self.precompute_ref_logps = True
        self.shares_prefixes = share_prefixes(self.model.get_base_model())

    def _prepare_dataset(self, dataset: Dataset, *args: Any) -> Dataset:
        """trl would make text of the pair and tokenise it again, which changes 0.16 % of sampled sequences, and
        leave out in silence what `max_length` cuts. The ids are what was sampled, and checks.py has seen them."""
        return dataset

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler[int]:
        """Whole batches in an order that no number of processes and no resume changes: see `Batches`."""
        return self.batches

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """trl writes one with each checkpoint."""

    def _send_telemetry(self) -> None:
        """A study does not report to anybody."""


class Batches(Sampler[int]):
    """Indices of pairs, batch after batch: the epochs' shuffles one after the other, cut into whole batches.

    The last batch is filled up from one more shuffle, so that every step averages over as many pairs and no pair is
    left out. In a batch the longest come first: micro-batches hold pairs of like length, while what a step averages
    over stays a random draw. The order is a function of the seed alone.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, steps: int, seed: int) -> None:
        self.lengths, self.batch_size, self.steps, self.seed = lengths, batch_size, steps, seed

    def __len__(self) -> int:
        return self.steps * self.batch_size

    def __iter__(self) -> Iterator[int]:
        stream = self._shuffles()
        for _ in range(self.steps):
            batch = [next(stream) for _ in range(self.batch_size)]
            yield from sorted(batch, key=lambda index: -self.lengths[index])

    def _shuffles(self) -> Iterator[int]:
        epoch = 0
        while True:
            order = list(range(len(self.lengths)))
            random.Random(f"{self.seed}/pairs/{epoch}").shuffle(order)
            yield from order
            epoch += 1


def train(
    loaded: LoadedModel,
    rows: Sequence[Row],
    settings: TrainingSettings,
    *,
    seed: int,
    folder: Path,
    on_cpu: bool | None = None,
    callbacks: Sequence[TrainerCallback] = (),
) -> dict[str, Any]:
    """Train an adapter on `rows` (of `COLUMNS`), save it in folder/adapter, and return the record of the run.

    Goes on from the last checkpoint in `folder`, if there is one. In each process of `accelerate launch`, the same
    call. `loaded` is given back as it was. `on_cpu` is by default where `loaded` lies.

    The record: state ("finished" or "diverged"), reason, steps, adapter_step (the updates that the adapter has),
    trainable_parameters, pairs_seen, shares_prefixes, start, log.
    """
    on_cpu = loaded.model.device.type == "cpu" if on_cpu is None else on_cpu
    with lent(loaded.model), warnings.catch_warnings():
        # trl 1.16 goes by a name that transformers 6 will drop, and says so at each turn.
        warnings.filterwarnings("ignore", message=".*gradient_checkpointing.*deprecated", category=FutureWarning)
        expected = expected_trainable(loaded.model, settings)
        trainer = build_trainer(loaded, rows, settings, seed, folder, on_cpu, callbacks)
        n_trainable = check_trainable(trainer.model, expected)
        start = measure_start(trainer, settings)
        trainer.train(resume_from_checkpoint=last_checkpoint(folder))
        watch = next(callback for callback in trainer.callback_handler.callbacks if isinstance(callback, Watch))
        steps = trainer.state.global_step
        if trainer.is_world_process_zero():
            save_adapter(trainer.model, folder / "adapter")
        log = [_log_row(entry, settings, len(rows)) for entry in trainer.state.log_history if "loss" in entry]
    return {
        "state": "diverged" if watch.reason else "finished",
        "reason": watch.reason,
        "steps": steps,
        "adapter_step": watch.adapter_step if watch.reason else steps,
        "trainable_parameters": n_trainable,
        "pairs_seen": steps * settings.effective_batch_size,
        "shares_prefixes": trainer.shares_prefixes,
        "start": start,
        "log": log,
    }


def build_trainer(
    loaded: LoadedModel,
    rows: Sequence[Row],
    settings: TrainingSettings,
    seed: int,
    folder: Path,
    on_cpu: bool,
    callbacks: Sequence[TrainerCallback] = (),
) -> PairTrainer:
    """The trainer, ready to train. It changes `loaded.model` in place: see `lent`."""
    if settings.lora_dropout:
        disable_dropout_in_model(loaded.model)  # trl's own switch would silence LoRA's dropout with the base's
    steps = settings.steps(len(rows))
    options = config(settings, seed, folder, steps, on_cpu)
    targets = settings.lora_target_modules
    lora = LoraConfig(
        r=settings.lora_r,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        target_modules="all-linear" if targets == ("all-linear",) else list(targets),
        task_type="CAUSAL_LM",
    )
    trainer = PairTrainer(
        batches=Batches([row_length(row) for row in rows], settings.effective_batch_size, steps, seed),
        model=loaded.model,
        args=options,
        processing_class=loaded.tokenizer,
        train_dataset=Dataset.from_list([{name: row[name] for name in COLUMNS} for row in rows]),
        peft_config=lora,
        callbacks=[Watch(settings), Progress(), *callbacks],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def config(settings: TrainingSettings, seed: int, folder: Path, steps: int, on_cpu: bool) -> DPOConfig:
    """Our settings as trl's; all that trl would choose by itself for the machine is said."""
    processes = int(os.environ.get("WORLD_SIZE", 1))  # set by `accelerate launch`
    micro_batch, accumulation = settings.micro_batches(processes)
    options = DPOConfig(
        output_dir=str(folder),
        loss_type=[settings.loss_type],
        beta=settings.beta,
        label_smoothing=settings.label_smoothing,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.lr_scheduler_type,
        warmup_steps=settings.warmup_steps,
        max_grad_norm=settings.max_grad_norm,
        max_steps=steps,
        per_device_train_batch_size=micro_batch,
        gradient_accumulation_steps=accumulation,
        max_length=settings.max_length,
        bf16=settings.bf16,
        gradient_checkpointing=settings.gradient_checkpointing,
        disable_dropout=not settings.lora_dropout,
        seed=seed,
        use_cpu=on_cpu,
        ddp_backend="gloo" if on_cpu and processes > 1 else None,
        ddp_find_unused_parameters=False,
        dataloader_pin_memory=not on_cpu,
        logging_steps=1,
        logging_nan_inf_filter=False,  # it would write the mean of earlier losses where a loss is NaN
        save_strategy="steps" if steps > settings.save_steps else "no",  # trl would write one at the end of any run
        save_steps=settings.save_steps,
        save_total_limit=1,
        report_to="none",
        disable_tqdm=True,
    )
    if not on_cpu:
        options._n_gpu = 1  # in one process on a machine with several GPUs: one of them, not `DataParallel`
    return options


def save_adapter(model: Any, folder: Path) -> None:
    """The files of peft's `save_pretrained`, without its model card."""
    lora = model.peft_config["default"]
    lora.inference_mode = True
    lora.save_pretrained(str(folder))
    tensors = {name: tensor.cpu().contiguous() for name, tensor in get_peft_model_state_dict(model).items()}
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})


def last_checkpoint(folder: Path) -> str | None:
    """The last whole checkpoint: its state is written last, so one that a kill has torn has none."""
    whole = []
    for path in folder.glob("checkpoint-*/trainer_state.json"):
        try:
            whole.append((json.loads(path.read_bytes())["global_step"], str(path.parent)))
        except ValueError:
            continue
    return max(whole)[1] if whole else None


def row_length(row: Row) -> int:
    """Tokens that a pair costs: the prompt and what is shared once, and the rest of both completions."""
    chosen, rejected = row["chosen_ids"], row["rejected_ids"]
    parted = (place for place, (a, b) in enumerate(zip(chosen, rejected, strict=False)) if a != b)
    shared = next(parted, min(len(chosen), len(rejected)))
    return len(row["prompt_ids"]) + len(chosen) + len(rejected) - shared


def measure_start(trainer: PairTrainer, settings: TrainingSettings) -> dict[str, float]:
    """Loss and largest log-ratio of the first micro-batch at step 0; `TrainingError` where they are not those of the
    base. In several processes each looks at the same batch."""
    first = [index for index, _ in zip(trainer.batches, range(settings.per_device_train_batch_size), strict=False)]
    batch = trainer.data_collator([trainer.train_dataset[index] for index in first])
    batch = trainer._prepare_inputs(batch)
    model = trainer.model.eval()  # without LoRA's dropout
    labels = batch["input_ids"].masked_fill(batch["completion_mask"] == 0, IGNORED)
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
    with torch.no_grad(), trainer.compute_loss_context_manager(), trainer.accelerator.autocast():
        log_probs = model(**inputs, labels=labels, fused_lm_head=True).log_probs.sum(dim=1)
        loss = trainer.compute_loss(model, batch).item()
    trainer._metrics["eval"].clear()
    model.train()
    reference = torch.cat([batch["ref_chosen_logps"], batch["ref_rejected_logps"]])
    log_ratios = (log_probs - reference).tolist()
    check_start(log_ratios, batch["completion_mask"].sum(dim=1).tolist(), loss, settings)
    return {"loss": loss, "largest_log_ratio": max(map(abs, log_ratios))}


def _log_row(entry: Row, settings: TrainingSettings, n_pairs: int) -> dict[str, Any]:
    """trl's entry of a step under our names; null for what is not finite. trl calls beta times a log-ratio a reward."""
    row = {
        "loss": entry["loss"],
        "margin": entry["rewards/margins"],
        "accuracy": entry["rewards/accuracies"],
        "chosen_log_ratio": entry["rewards/chosen"] / settings.beta,
        "rejected_log_ratio": entry["rewards/rejected"] / settings.beta,
        "grad_norm": entry["grad_norm"],
        "learning_rate": entry["learning_rate"],
    }
    finite = {name: value if math.isfinite(value) else None for name, value in row.items()}
    return {"step": entry["step"], "epoch": entry["step"] * settings.effective_batch_size / n_pairs} | finite


@contextmanager
def lent(model: Any) -> Iterator[Any]:
    """`model`, which is given back without an adapter, without trl's patches, and with its own flags."""
    training, forward = model.training, model.__dict__.get("forward")
    flags = {name: p.requires_grad for name, p in model.named_parameters()}
    dropout = {module: module.p for module in model.modules() if isinstance(module, torch.nn.Dropout)}
    tags = getattr(model, "model_tags", None)
    try:
        yield model
    finally:
        remove_adapter(model)
        model.__dict__.pop("forward", None)
        if forward is not None:
            model.forward = forward
        model.disable_input_require_grads()
        for module in model.modules():
            if getattr(module, "gradient_checkpointing", False):
                module.gradient_checkpointing = False
        for module, p in dropout.items():
            module.p = p
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(flags[name])
            parameter.grad = None
        model.model_tags = tags
        model.train(training)
