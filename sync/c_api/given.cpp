#include "ipnscast/sync/c_api/given.h"

#include <algorithm>

namespace ipnscast::c_api {
namespace {

constexpr size_t kMaxText = size_t{16} << 20;
constexpr size_t kMaxStruct = size_t{1} << 12;
constexpr Milliseconds kLongest = std::chrono::hours(24 * 365);

std::string quoted(std::string_view what) { return "\"" + std::string(what) + "\""; }

}  // namespace

Status needed(const void* pointer, std::string_view what) {
  if (pointer == nullptr) return fail(Errc::invalid, quoted(what) + " must not be NULL");
  return {};
}

Result<std::string_view> text_in(const char* data, size_t size, std::string_view what) {
  if (data == nullptr) {
    if (size == 0 || size == IPNSCAST_NUL) return std::string_view();
    return fail(Errc::invalid, quoted(what) + " is NULL, but its length is not 0");
  }
  if (size == IPNSCAST_NUL) size = std::strlen(data);
  if (size > kMaxText) return fail(Errc::too_large, quoted(what) + " is longer than 16 MiB");
  return std::string_view(data, size);
}

Result<std::string_view> needed_text(const char* data, size_t size, std::string_view what) {
  auto text = text_in(data, size, what);
  if (text && text->empty()) return fail(Errc::invalid, quoted(what) + " must not be empty");
  return text;
}

Result<std::string> path_in(const char* data, size_t size, std::string_view what) {
  const auto text = needed_text(data, size, what);
  if (!text) return fail(text.error());
  if (text->find('\0') != text->npos)
    return fail(Errc::invalid, quoted(what) + " holds a NUL, which no path may");
  return std::string(*text);
}

Result<Milliseconds> time_in(int64_t milliseconds, std::string_view what) {
  if (milliseconds < 0) return fail(Errc::invalid, quoted(what) + " must not be less than 0");
  return std::min(Milliseconds(milliseconds), kLongest);
}

Status struct_in(const void* given, void* out, size_t known) {
  size_t size = 0;
  std::memcpy(&size, given, sizeof(size));
  if (size < sizeof(size) || size > kMaxStruct)
    return fail(Errc::invalid, "struct_size is " + std::to_string(size) +
                                   ": set it to sizeof the struct of these options");
  const auto* bytes = static_cast<const unsigned char*>(given);
  if (size > known &&
      std::any_of(bytes + known, bytes + size, [](unsigned char byte) { return byte != 0; }))
    return fail(Errc::invalid, "these options set something that ipnscast " IPNSCAST_VERSION
                               " does not have: the program was made for a newer one");
  std::memcpy(out, given, std::min(size, known));
  return {};
}

}  // namespace ipnscast::c_api
