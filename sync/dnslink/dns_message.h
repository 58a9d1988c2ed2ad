#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/result.h"

namespace ipnscast::sync::dnslink {

// DNS messages (RFC 1035) as far as a look-up of TXT records needs them. The same bytes come from
// the system's resolver and over HTTPS (RFC 8484), so that one parser reads both.

inline constexpr size_t kMaxDnsMessage = 65'535;

// A recursive question for TXT records. Errc::invalid for what is no domain name.
Result<Bytes> make_txt_query(std::string_view name, uint16_t id);

struct TxtAnswer {
  std::vector<std::string> texts;  // 64 at most; each of its strings put together, any bytes
  Seconds ttl{0};                  // the least on the way to them
};
// The TXT records of that name, also where aliases (CNAME, eight at most) lead to. Errc::parse;
// Errc::mismatch for an answer to another question or another id; Errc::not_found when there is no
// such name or no such record; Errc::too_large for an answer that was cut; Errc::unreachable when
// the server failed.
Result<TxtAnswer> read_txt_answer(ByteView message, std::string_view name, uint16_t id);

}  // namespace ipnscast::sync::dnslink
