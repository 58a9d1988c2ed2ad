#pragma once

#include <functional>
#include <memory>

#include "ipnscast/sync/c_api/call.h"
#include "ipnscast/sync/c_api/given.h"
#include "ipnscast/sync/c_api/handover.h"
#include "ipnscast/sync/client.h"

namespace ipnscast::c_api {

// What stands behind the handle of a client. Thread-safe.
struct OpenClient {
  // constant after construction
  std::shared_ptr<Handover> handover;
  Milliseconds listen{};  // how long a name is looked for
  sync::ExpiredPolicy expired{};
  std::unique_ptr<sync::Client> client;

  void close();
};

}  // namespace ipnscast::c_api

// The handle of a client. It may be freed in a callback, so calls hold on to what is behind it.
struct ipnscast_client {
  // constant after construction
  std::shared_ptr<ipnscast::c_api::OpenClient> open;
};

namespace ipnscast::c_api {

// answer() for a call of a client: Errc::invalid without one, Errc::closed once it is closed.
int answer(ipnscast_client* client, ipnscast_error** error,
           const std::function<Status(OpenClient&)>& work) noexcept;
// answer_code() for a call of a client that knows itself whether it is closed.
int answer_code(const ipnscast_client* client,
                const std::function<int(OpenClient&)>& work) noexcept;

Result<sync::IpnsName> name_in(const char* name, size_t size);
Result<sync::Cid> cid_in(const char* cid, size_t size);

}  // namespace ipnscast::c_api
