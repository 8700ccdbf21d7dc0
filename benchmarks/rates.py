"""Turns lines of `who|rate` into a Markdown table of medians over the rounds, against the first.

Usage: rates.py LINES WHAT NAME BASE: what was measured and how, the first column's name, and what the ratio is against.
"""
import collections
import os
import statistics
import sys

path, what, column, against = sys.argv[1:5]
results = collections.OrderedDict()
for line in open(path):
    who, rate = line.rstrip("\n").split("|")
    results.setdefault(who, []).append(float(rate))
with open("/proc/cpuinfo") as info:
    name = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "an unnamed processor")
print(f"{name}, {len(os.sched_getaffinity(0))} cores; {what}; mean load over the last quarter of an hour {os.getloadavg()[2]:.1f}.\n")
print(f"| {column} | images/s | against {against} |")
print("|---|---|---|")
base = statistics.median(next(iter(results.values())))
for who, rates in results.items():
    rate = statistics.median(rates)
    print(f"| {who} | {rate:.0f} | {rate / base:.2f} |")
