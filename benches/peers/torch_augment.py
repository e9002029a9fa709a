"""The seed's augmentation in torchvision, on one core; prints the figures as one JSON object.

--variant pil: pictures through Pillow, as the seed project did; tensor: uint8 tensors with transforms.v2.
"""

import argparse
import json
import resource
import time

import numpy as np
import torch
import torchvision
from PIL import Image
from torchvision import transforms as v1
from torchvision.transforms import v2


def pipeline(variant: str, size: int) -> v2.Compose | v1.Compose:
    if variant == "pil":
        return v1.Compose([
            v1.CenterCrop((170, 240)), v1.ColorJitter(0.4, 0.4, 0.4, 0.5), v1.GaussianBlur(3, (0.1, 2.0)), v1.RandomHorizontalFlip(),
            v1.RandomRotation((0, 270)), v1.Resize((size, size)), v1.ToTensor(), v1.Normalize([0.5] * 3, [0.5] * 3),
        ])
    return v2.Compose([
        v2.CenterCrop((170, 240)), v2.ColorJitter(0.4, 0.4, 0.4, 0.5), v2.GaussianBlur(3, (0.1, 2.0)), v2.RandomHorizontalFlip(),
        v2.RandomRotation((0, 270)), v2.Resize((size, size), antialias=True), v2.ToDtype(torch.float32, scale=True),
        v2.Normalize([0.5] * 3, [0.5] * 3),
    ])


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--variant", choices=["pil", "tensor"], default="pil")
    p.add_argument("--size", type=int, default=256)
    p.add_argument("--steps", type=int, default=9)
    p.add_argument("--batch", type=int, default=32)
    options = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    pictures = np.random.default_rng(0).integers(0, 256, (options.batch, 256, 256, 3), dtype=np.uint8)
    change = pipeline(options.variant, options.size)
    if options.variant == "pil":
        load = Image.fromarray
    else:
        def load(picture: np.ndarray) -> torch.Tensor:
            return torch.from_numpy(picture).permute(2, 0, 1).contiguous()

    def step() -> float:
        start = time.perf_counter()
        torch.stack([change(load(picture)) for picture in pictures])
        return time.perf_counter() - start

    for _ in range(2):
        step()
    times = sorted(step() for _ in range(options.steps))
    median = times[len(times) // 2]
    print(json.dumps({
        "framework": f"torchvision {torchvision.__version__}", "variant": options.variant, "size": options.size, "batch": options.batch,
        "threads": 1, "instructions": "", "step_ms": round(median * 1e3, 2), "images_per_s": round(options.batch / median, 2),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))


if __name__ == "__main__":
    main()
