#include "ipnscast/sync/control/control_link.h"

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/sync/control/local_socket.h"

namespace ipnscast::sync::control {
namespace {

using Json = nlohmann::json;

constexpr Milliseconds kHolderGreets{2'000};
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
                               const Answers& answers, std::stop_token stop, int descriptor) {
  const Error ended{Errc::closed, "the process that holds the state directory ended meanwhile"};
  if (!channel_.write(line_of({{"call", method}, {"params", params}}), descriptor))
    return fail(ended);
  const std::stop_callback on_stop(stop, [this] {
    (void)channel_.write(line_of({{"cancel", true}}));
  });
  for (;;) {
    const auto line = channel_.read();
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

void ControlLink::sign(const Json& line, const Answers& answers) {
  Json answer = {{"number", line.value("number", Json())}};
  const auto message = from_base64(text_in(line, "sign"), kMaxMessage);
  if (message && answers.sign) {
    if (const auto signature = answers.sign(*message)) answer["signature"] = to_base64(*signature);
  }
  (void)channel_.write(line_of(answer));
}

}  // namespace ipnscast::sync::control
