"""A picture that reports where it is pointed at, by mouse, pen or finger.

Core ipywidgets have no such thing: it takes anywidget, which runs in JupyterLab and Colab, with ipywidgets 7 and 8.
Without anywidget the same picture is shown and reports nothing, so a widget that uses it needs sliders as well.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

#: What the browser runs for each view.  A press begins a drag; both report [x, y, x and y of the press, time].
#: The time makes a second press at the same place a new report.
SCRIPT = """
function render({ model, el }) {
  const image = document.createElement("img");
  image.draggable = false;
  // The touch would scroll the page, a drag would select text.
  image.style.cssText = "display:block;max-width:100%;cursor:crosshair;touch-action:none;user-select:none";
  let address, pressed;
  function draw() {
    const before = address;
    address = URL.createObjectURL(new Blob([model.get("value")], { type: "image/png" }));
    image.src = address;
    image.alt = model.get("alt");
    image.style.width = model.get("width") + "px";
    if (before) URL.revokeObjectURL(before);
  }
  function place(event) {
    const box = image.getBoundingClientRect();
    const within = (share) => Math.min(Math.max(share, 0), 1);
    return [within((event.clientX - box.left) / box.width), within((event.clientY - box.top) / box.height)];
  }
  function report(event) {
    model.set("point", [...place(event), ...pressed, event.timeStamp]);
    model.save_changes();
  }
  image.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    image.setPointerCapture(event.pointerId);
    pressed = place(event);
    report(event);
  });
  image.addEventListener("pointermove", (event) => {
    if (image.hasPointerCapture(event.pointerId)) report(event);
  });
  model.on("change:value change:alt change:width", draw);
  draw();
  el.appendChild(image);
  return () => {
    model.off("change:value change:alt change:width", draw);
    URL.revokeObjectURL(address);
  };
}
export default { render };
"""

Place = tuple[float, float]
"""Shares of the picture's width and height, from its upper left corner: (0, 0) to (1, 1)."""


@cache
def _surface() -> Any:
    """The class of widgets that report; None where anywidget is not installed."""
    try:
        import anywidget
        import traitlets
    except ImportError:
        return None

    class Surface(anywidget.AnyWidget):  # type: ignore[misc]
        _esm = SCRIPT
        value = traitlets.Bytes().tag(sync=True)
        alt = traitlets.Unicode().tag(sync=True)
        width = traitlets.Int().tag(sync=True)
        point = traitlets.List(traitlets.Float()).tag(sync=True)

    return Surface


class PointedImage:
    """A PNG of a fixed width that calls back where it is pressed, and along each drag.

    Args:
        width: pixels on the screen; less where there is less room.
        alt: what it shows, in words.
        on_point: called with the place pointed at and the place where the press began.

    Attributes:
        widget: to be put into a box.
        reports: whether it can be pointed at.
    """

    def __init__(self, width: int, alt: str, on_point: Callable[[Place, Place], None]) -> None:
        import ipywidgets

        surface = _surface()
        self.reports = surface is not None
        if self.reports:
            self.widget = surface(alt=alt, width=width)
            self.widget.observe(lambda change: on_point(tuple(change.new[:2]), tuple(change.new[2:4])), names="point")
        else:
            size = {"width": f"{width}px", "max_width": "100%", "object_fit": "contain"}
            self.widget = ipywidgets.Image(format="png", layout=size)

    @property
    def value(self) -> bytes:
        """The PNG shown."""
        return bytes(self.widget.value)

    @value.setter
    def value(self, png: bytes) -> None:
        self.widget.value = png
