#pragma once

#include <map>
#include <string>
#include <vector>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"

// Long words as people tell them apart: the beginning says what it is, the end which one. For eyes
// only: programs get them whole.
namespace ipnscast::tools {

// "k51...7hx2ab". Names of one kind begin alike, so the end is as long as it takes to tell all of
// `names` apart, 6 characters at least.
class ShortNames {
 public:
  explicit ShortNames(const std::vector<sync::IpnsName>& names = {});
  std::string of(const sync::IpnsName& name) const;

 private:
  std::map<sync::IpnsName, std::string> names_;
  size_t tail_ = 6;
};

// "bafy...q4zm7a".
std::string short_cid(const sync::Cid& cid);
// "npub1...x7k2ps".
std::string short_key(const nostr::PublicKey& key);
// A record's value: "bafy...q4zm7a/docs/index.html", and what is none as it is. Text from strangers
// in it has passed through shown_text().
std::string short_value(const std::string& value);
// In at most `most` columns, with "..." in the middle. For text of one byte a column; what has more
// is cut at a character.
std::string cut_to(std::string text, size_t most);

// How long something took, or how long ago it was: "0.9 ms", "12 s", "3 min", "5 h", "2 days".
std::string time_text(std::chrono::microseconds time);

// "a, b and 3 more".
std::string list_text(const std::vector<std::string>& all, size_t most);

}  // namespace ipnscast::tools
