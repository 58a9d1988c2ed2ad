#include "ipnscast/tests/support/push/push_server.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "ipnscast/nostr/base/base64.h"

namespace ipnscast::test {
namespace {

using Json = nlohmann::json;
using nostr::net::HttpReply;
using nostr::net::HttpRequest;

void add_members(Json& to, const Pushed& what) {
  if (!what.cid.empty()) to["cid"] = what.cid;
  if (!what.sequence.empty()) to["sequence"] = what.sequence;
  if (!what.record.empty()) to["record"] = to_base64(as_bytes(what.record));
}

std::string event_of(const Pushed& what, size_t number) {
  Json data{{"name", what.name}};
  add_members(data, what);
  return "id: e-" + std::to_string(number) + "\nevent: ipns-update\ndata: " + data.dump() + "\n\n";
}

std::string value_of(const Pushed& what) { return what.cid.empty() ? "" : "/ipfs/" + what.cid; }

}  // namespace

PushServer::PushServer(nostr::net::Loop& loop, PushServerOptions options) : options_(options) {
  auto server = nostr::net::listen(
      loop, {.port = options.port},
      {.http = [this](const HttpRequest& request,
                      const std::shared_ptr<HttpReply>& reply) { answer(request, reply); },
       .opened = [this](Connection id, const std::string&) { opened(id); },
       .frame =
           [this](Connection id, const std::string& frame) {
             hear(id, frame);
             return true;
           },
       .drained = {},
       .closed = [this](Connection id) { closed(id); }});
  if (!server) throw std::runtime_error(server.error().message);
  const std::lock_guard lock(mutex_);
  server_ = std::move(*server);
}

PushServer::~PushServer() {
  {
    const std::lock_guard lock(mutex_);
    for (const Stream& stream : streams_) stream.reply->abort();
    streams_.clear();
  }
  server_.reset();
}

void PushServer::opened(Connection id) {
  const std::lock_guard lock(mutex_);
  sockets_[id.value].id = id;
}

void PushServer::closed(Connection id) {
  const std::lock_guard lock(mutex_);
  sockets_.erase(id.value);
}

void PushServer::hear(Connection id, const std::string& frame) {
  const std::lock_guard lock(mutex_);
  heard_.push_back(frame);
  Socket& socket = sockets_.at(id.value);
  const Json said = Json::parse(frame);
  const auto say = [&](const Json& what) {
    server_->send(id, std::make_shared<const std::string>(what.dump()));
  };
  if (options_.many && said.contains("action")) {
    for (const Json& one : said.at("names")) {
      const std::string name = one;
      if (said["action"] == "subscribe")
        socket.many.insert(name);
      else
        socket.many.erase(name);
    }
    say({{"type", said["action"] == "subscribe" ? "subscribed" : "unsubscribed"},
         {"names", said.at("names")}});
  } else if (options_.one && said.contains("type")) {
    if (said["type"] == "subscribe")
      socket.one.insert(said.at("ipnsName").get<std::string>());
    else
      socket.one.erase(said.at("ipnsName").get<std::string>());
  } else if (options_.errors) {
    say({{"type", "error"}, {"message", "unknown message"}});
  }
}

void PushServer::answer(const HttpRequest& request, const std::shared_ptr<HttpReply>& reply) {
  constexpr std::string_view kOne = "/sse/ipns/";
  constexpr std::string_view kName = "/name/";
  const std::lock_guard lock(mutex_);
  requests_.push_back(request.path + (request.query.empty() ? "" : "?" + request.query));
  const auto names = query_value(request, "names");
  if (request.path == "/sse/ipns" && names && options_.many_streams)
    return open_stream(request, *names, reply);
  if (request.path.starts_with(kOne))
    return open_stream(request, request.path.substr(kOne.size()), reply);
  if (request.path.starts_with(kName)) {
    const std::string name = request.path.substr(kName.size());
    const auto last = std::find_if(log_.rbegin(), log_.rend(),
                                   [&](const Pushed& one) { return one.name == name; });
    if (last != log_.rend()) {
      const Json body{{"value", value_of(*last)}, {"record", to_base64(as_bytes(last->record))}};
      const std::string text = body.dump();
      return reply->send({200, {{"content-type", "application/json"}}, to_bytes(as_bytes(text))});
    }
  }
  reply->send({404, {}, {}});
}

void PushServer::open_stream(const HttpRequest& request, const std::string& names,
                             const std::shared_ptr<HttpReply>& reply) {
  Stream stream{{}, reply};
  for (size_t at = 0; at <= names.size();) {
    const size_t comma = std::min(names.find(',', at), names.size());
    stream.names.insert(names.substr(at, comma - at));
    at = comma + 1;
  }
  const auto id = request.headers.find("last-event-id");
  last_ids_.push_back(id == request.headers.end() ? "" : id->second);
  reply->begin(200, {{"content-type", "text/event-stream"}, {"cache-control", "no-cache"}});
  std::string begin = ": hello\n\n";
  if (!last_ids_.back().empty()) {
    for (size_t number = std::stoul(last_ids_.back().substr(2)) + 1; number < log_.size(); ++number)
      if (stream.names.contains(log_[number].name)) begin += event_of(log_[number], number);
  }
  reply->write(to_bytes(as_bytes(begin)));
  streams_.push_back(std::move(stream));
}

void PushServer::push(const Pushed& what) {
  const std::lock_guard lock(mutex_);
  const size_t number = log_.size();
  log_.push_back(what);
  Json many{{"type", "update"}, {"name", what.name}};
  Json one{{"type", "ipns-update"}, {"ipnsName", what.name}};
  Json watch{{"key", what.name}, {"value", value_of(what)}};
  add_members(many, what);
  if (!what.cid.empty()) one["cid"] = what.cid;
  add_members(watch, what);
  for (const auto& [key, socket] : sockets_) {
    const auto say = [&](const Json& frame) {
      server_->send(socket.id, std::make_shared<const std::string>(frame.dump()));
    };
    if (socket.many.contains(what.name)) say(many);
    if (socket.one.contains(what.name)) say(one);
    if (socket.many.empty() && socket.one.empty()) say(watch);
  }
  std::erase_if(streams_, [](const Stream& stream) { return stream.reply->client_gone(); });
  for (const Stream& stream : streams_) {
    if (stream.names.contains(what.name))
      stream.reply->write(to_bytes(as_bytes(event_of(what, number))));
  }
}

void PushServer::stream(const std::string& text) {
  const std::lock_guard lock(mutex_);
  for (const Stream& stream : streams_) stream.reply->write(to_bytes(as_bytes(text)));
}

size_t PushServer::subscriptions() const {
  const std::lock_guard lock(mutex_);
  size_t out = 0;
  for (const auto& [key, socket] : sockets_) out += socket.many.size() + socket.one.size();
  return out;
}

size_t PushServer::sockets() const {
  const std::lock_guard lock(mutex_);
  return sockets_.size();
}

size_t PushServer::streams() const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(
      std::count_if(streams_.begin(), streams_.end(),
                    [](const Stream& stream) { return !stream.reply->client_gone(); }));
}

std::vector<std::string> PushServer::heard() const {
  const std::lock_guard lock(mutex_);
  return heard_;
}

std::vector<std::string> PushServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::vector<std::string> PushServer::last_ids() const {
  const std::lock_guard lock(mutex_);
  return last_ids_;
}

}  // namespace ipnscast::test
