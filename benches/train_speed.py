"""Training speed: scx against PyTorch on the published autoencoder (35-500-250-50-250-500-35, minibatch 100, Adam
1e-3).

    python benches/train_speed.py [PATH_OF_THE_EXAMPLE_train_speed] [--steps N] [--rounds N]

PyTorch with plain Adam and scx take turns on one and on two threads, each in a process of its own; the best of 5 rounds
of 600 steps counts. PyTorch's fused Adam is shown for information. Both draw shuffled minibatches from 20,000 cells in
memory. Without a path the example is built.
"""

import os
import sys

import timing

SIZES = [35, 500, 250, 50, 250, 500, 35]
CELLS, MINIBATCH, WARM_UP = 20_000, 100, 50


def torch_steps_per_second(threads, fused, steps):
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

    order = None

    def step(k):
        nonlocal order
        at = k % per_epoch
        if at == 0:
            order = torch.randperm(CELLS)
        batch = x[order[at * MINIBATCH:(at + 1) * MINIBATCH]]
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(net(batch), batch).backward()
        optimiser.step()

    return 1 / timing.per_step(step, WARM_UP, steps)


def main():
    parser = timing.options(__doc__, steps=600, rounds=5)
    parser.add_argument("--torch", nargs=2, metavar=("THREADS", "ADAM"), help="PyTorch alone; ADAM is plain or fused")
    args = parser.parse_args()
    if args.torch:
        threads, adam = args.torch
        print(torch_steps_per_second(int(threads), adam == "fused", args.steps))
        return 0
    example = timing.program(args.program, "train_speed")
    results, load = timing.beside_torch(
        lambda threads: [example, threads, CELLS, MINIBATCH, WARM_UP, args.steps], args.rounds)
    print(f"{'-'.join(map(str, SIZES))}, minibatch {MINIBATCH}, {args.steps} steps, best of {args.rounds} rounds, "
          "steps/s")
    print(f"{timing.versions('torch')}, {timing.cpu()}, {os.cpu_count()} cores, {load} (its own work is 1 to 2)")
    top = timing.by_threads(results, ".0f", max)
    ratio = top["scx"] / top["PyTorch, Adam"]
    print(f"scx / PyTorch (Adam), best of 1 and 2 threads each: {ratio:.2f} (must be 1, aim 1.2)")
    print(f"scx / PyTorch (fused Adam): {top['scx'] / top['PyTorch, fused Adam']:.2f}")
    return 0 if ratio >= 1 else 1


if __name__ == "__main__":
    sys.exit(main())
