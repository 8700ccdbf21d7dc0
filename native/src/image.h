// The two decoders. Both libraries leave by longjmp when they fail, which skips destructors: the functions declared
// here hold nothing but plain data, and turn a failure into false and a message.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace distillsharp::image {

struct Header {
  int32_t height;
  int32_t width;
  int64_t least_bytes;  // no file of this kind and size is shorter
};

struct Failure {
  char message[256];

  void say(const char* text) {
    std::strncpy(message, text, sizeof message - 1);
    message[sizeof message - 1] = '\0';
  }
};

// An area of an image that is scaled to so many eighths of its size, its sides rounded up.
struct Part {
  int32_t eighths, top, left, height, width;
};

// A JPEG file whose header was read; the bytes are the caller's, and stay where they are until it is closed.
struct Jpeg;
Jpeg* open_jpeg(const uint8_t* bytes, size_t count, Header* header, Failure* failure);  // null where it fails
void close_jpeg(Jpeg* jpeg);
// Either of these once. All pixels: [height, width, 3], of the header's size.
bool read_jpeg(Jpeg* jpeg, uint8_t* pixels, Failure* failure);
// A part, [height, width, 3], to the last bit as it is in the whole; what the file holds beyond it is not looked at.
bool read_jpeg_part(Jpeg* jpeg, const Part& part, uint8_t* pixels, Failure* failure);
// Writes pixels, [height, width, 3], as YCbCr with half as many rows and columns of color.
bool write_jpeg(const uint8_t* pixels, int32_t height, int32_t width, int32_t quality, uint8_t* bytes, size_t capacity,
                size_t* written, Failure* failure);
// Reads the header; then, where pixels is not null, all pixels: [height, width, 3], of the header's size.
bool read_png(const uint8_t* bytes, size_t count, Header* header, uint8_t* pixels, Failure* failure);

}  // namespace distillsharp::image
