#include "ipnscast/sync/source/push/voice.h"

#include "ipnscast/nostr/base/log.h"

namespace ipnscast::sync::push {
namespace {

constexpr std::string_view kComponent = "push";

}  // namespace

void Voice::say(const Update& update, const IpnsName& name) {
  if (auto news = news_of(update, name, id_, system_now())) outlet_.say(std::move(*news));
}

void Voice::set_healthy(bool healthy) {
  if (healthy) told_lost_ = false;
  if (healthy_ == healthy) return;
  healthy_ = healthy;
  outlet_.say(SourceHealth{id_, healthy});
}

void Voice::lost(const std::string& why) {
  const std::string text = endpoint() + ": " + why + "; trying again";
  if (std::exchange(told_lost_, true))
    log_debug(kComponent, text);
  else
    log_warning(kComponent, text);
}

void Voice::note(const std::string& what) const { log_debug(kComponent, endpoint() + ": " + what); }

void Voice::beyond(size_t names) {
  if (names == 0 || std::exchange(told_beyond_, true)) return;
  log_warning(kComponent, endpoint() + ": " + std::to_string(names) +
                              " names are beyond what one server is asked for; the other sources "
                              "follow them");
}

}  // namespace ipnscast::sync::push
