"""Importances by Optuna's PED-ANOVA over trials of a mixed space, one parameter conditional, one with two ranges.

    pip install optuna==5.0.0 && python importance.py > importance.json
"""
import json
import math
import warnings

import optuna
from optuna.distributions import distribution_to_json
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)


def objective(trial):
    lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    batch = trial.suggest_int("batch", 8, 256, log=True)
    depth = trial.suggest_int("depth", 1, 8 if trial.number % 2 else 6)
    dropout = trial.suggest_float("dropout", 0.0, 0.5, step=0.05)
    clip = trial.suggest_float("clip", 0.0, 2.0)
    trial.suggest_categorical("only", ["one"])
    value = (math.log10(lr) + 3) ** 2 + 0.03 * math.log2(batch / 32) ** 2 + 0.05 * (depth - 5) ** 2 + 2 * (dropout - 0.2) ** 2 + clip / 50
    if trial.suggest_categorical("optimizer", ["adamw", "radam", "sgd"]) == "sgd":
        value += -0.3 + 4 * (trial.suggest_float("momentum", 0.5, 0.99) - 0.9) ** 2
    if trial.number % 9 == 8:
        raise optuna.TrialPruned()
    return value


study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=3))
study.optimize(objective, n_trials=80)
texts = sorted({distribution_to_json(d) for t in study.trials for d in t.distributions.values()})
trials = [
    {
        "value": t.value,
        "params": {
            k: [d.to_internal_repr(t.params[k]), texts.index(distribution_to_json(d))] for k, d in sorted(t.distributions.items())
        },
    }
    for t in study.trials
]
importances = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
print(json.dumps({"optuna": optuna.__version__, "distributions": texts, "importances": importances, "trials": trials}, separators=(",", ":")))
