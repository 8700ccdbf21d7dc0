"""Makes the images of this folder with Pillow and zlib. Each NAME.jpg has beside it NAME.jpg.rgb, what Pillow decodes it to."""
import struct, zlib, pathlib
from PIL import Image

here = pathlib.Path(__file__).parent
W, H = 13, 9

def value(y, x, c): return (37 * y + 11 * x + 85 * c) % 256

def png(name, depth, color, row, *, interlace=0, extra=b""):
    """row(y, xs) gives the packed bytes of some pixels of a row."""
    def chunk(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)] if interlace else [(0, 0, 1, 1)]
    raw = b""
    for y0, x0, dy, dx in passes:
        xs = range(x0, W, dx)
        if len(xs):
            for y in range(y0, H, dy): raw += b"\0" + row(y, xs)
    (here / name).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, depth, color, 0, 0, interlace))
        + extra + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))

def bits(values, width):
    text = "".join(format(v, f"0{width}b") for v in values)
    text += "0" * (-len(text) % 8)
    return bytes(int(text[i:i + 8], 2) for i in range(0, len(text), 8))

def chunk(kind, data): return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

rgb = lambda y, xs: bytes(value(y, x, c) for x in xs for c in range(3))
png("rgb.png", 8, 2, rgb)
png("interlaced.png", 8, 2, rgb, interlace=1)
png("rgba.png", 8, 6, lambda y, xs: bytes(v for x in xs for v in (*(value(y, x, c) for c in range(3)), 10 * x)))
png("rgb16.png", 16, 2, lambda y, xs: bytes(v for x in xs for c in range(3) for v in (value(y, x, c),) * 2))
png("gray.png", 8, 0, lambda y, xs: bytes(value(y, x, 0) for x in xs))
png("gray16.png", 16, 0, lambda y, xs: bytes(v for x in xs for v in (value(y, x, 0),) * 2))
png("gray-alpha.png", 8, 4, lambda y, xs: bytes(v for x in xs for v in (value(y, x, 0), 10 * x)))
png("gray2.png", 2, 0, lambda y, xs: bits([(y + x) % 4 for x in xs], 2))
palette = bytes(v for i in range(16) for v in (i * 16, 255 - i, i))
png("palette.png", 4, 3, lambda y, xs: bits([(3 * y + x) % 16 for x in xs], 4), extra=chunk(b"PLTE", palette) + chunk(b"tRNS", bytes(range(0, 160, 10))))

photo = Image.new("RGB", (W * 3, H * 3))
photo.putdata([(value(y // 3, x // 3, 0), (4 * x) % 256, (8 * y) % 256) for y in range(H * 3) for x in range(W * 3)])
for name, image, how in [
    ("color.jpg", photo, dict(quality=85)),
    ("progressive.jpg", photo, dict(quality=70, progressive=True, subsampling=0)),
    ("gray.jpg", photo.convert("L"), dict(quality=80)),
    ("cmyk.jpg", photo.convert("CMYK"), dict(quality=90)),
]:
    image.save(here / name, **how)
    (here / f"{name}.rgb").write_bytes(Image.open(here / name).convert("RGB").tobytes())
