#include "ipnscast/sync/inspection/inspection.h"

#include <algorithm>
#include <future>
#include <memory>

#include "ipnscast/sync/gateway/delegated_routing.h"
#include "ipnscast/sync/gateway/kubo_rpc.h"
#include "ipnscast/sync/gateway/path_gateway.h"
#include "ipnscast/sync/gateway/providers.h"
#include "ipnscast/sync/gateway/trustless.h"
#include "ipnscast/sync/inspection/car_answer.h"

namespace ipnscast::sync::inspection {
namespace {

using gateway::Endpoint;
using gateway::Http;
using gateway::HttpAnswer;
using gateway::HttpCall;
using gateway::Speaks;
using Answer = Finding::Answer;

constexpr uint64_t kMaxCarBytes = 4 << 20;

// Makes the requests of one inspection and notes what they told.
class Inspector {
 public:
  Inspector(Http& http, const Endpoint& endpoint, const Options& options)
      : http_(http), endpoint_(endpoint), options_(options) {
    report_.url = endpoint.url;
    report_.content = options.sample != nullptr ? options.sample->root
                                                : options.content.value_or(empty_directory());
    report_.name = options.sample != nullptr ? std::optional(options.sample->name) : options.name;
  }

  Report run();

 private:
  // Nothing when the inspection was stopped.
  std::optional<Result<HttpAnswer>> ask(HttpCall call, Finding& finding);
  // The answer, when one came; what went wrong otherwise is noted.
  std::optional<HttpAnswer> answered(Feature feature, HttpCall call);
  Finding& note(Feature feature) { return report_.findings[feature]; }
  bool says(Feature feature, Answer answer) const {
    return report_.finding(feature).answer == answer;
  }

  bool connect();
  void blocks();
  void cars();
  void cached_only();
  void records();
  void routing();
  void rpc();
  void path();
  void preconditions(const HttpAnswer& answer);

  Http& http_;
  const Endpoint& endpoint_;
  const Options& options_;
  Report report_;
  std::string block_etag_;
  bool trustless_ = true;  // perhaps at least
};

// What the end of a verification means: a lie is told from words that say "no".
void judge(Finding& finding, const Status& status, std::string good) {
  if (status) {
    finding.answer = Answer::yes;
    finding.verified = true;
    finding.words = std::move(good);
    return;
  }
  finding.words = status.error().message;
  finding.lied = status.error().code == Errc::signature;
  const bool none = status.error().code == Errc::not_found || status.error().code == Errc::busy;
  finding.answer = none ? Answer::unclear : Answer::no;
}

Status check_record(const IpnsName& name, ByteView bytes) {
  auto record = verify_record(name, bytes, system_now().wall);
  if (record || record.error().expired_record) return {};
  const RecordError& error = record.error();
  const bool forged = error.fault == RecordFault::signature || error.fault == RecordFault::key;
  return fail(forged ? Errc::signature : Errc::mismatch,
              std::string(to_string(error.fault)) + ": " + error.message);
}

std::string count(size_t number, const char* what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

std::optional<Result<HttpAnswer>> Inspector::ask(HttpCall call, Finding& finding) {
  const bool late = options_.end && *options_.end <= std::chrono::steady_clock::now();
  if (late || options_.stop.stop_requested()) return std::nullopt;
  call.deadline = time_left(options_);
  call.stall = Milliseconds(0);
  ++report_.requests;
  const auto come = std::make_shared<std::promise<Result<HttpAnswer>>>();
  auto coming = come->get_future();
  const gateway::HttpId id = http_.start_whole(
      std::move(call), [come](Result<HttpAnswer> whole) { come->set_value(std::move(whole)); });
  const std::stop_callback on_stop(options_.stop, [&] { http_.cancel(id); });
  auto answer = coming.get();
  if (!answer && options_.stop.stop_requested()) return std::nullopt;
  if (answer) finding.took = answer->timings.total;
  return answer;
}

std::optional<HttpAnswer> Inspector::answered(Feature feature, HttpCall call) {
  Finding& finding = note(feature);
  auto answer = ask(std::move(call), finding);
  if (!answer) {
    report_.findings.erase(feature);
    return std::nullopt;
  }
  if (*answer) return std::move(**answer);
  finding.answer = Answer::unclear;
  finding.words = answer->error().message;
  return std::nullopt;
}

// The first request opens the connection: its times are those of the way there.
bool Inspector::connect() {
  Finding& raw = note(Feature::raw);
  HttpCall call = gateway::trustless_probe_call(endpoint_);
  call.fresh_connection = true;
  const auto answer = ask(std::move(call), raw);
  if (!answer) return false;
  if (!*answer) {
    report_.unreachable = answer->error();
    report_.findings.clear();
    return false;
  }
  const gateway::HttpTimings& timings = (*answer)->timings;
  report_.look_up = timings.look_up;
  report_.connect = timings.connect;
  report_.tls = timings.tls;
  report_.http_version = (*answer)->head.version;
  const bool tls = endpoint_.url.starts_with("https://");
  note(Feature::http2) = {report_.http_version >= 20 ? Answer::yes : Answer::no, false, false,
                          tls ? "" : "without TLS", std::nullopt};
  const Speaks speaks = read_trustless_probe(**answer);
  trustless_ = speaks != Speaks::no;
  raw.answer = trustless_ ? Answer::unclear : Answer::no;
  raw.words = "HTTP " + std::to_string((*answer)->head.status);
  return true;
}

void Inspector::blocks() {
  if (!trustless_) return;
  auto answer = answered(Feature::raw, raw_block_call(endpoint_, report_.content));
  if (!answer) return;
  block_etag_ = answer->head.header("etag").substr(0, 256);
  const Status type = gateway::check_raw_head(answer->head);
  const auto block = gateway::read_raw_block(report_.content, std::move(*answer));
  judge(note(Feature::raw), block ? Status{} : fail(block.error()),
        type ? "" : "though " + type.error().message);
  if (!note(Feature::raw).verified) return;

  if (block_etag_.empty()) {
    note(Feature::etag) = {Answer::no, false, false, "no ETag", std::nullopt};
    return;
  }
  HttpCall again = raw_block_call(endpoint_, report_.content);
  again.headers.emplace_back("If-None-Match", block_etag_);
  if (const auto second = answered(Feature::etag, std::move(again))) {
    note(Feature::etag).answer = second->head.status == 304 ? Answer::yes : Answer::no;
    note(Feature::etag).words = "HTTP " + std::to_string(second->head.status);
  }
}

void Inspector::cars() {
  if (!trustless_) return;
  const auto fetch = [&](Feature feature, const DagScope& scope) {
    const auto answer =
        answered(feature, car_call(endpoint_, report_.content, scope, kMaxCarBytes));
    if (!answer) return;
    Status status = gateway::check_status(*answer);
    std::string good;
    if (status) {
      const auto content = check_car(answer->body, report_.content, scope);
      const Status type = gateway::check_car_head(answer->head);
      if (!content) {
        status = fail(type ? content.error() : type.error());
      } else {
        good = count(content->blocks, "block");
        if (content->blocks > content->needed)
          good += ", " + std::to_string(content->needed) + " of them asked for";
      }
      judge(note(feature), status, good);
      if (content && feature == Feature::partial_car && content->blocks > content->needed)
        note(feature).answer = Answer::no;
      return;
    }
    judge(note(feature), status, good);
  };
  // Of content that is not ours only so much as proves it.
  const bool ours = options_.sample != nullptr;
  fetch(Feature::car, {{}, ours ? DagPart::all : DagPart::block, {}});
  if (ours || options_.content)
    fetch(Feature::partial_car, {{}, DagPart::entity, ByteRange{0, 99}});
}

void Inspector::cached_only() {
  if (!trustless_) return;
  HttpCall call = raw_block_call(endpoint_, nobodys_cid());
  call.method = "HEAD";
  call.headers.emplace_back("Cache-Control", "only-if-cached");
  const auto answer = answered(Feature::only_if_cached, std::move(call));
  if (!answer) return;
  Finding& finding = note(Feature::only_if_cached);
  finding.answer = answer->head.status == 412 ? Answer::yes : Answer::no;
  finding.words = "HTTP " + std::to_string(answer->head.status);
}

void Inspector::records() {
  if (!trustless_ || !report_.name) return;
  auto answer = answered(Feature::ipns_record, ipns_record_call(endpoint_, *report_.name));
  if (!answer) return;
  auto read = gateway::read_ipns_record(std::move(*answer));
  judge(note(Feature::ipns_record),
        read ? check_record(*report_.name, read->record) : fail(read.error()), "");
  if (!read || !note(Feature::ipns_record).verified) return;
  if (read->etag.empty()) {
    note(Feature::record_etag) = {Answer::no, false, false, "no ETag", std::nullopt};
    return;
  }
  const auto second =
      answered(Feature::record_etag, ipns_record_call(endpoint_, *report_.name, read->etag));
  if (!second) return;
  note(Feature::record_etag).answer = second->head.status == 304 ? Answer::yes : Answer::no;
  note(Feature::record_etag).words = "HTTP " + std::to_string(second->head.status);
}

// Without a name to ask for, a word that is none, which costs the router no search.
void Inspector::routing() {
  Finding& finding = note(Feature::routing);
  if (report_.name) {
    auto answer = answered(Feature::routing, routing_get_call(endpoint_, *report_.name));
    if (!answer) return;
    preconditions(*answer);
    const Speaks speaks = read_routing_probe(*answer);
    auto read = gateway::read_ipns_record(std::move(*answer));
    judge(finding, read ? check_record(*report_.name, read->record) : fail(read.error()), "");
    if (!finding.verified && !finding.lied)
      finding.answer = speaks == Speaks::no ? Answer::no : Answer::unclear;
  } else if (const auto answer = answered(Feature::routing, routing_probe_call(endpoint_))) {
    preconditions(*answer);
    const Speaks speaks = read_routing_probe(*answer);
    finding.answer = speaks == Speaks::yes  ? Answer::yes
                     : speaks == Speaks::no ? Answer::no
                                            : Answer::unclear;
    finding.words = "HTTP " + std::to_string(answer->head.status);
  }
  if (says(Feature::routing, Answer::no)) return;
  const auto answer = answered(Feature::providers, providers_call(endpoint_, report_.content));
  if (!answer) return;
  const auto named = gateway::read_providers(*answer, gateway::ProviderHosts::any);
  Finding& providers = note(Feature::providers);
  const bool ok = gateway::check_status(*answer).has_value();
  providers.answer = named || (ok && named.error().code == Errc::not_found) ? Answer::yes
                     : answer->head.status == 404                           ? Answer::unclear
                                                                            : Answer::no;
  providers.words = named ? count(named->size(), "gateway") + " over HTTP" : named.error().message;
}

// From an answer of a protocol by which records are put.
void Inspector::preconditions(const HttpAnswer& answer) {
  const bool offers = gateway::offers_preconditions(answer.head);
  if (says(Feature::preconditions, Answer::yes)) return;
  note(Feature::preconditions).answer = offers ? Answer::yes : Answer::no;
  note(Feature::preconditions).words = offers ? "decides between devices that write one name" : "";
}

void Inspector::rpc() {
  const auto answer = answered(Feature::rpc, kubo_version_call(endpoint_));
  if (!answer) return;
  const auto version = gateway::read_kubo_version(*answer);
  Finding& finding = note(Feature::rpc);
  if (!version) {
    const bool refused = version.error().code == Errc::refused;
    finding.answer = refused ? Answer::unclear : Answer::no;
    finding.words = refused && endpoint_.authorization.empty() ? "wants authorization"
                                                               : version.error().message;
    return;
  }
  preconditions(*answer);
  finding.answer = Answer::yes;
  report_.rpc_version = version->substr(0, 64);
  auto block = answered(Feature::rpc_block, kubo_block_get_call(endpoint_, report_.content, true));
  if (!block) return;
  const auto read = gateway::read_kubo_block_get(std::move(*block));
  judge(note(Feature::rpc_block), read ? check_block(report_.content, *read) : fail(read.error()),
        "");
}

// A file that stands in its CID shows that it gives plain files; a leaf of ours, that they are
// right.
void Inspector::path() {
  const auto answer = answered(Feature::path, gateway::path_probe_call(endpoint_));
  if (!answer) return;
  Finding& finding = note(Feature::path);
  const Speaks speaks = gateway::read_path_probe(*answer);
  finding.answer = speaks == Speaks::yes  ? Answer::yes
                   : speaks == Speaks::no ? Answer::no
                                          : Answer::unclear;
  finding.words = "HTTP " + std::to_string(answer->head.status);
  if (options_.sample == nullptr || speaks == Speaks::no) return;
  const Cid& leaf = options_.sample->blocks.at(1).first;
  const auto file = answered(Feature::path, gateway::path_call(endpoint_, leaf));
  if (!file) return;
  Status status = gateway::check_path_head(leaf, file->head);
  if (status) {
    auto blocks = gateway::blocks_of_file(leaf, file->body);
    if (!blocks) status = fail(blocks.error());
  }
  judge(finding, status, "");
}

Report Inspector::run() {
  if (!connect()) return std::move(report_);
  blocks();
  cars();
  cached_only();
  records();
  routing();
  rpc();
  path();
  return std::move(report_);
}

}  // namespace

std::string_view to_string(Feature feature) {
  switch (feature) {
    case Feature::raw:
      return "raw";
    case Feature::etag:
      return "etag";
    case Feature::only_if_cached:
      return "only-if-cached";
    case Feature::car:
      return "car";
    case Feature::partial_car:
      return "partial-car";
    case Feature::ipns_record:
      return "ipns-record";
    case Feature::record_etag:
      return "record-etag";
    case Feature::routing:
      return "routing";
    case Feature::routing_put:
      return "routing-put";
    case Feature::providers:
      return "providers";
    case Feature::rpc:
      return "rpc";
    case Feature::rpc_import:
      return "rpc-import";
    case Feature::rpc_block:
      return "rpc-block";
    case Feature::rpc_put:
      return "rpc-put";
    case Feature::preconditions:
      return "preconditions";
    case Feature::path:
      return "path";
    case Feature::http2:
      break;
  }
  return "http2";
}

std::string_view to_string(Finding::Answer answer) {
  switch (answer) {
    case Answer::untested:
      return "untested";
    case Answer::no:
      return "no";
    case Answer::unclear:
      return "unclear";
    case Answer::yes:
      break;
  }
  return "yes";
}

const Finding& Report::finding(Feature feature) const {
  static const Finding kUntested;
  const auto it = findings.find(feature);
  return it == findings.end() ? kUntested : it->second;
}

Report inspect(Http& http, const Endpoint& endpoint, const Options& options) {
  return Inspector(http, endpoint, options).run();
}

}  // namespace ipnscast::sync::inspection
