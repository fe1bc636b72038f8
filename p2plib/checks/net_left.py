"""A generator before and after an answer's call: it must be left as it came."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from p2plib.checks.trial import Trial

State = dict[str, Any]

AVERAGES_MOVED = (
    "In train mode each pass moves the running averages of batch norm a little. Is there a copy that draws in its "
    "place, or are they put back?"
)
NOT_PUT_BACK = "Where is it put back into the mode in which it came?"
ONE_MODE = "Its parts came in different modes and leave in one. Is the mode of each part noted?"
#: For exercises that come after 6.3, which leaves a generator as it came.
NOT_BY_6_3 = "In train mode each pass moves them a little. Is it translated with your 6.3?"


def state_of(net: nn.Module) -> State:
    """Everything about it that a pass, or what is done around one, might change.

    `num_batches_tracked` is left out: it counts passes even where nothing else moves, and decides nothing.
    """
    found: State = {}
    for name, module in net.named_modules():
        found[f"mode of {name}"] = module.training
        for setting in ("momentum", "track_running_stats", "p", "eps"):
            if hasattr(module, setting):
                found[f"setting {name}.{setting}"] = getattr(module, setting)
    for name, buffer in net.named_buffers():
        if not name.endswith("num_batches_tracked"):
            found[f"average {name}"] = buffer.clone()
    for name, parameter in net.named_parameters():
        found[f"weight {name}"] = parameter.detach().clone()
        found[f"requires_grad of {name}"] = parameter.requires_grad
        found[f"gradient of {name}"] = parameter.grad
    return found


def require_as_it_came(t: Trial, net: nn.Module, before: State, moved: str = AVERAGES_MOVED) -> None:
    """End the trial unless the generator is what it was.

    Args:
        net: as the answer left it.
        before: its state before the call.
        moved: the cause that is named where its running averages are others.
    """
    after = state_of(net)
    if any(_changed(before, after, "weight")):
        t.wrong("the generator has other weights after the call", "Nothing is learned here. What changes them?")
    if any(_changed(before, after, "average")):
        t.wrong("the generator's running averages are others after the call", moved)
    for kind, found in (
        ("setting", "the generator's {} is another after the call"),
        ("requires_grad", "`requires_grad` of the generator's parameters is another after the call"),
        ("gradient", "the generator's parameters have another `.grad` after the call"),
    ):
        names = sorted(_changed(before, after, kind))
        t.require(not names, found.format(f"`{names[0]}`" if names else ""), "Where is it put back?")
    if any(_changed(before, after, "mode")):
        _other_mode(t, net, before)


def _other_mode(t: Trial, net: nn.Module, before: State) -> None:
    came = before["mode of "]
    mixed = len({mode for key, mode in before.items() if key.startswith("mode of")}) == 2
    if mixed and len({module.training for module in net.modules()}) == 1 and net.training == came:
        t.wrong("the generator's parts are in other modes after the call", ONE_MODE)
    if net.training == came:
        t.wrong("parts of the generator are left in another mode", NOT_PUT_BACK)
    t.wrong(f"the generator is left in {'train' if net.training else 'eval'} mode", NOT_PUT_BACK)


def _changed(before: State, after: State, kind: str) -> Iterator[str]:
    for key in before.keys() | after.keys():
        if key.startswith(kind):
            a, b = before.get(key), after.get(key)
            same = torch.equal(a, b) if isinstance(a, Tensor) and isinstance(b, Tensor) else a is b or a == b
            if not same:
                yield key.split(" ")[-1]
