#include "ipnscast/sync/engine/author_book.h"

#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {
nostr::PublicKey author(uint32_t number) {
  nostr::PublicKey key;
  std::memcpy(key.bytes.data(), &number, sizeof(number));
  return key;
}
const Instant kStart = Instant() + std::chrono::hours(100);
}  // namespace

TEST_CASE(
    "an author whose hints were proved wrong three times in an hour is not believed until it has "
    "passed") {
  AuthorBook book;
  book.mark(author(1), kStart);
  book.mark(author(1), kStart);
  CHECK_FALSE(book.distrusted(author(1), kStart));
  book.mark(author(1), kStart);
  CHECK(book.distrusted(author(1), kStart));
  CHECK_FALSE(book.distrusted(author(2), kStart));
  CHECK_FALSE(book.distrusted(author(1), kStart + std::chrono::hours(1)));
}

TEST_CASE("a stranger who floods uses up only a budget of its own") {
  AuthorBook book({.budget = 2, .budget_of_all = 5});
  CHECK(book.spend(author(1), kStart));
  CHECK(book.spend(author(1), kStart));
  for (int i = 0; i < 100; ++i) CHECK_FALSE(book.spend(author(1), kStart));
  CHECK(book.spend(author(2), kStart));
  CHECK(book.spend(author(1), kStart + std::chrono::minutes(1)));
}

TEST_CASE("many strangers together are held to a budget, and the book stays bounded") {
  AuthorBook book({.max_authors = 100, .budget = 2, .budget_of_all = 5});
  int granted = 0;
  for (uint32_t i = 0; i < 10'000; ++i) granted += book.spend(author(i), kStart) ? 1 : 0;
  CHECK(granted == 5);
  CHECK(book.size() == 100);
}
