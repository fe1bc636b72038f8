"""Exercises of chapter 03: the pixel losses, what minimises them, and what that does to a picture.

Each has its reference answers and its check in a module of its own.
"""

from __future__ import annotations

from p2plib.checks import constants, descent, edges, pixel, which_loss
from p2plib.checks.registry import Exercise, Part

EXERCISES = (
    Exercise(
        id="3.1",
        title="both losses",
        parts=(
            Part("l1_loss", ("output", "target"), pixel.l1_loss),
            Part("l2_loss", ("output", "target"), pixel.l2_loss),
        ),
        check=pixel.check_losses,
        hints=(
            "Three steps: the difference of each pixel, a size that is never below 0, one number for all of them.",
            "`x.abs()` and `x ** 2` work on each pixel; `x.mean()` without `dim` takes all of them together.",
            "Return what `mean()` gives: a tensor without dimensions. `.item()` would cut it off from its gradient.",
        ),
    ),
    Exercise(
        id="3.2",
        title="the best constant, by hand",
        parts=(
            Part("best_l1", ("outcomes",), constants.best_l1),
            Part("best_l2", ("outcomes",), constants.best_l2),
        ),
        check=constants.check_constants,
        hints=(
            "Pixels do not matter to each other. Take one, with outcomes 0, 0, 0, 0, 1: which constant costs least?",
            "Move the constant up a little. L1 grows by each outcome below and shrinks by each one above.",
            "One loss is least where as many lie above as below; the other where the differences add up to 0.",
            "Dimension 0 counts the outcomes. `median(dim=0)` returns two things; the picture is `.values`.",
        ),
    ),
    Exercise(
        id="3.3",
        title="the best constant, by descent",
        parts=(Part("descend", ("loss", "outcomes", "steps", "rate"), descent.descend),),
        check=descent.check_descent,
        hints=(
            "The picture that is sought is the only thing that changes: zeros at first, and `requires_grad`.",
            "In each step: repeat the picture N times (`expand_as`), the loss to all outcomes, its gradient, one move.",
            "`backward()` adds to `.grad`: empty it before each step. `torch.autograd.grad(value, c)` adds nothing up.",
            "Move inside of `with torch.no_grad():`, by `c -= rate * c.grad`; at the end return `c.detach()`.",
        ),
    ),
    Exercise(
        id="3.4",
        title="tell the losses apart by measurement",
        parts=(Part("which_loss", ("output", "outcomes"), which_loss.which_loss),),
        check=which_loss.check_which_loss,
        hints=(
            "What would the output look like if the network had learned perfectly with L1? And with L2?",
            "Make both best pictures of 3.2 from `outcomes`. The output lies nearer to one of them.",
            "Measure both distances in the same way, for example as `(output - best).abs().mean()`, and compare.",
        ),
    ),
    Exercise(
        id="3.5",
        title="read a blur",
        parts=(
            Part("edge_places", ("profile", "left", "right"), edges.edge_places),
            Part("l1_profile", ("profile", "left", "right"), edges.l1_profile),
        ),
        check=edges.check_edges,
        hints=(
            "A pixel lies at a third of the way from `left` to `right`: how many pictures have passed their edge?",
            "From pixel i to the next, that share grows by the pictures whose edge lies between the two.",
            "`profile.diff()` is one shorter than `profile`. What is the whole step, for an edge that is always there?",
            "The share that has passed is (profile − left) / (right − left). Where it is above 0.5, L1 shows `right`.",
        ),
    ),
)
