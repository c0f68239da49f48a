"""Image classification from scratch: the paper's controlled setup. One loop, top to bottom.

Started by `python -m thawline.worker`; everything random is a function of (seed, update).
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch.nn import functional

from thawline.channel import Channel
from thawline.config import RunConfig
from thawline.data.loading import load_vision_data
from thawline.data.upload import upload
from thawline.data.vision import augment_batch, batch_indices, normalize, updates_per_epoch
from thawline.determinism import make_deterministic
from thawline.learning_rates import ScheduledRates, schedule_factor
from thawline.optimizers import build_optimizer, clip_gradients
from thawline.protocol import Welcome
from thawline.session import Session, TrainingStopped
from thawline.trainers.device import choose_device, describe_device
from thawline.trainers.memory_format import memory_format_for
from thawline.trainers.resuming import checkpointer, resume
from thawline.trainers.vision_evaluation import evaluator
from thawline.trainers.vision_parts import build_batch_norm_policy, build_model, build_prober
from thawline.training import Abilities, Facts


def train_vision(channel: Channel, config: RunConfig, welcome: Welcome) -> None:
    """Trains under the controller until it ends the run.

    Raises UserError for missing or corrupt data and for a checkpoint that does not verify, NonFiniteLossError.
    """
    make_deterministic(config.seed, config.device.threads)
    device = choose_device(config.device)
    data = load_vision_data(config.data)
    model, blocks = build_model(config, data)
    memory_format = memory_format_for(model, device)
    model = model.to(device).to(memory_format=memory_format)  # type: ignore[call-overload]
    # On a CPU the plain loop is as fast, and faster at full width.
    optimizer = build_optimizer(model, config.train, fused=device.type != "cpu")
    epoch_updates = updates_per_epoch(len(data.train_labels), config.train.batch_size)
    num_updates = config.train.updates or (config.train.epochs or 1) * epoch_updates
    prober = build_prober(config, data, model, blocks, device)
    run_folder = Path(welcome.run_folder)
    step = resume(run_folder, welcome, model, optimizer, prober)
    session = Session(
        channel,
        model,
        blocks,
        ScheduledRates(optimizer, schedule_factor(config.train.schedule, num_updates)),
        facts=Facts(num_updates, epoch_updates, describe_device(device), config.device.threads, config.seed),
        run_folder=run_folder,
        prober=prober,
        abilities=Abilities(
            save=checkpointer(run_folder, model, optimizer, prober),
            evaluate=evaluator(config, data, model, device),
        ),
        batch_norm=build_batch_norm_policy(config, data, model, device),
        step=step,
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
            inputs = normalize(examples, data.mean, data.std, memory_format=memory_format)
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
