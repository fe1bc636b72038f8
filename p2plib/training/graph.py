"""A training step recorded once on the GPU and then replayed: the host no longer launches its kernels one by one.

At batch 1 the GPU is done with a kernel before Python has launched the next, and a step has more than a thousand.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Step = Callable[[Tensor, Tensor], Tensor]
#: Records what a function launches; gives what replays it, and the tensor that the function returned.
Recorder = Callable[[Callable[[], Tensor]], tuple[Callable[[], object], Tensor]]

WARM_UP = 3  # steps of one shape made as usual before recording: libraries choose their kernels in them
ALIKE = 0.05  # relative difference of losses, recorded against usual, that is still rounding


class RecordedStep:
    """Makes steps as usual, records one, checks that replaying it gives the same losses, and replays from then on.

    Where recording fails or the check does not hold, steps go on being made as usual, and ``failed`` says why.
    A step is recorded as it is at that moment: whatever Python decides in it, it decides once.

    Args:
        step: (input, target) → losses (3,), all of it on the GPU and without waiting for it.
        changed: gives every tensor that a step changes in place: weights, running averages, the optimizers' state.
        record: how to record; a test may hand in another.
        forget: called where recording broke off in the middle of a step, for what is no tensor.

    Attributes:
        failed: why steps are not replayed; "" as long as nothing speaks against it.
    """

    def __init__(
        self,
        step: Step,
        changed: Callable[[], Sequence[Tensor]],
        record: Recorder | None = None,
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        self._step, self._changed, self._record, self._forget = step, changed, record or record_cuda, forget
        self._replay: Callable[[], object] | None = None
        self._static: tuple[Tensor, Tensor, Tensor] | None = None  # input, target, losses of the recorded step
        self._lay: list[int] = []  # addresses of what it changes
        self._seen: Counter[torch.Size] = Counter()
        self.failed = ""

    def __call__(self, input: Tensor, target: Tensor) -> Tensor:
        """One step; a batch of another shape than the recorded one is made as usual."""
        if self._replay is not None and self._static is not None and input.shape == self._static[0].shape:
            return self._again(input, target)
        # An epoch's last batch may be smaller, and is not the one to record.
        whole = self._seen[input.shape] >= WARM_UP and len(input) == max(shape[0] for shape in self._seen)
        if self._replay is None and not self.failed and whole:
            return self._begin(input, target)
        self._seen[input.shape] += 1
        return self._step(input, target)

    def forget_if_moved(self) -> None:
        """Record anew where a tensor no longer lies where it was recorded: a replay would write into old memory."""
        if self._replay is not None and self._lay != self._addresses():
            self._drop()

    def _again(self, input: Tensor, target: Tensor) -> Tensor:
        assert self._replay is not None
        assert self._static is not None
        self._static[0].copy_(input)
        self._static[1].copy_(target)
        self._replay()
        return self._static[2].clone()  # the next replay writes over it

    def _begin(self, input: Tensor, target: Tensor) -> Tensor:
        """Make the step as usual, take it back, record it, replay it, and compare."""
        try:
            kept, random = self._copied(), _random(input)
        except torch.OutOfMemoryError:
            self.failed = "no memory is left for the copies that it takes"
            return self._step(input, target)
        usual = self._step(input, target)
        try:
            after, random_after = self._copied(), _random(input)
        except torch.OutOfMemoryError:
            self.failed = "no memory is left for the copies that it takes"
            return usual
        self._restore(kept, input, random)
        try:
            mine, its = input.clone(), target.clone()
            self._replay, losses = self._record(lambda: self._step(mine, its))
            self._static, self._lay = (mine, its, losses), self._addresses()
            came = self._again(input, target)
            if not torch.allclose(came, usual, rtol=ALIKE, atol=1e-3, equal_nan=True):
                self.failed = f"the recorded step gives losses {came.tolist()} in place of {usual.tolist()}"
        except Exception as error:  # what breaks off a recording has many names
            cause = error.__context__ or error
            self.failed = (str(cause).strip() or type(cause).__name__).splitlines()[0]
            self._forget()
        if self.failed:
            self._drop()
            self._restore(after, input, random_after)
        return usual

    def _drop(self) -> None:
        self._replay = self._static = None

    def _addresses(self) -> list[int]:
        return [tensor.data_ptr() for tensor in self._changed()]

    def _copied(self) -> list[Tensor]:
        return [tensor.clone() for tensor in self._changed()]

    def _restore(self, values: Sequence[Tensor], like: Tensor, random: Tensor) -> None:
        with torch.no_grad():
            for tensor, value in zip(self._changed(), values, strict=True):
                tensor.copy_(value)
        torch.cuda.set_rng_state(random, like.device) if like.is_cuda else torch.set_rng_state(random)


def _random(like: Tensor) -> Tensor:
    return torch.cuda.get_rng_state(like.device) if like.is_cuda else torch.get_rng_state()


def record_cuda(step: Callable[[], Tensor]) -> tuple[Callable[[], object], Tensor]:
    """Record with a CUDA graph; what other threads do with the GPU meanwhile does not break it off."""
    gc.collect()  # trainers that are over hold each other, and their memory
    graph, stream = torch.cuda.CUDAGraph(), torch.cuda.current_stream()
    try:
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            losses = step()
    except BaseException:
        # A capture that breaks off leaves its own stream current, and the random numbers in the state of recording.
        torch.cuda.set_stream(stream)
        numbers = torch.cuda.default_generators[torch.cuda.current_device()]
        numbers.graphsafe_set_state(numbers.clone_state())
        raise
    return graph.replay, losses
