"""What all widgets share: their look, and a picture in their place where no kernel runs."""

from __future__ import annotations

import html
import io
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from p2plib.plots import COLOURS, INK, SOFT, STYLE

ACCENT = COLOURS[0]
# Text takes the theme's colour, JupyterLab's or Colab's: ours are for white paper.
_PLAIN = f"var(--jp-content-font-color1, var(--colab-primary-text-color, {INK}))"
_QUIET = f"var(--jp-content-font-color2, var(--colab-primary-text-color, {SOFT}))"


def put(widget: Any, *, alt: str, picture: bytes | None = None, place: Any = None) -> Any:
    """Show a widget, with a still picture of it for readers without a kernel (a web page, a printed copy).

    Args:
        widget: an ipywidgets widget.
        alt: what it shows, in words; the same at every run.
        picture: PNG bytes of its first state.
        place: what an earlier call returned: show it there, in place of what is there.

    Returns:
        The place: IPython's handle of the output.
    """
    from IPython.display import display

    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    data: dict[str, Any] = {"application/vnd.jupyter.widget-view+json": view, "text/plain": alt}
    if picture is not None:
        data["image/png"] = bytes(picture)  # a widget hands out a memoryview, which would be stored as a list
    metadata = {"image/png": {"alt": alt}} if picture is not None else None
    if place is None:
        return display(data, metadata=metadata, raw=True, display_id=True)
    place.update(data, metadata=metadata, raw=True)
    return place


def to_png(picture: np.ndarray[Any, Any], side: int | None = None) -> bytes:
    """uint8 (H, W, 3) → PNG bytes, enlarged pixel for pixel to about `side` pixels high where one is given."""
    image = Image.fromarray(picture)
    if side is not None and image.height < side:
        times = side // image.height
        image = image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def untrimmed(figure: Figure) -> bytes:
    """The figure as PNG, at its own size: `plots.png` trims the margins, and a trimmed picture jumps under a slider."""
    canvas = figure.canvas if isinstance(figure.canvas, FigureCanvasAgg) else FigureCanvasAgg(figure)
    with matplotlib.rc_context(STYLE):
        canvas.draw()
    return to_png(np.asarray(canvas.buffer_rgba())[..., :3])


def label(text: str) -> Any:
    """A small heading."""
    import ipywidgets

    return ipywidgets.HTML(f'<b style="color:{_PLAIN}">{html.escape(text)}</b>')


def plain(text: str) -> str:
    """A line of text beside a control, as HTML."""
    return f'<span style="color:{_PLAIN}">{html.escape(text)}</span>'


def words(text: str) -> str:
    """A line of explanation under a widget, as HTML that screen readers announce when it changes."""
    return f'<div role="status" style="color:{_QUIET};max-width:48em;line-height:1.4">{html.escape(text)}</div>'
