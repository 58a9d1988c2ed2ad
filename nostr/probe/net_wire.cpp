#include "ipnscast/nostr/probe/net_wire.h"

#include <variant>

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/base/random.h"
#include "ipnscast/nostr/net/http/http_get.h"
#include "ipnscast/nostr/net/information_fetcher.h"
#include "ipnscast/nostr/net/lws_loop.h"
#include "ipnscast/nostr/net/websocket_client.h"

namespace ipnscast::nostr::probe {
namespace {

constexpr Milliseconds kLookAround{50};  // between looks at whether somebody cancelled
constexpr size_t kFramesWaiting = 256;

Took since(Instant start) { return std::chrono::duration_cast<Took>(system_now().steady - start); }

// Waits for the inbox. Errc::timeout, Errc::cancelled.
template <typename Message>
Result<Message> take(Inbox<Message>& inbox, Instant until, const Wire& wire) {
  while (true) {
    if (wire.cancelled()) return fail(Errc::cancelled, "interrupted");
    const Instant now = system_now().steady;
    if (auto message = inbox.pop_until(std::min(until, now + kLookAround)))
      return std::move(*message);
    if (now >= until) return fail(Errc::timeout, "no answer in time");
  }
}

struct Opened {};
using Happening = std::variant<Opened, Connection::Heard, net::Closed>;

class NetConnection final : public Connection {
 public:
  NetConnection(net::Loop& loop, const Wire& wire) : loop_(loop), wire_(wire) {}
  ~NetConnection() override {
    loop_.run([this] { socket_.reset(); });
  }

  Status open(const RelayUrl& url, const net::Access& access, Instant until);
  void send(std::string frame) override;
  Result<Heard> hear(Instant until) override;

 private:
  Error error_of(const net::Closed& closed) const;
  void came_in(std::string frame);

  net::Loop& loop_;
  const Wire& wire_;
  Inbox<Happening> inbox_{2 * kFramesWaiting};
  std::unique_ptr<net::WebSocketClient> socket_;  // net thread only
};

Error NetConnection::error_of(const net::Closed& closed) const {
  using Reason = net::CloseReason;
  if (closed.reason == Reason::timeout) return {Errc::timeout, closed.text};
  const bool answered = closed.reason == Reason::http_status || closed.reason == Reason::tls;
  return {answered ? Errc::refused : Errc::unreachable, closed.text};
}

// Net thread. A relay that talks faster than the probe listens is read more slowly.
void NetConnection::came_in(std::string frame) {
  inbox_.push_reserved(Heard{std::move(frame), system_now().steady});
  if (inbox_.size() >= kFramesWaiting) socket_->pause_reading();
}

Status NetConnection::open(const RelayUrl& url, const net::Access& access, Instant until) {
  net::ClientOptions options;
  options.access = access;
  options.connect_timeout = std::max(
      Milliseconds(1), std::chrono::duration_cast<Milliseconds>(until - wire_.now().steady));
  loop_.run([&] {
    socket_ = net::connect(
        loop_, url, options,
        {.opened = [this] { inbox_.push_reserved(Opened{}); },
         .frame = [this](std::string frame) { came_in(std::move(frame)); },
         .closed = [this](net::Closed closed) { inbox_.push_reserved(std::move(closed)); }});
  });
  const auto happened = take(inbox_, until, wire_);
  if (!happened) return fail(happened.error());
  if (const auto* closed = std::get_if<net::Closed>(&*happened)) return fail(error_of(*closed));
  return {};
}

void NetConnection::send(std::string frame) {
  loop_.run([&] { socket_->send(std::move(frame)); });
}

Result<Connection::Heard> NetConnection::hear(Instant until) {
  while (true) {
    auto happened = take(inbox_, until, wire_);
    if (!happened) return fail(happened.error());
    if (inbox_.size() == 0) loop_.run([this] { socket_->resume_reading(); });
    if (auto* heard = std::get_if<Heard>(&*happened)) return std::move(*heard);
    if (const auto* closed = std::get_if<net::Closed>(&*happened))
      return fail(Errc::closed, closed->text);
  }
}

// A relay that is asked for an upgrade, and what it says to permessage-deflate. RFC 6455, RFC 7692.
constexpr std::string_view kUpgrade =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    "Sec-WebSocket-Key: ";
constexpr int kSwitchingProtocols = 101;

Status ask_for_upgrade(net::RawStream& stream, const RelayUrl& url, const net::Patience& patience,
                       Handshake& out) {
  const std::string lines = std::string(kUpgrade) + to_base64(random_bytes(16)) + "\r\n";
  const Instant start = system_now().steady;
  const auto answer = net::http_get(stream, url, lines, true, 0, patience);
  if (!answer) return fail(answer.error());
  if (answer->status != kSwitchingProtocols)
    return fail(Errc::refused, "HTTP " + std::to_string(answer->status));
  out.upgrade = since(start);
  const auto extensions = answer->headers.find("sec-websocket-extensions");
  out.deflate = extensions != answer->headers.end() &&
                extensions->second.find("permessage-deflate") != std::string::npos;
  return {};
}

}  // namespace

NetWire::NetWire(net::Loop& loop, RelayUrl url, net::Access access,
                 std::shared_ptr<ClockWitness> witness)
    : loop_(loop), url_(std::move(url)), access_(std::move(access)), witness_(std::move(witness)) {}

Result<std::vector<std::string>> NetWire::look_up(Instant until) {
  using Found = Result<std::vector<std::string>>;
  const auto inbox = std::make_shared<Inbox<Found>>(1);  // the answer may outlive us
  loop_.impl().names->look_up(
      net::host_to_look_up(url_, access_), inbox, [inbox](net::NameLookup::Found found) {
        if (found) {
          inbox->push_reserved(std::move(*found));
        } else {
          inbox->push_reserved(fail(Errc::unreachable, std::move(found.error().text)));
        }
      });
  auto found = take(*inbox, until, *this);
  if (!found) return fail(found.error());
  return std::move(*found);
}

Result<Handshake> NetWire::shake_hands(Instant until) {
  Handshake out;
  const net::Patience patience{until, [this] { return cancelled(); }};
  const Instant start = now().steady;
  const auto addresses = look_up(until);
  if (!addresses) return fail(addresses.error());
  out.look_up = since(start);
  net::StreamTimes times;
  auto stream = net::open_relay_stream(url_, access_, *addresses, patience, times);
  if (!stream) return fail(stream.error());
  out.connect = times.connect;
  out.tls = times.tls;
  if (const Status upgraded = ask_for_upgrade(*stream, url_, patience, out); !upgraded)
    return fail(upgraded.error());

  const Instant asked = now().steady;
  auto second = net::open_relay_stream(url_, access_, *addresses, patience, times);
  auto information = second ? net::ask_for_information(*second, url_, patience, witness_.get())
                            : Result<RelayInformation>(fail(second.error()));
  if (information) {
    out.asked = since(asked);
    out.information = std::move(*information);
  } else {
    out.information_fault = information.error().message;
  }
  return out;
}

Result<std::unique_ptr<Connection>> NetWire::connect(Instant until) {
  auto connection = std::make_unique<NetConnection>(loop_, *this);
  if (const Status opened = connection->open(url_, access_, until); !opened)
    return fail(opened.error());
  return connection;
}

}  // namespace ipnscast::nostr::probe
