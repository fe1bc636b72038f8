"""ShapeTracer: every number that it shows is what the real network does."""

from __future__ import annotations

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from p2plib.errors import UserError
from p2plib.models import UNetGenerator, parameter_count
from p2plib.widgets import ShapeTracer, shapes
from p2plib.widgets.shapes import BASES, Trace, in_words

FITTING = [(8, 2, 8), (64, 6, 16), (96, 5, 8), (48, 3, 16), (256, 8, 8), (128, 2, 8)]
ODD = [(65, 6, 8), (130, 2, 8), (286, 5, 8), (254, 7, 8), (66, 6, 8), (9, 2, 8), (11, 3, 8)]
STUCK = [(8, 4, 8), (8, 8, 8), (12, 4, 8), (255, 8, 8)]


def texts(trace):
    """Every line of text that the picture of this trace shows."""
    return "\n".join(text.get_text() for text in shapes.draw(trace).axes[0].texts if text.get_text())


def walk(net, side):
    """What the blocks give, (name, channels in, shape without the batch), until one raises; and what it raised."""
    seen = []
    for name, block in net.named_modules():
        if name.count(".") == 1:  # down.0 … up.7
            block.register_forward_hook(
                lambda block, given, out, name=name: seen.append((name, block.conv.in_channels, tuple(out.shape[1:])))
            )
    net.check_size = lambda x: None  # to see what would happen
    try:
        net.eval()(torch.zeros(1, 3, side, side))
    except RuntimeError as raised:
        return seen, raised
    return seen, None


@pytest.mark.parametrize(("side", "depth", "base"), FITTING)
def test_every_labelled_shape_is_the_networks(side, depth, base):
    seen, raised = walk(UNetGenerator(base=base, depth=depth), side)
    assert raised is None
    assert len(seen) == 2 * depth
    written = texts(Trace(side, depth, base))
    labels = [line for line in written.splitlines() if "(" in line]
    down, up = [shape for name, _, shape in seen if "down" in name], [shape for name, _, shape in seen if "up" in name]
    expected = [f"input {(3, side, side)}", *map(str, down[:-1]), f"bottleneck {down[-1]}", *map(str, up[:-1])]
    assert sorted(labels) == sorted([*expected, f"{up[-1]} output"])
    joined = [into for name, into, _ in seen if name.startswith("up") and name != "up.0"]
    shown = [int(line.split(" = ")[1]) for line in written.splitlines() if " = " in line]
    assert sorted(shown) == sorted(joined)
    assert "✗" not in written


@pytest.mark.parametrize(("side", "depth", "base"), ODD)
def test_a_side_that_does_not_fit_ends_where_the_network_ends(side, depth, base):
    trace = Trace(side, depth, base)
    seen, raised = walk(UNetGenerator(base=base, depth=depth), side)
    assert [shape[1] for name, _, shape in seen if "down" in name] == trace.down[1:]
    ups = [shape[1] for name, _, shape in seen if "up" in name]
    assert ups == [trace.up[i] for i in reversed(range(depth)) if trace.reached(i)]
    assert (raised is not None) == bool(trace.clash)
    assert ups[-1] != trace.down[trace.clash]
    written = texts(trace)
    assert written.count("rounded down") == len(trace.lossy)
    assert f"✗ {ups[-1]}, not {trace.down[trace.clash]}" in written
    assert written.count("not reached") == trace.clash


@pytest.mark.parametrize(("side", "depth", "base"), STUCK)
def test_a_bottleneck_below_one_pixel_is_named(side, depth, base):
    trace = Trace(side, depth, base)
    seen, raised = walk(UNetGenerator(base=base, depth=depth), side)
    assert raised is not None
    assert len(seen) == trace.stuck
    assert f"After {trace.stuck} halvings one pixel is left" in in_words(trace)
    written = texts(trace)
    assert "cannot halve" in written
    assert "no bottleneck" in written
    assert written.count("not reached") == depth


@pytest.mark.parametrize(("side", "depth", "base"), ODD + STUCK)
def test_the_words_are_those_of_the_network(side, depth, base):
    with pytest.raises(UserError) as refused:
        UNetGenerator(base=base, depth=depth)(torch.zeros(1, 3, side, side))
    assert in_words(Trace(side, depth, base)).startswith(str(refused.value))


def test_sides_fit_where_the_network_takes_them():
    for depth in range(2, 9):
        net = UNetGenerator(base=1, depth=depth)
        for side in range(8, 513):
            trace = Trace(side, depth, 8)
            try:
                net.check_size(torch.empty(0, 3, side, side))
            except UserError:
                assert not trace.fits
                assert trace.stuck is not None or trace.clash is not None
            else:
                assert trace.fits
                assert not trace.lossy
                assert trace.stuck is None
                assert trace.clash is None


@pytest.mark.parametrize("depth", range(2, 9))
@pytest.mark.parametrize("base", BASES)
def test_the_parameters_are_counted_exactly(depth, base):
    with torch.device("meta"):
        net = UNetGenerator(base=base, depth=depth)
    assert Trace(64, depth, base).parameters == parameter_count(net)


def test_the_papers_network_in_words():
    assert in_words(Trace(256, 8, 64)) == (
        "A picture of 256 × 256 px, depth 8, base 64: 1 × 1 × 512 at the bottleneck: 512 numbers for 196,608; "
        "54,413,955 parameters."
    )


def test_an_odd_side_in_words():
    said = in_words(Trace(65, 6, 16))
    assert "the nearest to 65 are 64 and 128" in said
    assert "65 → 32: half of an odd side is rounded down. Back up it gives 64, not 65." in said


def test_every_slider_changes_the_picture_and_the_words():
    tracer = ShapeTracer()
    assert (tracer.side.value, tracer.depth.value, tracer.base.value) == (64, 6, 16)
    for control, value in ((tracer.side, 65), (tracer.depth, 8), (tracer.base, 32)):
        before = (tracer.image.value, tracer.said.value)
        control.value = value
        assert tracer.image.value[:4] == b"\x89PNG"
        assert all(old != new for old, new in zip(before, (tracer.image.value, tracer.said.value), strict=True))
    assert 'role="status"' in tracer.said.value


@pytest.mark.parametrize("depth", [2, 8])
@pytest.mark.parametrize("side", [8, 512])
def test_the_ends_of_the_sliders_are_drawn(side, depth):
    for base in (8, 64):
        tracer = ShapeTracer(side=side, depth=depth, base=base)
        assert tracer.image.value[:4] == b"\x89PNG"


@pytest.mark.parametrize("wrong", [{"side": 7}, {"side": 513}, {"depth": 1}, {"depth": 9}, {"base": 12}])
def test_a_setting_outside_the_sliders_is_refused(wrong):
    with pytest.raises(UserError):
        ShapeTracer(**wrong)


def test_what_is_stored_in_the_notebook_is_words_and_a_still_picture():
    InteractiveShell.instance()
    try:
        with capture_output() as captured:
            ShapeTracer().show()
    finally:
        InteractiveShell.clear_instance()
    (output,) = captured.outputs
    assert {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"} == set(output.data)
    assert "1,830,563 parameters" in output.data["text/plain"]
    assert output.metadata["image/png"]["alt"] == output.data["text/plain"]
