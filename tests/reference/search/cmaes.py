"""States of the Python package `cmaes` while it minimises two functions, with the points that it tried.

    pip install cmaes==0.13.1 numpy && python cmaes.py > cmaes.json

`src/search/evolution/tests.rs` tells the same points and expects the same states.
"""
import json

import numpy as np

# this file has the package's name; without its folder on the path, the package is found
import sys

sys.path.pop(0)
import cmaes  # noqa: E402


def valley(x):
    """A narrow valley across the axes."""
    u = x - np.linspace(0.3, 0.6, len(x))
    return float(np.sum(u**2) + 30 * np.sum(u) ** 2)


def edge(x):
    """Least in a corner of the cube."""
    return float(np.sum(np.abs(x) ** 1.5))


def record(function, dimension, generations, seed):
    optimizer = cmaes.CMA(mean=np.full(dimension, 0.5), sigma=1 / 6, bounds=np.array([[0.0, 1.0]] * dimension), seed=seed, n_max_resampling=10 * dimension)
    steps = []
    for _ in range(generations):
        solutions = [(x, function(x)) for x in (optimizer.ask() for _ in range(optimizer.population_size))]
        optimizer.tell(solutions)
        steps.append({
            "points": [x.tolist() for x, _ in solutions],
            "values": [value for _, value in solutions],
            "mean": optimizer.mean.tolist(),
            "sigma": float(optimizer._sigma),
            "covariance": optimizer._C.tolist(),
        })
    return steps


print(json.dumps({"cmaes": cmaes.__version__, "valley": record(valley, 3, 12, 1), "edge": record(edge, 2, 8, 2), "line": record(edge, 1, 6, 3)}))
