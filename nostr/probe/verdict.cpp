#include "ipnscast/nostr/probe/verdict.h"

#include <algorithm>

namespace ipnscast::nostr::probe {
namespace {

constexpr int kOwnKind = 30078;  // by NIP-78 a relay may keep it to its author
constexpr Took kBrisk = Milliseconds(500);
constexpr Took kSlow = Milliseconds(2'000);

using Reasons = std::vector<Reason>;

std::string with(const std::string& text, const std::string& words) {
  return words.empty() ? text : text + ": " + words;
}

void judge_access(const Report& report, Reasons& out) {
  if (!report.kind) {
    const bool known = std::all_of(report.kinds.begin(), report.kinds.end(), [](const auto& k) {
      return k.accepted == Access::no || k.to_author == Access::no;
    });
    std::string words = report.kinds.empty() ? "" : report.kinds.front().reason;
    out.push_back({0, true,
                   with(known ? "no hint kind is both taken and served to its author"
                              : "no hint kind is known to be taken and served",
                        words)});
  }
  for (const KindAccess& access : report.kinds) {
    const std::string kind = "kind " + std::to_string(access.kind);
    if (access.accepted == Access::no) {
      out.push_back({10, false, with(kind + " is refused", access.reason)});
      continue;
    }
    if (access.accepted == Access::unknown)
      out.push_back({10, false, with(kind + ": no word whether it is taken", access.reason)});
    if (access.accepted == Access::with_auth)
      out.push_back({2, false, kind + " is taken only with AUTH"});
    if (access.to_author == Access::no)
      out.push_back({10, false, kind + " is not served to its author"});
    if (access.to_stranger == Access::no && access.kind != kOwnKind)
      out.push_back({15, false, kind + " is not served to strangers: followers cannot read it"});
    if (access.to_stranger == Access::with_auth)
      out.push_back({3, false, kind + " is served to strangers only with AUTH"});
  }
}

void judge_replacement(const Replacement& replacement, Reasons& out) {
  if (replacement.newer_wins == false)
    out.push_back({30, true, "a newer version does not take the place of the older"});
  if (replacement.older_stays_away == false)
    out.push_back({30, true, "an older version that comes late takes the place of the newer"});
  if (replacement.keeps_one == false)
    out.push_back({8, false, "more than one version of an address is served"});
  switch (replacement.tie_break) {
    case TieBreak::unknown:
    case TieBreak::lowest:
      return;
    case TieBreak::highest:
    case TieBreak::first:
    case TieBreak::last:
      out.push_back({8, false,
                     "of versions with one time it keeps the " +
                         std::string(to_string(replacement.tie_break)) + ", not the lowest id"});
  }
}

void judge_delivery(const Report& report, Reasons& out) {
  const LiveDelivery& live = report.live;
  if (report.filters_by_d == false)
    out.push_back({10, false, "stored events are not filtered by #d"});
  if (live.heard_others) out.push_back({5, false, "live events are not filtered by #d"});
  if (live.published == 0) {
    if (report.kind && !report.cut_short)
      out.push_back({30, true, with("live delivery could not be tried", live.reason)});
  } else if (live.heard == 0) {
    out.push_back({30, true, with("nothing arrives live", live.reason)});
  } else if (live.heard < live.published) {
    out.push_back({15, false,
                   with(std::to_string(live.published - live.heard) + " of " +
                            std::to_string(live.published) + " live events were lost",
                        live.reason)});
  }
  if (const auto p95 = live.echo.percentile(95); p95 && *p95 > kBrisk)
    out.push_back({*p95 > kSlow ? 10 : 5, false, "live events are slow"});
  if (report.kept == false)
    out.push_back({40, true, "an event that it took is gone a little later"});
  if (report.served_late > 0) out.push_back({3, false, "events are served only after a while"});
}

void judge_answers(const Report& report, Reasons& out) {
  if (report.unanswered > 0)
    out.push_back({10, false, std::to_string(report.unanswered) + " events got no OK"});
  if (report.without_end > 0)
    out.push_back({10, false, std::to_string(report.without_end) + " REQs got no EOSE or CLOSED"});
  if (const auto p95 = report.ok.percentile(95); p95 && *p95 > kSlow)
    out.push_back({5, false, "OKs are slow"});
  if (report.forged > 0)
    out.push_back({40, true, "it sent events whose id or signature does not hold"});
  if (report.rate_limited > 0)
    out.push_back({5, false, "it limited the rate of a handful of events"});
}

void judge_extras(const Report& report, Reasons& out) {
  const Handshake& handshake = report.handshake;
  if (!handshake.information)
    out.push_back({4, false, with("no NIP-11 document", handshake.information_fault)});
  if (!handshake.deflate) out.push_back({1, false, "no permessage-deflate"});
  const bool claims_negentropy =
      handshake.information && std::count(handshake.information->supported_nips.begin(),
                                          handshake.information->supported_nips.end(), 77) > 0;
  const bool lacks_negentropy =
      report.negentropy != Negentropy::works && report.negentropy != Negentropy::unknown;
  if (lacks_negentropy && claims_negentropy) {
    out.push_back(
        {3, false, with("NIP-77 is claimed but does not work", report.negentropy_reason)});
  } else if (lacks_negentropy) {
    out.push_back({2, false, "no negentropy (NIP-77)"});
  }
  if (report.deletion.honoured == false)
    out.push_back(
        {5, false, with("deletion requests are not followed (NIP-09)", report.deletion.reason)});
  if (report.deletion.stays_gone == false)
    out.push_back({5, false, "an older copy brings a deleted event back"});
  for (const Limit& limit : report.limits) {
    const std::string figure = std::to_string(limit.tried) + " " + limit.name;
    if (!limit.met) {
      const bool claimed = limit.claimed && limit.tried <= *limit.claimed;
      out.push_back({6, false,
                     with("does not take " + figure + (claimed ? ", though NIP-11 says so" : ""),
                          limit.reason)});
    } else if (limit.tried < limit.needed) {
      out.push_back({4, false, "takes no more than " + figure});
    }
  }
}

}  // namespace

Verdict judge(const Report& report) {
  if (report.unreachable)
    return unreachable_verdict(with("unreachable", report.unreachable->message));
  Reasons reasons;
  if (report.cut_short)
    reasons.push_back({20, report.live.heard == 0 || !report.kept,
                       with("the probe was cut short", report.cut_short->message)});
  judge_access(report, reasons);
  judge_replacement(report.replacement, reasons);
  judge_delivery(report, reasons);
  judge_answers(report, reasons);
  judge_extras(report, reasons);
  return verdict_of(std::move(reasons));
}

}  // namespace ipnscast::nostr::probe
