"""Writes the checkpoints of this folder. Run once with PyTorch; the tests read the files that it left here."""
import argparse
import collections
import pathlib
import zipfile

import torch

here = pathlib.Path(__file__).parent
base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
images = torch.arange(48, dtype=torch.float32).reshape(2, 2, 3, 4)
tensors = collections.OrderedDict(
    plain=base,
    transposed=base.transpose(0, 2),
    sliced=base[:, 1:, ::2],
    row=base[1, 2],
    scalar=torch.tensor(3.5),
    expanded=torch.tensor([7.0]).expand(2, 3),
    channels_last=images.contiguous(memory_format=torch.channels_last),
    empty=torch.empty(0, 5),
    parameter=torch.nn.Parameter(torch.tensor([1.0, 2.0])),
    i8=torch.tensor([-1, 2], dtype=torch.int8), u8=torch.tensor([255, 2], dtype=torch.uint8),
    i16=torch.tensor([-1, 300], dtype=torch.int16), i32=torch.tensor([-1, 70000], dtype=torch.int32),
    i64=torch.tensor(2**40), flags=torch.tensor([True, False]),
    half=torch.tensor([1.5, -2.0], dtype=torch.float16), brain=torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    double=torch.tensor([1.5, -2.0], dtype=torch.float64),
)
torch.save(tensors, here / "every.pth")
torch.save(tensors, here / "every-legacy.pth", _use_new_zipfile_serialization=False)
torch.save(tensors, here / "every-legacy-1.pth", _use_new_zipfile_serialization=False, pickle_protocol=1)
torch.save(tensors, here / "every-protocol-5.pth", pickle_protocol=5)

net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
with torch.no_grad():
    for index, parameter in enumerate(net.parameters()):
        parameter.copy_(torch.arange(parameter.numel(), dtype=torch.float32).reshape(parameter.shape) + 10 * index)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
net(torch.ones(4, 2)).pow(2).sum().backward()
optimizer.step()
optimizer.zero_grad()
state = net.state_dict()
torch.save({
    "epoch": 3, "best_acc": torch.tensor(71.5), "args": argparse.Namespace(lr=0.1), "arch": "resnet56", "state_dict":
    collections.OrderedDict(("module.student." + name, value) for name, value in state.items()), "optimizer": optimizer.state_dict(),
}, here / "training.pth")
torch.save({"trainer": {"model": {"net": state, "name": "x"}}, "model": "resnet", "net": {"module": {"state_dict": state}}}, here / "deep.pth")
torch.save({"odd key": state, "epoch": 1}, here / "odd-key.pth")
torch.save(net, here / "whole-model.pth")
torch.save({"epoch": 1, "names": ["a"]}, here / "no-tensors.pth")
torch.save([base], here / "list.pth")
torch.save({"a": torch.ones(2, dtype=torch.complex64)}, here / "complex.pth")
torch.save({"a": torch.eye(2).to_sparse()}, here / "sparse.pth")


def rewritten(source, target, change, compression=zipfile.ZIP_STORED):
    """A copy of a zip checkpoint with other files in it."""
    with zipfile.ZipFile(here / source) as old, zipfile.ZipFile(here / target, "w", compression) as new:
        contents = change({name: old.read(name) for name in old.namelist()})
        for name, content in contents.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = compression
            new.writestr(info, content)


def big_endian(contents):
    """As a machine of that order writes: the elements of each storage reversed, by the sizes that the tensors above have."""
    sizes = {}
    unpickled = torch.load(here / "every.pth")
    storages = []
    for value in unpickled.values():
        storage = value.storage()
        if all(storage.data_ptr() != other.data_ptr() or len(storage) == 0 for other in storages):
            storages.append(storage)
    folder = "every/"
    for index, storage in enumerate(storages):
        sizes[f"{folder}data/{index}"] = storage.element_size()
    out = {}
    for name, content in contents.items():
        size = sizes.get(name, 1)
        out[name] = b"".join(content[i:i + size][::-1] for i in range(0, len(content), size))
    out[folder + "byteorder"] = b"big"
    return out


rewritten("every.pth", "every-deflated.pth", lambda contents: contents, zipfile.ZIP_DEFLATED)
rewritten("every.pth", "every-big-endian.pth", big_endian)
