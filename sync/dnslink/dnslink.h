#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ipnscast/sync/dnslink/dns_message.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"

namespace ipnscast::sync::dnslink {

// DNSLink: a domain that stands for content or for a name, by a TXT record of _dnslink.<domain>
// that reads dnslink=/ipfs/... or dnslink=/ipns/.... Nobody signs it: whoever answers for the
// domain, or for us to the question, decides what it leads to. An IPNS name behind it is verified
// as any other.

// The domain in lower case, without a dot at its end: two labels at least, of letters, digits, '-'
// and '_'. Errc::invalid, also for other letters (write the xn-- form).
Result<std::string> parse_domain(std::string_view text);

// The one path among the texts. Errc::not_found when none is a DNSLink, Errc::conflict when several
// say different things, Errc::parse for one that is no path.
Result<std::string> dnslink_value(const std::vector<std::string>& texts);

struct Step {
  std::string domain;
  std::string value;  // "/ipfs/..." or "/ipns/..."
  Seconds ttl{0};
};

// Where a domain leads to, through further domains.
struct Found {
  std::vector<Step> steps;       // one at least
  std::optional<IpnsName> name;  // either this
  std::optional<Cid> root;       // or this
  std::string path;              // inside of it: "a/b", or empty
  Seconds ttl() const;           // the least of the steps
};

// Asks for the TXT records of a name. Errors as in read_txt_answer(), and Errc::timeout.
using TxtLookup = std::function<Result<TxtAnswer>(const std::string& name)>;

inline constexpr size_t kMaxSteps = 16;

// Errc::not_found when a domain has no DNSLink; Errc::too_large for more than kMaxSteps or a path
// of more than 4 KiB; Errc::refused for domains that lead in a circle; Errc::unsupported for what
// is neither content nor a name; Errc::invalid.
Result<Found> follow(std::string_view domain, const TxtLookup& lookup);

}  // namespace ipnscast::sync::dnslink
