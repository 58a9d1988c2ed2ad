#include <cstdlib>

#include "ipnscast/nostr/signer/remote_session.h"

using namespace ipnscast;
using namespace ipnscast::nostr;

// Each line is what a hostile signer says, about the newest request where it writes $ for an id.
// Every call gets one answer, whatever is said.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string shared = "secret";
  RemoteSession session({}, PublicKey{}, SecretText::take(shared), {}, "id", Rng(1));
  Now now{Instant{} + std::chrono::hours(1), {1'700'000'000'000}};
  std::string newest;
  uint64_t asked = 0;
  uint64_t answered = 0;
  const auto step = [&](auto what) {
    RemoteSession::Actions out;
    what(out);
    for (const auto& action : out) {
      if (const auto* send = std::get_if<RemoteSession::Send>(&action)) newest = send->request.id;
      if (std::holds_alternative<RemoteSession::Answer>(action)) ++answered;
    }
  };
  step([&](auto& out) { session.listening(now, out); });
  std::string_view rest = as_text({data, size});
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (const size_t at = line.find('$'); at != std::string::npos) line.replace(at, 1, newest);
    now.steady += std::chrono::seconds(1);
    step([&](auto& out) { session.receive(line, now, out); });
    step([&](auto& out) { session.call({++asked}, "ping", {}, now, out); });
    step([&](auto& out) { session.tick(now, out); });
  }
  now.steady += std::chrono::hours(1);
  step([&](auto& out) { session.tick(now, out); });
  if (asked != answered) std::abort();
  return 0;
}
