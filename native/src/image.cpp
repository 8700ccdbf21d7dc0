// JPEG and PNG files in memory, decoded to 8-bit RGB; JPEG files of 8-bit RGB.
#include "image.h"

#include <c10/util/Exception.h>

#include <memory>

#include "boundary.h"

using distillsharp::guarded;
using distillsharp::image::Failure;
using distillsharp::image::Header;

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

void check(const Header& header, int64_t count, const char* kind) {
  TORCH_CHECK(header.height > 0 && header.width > 0 && header.height <= most_side && header.width <= most_side &&
                  int64_t{header.height} * header.width <= most_pixels,
              "claims ", header.width, "x", header.height, " pixels; at most ", most_pixels, " are read");
  TORCH_CHECK(header.least_bytes <= count, "is a damaged ", kind, " image: ", count, " bytes cannot hold the ",
              header.width, "x", header.height, " pixels it claims");
}

}  // namespace

struct ds_image_s {
  const uint8_t* bytes;
  size_t count;
  Header header{};
  distillsharp::image::Jpeg* jpeg = nullptr;  // null for a PNG file

  ds_image_s(const uint8_t* bytes, size_t count) : bytes(bytes), count(count) {}
  ~ds_image_s() {
    if (jpeg != nullptr) close_jpeg(jpeg);
  }
  ds_image_s(const ds_image_s&) = delete;
  ds_image_s& operator=(const ds_image_s&) = delete;

  void refuse(bool succeeded, const Failure& failure) const {
    TORCH_CHECK(succeeded, "is a damaged ", kind(), " image: ", failure.message);
  }
  const char* kind() const { return is_jpeg(bytes, static_cast<int64_t>(count)) ? "JPEG" : "PNG"; }
};

int ds_image_open(const uint8_t* bytes, int64_t count, int32_t* height, int32_t* width, ds_image* opened) {
  return guarded([&] {
    const bool jpeg = is_jpeg(bytes, count);
    TORCH_CHECK(jpeg || is_png(bytes, count), count == 0 ? "is empty" : "is neither a JPEG nor a PNG image");
    auto image = std::make_unique<ds_image_s>(bytes, static_cast<size_t>(count));
    Failure failure{};
    if (jpeg) image->jpeg = open_jpeg(bytes, image->count, &image->header, &failure);
    image->refuse(jpeg ? image->jpeg != nullptr : read_png(bytes, image->count, &image->header, nullptr, &failure),
                  failure);
    check(image->header, count, image->kind());
    *height = image->header.height;
    *width = image->header.width;
    *opened = image.release();
  });
}

void ds_image_close(ds_image image) { delete image; }

int ds_image_read(ds_image image, uint8_t* pixels, int64_t capacity) {
  return guarded([&] {
    auto header = image->header;
    TORCH_CHECK(capacity == int64_t{header.height} * header.width * 3, "the buffer is not of the image's size");
    Failure failure{};
    image->refuse(image->jpeg != nullptr ? read_jpeg(image->jpeg, pixels, &failure)
                                         : read_png(image->bytes, image->count, &header, pixels, &failure),
                  failure);
  });
}

int ds_image_read_part(ds_image image, int32_t eighths, int32_t top, int32_t left, int32_t height, int32_t width,
                       uint8_t* pixels, int64_t capacity) {
  return guarded([&] {
    TORCH_CHECK(image->jpeg != nullptr, "is no JPEG image");
    TORCH_CHECK(eighths >= 1 && eighths <= 8, "cannot be scaled to ", eighths, " eighths");
    const auto scaled = [&](int32_t side) { return (int64_t{side} * eighths + 7) / 8; };
    const auto rows = scaled(image->header.height), columns = scaled(image->header.width);
    TORCH_CHECK(top >= 0 && left >= 0 && height > 0 && width > 0 && int64_t{top} + height <= rows &&
                    int64_t{left} + width <= columns,
                "is ", columns, "x", rows, " pixels, and the part is not within them");
    TORCH_CHECK(capacity >= int64_t{height} * width * 3, "the buffer is smaller than the part");
    Failure failure{};
    image->refuse(read_jpeg_part(image->jpeg, {eighths, top, left, height, width}, pixels, &failure), failure);
  });
}

int ds_jpeg_encode(const uint8_t* pixels, int32_t height, int32_t width, int32_t quality, uint8_t* bytes,
                   int64_t capacity, int64_t* written) {
  return guarded([&] {
    TORCH_CHECK(height > 0 && width > 0 && height < most_side && width < most_side, "cannot write ", width, "x", height,
                " pixels as a JPEG image");
    TORCH_CHECK(quality >= 1 && quality <= 100, "a JPEG image's quality is 1 to 100, not ", quality);
    Failure failure{};
    size_t count = 0;
    TORCH_CHECK(distillsharp::image::write_jpeg(pixels, height, width, quality, bytes, static_cast<size_t>(capacity),
                                                &count, &failure),
                "cannot write a JPEG image: ", failure.message);
    *written = static_cast<int64_t>(count);
  });
}
