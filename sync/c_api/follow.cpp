// Following names: what changes, and what the application says to it.
#include "ipnscast/sync/c_api/client.h"

using namespace ipnscast;
using namespace ipnscast::c_api;

int ipnscast_follow(ipnscast_client* client, const char* name, size_t name_length,
                    ipnscast_callback callback, void* data, const ipnscast_follow_options* options,
                    ipnscast_error** error) {
  return answer(client, error, [&](OpenClient& open) -> Status {
    const auto which = name_in(name, name_length);
    if (!which) return fail(which.error());
    const auto chosen = options_in(options);
    if (!chosen) return fail(chosen.error());
    open.handover->set_follower(*which, {callback, data});
    sync::WatchOptions watch;
    watch.on_change = [handover = open.handover](const sync::Change& change) {
      return handover->hand_over(change);
    };
    watch.fetch_content = chosen->without_content == 0;
    watch.takes_in = chosen->only_looks == 0;
    auto watched = open.client->watch(*which, std::move(watch));
    if (!watched) open.handover->remove_follower(*which);
    return watched;
  });
}

int ipnscast_unfollow(ipnscast_client* client, const char* name, size_t name_length,
                      ipnscast_error** error) {
  return answer(client, error, [&](OpenClient& open) -> Status {
    const auto which = name_in(name, name_length);
    if (!which) return fail(which.error());
    open.client->unwatch(*which);
    if (!open.handover->remove_follower(*which))
      return fail(Errc::not_found, which->to_string() + " is not followed");
    return {};
  });
}

int ipnscast_fd(const ipnscast_client* client) {
  return client == nullptr ? -1 : client->open->handover->fd();
}

int ipnscast_dispatch(ipnscast_client* client, int64_t timeout_ms, size_t* count) {
  size_t called = 0;
  const int code = answer_code(
      client, [&](OpenClient& open) { return open.handover->dispatch(timeout_ms, called); });
  if (count != nullptr) *count = called;
  return code;
}

int ipnscast_wait(ipnscast_client* client, int64_t timeout_ms, ipnscast_event** out) {
  return answer_code([&] {
    if (out == nullptr) return static_cast<int>(IPNSCAST_INVALID);
    *out = nullptr;
    return answer_code(client, [&](OpenClient& open) {
      std::unique_ptr<GivenEvent> event;
      const int code = open.handover->wait(timeout_ms, event);
      *out = event.release();
      return code;
    });
  });
}

int ipnscast_acknowledge(ipnscast_client* client, uint64_t id, int answer, int64_t retry_after_ms) {
  return answer_code(client, [&](OpenClient& open) {
    return open.handover->acknowledge(id, answer, retry_after_ms);
  });
}
