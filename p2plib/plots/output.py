"""A figure into a notebook: as PNG, with a caption under it and alt text in its metadata."""

from __future__ import annotations

import html
import io
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from p2plib.plots.style import SOFT


def show(figure: Figure, *, alt: str, caption: str, colours: int | None = None) -> None:
    """Show a figure in a notebook with a visible caption, and alt text in the output's metadata.

    Args:
        figure: closed afterwards, so that it is shown once.
        alt: what a person who cannot see the picture needs to know of it.
        caption: one or two sentences under it.
        colours: at most so many, up to 256, where a notebook holds many figures; None for all.
    """
    from IPython.display import display

    data = {"image/png": png(figure, colours), "text/plain": f"Figure: {alt}"}
    display(data, metadata={"image/png": {"alt": alt}}, raw=True)
    display(_caption(caption), raw=True)


def png(figure: Figure, colours: int | None = None) -> bytes:
    """The figure as PNG, in all its colours or in so many (256 take a third of the bytes); closes it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight", pad_inches=0.08)
    plt.close(figure)
    if colours is not None:
        with Image.open(buffer) as image:
            few = image.convert("RGB").quantize(colours, kmeans=5, dither=Image.Dither.NONE)
        buffer = io.BytesIO()
        few.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _caption(text: str) -> dict[str, str]:
    style = f"color:{SOFT};font-size:0.93em;max-width:48em;margin:0 0 1em 0.5em"
    return {"text/html": f'<p style="{style}">{html.escape(text)}</p>', "text/plain": text}


class InPlace:
    """Shows a figure, and each further one in its place."""

    def __init__(self) -> None:
        self._handle: Any = None

    def __call__(self, figure: Figure, words: str, alt: str) -> None:
        from IPython.display import display

        data = {"image/png": png(figure), "text/plain": words}
        metadata = {"image/png": {"alt": alt}}
        if self._handle is None:
            self._handle = display(data, metadata=metadata, raw=True, display_id=True)
        else:
            self._handle.update(data, metadata=metadata, raw=True)
