"""Right and wrong answers to the exercises of chapter 01."""

from __future__ import annotations

import random

import numpy as np
import torch

from p2plib.checks.outcome import Status
from p2plib.checks.table import right, wrong

# --- 1.1 split a pair ---------------------------------------------------------------------------


def halves(p):
    return p[..., : p.shape[-1] // 2], p[..., p.shape[-1] // 2 :]


def odd(p):
    if p.shape[-1] % 2:
        raise ValueError("odd width")


@right("1.1")
def plain(picture, direction):
    odd(picture)
    a, b = halves(picture)
    return (a, b) if direction == "AtoB" else (b, a)


@right("1.1")
def chunk_list(img, way):
    odd(img)
    both = [half.clone() for half in img.chunk(2, dim=2)]
    return both if way == "AtoB" else both[::-1]


@right("1.1")
def stacked(picture, direction):
    channels, height, width = picture.shape
    if width % 2 == 1:
        raise ValueError(f"{width}")
    both = picture.reshape(channels, height, 2, width // 2).permute(2, 0, 1, 3)
    return both if direction == "AtoB" else both.flip(0)


@right("1.1")
class Splitter:
    def __call__(self, picture, direction):
        odd(picture)
        return (half for half in halves(picture)[:: 1 if direction == "AtoB" else -1])


@wrong("1.1", status=Status.NOT_ATTEMPTED)
def split_stub(picture, direction):
    raise NotImplementedError()


@wrong("1.1", cause="changed places")
def swapped(p, d):
    odd(p)
    a, b = halves(p)
    return (b, a) if d == "AtoB" else (a, b)


@wrong("1.1", cause="Where does `direction` come in")
def ignores_direction(p, d):
    odd(p)
    return halves(p)


@wrong("1.1", cause="Where does `direction` come in")
def always_backwards(p, d):
    odd(p)
    return halves(p)[::-1]


@wrong("1.1", cause="upper and a lower half")
def along_height(p, d):
    odd(p)
    a, b = p[:, : p.shape[1] // 2], p[:, p.shape[1] // 2 :]
    return (a, b) if d == "AtoB" else (b, a)


@wrong("1.1", cause="`shape[1]` or `shape[2]`")
def height_for_width(p, d):
    n = p.shape[1] // 2
    a, b = p[:, :, :n], p[:, :, n:]
    return (a, b) if d == "AtoB" else (b, a)


@wrong("1.1", cause="same half")
def same_half(p, d):
    odd(p)
    return halves(p)[0], halves(p)[0]


@wrong("1.1", cause="Every second column")
def interleaved(p, d):
    odd(p)
    a, b = p[..., ::2], p[..., 1::2]
    return (a, b) if d == "AtoB" else (b, a)


@wrong("1.1", cause="B is mirrored")
def b_mirrored(p, d):
    odd(p)
    a, b = halves(p)
    return (a, b.flip(-1)) if d == "AtoB" else (b.flip(-1), a)


@wrong("1.1", found="has no two equal halves")
def odd_accepted(p, d):
    a, b = halves(p)
    return (a, b) if d == "AtoB" else (b, a)


@wrong("1.1", cause="`assert` raises AssertionError")
def odd_asserted(p, d):
    assert p.shape[-1] % 2 == 0
    return plain(p, d)


@wrong("1.1", cause="in place of `raise`")
def odd_returned(p, d):
    return ValueError("odd") if p.shape[-1] % 2 else plain(p, d)


@wrong("1.1", found="NoneType", status=Status.WRONG)
def odd_raises_another(p, d):
    if p.shape[-1] % 2:
        return None + 1
    return plain(p, d)


@wrong("1.1", found="`None` came back")
def odd_gives_none(p, d):
    return None if p.shape[-1] % 2 else plain(p, d)


@wrong("1.1", found="expected were 2 things")
def only_input(p, d):
    return [plain(p, d)[0]]


@wrong("1.1", found="a dict came")
def dictionary(p, d):
    return dict(zip(("input", "target"), plain(p, d), strict=True))


@wrong("1.1", cause="forget `return`")
def printed(p, d):
    print(plain(p, d))


@wrong("1.1", found="is float32; expected was uint8")
def to_float(p, d):
    return tuple(x.float() for x in plain(p, d))


@wrong("1.1", status=Status.CRASHED, found="unpack")
def as_image(p, d):
    _height, width = p.shape
    return p[:, : width // 2], p[:, width // 2 :]


@wrong("1.1", found="expected was (3, 8, 7)")
def one_column_lost(p, d):
    odd(p)
    n = p.shape[-1] // 2
    a, b = p[..., : n - 1], p[..., n:]
    return (a, b) if d == "AtoB" else (b, a)


@wrong("1.1", found="shape")
def always_uint8_square(p, d):
    odd(p)
    n = p.shape[1]
    return p[..., :n], p[..., n : 2 * n]


# --- 1.2 to [-1, 1] and back ---------------------------------------------------------------------


def signed(picture):
    return picture.float() / 127.5 - 1


def back(x):
    return ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


@right("1.2", back)
def halves_and_whole(p):
    return p.to(torch.float32) / 255 * 2 - 1


@right("1.2", back)
def centred(p):
    return (p.float() - 127.5) / 127.5


@right("1.2", back)
def divided_bytes(p):
    return (p / 255 - 0.5) / 0.5


@right("1.2", signed, ...)
def round_by_half(x):
    return (x * 127.5 + 128).clamp(0, 255).to(torch.uint8)


@right("1.2", signed, ...)
def clamped_late(x):
    return torch.round((x + 1) / 2 * 255).clip(0, 255).byte()


@right("1.2", signed, ...)
def by_numpy_inside(x):
    return torch.from_numpy(np.rint(np.clip((x.numpy() + 1) * 127.5, 0, 255)).astype(np.uint8))


@wrong("1.2", back, status=Status.NOT_ATTEMPTED)
def stub_signed(p):
    raise NotImplementedError


@wrong("1.2", signed, ..., status=Status.NOT_ATTEMPTED)
def stub_back(x):
    raise NotImplementedError


@wrong("1.2", back, cause="starts again")
def wraps(p):
    return p * 2 / 255 - 1


@wrong("1.2", back, cause="starts again")
def wraps_minus(p):
    return (p * 2 - 255) / 255


@wrong("1.2", back, cause="starts again")
def wraps_centre(p):
    return (p - 128) / 128


@wrong("1.2", back, cause="that is [0, 1]")
def unit(p):
    return p.float() / 255


@wrong("1.2", back, cause="the half of 255")
def by_128(p):
    return p.float() / 128 - 1


@wrong("1.2", back, cause="the half of 255")
def by_256(p):
    return p.float() / 256 * 2 - 1


@wrong("1.2", back, cause="`- 1` missing")
def no_minus(p):
    return p.float() / 127.5


@wrong("1.2", back, cause="`* 2` missing")
def half_range(p):
    return p / 255 - 0.5


@wrong("1.2", back, cause="darkest and the brightest")
def own_range(p):
    x = p.float()
    return (x - x.min()) / (x.max() - x.min()) * 2 - 1


@wrong("1.2", back, cause="own mean")
def standardised(p):
    x = p.float()
    return (x - x.mean()) / x.std()


@wrong("1.2", back, found="so are the values; the result of `to_signed` is float64")
def doubles(p):
    return p.double() / 127.5 - 1


@wrong("1.2", back, found="is float16")
def half_precision(p):
    return (p.float() / 127.5 - 1).half()


@wrong("1.2", back, found="expected was (3, 6")
def last_channels(p):
    return signed(p).movedim(-3, -1)


@wrong("1.2", back, status=Status.CRASHED, found="RuntimeError")
def divides_in_place(p):
    p /= 127.5
    return p - 1


@wrong("1.2", signed, ..., cause="`round()` missing")
def truncates(x):
    return ((x.clamp(-1, 1) + 1) * 127.5).to(torch.uint8)


@wrong("1.2", signed, ..., cause="`round()` missing")
def truncates_halved(x):
    return ((x.clamp(-1, 1) + 1) / 2 * 255).byte()


@wrong("1.2", signed, ..., cause="`clamp` missing")
def no_clamp(x):
    return ((x + 1) * 127.5).round().to(torch.uint8)


@wrong("1.2", signed, ..., cause="`+ 1` missing")
def from_unit(x):
    return (x.clamp(0, 1) * 255).round().to(torch.uint8)


@wrong("1.2", signed, ..., cause="128 in place of 127.5")
def back_by_128(x):
    return ((x + 1) * 128).round().clamp(0, 255).to(torch.uint8)


@wrong("1.2", signed, ..., cause="`ceil`")
def rounds_up(x):
    return ((x.clamp(-1, 1) + 1) * 127.5).ceil().to(torch.uint8)


@wrong("1.2", signed, ..., found="so are the values; the result of `to_bytes` is float32")
def stays_float(x):
    return ((x.clamp(-1, 1) + 1) * 127.5).round()


@wrong("1.2", signed, ..., found="so are the values; the result of `to_bytes` is int64")
def whole_numbers(x):
    return ((x.clamp(-1, 1) + 1) * 127.5).round().long()


@wrong("1.2", signed, ..., cause="writes into `x`", found="changed in place")
def clamps_in_place(x):
    return ((x.clamp_(-1, 1) + 1) * 127.5).round().to(torch.uint8)


@wrong("1.2", signed, ..., cause="writes into `x`", found="changed in place")
def adds_in_place(x):
    x += 1
    return (x * 127.5).round().clamp(0, 255).to(torch.uint8)


@wrong("1.2", signed, ..., found="NumPy array")
def gives_numpy(x):
    return back(x).numpy()


# --- 1.3 joint jitter and mirror -----------------------------------------------------------------


def numbers(picture, size, g, more=1):
    height, width = picture.shape[-2:]
    top = int(torch.randint(0, height - size + more, (1,), generator=g))
    left = int(torch.randint(0, width - size + more, (1,), generator=g))
    return top, left, torch.rand(1, generator=g).item() < 0.5


def cut(picture, size, top, left, mirror):
    crop = picture[:, top : top + size, left : left + size]
    return crop.flip(2) if mirror else crop


@right("1.3")
def drawn_first(input, target, size, generator):
    n = numbers(input, size, generator)
    return cut(input, size, *n), cut(target, size, *n)


@right("1.3")
def mirrored_first(x, y, n, g):
    if torch.randint(2, (), generator=g):
        x, y = x.flip(-1), y.flip(-1)
    j, i = (int(torch.randint(x.shape[d] - n + 1, (), generator=g)) for d in (2, 1))
    return [p[:, i : i + n, j : j + n].clone() for p in (x, y)]


@right("1.3")
def drawn_as_floats(input, target, size, generator):
    free = torch.tensor(input.shape[1:]) - size + 1
    top, left = (torch.rand(2, generator=generator) * free).long().tolist()
    columns = torch.arange(left, left + size)
    if torch.rand((), generator=generator) > 0.5:
        columns = columns.flip(0)
    return input[:, top : top + size][:, :, columns], target[:, top : top + size][:, :, columns]


@right("1.3")
def one_number_for_all(input, target, size, generator):
    height, width = (s - size + 1 for s in input.shape[1:])
    n = int(torch.randint(2 * height * width, (), generator=generator))
    place = n // 2 // width, n // 2 % width, n % 2
    return cut(input, size, *place), cut(target, size, *place)


@right("1.3")
def python_numbers_seeded(input, target, size, generator):
    draw = random.Random(int(torch.randint(2**40, (), generator=generator)))
    n = draw.randint(0, input.shape[1] - size), draw.randint(0, input.shape[2] - size), draw.random() < 0.5
    return cut(input, size, *n), cut(target, size, *n)


@wrong("1.3", status=Status.NOT_ATTEMPTED)
def jitter_stub(input, target, size, generator):
    raise NotImplementedError


@wrong("1.3", cause="drawn twice, once for each picture", found="different places")
def two_draws(input, target, size, g):
    return cut(input, size, *numbers(input, size, g)), cut(target, size, *numbers(target, size, g))


@wrong("1.3", cause="Is the mirror drawn twice")
def two_mirrors(input, target, size, g):
    top, left, _ = numbers(input, size, g)
    return tuple(cut(p, size, top, left, torch.rand((), generator=g) < 0.5) for p in (input, target))


@wrong("1.3", cause="`flip` leave out", found="only the input")
def mirrors_input_only(input, target, size, g):
    top, left, mirror = numbers(input, size, g)
    return cut(input, size, top, left, mirror), cut(target, size, top, left, False)


@wrong("1.3", cause="`flip` leave out", found="only the target")
def mirrors_target_only(input, target, size, g):
    top, left, mirror = numbers(input, size, g)
    return cut(input, size, top, left, False), cut(target, size, top, left, mirror)


@wrong("1.3", found="no pair is ever mirrored")
def never_mirrors(input, target, size, g):
    top, left, _ = numbers(input, size, g)
    return cut(input, size, top, left, False), cut(target, size, top, left, False)


@wrong("1.3", found="every pair is mirrored")
def always_mirrors(input, target, size, g):
    top, left, _ = numbers(input, size, g)
    return cut(input, size, top, left, True), cut(target, size, top, left, True)


@wrong("1.3", found="far less than half")
def seldom_mirrors(input, target, size, g):
    top, left, _ = numbers(input, size, g)
    mirror = torch.rand((), generator=g) < 0.1
    return cut(input, size, top, left, mirror), cut(target, size, top, left, mirror)


@wrong("1.3", cause="top to bottom")
def mirrors_height(input, target, size, g):
    top, left, mirror = numbers(input, size, g)
    crops = [cut(p, size, top, left, False) for p in (input, target)]
    return [torch.fliplr(c) if mirror else c for c in crops]


@wrong("1.3", cause="reverse order")
def mirrors_channels(input, target, size, g):
    top, left, mirror = numbers(input, size, g)
    crops = [cut(p, size, top, left, False) for p in (input, target)]
    return [c.flip(0) if mirror else c for c in crops]


@wrong("1.3", cause="`+ 1` missing")
def never_the_last(input, target, size, g):
    n = numbers(input, size, g, more=0)
    return cut(input, size, *n), cut(target, size, *n)


@wrong("1.3", found="every call cuts at the same place")
def middle(input, target, size, g):
    _, _, mirror = numbers(input, size, g)
    return cut(input, size, 1, 1, mirror), cut(target, size, 1, 1, mirror)


@wrong("1.3", found="every call cuts at the same place", cause="new seed")
def reseeds(input, target, size, g):
    g.manual_seed(0)
    return drawn_first(input, target, size, g)


@wrong("1.3", found="every call cuts at the same place")
def seeds_its_own(input, target, size, g):
    return drawn_first(input, target, size, torch.Generator().manual_seed(0))


@wrong("1.3", cause="`generator=generator`", found="the crop and the mirror are")
def global_numbers(input, target, size, g):
    return drawn_first(input, target, size, None)


@wrong("1.3", cause="`generator=generator`", found="the crop and the mirror are")
def python_numbers(input, target, size, g):
    n = random.randint(0, input.shape[1] - size), random.randint(0, input.shape[2] - size), random.random() < 0.5
    return cut(input, size, *n), cut(target, size, *n)


@wrong("1.3", cause="`generator=generator`", found="the mirror is not the same")
def global_mirror(input, target, size, g):
    top, left, _ = numbers(input, size, g)
    mirror = random.random() < 0.5
    return cut(input, size, top, left, mirror), cut(target, size, top, left, mirror)


@wrong("1.3", cause="one number drawn for both")
def one_number_for_both(input, target, size, g):
    high, wide = (s - size + 1 for s in input.shape[1:])
    n, mirror = int(torch.randint(high * wide, (), generator=g)), torch.rand((), generator=g) < 0.5
    place = n % max(high, wide) * high // max(high, wide), n % max(high, wide) * wide // max(high, wide)
    return cut(input, size, *place, mirror), cut(target, size, *place, mirror)


@wrong("1.3", found="crops begin at columns 0 to 2")
def square_only(input, target, size, g):
    free = min(input.shape[1:]) - size + 1
    n = *torch.randint(free, (2,), generator=g).tolist(), torch.rand((), generator=g) < 0.5
    return cut(input, size, *n), cut(target, size, *n)


@wrong("1.3", found="expected was")
def sides_swapped(input, target, size, g):
    _, width, height = input.shape
    top = int(torch.randint(height - size + 1, (), generator=g)) + 3
    left = int(torch.randint(width - size + 1, (), generator=g))
    return cut(input, size, top, left, False), cut(target, size, top, left, False)


@wrong("1.3", found="float32; expected was uint8")
def signs_too(input, target, size, g):
    return [signed(p) for p in drawn_first(input, target, size, g)]


@wrong("1.3", found="is no part of it")
def resizes(input, target, size, g):
    small = torch.nn.functional.interpolate
    return [small(p[None].float(), size=(size, size))[0].byte() for p in (input, target)]


@wrong("1.3", cause="writes into `input`", found="changed in place")
def flips_in_place(input, target, size, g):
    n = numbers(input, size, g)
    input[:] = input.flip(-1).clone()
    return cut(input, size, *n), cut(target, size, *n)


@wrong("1.3", found="expected were 2 things")
def one_tensor(input, target, size, g):
    return torch.cat(drawn_first(input, target, size, g))


# --- found by people who tried ------------------------------------------------------------------


@wrong("1.2", signed, ..., cause="Which two steps")
def neither_rounded_nor_clamped(x):
    return ((x + 1) * 127.5).to(torch.uint8)


@wrong("1.2", signed, ..., cause="Which two steps")
def clamped_too_late(x):
    return ((x + 1) * 127.5).to(torch.uint8).clamp(0, 255)


@wrong("1.2", back, cause="a picture is only scaled")
def tanh_of_bytes(p):
    return torch.tanh(p.float())


@wrong("1.1", cause="upper and a lower half")
def rows_by_width(p, d):
    odd(p)
    n = p.shape[2] // 2
    a, b = p[:, :n], p[:, n:]
    return (a, b) if d == "AtoB" else (b, a)


class Alternating:
    """Mirrors every second call: nothing is drawn for it."""

    def __init__(self):
        self.calls = 0

    def __call__(self, input, target, size, generator):
        self.calls += 1
        top = int(torch.randint(0, input.shape[1] - size + 1, (), generator=generator))
        left = int(torch.randint(0, input.shape[2] - size + 1, (), generator=generator))
        both = [p[:, top : top + size, left : left + size] for p in (input, target)]
        return tuple(p.flip(-1) for p in both) if self.calls % 2 else tuple(both)


wrong("1.3", cause="with `generator=generator`", found="mirror is")(Alternating())


@wrong("1.3", found="where only one of the two is mirrored")
def input_mirrored_before_it_is_cut(input, target, size, generator):
    if torch.rand((), generator=generator) < 0.5:
        input = input.flip(-1)
    top = int(torch.randint(0, input.shape[1] - size + 1, (), generator=generator))
    left = int(torch.randint(0, input.shape[2] - size + 1, (), generator=generator))
    return tuple(p[:, top : top + size, left : left + size] for p in (input, target))


def cut_both(input, target, size, generator, mirrored):
    top = int(torch.randint(0, input.shape[1] - size + 1, (), generator=generator))
    left = int(torch.randint(0, input.shape[2] - size + 1, (), generator=generator))
    both = [p[:, top : top + size, left : left + size] for p in (input, target)]
    return tuple(p.flip(-1) for p in both) if mirrored(left) else tuple(both)


@wrong("1.3", cause="random number of its own", found="depends on the column")
def mirrored_at_odd_columns(input, target, size, generator):
    return cut_both(input, target, size, generator, lambda left: left % 2)


@wrong("1.3", cause="before it is cut, and the other after")
def one_before_one_after(input, target, size, generator):
    mirror = torch.rand((), generator=generator) < 0.5
    top = int(torch.randint(0, input.shape[1] - size + 1, (), generator=generator))
    left = int(torch.randint(0, input.shape[2] - size + 1, (), generator=generator))
    if not mirror:
        return cut_both(input, target, size, generator, lambda left: False)
    cut = input[:, top : top + size, left : left + size].flip(-1)
    return cut, target.flip(-1)[:, top : top + size, left : left + size]


@wrong("1.3", found="less often than at those between")
def ends_half_as_often(input, target, size, generator):
    top, left = (
        int((torch.rand((), generator=generator) * (side - size)).round()) for side in (input.shape[1], input.shape[2])
    )
    both = [p[:, top : top + size, left : left + size] for p in (input, target)]
    return tuple(p.flip(-1) for p in both) if torch.rand((), generator=generator) < 0.5 else tuple(both)


@wrong("1.3", cause="writes into `input`", found="changed in place")
def whole_picture_flipped_in_place(input, target, size, generator):
    if torch.rand((), generator=generator) < 0.5:
        input[:], target[:] = input.flip(-1), target.flip(-1)
    return cut_both(input, target, size, generator, lambda left: False)


@wrong("1.3", found="shape")
def three_channels_always(input, target, size, generator):
    both = torch.cat([input, target])
    cut, _ = cut_both(both, both, size, generator, lambda left: torch.rand((), generator=generator) < 0.5)
    return cut[:3], cut[3:]
