#include "ipnscast/sync/source/nostr_source.h"

#include "ipnscast/nostr/base/log.h"

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

void add(std::vector<nostr::Filter>& to, std::vector<nostr::Filter> more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

std::vector<nostr::Filter> trusted_hint_filters(const NostrSource::Options& options,
                                                const std::vector<IpnsName>& names) {
  if (options.authors.empty() || names.empty()) return {};
  std::vector<nostr::PublicKey> named = options.authors;  // whose hints are asked for by name
  std::vector<nostr::Filter> filters;
  if (const auto& own = options.own_private) {
    filters = private_hint_filters(names, *own->names, own->own_key, options.kinds);
    if (own->hide) {
      std::erase(named, own->own_key);
      filters.push_back(own_topic_filter(own->own_key, options.kinds, own->topic));
    }
  }
  if (!named.empty()) add(filters, hint_filters(names, named, options.kinds, options.compat));
  return filters;
}

NostrSource::NostrSource(nostr::Pool& pool, Options options, nostr::Pool::Sink sink)
    : pool_(pool), options_(std::move(options)), sink_(std::move(sink)) {}

NostrSource::~NostrSource() {
  if (trusted_) pool_.unsubscribe(*trusted_);
  if (open_) pool_.unsubscribe(*open_);
}

void NostrSource::set_names(const std::vector<IpnsName>& names) {
  nostr::SubscribeOptions trusted{.claimed_sequence = sequence_value};
  if (options_.known)
    trusted.known = [known = options_.known](const nostr::Filter& f) { return known->of(f); };
  ask(trusted_, trusted_hint_filters(options_, names), std::move(trusted));
  if (!options_.open) return;
  ask(open_, hint_filters(names, {}, options_.kinds, options_.compat),
      {.claimed_sequence = sequence_value});
}

void NostrSource::ask(Feed& feed, std::vector<nostr::Filter> filters,
                      nostr::SubscribeOptions with) {
  if (filters.empty()) {
    if (feed) pool_.unsubscribe(*feed);
    feed.reset();
  } else if (feed) {
    pool_.replace(*feed, std::move(filters));
  } else {
    feed = pool_.subscribe(std::move(filters), sink_, std::move(with));
  }
}

Result<Hint> NostrSource::hint_of(const nostr::Event& event,
                                  const std::optional<Result<std::string>>& text) {
  if (!text) return parse_hint(event);
  auto hint = *text && options_.own_private
                  ? parse_private_hint(event, **text, *options_.own_private->names)
                  : Result<Hint>(fail((*text ? Errc::internal : text->error().code),
                                      "a private hint that could not be decrypted"));
  ++(hint ? counters_.read : counters_.dropped);
  return hint;
}

std::optional<SourceWord> NostrSource::read(const nostr::PoolMessage& message,
                                            const std::optional<Result<std::string>>& text,
                                            Now now) {
  if (const auto* link = std::get_if<nostr::PoolLink>(&message)) {
    if (!trusted_ || link->subscription != *trusted_) return std::nullopt;
    return SourceHealth{{SourceKind::nostr, link->relay.text()}, link->live};
  }
  const auto* event = std::get_if<nostr::PoolEvent>(&message);
  if (event == nullptr) return std::nullopt;
  auto hint = hint_of(event->event, text);
  if (!hint) {
    if (log_enabled(LogLevel::debug)) log_debug("nostr", "not a hint: " + hint.error().message);
    return std::nullopt;
  }
  if (options_.known && trusted_ && event->subscription == *trusted_)
    options_.known->read(event->event, *hint);
  bool bad_record = false;
  auto record = record_of(*hint, now, bad_record);
  News news =
      news_from(*hint, {SourceKind::nostr, event->relay.text()}, std::move(record), bad_record);
  news.address = nostr::address_of(event->event);
  return news;
}

}  // namespace ipnscast::sync
