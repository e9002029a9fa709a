"""A study as Optuna's own Python leaves it: complete, pruned, failed and waiting trials, a diverged value, and one that still runs.

    pip install optuna==5.0.0 && python journal.py study.log > study.json
"""
import json
import math
import os
import sys

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

optuna.logging.set_verbosity(optuna.logging.ERROR)
path = sys.argv[1]
if os.path.exists(path):
    os.remove(path)
storage = JournalStorage(JournalFileBackend(path))
optuna.create_study(study_name="another", storage=storage)
study = optuna.create_study(
    study_name="galaxy10", storage=storage, direction="maximize", sampler=optuna.samplers.TPESampler(multivariate=True, seed=1)
)
study.set_user_attr("note", "made by Optuna")
study.add_trial(
    optuna.trial.create_trial(
        params={"lr": 0.002, "batch": 32},
        distributions={
            "lr": optuna.distributions.FloatDistribution(1e-4, 1e-1, log=True),
            "batch": optuna.distributions.IntDistribution(16, 64, step=16),
        },
        value=0.5,
        intermediate_values={1: 0.25, 2: 0.5},
    )
)


def objective(trial):
    lr = trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    trial.suggest_int("batch", 16, 64, step=16)
    if trial.suggest_categorical("optimizer", ["adamw", "sgd"]) == "sgd":
        trial.suggest_float("momentum", 0.5, 0.9)
    trial.set_user_attr("host", "here")
    for epoch in range(1, 4):
        trial.report(math.nan if trial.number == 3 and epoch == 2 else 0.2 * epoch - abs(math.log10(lr) + 2.5) / 10, epoch)
        if trial.number in (2, 5) and epoch == 2:
            raise optuna.TrialPruned()
    if trial.number == 4:
        raise RuntimeError("a failure")
    return 0.6 - abs(math.log10(lr) + 2.5) / 10


study.optimize(objective, n_trials=14, catch=(RuntimeError,))
study.enqueue_trial({"lr": 0.01})
study.ask({"lr": optuna.distributions.FloatDistribution(1e-4, 1e-1, log=True)})
study.enqueue_trial({"lr": 0.02})


def number(x):
    return None if x is None or math.isnan(x) else x


print(
    json.dumps(
        [
            {
                "number": t.number,
                "state": t.state.name.lower(),
                "value": t.value,
                "params": t.params,
                "intermediate": [[k, number(v)] for k, v in sorted(t.intermediate_values.items())],
                "user_attrs": t.user_attrs,
            }
            for t in study.trials
        ],
        separators=(",", ":"),
    )
)
