"""Writes road.safetensors: pictures with holes, filled as ROAD does (Rong et al. 2022, arXiv 2202.00449), by scipy's direct solver.

    python road.py            # needs numpy, scipy, pillow, safetensors

A hidden pixel is the weighted mean of its eight neighbours, 1/6 for direct and 1/12 for diagonal ones; neighbours outside the
picture are left out and the weights of the others are scaled to the sum 1. For each case: "picture" (bytes), "hidden" (0 or 1)
and "filled" (grey levels), all row by row.
"""
import pathlib

import numpy as np
from PIL import Image
from safetensors.numpy import save_file
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import spsolve

HERE = pathlib.Path(__file__).parent
NEIGHBOURS = [(dy, dx, 1 / 6 if 0 in (dy, dx) else 1 / 12) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]


def fill(picture, hidden):
    """The picture in f64 with the hidden pixels solved for."""
    height, width = hidden.shape
    number = -np.ones((height, width), dtype=int)
    number[hidden] = np.arange(hidden.sum())
    rows, columns, values = [], [], []
    right = np.zeros((hidden.sum(), 3))
    for y, x in zip(*np.nonzero(hidden)):
        inside = [(y + dy, x + dx, w) for dy, dx, w in NEIGHBOURS if 0 <= y + dy < height and 0 <= x + dx < width]
        total = sum(w for _, _, w in inside)
        i = number[y, x]
        rows.append(i), columns.append(i), values.append(1.0)
        for v, u, w in inside:
            if hidden[v, u]:
                rows.append(i), columns.append(number[v, u]), values.append(-w / total)
            else:
                right[i] += w / total * picture[v, u]
    matrix = csr_matrix((values, (rows, columns)), shape=(len(right), len(right)))
    filled = picture.astype(np.float64)
    filled[hidden] = spsolve(matrix.tocsc(), right)
    return filled


def main():
    rng = np.random.default_rng(11)
    galaxy = np.asarray(Image.open(HERE.parent / "augment" / "source.png").convert("RGB"))[:60, :48]
    noise = rng.integers(0, 256, (17, 23, 3), dtype=np.uint8)
    y, x = np.mgrid[:60, :48]
    far = np.hypot(y - 30, x - 20)
    cases = {
        "tenth": (galaxy, rng.random((60, 48)) < 0.1),
        "most": (galaxy, rng.random((60, 48)) < 0.9),
        "middle": (galaxy, far < np.quantile(far, 0.5)),
        "rim": (galaxy, far >= np.quantile(far, 0.1)),
        "corner": (noise, (np.mgrid[:17, :23].sum(0) < 15)),
        "one": (noise, np.arange(17 * 23).reshape(17, 23) != 200),
    }
    out = {}
    for name, (picture, hidden) in cases.items():
        out[f"{name}/picture"] = np.ascontiguousarray(picture)
        out[f"{name}/hidden"] = hidden.astype(np.uint8)
        out[f"{name}/filled"] = fill(picture, hidden).astype(np.float32)
    save_file(out, HERE / "road.safetensors")


if __name__ == "__main__":
    main()
