#!/usr/bin/env python3
"""The PyTorch peer of `DistillSharp.Benchmarks steps`: the same networks, step and loss in plain PyTorch.

Usage: pytorch_steps.py TEACHER STUDENT fp32|bf16 BATCH STEPS contiguous|channels_last [DEVICE]
Data loading is not counted, copies to a GPU are. Prints one JSON object.
"""
import json
import resource
import statistics
import sys
import time

import torch
import torch.nn.functional as F

from networks import NETWORKS


def main():
    teacher_name, student_name, precision, batch, steps, layout = sys.argv[1:7]
    batch, steps, warmup = int(batch), int(steps), 5
    device = torch.device(sys.argv[7] if len(sys.argv) > 7 else "cpu")
    # Float32 is float32: what a GPU rounds to TF32 is compared by itself.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.set_num_threads(len(__import__("os").sched_getaffinity(0)))
    torch.manual_seed(1)
    teacher, student = NETWORKS[teacher_name]().eval().to(device), NETWORKS[student_name]().train().to(device)
    if layout == "channels_last":
        teacher, student = (n.to(memory_format=torch.channels_last) for n in (teacher, student))
    memory_format = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    batches = [(torch.randn(batch, 3, 32, 32).contiguous(memory_format=memory_format), torch.randint(0, 100, (batch,))) for _ in range(8)]
    with torch.no_grad():
        widths = [network.eval()(batches[0][0][:1].to(device))[1].shape[1] for network in (student, teacher)]
    student.train()
    # FSECD embeds the student's features linearly where its width is not the teacher's.
    embed = torch.nn.Identity() if widths[0] == widths[1] else torch.nn.Linear(*widths).to(device)
    optimizer = torch.optim.SGD([*student.parameters(), *embed.parameters()], lr=0.01, momentum=0.9, weight_decay=5e-4)
    times = []
    for step in range(steps + warmup):
        images, labels = batches[step % len(batches)]
        start = time.perf_counter()
        images, labels = images.to(device), labels.to(device)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16"):
            with torch.no_grad():
                _, t = teacher(images)
            logits, s = student(images)
        similarity = F.normalize(embed(s.float())) @ F.normalize(t.float()).t() / 0.1
        loss = F.cross_entropy(logits.float(), labels) + F.cross_entropy(similarity, torch.arange(batch, device=device))
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
