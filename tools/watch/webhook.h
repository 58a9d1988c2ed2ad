#pragma once

#include <memory>
#include <string>

#include "ipnscast/nostr/base/secret/secret_memory.h"
#include "ipnscast/sync/gateway/endpoint.h"
#include "ipnscast/sync/gateway/http_client.h"

namespace ipnscast::tools {

// Posts changes to one URL, signed as Standard Webhooks say: webhook-id, the same each time a
// change is posted, webhook-timestamp and webhook-signature. Redirects are not followed: whoever
// answers with one leads us nowhere. Thread-safe; has a thread of its own ("webhook").
class Webhook {
 public:
  static constexpr Milliseconds kDeadline{30'000};  // of each post

  struct Options {
    std::string url;  // a user and password in it go into the Authorization header
    SecretMemory secret;
    bool plain_http = false;  // http to other machines too, where anybody on the way reads along
    std::string ca_file;      // PEM; empty: the system's
  };
  // Errc::invalid.
  static Result<std::unique_ptr<Webhook>> open(Options options);

  enum class Answer { taken, gone };
  // Waits for the answer: taken (2xx), or gone (410: nobody takes this, now or later).
  // Errc::refused for any other status, Errc::closed after stop(), else as
  // sync::gateway::Http::fetch().
  Result<Answer> post(const std::string& id, const std::string& body);
  // Ends those that run; no other is begun.
  void stop() { http_->close(); }

  // Without user, password and query, which may open something.
  const std::string& shown_url() const { return endpoint_.url; }

 private:
  Webhook(sync::gateway::Endpoint endpoint, std::string query, SecretMemory secret,
          std::unique_ptr<sync::gateway::HttpClient> http)
      : endpoint_(std::move(endpoint)),
        query_(std::move(query)),
        secret_(std::move(secret)),
        http_(std::move(http)) {}

  // constant after construction
  const sync::gateway::Endpoint endpoint_;
  const std::string query_;  // with its "?"; secret
  const SecretMemory secret_;
  const std::unique_ptr<sync::gateway::HttpClient> http_;
};

}  // namespace ipnscast::tools
