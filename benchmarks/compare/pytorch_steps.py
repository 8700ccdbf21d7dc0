#!/usr/bin/env python3
"""The PyTorch peer of `DistillSharp.Benchmarks steps`: the same networks, step and loss in plain PyTorch.

Usage: pytorch_steps.py TEACHER STUDENT fp32|bf16 BATCH STEPS contiguous|channels_last
Data loading is not counted. Prints one JSON object.
"""
import json
import resource
import statistics
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        residual = x if self.downsample is None else self.downsample(x)
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + residual)


class ResNet(nn.Module):
    def __init__(self, depth, widths, classes=100):
        super().__init__()
        count = (depth - 2) // 6
        self.conv1 = nn.Conv2d(3, widths[0], 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.layers = nn.Sequential(*[
            BasicBlock(widths[stage] if block == 0 else widths[stage + 1], widths[stage + 1], 2 if block == 0 and stage > 0 else 1)
            for stage in range(3) for block in range(count)])
        self.fc = nn.Linear(widths[3], classes)

    def forward(self, x):
        pooled = F.avg_pool2d(self.layers(F.relu(self.bn1(self.conv1(x)))), 8).flatten(1)
        return self.fc(pooled), pooled


def network(name):
    wide = name.endswith("x4")
    depth = int(name[len("resnet"):-2] if wide else name[len("resnet"):])
    return ResNet(depth, [32, 64, 128, 256] if wide else [16, 16, 32, 64])


def main():
    teacher_name, student_name, precision, batch, steps, layout = sys.argv[1:7]
    batch, steps, warmup = int(batch), int(steps), 5
    torch.set_num_threads(len(__import__("os").sched_getaffinity(0)))
    torch.manual_seed(1)
    teacher, student = network(teacher_name).eval(), network(student_name).train()
    if layout == "channels_last":
        teacher, student = (n.to(memory_format=torch.channels_last) for n in (teacher, student))
    optimizer = torch.optim.SGD(student.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    memory_format = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    batches = [(torch.randn(batch, 3, 32, 32).contiguous(memory_format=memory_format), torch.randint(0, 100, (batch,))) for _ in range(8)]
    times = []
    for step in range(steps + warmup):
        images, labels = batches[step % len(batches)]
        start = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
            with torch.no_grad():
                _, t = teacher(images)
            logits, s = student(images)
        similarity = F.normalize(s.float()) @ F.normalize(t.float()).t() / 0.1
        loss = F.cross_entropy(logits.float(), labels) + F.cross_entropy(similarity, torch.arange(batch))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        loss.item()
        times.append((time.perf_counter() - start) * 1000)
    median = statistics.median(times[warmup:])
    print(json.dumps({
        "step_ms": round(median, 2),
        "images_per_second": round(batch / median * 1000, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 // 1_000_000,
    }))


main()
