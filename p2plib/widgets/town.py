"""A synthetic town under sliders: its map, and the aerial picture that a network draws from the map."""

from __future__ import annotations

from typing import Any

import torch

from p2plib.data.synthetic import MapParameters, draw_city
from p2plib.my_work import DEFAULT_CITY, SEEDS, keep_city, kept_city
from p2plib.plots import as_array
from p2plib.widgets.base import label, put, to_png, words

SIDE = 192  # pixels drawn: more town than the zoo's network saw in training, at the same grain
SHOWN = 384  # pixels on the screen


class TownExplorer:
    """Sliders for a town; its map on the left, beside it the network's output or the target.

    Args:
        network: map → aerial picture; None takes the zoo's.
        seed: the town to begin with; None takes *your city*.
    """

    def __init__(self, network: torch.nn.Module | None = None, seed: int | None = None) -> None:
        import ipywidgets

        from p2plib import zoo

        self.network = network or zoo.load("map2aerial")
        slider: dict[str, Any] = {"style": {"description_width": "7.5em"}, "layout": {"width": "24em"}}
        number = ipywidgets.FloatSlider
        self.sliders = {
            "road_angle": number(value=20, min=-45, max=45, step=1, description="road angle °", **slider),
            "river": number(value=8, min=0, max=20, step=1, description="river px", **slider),
            "park": number(value=0.2, min=0, max=1, step=0.05, description="park", **slider),
            "density": number(value=0.7, min=0.2, max=1, step=0.05, description="houses", **slider),
        }
        self.seed = ipywidgets.IntSlider(
            value=min(99, kept_city() or DEFAULT_CITY) if seed is None else seed,
            min=1,
            max=99,
            description="town",
            **slider,
        )
        self.truth = ipywidgets.ToggleButtons(
            options=["the network's output", "the target"], style={"button_width": "auto"}
        )
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
                ipywidgets.VBox([label("from the air"), self.right, self.truth]),
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
        from p2plib.zoo import translate_with

        input, aerial = draw_city(self.seed.value, SIDE, self.parameters())
        drawn = self.truth.value == self.truth.options[0]
        output = translate_with(self.network, input) if drawn else aerial
        self.pictures = torch.cat([input, output])  # (2, 3, SIDE, SIDE)
        self.left.value, self.right.value = (to_png(as_array(picture), SHOWN) for picture in self.pictures)
        p = self.parameters()
        self.said.value = words(
            f"Town {self.seed.value}: streets at {p.road_angle:.0f}°, "
            f"{f'a river {p.river:.0f} px wide' if p.river else 'no river'}, parks on {p.park:.0%} of the blocks, "
            f"houses on {p.density:.0%} of the plots. Right: {self.truth.value}."
        )

    def show(self) -> None:
        """Put it into the notebook."""
        still = to_png(as_array(torch.cat(tuple(self.pictures), dim=-1)), SHOWN)
        put(
            self.widget,
            picture=still,
            alt="A street map of a synthetic town, and beside it the picture from the air that a network draws. "
            "Sliders change the roads, the river, the parks and the houses.",
        )


def choose_city() -> None:
    """Show the chooser of *your city*."""
    CityChooser().show()


class CityChooser:
    """One number, one town: the seed that all chapters translate."""

    def __init__(self) -> None:
        import ipywidgets

        self.seed = ipywidgets.BoundedIntText(
            value=kept_city() or DEFAULT_CITY, min=1, max=SEEDS - 1, description="seed"
        )
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
        self.picture = draw_city(self.seed.value, SIDE)[0][0]
        self.image.value = to_png(as_array(self.picture), SHOWN)
        self.said.value = words(f"The map of town {self.seed.value}. Try your birthday, such as 17052004.")

    def choose(self) -> None:
        """Keep the seed shown."""
        keep_city(self.seed.value)
        self.said.value = words(f"Town {self.seed.value} is your city now: every chapter will come back to it.")

    def _another(self) -> None:
        self.seed.value = (self.seed.value * 31 + 17) % 1_000 + 1

    def show(self) -> None:
        """Put it into the notebook."""
        put(
            self.widget,
            picture=to_png(as_array(self.picture), SHOWN),
            alt="The map of a town. A number, the seed, decides it; one button shows another, one keeps it.",
        )
