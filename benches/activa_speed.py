"""Training speed of ACTIVA: scx against PyTorch, one introspective step of the published networks and one step of the
default preset's count VAE, at 17,789 genes and minibatch 128.

    python benches/activa_speed.py [PATH_OF_THE_EXAMPLE_activa_speed] [--genes N] [--steps N] [--rounds N]

PyTorch (plain Adam and fused Adam) and scx take turns on one and on two threads, each in a process of its own; the best
of 3 rounds of 6 steps counts. Input is sparse counts on both sides (6 % of the genes of a cell), which PyTorch makes
dense for each minibatch as the published code does; both scale cells themselves. The introspective step is that of
`models.md` 2.14 with the generator attached: E step and G step. PyTorch's plain step has the negative binomial written
out with `lgamma`. Without a path the example is built.
"""

import os
import sys

import timing

MINIBATCH, CELLS, LABELS, SHARE, WARM_UP = 128, 1024, 10, 0.06, 2


def torch_seconds(which, threads, fused, genes, steps):
    import numpy as np
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    picks = int(SHARE * genes)
    cells = [(np.sort(rng.choice(genes, picks, replace=False)), rng.integers(1, 5, picks).astype("f4"))
             for _ in range(CELLS)]
    types = torch.arange(CELLS) % LABELS

    def minibatch(k):
        rows = range(k * MINIBATCH % CELLS, k * MINIBATCH % CELLS + MINIBATCH)
        out = np.zeros((MINIBATCH, genes), "f4")
        for to, i in zip(out, rows):
            to[cells[i][0]] = cells[i][1]
        return torch.from_numpy(out), types[list(rows)]

    def stack(sizes, norm):
        layers = []
        for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
            layers.append(nn.Linear(a, b))
            if i + 2 < len(sizes):
                layers += [nn.ReLU(), nn.BatchNorm1d(b)] if norm else [nn.ReLU()]
        return layers

    introspective = which == "introspective"
    hidden, latent = ([1024, 512, 256], 128) if introspective else ([256, 128], 32)
    encoder = nn.Sequential(*stack([genes, *hidden, 2 * latent], True))
    tail = [nn.ReLU()] if introspective else []
    generator = nn.Sequential(*stack([latent, *hidden[::-1], genes], True), *tail)
    classifier = nn.Sequential(*stack([genes, 100, 50, 25, LABELS], False))
    log_theta = nn.Parameter(torch.ones(genes))
    how = {"fused": True} if fused else {}
    lr = 2e-4 if introspective else 1e-3
    adam_e = torch.optim.Adam(encoder.parameters(), lr=lr, **how)
    of_generator = [*generator.parameters()] + ([] if introspective else [log_theta])
    adam_g = torch.optim.Adam(of_generator, lr=lr, **how)
    adam_c = torch.optim.Adam(classifier.parameters(), lr=1e-3, weight_decay=0.005, **how)

    def kl(code):
        mean, log_variance = code.chunk(2, 1)
        return (-0.5 * (1 + log_variance - mean**2 - log_variance.exp())).sum(1).mean()

    def squares(a, b):
        return ((a - b) ** 2).sum(1).mean()

    def draw(code):
        mean, log_variance = code.chunk(2, 1)
        return mean + torch.randn_like(mean) * (0.5 * log_variance).exp()

    def introspective_step(k):
        raw, _ = minibatch(k)
        x = raw / raw.sum(1, keepdim=True) * 20_000
        for adam in (adam_e, adam_g):
            adam.zero_grad()
        made = generator(torch.randn(MINIBATCH, latent))
        code = encoder(x)
        z = draw(code)
        again = generator(z)
        kl_again, kl_made = kl(encoder(again.detach())), kl(encoder(made.detach()))
        with torch.no_grad():
            seen = classifier(x)
        loss = (kl(code) + torch.relu(110 - kl_again) + torch.relu(110 - kl_made)
                + 0.25 * (squares(again, x) + squares(classifier(again), seen)))
        loss.backward()
        adam_e.step()
        adam_g.zero_grad()
        again, made = generator(z.detach()), generator(torch.randn(MINIBATCH, latent))
        whole = kl(encoder(again)) + kl(encoder(made))
        (whole + 0.25 * (squares(again, x) + squares(classifier(again), seen))).backward()
        adam_g.step()
        return loss.item()

    def plain_step(k):
        raw, labels = minibatch(k)
        size = raw.sum(1, keepdim=True)
        x = torch.log1p(raw / size * 20_000)
        for adam in (adam_e, adam_g, adam_c):
            adam.zero_grad()
        code = encoder(x)
        mean, theta = size * torch.softmax(generator(draw(code)), 1), log_theta.exp()
        terms = (torch.lgamma(raw + theta) - torch.lgamma(theta) - torch.lgamma(raw + 1)
                 + theta * (theta / (theta + mean)).log() + raw * (mean / (theta + mean) + 1e-8).log())
        loss = kl(code) - terms.sum(1).mean()
        loss.backward()
        adam_e.step()
        adam_g.step()
        nn.functional.cross_entropy(classifier(x), labels).backward()
        adam_c.step()
        return loss.item()

    if introspective:
        # The classifier stands still; gradients pass through it.
        classifier.requires_grad_(False)
    step = introspective_step if introspective else plain_step
    return timing.per_step(step, WARM_UP, steps)


def main():
    parser = timing.options(__doc__, genes=17_789, steps=6, rounds=3)
    parser.add_argument("--torch", nargs=3, metavar=("STEP", "THREADS", "ADAM"),
                        help="PyTorch alone; STEP is introspective or plain, ADAM is plain or fused")
    args = parser.parse_args()
    if args.torch:
        which, threads, adam = args.torch
        print(torch_seconds(which, int(threads), adam == "fused", args.genes, args.steps))
        return 0
    example = timing.program(args.program, "activa_speed")
    bad = 0
    for which in ("introspective", "plain"):
        results, load = timing.beside_torch(
            lambda threads: [example, which, threads, args.genes, MINIBATCH, WARM_UP, args.steps], args.rounds, which)
        print(f"ACTIVA, {which} step, {args.genes} genes, minibatch {MINIBATCH}: seconds, best of {args.rounds} rounds "
              f"of {args.steps}")
        print(f"{timing.versions('torch')}, {timing.cpu()}, {os.cpu_count()} cores, {load}")
        top = timing.by_threads(results, ".3f")
        ratio = top["PyTorch, Adam"] / top["scx"]
        print(f"speed, scx / PyTorch (Adam), best of 1 and 2 threads each: {ratio:.2f} (must be 1)")
        print(f"speed, scx / PyTorch (fused Adam): {top['PyTorch, fused Adam'] / top['scx']:.2f} (aim 1)", flush=True)
        bad += ratio < 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
