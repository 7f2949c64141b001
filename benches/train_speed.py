"""Training speed: scx against PyTorch on the published autoencoder (35-500-250-50-250-500-35, minibatch 100, Adam 1e-3).

    python benches/train_speed.py [PATH_OF_THE_EXAMPLE_train_speed]

PyTorch with plain Adam and scx take turns on one and on two threads, each in a process of its own; the best of several
rounds counts. PyTorch's fused Adam is shown for information. Both draw shuffled minibatches from cells in memory.
Without an argument the example is built.
"""

import os
import platform
import subprocess
import sys
import time
from pathlib import Path

SIZES = [35, 500, 250, 50, 250, 500, 35]
CELLS, MINIBATCH, WARM_UP, STEPS, ROUNDS = 20_000, 100, 50, 600, 5


def torch_steps_per_second(threads, fused):
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    x = torch.randn(CELLS, SIZES[0])
    parts = []
    for k, (a, b) in enumerate(zip(SIZES, SIZES[1:])):
        parts.append(torch.nn.Linear(a, b))
        if k + 2 < len(SIZES):
            parts.append(torch.nn.LeakyReLU(0.2))
    net = torch.nn.Sequential(*parts)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3, fused=fused)
    per_epoch = CELLS // MINIBATCH

    def train(steps):
        for step in range(steps):
            at = step % per_epoch
            if at == 0:
                order = torch.randperm(CELLS)
            batch = x[order[at * MINIBATCH:(at + 1) * MINIBATCH]]
            optimiser.zero_grad()
            loss = torch.nn.functional.mse_loss(net(batch), batch)
            loss.backward()
            optimiser.step()
        return loss.item()

    train(WARM_UP)
    start = time.perf_counter()
    train(STEPS)
    return STEPS / (time.perf_counter() - start)


def cpu():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main():
    root = Path(__file__).resolve().parent.parent
    if len(sys.argv) > 1:
        example = Path(sys.argv[1])
    else:
        subprocess.run(["cargo", "build", "--release", "--quiet", "--example", "train_speed"], cwd=root, check=True)
        example = Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "release/examples/train_speed"

    def measure(command):
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0])

    rows = {}
    for threads in (1, 2):
        for name, adam in (("PyTorch, Adam", "plain"), ("PyTorch, fused Adam", "fused")):
            rows[name, threads] = [sys.executable, __file__, "--torch", str(threads), adam]
        rows["scx", threads] = [example, *map(str, (threads, CELLS, MINIBATCH, WARM_UP, STEPS))]
    best = dict.fromkeys(rows, 0.0)
    loads = [os.getloadavg()[0]]
    # In turns, so that what else the machine does meets all of them alike.
    for _ in range(ROUNDS):
        for key, command in rows.items():
            best[key] = max(best[key], measure(command))
        loads.append(os.getloadavg()[0])

    import torch

    print(f"{'-'.join(map(str, SIZES))}, minibatch {MINIBATCH}, {STEPS} steps, best of {ROUNDS} rounds, steps/s")
    print(f"torch {torch.__version__}, Python {sys.version.split()[0]}, {cpu()}, {os.cpu_count()} cores, "
          f"load average {loads[0]:.1f} before, up to {max(loads):.1f} meanwhile (its own work is 1 to 2)")
    print(f"{'':22}{'1 thread':>10}{'2 threads':>11}")
    top = {}
    for name in dict.fromkeys(name for name, _ in rows):
        one, two = best[name, 1], best[name, 2]
        top[name] = max(one, two)
        print(f"{name:22}{one:10.0f}{two:11.0f}")
    ratio = top["scx"] / top["PyTorch, Adam"]
    print(f"scx / PyTorch (Adam), best of 1 and 2 threads each: {ratio:.2f} (must be 1, aim 1.2)")
    print(f"scx / PyTorch (fused Adam): {top['scx'] / top['PyTorch, fused Adam']:.2f}")
    return 0 if ratio >= 1 else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--torch"]:
        print(torch_steps_per_second(int(sys.argv[2]), sys.argv[3] == "fused"))
    else:
        sys.exit(main())
