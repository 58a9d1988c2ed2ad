#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "ipnscast/nostr/base/sip_hash.h"
#include "ipnscast/nostr/event/filter.h"

namespace ipnscast::nostr {

// Filters found by event: each is filed under the values of the one list that few events share
// (ids, else #d, else authors, else its shortest other tag list, else kinds), so that an event is
// held against those filters only that are likely to want it, however long their lists are. What it
// finds is what matches() says of each filter.
//
// The hash is keyed: others may choose the values. Const calls may come from several threads.
class FilterIndex {
 public:
  using Owner = uint64_t;  // whoever the filter is of; may have several

  FilterIndex();
  ~FilterIndex();
  FilterIndex(const FilterIndex&) = delete;
  FilterIndex& operator=(const FilterIndex&) = delete;

  void add(Owner owner, const Filter& filter);
  void remove(Owner owner);

  // True when the event satisfies a filter.
  bool matches(const Event& event) const;
  struct Found {
    std::vector<Owner> owners;  // of the filters that the event satisfies, in order, each once
    size_t examined = 0;        // filters that were looked at
  };
  Found owners(const Event& event) const;

 private:
  struct Filed;
  struct Hash {
    using is_transparent = void;
    SipKey key;
    size_t operator()(std::string_view value) const { return sip_hash_1_3(key, as_bytes(value)); }
  };
  using Table = std::unordered_map<std::string, std::set<const Filed*>, Hash, std::equal_to<>>;

  Table& table(char tag);
  void file(Table& table, std::string_view value, Filed& filter);
  template <typename Take>
  bool look(const Table& table, std::string_view value, Take take) const;
  template <typename Take>
  bool search(const Event& event, Take take) const;

  const SipKey key_;
  Table ids_;
  Table authors_;
  Table kinds_;
  std::map<char, Table> tags_;
  std::set<const Filed*> others_;  // have no list at all
  std::unordered_map<Owner, std::vector<std::unique_ptr<Filed>>> filters_;
};

}  // namespace ipnscast::nostr
