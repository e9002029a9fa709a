"""What Optuna's pruners decide of a table of learning curves, trial after trial: the epoch after which each is stopped, and why.

    pip install optuna==5.0.0 && python pruners.py > pruners.json
"""
import json

import numpy as np
import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
TRIALS, EPOCHS, NAME = 60, 30, "galaxy10"

rng = np.random.default_rng(7)
ends = rng.uniform(0.2, 0.9, TRIALS)
speeds = rng.uniform(2.0, 12.0, TRIALS)
epochs = np.arange(1, EPOCHS + 1)
curves = ends[:, None] * (1 - np.exp(-epochs / speeds[:, None])) + rng.normal(0, 0.02, (TRIALS, EPOCHS))
curves = np.round(curves, 6)
curves[19, 6:] = np.nan  # a run that diverges

PRUNERS = {
    "hyperband": optuna.pruners.HyperbandPruner(min_resource=2, max_resource=EPOCHS, reduction_factor=3),
    "hyperband_seed": optuna.pruners.HyperbandPruner(min_resource=5, max_resource=100, reduction_factor=3),
    "median": optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=4),
}


def stops(pruner, direction):
    study = optuna.create_study(study_name=NAME, direction=direction, pruner=pruner, sampler=optuna.samplers.RandomSampler(seed=0))
    stopped = []
    for curve in curves:
        trial, at = study.ask(), None
        for epoch, value in zip(epochs.tolist(), curve.tolist()):
            trial.report(value if direction == "maximize" else -value, epoch)
            if trial.should_prune():
                at = epoch
                break
        stopped.append(at)
        if at is None and np.isnan(curve[-1]):
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        elif at is None:
            study.tell(trial, curve[-1] if direction == "maximize" else -curve[-1])
        else:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    return stopped


table = [[None if np.isnan(v) else v for v in row] for row in curves.tolist()]
decisions = {name: {d: stops(p, d) for d in ("maximize", "minimize")} for name, p in PRUNERS.items()}
print(json.dumps({"optuna": optuna.__version__, "study": NAME, "curves": table, "stopped": decisions}, separators=(",", ":")))
