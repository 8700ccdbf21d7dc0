#!/usr/bin/python3
"""Networks of torchvision (and, where Debian's has none, a module written here after timm's), for the tests to compare with.
Reads lines from standard input, answers each with one line.

usage: torchvision_networks.py FOLDER
  state NAME CLASSES   answers with JSON: the number of parameters, the state's names and shapes in order
  run NAME CLASSES     writes NAME.pth (a state dict of seeded values), NAME.images (uint8 header-free float32 [2, 3, S, S]),
                       NAME.logits, NAME.pooled, NAME.stage0, ... into FOLDER; answers with JSON: the shape of each
Names that begin with "timm:" are of timm: the same values under timm's names.
"""
import json, os, re, sys, warnings, zlib
warnings.filterwarnings("ignore")
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision.models as models

torch.set_num_threads(1)
folder = sys.argv[1]


class ConvMlpBlock(nn.Module):
    """timm's ConvNeXtBlock with conv_mlp=True: 1x1 convolutions in place of linear layers."""
    def __init__(self, width):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))
        self.conv_dw = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = Norm2d(width)
        self.mlp = nn.Module()
        self.mlp.fc1, self.mlp.fc2 = nn.Conv2d(width, 4 * width, 1), nn.Conv2d(4 * width, width, 1)

    def forward(self, x):
        y = self.mlp.fc2(F.gelu(self.mlp.fc1(self.norm(self.conv_dw(x)))))
        return x + y * self.gamma.reshape(1, -1, 1, 1)


class Norm2d(nn.LayerNorm):
    def __init__(self, width):
        super().__init__(width, eps=1e-6)

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class TimmConvNext(nn.Module):
    """timm's convnext_atto (depths 2, 2, 6, 2; widths 40, 80, 160, 320), under timm's names."""
    def __init__(self, classes, stem=(4, 4, 0), depths=(2, 2, 6, 2), widths=(40, 80, 160, 320)):
        super().__init__()
        kernel, stride, padding = stem
        self.stem = nn.Sequential(nn.Conv2d(3, widths[0], kernel, stride, padding), Norm2d(widths[0]))
        self.stages = nn.ModuleList()
        for s, (depth, width) in enumerate(zip(depths, widths)):
            stage = nn.Module()
            stage.downsample = nn.Sequential(Norm2d(widths[s - 1]), nn.Conv2d(widths[s - 1], width, 2, 2)) if s else nn.Identity()
            stage.blocks = nn.Sequential(*(ConvMlpBlock(width) for _ in range(depth)))
            self.stages.append(stage)
        self.head = nn.Module()
        self.head.norm, self.head.fc = nn.LayerNorm(widths[-1], eps=1e-6), nn.Linear(widths[-1], classes)

    def forward(self, x):
        x = self.stem(x)
        for stage in self.stages:
            x = stage.blocks(stage.downsample(x))
        return self.head.fc(self.head.norm(x.mean([2, 3])))


def keep_size(model):
    """torchvision's network with a stem and a first halving block that keep the size, and so are what they are with a stride of 1."""
    model.features[0][0].stride = (1, 1)
    block, halving = next((block, module) for block in model.modules() if hasattr(block, "use_res_connect")
                          for module in block.modules() if isinstance(module, nn.Conv2d) and module.stride == (2, 2))
    halving.stride = (1, 1)
    block.use_res_connect = block.block[0][0].in_channels == block.out_channels
    return model


def make(name, classes):
    if name in ("convnext_atto", "convnext_atto_cifar"):
        return TimmConvNext(classes, (4, 4, 0) if name == "convnext_atto" else (3, 1, 1))
    base = name.removesuffix("_cifar")
    model = getattr(models, base)(num_classes=classes)
    return model if base == name else keep_size(model)


def stages(model, name):
    """Modules whose outputs are the stages, each with what is done to them."""
    same = lambda x: x
    f = getattr(model, "features", None)
    if isinstance(model, TimmConvNext):
        return [(model.stem, same)] + [(stage.blocks, same) for stage in model.stages]
    if isinstance(model, models.ResNet):
        return [(model.bn1, F.relu)] + [(getattr(model, f"layer{i}"), same) for i in range(1, 5)]
    if isinstance(model, models.VGG):
        return [(f[i - 2], F.relu) for i, module in enumerate(f) if isinstance(module, nn.MaxPool2d)]
    if isinstance(model, models.DenseNet):
        return [(f.norm0, F.relu)] + [(norm, F.relu) for norm in (f.transition1.norm, f.transition2.norm, f.transition3.norm, f.norm5)]
    if isinstance(model, models.ConvNeXt):
        return [(f[i], same) for i in (0, 1, 3, 5, 7)]
    if isinstance(model, models.VisionTransformer):
        image = lambda x: x[:, 1:].transpose(1, 2).reshape(-1, x.shape[2], 14, 14)
        return [(model.conv_proj, same)] + [(model.encoder.layers[i], image) for i in (2, 5, 8, 11)]
    ends = {"mobilenet_v2": (0, 3, 6, 13, 17), "mobilenet_v3_small": (0, 1, 3, 8, 11), "mobilenet_v3_large": (0, 3, 6, 12, 15),
            "efficientnet_b0": (0, 2, 3, 5, 7)}
    return [(f[i], same) for i in ends[name.removesuffix("_cifar")]]


def fill(model, name):
    """Every value from the name as a seed, so that each branch, norm and scale has a say."""
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    with torch.no_grad():
        for key, value in model.state_dict().items():
            if not value.is_floating_point():
                value.fill_(7)
            elif key.endswith("running_var"):
                value.uniform_(.5, 1.5, generator=generator)
            elif value.dim() > 1 and "token" not in key and "layer_scale" not in key and "embedding" not in key:
                value.normal_(0, value[0].numel() ** -.5, generator=generator)
            elif key.endswith(("weight", "gamma", "layer_scale")):
                value.uniform_(.5, 1.5, generator=generator)
            else:
                value.normal_(0, .1, generator=generator)
    return model.eval()


# Names of timm, written by hand from its sources (timm/models/vision_transformer.py, convnext.py, efficientnet.py, vgg.py).
def timm_name(name, key):
    if name == "vit_b_16":
        for own, other in ((r"^class_token", "cls_token"), (r"^conv_proj\.", "patch_embed.proj."),
                           (r"^encoder\.pos_embedding", "pos_embed"), (r"^encoder\.ln\.", "norm."),
                           (r"^encoder\.layers\.encoder_layer_(\d+)\.", r"blocks.\1."), (r"\.ln_(\d)\.", r".norm\1."),
                           (r"\.self_attention\.in_proj_", ".attn.qkv."), (r"\.self_attention\.out_proj\.", ".attn.proj."),
                           (r"\.mlp\.0\.", ".mlp.fc1."), (r"\.mlp\.3\.", ".mlp.fc2."), (r"^heads\.", "")):
            key = re.sub(own, other, key)
        return key
    if name == "convnext_tiny":
        for own, other in ((r"^features\.0\.", "stem."),
                           (r"^features\.([1357])\.", lambda m: f"stages.{(int(m[1]) - 1) // 2}.blocks."),
                           (r"^features\.([246])\.", lambda m: f"stages.{int(m[1]) // 2}.downsample."), (r"\.layer_scale", ".gamma"),
                           (r"\.block\.0\.", ".conv_dw."), (r"\.block\.2\.", ".norm."), (r"\.block\.3\.", ".mlp.fc1."),
                           (r"\.block\.5\.", ".mlp.fc2."), (r"^classifier\.0\.", "head.norm."), (r"^classifier\.2\.", "head.fc.")):
            key = re.sub(own, other, key)
        return key
    if name == "vgg11_bn":
        linear = {"0": "pre_logits.fc1.", "3": "pre_logits.fc2.", "6": "head.fc."}
        return re.sub(r"^classifier\.([036])\.", lambda m: linear[m[1]], key)
    return mobile_name(name, key)


# For each block of torchvision's features, timm's stage and index; the kind of its parts.
GROUPS = {"mobilenet_v2": [1, 2, 3, 4, 3, 3, 1], "mobilenet_v3_small": [1, 2, 3, 2, 3], "mobilenet_v3_large": [1, 2, 3, 4, 2, 3],
          "efficientnet_b0": [1, 2, 2, 3, 3, 4, 1]}


def mobile_name(name, key):
    parts = key.split(".")
    places = [(group, i) for group, count in enumerate(GROUPS[name]) for i in range(count)]
    if parts[0] == "classifier":
        v3 = name.startswith("mobilenet_v3")
        return ("conv_head." if v3 and parts[1] == "0" else "classifier.") + parts[-1]
    at = int(parts[1])
    count = len(GROUPS[name]) if name == "efficientnet_b0" else len(places)
    if at == 0:
        return ["conv_stem", "bn1"][int(parts[2])] + "." + parts[-1]
    if at == count + 1:
        if name.startswith("mobilenet_v3"):
            return f"blocks.{len(GROUPS[name])}.0." + ["conv", "bn1"][int(parts[2])] + "." + parts[-1]
        return ["conv_head", "bn2"][int(parts[2])] + "." + parts[-1]
    group, i = (at - 1, int(parts[2])) if name == "efficientnet_b0" else places[at - 1]
    rest = parts[4 if name == "efficientnet_b0" else 3:-1]
    expands = not (group == 0)
    convolutions = (["conv_pw"] if expands else []) + ["conv_dw", "conv_pwl" if expands else "conv_pw"]
    if rest[-1] in ("fc1", "fc2"):
        part = "se." + {"fc1": "conv_reduce", "fc2": "conv_expand"}[rest[-1]]
    elif name == "mobilenet_v2" and len(rest) == 1:
        # The last convolution and norm stand for themselves.
        first = len(convolutions) - 1
        part = convolutions[-1] if int(rest[0]) == first else f"bn{len(convolutions)}"
    else:
        order = int(rest[0])
        has_squeeze = f"{'.'.join(parts[:4 if name == 'efficientnet_b0' else 3])}.{len(convolutions) - 1}.fc1.weight" in current_state
        if has_squeeze and order == len(convolutions):
            order -= 1
        part = convolutions[order] if rest[1] == "0" else f"bn{order + 1}"
    return f"blocks.{group}.{i}.{part}.{parts[-1]}"


def renamed(name, state):
    global current_state
    current_state = state
    result = {}
    for key, value in state.items():
        other = timm_name(name, key)
        assert other not in result, (key, other)
        if other.endswith("gamma"):
            value = value.flatten()
        if other == "conv_head.weight" and value.dim() == 2:
            value = value[:, :, None, None]
        if other == "pre_logits.fc1.weight":
            value = value.reshape(4096, 512, 7, 7)
        if other == "pre_logits.fc2.weight":
            value = value[:, :, None, None]
        result[other] = value
    return result


def write(array, name):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(array.detach().contiguous().numpy().tobytes())
    return list(array.shape)


def run(name, classes):
    timm = name.startswith("timm:")
    base = name.removeprefix("timm:")
    model = fill(make(base, classes), base)
    if timm and base.startswith("mobilenet_v3"):
        # timm's norms here have PyTorch's epsilon.
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = 1e-5
    size = 224 if base == "vit_b_16" else 32 if base.endswith("_cifar") else 64
    images = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(3)) * 3 - 1.5
    kept = {}
    last = [module for module in model.modules() if type(module) is nn.Linear][-1]
    last.register_forward_pre_hook(lambda module, given: kept.__setitem__("pooled", given[0].clone()))
    for i, (module, then) in enumerate(stages(model, base)):
        module.register_forward_hook(
            lambda module, given, result, i=i, then=then: kept.__setitem__(f"stage{i}", then(result.clone()).clone()))
    with torch.no_grad():
        kept["logits"] = model(images)
    state = model.state_dict()
    file = name.replace(":", "-")
    torch.save(renamed(base, state) if timm else state, os.path.join(folder, file + ".pth"))
    kept["images"] = images
    return {part: write(array, f"{file}.{part}") for part, array in kept.items()}


def state(name, classes):
    model = make(name, classes)
    return {"parameters": sum(p.numel() for p in model.parameters()),
            "state": [[key, list(value.shape)] for key, value in model.state_dict().items()]}


# Nothing of what the constructors draw is used: it would take most of the time.
for draw in ("kaiming_normal_", "kaiming_uniform_", "normal_", "uniform_", "trunc_normal_", "xavier_uniform_"):
    setattr(nn.init, draw, lambda tensor, *arguments, **named: tensor)
for line in sys.stdin:
    command, name, classes = line.split()
    print(json.dumps({"state": state, "run": run}[command](name, int(classes))), flush=True)
