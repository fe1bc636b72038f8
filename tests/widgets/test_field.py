"""FieldChooser: every number that it shows is what gradients of the real network say."""

from __future__ import annotations

import copy
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from torch import nn

from p2plib.errors import UserError
from p2plib.models import PATCHES, PatchDiscriminator, UNetGenerator, field_of_cell, map_side, smallest_side
from p2plib.plots import INK
from p2plib.widgets import FieldChooser, pointing
from p2plib.widgets.field import Field, in_words, skeleton


def footprints(net, size, cells):
    """For each cell the rows and the columns of the picture that move its logit."""
    torch.manual_seed(0)
    # Eval mode, since batch norm in training ties all pixels together; float64, so that no gradient underflows.
    x = torch.randn(1, 1, *size, dtype=torch.float64, requires_grad=True)
    logits = net(x)[0, 0]
    for row, column in cells:
        (grad,) = torch.autograd.grad(logits[row, column], x, retain_graph=True)
        yield tuple((grad[0, 0].abs().sum(other) > 0).nonzero().flatten().tolist() for other in (1, 0))


def real(patch):
    torch.manual_seed(1)
    return PatchDiscriminator(in_channels=1, base=1, patch=patch).double().eval()


@pytest.mark.parametrize("size", [(256, 256), (131, 173)])
@pytest.mark.parametrize("patch", PATCHES)
def test_the_field_is_the_gradients_footprint(patch, size):
    net = real(patch)
    rows, columns = net(torch.zeros(1, 1, *size, dtype=torch.float64)).shape[2:]
    assert Field(net, size, (0, 0)).map == Field(skeleton(patch), size, (0, 0)).map == (rows, columns)
    places = [(row, column) for row in (0, rows // 2, rows - 1) for column in (0, columns // 2, columns - 1)]
    for cell, (seen_rows, seen_columns) in zip(places, footprints(net, size, places), strict=True):
        field = Field(skeleton(patch), size, cell)
        assert [list(part) for part in field.inside] == [seen_rows, seen_columns]
        assert [len(span) for span in field.spans] == [patch, patch]
        assert field.padded == (patch - len(seen_rows), patch - len(seen_columns))
        said = in_words(field)
        assert f"Cell (row {cell[0]}, column {cell[1]}) of {rows} × {columns}" in said
        if patch > 1:
            assert f"rows {seen_rows[0]} to {seen_rows[-1]} and columns {seen_columns[0]} to {seen_columns[-1]}" in said
        assert ("padding" in said) == (field.padded != (0, 0))


@pytest.mark.parametrize("patch", PATCHES)
def test_the_maps_side_is_the_networks(patch):
    least, net = smallest_side(patch), skeleton(patch)
    for side in {least, least + 1, 100, 255, 256, 257, 286, 511, 512}:
        if side >= least:
            assert net(torch.empty(1, 1, side, side, device="meta")).shape[2:] == (map_side(net, side),) * 2
    assert map_side(net, least - 1) < 1


def test_other_chains_have_fields_too():
    net = nn.Sequential(nn.Conv2d(1, 1, 3, dilation=2, padding=2), nn.MaxPool2d(2), nn.Conv2d(1, 1, 3)).double()
    assert (map_side(net, 20), field_of_cell(net, 1)) == (8, range(0, 10))
    (rows, _), *_ = footprints(net, (20, 20), [(3, 3)])
    assert set(rows) <= set(field_of_cell(net, 3))
    with pytest.raises(UserError, match="goes up"):
        field_of_cell(UNetGenerator(base=1, depth=2), 0)


@pytest.mark.parametrize(("patch", "side"), [(70, 64), (70, 40), (70, 48), (142, 64), (142, 96), (286, 256), (286, 96)])
def test_who_sees_the_whole_picture(patch, side):
    net = real(patch)
    field = Field(skeleton(patch), (side, side), (0, 0))
    cells = [(row, column) for row in range(field.map[0]) for column in range(field.map[1])]
    everything = list(range(side))
    sees = [list(seen) == [everything, everything] for seen in footprints(net, (side, side), cells)]
    assert field.whole == sum(sees)
    for cell, whole in zip(cells, sees, strict=True):
        said = in_words(field.at(*cell))
        assert ("Every cell sees the whole picture." in said) == all(sees)
        assert ("This cell sees the whole picture" in said) == (whole and not all(sees))
        assert ("no cell sees all of it" in said) == (not any(sees))


def test_at_64_px_a_field_of_70_misses_an_edge():
    # Padding counts as part of a field: the 70 px of a cell never lie just around the picture.
    assert in_words(Field(skeleton(70), (64, 64), (2, 2))) == (
        "Cell (row 2, column 2) of 6 × 6, counted from 0, judges rows 0 to 62 and columns 0 to 62 of the picture: "
        "70 × 70 px, of which 7 rows and 7 columns lie outside of it (padding). That is 96.9 % of the picture; no cell "
        "sees all of it."
    )
    assert in_words(Field(skeleton(70), (40, 40), (1, 0))).endswith("Every cell sees the whole picture.")


@settings(deadline=None)
@given(st.sampled_from([1, 16, 34, 70, 142]), st.floats(0, 150), st.floats(0, 110))
def test_the_nearest_cell_is_the_nearest_of_all(patch, y, x):
    field = Field(skeleton(patch), (150, 110), (0, 0))
    for found, cells, at in zip(field.nearest(y, x).cell, field.map, (y, x), strict=True):
        spans = [field_of_cell(skeleton(patch), i) for i in range(cells)]
        away = [abs((span.start + span.stop) / 2 - at) for span in spans]
        assert away[found] == min(away)


def press(chooser, part, y, x, begun=None):
    """Point at (y, x) of the picture or of the map, in its own units, as the browser reports it."""
    board = chooser.board
    axes = {"picture": board.picture_axes, "map": board.map_axes}

    def share(part, y, x):
        px, py = axes[part].transData.transform((x, y))
        return px / board.figure.bbox.width, 1 - py / board.figure.bbox.height

    chooser._pointed(share(part, y, x), share(*begun) if begun else share(part, y, x))


def test_a_press_on_the_map_chooses_its_cell():
    chooser = FieldChooser()
    for patch in (1, 34, 286):
        chooser.patch.value = patch
        rows, columns = chooser.field.map
        for cell in ((0, 0), (rows - 1, columns - 1), (rows // 3, columns // 2)):
            press(chooser, "map", cell[0] + 0.5, cell[1] + 0.5)
            assert (chooser.row.value, chooser.column.value) == chooser.field.cell == cell


def test_a_press_on_the_picture_chooses_the_cell_that_looks_there():
    chooser = FieldChooser()
    press(chooser, "picture", 100, 60)
    rows, columns = chooser.field.spans
    assert abs((rows.start + rows.stop) / 2 - 100) <= 4
    assert abs((columns.start + columns.stop) / 2 - 60) <= 4
    press(chooser, "picture", 0.5, 255.5)
    assert chooser.field.cell == (0, 29)


def test_a_drag_stays_where_it_began():
    chooser = FieldChooser()
    press(chooser, "picture", 128, 128, begun=("map", 3, 29.5))
    assert chooser.field.cell[1] == 0
    press(chooser, "map", 0.5, 29.5, begun=("picture", 128, 128))
    assert chooser.field.cell[1] == 29
    before = chooser.field
    chooser._pointed((0.3, 0.5), (0.01, 0.99))  # beside both
    assert chooser.field is before


def test_what_the_browser_reports_arrives():
    if pointing._surface() is None:
        pytest.skip("needs anywidget")
    heard = []
    image = pointing.PointedImage(100, "a picture", lambda place, pressed: heard.append((place, pressed)))
    image.value = b"png"
    assert (image.widget.value, image.widget.alt, image.reports) == (b"png", "a picture", True)
    for time in (1.0, 2.0):  # the same place twice
        image.widget.point = [0.25, 0.75, 0.5, 1.0, time]
    assert heard == [((0.25, 0.75), (0.5, 1.0))] * 2


def test_without_anywidget_the_sliders_remain(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    pointing._surface.cache_clear()
    try:
        chooser = FieldChooser()
    finally:
        pointing._surface.cache_clear()
    assert not chooser.image.reports
    assert type(chooser.image.widget).__name__ == "Image"
    before = chooser.image.value
    chooser.column.value += 3
    assert chooser.image.value[:4] == b"\x89PNG"
    assert chooser.image.value != before


def test_every_control_changes_the_picture_and_the_words():
    chooser = FieldChooser()
    assert chooser.patch.value == 70
    for control, value in ((chooser.row, 0), (chooser.column, 29), (chooser.patch, 16), (chooser.patch, 142)):
        before = (chooser.image.value, chooser.said.value)
        control.value = value
        assert chooser.image.value[:4] == b"\x89PNG"
        assert all(old != new for old, new in zip(before, (chooser.image.value, chooser.said.value), strict=True))
        assert (chooser.row.max + 1, chooser.column.max + 1) == chooser.field.map
        assert (chooser.row.value, chooser.column.value) == chooser.field.cell
    assert 'role="status"' in chooser.said.value


def test_another_patch_looks_at_about_the_same_place():
    chooser = FieldChooser(patch=34)
    press(chooser, "picture", 100, 160)
    for patch in (1, 16, 70, 1):
        chooser.patch.value = patch
        for span, at in zip(chooser.field.spans, (100, 160), strict=True):
            assert abs((span.start + span.stop) / 2 - at) <= 8


def test_the_outlines_are_the_field_and_the_cell():
    chooser = FieldChooser()
    chooser.row.value, chooser.column.value = 0, 12

    def outlines(axes):
        shapes = [patch for patch in axes.patches if not patch.get_fill() and patch.get_edgecolor()[:3] != (1, 1, 1)]
        return [(*shape.get_xy(), shape.get_width(), shape.get_height()) for shape in shapes]

    assert outlines(chooser.board.picture_axes) == [(73, -23, 70, 70)]
    assert outlines(chooser.board.map_axes) == [(12, 0, 1, 1)]
    shown = chooser.board.picture_axes.images[-1]
    assert tuple(shown.get_extent()) == (73, 143, 47, 0)
    assert (shown.get_array() == chooser.board.shown[0:47, 73:143]).all()
    chooser.patch.value = 1  # too small for an outline: a ring
    assert outlines(chooser.board.picture_axes) == []
    assert [line.get_marker() for line in chooser.board.map_axes.lines if line.get_markeredgecolor() == INK] == ["o"]


@pytest.mark.parametrize("size", [(64, 64), (100, 300), (24, 24), (512, 384)])
def test_pictures_of_many_sizes(size):
    chooser = FieldChooser(torch.zeros(1, 3, *size))
    assert chooser.patch.options == tuple(patch for patch in PATCHES if smallest_side(patch) <= min(size))
    for patch in chooser.patch.options:
        chooser.patch.value = patch
        for slider, cells in zip((chooser.row, chooser.column), chooser.field.map, strict=True):
            slider.value = slider.max
            assert slider.disabled == (cells == 1)
            assert slider.value <= max(cells - 1, 1)
        assert chooser.image.value[:4] == b"\x89PNG"


def test_bytes_and_floats_are_the_same_picture():
    bytes_ = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    assert FieldChooser(bytes_, patch=16).image.value == FieldChooser(bytes_ / 127.5 - 1, patch=16).image.value


@pytest.mark.parametrize("conditional", [False, True])
def test_a_discriminator_colours_its_map_and_stays_as_it_is(conditional):
    torch.manual_seed(0)
    picture, input = torch.rand(2, 1, 3, 96, 80) * 2 - 1
    net = PatchDiscriminator(6 if conditional else 3, base=4, patch=34)
    for mode in (True, False):
        net.train(mode)
        state = copy.deepcopy(net.state_dict())
        chooser = FieldChooser(picture, discriminator=net, input=input if conditional else None)
        assert net.training == mode
        assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
        with torch.no_grad():
            logits = copy.deepcopy(net)(torch.cat([input, picture], 1) if conditional else picture)[0, 0]
        assert torch.equal(chooser.logits, logits)
        assert chooser.patch.value == 34
        assert chooser.patch.disabled
        assert torch.equal(torch.from_numpy(chooser.board.image.get_array().data), torch.sigmoid(logits))
        row, column = chooser.field.cell
        said = f"probability {torch.sigmoid(logits[row, column]):.2f} (logit {logits[row, column]:.2f})"
        assert said in chooser.said.value
        assert ("has a say as well" in chooser.said.value) == mode
    assert [text.get_text() for text in chooser.board.bar.get_xticklabels()] == [
        "0: made",
        "0.5: cannot tell",
        "1: real",
    ]


def test_a_discriminator_of_ones_own_will_do():
    layers = [nn.Conv2d(3, 4, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(4, 8, 4, 1, 1), nn.Conv2d(8, 1, 4, 1, 1)]
    chooser = FieldChooser(torch.zeros(1, 3, 64, 64), discriminator=nn.Sequential(*layers))
    assert chooser.patch.value == 16
    assert chooser.field.map == tuple(chooser.logits.shape)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"picture": torch.zeros(3, 64, 64)}, r"shape \(1, 3, H, W\), not \(3, 64, 64\)"),
        ({"picture": torch.zeros(2, 3, 64, 64)}, "shape"),
        ({"patch": 71}, "choose one of 1, 16, 34, 70, 142, 286"),
        ({"picture": torch.zeros(1, 3, 64, 64), "patch": 286}, "96 px or more"),
        ({"discriminator": PatchDiscriminator(6, base=1)}, "takes 6 channels and the picture has 3"),
        ({"discriminator": PatchDiscriminator(3, base=1), "input": torch.zeros(1, 3, 256, 256)}, "together 6"),
        ({"discriminator": PatchDiscriminator(6, base=1), "input": torch.zeros(1, 3, 64, 64)}, "as the picture has it"),
        ({"discriminator": UNetGenerator(base=1, depth=2)}, "goes up"),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(settings, said):
    with pytest.raises(UserError, match=said):
        FieldChooser(**settings)


def test_what_is_stored_in_the_notebook_is_words_and_a_still_picture():
    InteractiveShell.instance()
    try:
        with capture_output() as captured:
            FieldChooser().show()
    finally:
        InteractiveShell.clear_instance()
    (output,) = captured.outputs
    assert {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"} == set(output.data)
    assert "of 30 × 30, counted from 0, judges rows" in output.data["text/plain"]
    assert output.metadata["image/png"]["alt"] == output.data["text/plain"]
