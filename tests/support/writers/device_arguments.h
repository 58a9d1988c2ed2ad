#pragma once

#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/sync/client.h"

// What the programs that play a device beside others have in common: words of the form name=value,
// and a client that hears of changes within a second.
namespace ipnscast::test {

struct DeviceArguments {
  std::multimap<std::string, std::string> all;

  // Nothing: a word has another form, which was said on standard error.
  static std::optional<DeviceArguments> parse(const char* program, int count, char** words) {
    DeviceArguments out;
    for (int i = 1; i < count; ++i) {
      const std::string word = words[i];
      const size_t at = word.find('=');
      if (at == std::string::npos) {
        std::fprintf(stderr, "%s: want name=value, not \"%s\"\n", program, words[i]);
        return std::nullopt;
      }
      out.all.emplace(word.substr(0, at), word.substr(at + 1));
    }
    return out;
  }
  std::string text(const std::string& name, std::string otherwise = {}) const {
    const auto found = all.find(name);
    return found == all.end() ? std::move(otherwise) : found->second;
  }
  uint64_t number(const std::string& name, uint64_t otherwise) const {
    return std::stoull(text(name, std::to_string(otherwise)));
  }
  std::vector<std::string> list(const std::string& name) const {
    std::vector<std::string> out;
    const auto [first, last] = all.equal_range(name);
    for (auto at = first; at != last; ++at) out.push_back(at->second);
    return out;
  }
};

// Of the arguments state, gateway, relay, decider and settle_ms.
inline sync::Config device_config(const DeviceArguments& arguments, nostr::SecretKey key) {
  sync::Config out;
  out.state_dir = arguments.text("state");
  for (const std::string& url : arguments.list("gateway")) out.gateways.push_back({url});
  for (const std::string& url : arguments.list("relay"))
    out.relays.push_back(*nostr::RelayUrl::parse(url));
  out.publish_decider = arguments.text("decider");
  out.publish_settle = Milliseconds(arguments.number("settle_ms", 2'000));
  out.poll_min = out.poll_max = out.poll_healthy = Milliseconds(1'000);
  out.debounce = Milliseconds(0);
  out.record_cache = out.not_found_cache = Milliseconds(0);
  out.trusted_authors = {key.public_key()};
  out.signer = nostr::make_local_signer(std::move(key));
  return out;
}

}  // namespace ipnscast::test
