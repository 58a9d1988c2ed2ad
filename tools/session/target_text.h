#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ipnscast/nostr/base/result.h"

namespace ipnscast::tools {

// What a person pasted as a target, taken apart: the name, npub, naddr, domain, label or CID, and
// the path behind it.
struct TargetText {
  std::string head;
  std::string path;         // without slashes around it
  bool is_content = false;  // it said so: /ipfs/, ipfs://, a gateway's ipfs host
};

// Spaces around it do not count. NAME, /ipns/NAME/, ipns://NAME, https://GATEWAY/ipns/NAME,
// https://NAME.ipns.GATEWAY (a domain may be in it, with "-" for "." and "--" for "-"), the same
// with ipfs, nostr:npub1..., each with a path behind it. What is none of these comes as it is.
TargetText read_target_text(std::string_view typed);

// What was meant with a text that is no target, and what to do: a secret key, a CID, a name or an
// npub with a fault. Nothing for a text that looks like none of them.
std::optional<Error> known_mistake(std::string_view typed);
// The same, with what is wanted for all other texts.
Error no_target(std::string_view typed);

}  // namespace ipnscast::tools
