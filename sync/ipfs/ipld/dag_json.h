#pragma once

#include "ipnscast/sync/ipfs/ipld/dag_cbor.h"

namespace ipnscast::sync {

// IPLD DAG-JSON, exactly one item: {"/": "CID"} is a link, {"/": {"bytes": "base64"}} bytes. For
// reading: members may come in any order and white space is let pass, as in other implementations;
// what else begins with "/" in those two forms, the same key twice, and integers beyond 64 bits are
// refused. `limits.canonical` is ignored. Errc::parse, Errc::too_large.
Result<CborValue> decode_dag_json(ByteView bytes, const CborLimits& limits = {});

// The links of a block in the order of its text. Same errors.
Result<std::vector<Cid>> dag_json_links(ByteView bytes, const CborLimits& limits = {});

}  // namespace ipnscast::sync
