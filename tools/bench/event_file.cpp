#include "ipnscast/tools/bench/event_file.h"

#include <fstream>

#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/event/message.h"

namespace ipnscast::tools {
namespace {

constexpr char kName[] = "k51qzi5uqu5dhbucpoao44lx7txki8bokz8n2cucag2rl87ahq2hv090gg5pnm";
constexpr char kCid[] = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";

}  // namespace

nostr::UnsignedEvent bench_hint(const std::string& d, size_t version) {
  const std::string name = kName;
  const std::string cid = kCid;
  const std::string sequence = std::to_string(version);
  return {{1790000000 + static_cast<int64_t>(version)},
          30078,
          {{"d", d}, {"t", "ipns-sync"}, {"cid", cid}, {"seq", sequence}},
          R"({"type":"ipns-sync","ipnsName":")" + name + R"(","cid":")" + cid +
              R"(","sequence":")" + sequence +
              R"(","timestamp":1790000000000,"v":1,"version":7,"deviceId":"laptop"})"};
}

BenchEvents make_bench_events(size_t count, size_t keys) {
  std::vector<nostr::SecretKey> authors;
  for (size_t i = 0; i < keys; ++i) authors.push_back(nostr::SecretKey::generate());
  BenchEvents out;
  for (size_t i = 0; i < count; ++i) {
    // Addresses of their own, so that a relay keeps them all.
    const std::string d = std::string("ipns-sync-") + kName + std::to_string(i);
    out.events.push_back(nostr::sign_event(authors[i % keys], bench_hint(d, i + 1)));
    out.frames.push_back(
        nostr::to_frame(nostr::RelayMessage(nostr::EventMessage{"sub:1", out.events.back()})));
  }
  return out;
}

Result<BenchEvents> read_bench_events(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) return fail(Errc::io, file.string() + ": cannot be read");
  BenchEvents out;
  for (std::string line; std::getline(in, line);) {
    auto message = nostr::parse_relay_message(line);
    auto* const event = message ? std::get_if<nostr::EventMessage>(&*message) : nullptr;
    if (event == nullptr) {
      return fail(Errc::parse, file.string() + ": line " + std::to_string(out.frames.size() + 1) +
                                   " is no event from a relay");
    }
    out.events.push_back(std::move(event->event));
    out.frames.push_back(std::move(line));
  }
  if (out.events.empty()) return fail(Errc::parse, file.string() + ": no events");
  return out;
}

Status write_bench_events(const std::filesystem::path& file, const BenchEvents& events) {
  std::ofstream out(file);
  for (const std::string& frame : events.frames) out << frame << "\n";
  out.close();
  return out ? Status{} : fail(Errc::io, file.string() + ": cannot be written");
}

}  // namespace ipnscast::tools
