// JPEG by libjpeg-turbo: grey, YCbCr, RGB, CMYK and YCCK, baseline and progressive; written as baseline.
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>

// jpeglib.h expects FILE and size_t to be known.
#include <jerror.h>
#include <jpeglib.h>

#include "image.h"

namespace distillsharp::image {

namespace {

// A progressive file may ask for any number of passes over the whole image; encoders make about ten.
constexpr int most_scans = 100;
constexpr long most_memory = 1L << 30;

struct Errors {
  jpeg_error_mgr base;
  jmp_buf back;
  Failure* failure;
};

void leave(j_common_ptr info) {
  auto* errors = reinterpret_cast<Errors*>(info->err);
  char text[JMSG_LENGTH_MAX];
  errors->base.format_message(info, text);
  errors->failure->say(text);
  longjmp(errors->back, 1);
}

// What libjpeg mends by inventing pixels is an error here; what it mends without loss passes.
void warn(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_BOGUS_PROGRESSION:
      leave(info);
  }
}

void silent(j_common_ptr) {}

void count_scans(j_common_ptr info) {
  auto* decoder = reinterpret_cast<j_decompress_ptr>(info);
  if (decoder->input_scan_number <= most_scans) return;
  auto* errors = reinterpret_cast<Errors*>(info->err);
  errors->failure->say("it has too many scans");
  longjmp(errors->back, 1);
}

// Adobe's programs store CMYK inverted, and Pillow takes all files for theirs, whether their marker is there or not. So
// is the rounding Pillow's: white - ink * white / 255.
void cmyk_to_rgb(const uint8_t* cmyk, uint8_t* rgb, unsigned width) {
  for (unsigned x = 0; x < width; ++x, cmyk += 4, rgb += 3)
    for (int c = 0; c < 3; ++c) {
      const unsigned white = cmyk[3];
      const unsigned product = (255u - cmyk[c]) * white + 128;
      rgb[c] = static_cast<uint8_t>(white - ((product >> 8) + product) / 256);
    }
}

// Starts decoding to RGB, or to CMYK where the file holds that.
bool start(j_decompress_ptr decoder) {
  const bool cmyk = decoder->jpeg_color_space == JCS_CMYK || decoder->jpeg_color_space == JCS_YCCK;
  decoder->out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(decoder);
  return cmyk;
}

JSAMPARRAY new_row(j_decompress_ptr decoder, size_t width) {
  return decoder->mem->alloc_sarray(reinterpret_cast<j_common_ptr>(decoder), JPOOL_IMAGE,
                                    static_cast<JDIMENSION>(width * decoder->output_components), 1);
}

void read_pixels(j_decompress_ptr decoder, uint8_t* pixels) {
  const bool cmyk = start(decoder);
  const size_t row_bytes = size_t{decoder->output_width} * 3;
  JSAMPARRAY scratch = cmyk ? new_row(decoder, decoder->output_width) : nullptr;
  while (decoder->output_scanline < decoder->output_height) {
    JSAMPROW row = pixels + decoder->output_scanline * row_bytes;
    jpeg_read_scanlines(decoder, cmyk ? scratch : &row, 1);
    if (cmyk) cmyk_to_rgb(scratch[0], row, decoder->output_width);
  }
  jpeg_finish_decompress(decoder);
}

// Columns beside the part that are decoded too: what is interpolated at its edges is then interpolated as in the whole.
constexpr JDIMENSION margin = 16;

void read_part(j_decompress_ptr decoder, const Part& part, uint8_t* pixels) {
  const auto top = static_cast<JDIMENSION>(part.top), left = static_cast<JDIMENSION>(part.left);
  const auto height = static_cast<JDIMENSION>(part.height), width = static_cast<JDIMENSION>(part.width);
  decoder->scale_num = static_cast<unsigned>(part.eighths);
  decoder->scale_denom = 8;
  const bool cmyk = start(decoder);
  if (top + height > decoder->output_height || left + width > decoder->output_width)
    ERREXIT(decoder, JERR_WIDTH_OVERFLOW);
  JDIMENSION first = left > margin ? left - margin : 0;
  JDIMENSION columns =
      (left + width + margin < decoder->output_width ? left + width + margin : decoder->output_width) - first;
  if (columns < decoder->output_width) jpeg_crop_scanline(decoder, &first, &columns);
  JSAMPARRAY scratch = new_row(decoder, columns);
  if (top > 0) jpeg_skip_scanlines(decoder, top);
  for (JDIMENSION y = 0; y < height; ++y, pixels += size_t{width} * 3) {
    jpeg_read_scanlines(decoder, scratch, 1);
    const JSAMPLE* inside = scratch[0] + size_t{left - first} * decoder->output_components;
    if (cmyk)
      cmyk_to_rgb(inside, pixels, width);
    else
      std::memcpy(pixels, inside, size_t{width} * 3);
  }
  jpeg_abort_decompress(decoder);
}

}  // namespace

struct Jpeg {
  jpeg_decompress_struct info;
  jpeg_progress_mgr progress;
  Errors errors;
};

Jpeg* open_jpeg(const uint8_t* bytes, size_t count, Header* header, Failure* failure) {
  auto* jpeg = new Jpeg;
  jpeg->info.err = jpeg_std_error(&jpeg->errors.base);
  jpeg->errors.base.error_exit = leave;
  jpeg->errors.base.emit_message = warn;
  jpeg->errors.base.output_message = silent;
  jpeg->errors.failure = failure;
  jpeg_create_decompress(&jpeg->info);
  if (setjmp(jpeg->errors.back) != 0) {
    close_jpeg(jpeg);
    return nullptr;
  }
  jpeg->info.mem->max_memory_to_use = most_memory;
  jpeg->progress.progress_monitor = count_scans;
  jpeg->info.progress = &jpeg->progress;
  jpeg_mem_src(&jpeg->info, bytes, count);
  jpeg_read_header(&jpeg->info, TRUE);
  header->height = static_cast<int32_t>(jpeg->info.image_height);
  header->width = static_cast<int32_t>(jpeg->info.image_width);
  // Every block of 8x8 takes a bit of the first scan; arithmetic coding, which is rare, can do with less.
  header->least_bytes = int64_t{header->height} * header->width / (jpeg->info.arith_code ? 1 << 16 : 64 * 8);
  return jpeg;
}

bool read_jpeg(Jpeg* jpeg, uint8_t* pixels, Failure* failure) {
  jpeg->errors.failure = failure;
  if (setjmp(jpeg->errors.back) != 0) return false;
  read_pixels(&jpeg->info, pixels);
  return true;
}

bool read_jpeg_part(Jpeg* jpeg, const Part& part, uint8_t* pixels, Failure* failure) {
  jpeg->errors.failure = failure;
  if (setjmp(jpeg->errors.back) != 0) return false;
  read_part(&jpeg->info, part, pixels);
  return true;
}

void close_jpeg(Jpeg* jpeg) {
  jpeg_destroy_decompress(&jpeg->info);
  delete jpeg;
}

bool write_jpeg(const uint8_t* pixels, int32_t height, int32_t width, int32_t quality, uint8_t* bytes, size_t capacity,
                size_t* written, Failure* failure) {
  jpeg_compress_struct encoder;
  Errors errors;
  // libjpeg takes memory of its own where this does not suffice.
  struct Target {
    unsigned char* bytes;
    unsigned long count;
  } target{bytes, capacity};
  encoder.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = leave;
  errors.base.output_message = silent;
  errors.failure = failure;
  jpeg_create_compress(&encoder);
  if (setjmp(errors.back) != 0) {
    jpeg_destroy_compress(&encoder);
    return false;
  }
  jpeg_mem_dest(&encoder, &target.bytes, &target.count);
  encoder.image_width = static_cast<JDIMENSION>(width);
  encoder.image_height = static_cast<JDIMENSION>(height);
  encoder.input_components = 3;
  encoder.in_color_space = JCS_RGB;
  jpeg_set_defaults(&encoder);
  jpeg_set_quality(&encoder, quality, TRUE);
  jpeg_start_compress(&encoder, TRUE);
  const size_t row_bytes = size_t{encoder.image_width} * 3;
  while (encoder.next_scanline < encoder.image_height) {
    JSAMPROW row = const_cast<JSAMPROW>(pixels + encoder.next_scanline * row_bytes);
    jpeg_write_scanlines(&encoder, &row, 1);
  }
  jpeg_finish_compress(&encoder);
  jpeg_destroy_compress(&encoder);
  *written = target.count;
  if (target.bytes == bytes) return true;
  std::free(target.bytes);
  failure->say("the buffer is too short");
  return false;
}

}  // namespace distillsharp::image
