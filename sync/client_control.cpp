#include "ipnscast/sync/client_control.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "ipnscast/sync/control/call.h"
#include "ipnscast/sync/control/messages.h"
#include "ipnscast/sync/state/known_here.h"

namespace ipnscast::sync {
namespace {

using control::Call;
using Json = nlohmann::json;

Result<IpnsName> name_in(const Json& params) {
  return IpnsName::parse(params.at("name").get_ref<const std::string&>());
}

Error no_record() { return {Errc::signature, "a record that does not hold for the name"}; }

Result<Cid> cid_in(const Json& params) {
  return Cid::parse(params.at("cid").get_ref<const std::string&>());
}

Result<IpnsKey> key_in(Call& call) {
  const Json& key = call.params.at("key");
  const auto encoded = control::bytes_from(key.at("public"));
  if (!encoded) return fail(encoded.error());
  auto public_key = IpnsPublicKey::decode(*encoded);
  if (!public_key) return fail(public_key.error());
  const auto device = control::bytes_from(key.at("device"));
  if (!device) return fail(device.error());
  if (device->size() != 32) return fail(Errc::parse, "key: want 32 bytes for its devices");
  return IpnsKey::elsewhere(std::move(*public_key), SecretBytes<32>::from(*device), call.sign);
}

PublishOptions options_in(const Call& call) {
  PublishOptions out = control::options_from(call.params.at("options"));
  out.for_followers = true;
  out.stop = call.stop;
  out.on_progress = [tell = call.tell](const PublishProgress& now) {
    tell({{"progress", control::progress_json(now)}});
  };
  return out;
}

// What came as an open descriptor, as a path. Of a directory one that ends in no link.
Result<std::string> open_path(const Call& call) {
  struct stat status;
  if (!call.descriptor || ::fstat(call.descriptor.get(), &status) != 0)
    return fail(Errc::parse, "nothing to publish came along");
  return "/proc/self/fd/" + std::to_string(call.descriptor.get()) +
         (S_ISDIR(status.st_mode) ? "/." : "");
}

// As the one who asks calls it.
Error under_their_name(Error error, const std::string& path, const std::string& theirs) {
  for (size_t at = 0; (at = error.message.find(path, at)) != std::string::npos;) {
    error.message.replace(at, path.size(), theirs);
    at += theirs.size();
  }
  return error;
}

Result<Json> outcome_of(Result<Outcome> outcome) {
  if (!outcome) return fail(outcome.error());
  return control::outcome_json(*outcome);
}

Result<Json> done(const Status& status) {
  if (!status) return fail(status.error());
  return Json(true);
}

Result<Json> publish(Client& client, Call& call) {
  const auto key = key_in(call);
  if (!key) return fail(key.error());
  PublishOptions options = options_in(call);
  if (call.params.contains("cid")) {
    const auto cid = cid_in(call.params);
    if (!cid) return fail(cid.error());
    return outcome_of(client.publish_cid(*key, *cid, options));
  }
  const auto path = open_path(call);
  if (!path) return fail(path.error());
  constexpr uint64_t kStep = 4 << 20;
  options.on_packing = [tell = call.tell, last = uint64_t{0}](uint64_t bytes) mutable {
    if (bytes < last + kStep) return;
    last = bytes;
    tell({{"packing", bytes}});
  };
  auto outcome = client.publish(*key, *path, options);
  if (outcome) return control::outcome_json(*outcome);
  return fail(under_their_name(outcome.error(), *path, call.params.at("path")));
}

Result<Json> announce(Client& client, Call& call) {
  const auto name = name_in(call.params);
  if (!name) return fail(name.error());
  const auto cid = cid_in(call.params);
  if (!cid) return fail(cid.error());
  std::optional<IpnsRecord> record;
  if (call.params.contains("record")) {
    const auto bytes = control::bytes_from(call.params["record"]);
    if (!bytes) return fail(bytes.error());
    record = sound_record(*name, *bytes);
    if (!record) return fail(no_record());
  }
  return outcome_of(client.announce(
      *name, *cid, Sequence{call.params.at("sequence").get<uint64_t>()}, std::move(record),
      call.stop, call.params.at("trust_clock"), control::deadline_from(call.params.at("left_ms"))));
}

Result<Json> retract(Client& client, Call& call) {
  const auto name = name_in(call.params);
  if (!name) return fail(name.error());
  return outcome_of(
      client.retract(*name, call.stop, control::deadline_from(call.params.at("left_ms"))));
}

Result<Json> lost(Client& client, Call& call) {
  const auto name = name_in(call.params);
  if (!name) return fail(name.error());
  return control::lost_json(client.lost(*name));
}

Result<Json> acknowledge_lost(Client& client, Call& call) {
  const auto name = name_in(call.params);
  if (!name) return fail(name.error());
  return done(client.acknowledge_lost(*name));
}

Result<Json> forget(Client& client, Call& call) {
  const auto name = name_in(call.params);
  if (!name) return fail(name.error());
  return done(client.forget(*name));
}

Result<Json> take_in(Client& client, Call& call) {
  const auto name = name_in(call.params);
  if (!name) return fail(name.error());
  const auto bytes = control::bytes_from(call.params.at("record"));
  if (!bytes) return fail(bytes.error());
  const auto record = sound_record(*name, *bytes);
  if (!record) return fail(no_record());
  return done(client.take_in(*name, *record));
}

Instant deadline_in(const Json& params) {
  return control::deadline_from(params.at("left_ms")).value_or(Instant());
}

Result<Json> devices_of(const Result<std::vector<Device>>& devices) {
  if (!devices) return fail(devices.error());
  return control::devices_json(*devices);
}

Result<Json> devices(Client& client, Call& call) {
  return devices_of(client.devices(deadline_in(call.params), call.stop));
}

Result<Json> wait_applied(Client& client, Call& call) {
  const auto name = name_in(call.params);
  if (!name) return fail(name.error());
  return devices_of(client.wait_applied(*name, control::version_from(call.params.at("version")),
                                        call.params.at("count").get<size_t>(),
                                        deadline_in(call.params), call.stop));
}

struct Method {
  std::string_view name;
  Result<Json> (*serve)(Client&, Call&);
};
constexpr std::array<Method, 9> kMethods = {{{"publish", publish},
                                             {"announce", announce},
                                             {"retract", retract},
                                             {"lost", lost},
                                             {"acknowledge_lost", acknowledge_lost},
                                             {"forget", forget},
                                             {"take_in", take_in},
                                             {"devices", devices},
                                             {"wait_applied", wait_applied}}};

}  // namespace

Result<Json> serve_call(Client& client, Call& call) {
  const auto found = std::find_if(kMethods.begin(), kMethods.end(),
                                  [&](const Method& one) { return one.name == call.method; });
  if (found != kMethods.end()) return found->serve(client, call);
  return fail(Errc::unsupported,
              "ipnscast " IPNSCAST_VERSION " does not know the call \"" + call.method + "\"");
}

}  // namespace ipnscast::sync
