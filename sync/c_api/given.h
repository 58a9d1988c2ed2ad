#pragma once

#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/result.h"
#include "ipnscast/sync/c_api/ipnscast.h"

namespace ipnscast::c_api {

// What programs give: pointers, lengths, structs of any version, times.

// A text of a program; `what` names it in errors. It stays the program's memory. Errc::invalid for
// a null pointer with a length, Errc::too_large beyond 16 MiB.
Result<std::string_view> text_in(const char* data, size_t size, std::string_view what);
// The same for a text that must not be empty, such as a name.
Result<std::string_view> needed_text(const char* data, size_t size, std::string_view what);
// The same for a path, which must hold no NUL either.
Result<std::string> path_in(const char* data, size_t size, std::string_view what);
// A time in milliseconds. Errc::invalid below 0; a year is the longest.
Result<Milliseconds> time_in(int64_t milliseconds, std::string_view what);

// Copies so much of a struct as its program knows; the rest is 0. Errc::invalid for a size that no
// version of the struct has, and for a newer one that asks for something unknown here.
Status struct_in(const void* given, void* out, size_t known);

// The options that a program gave; null: none.
template <typename Options>
Result<Options> options_in(const Options* given) {
  static_assert(std::is_trivially_copyable_v<Options>);
  Options out{};
  if (given == nullptr) return out;
  if (auto copied = struct_in(given, &out, sizeof(Options)); !copied) return fail(copied.error());
  return out;
}

// A pointer that must not be null. Errc::invalid.
Status needed(const void* pointer, std::string_view what);

// What programs get.

// A struct of the C API together with the texts and lists that it points to.
template <typename Struct>
class Given : public Struct {
 public:
  Given() : Struct{} { this->struct_size = sizeof(Struct); }
  Given(const Given&) = delete;
  Given& operator=(const Given&) = delete;

  ipnscast_text keep(std::string text) {
    const std::string& kept = texts_.emplace_back(std::move(text));
    return {kept.c_str(), kept.size()};
  }

 private:
  std::deque<std::string> texts_;
};

// A list inside of a given struct: rows that stay where they are, and pointers to them.
template <typename Row>
class GivenRows {
 public:
  Row& add() {
    Row& row = rows_.emplace_back();
    row.struct_size = sizeof(Row);
    pointers_.push_back(&row);
    return row;
  }
  size_t size() const { return pointers_.size(); }
  const Row* const* data() const { return pointers_.data(); }

 private:
  std::deque<Row> rows_;
  std::vector<const Row*> pointers_;
};

}  // namespace ipnscast::c_api
