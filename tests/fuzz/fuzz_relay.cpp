#include "ipnscast/nostr/server/relay_core.h"

using namespace ipnscast;
using namespace ipnscast::nostr::server;

// A client's frames, one a line, to the embedded relay: each is answered or understood.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto store = std::move(*RelayStore::open(":memory:"));
  const Now now{Instant{}, {1'790'000'000'000}};
  RelayCore core({}, *store);
  core.opened({1});
  std::string_view rest = as_text({data, size});
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    core.frame({1}, line, now);
    for (const RelayAction& action : core.finish()) {
      if (!nostr::parse_relay_message(*action.frame)) __builtin_trap();
    }
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
  return 0;
}
