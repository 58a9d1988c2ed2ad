#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace ipnscast {

// A number that names one thing of a kind: StrongId<struct ConnectionTag>. 0 names nothing.
template <typename Tag>
struct StrongId {
  uint64_t value = 0;
  explicit operator bool() const { return value != 0; }
  auto operator<=>(const StrongId&) const = default;
};

}  // namespace ipnscast

template <typename Tag>
struct std::hash<ipnscast::StrongId<Tag>> {
  size_t operator()(ipnscast::StrongId<Tag> id) const noexcept {
    return std::hash<uint64_t>{}(id.value);
  }
};
