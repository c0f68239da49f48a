"""Image classification from scratch: the paper's controlled setup. One loop, top to bottom.

Started by `python -m thawline.worker`; everything random is a function of (seed, update).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from thawline.blocks import BlockMap, resnet18_blocks
from thawline.channel import Channel
from thawline.checkpoint import SavedCheckpoint, load_checkpoint, restore_training, save_checkpoint
from thawline.config import RunConfig
from thawline.data.corruptions.cache import default_cache_folder
from thawline.data.mnist import load_mnist
from thawline.data.vision import VisionData, batch_indices, normalize, updates_per_epoch
from thawline.determinism import capture_random_state, derive_seed, make_deterministic, restore_random_state
from thawline.evaluation.vision import EvaluationStopped, accuracy, evaluate_mnist_c
from thawline.learning_rates import ScheduledRates, schedule_factor
from thawline.models.resnet import build_resnet18
from thawline.probes import ClassificationObjective, Prober, ProbeSet, ProbeSettings, probe_indices
from thawline.protocol import Welcome
from thawline.session import Session, TrainingStopped
from thawline.training import Abilities, Facts, Interrupted, SplitScore

# Corruptions are one fixed test set, like the published files, so their seed is not the run's.
CORRUPTION_SEED = 0
MEMORY_FORMAT = torch.channels_last


def train_vision(channel: Channel, config: RunConfig, welcome: Welcome) -> None:
    """Trains under the controller until it ends the run.

    Raises UserError for missing or corrupt data and for a checkpoint that does not verify, NonFiniteLossError.
    """
    make_deterministic(config.seed, config.device.threads)
    device = choose_device(config)
    data = load_mnist(
        Path(config.data.path),
        verify_checksums=config.data.verify_checksums,
        max_train_examples=config.data.max_train_examples,
        max_test_examples=config.data.max_test_examples,
    )
    model = build_model(config, data).to(device).to(memory_format=MEMORY_FORMAT)  # type: ignore[call-overload]
    blocks = resnet18_blocks(model)
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=config.train.learning_rate,
        momentum=config.train.momentum,
        weight_decay=config.train.weight_decay,
    )
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
        facts=Facts(num_updates, epoch_updates, str(device), config.device.threads, config.seed),
        run_folder=run_folder,
        prober=prober,
        abilities=Abilities(
            save=checkpointer(run_folder, model, optimizer, prober),
            evaluate=evaluator(config, data, model, device),
        ),
        step=step,
    )
    images, labels = data.train_images.to(device), data.train_labels.to(device)
    model.train()
    session.begin()
    try:
        for update in range(step + 1, num_updates + 1):
            session.before_update()
            batch = batch_indices(
                update, num_examples=len(labels), batch_size=config.train.batch_size, seed=config.seed
            ).to(device)
            inputs = normalize(images[batch], data.mean, data.std, memory_format=MEMORY_FORMAT)
            loss = functional.cross_entropy(model(inputs), labels[batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            session.after_update(loss, len(batch))
    except TrainingStopped as stopped:
        session.close(stopped)
    else:
        session.finish()


def choose_device(config: RunConfig) -> torch.device:
    if config.device.kind == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(config.device.kind)


def build_model(config: RunConfig, data: VisionData) -> nn.Module:
    """The network with weights that depend on the seed alone, not on what was drawn before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(config.seed, "initial_weights"))
        channels = data.train_images.shape[1]
        return build_resnet18(width=config.model.width, in_channels=channels, num_classes=data.num_classes)


def build_prober(
    config: RunConfig, data: VisionData, model: nn.Module, blocks: BlockMap, device: torch.device
) -> Prober:
    chosen = probe_indices(len(data.train_labels), config.probe.points, config.seed)
    inputs = normalize(data.train_images[chosen].to(device), data.mean, data.std, memory_format=MEMORY_FORMAT)
    probe_set = ProbeSet.split(inputs, data.train_labels[chosen].to(device), config.probe.batch_size)
    names = [name for block in (blocks.head, *blocks.blocks) for name in block.parameter_names]
    settings = ProbeSettings(
        seed=config.seed,
        scope=config.probe.scope,
        all_parameter_names=names,
        rho=config.probe.rho,
        draws=config.probe.draws,
        iterations=config.probe.iterations,
        tau=config.intervention.tau,
        every=config.probe.every,
    )
    return Prober(model, ClassificationObjective(head_name="head"), probe_set, settings)


def resume(
    run_folder: Path, welcome: Welcome, model: nn.Module, optimizer: torch.optim.Optimizer, prober: Prober
) -> int:
    """Restores the checkpoint that the controller names, if any; returns the updates completed."""
    if welcome.resume_from is None:
        return 0
    checkpoint = load_checkpoint(run_folder / welcome.resume_from.path, welcome.resume_from.manifest_sha256)
    restore_training(checkpoint, model, optimizer)
    prober.load_state_dict(_with_prefix(checkpoint.extra, "probe/"))
    restore_random_state(_with_prefix(checkpoint.extra, "random/"))
    return checkpoint.step


def _with_prefix(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def checkpointer(
    run_folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, prober: Prober
) -> Callable[[int], SavedCheckpoint]:
    def save(step: int) -> SavedCheckpoint:
        probe = {f"probe/{name}": tensor for name, tensor in prober.state_dict().items()}
        random = {f"random/{name}": tensor for name, tensor in capture_random_state().items()}
        folder = run_folder / "checkpoints"
        return save_checkpoint(folder, step, model=model, optimizer=optimizer, extra=probe | random, state={})

    return save


def evaluator(
    config: RunConfig, data: VisionData, model: nn.Module, device: torch.device
) -> Callable[[Callable[[], bool]], Iterator[SplitScore]]:
    """In-distribution test accuracy, then each corruption of the out-of-distribution set."""
    limit = config.evaluate.images_per_corruption
    images_per_corruption = limit if isinstance(limit, int) else None
    num_corrupted = min(len(data.test_labels), images_per_corruption or len(data.test_labels))

    def evaluate(should_stop: Callable[[], bool]) -> Iterator[SplitScore]:
        settings = {
            "normalization": data.normalization,
            "batch_size": config.evaluate.batch_size,
            "device": device,
            "memory_format": MEMORY_FORMAT,
            "should_stop": should_stop,
        }
        images, labels = data.test_images, data.test_labels
        try:
            score = accuracy(model, images, labels, **settings)  # type: ignore[arg-type]
            yield SplitScore("in_dist", {"accuracy": score}, len(labels), regenerated=False)
            if config.evaluate.ood == "none":
                return
            for corruption, score in evaluate_mnist_c(
                model,
                images,
                labels,
                images_per_corruption=images_per_corruption,
                seed=CORRUPTION_SEED,
                cache_folder=default_cache_folder(),
                **settings,  # type: ignore[arg-type]
            ):
                yield SplitScore(f"ood/{corruption}", {"accuracy": score}, num_corrupted, regenerated=True)
        except EvaluationStopped:
            raise Interrupted from None

    return evaluate
