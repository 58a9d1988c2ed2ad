#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ipnscast/nostr/base/bytes.h"
#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/nostr/base/public_address.h"
#include "ipnscast/nostr/base/result.h"
#include "ipnscast/nostr/base/strong_id.h"

namespace ipnscast::sync::gateway {

// One HTTP request. Everything that the other side could stretch has a bound.
struct HttpCall {
  std::string method = "GET";                                // GET, HEAD, POST or PUT
  std::string url;                                           // http:// or https://
  std::vector<std::pair<std::string, std::string>> headers;  // values without line breaks
  std::shared_ptr<const Bytes> body;     // of POST and PUT; null is an empty one
  uint64_t max_bytes = 4 * 1024 * 1024;  // of the answer's body
  Milliseconds connect_timeout{3'000};   // name look-up, TCP and TLS
  Milliseconds deadline{30'000};         // for the whole call, pauses included
  Milliseconds stall{5'000};             // longest time without a new byte either way; 0: no limit
  // Hosts that others named are connected to at public addresses only, and asked over a connection
  // that is open only if it leads to one; so are redirects that leave the URL's origin. Where the
  // environment names a proxy for such a host, only public addresses are asked for there, no names.
  // Errc::refused otherwise.
  NamedBy named_by = NamedBy::configuration;
  bool fresh_connection = false;  // a new one, so that its times can be told
  // The answer is a stream that goes on until one side ends it: no deadline, no stall time and no
  // bound on the sum of what comes. A peer that is gone without a word is noticed by TCP
  // (keepalive, two minutes).
  bool endless = false;
};

// Names in lower case; a repeated one is joined with ", ".
using HttpHeaders = std::map<std::string, std::string, std::less<>>;

// Status line and headers of the final answer: 1xx and redirects are behind it. Only GET and HEAD
// follow redirects: 5 at most, never from https to http, without the authorization once they leave
// the URL's origin.
struct HttpHead {
  int status = 0;
  int version = 11;  // 10, 11, 20, 30
  HttpHeaders headers;
  std::string url;         // the final one
  Seconds retry_after{0};  // of that header, date or seconds; 0: absent

  // Empty when absent.
  std::string_view header(std::string_view lower_case_name) const {
    const auto it = headers.find(lower_case_name);
    return it == headers.end() ? std::string_view{} : std::string_view(it->second);
  }
};

// Since the call was started, but for the three parts of opening a connection.
struct HttpTimings {
  Milliseconds connected{0};  // a new connection; 0: one was open already
  Milliseconds first_byte{0};
  Milliseconds total{0};
  std::chrono::microseconds look_up{0};  // of the name
  std::chrono::microseconds connect{0};  // TCP
  std::chrono::microseconds tls{0};      // 0 without TLS
  // A byte of the request may have left. False: there was no connection that it could have gone
  // over, so that nobody can have acted on it.
  bool request_begun = true;
};

// An answer that is taken as a whole.
struct HttpAnswer {
  HttpHead head;
  Bytes body;
  HttpTimings timings;
};

using HttpId = StrongId<struct HttpTag>;

// Called on the http thread; they must not block and must not throw: push into an inbox. done()
// comes exactly once and last, whatever happens. Any of them may be empty.
struct HttpHandlers {
  std::function<void(const HttpHead&)> head;
  // False pauses the transfer: the same bytes come again after Http::resume(). The stall time stops
  // meanwhile.
  std::function<bool(ByteView)> chunk;
  // Success says that an answer of any status came whole as far as HTTP can tell. Otherwise
  // Errc::timeout (deadline, stall), unreachable (no connection, or cut), too_large, cancelled,
  // closed, refused (a redirect that is not followed, an address that is not public, an .onion
  // name), or invalid (a URL that is none).
  std::function<void(Status, const HttpTimings&)> done;
};

// What can make HTTP calls: HttpClient, and scripted gateways in tests. Thread-safe.
class Http {
 public:
  virtual ~Http() = default;
  virtual HttpId start(HttpCall call, HttpHandlers handlers) = 0;
  // done(Errc::cancelled) follows, unless the call has ended.
  virtual void cancel(HttpId id) = 0;
  virtual void resume(HttpId id) = 0;

  // Collects the whole answer and hands it, or the error, to `done` on the http thread.
  HttpId start_whole(HttpCall call, std::function<void(Result<HttpAnswer>)> done);
  // Makes the call and waits for the whole answer. Not from the http thread. Errors as in
  // HttpHandlers::done.
  Result<HttpAnswer> fetch(HttpCall call);
};

}  // namespace ipnscast::sync::gateway
