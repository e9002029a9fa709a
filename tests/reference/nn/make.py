"""PyTorch's answers for tests/it/nn: operators on small inputs, both whole networks, torchinfo's counts.

    python make.py            # writes the files beside itself; needs torch, numpy, safetensors, torchinfo

Inputs that are too large to commit (the weights of whole networks) come from `formula`, which tests/it/nn/reference.rs
repeats exactly. Gradients of whole networks are kept as norm, sum and 64 entries. Everything is computed in f64 from f32
inputs, so that the reference has no rounding of its own.
"""
import pathlib

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import save_file
from torchinfo import summary

HERE = pathlib.Path(__file__).parent
MASK = (1 << 64) - 1


def formula(count: int, stream: int) -> torch.Tensor:
    """`count` numbers in [-1, 1) from SplitMix64 (Steele et al. 2014), exact in f32: 24 high bits each."""
    gamma = 0x9E3779B97F4A7C15
    with np.errstate(over="ignore"):
        z = np.uint64((stream * 0xD1342543DE82EF95) & MASK) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(gamma)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    bits = (z >> np.uint64(40)).astype(np.float64)
    return torch.from_numpy(bits / 2**23 - 1)


def draw(shape, stream: int) -> torch.Tensor:
    return formula(int(np.prod(shape)), stream).reshape(shape)


def single(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().to(torch.float32).contiguous().clone()


def seed_network(size: int, channels: int = 3, classes: int = 10) -> nn.Sequential:
    widths = [channels, 32, 64, 128, 256, 512, 1024]
    layers = []
    for c_in, c_out in zip(widths, widths[1:]):
        layers += [nn.Conv2d(c_in, c_out, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    side = size // 64
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(1024 * side * side, 512), nn.ReLU(), nn.Dropout(0.0),
                         nn.Linear(512, 256), nn.ReLU(), nn.Dropout(0.0), nn.Linear(256, classes))


def compact_network(_size: int, channels: int = 3, classes: int = 10) -> nn.Sequential:
    widths = [channels, 32, 64, 128, 256, 512]
    layers = []
    for c_in, c_out in zip(widths, widths[1:]):
        layers += [nn.Conv2d(c_in, c_out, 3, padding=1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, classes))


def fill(net: nn.Module, first: int = 1000) -> None:
    """Weights of Kaiming size, biases and statistics away from their initial values, all rounded to f32, from stream `first` on."""
    for stream, tensor in enumerate([*net.parameters(), *(b for b in net.buffers() if b.ndim)], start=first):
        values = draw(tensor.shape, stream)
        if tensor.ndim > 1:
            scale = np.float32((6 / tensor[0].numel()) ** 0.5)
            values = (values.to(torch.float32) * scale).double()
        else:
            values = values / 8
        tensor.data = values
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data += 1
            module.running_var += 1


def filled(architecture: str, size: int, channels: int = 3) -> nn.Sequential:
    net = (seed_network if architecture == "seed" else compact_network)(size, channels).double()
    fill(net)
    return net


def network(name: str, size: int, batch: int, channels: int = 3) -> None:
    """Training and evaluation logits, loss, running statistics, and a digest of every parameter's gradient."""
    net = filled(name.split("_")[0], size, channels)
    images = draw((batch, channels, size, size), 1)
    labels = torch.arange(batch) * 3 % 10
    out = {"eval_logits": net.eval()(images)}
    net.train()
    logits = net(images)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    out |= {"train_logits": logits, "loss": loss.reshape(1)}
    for key, parameter in net.named_parameters():
        gradient = parameter.grad.flatten()
        index = torch.arange(64) * 2_654_435_761 % gradient.numel()
        out[f"gradient.{key}"] = torch.cat([torch.stack([gradient.norm(), gradient.sum()]), gradient[index]])
    for key, buffer in net.named_buffers():
        if buffer.ndim:
            out[f"buffer.{key}"] = buffer
    save_file({k: single(v) for k, v in out.items()}, HERE / f"{name}.safetensors")


def twelve_steps() -> None:
    """The losses of twelve steps of AdamW on one batch after the other, four different batches in turn."""
    out = {}
    for name, size, batch in [("seed", 64, 2), ("compact", 40, 4)]:
        net = filled(name, size).train()
        optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4, weight_decay=0.0)
        losses = []
        for step in range(12):
            images, labels = draw((batch, 3, size, size), 50 + step % 4), (torch.arange(batch) + step % 4) * 3 % 10
            loss = F.cross_entropy(net(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        out[name] = torch.stack(losses)
    save_file({k: single(v) for k, v in out.items()}, HERE / "twelve_steps.safetensors")


def probe(out: dict, name: str, result: torch.Tensor, inputs: dict) -> None:
    """Keeps a result and the gradients of <result, v> for a fixed v."""
    direction = draw(result.shape, 7)
    (result * direction).sum().backward()
    out[f"{name}.result"] = result
    for key, tensor in inputs.items():
        out[f"{name}.{key}"] = tensor
        out[f"{name}.{key}.gradient"] = tensor.grad


def operators() -> None:
    out = {}
    # name: images, weights, bias, stride, padding
    cases = {
        "conv_3x3": ((2, 3, 7, 5), (4, 3, 3, 3), True, 1, 1),
        "conv_one_channel": ((1, 1, 9, 9), (2, 1, 3, 3), True, 1, 1),
        "conv_1x1": ((3, 4, 5, 6), (6, 4, 1, 1), False, 1, 0),
        "conv_stride_2": ((2, 3, 9, 8), (5, 3, 3, 3), True, 2, 1),
        "conv_wide_kernel": ((2, 2, 11, 6), (3, 2, 5, 3), False, 3, 2),
        "conv_no_padding": ((9, 2, 4, 4), (3, 2, 3, 3), True, 1, 0),
        "conv_many_tiles": ((2, 2, 40, 38), (3, 2, 3, 3), True, 1, 1),
    }
    for stream, (name, (images, weights, biased, stride, padding)) in enumerate(cases.items(), start=10):
        x, w = draw(images, stream).requires_grad_(), draw(weights, 100 + stream).requires_grad_()
        b = draw(weights[:1], 200 + stream).requires_grad_() if biased else None
        inputs = {"x": x, "w": w} | ({"b": b} if biased else {})
        probe(out, name, F.conv2d(x, w, b, stride=stride, padding=padding), inputs)
    for name, shape in {"pool_even": (2, 3, 6, 4), "pool_odd": (1, 2, 7, 5), "pool_ties": (2, 2, 6, 6)}.items():
        x = draw(shape, 300)
        if name == "pool_ties":
            x = (x * 2).round() / 2  # five values, zero among them
        x = x.clone().requires_grad_()
        probe(out, name, F.max_pool2d(x, 2), {"x": x})
        y = x.detach().clone().requires_grad_()
        probe(out, f"relu_{name}", F.max_pool2d(F.relu(y), 2), {"x": y})
    x = draw((4, 5), 310).clone()
    x[1] = 0
    x.requires_grad_()
    probe(out, "relu", F.relu(x), {"x": x})
    x, w, b = (draw(s, 320 + i).requires_grad_() for i, s in enumerate([(5, 7), (4, 7), (4,)]))
    probe(out, "linear", F.linear(x, w, b), {"x": x, "w": w, "b": b})
    for name, training, offset in [("norm_train", True, 0), ("norm_eval", False, 0), ("norm_far", True, 100)]:
        x = (draw((3, 4, 5, 3), 330) + offset).to(torch.float32).double().requires_grad_()
        w, b = draw((4,), 331).requires_grad_(), draw((4,), 332).requires_grad_()
        mean, variance = draw((4,), 333), draw((4,), 334) + 1.5
        out |= {f"{name}.mean": mean.clone(), f"{name}.variance": variance.clone()}
        probe(out, name, F.batch_norm(x, mean, variance, w, b, training), {"x": x, "w": w, "b": b})
        out |= {f"{name}.mean.after": mean, f"{name}.variance.after": variance}
    save_file({k: single(v) for k, v in out.items()}, HERE / "operators.safetensors")


def state_dicts() -> None:
    """The names and shapes of a `state_dict` as users save it; the tests fill them by `formula`."""
    for name, net in [("compact", compact_network(32)), ("seed", seed_network(64))]:
        lines = [" ".join([key, *map(str, value.shape)]) for key, value in net.state_dict().items()]
        (HERE / f"{name}_state_dict.txt").write_text("\n".join(lines) + "\n")


def counts() -> None:
    """torchinfo's figures: network, size, batch, parameters, multiply-adds, bytes of input, activations and parameters.

    It adds the 64 bytes of a Python object to the input; they are taken off here.
    """
    rows = []
    for name, size, batch in [("seed", 256, 32), ("seed", 64, 32), ("seed", 100, 3), ("compact", 64, 64), ("compact", 69, 5)]:
        net = (seed_network if name == "seed" else compact_network)(size)
        s = summary(net, (batch, 3, size, size), verbose=0)
        rows.append(f"{name} {size} {batch} {s.total_params} {s.total_mult_adds} {s.total_input - 64} {s.total_output_bytes} {s.total_param_bytes}")
    (HERE / "torchinfo.txt").write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(2)
    operators()
    network("seed", 64, 2)
    network("compact", 32, 3)
    # one picture, one channel, odd maps
    network("seed_odd", 70, 1, 1)
    network("compact_odd", 37, 1, 1)
    twelve_steps()
    state_dicts()
    counts()
