"""What `attach` gives to a training loop that has a controller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch
from msgspec import UNSET, UnsetType

from thawline.attached.arguments import Training, check_update
from thawline.attached.first_forward import FirstForward
from thawline.attached.groups import require_groups_by_block
from thawline.attached.listening_channel import ListeningChannel
from thawline.attached.prober_of_script import build_prober, require_probe
from thawline.attached.script_state import ScriptState, parse_state
from thawline.attached.step_watch import StepWatch
from thawline.attached.tensor_text import tensors_to_text, text_to_tensors
from thawline.config.run import AttachedConfig
from thawline.errors import UserError
from thawline.lockstep.abilities import Facts, SteeredModel
from thawline.lockstep.recorded import RecordedNumbers, check_recorded
from thawline.lockstep.session import Session, TrainingStopped
from thawline.lockstep.start_weights import StartWeights
from thawline.lockstep.warning_log import WarningLog
from thawline.probes.reach import Reach, find_reach, loss_of_probe, require_reach, warn_of_blocks
from thawline.steering.rates import FactoredRates
from thawline.wire.protocol import Log, Resumed


@dataclass(frozen=True)
class OptimizerHooks:
    """What is hooked into the script's optimizer while its `with` block lasts: the factor of its rates, the watch."""

    rates: FactoredRates
    steps: StepWatch


class ControlledRun:
    """Inside a run: a session, what a checkpoint has to keep of it, and the memory of how it was ended.

    The session begins with the first `before_update`: until then the script may restore its checkpoint.
    """

    def __init__(
        self,
        channel: ListeningChannel,
        training: Training,
        config: AttachedConfig,
        hooks: OptimizerHooks,
        *,
        run_folder: Path,
    ) -> None:
        self._channel = channel
        self._training = training
        self._config = config
        self._rates = hooks.rates
        self._steps = hooks.steps
        self._run_folder = run_folder
        require_probe(training, config)
        if config.groups_by_block:
            require_groups_by_block(training)
        self._prober = build_prober(training, config)
        self._warnings = WarningLog(channel)
        # Without a probe the batch to try with is the training's own first one.
        self._first = FirstForward(training.model) if training.probe is None else None
        self._unreached: frozenset[str] = frozenset()
        if training.probe is not None:
            reach = self._find_reach(loss_of_probe(training.model, training.probe.objective, training.probe.batches[0]))
            with self._warnings.listening():
                require_reach(reach)
            self._unreached = reach.names
        self._recorded, self._passed = RecordedNumbers(), 0
        self._restored: ScriptState | None = None
        self._session: Session | None = None
        self._end: TrainingStopped | None = None
        self._is_updating = self._has_ended = self._has_closed = False

    @property
    def step(self) -> int:
        if self._session is not None:
            return self._session.step
        return self._training.resumed_from if self._restored is None else self._restored.step

    @property
    def stopped(self) -> bool:
        return self._end is not None

    @property
    def k(self) -> int | None:
        return self._channel.k

    def state_dict(self) -> dict[str, Any]:
        probe = "" if self._prober is None else tensors_to_text(self._prober.state_dict())
        state: dict[str, Any] = msgspec.to_builtins(
            self._channel.state(self.step, probe, self._recorded.pending_after(self.step))
        )
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if self._session is not None:
            raise UserError(
                "invalid_call",
                "`run.load_state_dict` must be called before the first `run.before_update`",
                "load the checkpoint at the top of the `with` block, ahead of the loop",
            )
        restored = parse_state(state)
        said, last = self._training.resumed_from, self._training.num_updates
        if said not in (0, restored.step):
            raise UserError(
                "invalid_argument",
                f"attach: `resumed_from` is {said}, but the state for `run.load_state_dict` is of step {restored.step}",
                "leave `resumed_from` out: the state knows its step",
            )
        if last is not None and restored.step > last:
            raise UserError(
                "invalid_argument",
                f"run.load_state_dict: `state` is of step {restored.step}, but `num_updates` is {last}",
                f"set `num_updates` to the updates of the whole training, more than {restored.step} to go on",
            )
        if self._prober is not None:
            self._prober.load_state_dict(text_to_tensors(restored.probe))
        self._channel.restore(restored)
        self._recorded.restore(restored.recorded)
        self._restored = restored

    def finish(self) -> None:
        self._has_ended = True

    def before_update(self) -> None:
        self._raise_end()
        if self._has_ended:
            raise UserError(
                "invalid_call",
                "`run.before_update` was called after `run.finish`, which ends the training",
                "leave the loop after `run.finish()`",
            )
        try:
            session = self._begun()
            self._passed = self.step + 1
            session.before_update()
        except TrainingStopped as stopped:
            self._end = stopped
            raise
        self._steps.begin_update()
        self._is_updating = True

    def after_update(self, loss: torch.Tensor | None, num_samples: int = 0) -> None:
        self._raise_end()
        check_update(loss, num_samples)
        if self._session is None or not self._is_updating:
            raise UserError(
                "invalid_call",
                "`run.after_update` must follow a `run.before_update` of its own",
                "call each once an optimizer update, also where its gradient is accumulated over several batches",
            )
        self._is_updating = False
        self._steps.check_update(self.step + 1)
        # Where the step was skipped (a GradScaler, gradients that overflow) the loss may be anything.
        known = None if loss is None or not self._rates.stepped else loss.detach().reshape(())
        self._session.after_update(known, num_samples)
        self._channel.count_update(self.step)
        if self._first is not None:
            first, self._first = self._first.take_loss(), None
            if first is not None:
                reach = self._find_reach(first)
                with self._warnings.listening():
                    warn_of_blocks(reach)

    def record(self, name: str, value: Any, standard_error: Any = None) -> None:
        recorded = check_recorded(name, value, standard_error)
        if self._has_closed:
            raise UserError(
                "invalid_call",
                f"run.record: {name!r} was recorded after the `with` block, where the run has ended",
                "record it inside the `with` block",
            )
        # Once its boundary has been passed, an update is made as granted: the next one can be changed by it.
        if not self._recorded.add(recorded, max(self.step, self._passed) + 1):
            self.warn(f"{name!r} was recorded twice between two updates: the last value counts")

    def warn(self, text: str) -> None:
        """Warns here and in the run's log, once of each text."""
        self._warnings.warn(text)

    def begin_step(self) -> None:
        """To be called as `optimizer.step()` begins: no frozen parameter moves in it.

        Raises UserError: what `Session.hold_mask_in_step` raises.
        """
        if self._session is not None:
            self._session.hold_mask_in_step()

    def restore_mask(self) -> None:
        """Sets `requires_grad` as granted again, where code of others ran between a boundary and its update."""
        if self._session is not None:
            self._session.restore_mask()

    def _find_reach(self, loss: Callable[[], torch.Tensor]) -> Reach:
        block_map = self._training.block_map
        blocks = {block.name: block.parameter_names for block in block_map.blocks}
        return find_reach(self._training.model, loss, blocks, block_map.head.parameter_names)

    def _raise_end(self) -> None:
        """Raises TrainingStopped again in a loop that caught it and goes on."""
        if self._end is not None:
            raise self._end

    def detach(self) -> None:
        """Leaves the script's model and optimizer as they were found, however its `with` block was left."""
        if self._first is not None:
            self._first.detach()
        if self._session is not None:
            self._session.detach()

    def end(self) -> None:
        """To be called when the `with` block was left: tells the controller how the training ended.

        Raises UserError where the loop made fewer updates than it had announced.
        """
        num_updates = self._training.num_updates
        self._has_closed = True
        try:
            session = self._begun()
        except TrainingStopped as stopped:
            self._end = stopped
        if self._end is not None:
            assert self._session is not None
            self._session.close(self._end)
            return
        if num_updates is not None and self.step < num_updates:
            if self._has_ended:
                session.finish_early()
                return
            raise UserError(
                "ended_early",
                f"attach: `num_updates` is {num_updates}, but the `with` block ended after {self.step} updates",
                "call `run.finish()` where the loop means to end early, or leave `num_updates` out",
            )
        session.finish()

    def _begun(self) -> Session:
        if self._session is None:
            self._session = self._open_session()
            self._session.begin()
        return self._session

    def _open_session(self) -> Session:
        training, restored = self._training, self._restored
        resumed: Resumed | UnsetType = UNSET
        if restored is not None:
            resumed = restored.resumed
            if restored.run != self._channel.run:
                for part in restored.history():
                    self._channel.send(part)
        parameter = next(training.model.parameters())
        device, threads, seed = str(parameter.device), torch.get_num_threads(), self._config.seed
        micro_batch = None if self._prober is None else self._prober.settings.micro_batch
        return Session(
            self._channel,
            SteeredModel(
                training.model, training.block_map, self._rates, unreached=self._unreached, start=self._start_weights()
            ),
            Facts(training.num_updates, None, device, threads, seed, self.step, micro_batch, resumed),
            run_folder=self._run_folder,
            prober=self._prober,
            recorded=self._recorded,
        )

    def _start_weights(self) -> StartWeights | None:
        """Those of now, in a training from the start; a script that goes on has restored its checkpoint already."""
        if self.step == 0:
            return StartWeights(self._training.model, self._training.block_map)
        text = f"how far the blocks have moved is not known after a resume (at step {self.step}): {_WHY_NOT_KNOWN}"
        self._channel.send(Log("info", text))
        return None


_WHY_NOT_KNOWN = "the script's checkpoint does not hold the weights that the run began with"
