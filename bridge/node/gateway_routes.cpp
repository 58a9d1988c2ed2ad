#include "ipnscast/bridge/node/gateway_routes.h"

#include "ipnscast/bridge/node/byte_ranges.h"
#include "ipnscast/bridge/node/record_answer.h"
#include "ipnscast/bridge/node/store/dag_scope.h"
#include "ipnscast/bridge/node/store/scope_walk.h"
#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/sha256.h"
#include "ipnscast/sync/ipfs/ipld/car.h"
#include "ipnscast/sync/ipfs/unixfs/path_resolver.h"

namespace ipnscast::bridge {
namespace {

constexpr std::string_view kContent = "/ipfs/";
constexpr std::string_view kNames = "/ipns/";
constexpr const char* kForEver = "public, max-age=29030400, immutable";
constexpr const char* kMethods = "GET, HEAD, OPTIONS";
constexpr size_t kPieceBytes = 64 * 1024;

HttpResponse refusal(const Error& error) {
  return text_answer(error.code == Errc::unsupported ? 406 : 400, error.message);
}

Headers content_headers(const GatewayTarget& target, const std::string& etag) {
  Headers out = {{"etag", etag}, {"cache-control", kForEver}, {"vary", "Accept"}};
  add_roots_header(out, target.roots);
  return out;
}

// Tells the parts of one DAG apart.
std::string name_of(const sync::DagScope& scope, bool repeats_blocks) {
  return std::to_string(static_cast<int>(scope.part)) + (repeats_blocks ? "y" : "n") +
         (scope.bytes ? scope.bytes->to_string() : "");
}

// The DAG as a CAR stream, in pieces of some size rather than one for each block.
class CarPieces {
 public:
  CarPieces(BlockStore& blocks, const GatewayTarget& target, const sync::DagScope& scope,
            Repeats repeats)
      : walk_(blocks, target.root(), scope, repeats), piece_(sync::car_header({target.end()})) {}

  Result<Bytes> next() {
    while (piece_.size() < kPieceBytes) {
      const auto step = walk_.next();
      if (!step) return fail(step.error());
      if (!*step) break;
      sync::append_car_section(piece_, (*step)->cid, (*step)->block);
    }
    return std::exchange(piece_, {});
  }

 private:
  ScopeWalk walk_;
  Bytes piece_;
};

}  // namespace

NodeAnswer GatewayRoutes::answer(const HttpRequest& request, UnixMillis now) {
  NodeAnswer out = route(request, now);
  std::visit([](auto& any) { add_common_headers(any.headers); }, out);
  return out;
}

NodeAnswer GatewayRoutes::route(const HttpRequest& request, UnixMillis now) {
  if (request.method == "OPTIONS") return HttpResponse{204, {{"allow", kMethods}}, {}};
  if (request.method != "GET" && request.method != "HEAD") {
    HttpResponse refused = text_answer(405, "want GET or HEAD");
    refused.headers["allow"] = kMethods;
    return refused;
  }
  const std::string_view path = request.path;
  const bool is_content = path.starts_with(kContent);
  if (!is_content && !path.starts_with(kNames))
    return text_answer(404, "want /ipfs/CID or /ipns/NAME");
  const auto wanted = wanted_answer(request);
  if (!wanted) return refusal(wanted.error());
  if (is_content) return content(request, *wanted, path.substr(kContent.size()));
  return record(request, *wanted, path.substr(kNames.size()), now);
}

NodeAnswer GatewayRoutes::content(const HttpRequest& request, const WantedAnswer& wanted,
                                  std::string_view path) {
  const size_t slash = path.find('/');
  const auto root = sync::Cid::parse(path.substr(0, slash));
  if (!root) return text_answer(400, "invalid CID: " + root.error().message);
  if (wanted.format == GatewayFormat::record)
    return text_answer(400, "records are of names: want /ipns/NAME?format=ipns-record");
  const auto here = blocks_.has(*root);
  if (!here) return text_answer(500, here.error().message);
  if (!*here) return missing(request, block_missing(*root).message);
  GatewayTarget target{slash == path.npos ? "" : std::string(path.substr(slash)), {}};
  sync::DagBudget budget{sync::DagLimits{}};
  if (Status led = sync::resolve_path(budget, blocks_, *root, target.path, target.roots); !led)
    return no_such_path(request, target, led.error());
  const auto end_here = blocks_.has(target.end());
  if (!end_here) return text_answer(500, end_here.error().message);
  if (!*end_here) return missing(request, block_missing(target.end()).message);
  if (wanted.format == GatewayFormat::raw) return raw(request, wanted, target);
  return car(request, wanted, target);
}

HttpResponse GatewayRoutes::no_such_path(const HttpRequest& request, const GatewayTarget& target,
                                         const Error& error) const {
  if (error.code == Errc::not_found) return missing(request, error.message);
  if (error.code == Errc::io || error.code == Errc::signature)
    return text_answer(500, error.message);
  if (error.code != Errc::mismatch) return text_answer(400, error.message);
  // A path ends at a block. One that ends at a value in one may come to mean something.
  const sync::Cid& last = target.end();
  const bool is_data = last.is(sync::Codec::dag_cbor) || last.is(sync::Codec::dag_json);
  return is_data ? text_answer(501, error.message) : missing(request, error.message);
}

HttpResponse GatewayRoutes::missing(const HttpRequest& request, std::string_view what) const {
  HttpResponse out =
      wants_cached_only(request) ? HttpResponse{412, {}, {}} : text_answer(404, what);
  out.headers["cache-control"] = "no-store";
  return out;
}

HttpResponse GatewayRoutes::raw(const HttpRequest& request, const WantedAnswer& wanted,
                                const GatewayTarget& target) {
  const std::string cid = target.end().to_string();
  const std::string etag = "\"" + cid + ".raw\"";
  HttpResponse out{200, content_headers(target, etag), {}};
  add_origin_headers(out.headers, request, wanted, cid + ".bin");
  out.headers["content-type"] = media_type_of(GatewayFormat::raw);
  if (has_etag(header_of(request, "if-none-match"), etag)) {
    out.status = 304;
    return out;
  }
  auto block = sync::read_block(blocks_, target.end());
  if (!block) return text_answer(500, block.error().message);
  out.body = std::move(*block);
  return cut_to_ranges(std::move(out), request);
}

NodeAnswer GatewayRoutes::car(const HttpRequest& request, const WantedAnswer& wanted,
                              const GatewayTarget& target) {
  auto scope = wanted_scope(request);
  if (!scope) return refusal(scope.error());
  scope->path = target.path;
  const std::string cid = target.end().to_string();
  // The blocks of the path are in the stream too.
  const auto variant = sha256({as_bytes(target.root().to_string()), as_bytes(target.path),
                               as_bytes(name_of(*scope, wanted.repeats_blocks))});
  const std::string etag = "W/\"" + cid + ".car." + to_hex(ByteView(variant).first(8)) + "\"";
  Headers headers = content_headers(target, etag);
  add_origin_headers(headers, request, wanted, cid + ".car");
  headers["content-type"] = std::string(media_type_of(GatewayFormat::car)) +
                            "; version=1; order=dfs; dups=" + (wanted.repeats_blocks ? 'y' : 'n');
  headers["accept-ranges"] = "none";
  if (has_etag(header_of(request, "if-none-match"), etag))
    return HttpResponse{304, std::move(headers), {}};
  // The length is not known before the stream has been made, so that HEAD tells none either.
  if (request.method == "HEAD")
    return StreamedAnswer{std::move(headers), [] { return Result<Bytes>(Bytes()); }};
  const Repeats repeats = wanted.repeats_blocks ? Repeats::visited : Repeats::left_out;
  const auto pieces = std::make_shared<CarPieces>(blocks_, target, *scope, repeats);
  return StreamedAnswer{std::move(headers), [pieces] { return pieces->next(); }};
}

HttpResponse GatewayRoutes::record(const HttpRequest& request, const WantedAnswer& wanted,
                                   std::string_view name, UnixMillis now) {
  if (wanted.format != GatewayFormat::record)
    return text_answer(406, "this gateway is trustless: want format=ipns-record");
  if (!name.empty() && name.back() == '/') name.remove_suffix(1);
  // The record belongs to the name, not to a path below it.
  const auto parsed = sync::IpnsName::parse(name);
  if (!parsed) return text_answer(400, parsed.error().message);
  const auto found = records_.get(*parsed, now);
  if (!found) return text_answer(500, found.error().message);
  if (!*found) return missing(request, "no record");
  HttpResponse out = record_answer(request, **found, now);
  add_origin_headers(out.headers, request, wanted, parsed->to_string() + ".ipns-record");
  return out;
}

}  // namespace ipnscast::bridge
