#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ipnscast/nostr/event/filter.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"

namespace ipnscast::tools {

// What people type, read by the parsers of the libraries. The errors are for them: what was typed,
// what it is not, what to give instead. All are Errc::invalid.

std::string_view without_blanks_around(std::string_view text);

// A CID in any encoding, with or without /ipfs/ or ipfs:// before it.
Result<sync::Cid> typed_cid(std::string_view text);
// The same of content: a name that is written as a CID is none.
Result<sync::Cid> typed_content(std::string_view text);
// An IPNS name in any encoding, with or without /ipns/ or ipns:// before it.
Result<sync::IpnsName> typed_name(std::string_view text);
// A NIP-01 filter.
Result<nostr::Filter> typed_filter(const std::string& text);

// "npub: it is too short (expected 63 characters)": what is wrong with a text that begins as a
// NIP-19 one. Nothing when it does not, or when nothing is wrong with it.
std::optional<std::string> nip19_fault(std::string_view text);

}  // namespace ipnscast::tools
