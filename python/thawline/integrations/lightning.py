"""A Lightning Trainer under a controller, by one callback.

trainer = Trainer(..., callbacks=[ControllerCallback(blocks=[("layer4", r"^model\\.layer4\\."), ...], probe=probe)])
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import GradientAccumulationScheduler
from torch import Tensor

from thawline.errors import UserError
from thawline.integrations.attachment import AttachingCallback, TrainerLoop

__all__ = ["ControllerCallback"]


class ControllerCallback(AttachingCallback, Callback):
    """Puts `Trainer.fit` under the controller that started this script; without one, it does nothing.

    `blocks`, `head` and `probe` are those of `thawline.attach`, with the parameter names of the LightningModule, whose
    `forward` the probe's objective calls; the probe's batches are moved to its device. `configure_optimizers` makes one
    optimizer that holds all parameters: the callback freezes. Lightning's checkpoints hold the run's state, and
    `fit(ckpt_path=...)` gives it back, with the mask that held there. A training that Lightning, or a callback, ends
    before the announced number of updates ends the run as finished. `may_end_early` is True where that is likely
    (EarlyStopping is noticed): then no end is announced, from which `intervention.k_max` would have its default. What
    the module logs in validation is recorded under its own names, for the boundary before the update after the next.

    An update is an optimizer step, however many batches `accumulate_grad_batches` says. The boundary before it is
    passed at the end of the batch that made the step before, ahead of checkpoints and validation: at the beginning of a
    batch it is too late to end without an update. A controller's stop sets `trainer.should_stop`; where `min_epochs` or
    `min_steps` makes Lightning go on, TrainingStopped is raised.
    """

    _restored: dict[str, Any] | None = None
    _has_begun = False
    _loss: Tensor | None = None
    # Names of what is logged in training and in validation, which Lightning keeps together.
    _trained: Set[str] = frozenset()
    _validated: Set[str] = frozenset()

    def state_dict(self) -> dict[str, Any]:
        return self._attachment.state_dict() or {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._restored = state_dict

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._has_begun = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._begin(trainer, pl_module)
        self._stop_where_ended(trainer)

    def _begin(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._has_begun = True
        if not pl_module.automatic_optimization or len(trainer.optimizers) != 1:
            raise UserError(
                "unsupported_optimization",
                "ControllerCallback: the module must leave optimization to Lightning, with one optimizer",
                "return one optimizer from `configure_optimizers`, or call `thawline.attach` in a loop of your own",
            )
        num_updates = _announced_updates(trainer)
        self._attachment.open(
            pl_module,
            trainer.optimizers[0],
            TrainerLoop(
                num_updates=num_updates,
                step=trainer.global_step,
                state=self._restored,
                num_devices=trainer.world_size,
                ends_early=len(trainer.early_stopping_callbacks) > 0,
            ),
        )
        self._restored = None

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        self._attachment.begin_batch()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        # Lightning has divided it by the number of batches of an update.
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else None
        if loss is not None:
            self._loss = loss if self._loss is None else self._loss + loss
        if trainer.global_step == self._attachment.step:
            return  # The gradient is not complete yet.
        total, self._loss = self._loss, None
        self._attachment.count_update(total)
        self._stop_where_ended(trainer)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._trained = set(trainer.callback_metrics) - self._validated

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.sanity_checking:
            # Lightning forgets what it logged there.
            return
        logged = {name: value for name, value in trainer.callback_metrics.items() if name not in self._trained}
        self._validated = self._validated | set(logged)
        self._attachment.record(logged)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._attachment.finish()

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # From a checkpoint of the last update Lightning begins no training, but the run has to hear of its end.
        if not self._has_begun:
            self._begin(trainer, pl_module)
            self._attachment.finish()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._attachment.abandon(exception)

    def _stop_where_ended(self, trainer: Trainer) -> None:
        # After the last update Lightning ends by itself, and validates as the user wants it.
        if self._attachment.stop_reason not in (None, "finished"):
            trainer.should_stop = True


def _announced_updates(trainer: Trainer) -> int | None:
    """The updates that Lightning will make where nothing ends it before; None where it knows no end.

    Its own estimate counts the batches of an update as they are in the first epoch.
    """
    updates = trainer.estimated_stepping_batches
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    schedulers = [callback for callback in callbacks if isinstance(callback, GradientAccumulationScheduler)]
    if schedulers and trainer.max_epochs not in (None, -1) and trainer.num_training_batches < math.inf:
        batches = [schedulers[0].get_accumulate_grad_batches(epoch) for epoch in range(trainer.max_epochs or 0)]
        made = sum(math.ceil(trainer.num_training_batches / accumulated) for accumulated in batches)
        updates = made if trainer.max_steps == -1 else min(made, trainer.max_steps)
    return int(updates) if 0 < updates < math.inf else None
