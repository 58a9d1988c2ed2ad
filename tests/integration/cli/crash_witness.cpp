#include "ipnscast/tests/integration/cli/crash_witness.h"

#include <algorithm>

#include "ipnscast/sync/hint/hint.h"
#include "ipnscast/sync/state/known_record.h"

namespace ipnscast::test {
namespace {

std::string title(const std::string& name, uint64_t sequence) {
  return name + " sequence " + std::to_string(sequence);
}

}  // namespace

Witness::Witness(const std::string& relay, const std::string& gateway)
    : loop_(std::move(*nostr::net::Loop::start())),
      http_(std::move(*sync::gateway::HttpClient::open())),
      book_({{{gateway, {}}, 1}}),
      resolver_(std::make_unique<sync::Resolver>(*http_, book_)) {
  nostr::PoolOptions options;
  options.relays = {*nostr::RelayUrl::parse(relay)};
  pool_ = nostr::Pool::start(*loop_, std::move(options));
  nostr::Filter filter;
  filter.kinds = {sync::kHintKind, sync::kPublicHintKind};
  pool_->subscribe({filter}, [this](nostr::PoolMessage& message) {
    if (const auto* event = std::get_if<nostr::PoolEvent>(&message)) take(event->event);
    return true;
  });
}

Witness::~Witness() {
  pool_.reset();
  resolver_->close();
  http_->close();
}

void Witness::take(const nostr::Event& event) {
  const auto hint = sync::parse_hint(event);
  if (!hint) return;
  if (hint->sequence) {
    const std::lock_guard lock(mutex_);
    announced_[{event.pubkey, event.kind, hint->name.to_string(), hint->sequence->value}].insert(
        event.id);
  }
  const auto record = sync::verify_record(hint->name, hint->record, system_now().wall);
  if (record) note(hint->name, *record);
}

void Witness::look_at(const sync::IpnsName& name) {
  const auto report = resolver_->resolve_now(name, {.floor = {}, .fresh = true}, Seconds(5));
  if (report && report->best) note(name, *report->best);
}

void Witness::note(const sync::IpnsName& name, const sync::IpnsRecord& record) {
  const std::lock_guard lock(mutex_);
  records_[{name.to_string(), record.fields().sequence.value}].emplace(record.data(),
                                                                       record.fields().value);
}

bool Witness::proved(const sync::IpnsName& name, uint64_t sequence, const std::string& cid) const {
  const std::lock_guard lock(mutex_);
  const auto it = records_.find({name.to_string(), sequence});
  if (it == records_.end()) return false;
  return std::any_of(it->second.begin(), it->second.end(), [&](const auto& record) {
    const auto root = sync::root_of(record.second);
    return root && root->to_string() == cid;
  });
}

std::vector<std::string> Witness::used_twice() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [which, records] : records_) {
    if (records.size() > 1) out.push_back(title(which.first, which.second));
  }
  return out;
}

std::vector<std::string> Witness::announced_twice(const nostr::PublicKey& author) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [what, events] : announced_) {
    if (what.author == author && events.size() > 1)
      out.push_back(title(what.name, what.sequence) + " kind " + std::to_string(what.kind));
  }
  return out;
}

size_t Witness::records() const {
  const std::lock_guard lock(mutex_);
  return records_.size();
}

void Witness::publish(const nostr::Event& event) {
  pool_->publish(event, {}, [](const nostr::PublishReport&) {});
}

}  // namespace ipnscast::test
