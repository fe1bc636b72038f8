"""Once its parts are complete, my_pix2pix.py trains by itself: a last region holds `main`."""

from __future__ import annotations

import re

from p2plib.checks.regions import FILE, REGION, ids, put_region

#: The net, both losses, the discriminator, and the four of chapter 06.
NEEDED = frozenset({"2.5", "4.1", "4.2", "5.3", "6.1", "6.2", "6.3", "6.4"})
VERSION = 1
COMPLETE = (
    f"my_work/{FILE} is complete: it now trains by itself. In the course's folder: `python my_work/{FILE}`, about two "
    "minutes; `--help` says what else it takes."
)
IMPORTS = {
    "import argparse",
    "import torch",
    "from pathlib import Path",
    "from p2plib.data.augment import Augment, to_signed",
    "from p2plib.data.catalogue import open_source",
    "from safetensors.torch import save_file",
    "from torch import nn",
    "from torchvision.utils import save_image",
    "from tqdm import tqdm",
}
MAIN = '''\
def draw_weights(net):
    """As in the paper (section 6.2): convolutions N(0, 0.02), the scale of a norm N(1, 0.02)."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
    return net


def train(generator, discriminator, pairs, steps, rate=1e-3, batch=8):
    """One step on D, then one on the generator, again and again; Ctrl-C ends it, and what there is stays."""
    device = next(generator.parameters()).device
    jitter, chance = Augment(64), torch.Generator().manual_seed(0)  # cuts 64 px out of 72, mirrors half of the pairs
    adam_d = torch.optim.Adam(discriminator.parameters(), lr=rate, betas=(0.5, 0.999))
    adam_g = torch.optim.Adam(generator.parameters(), lr=rate, betas=(0.5, 0.999))
    bar = tqdm(range(steps), unit="step")
    try:
        for step in bar:
            for adam in (adam_d, adam_g):  # its weights are one group, which has a rate
                adam.param_groups[0]["lr"] = float(learning_rate_at(step, steps, rate))
            chosen = torch.randint(len(pairs), (batch,), generator=chance).tolist()
            input, target = (picture.to(device) for picture in jitter(*pairs.batch(chosen), chance))
            loss_d = discriminator_step(generator, discriminator, adam_d, input, target)
            loss_g = generator_step(generator, discriminator, adam_g, input, target)
            bar.set_postfix(D=f"{torch.as_tensor(loss_d):.2f}", G=f"{torch.as_tensor(loss_g):.1f}", refresh=False)
    except KeyboardInterrupt:
        bar.close()
        print("Stopped. What there is by now is kept.")


def main():
    """Train, then write the generator's weights and a sheet of input | output | target beside this file."""
    parser = argparse.ArgumentParser(description="Trains my own pix2pix, 64 px.")
    parser.add_argument("pairs", nargs="?", default="synthetic-maps", help="a folder of side-by-side pictures")
    parser.add_argument("--direction", choices=("AtoB", "BtoA"), help="AtoB: the left half is the input")
    parser.add_argument("--steps", type=int, default=2000, help="1 or more; 2000 if not given")
    asked = parser.parse_args()
    if asked.steps < 1:
        parser.error("--steps must be 1 or more")
    try:
        pairs = open_source(asked.pairs, 72, 64, asked.direction)
    except Exception as error:  # no such folder, no pairs in it: said in one sentence
        parser.error(str(error))
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    generator = draw_weights(UNetGenerator(3, 3, base=16, depth=6)).to(device)
    discriminator = draw_weights(PatchDiscriminator(6, base=16)).to(device)
    train(generator, discriminator, pairs.train, asked.steps)

    shown = list(range(min(6, len(pairs.held_out))))
    input, target = (to_signed(picture) for picture in pairs.held_out.batch(shown))
    output = translate(generator, input.to(device)).cpu()
    sheet, weights = Path(__file__).with_suffix(".png"), Path(__file__).with_suffix(".safetensors")
    rows = torch.cat([input, output, target], dim=3)
    rows = rows.repeat_interleave(3, dim=2).repeat_interleave(3, dim=3)  # each pixel three by three
    save_image(rows, sheet, nrow=1, normalize=True, value_range=(-1, 1))
    save_file({name: value.cpu().contiguous() for name, value in generator.state_dict().items()}, weights)
    print(f"input | output | target: {sheet}\\nthe generator's weights: {weights}")


if __name__ == "__main__":
    main()'''


def finished(text: str) -> tuple[str, bool]:
    """The file's text with `main`, where all that it needs is there; and whether it was not there before.

    A `main` of this version is left as it is, and so is one of a later version.
    """
    there = ids(text)
    if not there >= NEEDED:
        return text, False
    for match in REGION.finditer(text):
        version = re.match(r"version (\d+)", match["title"] or "") if match["id"] == "main" else None
        if version and int(version[1]) >= VERSION:
            return text, False
    return put_region(text, "main", f"version {VERSION}", MAIN, IMPORTS), "main" not in there
