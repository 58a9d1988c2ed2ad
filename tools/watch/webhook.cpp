#include "ipnscast/tools/watch/webhook.h"

#include "ipnscast/nostr/base/text/shown_text.h"
#include "ipnscast/nostr/net/stream/name_lookup.h"
#include "ipnscast/sync/gateway/redirect.h"
#include "ipnscast/tools/watch/webhook_signature.h"

namespace ipnscast::tools {
namespace {

namespace gateway = sync::gateway;

constexpr uint64_t kMostAnswer = 64 * 1024;
constexpr size_t kMostWords = 160;

// The first line of what it says, for a person.
std::string answer_words(ByteView body) {
  std::string_view text = as_text(body);
  text = text.substr(0, text.find_first_of("\r\n"));
  if (text.empty() || text.front() == '<') return {};
  return ": \"" + shown_text(text.substr(0, kMostWords)) + "\"";
}

}  // namespace

Result<std::unique_ptr<Webhook>> Webhook::open(Options options) {
  const size_t query = options.url.find('?');
  auto endpoint = gateway::parse_endpoint(options.url.substr(0, query));
  if (!endpoint || options.url.find('#') != options.url.npos) {
    const bool secret = options.url.find('@') != options.url.npos || query != options.url.npos;
    return fail(Errc::invalid, std::string("--webhook") +
                                   (secret ? "" : " \"" + options.url + "\"") +
                                   ": want http(s)://HOST[:PORT][/PATH][?QUERY]");
  }
  const auto origin = gateway::origin_of(endpoint->url);
  if (origin.scheme == "http" && !options.plain_http &&
      !nostr::net::NameLookup::is_loopback(origin.host))
    return fail(Errc::invalid, "--webhook \"" + endpoint->url +
                                   "\": everybody on the way could read and change what goes over "
                                   "http; use https, or --webhook-http if you want this");
  if (const Status host = gateway::check_host(endpoint->url); !host) return fail(host.error());
  auto http = gateway::HttpClient::open({.ca_file = options.ca_file, .thread = "webhook"});
  if (!http) return fail(http.error());
  return std::unique_ptr<Webhook>(
      new Webhook(std::move(*endpoint), query == options.url.npos ? "" : options.url.substr(query),
                  std::move(options.secret), std::move(*http)));
}

Result<Webhook::Answer> Webhook::post(const std::string& id, const std::string& body) {
  const UnixSeconds now{system_now().wall.value / 1'000};
  gateway::HttpCall call = endpoint_.call("POST", "");
  call.url = endpoint_.url + query_;
  call.headers.emplace_back("Content-Type", "application/json");
  call.headers.emplace_back("webhook-id", id);
  call.headers.emplace_back("webhook-timestamp", std::to_string(now.value));
  call.headers.emplace_back("webhook-signature", webhook_signature(secret_.view(), id, now, body));
  call.body = std::make_shared<const Bytes>(to_bytes(body));
  call.max_bytes = kMostAnswer;
  call.connect_timeout = Milliseconds(10'000);
  call.deadline = kDeadline;
  call.stall = Milliseconds(0);  // it may think for as long as it has
  const auto answer = http_->fetch(std::move(call));
  if (!answer) return fail(answer.error());
  const int status = answer->head.status;
  if (status >= 200 && status < 300) return Answer::taken;
  if (status == 410) return Answer::gone;
  if (gateway::is_redirect_status(status))
    return fail(Errc::refused, "it answers with a redirect (" + std::to_string(status) +
                                   "), which is not followed: give the URL that it leads to");
  return fail(Errc::refused, "it answers " + std::to_string(status) + answer_words(answer->body));
}

}  // namespace ipnscast::tools
