"""Maps of the package grad-cam (jacobgil/pytorch-grad-cam) for tests/it/explain.

    python maps.py            # writes maps.safetensors beside itself; needs grad-cam, torch, pillow, safetensors

The networks are those of ../nn/make.py with its weights from `formula`; the picture is ../augment/source.png, scaled to 64 x 64.
For each case two tensors are kept: "raw", the signed map on the layer's grid, and "scaled", what the package returns (on
64 x 64 pixels, 0 to 1), every third pixel of it.

Two things of the package are changed and said: Score-CAM's masks are scaled up with half-pixel centres (the package aligns
corners, which moves them by up to half a cell), and everything is computed in f64.
"""
import pathlib
import sys

import numpy as np
import torch
from PIL import Image
from pytorch_grad_cam import (EigenCAM, FinerCAM, GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, ScoreCAM, XGradCAM)
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget, FinerWeightedTarget
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).parent
sys.path.append(str(HERE.parent / "nn"))
from make import compact_network, fill, seed_network  # noqa: E402

torch.nn.UpsamplingBilinear2d = lambda size: torch.nn.Upsample(size=size, mode="bilinear", align_corners=False)

METHODS = {"grad-cam": GradCAM, "hires-cam": HiResCAM, "grad-cam++": GradCAMPlusPlus, "layer-cam": LayerCAM,
           "xgrad-cam": XGradCAM, "eigen-cam": EigenCAM, "score-cam": ScoreCAM, "finer-cam": FinerCAM}
# network, the layer's name here and its number there, classes
CASES = [("compact", "block5.pool", 19, [None, 7]), ("compact", "block5.relu", 18, [None, 7]),
         ("compact", "block3.relu", 10, [None]), ("seed", "block6.relu", 16, [None]), ("seed", "block4.relu", 10, [2])]
AGAINST = 5


def maps(network, layer, method, inputs, target):
    """The signed map on the layer's grid and the package's result."""
    kept = []
    with METHODS[method](model=network, target_layers=[layer]) as cam:
        base = getattr(cam, "base_cam", cam)
        inner = base.get_cam_image

        def keep(*args, **kwargs):
            kept.append(inner(*args, **kwargs))
            return kept[-1].copy()

        base.get_cam_image = keep
        scaled = cam(input_tensor=inputs, targets=[target])
    return kept[0][0], scaled[0]


def main():
    picture = Image.open(HERE.parent / "augment" / "source.png").convert("RGB").resize((64, 64), Image.LANCZOS)
    pixels = np.asarray(picture)
    inputs = torch.from_numpy((pixels.transpose(2, 0, 1)[None] / 255 - 0.5) / 0.5)
    out = {}
    for name, layer_name, number, classes in CASES:
        network = (compact_network if name == "compact" else seed_network)(64).double().eval()
        fill(network)
        logits = network(inputs)[0].detach().numpy()
        out[f"{name}.logits"] = logits
        for wanted in classes:
            label = int(logits.argmax()) if wanted is None else wanted
            for method in METHODS:
                if method == "score-cam" and (name == "seed" or layer_name == "block5.pool" or wanted is not None):
                    continue  # hundreds of forward passes for nothing new
                if method == "finer-cam":
                    target = FinerWeightedTarget(label, [AGAINST], 1)
                else:
                    target = ClassifierOutputTarget(label)
                raw, scaled = maps(network, network[number], method, inputs, target)
                key = f"{name}/{layer_name}/{method}/{'predicted' if wanted is None else wanted}"
                out[f"{key}/raw"] = raw
                out[f"{key}/scaled"] = scaled[1::3, 1::3]
    save_file({k: np.ascontiguousarray(v, dtype=np.float32) for k, v in out.items()}, HERE / "maps.safetensors")


if __name__ == "__main__":
    torch.set_num_threads(2)
    main()
