"""The public CIFAR ResNet of the distillation benchmarks, written anew: loads an exported state dict with strict=True and
writes the logits of some images. Usage: cifar_resnet.py DEPTH CLASSES WEIGHTS IMAGES LOGITS (raw float32)."""
import sys
import numpy, torch
from torch import nn


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        else:
            self.downsample = None

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, depth, classes):
        super().__init__()
        blocks = (depth - 2) // 6
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        stage = lambda i, o, s: nn.Sequential(*[Block(i if b == 0 else o, o, s if b == 0 else 1) for b in range(blocks)])
        self.layer1, self.layer2, self.layer3 = stage(16, 16, 1), stage(16, 32, 2), stage(32, 64, 2)
        self.fc = nn.Linear(64, classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(torch.relu(self.bn1(self.conv1(x))))))
        return self.fc(x.mean((2, 3)))


depth, classes, weights, images, logits = sys.argv[1:]
network = ResNet(int(depth), int(classes))
network.load_state_dict(torch.load(weights), strict=True)
network.eval()
with torch.no_grad():
    x = torch.from_numpy(numpy.fromfile(images, dtype=numpy.float32).reshape(-1, 3, 32, 32))
    network(x).numpy().tofile(logits)
