"""A training step recorded once on the GPU and then replayed: the host no longer launches its kernels one by one.

At batch 1 the GPU is done with a kernel before Python has launched the next, and a step has more than a thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Step = Callable[[Tensor, Tensor], Tensor]
#: Records what a function launches; gives what replays it, and the tensor that the function returned.
Recorder = Callable[[Callable[[], Tensor]], tuple[Callable[[], object], Tensor]]

WARM_UP = 3  # steps made as usual before recording: libraries choose their kernels in them
ALIKE = 0.05  # relative difference of losses, recorded against usual, that is still rounding


class RecordedStep:
    """Makes steps as usual, records one, checks that replaying it gives the same losses, and replays from then on.

    Where recording fails or the check does not hold, steps go on being made as usual, and ``failed`` says why.

    Args:
        step: (input, target) → losses (3,), all of it on the GPU and without waiting for it.
        changed: gives every tensor that a step changes in place: weights, running averages, the optimizers' state.
        record: how to record; a test may hand in another.

    Attributes:
        failed: why steps are not replayed; "" as long as nothing speaks against it.
    """

    def __init__(self, step: Step, changed: Callable[[], Sequence[Tensor]], record: Recorder | None = None) -> None:
        self._step, self._changed, self._record = step, changed, record or record_cuda
        self._replay: Callable[[], object] | None = None
        self._count = 0
        self.failed = ""

    def __call__(self, input: Tensor, target: Tensor) -> Tensor:
        """One step; a batch of another shape than the recorded one is made as usual."""
        if self._replay is None and not self.failed and self._count >= WARM_UP:
            return self._begin(input, target)
        if self._replay is None or input.shape != self._input.shape:
            self._count += 1
            return self._step(input, target)
        return self._again(input, target)

    def _again(self, input: Tensor, target: Tensor) -> Tensor:
        assert self._replay is not None
        self._input.copy_(input)
        self._target.copy_(target)
        self._replay()
        return self._losses.clone()  # the next replay writes over it

    def _begin(self, input: Tensor, target: Tensor) -> Tensor:
        """Make the step as usual, take it back, record it, replay it, and compare."""
        kept, random = [tensor.clone() for tensor in self._changed()], _random(input)
        usual = self._step(input, target)
        after, random_after = [tensor.clone() for tensor in self._changed()], _random(input)
        self._restore(kept, input, random)
        self._input, self._target = input.clone(), target.clone()
        try:
            self._replay, self._losses = self._record(lambda: self._step(self._input, self._target))
            losses = self._again(input, target)
            if not torch.allclose(losses, usual, rtol=ALIKE, atol=1e-3, equal_nan=True):
                self.failed = f"the recorded step gives losses {losses.tolist()} in place of {usual.tolist()}"
        except RuntimeError as error:
            self.failed = str(error).splitlines()[0]
        if self.failed:
            self._replay = None
            self._restore(after, input, random_after)
        return usual

    def _restore(self, values: Sequence[Tensor], like: Tensor, random: Tensor) -> None:
        with torch.no_grad():
            for tensor, value in zip(self._changed(), values, strict=True):
                tensor.copy_(value)
        torch.cuda.set_rng_state(random, like.device) if like.is_cuda else torch.set_rng_state(random)


def _random(like: Tensor) -> Tensor:
    return torch.cuda.get_rng_state(like.device) if like.is_cuda else torch.get_rng_state()


def record_cuda(step: Callable[[], Tensor]) -> tuple[Callable[[], object], Tensor]:
    """Record with a CUDA graph."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        losses = step()
    return graph.replay, losses
