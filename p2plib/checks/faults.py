"""The eight faults of chapter 07: the signs of each, by the numbers that a learner sees, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Measures = Mapping[str, float]


@dataclass(frozen=True)
class Sign:
    """What is there if a fault is there.

    Attributes:
        holds: is it there, by these measurements (`p2plib.clinic.MEASURES`)?
        missing: what to say where it is not; names in braces stand for measurements.  `healthy[…]`: of the healthy run.
    """

    holds: Callable[[Measures], bool]
    missing: str


@dataclass(frozen=True)
class Fault:
    """One of the names to choose from.

    Attributes:
        signs: in the order in which they are asked for.
        explained: for who named it: what happens, what to look at in one's own runs, how to mend it; braces as above.
    """

    signs: tuple[Sign, ...]
    explained: str


MOVES = Sign(
    lambda m: m["moved"] > 0.01,
    "G would still learn. Here its weights are where they were: G has moved {moved}.",
)
WALKS = Sign(
    lambda m: m["moved"] < 3,
    "G's weights would go less than their own length, as in a healthy run. Here they went {moved} times that.",
)
SAME_PLACE = Sign(
    lambda m: m["l1_mirrored"] > 1.15 * m["l1"],
    "outputs would be nearer to their own targets than to mirrored ones. Here it is {l1} to {l1_mirrored}.",
)
ALONE = Sign(
    lambda m: m["share"] > 0.9,
    "D's term would move G nearly alone. Here its say is {share}.",
)

FAULTS = {
    "d-wins": Fault(
        (
            MOVES,
            Sign(
                lambda m: m["loss_d_end"] < 0.2,
                "D's loss would be near 0. Here it ends at {loss_d_end}, beside {healthy[loss_d_end]} in the healthy "
                "run.",
            ),
            WALKS,
        ),
        "G lags for two reasons: its steps are short, and D soon tells its outputs in nearly every cell. So D's loss "
        "is near 0, G's is high, and G has moved {moved} of its length, beside {healthy[moved]} in the healthy run. In "
        "your own runs look at D's accuracy over hundreds of steps, and at the rates of both optimizers. To mend it: "
        "equal rates; where they are equal already, a smaller D.",
    ),
    "eval-mode": Fault(
        (
            Sign(
                lambda m: m["l1"] > 1.1 * m["held_out_end"],
                "the outputs shown would be farther from their targets than the trainer measured. Here it is {l1}, "
                "and the curve of held-out pairs ends at {held_out_end}.",
            ),
            Sign(
                lambda m: m["modes"] > 0.1,
                "outputs would change a lot with the mode. Here the two modes differ by {modes}.",
            ),
        ),
        "Every curve is that of the healthy run: the training is sound, and only what is shown is not. The norms' "
        "running averages do not fit these weights. In your own runs translate the same input in both modes. To mend "
        "it: translate with the statistics of the batch, as the paper does, or see that the averages have had time.",
    ),
    "inputs-mirrored": Fault(
        (
            MOVES,
            WALKS,
            Sign(
                lambda m: m["loss_pixel_end"] > m["held_out_end"] + 0.02,
                "training pairs would be met plainly worse than held-out ones, which nothing mirrors. Here L1 ends at "
                "{loss_pixel_end} in training and at {held_out_end} held out, no farther apart than in the healthy run "
                "({healthy[loss_pixel_end]} and {healthy[held_out_end]}).",
            ),
            Sign(
                lambda m: m["l1_mirrored"] < 1.5 * m["l1"],
                "the mirrored target would pull at the outputs, too. Here they are {l1} from their own and "
                "{l1_mirrored} from the mirrored one.",
            ),
        ),
        "Half of what G was shown says that left is right. It cannot know which half, so there are houses in the water "
        "where the mirrored town has some. Held-out pairs, which nothing mirrors, are met better than training pairs. "
        "In your own runs draw some pairs just before they go into the networks. To mend it: draw the random numbers "
        "once a pair, for both halves.",
    ),
    "lambda-on-d": Fault(
        (
            MOVES,
            WALKS,
            ALONE,
            Sign(
                lambda m: m["l1"] > 0.19 and m["l1_other"] > 1.15 * m["l1"],
                "outputs would still follow their inputs, since D sees them. Here they are {l1} from their own "
                "targets and {l1_other} from another pair's.",
            ),
            SAME_PLACE,
        ),
        "L1 is still computed, and weighs next to nothing beside 100 times D's term: this is a cGAN without L1. "
        "Outputs are farther from their targets, and sharper than these ({sharpness}): not by detail, by a grid and "
        "specks. In your own runs print both terms, as weighted, in the first step: λ · L1 should be by far the "
        "larger. To mend it: `gan + lambda_l1 * pixel`.",
    ),
    "no-condition": Fault(
        (
            MOVES,
            WALKS,
            ALONE,
            Sign(
                lambda m: m["l1_other"] < 1.15 * m["l1"],
                "outputs would have little to do with their inputs. Here they are {l1} from their own targets, and "
                "{l1_other} from another pair's.",
            ),
        ),
        "D judges pictures alone, so any picture that looks real will do, and nothing ties G to the map. At λ = 100 "
        "L1 would tie it, and hide the fault. In your own runs compare the distance to the own target with that to "
        "another's, or count the channels that D takes: 6. To mend it: `torch.cat([input, picture], dim=1)` in all "
        "three places.",
    ),
    "no-gradient": Fault(
        (
            Sign(
                lambda m: m["moved"] < 0.001,
                "no weight of G would move. Here they went {moved} of their length.",
            ),
        ),
        "G's weights are those of the start: the outputs are what an untrained network draws, and D has an easy game. "
        "In your own runs look whether a weight of G has a gradient after `backward()`, and whether it changes with a "
        "step. To mend it: `detach()` belongs into D's step alone.",
    ),
    "rate-too-high": Fault(
        (
            Sign(
                lambda m: m["moved"] > 3,
                "G's weights would go many times their own length. Here they went {moved} times that, beside "
                "{healthy[moved]} in the healthy run.",
            ),
        ),
        "Each step throws the weights far: they end {moved} times their own length from the start. The first steps "
        "make outputs worse (L1 begins at 0.55), G's loss shoots up once, and the roofs are blocks. In your own runs "
        "try a tenth of the rate for some hundred steps; if the curves become calm, that was it. To mend it: a lower "
        "rate.",
    ),
    "sigmoid-twice": Fault(
        (
            Sign(
                lambda m: 0.5 <= m["loss_d_end"] < 0.6,
                "D's loss would come down to 0.50 and stay, and its accuracy would be level at one half. Here the loss "
                "ends at {loss_d_end}, and the accuracy is not level.",
            ),
            Sign(
                lambda m: abs(m["d_accuracy_end"] - 0.5) < 0.005,
                "D would be right in one half of its cells. Here it is right in {d_accuracy_end}.",
            ),
        ),
        "D says a number between 0 and 1, and the loss takes it for a logit. So D's loss cannot come below "
        '(0.31 + 0.69) / 2 = 0.50, and D is "right" in half of its cells, since it never says less than 0. '
        "To mend it: no sigmoid at D's end, or a loss that takes probabilities.",
    ),
}
