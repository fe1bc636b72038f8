"""Draws docs/front.png, the picture of the README:  python docs/make_pictures.py"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from p2plib import zoo
from p2plib.data.synthetic import draw_city, draw_facades
from p2plib.plots import INK, as_array

SIDE, GAP, HEAD = 256, 12, 26


def main() -> None:
    network = zoo.load("map2aerial")
    town, _ = draw_city(2026, SIDE)
    output = zoo.translate_with(network, town)
    labels, photos = (torch.from_numpy(batch) for batch in draw_facades([7], size=SIDE, seed=3))
    columns = {
        "input: a map": town[0],
        "output of the course's small network": output[0],
        "labels of a synthetic facade": labels[0],
        "its synthetic photograph": photos[0],
    }
    page = Image.new("RGB", (len(columns) * (SIDE + GAP) - GAP, SIDE + HEAD), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(14)
    for i, (name, picture) in enumerate(columns.items()):
        pen.text((i * (SIDE + GAP), 4), name, INK, font)
        page.paste(Image.fromarray(np.ascontiguousarray(as_array(picture))), (i * (SIDE + GAP), HEAD))
    page.save(Path(__file__).with_name("front.png"))


if __name__ == "__main__":
    main()
