"""Steps of PyTorch's optimizers, for OptimizerTests: prints optimizers.json.

Two parameters, a matrix W [2, 3] and a vector b [3], follow the gradients of 1/2 sum a (p - c)^2 with fixed a and c, in float64.
Every third step b has no gradient. The rates fall; clip is torch.nn.utils.clip_grad_norm_, whose lengths are kept as well.
Usage: /usr/bin/python3 make_optimizers.py > optimizers.json (made with PyTorch 1.13.1)
"""
import json

import torch

STEPS = 7
CASES = {
    "sgd": dict(momentum=0.9, weight_decay=0.01),
    "sgd-nesterov-clipped": dict(momentum=0.9, weight_decay=0.01, nesterov=True, clip=1.0),
    "sgd-no-vectors": dict(momentum=0.9, weight_decay=0.1, vectors=False),
    "adam": dict(),
    "adam-decay": dict(weight_decay=0.1, betas=(0.8, 0.95), eps=1e-3),
    "adamw": dict(weight_decay=0.1),
    "adamw-no-vectors-clipped": dict(weight_decay=0.1, vectors=False, clip=0.5),
}


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def run(name, vectors=True, clip=None, weight_decay=0.0, **settings):
    W = double([[1.0, -2.0, 3.0], [0.5, 0.25, -1.5]]).requires_grad_()
    b = double([0.1, -0.2, 2.0]).requires_grad_()
    groups = [dict(params=[W], weight_decay=weight_decay), dict(params=[b], weight_decay=weight_decay if vectors else 0.0)]
    make = dict(sgd=torch.optim.SGD, adam=torch.optim.Adam, adamw=torch.optim.AdamW)[name.split("-")[0]]
    optimizer = make(groups, lr=0.1, **settings)
    steps, lengths = [], []
    for k in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = 0.1 / (k + 1)
        optimizer.zero_grad(set_to_none=True)
        loss = 0.5 * (double([[1.0, 2.0, 0.5], [3.0, 1.0, 0.1]]) * (W - 0.3) ** 2).sum()
        if k % 3 != 2:
            loss = loss + 0.5 * (double([2.0, 0.7, 1.0]) * (b + 0.4) ** 2).sum()
        loss.backward()
        if clip is not None:
            lengths.append(float(torch.nn.utils.clip_grad_norm_([W, b], clip)))
        optimizer.step()
        steps.append(dict(W=W.detach().flatten().tolist(), b=b.detach().tolist()))
    return dict(steps=steps, lengths=lengths)


print(json.dumps({name: run(name, **settings) for name, settings in CASES.items()}, indent=1))
