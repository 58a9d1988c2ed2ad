#pragma once

#include <curl/curl.h>

#include <memory>

#include "sync/gateway/http_call.h"

namespace ipnscast::sync::gateway {

// One running call: its easy handle, its bounds and what came so far. Lives on the http thread.
// Private to the http client.
class HttpTransfer {
 public:
  HttpTransfer(HttpId id, HttpCall call, HttpHandlers handlers, const std::string& ca_file,
               Instant now);
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
  // What libcurl says at the end, as a status; calls done().
  void finish(CURLcode code);
  // Ends it for a reason of ours.
  void finish(Error error);

 private:
  bool set_up(const std::string& ca_file);
  void set_body();
  void note_header(std::string_view line);
  size_t note_body(ByteView bytes);
  void deliver_head();
  HttpTimings timings() const;
  static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  curl_off_t bytes_moved() const;

  const HttpId id_;
  const HttpCall call_;
  const HttpHandlers handlers_;
  const Instant started_;

  CURL* easy_ = nullptr;
  curl_slist* header_list_ = nullptr;
  HttpHead head_;
  size_t header_bytes_ = 0;
  bool head_delivered_ = false;
  uint64_t received_ = 0;
  bool paused_ = false;
  Status refused_;  // our own reason for stopping the transfer
  Instant last_progress_;
  Instant last_check_;
  curl_off_t last_moved_ = 0;
  char error_text_[CURL_ERROR_SIZE] = {};
};

}  // namespace ipnscast::sync::gateway
