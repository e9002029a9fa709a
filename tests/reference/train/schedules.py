"""Oracle numbers for tests/it/train/schedule.rs: learning rates and momenta of torch.optim.lr_scheduler.

    python schedules.py > schedules.json          (PyTorch 2.x)
"""
import json
import math

import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR, ReduceLROnPlateau

LR = 3e-3


def optimizer():
    return torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=LR)


def walk(make, steps):
    opt = optimizer()
    schedule = make(opt)
    rates, momenta = [], []
    for _ in range(steps):
        rates.append(opt.param_groups[0]["lr"])
        momenta.append(opt.param_groups[0]["betas"][0])
        opt.step()
        schedule.step()
    return rates, momenta


one_cycle = []
for total in [1, 2, 3, 7, 10, 100]:
    opt = optimizer()
    schedule = OneCycleLR(opt, max_lr=LR, total_steps=total)
    rates, momenta = [], []
    for step in range(total):
        rates.append(opt.param_groups[0]["lr"])
        momenta.append(opt.param_groups[0]["betas"][0])
        opt.step()
        if step + 1 < total:
            schedule.step()
    one_cycle.append({"steps": total, "rates": rates, "momenta": momenta})

cosine = []
for total in [1, 7, 100]:
    rates, _ = walk(lambda o: CosineAnnealingLR(o, T_max=total), total)
    cosine.append({"steps": total, "rates": rates})

# validation losses that fall, stall, fall a little, and stall for good
losses = [2.0 * math.exp(-0.2 * e) for e in range(10)] + [0.4] * 9 + [0.35, 0.35, 0.349999] + [0.36] * 12
plateau = []
for patience in [1, 5]:
    opt = optimizer()
    schedule = ReduceLROnPlateau(opt, patience=patience)
    rates = []
    for loss in losses:
        schedule.step(loss)
        rates.append(opt.param_groups[0]["lr"])
    plateau.append({"patience": patience, "losses": losses, "rates": rates})
print(json.dumps({"lr": LR, "one_cycle": one_cycle, "cosine": cosine, "plateau": plateau}, separators=(",", ":")))
