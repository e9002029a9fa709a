"""Ours against PyTorch, side by side on this machine: alternated, in fresh processes, on an idle machine. See compare.sh.

For each row every variant of PyTorch is tried once; the fastest then alternates with ours. "PyTorch" in the table is
therefore its best layout, with fused AdamW, compiled or not, and glibc kept from giving memory back between steps.
With --whole-run FOLDER, whole runs on those pictures are timed as well, and their scores on the test part set side by side.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import whole_run

HERE = pathlib.Path(__file__).resolve().parent
TUNED = {"MALLOC_TRIM_THRESHOLD_": "1073741824", "MALLOC_MMAP_THRESHOLD_": "1073741824"}
AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}


@dataclasses.dataclass
class Row:
    """One line of the table. The arguments that both sides share, what only one side gets, and the ratio to reach."""

    name: str
    shared: list[str]
    ours: list[str]
    peer: list[str]
    reach: float
    peer_env: dict[str, str] = dataclasses.field(default_factory=dict)
    script: str = "torch_step.py"

    def variants(self, compiled: bool) -> list[list[str]]:
        """What PyTorch's side is tried with."""
        if self.script == "torch_augment.py":
            return [["--variant", "pil"], ["--variant", "tensor"]]
        layouts = [["--layout", "contiguous"], ["--layout", "channels_last"]]
        return [[*layout, *more] for layout in layouts for more in (([], ["--compile"]) if compiled else ([],))]


def rows() -> list[Row]:
    def work(model: str, size: int, batch: int, *more: str) -> list[str]:
        return ["--model", model, "--size", str(size), "--batch", str(batch), *more]

    def augmentation(size: int) -> Row:
        seed = ["--augmentation", "seed", "--threads", "1"]
        return Row(f"augmentation-{size}", ["--size", str(size), "--batch", "32"], seed, [], 5.0, script="torch_augment.py")

    f32, bf16 = ["--precision", "f32"], ["--precision", "bf16"]
    return [
        Row("seed-64-f32", work("seed", 64, 32), f32, f32, 1.1),
        Row("seed-64-auto", work("seed", 64, 32), ["--precision", "auto"], f32, 1.8),
        Row("seed-64-bf16", work("seed", 64, 32), bf16, bf16, 2.0),
        Row("seed-256-f32", work("seed", 256, 8), f32, f32, 1.15),
        Row("seed-256-bf16", work("seed", 256, 8), bf16, bf16, 2.0),
        Row("seed-64-avx2", work("seed", 64, 32), [*f32, "--instructions", "avx2"], f32, 1.0, AVX2),
        Row("compact-64-f32", work("compact", 64, 64), f32, f32, 1.1),
        Row("compact-64-auto", work("compact", 64, 64), ["--precision", "auto"], f32, 1.6),
        Row("compact-64-bf16", work("compact", 64, 64), bf16, bf16, 1.6),
        Row("compact-256-evaluate", work("compact", 256, 16, "--inference"), f32, f32, 1.2),
        Row("compact-256-evaluate-bf16", work("compact", 256, 16, "--inference"), bf16, bf16, 1.2),
        Row("compact-256-one-picture", work("compact", 256, 1, "--inference"), f32, f32, 1.0),
        augmentation(256),
        augmentation(64),
    ]


def idle_share(seconds: float) -> float:
    """Share of all cores' time that was idle during the next seconds (Linux)."""

    def read() -> tuple[int, int]:
        fields = [int(x) for x in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return fields[3] + fields[4], sum(fields)

    idle, total = read()
    time.sleep(seconds)
    idle_after, total_after = read()
    return (idle_after - idle) / max(total_after - total, 1)


def wait_for_idle(least: float, patience: float) -> None:
    started = time.monotonic()
    while idle_share(1.0) < least:
        if time.monotonic() - started > patience:
            sys.exit(f"the machine was never {least:.0%} idle for a second within {patience:.0f} s: end what runs there, or lower --idle")


def measure(command: list[str], env: dict[str, str], options: argparse.Namespace) -> dict:
    wait_for_idle(options.idle, options.patience)
    done = subprocess.run(command, env={**os.environ, **TUNED, **env}, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def fastest_variant(row: Row, base: list[str], options: argparse.Namespace) -> list[str]:
    """Tries PyTorch's variants; returns the arguments of the fastest."""
    found: list[tuple[float, list[str]]] = []
    for variant in row.variants(options.compile):
        try:
            speed = measure([*base, *variant], row.peer_env, options)["images_per_s"]
        except RuntimeError as error:
            print(f"# {row.name}: PyTorch {' '.join(variant)} failed: {str(error).splitlines()[-1]}", flush=True)
            continue
        print(f"# {row.name}: PyTorch {' '.join(variant)} {speed}", flush=True)
        found.append((speed, variant))
    return max(found)[1]


def compare(row: Row, options: argparse.Namespace) -> dict:
    threads = [] if row.script == "torch_augment.py" else ["--threads", str(options.threads)]
    common = [*row.shared, *threads, "--steps", str(options.steps)]
    ours = [str(options.program), "bench", *common, *row.ours]
    base = [sys.executable, str(HERE / row.script), *common, *row.peer]
    variant = fastest_variant(row, base, options)
    sides: tuple[list[dict], list[dict]] = ([], [])
    for _ in range(options.rounds):
        sides[0].append(measure(ours, {}, options))
        sides[1].append(measure([*base, *variant], row.peer_env, options))
    ratios = [a["images_per_s"] / b["images_per_s"] for a, b in zip(*sides)]

    def summary(side: list[dict]) -> dict:
        speed = [f["images_per_s"] for f in side]
        names = ("forward_ms", "backward_ms", "optimizer_ms", "step_ms", "peak_rss_mb")
        parts = {k: statistics.median(f[k] for f in side) for k in names if k in side[0]}
        return {"images_per_s": statistics.median(speed), "least": min(speed), "most": max(speed), **parts}

    return {
        "row": row.name, "instructions": sides[0][0]["instructions"], "pytorch": sides[1][0]["framework"], "variant": variant,
        "threads": options.threads, "rounds": options.rounds, "ours": summary(sides[0]), "theirs": summary(sides[1]),
        "ratio": round(statistics.median(ratios), 3), "ratio_least": round(min(ratios), 3), "ratio_most": round(max(ratios), 3),
        "reach": row.reach, "memory_ratio": round(summary(sides[0])["peak_rss_mb"] / summary(sides[1])["peak_rss_mb"], 3),
    }


def line(result: dict) -> str:
    def side(s: dict) -> str:
        return f"{s['images_per_s']:8.1f} ({s['least']:.1f} to {s['most']:.1f})"

    spread = f"{result['ratio']:.2f} ({result['ratio_least']:.2f} to {result['ratio_most']:.2f})"
    return (f"| {result['row']} | {result['instructions']} | {side(result['ours'])} | {side(result['theirs'])} | {spread} | "
            f"{result['reach']} | {result['memory_ratio']:.2f} |")


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--program", type=pathlib.Path, required=True)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--steps", type=int, default=9)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--idle", type=float, default=0.9, help="share of the machine that must be idle before a measurement")
    p.add_argument("--patience", type=float, default=600, help="seconds to wait for that")
    p.add_argument("--no-compile", dest="compile", action="store_false", help="leave torch.compile out")
    p.add_argument("--json", type=pathlib.Path, help="also write the results here")
    p.add_argument("--whole-run", type=pathlib.Path, metavar="FOLDER", help="also train on this folder of class folders, 64 x 64")
    p.add_argument("--epochs", type=int, default=15, help="of a whole run")
    p.add_argument("--seeds", type=int, default=3, help="whole runs on each side")
    p.add_argument("only", nargs="*", help="names of rows; all without, none with \"none\"")
    options = p.parse_args()
    chosen = [r for r in rows() if not options.only or r.name in options.only]
    if not chosen and options.only != ["none"]:
        sys.exit(f"no such row; there are {', '.join(r.name for r in rows())}")
    results, runs = [], []

    def keep() -> None:
        if options.json:
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(json.dumps({"rows": results, "whole_runs": runs}, indent=1) + "\n")

    for row in chosen:
        results.append(compare(row, options))
        print(line(results[-1]), flush=True)
        keep()
    if options.whole_run:
        for pair in whole_run.pairs(options, TUNED, lambda: wait_for_idle(options.idle, options.patience)):
            runs.append(pair)
            keep()
    if results:
        print("\n| work | ours runs on | ours, images/s | PyTorch, images/s | ratio | to reach | memory |\n|---|---|---|---|---|---|---|")
        print("\n".join(line(r) for r in results))
    if runs:
        print("\n" + whole_run.table(runs))


if __name__ == "__main__":
    main()
