"""The two networks in the layout of the best-known PyTorch code for pix2pix: its names and channel order, in and out.

That code nests its U-Net: each level holds the next, so that names grow with depth (``model.model.0.weight``,
``model.model.1.model.1.weight``, ``model.model.1.model.3.model.1.weight``, …).  Its discriminator is a plain chain, as
ours is.  Source: the class names and layer lists of github.com/junyanz/pytorch-CycleGAN-and-pix2pix.

A file does not say everything: not whether dropout was used, and not how skips were joined.  Read here is what that
code does by default and has done for most of its life: dropout 0.5, and [skip, decoder].
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from p2plib.errors import UserError
from p2plib.models import PATCHES, PatchDiscriminator, UNetGenerator, dropout_blocks

DEPTHS = range(5, 9)  # that code builds no U-Net below 5, we none above 8
_COUNTER = "num_batches_tracked"


def generator_from(state: Mapping[str, Tensor], where: object, reference: str = "pytorch") -> UNetGenerator:
    """The generator that a state dict of that code describes, with its weights, in train mode.

    Args:
        state: from `p2plib.training.exchange.read_state`.
        where: what the state was read from, for the sentence if it does not fit.
        reference: "pytorch" is that network, dropout included.  "paper" swaps the channels that each decoder block
            takes, so that the output is the same wherever dropout is off; dropout then sits where the paper has it.

    Raises:
        UserError: for another network, a depth outside 5 to 8, instance norm, or shapes that do not fit.
    """
    state = _plain(state)
    _refuse_other_networks(state, where)
    depth = _depth(state, where)
    names = generator_names(depth)
    _refuse_other_norms(state, names, where)
    first, last = state["model.model.0.weight"], state.get("model.model.3.weight", torch.empty(0))
    if first.dim() != 4 or last.dim() != 4 or not first.numel() or not last.numel():
        raise UserError(f"{where}: its first or its last convolution is missing, or has not the shape of one.")
    with torch.device("meta"):  # nothing is drawn, so torch's random state stays as it was
        net = UNetGenerator(first.shape[1], last.shape[1], first.shape[0], depth, reference=reference)
    renamed = {key: _renamed(key, names) for key in net.state_dict()}
    found = _fitting(net, renamed, state, where, f"a U-Net of base {net.base} and depth {depth}")
    net.load_state_dict(_order_of(net, found), assign=True)
    return net


def generator_state(net: UNetGenerator) -> dict[str, Tensor]:
    """What `generator_from` reads: the weights of a generator of either reference, by that code's names.

    Raises:
        UserError: for a network that the code cannot build: without skips, or of a depth below 5.
    """
    if not net.skips or net.depth not in DEPTHS:
        raise UserError(
            f"That code's U-Net has skips and a depth of {DEPTHS[0]} or more; this one has "
            f"{'a depth of ' + str(net.depth) if net.skips else 'no skips'}."
        )
    names = generator_names(net.depth)
    ours = _order_of(net, {key: _exported(value) for key, value in net.state_dict().items()})
    return {_renamed(key, names): value for key, value in ours.items()}


def generator_names(depth: int) -> dict[str, str]:
    """Our name → that code's name of each layer with weights, from the outermost level to the innermost."""
    names, prefix = {}, "model.model."
    for level in range(depth):
        up, outermost, innermost = depth - 1 - level, level == 0, level == depth - 1
        names[f"down.{level}.conv"] = prefix + ("0" if outermost else "1")
        if not outermost and not innermost:
            names[f"down.{level}.norm"] = prefix + "2"
        names[f"up.{up}.conv"] = prefix + ("3" if outermost or innermost else "5")
        if not outermost:
            names[f"up.{up}.norm"] = prefix + ("4" if innermost else "6")
        prefix += "1.model." if outermost else "3.model."
    return names


def discriminator_from(state: Mapping[str, Tensor], where: object) -> PatchDiscriminator:
    """The discriminator that a state dict of that code describes (latest_net_D.pth), with its weights.

    Raises:
        UserError: for another network, a PixelGAN (its last layer has no bias there), or shapes that do not fit.
    """
    state = _plain(state)
    convolutions = [
        key for key, value in state.items() if re.fullmatch(r"model\.\d+\.weight", key) and value.dim() == 4
    ]
    patches = {n + 2: patch for patch, n in PATCHES.items() if n}
    if "model.0.weight" not in convolutions or len(convolutions) not in patches:
        raise UserError(
            f"{where} holds no PatchGAN discriminator (latest_net_D.pth) with 1 to 5 strided convolutions, "
            f"which would have the weights model.0.weight, model.2.weight, model.3.weight and so on."
        )
    base, channels = state["model.0.weight"].shape[:2]
    with torch.device("meta"):
        net = PatchDiscriminator(channels, base, patches[len(convolutions)])
    renamed = {key: f"model.{key}" for key in net.state_dict()}
    found = _fitting(net, renamed, state, where, f"a PatchGAN of base {base} and patch {net.patch}")
    net.load_state_dict(found, assign=True)
    return net


def discriminator_state(net: PatchDiscriminator) -> dict[str, Tensor]:
    """What `discriminator_from` reads.

    Raises:
        UserError: for a PixelGAN, whose last bias has no place there.
    """
    if net.patch == 1:
        raise UserError("A discriminator of patch 1 cannot be exported: in that code its last layer has no bias.")
    return {f"model.{key}": _exported(value) for key, value in net.state_dict().items()}


def dropout_sides(depth: int, reference: str) -> str:
    """Sides of the decoder's maps that drop out, for a picture of 2**depth px: "2, 4 and 8"."""
    sides = [str(2 ** (block + 1)) for block in dropout_blocks(depth, reference)]
    return " and ".join([", ".join(sides[:-1]), sides[-1]] if len(sides) > 1 else sides) or "no side"


def _plain(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names without what DataParallel ("module.") and torch.compile ("_orig_mod.") put before them."""
    return {re.sub(r"^(module\.|_orig_mod\.)+", "", key): value for key, value in state.items()}


def _renamed(key: str, names: Mapping[str, str]) -> str:
    layer, _, tensor = key.rpartition(".")
    return f"{names[layer]}.{tensor}"


def _exported(value: Tensor) -> Tensor:
    return value.detach().cpu().contiguous().clone()


def _order_of(net: UNetGenerator, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """From [skip, decoder] to the network's own order of channels, or back: the paper's has the halves exchanged."""
    if net.reference == "pytorch":
        return state
    swapped = {f"up.{block}.conv.weight" for block in range(1, net.depth)}  # up.0 takes no skip
    return {key: torch.cat(value.chunk(2)[::-1]) if key in swapped else value for key, value in state.items()}


def _depth(state: Mapping[str, Tensor], where: object) -> int:
    """How many levels are nested in one another."""
    nested = (re.match(r"model\.model\.(1\.model\.)?((?:3\.model\.)*)", key) for key in state)
    depth = max(1 + bool(m[1]) + (m[2].count("model") if m[1] else 0) for m in nested if m)
    if depth not in DEPTHS:
        raise UserError(
            f"{where} holds a U-Net of depth {depth}: only depths {DEPTHS[0]} to {DEPTHS[-1]} can be imported, such as "
            f"7 (unet_128) and 8 (unet_256)."
        )
    return depth


def _refuse_other_networks(state: Mapping[str, Tensor], where: object) -> None:
    """Say by name what the file holds in place of a U-Net."""
    if any(".conv_block." in key for key in state):
        raise UserError(
            f"{where} holds a ResNet generator, as CycleGAN's files do, some under the same names as pix2pix's: only "
            f"the U-Nets unet_128 and unet_256 can be imported."
        )
    if "model.model.0.weight" not in state:
        if {"model.0.weight", "model.2.weight"} <= state.keys():
            raise UserError(f"{where} holds a discriminator: give the generator's file, such as latest_net_G.pth.")
        if {"net.0.weight", "net.2.weight"} <= state.keys():
            raise UserError(f"{where} holds a PixelGAN discriminator: give the generator's file, latest_net_G.pth.")
        raise UserError(
            f"{where} holds no U-Net of the common PyTorch code: its first entry is {min(state)}, and "
            f"model.model.0.weight is missing."
        )


def _refuse_other_norms(state: Mapping[str, Tensor], names: Mapping[str, str], where: object) -> None:
    """Before instance norm that code gives each convolution a bias; before batch norm none but the last has one."""
    convolutions = [theirs for ours, theirs in names.items() if ours.endswith(".conv") and theirs != "model.model.3"]
    if any(f"{theirs}.bias" in state for theirs in convolutions):
        raise UserError(
            f"{where} has a bias on every convolution, as networks with instance norm have (--norm instance): only "
            f"networks with batch norm can be imported."
        )
    if not any(key.endswith(".running_mean") for key in state):
        raise UserError(f"{where} has no batch norm in it (--norm none or instance): only batch norm can be imported.")


def _fitting(
    net: nn.Module, renamed: Mapping[str, str], state: dict[str, Tensor], where: object, what: str
) -> dict[str, Tensor]:
    """The state by our names, float32, each tensor with memory of its own.

    Files of torch 0.4 and before have no counter of batches: it is 0 then.
    """
    if extra := sorted(state.keys() - set(renamed.values())):
        raise UserError(f"{where} holds {extra[0]}, which {what} has not.")
    found = {}
    for ours, wanted in net.state_dict().items():
        theirs = renamed[ours]
        if theirs not in state and ours.endswith(_COUNTER):
            found[ours] = torch.zeros((), dtype=torch.long)
            continue
        if theirs not in state:
            raise UserError(f"{where} lacks {theirs}, which {what} has.")
        value = state[theirs]
        if value.shape != wanted.shape:
            raise UserError(
                f"{where}: {theirs} has shape {tuple(value.shape)}, and {what} has {tuple(wanted.shape)} there."
            )
        if not torch.isfinite(value).all():
            raise UserError(f"{where}: {theirs} holds numbers that are not finite; its training failed.")
        found[ours] = value.detach().to(wanted.dtype, copy=True).contiguous()
    return found
