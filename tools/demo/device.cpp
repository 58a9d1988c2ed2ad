#include "ipnscast/tools/demo/device.h"

namespace ipnscast::tools::demo {

Result<std::unique_ptr<Device>> Device::open(const bridge::Stack& stack, Options options) {
  sync::Config config;
  config.state_dir = options.state_dir;
  config.gateways = {{stack.gateway_url(), 1, {}}, {stack.rpc_url(), 1, {}}};
  config.trusted_authors = options.trusted;
  config.signer = options.signer;
  if (options.announces) {
    auto relay = nostr::RelayUrl::parse(stack.relay_url());
    if (!relay) return fail(relay.error());
    config.relays = {std::move(*relay)};
  }
  auto client = sync::Client::open(std::move(config));
  if (!client) return fail(client.error());
  return std::unique_ptr<Device>(new Device(std::move(*client)));
}

Status Device::follow(const sync::IpnsName& name) {
  sync::WatchOptions options;
  options.on_change = [handed = handed_](const sync::Change& change) -> Status {
    if (!handed->try_push({change, std::chrono::steady_clock::now()}))
      return fail(Errc::busy, "the demo does not take its changes");
    return {};
  };
  return client_->watch(name, std::move(options));
}

Result<Handed> Device::next_change(const sync::IpnsName& name, sync::Sequence sequence,
                                   Instant deadline) {
  while (auto handed = handed_->pop_until(deadline)) {
    const sync::Change& change = handed->change;
    if (change.kind == sync::ChangeKind::change && change.name == name &&
        change.sequence >= sequence && change.cid)
      return std::move(*handed);
  }
  return fail(Errc::timeout, "the second device was not handed the change in time");
}

}  // namespace ipnscast::tools::demo
