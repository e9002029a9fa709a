"""Best values after 100 trials by Optuna's multivariate TPE, its CMA-ES and its random sampler, over many seeds.

    pip install optuna==5.0.0 cmaes==0.13.1 && python samplers.py > samplers.json

The functions are written out again in `src/search/sampler/tests.rs`. `noisy` is judged by what the trial that looked best is truly worth.
"""
import json
import math

import numpy as np
import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
TRIALS, SEEDS = 100, 100
ALPHA = [1.0, 1.2, 3.0, 3.2]
A = [
    [10, 3, 17, 3.5, 1.7, 8],
    [0.05, 10, 17, 0.1, 8, 14],
    [3, 3.5, 1.7, 10, 17, 8],
    [17, 8, 0.05, 10, 0.1, 14],
]
P = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
]


def branin(trial, _):
    x, y = trial.suggest_float("x", -5, 10), trial.suggest_float("y", 0, 15)
    b, c, t = 5.1 / (4 * math.pi**2), 5 / math.pi, 1 / (8 * math.pi)
    value = (y - b * x * x + c * x - 6) ** 2 + 10 * (1 - t) * math.cos(x) + 10
    return value, value


def hartmann6(trial, _):
    x = [trial.suggest_float(f"x{i}", 0, 1) for i in range(6)]
    value = -sum(a * math.exp(-sum(A[i][j] * (x[j] - P[i][j]) ** 2 for j in range(6))) for i, a in enumerate(ALPHA))
    return value, value


def noisy(trial, rng):
    lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    batch = trial.suggest_int("batch", 8, 256, log=True)
    depth = trial.suggest_int("depth", 1, 8)
    dropout = trial.suggest_float("dropout", 0.0, 0.5, step=0.05)
    optimizer = trial.suggest_categorical("optimizer", ["adamw", "radam", "sgd"])
    value = (math.log10(lr) + 3) ** 2 + 0.03 * math.log2(batch / 32) ** 2 + 0.05 * (depth - 5) ** 2 + 2 * (dropout - 0.2) ** 2
    if optimizer == "radam":
        value += 0.1
    if optimizer == "sgd":
        value += 0.2 + 4 * (trial.suggest_float("momentum", 0.5, 0.99) - 0.9) ** 2
    return value + 0.05 * rng.standard_normal(), value


def best(function, sampler, seed):
    rng = np.random.default_rng(1000 + seed)
    true = []

    def objective(trial):
        value, truth = function(trial, rng)
        true.append(truth)
        return value

    study = optuna.create_study(sampler=sampler(seed))
    study.optimize(objective, n_trials=TRIALS)
    return true[study.best_trial.number]


def figures(function, sampler):
    values = np.array([best(function, sampler, seed) for seed in range(SEEDS)])
    medians = [np.median(np.random.default_rng(k).choice(values, SEEDS)) for k in range(2000)]
    return {"median": float(np.median(values)), "standard_error": float(np.std(medians)), "quartiles": np.quantile(values, [0.25, 0.75]).tolist()}


SAMPLERS = {
    "tpe": lambda seed: optuna.samplers.TPESampler(multivariate=True, seed=seed),
    "cmaes": lambda seed: optuna.samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False),
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
}
result = {name: {f.__name__: figures(f, sampler) for f in (branin, hartmann6, noisy)} for name, sampler in SAMPLERS.items()}
print(json.dumps({"optuna": optuna.__version__, "trials": TRIALS, "seeds": SEEDS, **result}, indent=1))
