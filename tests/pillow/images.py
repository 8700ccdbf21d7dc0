#!/usr/bin/python3
"""Writes WebP, BMP and GIF files of every usual form into a folder, and beside each NAME.rgb, what Pillow reads in it. Needs python3-pil.

usage: images.py FOLDER
"""
import os
import random
import struct
import sys

from PIL import Image

out = sys.argv[1]
W, H = 53, 37
draw = random.Random(1)
place = lambda name: os.path.join(out, name)
smooth = Image.frombytes("RGB", (W, H), bytes(v % 256 for y in range(H) for x in range(W) for v in (x * 5 + y * 3, x * y, 255 - x * 4)))
noise = Image.frombytes("RGB", (W, H), draw.randbytes(W * H * 3))
alpha = Image.frombytes("L", (W, H), bytes(0 if 5 <= y < 10 else x * 7 % 256 for y in range(H) for x in range(W)))


def with_alpha(image):
    return Image.merge("RGBA", (*image.split(), alpha))


def webp():
    for name, image in (("", smooth), ("-noise", noise), ("-alpha", with_alpha(smooth))):
        image.save(place(f"lossless{name}.webp"), lossless=True, exact=True)
        image.save(place(f"lossy{name}.webp"), quality=70)
    smooth.save(place("animated.webp"), save_all=True, append_images=[noise], lossless=True)
    with_alpha(smooth).save(place("animated-alpha.webp"), save_all=True, append_images=[with_alpha(noise)], lossless=True)


def gif():
    few = smooth.quantize(16)
    smooth.quantize(200).save(place("palette.gif"))
    smooth.convert("L").save(place("gray.gif"))
    smooth.quantize(2).save(place("two-colors.gif"))
    few.save(place("interlaced.gif"), interlace=1)
    few.save(place("transparent.gif"), transparency=3)
    smooth.quantize(64).save(place("animated.gif"), save_all=True, append_images=[noise.quantize(64)])
    # Frames smaller than the screen: what they leave uncovered has the transparent color, or the palette's first.
    for name, transparency in (("small.gif", None), ("small-transparent.gif", 2)):
        small = few.crop((0, 0, 20, 10))
        small.save(place(name), **({} if transparency is None else {"transparency": transparency}))
        content = bytearray(open(place(name), "rb").read())
        content[6:10] = struct.pack("<HH", W, H)
        start = content.index(b"\x2c\0\0\0\0" + struct.pack("<HH", 20, 10))
        content[start + 1:start + 5] = struct.pack("<HH", 7, 5)
        open(place(name), "wb").write(content)


def bmp():
    smooth.save(place("color.bmp"))
    noise.save(place("noise.bmp"))
    smooth.convert("L").save(place("gray.bmp"))
    smooth.convert("1").save(place("black-white.bmp"))
    smooth.quantize(200).save(place("palette.bmp"))
    rows = [[smooth.getpixel((x, y)) for x in range(W)] for y in range(H)]
    bottom_up = rows[::-1]
    file = lambda name, bits, lines, **more: write_bmp(name, bits, b"".join(line + b"\0" * (-len(line) % 4) for line in lines), **more)
    file("top-down.bmp", 24, [b"".join(bytes((b, g, r)) for r, g, b in row) for row in rows], height=-H)
    file("padded-32.bmp", 32, [b"".join(bytes((b, g, r, x)) for x, (r, g, b) in enumerate(row)) for row in bottom_up])
    file("alpha-32.bmp", 32, [b"".join(bytes((b, g, r, x * 4)) for x, (r, g, b) in enumerate(row)) for row in bottom_up],
         masks=struct.pack("<IIII", 0xff0000, 0xff00, 0xff, 0xff000000), compression=3, header=124)
    file("16-bit-555.bmp", 16, [b"".join(struct.pack("<H", r >> 3 << 10 | g >> 3 << 5 | b >> 3) for r, g, b in row) for row in bottom_up])
    file("16-bit-565.bmp", 16, [b"".join(struct.pack("<H", r >> 3 << 11 | g >> 2 << 5 | b >> 3) for r, g, b in row) for row in bottom_up],
         masks=struct.pack("<III", 0xf800, 0x7e0, 0x1f), compression=3)
    index = lambda x, y: (x + y) % 16
    colors = b"".join(draw.randbytes(3) + b"\0" for _ in range(256))
    file("palette-4.bmp", 4, [bytes(index(x, y) << 4 | index(x + 1, y) for x in range(0, W, 2)) for y in range(H)], palette=colors[:64])
    runs = b"".join(b"".join(bytes((1, index(x, y))) for x in range(W)) + b"\0\0" for y in range(H)) + b"\0\1"
    write_bmp("run-length-8.bmp", 8, runs, palette=colors, compression=1)


def write_bmp(name, bits, body, palette=b"", masks=b"", compression=0, height=H, header=40):
    start = 14 + max(header, 40 + len(masks)) + len(palette)
    info = struct.pack("<IiiHHIIiiII", header, W, height, 1, bits, compression, len(body), 0, 0, len(palette) // 4, 0) + masks
    with open(place(name), "wb") as file:
        file.write(b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + info.ljust(header, b"\0") + palette + body)


webp()
gif()
bmp()
for name in os.listdir(out):
    open(place(name) + ".rgb", "wb").write(Image.open(place(name)).convert("RGB").tobytes())
