"""A made town under sliders: its map, and the aerial picture that a network draws from the map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from p2plib.data.augment import to_bytes, to_signed
from p2plib.data.synthetic import MapParameters, draw_maps
from p2plib.my_work import keep_city, your_city
from p2plib.widgets.base import label, put, to_png, words

SIDE = 128  # pixels drawn: four times the area that the zoo's network saw in training, at the same grain
SHOWN = 384  # pixels on the screen

Array = np.ndarray[Any, Any]


def city_pair(seed: int, parameters: MapParameters | None = None, side: int = SIDE) -> tuple[Array, Array]:
    """Map and aerial picture of a city, uint8 (side, side, 3) each, 64 pixels to the unit of training."""
    maps, aerials = draw_maps([0], size=side, seed=seed, parameters=parameters, scale=1.0)
    return maps[0].transpose(1, 2, 0), aerials[0].transpose(1, 2, 0)


def draw_with(network: torch.nn.Module, map_picture: Array) -> Array:
    """What a network makes of a map, uint8 (H, W, 3) → uint8 (H, W, 3); the same at every call."""
    from p2plib.zoo import translate_with

    input = to_signed(torch.from_numpy(map_picture.transpose(2, 0, 1).copy()))[None]
    return to_bytes(translate_with(network, input))[0].permute(1, 2, 0).numpy()


class TownExplorer:
    """Sliders for a town; its map on the left, beside it what the network draws, or what is "really" there.

    Args:
        network: map → aerial picture; None takes the zoo's.
        seed: the town to begin with; None takes *your city*.
    """

    def __init__(self, network: torch.nn.Module | None = None, seed: int | None = None) -> None:
        import ipywidgets

        from p2plib import zoo

        self.network = network or zoo.load("map2aerial")
        slider: dict[str, Any] = {"style": {"description_width": "6em"}, "layout": {"width": "24em"}}
        number = ipywidgets.FloatSlider
        self.sliders = {
            "road_angle": number(value=20, min=-45, max=45, step=1, description="road angle °", **slider),
            "river": number(value=8, min=0, max=20, step=1, description="river", **slider),
            "park": number(value=0.2, min=0, max=1, step=0.05, description="park", **slider),
            "density": number(value=0.7, min=0, max=1, step=0.05, description="houses", **slider),
        }
        self.seed = ipywidgets.IntSlider(
            value=your_city() if seed is None else seed, min=0, max=99, description="town", **slider
        )
        self.truth = ipywidgets.ToggleButtons(options=["drawn by the network", "made with the map"])
        size = {"width": f"{SHOWN}px", "height": f"{SHOWN}px"}
        self.left, self.right = (ipywidgets.Image(format="png", layout=size) for _ in range(2))
        self.said = ipywidgets.HTML()
        for control in (*self.sliders.values(), self.seed, self.truth):
            control.observe(self._changed, names="value")
        self.update()
        self.widget = self._lay_out()

    def _lay_out(self) -> Any:
        import ipywidgets

        pictures = ipywidgets.HBox(
            [
                ipywidgets.VBox([label("map: the input"), self.left]),
                ipywidgets.VBox([label("aerial picture: the output"), self.right, self.truth]),
            ]
        )
        controls = ipywidgets.HBox(
            [
                ipywidgets.VBox([self.sliders["road_angle"], self.sliders["river"], self.seed]),
                ipywidgets.VBox([self.sliders["park"], self.sliders["density"]]),
            ]
        )
        return ipywidgets.VBox([controls, pictures, self.said])

    def _changed(self, change: Any) -> None:
        self.update()

    def parameters(self) -> MapParameters:
        """What the sliders say."""
        return MapParameters(**{name: slider.value for name, slider in self.sliders.items()})

    def update(self) -> None:
        """Draw the town that the sliders describe."""
        map_picture, aerial = city_pair(self.seed.value, self.parameters())
        drawn = self.truth.value == self.truth.options[0]
        output = draw_with(self.network, map_picture) if drawn else aerial
        self.left.value, self.right.value = (to_png(picture, SHOWN) for picture in (map_picture, output))
        self.pictures = (map_picture, output)
        p = self.parameters()
        self.said.value = words(
            f"Town {self.seed.value}: streets at {p.road_angle:.0f}°, "
            f"{f'a river {p.river:.0f} units wide' if p.river else 'no river'}, parks on {p.park:.0%} of the blocks, "
            f"houses on {p.density:.0%} of the plots. Right: {self.truth.value}."
        )

    def show(self) -> None:
        """Put it into the notebook."""
        still = to_png(np.concatenate(self.pictures, axis=1), SHOWN)
        put(
            self.widget,
            picture=still,
            alt="A street map of a made town, and beside it the aerial picture that a network draws from it. "
            "Sliders change the roads, the river, the parks and the houses.",
        )


def choose_city(on_choice: Callable[[int], None] | None = None) -> CityChooser:
    """Show the chooser of *your city*."""
    chooser = CityChooser(on_choice)
    chooser.show()
    return chooser


class CityChooser:
    """One number, one town: the seed that all chapters translate.

    Args:
        on_choice: called with the seed when one is kept.
    """

    def __init__(self, on_choice: Callable[[int], None] | None = None) -> None:
        import ipywidgets

        self.on_choice = on_choice
        self.seed = ipywidgets.BoundedIntText(value=your_city(), min=0, max=999_999, description="seed")
        self.keep = ipywidgets.Button(description="This is my city", button_style="info", layout={"width": "auto"})
        self.next = ipywidgets.Button(description="Show me another", layout={"width": "auto"})
        self.image = ipywidgets.Image(format="png", layout={"width": f"{SHOWN}px", "height": f"{SHOWN}px"})
        self.said = ipywidgets.HTML()
        self.seed.observe(lambda change: self.update(), names="value")
        self.keep.on_click(lambda button: self.choose())
        self.next.on_click(lambda button: self._another())
        self.update()
        row = ipywidgets.HBox([self.seed, self.next, self.keep])
        self.widget = ipywidgets.VBox([row, self.image, self.said])

    def update(self) -> None:
        """Draw the map of the town with this seed."""
        self.picture, _ = city_pair(self.seed.value)
        self.image.value = to_png(self.picture, SHOWN)
        self.said.value = words(f"The map of town {self.seed.value}. Try your birthday.")

    def choose(self) -> None:
        """Keep the seed shown."""
        keep_city(self.seed.value)
        self.said.value = words(f"Town {self.seed.value} is your city now: every chapter will come back to it.")
        if self.on_choice:
            self.on_choice(self.seed.value)

    def _another(self) -> None:
        self.seed.value = (self.seed.value * 31 + 17) % 1_000_000

    def show(self) -> None:
        """Put it into the notebook."""
        put(
            self.widget,
            picture=to_png(self.picture, SHOWN),
            alt="The map of a town. A number, the seed, decides it; one button shows another, one keeps it.",
        )
