#include "ipnscast/bridge/node/routing_routes.h"

#include "ipnscast/bridge/node/accept.h"
#include "ipnscast/bridge/node/gateway_headers.h"
#include "ipnscast/bridge/node/record_answer.h"
#include "ipnscast/nostr/base/letter_case.h"
#include "ipnscast/sync/gateway/delegated_routing.h"

namespace ipnscast::bridge {
namespace {

constexpr std::string_view kRoutingPrefix = "/routing/v1/ipns/";
constexpr const char* kRecordMethods = "GET, HEAD, OPTIONS, PUT";

}  // namespace

HttpResponse RoutingRoutes::answer(const HttpRequest& request, UnixMillis now) {
  HttpResponse out = route(request, now);
  // Pages may read, but nothing allows them to PUT. http-routing-v1, "CORS and Web Browsers"
  add_common_headers(out.headers);
  add_precondition_header(out.headers);
  return out;
}

HttpResponse RoutingRoutes::route(const HttpRequest& request, UnixMillis now) {
  if (request.method == "OPTIONS") return {204, {{"allow", kRecordMethods}}, {}};
  if (!request.path.starts_with(kRoutingPrefix)) {
    return text_answer(501, "this node routes IPNS records only");
  }
  const auto name =
      sync::IpnsName::parse(std::string_view(request.path).substr(kRoutingPrefix.size()));
  if (!name) return text_answer(400, name.error().message);
  if (request.method == "GET" || request.method == "HEAD") return get(request, *name, now);
  if (request.method == "PUT") return put(request, *name, now);
  HttpResponse refused = text_answer(405, "want GET or PUT");
  refused.headers["allow"] = kRecordMethods;
  return refused;
}

HttpResponse RoutingRoutes::get(const HttpRequest& request, const sync::IpnsName& name,
                                UnixMillis now) {
  if (!is_accepted(header_of(request, "accept"), kRecordType)) {
    return text_answer(406, std::string("only ") + kRecordType);
  }
  const auto record = records_.get(name, now);
  if (!record) return text_answer(500, record.error().message);
  if (*record) return record_answer(request, **record, now);
  HttpResponse none = text_answer(404, "no record");
  none.headers["cache-control"] = "no-store";
  return none;
}

HttpResponse RoutingRoutes::put(const HttpRequest& request, const sync::IpnsName& name,
                                UnixMillis now) {
  if (!lower_case(header_of(request, "content-type")).starts_with(kRecordType)) {
    return text_answer(406, std::string("want Content-Type: ") + kRecordType);
  }
  const auto precondition = record_precondition(request);
  if (!precondition) return text_answer(400, precondition.error().message);
  const auto offered = records_.offer(name, request.body, now, *precondition);
  if (!offered) {
    if (offered.error().code == Errc::refused) return text_answer(403, offered.error().message);
    const bool ours = offered.error().code == Errc::io || offered.error().code == Errc::busy;
    return text_answer(ours ? 500 : 400, offered.error().message);
  }
  using Outcome = Offered::Outcome;
  switch (offered->outcome) {
    case Outcome::unmet:
      return stored_record_answer(412, offered->there);
    case Outcome::rival:
      return stored_record_answer(409, offered->there);
    case Outcome::older:  // a publisher that is behind has to know
      if (precondition->demands_anything()) return stored_record_answer(409, offered->there);
      return text_answer(400, "a better record is known");
    case Outcome::stored:
    case Outcome::known:
      break;
  }
  return {200, {{"etag", sync::gateway::record_etag(request.body)}}, {}};
}

}  // namespace ipnscast::bridge
