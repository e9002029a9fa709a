"""Oracle numbers for tests/it/train/optimizer.rs: 100 steps of torch.optim on two parameters, one decayed and one not.

    python optimizers.py > optimizers.json          (PyTorch 2.x)

The gradients are a function of the step and the parameters' places that both sides compute (see `gradient`), so only the
parameters after every tenth step are kept. Everything is float64, so that what differs is our own rounding.
Clipping (torch.nn.utils.clip_grad_norm_) is on in the cases that say so.
"""
import json
import math

import torch

LR, DECAY, N, M = 3e-3, 0.05, 17, 5


def gradient(step: int, place: int) -> float:
    return math.sin(0.7 * place + 0.13 * step) * (1.0 + 0.5 * math.cos(0.31 * step)) + 0.2 * math.cos(2.1 * place)


def run(make, clip, cycle):
    weight = torch.tensor([0.5 * math.cos(1.7 * i) + 1.0 for i in range(N)], dtype=torch.float64, requires_grad=True)
    bias = torch.tensor([0.3 * math.sin(0.9 * i) - 1.0 for i in range(M)], dtype=torch.float64, requires_grad=True)
    opt = make([{"params": [weight], "weight_decay": DECAY}, {"params": [bias], "weight_decay": 0.0}])
    schedule = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=LR, total_steps=100, cycle_momentum=cycle) if cycle is not None else None
    out, norms = [], []
    for step in range(100):
        weight.grad = torch.tensor([gradient(step, i) for i in range(N)], dtype=torch.float64)
        bias.grad = torch.tensor([gradient(step, 100 + i) for i in range(M)], dtype=torch.float64)
        norms.append(torch.nn.utils.clip_grad_norm_([weight, bias], clip if clip else math.inf).item())
        opt.step()
        if schedule:
            schedule.step()
        if step % 10 == 9 or step < 6:
            out.append({"step": step, "weight": weight.tolist(), "bias": bias.tolist()})
    return {"states": out, "norms": norms[::10]}


cases = []
for name, clip, cycle, make in [
    ("radam", 0.0, None, lambda g: torch.optim.RAdam(g, lr=LR, decoupled_weight_decay=True)),
    ("radam", 1.0, True, lambda g: torch.optim.RAdam(g, lr=LR, decoupled_weight_decay=True)),
    ("adamw", 0.0, None, lambda g: torch.optim.AdamW(g, lr=LR)),
    ("adamw", 2.0, False, lambda g: torch.optim.AdamW(g, lr=LR)),
    ("adamw", 1.0, True, lambda g: torch.optim.AdamW(g, lr=LR)),
    ("sgd", 0.0, None, lambda g: torch.optim.SGD(g, lr=LR, momentum=0.9)),
    ("sgd", 1.0, True, lambda g: torch.optim.SGD(g, lr=LR, momentum=0.9)),
]:
    cases.append({"optimizer": name, "clip": clip, "one_cycle": cycle is not None, "cycle_momentum": bool(cycle), **run(make, clip, cycle)})
print(json.dumps({"lr": LR, "weight_decay": DECAY, "cases": cases}, separators=(",", ":")))
