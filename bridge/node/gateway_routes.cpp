#include "bridge/node/gateway_routes.h"

#include "bridge/node/dag_scope.h"
#include "bridge/node/gateway_format.h"
#include "bridge/node/record_answer.h"
#include "nostr/base/hex.h"
#include "nostr/base/sha256.h"
#include "sync/ipfs/car.h"
#include "sync/ipfs/path_resolver.h"

namespace ipnscast::bridge {
namespace {

constexpr std::string_view kContent = "/ipfs/";
constexpr std::string_view kNames = "/ipns/";
constexpr const char* kForEver = "public, max-age=29030400, immutable";
constexpr const char* kCarType = "application/vnd.ipld.car; version=1; order=dfs; dups=n";
constexpr size_t kPieceBytes = 64 * 1024;

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

std::map<std::string, std::string> content_headers(const GatewayTarget& target, const char* type,
                                                   const std::string& etag, const char* extension) {
  const std::string root = target.root.to_string();
  const std::string end = target.end.to_string();
  return {{"content-type", type},
          {"etag", etag},
          {"cache-control", kForEver},
          {"content-disposition", "attachment; filename=\"" + end + extension + "\""},
          {"x-content-type-options", "nosniff"},
          {"x-ipfs-roots", root == end ? root : root + "," + end},
          {"vary", "Accept"},
          {"access-control-allow-origin", "*"}};
}

// Tells the parts of one DAG apart.
std::string name_of(const sync::DagScope& scope) {
  return std::to_string(static_cast<int>(scope.part)) + ' ' +
         (scope.bytes ? scope.bytes->to_string() : "");
}

// The DAG as a CAR stream, in pieces of some size rather than one for each block.
Status write_car(BlockStore& blocks, const GatewayTarget& target, const sync::DagScope& scope,
                 const StreamedAnswer::Write& write) {
  const auto gone = [] { return fail(Errc::closed, "the client has gone"); };
  Bytes piece = sync::car_header({target.end});
  const auto add = [&](const sync::Cid& cid, ByteView block) -> Status {
    sync::append_car_section(piece, cid, block);
    if (piece.size() < kPieceBytes) return {};
    if (!write(std::exchange(piece, {}))) return gone();
    return {};
  };
  if (Status walked = visit_scope(blocks, target.root, scope, add); !walked) {
    return walked;
  }
  if (!write(std::move(piece))) return gone();
  return {};
}

}  // namespace

NodeAnswer GatewayRoutes::answer(const HttpRequest& request, UnixMillis now) {
  if (request.method == "OPTIONS") {
    return HttpResponse{204,
                        {{"access-control-allow-origin", "*"},
                         {"access-control-allow-methods", "GET, HEAD, OPTIONS"},
                         {"access-control-allow-headers", "*"}},
                        {}};
  }
  if (request.method != "GET" && request.method != "HEAD") {
    HttpResponse refused = text_answer(405, "want GET or HEAD");
    refused.headers["allow"] = "GET, HEAD, OPTIONS";
    return refused;
  }
  const std::string_view path = request.path;
  if (starts_with(path, kContent)) return content(request, path.substr(kContent.size()));
  if (starts_with(path, kNames)) return record(request, path.substr(kNames.size()), now);
  return text_answer(404, "want /ipfs/CID or /ipns/NAME");
}

NodeAnswer GatewayRoutes::content(const HttpRequest& request, std::string_view path) {
  const size_t slash = path.find('/');
  const auto cid = sync::Cid::parse(path.substr(0, slash));
  if (!cid) return text_answer(400, "invalid CID: " + cid.error().message);
  const auto format = requested_format(request);
  if (!format || *format == GatewayFormat::record) {
    return text_answer(406, "this gateway is trustless: want format=raw or format=car");
  }
  const auto here = blocks_.has(*cid);
  if (!here) return text_answer(500, here.error().message);
  if (!*here) return missing(request, block_missing(*cid).message);
  GatewayTarget target{*cid, slash == path.npos ? "" : std::string(path.substr(slash)), *cid};
  auto end = sync::resolve_path(blocks_, target.root, target.path);
  if (!end && end.error().code == Errc::not_found) return missing(request, end.error().message);
  if (!end) return text_answer(400, end.error().message);
  target.end = std::move(*end);
  const auto end_here = blocks_.has(target.end);
  if (!end_here) return text_answer(500, end_here.error().message);
  if (!*end_here) return missing(request, block_missing(target.end).message);
  if (*format == GatewayFormat::raw) return raw(request, target);
  return car(request, target);
}

HttpResponse GatewayRoutes::missing(const HttpRequest& request, std::string_view what) const {
  const bool probe =
      header_of(request, "cache-control").find("only-if-cached") != std::string_view::npos;
  HttpResponse out = text_answer(probe ? 412 : 404, what);
  out.headers["cache-control"] = "no-store";
  out.headers["access-control-allow-origin"] = "*";
  return out;
}

HttpResponse GatewayRoutes::raw(const HttpRequest& request, const GatewayTarget& target) {
  const std::string etag = "\"" + target.end.to_string() + ".raw\"";
  HttpResponse out{200, content_headers(target, "application/vnd.ipld.raw", etag, ".bin"), {}};
  if (has_etag(header_of(request, "if-none-match"), etag)) {
    out.status = 304;
    return out;
  }
  auto block = sync::read_block(blocks_, target.end);
  if (!block) return text_answer(500, block.error().message);
  out.body = std::move(*block);
  return out;
}

NodeAnswer GatewayRoutes::car(const HttpRequest& request, const GatewayTarget& target) {
  auto scope = requested_scope(request);
  if (!scope || !can_make_requested_car(request)) {
    return text_answer(400,
                       "want dag-scope=block, entity or all; entity-bytes=FROM:TO of a file; "
                       "car-version=1; car-order=dfs");
  }
  scope->path = target.path;
  // The blocks of the path are in the stream too.
  const auto variant =
      sha256({as_bytes(target.root.to_string()), as_bytes(target.path), as_bytes(name_of(*scope))});
  const std::string etag =
      "W/\"" + target.end.to_string() + ".car." + to_hex(ByteView(variant).first(8)) + "\"";
  auto headers = content_headers(target, kCarType, etag, ".car");
  headers["accept-ranges"] = "none";
  if (has_etag(header_of(request, "if-none-match"), etag)) {
    return HttpResponse{304, std::move(headers), {}};
  }
  if (request.method == "HEAD") return HttpResponse{200, std::move(headers), {}};
  const auto body = [this, target, scope = *scope](const StreamedAnswer::Write& write) {
    return write_car(blocks_, target, scope, write);
  };
  return StreamedAnswer{std::move(headers), body};
}

HttpResponse GatewayRoutes::record(const HttpRequest& request, std::string_view name,
                                   UnixMillis now) {
  if (requested_format(request) != GatewayFormat::record) {
    return text_answer(406, "this gateway is trustless: want format=ipns-record");
  }
  // A trailing slash is refused too: the record belongs to the name, not to a path below it.
  const auto parsed = sync::IpnsName::parse(name);
  if (!parsed) return text_answer(400, parsed.error().message);
  const auto found = records_.get(*parsed, now);
  if (!found) return text_answer(500, found.error().message);
  HttpResponse out = *found ? record_answer(request, **found, now) : text_answer(404, "no record");
  if (!*found) out.headers["cache-control"] = "no-store";
  out.headers["access-control-allow-origin"] = "*";
  return out;
}

}  // namespace ipnscast::bridge
