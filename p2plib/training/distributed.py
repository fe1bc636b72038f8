"""Several processes that train one network together, each on its share of every batch (PyTorch's own DDP).

``torchrun --nproc_per_node=2 -m p2plib train …`` starts them.  Gradients are averaged, so that the step is that of the
whole batch; batch norm's statistics stay those of each share.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from p2plib.errors import UserError


@dataclass(frozen=True)
class World:
    """Which process this is, of how many; the methods do nothing where it is alone.

    Attributes:
        rank: from 0; process 0 alone writes and speaks.
        size: processes.
    """

    rank: int = 0
    size: int = 1

    @property
    def alone(self) -> bool:
        """Is there no other process?"""
        return self.size == 1

    @property
    def speaks(self) -> bool:
        """Does this process write the run, and print?"""
        return self.rank == 0

    def check_batch(self, batch: int) -> None:
        """Refuse a batch that cannot be shared out evenly."""
        if batch % self.size:
            raise UserError(
                f"A batch of {batch} cannot be shared out evenly among {self.size} processes: --batch is the pairs of "
                f"a step of all together; take --batch {-(-batch // self.size) * self.size}."
            )

    def share(self, indices: Sequence[int]) -> list[int]:
        """This process's part of a batch; a short last batch is filled up from its own beginning."""
        whole = list(indices)
        while len(whole) % self.size:
            whole.append(whole[len(whole) % len(indices)])
        return whole[self.rank :: self.size]

    def wrap(self, net: nn.Module) -> nn.Module:
        """The network with gradients averaged over the processes; each keeps its own running averages."""
        if self.alone:
            return net
        with warnings.catch_warnings():
            # What newer versions offer in its place is not there in older ones.
            warnings.filterwarnings("ignore", "`broadcast_buffers`", FutureWarning)
            return DistributedDataParallel(net, broadcast_buffers=False)

    def largest(self, number: int) -> int:
        """The largest of what each process says: so that all stop at the same step."""
        if self.alone:
            return number
        said = torch.tensor(number, device="cuda" if dist.get_backend() == "nccl" else "cpu")
        dist.all_reduce(said, dist.ReduceOp.MAX)
        return int(said)

    def mean(self, values: Tensor) -> Tensor:
        """The mean over the processes; NaN in one is NaN in all."""
        if not self.alone:
            dist.all_reduce(values)
            values /= self.size
        return values


@contextmanager
def join(device: str = "auto") -> Iterator[World]:
    """The world that torchrun has started this process into, or one of its own.

    Args:
        device: that is trained on: "cpu" talks by gloo also where there are GPUs.

    Raises:
        UserError: if there are more processes than GPUs on a machine that trains on GPUs.
    """
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        yield World()
        return
    backend, local = "gloo", int(os.environ.get("LOCAL_RANK", "0"))
    if torch.cuda.is_available() and device in ("auto", "cuda"):
        if local >= torch.cuda.device_count():
            raise UserError(
                f"There are {torch.cuda.device_count()} GPUs and more processes: --nproc_per_node is to be as many as "
                f"there are GPUs, at the most."
            )
        torch.cuda.set_device(local)
        backend = "nccl"
    dist.init_process_group(backend)
    try:
        yield World(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
