#pragma once

#include <cstdint>

#include "ipnscast/sync/dnslink/dnslink.h"
#include "ipnscast/sync/gateway/http_call.h"

namespace ipnscast::sync::dnslink {

// Ways to ask for TXT records. Both wait: never from the threads net, http or sync.

// By the system's resolver (/etc/resolv.conf, over UDP, and TCP where an answer is too long).
// Any thread. For tests, a server on loopback instead.
TxtLookup system_lookup(Milliseconds deadline, uint16_t loopback_port = 0);

// DNS over HTTPS (RFC 8484): GET with the question in wire format, which every such server speaks,
// while JSON is each one's own. `url` is the server's, such as https://dns.example/dns-query;
// http:// only on loopback. `http` outlives the result. Errc::invalid for a URL of another kind.
Result<TxtLookup> https_lookup(gateway::Http& http, const std::string& url, Milliseconds deadline);

}  // namespace ipnscast::sync::dnslink
