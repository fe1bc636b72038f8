"""What all widgets share: their look, and a picture in their place where no kernel runs."""

from __future__ import annotations

import html
import io
from typing import Any

import numpy as np
from PIL import Image

from p2plib.plots import COLOURS, INK, SOFT

ACCENT = COLOURS[0]


def put(widget: Any, *, alt: str, picture: bytes | None = None) -> None:
    """Show a widget, with a still picture of it for readers without a kernel (a web page, a printed copy).

    Args:
        widget: an ipywidgets widget.
        alt: what it shows, in words; the same at every run.
        picture: PNG bytes of its first state.
    """
    from IPython.display import display

    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    data: dict[str, Any] = {"application/vnd.jupyter.widget-view+json": view, "text/plain": alt}
    if picture is not None:
        data["image/png"] = bytes(picture)  # a widget hands out a memoryview, which would be stored as a list
    display(data, metadata={"image/png": {"alt": alt}} if picture is not None else None, raw=True)


def to_png(picture: np.ndarray[Any, Any], side: int | None = None) -> bytes:
    """uint8 (H, W, 3) → PNG bytes, enlarged pixel for pixel to about `side` pixels high where one is given."""
    image = Image.fromarray(picture)
    if side is not None and image.height < side:
        times = side // image.height
        image = image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def label(text: str) -> Any:
    """A small heading."""
    import ipywidgets

    return ipywidgets.HTML(f'<b style="color:{INK}">{html.escape(text)}</b>')


def words(text: str) -> str:
    """A line of explanation under a widget, as HTML that screen readers announce when it changes."""
    return f'<div role="status" style="color:{SOFT};max-width:48em;line-height:1.4">{html.escape(text)}</div>'
