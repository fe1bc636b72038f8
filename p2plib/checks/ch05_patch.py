"""Exercises of chapter 05: the field of one logit, the depth that it takes, the 70-px discriminator, its map."""

from __future__ import annotations

from p2plib.checks import patch_field, patch_map, patch_net
from p2plib.checks.registry import Exercise, Part
from p2plib.models import PatchDiscriminator, receptive_field

EXERCISES = (
    Exercise(
        id="5.1",
        title="receptive field",
        parts=(Part("receptive_field", ("layers",), receptive_field),),
        check=patch_field.check_field,
        hints=(
            "One layer with a kernel of 4 sees 4 pixels, whatever its stride. No layer at all sees 1.",
            "A second layer takes 4 neighbours of the first one's map. How many pixels apart are they in the picture?",
            "Keep two numbers: the field, and how many pixels one step of the present map is. Both begin with 1.",
            "Each layer widens the field by (kernel − 1) steps; after that, and not before, a step is `stride` times "
            "as long.",
        ),
    ),
    Exercise(
        id="5.2",
        title="the depth for a field",
        parts=(Part("stride_two_layers", ("field",), patch_field.stride_two_layers),),
        check=patch_field.check_depth,
        hints=(
            "For n = 1 the field is 16. Which n would you try next if that is too small?",
            "A `while` loop needs no upper end: as long as the field of n is smaller than `field`, n grows by 1.",
            "Your 5.1 gives the field of `[(4, 2)] * n + [(4, 1), (4, 1)]`.",
        ),
    ),
    Exercise(
        id="5.3",
        title="the 70-px discriminator",
        parts=(Part("PatchDiscriminator", ("in_channels", "base"), PatchDiscriminator, "class"),),
        check=patch_net.check_net,
        hints=(
            "Five convolutions k4 p1: three of stride 2, two of stride 1. The channels: base, then 2, 4 and 8 times "
            "base, then 1.",
            "The first four have a LeakyReLU(0.2) after them, the second to fourth a batch norm before it.",
            "A bias before a batch norm is subtracted again: `bias=False` there; the first and the last have one.",
            "`nn.Sequential` can hold it all, and `forward` calls it. What the last convolution gives are the logits.",
        ),
    ),
    Exercise(
        id="5.4",
        title="its map",
        parts=(Part("map_side", ("side",), patch_map.map_side),),
        check=patch_map.check_map,
        hints=(
            "Take the formula of 2.1, (side + 2 · padding − kernel) // stride + 1, one layer after the other.",
            "k4 s2 p1 halves a side and rounds down; k4 s1 p1 makes it smaller by 1. How many of each are there?",
            "If what is left at the end is smaller than 1, `raise ValueError(…)` with a sentence that names the side.",
        ),
    ),
)
