"""The figures that chapters share, in one hand: one palette, one way to caption, alt text for everyone."""

from p2plib.plots.boxes import departures, pix2pix_diagram
from p2plib.plots.curves import CURVES, curves, draw_curves, lines
from p2plib.plots.grids import as_array, filmstrip, numbers, picture, picture_rows, pictures, strips
from p2plib.plots.live import LiveFigure, LiveRace
from p2plib.plots.output import png, show
from p2plib.plots.plane import colour_planes
from p2plib.plots.style import COLOURS, DASHES, INK, LINE, SOFT, STYLE

__all__ = [
    "COLOURS",
    "CURVES",
    "DASHES",
    "INK",
    "LINE",
    "SOFT",
    "STYLE",
    "LiveFigure",
    "LiveRace",
    "as_array",
    "colour_planes",
    "curves",
    "departures",
    "draw_curves",
    "filmstrip",
    "lines",
    "numbers",
    "picture",
    "picture_rows",
    "pictures",
    "pix2pix_diagram",
    "png",
    "show",
    "strips",
]
