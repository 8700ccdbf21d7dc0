"""Writes the pickles of this folder. Run once with Python 3 and numpy; the tests read the files that it left here."""
import argparse
import collections
import pathlib
import pickle
import struct

import numpy

here = pathlib.Path(__file__).parent
shared = ["same", "list"]
plain = {
    "none": None, "true": True, "false": False,
    "integers": [0, 1, 255, 256, 65535, 65536, -1, 2**31 - 1, -2**31, 2**63 - 1, -2**63, 2**80, -2**80],
    "floats": [0.0, 1.5, -2.25e-300, float("inf"), float("-inf")],
    "text": "Zürich \U0001F600 \\ line\nfeed", "bytes": bytes(range(256)), "bytearray": bytearray(b"abc"),
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)], "empty": [[], {}, ""],
    "set": {7}, "frozenset": frozenset([8]), "complex": 1 + 2j,
    "ordered": collections.OrderedDict([("b", 1), ("a", 2)]), "counter": collections.Counter("aab"),
    "default": collections.defaultdict(list, {"x": [1]}), "namespace": argparse.Namespace(lr=0.1, name="run"),
    "path": pathlib.PurePosixPath("a/b"), "long": "x" * 300, 5: "integer key", (1, 2): "tuple key", None: "none key",
    "shared": [shared, shared],
    "matrix": numpy.arange(6, dtype=numpy.uint8).reshape(2, 3),
    "fortran": numpy.asfortranarray(numpy.arange(6, dtype=numpy.float32).reshape(2, 3)),
    "big": numpy.arange(3, dtype=">i4"), "scalar": numpy.float64(2.5), "scalar32": numpy.int32(-7), "objects": numpy.array(["a", None], dtype=object),
    "structure": numpy.zeros(2, dtype=[("a", "i4"), ("b", "f4")]), "letters": numpy.array(["ab", "c"]),
}
for protocol in range(6):
    (here / f"plain-{protocol}.pickle").write_bytes(pickle.dumps(plain, protocol))


def python2_cifar():
    """A batch in the very opcodes of the official files, which Python 2 wrote: str as SHORT_BINSTRING and BINSTRING."""
    text = lambda s: b"U" + bytes([len(s)]) + s
    labels = lambda values: b"]" + b"(" + b"".join(b"K" + bytes([v]) for v in values) + b"e"
    data = bytes(i * 7 % 256 for i in range(2 * 12))
    dtype = b"cnumpy\ndtype\nq\x09U\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    array = (b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
             b"(K\x01K\x02K\x0c\x86" + dtype + b"\x89T" + struct.pack("<i", len(data)) + data + b"tb")
    entries = (text(b"filenames") + b"](" + text(b"cat_s_1.png") + text(b"dog_s_2.png") + b"e"
               + text(b"batch_label") + text(b"training batch 1 of 1") + text(b"fine_labels") + labels([3, 99])
               + text(b"coarse_labels") + labels([0, 19]) + text(b"data") + array)
    return b"\x80\x02}q\x01(" + entries + b"u."


(here / "cifar-python2.pickle").write_bytes(python2_cifar())
