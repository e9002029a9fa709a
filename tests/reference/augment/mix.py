"""Oracle numbers for tests/it/data/mix.rs: torchvision's v2.MixUp and v2.CutMix with fixed draws.

    python mix.py > mix.json          (torchvision 0.2x)
"""
import json
from unittest import mock

import torch
from torchvision.transforms import v2

SIDE, IMAGES, CLASSES = 9, 4, 3
torch.manual_seed(5)
batch = torch.randint(0, 256, (IMAGES, 3, SIDE, SIDE)).float() / 256
labels = torch.tensor([2, 0, 1, 1])


def case(transform, lam, centre=(0, 0)):
    transform._dist = mock.Mock(sample=lambda shape: torch.tensor([lam], dtype=torch.float64))
    draws = iter(centre)
    with mock.patch("torchvision.transforms.v2._augment.torch.randint", lambda high, size: torch.tensor([next(draws)])):
        images, soft = transform(batch.clone(), labels)
    return {
        "mixup": isinstance(transform, v2.MixUp), "lam": lam, "centre": centre,
        "images": [round(x, 7) for x in images.flatten().tolist()], "labels": soft.tolist(),
    }


mixup, cutmix = v2.MixUp(alpha=1.0, num_classes=CLASSES), v2.CutMix(alpha=1.0, num_classes=CLASSES)
cases = [case(mixup, lam) for lam in (0.3, 0.85)]
cases += [case(cutmix, lam, centre) for lam, centre in ((0.5, (4, 3)), (0.2, (0, 8)), (0.0, (8, 0)), (0.999, (5, 5)))]
print(json.dumps({"side": SIDE, "hard": labels.tolist(), "batch": batch.flatten().tolist(), "cases": cases}, separators=(",", ":")))
