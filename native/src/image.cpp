// JPEG and PNG files in memory, decoded to 8-bit RGB.
#include "image.h"

#include <c10/util/Exception.h>

#include "boundary.h"

using distillsharp::guarded;
using distillsharp::image::Failure;
using distillsharp::image::Header;
using distillsharp::image::Part;

namespace {

// The largest photographs are below this; what claims more is damaged or meant to exhaust the memory.
constexpr int64_t most_pixels = int64_t{1} << 27;
constexpr int32_t most_side = 1 << 16;

bool is_jpeg(const uint8_t* bytes, int64_t count) {
  return count >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff;
}

bool is_png(const uint8_t* bytes, int64_t count) {
  return count >= 8 && std::memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0;
}

// Reads the header and, where there is room for them, the pixels.
Header read(const uint8_t* bytes, int64_t count, uint8_t* pixels, int64_t capacity) {
  TORCH_CHECK(is_jpeg(bytes, count) || is_png(bytes, count),
              count == 0 ? "is empty" : "is neither a JPEG nor a PNG image");
  Failure failure{};
  Header header{};
  const bool jpeg = is_jpeg(bytes, count);
  const auto decode = jpeg ? distillsharp::image::read_jpeg : distillsharp::image::read_png;
  if (!decode(bytes, static_cast<size_t>(count), &header, nullptr, &failure))
    TORCH_CHECK(false, "is a damaged ", jpeg ? "JPEG" : "PNG", " image: ", failure.message);
  TORCH_CHECK(header.height > 0 && header.width > 0 && header.height <= most_side && header.width <= most_side &&
                  int64_t{header.height} * header.width <= most_pixels,
              "claims ", header.width, "x", header.height, " pixels; at most ", most_pixels, " are read");
  TORCH_CHECK(header.least_bytes <= count, "is a damaged ", jpeg ? "JPEG" : "PNG", " image: ", count,
              " bytes cannot hold the ", header.width, "x", header.height, " pixels it claims");
  if (pixels == nullptr) return header;
  TORCH_CHECK(capacity == int64_t{header.height} * header.width * 3, "the buffer is not of the image's size");
  if (!decode(bytes, static_cast<size_t>(count), &header, pixels, &failure))
    TORCH_CHECK(false, "is a damaged ", jpeg ? "JPEG" : "PNG", " image: ", failure.message);
  return header;
}

}  // namespace

int ds_image_size(const uint8_t* bytes, int64_t count, int32_t* height, int32_t* width) {
  return guarded([&] {
    const auto header = read(bytes, count, nullptr, 0);
    *height = header.height;
    *width = header.width;
  });
}

int ds_image_decode(const uint8_t* bytes, int64_t count, uint8_t* pixels, int64_t capacity) {
  return guarded([&] { read(bytes, count, pixels, capacity); });
}

int ds_jpeg_decode_part(const uint8_t* bytes, int64_t count, int32_t eighths, int32_t top, int32_t left, int32_t height,
                        int32_t width, uint8_t* pixels, int64_t capacity) {
  return guarded([&] {
    TORCH_CHECK(is_jpeg(bytes, count), "is no JPEG image");
    const auto header = read(bytes, count, nullptr, 0);
    TORCH_CHECK(eighths >= 1 && eighths <= 8, "cannot be scaled to ", eighths, " eighths");
    const auto scaled = [&](int32_t side) { return (int64_t{side} * eighths + 7) / 8; };
    TORCH_CHECK(top >= 0 && left >= 0 && height > 0 && width > 0 && int64_t{top} + height <= scaled(header.height) &&
                    int64_t{left} + width <= scaled(header.width),
                "is ", scaled(header.width), "x", scaled(header.height), " pixels, and the part is not within them");
    TORCH_CHECK(capacity == int64_t{height} * width * 3, "the buffer is not of the part's size");
    const Part part{eighths, top, left, height, width};
    Failure failure{};
    if (!distillsharp::image::read_jpeg_part(bytes, static_cast<size_t>(count), part, pixels, &failure))
      TORCH_CHECK(false, "is a damaged JPEG image: ", failure.message);
  });
}
