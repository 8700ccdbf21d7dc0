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

// Reads the header; then, where pixels is not null, all pixels: [height, width, 3], of the header's size.
bool read_jpeg(const uint8_t* bytes, size_t count, Header* header, uint8_t* pixels, Failure* failure);
// Reads a part, [height, width, 3], to the last bit as it is in the whole; what the file holds beyond it is not looked
// at.
bool read_jpeg_part(const uint8_t* bytes, size_t count, const Part& part, uint8_t* pixels, Failure* failure);
bool read_png(const uint8_t* bytes, size_t count, Header* header, uint8_t* pixels, Failure* failure);

}  // namespace distillsharp::image
