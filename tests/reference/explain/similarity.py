"""Writes similarity.json: rank correlation (scipy) and structural similarity (scikit-image) of pairs of maps.

    python similarity.py          # needs numpy, scipy, scikit-image
"""
import json
import pathlib

import numpy as np
import scipy
import skimage
from scipy.stats import spearmanr
from skimage.metrics import structural_similarity

rng = np.random.default_rng(5)


def unit(a):
    return (a - a.min()) / (a.max() - a.min())


def case(name, a, b):
    a, b = np.round(a, 4).astype(np.float32), np.round(b, 4).astype(np.float32)
    return {
        "name": name, "height": a.shape[0], "width": a.shape[1], "a": a.ravel().tolist(), "b": b.ravel().tolist(),
        "spearman": float(spearmanr(a.ravel(), b.ravel()).statistic),
        "ssim": float(structural_similarity(unit(a).astype(np.float64), unit(b).astype(np.float64), data_range=1.0)),
    }


y, x = np.mgrid[:16, :20]
blob = np.exp(-((x - 9) ** 2 + (y - 7) ** 2) / 30)
noise = rng.normal(size=(16, 20))
ties = np.maximum(rng.integers(-3, 4, (9, 9)), 0).astype(float)
cases = [
    case("noisy", blob, blob + 0.1 * noise),
    case("apart", blob, noise),
    case("against", blob, -blob),
    case("ties", ties, np.maximum(rng.integers(-3, 4, (9, 9)), 0).astype(float)),
    case("smallest", noise[:7, :7], noise[:7, :7] ** 2),
]
out = {"made_by": f"scipy {scipy.__version__}, scikit-image {skimage.__version__}", "cases": cases}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(out) + "\n")
