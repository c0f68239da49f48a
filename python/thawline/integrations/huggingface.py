"""A Hugging Face Trainer under a controller, by one callback.

trainer = Trainer(..., callbacks=[ControllerCallback(blocks=[("layer11", r"\\.layer\\.11\\."), ...], probe=probe)])
"""

from __future__ import annotations

import atexit
import functools
import re
import sys
from typing import Any, Final, Self, cast

import torch
from torch import Tensor, nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import ExportableState
from transformers.trainer_utils import SaveStrategy

from thawline.integrations.attachment import AttachingCallback, TrainerLoop
from thawline.lockstep.session import TrainingStopped

__all__ = ["ControllerCallback", "OutputLosses"]

# What Trainer puts beside the scores of an evaluation: how long it took, and when it was.
_NOT_SCORES: Final = re.compile("(_runtime|_per_second|_time)$|^epoch$")


class ControllerCallback(AttachingCallback, TrainerCallback, ExportableState):
    """Puts `Trainer.train` under the controller that started this script; without one, it does nothing.

    `blocks`, `head` and `probe` are those of `thawline.attach`, with the parameter names of the model that Trainer was
    given; the probe's batches are moved to its device. All parameters must be trainable when training begins, since
    Trainer's optimizer takes no others: the callback freezes. Trainer's checkpoints hold the run's state, and
    `resume_from_checkpoint` gives it back. A training that Trainer, or a callback, ends before the announced number of
    updates ends the run as finished. `may_end_early` is True where that is likely (EarlyStoppingCallback is noticed):
    then no end is announced, from which `intervention.k_max` would have its default. What Trainer evaluates while it
    trains is recorded under its own names, such as `eval_loss`, for the boundary before the update after the next.

    The boundary before update i is passed at the end of step i - 1, before Trainer logs, evaluates and saves: at the
    beginning of a step it is too late to end without an update. A controller's stop makes Trainer save a checkpoint and
    return; before the first update after `train` was called it raises TrainingStopped instead. It does so too, with the
    reason `finished`, where Trainer resumes within an epoch from a checkpoint of its last update: by itself it would
    make one more.
    """

    _losses: OutputLosses | None = None

    def __new__(cls, **arguments: Any) -> Self:
        # Where `restore_callback_states_from_checkpoint` is set, Trainer puts `type(callback)(**args)` in the place of
        # a callback, with `args` from a JSON file, which cannot hold a probe. So every callback has a type of its own,
        # which knows the arguments.
        own_type = cls
        if arguments:
            init = functools.partialmethod(cls.__init__, **arguments)
            own_type = type(cls.__name__, (cls,), {"__init__": init})
        return super().__new__(own_type)

    def state(self) -> dict[str, Any]:
        """What Trainer writes into `trainer_state.json`; `run` is for `on_train_begin`."""
        return {"args": {}, "attributes": {}, "run": self._attachment.state_dict()}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        # Trainer expects to find every callback there when it saves, also in a checkpoint from before there was one.
        stateful = cast(dict[str, Any], state.stateful_callbacks)
        stored = stateful.setdefault(type(self).__name__, self.state())
        model, optimizer = kwargs["model"], kwargs["optimizer"]
        atexit.register(self._abandon_at_exit)
        self._attachment.open(
            model,
            optimizer,
            TrainerLoop(
                num_updates=state.max_steps,
                step=state.global_step,
                state=stored["run"] if state.global_step > 0 else None,
                num_devices=args.world_size * max(1, args.n_gpu),
                ends_early="EarlyStoppingCallback" in stateful,
            ),
        )
        if self._attachment.is_controlled:
            self._losses = OutputLosses(model)

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        try:
            self._attachment.begin_batch()
        except TrainingStopped:
            self._let_go()
            raise

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        num_samples = args.train_batch_size * args.gradient_accumulation_steps
        self._attachment.count_update(self._losses.take() if self._losses else None, num_samples)
        reason = self._attachment.stop_reason
        control.should_training_stop |= reason is not None
        if reason not in (None, "finished"):
            control.should_save |= args.save_strategy != SaveStrategy.NO

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        metrics = kwargs.get("metrics") or {}
        self._attachment.record({name: value for name, value in metrics.items() if not _NOT_SCORES.search(name)})

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._let_go()
        self._attachment.finish()

    def _let_go(self) -> None:
        """Of the model and of the interpreter's exit: how the training ended is known."""
        atexit.unregister(self._abandon_at_exit)
        if self._losses is not None:
            self._losses.detach()

    def _abandon_at_exit(self) -> None:
        """Trainer tells no callback of an exception, but at exit Python still knows the one that ended the script."""
        error: BaseException | None = getattr(sys, "last_value", None)
        self._attachment.abandon(error or RuntimeError("`Trainer.train` was left before its end"))


class OutputLosses:
    """The losses that a model in training mode returns, added up as Trainer does, which does not tell its callbacks."""

    def __init__(self, model: nn.Module) -> None:
        self._losses: list[Tensor] = []
        self._are_parts = False
        self._hook = model.register_forward_hook(self._keep, with_kwargs=True)

    def take(self) -> Tensor | None:
        """The loss of the batches since the call before; None where the model returns none (Trainer computes it)."""
        losses, self._losses = self._losses, []
        if not losses:
            return None
        total = torch.stack(losses).sum()
        return total if self._are_parts else total / len(losses)

    def detach(self) -> None:
        """Leaves the model as it was found."""
        self._hook.remove()

    def _keep(self, model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        loss = output.get("loss") if isinstance(output, dict) else None
        if model.training and loss is not None:
            self._losses.append(loss.detach())
            # Told of all items of the update, a model divides by their number, and its losses are parts of the whole.
            self._are_parts = kwargs.get("num_items_in_batch") is not None
