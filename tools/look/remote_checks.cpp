#include "ipnscast/tools/look/remote_checks.h"

#include <algorithm>
#include <thread>

#include "ipnscast/nostr/probe/net_wire.h"
#include "ipnscast/nostr/probe/probe.h"
#include "ipnscast/nostr/probe/verdict.h"
#include "ipnscast/sync/gateway/http_client.h"
#include "ipnscast/sync/inspection/verdict.h"
#include "ipnscast/sync/writer/clock_check.h"
#include "ipnscast/tools/reports/short_text.h"

namespace ipnscast::tools {
namespace {

namespace inspection = sync::inspection;

constexpr size_t kPlacesAtATime = 16;
constexpr Milliseconds kPlaceDeadline{20'000};
constexpr Seconds kClockIsFine{60};

// "a; b": why not all is well, the worst first.
std::string reasons_of(const nostr::probe::Verdict& verdict) {
  std::string out;
  for (size_t i = 0; i < std::min<size_t>(verdict.reasons.size(), 3); ++i)
    out += (i == 0 ? "" : "; ") + verdict.reasons[i].text;
  return out;
}

Finding judge_relay(Asking& asking, const nostr::probe::Report& report) {
  Finding out{Health::ok, "relay", report.url.text(), {}};
  const nostr::probe::Verdict verdict = nostr::probe::judge(report);
  if (report.unreachable) {
    ++asking.unreachable;
    out.health = Health::problem;
    out.text = "unreachable: " + report.unreachable->message;
    out.advice = "check the URL and your network, or take it out of relays.urls";
  } else if (report.cut_short) {
    out.health = Health::warning;
    out.text = "not all was asked: " + report.cut_short->message;
    out.advice = "give more time with --timeout";
  } else if (!verdict.fit) {
    out.health = Health::problem;
    out.text = "unfit for hints: " + reasons_of(verdict);
    out.advice = "use another relay; \"ipnscast relay probe\" tells more";
  } else {
    out.text = "takes hints and tells them at once, score " + std::to_string(verdict.score);
  }
  return out;
}

// What the gateways are asked for. Own names first: our nodes have been given them.
inspection::Options what_they_have(const std::vector<sync::NameStatus>& names) {
  inspection::Options out;
  for (const bool own : {true, false}) {
    for (const sync::NameStatus& name : names) {
      if (out.name || name.own != own || !name.cid || name.stale) continue;
      out.name = name.name;
      out.content = name.cid;
    }
  }
  return out;
}

bool proved(const inspection::Report& report) {
  return std::any_of(report.findings.begin(), report.findings.end(),
                     [](const auto& one) { return one.second.verified; });
}

bool lied(const inspection::Report& report) {
  return std::any_of(report.findings.begin(), report.findings.end(),
                     [](const auto& one) { return one.second.lied; });
}

Finding judge_gateway(Asking& asking, const inspection::Report& report, bool has_sample) {
  Finding out{Health::ok, "gateway", report.url, {}};
  const nostr::probe::Verdict verdict = inspection::judge(report);
  if (report.unreachable) {
    ++asking.unreachable;
    out.health = Health::problem;
    out.text = "unreachable: " + report.unreachable->message;
    out.advice = "check the URL and that it runs, or take it out of gateways";
  } else if (lied(report)) {
    out.health = Health::problem;
    out.text = "lies: " + reasons_of(verdict);
    out.advice = "take it out of gateways: what it sent is not what it claims to be";
  } else if (verdict.fit && proved(report)) {
    out.text = "what it gave is verified, score " + std::to_string(verdict.score);
  } else if (!has_sample) {
    out.text = "answers; not probed, as nothing is published or followed here that it should have";
  } else {
    out.health = Health::warning;
    out.text = "answers, but gave nothing of " + short_cid(report.content) +
               " that can be verified" + (verdict.fit ? "" : ": " + reasons_of(verdict));
    out.advice = "\"ipnscast gateway probe " + report.url + "\" tells more";
  }
  return out;
}

}  // namespace

void side_by_side(size_t count, const std::function<void(size_t)>& work) {
  std::atomic<size_t> next = 0;
  const auto loop = [&] {
    for (size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < std::min(count, kPlacesAtATime); ++i) others.emplace_back(loop);
  loop();
  for (std::thread& other : others) other.join();
}

Findings check_relays(Asking& asking) {
  const sync::Config& engine = asking.session.settings().engine;
  const auto& relays = engine.relays;
  if (relays.empty()) return {};
  auto loop = nostr::net::Loop::start();
  if (!loop) return {{Health::problem, "relay", "", loop.error().message, "try again"}};
  Findings out(relays.size());
  side_by_side(relays.size(), [&](size_t i) {
    nostr::probe::Options options;
    options.timeout = asking.limit.left(kPlaceDeadline);
    nostr::probe::NetWire wire(**loop, relays[i], engine.access, asking.witness);
    const std::stop_callback on_stop(asking.stop, [&wire] { wire.cancel(); });
    ++asking.asked;
    out[i] = judge_relay(asking, nostr::probe::run(wire, relays[i], options));
  });
  return out;
}

Findings check_gateways(Asking& asking, const std::vector<sync::NameStatus>& names) {
  const sync::Config& engine = asking.session.settings().engine;
  if (engine.gateways.empty()) return {};
  sync::gateway::HttpClientOptions http_options;
  http_options.ca_file = engine.access.ca_file;
  http_options.witness = asking.witness;
  const auto http = sync::gateway::HttpClient::open(http_options);
  if (!http) return {{Health::problem, "gateway", "", http.error().message, "try again"}};
  inspection::Options options = what_they_have(names);
  options.stop = asking.stop;
  options.end = system_now().steady + asking.limit.left(kPlaceDeadline);
  Findings out(engine.gateways.size());
  side_by_side(engine.gateways.size(), [&](size_t i) {
    const sync::Gateway& gateway = engine.gateways[i];
    ++asking.asked;
    const auto report = inspection::inspect(**http, {gateway.url, gateway.authorization}, options);
    out[i] = judge_gateway(asking, report, options.name.has_value());
  });
  return out;
}

Finding check_clock(const Asking& asking) {
  const Now now = system_now();
  const auto offset = asking.witness->offset(now);
  if (!offset)
    return {Health::warning, "clock", "",
            asking.asked == 0 ? "nobody is configured who could say what the time is"
                              : "no server says what the time is, or they contradict each other",
            "compare it with another clock: records of a wrong clock are over too early or late"};
  const auto off =
      std::chrono::duration_cast<Seconds>(*offset < Milliseconds(0) ? -*offset : *offset);
  if (off < kClockIsFine) return {Health::ok, "clock", "", "agrees with the servers"};
  const bool wrong = off > sync::kWitnessAgrees;
  return {wrong ? Health::problem : Health::warning, "clock", "",
          time_text(off) + (offset->count() > 0 ? " behind" : " ahead of") + " the servers",
          "set it, for example with a time service (NTP)"};
}

}  // namespace ipnscast::tools
