"""Makes the pictures beside this file: kinds that likeness itself cannot write.

    pip install pillow==13.0.0 && python make.py

All are drawn here, 96 x 72 px; nobody's rights are touched.
"""

import math
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent


def drawing(shift: int = 0) -> Image.Image:
    """Waves in three colours."""
    picture = Image.new("RGB", (96, 72))
    wave = lambda v: int(127 + 120 * math.sin(v))
    picture.putdata([(wave((x + shift) / 5), wave(y / 7), wave((x * y) / 300)) for y in range(72) for x in range(96)])
    return picture


def main() -> None:
    first, others = drawing(), [drawing(10), drawing(20)]
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x0100], exif[0x0101] = 60_000, 60_000  # a width and a height that are not so
    first.save(HERE / "lying-exif.jpg", quality=80, exif=exif)
    first.save(HERE / "progressive.jpg", quality=80, progressive=True)
    first.convert("CMYK").save(HERE / "cmyk.jpg", quality=80)
    first.convert("L").save(HERE / "grey.jpg", quality=80)
    first.convert("P").save(HERE / "palette.png")
    first.convert("L").convert("I").point(lambda v: v * 257).convert("I;16").save(HERE / "sixteen-bit.png")
    first.save(HERE / "animated.png", save_all=True, append_images=others)
    first.save(HERE / "animated.webp", save_all=True, append_images=others, quality=60)
    first.save(HERE / "lossy.webp", quality=60, exif=exif)
    first.convert("RGBA").save(HERE / "lossless.webp", lossless=True)
    first.save(HERE / "still.gif")


if __name__ == "__main__":
    main()
