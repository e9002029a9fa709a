"""The CUDA device against PyTorch on the same card: the self-test, then rows of training steps and epochs, alternated in fresh processes.
See compare_gpu.sh. A row's PyTorch is the fastest of its variants: eager or compiled, channels last, bf16 autocast, fused AdamW, and for
epochs the pictures on the GPU as bytes with torchvision's v2 transforms. Never run on a GPU; --try runs all of it on the processor.
"""

import argparse
import dataclasses
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Row:
    """A line of the table: what is measured, and what is to be reached and aimed at."""

    name: str
    model: str
    batch: int
    pipeline: list[str]
    reach: dict[str, float]
    aim: dict[str, float]


ROWS = [
    Row("seed-256-bf16-step", "seed", 128, [], {"ratio": 1.0}, {"ratio": 1.3}),
    Row("seed-256-bf16-epoch", "seed", 128, ["--pipeline", "seed"], {"epoch_s": 3.0, "waits": 0.05}, {"epoch_s": 1.2, "waits": 0.01}),
    Row("compact-256-bf16-step", "compact", 256, [], {"ratio": 1.0}, {"ratio": 1.3}),
]
VARIANTS = [[], ["--compile"], ["--compile", "--mode", "reduce-overhead"], ["--compile", "--mode", "max-autotune"]]


def measure(command: list[str]) -> dict:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def fastest(base: list[str], options: argparse.Namespace) -> list[str]:
    found = []
    for variant in VARIANTS if options.compile else VARIANTS[:1]:
        try:
            found.append((measure([*base, *variant])["step_ms"], variant))
            print(f"# PyTorch {' '.join(variant) or 'eager'}: {found[-1][0]} ms", flush=True)
        except RuntimeError as error:
            print(f"# PyTorch {' '.join(variant)} failed: {str(error).splitlines()[-1]}", flush=True)
    if not found:
        sys.exit("no variant of PyTorch works here; see above")
    return min(found)[1]


def compare(row: Row, options: argparse.Namespace) -> dict:
    size, batch, images = ("64", "4", "10") if options.trial else ("256", str(row.batch), "17736")
    shared = ["--model", row.model, "--size", size, "--batch", batch, "--precision", "bf16", "--images", images, *row.pipeline]
    shared += ["--steps", "1", "--warmup", "1"] if options.trial else []
    ours = [str(options.program), "bench", "--device", "host" if options.trial else "cuda", *shared]
    base = [sys.executable, str(HERE / "torch_gpu.py"), "--device", "cpu" if options.trial else "cuda", *shared]
    variant = fastest(base, options)
    pairs = [(measure(ours), measure([*base, *variant])) for _ in range(1 if options.trial else options.rounds)]
    ratios = [theirs["step_ms"] / our["step_ms"] for our, theirs in pairs]

    def middle(side: int, key: str) -> float | None:
        values = [pair[side][key] for pair in pairs if pair[side].get(key) is not None]
        return round(statistics.median(values), 3) if values else None

    found = {"ratio": round(statistics.median(ratios), 3), **{key: middle(0, key) for key in ("epoch_s", "waits")}}

    def reaches(goals: dict[str, float]) -> bool | None:
        if any(found[key] is None for key in goals):
            return None
        return all(found[key] >= goal if key == "ratio" else found[key] <= goal for key, goal in goals.items())

    first = pairs[0][0]
    return {
        "row": row.name, "device": first["device"], "pytorch": pairs[0][1]["framework"], "variant": variant, "rounds": len(pairs),
        "ours": {key: middle(0, key) for key in ("step_ms", "host_ms", "device_ms", "images_per_s", "device_mb", "times_the_floor")},
        "theirs": {key: middle(1, key) for key in ("step_ms", "host_ms", "images_per_s", "epoch_s", "device_mb")},
        "floor": first["floor"], **found, "ratio_least": round(min(ratios), 3), "ratio_most": round(max(ratios), 3),
        "reach": row.reach, "reached": reaches(row.reach), "aim": row.aim, "aim_reached": reaches(row.aim),
    }


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--program", type=pathlib.Path, required=True)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--no-compile", dest="compile", action="store_false", help="leave torch.compile out")
    p.add_argument("--no-selftest", dest="selftest", action="store_false")
    p.add_argument("--json", type=pathlib.Path, default=HERE.parent / "results" / "gpu.json")
    p.add_argument("--try", dest="trial", action="store_true", help="tiny rows on the processor; nothing is written")
    p.add_argument("only", nargs="*", help="names of rows; all without")
    options = p.parse_args()
    unknown = set(options.only) - {row.name for row in ROWS}
    if unknown:
        p.error(f"no row is called {', '.join(sorted(unknown))}; there are {', '.join(row.name for row in ROWS)}")
    results: dict = {"selftest": None, "rows": []}
    if options.selftest and not options.trial:
        done = subprocess.run([str(options.program), "selftest", "--device", "cuda"], capture_output=True, text=True, check=False)
        print(done.stdout + done.stderr, flush=True)
        results["selftest"] = {"passed": done.returncode == 0, "table": done.stdout.splitlines()}
        if done.returncode != 0:
            sys.exit("the self-test failed: what is fast and wrong is not worth measuring")
    for row in [row for row in ROWS if not options.only or row.name in options.only]:
        results["rows"].append(compare(row, options))
        print(json.dumps(results["rows"][-1]), flush=True)
        if not options.trial:
            options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
