// PNG by libpng: every colour type and depth. An alpha channel is dropped, as Pillow's convert("RGB") does.
#include <png.h>

#include <csetjmp>

#include "image.h"

namespace distillsharp::image {

namespace {

constexpr png_uint_32 most_side = 1 << 16;
constexpr png_alloc_size_t most_chunk = 8 << 20;
// What zlib's densest stream reaches.
constexpr int64_t most_compression = 1032;

struct Input {
  const uint8_t* next;
  size_t left;
};

void leave(png_structp png, png_const_charp message) {
  static_cast<Failure*>(png_get_error_ptr(png))->say(message);
  png_longjmp(png, 1);
}

void ignore(png_structp, png_const_charp) {}

void take(png_structp png, png_bytep to, size_t count) {
  auto* input = static_cast<Input*>(png_get_io_ptr(png));
  if (count > input->left) png_error(png, "it ends early");
  std::memcpy(to, input->next, count);
  input->next += count;
  input->left -= count;
}

// Pillow reads 16-bit grey as whole numbers, and cuts those off that are above 255.
void clip_16(png_structp, png_row_infop row, png_bytep values) {
  const size_t count = size_t{row->width} * row->channels;
  for (size_t i = 0; i < count; ++i) values[i] = values[2 * i] != 0 ? 255 : values[2 * i + 1];
}

int to_rgb8(png_structp png, png_infop info) {
  const auto color = png_get_color_type(png, info);
  if (color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if ((color & PNG_COLOR_MASK_COLOR) == 0) {
    if (png_get_bit_depth(png, info) < 8) png_set_expand_gray_1_2_4_to_8(png);
    png_set_gray_to_rgb(png);
  }
  if (png_get_bit_depth(png, info) == 16 && color == PNG_COLOR_TYPE_GRAY) {
    png_set_read_user_transform_fn(png, clip_16);
    png_set_user_transform_info(png, nullptr, 8, 3);
  } else if (png_get_bit_depth(png, info) == 16) {
    // Of other colours Pillow takes the upper byte.
    png_set_strip_16(png);
  }
  png_set_strip_alpha(png);
  const int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  return passes;
}

}  // namespace

bool read_png(const uint8_t* bytes, size_t count, Header* header, uint8_t* pixels, Failure* failure) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, failure, leave, ignore);
  png_infop info = png != nullptr ? png_create_info_struct(png) : nullptr;
  if (info == nullptr) {
    png_destroy_read_struct(&png, nullptr, nullptr);
    failure->say("libpng has no memory, or is another version than at build time");
    return false;
  }
  Input input{bytes, count};
  if (setjmp(png_jmpbuf(png)) != 0) {
    png_destroy_read_struct(&png, &info, nullptr);
    return false;
  }
  png_set_user_limits(png, most_side, most_side);
  png_set_chunk_malloc_max(png, most_chunk);
  png_set_read_fn(png, &input, take);
  // Texts, profiles and the like are checked but not kept.
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_read_info(png, info);
  header->height = static_cast<int32_t>(png_get_image_height(png, info));
  header->width = static_cast<int32_t>(png_get_image_width(png, info));
  header->least_bytes = static_cast<int64_t>(png_get_rowbytes(png, info)) * header->height / most_compression;
  if (pixels != nullptr) {
    const int passes = to_rgb8(png, info);
    if (png_get_rowbytes(png, info) != size_t{png_get_image_width(png, info)} * 3)
      png_error(png, "its pixels cannot be made RGB");
    const size_t row_bytes = png_get_rowbytes(png, info);
    for (int pass = 0; pass < passes; ++pass)
      for (int32_t y = 0; y < header->height; ++y) png_read_row(png, pixels + y * row_bytes, nullptr);
    // All pixels are there: a file that ends now is whole enough, as it is for Pillow; one that goes on wrongly is
    // damaged.
    if (setjmp(png_jmpbuf(png)) == 0) {
      png_read_end(png, nullptr);
    } else if (input.left > 0) {
      png_destroy_read_struct(&png, &info, nullptr);
      return false;
    }
  }
  png_destroy_read_struct(&png, &info, nullptr);
  return true;
}

}  // namespace distillsharp::image
