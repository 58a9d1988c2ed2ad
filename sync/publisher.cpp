#include "sync/publisher.h"

#include <algorithm>

#include "nostr/base/log.h"
#include "nostr/outbox.h"
#include "sync/ipfs/packer.h"
#include "sync/publish_progress.h"

namespace ipnscast::sync {
namespace {

constexpr std::string_view kEmptyDirectory =
    "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";
constexpr std::string_view kEmptyFile =
    "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";

bool is_empty_content(const Cid& cid) {
  const std::string text = cid.as_v1().to_string();
  return text == kEmptyDirectory || text == kEmptyFile || text == "bafkqaaa";
}

std::string sent_key(const IpnsName& name) { return "record_sent:" + name.to_string(); }

}  // namespace

Publisher::Publisher(Parts parts, Options options, Notify notify)
    : parts_(std::move(parts)), options_(std::move(options)), notify_(std::move(notify)) {}

Status Publisher::load() {
  return parts_.writer.run([this](store::Database& db) -> Status {
    auto marks = load_created_at(db);
    if (!marks) return fail(marks.error());
    std::lock_guard lock(marks_mutex_);
    for (const CreatedAtMark& mark : *marks) marks_.restore(mark.address, mark.mark);
    return {};
  });
}

Status Publisher::resume() {
  std::vector<OwnName> unsent;
  const Status read = parts_.writer.run([&](store::Database& db) -> Status {
    auto own_names = load_own_names(db);
    if (!own_names) return fail(own_names.error());
    for (OwnName& own : *own_names) {
      auto sent = load_setting(db, sent_key(own.name));
      if (!sent) return fail(sent.error());
      if (*sent != std::to_string(own.sequence.value)) unsent.push_back(std::move(own));
    }
    return {};
  });
  if (!read) return read;
  for (const OwnName& own : unsent) {
    auto record = verify_record(own.name, own.record, system_now().wall);
    if (!record) continue;  // expired: the next publish makes a new one
    log_info("publisher", "sending the record of an earlier run again");
    send_record(own.name, *record, std::make_shared<Progress>());
  }
  return {};
}

Result<Outcome> Publisher::publish(const IpnsKey& key, const std::filesystem::path& path,
                                   const PublishOptions& options) {
  if (auto allowed = check_name(key.name()); !allowed) return fail(allowed.error());
  const Instant start = std::chrono::steady_clock::now();
  const Instant deadline = start + options_.timeout;
  auto packed = pack_path(path, {}, parts_.cache);
  if (!packed) return fail(packed.error());
  const BlockCache::Hold hold(parts_.cache, packed->root);
  Outcome outcome{key.name(), packed->root};
  outcome.packed = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - start);
  const auto nodes = content_nodes(parts_.http, parts_.book);
  if (!nodes.empty()) {
    SendOptions send;
    send.deadline = std::max(options_.timeout, Milliseconds(60'000));
    auto places = send_content(parts_.http, parts_.book, nodes, parts_.cache, packed->root, send);
    if (!places) return fail(places.error());
    outcome.places = std::move(*places);
    const bool somewhere = std::any_of(outcome.places.begin(), outcome.places.end(),
                                       [](const auto& p) { return p.ok; });
    if (!somewhere) {
      return fail(Errc::unreachable, "no node took the content: " + outcome.places.front().url +
                                         ": " + outcome.places.front().detail);
    }
  }
  return publish_value(key, packed->root, options, std::move(outcome),
                       std::max(deadline, std::chrono::steady_clock::now() + Milliseconds(5'000)));
}

Result<Outcome> Publisher::publish_cid(const IpnsKey& key, const Cid& cid,
                                       const PublishOptions& options) {
  if (auto allowed = check_name(key.name()); !allowed) return fail(allowed.error());
  return publish_value(key, cid, options, Outcome{key.name(), cid},
                       std::chrono::steady_clock::now() + options_.timeout);
}

// S0-12: the highest sequence that this device used, knows of, or can find out about.
Result<Publisher::Current> Publisher::current(const IpnsName& name, const PublishOptions& options) {
  Current out;
  bool own_state = false;
  const Status read = parts_.writer.run([&](store::Database& db) -> Status {
    auto own = load_own_name(db, name);
    if (!own) return fail(own.error());
    if (*own) {
      own_state = true;
      out = {(*own)->sequence, (*own)->value, (*own)->version};
    }
    auto row = load_name(db, name);
    if (!row) return fail(row.error());
    if (*row && (*row)->record && (!out.sequence || *out.sequence < (*row)->record->sequence)) {
      out.sequence = (*row)->record->sequence;
      out.value = (*row)->record->value;
    }
    return {};
  });
  if (!read) return fail(read.error());
  if (parts_.book.size() == 0) return out;

  ResolveOptions resolve;
  resolve.fresh = true;
  resolve.floor = out.sequence;
  auto report = parts_.resolver.resolve_now(name, resolve, options_.answer_by);
  const bool somebody_answered =
      report && std::any_of(report->sources.begin(), report->sources.end(), [](const auto& source) {
        return source.sequence.has_value() || source.answer == "not found";
      });
  if (!somebody_answered && !own_state && !options.force) {
    return fail(Errc::unreachable,
                "no node or router answered, so the name's sequence is unknown (--force starts "
                "from what is known here)");
  }
  if (report && report->best) {
    const auto& best = report->best->fields();
    if (!out.sequence || *out.sequence < best.sequence) {
      out.sequence = best.sequence;
      out.value = best.value;
    }
  }
  return out;
}

Status Publisher::check(const Current& known, const Cid& cid, const PublishOptions& options) const {
  const uint64_t at = known.sequence ? known.sequence->value : 0;
  if (options.expect_sequence && (!known.sequence || *options.expect_sequence != *known.sequence)) {
    return fail(Errc::conflict, known.sequence
                                    ? "the name is at sequence " + std::to_string(at) + ", not " +
                                          std::to_string(options.expect_sequence->value)
                                    : std::string("the name has no record yet"));
  }
  if (at >= kMaxSequence) return fail(Errc::invalid, "the name's sequence is used up (2^63 - 1)");
  const bool richer = known.sequence && !known.value.empty() && known.value != value_of(cid);
  if (is_empty_content(cid) && richer && !options.force) {  // R12
    return fail(Errc::refused,
                "would replace " + known.value + " by nothing (--force if that is meant)");
  }
  return {};
}

Result<Outcome> Publisher::publish_value(const IpnsKey& key, const Cid& cid,
                                         const PublishOptions& options, Outcome outcome,
                                         Instant deadline) {
  const IpnsName name = key.name();
  auto progress = std::make_shared<Progress>();
  std::vector<SignedHint> hints;
  std::optional<IpnsRecord> record;
  {
    std::lock_guard lock(publishing_);
    auto known = current(name, options);
    if (!known) return fail(known.error());
    if (auto allowed = check(*known, cid, options); !allowed) return fail(allowed.error());
    outcome.sequence = {known->sequence ? known->sequence->value + 1 : 1};
    const std::string value = "/ipfs/" + cid.to_string();
    auto made = create_record(key, {value,
                                    outcome.sequence,
                                    Eol::after(system_now().wall, options_.lifetime),
                                    options_.ttl,
                                    options_.v1,
                                    {}});
    if (!made) return fail(made.error());
    record = std::move(*made);
    outcome.record = record->bytes();
    const OwnName own{name, outcome.sequence, value, known->version + 1, record->bytes()};
    auto signed_hints = sign_hints(
        {name, cid, outcome.sequence, record->bytes(), own.version, root_of(known->value)});
    if (!signed_hints) return fail(signed_hints.error());
    hints = std::move(*signed_hints);
    if (auto committed = commit(own, hints); !committed) return fail(committed.error());
    notify_.published(name, outcome.sequence, value);
  }
  if (!hints.empty()) outcome.hint = hints.front().event.id;
  send_hints(hints, progress);
  progress->expect(1);
  send_record(name, *record, progress);
  progress->wait(deadline, options_.quorum, outcome);
  unpin_old(name, cid);
  return outcome;
}

Result<Outcome> Publisher::announce(const IpnsName& name, const Cid& cid, Sequence sequence,
                                    std::optional<IpnsRecord> record) {
  if (!parts_.outbox || !parts_.signer)
    return fail(Errc::invalid, "announcing needs relays and a Nostr key");
  if (auto allowed = check_name(name); !allowed) return fail(allowed.error());
  const Instant deadline = std::chrono::steady_clock::now() + options_.timeout;
  Outcome outcome{name, cid, sequence};
  if (record) outcome.record = record->bytes();
  auto hints = sign_hints({name, cid, sequence, outcome.record, 0, std::nullopt});
  if (!hints) return fail(hints.error());
  if (auto committed = commit(std::nullopt, *hints); !committed) return fail(committed.error());
  outcome.hint = hints->front().event.id;
  auto progress = std::make_shared<Progress>();
  send_hints(*hints, progress);
  progress->wait(deadline, options_.quorum, outcome);
  return outcome;
}

Status Publisher::commit(const std::optional<OwnName>& own, const std::vector<SignedHint>& hints) {
  const Status committed = parts_.writer.run([&](store::Database& db) -> Status {
    if (own) {
      if (auto saved = save_own_name(db, *own); !saved) return saved;
    }
    for (const SignedHint& hint : hints) {
      const auto& event = hint.event;
      if (auto saved = save_created_at(db, hint.address, event.created_at); !saved) return saved;
      if (auto saved = save_sent(db, event.id, hint.address, event.created_at); !saved)
        return saved;
      if (auto added = nostr::outbox_add(db, event, options_.relays, options_.outbox); !added)
        return added;
    }
    return {};
  });
  if (!committed) return committed;
  for (const SignedHint& hint : hints) notify_.sent(hint.event.id);
  return {};
}

void Publisher::send_record(const IpnsName& name, const IpnsRecord& record,
                            const std::shared_ptr<Progress>& progress) {
  const Sequence sequence = record.fields().sequence;
  parts_.records.send(
      name, record, [progress](const Outcome::Place& place) { progress->place(place); },
      [progress, name, sequence,
       writer = &parts_.writer](const std::vector<Outcome::Place>& places) {
        const bool everywhere =
            std::all_of(places.begin(), places.end(), [](const auto& p) { return p.ok; });
        if (everywhere) {
          writer->submit(
              [name, sequence](store::Database& db) {
                return save_setting(db, sent_key(name), std::to_string(sequence.value));
              },
              [](const Status&) {});
        }
        progress->reported();
      });
}

void Publisher::unpin_old(const IpnsName& name, const Cid& root) {
  const auto before = parts_.cache.versions(name.to_string());
  if (auto kept = parts_.cache.keep(name.to_string(), root); !kept) {
    log_warning("publisher", "cannot note the version kept: " + kept.error().message);
    return;
  }
  const auto after = parts_.cache.versions(name.to_string());
  for (const Cid& old : before) {
    if (std::find(after.begin(), after.end(), old) != after.end()) continue;
    unpin_content(parts_.http, parts_.book, content_nodes(parts_.http, parts_.book), old);  // R31
  }
}

}  // namespace ipnscast::sync
