"""Reference pictures for tests/it/data/augment*.rs, made by torchvision on float tensors from 0 to 1.

    python make.py        # needs torch, torchvision, pillow
"""

import pathlib

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

HERE = pathlib.Path(__file__).resolve().parent
BILINEAR = InterpolationMode.BILINEAR


def galaxy(height: int, width: int) -> np.ndarray:
    """A coloured disc with arms, stars and noise: smooth parts, edges, grey and saturated pixels."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    dx, dy = (x - width / 2) / width, (y - height / 2) / height
    radius, angle = np.hypot(dx, dy * 1.4), np.arctan2(dy, dx)
    disc = np.exp(-radius * 7) * (1 + 0.5 * np.cos(2 * (angle - 4 * np.log(radius + 0.05))))
    colour = np.stack([disc * (1.0 + 0.3 * np.cos(angle)), disc, disc * (1.2 - 0.4 * np.sin(angle))], -1)
    for _ in range(12):
        cy, cx = rng.integers(2, height - 2), rng.integers(2, width - 2)
        colour[cy - 1:cy + 2, cx - 1:cx + 2] += rng.uniform(0, 1.2, 3)
    colour += rng.normal(0, 0.02, colour.shape)
    picture = (np.clip(colour, 0, 1) * 255).round().astype(np.uint8)
    picture[:4, :4] = [[0, 0, 0]]
    picture[-4:, :4] = [[255, 255, 255]]
    picture[:4, -4:] = [[200, 100, 100]]
    return picture


def rotate_reflected(image: torch.Tensor, degrees: float) -> torch.Tensor:
    """Counter-clockwise, bilinear, border reflected at the edges of the outermost pixels (torchvision has no such border)."""
    _, height, width = image.shape
    angle = np.deg2rad(degrees)
    y, x = np.meshgrid(np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2, indexing="ij")
    from_x, from_y = np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y
    grid = torch.from_numpy(np.stack([2 * from_x / width, 2 * from_y / height], -1))[None]
    return torch.nn.functional.grid_sample(image.double()[None], grid, mode="bilinear", padding_mode="reflection", align_corners=False)[0]


def save(name: str, image: torch.Tensor) -> None:
    pixels = (image.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(HERE / f"{name}.png", optimize=True)


def main() -> None:
    source = galaxy(80, 80)
    Image.fromarray(source).save(HERE / "source.png", optimize=True)
    image = torch.from_numpy(source).permute(2, 0, 1).float() / 255
    for name, change, factors in [
        ("brightness", F.adjust_brightness, [0.6, 1.4]),
        ("contrast", F.adjust_contrast, [0.6, 1.4]),
        ("saturation", F.adjust_saturation, [0.6, 1.4]),
        ("hue", F.adjust_hue, [-0.5, -0.13, 0.31, 0.5]),
    ]:
        for factor in factors:
            save(f"{name}_{factor}", change(image, factor))
    for size, sigma in [(3, 0.1), (3, 2.0), (7, 1.3)]:
        save(f"blur_{size}_{sigma}", F.gaussian_blur(image, [size, size], [sigma, sigma]))
    save("flip", F.hflip(image))
    for angle in [30, 133.5, 270]:
        save(f"rotate_{angle}", F.rotate(image, angle, interpolation=BILINEAR))
    for angle in [17, 133, 271]:
        save(f"reflected_{angle}", rotate_reflected(image, angle))
    save("resize", F.resize(image, [96, 96], interpolation=BILINEAR, antialias=True))
    # the seed's steps in its order with fixed parameters; the angle that needs no second interpolation
    seed = F.center_crop(image, [53, 75])
    seed = F.adjust_hue(F.adjust_contrast(F.adjust_brightness(F.adjust_saturation(seed, 1.3), 1.2), 0.8), 0.2)
    seed = F.hflip(F.gaussian_blur(seed, [3, 3], [1.1, 1.1]))
    save("seed_180", F.resize(F.rotate(seed, 180, interpolation=BILINEAR), [96, 96], interpolation=BILINEAR, antialias=True))


if __name__ == "__main__":
    main()
