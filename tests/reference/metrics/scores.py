"""Oracle numbers for tests/it/metrics.rs: scikit-learn's scores of confusion matrices, SciPy's Wilson intervals.

    python scores.py > scores.json          (scikit-learn 1.x, SciPy 1.x)
"""
import json
import warnings

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, precision_recall_fscore_support

warnings.filterwarnings("ignore")  # classes without images or predictions are the point of some cases


def case(confusion: list[list[int]]) -> dict:
    m = np.array(confusion)
    k = len(m)
    truth = np.repeat(np.repeat(np.arange(k), k), m.ravel())
    predicted = np.repeat(np.tile(np.arange(k), k), m.ravel())
    labels = list(range(k))
    score = lambda average: precision_recall_fscore_support(truth, predicted, labels=labels, average=average, zero_division=0)
    precision, recall, f1, support = score(None)
    return {
        "confusion": confusion,
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "f1": f1.tolist(),
        "support": support.astype(int).tolist(),
        "macro": [float(x) for x in score("macro")[:3]],
        "weighted": [float(x) for x in score("weighted")[:3]],
        "accuracy": float(accuracy_score(truth, predicted)),
        "balanced_accuracy": float(balanced_accuracy_score(truth, predicted)),
    }


rng = np.random.default_rng(1)
matrices = [
    [[5, 2, 0], [1, 7, 3], [0, 0, 4]],
    [[3, 0, 1], [0, 0, 0], [2, 0, 5]],  # a class without images that is never predicted
    [[3, 1, 0], [0, 0, 0], [2, 0, 5]],  # a class without images that is predicted
    [[0, 4, 0], [0, 6, 0], [0, 2, 0]],  # only one class is ever predicted
    [[9]],
    [[0, 3], [4, 0]],  # all wrong
    rng.integers(0, 50, (10, 10)).tolist(),
]
wilson = []
for hits, trials in [(0, 1), (1, 1), (0, 20), (20, 20), (1, 20), (829, 1000), (2917, 3548), (3548, 3548)]:
    interval = binomtest(hits, trials).proportion_ci(0.95, method="wilson")
    wilson.append({"hits": hits, "trials": trials, "low": float(interval.low), "high": float(interval.high)})
print(json.dumps({"cases": [case(m) for m in matrices], "wilson": wilson}, indent=None, separators=(",", ":")))
