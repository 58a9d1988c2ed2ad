#include "ipnscast/tools/watch/keeping.h"

#include <algorithm>

namespace ipnscast::tools {

Status check_keeping(const Session& session, const WatchOptions& options) {
  if (options.once && (options.pin || options.keep_alive))
    return fail(Errc::invalid, std::string(options.pin ? "--pin" : "--keep-alive") +
                                   " and --once exclude each other: give one of them");
  if (!options.pin) return {};
  if (options.records_only)
    return fail(Errc::invalid, "--pin and --records-only exclude each other: give one of them");
  const auto& gateways = session.settings().engine.gateways;
  if (std::any_of(gateways.begin(), gateways.end(),
                  [](const auto& one) { return one.tier == 1 && one.uses.publish; }))
    return {};
  return fail(Errc::invalid,
              "--pin: no own node is configured: " + session.how_to_set("gateways.nodes"));
}

Result<Keeping> Keeping::open(const WatchOptions& options, const sync::Config& config,
                              sync::BlockSource& blocks, std::vector<sync::IpnsName> names) {
  Keeping out;
  if (!options.pin && !options.keep_alive) return out;
  auto places = Places::open(config, blocks);
  if (!places) return fail(places.error());
  out.places = std::move(*places);
  if (options.pin) {
    auto pins =
        Pins::open(*out.places, {.state_dir = config.state_dir, .versions = options.versions});
    if (!pins) return fail(pins.error());
    out.pins = std::move(*pins);
  }
  if (options.keep_alive)
    out.records = std::make_unique<RecordKeeping>(*out.places, std::move(names), config.state_dir);
  return out;
}

}  // namespace ipnscast::tools
