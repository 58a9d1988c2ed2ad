#include "ipnscast/tools/session/domain.h"

#include <nlohmann/json.hpp>

#include "ipnscast/sync/dnslink/txt_lookup.h"
#include "ipnscast/sync/gateway/http_client.h"

namespace ipnscast::tools {

namespace dnslink = sync::dnslink;

namespace {

// All look-ups together end by the deadline, but for the last one, which has its own.
dnslink::TxtLookup until(Instant end, dnslink::TxtLookup lookup) {
  return [end, lookup = std::move(lookup)](const std::string& name) -> Result<dnslink::TxtAnswer> {
    if (system_now().steady >= end) return fail(Errc::timeout, "DNS: the deadline passed");
    return lookup(name);
  };
}

}  // namespace

bool looks_like_domain(std::string_view text) {
  return text.find('.') != text.npos && text.find('/') == text.npos &&
         text.find(' ') == text.npos && text.front() != '.';
}

Result<dnslink::Found> follow_domain(const Session& session, std::string_view domain,
                                     Milliseconds deadline) {
  const Instant end = system_now().steady + deadline;
  const std::string& server = session.settings().dns;
  if (server.empty()) return dnslink::follow(domain, until(end, dnslink::system_lookup(deadline)));
  const auto http = sync::gateway::HttpClient::open({});
  if (!http) return fail(http.error());
  const auto lookup = dnslink::https_lookup(**http, server, deadline);
  if (!lookup) return fail(lookup.error().within("resolve.dns"));
  return dnslink::follow(domain, until(end, *lookup));
}

std::vector<std::string> dnslink_rows(const std::vector<dnslink::Step>& steps) {
  std::vector<std::string> out;
  for (const dnslink::Step& step : steps) {
    out.push_back("dnslink   " + step.domain + "  " + step.value +
                  "  by DNS, which nobody signs; for " + std::to_string(step.ttl.count()) + " s");
  }
  return out;
}

nlohmann::ordered_json dnslink_json(const std::vector<dnslink::Step>& steps) {
  auto out = nlohmann::ordered_json::array();
  for (const dnslink::Step& step : steps) {
    out.push_back({{"domain", step.domain},
                   {"value", step.value},
                   {"ttl_s", step.ttl.count()},
                   {"signed", false}});
  }
  return out;
}

}  // namespace ipnscast::tools
