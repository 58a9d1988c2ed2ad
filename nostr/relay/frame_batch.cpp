#include "ipnscast/nostr/relay/frame_batch.h"

#include <tuple>

#include "ipnscast/nostr/event/frame.h"
#include "ipnscast/nostr/relay/relay.h"

namespace ipnscast::nostr {

// An event of a subscription with a rule, parsed and with a right id, whose signature waits.
struct FrameBatch::Version {
  uint64_t relay = 0;
  CheckedFrame frame;
  std::shared_ptr<NewestRule> rule;
  std::optional<Address> address;          // nothing: covers nothing and is not covered
  std::optional<NewestRule::Claim> claim;  // read when first asked for
  bool claim_is_read = false;
  size_t group = 0;          // where its group starts in Ahead::order
  bool has_company = false;  // there are more of its group
  bool settled = false;

  auto group_key() const { return std::tie(relay, frame.subscription, address); }
  const Event& event() const { return std::get<EventMessage>(*frame.message).event; }
  const std::optional<NewestRule::Claim>& read_claim() {
    if (!claim_is_read) claim = rule->claim(event());
    claim_is_read = true;
    return claim;
  }
  bool holds() const {
    return frame.verdict == Verdict::verified || frame.verdict == Verdict::known;
  }
};

struct FrameBatch::Ahead {
  static constexpr size_t kNone = ~size_t{0};

  explicit Ahead(size_t frames) : results(frames), version_of(frames, kNone) {}

  // By frame. One that was opened has its result or its version, the others nothing yet.
  std::vector<std::optional<CheckedFrame>> results;
  std::vector<size_t> version_of;

  std::vector<Version> versions;
  // Those with an address, by number; each group stands together, the latest created_at first.
  std::vector<size_t> order;

  void sort() {
    for (size_t i = 0; i < versions.size(); ++i) {
      if (versions[i].address) order.push_back(i);
    }
    std::sort(order.begin(), order.end(), [this](size_t a, size_t b) {
      const Version& left = versions[a];
      const Version& right = versions[b];
      if (left.group_key() != right.group_key()) return left.group_key() < right.group_key();
      return left.frame.created_at > right.frame.created_at;
    });
    for (size_t i = 0; i < order.size(); ++i) {
      Version& version = versions[order[i]];
      const bool first = i == 0 || versions[order[i - 1]].group_key() != version.group_key();
      version.group = first ? i : versions[order[i - 1]].group;
      if (!first) version.has_company = versions[order[i - 1]].has_company = true;
    }
  }
};

void FrameBatch::check(std::vector<RelayFrame> frames,
                       const std::function<void(CheckedRelayFrame)>& emit) {
  Ahead ahead(frames.size());
  if (!rules_.empty()) open_ahead(frames, ahead);
  for (size_t i = 0; i < frames.size(); ++i) {
    CheckedRelayFrame out;
    out.relay = frames[i].relay;
    if (ahead.version_of[i] != Ahead::kNone) {
      out.result = settle(ahead, ahead.version_of[i]);
    } else if (ahead.results[i]) {
      out.result = std::move(*ahead.results[i]);
    } else {
      out.result = verifier_.check(frames[i].text);
    }
    if (out.result.verdict == Verdict::duplicate) out.text = std::move(frames[i].text);
    emit(std::move(out));
  }
}

// Opens the frames whose subscription has a rule. A second frame that seems to have the same event
// is left for its turn: the first has been verified by then, and the copy costs no parse.
void FrameBatch::open_ahead(const std::vector<RelayFrame>& frames, Ahead& ahead) {
  std::unordered_set<std::string_view> ids;
  std::string_view subscription;
  std::shared_ptr<NewestRule> rule;
  for (size_t i = 0; i < frames.size(); ++i) {
    const auto plain = find_event(frames[i].text);
    if (!plain) continue;
    if (plain->subscription != subscription) {
      subscription = plain->subscription;
      // The pages of a catch-up follow the rule of the subscription that they belong to.
      rule = rules_.find(SubscriptionId(Relay::owner(subscription)));
    }
    if (!rule) continue;
    const std::string_view id = guess_id(plain->event);
    if (!id.empty() && !ids.insert(id).second) continue;
    FrameVerifier::Opened opened = verifier_.open(frames[i].text);
    if (!opened.lacks_signature) {
      ahead.results[i] = std::move(opened.frame);
      continue;
    }
    Version version{.relay = frames[i].relay, .frame = std::move(opened.frame), .rule = rule};
    version.address = rule->address(version.event());
    ahead.version_of[i] = ahead.versions.size();
    ahead.versions.push_back(std::move(version));
  }
  ahead.sort();
}

CheckedFrame FrameBatch::settle(Ahead& ahead, size_t number) {
  Version& version = ahead.versions[number];
  if (!version.settled && is_covered(ahead, number)) {
    version.settled = true;
    version.frame.message.reset();
    version.frame.verdict = Verdict::skipped;
  }
  verify(version);
  return std::move(version.frame);
}

// Verifies what would cover the event, best first, until something does.
bool FrameBatch::is_covered(Ahead& ahead, size_t number) {
  Version& version = ahead.versions[number];
  if (!version.address) return false;
  const auto covers = [&version](const std::optional<NewestRule::Claim>& other) {
    return other && version.read_claim() && other->covers(*version.claim);
  };
  if (covers(version.rule->delivered_claim(*version.address, version.frame.created_at)))
    return true;
  for (size_t at = version.group; at < ahead.order.size(); ++at) {
    Version& other = ahead.versions[ahead.order[at]];
    if (other.group != version.group || other.frame.created_at < version.frame.created_at) break;
    if ((other.settled && !other.holds()) || !covers(other.read_claim())) continue;
    verify(other);
    if (other.holds()) return true;
  }
  return false;
}

void FrameBatch::verify(Version& version) {
  if (version.settled) return;
  version.settled = true;
  if (version.has_company) version.read_claim();  // now, as the event is handed over
  verifier_.settle(version.frame);
  if (version.address && version.holds()) version.rule->verified(*version.address, version.event());
}

}  // namespace ipnscast::nostr
