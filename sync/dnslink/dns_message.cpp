#include "ipnscast/sync/dnslink/dns_message.h"

#include <algorithm>
#include <optional>

namespace ipnscast::sync::dnslink {
namespace {

constexpr uint16_t kTxt = 16;
constexpr uint16_t kCname = 5;
constexpr uint16_t kInternet = 1;
constexpr size_t kMaxName = 253;  // as text
constexpr size_t kMaxLabel = 63;
constexpr size_t kMaxRecords = 256;
constexpr size_t kMaxTexts = 64;
constexpr size_t kMaxAliases = 8;

constexpr uint16_t kIsAnswer = 0x8000;
constexpr uint16_t kWasCut = 0x0200;
constexpr uint16_t kWantsRecursion = 0x0100;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string normal(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string out(name);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

void put16(Bytes& out, uint16_t value) {
  out.push_back(static_cast<uint8_t>(value >> 8));
  out.push_back(static_cast<uint8_t>(value));
}

// Reads from the front; everything is checked against the end of the message.
class Reader {
 public:
  explicit Reader(ByteView message) : message_(message) {}

  bool good() const { return good_; }
  size_t position() const { return at_; }
  void skip(size_t bytes) { take(bytes); }

  uint8_t u8() {
    const ByteView bytes = take(1);
    return good_ ? bytes[0] : uint8_t{0};
  }
  uint16_t u16() {
    const ByteView bytes = take(2);
    return good_ ? static_cast<uint16_t>(bytes[0] << 8 | bytes[1]) : uint16_t{0};
  }
  uint32_t u32() {
    const uint32_t high = u16();
    return high << 16 | u16();
  }
  ByteView take(size_t bytes) {
    if (!good_ || message_.size() - at_ < bytes) {
      good_ = false;
      return {};
    }
    const ByteView out = message_.subspan(at_, bytes);
    at_ += bytes;
    return out;
  }

  // A name in lower case, without the dot at its end. A pointer leads to an earlier place than the
  // one where it stands, so that there is an end.
  std::string name() {
    std::string out;
    std::optional<size_t> behind;  // where reading goes on after the first pointer
    size_t limit = at_;
    while (good_) {
      const uint8_t length = u8();
      if (!good_ || length == 0) break;
      if ((length & 0xc0) == 0xc0) {
        const size_t target = static_cast<size_t>(length & 0x3f) << 8 | u8();
        if (!behind) behind = at_;
        if (!good_ || target >= limit) return refuse();
        limit = target;
        at_ = target;
        continue;
      }
      if (length > kMaxLabel) return refuse();
      const ByteView label = take(length);
      if (out.size() + label.size() + 1 > kMaxName + 1) return refuse();
      if (!out.empty()) out += '.';
      for (const uint8_t byte : label) {
        // A dot inside of a label would make another name of it.
        if (byte == '.') return refuse();
        out += lower(static_cast<char>(byte));
      }
    }
    if (behind) at_ = *behind;
    return out;
  }

 private:
  std::string refuse() {
    good_ = false;
    return {};
  }

  const ByteView message_;
  size_t at_ = 0;
  bool good_ = true;
};

struct Record {
  std::string owner;
  uint16_t type = 0;
  uint32_t ttl = 0;
  std::string text;  // of TXT; of CNAME the name
};

// A TXT record's strings, each behind its length.
std::optional<std::string> joined(ByteView data) {
  std::string out;
  while (!data.empty()) {
    const size_t length = data[0];
    if (data.size() < 1 + length) return std::nullopt;
    out += as_text(data.subspan(1, length));
    data = data.subspan(1 + length);
  }
  return out;
}

Result<std::vector<Record>> read_records(Reader& reader, size_t count) {
  if (count > kMaxRecords) return fail(Errc::too_large, "DNS: too many records");
  std::vector<Record> out;
  for (size_t i = 0; i < count; ++i) {
    Record record;
    record.owner = reader.name();
    record.type = reader.u16();
    const uint16_t group = reader.u16();
    record.ttl = reader.u32();
    const uint16_t length = reader.u16();
    const size_t start = reader.position();
    if (record.type == kCname) {
      record.text = reader.name();
      if (!reader.good() || reader.position() != start + length)
        return fail(Errc::parse, "DNS: an alias that does not end where it should");
    } else {
      const ByteView data = reader.take(length);
      if (record.type == kTxt && reader.good()) {
        auto text = joined(data);
        if (!text) return fail(Errc::parse, "DNS: a text that does not end where it should");
        record.text = std::move(*text);
      }
    }
    if (!reader.good()) return fail(Errc::parse, "DNS: the message ends too early");
    if (group == kInternet && (record.type == kCname || record.type == kTxt))
      out.push_back(std::move(record));
  }
  return out;
}

// RFC 2181 section 8: more than 31 bits count as none.
Seconds ttl_of(uint32_t ttl) { return Seconds(ttl > INT32_MAX ? 0 : ttl); }

Result<TxtAnswer> pick(const std::vector<Record>& records, std::string name) {
  std::optional<Seconds> least;
  const auto note = [&](uint32_t ttl) {
    least = std::min(least.value_or(ttl_of(ttl)), ttl_of(ttl));
  };
  for (size_t aliases = 0; aliases <= kMaxAliases; ++aliases) {
    TxtAnswer out;
    const Record* alias = nullptr;
    for (const Record& record : records) {
      if (record.owner != name) continue;
      if (record.type == kCname) {
        alias = &record;
      } else if (out.texts.size() < kMaxTexts) {
        note(record.ttl);
        out.texts.push_back(record.text);
      }
    }
    if (!out.texts.empty()) {
      out.ttl = *least;
      return out;
    }
    if (alias == nullptr) return fail(Errc::not_found, "DNS: no TXT record");
    note(alias->ttl);
    name = alias->text;
  }
  return fail(Errc::too_large, "DNS: too many aliases");
}

}  // namespace

Result<Bytes> make_txt_query(std::string_view name, uint16_t id) {
  const std::string wanted = normal(name);
  if (wanted.empty() || wanted.size() > kMaxName) return fail(Errc::invalid, "no domain name");
  Bytes out;
  put16(out, id);
  put16(out, kWantsRecursion);
  put16(out, 1);  // one question
  for (int i = 0; i < 3; ++i) put16(out, 0);
  std::string_view rest = wanted;
  while (true) {
    const std::string_view label = rest.substr(0, rest.find('.'));
    if (label.empty() || label.size() > kMaxLabel) return fail(Errc::invalid, "no domain name");
    out.push_back(static_cast<uint8_t>(label.size()));
    append(out, as_bytes(label));
    if (label.size() == rest.size()) break;
    rest.remove_prefix(label.size() + 1);
  }
  out.push_back(0);
  put16(out, kTxt);
  put16(out, kInternet);
  return out;
}

Result<TxtAnswer> read_txt_answer(ByteView message, std::string_view name, uint16_t id) {
  if (message.size() > kMaxDnsMessage) return fail(Errc::too_large, "DNS: a message too long");
  const std::string wanted = normal(name);
  Reader reader(message);
  const uint16_t got_id = reader.u16();
  const uint16_t flags = reader.u16();
  const uint16_t questions = reader.u16();
  const uint16_t answers = reader.u16();
  reader.skip(4);  // how many records follow that are none of ours
  if (!reader.good()) return fail(Errc::parse, "DNS: the message ends too early");
  if (got_id != id || (flags & kIsAnswer) == 0 || questions != 1)
    return fail(Errc::mismatch, "DNS: not the answer to our question");
  const std::string asked = reader.name();
  const uint16_t type = reader.u16();
  const uint16_t group = reader.u16();
  if (!reader.good()) return fail(Errc::parse, "DNS: the message ends too early");
  if (asked != wanted || type != kTxt || group != kInternet)
    return fail(Errc::mismatch, "DNS: not the answer to our question");
  const int code = flags & 0xf;
  if (code == 3) return fail(Errc::not_found, "DNS: no such name");
  if (code != 0)
    return fail(code == 5 ? Errc::refused : Errc::unreachable,
                "DNS: the server failed, code " + std::to_string(code));
  if ((flags & kWasCut) != 0) return fail(Errc::too_large, "DNS: the answer was cut");
  const auto records = read_records(reader, answers);
  if (!records) return fail(records.error());
  return pick(*records, wanted);
}

}  // namespace ipnscast::sync::dnslink
