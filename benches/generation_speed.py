"""Training speed of scGAN: scx against PyTorch, one outer step (five updates of the critic, one of the generator).

    python benches/generation_speed.py [PATH_OF_THE_EXAMPLE_scgan_speed] [--genes N] [--steps N] [--rounds N]

17,789 genes, minibatch 128, the published sizes, AMSGrad. PyTorch goes back through the gradient penalty twice, as its
users write it; scx uses the closed form and takes real cells as they are stored, sparse. PyTorch with plain and with
fused Adam and scx take turns on one and on two threads, each in a process of its own; the best of 3 rounds of 2 steps
counts. Without a path the example is built.
"""

import os
import sys

import timing

MINIBATCH, NOISE, GENERATOR, CRITIC = 128, 128, [256, 512, 1024], [1024, 512, 256]
CELLS, SHARE, LIBRARY, UPDATES, WARM_UP = 1000, 0.06, 20_000.0, 5, 1


def torch_seconds_per_step(threads, fused, genes, steps):
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    data = torch.zeros(CELLS, genes)
    for row in data:
        at = torch.randperm(genes)[:int(SHARE * genes)]
        row[at] = torch.randint(1, 5, (len(at),)).float()
    data *= LIBRARY / data.sum(1, keepdim=True)

    parts, width = [], NOISE
    for size in GENERATOR:
        parts += [nn.Linear(width, size, bias=False), nn.BatchNorm1d(size, momentum=0.001), nn.ReLU()]
        width = size
    body = nn.Sequential(*parts, nn.Linear(width, genes), nn.ReLU())
    parts, width = [], genes
    for size in CRITIC:
        parts += [nn.Linear(width, size), nn.ReLU()]
        width = size
    critic = nn.Sequential(*parts, nn.Linear(width, 1))

    def generator(n):
        x = body(torch.randn(n, NOISE))
        return LIBRARY * x / (x.sum(1, keepdim=True) + 1e-8)

    adams = [torch.optim.Adam(net.parameters(), lr=1e-4, betas=(0.5, 0.9), amsgrad=True, fused=fused)
             for net in (critic, body)]

    def outer(_):
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

    return timing.per_step(outer, WARM_UP, steps)


def main():
    parser = timing.options(__doc__, genes=17_789, steps=2, rounds=3)
    parser.add_argument("--torch", nargs=2, metavar=("THREADS", "ADAM"), help="PyTorch alone; ADAM is plain or fused")
    args = parser.parse_args()
    if args.torch:
        threads, adam = args.torch
        print(torch_seconds_per_step(int(threads), adam == "fused", args.genes, args.steps))
        return 0
    example = timing.program(args.program, "scgan_speed")
    results, load = timing.beside_torch(
        lambda threads: [example, threads, args.genes, MINIBATCH, WARM_UP, args.steps], args.rounds)
    print(f"scGAN, {args.genes} genes, minibatch {MINIBATCH}, seconds per outer step, best of {args.rounds} rounds")
    print(f"{timing.versions('torch')}, {timing.cpu()}, {os.cpu_count()} cores, {load} (its own work is 1 to 2)")
    least = timing.by_threads(results, ".2f")
    ratio = least["PyTorch, Adam"] / least["scx"]
    print(f"speed of scx / PyTorch (Adam), best of 1 and 2 threads each: {ratio:.2f} (must be 1)")
    print(f"speed of scx / PyTorch (fused Adam): {least['PyTorch, fused Adam'] / least['scx']:.2f} (aim 1)")
    return 0 if ratio >= 1 else 1


if __name__ == "__main__":
    sys.exit(main())
