"""A whole training run in PyTorch: the recipe of `tuning-fork train`, on a NumPy folder with index files. See whole_run.py.

Class-balanced focal loss, AdamW without decay of biases and norms, one cycle of the learning rate, gradients clipped at 1, random
mirroring and quarter turns of whole batches. The last line is the test part's scores of the epoch with the best validation macro-F1.
"""

import argparse
import copy
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from torch_step import network

WEIGHTED = (nn.Conv2d, nn.Linear)


def scores(confusion: np.ndarray) -> dict[str, float]:
    right, truth, said = np.diag(confusion), confusion.sum(1), confusion.sum(0)
    recall = right / np.maximum(truth, 1)
    f1 = 2 * right / np.maximum(truth + said, 1)
    named = {"accuracy": right.sum() / confusion.sum(), "balanced_accuracy": recall.mean(), "macro_f1": f1.mean()}
    return {name: float(value) for name, value in named.items()}


class Run:
    """The data, the network and what trains it."""

    def __init__(self, a: argparse.Namespace):
        self.batch = a.batch
        self.images = torch.from_numpy(np.load(a.data / "images.npy")).permute(0, 3, 1, 2).contiguous()
        self.labels = torch.from_numpy(np.load(a.data / "labels.npy").astype(np.int64))
        self.split = {part: torch.from_numpy(np.load(a.data / f"{part}_indices.npy")) for part in ("train", "valid", "test")}
        self.classes = int(self.labels.max()) + 1
        net = network("compact", self.images.shape[-1])
        net[-1] = nn.Linear(512, self.classes)
        for layer in net.modules():
            if isinstance(layer, WEIGHTED):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        self.net = net.to(memory_format=torch.channels_last)
        counts = torch.bincount(self.labels[self.split["train"]], minlength=self.classes).double()
        weight = (1 - a.beta) / (1 - a.beta**counts)
        self.weight, self.gamma = (weight / weight.sum() * self.classes).float(), a.gamma
        groups = [
            {"params": [p for p in net.parameters() if p.ndim > 1], "weight_decay": a.weight_decay},
            {"params": [p for p in net.parameters() if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=a.lr, fused=True)
        steps = -(-len(self.split["train"]) // a.batch) * a.epochs
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, max_lr=a.lr, total_steps=steps)

    def pictures(self, index: torch.Tensor) -> torch.Tensor:
        return ((self.images[index].float() / 255 - 0.5) / 0.5).contiguous(memory_format=torch.channels_last)

    def epoch(self) -> None:
        self.net.train()
        train = self.split["train"]
        for index in train[torch.randperm(len(train))].split(self.batch):
            x, y = self.pictures(index), self.labels[index]
            if torch.rand(()) < 0.5:
                x = x.flip(-1)
            x = torch.rot90(x, int(torch.randint(0, 4, ())), (2, 3)).contiguous(memory_format=torch.channels_last)
            log_p = F.log_softmax(self.net(x), 1).gather(1, y[:, None])[:, 0]
            loss = (-self.weight[y] * (-torch.expm1(log_p)).clamp_min(0) ** self.gamma * log_p).mean()
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
            self.optimizer.step()
            self.schedule.step()

    @torch.no_grad()
    def evaluate(self, part: str) -> dict[str, float]:
        self.net.eval()
        confusion = np.zeros((self.classes, self.classes), int)
        for index in self.split[part].split(256):
            np.add.at(confusion, (self.labels[index].numpy(), self.net(self.pictures(index)).argmax(1).numpy()), 1)
        return scores(confusion)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data", type=pathlib.Path)
    for name, kind, default in [
        ("epochs", int, 15), ("batch", int, 64), ("lr", float, 3e-3), ("beta", float, 0.999), ("gamma", float, 1.0),
        ("weight-decay", float, 1e-2), ("seed", int, 1), ("threads", int, 2),
    ]:
        p.add_argument(f"--{name}", type=kind, default=default)
    a = p.parse_args()
    torch.manual_seed(a.seed)
    torch.set_num_threads(a.threads)
    run = Run(a)
    best, state = -1.0, run.net.state_dict()
    for _ in range(a.epochs):
        run.epoch()
        score = run.evaluate("valid")["macro_f1"]
        if score > best:
            best, state = score, copy.deepcopy(run.net.state_dict())
    run.net.load_state_dict(state)
    print(json.dumps(run.evaluate("test")))


if __name__ == "__main__":
    main()
