"""The networks of the comparison in plain PyTorch, layer for layer as `distill models` has them.

Each returns logits and pooled features.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F


def conv(inputs, outputs, kernel=3, stride=1, groups=1, bias=False):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=bias)


def conv_norm(*shape, **more):
    c = conv(*shape, **more)
    return nn.Sequential(c, nn.BatchNorm2d(c.out_channels))


class Classifier(nn.Module):
    """Layers, the mean over the map, a linear layer."""

    def __init__(self, layers, width, classes=100):
        super().__init__()
        self.layers, self.fc = nn.Sequential(*layers), nn.Linear(width, classes)

    def forward(self, x):
        x = self.layers(x)
        pooled = F.avg_pool2d(x, x.shape[2:]).flatten(1)
        return self.fc(pooled), pooled


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first, self.second = conv_norm(inputs, outputs, 3, stride), conv_norm(outputs, outputs)
        self.downsample = conv_norm(inputs, outputs, 1, stride) if stride != 1 or inputs != outputs else None

    def forward(self, x):
        residual = x if self.downsample is None else self.downsample(x)
        return F.relu(self.second(F.relu(self.first(x), inplace=True)) + residual)


class PreActivatedBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), conv(inputs, outputs, 3, stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(outputs), conv(outputs, outputs)
        self.shortcut = conv(inputs, outputs, 1, stride) if inputs != outputs else None

    def forward(self, x):
        a = F.relu(self.bn1(x), inplace=True)
        inner = self.conv2(F.relu(self.bn2(self.conv1(a)), inplace=True))
        return inner + (x if self.shortcut is None else self.shortcut(a))


class ShuffleUnit(nn.Module):
    def __init__(self, inputs, outputs, halves, grouped):
        super().__init__()
        added = outputs - inputs if halves else outputs
        self.halves, self.groups = halves, 3 if grouped else 1
        self.first = conv_norm(inputs, added // 4, 1, groups=self.groups)
        self.second = conv_norm(added // 4, added // 4, 3, 2 if halves else 1, groups=added // 4)
        self.third = conv_norm(added // 4, added, 1, groups=3)

    def forward(self, x):
        y = F.relu(self.first(x), inplace=True)
        n, c, h, w = y.shape
        y = y.view(n, self.groups, c // self.groups, h, w).transpose(1, 2).reshape(n, c, h, w)
        y = self.third(F.relu(self.second(y), inplace=True))
        return torch.cat([F.relu(y), F.avg_pool2d(x, 3, 2, 1)], 1) if self.halves else F.relu(y + x)


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        width, self.adds = inputs * expansion, stride == 1 and inputs == outputs
        self.layers = nn.Sequential(
            conv_norm(inputs, width, 1), nn.ReLU(inplace=True), conv_norm(width, width, 3, stride, groups=width), nn.ReLU(inplace=True),
            conv_norm(width, outputs, 1))

    def forward(self, x):
        return x + self.layers(x) if self.adds else self.layers(x)


def resnet(depth, widths):
    blocks = [BasicBlock(widths[s] if b == 0 else widths[s + 1], widths[s + 1], 2 if b == 0 and s > 0 else 1)
              for s in range(3) for b in range((depth - 2) // 6)]
    return Classifier([conv_norm(3, widths[0]), nn.ReLU(inplace=True), *blocks], widths[3])


def wrn(depth, factor):
    widths = [16, 16 * factor, 32 * factor, 64 * factor]
    blocks = [PreActivatedBlock(widths[s] if b == 0 else widths[s + 1], widths[s + 1], 2 if b == 0 and s > 0 else 1)
              for s in range(3) for b in range((depth - 4) // 6)]
    return Classifier([conv(3, 16), *blocks, nn.BatchNorm2d(widths[3]), nn.ReLU(inplace=True)], widths[3])


def vgg(counts):
    layers, inputs = [], 3
    for block, (count, width) in enumerate(zip(counts, [64, 128, 256, 512, 512])):
        for _ in range(count):
            layers += [conv_norm(inputs, width, bias=True), nn.ReLU(inplace=True)]
            inputs = width
        if block < 3:
            layers.append(nn.MaxPool2d(2))
    return Classifier(layers, 512)


def shufflenet_v1():
    layers, inputs = [conv_norm(3, 24, 1), nn.ReLU(inplace=True)], 24
    for outputs, count in [(240, 4), (480, 8), (960, 4)]:
        for i in range(count):
            layers.append(ShuffleUnit(inputs, outputs, i == 0, inputs != 24))
            inputs = outputs
    return Classifier(layers, 960)


def mobilenet_v2_half():
    layers, inputs = [conv_norm(3, 16, 3, 2), nn.ReLU(inplace=True)], 16
    groups = [(1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for expansion, width, count, stride in groups:
        for i in range(count):
            layers.append(InvertedResidual(inputs, width // 2, stride if i == 0 else 1, expansion))
            inputs = width // 2
    return Classifier([*layers, conv_norm(inputs, 1280, 1), nn.ReLU(inplace=True)], 1280)


NETWORKS = {
    "resnet20": lambda: resnet(20, [16, 16, 32, 64]),
    "resnet56": lambda: resnet(56, [16, 16, 32, 64]),
    "resnet8x4": lambda: resnet(8, [32, 64, 128, 256]),
    "resnet32x4": lambda: resnet(32, [32, 64, 128, 256]),
    "wrn_40_2": lambda: wrn(40, 2),
    "vgg13": lambda: vgg([2, 2, 2, 2, 2]),
    "shufflenet_v1": shufflenet_v1,
    "mobilenet_v2_half": mobilenet_v2_half,
}
