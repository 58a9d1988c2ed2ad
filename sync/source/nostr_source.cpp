#include "sync/source/nostr_source.h"

#include "nostr/base/log.h"

namespace ipnscast::sync {
namespace {

// The record inside a hint, when it verifies. `bad` is set for one that does not, other than by its
// age.
std::optional<KnownRecord> record_of(const Hint& hint, Now now, bool& bad) {
  if (hint.record.empty()) return std::nullopt;
  auto record = verify_record(hint.name, hint.record, now.wall);
  if (record) return known_record(*record);
  bad = record.error().fault != RecordFault::expired;
  return std::nullopt;
}

std::optional<uint64_t> sequence_value(const nostr::Event& event) {
  const auto sequence = claimed_sequence(event);
  return sequence ? std::optional(sequence->value) : std::nullopt;
}

}  // namespace

NostrSource::NostrSource(nostr::Pool& pool, Options options, nostr::Pool::Sink sink)
    : pool_(pool), options_(std::move(options)), sink_(std::move(sink)) {
  trusted_.authors = options_.authors;
}

NostrSource::~NostrSource() {
  if (trusted_.key) pool_.unsubscribe(*trusted_.key);
  if (open_.key) pool_.unsubscribe(*open_.key);
}

void NostrSource::set_names(const std::vector<IpnsName>& names) {
  if (!options_.authors.empty()) ask(trusted_, names);
  if (options_.open) ask(open_, names);
}

void NostrSource::ask(Feed& feed, const std::vector<IpnsName>& names) {
  if (names.empty()) {
    if (feed.key) pool_.unsubscribe(*feed.key);
    feed.key.reset();
    return;
  }
  auto filters = hint_filters(names, feed.authors, options_.kinds, options_.compat);
  if (feed.key) {
    pool_.replace(*feed.key, std::move(filters));
  } else {
    feed.key = pool_.subscribe(std::move(filters), sink_, {.claimed_sequence = sequence_value});
  }
}

std::optional<Input> NostrSource::read(const nostr::PoolMessage& message, Now now) const {
  if (const auto* link = std::get_if<nostr::PoolLink>(&message)) {
    if (!trusted_.key || link->subscription != *trusted_.key) return std::nullopt;
    return input::SourceHealth{{SourceKind::nostr, link->relay.text()}, link->live};
  }
  const auto* event = std::get_if<nostr::PoolEvent>(&message);
  if (event == nullptr) return std::nullopt;
  auto hint = parse_hint(event->event);
  if (!hint) {
    if (log_enabled(LogLevel::debug)) log_debug("nostr", "not a hint: " + hint.error().message);
    return std::nullopt;
  }
  bool bad_record = false;
  auto record = record_of(*hint, now, bad_record);
  return news_from(*hint, {SourceKind::nostr, event->relay.text()}, std::move(record), bad_record);
}

}  // namespace ipnscast::sync
