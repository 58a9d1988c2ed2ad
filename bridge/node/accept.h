#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ipnscast::bridge {

// One of the media types that a client accepts. Type and parameter names are lower case.
struct MediaRange {
  std::string type;                               // "application/json", "application/*", "*/*"
  std::map<std::string, std::string> parameters;  // without the weight; quotes are taken off
  unsigned weight = 1000;                         // in thousandths; 0: not acceptable
};

// What an Accept header lists, the most wanted first; of equal ones the first in the header. Those
// of weight 0 come too. At most 64; what makes no sense is left out. RFC 9110 section 12.5.1.
std::vector<MediaRange> parse_accept(std::string_view header);

// Whether a client with this header takes the type: by its most specific range. An empty header
// takes all.
bool is_accepted(std::string_view header, std::string_view type);

}  // namespace ipnscast::bridge
