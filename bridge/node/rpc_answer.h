#pragma once

#include <nlohmann/json_fwd.hpp>

#include "ipnscast/bridge/node/node_answer.h"
#include "ipnscast/sync/ipfs/ipld/cid.h"

namespace ipnscast::bridge {

// Kubo's answers: one JSON object a line.
HttpResponse rpc_line(const nlohmann::ordered_json& line);
HttpResponse rpc_lines(const std::vector<nlohmann::ordered_json>& lines);
// {"Message":...,"Code":0,"Type":"error"} with status 400 for an argument that makes no sense, else
// 500.
HttpResponse rpc_error(const Error& error);

// The request's `arg`, without a leading "/ipfs/" or "/ipns/" (as `prefix` says). Errc::invalid
// when missing.
Result<std::string> rpc_argument(const HttpRequest& request, std::string_view prefix);
// The `arg` as a CID. Errc::invalid.
Result<sync::Cid> rpc_cid(const HttpRequest& request);
// The only file of a multipart body. Errc::invalid.
Result<ByteView> rpc_file(const HttpRequest& request);
// A boolean parameter as Kubo reads it ("true", "1", or the bare name).
bool rpc_flag(const HttpRequest& request, std::string_view name, bool otherwise);

}  // namespace ipnscast::bridge
