"""Turns the lines of compare.sh into a Markdown table of medians over the rounds."""
import collections
import json
import os
import statistics
import sys

path, rounds, steps = sys.argv[1:4]
results = collections.OrderedDict()
for line in open(path):
    pair, who, figures = line.rstrip("\n").split("|", 2)
    results.setdefault(pair, collections.OrderedDict()).setdefault(who, []).append(json.loads(figures))


def processor():
    with open("/proc/cpuinfo") as info:
        lines = info.read().splitlines()
    name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    flags = next(line for line in lines if line.startswith("flags"))
    return name + (", AVX-512 BF16" if "avx512_bf16" in flags else "")


import torch  # noqa: E402  (only its version is asked)

load = os.getloadavg()[2]
print(f"{processor()}, {len(os.sched_getaffinity(0))} cores; PyTorch {torch.__version__}; batch 64, FSECD on pooled features; "
      f"median over {rounds} rounds of the median of {steps} steps; mean load over the last quarter of an hour {load:.1f}.\n")
print("| pair | implementation | step | images/s | against published | against the better fp32 | peak memory |")
print("|---|---|---|---|---|---|---|")
for pair, rows in results.items():
    median = {who: {key: statistics.median(run[key] for run in runs) for key in ("step_ms", "images_per_second", "peak_mb")}
              for who, runs in rows.items()}
    base = median["PyTorch, contiguous fp32"]["images_per_second"]
    better = max(base, median["PyTorch, channels-last fp32"]["images_per_second"])
    for who, figures in median.items():
        print(f"| {pair.replace(' ', ' -> ')} | {who} | {figures['step_ms']:.0f} ms | {figures['images_per_second']:.0f} | "
              f"{figures['images_per_second'] / base:.2f} | {figures['images_per_second'] / better:.2f} | {figures['peak_mb']:.0f} MB |")
