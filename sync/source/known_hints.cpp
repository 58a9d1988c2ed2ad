#include "ipnscast/sync/source/known_hints.h"

#include <algorithm>

#include "ipnscast/sync/state/known_record.h"

namespace ipnscast::sync {
namespace {

template <typename T>
bool asks_for(const std::vector<T>& wanted, const T& value) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

}  // namespace

void KnownHints::read(const nostr::Event& event, const Hint& hint) {
  const std::string d(event.tag("d").value_or(""));
  const Heard heard{{event.created_at, event.id}, hint.name, hint.sequence, value_of(hint.cid)};
  const std::lock_guard lock(mutex_);
  const auto [it, first] = heard_[d].try_emplace({event.kind, event.pubkey}, heard);
  if (!first && it->second.item.created_at <= event.created_at) it->second = heard;
}

void KnownHints::committed(const IpnsName& name, Sequence sequence, const std::string& value) {
  const std::lock_guard lock(mutex_);
  states_.insert_or_assign(name, State{sequence, value});
}

void KnownHints::forget(const IpnsName& name) {
  const std::lock_guard lock(mutex_);
  states_.erase(name);
  for (auto& [d, at_d] : heard_)
    std::erase_if(at_d, [&](const auto& one) { return one.second.name == name; });
  std::erase_if(heard_, [](const auto& one) { return one.second.empty(); });
}

// Under one sequence two values may be about: such a hint has to be looked at again.
bool KnownHints::covered(const Heard& heard) const {
  const auto state = states_.find(heard.name);
  if (state == states_.end() || !heard.sequence) return false;
  const State& known = state->second;
  return *heard.sequence < known.sequence ||
         (*heard.sequence == known.sequence && heard.value == known.value);
}

void KnownHints::add(const std::map<Key, Heard>& at_d, const nostr::Filter& filter,
                     std::vector<nostr::NegentropyItem>& out) const {
  for (const auto& [key, heard] : at_d) {
    if (asks_for(filter.kinds, key.first) && asks_for(filter.authors, key.second) && covered(heard))
      out.push_back(heard.item);
  }
}

std::vector<nostr::NegentropyItem> KnownHints::of(const nostr::Filter& filter) const {
  std::vector<nostr::NegentropyItem> out;
  const std::lock_guard lock(mutex_);
  const auto ds = filter.tags.find('d');
  if (ds == filter.tags.end()) {
    for (const auto& [d, at_d] : heard_) add(at_d, filter, out);
    return out;
  }
  for (const std::string& d : ds->second) {
    if (const auto found = heard_.find(d); found != heard_.end()) add(found->second, filter, out);
  }
  return out;
}

}  // namespace ipnscast::sync
