"""The frozen lower part of a network: run once for the probe set, and not again until something in it changes.

While only the upper layers are in scope, every forward pass of every probe computes the same input for the lowest layer
in scope. The owner of the model names its `stages` in the order in which they run, each reading what the one before
gave as its first positional argument. The first stage with a parameter in scope is where the model is cut: what it was
called with is kept, and later forward passes begin there (see `crossing`).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from thawline.probes.crossing import Crossing, Cut, Forward, Placeholders, beginning_at, recording, swapped_forward
from thawline.probes.fingerprint import Fingerprint, fingerprint, num_bytes, settings_of, tensors_outside
from thawline.probes.head_features import agree, warn_of_hidden_change
from thawline.probes.objective import MICRO_BATCH, Objective, forward_parts
from thawline.probes.probe_set import ProbeSet
from thawline.probes.scope import Scope
from thawline.tensor_trees import leaves_of, tensors_of


class FrozenPrefix:
    """What the probe set has become at the cut; kept for as long as nothing below the cut has changed.

    A kept tensor stands for the micro-batch that it was computed from and for no other, and for the same arithmetic
    (autocast, attention kernels): results are bit for bit those without it. A forward pass is recognised by the memory
    of its inputs, so an objective has to hand the probe set's own tensors, or views of them, to the model; new tensors
    made from them are never taken for known ones. At most `max_bytes` are kept, besides one placeholder per shape.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        probe_set: ProbeSet,
        stages: Sequence[str],
        max_bytes: int,
        micro_batch: int = MICRO_BATCH,
    ) -> None:
        self._model = model
        self._objective = objective
        self._probe_set = probe_set
        self._stages = tuple(model.get_submodule(name) for name in stages)
        self._max_bytes = max_bytes
        self._micro_batch = micro_batch
        self._device_type = next(model.parameters()).device.type
        self._storages = {tensor.untyped_storage().data_ptr() for tensor in tensors_of(list(probe_set.batches))}
        self._holds_for: tuple[nn.Module, Fingerprint, tuple[object, ...]] | None = None
        self._crossings: dict[tuple[object, ...], Crossing] = {}
        self._placeholders = Placeholders()
        self._is_full = False
        self._agrees: dict[nn.Module, bool] = {}
        self._said: set[str] = set()
        self._to_compare: dict[tuple[object, ...], Crossing] = {}
        self._is_trusted = True

    @contextmanager
    def serving(self, scope: Scope, *, check: bool = False) -> Iterator[None]:
        """Within it, forward passes of the model begin at the cut wherever that is possible.

        The model must be in `measuring` state, and nothing but the parameters in scope may change. `check`: what was
        kept is computed anew, and where it is something else, nothing is kept any more; one warning says so.
        """
        if not self._is_trusted:
            yield
            return
        cut = self._cut(scope)
        holds_for = None if cut is None else (cut.at, fingerprint(cut.tensors), settings_of(self._model.modules()))
        if holds_for != self._holds_for:
            self.forget()
            self._holds_for = holds_for
        elif check and cut is not None:
            self._to_compare, self._crossings = self._crossings, {}
            self._agrees.pop(cut.at, None)
        if cut is None or not self._may_cut(cut):
            yield
            return
        with self._cutting(cut):
            yield
        self._to_compare = {}
        self._drop_what_is_stale()

    def _drop_what_is_stale(self) -> None:
        if not self._is_trusted:
            self.forget()

    def forget(self) -> None:
        """Frees what is kept: nobody will measure at this cut again."""
        self._crossings = {}
        self._placeholders = Placeholders()
        self._holds_for = None
        self._is_full = False

    def _cut(self, scope: Scope) -> Cut | None:
        """None where nothing can be kept: the scope begins in the first stage, or reaches outside of the stages."""
        in_scope = {id(parameter) for parameter in scope.parameters}
        owns = [any(id(parameter) in in_scope for parameter in stage.parameters()) for stage in self._stages]
        first = owns.index(True) if True in owns else 0
        if first == 0 or self._max_bytes == 0:
            return None
        tensors = tensors_outside(self._model, self._stages[first:])
        if not tensors or any(id(tensor) in in_scope for tensor in tensors):
            return None
        return Cut(self._stages[:first], self._stages[first], tensors)

    @torch.no_grad()
    def _may_cut(self, cut: Cut) -> bool:
        """Whether the first micro-batch, which is kept by this, has the same logits from the cut as from the bottom.

        Asked once for each cut; one that does not fit is never tried again.
        """
        if cut.at not in self._agrees:
            part = forward_parts(self._probe_set.batches[0], cut.tensors[0].device, self._micro_batch)[0]
            with self._cutting(cut):
                whole = self._objective.logits(self._model, part)
                is_kept = len(self._crossings) > 0
                again = self._objective.logits(self._model, part)
            pairs = zip(whole, again, strict=True)
            agrees = all(torch.allclose(*pair, rtol=0, atol=0, equal_nan=True) for pair in pairs)
            if not agrees:
                self._say("the logits depend on them by another way than the stages")
            elif not is_kept and not self._is_full:
                self._say("they are no stages that run once each in their order on the probe set's own tensors")
            self._agrees[cut.at] = is_kept and agrees
        return self._agrees[cut.at]

    def _cutting(self, cut: Cut) -> AbstractContextManager[None]:
        return swapped_forward(self._model, partial(self._forward, cut, self._model.forward))

    def _forward(self, cut: Cut, forward: Forward, *args: Any, **kwargs: Any) -> Any:
        """Stands for the model's own `forward`."""
        key = self._key(args, kwargs)
        if key is None:
            return forward(*args, **kwargs)
        if key in self._crossings:
            with beginning_at(cut, self._crossings[key]):
                return forward(*args, **kwargs)
        with recording(cut, self._placeholders) as crossing:
            output = forward(*args, **kwargs)
        if crossing.is_complete(cut):
            self._keep(key, crossing)
        return output

    def _key(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[object, ...] | None:
        """What decides the tensors at the cut besides the weights; None for inputs that the probe set does not own.

        The probe set lives as long as this object and never changes, so a place in its memory stands for the contents.
        """
        found: list[object] = list(_arithmetic(self._device_type))
        for path, leaf in leaves_of(dict(enumerate([*args, *kwargs.items()]))):
            found.append(path)
            if isinstance(leaf, Tensor):
                storage = leaf.untyped_storage().data_ptr()
                if storage not in self._storages:
                    return None
                found += [storage, leaf.storage_offset(), leaf.shape, leaf.stride(), leaf.dtype]
            elif leaf is None or isinstance(leaf, bool | int | float | str):
                found.append(leaf)
            else:
                return None
        return tuple(found)

    def _keep(self, key: tuple[object, ...], crossing: Crossing) -> None:
        earlier = self._to_compare.pop(key, None)
        if earlier is not None and self._is_trusted and not agree(list(earlier.inputs), list(crossing.inputs)):
            self._is_trusted = False
            warn_of_hidden_change("the inputs of the lowest layer in scope")
        kept = [tensor for one in self._crossings.values() for tensor in one.inputs]
        if num_bytes([*kept, *crossing.inputs]) <= self._max_bytes:
            self._crossings[key] = crossing
        else:
            self._is_full = True
            gib = f"{self._max_bytes / 2**30:.3g}"
            self._say(
                f"all of it takes more than the {gib} GiB of `probe.cache_gib`; raise it, or lower `probe.points`"
            )

    def _say(self, reason: str) -> None:
        """Once for each reason."""
        if reason not in self._said:
            self._said.add(reason)
            text = f"the frozen layers are computed again for every probe, for some points at least: {reason}"
            warnings.warn(text, stacklevel=2)


def _arithmetic(device_type: str) -> tuple[object, ...]:
    """The switches on which the bits of a forward pass depend, and which differ between the probes of one boundary."""
    attention = torch.backends.cuda
    kernels = attention.flash_sdp_enabled(), attention.mem_efficient_sdp_enabled()  # type: ignore[no-untyped-call]
    return (*kernels, torch.get_autocast_dtype(device_type) if torch.is_autocast_enabled(device_type) else None)
