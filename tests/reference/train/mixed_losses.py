"""Oracle numbers for tests/it/train/loss.rs: losses of mixed batches and their gradients by PyTorch's autograd in float64.

    python mixed_losses.py > mixed_losses.json          (PyTorch 2.x)
"""
import json

import torch
import torch.nn.functional as F

torch.manual_seed(2)


def class_weights(counts, beta):
    weight = (1 - beta) / (1 - beta ** counts.double())
    return weight / weight.sum() * len(counts)


def focal(logits, soft, weight, gamma):
    """-sum_c w_c t_c (1 - p_c)^gamma log p_c for soft targets t; mean over the images."""
    logp = F.log_softmax(logits, 1)
    return (-(weight * soft * (-torch.expm1(logp)).clamp_min(0) ** gamma * logp).sum(1)).mean()


cases = []
for kind, classes, share, beta, gamma, smoothing in [
    ("focal", 10, 0.7, 0.931, 1.007, 0.0),
    ("focal", 4, 0.05, 0.999, 2.0, 0.0),
    ("cross_entropy", 10, 0.6, 0.5, 1.0, 0.0),
    ("cross_entropy", 3, 0.25, 0.5, 1.0, 0.1),
]:
    n = 8
    logits = (torch.randn(n, classes) * 3).float()
    target = torch.randint(0, classes, (n,))
    partner = target.roll(1)
    counts = torch.randint(1, 2000, (classes,))
    soft = share * F.one_hot(target, classes).double() + (1 - share) * F.one_hot(partner, classes).double()
    x = logits.double().requires_grad_()
    if kind == "focal":
        loss = focal(x, soft, class_weights(counts, beta), gamma)
    else:
        loss = F.cross_entropy(x, soft, label_smoothing=smoothing)
    loss.backward()
    cases.append({
        "loss": kind, "beta": beta, "gamma": gamma, "smoothing": smoothing, "counts": counts.tolist(), "share": share,
        "logits": logits.flatten().tolist(), "targets": target.tolist(), "partners": partner.tolist(),
        "value": loss.item(), "gradient": x.grad.flatten().tolist(),
    })
print(json.dumps(cases, separators=(",", ":")))
