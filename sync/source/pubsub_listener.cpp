#include "ipnscast/sync/source/pubsub_listener.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>

#include "ipnscast/nostr/base/allowance.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/base/thread_name.h"
#include "ipnscast/sync/gateway/kubo_pubsub.h"
#include "ipnscast/sync/gateway/record_source.h"
#include "ipnscast/sync/source/pubsub_mailbox.h"

namespace ipnscast::sync {
namespace {

using gateway::Endpoint;
using gateway::HttpAnswer;
using gateway::HttpHead;
using gateway::HttpId;
using gateway::HttpTimings;
using gateway::RecordDialect;
using Asked = NodeTopics::Step::What;
using pubsub::AnswerIn;
using pubsub::Ended;
using pubsub::Follow;
using pubsub::Piece;

constexpr double kBurst = 64;
constexpr double kPerSecond = 8;
constexpr Milliseconds kCatchUp{15'000};

struct PubsubNode {
  Endpoint endpoint;
  NodeTopics topics;
  std::map<size_t, uint64_t> stream_of;  // of topics that have one
  bool offers = false;
  bool told = false;     // that it offers pubsub, or why not
  bool healthy = false;  // as told
};

struct Stream {
  size_t node = 0;
  size_t topic = 0;
  HttpId http;
  gateway::PubsubLines lines{};
  Allowance allowance{kBurst, kPerSecond};
  Bytes last_good{};  // nodes say the latest record again every minute
};

}  // namespace

struct PubsubListener::Impl {
  Impl(gateway::Http& h, gateway::Http& s, std::vector<Endpoint> endpoints, Handlers on,
       PubsubOptions options);

  void serve();
  std::optional<Instant> act(Instant now);
  void start(size_t node, NodeTopics::Step step);
  void subscribe(size_t node, size_t topic);
  void catch_up(size_t node, size_t topic, uint64_t stream, RecordDialect dialect);
  void ask(gateway::HttpCall call, AnswerIn answered);
  void take(AnswerIn& message, Instant now);
  void take(Piece& message, Instant now);
  void take(Ended& message, Instant now);
  void take(Follow& message, Instant now);
  void add(const IpnsName& name);
  void remove(size_t topic);
  void note_health(PubsubNode& node);
  void tell_beyond();
  void probed(PubsubNode& node, const Result<HttpAnswer>& answer, Instant now);
  void caught_up(AnswerIn& message, Instant now);
  void hear(Stream& stream, std::string_view line, Instant now);
  void end(uint64_t stream, const std::string& why, Instant now);
  void let_on();
  void count(uint64_t PubsubCounts::*what, uint64_t more = 1);

  // constant after construction
  gateway::Http& http;
  gateway::Http& streams_http;
  const Handlers on;
  const size_t most_topics;
  const std::shared_ptr<pubsub::Mailbox> mailbox = std::make_shared<pubsub::Mailbox>();

  // pubsub thread only
  std::map<size_t, IpnsName> names;  // by topic
  size_t last_topic = 0;
  size_t beyond = 0;  // names that are not listened to
  bool told_beyond = false;
  std::vector<PubsubNode> nodes;
  std::unordered_map<uint64_t, Stream> streams;
  uint64_t last_stream = 0;

  mutable std::mutex mutex;
  PubsubCounts counts;  // guarded by mutex

  std::thread thread;
};

PubsubListener::Impl::Impl(gateway::Http& h, gateway::Http& s, std::vector<Endpoint> endpoints,
                           Handlers handlers, PubsubOptions options)
    : http(h),
      streams_http(s),
      on(std::move(handlers)),
      most_topics(std::min(options.streams_per_node,
                           options.streams / std::max<size_t>(endpoints.size(), 1))) {
  for (Endpoint& endpoint : endpoints)
    nodes.push_back({std::move(endpoint), NodeTopics(options.topics, make_rng()), {}});
}

void PubsubListener::Impl::serve() {
  set_thread_name("pubsub");
  for (;;) {
    const auto next = act(system_now().steady);
    auto message = next ? mailbox->inbox.pop_until(*next) : mailbox->inbox.pop();
    if (mailbox->inbox.closed()) return;
    const Instant now = system_now().steady;
    if (message) std::visit([&](auto& m) { take(m, now); }, *message);
    let_on();
  }
}

std::optional<Instant> PubsubListener::Impl::act(Instant now) {
  std::optional<Instant> next;
  uint64_t live = 0;
  for (size_t node = 0; node < nodes.size(); ++node) {
    NodeTopics& topics = nodes[node].topics;
    for (const NodeTopics::Step& step : topics.due(now)) start(node, step);
    if (const auto at = topics.next()) next = next ? std::min(*next, *at) : at;
    live += topics.live();
    note_health(nodes[node]);
  }
  const std::lock_guard lock(mutex);
  counts.topics = live;
  return next;
}

// Streams that had to wait go on once half of the room is free.
void PubsubListener::Impl::let_on() {
  if (!mailbox->held_up || mailbox->inbox.size() > pubsub::kPieces / 2) return;
  mailbox->held_up = false;
  for (const auto& [number, stream] : streams) streams_http.resume(stream.http);
}

void PubsubListener::Impl::start(size_t node, NodeTopics::Step step) {
  const Endpoint& endpoint = nodes[node].endpoint;
  switch (step.what) {
    case Asked::probe:
      return ask(kubo_pubsub_ls_call(endpoint), {.node = node, .step = step, .answer = {}});
    case Asked::join:
      return ask(kubo_join_topic_call(endpoint, names.at(step.topic)),
                 {.node = node, .step = step, .answer = {}});
    case Asked::subscribe:
      return subscribe(node, step.topic);
    case Asked::catch_up:
      return catch_up(node, step.topic, nodes[node].stream_of.at(step.topic),
                      RecordDialect::rpc_name);
  }
}

void PubsubListener::Impl::ask(gateway::HttpCall call, AnswerIn answered) {
  gateway::Http& by = answered.step.what == Asked::probe ? http : streams_http;
  by.start_whole(std::move(call), [mailbox = mailbox, answered](Result<HttpAnswer> answer) mutable {
    answered.answer = std::move(answer);
    mailbox->inbox.push_reserved(std::move(answered));
  });
}

void PubsubListener::Impl::subscribe(size_t node, size_t topic) {
  const uint64_t number = ++last_stream;
  nodes[node].stream_of[topic] = number;
  const auto good = std::make_shared<bool>(false);  // http thread only
  gateway::HttpHandlers handlers;
  handlers.head = [mailbox = mailbox, number, good](const HttpHead& head) {
    *good = head.status == 200;
    if (!*good) mailbox->inbox.push_reserved(Ended{number, "HTTP " + std::to_string(head.status)});
  };
  handlers.chunk = [mailbox = mailbox, number, good](ByteView bytes) {
    return !*good || mailbox->offer(number, bytes);
  };
  handlers.done = [mailbox = mailbox, number](const Status& status, const HttpTimings&) {
    mailbox->inbox.push_reserved(
        Ended{number, status ? "the node ended it" : status.error().message});
  };
  const HttpId id =
      streams_http.start(kubo_pubsub_sub_call(nodes[node].endpoint, names.at(topic)), handlers);
  streams.emplace(number, Stream{node, topic, id});
}

void PubsubListener::Impl::catch_up(size_t node, size_t topic, uint64_t stream,
                                    RecordDialect dialect) {
  auto call = gateway::record_call(dialect, nodes[node].endpoint, names.at(topic));
  call.url += "&timeout=10s";
  call.deadline = kCatchUp;
  call.stall = kCatchUp;
  ask(std::move(call), {.node = node,
                        .step = {Asked::catch_up, topic},
                        .dialect = dialect,
                        .stream = stream,
                        .answer = {}});
}

void PubsubListener::Impl::take(AnswerIn& message, Instant now) {
  PubsubNode& node = nodes[message.node];
  if (message.step.what == Asked::probe) return probed(node, message.answer, now);
  if (message.step.what == Asked::join) return node.topics.joined(message.step.topic);
  caught_up(message, now);
}

void PubsubListener::Impl::probed(PubsubNode& node, const Result<HttpAnswer>& answer, Instant now) {
  const Status offers = read_kubo_pubsub_ls(answer);
  node.topics.probed(offers, now);
  node.offers = offers.has_value();
  tell_beyond();
  if (node.told) return;
  const std::string& url = node.endpoint.url;
  if (offers) {
    log_info("pubsub", url + ": listening");
  } else if (offers.error().code == Errc::refused) {
    log_info("pubsub", url + ": not offered, polling only: " + offers.error().message);
  } else {
    log_debug("pubsub", url + ": " + offers.error().message);
    return;
  }
  node.told = true;
}

// What the node has for the name. Any answer of it shows that it is there; the lack of one, that
// the subscription cannot be trusted either.
void PubsubListener::Impl::caught_up(AnswerIn& message, Instant now) {
  PubsubNode& node = nodes[message.node];
  const size_t topic = message.step.topic;
  const auto stream = node.stream_of.find(topic);
  if (stream == node.stream_of.end() || stream->second != message.stream) return;
  if (!message.answer && message.answer.error().code != Errc::too_large)
    return end(message.stream, "silent: " + message.answer.error().message, now);
  const auto read = [&](HttpAnswer&& got) {
    return gateway::read_record(message.dialect, std::move(got));
  };
  auto answer = std::move(message.answer).and_then(read);
  if (!answer && answer.error().code == Errc::unsupported &&
      message.dialect == RecordDialect::rpc_name) {
    return catch_up(message.node, topic, message.stream, RecordDialect::rpc_routing);
  }
  node.topics.caught_up(topic, now);
  if (!answer) return;
  const IpnsName& name = names.at(topic);
  const auto record = verify_record(name, answer->record, system_now().wall);
  if (record) on.record(name, known_record(*record), node.endpoint.url, false);
}

void PubsubListener::Impl::take(Piece& message, Instant now) {
  const auto it = streams.find(message.stream);
  if (it == streams.end()) return;
  Stream& stream = it->second;
  nodes[stream.node].topics.spoke(stream.topic, now);
  const size_t too_long =
      stream.lines.add(message.bytes, [&](std::string_view line) { hear(stream, line, now); });
  count(&PubsubCounts::messages, too_long);
  count(&PubsubCounts::bad, too_long);
}

void PubsubListener::Impl::hear(Stream& stream, std::string_view line, Instant now) {
  count(&PubsubCounts::messages);
  if (!stream.allowance.take(now)) return count(&PubsubCounts::skipped);
  const auto data = gateway::read_kubo_pubsub_line(line);
  if (!data) return count(&PubsubCounts::bad);
  if (*data == stream.last_good) return count(&PubsubCounts::records);
  const IpnsName& name = names.at(stream.topic);
  const auto record = gateway::read_pubsub_record(name, *data, system_now().wall);
  if (!record) return count(&PubsubCounts::bad);
  count(&PubsubCounts::records);
  stream.last_good = *data;
  on.record(name, known_record(*record), nodes[stream.node].endpoint.url, true);
}

void PubsubListener::Impl::take(Ended& message, Instant now) {
  end(message.stream, message.why, now);
}

void PubsubListener::Impl::take(Follow& message, Instant /*now*/) {
  std::set<IpnsName> wanted(message.names.begin(), message.names.end());
  std::vector<size_t> gone;
  for (const auto& [topic, name] : names) {
    if (wanted.erase(name) == 0) gone.push_back(topic);
  }
  for (const size_t topic : gone) remove(topic);
  for (auto name = wanted.begin(); name != wanted.end() && names.size() < most_topics; ++name)
    add(*name);
  beyond = message.names.size() - names.size();
  tell_beyond();
}

// Where no node offers pubsub nobody needs to know.
void PubsubListener::Impl::tell_beyond() {
  const bool offered =
      std::any_of(nodes.begin(), nodes.end(), [](const PubsubNode& node) { return node.offers; });
  if (beyond == 0 || !offered || std::exchange(told_beyond, true)) return;
  log_warning("pubsub", "listening to " + std::to_string(names.size()) + " of " +
                            std::to_string(names.size() + beyond) +
                            " names; the others are polled");
}

void PubsubListener::Impl::add(const IpnsName& name) {
  const size_t topic = last_topic++;
  names.emplace(topic, name);
  for (PubsubNode& node : nodes) node.topics.add(topic);
}

void PubsubListener::Impl::remove(size_t topic) {
  for (PubsubNode& node : nodes) {
    if (const auto stream = node.stream_of.extract(topic)) {
      streams_http.cancel(streams.at(stream.mapped()).http);
      streams.erase(stream.mapped());
    }
    node.topics.remove(topic);
  }
  names.erase(topic);
}

void PubsubListener::Impl::note_health(PubsubNode& node) {
  const bool healthy = !names.empty() && node.topics.live() == names.size();
  if (!on.health || node.healthy == healthy) return;
  node.healthy = healthy;
  on.health(node.endpoint.url, healthy);
}

void PubsubListener::Impl::end(uint64_t number, const std::string& why, Instant now) {
  const auto it = streams.find(number);
  if (it == streams.end()) return;
  const Stream& stream = it->second;
  PubsubNode& node = nodes[stream.node];
  log_debug("pubsub", node.endpoint.url + ": " + names.at(stream.topic).to_string() + ": " + why);
  streams_http.cancel(stream.http);
  node.stream_of.erase(stream.topic);
  node.topics.ended(stream.topic, now);
  streams.erase(it);
}

void PubsubListener::Impl::count(uint64_t PubsubCounts::*what, uint64_t more) {
  const std::lock_guard lock(mutex);
  counts.*what += more;
}

PubsubListener::PubsubListener(gateway::Http& http, gateway::Http& streams,
                               std::vector<Endpoint> nodes, Handlers handlers,
                               PubsubOptions options)
    : impl_(std::make_unique<Impl>(http, streams, std::move(nodes), std::move(handlers), options)) {
  impl_->thread = std::thread([impl = impl_.get()] { impl->serve(); });
}

void PubsubListener::follow(std::vector<IpnsName> names) {
  impl_->mailbox->inbox.push_reserved(Follow{std::move(names)});
}

PubsubListener::~PubsubListener() { close(); }

PubsubCounts PubsubListener::counts() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->counts;
}

void PubsubListener::close() {
  impl_->mailbox->inbox.close();
  if (impl_->thread.joinable()) impl_->thread.join();
}

}  // namespace ipnscast::sync
