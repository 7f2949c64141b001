"""Training speed of scGAN: scx against PyTorch, one outer step (five updates of the critic, one of the generator).

    python benches/generation_speed.py [PATH_OF_THE_EXAMPLE_scgan_speed]

17,789 genes, minibatch 128, the published sizes, AMSGrad. PyTorch goes back through the gradient penalty twice, as its
users write it; scx uses the closed form and takes real cells as they are stored, sparse. PyTorch with plain and with
fused Adam and scx take turns on one and on two threads, each in a process of its own; the best of several rounds
counts. Without an argument the example is built.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from train_speed import cpu

GENES, MINIBATCH, NOISE, GENERATOR, CRITIC = 17_789, 128, 128, [256, 512, 1024], [1024, 512, 256]
CELLS, SHARE, LIBRARY, UPDATES, WARM_UP, STEPS = 1000, 0.06, 20_000.0, 5, 1, 2
ROUNDS = int(os.environ.get("ROUNDS", "3"))


def torch_seconds_per_step(threads, fused):
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    data = torch.zeros(CELLS, GENES)
    for row in data:
        at = torch.randperm(GENES)[:int(SHARE * GENES)]
        row[at] = torch.randint(1, 5, (len(at),)).float()
    data *= LIBRARY / data.sum(1, keepdim=True)

    parts, width = [], NOISE
    for size in GENERATOR:
        parts += [nn.Linear(width, size, bias=False), nn.BatchNorm1d(size, momentum=0.001), nn.ReLU()]
        width = size
    body = nn.Sequential(*parts, nn.Linear(width, GENES), nn.ReLU())
    parts, width = [], GENES
    for size in CRITIC:
        parts += [nn.Linear(width, size), nn.ReLU()]
        width = size
    critic = nn.Sequential(*parts, nn.Linear(width, 1))

    def generator(n):
        x = body(torch.randn(n, NOISE))
        return LIBRARY * x / (x.sum(1, keepdim=True) + 1e-8)

    adams = [torch.optim.Adam(net.parameters(), lr=1e-4, betas=(0.5, 0.9), amsgrad=True, fused=fused)
             for net in (critic, body)]

    def outer():
        for _ in range(UPDATES):
            real = data[torch.randperm(CELLS)[:MINIBATCH]]
            with torch.no_grad():
                made = generator(MINIBATCH)
            mixture = (real + torch.rand(MINIBATCH, 1) * (made - real)).requires_grad_()
            gradient, = torch.autograd.grad(critic(mixture).sum(), mixture, create_graph=True)
            penalty = ((gradient.norm(dim=1) - 1) ** 2).mean()
            loss = critic(made).mean() - critic(real).mean() + 10 * penalty
            adams[0].zero_grad()
            loss.backward()
            adams[0].step()
        for p in critic.parameters():
            p.requires_grad_(False)
        adams[1].zero_grad()
        (-critic(generator(MINIBATCH)).mean()).backward()
        adams[1].step()
        for p in critic.parameters():
            p.requires_grad_(True)
        return loss.item()

    for _ in range(WARM_UP):
        outer()
    start = time.perf_counter()
    for _ in range(STEPS):
        outer()
    return (time.perf_counter() - start) / STEPS


def main():
    root = Path(__file__).resolve().parent.parent
    if len(sys.argv) > 1:
        example = Path(sys.argv[1])
    else:
        subprocess.run(["cargo", "build", "--release", "--quiet", "--example", "scgan_speed"], cwd=root, check=True)
        example = Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "release/examples/scgan_speed"
    rows = {}
    for threads in (1, 2):
        for name, adam in (("PyTorch, Adam", "plain"), ("PyTorch, fused Adam", "fused")):
            rows[name, threads] = [sys.executable, __file__, "--torch", str(threads), adam]
        rows["scx", threads] = [example, *map(str, (threads, GENES, MINIBATCH, WARM_UP, STEPS))]
    best = dict.fromkeys(rows, float("inf"))
    loads = [os.getloadavg()[0]]
    # In turns, so that what else the machine does meets all of them alike.
    for _ in range(ROUNDS):
        for key, command in rows.items():
            text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            best[key] = min(best[key], float(text.split()[0]))
        loads.append(os.getloadavg()[0])

    import torch

    print(f"scGAN, {GENES} genes, minibatch {MINIBATCH}, seconds per outer step, best of {ROUNDS} rounds")
    print(f"torch {torch.__version__}, Python {sys.version.split()[0]}, {cpu()}, {os.cpu_count()} cores, "
          f"load average {loads[0]:.1f} before, up to {max(loads):.1f} meanwhile (its own work is 1 to 2)")
    print(f"{'':22}{'1 thread':>10}{'2 threads':>11}")
    least = {}
    for name in dict.fromkeys(name for name, _ in rows):
        one, two = best[name, 1], best[name, 2]
        least[name] = min(one, two)
        print(f"{name:22}{one:10.2f}{two:11.2f}")
    ratio = least["PyTorch, Adam"] / least["scx"]
    print(f"speed of scx / PyTorch (Adam), best of 1 and 2 threads each: {ratio:.2f} (must be 1)")
    print(f"speed of scx / PyTorch (fused Adam): {least['PyTorch, fused Adam'] / least['scx']:.2f} (aim 1)")
    return 0 if ratio >= 1 else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--torch"]:
        print(torch_seconds_per_step(int(sys.argv[2]), sys.argv[3] == "fused"))
    else:
        sys.exit(main())
