"""Right and wrong answers to the exercise of chapter 00."""

from __future__ import annotations

import functools

import torch
from torch import nn

from p2plib.checks.outcome import Status
from p2plib.checks.table import right, wrong


@right("0.1")
def sliced(picture):
    return picture[:, :, : picture.shape[2] // 2]


@right("0.1")
def chunked(bild):
    return bild.chunk(2, dim=-1)[0]


@right("0.1")
class Module(nn.Module):
    def forward(self, x):
        return x.narrow(-1, 0, x.size(-1) // 2).clone()


@right("0.1")
def by_keyword(*, picture):
    return torch.tensor_split(picture, 2, dim=2)[0]


right("0.1")(lambda p: p[..., : -p.shape[-1] // 2])
right("0.1")(functools.partial(lambda p, dim: p.split(p.shape[dim] // 2, dim)[0], dim=2))


@wrong("0.1", status=Status.NOT_ATTEMPTED)
def stub(picture):
    raise NotImplementedError


@wrong("0.1", status=Status.NOT_ATTEMPTED)
def returns_dots(picture):
    return ...


@wrong("0.1", cause="right half")
def right_half(p):
    return p[:, :, p.shape[2] // 2 :]


@wrong("0.1", cause="upper half")
def upper_half(p):
    return p[:, : p.shape[1] // 2, :]


@wrong("0.1", cause="Rows were cut")
def rows_by_width(p):
    return p[:, : p.shape[2] // 2]


@wrong("0.1", cause="`shape[1]` or `shape[2]`")
def columns_by_height(p):
    return p[:, :, : p.shape[1] // 2]


@wrong("0.1", cause="channels, was cut")
def channels_cut(p):
    return p[: p.shape[2] // 2]


@wrong("0.1", cause="every second column")
def every_second(p):
    return p[:, :, ::2]


@wrong("0.1", cause="values are halved")
def halved_values(p):
    return p // 2


@wrong("0.1", cause="forget `return`")
def no_return(p):
    p[:, :, : p.shape[2] // 2]


@wrong("0.1", found="expected was (3, 7, 5)")
def one_short(p):
    return p[:, :, : p.shape[2] // 2 - 1]


@wrong("0.1", found="expected was (3, 7, 5)")
def whole(p):
    return p


@wrong("0.1", found="NumPy array")
def numpy(p):
    return p.numpy()[:, :, : p.shape[2] // 2]


@wrong("0.1", found="float32; expected was uint8")
def floats(p):
    return p[:, :, : p.shape[2] // 2].float()


@wrong("0.1", cause="writes into `picture`", found="changed in place")
def in_place(p):
    p[:, :, p.shape[2] // 2 :] = 0
    return p[:, :, : p.shape[2] // 2]


@wrong("0.1", status=Status.CRASHED, found="TypeError")
def true_division(p):
    return p[:, :, : p.shape[2] / 2]
