#include "ipnscast/nostr/event/message.h"

#include "ipnscast/nostr/event/json_text.h"

namespace ipnscast::nostr {
namespace {

// Writes one frame: ["TYPE",...]
class Frame {
 public:
  explicit Frame(std::string_view type) { append_json_string(out_ += '[', type); }

  Frame& text(std::string_view value) {
    append_json_string(out_ += ',', value);
    return *this;
  }
  Frame& id(const EventId& value) {
    append_hex_string(out_ += ',', value.view());
    return *this;
  }
  Frame& event(const Event& value) {
    append_event(out_ += ',', value);
    return *this;
  }
  Frame& hex(ByteView bytes) {
    append_hex_string(out_ += ',', bytes);
    return *this;
  }
  Frame& json(std::string_view value) {
    (out_ += ',') += value;
    return *this;
  }
  Frame& filters(const std::vector<Filter>& values) {
    for (const Filter& filter : values) json(to_json(filter));
    return *this;
  }
  std::string take() { return std::move(out_ += ']'); }

 private:
  std::string out_;
};

std::string negentropy_frame(const NegMessage& m) {
  return Frame("NEG-MSG").text(m.subscription).hex(m.message).take();
}

struct RelayFrameWriter {
  std::string operator()(const EventMessage& m) const {
    return Frame("EVENT").text(m.subscription).event(m.event).take();
  }
  std::string operator()(const OkMessage& m) const {
    return Frame("OK").id(m.id).json(m.accepted ? "true" : "false").text(m.reason).take();
  }
  std::string operator()(const EoseMessage& m) const {
    Frame out("EOSE");
    out.text(m.subscription);
    if (m.hint == EoseHint::more) out.json("[\"more\"]");
    if (m.hint == EoseHint::finish) out.json("[\"finish\"]");
    return out.take();
  }
  std::string operator()(const ClosedMessage& m) const {
    return Frame("CLOSED").text(m.subscription).text(m.reason).take();
  }
  std::string operator()(const NoticeMessage& m) const {
    return Frame("NOTICE").text(m.text).take();
  }
  std::string operator()(const AuthChallenge& m) const {
    return Frame("AUTH").text(m.challenge).take();
  }
  std::string operator()(const CountMessage& m) const {
    return Frame("COUNT")
        .text(m.subscription)
        .json("{\"count\":" + std::to_string(m.count) +
              (m.approximate ? ",\"approximate\":true}" : "}"))
        .take();
  }
  std::string operator()(const NegMessage& m) const { return negentropy_frame(m); }
  std::string operator()(const NegError& m) const {
    Frame out("NEG-ERR");
    out.text(m.subscription).text(m.reason);
    if (m.max_records) out.json(std::to_string(*m.max_records));
    return out.take();
  }
  std::string operator()(const UnknownMessage& m) const { return Frame(m.type).take(); }
};

struct ClientFrame {
  std::string operator()(const PublishRequest& m) const {
    return Frame("EVENT").event(m.event).take();
  }
  std::string operator()(const ReqRequest& m) const {
    return Frame("REQ").text(m.subscription).filters(m.filters).take();
  }
  std::string operator()(const CloseRequest& m) const {
    return Frame("CLOSE").text(m.subscription).take();
  }
  std::string operator()(const AuthRequest& m) const { return Frame("AUTH").event(m.event).take(); }
  std::string operator()(const CountRequest& m) const {
    return Frame("COUNT").text(m.subscription).filters(m.filters).take();
  }
  std::string operator()(const NegOpenRequest& m) const {
    return Frame("NEG-OPEN").text(m.subscription).json(to_json(m.filter)).hex(m.message).take();
  }
  std::string operator()(const NegMessage& m) const { return negentropy_frame(m); }
  std::string operator()(const NegCloseRequest& m) const {
    return Frame("NEG-CLOSE").text(m.subscription).take();
  }
  std::string operator()(const UnknownMessage& m) const { return Frame(m.type).take(); }
};

}  // namespace

std::string to_frame(const RelayMessage& message) {
  return std::visit(RelayFrameWriter{}, message);
}
std::string to_frame(const ClientMessage& message) { return std::visit(ClientFrame{}, message); }

std::string_view reason_prefix(std::string_view reason) {
  const size_t colon = reason.find(':');
  if (colon == std::string_view::npos) return {};
  const std::string_view prefix = reason.substr(0, colon);
  const bool word = std::all_of(prefix.begin(), prefix.end(),
                                [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
  return word ? prefix : std::string_view{};
}

}  // namespace ipnscast::nostr
