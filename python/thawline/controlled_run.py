"""What `attach` gives to a training loop that has a controller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import torch
from msgspec import UNSET, UnsetType

from thawline.arguments import Training, check_update
from thawline.config import AttachedConfig
from thawline.errors import UserError
from thawline.learning_rates import FactoredRates
from thawline.probe_settings import probe_settings
from thawline.probes import Prober, ProbeSet
from thawline.protocol import Resumed
from thawline.script_state import ListeningChannel, ScriptState, parse_state, tensors_to_text, text_to_tensors
from thawline.session import Session, TrainingStopped
from thawline.step_watch import StepWatch
from thawline.training import Facts


class ControlledRun:
    """Inside a run: a session, what a checkpoint has to keep of it, and the memory of how it was ended.

    The session begins with the first `before_update`: until then the script may restore its checkpoint.
    """

    def __init__(
        self,
        channel: ListeningChannel,
        training: Training,
        config: AttachedConfig,
        rates: FactoredRates,
        steps: StepWatch,
        *,
        run: str,
        run_folder: Path,
    ) -> None:
        self._channel = channel
        self._training = training
        self._config = config
        self._rates = rates
        self._steps = steps
        self._run = run
        self._run_folder = run_folder
        _check_signal(training, config)
        self._prober = _build_prober(training, config)
        self._restored: ScriptState | None = None
        self._session: Session | None = None
        self._end: TrainingStopped | None = None
        self._is_updating = False

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
        state: dict[str, Any] = msgspec.to_builtins(self._channel.state(self.step, probe))
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
        self._restored = restored

    def before_update(self) -> None:
        self._raise_end()
        try:
            self._begun().before_update()
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
        self._channel.count_update()

    def begin_step(self) -> None:
        """To be called as the optimizer begins a step. Raises UserError: what `Session.hold_mask_in_step` raises."""
        if self._session is not None:
            self._session.hold_mask_in_step()

    def restore_mask(self) -> None:
        """For a trainer that passes its boundary early: what ran since then may have changed the mask."""
        if self._session is not None:
            self._session.restore_mask()

    def _raise_end(self) -> None:
        """Again, for a loop that catches every exception and goes on."""
        if self._end is not None:
            raise self._end

    def end(self) -> None:
        """Says how it ended. Raises UserError where the loop made fewer updates than it had announced."""
        num_updates = self._training.num_updates
        try:
            session = self._begun()
        except TrainingStopped as stopped:
            self._end = stopped
        if self._end is not None:
            assert self._session is not None
            self._session.close(self._end)
            return
        if num_updates is not None and self.step < num_updates:
            raise UserError(
                "ended_early",
                f"attach: `num_updates` is {num_updates}, but the `with` block ended after {self.step} updates",
                "leave `num_updates` out where the loop may end early",
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
            if restored.run != self._run:
                for part in restored.history():
                    self._channel.send(part)
        parameter = next(training.model.parameters())
        device, threads, seed = str(parameter.device), torch.get_num_threads(), self._config.seed
        return Session(
            self._channel,
            training.model,
            training.block_map,
            self._rates,
            facts=Facts(training.num_updates, None, device, threads, seed, resumed),
            run_folder=self._run_folder,
            prober=self._prober,
            step=self.step,
        )


def _check_signal(training: Training, config: AttachedConfig) -> None:
    kind, k = config.intervention.kind, config.intervention.k
    if training.probe is None and kind != "none" and k == "online":
        raise UserError(
            "invalid_argument",
            "attach: `probe` is None, but this run has to find k by a signal",
            "give `probe` the batches to measure it on, or fix k, for example `intervention.k=200`",
        )


def _build_prober(training: Training, config: AttachedConfig) -> Prober | None:
    probe, block_map = training.probe, training.block_map
    if probe is None:
        return None
    settings = probe_settings(config.seed, config.probe, config.intervention, block_map)
    return Prober(training.model, probe.objective, ProbeSet(probe.batches), settings)
