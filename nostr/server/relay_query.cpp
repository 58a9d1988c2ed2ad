#include "ipnscast/nostr/server/relay_query.h"

#include <algorithm>
#include <functional>
#include <string>

namespace ipnscast::nostr::server {
namespace {

constexpr const char* kEventColumns = "e.id, e.created_at, e.json";

using Tags = std::map<char, std::vector<std::string>>;

std::string in_list(size_t count) {
  std::string out = " IN (?";
  for (size_t i = 1; i < count; ++i) out += ",?";
  return out + ")";
}

// SQLite has no statistics to guess with, so the query says which index leads. A '+' before a
// column keeps SQLite from taking that column's index instead.
enum class Lead {
  ids,       // the unique index of ids
  tag,       // one value: the tag's index, which has the order of answers, so that a limit stops it
  tag_list,  // several values: all that has them, sorted
  columns,   // one of the indexes over author, kind and time
};

struct Plan {
  Lead lead = Lead::columns;
  Tags::const_iterator tag;  // the one that leads
};

// ids, then d (few events have the same), then authors and kinds, then the tag with the fewest
// values, then kinds, else time.
Plan plan_for(const Filter& filter) {
  const Tags& tags = filter.tags;
  if (!filter.ids.empty()) return {Lead::ids, tags.end()};
  auto leading = tags.find('d');
  if (leading == tags.end()) {
    if (tags.empty() || !filter.authors.empty()) return {Lead::columns, tags.end()};
    leading = std::min_element(tags.begin(), tags.end(), [](const auto& a, const auto& b) {
      return a.second.size() < b.second.size();
    });
  }
  return {leading->second.size() == 1 ? Lead::tag : Lead::tag_list, leading};
}

// Builds one SELECT and, in the same order, binds what its terms stand for.
class Select {
 public:
  explicit Select(const RelayQuery& query) : query_(query), plan_(plan_for(query.filter)) {}

  const std::string& text(const std::string& columns, bool ordered) {
    sql_ = "SELECT " + columns + " FROM ";
    sql_ += plan_.lead == Lead::tag ? "tags t CROSS JOIN events e ON e.seq = t.event" : "events e";
    add_leading();
    add_tags();
    add_columns();
    add_visibility();
    if (ordered) {
      sql_ += " ORDER BY ";
      sql_ += plan_.lead == Lead::tag ? "t.created_at" : "e.created_at";
      sql_ += " DESC, e.id";
    }
    return sql_ += " LIMIT ?";
  }

  store::Statement prepare(store::Database& db, const std::string& columns, bool ordered,
                           uint32_t limit) {
    auto out = db.prepare(text(columns, ordered));
    for (const auto& bind : binds_) bind(out);
    out.bind(int64_t{limit});
    return out;
  }

 private:
  void term(const std::string& text) {
    sql_ += first_ ? " WHERE " : " AND ";
    sql_ += text;
    first_ = false;
  }
  template <typename Values, typename View>
  void bind_all(const Values& values, View view) {
    binds_.push_back([&values, view](store::Statement& s) {
      for (const auto& value : values) s.bind(view(value));
    });
  }
  void bind_tag(Tags::const_iterator tag) {
    binds_.push_back([tag](store::Statement& s) { s.bind(std::string_view(&tag->first, 1)); });
    bind_all(tag->second, [](const std::string& value) { return as_bytes(value); });
  }
  void bind_integer(int64_t value) {
    binds_.push_back([value](store::Statement& s) { s.bind(value); });
  }

  void add_leading() {
    if (plan_.lead == Lead::ids) {
      term("e.id" + in_list(query_.filter.ids.size()));
      bind_all(query_.filter.ids, [](const EventId& id) { return id.view(); });
    } else if (plan_.lead == Lead::tag) {
      term("t.name = ? AND t.value = ?");
      bind_tag(plan_.tag);
    } else if (plan_.lead == Lead::tag_list) {
      term("e.seq IN (SELECT event FROM tags WHERE name = ? AND value" +
           in_list(plan_.tag->second.size()) + ")");
      bind_tag(plan_.tag);
    }
  }

  // One look into the tags' index for each event that the lead gives.
  void add_tags() {
    const Tags& tags = query_.filter.tags;
    for (auto tag = tags.begin(); tag != tags.end(); ++tag) {
      if (tag == plan_.tag) continue;
      term("EXISTS (SELECT 1 FROM tags o WHERE o.name = ? AND o.value" +
           in_list(tag->second.size()) + " AND o.created_at = e.created_at AND o.event = e.seq)");
      bind_tag(tag);
    }
  }

  void add_columns() {
    const Filter& filter = query_.filter;
    const std::string column = plan_.lead == Lead::columns ? "e." : "+e.";
    if (!filter.authors.empty()) {
      term(column + "pubkey" + in_list(filter.authors.size()));
      bind_all(filter.authors, [](const PublicKey& author) { return author.view(); });
    }
    if (!filter.kinds.empty()) {
      term(column + "kind" + in_list(filter.kinds.size()));
      bind_all(filter.kinds, [](int kind) { return int64_t{kind}; });
    }
    const std::string time = plan_.lead == Lead::tag ? "t.created_at" : column + "created_at";
    if (filter.since) {
      term(time + " >= ?");
      bind_integer(filter.since->value);
    }
    if (filter.until) {
      term(time + " <= ?");
      bind_integer(filter.until->value);
    }
  }

  void add_visibility() {
    term("(e.expires_at IS NULL OR e.expires_at > ?)");
    bind_integer(query_.now.value);
    const auto& authors = query_.viewer.private_authors;
    if (!authors) return;
    const std::string not_private = "+e.kind <> " + std::to_string(kPrivateKind);
    if (authors->empty()) return term(not_private);
    term("(" + not_private + " OR +e.pubkey" + in_list(authors->size()) + ")");
    bind_all(*authors, [](const PublicKey& author) { return author.view(); });
  }

  const RelayQuery& query_;
  const Plan plan_;
  std::string sql_;
  bool first_ = true;
  std::vector<std::function<void(store::Statement&)>> binds_;
};

}  // namespace

store::Statement RelayQuery::events(store::Database& db, uint32_t limit) const {
  return Select(*this).prepare(db, kEventColumns, true, limit);
}

std::string RelayQuery::events_text() const { return Select(*this).text(kEventColumns, true); }

store::Statement RelayQuery::ids(store::Database& db, uint32_t limit) const {
  return Select(*this).prepare(db, "e.id, e.created_at", true, limit);
}

store::Statement RelayQuery::sequences(store::Database& db, uint32_t limit) const {
  return Select(*this).prepare(db, "e.seq", false, limit);
}

}  // namespace ipnscast::nostr::server
