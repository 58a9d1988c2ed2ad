#pragma once

#include <utility>
#include <vector>

#include "ipnscast/sync/gateway/endpoint.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"

namespace ipnscast::sync::gateway {

// Path gateways: what a gateway without trustless formats gives for /ipfs/{cid}, the bytes of a
// file. They prove nothing by themselves: they count once the CID has come out of them.

inline constexpr size_t kMaxRepackBytes = 16 << 20;

// GET /ipfs/{cid}. A raw block's bytes are bounded as a block's, a file's by kMaxRepackBytes.
HttpCall path_call(const Endpoint& endpoint, const Cid& cid);
// Whether the body is to be looked at: any media type, but nothing that was encoded or cut on the
// way. Errors of check_status(); Errc::unsupported for a CID that path gateways cannot prove.
Status check_path_head(const Cid& cid, const HttpHead& head);

// The blocks of which the bytes are, parents before their children, when some way of packing gives
// that CID: the bare block of a raw CID; for dag-pb the profiles kubo-256k and unixfs-v1-2025
// (raw leaves), and a single node that holds the bytes itself (CIDv0 up to 256 KiB). Directories
// and files that were cut in other ways cannot be had from path gateways. Errc::mismatch,
// Errc::too_large, Errc::unsupported.
Result<std::vector<std::pair<Cid, Bytes>>> blocks_of_file(const Cid& cid, ByteView bytes);

// Asks for eight bytes that stand in their CID, so that no content is needed, and whether they
// came.
HttpCall path_probe_call(const Endpoint& endpoint);
Speaks read_path_probe(const HttpAnswer& answer);

}  // namespace ipnscast::sync::gateway
