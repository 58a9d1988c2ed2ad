// The pool against relays that others wrote: outcomes, live events, AUTH, and a relay that is
// killed and comes back.
#include "ipnscast/nostr/pool/pool.h"

#include <algorithm>
#include <future>

#include "ipnscast/nostr/base/inbox.h"
#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/peers.h"
#include "ipnscast/tests/support/skip.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using namespace ipnscast::test;

namespace {

constexpr Milliseconds kLong{20'000};

PoolOptions options_for(const std::vector<RelayUrl>& relays,
                        const std::vector<std::shared_ptr<Signer>>& signers) {
  PoolOptions out;
  out.relays = relays;
  out.signers = signers;
  out.relay.connect = {Milliseconds(50), Milliseconds(400), Milliseconds(60'000)};
  out.relay.connect_in_outage = out.relay.connect;
  out.relay.resubscribe = out.relay.connect;
  return out;
}

// A pool with one subscription, whose messages the test reads.
class Reader {
 public:
  Reader(const RelayUrl& relay, std::vector<Filter> filters,
         const std::vector<std::shared_ptr<Signer>>& signers = {})
      : pool_(Pool::start(*loop_, options_for({relay}, signers))) {
    pool_->subscribe(std::move(filters),
                     [this](PoolMessage& m) { return inbox_.try_push(std::move(m)); });
  }
  ~Reader() { pool_.reset(); }

  // The next message of this type. All events that came in before it are in `seen`.
  template <typename Message>
  std::optional<Message> next(Milliseconds wait = kLong) {
    const Instant deadline = system_now().steady + wait;
    while (auto message = inbox_.pop_until(deadline)) {
      if (const auto* event = std::get_if<PoolEvent>(&*message)) seen.push_back(event->event);
      if (auto* wanted = std::get_if<Message>(&*message)) return std::move(*wanted);
    }
    return std::nullopt;
  }
  bool sees(const Event& event) {
    while (count(event) == 0 && next<PoolEvent>()) {
    }
    return count(event) == 1;
  }
  size_t count(const Event& event) const {
    return static_cast<size_t>(std::count(seen.begin(), seen.end(), event));
  }
  std::vector<RelayStatus> status() { return pool_->status(); }

  std::vector<Event> seen;

 private:
  std::unique_ptr<net::Loop> loop_ = *net::Loop::start();
  Inbox<PoolMessage> inbox_{10'000};
  std::unique_ptr<Pool> pool_;
};

class Writer {
 public:
  explicit Writer(const RelayUrl& relay, const std::vector<std::shared_ptr<Signer>>& signers = {})
      : relay_(relay), pool_(Pool::start(*loop_, options_for({relay}, signers))) {}
  ~Writer() { pool_.reset(); }

  RelayOutcome publish(const Event& event, std::optional<Milliseconds> read_back = {}) {
    std::promise<PublishReport> done;
    PublishOptions options;
    options.read_back = read_back;
    pool_->publish(event, options,
                   [&done](PublishReport report) { done.set_value(std::move(report)); });
    return done.get_future().get().relays.at(relay_);
  }

 private:
  const RelayUrl relay_;
  std::unique_ptr<net::Loop> loop_ = *net::Loop::start();
  std::unique_ptr<Pool> pool_;
};

// Hints of one author at addresses of its own; created_at grows.
struct Author {
  SecretKey key = SecretKey::generate();
  int64_t time = system_now().seconds().value - 100;

  Event hint(const std::string& d, const std::string& content, int kind = 30079) {
    return at(time++, d, content, kind);
  }
  Event at(int64_t created_at, const std::string& d, const std::string& content,
           int kind = 30079) const {
    return sign_event(key, {{created_at}, kind, {{"d", d}}, content});
  }
  Filter all(int kind = 30079) const {
    Filter out;
    out.authors = {key.public_key()};
    out.kinds = {kind};
    return out;
  }
  std::shared_ptr<Signer> signer() const { return make_local_signer(key.clone()); }
};

RelayUrl url_of(const ForeignRelay& relay) { return *RelayUrl::parse(relay.url()); }

void outcomes_at(const std::string& name, PublishState late, PublishState again) {
  const auto folder = peer(name);
  if (!folder) SKIP_TEST(folder.error());
  const ForeignRelay relay(name, *folder);
  Author author;
  Writer writer(url_of(relay));
  const Event older = author.hint("a", "older");
  const Event newer = author.hint("a", "newer");

  const RelayOutcome first = writer.publish(newer, Milliseconds(100));
  CHECK(first.state == PublishState::acknowledged);
  CHECK(first.read_back == ReadBack::confirmed);
  const RelayOutcome second = writer.publish(newer);
  INFO("again: " << to_string(second.state) << " " << second.reason);
  CHECK(second.state == again);
  CHECK(second.stored());
  const RelayOutcome third = writer.publish(older);
  INFO("late: " << to_string(third.state) << " " << third.reason);
  CHECK(third.state == late);

  Event forged = author.hint("b", "true");
  forged.sig.bytes[10] ^= 1;
  const RelayOutcome refused = writer.publish(forged);
  INFO("forged: " << to_string(refused.state) << " " << refused.reason);
  CHECK(refused.state == PublishState::refused);
  CHECK_FALSE(refused.stored());
}

void resumes_at(const std::string& name) {
  const auto folder = peer(name);
  if (!folder) SKIP_TEST(folder.error());
  ForeignRelay relay(name, *folder);
  Author author;
  const Event before = author.hint("a", "before the subscription");
  Writer(url_of(relay)).publish(before);

  Reader reader(url_of(relay), {author.all()});
  REQUIRE(reader.next<PoolEose>());
  CHECK(reader.count(before) == 1);
  const Event live = author.hint("b", "live");
  CHECK(Writer(url_of(relay)).publish(live).stored());
  REQUIRE(reader.sees(live));

  relay.stop();
  const auto lost = reader.next<PoolLink>();
  REQUIRE(lost);
  CHECK_FALSE(lost->live);
  CHECK_FALSE(lost->reason.empty());
  relay.start();
  const Event meanwhile = author.hint("c", "meanwhile");
  CHECK(Writer(url_of(relay)).publish(meanwhile).stored());
  REQUIRE(reader.sees(meanwhile));
  const Event afterwards = author.hint("d", "afterwards");
  CHECK(Writer(url_of(relay)).publish(afterwards).stored());
  REQUIRE(reader.sees(afterwards));

  for (const Event& event : {before, live, meanwhile, afterwards}) CHECK(reader.count(event) == 1);
  CHECK(reader.status().front().counters.forged == 0);
}

// What a reader by `#d` gets where another address changes at the same time.
void filters_at(const std::string& name) {
  const auto folder = peer(name);
  if (!folder) SKIP_TEST(folder.error());
  const ForeignRelay relay(name, *folder);
  Author author;
  Filter mine = author.all();
  mine.tags = {{'d', {"mine"}}};
  Reader reader(url_of(relay), {mine});
  REQUIRE(reader.next<PoolEose>());
  Writer writer(url_of(relay));
  for (int i = 0; i < 5; ++i) {
    CHECK(writer.publish(author.hint("other", std::to_string(i))).stored());
    const Event event = author.hint("mine", std::to_string(i));
    CHECK(writer.publish(event).stored());
    REQUIRE(reader.sees(event));
  }
  CHECK(reader.seen.size() == 5);
}

}  // namespace

TEST_CASE("pool: outcomes at khatru") {
  outcomes_at("khatru", PublishState::acknowledged, PublishState::acknowledged);
}
TEST_CASE("pool: outcomes at @nostr-relay/core, which calls a late version duplicate") {
  outcomes_at("nostr-relay-core", PublishState::superseded, PublishState::acknowledged);
}
TEST_CASE("pool: outcomes at rnostr") {
  outcomes_at("rnostr", PublishState::superseded, PublishState::duplicate);
}
TEST_CASE("pool: outcomes at nostr-rs-relay") {
  outcomes_at("nostr-rs-relay", PublishState::superseded, PublishState::duplicate);
}

TEST_CASE("R5 pool: a subscription survives the death of khatru") { resumes_at("khatru"); }
TEST_CASE("R5 pool: a subscription survives the death of @nostr-relay/core") {
  resumes_at("nostr-relay-core");
}
TEST_CASE("R5 pool: a subscription survives the death of rnostr") { resumes_at("rnostr"); }
TEST_CASE("R5 pool: a subscription survives the death of nostr-rs-relay") {
  resumes_at("nostr-rs-relay");
}

TEST_CASE("pool: only what the filter asks for comes from khatru") { filters_at("khatru"); }
TEST_CASE("pool: @nostr-relay/core sends what was not asked for, the pool does not pass it on") {
  filters_at("nostr-relay-core");
}
TEST_CASE("pool: only what the filter asks for comes from rnostr") { filters_at("rnostr"); }
TEST_CASE("pool: only what the filter asks for comes from nostr-rs-relay") {
  filters_at("nostr-rs-relay");
}

TEST_CASE("pool: rnostr that wants AUTH gets it, for EVENT and for REQ, also after a restart") {
  const auto folder = peer("rnostr");
  if (!folder) SKIP_TEST(folder.error());
  ForeignRelay relay("rnostr", *folder, true);
  Author author;
  const Event event = author.hint("a", "authenticated");
  const RelayOutcome refused = Writer(url_of(relay)).publish(event);
  CHECK(refused.state == PublishState::refused);
  CHECK(refused.reason.rfind("auth-required", 0) == 0);
  CHECK(Writer(url_of(relay), {author.signer()}).publish(event).stored());

  Reader nobody(url_of(relay), {author.all()});
  const auto link = nobody.next<PoolLink>();
  REQUIRE(link);
  CHECK_FALSE(link->live);
  CHECK(link->reason.rfind("auth-required", 0) == 0);

  Reader reader(url_of(relay), {author.all()}, {author.signer()});
  REQUIRE(reader.sees(event));
  relay.stop();
  relay.start();
  const Event later = author.hint("b", "after the restart");
  CHECK(Writer(url_of(relay), {author.signer()}).publish(later).stored());
  REQUIRE(reader.sees(later));
  CHECK(reader.count(event) == 1);
}

TEST_CASE("pool: khatru that keeps kind 30078 to its author serves it to nobody else, in no loop") {
  const auto folder = peer("khatru");
  if (!folder) SKIP_TEST(folder.error());
  const ForeignRelay relay("khatru", *folder, true);
  Author author;
  const Author stranger;
  const Event event = author.hint("a", "own", 30078);
  CHECK(Writer(url_of(relay), {author.signer()}).publish(event).stored());

  Reader owner(url_of(relay), {author.all(30078)}, {author.signer()});
  REQUIRE(owner.sees(event));
  Reader other(url_of(relay), {author.all(30078)}, {stranger.signer()});
  REQUIRE(other.next<PoolLink>());
  const auto stands = [&other] { return other.status().front().subscriptions.front().second; };
  const Instant deadline = system_now().steady + kLong;
  while (stands().state != SubscriptionState::refused && system_now().steady < deadline)
    other.next<PoolLink>(Milliseconds(50));
  CHECK(stands().state == SubscriptionState::refused);
  CHECK(stands().reason.rfind("restricted", 0) == 0);
  CHECK(other.seen.empty());
  CHECK(other.status().front().counters.connects == 1);
}
