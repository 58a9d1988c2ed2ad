#include "ipnscast/tools/session/node_settings.h"

#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/tools/cli/listen_address.h"

namespace ipnscast::tools {
namespace {

constexpr uint64_t kLeastStore = 1024 * 1024;

// A name, or a Nostr key as the one name that anyone can compute from it.
Result<sync::IpnsName> writer_of(const std::string& text) {
  if (text.starts_with("npub1")) {
    const auto key = nostr::parse_public_key(text);
    if (!key) return fail(Errc::invalid, key.error().message);
    return sync::IpnsName::from_nostr_key(key->view());
  }
  auto name = sync::IpnsName::parse(text);
  if (!name) return fail(Errc::invalid, "want an IPNS name or an npub: " + name.error().message);
  return name;
}

}  // namespace

Status fill_node_options(const bridge::NodeSettings& settings, bridge::NodeOptions& options) {
  auto listen = parse_listen_address(settings.listen);
  if (!listen) return fail(listen.error().within("node.listen"));
  if (settings.max_bytes < kLeastStore)
    return fail(Errc::invalid, "node.max_bytes: want at least 1MiB");
  options.address = std::move(listen->address);
  options.gateway_port = listen->port;
  options.max_bytes = settings.max_bytes;
  for (const std::string& text : settings.writers) {
    auto name = writer_of(text);
    if (!name) return fail(name.error().within("node.writers: \"" + text + "\""));
    options.writers.insert(std::move(*name));
  }
  return {};
}

}  // namespace ipnscast::tools
