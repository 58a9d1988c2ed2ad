#include "ipnscast/sync/control/control_link.h"

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/sync/control/local_socket.h"

namespace ipnscast::sync::control {
namespace {

using Json = nlohmann::json;

constexpr Milliseconds kHolderGreets{2'000};
constexpr Milliseconds kLook{200};
constexpr Milliseconds kLeaving{2'000};
constexpr Milliseconds kGrace{5'000};
constexpr size_t kMaxMessage = 64 << 10;

}  // namespace

Result<std::unique_ptr<ControlLink>> ControlLink::open(const std::filesystem::path& state_dir) {
  const auto folder = Folder::open(state_dir);
  if (!folder) return fail(folder.error());
  auto socket = connect_in(*folder, std::string(kSocket));
  if (!socket) return fail(socket.error());
  std::unique_ptr<ControlLink> out(new ControlLink(std::move(*socket)));
  if (auto greeted = out->greet(); !greeted) return fail(greeted.error());
  return out;
}

Status ControlLink::greet() {
  const auto line = channel_.read(std::chrono::steady_clock::now() + kHolderGreets);
  // One that ends right now, or that does not get to it.
  if (!line) return fail(Errc::not_found, "whoever listens there does not answer");
  const Json greeting = parse_line(*line);
  if (greeting.is_object() && greeting.contains("error"))
    return fail(error_from(greeting["error"]));
  const Json protocol = greeting.is_object() ? greeting.value("protocol", Json()) : Json();
  if (protocol != kProtocol)
    return fail(Errc::unsupported, "it speaks protocol " + protocol.dump() +
                                       ", and this program speaks " + std::to_string(kProtocol));
  facts_ = greeting.value("facts", Json::object());
  return channel_.write(line_of({{"ipnscast", IPNSCAST_VERSION}, {"protocol", kProtocol}}));
}

Result<Json> ControlLink::call(const std::string& method, const Json& params,
                               const Answers& answers, std::stop_token stop,
                               std::optional<Instant> deadline, int descriptor) {
  const Error ended{Errc::closed, "the process that holds the state directory ended meanwhile"};
  if (!channel_.write(line_of({{"call", method}, {"params", params}}), descriptor))
    return fail(ended);
  const std::stop_callback on_stop(stop, [this] {
    (void)channel_.write(line_of({{"cancel", true}}));
  });
  if (deadline) *deadline += kGrace;
  for (;;) {
    const auto line = next_line(stop, deadline);
    if (!line) return fail(line.error().code == Errc::closed ? ended : line.error());
    const Json said = parse_line(*line);
    if (!said.is_object()) return fail(Errc::parse, "an answer that is no JSON object");
    if (said.contains("sign")) {
      sign(said, answers);
    } else if (const auto told = said.find("told"); told != said.end()) {
      if (answers.told) answers.told(*told);
    } else if (const auto error = said.find("error"); error != said.end()) {
      return fail(error_from(*error));
    } else if (const auto result = said.find("result"); result != said.end()) {
      return *result;
    }
  }
}

// A holder that does not come round is not waited for longer than the caller wants.
Result<std::string> ControlLink::next_line(const std::stop_token& stop,
                                           std::optional<Instant> end) {
  std::optional<Instant> leave;
  for (;;) {
    const Instant now = std::chrono::steady_clock::now();
    if (stop.stop_requested() && !leave) leave = now + kLeaving;
    if (leave && now >= *leave) return fail(Errc::cancelled, "stopped");
    if (end && now >= *end)
      return fail(Errc::timeout, "the process that holds the state directory does not answer");
    auto line = channel_.read(now + kLook);
    if (line || line.error().code != Errc::timeout) return line;
  }
}

void ControlLink::sign(const Json& line, const Answers& answers) {
  Json answer = {{"number", line.value("number", Json())}};
  const auto message = from_base64(text_in(line, "sign"), kMaxMessage);
  if (message && answers.sign) {
    if (const auto signature = answers.sign(*message)) answer["signature"] = to_base64(*signature);
  }
  (void)channel_.write(line_of(answer));
}

}  // namespace ipnscast::sync::control
