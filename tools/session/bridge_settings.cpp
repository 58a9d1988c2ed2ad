#include "ipnscast/tools/session/bridge_settings.h"

#include <algorithm>

namespace ipnscast::tools {

Status fill_bridge_options(const bridge::Settings& settings, bridge::BridgeOptions& options) {
  const bridge::BridgeSettings& wanted = settings.bridge;
  const sync::Config& engine = settings.engine;
  for (const sync::IpnsName& name : wanted.names) {
    if (std::find(options.names.begin(), options.names.end(), name) == options.names.end())
      options.names.push_back(name);
  }
  if (engine.private_hints && !options.names.empty())
    return fail(Errc::invalid,
                "relays.private: a bridge announces for others, who could not read that; give it a "
                "configuration without");
  options.kinds = engine.public_kinds;
  options.topic = engine.topic;
  options.pubsub = engine.pubsub;
  options.poll_min = wanted.poll_min;
  options.poll_max = wanted.poll_max;
  options.resolve_timeout = wanted.resolve_timeout.value_or(engine.listen);
  options.answer_by = engine.answer_by;
  options.slow_listen = engine.slow_listen;
  options.settle = engine.settle;
  options.record_cache = engine.record_cache;
  options.not_found_cache = engine.not_found_cache;
  options.breaker_failures = engine.breaker_failures;
  options.breaker = engine.breaker;
  options.access = engine.access;
  options.auth = engine.auth;
  options.quorum = engine.quorum;
  options.read_back = engine.read_back;
  options.retry_min = engine.retry_min;
  options.retry_max = engine.retry_max;
  options.outbox = engine.outbox;
  return {};
}

}  // namespace ipnscast::tools
