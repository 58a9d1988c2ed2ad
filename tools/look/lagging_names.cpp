#include "ipnscast/nostr/base/file/temporary_directory.h"
#include "ipnscast/sync/state/known_here.h"
#include "ipnscast/tools/look/remote_checks.h"
#include "ipnscast/tools/look/rows.h"

namespace ipnscast::tools {
namespace {

constexpr size_t kMostNamesAsked = 100;
constexpr Milliseconds kNameDeadline{10'000};

// Asks nobody but gateways, keeps nothing, and has no key that could put anything right.
sync::Config asking_config(const Session& session, const std::filesystem::path& folder) {
  sync::Config out = session.local_config();
  out.known_dir = out.state_dir;
  out.state_dir = folder / "state";
  out.cache_dir.clear();
  out.encrypt_at_rest = false;
  out.relays.clear();
  out.websocket.clear();
  out.sse.clear();
  out.w3name.clear();
  out.pubsub = false;
  return out;
}

// What the sources say of a name, but for what is known here.
struct Answers {
  bool told = false;     // somebody said what it has, or that it has nothing
  bool reached = false;  // somebody has what is known here, or better
  bool behind = false;   // somebody has an older record
};
Answers answers_of(const sync::ResolveReport& report, sync::Sequence known) {
  Answers out;
  for (const auto& source : report.sources) {
    if (source.url == sync::kKnownHere) continue;
    out.told |= source.told();
    if (!source.sequence) continue;
    (*source.sequence < known ? out.behind : out.reached) = true;
  }
  return out;
}

// Nothing when some source has what is known here, and it is valid.
std::optional<Finding> judge_name(const sync::NameStatus& name,
                                  const Result<sync::ResolveReport>& found) {
  Finding out{Health::warning, "name", name.name.to_string(), {}};
  const Answers answers = found ? answers_of(*found, name.sequence) : Answers{};
  const std::string again =
      "publish it again, or run \"ipnscast watch\", which renews your records";
  if (!answers.told) {
    out.text = "no source says what it has of it" + (found ? "" : ": " + found.error().message);
    out.advice = "see the rows of the gateways";
  } else if (!answers.reached && answers.behind) {
    out.health = Health::problem;
    out.text = "all sources lag: none has sequence " + std::to_string(name.sequence.value) +
               ", which is known here";
    out.advice = name.own ? again : "\"ipnscast watch --keep-alive\" brings them the record";
  } else if (!answers.reached) {
    out.text = "no source has a record of it";
    out.advice = name.own ? again : "\"ipnscast watch --keep-alive\" brings them the record";
  } else if (!found->best) {
    out.text = "its record is no longer valid";
    out.advice = name.own ? again : "its publisher has to renew it";
  } else {
    return std::nullopt;
  }
  return out;
}

}  // namespace

Findings check_names(Asking& asking, const std::vector<sync::NameStatus>& names) {
  if (names.empty() || asking.session.settings().engine.gateways.empty()) return {};
  const auto folder = TemporaryDirectory::make();
  if (!folder) return {{Health::problem, "name", "", folder.error().message, "make room in it"}};
  const auto client = sync::Client::open(asking_config(asking.session, folder->path()));
  if (!client) return {{Health::problem, "name", "", client.error().message, "see config"}};
  const std::stop_callback on_stop(asking.stop, [&client] { (*client)->close(); });
  const size_t asked = std::min(names.size(), kMostNamesAsked);
  std::vector<std::optional<Finding>> found(asked);
  side_by_side(asked, [&](size_t i) {
    found[i] =
        judge_name(names[i], (*client)->resolve(names[i].name, asking.limit.left(kNameDeadline)));
  });
  Findings out;
  for (auto& one : found) {
    if (one) out.push_back(std::move(*one));
  }
  if (out.empty())
    out.push_back({Health::ok, "names", "", counted(asked, "name") + ", as new as known here"});
  if (asked < names.size())
    out.push_back({Health::ok, "names", "",
                   counted(names.size() - asked, "more name") + " were not asked about"});
  return out;
}

}  // namespace ipnscast::tools
