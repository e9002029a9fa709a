"""Oracle numbers for tests/it/confuse.rs: scikit-learn (kappa, curves, Brier), SciPy (temperature, McNemar, bootstrap,
clustering), cleanlab (label errors), on seeded random probabilities that are rounded to 16 bits as the program keeps them.

    python confuse.py > confuse.json      (scikit-learn 1.x, SciPy 1.x, cleanlab 2.x, NumPy 2.x)
"""
import json
import sys
import warnings

import numpy as np
from cleanlab.count import compute_confident_joint, get_confident_thresholds
from cleanlab.filter import find_label_issues
from scipy.cluster.hierarchy import linkage
from scipy.optimize import minimize_scalar
from scipy.spatial.distance import squareform
from scipy.stats import binomtest, bootstrap, chi2
from sklearn.metrics import (average_precision_score, cohen_kappa_score, confusion_matrix, f1_score, log_loss,
                             precision_recall_curve, roc_auc_score, roc_curve)

warnings.filterwarnings("ignore")
LEAST = 2.0**-24


def sample(seed: int, n: int, k: int, sharpness: float, mislabelled: float) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities of a network that is too sure of itself, some labels being wrong."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(k, n, p=rng.dirichlet(np.full(k, 5.0)))
    logits = rng.normal(0.0, 1.0, (n, k)) + 1.5 * np.eye(k)[truth] + 0.8 * np.eye(k)[(truth ^ 1) % k]
    p = np.exp(sharpness * logits)
    p = (p / p.sum(1, keepdims=True)).astype(np.float16).astype(np.float64)
    labels = np.where(rng.random(n) < mislabelled, rng.integers(0, k, n), truth)
    return labels, p


def case(seed: int, n: int, k: int, sharpness: float, mislabelled: float) -> dict:
    y, p = sample(seed, n, k, sharpness, mislabelled)
    predicted = p.argmax(1)
    confidence = p.max(1)
    right = predicted == y
    one_hot = np.eye(k)[y]
    # calibration: Guo et al.'s bins (low, high]
    bins, error, largest = [], 0.0, 0.0
    edges = np.linspace(0, 1, 11)
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidence > low) & (confidence <= high)
        m = int(inside.sum())
        gap = abs(right[inside].mean() - confidence[inside].mean()) if m else 0.0
        error, largest = error + gap * m / n, max(largest, gap)
        bins.append([m, float(confidence[inside].mean()) if m else 0.0, float(right[inside].mean()) if m else 0.0])
    logits = np.log(np.maximum(p, LEAST))

    def loss(log_t: float) -> float:
        z = logits / np.exp(log_t)
        z = z - z.max(1, keepdims=True)
        return float(-(z[np.arange(n), y] - np.log(np.exp(z).sum(1))).mean())

    fit = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded", options={"xatol": 1e-10})
    # curves of two classes
    curves = []
    for c in range(k):
        positive = (y == c).astype(int)
        precision, recall, _ = precision_recall_curve(positive, p[:, c])
        fpr, tpr, _ = roc_curve(positive, p[:, c], drop_intermediate=False)
        keep = slice(None) if c < 1 else slice(0, 0)
        curves.append({
            "average_precision": float(average_precision_score(positive, p[:, c])),
            "area": float(roc_auc_score(positive, p[:, c])),
            "precision": precision[::-1][keep].round(9).tolist(),
            "recall": recall[::-1][keep].round(9).tolist(),
            "fpr": fpr[keep].round(9).tolist(),
        })
    # label errors
    joint = compute_confident_joint(y, p, calibrate=False)
    issues = find_label_issues(y, p, filter_by="confident_learning", return_indices_ranked_by="self_confidence", n_jobs=1)
    # F1 intervals: percentile bootstrap over the images
    f1 = lambda t, q: f1_score(t, q, labels=list(range(k)), average=None, zero_division=0)
    rng = np.random.default_rng(seed)
    interval = bootstrap((y, predicted), lambda t, q: np.append(f1(t, q), f1(t, q).mean()), paired=True, vectorized=False, n_resamples=4000,
                         method="percentile", rng=rng).confidence_interval
    # clustering of the classes
    m = confusion_matrix(y, predicted, labels=range(k))
    share = m / np.maximum(m.sum(1, keepdims=True), 1)
    distance = 1 - (share + share.T) / 2
    np.fill_diagonal(distance, 0)
    merges = linkage(squareform(distance), method="average")
    clusters = [[i] for i in range(k)]
    for a, b, _, _ in merges:
        clusters.append(sorted(clusters[int(a)] + clusters[int(b)]))
    return {
        "classes": k,
        "truth": y.tolist(),
        "bits": p.astype(np.float16).view(np.uint16).ravel().tolist(),
        "confusion": m.tolist(),
        "kappa": float(cohen_kappa_score(y, predicted, labels=range(k))),
        "bins": bins,
        "expected_error": float(error),
        "largest_error": float(largest),
        "negative_log_likelihood": float(-np.log(np.maximum(p[np.arange(n), y], LEAST)).mean()),
        "brier": float(((p - one_hot) ** 2).sum(1).mean()),
        "temperature": float(np.exp(fit.x)),
        "loss_at_temperature": float(fit.fun),
        "curves": curves,
        "thresholds": get_confident_thresholds(y, p).tolist(),
        "joint": joint.tolist(),
        "issues": issues.tolist(),
        "f1_low": interval.low.tolist(),
        "f1_high": interval.high.tolist(),
        "clusters": clusters[k:],
    }


tests = []
for b, c in [(0, 0), (0, 1), (3, 9), (9, 3), (12, 12), (24, 0), (10, 14), (10, 15), (40, 60), (61, 40), (200, 200), (130, 90)]:
    n = b + c
    if n < 25:
        statistic, p_value = min(b, c), binomtest(min(b, c), n, 0.5).pvalue if n else 1.0
    else:
        statistic = max(abs(b - c) - 1, 0) ** 2 / n
        p_value = chi2.sf(statistic, 1)
    tests.append({"only_first": b, "only_second": c, "exact": n < 25, "statistic": float(statistic), "p_value": float(p_value)})
cases = [case(1, 300, 4, 2.0, 0.1), case(2, 240, 10, 2.5, 0.15), case(3, 120, 3, 0.6, 0.0)]
# a check of the script itself: binned and direct definitions that scikit-learn has too
y, p = sample(1, 300, 4, 2.0, 0.1)
assert abs(log_loss(y, np.maximum(p, LEAST)) - cases[0]["negative_log_likelihood"]) < 5e-3
print(json.dumps({"cases": cases, "mcnemar": tests}, separators=(",", ":")), file=sys.stdout)
