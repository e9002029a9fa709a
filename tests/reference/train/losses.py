"""Oracle numbers for tests/it/train/loss.rs: losses and their gradients by PyTorch's autograd in float64.

    python losses.py > losses.json          (PyTorch 2.x)
"""
import json

import torch
import torch.nn.functional as F

torch.manual_seed(1)


def class_weights(counts, beta):
    weight = (1 - beta) / (1 - beta ** counts.double())
    return weight / weight.sum() * len(counts)


def focal(logits, target, weight, gamma, smoothing):
    """-w_y sum_c t_c (1 - p_c)^gamma log p_c, with smoothed targets t; mean over the images."""
    logp = F.log_softmax(logits, 1)
    t = torch.full_like(logp, smoothing / logp.shape[1])
    t.scatter_add_(1, target[:, None], torch.full((len(target), 1), 1 - smoothing, dtype=logp.dtype))
    return (-weight[target] * (t * (-torch.expm1(logp)).clamp_min(0) ** gamma * logp).sum(1)).mean()


cases = []
for classes, scale, beta, gamma, smoothing in [
    (10, 1.0, 0.931, 1.007, 0.0),
    (10, 4.0, 0.999, 2.0, 0.0),
    (4, 2.0, 0.0, 0.5, 0.0),
    (3, 8.0, 0.99, 1.0, 0.1),
    (2, 20.0, 0.9999, 3.0, 0.05),
    (5, 2.0, 0.0, 0.0, 0.0),
]:
    n = 12
    logits = (torch.randn(n, classes) * scale).float()
    target = torch.randint(0, classes, (n,))
    counts = torch.randint(1, 2000, (classes,))
    x = logits.double().requires_grad_()
    loss = focal(x, target, class_weights(counts, beta), gamma, smoothing)
    loss.backward()
    cases.append({
        "loss": "focal", "beta": beta, "gamma": gamma, "smoothing": smoothing, "counts": counts.tolist(),
        "logits": logits.flatten().tolist(), "targets": target.tolist(), "value": loss.item(), "gradient": x.grad.flatten().tolist(),
        "weights": class_weights(counts, beta).tolist(),
    })
for classes, scale, smoothing in [(10, 2.0, 0.0), (10, 2.0, 0.1), (3, 30.0, 0.2)]:
    n = 12
    logits = (torch.randn(n, classes) * scale).float()
    target = torch.randint(0, classes, (n,))
    x = logits.double().requires_grad_()
    loss = F.cross_entropy(x, target, label_smoothing=smoothing)
    loss.backward()
    cases.append({
        "loss": "cross_entropy", "beta": 0.5, "gamma": 1.0, "smoothing": smoothing, "counts": [7] * classes,
        "logits": logits.flatten().tolist(), "targets": target.tolist(), "value": loss.item(), "gradient": x.grad.flatten().tolist(),
        "weights": [1.0] * classes,
    })
print(json.dumps(cases, separators=(",", ":")))
