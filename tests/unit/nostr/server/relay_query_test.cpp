// How the embedded relay's store finds events: by an index, always.
#include "ipnscast/nostr/server/relay_query.h"

#include "ipnscast/nostr/server/relay_store.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/relays/relay_stage.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::test;

namespace {

// SQLite's plan for the filter's statement, a line for each step.
std::string plan_of(store::Database& db, const Filter& filter, const Viewer& viewer = {}) {
  const auto sql = RelayQuery{filter, {kTime}, viewer}.events_text();
  auto plan = db.prepare("EXPLAIN QUERY PLAN " + sql);
  std::string out;
  while (plan.step()) out += plan.text(3) + "\n";
  REQUIRE(plan.status());
  return out;
}

Filter tagged(char letter, std::vector<std::string> values) {
  Filter out;
  out.tags[letter] = std::move(values);
  return out;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("S24: no filter by ids, authors, kinds, #d or #t reads the whole table") {
  const TempDir dir;
  const auto file = dir.path() / "relay.db";
  REQUIRE(RelayStore::open(file));
  const auto db = *store::Database::open_read_only(file);
  const PublicKey author = key(1).public_key();
  const Viewer owner{std::vector<PublicKey>{author}};

  Filter ids;
  ids.ids = {EventId{}, EventId{}};
  Filter authors;
  authors.authors = {author, key(2).public_key()};
  Filter both = kinds({30078});
  both.authors = {author};
  Filter hints = both;
  hints.tags['d'] = {"a", "b"};
  Filter topic_of_author = both;
  topic_of_author.tags['t'] = {"ipns-sync"};
  Filter everything = ids;
  everything.authors = {author};
  everything.kinds = {1};
  everything.tags = {{'d', {"x"}}, {'t', {"y"}}};
  everything.since = UnixSeconds{1};
  for (const Filter& filter :
       {ids, authors, kinds({1, 2}), both, hints, topic_of_author, everything, tagged('d', {"x"}),
        tagged('d', {"x", "y"}), tagged('t', {"ipns-sync"}), tagged('t', {"a", "b"}), Filter{}}) {
    for (const Viewer& viewer : {Viewer{}, owner}) {
      const std::string plan = plan_of(*db, filter, viewer);
      INFO(to_json(filter) << "\n" << plan);
      // Reading an index from its newest end is how "the newest of all" is found.
      const bool walks_time = contains(plan, "SCAN e USING INDEX events_time");
      CHECK((!contains(plan, "SCAN") || (filter == Filter{} && walks_time)));
    }
  }
}

TEST_CASE("S24: the newest of one topic are read in order, and no more of them than are wanted") {
  const TempDir dir;
  const auto file = dir.path() / "relay.db";
  REQUIRE(RelayStore::open(file));
  const auto db = *store::Database::open_read_only(file);
  Filter filter = tagged('t', {"ipns-sync"});
  filter.kinds = {30078};
  filter.since = UnixSeconds{kTime};
  const std::string plan = plan_of(*db, filter);
  INFO(plan);
  CHECK(contains(plan, "SEARCH t USING"));
  CHECK(contains(plan, "created_at>?"));
  // Only ties within one second are sorted.
  CHECK_FALSE(contains(plan, "USE TEMP B-TREE FOR ORDER BY"));
}
