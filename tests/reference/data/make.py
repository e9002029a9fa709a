"""Makes the reference files beside this script: pictures scaled by Pillow, and one picture in many kinds of file.

    python make.py          (written with Pillow 13)
"""
import pathlib

import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(0)

# Noise with hard edges: the negative lobes of the filter overshoot and must be clipped as Pillow clips them.
source = rng.integers(0, 256, (37, 53, 3), dtype=np.uint8)
source[5:15, 10:30] = 255
source[20:30, 20:45] = 0
picture = Image.fromarray(source)
picture.save(HERE / "source.png")
for width, height in [(16, 16), (53, 9), (7, 37), (1, 1), (100, 80), (64, 20)]:
    # Rows, then columns, said outright: Pillow 13 swaps the passes where the height shrinks more than the width.
    picture.resize((width, picture.height), Image.LANCZOS).resize((width, height), Image.LANCZOS).save(HERE / f"lanczos_{width}x{height}.png")

# One picture in many kinds of file. The colours are chosen such that each kind holds them without loss.
rgb = rng.integers(0, 256, (6, 9, 3), dtype=np.uint8)
alpha = rng.integers(0, 256, (6, 9), dtype=np.uint8)
grey = rgb[:, :, 0]
expected = {
    "rgb8.png": rgb,
    "rgb8.tif": rgb,
    "rgb8.webp": rgb,
    "grey8.png": np.stack([grey] * 3, -1),
    "grey8.tif": np.stack([grey] * 3, -1),
    "grey16.png": np.stack([grey] * 3, -1),
    "grey16.tif": np.stack([grey] * 3, -1),
}
Image.fromarray(rgb).save(HERE / "rgb8.png")
Image.fromarray(rgb).save(HERE / "rgb8.tif", compression="tiff_lzw")
Image.fromarray(rgb).save(HERE / "rgb8.webp", lossless=True)
Image.fromarray(grey).save(HERE / "grey8.png")
Image.fromarray(grey).save(HERE / "grey8.tif")
Image.fromarray(grey.astype(np.uint16) * 257).save(HERE / "grey16.png")
Image.fromarray(grey.astype(np.uint16) * 257).save(HERE / "grey16.tif")
rgba = np.dstack([rgb, alpha])
Image.fromarray(rgba).save(HERE / "rgba8.png")
Image.fromarray(rgba).save(HERE / "rgba8.webp", lossless=True, exact=True)
on_black = Image.alpha_composite(Image.new("RGBA", (9, 6), (0, 0, 0, 255)), Image.fromarray(rgba))
expected["rgba8.png"] = expected["rgba8.webp"] = np.asarray(on_black)[:, :, :3]
grey_alpha = Image.fromarray(np.dstack([grey, alpha]), "LA")
grey_alpha.save(HERE / "grey_alpha8.png")
expected["grey_alpha8.png"] = np.asarray(Image.alpha_composite(Image.new("RGBA", (9, 6), (0, 0, 0, 255)), grey_alpha.convert("RGBA")))[:, :, :3]
palette = Image.fromarray(rgb).quantize(16)
palette.save(HERE / "palette.png")
expected["palette.png"] = np.asarray(palette.convert("RGB"))
black_white = Image.fromarray(grey > 127)
black_white.save(HERE / "black_white.png")
expected["black_white.png"] = np.asarray(black_white.convert("RGB"))
# JPEG is lossy and decoders may differ by a level or two: compared with a tolerance.
smooth = np.add.outer(np.arange(24) * 5, np.arange(32) * 4).astype(np.uint8)
smooth = np.stack([smooth, 255 - smooth, smooth // 2], -1)
for name, options in {"baseline.jpg": {}, "progressive.jpg": {"progressive": True}, "full_chroma.jpg": {"subsampling": 0}}.items():
    Image.fromarray(smooth).save(HERE / name, quality=90, **options)
    expected[name] = np.asarray(Image.open(HERE / name).convert("RGB"))
Image.fromarray(smooth[:, :, 0]).save(HERE / "grey.jpg", quality=90)
expected["grey.jpg"] = np.asarray(Image.open(HERE / "grey.jpg").convert("RGB"))
Image.fromarray(smooth).convert("CMYK").save(HERE / "cmyk.jpg", quality=95)
expected["cmyk.jpg"] = np.asarray(Image.open(HERE / "cmyk.jpg").convert("RGB"))
with open(HERE / "decoded.txt", "w") as out:
    for name, pixels in expected.items():
        out.write(f"{name} {pixels.shape[1]} {pixels.shape[0]} {pixels.tobytes().hex()}\n")
