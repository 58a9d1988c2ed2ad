#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::bridge {

// What a write demands of what is stored: the headers If-Match and If-None-Match. Without either,
// every state will do. RFC 9110 section 13.1.
class Precondition {
 public:
  Precondition() = default;
  // Nothing where the header is absent. Errc::invalid for one that is neither "*" nor a list of
  // entity tags.
  static Result<Precondition> parse(std::optional<std::string_view> if_match,
                                    std::optional<std::string_view> if_none_match);

  // Whether the state will do. `etag`: the strong tag of what is stored, with its quotes; nothing
  // where nothing is stored.
  bool holds(const std::optional<std::string>& etag) const;
  bool demands_anything() const { return match_ || none_match_; }

 private:
  struct Tags {
    bool any = false;               // "*"
    std::vector<std::string> tags;  // with quotes, weak ones with W/
  };
  static Result<Tags> parse_tags(std::string_view header);

  std::optional<Tags> match_;
  std::optional<Tags> none_match_;
};

}  // namespace ipnscast::bridge
