// Parts of a DAG: what a path names in it, and ranges of a file's bytes.
#include "ipnscast/sync/ipfs/unixfs/directory_packer.h"
#include "ipnscast/sync/ipfs/unixfs/unpacker.h"
#include "ipnscast/tests/integration/sync/fetch_fixture.h"
#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using namespace ipnscast::test;

namespace {

// /docs/big of a hundred blocks, among 6,000 small files in a sharded directory.
struct Tree {
  BlockTable table;
  std::string big;
  Cid root;
  Tree() {
    TableSink sink(table);
    const PackProfile small{1000, 10};
    for (int i = 0; big.size() < 100'000; ++i) big += std::to_string(i) + ",";
    big.resize(100'000);
    FilePacker big_file(small, sink);
    REQUIRE(big_file.write(as_bytes(big)));
    std::vector<NamedEntry> entries{{"big", *big_file.finish()}};
    for (int i = 0; i < 6'000; ++i) {
      FilePacker file(small, sink);
      REQUIRE(file.write(as_bytes(std::to_string(i))));
      entries.push_back({"file-" + std::to_string(i), *file.finish()});
    }
    root = pack_directory({{"docs", *pack_directory(std::move(entries), kKubo256k, sink)}},
                          kKubo256k, sink)
               ->cid;
  }
};

std::string content(BlockCache& cache, const Cid& file, const std::optional<ByteRange>& range) {
  std::string out;
  const auto size = read_file_content(
      cache, file, 1 << 20,
      [&](ByteView bytes) {
        out += as_text(bytes);
        return Status();
      },
      range);
  REQUIRE(size);
  return out;
}

FetchOptions scoped(const std::string& path, std::optional<ByteRange> bytes = {}) {
  FetchOptions out = kPatient;
  out.scope = {path, bytes ? DagPart::entity : DagPart::all, bytes};
  return out;
}

}  // namespace

TEST_CASE("S1-10 a path brings what it names and the way to it, from gateways that know raw only") {
  Tree tree;
  ScriptedHttpServer server(
      gateway_script(tree.table, [](const ScriptedRequest& request, ScriptedAnswer& answer) {
        if (is_car(request)) answer = {.status = 501};
      }));
  Fixture fixture({server.url()});
  const auto small = fixture.fetcher.fetch_now(tree.root, scoped("/docs/file-4711"));
  REQUIRE(small);
  CHECK(content(*fixture.cache, small->target, {}) == "4711");
  CHECK(small->blocks <= 6);

  const ByteRange range = *ByteRange::parse("-1500:-1");
  const auto part = fixture.fetcher.fetch_now(tree.root, scoped("docs/big", range));
  REQUIRE(part);
  CHECK(content(*fixture.cache, part->target, range) == tree.big.substr(98'500));
  CHECK(part->blocks <= 9);

  // What is here already is not asked for again.
  const auto all = fixture.fetcher.fetch_now(tree.root, scoped("docs/big"));
  REQUIRE(all);
  CHECK(content(*fixture.cache, all->target, {}) == tree.big);
  const auto again = fixture.fetcher.fetch_now(tree.root, scoped("docs/big"));
  REQUIRE(again);
  CHECK(again->blocks == 0);
}

TEST_CASE("a path that is not there is known for sure, and no gateway's word is taken for it") {
  Tree tree;
  // It would have one believe that there is no such path.
  ScriptedHttpServer denying(
      gateway_script(tree.table, [](const ScriptedRequest& request, ScriptedAnswer& answer) {
        if (request.target.find("/docs/") != std::string::npos) answer = {.status = 404};
      }));
  Fixture fixture({denying.url()});
  CHECK(fixture.fetcher.fetch_now(tree.root, scoped("docs/big")));
  const auto none = fixture.fetcher.fetch_now(tree.root, scoped("docs/none"));
  REQUIRE_FALSE(none);
  CHECK(none.error().code == Errc::not_found);
  const auto through = fixture.fetcher.fetch_now(tree.root, scoped("docs/file-1/more"));
  REQUIRE_FALSE(through);
  CHECK(through.error().code == Errc::mismatch);
}

TEST_CASE("a stream of a path that breaks off goes on at another gateway") {
  Tree tree;
  const auto path_answer = [&](size_t cut) {
    return [&tree, cut](const ScriptedRequest& request, ScriptedAnswer& answer) {
      if (!is_car(request)) return;
      // The whole DAG is more than was asked for, and has it.
      answer = {.headers = {{"Content-Type", "application/vnd.ipld.car"}},
                .body = tree.table.car(tree.root)};
      if (cut != 0) answer.cut_after = answer.body.size() / cut;
    };
  };
  ScriptedHttpServer broken(gateway_script(tree.table, path_answer(2)));
  ScriptedHttpServer whole(gateway_script(tree.table));
  Fixture fixture({broken.url(), whole.url()});
  std::vector<FetchProgress> told;
  FetchOptions options = scoped("docs/big");
  options.on_progress = [&](const FetchProgress& now) { told.push_back(now); };
  const auto report = fixture.fetcher.fetch_now(tree.root, options);
  REQUIRE(report);
  CHECK(content(*fixture.cache, report->target, {}) == tree.big);
  REQUIRE_FALSE(told.empty());
  CHECK(told.back().bytes == report->bytes);
  CHECK(told.back().waiting == 0);
}
