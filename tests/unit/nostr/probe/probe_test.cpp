#include "ipnscast/nostr/probe/probe.h"

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/probe/verdict.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/relays/virtual_wire.h"

// The probe against relays with one fault each, on a virtual clock.
using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;
using probe::Access;
using probe::Negentropy;
using probe::Report;
using probe::TieBreak;
using Faults = FaultyRelay::Faults;

namespace {

const RelayUrl kUrl = *RelayUrl::parse("ws://127.0.0.1:7777");

struct Probed {
  Report report;
  probe::Verdict verdict;
  std::vector<Event> left;  // what the relay still stores
  size_t sent = 0;          // frames
  size_t auths = 0;         // AUTH among them
  size_t connections = 0;
};

Probed probed(Faults faults, const probe::Options& options = {},
              const std::function<void(VirtualWire&)>& prepare = {}) {
  FaultyRelay relay(std::move(faults), kUrl);
  VirtualWire wire(relay);
  wire.handshake.deflate = true;
  wire.handshake.information = RelayInformation{};
  if (prepare) prepare(wire);
  Probed out{.report = probe::run(wire, kUrl, options)};
  out.verdict = probe::judge(out.report);
  out.left = relay.stored();
  out.sent = wire.sent;
  out.auths = relay.auths();
  out.connections = relay.connections();
  return out;
}

bool says(const probe::Verdict& verdict, const std::string& words) {
  return std::any_of(verdict.reasons.begin(), verdict.reasons.end(), [&](const probe::Reason& r) {
    return r.text.find(words) != std::string::npos;
  });
}

const probe::Limit& limit(const Report& report, std::string_view name) {
  for (const probe::Limit& limit : report.limits)
    if (limit.name == name) return limit;
  FAIL("no limit " << name);
  return report.limits.front();
}

}  // namespace

TEST_CASE("a good relay gets the hundred, and is left as it was") {
  const Probed p = probed({.negentropy = true});
  for (const auto& reason : p.verdict.reasons) UNSCOPED_INFO(reason.text);
  CHECK(p.verdict.fit);
  CHECK(p.verdict.score == 100);
  CHECK(p.verdict.reasons.empty());
  REQUIRE(p.report.kinds.size() == 2);
  for (const auto& kind : p.report.kinds) {
    CHECK(kind.accepted == Access::yes);
    CHECK(kind.to_author == Access::yes);
    CHECK(kind.to_stranger == Access::yes);
  }
  CHECK(p.report.replacement.newer_wins == true);
  CHECK(p.report.replacement.older_stays_away == true);
  CHECK(p.report.replacement.keeps_one == true);
  CHECK(p.report.replacement.tie_break == TieBreak::lowest);
  CHECK(p.report.filters_by_d == true);
  CHECK(p.report.live.published == 8);
  CHECK(p.report.live.heard == 8);
  CHECK(p.report.live.echo.percentile(95) == VirtualWire::kDelay);
  CHECK(p.report.ok.percentile(50) == VirtualWire::kDelay);
  CHECK(p.report.negentropy == Negentropy::works);
  CHECK(p.report.kept == true);
  CHECK(p.report.deletion.honoured == true);
  CHECK(p.report.deletion.stays_gone == true);
  CHECK(p.report.unanswered == 0);
  CHECK(p.report.without_end == 0);
  CHECK(p.report.limits.size() == 4);
  CHECK(p.left.empty());
  CHECK(p.sent < 120);  // polite
}

TEST_CASE("a relay that takes no hint kind is unfit, and says why") {
  const Probed p = probed({.refuses_kinds = {30078, 30079}});
  CHECK_FALSE(p.verdict.fit);
  CHECK(p.verdict.score < 50);
  CHECK(says(p.verdict, "blocked: kind"));
  CHECK(p.report.kinds.front().accepted == Access::no);
  CHECK_FALSE(p.report.kind);
}

TEST_CASE("a relay that refuses one hint kind is tried with the other") {
  const Probed p = probed({.refuses_kinds = {30078}});
  CHECK(p.verdict.fit);
  CHECK(p.report.kind == 30079);
  CHECK(says(p.verdict, "kind 30078 is refused"));
}

TEST_CASE("a relay that wants AUTH for one kind is seen to take the other without") {
  const Probed p = probed({.auth_to_write = {30078}, .negentropy = true});
  CHECK(p.report.asked_for_auth);
  CHECK(p.report.kinds[0].accepted == Access::with_auth);
  CHECK(p.report.kinds[1].accepted == Access::yes);
  CHECK(p.verdict.fit);
  CHECK(p.verdict.score == 98);
  CHECK(p.left.empty());
}

TEST_CASE("a relay that keeps kind 30078 to its author (NIP-78) is fit: S3 kinds are a setting") {
  const Probed p = probed({.owner_only = {30078}, .negentropy = true});
  CHECK(p.report.kinds[0].accepted == Access::with_auth);
  CHECK(p.report.kinds[0].to_author == Access::with_auth);
  CHECK(p.report.kinds[0].to_stranger == Access::no);
  CHECK(p.report.kinds[1].to_stranger == Access::yes);
  CHECK(p.report.live.heard == 8);  // by the author's second connection
  CHECK(p.verdict.fit);
}

TEST_CASE("a relay that refuses our AUTH is not sent it again with every question") {
  const Probed p = probed({.owner_only = {30078, 30079}, .refuses_auth = true});
  CHECK(p.report.kinds[0].accepted == Access::no);
  CHECK_FALSE(p.verdict.fit);
  CHECK(p.auths > 0);
  CHECK(p.auths <= p.connections);
}

TEST_CASE("a relay that hides events from strangers without a word is seen through") {
  const Probed p = probed({.hides_from_strangers = {30078, 30079}, .negentropy = true});
  CHECK(p.report.kinds[0].accepted == Access::yes);
  CHECK(p.report.kinds[0].to_author == Access::with_auth);
  CHECK(p.report.kinds[0].to_stranger == Access::no);
  CHECK(says(p.verdict, "kind 30079 is not served to strangers"));
}

TEST_CASE("a relay that never says OK is found to store all the same") {
  const Probed p = probed({.no_ok = true});
  CHECK(p.report.kinds.front().accepted == Access::yes);
  CHECK(p.report.unanswered > 0);
  CHECK(says(p.verdict, "got no OK"));
  CHECK(p.report.lasted <= Seconds(30));
  CHECK(p.left.empty());
}

TEST_CASE("a relay that says OK and stores nothing is unfit") {
  const Probed p = probed({.lies = true});
  CHECK_FALSE(p.verdict.fit);
  CHECK(p.report.kinds.front().to_author == Access::no);
}

TEST_CASE("a relay that forgets what it took is unfit") {
  const Probed p = probed({.loses_after_reads = true});
  CHECK(p.report.kept == false);
  CHECK_FALSE(p.verdict.fit);
  CHECK(says(p.verdict, "gone a little later"));
}

TEST_CASE("a relay that answers from a stale cache is seen to, and not taken for a worse one") {
  const Probed p = probed({.serves_late = true, .negentropy = true});
  CHECK(p.report.served_late > 0);
  CHECK(p.report.replacement.newer_wins == true);
  CHECK(p.report.replacement.tie_break == TieBreak::lowest);
  CHECK(p.verdict.fit);
  CHECK(p.verdict.score == 97);
  CHECK(p.left.empty());
}

TEST_CASE("a wrong tie-break is named") {
  const std::pair<FaultyRelay::Ties, TieBreak> cases[] = {
      {FaultyRelay::Ties::highest, TieBreak::highest},
      {FaultyRelay::Ties::first, TieBreak::first},
      {FaultyRelay::Ties::last, TieBreak::last}};
  for (const auto& [ties, expected] : cases) {
    const Probed p = probed({.ties = ties});
    CHECK(p.report.replacement.tie_break == expected);
    CHECK(p.verdict.fit);
    CHECK(says(p.verdict, "of versions with one time"));
  }
}

TEST_CASE("a relay that keeps every version is seen to") {
  const Probed p = probed({.keeps_versions = true});
  CHECK(p.report.replacement.keeps_one == false);
  CHECK(p.report.replacement.tie_break == TieBreak::unknown);
  CHECK(says(p.verdict, "more than one version"));
}

TEST_CASE("a relay where an old version replaces a new one is unfit") {
  const Probed p = probed({.older_replaces = true});
  CHECK(p.report.replacement.older_stays_away == false);
  CHECK_FALSE(p.verdict.fit);
}

TEST_CASE("tag filters are tried on stored and on live events") {
  const Probed stored = probed({.ignores_d = true});
  CHECK(stored.report.filters_by_d == false);
  CHECK_FALSE(stored.report.live.heard_others);
  const Probed live = probed({.ignores_d_live = true});
  CHECK(live.report.filters_by_d == true);
  CHECK(live.report.live.heard_others);
  CHECK(live.report.live.heard == 8);
  CHECK(says(live.verdict, "live events are not filtered by #d"));
}

TEST_CASE(
    "a relay that delivers nothing live is unfit, and found out without waiting eight times") {
  const Probed p = probed({.deaf = true});
  CHECK(p.report.live.published == 2);
  CHECK(p.report.live.heard == 0);
  CHECK_FALSE(p.verdict.fit);
  CHECK(says(p.verdict, "nothing arrives live"));
}

TEST_CASE("a relay that alters what it serves is unfit") {
  const Probed p = probed({.alters = true});
  CHECK(p.report.forged > 0);
  CHECK_FALSE(p.verdict.fit);
}

TEST_CASE("a relay without EOSE ends within the time, and is cleaned up") {
  const Probed p = probed({.no_eose = true});
  CHECK(p.report.without_end > 0);
  CHECK(p.report.lasted <= Seconds(30));
  CHECK(p.left.empty());
}

TEST_CASE("a relay that floods does not keep the probe beyond its time") {
  const Probed p = probed({.floods = true});
  CHECK(p.report.notices.size() == 10);
  CHECK(p.report.lasted <= Seconds(30));
}

TEST_CASE("deletion is tried, and what stays is counted") {
  const Probed ignored = probed({.ignores_deletion = true});
  CHECK(ignored.report.deletion.honoured == false);
  CHECK(ignored.report.deletion.left_behind == ignored.left.size());
  CHECK(ignored.left.size() > 0);
  CHECK(says(ignored.verdict, "NIP-09"));
  const Probed forgotten = probed({.forgets_deletion = true});
  CHECK(forgotten.report.deletion.honoured == true);
  CHECK(forgotten.report.deletion.stays_gone == false);
  CHECK(forgotten.left.empty());
}

TEST_CASE("a connection that is lost in the middle is made again") {
  const Probed p = probed({.drops_after_writes = true});
  CHECK(p.report.live.heard == 8);
  CHECK(p.left.empty());
}

TEST_CASE("an interrupted probe deletes what it wrote") {
  for (const size_t writes : {1u, 2u, 5u, 9u, 14u}) {
    const Probed p = probed({}, {}, [&](VirtualWire& wire) { wire.cancel_after_writes = writes; });
    INFO("after " << writes);
    REQUIRE(p.report.cut_short);
    CHECK(p.report.cut_short->code == Errc::cancelled);
    CHECK(p.left.empty());
    CHECK_FALSE(p.verdict.fit);
  }
}

TEST_CASE("a probe without enough time says so and still cleans up") {
  const Probed p = probed({}, {.timeout = Milliseconds(400)});
  REQUIRE(p.report.cut_short);
  CHECK(p.report.cut_short->code == Errc::timeout);
  CHECK(p.report.lasted <= Milliseconds(400));
  CHECK(p.left.empty());
  CHECK_FALSE(p.verdict.fit);
}

TEST_CASE("rate limits are met with a pause and noted") {
  const Probed p = probed({.rate_limit_every = 7});
  CHECK(p.report.rate_limited > 0);
  CHECK(p.verdict.fit);
  CHECK(p.left.empty());
}

TEST_CASE("limits are held against NIP-11") {
  const Probed p = probed({.max_subscriptions = 4, .max_content = 8000}, {}, [](VirtualWire& wire) {
    wire.handshake.information->max_subscriptions = 20;
    wire.handshake.information->max_content_length = 4000;
  });
  const auto& content = limit(p.report, "bytes of content");
  CHECK(content.tried == 4000);
  CHECK(content.met);
  CHECK(says(p.verdict, "takes no more than 4000 bytes of content"));
  const auto& subscriptions = limit(p.report, "subscriptions at once");
  CHECK_FALSE(subscriptions.met);
  CHECK(subscriptions.reason == "error: too many subscriptions");
  CHECK(says(p.verdict, "does not take 10 subscriptions at once, though NIP-11 says so"));
}

TEST_CASE("an unreachable relay has no score") {
  const Probed p = probed({}, {}, [](VirtualWire& wire) { wire.unreachable = true; });
  REQUIRE(p.report.unreachable);
  CHECK(p.verdict.score == 0);
  CHECK_FALSE(p.verdict.fit);
  CHECK(p.sent == 0);
}

TEST_CASE("an answer to NEG-OPEN counts only when it names what is there") {
  CHECK(probed({.negentropy = true}).report.negentropy == Negentropy::works);
  const Probed refusing = probed({});
  CHECK(refusing.report.negentropy == Negentropy::refuses);
  CHECK(refusing.report.negentropy_reason == "unknown command");
  for (const char* answer : {"6100000200", "6100000202", "62", "", "61ff"}) {
    const Probed wrong = probed({.negentropy_answer = *from_hex(answer)});
    INFO(answer);
    CHECK(wrong.report.negentropy == Negentropy::wrong);
    CHECK_FALSE(wrong.report.negentropy_reason.empty());
    CHECK(wrong.verdict.fit);
  }
}

TEST_CASE("percentiles are those of the nearest rank") {
  probe::Latencies latencies;
  CHECK_FALSE(latencies.percentile(50));
  for (int i = 10; i >= 1; --i) latencies.samples.push_back(probe::Took(i));
  CHECK(latencies.percentile(50) == probe::Took(5));
  CHECK(latencies.percentile(95) == probe::Took(10));
  CHECK(latencies.percentile(0) == probe::Took(1));
}
