"""A training step of PyTorch on a GPU, alone or with its best input pipeline: the other side of `tuning-fork bench --device cuda`.

bf16 autocast (or TF32), channels_last, torch.compile, fused AdamW, gradient clipping at 1. With --pipeline the pictures lie on the GPU as
bytes and are augmented there by torchvision's v2 transforms. Those draw one set of parameters a call, so a batch is one call: every
picture of it is changed alike, which is less work than our own draw for each picture. The last line is one JSON object with the keys of
`tuning-fork bench --device cuda`. Run by compare_gpu.py, which tries its variants; by hand:

    python torch_gpu.py --model seed --size 256 --batch 128 --compile --mode max-autotune --pipeline seed

Never run on a GPU: it was written on a machine without one, and tried there with --device cpu, which says nothing about speed.
"""

import argparse
import json
import statistics
import time

import torch
from torch import nn

from torch_step import CLASSES, network

GROUP = 10


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", choices=["seed", "compact"], default="seed")
    p.add_argument("--size", type=int, default=256)
    p.add_argument("--batch", type=int, default=128)
    p.add_argument("--device", choices=["cuda", "cpu"], default="cuda", help="cpu: to see that this works")
    p.add_argument("--images", type=int, default=17_736, help="of an epoch, which with --pipeline is measured too")
    p.add_argument("--steps", type=int, default=7, help="groups of ten steps; the median is told")
    p.add_argument("--warmup", type=int, default=20)
    p.add_argument("--precision", choices=["bf16", "tf32", "f32"], default="bf16")
    p.add_argument("--compile", action="store_true")
    p.add_argument("--mode", default="default", help="of torch.compile: default, reduce-overhead, max-autotune")
    p.add_argument("--layout", choices=["contiguous", "channels_last"], default="channels_last")
    p.add_argument("--pipeline", choices=["none", "turns", "seed"], default=None)
    p.add_argument("--inference", action="store_true")
    return p.parse_args()


def transforms(preset: str, size: int) -> nn.Module:
    """The presets of `tuning-fork` as far as torchvision has them."""
    from torchvision.transforms import v2

    if preset == "none":
        return nn.Identity()
    if preset == "turns":
        quarter = v2.RandomChoice([v2.RandomRotation((angle, angle)) for angle in (0, 90, 180, 270)])
        return v2.Compose([v2.RandomHorizontalFlip(), quarter])
    return v2.Compose([
        v2.CenterCrop((int(0.80 * size), int(0.80 * size))),
        v2.RandomHorizontalFlip(),
        v2.ColorJitter(0.5, 0.5, 0.5, 0.2),
        v2.GaussianBlur(3),
        v2.RandomRotation((0, 270), interpolation=v2.InterpolationMode.BILINEAR),
        v2.Resize((size, size), antialias=False),
    ])


class Bench:
    """A network with what trains it, and where its pictures come from."""

    def __init__(self, a: argparse.Namespace):
        self.a = a
        self.layout = torch.channels_last if a.layout == "channels_last" else torch.contiguous_format
        self.net = network(a.model, a.size).to(a.device, memory_format=self.layout)
        self.net.train(not a.inference)
        self.call = torch.compile(self.net, mode=a.mode) if a.compile else self.net
        self.optimizer = torch.optim.AdamW(self.net.parameters(), lr=1e-4, fused=True)
        self.loss = nn.CrossEntropyLoss()
        self.images = torch.rand(a.batch, 3, a.size, a.size, device=a.device).to(memory_format=self.layout)
        self.targets = torch.randint(0, CLASSES, (a.batch,), device=a.device)
        if a.pipeline:
            self.data = torch.randint(0, 256, (a.images, 3, a.size, a.size), dtype=torch.uint8, device=a.device)
            self.transform = transforms(a.pipeline, a.size)

    def batch(self, index: torch.Tensor | None) -> torch.Tensor:
        if not self.a.pipeline:
            return self.images
        if index is None:
            index = torch.randint(0, self.a.images, (self.a.batch,), device=self.a.device)
        pictures = self.transform(self.data[index].float().div_(255))
        return pictures.sub_(0.5).div_(0.5).to(memory_format=self.layout)

    def step(self, index: torch.Tensor | None = None) -> None:
        images = self.batch(index)
        with torch.set_grad_enabled(not self.a.inference):
            with torch.autocast(self.a.device, dtype=torch.bfloat16, enabled=self.a.precision == "bf16"):
                logits = self.call(images)
            if self.a.inference:
                return
            loss = self.loss(logits.float(), self.targets[: len(logits)])
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()


    def epoch(self) -> float:
        """Seconds of an epoch in a new order; the last batch, of another size, was compiled before."""
        order = torch.randperm(self.a.images, device=self.a.device)
        batches = order.split(self.a.batch)
        self.step(batches[-1])
        synchronise(self.a)
        start = time.perf_counter()
        for index in batches:
            self.step(index)
        synchronise(self.a)
        return time.perf_counter() - start


def synchronise(a: argparse.Namespace) -> None:
    if a.device == "cuda":
        torch.cuda.synchronize()


def main() -> None:
    a = arguments()
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("highest" if a.precision == "f32" else "high")
    torch.backends.cudnn.allow_tf32 = a.precision != "f32"
    bench = Bench(a)
    for _ in range(a.warmup):
        bench.step()
    synchronise(a)
    times, asked = [], []
    for _ in range(a.steps):
        start = time.perf_counter()
        for _ in range(GROUP):
            bench.step()
        asked.append((time.perf_counter() - start) / GROUP)
        synchronise(a)
        times.append((time.perf_counter() - start) / GROUP)
    step = statistics.median(times)
    epoch = bench.epoch() if a.pipeline and not a.inference else None
    gpu = a.device == "cuda"
    print(json.dumps({
        "framework": f"torch {torch.__version__}", "model": a.model, "device": torch.cuda.get_device_name() if gpu else "cpu", "size": a.size,
        "batch": a.batch, "layout": a.layout, "precision": a.precision, "compile": a.mode if a.compile else False,
        "pipeline": a.pipeline, "optimizer": "adamw", "inference": a.inference, "step_ms": round(step * 1e3, 2),
        "host_ms": round(statistics.median(asked) * 1e3, 2), "images_per_s": round(a.batch / step, 2),
        "epoch_images": a.images, "epoch_s": round(epoch or step * -(-a.images // a.batch), 2), "epoch_measured": epoch is not None,
        "device_mb": torch.cuda.max_memory_allocated() >> 20 if gpu else None,
    }))


if __name__ == "__main__":
    main()
