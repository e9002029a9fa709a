"""Writes pca.json: principal components of small tables by scikit-learn.

Run with numpy and scikit-learn installed: python tests/reference/explain/pca.py
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.decomposition import PCA

rng = np.random.default_rng(3)


def case(rows, width, decay):
    mixing = rng.normal(size=(width, width)) * decay ** np.arange(width)[:, None]
    values = (rng.normal(size=(rows, width)) @ mixing + rng.normal(size=width)).astype(np.float32)
    count = min(3, width)
    return {
        "width": width,
        "values": np.round(values, 4).ravel().tolist(),
        "count": count,
        **fit(np.round(values, 4), count),
    }


def fit(values, count):
    pca = PCA(count, svd_solver="full").fit(values.astype(np.float64))
    return {
        "coordinates": np.round(pca.transform(values), 6).ravel().tolist(),
        "shares": pca.explained_variance_ratio_.tolist(),
    }


out = {"made_by": f"scikit-learn {sklearn.__version__}", "cases": [case(40, 8, 0.6), case(12, 20, 0.8), case(30, 2, 0.5)]}
Path(__file__).with_name("pca.json").write_text(json.dumps(out) + "\n")
