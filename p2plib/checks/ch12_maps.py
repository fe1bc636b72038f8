"""Exercises of chapter 12: pictures of any size, in tiles, how far a border reaches, and a run each way."""

from __future__ import annotations

from p2plib.checks import any_size, border, both_ways, tiles
from p2plib.checks.registry import Exercise, Part
from p2plib.training.large import border_profile, translate_any, translate_tiles

EXERCISES = (
    Exercise(
        id="12.1",
        title="any size",
        parts=(Part("translate_any", ("generator", "input"), translate_any),),
        check=any_size.check_any_size,
        hints=(
            "How many times does the generator halve a picture? Which sides does that ask for?",
            "What a side lacks to the next multiple of `step` is `-side % step`; that is 0 where nothing is missing.",
            '`F.pad(input, (left, right, top, bottom), mode="replicate")` repeats the last line, however small the '
            "picture.",
            "Translate with your 6.3, and cut: what was added to the right and below is cut off again there.",
        ),
    ),
    Exercise(
        id="12.2",
        title="tile by tile",
        parts=(Part("translate_tiles", ("generator", "input", "tile", "overlap"), translate_tiles),),
        check=tiles.check_tiles,
        hints=(
            "First on paper, one side of 17 px in tiles of 8 that share 2: where does each begin, and where the last?",
            "They begin every `tile - overlap` pixels; the last begins at `side - tile`, and is there once.",
            "Two tensors help: the sum of all that was drawn at a pixel, and how many tiles have drawn there.",
            "Each tile goes through the generator by your 6.3: nothing is learned, and its running averages stay.",
        ),
    ),
    Exercise(
        id="12.3",
        title="how far the border reaches",
        parts=(Part("border_profile", ("part", "whole"), border_profile),),
        check=border.check_profile,
        hints=(
            "Draw a picture of 4 × 6 px, and write into each its distance to the nearest edge.",
            "A row is `y` pixels from the top and `height - 1 - y` from the bottom: the smaller counts, and with the "
            "columns the smallest of four.",
            "`torch.arange(height)[:, None]` and `torch.arange(width)` make one table of distances.",
            "For each distance: `apart[..., distance == d].mean()`.",
        ),
    ),
    Exercise(
        id="12.4",
        title="both ways, and a city",
        parts=tuple(Part(name, kind="value") for name in both_ways.NAMES),
        check=both_ways.check_both_ways,
        hints=(
            "Two commands that differ in two options only: `--direction` and `--out`.",
            'A run is finished when its last step is done; `--resume` goes on with one that was stopped. "Done" is the '
            "last line that it prints.",
            "`python -m p2plib translate RUN PICTURE --out FOLDER`, without `--size`, keeps the size of the picture: "
            "the input has to be large.",
        ),
    ),
)
