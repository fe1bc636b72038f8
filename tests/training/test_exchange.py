"""Weights of the common PyTorch code: in as run folders, out as files, and every file that does not fit named."""

from __future__ import annotations

import collections
import copy
import json
import os
import pickle
import re
import zipfile
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from p2plib.errors import UserError
from p2plib.models import PatchDiscriminator, UNetGenerator, parameter_count
from p2plib.training import Trainer, checkpoint, common_layout, configure, exchange
from p2plib.training.common_layout import (
    discriminator_from,
    discriminator_state,
    dropout_sides,
    generator_from,
    generator_state,
)
from p2plib.training.exchange import export_weights, import_weights, read_state

# --- the network of that code, from its list of layers: each level holds the next -------------------------


class Level(nn.Module):
    """What the decoder sees from one level on: its input, and beside it what the levels inside make of it."""

    def __init__(self, outside, inside, within=None, *, picture=None, dropout=False, norm=nn.BatchNorm2d):
        super().__init__()
        self.outermost, innermost = picture is not None, within is None
        bias = norm is nn.InstanceNorm2d
        layers = [] if self.outermost else [nn.LeakyReLU(0.2, inplace=True)]
        layers.append(nn.Conv2d(picture or outside, inside, 4, 2, 1, bias=bias))
        if not self.outermost and not innermost:
            layers.append(norm(inside))
        layers += [] if innermost else [within]
        layers.append(nn.ReLU(inplace=True))
        came_up = inside if innermost else 2 * inside
        layers.append(nn.ConvTranspose2d(came_up, outside, 4, 2, 1, bias=bias or self.outermost))
        layers.append(nn.Tanh() if self.outermost else norm(outside))
        layers += [nn.Dropout(0.5)] if dropout else []
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


class Theirs(nn.Module):
    """The U-Net: eight times the base in the middle, dropout on the levels that keep that width on both sides."""

    def __init__(self, in_channels=3, out_channels=3, depth=8, base=64, dropout=True, norm=nn.BatchNorm2d):
        super().__init__()
        level = Level(8 * base, 8 * base, norm=norm)
        for _ in range(depth - 5):
            level = Level(8 * base, 8 * base, level, dropout=dropout, norm=norm)
        for width in (4, 2, 1):
            level = Level(width * base, 2 * width * base, level, norm=norm)
        self.model = Level(out_channels, base, level, picture=in_channels, norm=norm)

    def forward(self, x):
        return self.model(x)


class TheirJudge(nn.Module):
    """The PatchGAN with n strided convolutions."""

    def __init__(self, in_channels=6, base=8, n=3):
        super().__init__()
        layers = [nn.Conv2d(in_channels, base, 4, 2, 1), nn.LeakyReLU(0.2, True)]
        width = base
        for i in range(1, n + 1):
            wider = base * min(2**i, 8)
            layers += [nn.Conv2d(width, wider, 4, 2 if i < n else 1, 1, bias=False)]
            layers += [nn.BatchNorm2d(wider), nn.LeakyReLU(0.2, True)]
            width = wider
        self.model = nn.Sequential(*layers, nn.Conv2d(width, 1, 4, 1, 1))

    def forward(self, x):
        return self.model(x)


def drawn(net, seed=0):
    """Random weights and running statistics, of sizes at which every level still counts in the output."""
    rng = torch.Generator().manual_seed(seed)
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            fan = module.weight[0].numel() if isinstance(module, nn.Conv2d) else module.weight[:, 0].numel() / 4
            module.weight.data = torch.randn(module.weight.shape, generator=rng) * (1.6 / fan) ** 0.5
        elif isinstance(module, nn.BatchNorm2d):
            module.weight.data = 1 + 0.2 * torch.randn(module.weight.shape, generator=rng)
            module.running_mean = 0.3 * torch.randn(module.weight.shape, generator=rng)
            module.running_var = 0.5 + torch.rand(module.weight.shape, generator=rng)
            module.num_batches_tracked = torch.tensor(77)
        else:
            continue
        if module.bias is not None:
            module.bias.data = 0.1 * torch.randn(module.bias.shape, generator=rng)
    return net


def noise(*shape, seed=1):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def without_dropout(net):
    """A copy in train mode whose dropout passes everything."""
    net = copy.deepcopy(net).train()
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return net


def saved(net_or_state, path, **options):
    torch.save(net_or_state.state_dict() if isinstance(net_or_state, nn.Module) else net_or_state, path, **options)
    return path


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) and a[key].dtype == b[key].dtype for key in a)


@pytest.fixture(scope="module")
def theirs():
    """A small network of that code for 128 px."""
    return drawn(Theirs(depth=7, base=4))


@pytest.fixture
def pth(theirs, tmp_path):
    return saved(theirs, tmp_path / "latest_net_G.pth")


# --- the same network --------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("depth", [7, 8])
def test_the_outputs_are_the_same(depth, batch, tmp_path):
    theirs = drawn(Theirs(depth=depth, base=8))
    import_weights(saved(theirs, tmp_path / "G.pth"), tmp_path / "run")
    ours = checkpoint.load_generator(tmp_path / "run")
    x = noise(batch, 3, 2**depth, 2**depth)
    with torch.no_grad():
        theirs.eval(), ours.eval()
        assert (theirs(x) - ours(x)).abs().max() <= 1e-6
        # Were the innermost level lost, the output would show it, so that the line above says something.
        lame = copy.deepcopy(ours)
        lame.up[0].conv.weight.zero_()
        assert (lame(x) - ours(x)).abs().max() > 1e-3
        for net in (theirs, ours):  # with dropout: drawn in the same order, at the same places
            net.train()
        torch.manual_seed(3)
        expected = theirs(x)
        torch.manual_seed(3)
        assert (ours(x) - expected).abs().max() <= 1e-6
        assert (without_dropout(ours)(x) - without_dropout(theirs)(x)).abs().max() <= 1e-6
        assert (expected - without_dropout(theirs)(x)).abs().max() > 0.05  # dropout was on


def test_the_published_size():
    theirs = drawn(Theirs())
    ours = generator_from(theirs.state_dict(), "file")
    assert parameter_count(ours) == parameter_count(theirs) == 54_413_955
    assert all(parameter.requires_grad for parameter in ours.parameters())
    x = noise(1, 3, 256, 256)
    with torch.no_grad():
        assert (theirs.eval()(x) - ours.eval()(x)).abs().max() <= 1e-6


@pytest.mark.parametrize("depth", [5, 6, 7, 8])
@pytest.mark.parametrize("reference", ["pytorch", "paper"])
def test_dropout_sits_on_the_sides_that_are_said(depth, reference):
    ours = generator_from(drawn(Theirs(depth=depth, base=1)).state_dict(), "file", reference).train()
    zeroed = []
    for block in ours.up[:-1]:
        block.register_forward_hook(lambda _, __, out: zeroed.append((out.shape[2], (out == 0).float().mean().item())))
    with torch.no_grad():
        for _ in range(10):
            ours(noise(16, 3, 2**depth, 2**depth))
    shares = collections.defaultdict(list)
    for side, share in zeroed:
        shares[side].append(share)
    means = {side: sum(found) / len(found) for side, found in shares.items()}
    with_dropout = [str(side) for side, mean in means.items() if mean > 0]
    assert all(mean == pytest.approx(0.5, abs=0.06) for mean in means.values() if mean > 0)
    assert re.findall(r"\d+", dropout_sides(depth, reference)) == with_dropout


def test_dropout_in_words():
    assert [dropout_sides(8, reference) for reference in ("paper", "pytorch")] == ["2, 4 and 8", "4, 8 and 16"]
    assert [dropout_sides(depth, "pytorch") for depth in (5, 6, 7)] == ["no side", "4", "4 and 8"]


def test_in_the_papers_order_the_outputs_are_the_same_without_dropout():
    theirs = drawn(Theirs(depth=7, base=4))
    ours = generator_from(theirs.state_dict(), "file", "paper")
    assert ours.reference == "paper"
    x = noise(2, 3, 128, 128)
    with torch.no_grad():
        assert (without_dropout(ours)(x) - without_dropout(theirs)(x)).abs().max() <= 1e-5
        assert (ours.eval()(x) - theirs.eval()(x)).abs().max() <= 1e-5
        unswapped = UNetGenerator(base=4, depth=7, reference="paper")
        unswapped.load_state_dict(generator_from(theirs.state_dict(), "file").state_dict())
        assert (unswapped.eval()(x) - theirs.eval()(x)).abs().max() > 0.01


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    depth=st.integers(5, 8),
    base=st.integers(1, 5),
    channels=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    reference=st.sampled_from(["pytorch", "paper"]),
)
def test_any_base_depth_and_channels(depth, base, channels, reference):
    theirs = drawn(Theirs(*channels, depth=depth, base=base)).eval()
    ours = generator_from(theirs.state_dict(), "file", reference).eval()
    x = noise(1, channels[0], 2**depth, 2**depth)
    with torch.no_grad():
        assert (ours(x) - theirs(x)).abs().max() <= 1e-5
    assert same(generator_state(ours), dict(theirs.state_dict()))
    theirs.load_state_dict(generator_state(ours))


def test_torchs_random_state_is_left_alone(theirs):
    judge = TheirJudge()
    before = torch.get_rng_state()
    generator_from(theirs.state_dict(), "file")
    discriminator_from(judge.state_dict(), "file")
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(("n", "patch"), [(1, 16), (2, 34), (3, 70), (4, 142), (5, 286)])
def test_the_discriminator(n, patch):
    theirs = drawn(TheirJudge(n=n))
    ours = discriminator_from(theirs.state_dict(), "file")
    assert (ours.patch, ours.base, ours.in_channels) == (patch, 8, 6)
    x = noise(2, 6, 128, 128)
    with torch.no_grad():
        assert torch.equal(ours.eval()(x), theirs.eval()(x))
        assert torch.equal(ours.train()(x), theirs.train()(x))
    assert same(discriminator_state(ours), dict(theirs.state_dict()))


# --- what differs from file to file ------------------------------------------------------------------------


def test_files_of_old_versions_and_of_several_gpus(theirs, tmp_path):
    state = theirs.state_dict()
    imported = generator_from(state, "file").state_dict()
    old = collections.OrderedDict((key, value) for key, value in state.items() if "num_batches" not in key)
    saved(old, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert not zipfile.is_zipfile(tmp_path / "old.pth")
    for number, prefix in enumerate(("", "module.", "_orig_mod.", "module._orig_mod.")):
        path = saved({prefix + key: value for key, value in state.items()}, tmp_path / f"{number}.pth")
        assert same(generator_from(read_state(path), path).state_dict(), imported)
    read = generator_from(read_state(tmp_path / "old.pth"), "file").state_dict()
    counters = [key for key in read if key.endswith("num_batches_tracked")]
    assert counters
    assert all(torch.equal(read[key], torch.zeros((), dtype=torch.int64)) for key in counters)
    assert all(read[key].dtype == torch.int64 for key in counters)
    assert all(torch.equal(read[key], imported[key]) for key in read if key not in counters)


def test_halves_channels_last_and_parameters_are_read(theirs):
    state = theirs.state_dict()
    spread = {k: v.contiguous(memory_format=torch.channels_last) if v.dim() == 4 else v for k, v in state.items()}
    assert all(value.is_contiguous() for value in generator_from(spread, "file").state_dict().values())
    halves = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
    read = generator_from(halves, "file")
    assert {value.dtype for value in read.parameters()} == {torch.float32}
    assert torch.equal(read.down[0].conv.weight, halves["model.model.0.weight"].float())


def test_the_weights_are_copies(theirs):
    state = {key: value.clone() for key, value in theirs.state_dict().items()}
    read = generator_from(state, "file")
    before = read.down[0].conv.weight.detach().clone()
    state["model.model.0.weight"].zero_()
    assert torch.equal(read.down[0].conv.weight, before)


# --- run folders -------------------------------------------------------------------------------------------


def test_the_run_folder(pth, tmp_path, p2p):
    run = tmp_path / "run"
    code, out, err = p2p("import-weights", pth, "--out", run)
    assert (code, err) == (0, "")
    assert "a U-Net for 128 px, base 4, depth 7" in out
    assert f"python -m p2plib translate {run} PICTURE --out FOLDER" in out
    assert sorted(p.name for p in run.iterdir()) == ["config.json", "generator.safetensors"]
    config = checkpoint.read_config(run)
    assert (config.size, config.base, config.depth, config.reference) == (128, 4, 7, "pytorch")
    assert (config.source, config.preset, config.direction) == ("latest_net_G.pth", "imported", "AtoB")


@pytest.mark.parametrize(
    ("file", "direction"),
    [
        ("facades_label2photo.pth", "BtoA"),
        ("map2sat_pretrained/latest_net_G.pth", "BtoA"),
        ("sat2map.pth", "AtoB"),
        ("day2night.pth", "AtoB"),
    ],
)
def test_the_direction_of_the_published_files(theirs, tmp_path, file, direction):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    path = saved(theirs, tmp_path / file)
    assert import_weights(path, tmp_path / "run").direction == direction
    assert import_weights(path, tmp_path / "named", name="mine", direction="AtoB").direction == "AtoB"
    assert checkpoint.read_config(tmp_path / "named").source == "mine"


def test_import_and_translate(theirs, pth, tmp_path, p2p, picture):
    picture(1, 128, 128).save(tmp_path / "1.png")
    assert p2p("import-weights", pth, "--out", tmp_path / "run")[0] == 0
    code, out, _ = p2p(
        "translate", tmp_path / "run", tmp_path / "1.png", "--out", tmp_path / "out", "--repeatable", "--device", "cpu"
    )
    assert (code, out) == (0, f"1 picture written to {tmp_path / 'out'}\n")
    pixels = torch.tensor(list(picture(1, 128, 128).tobytes()), dtype=torch.float32).view(128, 128, 3)
    with torch.no_grad():  # at test time that code keeps the statistics of the picture
        expected = without_dropout(theirs)((pixels / 127.5 - 1).permute(2, 0, 1)[None])
    with Image.open(tmp_path / "out" / "1.png") as translated:
        got = torch.tensor(list(translated.tobytes()), dtype=torch.float32).view(128, 128, 3)
    assert (got - (expected[0].permute(1, 2, 0) + 1) * 127.5).abs().max() <= 0.51


def test_the_papers_reference_is_said_to_move_dropout(pth, tmp_path, p2p, picture):
    picture(1, 128, 128).save(tmp_path / "1.png")
    pictures = []
    for reference in ("pytorch", "paper"):
        run = tmp_path / reference
        _, out, _ = p2p("import-weights", pth, "--out", run, "--reference", reference)
        assert ("Dropout now sits on the outputs of side 2, 4 and 8 in place of 4 and 8;" in out) is (
            reference == "paper"
        )
        assert checkpoint.load_generator(run).reference == reference
        p2p("translate", run, tmp_path / "1.png", "--out", run, "--repeatable", "--device", "cpu")
        with Image.open(run / "1.png") as translated:
            pictures.append(torch.tensor(list(translated.tobytes())))
    assert (pictures[0] - pictures[1]).abs().max() <= 1


@pytest.mark.parametrize("options", [("--images", 2), ("--images", 2, "--resume"), ("--resume",)])
def test_training_does_not_touch_imported_weights(pth, tmp_path, p2p, pair_folder, snapshot, options):
    p2p("import-weights", pth, "--out", tmp_path / "run")
    before = snapshot(tmp_path / "run")
    code, out, err = p2p("train", pair_folder(), "--out", tmp_path / "run", "--device", "cpu", *options)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"p2plib: {tmp_path / 'run'} holds imported weights, and a file of weights has no training")
    assert snapshot(tmp_path / "run") == before


def test_imported_with_its_discriminator_and_exported_again(theirs, pth, tmp_path, p2p):
    judge = drawn(TheirJudge(base=4, n=2))
    d = saved(judge, tmp_path / "latest_net_D.pth")
    code, _, err = p2p("import-weights", pth, "--out", tmp_path / "run", "--discriminator", d)
    assert (code, err) == (0, "")
    config = checkpoint.read_config(tmp_path / "run")
    assert (config.patch, config.objective) == (34, "L1+cGAN")
    out = tmp_path / "new" / "G.pth"
    code, _, err = p2p("export-weights", tmp_path / "run", "--out", out, "--discriminator", tmp_path / "new" / "D.pth")
    assert (code, err) == (0, "")
    assert same(torch.load(out, weights_only=True), dict(theirs.state_dict()))
    assert same(torch.load(tmp_path / "new" / "D.pth", weights_only=True), dict(judge.state_dict()))
    assert sorted(p.name for p in out.parent.iterdir()) == ["D.pth", "G.pth"]


@pytest.mark.parametrize("reference", ["pytorch", "paper"])
@pytest.mark.parametrize("objective", ["L1+cGAN", "L1+GAN"])
def test_a_trained_run_goes_out_and_comes_back(pair_folder, tmp_path, p2p, reference, objective):
    settings = dict(size=32, base=4, epochs=1, batch=2, limit=4, device="cpu", reference=reference, objective=objective)
    Trainer(configure(pair_folder(), "laptop", **settings), tmp_path / "run").fit(progress=False)
    code, out, err = p2p(
        "export-weights", tmp_path / "run", "--out", tmp_path / "G.pth", "--discriminator", tmp_path / "D.pth"
    )
    assert (code, err) == (0, "")
    assert "UnetGenerator(3, 3, 5, ngf=4, use_dropout=True)" in out
    assert ("The run has dropout on the outputs of side 2, 4 and 8; that code has it on no side." in out) is (
        reference == "paper"
    )
    net = checkpoint.load_generator(tmp_path / "run").eval()
    theirs, x = Theirs(depth=5, base=4), noise(2, 3, 32, 32)
    theirs.load_state_dict(torch.load(tmp_path / "G.pth", weights_only=True))
    with torch.no_grad():
        assert (theirs.eval()(x) - net(x)).abs().max() <= 1e-5
    for back, name in (("pytorch", "a"), ("paper", "b")):
        import_weights(tmp_path / "G.pth", tmp_path / name, reference=back, discriminator=tmp_path / "D.pth")
    came_back = tmp_path / ("a" if reference == "pytorch" else "b")
    for file in ("generator.safetensors", "discriminator.safetensors"):
        assert same(safetensors.torch.load_file(came_back / file), safetensors.torch.load_file(tmp_path / "run" / file))
    assert checkpoint.read_config(came_back).objective == objective
    export_weights(came_back, tmp_path / "again.pth")
    assert same(read_state(tmp_path / "again.pth"), read_state(tmp_path / "G.pth"))


# --- files that do not fit ---------------------------------------------------------------------------------


class Code:
    """What a malicious file would do when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("gone_wrong",)


def without(state, *ends):
    return {key: value for key, value in state.items() if not key.endswith(ends)}


def resnet():
    state = {
        "model.1.weight": torch.zeros(8, 3, 7, 7),
        "model.2.weight": torch.zeros(8),
        "model.0.weight": torch.ones(1),
    }
    return state | {f"model.{i}.conv_block.1.weight": torch.zeros(8, 8, 3, 3) for i in range(10, 13)}


BAD = {
    "web page": (b"\n<!DOCTYPE html><html>404</html>", "is a web page"),
    "web page with a mark": (b"\xef\xbb\xbf<html>", "is a web page"),
    "LFS pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 217704720\n", "Git LFS's note"),
    "empty": (b"", "is empty"),
    "text": (b"these are words", "is no torch file"),
    "noise": (bytes(range(256)) * 9, "is no torch file"),
    "pickle that runs code": (pickle.dumps(Code()), "is a pickle of Python objects: it may hold code"),
    "zip": ("zip", "is no torch file"),
    "cut": ("cut", "is no torch file"),
    "flipped bit": ("flipped", "is no torch file"),
    "cut, old form": ("cut old", "is no torch file"),
    "torch file that runs code": (lambda s: {"model": Code()}, "holds code ("),
    "whole network": (lambda s: Theirs(depth=5, base=1), "holds code ("),
    "tensor": (lambda s: torch.zeros(3), "holds a Tensor, no state dict"),
    "list": (lambda s: [1, 2], "holds a list, no state dict"),
    "nothing in it": (lambda s: {}, "a state dict without weights"),
    "whole checkpoint": (lambda s: {"epoch": 3, "net": dict(s)}, "its entry 'epoch' is no tensor"),
    "whole numbers": (lambda s: {k: v.to(torch.int32) for k, v in s.items()}, "is of type torch.int32"),
    "sparse": (lambda s: {"model.model.0.weight": torch.eye(3).to_sparse()}, "is no tensor"),
    "discriminator": (lambda s: TheirJudge().state_dict(), "holds a discriminator: give the generator's file"),
    "pixel discriminator": (lambda s: {f"net.{i}.weight": torch.ones(1) for i in (0, 2)}, "a PixelGAN discriminator"),
    "ResNet": (lambda s: resnet(), "holds a ResNet generator, as CycleGAN's files do"),
    "our names": (lambda s: UNetGenerator(base=1, depth=5).state_dict(), "holds no U-Net of the common PyTorch code"),
    "depth 9": (lambda s: Theirs(depth=9, base=1).state_dict(), "holds a U-Net of depth 9"),
    "depth 1": (lambda s: {"model.model.0.weight": torch.ones(4, 3, 4, 4)}, "holds a U-Net of depth 1"),
    "instance norm": (lambda s: Theirs(depth=6, base=1, norm=nn.InstanceNorm2d).state_dict(), "--norm instance"),
    "no norm": (lambda s: without(Theirs(depth=6, base=1, norm=nn.Identity).state_dict()), "has no batch norm in it"),
    "missing weight": (lambda s: without(s, "3.bias"), "lacks model.model.3.bias, which a U-Net of base 4 and depth 7"),
    "missing end": (lambda s: without(s, "model.model.3.weight"), "its first or its last convolution is missing"),
    "one too many": (lambda s: dict(s) | {"model.model.9.weight": torch.ones(1)}, "holds model.model.9.weight, which"),
    "other kernel": (
        lambda s: dict(s) | {"model.model.0.weight": torch.ones(4, 3, 3, 3)},
        "model.model.0.weight has shape (4, 3, 3, 3), and a U-Net of base 4 and depth 7 has (4, 3, 4, 4) there",
    ),
    "not finite": (lambda s: dict(s) | {"model.model.3.bias": torch.full((3,), torch.nan)}, "that are not finite"),
    "no channels": (lambda s: dict(s) | {"model.model.0.weight": torch.ones(4, 0, 4, 4)}, "has not the shape of one"),
    "1 to 3 channels": (lambda s: Theirs(1, 3, depth=5, base=1).state_dict(), "takes 1 and makes 3 channels"),
}


def spoil(path, state, how):
    """A file that cannot be imported."""
    if isinstance(how, bytes):
        path.write_bytes(how)
    elif how == "zip":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("latest_net_G.txt", "words")
    elif isinstance(how, str):
        saved(dict(state), path, _use_new_zipfile_serialization="old" not in how)
        content = bytearray(path.read_bytes())
        if how == "flipped":
            content[len(content) // 2] ^= 1
        path.write_bytes(content if how == "flipped" else content[: len(content) * 2 // 3])
    else:
        torch.save(how(state), path)


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_does_not_fit(theirs, tmp_path, p2p, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    how, expected = BAD[name]
    path = tmp_path / "facades_label2photo.pth"
    spoil(path, theirs.state_dict(), how)
    code, out, err = p2p("import-weights", path, "--out", tmp_path / "run")
    assert (code, out) == (2, "")
    assert err.startswith(f"p2plib: {path}")
    assert expected in err
    assert err.count("\n") == 1
    assert len(err) < 400
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(UserError, match="there is no such file"):
        import_weights(tmp_path / "nowhere.pth", tmp_path / "run")
    with pytest.raises(UserError, match="is a folder: give the"):
        import_weights(tmp_path, tmp_path / "run")


@pytest.mark.parametrize(
    ("judge", "expected"),
    [
        (
            lambda: TheirJudge(base=8),
            "and has base 8: beside this generator a discriminator takes 6 (or 3) and has base 4",
        ),
        (lambda: TheirJudge(in_channels=4, base=4), "takes 4 channels"),
        (lambda: TheirJudge(base=4, n=6), "holds no PatchGAN discriminator"),
        (lambda: Theirs(depth=5, base=4), "holds no PatchGAN discriminator"),
        (lambda: {"model.0.weight": torch.ones(4, 6, 4, 4), "model.2.weight": torch.ones(9, 9, 9, 9)}, "PatchGAN"),
        (lambda: without(TheirJudge(base=4).state_dict(), "model.0.bias"), "lacks model.0.bias"),
    ],
)
def test_a_discriminators_file_that_does_not_fit(pth, tmp_path, p2p, judge, expected):
    d = saved(judge(), tmp_path / "latest_net_D.pth")
    code, _, err = p2p("import-weights", pth, "--out", tmp_path / "run", "--discriminator", d)
    assert code == 2
    assert err.startswith(f"p2plib: {d}")
    assert expected in err
    assert not (tmp_path / "run").exists()


def test_a_folder_that_holds_a_run_is_left_alone(pth, tiny_run, p2p, snapshot):
    before = snapshot(tiny_run)
    code, _, err = p2p("import-weights", pth, "--out", tiny_run)
    assert code == 2
    assert f"{tiny_run} already holds a run" in err
    assert snapshot(tiny_run) == before


@pytest.mark.parametrize("there", [False, True])
def test_a_disk_that_is_full_leaves_nothing_behind(pth, tmp_path, monkeypatch, there):
    run = tmp_path / "run"
    if there:
        run.mkdir()

    def full(path: Path, *_: object) -> None:
        raise UserError(f"{path} could not be written (no space left on device)")

    monkeypatch.setattr(checkpoint, "write_config", full)
    with pytest.raises(UserError, match="no space left"):
        import_weights(pth, run)
    assert run.exists() is there
    assert not there or not list(run.iterdir())


def test_what_cannot_be_exported(tiny_run, tmp_path, p2p):
    code, _, err = p2p("export-weights", tmp_path / "nothing", "--out", tmp_path / "G.pth")
    assert code == 2
    assert "is no run folder" in err
    code, _, err = p2p("export-weights", tiny_run, "--out", tmp_path)
    assert code == 2
    assert "is a folder: name a file in it" in err
    code, _, err = p2p("export-weights", tiny_run, "--out", tmp_path / "G", "--discriminator", tmp_path / "G")
    assert code == 2
    assert "is named for both networks" in err
    (tiny_run / "discriminator.safetensors").unlink()
    code, _, err = p2p("export-weights", tiny_run, "--out", tmp_path / "G.pth", "--discriminator", tmp_path / "D.pth")
    assert code == 2
    assert "has no discriminator" in err
    assert not list(tmp_path.glob("*.pth"))
    for net, expected in (
        (UNetGenerator(base=1, depth=4), "a depth of 4"),
        (UNetGenerator(base=1, depth=6, skips=False), "no skips"),
    ):
        with pytest.raises(UserError, match=expected):
            generator_state(net)
    with pytest.raises(UserError, match="patch 1 cannot be exported"):
        discriminator_state(PatchDiscriminator(patch=1))


def test_a_failed_export_leaves_the_old_file(pth, tmp_path, monkeypatch):
    import_weights(pth, tmp_path / "run")
    old = pth.read_bytes()

    def stop(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(UserError, match="could not be written"):
        export_weights(tmp_path / "run", pth)
    assert pth.read_bytes() == old
    assert sorted(p.name for p in tmp_path.iterdir()) == ["latest_net_G.pth", "run"]


def test_config_json_reads_as_any_other(pth, tmp_path):
    import_weights(pth, tmp_path / "run")
    content = json.loads((tmp_path / "run" / "config.json").read_text())
    assert content["config"]["epochs"] == 0
    assert set(exchange.PUBLISHED.values()) <= {"AtoB", "BtoA"}
    assert common_layout.DEPTHS[0] == 5
