"""Whole runs: the same recipe, pictures and split in ours and in PyTorch, seed by seed, timed and scored on the test part."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

HERE = pathlib.Path(__file__).resolve().parent
SIZE = 64
RECIPE = {"--batch": "64", "--lr": "0.003", "--beta": "0.999", "--gamma": "1", "--weight-decay": "0.01"}


def prepare(pictures: pathlib.Path, folder: pathlib.Path) -> None:
    """Class folders of pictures as a NumPy folder with a 60/20/20 split of every class."""
    import numpy as np
    from PIL import Image

    classes = sorted(d.name for d in pictures.iterdir() if d.is_dir())
    files = [(label, path) for label, name in enumerate(classes) for path in sorted((pictures / name).iterdir())]
    labels = np.array([label for label, _ in files])
    images = [np.asarray(Image.open(p).convert("RGB").resize((SIZE, SIZE), Image.Resampling.LANCZOS)) for _, p in files]
    parts: dict[str, list[int]] = {"train": [], "valid": [], "test": []}
    random = np.random.default_rng(42)
    for label in range(len(classes)):
        index = random.permutation(np.flatnonzero(labels == label))
        for part, some in zip(parts, np.split(index, [round(0.6 * len(index)), round(0.8 * len(index))])):
            parts[part] += some.tolist()
    np.save(folder / "images.npy", np.stack(images))
    np.save(folder / "labels.npy", labels.astype(np.int64))
    for part, index in parts.items():
        np.save(folder / f"{part}_indices.npy", np.array(sorted(index)))
    (folder / "classes.txt").write_text("\n".join(classes) + "\n")


def timed(command: list[str], env: dict[str, str]) -> tuple[float, str]:
    started = time.monotonic()
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stderr[-2000:]}")
    return time.monotonic() - started, done.stdout


def ours(options: argparse.Namespace, data: pathlib.Path, run: pathlib.Path, seed: int, env: dict[str, str]) -> dict:
    recipe = [word for pair in RECIPE.items() for word in pair]
    more = ["--epochs", str(options.epochs), "--seed", str(seed), "--threads", str(options.threads), "--patience", "0"]
    train = [str(options.program), "train", "--data", str(data), "--model", "compact", "--size", str(SIZE), "--out", str(run)]
    seconds, _ = timed([*train, *recipe, *more, "--snapshots", "0"], env)
    # PyTorch's seconds, too, include the evaluation of the test part
    evaluating, text = timed([str(options.program), "evaluate", "--run", str(run), "--split", "test", "--json"], env)
    scores = json.loads(text.strip().splitlines()[-1])
    return {"seconds": seconds + evaluating, "scores": scores}


def theirs(options: argparse.Namespace, data: pathlib.Path, seed: int, env: dict[str, str]) -> dict:
    recipe = [word for pair in RECIPE.items() for word in pair]
    more = ["--epochs", str(options.epochs), "--seed", str(seed), "--threads", str(options.threads)]
    seconds, text = timed([sys.executable, str(HERE / "torch_train.py"), str(data), *recipe, *more], env)
    return {"seconds": seconds, "scores": json.loads(text.strip().splitlines()[-1])}


def pairs(options: argparse.Namespace, env: dict[str, str], wait: Callable[[], None]) -> Iterator[dict]:
    """One pair of runs a seed."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        data = folder / "data"
        data.mkdir()
        prepare(options.whole_run, data)
        for seed in range(1, options.seeds + 1):
            wait()
            mine = ours(options, data, folder / f"run-{seed}", seed, env)
            wait()
            pair = {"seed": seed, "epochs": options.epochs, "ours": mine, "theirs": theirs(options, data, seed, env)}
            print(f"# whole run, seed {seed}: {pair['ours']['seconds']:.1f} s, PyTorch {pair['theirs']['seconds']:.1f} s", flush=True)
            yield pair


def table(runs: list[dict]) -> str:
    names = ("accuracy", "balanced_accuracy", "macro_f1")
    lines = ["| whole run | seconds | " + " | ".join(names) + " |", "|---" * 5 + "|"]
    for side, who in (("ours", "ours"), ("theirs", "PyTorch")):
        def figures(get: Callable[[dict], float], side: str = side) -> str:
            values = [get(run[side]) for run in runs]
            return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"

        scores = [figures(lambda s, name=name: s["scores"][name]) for name in names]
        lines.append(f"| {who} | {figures(lambda s: s['seconds'])} | " + " | ".join(scores) + " |")
    ratios = sorted(run["theirs"]["seconds"] / run["ours"]["seconds"] for run in runs)
    lines.append(f"\ntime ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}), to reach 1.3")
    return "\n".join(lines)
