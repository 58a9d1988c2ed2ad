#include "ipnscast/sync/c_api/client.h"

#include "ipnscast/sync/c_api/config.h"
#include "ipnscast/sync/found_record.h"

using namespace ipnscast;
using namespace ipnscast::c_api;

namespace ipnscast::c_api {

void OpenClient::close() {
  handover->close();
  client->close();
}

int answer(ipnscast_client* client, ipnscast_error** error,
           const std::function<Status(OpenClient&)>& work) noexcept {
  return answer(error, [&]() -> Status {
    if (auto there = needed(client, "client"); !there) return there;
    const auto open = client->open;
    if (open->handover->closed()) return fail(Errc::closed, "the client is closed");
    return work(*open);
  });
}

int answer_code(const ipnscast_client* client,
                const std::function<int(OpenClient&)>& work) noexcept {
  return answer_code([&] {
    if (client == nullptr) return static_cast<int>(IPNSCAST_INVALID);
    const auto open = client->open;
    return work(*open);
  });
}

Result<sync::IpnsName> name_in(const char* name, size_t size) {
  const auto text = needed_text(name, size, "name");
  if (!text) return fail(text.error());
  return sync::IpnsName::parse(*text);
}

Result<sync::Cid> cid_in(const char* cid, size_t size) {
  const auto text = needed_text(cid, size, "cid");
  if (!text) return fail(text.error());
  return sync::Cid::parse(*text);
}

}  // namespace ipnscast::c_api

int ipnscast_open(const ipnscast_config* config, ipnscast_client** out, ipnscast_error** error) {
  return answer(error, [&]() -> Status {
    if (auto there = needed(out, "out"); !there) return there;
    *out = nullptr;
    if (auto there = needed(config, "config"); !there) return there;
    sync::Config settings = config->config;
    if (settings.trusted_authors.empty() && settings.signer)
      settings.trusted_authors.push_back(settings.signer->public_key());
    auto open = std::make_shared<OpenClient>();
    open->handover = std::make_shared<Handover>(settings.handler_timeout);
    open->listen = listen_time(settings);
    open->expired = settings.expired;
    if (auto ready = open->handover->open(); !ready) return ready;
    auto client = sync::Client::open(std::move(settings));
    if (!client) return fail(client.error());
    open->client = std::move(*client);
    *out = new ipnscast_client{std::move(open)};
    return {};
  });
}

void ipnscast_close(ipnscast_client* client) {
  answer_code(client, [](OpenClient& open) {
    open.close();
    return static_cast<int>(IPNSCAST_OK);
  });
}

void ipnscast_free(ipnscast_client* client) {
  ipnscast_close(client);
  delete client;
}
