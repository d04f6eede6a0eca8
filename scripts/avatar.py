"""Draw the bot's own picture: a folder with a face, 192 x 192, as PNG.

``python scripts/avatar.py`` writes filebot/xmpp/profile/avatar.png anew. It needs Pillow.
"""

from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

PICTURE: Final = Path(__file__).resolve().parent.parent / "filebot" / "xmpp" / "profile" / "avatar.png"
SIDE: Final = 192
SCALE: Final = 8
"""It is drawn so much larger, and then made smaller: edges are smooth."""

ABOVE: Final = (38, 84, 160)
BELOW: Final = (36, 164, 168)
"""Colours of the ground, at its upper and its lower edge."""
BACK: Final = (236, 190, 92)
FRONT: Final = (255, 217, 120)
PAPER: Final = (255, 255, 255)
LINES: Final = (186, 200, 216)
INK: Final = (44, 58, 84)
CHEEK: Final = (248, 164, 128)

Box = tuple[float, float, float, float]


def scaled(box: Box) -> Box:
    """Return a box as it is drawn."""
    left, top, right, bottom = (each * SCALE for each in box)
    return left, top, right, bottom


def ground() -> Image.Image:
    """Return the ground: one colour goes over into the other."""
    column = Image.new("RGB", (1, SIDE))
    for y in range(SIDE):
        share = y / (SIDE - 1)
        red, green, blue = (round(a + (b - a) * share) for a, b in zip(ABOVE, BELOW, strict=True))
        column.putpixel((0, y), (red, green, blue))
    return column.resize((SIDE * SCALE, SIDE * SCALE), Image.Resampling.BICUBIC)


def draw() -> Image.Image:
    """Return the picture. All that matters is within the circle to which apps cut it."""
    image = ground()
    pen = ImageDraw.Draw(image)

    def block(box: Box, radius: float, colour: tuple[int, int, int]) -> None:
        pen.rounded_rectangle(scaled(box), radius * SCALE, fill=colour)

    def round_spot(x: float, y: float, radius: float, colour: tuple[int, int, int]) -> None:
        pen.ellipse(scaled((x - radius, y - radius, x + radius, y + radius)), fill=colour)

    block((42, 56, 92, 90), 8, BACK)  # the tab
    block((42, 66, 150, 140), 9, BACK)
    block((56, 42, 136, 130), 6, PAPER)
    for y in (54, 64, 74):
        block((68, y, 124 if y < 70 else 104, y + 4), 2, LINES)
    block((36, 86, 156, 150), 11, FRONT)
    for x in (74, 118):
        round_spot(x, 110, 8, INK)
        round_spot(x + 2.5, 107.5, 2.6, PAPER)
        round_spot(x + (-14 if x < 96 else 14), 124, 5, CHEEK)
    pen.arc(scaled((82, 108, 110, 134)), 25, 155, fill=INK, width=int(4.5 * SCALE))
    return image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def main() -> None:
    """Write the picture."""
    draw().quantize(160, dither=Image.Dither.NONE).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
