#include "sync/content_sender.h"

#include <future>

#include "sync/gateway/gateway_probe.h"
#include "sync/gateway/kubo_rpc.h"
#include "sync/ipfs/car.h"
#include "sync/ipfs/dag_walk.h"

namespace ipnscast::sync {
namespace {

using gateway::HttpAnswer;
using gateway::HttpCall;
using Place = Outcome::Place;

Milliseconds since(Instant start) {
  return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - start);
}

// The nodes that are still being sent to, side by side; all share one deadline.
class Sending {
 public:
  Sending(gateway::Http& http, gateway::GatewayBook& book, const std::vector<size_t>& nodes,
          Milliseconds deadline)
      : http_(http),
        book_(book),
        started_(std::chrono::steady_clock::now()),
        end_(started_ + deadline) {
    for (const size_t node : nodes) {
      Place place;
      place.kind = Place::Kind::node;
      place.url = book.endpoint(node).url;
      places_.push_back(place);
      nodes_.push_back(node);
    }
    alive_.assign(nodes.size(), true);
  }

  // Makes one call to each node that has not failed yet and waits for all. What `judge` returns as
  // an error ends that node's part.
  void round(const std::function<HttpCall(const gateway::Endpoint&)>& make,
             const std::function<Status(size_t place, HttpAnswer)>& judge) {
    std::vector<std::future<Result<HttpAnswer>>> answers(places_.size());
    for (size_t i = 0; i < places_.size(); ++i) {
      if (!alive_[i]) continue;
      HttpCall call = make(book_.endpoint(nodes_[i]));
      const auto left =
          std::chrono::duration_cast<Milliseconds>(end_ - std::chrono::steady_clock::now());
      call.deadline = std::max(left, Milliseconds(1));
      call.stall = Milliseconds(0);  // a node that stores and pins is silent meanwhile
      auto promise = std::make_shared<std::promise<Result<HttpAnswer>>>();
      answers[i] = promise->get_future();
      http_.start_whole(std::move(call), [promise](Result<HttpAnswer> answer) {
        promise->set_value(std::move(answer));
      });
    }
    for (size_t i = 0; i < places_.size(); ++i) {
      if (!alive_[i]) continue;
      Result<HttpAnswer> answer = answers[i].get();
      const Status status = answer ? judge(i, std::move(*answer)) : fail(answer.error());
      book_.report(nodes_[i], status, std::chrono::steady_clock::now());
      places_[i].took = since(started_);
      if (status) continue;
      alive_[i] = false;
      places_[i].detail =
          std::string(to_string(status.error().code)) + ": " + status.error().message;
    }
  }

  bool any_alive() const { return std::find(alive_.begin(), alive_.end(), true) != alive_.end(); }
  std::vector<Place> finish(const std::string& detail) {
    for (size_t i = 0; i < places_.size(); ++i) {
      places_[i].ok = alive_[i];
      if (alive_[i]) places_[i].detail = detail;
    }
    return std::move(places_);
  }

 private:
  gateway::Http& http_;
  gateway::GatewayBook& book_;
  const Instant started_;
  const Instant end_;
  std::vector<Place> places_;
  std::vector<size_t> nodes_;
  std::vector<bool> alive_;
};

Status read_import(const HttpAnswer& answer) {
  auto roots = gateway::read_kubo_dag_import(answer);
  if (!roots) return fail(roots.error());
  for (const gateway::ImportedRoot& root : *roots) {
    if (!root.pin_error.empty()) return fail(Errc::refused, "not pinned: " + root.pin_error);
  }
  return {};
}

}  // namespace

std::vector<size_t> content_nodes(gateway::Http& http, gateway::GatewayBook& book) {
  std::vector<std::pair<size_t, std::future<gateway::ProbeReport>>> probes;
  for (size_t i = 0; i < book.size(); ++i) {
    if (book.tier(i) != 1 || book.dialects(i)) continue;
    auto promise = std::make_shared<std::promise<gateway::ProbeReport>>();
    probes.emplace_back(i, promise->get_future());
    gateway::probe_gateway(http, book.endpoint(i), [promise](gateway::ProbeReport report) {
      promise->set_value(std::move(report));
    });
  }
  for (auto& [node, answer] : probes) {
    const gateway::ProbeReport report = answer.get();
    if (report.dialects.any()) book.set_dialects(node, report.dialects);
  }
  std::vector<size_t> out;
  for (size_t i = 0; i < book.size(); ++i) {
    const auto dialects = book.dialects(i);
    if (book.tier(i) == 1 && dialects && dialects->rpc) out.push_back(i);
  }
  return out;
}

Result<std::vector<Place>> send_content(gateway::Http& http, gateway::GatewayBook& book,
                                        const std::vector<size_t>& nodes, BlockSource& source,
                                        const Cid& root, const SendOptions& options) {
  Sending sending(http, book, nodes, options.deadline);
  if (nodes.empty()) return sending.finish("");
  const auto import = [&](const Bytes& car, bool last) {
    sending.round(
        [&](const gateway::Endpoint& node) {
          return gateway::kubo_dag_import_call(node, car, last);
        },
        [](size_t, const HttpAnswer& answer) { return read_import(answer); });
  };
  Bytes batch = car_header({root});
  const auto walked = walk_dag(source, root, {}, [&](const Cid& cid, ByteView block) -> Status {
    if (batch.size() + block.size() > options.batch_bytes) {
      if (options.stopped && options.stopped()) return fail(Errc::cancelled, "stopped");
      import(batch, false);
      if (!sending.any_alive()) return fail(Errc::unreachable, "no node takes it");
      batch = car_header({root});
    }
    append_car_section(batch, cid, block);
    return {};
  });
  if (!walked && !sending.any_alive()) return sending.finish("");
  if (!walked) return fail(walked.error());
  if (!walked->is_complete()) {
    return fail(Errc::not_found, "not all blocks are here: " + walked->missing.front().to_string());
  }
  import(batch, true);
  sending.round(
      [&](const gateway::Endpoint& node) { return gateway::kubo_block_get_call(node, root, true); },
      [&](size_t, HttpAnswer answer) -> Status {
        const auto block = gateway::read_kubo_block_get(std::move(answer));
        if (!block) return fail(block.error().within("accepted, but not readable"));
        return check_block(root, *block);
      });
  return sending.finish("stored and pinned");
}

std::vector<Place> unpin_content(gateway::Http& http, gateway::GatewayBook& book,
                                 const std::vector<size_t>& nodes, const Cid& root,
                                 Milliseconds deadline) {
  Sending sending(http, book, nodes, deadline);
  sending.round(
      [&](const gateway::Endpoint& node) { return gateway::kubo_pin_rm_call(node, root); },
      [](size_t, const HttpAnswer& answer) { return gateway::read_kubo_pin_rm(answer); });
  return sending.finish("unpinned");
}

}  // namespace ipnscast::sync
