"""How far PyTorch's bfloat16 autocast is from 32-bit arithmetic, for tests/it/nn/autocast.rs.

    python autocast.py        # writes autocast.txt beside itself; needs torch, on a processor (no GPU)

Five seeds, each with weights, pictures and labels of its own, in both networks. A line is network, seed, what, and the
relative distance |bf16 - f32| / |f32|: of the logits, of all gradients as one vector, and of every parameter's gradient.
"""
import torch
import torch.nn.functional as F

from make import HERE, draw, fill, seed_network, compact_network

SIZE, BATCH, SEEDS = 64, 8, range(1, 6)


def results(net, images, labels, bf16: bool) -> dict[str, torch.Tensor]:
    net.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        logits = net(images)
    F.cross_entropy(logits.float(), labels).backward()
    return {"logits": logits.detach().double().flatten()} | {k: p.grad.double().flatten() for k, p in net.named_parameters()}


def distance(ours: torch.Tensor, exact: torch.Tensor) -> float:
    return ((ours - exact).norm() / exact.norm()).item()


def main() -> None:
    torch.set_num_threads(2)
    lines = []
    for name, build in [("seed", seed_network), ("compact", compact_network)]:
        for seed in SEEDS:
            net = build(SIZE).double()
            fill(net, 1000 * (seed + 1))
            net = net.float().train()
            images, labels = draw((BATCH, 3, SIZE, SIZE), seed).float(), (torch.arange(BATCH) + seed) * 3 % 10
            exact, rounded = results(net, images, labels, False), results(net, images, labels, True)
            gradients = [k for k in exact if k != "logits"]
            both = [torch.cat([side[k] for k in gradients]) for side in (rounded, exact)]
            lines.append(f"{name} {seed} logits {distance(rounded['logits'], exact['logits']):.4e}")
            lines.append(f"{name} {seed} gradient {distance(*both):.4e}")
            lines += [f"{name} {seed} {k} {distance(rounded[k], exact[k]):.4e}" for k in gradients]
    (HERE / "autocast.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
