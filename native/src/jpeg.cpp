// JPEG by libjpeg-turbo: grey, YCbCr, RGB, CMYK and YCCK, baseline and progressive.
#include <csetjmp>
#include <cstdio>

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

void read_pixels(j_decompress_ptr decoder, uint8_t* pixels) {
  const bool cmyk = decoder->jpeg_color_space == JCS_CMYK || decoder->jpeg_color_space == JCS_YCCK;
  decoder->out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(decoder);
  const size_t row_bytes = size_t{decoder->output_width} * 3;
  JSAMPARRAY scratch = nullptr;
  if (cmyk)
    scratch =
        decoder->mem->alloc_sarray(reinterpret_cast<j_common_ptr>(decoder), JPOOL_IMAGE, decoder->output_width * 4, 1);
  while (decoder->output_scanline < decoder->output_height) {
    JSAMPROW row = pixels + decoder->output_scanline * row_bytes;
    if (!cmyk) {
      jpeg_read_scanlines(decoder, &row, 1);
    } else {
      jpeg_read_scanlines(decoder, scratch, 1);
      cmyk_to_rgb(scratch[0], row, decoder->output_width);
    }
  }
  jpeg_finish_decompress(decoder);
}

}  // namespace

bool read_jpeg(const uint8_t* bytes, size_t count, Header* header, uint8_t* pixels, Failure* failure) {
  jpeg_decompress_struct decoder;
  jpeg_progress_mgr progress;
  Errors errors;
  decoder.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = leave;
  errors.base.emit_message = warn;
  errors.base.output_message = silent;
  errors.failure = failure;
  jpeg_create_decompress(&decoder);
  if (setjmp(errors.back) != 0) {
    jpeg_destroy_decompress(&decoder);
    return false;
  }
  decoder.mem->max_memory_to_use = most_memory;
  progress.progress_monitor = count_scans;
  decoder.progress = &progress;
  jpeg_mem_src(&decoder, bytes, count);
  jpeg_read_header(&decoder, TRUE);
  header->height = static_cast<int32_t>(decoder.image_height);
  header->width = static_cast<int32_t>(decoder.image_width);
  // Every block of 8x8 takes a bit of the first scan; arithmetic coding, which is rare, can do with less.
  header->least_bytes = int64_t{header->height} * header->width / (decoder.arith_code ? 1 << 16 : 64 * 8);
  if (pixels != nullptr) read_pixels(&decoder, pixels);
  jpeg_destroy_decompress(&decoder);
  return true;
}

}  // namespace distillsharp::image
