#include "boundary.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstring>
#include <mutex>

namespace distillsharp {

namespace {
thread_local std::string last_error;
std::mutex lost_guard;
std::string lost;
}  // namespace

void set_last_error(std::string message) { last_error = std::move(message); }

void note_lost_processes(const std::string& message) {
  const std::lock_guard<std::mutex> lock(lost_guard);
  if (lost.empty()) lost = message;
}

bool take_lost_processes(std::string& message) {
  const std::lock_guard<std::mutex> lock(lost_guard);
  message = std::move(lost);
  lost.clear();
  return !message.empty();
}

std::string without_backtrace(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  std::string text = torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
  const auto backtrace = text.find("\nException raised from");
  if (backtrace != std::string::npos) text.resize(backtrace);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

void copy_text(const std::string& text, char* buffer, int32_t capacity) {
  const auto length = std::min<size_t>(text.size(), static_cast<size_t>(capacity) - 1);
  std::memcpy(buffer, text.data(), length);
  buffer[length] = '\0';
}

}  // namespace distillsharp

const char* ds_last_error(void) { return distillsharp::last_error.c_str(); }
