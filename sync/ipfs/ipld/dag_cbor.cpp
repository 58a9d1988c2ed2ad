#include "ipnscast/sync/ipfs/ipld/dag_cbor.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "ipnscast/sync/ipfs/ipld/utf8.h"

namespace ipnscast::sync {
namespace {

constexpr uint64_t kLinkTag = 42;

enum Major : uint8_t { kUnsigned, kNegative, kBytes, kText, kList, kMap, kTag, kSimple };

// Length first, then bytewise.
bool key_less(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

struct Head {
  uint8_t major = 0;
  uint8_t info = 0;  // the low five bits
  uint64_t argument = 0;
};

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
        return link(*head, out);
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

  Status string(const Head& head, CborValue* out) {
    const auto bytes = take(head.argument);
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
    if (head.argument > rest_.size()) return cut_off();  // an item has at least one byte
    CborList* members = out != nullptr ? &out->value.emplace<CborList>() : nullptr;
    for (uint64_t i = 0; i < head.argument; ++i) {
      Status parsed = item(depth + 1, members != nullptr ? &members->emplace_back() : nullptr);
      if (!parsed) return parsed;
    }
    return {};
  }

  Status map(const Head& head, size_t depth, CborValue* out) {
    if (head.argument > rest_.size() / 2) return cut_off();
    CborMap* members = out != nullptr ? &out->value.emplace<CborMap>() : nullptr;
    std::string_view last;
    std::set<std::string_view> seen;  // only where the order does not tell duplicates
    for (uint64_t i = 0; i < head.argument; ++i) {
      const auto key = map_key();
      if (!key) return fail(key.error());
      if (limits_.canonical && i > 0 && !key_less(last, *key)) {
        return fail(Errc::parse,
                    *key == last ? "dag-cbor: duplicate key" : "dag-cbor: keys out of order");
      }
      if (!limits_.canonical && !seen.insert(*key).second) {
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
    const auto head = take_head();
    if (!head) return fail(head.error());
    if (head->major != kText) return fail(Errc::parse, "dag-cbor: map key is no text");
    const auto bytes = take(head->argument);
    if (!bytes) return fail(bytes.error());
    if (limits_.canonical && !is_utf8(as_text(*bytes)))
      return fail(Errc::parse, "dag-cbor: text is not UTF-8");
    return as_text(*bytes);
  }

  Status link(const Head& tag, CborValue* out) {
    if (tag.argument != kLinkTag) return fail(Errc::parse, "dag-cbor: a tag other than 42");
    const auto head = take_head();
    if (!head) return fail(head.error());
    if (head->major != kBytes) return fail(Errc::parse, "dag-cbor: link is no byte string");
    const auto bytes = take(head->argument);
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
      case 27:
        return real(head.argument, out);
      default:
        return fail(Errc::parse, "dag-cbor: neither false, true, null nor a 64-bit float");
    }
  }

  static Status real(uint64_t bits, CborValue* out) {
    const auto number = std::bit_cast<double>(bits);
    if (!std::isfinite(number)) return fail(Errc::parse, "dag-cbor: a float that is no number");
    if (out != nullptr) out->value = number;
    return {};
  }

  static tl::unexpected<Error> cut_off() { return fail(Errc::parse, "dag-cbor: cut off"); }

  ByteView rest_;
  const CborLimits& limits_;
  std::vector<Cid>* links_;
  size_t items_ = 0;
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
