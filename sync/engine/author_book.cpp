#include "ipnscast/sync/engine/author_book.h"

namespace ipnscast::sync {

AuthorBook::AuthorBook() : AuthorBook(Options{}) {}
AuthorBook::AuthorBook(Options options) : options_(options) {}

bool AuthorBook::Window::take(int limit, Milliseconds length, Instant now) {
  if (used == 0 || now - start >= length) {
    start = now;
    used = 0;
  }
  if (used >= limit) return false;
  ++used;
  return true;
}

AuthorBook::Author& AuthorBook::touch(const nostr::PublicKey& author) {
  const auto known = authors_.find(author);
  if (known != authors_.end()) {
    order_.splice(order_.end(), order_, known->second.place);
    return known->second;
  }
  if (authors_.size() >= options_.max_authors) {
    authors_.erase(order_.front());
    order_.pop_front();
  }
  order_.push_back(author);
  auto& fresh = authors_[author];
  fresh.place = std::prev(order_.end());
  return fresh;
}

void AuthorBook::mark(const nostr::PublicKey& author, Instant now) {
  ++marks_given_;
  touch(author).marks.take(options_.marks_to_distrust, options_.mark_lifetime, now);
}

bool AuthorBook::distrusted(const nostr::PublicKey& author, Instant now) const {
  const auto known = authors_.find(author);
  if (known == authors_.end()) return false;
  const auto& marks = known->second.marks;
  return marks.used >= options_.marks_to_distrust && now - marks.start < options_.mark_lifetime;
}

bool AuthorBook::spend(const nostr::PublicKey& author, Instant now) {
  // The author's own budget first: a flood from one key must not use up what is everybody's.
  return touch(author).budget.take(options_.budget, options_.budget_window, now) &&
         all_.take(options_.budget_of_all, options_.budget_window, now);
}

}  // namespace ipnscast::sync
