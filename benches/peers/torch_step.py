"""One training step (or one forward pass) of PyTorch on the two networks: the other side of `tuning-fork bench`.

Random pictures in memory, cross-entropy, gradient clipping at 1, fused AdamW. The last line is one JSON object with the
keys of `tuning-fork bench`. Run by compare.py; by hand:

    python torch_step.py --model seed --size 64 --batch 32 --threads 2 --layout channels_last --precision bf16
"""

import argparse
import json
import resource
import statistics
import time

import torch
from torch import nn

CLASSES = 10


def network(model: str, size: int) -> nn.Sequential:
    """The seed's network, or the compact one with batch norm and global average pooling."""
    widths = [3, 32, 64, 128, 256, 512] + ([1024] if model == "seed" else [])
    layers: list[nn.Module] = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers.append(nn.Conv2d(inputs, outputs, 3, padding=1, bias=model == "seed"))
        if model == "compact":
            layers.append(nn.BatchNorm2d(outputs))
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
    if model == "compact":
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, CLASSES))
    features = 1024 * (size // 64) ** 2
    head = [nn.Flatten(), nn.Linear(features, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, 256), nn.ReLU(), nn.Dropout(0.5)]
    return nn.Sequential(*layers, *head, nn.Linear(256, CLASSES))


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", choices=["seed", "compact"], default="seed")
    p.add_argument("--size", type=int, default=64)
    p.add_argument("--batch", type=int, default=32)
    p.add_argument("--steps", type=int, default=7)
    p.add_argument("--warmup", type=int, default=3)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--device", default="cpu")
    p.add_argument("--layout", choices=["contiguous", "channels_last"], default="channels_last")
    p.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    p.add_argument("--compile", action="store_true")
    p.add_argument("--inference", action="store_true")
    return p.parse_args()


class Bench:
    """A network with what trains it."""

    def __init__(self, a: argparse.Namespace):
        self.device, self.bf16, self.inference = a.device, a.precision == "bf16", a.inference
        layout = torch.channels_last if a.layout == "channels_last" else torch.contiguous_format
        self.net = network(a.model, a.size).to(a.device, memory_format=layout)
        self.net.train(not a.inference)
        self.call = torch.compile(self.net) if a.compile else self.net
        self.images = torch.rand(a.batch, 3, a.size, a.size, device=a.device).to(memory_format=layout)
        self.targets = torch.randint(0, CLASSES, (a.batch,), device=a.device)
        self.optimizer = torch.optim.AdamW(self.net.parameters(), lr=1e-4, fused=True)
        self.loss = nn.CrossEntropyLoss()

    def now(self) -> float:
        if self.device != "cpu":
            torch.cuda.synchronize()
        return time.perf_counter()

    def step(self) -> tuple[float, float, float]:
        """Seconds of forward, backward and optimiser."""
        t0 = self.now()
        with torch.set_grad_enabled(not self.inference):
            with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.bf16):
                logits = self.call(self.images)
            loss = self.loss(logits.float(), self.targets)
        t1 = self.now()
        if self.inference:
            return t1 - t0, 0.0, 0.0
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        t2 = self.now()
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        return t1 - t0, t2 - t1, self.now() - t2


def main() -> None:
    a = arguments()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    if a.device != "cpu":
        torch.set_float32_matmul_precision("high")
    bench = Bench(a)
    for _ in range(a.warmup):
        bench.step()
    times = [bench.step() for _ in range(a.steps)]
    forward, backward, update = (1e3 * statistics.median(part) for part in zip(*times))
    step = statistics.median(sum(t) for t in times)
    figures = {
        "framework": f"torch {torch.__version__}", **{k: v for k, v in vars(a).items() if k not in ("steps", "warmup")},
        "forward_ms": round(forward, 2), "backward_ms": round(backward, 2), "optimizer_ms": round(update, 2),
        "step_ms": round(step * 1e3, 2), "images_per_s": round(a.batch / step, 2),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
