#include "ipnscast/tools/watch/untrusted_hints.h"

#include <algorithm>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/thread_name.h"
#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/sync/hint/hint.h"

namespace ipnscast::tools {
namespace {

constexpr Milliseconds kHintsDeadline{10'000};
constexpr Milliseconds kBetweenHints{60'000};
constexpr Milliseconds kLongestBetweenHints{3'600'000};
constexpr size_t kMostNames = 1'000;  // in one question
constexpr size_t kMostWaiting = 10'000;

std::string untrusted_line(const nostr::PublicKey& author,
                           const std::vector<sync::IpnsName>& names) {
  const std::string npub = nostr::encode_npub(author);
  return names.front().to_string() +
         (names.size() > 1 ? " and " + std::to_string(names.size() - 1) + " more names are"
                           : " is") +
         " announced by " + npub +
         ", whose hints are not trusted here: changes show at the next "
         "poll. If that is the publisher's key, \"--trust " +
         npub + "\" or trust.authors shows them at once";
}

}  // namespace

std::unique_ptr<UntrustedHints> UntrustedHints::of(const sync::Config& config) {
  if (config.relays.empty() || config.open || config.private_hints) return nullptr;
  UntrustedHints::Options options;
  options.query.relays = config.relays;
  options.query.access = config.access;
  if (config.auth) options.query.signer = config.signer;
  options.kinds = config.kinds;
  options.compat = config.compat;
  options.trusted.insert(config.trusted_authors.begin(), config.trusted_authors.end());
  return std::make_unique<UntrustedHints>(
      std::move(options), [](const std::string& line) { log_warning("watch", line); });
}

UntrustedHints::UntrustedHints(Options options, Say say, Milliseconds first)
    : options_(std::move(options)),
      say_(std::move(say)),
      first_(first),
      thread_([this] { run(); }) {}

UntrustedHints::~UntrustedHints() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (query_ != nullptr) query_->cancel();
  }
  changed_.notify_all();
  thread_.join();
}

void UntrustedHints::noticed(const sync::Change& change) {
  const bool proved = change.kind == sync::ChangeKind::change ||
                      change.kind == sync::ChangeKind::conflict ||
                      change.kind == sync::ChangeKind::confirmed;
  if (!proved || !change.cid || change.author || change.source != sync::SourceKind::poll) return;
  const std::lock_guard lock(mutex_);
  if (said_.contains(change.name) || waiting_.size() >= kMostWaiting) return;
  waiting_.insert_or_assign(change.name, Proved{change.cid->as_v1(), change.sequence});
  changed_.notify_all();
}

void UntrustedHints::run() {
  set_thread_name("trust");
  Milliseconds between = kBetweenHints;
  std::unique_lock lock(mutex_);
  for (Milliseconds wait = first_; !stopping_; wait = between) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    changed_.wait_for(lock, wait, [this] { return stopping_; });
    if (stopping_) return;
    Changes changes;
    while (!waiting_.empty() && changes.size() < kMostNames)
      changes.insert(waiting_.extract(waiting_.begin()));
    lock.unlock();
    const bool found = ask(changes);
    lock.lock();
    between = found ? kBetweenHints : std::min(between * 2, kLongestBetweenHints);
  }
}

bool UntrustedHints::ask(const Changes& changes) {
  std::vector<sync::IpnsName> names;
  for (const auto& [name, proved] : changes) names.push_back(name);
  RelayQueryOptions options = options_.query;
  options.filters = sync::hint_filters(names, {}, options_.kinds, options_.compat);
  options.deadline = kHintsDeadline;
  RelayQuery query(std::move(options));
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    query_ = &query;
  }
  std::map<nostr::PublicKey, std::set<sync::IpnsName>> authors;
  // What relays fail at is told by the client, which asks them all the time.
  static_cast<void>(query.run([&](const nostr::Event& event) {
    const auto hint = sync::parse_hint(event);
    if (!hint || options_.trusted.contains(hint->author)) return;
    const auto proved = changes.find(hint->name);
    if (proved == changes.end() || hint->cid.as_v1() != proved->second.root) return;
    if (hint->sequence && *hint->sequence != proved->second.sequence) return;
    authors[hint->author].insert(hint->name);
  }));
  const std::lock_guard lock(mutex_);
  query_ = nullptr;
  if (stopping_) return false;
  for (const auto& [author, announced] : authors) {
    said_.insert(announced.begin(), announced.end());
    say_(untrusted_line(author, {announced.begin(), announced.end()}));
  }
  return !authors.empty();
}

}  // namespace ipnscast::tools
