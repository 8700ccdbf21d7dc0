"""Images/s of torchvision's ImageFolder with the usual transform of ImageNet: FOLDER WORKERS SECONDS."""
import sys
import time

import torch
from torchvision import datasets, transforms

folder, workers, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
torch.set_num_threads(1)
transform = transforms.Compose([
    transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), transforms.ToTensor(),
    transforms.Normalize([.485, .456, .406], [.229, .224, .225]),
])
data = datasets.ImageFolder(folder + "/train", transform)
loader = torch.utils.data.DataLoader(data, 32, shuffle=True, num_workers=workers, persistent_workers=workers > 0)


def batches():
    while True:
        yield from loader


count, start = 0, None
for number, (images, _) in enumerate(batches()):
    # The first batches start the workers and warm the files' cache.
    if number == 4:
        start = time.perf_counter()
    elif start is not None:
        count += len(images)
        if time.perf_counter() - start >= seconds:
            break
print(count / (time.perf_counter() - start))
