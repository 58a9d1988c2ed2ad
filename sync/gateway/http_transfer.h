#pragma once

#include <curl/curl.h>

#include <memory>
#include <optional>
#include <string>

#include "ipnscast/nostr/base/clock_witness.h"
#include "ipnscast/sync/gateway/http_call.h"
#include "ipnscast/sync/gateway/redirect.h"

namespace ipnscast::sync::gateway {

struct SocketAddress {
  std::string ip;
  uint16_t port = 0;
  bool operator==(const SocketAddress&) const = default;
};

// Why a call failed, in words for people; `detail` is libcurl's own and goes to the debug log.
// `max_bytes`: the call's bound on the answer.
Error http_error(CURL* easy, CURLcode code, const char* detail, uint64_t max_bytes);

// One running call: its easy handle, its bounds and what came so far, over the redirects that GET
// and HEAD follow (kMostRedirects at most). A redirect that leaves the origin of the call, and any
// host that others named, is connected to at a public address only (behind a proxy, see
// proxy_for_guarded()); or, for the subdomains that a gateway at home sends us to, at the very
// address and port that the call's own host was reached at. That another gateway is configured does
// not count: one gateway must not choose what we ask of another. Lives on the http thread. Private
// to the http client.
class HttpTransfer {
 public:
  // `witness` may be null.
  HttpTransfer(HttpId id, HttpCall call, HttpHandlers handlers, const std::string& ca_file,
               ClockWitness* witness, Instant now);
  ~HttpTransfer();
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  // Null when libcurl has no memory or refuses an option, or when why_not() says why.
  CURL* easy() const { return easy_; }
  const Status& why_not() const { return refused_; }
  HttpId id() const { return id_; }

  void resume();
  // The error when a bound on time has passed.
  Status check_time(Instant now);
  // When to look again.
  Instant next_check() const;
  // True when easy() is ready for the next request of the same call: the answer was a redirect, or
  // the connection that libcurl chose leads where this request may not go.
  bool ask_again(CURLcode code);
  // What libcurl says at the end, as a status; calls done().
  void finish(CURLcode code);
  // Ends it for a reason of ours.
  void finish(Error error);

 private:
  bool set_up(const std::string& ca_file);
  bool aim();
  bool may_reach(const SocketAddress& there) const;
  bool follow(CURLcode code);
  bool set_headers();
  bool redirected() const;
  Result<Hop> next() const;
  std::string forbidden_text() const;
  void set_body();
  void note_header(std::string_view line);
  size_t note_body(ByteView bytes);
  void deliver_head();
  void note_date();
  HttpTimings timings() const;
  static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int before_request(void* self, char* ip, char* own_ip, int port, int own_port);
  curl_off_t bytes_moved() const;

  const HttpId id_;
  const HttpCall call_;
  const HttpHandlers handlers_;
  ClockWitness* const witness_;
  const Instant started_;

  CURL* easy_ = nullptr;
  curl_slist* header_list_ = nullptr;
  HttpHead head_;
  size_t header_bytes_ = 0;
  bool head_delivered_ = false;
  uint64_t received_ = 0;
  bool paused_ = false;
  bool request_begun_ = false;
  Status refused_;  // our own reason for stopping the transfer
  Instant last_progress_;
  Instant last_check_;
  curl_off_t last_moved_ = 0;

  // of redirects
  std::string url_;              // of the request that runs
  bool guarded_;                 // it is for a public address only
  bool by_proxy_ = false;        // it goes through the proxy of the environment
  bool found_stranger_ = false;  // an open connection led where it may not go
  bool left_origin_ = false;     // some request went elsewhere than to the call's own origin
  int hops_ = 0;
  std::optional<SocketAddress> home_;  // that the call's own host was reached at
  std::string forbidden_;              // address that was not connected to
  uint64_t redirect_body_ = 0;
  Milliseconds earlier_{0};  // time that the requests before took
  char error_text_[CURL_ERROR_SIZE] = {};
};

}  // namespace ipnscast::sync::gateway
