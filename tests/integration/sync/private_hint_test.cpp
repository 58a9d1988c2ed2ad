// Devices with one key that follow each other by private hints, over real sockets.
#include "ipnscast/sync/hint/private_hint.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/log.h"
#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/nostr/pool/pool.h"
#include "ipnscast/tests/integration/sync/client_world.h"

using namespace ipnscast;
using namespace ipnscast::sync;
using ipnscast::test::Changes;
using ipnscast::test::World;

namespace {

constexpr Milliseconds kWait{20'000};

// The owner's signer, which decrypts on a thread of its own: answers come later, as from a remote
// one.
class LateSigner final : public nostr::Signer {
 public:
  explicit LateSigner(const nostr::SecretKey& key) : inner_(nostr::make_local_signer(key.clone())) {
    thread_ = std::thread([this] {
      while (const auto work = work_.pop()) (*work)();
    });
  }
  ~LateSigner() override {
    work_.close();
    thread_.join();
  }
  nostr::PublicKey public_key() const override { return inner_->public_key(); }
  std::optional<SecretBytes<32>> derive(std::string_view info) const override {
    return inner_->derive(info);
  }
  void sign(nostr::UnsignedEvent event, SignCallback done) override {
    inner_->sign(std::move(event), std::move(done));
  }
  void nip44_encrypt(std::string text, nostr::PublicKey peer, TextCallback done) override {
    inner_->nip44_encrypt(std::move(text), peer, std::move(done));
  }
  void nip44_decrypt(std::string payload, nostr::PublicKey peer, TextCallback done) override {
    work_.push_reserved(
        [this, payload, peer, done] { inner_->nip44_decrypt(payload, peer, done); });
  }

 private:
  const std::shared_ptr<nostr::Signer> inner_;
  Inbox<std::function<void()>> work_{100};
  std::thread thread_;
};

Config private_config(const World& world, const std::string& device) {
  Config out = world.config(device);
  out.private_hints = true;
  return out;
}

// Whatever stands on the world's relay, as it comes.
struct Eavesdropper {
  Inbox<nostr::PoolMessage> heard{1000};  // outlives what fills it
  std::unique_ptr<nostr::Pool> pool;

  explicit Eavesdropper(const World& world) {
    nostr::PoolOptions options;
    options.relays = {*nostr::RelayUrl::parse(world.relay->url())};
    pool = nostr::Pool::start(*world.loop, options);
    pool->subscribe({nostr::Filter{}},
                    [this](nostr::PoolMessage& m) { return heard.try_push(std::move(m)); });
  }
  nostr::Event next() {
    const Instant deadline = std::chrono::steady_clock::now() + kWait;
    for (;;) {
      auto message = heard.pop_until(deadline);
      REQUIRE(message);
      if (auto* event = std::get_if<nostr::PoolEvent>(&*message)) return std::move(event->event);
    }
  }
  void publish(const nostr::Event& event) {
    Inbox<nostr::PublishReport> reports{4};
    pool->publish(event, {}, [&](nostr::PublishReport r) { reports.push_reserved(std::move(r)); });
    REQUIRE(reports.pop()->stored_count() == 1);
  }
};

// Every line that is logged while it lives, of any level.
class LogLines {
 public:
  LogLines() {
    set_log_level(LogLevel::debug);
    set_log_sink([this](LogLevel, std::string_view, std::string_view text) {
      std::lock_guard lock(mutex_);
      all_ += std::string(text) + "\n";
    });
  }
  ~LogLines() {
    set_log_sink(nullptr);
    set_log_level(LogLevel::info);
  }
  std::string all() const {
    std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  mutable std::mutex mutex_;
  std::string all_;  // guarded by mutex_
};

std::vector<std::string> spellings(const IpnsName& name) {
  return {name.to_string(), name.base58(), name.base32(), to_hex(name.bytes())};
}

bool tells(const std::string& text, const IpnsName& name, const Cid& cid) {
  auto words = spellings(name);
  words.push_back(cid.to_string());
  words.push_back(cid.as_v1().to_string());
  return std::any_of(words.begin(), words.end(),
                     [&](const auto& word) { return text.find(word) != text.npos; });
}

}  // namespace

TEST_CASE("two devices follow each other by hints that tell relays and strangers nothing") {
  const LogLines log;
  World world;
  Eavesdropper relay(world);
  const auto name = world.key.name();

  // The stranger trusts the author and hears the relay; it has no node to poll.
  const nostr::SecretKey strange = nostr::SecretKey::generate();
  Config stranger_config = world.config("stranger");
  stranger_config.signer = nostr::make_local_signer(strange.clone());
  stranger_config.gateways.clear();
  Changes strangers;
  auto stranger = *Client::open(stranger_config);
  const IpnsKey open_key = *IpnsKey::derive_ed25519(strange.secret_view());
  auto records_only = strangers.options();
  records_only.fetch_content = false;
  REQUIRE(stranger->watch(name, records_only));
  REQUIRE(stranger->watch(open_key.name(), records_only));

  Config phone_config = private_config(world, "phone");
  phone_config.signer = std::make_shared<LateSigner>(world.nostr_key);
  Changes on_phone;
  Changes on_desk;
  auto phone = *Client::open(phone_config);
  auto desk = *Client::open(private_config(world, "desk"));
  REQUIRE(phone->watch(name, on_phone.options()));
  REQUIRE(desk->watch(name, on_desk.options()));

  // What is published, in turns, arrives on the other one by the hint.
  for (const int turn : {1, 2, 3, 4}) {
    auto& writer = turn % 2 == 1 ? desk : phone;
    auto& heard = turn % 2 == 1 ? on_phone : on_desk;
    auto outcome = writer->publish(world.key, world.tree(std::to_string(turn)));
    REQUIRE(outcome);
    CHECK(outcome->quorum_met);
    std::optional<Change> change;
    do change = heard.next(ChangeKind::change);
    while (change && change->sequence < outcome->sequence);
    REQUIRE(change);
    CHECK(change->sequence == outcome->sequence);
    CHECK(change->author == world.nostr_key.public_key());
    CHECK(change->source == SourceKind::nostr);

    const nostr::Event stands = relay.next();
    CHECK(stands.id == outcome->hint);
    REQUIRE(stands.tags.size() == 1);
    CHECK(is_private_d(*stands.tag("d")));
    CHECK_FALSE(tells(nostr::to_json(stands), name, outcome->cid));
    CHECK_FALSE(tells(log.all(), name, outcome->cid));
  }
  CHECK(phone->private_hints().read >= 2);
  CHECK(phone->private_hints().dropped == 0);

  // The stranger hears the same relay: an open hint that comes after all the private ones.
  auto open_writer = *Client::open(world.config("open"));
  REQUIRE(open_writer->publish(open_key, world.tree("open")));
  const auto first = strangers.next();
  REQUIRE(first);
  CHECK(first->name == open_key.name());
  CHECK_FALSE(strangers.next(Milliseconds(0)));
  CHECK(stranger->private_hints().read + stranger->private_hints().dropped == 0);
}

TEST_CASE("devices with private and with plain hints follow each other") {
  World world;
  Changes on_plain;
  Changes on_private;
  auto plain = *Client::open(world.config("plain"));
  auto hidden = *Client::open(private_config(world, "hidden"));
  REQUIRE(plain->watch(world.key.name(), on_plain.options()));
  REQUIRE(hidden->watch(world.key.name(), on_private.options()));
  // The first one may be found by the look-up that a watch begins with; after it only hints bring
  // news for half a minute.
  auto outcome = plain->publish(world.key, world.tree("first"));
  REQUIRE(outcome);
  REQUIRE(on_private.next(ChangeKind::change));
  outcome = plain->publish(world.key, world.tree("plain"));
  REQUIRE(outcome);
  auto change = on_private.next(ChangeKind::change);
  REQUIRE(change);
  CHECK(change->sequence == outcome->sequence);
  CHECK(change->source == SourceKind::nostr);

  outcome = hidden->publish(world.key, world.tree("hidden"));
  REQUIRE(outcome);
  do change = on_plain.next(ChangeKind::change);
  while (change && change->sequence < outcome->sequence);
  REQUIRE(change);
  CHECK(change->source == SourceKind::nostr);
}

TEST_CASE("a private hint that is not what its d says is dropped, counted and never acted upon") {
  World world;
  const auto signer = nostr::make_local_signer(world.nostr_key.clone());
  const PrivateNames names(*signer->derive(kPrivateKeyInfo));
  const auto name = world.key.name();
  Changes changes;
  Config config = private_config(world, "reader");
  config.confirm = Confirm::trusted;  // whatever a trusted author says is handed over at once
  config.gateways.clear();
  auto reader = *Client::open(config);
  auto options = changes.options();
  options.fetch_content = false;
  REQUIRE(reader->watch(name, options));

  Eavesdropper relay(world);
  auto writer = *Client::open(private_config(world, "writer"));
  REQUIRE(writer->publish(world.key, world.tree("first")));
  REQUIRE(changes.next());  // so the reader is listening
  relay.next();

  const UnixSeconds now = system_now().seconds();
  const auto put = [&](const IpnsName& inside, int64_t ahead, bool altered) {
    HintDraft draft{inside, *make_cid(Codec::raw, as_bytes("x")), {9}, system_now().wall};
    auto payload = *nostr::nip44_encrypt_blocking(*signer, *make_hint_text(draft),
                                                  signer->public_key(), kWait);
    if (altered) payload[payload.size() / 2] = payload[payload.size() / 2] == 'A' ? 'B' : 'A';
    relay.publish(nostr::sign_event(world.nostr_key,
                                    make_private_hint_event(names.d_of(name), payload, kHintKind,
                                                            UnixSeconds{now.value + ahead})));
    relay.next();
  };
  put(name, 10, true);
  put(IpnsKey::derive_ed25519(nostr::SecretKey::generate().secret_view())->name(), 20, false);
  // Signed above what stands there, however it comes about: by hearing of it, or by its refusal.
  auto outcome = writer->publish(world.key, world.tree("second"));
  REQUIRE(outcome);
  const auto change = changes.next();
  REQUIRE(change);
  CHECK(change->kind == ChangeKind::change);
  CHECK(change->sequence == outcome->sequence);
  CHECK(reader->private_hints().read >= 2);  // one more when it was signed again
  CHECK(reader->private_hints().dropped == 2);
}

TEST_CASE("the name that anybody can compute is refused before anything is sent") {
  World world;
  Eavesdropper relay(world);
  auto writer = *Client::open(private_config(world, "writer"));
  const IpnsKey own_curve = *IpnsKey::from_nostr_secret(world.nostr_key.secret_view());
  auto outcome = writer->publish(own_curve, world.tree("one"));
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == Errc::refused);
  const Cid cid = *make_cid(Codec::raw, as_bytes("content"));
  CHECK(writer->publish_cid(own_curve, cid).error().code == Errc::refused);
  CHECK(writer->announce(own_curve.name(), cid, {1}, std::nullopt).error().code == Errc::refused);
  auto resolved = writer->resolve(own_curve.name(), Milliseconds(5'000));
  CHECK((!resolved || !resolved->best));

  REQUIRE(writer->publish(world.key, world.tree("two")));
  CHECK(is_private_hint(relay.next(), world.nostr_key.public_key()));

  Config both = private_config(world, "both");
  both.publish_public = true;
  CHECK(Client::open(both).error().code == Errc::invalid);
}

TEST_CASE("R3 a private hint refused for a newer one with an older state is signed again above") {
  World world;
  const auto signer = nostr::make_local_signer(world.nostr_key.clone());
  const PrivateNames names(*signer->derive(kPrivateKeyInfo));
  const Cid cid = *make_cid(Codec::raw, as_bytes("content"));
  const int64_t ahead = system_now().seconds().value + 100;
  const HintDraft old{world.key.name(), cid, {1}, system_now().wall};
  auto payload =
      *nostr::nip44_encrypt_blocking(*signer, *make_hint_text(old), signer->public_key(), kWait);
  Eavesdropper relay(world);
  relay.publish(nostr::sign_event(
      world.nostr_key, make_private_hint_event(names.d_of(world.key.name()), payload, kHintKind,
                                               UnixSeconds{ahead})));
  Config config = private_config(world, "writer");
  config.read_back = Milliseconds(50);
  auto writer = *Client::open(config);
  REQUIRE(writer->announce(world.key.name(), cid, {5}, std::nullopt));
  std::optional<nostr::Event> last;
  while (!last || last->created_at.value <= ahead) last = relay.next();
  CHECK(last->created_at == UnixSeconds{ahead + 1});
  auto text = nostr::nip44_decrypt_blocking(*signer, last->content, signer->public_key(), kWait);
  REQUIRE(text);
  CHECK(parse_private_hint(*last, *text, names)->sequence == Sequence{5});
}
