"""Adapters of a pretrained encoder, for questions or sentence pairs: the paper's cross-lingual setup. One loop.

Started by `python -m thawline.worker`; batches are a function of (seed, update), dropout draws from the global
generator, which checkpoints keep.
"""

from __future__ import annotations

from pathlib import Path

import torch

from thawline.config.run import TextRunConfig
from thawline.data.text.batches import TrainingBatches
from thawline.evaluation.text.predictions import Batching
from thawline.host.determinism import make_deterministic
from thawline.lockstep.abilities import Abilities, Facts, SteeredModel
from thawline.lockstep.session import Session, TrainingStopped
from thawline.lockstep.start_weights import StartWeights
from thawline.probes.objective import MICRO_BATCH
from thawline.steering.rates import ScheduledRates
from thawline.storage.checkpoint import TrainedPart
from thawline.trainers.device import choose_device, describe_device
from thawline.trainers.optimizers import build_optimizer, clip_gradients
from thawline.trainers.resuming import checkpointer, resume
from thawline.trainers.schedule import schedule_factor
from thawline.trainers.text_adapters import Adapters
from thawline.trainers.text_evaluation import evaluator, validator
from thawline.trainers.text_parts import build_parts, build_prober
from thawline.wire.channel import Channel
from thawline.wire.protocol import Log, Welcome


def train_text(channel: Channel, config: TextRunConfig, welcome: Welcome, micro_batch: int = MICRO_BATCH) -> None:
    """Trains under the controller until it ends the run; `micro_batch` is that of the probes.

    Raises UserError for data, an encoder or a tokenizer that is missing or does not fit, for a checkpoint that does not
    verify or is of another encoder, NonFiniteLossError.
    """
    make_deterministic(config.seed, config.device.threads)
    device = choose_device(config.device)
    parts = build_parts(config, device)
    model, task = parts.model, parts.task
    trained = TrainedPart.of(model, parts.trained)
    by_block = parts.encoder.block_map if config.groups_by_block else None
    fused = device.type != "cpu"
    optimizer = build_optimizer(model, config.train, fused=fused, trained=parts.trained, block_map=by_block)
    batches = TrainingBatches(task.train.tokens.lengths, batch_size=config.train.batch_size, seed=config.seed)
    num_updates = config.train.updates or (config.train.epochs or 1) * batches.updates_per_epoch
    prober = build_prober(config, parts, micro_batch, optimizer)
    run_folder = Path(welcome.run_folder)
    adapters = Adapters(run_folder, model, config, parts.encoder.block_map, parts.label_names)
    batching = Batching(parts.collation, config.evaluate.batch_size)
    # Before a checkpoint is restored: what a seed gives in any attempt.
    start = StartWeights(model, parts.encoder.block_map)
    step = resume(run_folder, welcome, model, optimizer, prober, trained)
    for note in parts.encoder.notes:
        channel.send(Log("info", note))
    rates = ScheduledRates(optimizer, schedule_factor(config.train.schedule, num_updates))
    session = Session(
        channel,
        SteeredModel(model, parts.encoder.block_map, rates, start=start),
        Facts(
            num_updates,
            batches.updates_per_epoch,
            describe_device(device),
            config.device.threads,
            config.seed,
            resumed_from=step,
            micro_batch=micro_batch,
        ),
        run_folder=run_folder,
        prober=prober,
        abilities=Abilities(
            save=checkpointer(run_folder, model, optimizer, prober, trained),
            evaluate=evaluator(
                task,
                model,
                batching,
                done=lambda scores: session.once_there_is_room(lambda: adapters.export(session.step, scores)),
            ),
            validate=validator(task, model, batching),
            keep_best=adapters.keep_best,
            restore_best=adapters.restore_best,
        ),
    )
    model.train()
    session.begin()
    try:
        for update in range(step + 1, num_updates + 1):
            session.before_update()
            rows = batches.batch(update)
            batch = parts.collation.batch(task.train, rows)
            with torch.autocast(device.type, torch.bfloat16, enabled=config.device.precision == "bfloat16"):
                loss = parts.objective.loss(model, batch).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            clip_gradients(optimizer, config.train.max_gradient_norm)
            optimizer.step()
            session.after_update(loss, len(rows))
    except TrainingStopped as stopped:
        session.close(stopped)
    else:
        session.finish()
