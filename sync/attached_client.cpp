#include "ipnscast/sync/attached_client.h"

#include <fcntl.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/control/messages.h"
#include "ipnscast/sync/holder_facts.h"
#include "ipnscast/sync/state/history.h"
#include "ipnscast/sync/state/known_here.h"
#include "ipnscast/sync/state_beside.h"

namespace ipnscast::sync {
namespace {

using Json = nlohmann::json;

// What a holder may have signed: nothing but IPNS records, of both versions.
bool is_of_a_record(ByteView message) {
  constexpr std::string_view kV2 = "ipns-signature:";
  const std::string_view text = as_text(message);
  return text.starts_with(kV2) || text.starts_with("/ipfs/") || text.starts_with("/ipns/");
}

Json key_json(const IpnsKey& key) {
  return {{"public", to_base64(key.public_key().encode())},
          {"device", to_base64(key.device_secret().view())}};
}

Result<std::shared_ptr<Client>> opened(Config config) {
  auto client = Client::open(std::move(config));
  if (!client) return fail(client.error());
  return std::shared_ptr<Client>(std::move(*client));
}

}  // namespace

Result<std::unique_ptr<Client>> Client::attach(Config config, std::string label) {
  std::filesystem::path place;
  if (!label.empty()) {
    auto kept = place_beside(config.state_dir, label);
    if (!kept) return fail(kept.error());
    place = std::move(*kept);
  }
  auto client = std::make_unique<AttachedClient>(std::move(config), std::move(place));
  if (auto there = client->look(); !there) return fail(there.error());
  return client;
}

AttachedClient::AttachedClient(Config config, std::filesystem::path place)
    : config_(std::move(config)), place_(std::move(place)) {}

Status AttachedClient::look() const {
  auto link = control::ControlLink::open(config_.state_dir);
  return link ? Status() : fail(link.error());
}

// --- What the holder does.

Result<Json> AttachedClient::ask(const Wanted& wanted) const {
  if (closing_.stop_requested()) return fail(Errc::closed, "the client is closed");
  auto link = control::ControlLink::open(config_.state_dir);
  if (!link) return fail(link.error());
  if (wanted.as_we_would) {
    if (auto same = check_holder((*link)->facts(), config_); !same) return fail(same.error());
  }
  std::stop_source stop;
  const auto end = [&stop] { stop.request_stop(); };
  const std::stop_callback asked(wanted.stop, end);
  const std::stop_callback closing(closing_.get_token(), end);
  try {
    return (*link)->call(wanted.method, wanted.params, wanted.answers, stop.get_token(),
                         wanted.deadline, wanted.descriptor);
  } catch (const Json::exception& broken) {
    return fail(Errc::parse, std::string("an answer that cannot be read: ") + broken.what());
  }
}

Result<Outcome> AttachedClient::ask_for_outcome(const Wanted& wanted) const {
  const auto answer = ask(wanted);
  if (!answer) return fail(answer.error());
  try {
    return control::outcome_from(*answer);
  } catch (const Json::exception& broken) {
    return fail(Errc::parse, std::string("an answer that cannot be read: ") + broken.what());
  }
}

Result<Outcome> AttachedClient::ask_to_publish(const IpnsKey& key, const PublishOptions& options,
                                               Json params, int descriptor) const {
  params["key"] = key_json(key);
  params["options"] = control::options_json(options);
  Wanted wanted{"publish", std::move(params), {}, options.stop, options.deadline, descriptor};
  wanted.answers.sign = [&key](ByteView message) -> Result<Bytes> {
    if (!is_of_a_record(message)) return fail(Errc::refused, "that is no record");
    return key.sign(message);
  };
  wanted.answers.told = [&options](const Json& told) {
    if (told.contains("packing") && options.on_packing) options.on_packing(told["packing"]);
    if (told.contains("progress") && options.on_progress)
      options.on_progress(control::progress_from(told["progress"]));
  };
  return ask_for_outcome(wanted);
}

Result<Outcome> AttachedClient::publish(const IpnsKey& key, const std::filesystem::path& path,
                                        const PublishOptions& options) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) {
    const int why = errno;
    return fail(why == ENOENT ? Errc::not_found : Errc::io,
                path.string() + ": " + std::strerror(why));
  }
  return ask_to_publish(key, options, {{"path", path.string()}}, file.get());
}

Result<Outcome> AttachedClient::publish_cid(const IpnsKey& key, const Cid& cid,
                                            const PublishOptions& options) {
  return ask_to_publish(key, options, {{"cid", cid.to_string()}}, -1);
}

Result<Outcome> AttachedClient::announce(const IpnsName& name, const Cid& cid, Sequence sequence,
                                         std::optional<IpnsRecord> record, std::stop_token stop,
                                         bool trust_clock, std::optional<Instant> deadline) {
  Json params = {{"name", name.to_string()},
                 {"cid", cid.to_string()},
                 {"sequence", sequence.value},
                 {"trust_clock", trust_clock},
                 {"left_ms", control::left_json(deadline)}};
  if (record) params["record"] = to_base64(record->bytes());
  return ask_for_outcome({"announce", std::move(params), {}, std::move(stop), deadline});
}

Result<Outcome> AttachedClient::retract(const IpnsName& name, std::stop_token stop,
                                        std::optional<Instant> deadline) {
  return ask_for_outcome({"retract",
                          {{"name", name.to_string()}, {"left_ms", control::left_json(deadline)}},
                          {},
                          std::move(stop)});
}

// The holder keeps those alive that it has keys of.
Status AttachedClient::keep_alive(const IpnsKey& key) {
  return fail(Errc::unsupported, "the record of " + key.name().to_string() +
                                     " is kept alive by whoever holds the state directory");
}

Status AttachedClient::take_in(const IpnsName& name, const IpnsRecord& record) {
  const auto answer =
      ask({.method = "take_in",
           .params = {{"name", name.to_string()}, {"record", to_base64(record.bytes())}},
           .as_we_would = false});
  return answer ? Status() : fail(answer.error());
}

std::vector<LostPublish> AttachedClient::lost(const IpnsName& name) {
  const auto answer =
      ask({.method = "lost", .params = {{"name", name.to_string()}}, .as_we_would = false});
  if (!answer) {
    log_warning("client", "what was displaced is not known: " + answer.error().message);
    return {};
  }
  try {
    return control::lost_from(*answer);
  } catch (const Json::exception& broken) {
    log_warning("client", std::string("what was displaced cannot be read: ") + broken.what());
    return {};
  }
}

Status AttachedClient::acknowledge_lost(const IpnsName& name) {
  const auto answer = ask(
      {.method = "acknowledge_lost", .params = {{"name", name.to_string()}}, .as_we_would = false});
  return answer ? Status() : fail(answer.error());
}

Status AttachedClient::forget(const IpnsName& name) {
  const auto answer =
      ask({.method = "forget", .params = {{"name", name.to_string()}}, .as_we_would = false});
  return answer ? Status() : fail(answer.error());
}

Result<std::vector<Device>> AttachedClient::ask_for_devices(const Wanted& wanted) const {
  const auto answer = ask(wanted);
  if (!answer) return fail(answer.error());
  try {
    return control::devices_from(*answer);
  } catch (const Json::exception& broken) {
    return fail(Errc::parse, std::string("an answer that cannot be read: ") + broken.what());
  }
}

Result<std::vector<Device>> AttachedClient::devices(Instant deadline, std::stop_token stop) {
  return ask_for_devices(
      {"devices", {{"left_ms", control::left_json(deadline)}}, {}, std::move(stop), deadline});
}

Result<std::vector<Device>> AttachedClient::wait_applied(const IpnsName& name,
                                                         const Version& version, size_t count,
                                                         Instant deadline, std::stop_token stop) {
  return ask_for_devices({"wait_applied",
                          {{"name", name.to_string()},
                           {"version", control::version_json(version)},
                           {"count", count},
                           {"left_ms", control::left_json(deadline)}},
                          {},
                          std::move(stop),
                          deadline});
}

// --- What a client of our own does.

Result<std::shared_ptr<Client>> AttachedClient::own() {
  const std::lock_guard one_at_a_time(opening_);
  if (auto client = own_if_open()) return client;
  std::optional<TemporaryDirectory> made;
  std::filesystem::path place = place_;
  if (place.empty()) {
    auto temporary = TemporaryDirectory::make();
    if (!temporary) return fail(temporary.error());
    place = temporary->path() / "state";
    made.emplace(std::move(*temporary));
  }
  auto client = opened(config_beside(config_, place));
  if (!client) return client;
  const std::lock_guard lock(mutex_);
  if (closed_) {
    (*client)->close();
    return fail(Errc::closed, "the client is closed");
  }
  if (made) state_.emplace(std::move(*made));
  client_ = *client;
  return client;
}

std::shared_ptr<Client> AttachedClient::own_if_open() const {
  const std::lock_guard lock(mutex_);
  return client_;
}

Result<std::optional<Bytes>> AttachedClient::Blocks::get(const Cid& cid) {
  const auto client = client_.own_if_open();
  return client ? client->blocks().get(cid) : std::optional<Bytes>();
}

// It begins at what the holder knows, so that nobody leads it back behind that.
Status AttachedClient::watch(const IpnsName& name, WatchOptions options) {
  const auto client = own();
  if (!client) return fail(client.error());
  const auto known = read_known(config_.state_dir, name);
  if (!known) return fail(known.error());
  if (auto watched = (*client)->watch(name, std::move(options)); !watched || !*known)
    return watched;
  return (*client)->tell({name, {}, {}, (*known)->bytes(), "whoever holds the state directory"});
}

void AttachedClient::unwatch(const IpnsName& name) {
  if (const auto client = own_if_open()) client->unwatch(name);
}

Result<TakenChange> AttachedClient::next_change(std::stop_token stop,
                                                std::optional<Instant> deadline) {
  const auto client = own();
  if (!client) return fail(client.error());
  return (*client)->next_change(std::move(stop), deadline);
}

Status AttachedClient::acknowledge(uint64_t id, const Handled& handled) {
  const auto client = own();
  return client ? (*client)->acknowledge(id, handled) : fail(client.error());
}

Result<int> AttachedClient::event_fd() {
  const auto client = own();
  if (!client) return fail(client.error());
  return (*client)->event_fd();
}

Status AttachedClient::tell(const ToldNews& news) {
  const auto client = own();
  return client ? (*client)->tell(news) : fail(client.error());
}

Result<ResolveReport> AttachedClient::resolve(const IpnsName& name, Milliseconds deadline,
                                              Freshness freshness, std::stop_token stop) {
  const auto client = own();
  if (!client) return fail(client.error());
  return (*client)->resolve(name, deadline, freshness, std::move(stop));
}

void AttachedClient::invalidate(const IpnsName& name) {
  if (const auto client = own_if_open()) client->invalidate(name);
}

Status AttachedClient::get(const Cid& cid, std::string_view path,
                           const std::filesystem::path& target, const GetOptions& options) {
  const auto client = own();
  return client ? (*client)->get(cid, path, target, options) : fail(client.error());
}

// Under a label what was heard there; otherwise what the holder heard.
Result<std::vector<HeardVersion>> AttachedClient::history(const IpnsName& name, size_t most) {
  if (place_.empty())
    return read_history(config_.state_dir, name, std::min(most, config_.history_versions));
  const auto client = own();
  if (!client) return fail(client.error());
  return (*client)->history(name, most);
}

Status AttachedClient::replay(const IpnsName& name, UnixMillis since) {
  const auto client = own();
  return client ? (*client)->replay(name, since) : fail(client.error());
}

std::vector<NameStatus> AttachedClient::status() {
  const auto client = own();
  return client ? (*client)->status() : std::vector<NameStatus>();
}

std::vector<GatewayStatus> AttachedClient::gateways() {
  const auto client = own();
  return client ? (*client)->gateways() : std::vector<GatewayStatus>();
}

PrivateHintCounters AttachedClient::private_hints() const {
  const auto client = own_if_open();
  return client ? client->private_hints() : PrivateHintCounters();
}

HandlerHealth AttachedClient::handlers() const {
  const auto client = own_if_open();
  return client ? client->handlers() : HandlerHealth();
}

Metrics AttachedClient::metrics() {
  const auto client = own();
  return client ? (*client)->metrics() : Metrics();
}

void AttachedClient::close() {
  std::stop_source(closing_).request_stop();
  std::shared_ptr<Client> client;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    client = client_;
  }
  if (client) client->close();
}

}  // namespace ipnscast::sync
