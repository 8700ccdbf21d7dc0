#!/usr/bin/python3
"""Writes checkpoints as people have them, all of one resnet8 for 10 classes: beside the weights lie objects of other programs,
under the names lie wrappers' prefixes. Needs PyTorch.

usage: checkpoints.py STATE.pth FOLDER     STATE.pth: the plain state dict
"""
import argparse, collections, copy, datetime, decimal, enum, json, os, pathlib, pickle, random, struct, sys, types, uuid
import numpy as np
import torch
import torch.nn as nn
import torch.nn.utils.prune as prune
from torch.optim.swa_utils import AveragedModel

source, folder = sys.argv[1:]
state = torch.load(source)
path = lambda name: os.path.join(folder, name)


def save(value, name, **how):
    torch.save(value, path(name), **how)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        if inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        self.layer1, self.layer2, self.layer3 = (nn.Sequential(Block(*shape)) for shape in [(16, 16, 1), (16, 32, 2), (32, 64, 2)])
        self.fc = nn.Linear(64, classes)


net = Net()
net.load_state_dict(state)
other = Net().state_dict()
prefixed = lambda prefix, values=state: {prefix + name: value for name, value in values.items()}


def module(name, *classes):
    """A module that exists only while this program runs."""
    made = sys.modules[name] = types.ModuleType(name)
    for known in classes:
        known.__module__ = name
        setattr(made, known.__name__, known)
    return made


# Paths of other systems and other Pythons: Python 3.13 keeps them in pathlib._local. This one's are as all before it had them.
for kind in (pathlib.PosixPath, pathlib.WindowsPath, pathlib.PurePosixPath, pathlib.PureWindowsPath):
    kind.__module__ = "pathlib"
local = module("pathlib._local", *(type(name, (), {"__reduce__": lambda self: (type(self), ("C:\\", "data"))})
                                   for name in ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")))
for name in ("PosixPath", "WindowsPath", "PureWindowsPath"):
    save({"state_dict": state, "args": argparse.Namespace(root=getattr(local, name)(), lr=.1)}, f"path-{name}.pth")
save({"state_dict": state, "root": pathlib.Path("/data")}, "path-plain.pth")


# Objects of one's own classes, of other packages, of every way in which Python pickles.
class Config:
    def __init__(self): self.lr, self.steps = .1, [1, 2]


class Slots:
    __slots__ = ("a", "b")
    def __init__(self): self.a, self.b = 1, torch.ones(3)


class Listed(list): pass
class Mapped(dict): pass
class Text(str): pass
class Mode(enum.Enum): A = 1
class Flags(enum.IntFlag): A = 1
Point = collections.namedtuple("Point", "x y")
class Keyed:
    def __new__(cls, *, a):
        return super().__new__(cls)
    def __getnewargs_ex__(self): return (), {"a": 1}


omega = type("ListConfig", (), {})
module("omegaconf"), module("omegaconf.listconfig", omega)
config = omega()
config.__dict__.update(_metadata=None, _content=[1, 2])
odd = {
    "own": Config(), "slots": Slots(), "list": Listed([1, 2]), "dict": Mapped(a=1), "text": Text("a"), "enum": Mode.A, "flags": Flags.A, "point": Point(1, 2),
    "keyed": Keyed(a=1), "omegaconf": config, "date": datetime.datetime.now(), "delta": datetime.timedelta(1), "zone": datetime.timezone.utc, "id": uuid.uuid4(),
    "decimal": decimal.Decimal("1.5"), "version": torch.__version__, "numpy": np.float64(72.5), "random": np.random.get_state(), "python": random.getstate(),
    "counter": collections.Counter("ab"), "default": collections.defaultdict(list, a=[1]), "queue": collections.deque([1], maxlen=3), "range": range(3), "slice": slice(1, 2),
    "complex": 1j, "device": torch.device("cpu"), "dtype": torch.float16, "size": torch.Size([1, 2]), "class": Config, "function": os.path.join, "bytes": bytearray(b"a"),
    "generator": np.random.default_rng(1), "optimizer": torch.optim.SGD(net.parameters(), .1), "layer": nn.Linear(2, 2), "none": None, "structured": np.zeros(2, dtype=[("a", "i4")]),
    "dates": np.array(["2020-01-01"], dtype="datetime64[D]"), "objects": np.array([Config()], dtype=object), "sparse": torch.eye(2).to_sparse(),
}
for name, value in odd.items():
    save({"state_dict": state, name: value}, f"beside-{name}.pth")
save({"state_dict": state, "all": odd}, "beside-everything.pth")
save({"state_dict": state, "all": odd}, "beside-everything-legacy.pth", _use_new_zipfile_serialization=False)
for protocol in (1, 3, 4, 5):
    save({"state_dict": state, "all": {k: v for k, v in odd.items() if protocol > 1 or k not in ("slots", "keyed")}}, f"beside-everything-{protocol}.pth", pickle_protocol=protocol)
trained = torch.optim.Adam(net.parameters())
for value in net.parameters():
    value.grad = torch.zeros_like(value)
trained.step()
net.load_state_dict(state)
save({"epoch": 3, "optimizer": trained.state_dict(), "model": state, "best": torch.tensor(1.)}, "with-optimizer.pth")
save(net, "module.pth")
save(net, "module-legacy.pth", _use_new_zipfile_serialization=False)
save({"model": nn.DataParallel(net), "epoch": 1}, "module-in-dict.pth")

# Counters and element types.
counters = lambda change: {name: change(value) if "num_batches" in name else value for name, value in state.items()}
save(counters(lambda value: value.reshape(1)), "counter-1.pth")
save(counters(lambda value: value.reshape(1).half()), "counter-half.pth")
save(counters(lambda value: value.int()), "counter-int.pth")
save({name: value for name, value in state.items() if "num_batches" not in name}, "counter-none.pth")
for name in ("half", "bfloat16", "double"):
    save({key: getattr(value, name)() for key, value in state.items()}, f"type-{name}.pth")
save(copy.deepcopy(net).half().state_dict(), "type-half-module.pth")
save({name: nn.Parameter(value) if value.is_floating_point() else value for name, value in state.items()}, "parameters.pth")
save({name: value.to(memory_format=torch.channels_last) if value.dim() == 4 else value for name, value in state.items()}, "channels-last.pth")

# Names.
counted = dict(state)
for name, _ in net.named_modules():
    for key in ("total_ops", "total_params"):
        counted[f"{name}.{key}" if name else key] = torch.zeros(1, dtype=torch.float64)
save(counted, "profiled.pth")
save(AveragedModel(net).state_dict(), "averaged.pth")
save({"state_dict": AveragedModel(net).state_dict()}, "averaged-nested.pth")
for prefix in ("module.", "model.", "net.", "_orig_mod.", "_orig_mod.module.", "module._orig_mod.", "student.", "module.model.", "a.b.c.", "module.encoder.0."):
    save(prefixed(prefix), f"prefix-{prefix}pth")
save({name.replace("layer1.", "layer1._orig_mod.").replace("layer2.", "layer2.module."): value for name, value in state.items()}, "prefix-inside.pth")
save({("fc." if name.startswith("fc.") else "backbone.") + name.removeprefix("fc."): value for name, value in state.items()}, "head-outside.pth")
save({name.replace("fc.", "head.") if name.startswith("fc.") else "backbone." + name: value for name, value in state.items()}, "head-renamed.pth")
save({**prefixed("model."), "criterion.weight": torch.ones(10)}, "stray.pth")
save({"state_dict": {**prefixed("model."), "criterion.weight": torch.ones(10)}, "pytorch-lightning_version": "2.1", "hyper_parameters": {}, "callbacks": {}}, "stray-lightning.pth")
save({**prefixed("module.student."), **prefixed("module.teacher.", other)}, "both.pth")
save({"state_dict": {**prefixed("student."), **prefixed("teacher.", {k: v for k, v in other.items() if "layer3" not in k})}}, "both-unlike.pth")
save({**state, **prefixed("ema.", other)}, "plain-and-ema.pth")
save({"state_dict": other, "state_dict_ema": state}, "two.pth")
save({"foo": state}, "odd-key.pth")
save([state, 3], "list.pth")
pruned = copy.deepcopy(net)
for layer in pruned.modules():
    if isinstance(layer, nn.Conv2d):
        prune.l1_unstructured(layer, "weight", .3)
save(pruned.state_dict(), "pruned.pth")
for layer in list(pruned.modules()):
    if isinstance(layer, nn.Conv2d):
        prune.remove(layer, "weight")
save(pruned.state_dict(), "pruned-expected.pth")
normed = copy.deepcopy(net)
normed.fc = nn.utils.weight_norm(normed.fc)
save(normed.state_dict(), "weight-norm.pth")
normed = copy.deepcopy(net)
normed.fc = nn.utils.spectral_norm(normed.fc)
save(normed.state_dict(), "spectral-norm.pth")
save({name.replace("downsample", "shortcut").replace("fc.", "linear."): value for name, value in state.items()}, "renamed.pth")
save({**state, "fc.weight": torch.ones(7, 64), "fc.bias": torch.ones(7)}, "other-classes.pth")
save({name: value for name, value in state.items() if not name.startswith("layer3.0.bn2")}, "missing.pth")
save({**state, "layer1.1.conv1.weight": torch.ones(16, 16, 3, 3)}, "deeper.pth")
save({**state, "conv1.weight": state["conv1.weight"].clone().fill_(float("nan"))}, "nan.pth")
save({**state, "fc.weight": state["fc.weight"].to_sparse()}, "sparse-weight.pth")

# Other kinds of file.
arrays = {name: value.numpy() for name, value in state.items()}
for protocol in range(6):
    pickle.dump(arrays, open(path(f"arrays-{protocol}.pkl"), "wb"), protocol=protocol)
np.savez(path("arrays.npz"), **arrays)
np.savez_compressed(path("arrays-compressed.npz"), **arrays)
np.savez(path("arrays-odd.npz"), **{name: np.asfortranarray(value).astype(value.dtype.newbyteorder(">")) for name, value in arrays.items()}, objects=np.array([{}], dtype=object))
save(state, "legacy.pth", _use_new_zipfile_serialization=False)
whole, old = open(path("prefix-module.pth"), "rb").read(), open(path("legacy.pth"), "rb").read()
for name, content in [("cut-half.pth", whole[:len(whole) // 2]), ("cut-end.pth", whole[:-22]), ("cut-legacy.pth", old[:len(old) // 2]), ("empty.pth", b""),
                      ("page.pth", b"<!DOCTYPE html><html>404</html>"), ("lfs.pth", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")]:
    open(path(name), "wb").write(content)

TYPES = {torch.float32: "F32", torch.int64: "I64"}


def safetensors(name, tensors, extra=(), tail=b"", metadata=None):
    header, data = ({"__metadata__": metadata} if metadata else {}), b""
    for key, kind, shape, raw in [*((k, TYPES[v.dtype], list(v.shape), v.contiguous().numpy().tobytes()) for k, v in tensors.items()), *extra]:
        header[key] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    open(path(name), "wb").write(struct.pack("<Q", len(text)) + text + data + tail)


safetensors("plain.safetensors", state, metadata={"format": "pt"})
safetensors("float8-beside.safetensors", state, [("x", "F8_E4M3", [4], b"\0" * 4)])
safetensors("unknown-beside.safetensors", state, [("x", "F4", [3], b"\0" * 2), ("y", "C64", [1], b"\0" * 8)])
safetensors("extra.safetensors", state, [("x", "F32", [1], b"\0" * 4)])
safetensors("tail.safetensors", state, tail=b"\0" * 16)
safetensors("prefix.safetensors", prefixed("model."))
names = list(state)
for name, part in [("part-1.safetensors", names[:20]), ("part-2.safetensors", names[20:])]:
    safetensors(name, {key: state[key] for key in part})
index = lambda second: json.dumps({"metadata": {}, "weight_map": {key: "part-1.safetensors" if i < 20 else second for i, key in enumerate(names)}})
for name, second in [("sharded.safetensors.index.json", "part-2.safetensors"), ("lacking.safetensors.index.json", "part-3.safetensors"), ("outside.safetensors.index.json", "../part-2.safetensors")]:
    open(path(name), "w").write(index(second))
