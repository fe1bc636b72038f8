"""Right and wrong answers to the exercises of chapter 12."""

from __future__ import annotations

import atexit
import copy
import dataclasses
import functools
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from p2plib.checks.outcome import Status
from p2plib.checks.table import right, wrong
from p2plib.data.augment import to_bytes
from p2plib.data.synthetic import draw_city
from p2plib.training import checkpoint, configure
from p2plib.training.large import translate_tiles
from p2plib.training.translate import translate

# --- 12.1 any size ----------------------------------------------------------------------------------


@right("12.1")
def repeated(generator, input):
    step, (height, width) = 2**generator.depth, input.shape[2:]
    input = F.pad(input, (0, -width % step, 0, -height % step), mode="replicate")
    return translate(generator, input)[..., :height, :width]


def drawn(generator, input):
    """By a copy in train mode: the generator itself stays as it came."""
    with torch.no_grad():
        return copy.deepcopy(generator).train()(input)


def as_it_came(generator, input):
    """By a copy in the mode in which the generator came."""
    with torch.no_grad():
        return copy.deepcopy(generator)(input)


def moving(generator, input):
    """By the generator itself, whose running averages move."""
    with torch.no_grad():
        return generator(input)


def continued(input, step, how="edge", sides=None):
    """By NumPy, whose mirrors bounce as often as they must."""
    lacks = sides or [(0, -side % step) for side in input.shape[2:]]
    return torch.from_numpy(np.pad(input.numpy(), [(0, 0), (0, 0), *lacks], mode=how))


@right("12.1")
def mirrored(generator, input):
    height, width = input.shape[2:]
    return drawn(generator, continued(input, 2**generator.depth, "reflect"))[:, :, :height, :width]


@right("12.1")
def mirrored_with_the_edge(generator, input):
    out = drawn(generator, continued(input, 2**generator.depth, "symmetric"))
    return out[:, :, : input.shape[2], : input.shape[3]].contiguous()


@right("12.1")
def around_the_middle(G, x):
    step = 2**G.depth
    (top, bottom), (left, right_) = [((-side % step) // 2, -(-(-side % step) // 2)) for side in x.shape[-2:]]
    out = drawn(G, F.pad(x, (left, right_, top, bottom), mode="replicate"))
    return out[..., top : out.shape[2] - bottom, left : out.shape[3] - right_]


@right("12.1")
def above_and_left(generator, input):
    height, width = input.shape[2:]
    step = 2**generator.depth
    padded = F.pad(input, (-width % step, 0, -height % step, 0), mode="replicate")
    return copy.deepcopy(generator).train()(padded).detach()[..., -height:, -width:]


@right("12.1")
def row_by_row(generator, input):
    x, step = input, 2**generator.depth
    while x.shape[2] % step:
        x = torch.cat([x, x[:, :, -1:]], dim=2)
    while x.shape[3] % step:
        x = torch.cat([x, x[:, :, :, -1:]], dim=3)
    before, mode = copy.deepcopy(generator.state_dict()), generator.training
    with torch.inference_mode():
        out = generator.train()(x)[:, :, : input.shape[2], : input.shape[3]]
    generator.load_state_dict(before)
    generator.train(mode)
    return out


@right("12.1")
def by_index(generator, input):
    step, (height, width) = 2**generator.depth, input.shape[2:]
    rows = torch.arange((height + step - 1) // step * step).clamp(max=height - 1)
    columns = torch.arange((width + step - 1) // step * step).clamp(max=width - 1)
    return drawn(generator, input[:, :, rows[:, None], columns])[..., :height, :width]


def any_size(name, cause=None, found="", status=Status.WRONG):
    """Mark (generator, input, step, height, width) → output."""

    def mark(rule):
        def answer(generator, input):
            return rule(generator, input, 2**generator.depth, *input.shape[2:])

        answer.__name__ = name
        return wrong("12.1", cause=cause, found=found, status=status)(answer)

    return mark


def padded(x, height, width, **how):
    how = how or {"mode": "replicate"}
    return F.pad(x, (0, width - x.shape[3], 0, height - x.shape[2]), **how)


def up(side, step):
    return -(-side // step) * step


@wrong("12.1", status=Status.NOT_ATTEMPTED)
def stub_any(generator, input):
    raise NotImplementedError


any_size("plain", "handed on as it came", "does not fit a U-Net of depth 3", Status.CRASHED)(
    lambda g, x, s, h, w: drawn(g, x)
)
any_size("only_below", "Only one of the two sides", "does not fit", Status.CRASHED)(
    lambda g, x, s, h, w: drawn(g, padded(x, up(h, s), w))[..., :h, :]
)
any_size("only_right", "Only one of the two sides", "does not fit", Status.CRASHED)(
    lambda g, x, s, h, w: drawn(g, padded(x, h, up(w, s)))[..., :w]
)
any_size("exchanged", "changed places", "does not fit", Status.CRASHED)(
    lambda g, x, s, h, w: drawn(g, F.pad(x, (0, -h % s, 0, -w % s), mode="replicate"))[..., :h, :w]
)
any_size("by_depth", "Is something else taken here", "does not fit", Status.CRASHED)(
    lambda g, x, s, h, w: drawn(g, padded(x, up(h, g.depth), up(w, g.depth)))[..., :h, :w]
)
any_size("twice_the_depth", "Is something else taken here", "does not fit", Status.CRASHED)(
    lambda g, x, s, h, w: drawn(g, padded(x, up(h, 2 * g.depth), up(w, 2 * g.depth)))[..., :h, :w]
)
any_size("mirrored_too_far", "A mirror needs a picture larger", "13 × 35 px at depth 3 is right", Status.CRASHED)(
    lambda g, x, s, h, w: drawn(g, padded(x, up(h, s), up(w, s), mode="reflect"))[..., :h, :w]
)
any_size("always_8", "The sides are multiples of 8", "16 × 24 px at depth 3 is right", Status.CRASHED)(
    lambda g, x, s, h, w: drawn(g, padded(x, up(h, 8), up(w, 8)))[..., :h, :w]
)
any_size("always_16", "The sides are multiples of 16", "was given 16 × 48 px; expected was 16 × 40")(
    lambda g, x, s, h, w: drawn(g, padded(x, up(h, 16), up(w, 16)))[..., :h, :w]
)
for fixed in (64, 256):
    any_size(f"always_{fixed}", f"multiples of {fixed}", f"was given {fixed} × {fixed} px; expected was 16 × 40")(
        lambda g, x, s, h, w, fixed=fixed: drawn(g, padded(x, up(h, fixed), up(w, fixed)))[..., :h, :w]
    )
any_size("powers_of_two", "powers of two", "was given 16 × 64 px")(
    lambda g, x, s, h, w: drawn(g, padded(x, 1 << (h - 1).bit_length(), 1 << (w - 1).bit_length()))[..., :h, :w]
)
any_size("square", "made square", "was given 40 × 40 px")(
    lambda g, x, s, h, w: drawn(g, padded(x, up(max(h, w), s), up(max(h, w), s)))[..., :h, :w]
)
any_size("a_step_more", "`step - side % step`", "fits as it is; the generator was given 24 × 32 px")(
    lambda g, x, s, h, w: drawn(g, padded(x, h + s - h % s, w + s - w % s))[..., :h, :w]
)
any_size("two_steps_more", None, "was given 24 × 48 px; expected was 16 × 40")(
    lambda g, x, s, h, w: drawn(g, padded(x, up(h, s) + s, up(w, s) + s))[..., :h, :w]
)
any_size("zeros", "0 is a grey", "beyond its edge everything is 0")(
    lambda g, x, s, h, w: drawn(g, padded(x, up(h, s), up(w, s), value=0))[..., :h, :w]
)
any_size("black", "That is black", "beyond its edge everything is -1")(
    lambda g, x, s, h, w: drawn(g, padded(x, up(h, s), up(w, s), value=-1))[..., :h, :w]
)
any_size("white", "That is white", "beyond its edge everything is 1")(
    lambda g, x, s, h, w: drawn(g, padded(x, up(h, s), up(w, s), value=1.0))[..., :h, :w]
)
any_size("in_a_frame_of_zeros", "0 is a grey", "beyond its edge everything is 0")(
    lambda g, x, s, h, w: drawn(g, F.pad(x, (-w % s, 0, -h % s, 0)))[..., -h:, -w:]
)
any_size("wrapped_around", "from the opposite edge", "does not go on from it")(
    lambda g, x, s, h, w: drawn(g, continued(x, s, "wrap"))[..., :h, :w]
)
any_size("means", None, "lines that are not those next to it")(
    lambda g, x, s, h, w: drawn(g, continued(x, s, "mean"))[..., :h, :w]
)
any_size("resized", "gets another size than in training", "does not stand pixel for pixel")(
    lambda g, x, s, h, w: F.interpolate(drawn(g, F.interpolate(x, (up(h, s), up(w, s)), mode="bilinear")), (h, w))
)
any_size("resized_coarsely", "gets another size than in training", "does not stand pixel for pixel")(
    lambda g, x, s, h, w: F.interpolate(drawn(g, F.interpolate(x, (64, 64))), (h, w))
)
any_size("cut_down", "cut down to the multiple below", "was given 8 × 32 px")(
    lambda g, x, s, h, w: padded(drawn(g, x[..., : h // s * s, : w // s * s]), h, w)
)
any_size(
    "cut_at_the_wrong_end", "cut out of another place", "is given is right; shape and dtype of the output are right"
)(lambda g, x, s, h, w: drawn(g, F.pad(x, (-w % s, 0, -h % s, 0), mode="replicate"))[..., :h, :w])
any_size("cut_the_beginning", "cut out of another place")(
    lambda g, x, s, h, w: drawn(g, padded(x, up(h, s), up(w, s)))[..., -h:, -w:]
)
any_size("not_cut", "Where is it cut back", "has shape (2, 3, 16, 40); expected was (2, 3, 13, 35)")(
    lambda g, x, s, h, w: drawn(g, padded(x, up(h, s), up(w, s)))
)
any_size("cut_by_what_was_added", "`:-0` is empty", "the output has shape (1, 3, 0, 0); expected was (1, 3, 16, 24)")(
    lambda g, x, s, h, w: drawn(g, padded(x, up(h, s), up(w, s)))[..., : -(-h % s), : -(-w % s)]
)
any_size("resized_back", "The output is resized")(
    lambda g, x, s, h, w: F.interpolate(drawn(g, padded(x, up(h, s), up(w, s))), (h, w), mode="bilinear")
)
any_size("in_eval_mode", "This is what eval mode gives")(
    lambda g, x, s, h, w: as_it_came(copy.deepcopy(g).eval(), padded(x, up(h, s), up(w, s)))[..., :h, :w]
)
any_size("in_the_mode_in_which_it_came", "The generator came in eval mode this time")(
    lambda g, x, s, h, w: as_it_came(g, padded(x, up(h, s), up(w, s)))[..., :h, :w]
)
any_size("train_and_not_put_back", "put back into the mode", "the generator is left in train mode")(
    lambda g, x, s, h, w: drawn(g.train(), padded(x, up(h, s), up(w, s)))[..., :h, :w]
)
any_size("one_at_a_time", "Each picture is translated by itself", "2 pictures came in")(
    lambda g, x, s, h, w: torch.cat([repeated(g, one[None]) for one in x])
)
any_size("first_only", None, "2 pictures came in; the generator was given")(
    lambda g, x, s, h, w: repeated(g, x[:1]).expand_as(x)
)
any_size("shown_any", "does showing it belong here")(lambda g, x, s, h, w: (repeated(g, x) + 1) / 2)
any_size("with_its_graph", "drawn under `torch.no_grad()`", "still holds on to its graph")(
    lambda g, x, s, h, w: copy.deepcopy(g)(padded(x, up(h, s), up(w, s)))[..., :h, :w]
)
any_size("moves_the_averages", "translated with your 6.3", "running averages are others after the call")(
    lambda g, x, s, h, w: moving(g, padded(x, up(h, s), up(w, s)))[..., :h, :w]
)
any_size("asks_for_the_generators_base", None, "'UNetGenerator' object has no attribute 'channels'", Status.CRASHED)(
    lambda g, x, s, h, w: drawn(g, padded(x, up(h, s), g.channels))
)
any_size("left_in_eval_mode", "Where is it put back into the mode", "the generator is left in eval mode")(
    lambda g, x, s, h, w: (repeated(g, x), g.eval())[0]
)
any_size("the_input", "Where does `generator` come in", "was never asked")(lambda g, x, s, h, w: x)
any_size("as_array", None, "is a NumPy array")(lambda g, x, s, h, w: repeated(g, x).numpy())
any_size("forgets_return", "forget `return`", "returned `None`")(lambda g, x, s, h, w: None)


@wrong("12.1", cause="writes into `input`", found="`input` was changed in place")
def clamps_the_input(generator, input):
    return repeated(generator, input.mul_(0.5))


# --- 12.2 tile by tile ------------------------------------------------------------------------------


def begun(side, tile, overlap):
    return [*range(0, side - tile, tile - overlap), side - tile]


@right("12.2")
def sums_and_counts(generator, input, tile, overlap):
    sums, counts = torch.zeros_like(input), torch.zeros_like(input)
    for y in begun(input.shape[2], tile, overlap):
        for x in begun(input.shape[3], tile, overlap):
            sums[..., y : y + tile, x : x + tile] += translate(generator, input[..., y : y + tile, x : x + tile])
            counts[..., y : y + tile, x : x + tile] += 1
    return sums / counts


@right("12.2")
def with_a_set(G, picture, tile, overlap):
    height, width = picture.shape[-2:]
    step = tile - overlap
    places = {
        (min(y, height - tile), min(x, width - tile)) for y in range(0, height, step) for x in range(0, width, step)
    }
    out, weight = torch.zeros(picture.shape, dtype=torch.float64), torch.zeros(height, width)
    for y, x in sorted(places):
        out[:, :, y : y + tile, x : x + tile] += translate(G, picture[:, :, y : y + tile, x : x + tile])
        weight[y : y + tile, x : x + tile] += 1
    return (out / weight).float()


@right("12.2")
@torch.inference_mode()
def weighed_beforehand(generator, input, tile, overlap):
    rows, columns = ([*range(0, s - tile, tile - overlap), s - tile] for s in input.shape[2:])
    down, across = (torch.zeros(s) for s in input.shape[2:])
    for y in rows:
        down[y : y + tile] += 1
    for x in columns:
        across[x : x + tile] += 1
    out, generator = torch.zeros_like(input), copy.deepcopy(generator).train()
    for y in reversed(rows):
        for x in reversed(columns):
            here = (slice(None), slice(None), slice(y, y + tile), slice(x, x + tile))
            out[here] += generator(input[here]) / (down[y : y + tile, None] * across[x : x + tile])
    return out


@right("12.2")
def running_mean(generator, input, tile, overlap):
    out, seen = torch.zeros_like(input), torch.zeros(input.shape[2:])
    before, mode = [(buffer, buffer.clone()) for buffer in generator.buffers()], generator.training
    generator.train()
    for y in begun(input.shape[2], tile, overlap):
        for x in begun(input.shape[3], tile, overlap):
            here = (..., slice(y, y + tile), slice(x, x + tile))
            seen[here] += 1
            out[here] += (generator(input[here]).detach() - out[here]) / seen[here]
    for buffer, old in before:
        buffer.copy_(old)
    generator.train(mode)
    return out


@right("12.2")
def one_picture_at_a_time(generator, input, tile, overlap):
    return torch.cat([sums_and_counts(generator, one[None], tile, overlap) for one in input])


@right("12.2")
def by_fold(generator, input, tile, overlap):
    """Each tile folded onto a sheet of its own; the sheets are added up."""
    size, total, count = tuple(input.shape[2:]), 0, 0
    for y in begun(size[0], tile, overlap):
        for x in begun(size[1], tile, overlap):
            margins = (x, size[1] - x - tile, y, size[0] - y - tile)
            out = drawn(generator, input[..., y : y + tile, x : x + tile])
            total, count = total + F.pad(out, margins), count + F.pad(torch.ones_like(out), margins)
    return total / count


@wrong("12.2", status=Status.NOT_ATTEMPTED)
def stub_tiles(generator, input, tile, overlap):
    raise NotImplementedError


def tiled(name, cause=None, found="", status=Status.WRONG, starts=begun, lay=None, finish=None, by=drawn):
    """Mark a wrong answer by where its tiles begin, how one is laid down (out, counts, new), how it ends, who draws."""

    def answer(generator, input, tile, overlap):
        out, counts = torch.zeros_like(input), torch.zeros_like(input)
        number = 0
        for y in starts(input.shape[2], tile, overlap):
            for x in starts(input.shape[3], tile, overlap):
                here = (..., slice(y, y + tile), slice(x, x + tile))
                new = by(generator, input[here])
                number += 1
                if lay:
                    out[here] = lay(out[here], counts[here], new)
                else:
                    out[here] += new
                counts[here] += 1
        return finish(out, counts, number) if finish else out if lay else out / counts

    answer.__name__ = name
    return wrong("12.2", cause=cause, found=found, status=status)(answer)


tiled(
    "last_missing",
    "No tile lies over the last",
    "rows 0, 6; expected were 0, 6, 9",
    starts=lambda s, t, o: range(0, s - t + 1, t - o),
)
tiled("last_always_missing", "No tile lies over the last", starts=lambda s, t, o: range(0, s - t, t - o))
tiled(
    "run_past_the_edge",
    "At the edge a tile is cut short",
    "a float32 tensor of shape (1, 3, 8, 5)",
    starts=lambda s, t, o: range(0, s, t - o),
)
tiled("last_twice", "weighs double", "tiles came for", starts=lambda s, t, o: [*range(0, s - t + 1, t - o), s - t])
tiled(
    "moved_back_twice",
    "weighs double",
    "tiles came for",
    starts=lambda s, t, o: [min(p, s - t) for p in range(0, s, t - o)],
)
tiled(
    "without_overlap",
    "Where does `overlap` come in",
    "rows 0, 8, 9; expected were 0, 6, 9",
    starts=lambda s, t, o: begun(s, t, 0),
)
tiled("without_overlap_and_last", "Where does `overlap` come in", starts=lambda s, t, o: range(0, s - t + 1, t))
tiled(
    "gaps",
    "Do they share these pixels",
    starts=lambda s, t, o: begun(s, t, -o),
    finish=lambda out, n, k: out / n.clamp(min=1),
)
tiled(
    "by_the_overlap",
    "pixels that they share, or that they move on",
    "rows 0, 2, 4",
    starts=lambda s, t, o: begun(s, t, t - (o or t)),
)
tiled(
    "every_half",
    "begin every 4 pixels",
    "tiles begin at rows 0, 4, 8, 9; expected were 0, 6, 9",
    starts=lambda s, t, o: begun(s, t, t // 2),
)
tiled(
    "half_of_the_overlap",
    "begin every 7 pixels",
    "tiles begin at rows 0, 7, 9; expected were 0, 6, 9",
    starts=lambda s, t, o: begun(s, t, o // 2),
)
tiled("a_pixel_too_close", "begin every 5 pixels", starts=lambda s, t, o: range(0, s - t + 1, t - o - 1))
tiled(
    "spread_evenly",
    "The tiles are spread evenly",
    "tiles begin at rows 0, 4, 9; expected were 0, 6, 9",
    starts=lambda s, t, o: [int(y) for y in np.linspace(0, s - t, len(begun(s, t, o)))],
)
tiled(
    "spread_evenly_and_rounded",
    "The tiles are spread evenly",
    starts=lambda s, t, o: np.linspace(0, s - t, len(begun(s, t, o))).round().astype(int).tolist(),
)
tiled("anywhere", None, "rows 0, 1, 9; expected were 0, 6, 9", starts=lambda s, t, o: [0, 1, s - t])
tiled("moves_the_averages", "translated with your 6.3", "running averages are others after the call", by=moving)
tiled(
    "in_eval_mode",
    "This is what eval mode gives",
    "each tile begins where it should",
    by=lambda g, x: as_it_came(copy.deepcopy(g).eval(), x),
)
tiled("eval_without_end", "This is what eval mode gives", by=lambda g, x: as_it_came(g.eval(), x))
tiled("in_the_mode_in_which_it_came", "The generator came in eval mode this time", by=as_it_came)
tiled(
    "left_in_eval_mode",
    "Where is it put back into the mode",
    "the generator is left in eval mode",
    finish=lambda out, n, k: out / n,
    by=lambda g, x: (drawn(g.train(), x), g.eval())[0],
)
tiled("last_wins", "the later one stands alone", "each tile begins where it should", lay=lambda old, n, new: new)
tiled("first_wins", "the first one stands alone", lay=lambda old, n, new: torch.where(n > 0, old, new))
tiled("summed", "By how many is each pixel divided", finish=lambda out, n, k: out)
tiled("by_two", "divided by 2", finish=lambda out, n, k: out / 2)
tiled("by_two_where_they_meet", "divided by 2", finish=lambda out, n, k: torch.where(n > 1, out / 2, out))
tiled("by_all", "number of all tiles", finish=lambda out, n, k: out / k)
tiled("halves", "the third that comes weighs", lay=lambda old, n, new: torch.where(n > 0, (old + new) / 2, new))
tiled("largest", "the largest value of the tiles", lay=lambda old, n, new: torch.where(n > 0, old.maximum(new), new))
tiled("by_the_root", None, "each tile begins where it should", finish=lambda out, n, k: out / n.sqrt())


@wrong("12.2", cause="The picture goes in whole", found="shape (1, 3, 17, 23); expected was (1, 3, 8, 8)")
def whole(generator, input, tile, overlap):
    return drawn(generator, input)


@wrong("12.2", cause="the statistics that are asked here are those of each tile", found="expected was (1, 3, 8, 8)")
def stacked(generator, input, tile, overlap):
    ys, xs = (begun(s, tile, overlap) for s in input.shape[2:])
    out = drawn(generator, torch.cat([input[..., y : y + tile, x : x + tile] for y in ys for x in xs]))
    sums, counts = torch.zeros_like(input), torch.zeros_like(input)
    for new, (y, x) in zip(out.chunk(len(ys) * len(xs)), [(y, x) for y in ys for x in xs], strict=True):
        sums[..., y : y + tile, x : x + tile] += new
        counts[..., y : y + tile, x : x + tile] += 1
    return sums / counts


@wrong("12.2", cause="a tile is filled up", found="no part of the picture")
def filled_up(generator, input, tile, overlap):
    height, width = input.shape[2:]
    more = F.pad(input, (0, tile, 0, tile), mode="replicate")
    sums, counts = torch.zeros_like(more), torch.zeros_like(more)
    for y in range(0, height, tile - overlap):
        for x in range(0, width, tile - overlap):
            here = (..., slice(y, y + tile), slice(x, x + tile))
            sums[here] += drawn(generator, more[here])
            counts[here] += 1
    return (sums / counts)[..., :height, :width]


@wrong("12.2", cause="drawn under `torch.no_grad()`", found="still holds on to its graph")
def tiles_with_their_graph(generator, input, tile, overlap):
    sums, counts = 0, 0
    for y in begun(input.shape[2], tile, overlap):
        for x in begun(input.shape[3], tile, overlap):
            margins = (x, input.shape[3] - x - tile, y, input.shape[2] - y - tile)
            out = copy.deepcopy(generator)(input[..., y : y + tile, x : x + tile])
            sums, counts = sums + F.pad(out, margins), counts + F.pad(torch.ones_like(out), margins)
    return sums / counts


@wrong("12.2", cause="Where does `generator` come in", found="was never asked")
def tiles_of_the_input(generator, input, tile, overlap):
    return input.clone()


@wrong("12.2", found="the output has shape (3, 17, 23)")
def without_its_batch(generator, input, tile, overlap):
    return sums_and_counts(generator, input, tile, overlap)[0]


@wrong("12.2", cause="forget `return`", found="returned `None`")
def tiles_forget_return(generator, input, tile, overlap):
    translate_tiles(generator, input, tile, overlap)


@wrong("12.2", found="NameError", status=Status.CRASHED)
def undefined_tiles(generator, input, tile, overlap):
    return sums / counts  # noqa: F821


# --- 12.3 how far the border reaches ----------------------------------------------------------------


def frames(height, width):
    y, x = torch.arange(height)[:, None], torch.arange(width)
    return torch.minimum(torch.minimum(y, height - 1 - y), torch.minimum(x, width - 1 - x))


@right("12.3")
def by_mask(part, whole):
    apart, distance = (part - whole).abs(), frames(*part.shape[2:])
    return torch.stack([apart[..., distance == d].mean() for d in range(min(part.shape[2:]) // 2)])


@right("12.3")
def peeled(a, b):
    """What the frame and all inside of it hold, less what is inside."""
    apart, means = (a - b).abs().double(), []
    while min(apart.shape[2:]) >= 2:
        inner = apart[..., 1:-1, 1:-1]
        means.append((apart.sum() - inner.sum()) / (apart.numel() - inner.numel()))
        apart = inner
    return torch.stack(means)


@right("12.3")
def four_lines(part, whole):
    apart, means = (part - whole).abs(), []
    for d in range(min(part.shape[2:]) // 2):
        f = apart[..., d : apart.shape[2] - d, d : apart.shape[3] - d]
        lines = [f[..., 0, :], f[..., -1, :], f[..., 1:-1, 0], f[..., 1:-1, -1]]
        means.append(torch.cat([line.flatten() for line in lines]).mean().item())
    return torch.tensor(means)


@right("12.3")
def counted(part, whole):
    n, distance = min(part.shape[2:]) // 2, frames(*part.shape[2:]).flatten()
    apart = (part - whole).abs().mean((0, 1)).flatten()
    return (torch.bincount(distance, apart) / torch.bincount(distance))[:n]


@right("12.3")
def in_numpy(part, whole):
    apart = np.abs(part.numpy() - whole.numpy())
    height, width = apart.shape[2:]
    y, x = np.mgrid[:height, :width]
    distance = np.min([y, height - 1 - y, x, width - 1 - x], axis=0)
    return torch.from_numpy(np.array([apart[:, :, distance == d].mean() for d in range(min(height, width) // 2)]))


@right("12.3")
def of_even_sides_only(part, whole):
    """A quarter of the distances, mirrored: it needs an even height and width."""
    height, width = part.shape[2:]
    quarter = torch.minimum(torch.arange(height // 2)[:, None], torch.arange(width // 2))
    distance = torch.cat([quarter, quarter.flip(0)])
    distance = torch.cat([distance, distance.flip(1)], dim=1)
    apart = (part - whole).abs().mean((0, 1))
    return torch.stack([apart[distance == d].mean() for d in range(min(height, width) // 2)])


@wrong("12.3", status=Status.NOT_ATTEMPTED)
def stub_profile(part, whole):
    raise NotImplementedError


def profile(name, cause=None, found="", status=Status.WRONG):
    """Mark (apart, distance, n) → profile, where apart is signed."""

    def mark(rule):
        def answer(part, whole):
            return rule(part - whole, frames(*part.shape[2:]), min(part.shape[2:]) // 2)

        answer.__name__ = name
        return wrong("12.3", cause=cause, found=found, status=status)(answer)

    return mark


def each(n, rule):
    return torch.stack([rule(d) for d in range(n)])


profile("top_edge", "Only some of the edges", "for pictures of shape (2, 3, 8, 12)")(
    lambda a, f, n: each(n, lambda d: a[..., d, :].abs().mean())
)
profile("left_edge", "Only some of the edges")(lambda a, f, n: each(n, lambda d: a[..., d].abs().mean()))
profile("top_and_bottom", "Only some of the edges")(
    lambda a, f, n: each(n, lambda d: a[..., [d, a.shape[2] - 1 - d], :].abs().mean())
)
profile("signed", "Is `abs` missing")(lambda a, f, n: each(n, lambda d: a[..., f == d].mean()))
profile("signed_then_abs", "of each difference, or of their mean")(
    lambda a, f, n: each(n, lambda d: a[..., f == d].mean().abs())
)
profile("sum_for_mean", "`mean` meant in place of `sum`")(lambda a, f, n: each(n, lambda d: a[..., f == d].abs().sum()))
profile("channels_summed", "The channels, or the pictures, are added up")(
    lambda a, f, n: each(n, lambda d: a.abs().sum(1)[..., f == d].mean())
)
profile("by_all_pixels", "number of all pixels")(lambda a, f, n: each(n, lambda d: (a.abs() * (f == d)).mean()))
profile("squared", "These are squares")(lambda a, f, n: each(n, lambda d: (a[..., f == d] ** 2).mean()))
profile("root_mean_square", "root of the mean square")(
    lambda a, f, n: each(n, lambda d: (a[..., f == d] ** 2).mean().sqrt())
)
profile("largest_of_each", "the largest differences")(lambda a, f, n: each(n, lambda d: a[..., f == d].abs().max()))
profile("one_late", "one pixel late")(lambda a, f, n: each(n, lambda d: a[..., f == d + 1].abs().mean()))
profile("one_less", "right as far as they go", "has shape (3,); expected was (4,)")(
    lambda a, f, n: each(n - 1, lambda d: a[..., f == d].abs().mean())
)
profile("one_more", "right as far as they go", "has shape (5,); expected was (4,)")(
    lambda a, f, n: each(n + 1, lambda d: a[..., f == d].abs().mean())
)
profile("inwards", "everything from there inwards")(lambda a, f, n: each(n, lambda d: a[..., f >= d].abs().mean()))
profile("outwards", "everything from the edge to there")(lambda a, f, n: each(n, lambda d: a[..., f <= d].abs().mean()))
profile("from_the_middle", "begins in the middle")(
    lambda a, f, n: each(n, lambda d: a[..., f == d].abs().mean()).flip(0)
)
profile("first_picture", "Only the first picture")(lambda a, f, n: each(n, lambda d: a[:1, :, f == d].abs().mean()))
profile("first_channel", "Only the first picture")(lambda a, f, n: each(n, lambda d: a[:, :1, f == d].abs().mean()))
profile("each_channel", None, "has shape (4, 3); expected was (4,)")(
    lambda a, f, n: each(n, lambda d: a[..., f == d].abs().mean((0, 2)))
)
profile("a_list", "One tensor of them is asked", "is a list of 4")(
    lambda a, f, n: [a[..., f == d].abs().mean().item() for d in range(n)]
)
profile("a_tuple_of_tensors", "`torch.stack` makes it of tensors", "is a tuple of 4")(
    lambda a, f, n: tuple(a[..., f == d].abs().mean() for d in range(n))
)
profile("median", None, "for pictures of shape")(lambda a, f, n: each(n, lambda d: a[..., f == d].abs().median()))
profile("nothing", "forget `return`", "returned `None`")(lambda a, f, n: None)


@wrong("12.3", cause="without the 1 of `height - 1 - y`", found="for pictures of shape (2, 3, 8, 12)")
def one_too_far_from_the_last(part, whole):
    height, width = part.shape[2:]
    y, x = torch.arange(height)[:, None], torch.arange(width)
    f = torch.minimum(torch.minimum(y, height - y), torch.minimum(x, width - x))
    return torch.stack([(part - whole).abs()[..., f == d].mean() for d in range(min(height, width) // 2)])


@wrong("12.3", cause="without the 1 of `height - 1 - y`")
def one_too_far_from_the_right(part, whole):
    height, width = part.shape[2:]
    y, x = torch.arange(height)[:, None], torch.arange(width)
    f = torch.minimum(torch.minimum(y, height - 1 - y), torch.minimum(x, width - x))
    return torch.stack([(part - whole).abs()[..., f == d].mean() for d in range(min(height, width) // 2)])


@wrong("12.3", cause="A corner stands in two")
def corners_twice(part, whole):
    apart, means = (part - whole).abs(), []
    for d in range(min(part.shape[2:]) // 2):
        f = apart[..., d : apart.shape[2] - d, d : apart.shape[3] - d]
        means.append(
            torch.cat([f[..., i, :].flatten() for i in (0, -1)] + [f[..., i].flatten() for i in (0, -1)]).mean()
        )
    return torch.stack(means)


@wrong("12.3", cause="A corner stands in two")
def means_of_lines(part, whole):
    apart, means = (part - whole).abs(), []
    for d in range(min(part.shape[2:]) // 2):
        f = apart[..., d : apart.shape[2] - d, d : apart.shape[3] - d]
        means.append((f[..., 0, :].mean() + f[..., -1, :].mean() + f[..., 0].mean() + f[..., -1].mean()) / 4)
    return torch.stack(means)


@wrong("12.3", cause="writes into `part`", found="`part` was changed in place")
def subtracts_in_place(part, whole):
    part -= whole
    return by_mask(part, torch.zeros_like(part))


# --- 12.4 both ways, and a city ---------------------------------------------------------------------


FILTERS = ("NEAREST", "BOX", "BILINEAR", "BICUBIC", "LANCZOS")
FACTORS = (2, 3, 4, 8)


@functools.cache
def folder():
    """A folder with runs and pictures of many kinds, made once for this module."""
    root = Path(tempfile.mkdtemp(prefix="p2plib-answers-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        _runs(root)
    _pictures(root)
    return root


def _runs(root):
    config = configure("synthetic-maps", "laptop", size=32, base=2, images=1_000, device="cpu", direction="BtoA")
    back = dataclasses.replace(config, direction="AtoB")
    _run(root / "there", config)
    _run(root / "back", dataclasses.replace(back, seed=3, precision="bf16"))
    _run(root / "again", config)
    _run(root / "stopped", back, step=4)
    _run(root / "other lambda", dataclasses.replace(back, lambda_l1=10.0))
    _run(root / "longer", dataclasses.replace(back, images=8_000))
    facades = dataclasses.replace(config, source="synthetic-facades")
    _run(root / "facades", dataclasses.replace(facades, direction="AtoB"))
    _run(root / "facades of labels", facades)
    _run(root / "cut", back)
    weights = (root / "cut" / "generator.safetensors").read_bytes()
    (root / "cut" / "generator.safetensors").write_bytes(weights[: len(weights) // 2])
    _run(root / "no state", back)
    (root / "no state" / "state.pt").unlink()
    (root / "empty").mkdir()


def _run(run, config, step=0):
    """As a run leaves it that was stopped at this step, or ran to its end; without training."""
    run.mkdir()
    checkpoint.write_config(run, config)
    checkpoint.save_weights(run / "generator.safetensors", checkpoint.build_generator(config))
    steps = config.steps(8_000)
    state = dict.fromkeys(checkpoint._STATE)
    checkpoint.save_state(run / "state.pt", state | {"step": step or steps, "steps": steps, "pairs": 8_000})


def _pictures(root):
    map, aerial = (Image.fromarray(to_bytes(half[0]).permute(1, 2, 0).numpy()) for half in draw_city(3, 96))
    map.save(root / "map.png")
    map.resize((192, 192), Image.Resampling.NEAREST).save(root / "large map.png")
    town = aerial  # as good as one that was drawn
    small = town.crop((0, 0, 48, 32))
    town.crop((0, 0, 96, 64)).save(root / "city.png")
    town.crop((0, 0, 96, 64)).save(root / "city.jpg", quality=80)
    town.crop((0, 0, 64, 64)).save(root / "square.webp", lossless=True)
    small.save(root / "small.png")
    town.crop((0, 0, 96, 40)).save(root / "strip.png")
    Image.new("RGB", (96, 64), "beige").save(root / "beige.png")
    for name in FILTERS:
        for factor in FACTORS:
            small.resize((48 * factor, 32 * factor), Image.Resampling[name]).save(root / f"{name.lower()} {factor}.png")
    (root / "words.png").write_text("these are words, no picture")


def at(name, form=str):
    return form(folder() / name)


right("12.4", at("back"), at("city.png"))(at("there"))
right("12.4", at("back", Path), at("city.jpg", Path))(at("there", Path))
right("12.4", at("facades"), at("square.webp"))(at("facades of labels"))
right("12.4", at("facades of labels"), at("square.webp"))(at("facades"))  # of other pairs, either way round
right("12.4", lambda: at("back"), lambda: at("city.png"))(lambda: at("there"))


def ways(name, there="there", back="back", picture="city.png", cause=None, found="", status=Status.WRONG):
    def answer():
        return at(there) if isinstance(there, str) else there

    answer.__name__ = name
    others = [at(other) if isinstance(other, str) else other for other in (back, picture)]
    wrong("12.4", *others, cause=cause, found=found, status=status)(answer)


wrong("12.4", ..., ..., status=Status.NOT_ATTEMPTED)(...)
wrong("12.4", at("there"), at("back"), ..., status=Status.NOT_ATTEMPTED)(...)
ways("twice_the_same", back="there", cause="Both are the same folder")
ways("same_way", back="again", cause="Both go the same way", found="both runs have direction BtoA")
ways("swapped", "back", "there", cause="Have the two changed places", found="`there` has direction AtoB, and `back`")
ways("stopped", back="stopped", found="is at step 4 of 125; go on with: `python -m p2plib train synthetic-maps --out")
ways(
    "other_lambda",
    back="other lambda",
    cause="Which of two differences",
    found="`lambda_l1` is 100.0 in one and 10.0 in the other",
)
ways("longer", back="longer", cause="Which of two differences", found="`images` is 1000 in one and 8000 in the")
ways("other_source", back="facades", found="trained on synthetic-maps, `back` on synthetic-facades")
ways("cut", back="cut", found="is damaged")
ways("no_state", back="no state", found="has no state.pt")
ways("empty", there="empty", found="empty is no run folder")
ways("nowhere", there="nowhere", cause="that `--out` named", found='/nowhere"')
ways("a_number", there=3, found="`there` is `3`; expected was the path of a run folder")
ways("no_answer", there=None, cause="forget `return`", found="returned `None`")
ways("words", picture="words.png", found="is not a JPEG, PNG or WebP picture")
ways("missing", picture="nothing.png", found="there is no such file")
ways("a_folder", picture="there", found="is a folder, not a picture")
ways("the_map", picture="map.png", cause="where is it translated", found="% of the pixels of `picture` have a map's")
ways("the_map_made_larger", picture="large map.png", cause="where is it translated")
ways(
    "small",
    picture="small.png",
    cause="which side was asked",
    found="has 48 × 32 px, and the runs were trained at 32; expected was 64 or more",
)
ways("strip", picture="strip.png", cause="which side was asked", found="has 96 × 40 px")
ways("beige", picture="beige.png", found="is of one colour")
for kind in ("nearest", "box"):
    for times in FACTORS:
        ways(
            f"{times}_times_by_{kind}",
            picture=f"{kind} {times}.png",
            cause="Was it the input",
            found="% of the lines repeat the one before",
        )
for kind in ("bilinear", "bicubic", "lanczos"):
    for times in FACTORS:
        ways(
            f"{times}_times_by_{kind}",
            picture=f"{kind} {times}.png",
            cause="Was it the input",
            found="has no finest details",
        )


@wrong("12.2", cause="Does a tile take its part of every picture", found="of 2 pictures that came in 1 were cut")
def first_picture_only(generator, input, tile, overlap):
    return sums_and_counts(generator, input[:1], tile, overlap).expand_as(input)


@wrong("12.2", cause="Have height and width changed places")
def exchanged_starts(generator, input, tile, overlap):
    sums, counts = torch.zeros_like(input), torch.zeros_like(input)
    for y in begun(input.shape[3], tile, overlap):
        for x in begun(input.shape[2], tile, overlap):
            sums[..., y : y + tile, x : x + tile] += drawn(generator, input[..., y : y + tile, x : x + tile])
            counts[..., y : y + tile, x : x + tile] += 1
    return sums / counts
