"""Image classification from scratch: the paper's controlled setup. One loop, top to bottom.

Started by `python -m thawline.worker`; everything random is a function of (seed, update).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch
from torch.nn import functional

from thawline.config.run import RunConfig
from thawline.data.upload import upload
from thawline.data.vision import augment_batch, batch_indices, updates_per_epoch
from thawline.host.determinism import make_deterministic
from thawline.lockstep.abilities import Abilities, Facts, SteeredModel
from thawline.lockstep.session import Session, TrainingStopped
from thawline.lockstep.start_weights import StartWeights
from thawline.probes.objective import MICRO_BATCH
from thawline.steering.rates import ScheduledRates
from thawline.trainers.best_weights import BestWeights
from thawline.trainers.device import choose_device, describe_device
from thawline.trainers.optimizers import build_optimizer, clip_gradients
from thawline.trainers.resuming import checkpointer, resume
from thawline.trainers.schedule import schedule_factor
from thawline.trainers.vision_evaluation import evaluator, validator
from thawline.trainers.vision_parts import build_batch_norm_policy, build_parts, build_prober, new_head_text
from thawline.wire.channel import Channel
from thawline.wire.codec import cut_text
from thawline.wire.protocol import Log, Welcome


def train_vision(channel: Channel, config: RunConfig, welcome: Welcome, micro_batch: int = MICRO_BATCH) -> None:
    """Trains under the controller until it ends the run; `micro_batch` is that of the probes.

    Raises UserError for missing or corrupt data and for a checkpoint that does not verify, NonFiniteLossError.
    """
    make_deterministic(config.seed, config.device.threads)
    device = choose_device(config.device)
    parts = build_parts(config, device)
    model, data = parts.model, parts.data
    if parts.new_head and welcome.resume_from is None:
        level: Literal["info", "warning"] = "info" if config.model.weights_head == "new" else "warning"
        channel.send(Log(level, cut_text(new_head_text(config))))
    # On a CPU the plain loop is as fast, and faster at full width.
    by_block = parts.block_map if config.groups_by_block else None
    optimizer = build_optimizer(model, config.train, fused=device.type != "cpu", block_map=by_block)
    epoch_updates = updates_per_epoch(len(data.train_labels), config.train.batch_size)
    num_updates = config.train.updates or (config.train.epochs or 1) * epoch_updates
    prober = build_prober(config, parts, micro_batch, optimizer)
    run_folder = Path(welcome.run_folder)
    validate, best = validator(config, parts), BestWeights(run_folder, model)
    # Before a checkpoint is restored: what a seed gives in any attempt.
    start = StartWeights(model, parts.block_map)
    step = resume(run_folder, welcome, model, optimizer, prober)
    rates = ScheduledRates(optimizer, schedule_factor(config.train.schedule, num_updates))
    session = Session(
        channel,
        SteeredModel(model, parts.block_map, rates, build_batch_norm_policy(config, parts), start=start),
        Facts(
            num_updates,
            epoch_updates,
            describe_device(device),
            config.device.threads,
            config.seed,
            resumed_from=step,
            micro_batch=micro_batch,
            new_head=parts.new_head,
        ),
        run_folder=run_folder,
        prober=prober,
        abilities=Abilities(
            save=checkpointer(run_folder, model, optimizer, prober),
            evaluate=evaluator(config, parts),
            validate=validate,
            keep_best=None if validate is None else best.keep,
            restore_best=None if validate is None else best.restore,
        ),
    )
    images, labels = data.train_images.to(device), data.train_labels.to(device)
    model.train()
    session.begin()
    try:
        for update in range(step + 1, num_updates + 1):
            session.before_update()
            chosen = batch_indices(
                update, num_examples=len(labels), batch_size=config.train.batch_size, seed=config.seed
            )
            batch = upload(chosen, device)
            examples = images[batch]
            if config.data.augment == "standard":
                examples = augment_batch(examples, padding=4, flip=True, seed=config.seed, update=update)
            inputs = parts.inputs.of(examples)
            with torch.autocast(device.type, torch.bfloat16, enabled=config.device.precision == "bfloat16"):
                logits = model(inputs)
            loss = functional.cross_entropy(logits.float(), labels[batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            clip_gradients(optimizer, config.train.max_gradient_norm)
            optimizer.step()
            session.after_update(loss, len(batch))
    except TrainingStopped as stopped:
        session.close(stopped)
    else:
        session.finish()
