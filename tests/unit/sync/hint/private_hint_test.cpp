#include "ipnscast/sync/hint/private_hint.h"

#include "ipnscast/nostr/base/base64.h"
#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/event/keys.h"
#include "ipnscast/nostr/nip/local_signer.h"
#include "ipnscast/sync/ipfs/ipns/ipns_key.h"
#include "ipnscast/sync/keys/private_key.h"
#include "ipnscast/sync/source/hint_opener.h"
#include "ipnscast/sync/source/nostr_source.h"
#include "ipnscast/sync/state/state_store.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::sync;

namespace {

constexpr Milliseconds kWait{5'000};

struct Device {
  nostr::SecretKey key = nostr::SecretKey::generate();
  std::shared_ptr<nostr::Signer> signer = nostr::make_local_signer(key.clone());
  IpnsName name = IpnsKey::derive_ed25519(key.secret_view())->name();
  PrivateNames names{*signer->derive(kPrivateKeyInfo)};
  HintDraft draft{
      name, *make_cid(Codec::raw, as_bytes("secret content")), {42}, UnixMillis{1'790'000'000'000}};

  nostr::Event event_around(const std::string& text) const {
    auto payload = nostr::nip44_encrypt_blocking(*signer, text, key.public_key(), kWait);
    return nostr::sign_event(key, make_private_hint_event(names.d_of(name), *payload, kHintKind,
                                                          UnixSeconds{1'790'000'000}));
  }
  Result<std::string> text_of(const nostr::Event& event) const {
    return nostr::nip44_decrypt_blocking(*signer, event.content, key.public_key(), kWait);
  }
};

// Encrypts with a key of its own, but gives no secret away: as a remote signer. Decrypts only when
// it is told to.
class AbsentSigner final : public nostr::Signer {
 public:
  explicit AbsentSigner(nostr::SecretKey key) : inner_(nostr::make_local_signer(std::move(key))) {}
  nostr::PublicKey public_key() const override { return inner_->public_key(); }
  void sign(nostr::UnsignedEvent event, SignCallback done) override {
    inner_->sign(std::move(event), std::move(done));
  }
  void nip44_encrypt(std::string text, nostr::PublicKey peer, TextCallback done) override {
    inner_->nip44_encrypt(std::move(text), peer, std::move(done));
  }
  void nip44_decrypt(std::string payload, nostr::PublicKey peer, TextCallback done) override {
    auto decrypt = [this, payload, peer, done] { inner_->nip44_decrypt(payload, peer, done); };
    if (!holds) return decrypt();
    waiting.push_back(std::move(decrypt));
  }

  bool holds = false;
  std::vector<std::function<void()>> waiting;

 private:
  const std::shared_ptr<nostr::Signer> inner_;
};

nostr::PoolMessage from(const nostr::RelayUrl& relay, nostr::Event event) {
  return nostr::PoolEvent{{}, relay, std::move(event), std::nullopt};
}

}  // namespace

TEST_CASE("a private hint comes back as it was said, and shows nothing but its d") {
  Device device;
  device.draft.device_id = "phone";
  device.draft.record = Bytes(2000, 7);
  const auto text = make_hint_text(device.draft);
  REQUIRE(text);
  const auto event = device.event_around(*text);
  REQUIRE(nostr::verify(event));
  CHECK(event.tags == std::vector<nostr::Tag>{{"d", device.names.d_of(device.name)}});
  CHECK(is_private_hint(event, device.key.public_key()));
  const std::string shown = nostr::to_json(event);
  for (const auto& hidden :
       {device.name.to_string(), device.name.base58(), device.name.base32(),
        device.draft.cid.to_string(), to_hex(device.name.bytes()), std::string("ipns-sync")}) {
    CHECK(shown.find(hidden) == shown.npos);
  }
  CHECK(parse_hint(event).error().code == Errc::mismatch);
  CHECK_FALSE(claimed_sequence(event));

  const auto opened = device.text_of(event);
  REQUIRE(opened);
  const auto hint = parse_private_hint(event, *opened, device.names);
  REQUIRE(hint);
  CHECK(hint->name == device.name);
  CHECK(hint->cid == device.draft.cid);
  CHECK(hint->sequence == Sequence{42});
  CHECK(hint->device_id == "phone");
  CHECK(hint->record == device.draft.record);
  CHECK(hint->event_id == event.id);
  CHECK_FALSE(hint->faults.any());
}

TEST_CASE("an altered payload does not decrypt, wherever it was altered") {
  const Device device;
  const auto event = device.event_around(*make_hint_text(device.draft));
  const auto bytes = from_base64(event.content, kMaxPrivatePayload);
  REQUIRE(bytes);
  for (size_t at = 0; at < bytes->size(); at += 13) {
    Bytes altered = *bytes;
    altered[at] ^= 0x10;
    nostr::Event other = event;
    other.content = to_base64(altered);
    CHECK_FALSE(device.text_of(other));
  }
  nostr::Event cut = event;
  cut.content.resize(cut.content.size() / 2);
  CHECK_FALSE(device.text_of(cut));
  CHECK_FALSE(nostr::nip44_decrypt_blocking(*Device().signer, event.content,
                                            device.key.public_key(), kWait));
}

TEST_CASE("a private hint that names another name, or none, is refused without a word of it") {
  Device device;
  const IpnsName other = Device().name;
  HintDraft about_other = device.draft;
  about_other.name = other;
  const auto wrong =
      parse_private_hint(device.event_around("-"), *make_hint_text(about_other), device.names);
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == Errc::mismatch);
  CHECK(wrong.error().message.find(other.to_string()) == std::string::npos);

  const std::string cid = device.draft.cid.to_string();
  for (const std::string& text :
       {R"({"type":"ipns-sync","cid":")" + cid + R"(","sequence":"1"})",
        R"({"type":"ipns-sync","ipnsName":7,"cid":")" + cid + "\"}",
        R"({"type":"ipns-sync","ipnsName":"SECRETWORD","cid":")" + cid + "\"}",
        R"({"type":"other","ipnsName":")" + device.name.to_string() + R"(","cid":")" + cid + "\"}",
        std::string("SECRETWORD"), std::string()}) {
    const auto hint = parse_private_hint(device.event_around("-"), text, device.names);
    REQUIRE_FALSE(hint);
    CHECK(hint.error().message.find("SECRETWORD") == std::string::npos);
  }
  // The d of another of our keys.
  CHECK_FALSE(parse_private_hint(device.event_around("-"), *make_hint_text(device.draft),
                                 PrivateNames(*Device().signer->derive(kPrivateKeyInfo))));
}

TEST_CASE("the one name that anybody can compute from the npub cannot be hidden") {
  const Device device;
  const auto& author = device.key.public_key();
  CHECK(check_can_be_private(device.name, author));
  CHECK(check_can_be_private(Device().name, author));
  const auto refused = check_can_be_private(IpnsName::from_nostr_key(author.view()), author);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::refused);
  const auto own_curve = IpnsKey::from_nostr_secret(device.key.secret_view());
  CHECK_FALSE(check_can_be_private(own_curve->name(), author));
}

TEST_CASE("whoever hides names tells relays none of them, and misses no plain hint of ours") {
  const Device device;
  const nostr::PublicKey own = device.key.public_key();
  NostrSource::Options options;
  options.authors = {own};
  options.kinds = {kHintKind, kPublicHintKind};
  const auto names = std::make_shared<const PrivateNames>(*device.signer->derive(kPrivateKeyInfo));
  options.own_private = NostrSource::Private{own, names, true, "team-{name}"};
  std::string asked;
  for (const auto& filter : trusted_hint_filters(options, {device.name})) {
    CHECK(filter.authors == std::vector<nostr::PublicKey>{own});
    asked += nostr::to_json(filter);
  }
  for (const auto& hidden : {device.name.to_string(), device.name.base58(), device.name.base32()}) {
    CHECK(asked.find(hidden) == asked.npos);
  }
  const auto filters = trusted_hint_filters(options, {device.name});
  CHECK(matches_any(filters, device.event_around(*make_hint_text(device.draft))));
  CHECK(matches_any(filters,
                    nostr::sign_event(device.key, *make_hint_event(device.draft, UnixSeconds{9}))));

  // Without hiding, both; and another author's are asked for by name either way.
  options.own_private->hide = false;
  const auto open = trusted_hint_filters(options, {device.name});
  CHECK(matches_any(open, device.event_around(*make_hint_text(device.draft))));
  CHECK(matches_any(open,
                    nostr::sign_event(device.key, *make_hint_event(device.draft, UnixSeconds{9}))));
  const Device friendly;
  options.own_private->hide = true;
  options.authors.push_back(friendly.key.public_key());
  CHECK(
      matches_any(trusted_hint_filters(options, {device.name}),
                  nostr::sign_event(friendly.key, *make_hint_event(device.draft, UnixSeconds{9}))));
}

TEST_CASE("many private names are asked for within what relays take") {
  const Device device;
  const std::vector<IpnsName> many(1001, device.name);
  const auto filters =
      private_hint_filters(many, device.names, device.key.public_key(), {30078, 30079});
  size_t asked = 0;
  for (const auto& filter : filters) {
    CHECK(filter.tags.at('d').size() * filter.kinds.size() <= 500);
    asked += filter.tags.at('d').size();
  }
  CHECK(asked == many.size());
  CHECK(private_hint_filters({}, device.names, device.key.public_key(), {30078}).empty());
}

TEST_CASE("with a remote signer the key that hides names is random, kept encrypted, and stays") {
  test::TempDir dir;
  store::Writer writer(*store::Database::open(dir.path() / "state.sqlite", {sync_schema()}));
  const Device device;
  AbsentSigner signer(device.key.clone());
  CHECK_FALSE(signer.derive(kPrivateKeyInfo));
  CHECK(*open_private_names(signer, writer, false) == nullptr);

  const auto made = open_private_names(signer, writer, true);
  REQUIRE(made);
  REQUIRE(*made);
  const std::string d = (*made)->d_of(device.name);
  CHECK(d != device.names.d_of(device.name));
  CHECK((*open_private_names(signer, writer, true))->d_of(device.name) == d);
  CHECK((*open_private_names(signer, writer, false))->d_of(device.name) == d);
  AbsentSigner somebody_else(nostr::SecretKey::generate());
  CHECK((*open_private_names(somebody_else, writer, true))->d_of(device.name) != d);

  const std::string setting = "private_names_key:" + to_hex(signer.public_key().view());
  std::string stored;
  REQUIRE(writer.run([&](store::Database& db) -> Status {
    stored = load_setting(db, setting)->value();
    return {};
  }));
  const auto key = nostr::nip44_decrypt_blocking(signer, stored, signer.public_key(), kWait);
  REQUIRE(key);
  CHECK(PrivateNames(SecretBytes<32>::from(*from_hex(*key))).d_of(device.name) == d);
  REQUIRE(writer.run([&](store::Database& db) { return save_setting(db, setting, "damaged"); }));
  CHECK_FALSE(open_private_names(signer, writer, true));
}

TEST_CASE("behind a signer that takes its time, what one relay says keeps its order") {
  const Device device;
  const auto signer = std::make_shared<AbsentSigner>(device.key.clone());
  signer->holds = true;
  std::vector<HintOpener::Answer> answers;
  HintOpener opener(
      signer, [&](HintOpener::Answer a) { answers.push_back(std::move(a)); }, 2);
  const auto one = *nostr::RelayUrl::parse("ws://127.0.0.1:1");
  const auto two = *nostr::RelayUrl::parse("ws://127.0.0.1:2");
  for (const char* text : {"first", "second", "third"})
    opener.take(from(one, device.event_around(text)));
  opener.take(nostr::PoolEose{{}, one, std::nullopt});
  opener.take(nostr::PoolEose{{}, two, std::nullopt});
  CHECK(signer->waiting.size() == 2);  // at a time
  CHECK(opener.held() == 5);
  auto ready = opener.next();  // the other relay does not wait
  REQUIRE(ready);
  CHECK(std::holds_alternative<nostr::PoolEose>(ready->message));
  CHECK_FALSE(opener.next());

  const auto answer = [&](size_t which) {
    signer->waiting.at(which)();
    opener.answer(std::move(answers.back()));
  };
  answer(1);
  CHECK_FALSE(opener.next());
  CHECK(signer->waiting.size() == 3);
  answer(0);
  CHECK(**opener.next()->text == "first");
  CHECK(**opener.next()->text == "second");
  CHECK_FALSE(opener.next());
  opener.answer({77, std::string("nobody asked")});
  answer(2);
  CHECK(**opener.next()->text == "third");
  ready = opener.next();
  REQUIRE(ready);
  CHECK(std::holds_alternative<nostr::PoolEose>(ready->message));
  CHECK_FALSE(ready->text);
  CHECK(opener.held() == 0);
}

TEST_CASE("a private hint beyond any size that we write never reaches the signer") {
  const Device device;
  const auto signer = std::make_shared<AbsentSigner>(device.key.clone());
  signer->holds = true;
  HintOpener opener(signer, [](HintOpener::Answer) {});
  const auto relay = *nostr::RelayUrl::parse("ws://127.0.0.1:1");
  auto event = device.event_around("text");
  event.content = std::string(kMaxPrivatePayload + 1, 'A');
  opener.take(from(relay, event));
  CHECK(signer->waiting.empty());
  CHECK(opener.next()->text->error().code == Errc::too_large);
  // Somebody else's, and a plain one, are none of ours to decrypt.
  opener.take(from(relay, Device().event_around("text")));
  opener.take(from(relay, nostr::sign_event(device.key, *make_hint_event(device.draft, {9}))));
  CHECK(signer->waiting.empty());
  CHECK_FALSE(opener.next()->text);
  CHECK_FALSE(opener.next()->text);
}
