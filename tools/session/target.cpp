#include "ipnscast/tools/session/target.h"

#include <algorithm>

#include "ipnscast/nostr/event/nip19.h"
#include "ipnscast/nostr/nip/nip65.h"
#include "ipnscast/sync/hint/private_hint.h"
#include "ipnscast/tools/session/domain.h"
#include "ipnscast/tools/session/stored_events.h"
#include "ipnscast/tools/session/target_text.h"

namespace ipnscast::tools {
namespace {

constexpr Milliseconds kDomainDeadline{5'000};

bool is_nip19(std::string_view text) {
  for (const std::string_view prefix : {"npub1", "nprofile1", "naddr1", "nevent1", "note1"}) {
    if (text.starts_with(prefix)) return true;
  }
  return false;
}

// Relays in a pointer are claims: those that do not parse are left out, and those that are not ours
// are reached at public addresses only.
std::vector<nostr::RelayUrl> named_relays(const Session& session,
                                          const std::vector<std::string>& texts) {
  std::vector<nostr::RelayUrl> out;
  for (const std::string& text : texts) {
    if (auto url = nostr::RelayUrl::parse_foreign(text)) out.push_back(std::move(*url));
  }
  const auto own = session.relays();
  return own ? nostr::marked_by(std::move(out), *own) : out;
}

Result<sync::IpnsKey> record_key(const sync::StoredKey& key, bool derived) {
  if (!derived) return key.ipns_key();
  if (key.type() != sync::StoredKeyType::nostr)
    return fail(Errc::invalid, "--derived: only a Nostr key has a secp256k1 name of its own");
  return sync::IpnsKey::from_nostr_secret(key.secret_view());
}

// The stored key of this label; nothing when nobody has it.
Result<std::optional<sync::StoredKey>> labelled(const Session& session, std::string_view label) {
  if (label == "self") label = {};
  auto key = session.keys().load(label.empty() ? session.own_label() : std::string(label));
  if (key) return std::optional<sync::StoredKey>(std::move(*key));
  const bool absent = key.error().code == Errc::not_found || key.error().code == Errc::invalid;
  if (absent && label.empty() && session.settings().signer.starts_with("bunker:")) {
    return fail(Errc::not_found,
                "a remote signer signs events, not records: make a key for these with \"ipnscast "
                "key generate " +
                    session.own_label() + " --type ed25519\"");
  }
  if (absent && label.empty())
    return fail(Errc::not_found, "there is no key \"" + session.own_label() +
                                     "\" yet: make one with \"ipnscast key generate " +
                                     session.own_label() + "\"");
  if (!absent) return fail(key.error());
  return std::optional<sync::StoredKey>();
}

std::vector<nostr::RelayUrl> joined(std::vector<nostr::RelayUrl> list,
                                    const std::vector<nostr::RelayUrl>& more) {
  for (const nostr::RelayUrl& url : more) {
    if (std::find(list.begin(), list.end(), url) == list.end()) list.push_back(url);
  }
  return list;
}

// A hint, and a private one when it is ours. Those of a remote signer stay closed here: each would
// be a question to it, and the key that hides names stands in the client's state.
Result<sync::Hint> open_hint(nostr::Signer* signer, const nostr::Event& event) {
  if (signer == nullptr || !sync::is_private_hint(event, signer->public_key()))
    return sync::parse_hint(event);
  auto key = signer->derive(sync::kPrivateKeyInfo);
  if (!key) return fail(Errc::unsupported, "a private hint of a remote signer");
  const auto text =
      nostr::nip44_decrypt_blocking(*signer, event.content, event.pubkey, Milliseconds(1'000));
  if (!text) return fail(text.error());
  return sync::parse_private_hint(event, *text, sync::PrivateNames(std::move(*key)));
}

void add_names(const Session& session, std::vector<sync::IpnsName>& names,
               const std::vector<nostr::Event>& events) {
  const bool hidden = std::any_of(events.begin(), events.end(), [](const auto& event) {
    return sync::is_private_hint(event, event.pubkey);
  });
  std::shared_ptr<nostr::Signer> signer;
  if (hidden) signer = session.signer().value_or(nullptr);
  for (const auto& event : events) {
    if (const auto hint = open_hint(signer.get(), event)) names.push_back(hint->name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

// Every name that the hints of this key are about, at the configured relays, at `out.relays`, and
// at those where the key says that it publishes (NIP-65), which join `out.relays`.
Status find_announced(const Session& session, const nostr::PublicKey& author, Milliseconds deadline,
                      Target& out) {
  const Instant end = system_now().steady + deadline;
  const auto configured = session.relays();
  if (!configured && out.relays.empty()) return fail(configured.error());
  const auto own = configured.value_or(std::vector<nostr::RelayUrl>());
  const auto asked = joined(out.relays, own);
  nostr::Filter hints;
  hints.authors = {author};
  hints.kinds = {sync::kHintKind, sync::kPublicHintKind};
  nostr::Filter hints_and_list = hints;
  hints_and_list.kinds.push_back(nostr::kRelayListKind);
  // A relay that hangs must leave time for those that the list names.
  const auto events = stored_events(session, asked, hints_and_list, deadline * 2 / 3);
  if (!events) return fail(events.error());
  add_names(session, out.names, *events);

  const auto list = nostr::newest_relay_list(*events, author);
  if (!list) return {};
  std::vector<nostr::RelayUrl> further;
  for (const auto& url : nostr::usable_relays(list->write, own)) {
    if (std::find(asked.begin(), asked.end(), url) == asked.end()) further.push_back(url);
  }
  if (further.empty()) return {};
  out.relays = joined(std::move(out.relays), further);
  const auto left = std::chrono::duration_cast<Milliseconds>(end - system_now().steady);
  // They add to what is known; that one of them is away takes nothing from it.
  if (const auto more = stored_events(session, further, hints, std::max(left, Milliseconds(0))))
    add_names(session, out.names, *more);
  return {};
}

Result<Target> from_author(const Session& session, const nostr::PublicKey& author,
                           std::vector<nostr::RelayUrl> relays, bool derived,
                           Milliseconds deadline) {
  Target out;
  out.authors = {author};
  out.relays = std::move(relays);
  if (derived) {
    out.names = {sync::IpnsName::from_nostr_key(author.view())};
    return out;
  }
  if (auto found = find_announced(session, author, deadline, out); !found)
    return fail(found.error());
  if (out.names.empty())
    return fail(Errc::not_found, nostr::encode_npub(author) +
                                     " announces no name on these relays (--derived takes its "
                                     "secp256k1 name)");
  return out;
}

Result<Target> from_address(const Session& session, const nostr::AddressPointer& pointer) {
  constexpr std::string_view kPrefix = "ipns-sync-";
  if (!pointer.address.d.starts_with(kPrefix))
    return fail(Errc::invalid,
                "this naddr is not the address of an announcement: want one that \"ipnscast\" or "
                "the publisher of the name gave");
  auto name = sync::IpnsName::parse(pointer.address.d.substr(kPrefix.size()));
  if (!name)
    return fail(Errc::invalid, "this naddr announces \"" +
                                   pointer.address.d.substr(kPrefix.size()) +
                                   "\", which is no IPNS name");
  return Target{
      {std::move(*name)}, {pointer.address.pubkey}, named_relays(session, pointer.relays), {}};
}

Result<Target> from_nip19(const Session& session, std::string_view text, bool derived,
                          Milliseconds deadline) {
  const auto decoded = nostr::decode_nip19(text);
  if (!decoded) return fail(no_target(text));
  if (const auto* key = std::get_if<nostr::PublicKey>(&*decoded))
    return from_author(session, *key, {}, derived, deadline);
  if (const auto* profile = std::get_if<nostr::ProfilePointer>(&*decoded))
    return from_author(session, profile->pubkey, named_relays(session, profile->relays), derived,
                       deadline);
  if (const auto* address = std::get_if<nostr::AddressPointer>(&*decoded))
    return from_address(session, *address);
  return fail(no_target(text));
}

// What a target without a domain means; nothing for what looks like a domain.
Result<std::optional<Target>> without_dns(const Session& session, std::string_view text,
                                          bool derived, Milliseconds deadline) {
  const auto some = [](Target target) { return std::optional<Target>(std::move(target)); };
  if (is_nip19(text)) return from_nip19(session, text, derived, deadline).map(some);
  if (auto name = sync::IpnsName::parse(text)) return Target{{std::move(*name)}, {}, {}, {}};
  const auto key = labelled(session, text);
  if (!key) return fail(key.error());
  if (*key) {
    const auto own = record_key(**key, derived);
    if (!own) return fail(own.error());
    return Target{{own->name()}, {}, {}, {}};
  }
  if (looks_like_domain(text)) return std::optional<Target>();
  return fail(no_target(text));
}

// The part of what was typed that stands for a name or a key. Errc::invalid when that is nothing,
// content, or has a path behind it.
Result<std::string> head_of(std::string_view typed) {
  TargetText text = read_target_text(typed);
  if (text.head.empty() || text.is_content) return fail(no_target(typed));
  if (!text.path.empty())
    return fail(Errc::invalid, "\"" + std::string(typed) +
                                   "\" is a path inside of a name: give the "
                                   "name alone, \"" +
                                   text.head + "\"; \"ipnscast get\" takes paths");
  return std::move(text.head);
}

Status want_one_name(const Target& target, std::string_view text) {
  if (target.names.size() == 1) return {};
  return fail(Errc::invalid, "\"" + std::string(text) + "\" announces " +
                                 std::to_string(target.names.size()) +
                                 " names: " + name_list(target.names) + ". Give one of them");
}

// The Nostr key that an npub or nprofile stands for; nothing for other targets.
std::optional<nostr::PublicKey> author_in(std::string_view text) {
  if (!is_nip19(text)) return std::nullopt;
  const auto decoded = nostr::decode_nip19(text);
  if (!decoded) return std::nullopt;
  if (const auto* key = std::get_if<nostr::PublicKey>(&*decoded)) return *key;
  if (const auto* profile = std::get_if<nostr::ProfilePointer>(&*decoded)) return profile->pubkey;
  return std::nullopt;
}

// The stored Nostr key of this public key. Errc::not_found.
Result<sync::StoredKey> key_of_author(const Session& session, const nostr::PublicKey& author) {
  const auto entries = session.keys().list();
  if (!entries) return fail(entries.error());
  std::optional<Error> closed;
  for (const auto& entry : *entries) {
    auto key = session.keys().load(entry.label);
    const auto secret = key ? key->nostr_key() : Result<nostr::SecretKey>(fail(key.error()));
    if (secret && secret->public_key() == author) return key;
    if (!key && !closed) closed = key.error();
  }
  if (closed) return fail(std::move(*closed));
  return fail(Errc::not_found, "none of our keys is " + nostr::encode_npub(author));
}

// A text that is no label of ours: perhaps it was to be something else.
Error no_own_key(std::string_view text) {
  if (auto mistake = known_mistake(text)) return std::move(*mistake);
  return {Errc::not_found, "\"" + std::string(text) +
                               "\" is none of our keys: \"ipnscast key list\" shows them, "
                               "\"ipnscast key generate\" makes one"};
}

// The key whose name this is. Errc::not_found.
Result<sync::IpnsKey> key_of_name(const Session& session, const sync::IpnsName& name) {
  const auto entries = session.keys().list();
  if (!entries) return fail(entries.error());
  std::optional<Error> closed;  // a key that could not be looked at, perhaps the one
  for (const auto& entry : *entries) {
    const auto key = session.keys().load(entry.label);
    if (!key) {
      if (!closed) closed = key.error();
      continue;
    }
    for (const bool own_curve : {false, true}) {
      auto found = record_key(*key, own_curve);
      if (found && found->name() == name) return found;
    }
  }
  if (closed) return fail(std::move(*closed));
  return fail(Errc::not_found, "none of our keys has the name " + name.to_string());
}

// As watch and resolve take it: the one name that the author announces. Before the first
// announcement, the name that the key will announce.
Result<sync::IpnsKey> key_of_announced(const Session& session, std::string_view text,
                                       const nostr::PublicKey& author, Milliseconds deadline) {
  const auto target = resolve_target(session, text, false, deadline);
  if (!target && target.error().code == Errc::not_found) {
    const auto key = key_of_author(session, author);
    if (!key) return fail(key.error());
    return record_key(*key, false);
  }
  if (!target)
    return fail(target.error().within("which name \"" + std::string(text) +
                                      "\" announces is not known now; give the name or the "
                                      "label of its key"));
  if (Status one = want_one_name(*target, text); !one) return fail(one.error());
  return key_of_name(session, target->names.front());
}

}  // namespace

Result<Target> resolve_target(const Session& session, std::string_view typed, bool derived,
                              Milliseconds deadline) {
  const auto text = head_of(typed);
  if (!text) return fail(text.error());
  auto target = without_dns(session, *text, derived, deadline);
  if (!target) return fail(target.error());
  if (*target) return std::move(**target);
  auto found = follow_domain(session, *text, deadline);
  if (!found) return fail(found.error());
  const std::string domain = found->steps.front().domain;
  if (!found->name)
    return fail(Errc::unsupported, domain + " leads to " + found->steps.back().value +
                                       ", by DNS alone: there is no name and no record behind it; "
                                       "\"ipnscast get " +
                                       domain + "\" fetches it");
  if (!found->path.empty())
    return fail(Errc::unsupported, domain + " leads to a path inside of " +
                                       found->name->to_string() + ": take that name");
  return Target{{std::move(*found->name)}, {}, {}, std::move(found->steps)};
}

Result<Target> resolve_one(const Session& session, std::string_view text, bool derived,
                           Milliseconds deadline) {
  auto target = resolve_target(session, text, derived, deadline);
  if (!target) return target;
  if (Status one = want_one_name(*target, text); !one) return fail(one.error());
  return target;
}

Result<sync::IpnsName> resolve_name(const Session& session, std::string_view text, bool derived,
                                    Milliseconds deadline) {
  return resolve_one(session, text, derived, deadline).map([](Target target) {
    return std::move(target.names.front());
  });
}

Result<Place> resolve_place(const Session& session, std::string_view typed, bool derived,
                            Milliseconds deadline) {
  const auto text = head_of(typed);
  if (!text) return fail(text.error());
  const auto target = without_dns(session, *text, derived, deadline);
  if (!target) return fail(target.error());
  if (*target) {
    if (Status one = want_one_name(**target, *text); !one) return fail(one.error());
    return Place{(*target)->names.front(), {}, {}, {}};
  }
  auto found = follow_domain(session, *text, deadline);
  if (!found) return fail(found.error());
  return Place{std::move(found->name), std::move(found->root), std::move(found->path),
               std::move(found->steps)};
}

Result<sync::IpnsKey> resolve_own_key(const Session& session, std::string_view typed, bool derived,
                                      Milliseconds deadline) {
  const auto head = head_of(typed);
  if (!head) return fail(head.error());
  const std::string& text = *head;
  const bool by_name = is_nip19(text) || sync::IpnsName::parse(text).has_value();
  if (!by_name) {
    const auto key = labelled(session, text);
    if (!key) return fail(key.error());
    if (*key) return record_key(**key, derived);
    if (!looks_like_domain(text)) return fail(no_own_key(text));
  }
  if (const auto author = author_in(text); author && !derived)
    return key_of_announced(session, text, *author, deadline);
  const auto target =
      resolve_target(session, text, derived, by_name ? Milliseconds(0) : kDomainDeadline);
  if (!target) return fail(target.error());
  return key_of_name(session, target->names.front());
}

std::string name_list(const std::vector<sync::IpnsName>& names) {
  constexpr size_t kMost = 50;
  std::string out;
  for (size_t i = 0; i < names.size() && i < kMost; ++i)
    out += (i == 0 ? "" : ", ") + names[i].to_string();
  if (names.size() > kMost) out += " and " + std::to_string(names.size() - kMost) + " more";
  return out;
}

void add_to(sync::Config& config, const Target& target) {
  const auto add = [](auto& list, const auto& more) {
    for (const auto& one : more) {
      if (std::find(list.begin(), list.end(), one) == list.end()) list.push_back(one);
    }
  };
  add(config.trusted_authors, target.authors);
  add(config.relays, target.relays);
}

}  // namespace ipnscast::tools
