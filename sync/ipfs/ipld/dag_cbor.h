#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ipnscast/sync/ipfs/ipld/cid.h"

namespace ipnscast::sync {

struct CborValue;
struct CborMember;

// The number -1 - n; CBOR's negative integers reach to -2^64.
struct CborNegative {
  uint64_t n = 0;
  auto operator<=>(const CborNegative&) const = default;
};

using CborList = std::vector<CborValue>;
using CborMap = std::vector<CborMember>;  // in the order of the bytes

// One item of the IPLD data model. std::monostate is null; a Cid is tag 42.
struct CborValue {
  std::variant<std::monostate, bool, uint64_t, CborNegative, double, Bytes, std::string, CborList,
               CborMap, Cid>
      value;

  bool operator==(const CborValue& other) const;
  // Nothing when this is of another kind.
  template <typename T>
  const T* as() const {
    return std::get_if<T>(&value);
  }
};

struct CborMember {
  std::string key;
  CborValue value;
  bool operator==(const CborMember&) const = default;
};

struct CborLimits {
  size_t depth = 64;
  size_t items = 1 << 17;
  // Demands the one canonical form. Without it this reads what go-ipld-prime reads: keys in any
  // order, integers of any width, text that is not UTF-8, indefinite lengths, floats of every
  // width, infinities and NaN, undefined as null, and one tag before anything, without a meaning
  // unless it is 42 before bytes. Duplicate keys and bytes left over are never let pass.
  bool canonical = true;
};

// IPLD DAG-CBOR, exactly one item. Errc::parse, Errc::too_large.
Result<CborValue> decode_dag_cbor(ByteView bytes, const CborLimits& limits = {});

// Canonical; map members are sorted. Strings are taken as they are.
Bytes encode_dag_cbor(const CborValue& value);

// The links of a block in the order of its bytes, without building a value. Same errors.
Result<std::vector<Cid>> dag_cbor_links(ByteView bytes, const CborLimits& limits = {});

// The member of that key, or nothing.
const CborValue* find_member(const CborMap& map, std::string_view key);

}  // namespace ipnscast::sync
