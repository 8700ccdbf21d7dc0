"""Turns the lines of loader.sh into a Markdown table of medians over the rounds."""
import collections
import os
import statistics
import sys

path, rounds, seconds, folder = sys.argv[1:5]
results = collections.OrderedDict()
for line in open(path):
    who, rate = line.rstrip("\n").split("|")
    results.setdefault(who, []).append(float(rate))
with open("/proc/cpuinfo") as info:
    name = next(line.split(":")[1].strip() for line in info if line.startswith("model name"))
print(f"{name}, {len(os.sched_getaffinity(0))} cores; {os.path.basename(folder.rstrip('/'))}; batches of 32 at 224x224; "
      f"median over {rounds} rounds of {seconds} s; mean load over the last quarter of an hour {os.getloadavg()[2]:.1f}.\n")
print("| loader | images/s | against torchvision in the process |")
print("|---|---|---|")
base = statistics.median(next(iter(results.values())))
for who, rates in results.items():
    rate = statistics.median(rates)
    print(f"| {who} | {rate:.0f} | {rate / base:.2f} |")
