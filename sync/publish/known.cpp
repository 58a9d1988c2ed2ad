// What the publisher can find out about a name of ours before it signs (S0-12).
#include <algorithm>
#include <set>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/hint/hint_search.h"
#include "ipnscast/sync/publish/publisher.h"
#include "ipnscast/sync/source/nostr_source.h"
#include "ipnscast/sync/state/known_here.h"

namespace ipnscast::sync {
namespace {

// Relays are asked beside the nodes; so long only when this device knows the name already.
constexpr Milliseconds kRelaysOfKnown{500};

}  // namespace

// Asks all at once and takes what they said by answer_by: the best of all records, also of those
// whose time is over.
ResolveReport Publisher::ask_everybody(const IpnsName& name) {
  ResolveOptions options;
  options.fresh = true;
  options.first_contact = true;  // no floor: the fastest may not be the one that knows most
  auto report = parts_.resolver.resolve_now(name, options, options_.answer_by);
  return report ? std::move(*report) : ResolveReport{};
}

// Filters for hints of our own key, also those of devices that write or hide them otherwise.
std::vector<nostr::Filter> Publisher::own_hint_filters(const IpnsName& name) const {
  const nostr::PublicKey& own = parts_.signer->public_key();
  NostrSource::Options how;
  how.authors = {own};
  how.kinds = options_.kinds;
  if (options_.private_names) {
    how.own_private =
        NostrSource::Private{own, options_.private_names, options_.private_hints, options_.topic};
  }
  return trusted_hint_filters(how, {name});
}

std::set<nostr::EventId> Publisher::sent_events() {
  std::set<nostr::EventId> out;
  const Status read = parts_.writer.run([&](store::Database& db) -> Status {
    auto events = load_sent(db);
    if (!events) return fail(events.error());
    for (const SentEvent& event : *events) out.insert(event.id);
    return {};
  });
  if (!read) log_error("publisher", read.error().message);
  return out;
}

// S0-12: everything that can be found out about the name. With own state gone or elsewhere, our own
// hints on relays may be all that tells of it: nodes forget a record that has expired, readers do
// not.
Publisher::Asked Publisher::ask(const IpnsName& name) {
  const auto state = writers_.state(name);
  const bool known_here = state && state->known;

  Asked out;
  const Instant start = std::chrono::steady_clock::now();
  std::optional<HintSearch> relays;
  if (parts_.pool && parts_.signer) relays.emplace(*parts_.pool, own_hint_filters(name));
  bool nodes_asked = false;
  out.all = true;
  if (parts_.book.size() > 0) {
    const ResolveReport report = ask_everybody(name);
    nodes_asked = !report.sources.empty();
    out.answered = report.anybody_told();
    note_answers(name, report);
    if (nodes_asked) {
      if (auto all = check_own_nodes(report); !all) {
        out.all = false;
        out.missing = all.error().message;
      }
    }
  }
  if (relays) {
    const Instant end =
        start + (known_here ? std::min(kRelaysOfKnown, options_.answer_by) : options_.answer_by);
    std::optional<std::set<nostr::EventId>> sent;
    const size_t heard = relays->wait(end, [&](const nostr::Event& event) {
      if (!sent) sent = sent_events();
      if (sent->contains(event.id)) return;
      learn(event);
      if (const auto record = own_hint_record(name, event, end))
        writers_.saw(name, known_record(*record), "");
    });
    // Relays alone cannot tell that a name has no record.
    if (!nodes_asked || known_here) out.answered = out.answered || heard > 0;
  } else if (!nodes_asked) {
    out.answered = true;  // there is nobody to ask
  }
  if (!out.answered) {
    out.missing = std::string(nodes_asked ? "no node or router" : "no relay") +
                  " answered, so the name's sequence is unknown (--force starts from what is "
                  "known here)";
  }
  return out;
}

// Each answer is a sighting, and those of our own places say what these have.
void Publisher::note_answers(const IpnsName& name, const ResolveReport& report) {
  if (report.expired) writers_.saw(name, known_record(*report.expired), "");
  if (report.best) writers_.saw(name, known_record(*report.best), "");
  if (!writers_.open(name)) return;
  for (const ResolveReport::Source& source : report.sources) {
    if (source.record) {
      writers_.saw(name, known_record(*source.record), source.url);
    } else if (source.told()) {
      writers_.tell(name, writer_input::ShowsNothing{source.url});
    }
  }
}

// A compare-and-set counts only when every own node told what it has.
Status Publisher::check_own_nodes(const ResolveReport& report) const {
  bool any = false;
  for (const ResolveReport::Source& source : report.sources) {
    any |= source.told();
    if (source.told()) continue;
    for (size_t i = 0; i < parts_.book.size(); ++i) {
      if (parts_.book.tier(i) != 1 || parts_.book.endpoint(i).url != source.url) continue;
      return fail(Errc::unreachable, source.url + " did not tell what the name has now (" +
                                         source.answer + "): --force goes by the others");
    }
  }
  if (any) return {};
  return fail(Errc::unreachable,
              "no node or router answered, so nobody can tell what the name has now (--force "
              "goes by what is known here)");
}

// The record inside an event of our own key, when it is a hint of this name and the record is
// sound, its time over or not.
std::optional<IpnsRecord> Publisher::own_hint_record(const IpnsName& name,
                                                     const nostr::Event& event, Instant end) {
  const auto left =
      std::chrono::duration_cast<Milliseconds>(end - std::chrono::steady_clock::now());
  const auto hint = read_own(event, std::max(left, Milliseconds(1)));
  if (!hint || hint->name != name || hint->record.empty()) return std::nullopt;
  return sound_record(name, hint->record);
}

}  // namespace ipnscast::sync
