#pragma once

#include <string>
#include <vector>

#include "ipnscast/sync/gateway/endpoint.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"

namespace ipnscast::sync::gateway {

// Kubo's RPC (POST below /api/v0): requests and what their answers say. A command's failure is HTTP
// 500 with
// {"Message","Code","Type"}; streams are one JSON object a line.

// {"Version":...}. Errc::mismatch when something else answers there.
HttpCall kubo_version_call(const Endpoint& endpoint);
Result<std::string> read_kubo_version(const HttpAnswer& answer);

// dag/import of a whole CARv1, header included. With `pin_roots` the node pins the header's roots
// when all their blocks are there, so only the last part of a DAG asks for it.
HttpCall kubo_dag_import_call(const Endpoint& endpoint, ByteView car, bool pin_roots);
struct ImportedRoot {
  Cid cid;
  std::string pin_error;  // empty when pinned
};
Result<std::vector<ImportedRoot>> read_kubo_dag_import(const HttpAnswer& answer);

// block/get; `offline`: only what the node itself holds, it asks nobody else. Not verified.
HttpCall kubo_block_get_call(const Endpoint& endpoint, const Cid& cid, bool offline);
Result<Bytes> read_kubo_block_get(HttpAnswer answer);

// block/stat, offline: whether the node itself holds the block. Errc::not_found when it does not.
HttpCall kubo_block_stat_call(const Endpoint& endpoint, const Cid& cid);

// dag/stat, offline: walks the whole DAG. Errc::not_found when the node lacks a block of it.
HttpCall kubo_dag_stat_call(const Endpoint& endpoint, const Cid& root);

// dag/export: the whole DAG as a CAR stream.
HttpCall kubo_dag_export_call(const Endpoint& endpoint, const Cid& root, uint64_t max_bytes);

// The signed record, not verified: name/get (Kubo 0.40 and later), routing/get (older ones).
// Errc::not_found when the node finds none, Errc::unsupported when it does not know the command.
HttpCall kubo_name_get_call(const Endpoint& endpoint, const IpnsName& name);
Result<Bytes> read_kubo_name_get(HttpAnswer answer);
// `offline`: what the node itself keeps, it asks nobody else.
HttpCall kubo_routing_get_call(const Endpoint& endpoint, const IpnsName& name,
                               bool offline = false);
Result<Bytes> read_kubo_routing_get(const HttpAnswer& answer);

// Gives the node a signed record, to keep and to spread; a node without peers keeps it at least
// (allow-offline). name/put refuses a sequence that is not above the known one. Errors:
// Errc::refused with the node's words.
HttpCall kubo_name_put_call(const Endpoint& endpoint, const IpnsName& name, ByteView record);
HttpCall kubo_routing_put_call(const Endpoint& endpoint, const IpnsName& name, ByteView record);

// Recursive pins. pin/rm of what is not pinned succeeds.
HttpCall kubo_pin_add_call(const Endpoint& endpoint, const Cid& root);
HttpCall kubo_pin_rm_call(const Endpoint& endpoint, const Cid& root);
Status read_kubo_pin_rm(const HttpAnswer& answer);
// Whether the node keeps all of the DAG under this root: pinned recursively, by whomever.
HttpCall kubo_pin_ls_call(const Endpoint& endpoint, const Cid& root);
Result<bool> read_kubo_pin_ls(const HttpAnswer& answer);

// For the commands whose answer says nothing but yes or no, errors in late lines and trailers
// included.
Status read_kubo_done(const HttpAnswer& answer);

}  // namespace ipnscast::sync::gateway
