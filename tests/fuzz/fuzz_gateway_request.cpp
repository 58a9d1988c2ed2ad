#include "ipnscast/bridge/node/byte_ranges.h"
#include "ipnscast/bridge/node/gateway_format.h"
#include "ipnscast/bridge/node/gateway_headers.h"

namespace {

void demand(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace

// A request to the embedded node's gateway: path, query, Accept and Range, one a line. Nothing of
// it gets into a header that could end one, and no range lies outside of the body.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ipnscast;
  using namespace ipnscast::bridge;
  std::string_view rest = as_text({data, size});
  const auto line = [&rest] {
    const std::string_view out = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), out.size() + 1));
    return std::string(out);
  };
  HttpRequest request{.method = "GET", .path = line(), .query = line()};
  request.headers = {{"accept", line()}, {"range", line()}};
  (void)wanted_scope(request);
  if (const auto wanted = wanted_answer(request)) {
    Headers headers;
    add_origin_headers(headers, request, *wanted, "name");
    for (const auto& [name, value] : headers) {
      demand(value.size() <= 2048);
      for (const char c : value) demand(c >= 0x20 && c < 0x7f);
    }
  }
  constexpr uint64_t kBody = 1000;
  if (const auto ranges = parse_ranges(request.headers.at("range"), kBody)) {
    demand(ranges->size() <= 16);
    for (const BodyRange& range : *ranges) demand(range.first < range.end && range.end <= kBody);
  }
  return 0;
}
