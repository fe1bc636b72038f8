"""Networks seen while they run, and judged: what is noted, what a replay gives, and who is never called wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from p2plib import models
from p2plib.checks import ch02_unet, layout, map_sizes, net_mistakes, norm_forms, registry, replay
from p2plib.checks.engine import judge
from p2plib.checks.outcome import Status
from p2plib.checks.replay import RIGHT
from p2plib.checks.traced import Layer, Op, Trace, Unfilled, look, masked, stored_in_lists
from p2plib.checks.trial import Stop, Trial

# --- sizes and norm: the formulas against torch's layers -------------------------------------------


@pytest.mark.parametrize("case", [(9, 4, 2, 1), (10, 3, 2, 0), (7, 5, 3, 2), (12, 1, 4, 0), (8, 4, 1, 1)])
def test_the_sides_are_those_of_the_layers(case):
    side, *geometry = case
    picture = torch.zeros(1, 1, side, side)
    assert map_sizes.conv_side(*case) == nn.Conv2d(1, 1, *geometry)(picture).shape[-1]
    assert map_sizes.transposed_side(*case) == nn.ConvTranspose2d(1, 1, *geometry)(picture).shape[-1]


@pytest.mark.parametrize("eps", [1e-5, 0.3])
def test_the_norm_is_that_of_the_layer(eps):
    x = torch.randn(3, 4, 5, 2, dtype=torch.float64) * 3 + 1
    torch.testing.assert_close(norm_forms.batch_norm(x, eps), nn.BatchNorm2d(4, eps=eps).double()(x))


# --- what is noted ---------------------------------------------------------------------------------


def seen(net, *inputs, train=True):
    trace = Trace()
    with torch.no_grad():
        return look(trace, net.train(train), *inputs), trace


def test_a_block_is_noted_in_its_order():
    net = models.UpBlock(5, 4, dropout=True)
    _, trace = seen(net, torch.randn(2, 2, 3, 4), torch.randn(2, 3, 3, 4))
    assert [op.kind for op in trace.ops] == ["cat", "up", "norm", "drop"]
    cat, up, norm, drop = trace.ops
    assert (cat.dim, up.kernel, up.stride, up.padding, drop.p) == (1, (4, 4), (2, 2), (1, 1), 0.5)
    assert up.weight is net.conv.weight
    assert up.bias is None
    assert norm.weight is net.norm.weight
    assert norm.training
    assert drop.training
    assert trace.layers()[0].channels == (5, 4)


def test_functions_are_noted_like_modules():
    weight, scale, shift = torch.randn(4, 3, 4, 4), torch.ones(4), torch.zeros(4)

    def forward(x):
        x = torch.conv2d(x, weight, None, (2, 2), padding=1)
        x = torch.batch_norm(x, scale, shift, None, None, True, 0.1, 1e-5, False)
        x = functional.batch_norm(x, torch.zeros(4), torch.ones(4), training=True, weight=scale, bias=shift)
        return torch.concat((x, x), axis=1)

    trace = Trace()
    look(trace, forward, torch.randn(2, 3, 6, 8))
    conv, first, second, cat = trace.ops
    assert (conv.stride, conv.padding) == ((2, 2), (1, 1))
    assert first.weight is scale
    assert second.bias is shift
    assert second.running is not None
    assert (cat.dim, cat.twice) == (1, True)
    assert len(trace.layers()[0].norms) == 2


def test_a_call_that_fails_is_noted():
    trace = Trace()
    with pytest.raises(RuntimeError):
        look(trace, lambda x: torch.cat([x, x[:, :1]], dim=0), torch.randn(2, 3, 4, 4))
    assert trace.ops[-1].dim == 0


def test_dropout_has_one_mask_for_one_shape_and_none_in_eval():
    x = torch.randn(2, 3, 8, 8)
    net = nn.Dropout(0.5)
    once, _ = seen(net, x)
    again, _ = seen(net, x)
    torch.testing.assert_close(once, again)
    torch.testing.assert_close(once, masked(x))
    assert 0.3 < (once == 0).float().mean() < 0.7
    torch.testing.assert_close(seen(net, x, train=False)[0], x)
    in_place = nn.Dropout(0.3, inplace=True)
    torch.testing.assert_close(seen(in_place, x.clone())[0], masked(x, 0.3))


DRAWS = (
    lambda x: (torch.rand_like(x) > 0.5) * 2,
    lambda x: torch.rand(x.shape).ge(0.5) * 2,
    lambda x: torch.bernoulli(torch.full_like(x, 0.5)) * 2,
    lambda x: torch.empty_like(x).bernoulli_(0.5) * 2,
    lambda x: torch.empty_like(x).bernoulli_() / 0.5,
    lambda x: (torch.randn_like(x) > 0) * 2,
    lambda x: torch.randint(0, 2, x.shape) * 2,
    lambda x: torch.randint(2, x.shape) * 2,
    lambda x: (torch.empty_like(x).uniform_(-1, 1) > 0) * 2,
    lambda x: (torch.rand(x.numel()).view_as(x) > 0.5) * 2,
    lambda x: torch.distributions.Bernoulli(0.5).sample(x.shape) * 2,
)


@pytest.mark.parametrize("draw", DRAWS)
def test_masks_by_hand_are_those_of_dropout(draw):
    x, trace = torch.randn(2, 3, 8, 8), Trace()
    torch.testing.assert_close(look(trace, lambda x: x * draw(x), x), masked(x))
    assert [op.kind for op in trace.ops if op.kind == "draw"] == ["draw"]
    free = [look(Trace(free=True), draw, x) for _ in range(2)]
    assert not torch.equal(*free)


def test_a_mask_the_other_way_round_is_flipped():
    x = torch.randn(2, 3, 8, 8)
    kept = look(Trace(), lambda x: x * (torch.rand_like(x) < 0.3), x)
    torch.testing.assert_close(kept, masked(x, 0.7, 1.0, flip=True))


def test_normal_numbers_can_be_left_out():
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(look(Trace(quiet=True), lambda x: x + torch.randn_like(x), x), x)


def test_weights_are_not_drawn_over():
    net = look(Trace(), nn.Conv2d, 3, 4, 4)
    assert not torch.equal(net.weight, look(Trace(), nn.Conv2d, 3, 4, 4).weight)


def test_layers_in_lists_are_found():
    net = nn.Sequential(nn.Linear(2, 2))
    net.more = [nn.Linear(2, 2)]
    net._pairs = {"a": (nn.Parameter(torch.zeros(1)),)}
    net.numbers = [1, 2]
    assert stored_in_lists(net) == ["more", "_pairs"]


def test_shapes_need_no_memory():
    with torch.device("meta"), Unfilled():
        net = models.UNetGenerator()
    assert models.parameter_count(net) == layout.count(layout.unet(3, 3, 64, 8)) == 54_413_955


@pytest.mark.parametrize("depth", range(2, 9))
@pytest.mark.parametrize("base", [1, 3])
def test_the_expected_count_is_the_librarys(depth, base):
    net = models.UNetGenerator(2, 4, base=base, depth=depth)
    assert models.parameter_count(net) == layout.count(layout.unet(2, 4, base, depth))


# --- what a replay gives ---------------------------------------------------------------------------


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_a_replay_gives_what_the_library_gives(depth, train):
    net = models.UNetGenerator(2, 3, base=3, depth=depth)
    x = torch.rand(2, 2, 32, 64) * 2 - 1
    out, trace = seen(net, x, train=train)
    assert layout.seen(trace.layers(), layout.unet(2, 3, 3, depth))
    torch.testing.assert_close(replay.unet(x, trace.layers(), RIGHT, training=train), out)


class Formed(models.UNetGenerator):
    """A U-Net put together in some form."""

    form = RIGHT

    def forward(self, x):
        layers = []
        for i, block in enumerate((*self.down, *self.up)):
            norms = []
            if isinstance(block.norm, nn.BatchNorm2d):
                running = block.norm.running_mean, block.norm.running_var
                norms = [Op("norm", block.norm.weight, block.norm.bias, running=running)]
            kind = "conv" if i < self.depth else "up"
            layers.append(Layer(Op(kind, block.conv.weight, block.conv.bias), norms))
        return replay.unet(x, layers, self.form, training=self.training)


FORMS = [(cause, form) for cause, forms in net_mistakes.NET_MISTAKES for form in forms]


@pytest.mark.parametrize(("cause", "form"), FORMS)
def test_the_nets_tell_the_known_mistakes_apart(cause, form, seeds):
    answer = type("UNetGenerator", (Formed,), {"form": form})
    for seed in seeds("2.5", cause):
        outcome = judge("2.5", answer, seed=seed)
        assert outcome.status is Status.WRONG
        assert outcome.cause == cause


# --- who is never called wrong ---------------------------------------------------------------------


class ByHand(nn.Module):
    """A down block of which torch's convolution and norm see nothing."""

    def __init__(self, in_channels, out_channels, activate=True, norm=True):
        super().__init__()
        self.slope = 0.2 if activate else 1.0
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, 4, 4))
        self.norm = nn.BatchNorm2d(out_channels) if norm else None

    def forward(self, x):
        x = functional.pad(torch.maximum(x, self.slope * x), (1, 1, 1, 1))
        patches = x.unfold(2, 4, 2).unfold(3, 4, 2)
        x = torch.einsum("bchwij,ocij->bohw", patches, self.weight)
        return x if self.norm is None else self.norm(x)


class ByHandWrong(ByHand):
    def forward(self, x):
        self.slope = min(self.slope, 0.2)
        return super().forward(x)


class UpByHand(nn.Module):
    """An up block of which torch's convolution sees nothing."""

    def __init__(self, in_channels, out_channels, norm=True, dropout=False):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(in_channels, out_channels * 16))
        self.bias = None if norm else nn.Parameter(torch.randn(out_channels, 1, 1))
        self.norm = nn.BatchNorm2d(out_channels) if norm else None
        self.drop = nn.Dropout(0.5 * dropout)

    def forward(self, x, skip=None):
        x = functional.relu(x if skip is None else torch.cat([x, skip], 1))
        columns = self.weight.T @ x.flatten(2)
        y = functional.fold(columns, (2 * x.shape[2], 2 * x.shape[3]), 4, padding=1, stride=2)
        return self.drop(y + self.bias if self.norm is None else self.norm(y))


class UpByHandWithoutSkip(UpByHand):
    def forward(self, x, skip=None):
        return super().forward(x, None if skip is None else 0 * skip)


class NetByHand(nn.Module):
    def __init__(self, in_channels=3, out_channels=3, base=64):
        super().__init__()
        self.d1 = ByHand(in_channels, base, activate=False, norm=False)
        self.d2, self.d3 = ByHand(base, 2 * base), ByHand(2 * base, 4 * base, norm=False)
        self.u1, self.u2 = UpByHand(4 * base, 2 * base, dropout=True), UpByHand(4 * base, base, dropout=True)
        self.u3 = UpByHand(2 * base, out_channels, norm=False)

    def forward(self, x):
        a = self.d1(x)
        b = self.d2(a)
        return self.end(self.u3(self.u2(self.u1(self.d3(b)), b), a))

    def end(self, x):
        return x.tanh()


class NetByHandWithoutEnd(NetByHand):
    def end(self, x):
        return x


@pytest.mark.parametrize(("id", "answer"), [("2.2", ByHand), ("2.3", UpByHand), ("2.4", NetByHand)])
def test_a_convolution_by_hand_passes(id, answer):
    for seed in range(4):
        outcome = judge(id, answer, seed=seed)
        assert outcome.counts, outcome


def test_without_a_seen_convolution_skip_and_range_are_still_judged():
    assert "does not change when the skip changes" in judge("2.3", UpByHandWithoutSkip, seed=1).message
    assert "between -1 and 1" in judge("2.4", NetByHandWithoutEnd, seed=1).message


def test_without_a_seen_convolution_the_slope_is_still_judged():
    outcome = judge("2.2", ByHandWrong, seed=1)
    assert outcome.status is Status.WRONG
    assert "numbers below 0" in outcome.cause


@pytest.mark.parametrize("seed", range(4))
def test_other_seeds_leave_right_answers_right(seed):
    class Wrapped(nn.Module):
        def __init__(self, in_channels=3, out_channels=3, base=64, depth=8):
            super().__init__()
            self.net = models.UNetGenerator(in_channels, out_channels, base, depth, reference="paper")

        def forward(self, x):
            return self.net(x)

    outcome = judge("2.5", Wrapped, seed=seed)
    assert outcome.counts, outcome


# --- what is noted beside a right answer -----------------------------------------------------------


class BatchInEval(models.DownBlock):
    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        if isinstance(self.norm, nn.BatchNorm2d):
            self.norm = nn.BatchNorm2d(self.norm.num_features, track_running_stats=False)


class BatchFunction(models.DownBlock):
    def forward(self, x):
        norm, self.norm = self.norm, nn.Identity()
        x, self.norm = super().forward(x), norm
        if not isinstance(norm, nn.BatchNorm2d):
            return x
        return functional.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, training=True)


@pytest.mark.parametrize("answer", [BatchInEval, BatchFunction])
def test_statistics_of_the_batch_in_eval_are_noted(answer):
    outcome = judge("2.2", answer, seed=1)
    assert outcome.status is Status.PASSED
    assert any("statistics of the batch" in note for note in outcome.notes)


def test_running_statistics_are_not_noted():
    class Plain(models.DownBlock):
        pass

    assert not judge("2.2", Plain, seed=1).notes


class Endless(models.DownBlock):
    def parameters(self, recurse=True):
        while True:
            yield next(iter(super().parameters(recurse)))


class NeverTrains(models.DownBlock):
    def train(self, mode=True):
        while True:
            pass


class StuckParameters(models.DownBlock):
    def named_parameters(self, *arguments, **named):
        while True:
            pass


@pytest.mark.parametrize("answer", [NeverTrains, StuckParameters])
def test_what_a_network_overrides_does_not_hang_the_check(answer):
    trial = Trial(replace(registry.find("2.2"), limit=1.0), [answer], seed=1)
    with pytest.raises(Stop) as stop:
        ch02_unet.check_down_block(trial)
    assert stop.value.status is Status.TOO_SLOW


def test_parameters_without_end_are_cut_off():
    assert judge("2.2", Endless, seed=1).status is Status.WRONG
