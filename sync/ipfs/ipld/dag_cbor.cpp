#include "ipnscast/sync/ipfs/ipld/dag_cbor.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <set>

#include "ipnscast/sync/ipfs/ipld/utf8.h"

namespace ipnscast::sync {
namespace {

constexpr uint64_t kLinkTag = 42;
constexpr uint8_t kIndefinite = 31;
constexpr uint8_t kBreak = 0xff;

enum Major : uint8_t { kUnsigned, kNegative, kBytes, kText, kList, kMap, kTag, kSimple };

// Length first, then bytewise.
bool key_less(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

struct Head {
  uint8_t major = 0;
  uint8_t info = 0;  // the low five bits
  uint64_t argument = 0;

  bool indefinite() const { return info == kIndefinite; }
};

double from_half(uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  double out =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(fraction + 1024, exponent - 25);
  if (exponent == 31) {
    out = fraction == 0 ? std::numeric_limits<double>::infinity()
                        : std::numeric_limits<double>::quiet_NaN();
  }
  return (bits & 0x8000) != 0 ? -out : out;
}

// Recursive descent over the input. Builds values and collects links only where the caller gives a
// place for them.
class Parser {
 public:
  Parser(ByteView input, const CborLimits& limits, std::vector<Cid>* links)
      : rest_(input), limits_(limits), links_(links) {}

  Status item(size_t depth, CborValue* out) {
    if (depth > limits_.depth) return fail(Errc::too_large, "dag-cbor: nested too deeply");
    if (++items_ > limits_.items) return fail(Errc::too_large, "dag-cbor: too many items");
    const auto head = take_head();
    if (!head) return fail(head.error());
    switch (head->major) {
      case kUnsigned:
        if (out != nullptr) out->value = head->argument;
        return {};
      case kNegative:
        if (out != nullptr) out->value = CborNegative{head->argument};
        return {};
      case kBytes:
      case kText:
        return string(*head, out);
      case kList:
        return list(*head, depth, out);
      case kMap:
        return map(*head, depth, out);
      case kTag:
        return tagged(*head, depth, out);
      default:
        return simple(*head, out);
    }
  }

  Status end() const {
    if (!rest_.empty()) return fail(Errc::parse, "dag-cbor: bytes left over");
    return {};
  }

 private:
  Result<Head> take_head() {
    if (rest_.empty()) return cut_off();
    Head out{static_cast<uint8_t>(rest_[0] >> 5), static_cast<uint8_t>(rest_[0] & 31), 0};
    rest_ = rest_.subspan(1);
    if (out.info < 24) {
      out.argument = out.info;
      return out;
    }
    const bool endless = out.indefinite() && out.major >= kBytes && out.major <= kMap;
    if (endless && !limits_.canonical) return out;
    if (out.info > 27) return fail(Errc::parse, "dag-cbor: indefinite or reserved length");
    const size_t size = size_t{1} << (out.info - 24);
    if (rest_.size() < size) return cut_off();
    for (size_t i = 0; i < size; ++i) out.argument = out.argument << 8 | rest_[i];
    rest_ = rest_.subspan(size);
    const uint64_t least = size == 1 ? 24 : uint64_t{1} << (4 * size);
    if (limits_.canonical && out.major != kSimple && out.argument < least) {
      return fail(Errc::parse, "dag-cbor: number not in shortest form");
    }
    return out;
  }

  Result<ByteView> take(uint64_t size) {
    if (size > rest_.size()) return cut_off();
    const ByteView out = rest_.first(static_cast<size_t>(size));
    rest_ = rest_.subspan(static_cast<size_t>(size));
    return out;
  }

  bool take_break() {
    if (rest_.empty() || rest_.front() != kBreak) return false;
    rest_ = rest_.subspan(1);
    return true;
  }

  // The bytes of a string. Pieces of an indefinite one are put together in `pieces_`, which holds
  // them until the next.
  Result<ByteView> string_bytes(const Head& head) {
    if (!head.indefinite()) return take(head.argument);
    pieces_.clear();
    while (!take_break()) {
      const auto piece = take_head();
      if (!piece) return fail(piece.error());
      if (piece->major != head.major || piece->indefinite())
        return fail(Errc::parse, "dag-cbor: a string has a piece of another kind");
      const auto bytes = take(piece->argument);
      if (!bytes) return fail(bytes.error());
      append(pieces_, *bytes);
    }
    return ByteView(pieces_);
  }

  Status string(const Head& head, CborValue* out) {
    const auto bytes = string_bytes(head);
    if (!bytes) return fail(bytes.error());
    if (head.major == kText && limits_.canonical && !is_utf8(as_text(*bytes))) {
      return fail(Errc::parse, "dag-cbor: text is not UTF-8");
    }
    if (out == nullptr) return {};
    if (head.major == kText) {
      out->value = std::string(as_text(*bytes));
    } else {
      out->value = to_bytes(*bytes);
    }
    return {};
  }

  Status list(const Head& head, size_t depth, CborValue* out) {
    // An item has at least one byte.
    if (!head.indefinite() && head.argument > rest_.size()) return cut_off();
    CborList* members = out != nullptr ? &out->value.emplace<CborList>() : nullptr;
    for (uint64_t i = 0; head.indefinite() ? !take_break() : i < head.argument; ++i) {
      Status parsed = item(depth + 1, members != nullptr ? &members->emplace_back() : nullptr);
      if (!parsed) return parsed;
    }
    return {};
  }

  Status map(const Head& head, size_t depth, CborValue* out) {
    if (!head.indefinite() && head.argument > rest_.size() / 2) return cut_off();
    CborMap* members = out != nullptr ? &out->value.emplace<CborMap>() : nullptr;
    std::string_view last;
    std::set<std::string, std::less<>> seen;  // only where the order does not tell duplicates
    for (uint64_t i = 0; head.indefinite() ? !take_break() : i < head.argument; ++i) {
      const auto key = map_key();
      if (!key) return fail(key.error());
      if (limits_.canonical && i > 0 && !key_less(last, *key)) {
        return fail(Errc::parse,
                    *key == last ? "dag-cbor: duplicate key" : "dag-cbor: keys out of order");
      }
      if (!limits_.canonical && !seen.emplace(*key).second) {
        return fail(Errc::parse, "dag-cbor: duplicate key");
      }
      last = *key;
      CborValue* place = nullptr;
      if (members != nullptr)
        place = &members->emplace_back(CborMember{std::string(*key), {}}).value;
      Status parsed = item(depth + 1, place);
      if (!parsed) return parsed;
    }
    return {};
  }

  Result<std::string_view> map_key() {
    auto head = take_head();
    if (head && head->major == kTag && !limits_.canonical) head = take_head();
    if (!head) return fail(head.error());
    if (head->major != kText) return fail(Errc::parse, "dag-cbor: map key is no text");
    const auto bytes = string_bytes(*head);
    if (!bytes) return fail(bytes.error());
    if (limits_.canonical && !is_utf8(as_text(*bytes)))
      return fail(Errc::parse, "dag-cbor: text is not UTF-8");
    return as_text(*bytes);
  }

  Status tagged(const Head& tag, size_t depth, CborValue* out) {
    const uint8_t next = rest_.empty() ? uint8_t{kBytes} : static_cast<uint8_t>(rest_[0] >> 5);
    if (limits_.canonical || next == kBytes) return link(tag, out);
    if (next == kTag) return fail(Errc::parse, "dag-cbor: a tag behind a tag");
    return item(depth, out);
  }

  Status link(const Head& tag, CborValue* out) {
    if (tag.argument != kLinkTag) return fail(Errc::parse, "dag-cbor: a tag other than 42");
    const auto head = take_head();
    if (!head) return fail(head.error());
    if (head->major != kBytes) return fail(Errc::parse, "dag-cbor: link is no byte string");
    const auto bytes = string_bytes(*head);
    if (!bytes) return fail(bytes.error());
    if (bytes->empty() || bytes->front() != 0) {
      return fail(Errc::parse, "dag-cbor: link lacks the zero byte before its CID");
    }
    auto cid = Cid::decode(bytes->subspan(1));
    if (!cid) return fail(cid.error().within("dag-cbor link"));
    if (links_ != nullptr) links_->push_back(*cid);
    if (out != nullptr) out->value = std::move(*cid);
    return {};
  }

  Status simple(const Head& head, CborValue* out) {
    switch (head.info) {
      case 20:
      case 21:
        if (out != nullptr) out->value = head.info == 21;
        return {};
      case 22:
        return {};  // null, which a value is from the start
      case 23:
        if (!limits_.canonical) return {};
        break;
      case 25:
        if (!limits_.canonical) return real(from_half(static_cast<uint16_t>(head.argument)), out);
        break;
      case 26:
        if (!limits_.canonical)
          return real(std::bit_cast<float>(static_cast<uint32_t>(head.argument)), out);
        break;
      case 27:
        return real(std::bit_cast<double>(head.argument), out);
      default:
        break;
    }
    return fail(Errc::parse, "dag-cbor: neither false, true, null nor a 64-bit float");
  }

  Status real(double number, CborValue* out) const {
    if (limits_.canonical && !std::isfinite(number))
      return fail(Errc::parse, "dag-cbor: a float that is no number");
    if (out != nullptr) out->value = number;
    return {};
  }

  static tl::unexpected<Error> cut_off() { return fail(Errc::parse, "dag-cbor: cut off"); }

  ByteView rest_;
  const CborLimits& limits_;
  std::vector<Cid>* links_;
  size_t items_ = 0;
  Bytes pieces_;
};

void append_head(Bytes& out, Major major, uint64_t argument) {
  const auto high = static_cast<uint8_t>(major << 5);
  if (argument < 24) {
    out.push_back(static_cast<uint8_t>(high | argument));
    return;
  }
  const int power = argument <= 0xff ? 0 : argument <= 0xffff ? 1 : argument <= 0xffffffff ? 2 : 3;
  out.push_back(static_cast<uint8_t>(high | (24 + power)));
  for (int shift = 8 * (1 << power) - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<uint8_t>(argument >> shift));
  }
}

void append_string(Bytes& out, Major major, ByteView bytes) {
  append_head(out, major, bytes.size());
  append(out, bytes);
}

void append_item(Bytes& out, const CborValue& item);

struct Append {
  Bytes& out;

  void operator()(std::monostate) const { out.push_back(0xf6); }
  void operator()(bool value) const { out.push_back(value ? 0xf5 : 0xf4); }
  void operator()(uint64_t value) const { append_head(out, kUnsigned, value); }
  void operator()(CborNegative value) const { append_head(out, kNegative, value.n); }
  void operator()(double value) const {
    out.push_back(0xfb);
    const auto bits = std::bit_cast<uint64_t>(value);
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<uint8_t>(bits >> shift));
  }
  void operator()(const Bytes& value) const { append_string(out, kBytes, value); }
  void operator()(const std::string& value) const { append_string(out, kText, as_bytes(value)); }
  void operator()(const CborList& list) const {
    append_head(out, kList, list.size());
    for (const CborValue& item : list) append_item(out, item);
  }
  void operator()(const CborMap& map) const {
    std::vector<const CborMember*> sorted;
    for (const CborMember& member : map) sorted.push_back(&member);
    std::ranges::sort(sorted, [](auto* a, auto* b) { return key_less(a->key, b->key); });
    append_head(out, kMap, map.size());
    for (const CborMember* member : sorted) {
      append_string(out, kText, as_bytes(member->key));
      append_item(out, member->value);
    }
  }
  void operator()(const Cid& cid) const {
    append_head(out, kTag, kLinkTag);
    Bytes bytes = {0};
    append(bytes, cid.encode());
    append_string(out, kBytes, bytes);
  }
};

void append_item(Bytes& out, const CborValue& item) { std::visit(Append{out}, item.value); }

}  // namespace

bool CborValue::operator==(const CborValue& other) const { return value == other.value; }

Result<CborValue> decode_dag_cbor(ByteView bytes, const CborLimits& limits) {
  CborValue out;
  Parser parser(bytes, limits, nullptr);
  Status parsed = parser.item(0, &out);
  if (parsed) parsed = parser.end();
  if (!parsed) return fail(parsed.error());
  return out;
}

Bytes encode_dag_cbor(const CborValue& value) {
  Bytes out;
  append_item(out, value);
  return out;
}

Result<std::vector<Cid>> dag_cbor_links(ByteView bytes, const CborLimits& limits) {
  std::vector<Cid> out;
  Parser parser(bytes, limits, &out);
  Status parsed = parser.item(0, nullptr);
  if (parsed) parsed = parser.end();
  if (!parsed) return fail(parsed.error());
  return out;
}

const CborValue* find_member(const CborMap& map, std::string_view key) {
  for (const CborMember& member : map) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

}  // namespace ipnscast::sync
