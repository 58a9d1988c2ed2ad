// A key that signs from somewhere else (NIP-46), over the embedded relay.
#include "ipnscast/nostr/signer/remote_signer.h"

#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/nip/nip44.h"
#include "ipnscast/nostr/server/relay_server.h"
#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/relays/bunker.h"
#include "ipnscast/tests/support/relays/trap.h"
#include "ipnscast/tests/support/temp_dir.h"

using namespace ipnscast;
using namespace ipnscast::nostr;
using test::Bunker;

namespace {

constexpr Milliseconds kPatience{20'000};

// A loop and relays on it.
struct World {
  explicit World(size_t relay_count = 1) {
    server::RelayServerOptions options;
    options.port = 0;
    for (size_t i = 0; i < relay_count; ++i) {
      relays.push_back(std::move(*server::RelayServer::start(*loop, options)));
      urls.push_back(*RelayUrl::parse(relays.back()->url()));
    }
  }
  Result<std::shared_ptr<RemoteSigner>> open(const Bunker& bunker, RemoteSignerOptions options = {},
                                             std::string secret = "s3cret") const {
    options.loop = loop.get();
    return RemoteSigner::open(*parse_bunker_uri(bunker.address(std::move(secret))),
                              std::move(options));
  }
  std::filesystem::path file() const { return folder.path() / "signer"; }

  test::TempDir folder;
  std::unique_ptr<net::Loop> loop = std::move(*net::Loop::start());
  std::vector<std::unique_ptr<server::RelayServer>> relays;
  std::vector<RelayUrl> urls;
};

const UnsignedEvent kHint{.created_at = {1'700'000'000},
                          .kind = 30078,
                          .tags = {{"d", "x"}, {"t", "ipns-sync"}},
                          .content = "{\"a\":\"b\\\"\n\xc3\xa4\"}"};

template <typename T>
struct Later {
  std::promise<T> promise;
  std::future<T> future = promise.get_future();
  std::function<void(T)> callback() {
    return [this](T value) { promise.set_value(std::move(value)); };
  }
  T get() {
    REQUIRE(future.wait_for(kPatience) == std::future_status::ready);
    return future.get();
  }
};

Errc sign_error(Signer& signer) {
  const auto event = sign_blocking(signer, kHint, kPatience);
  return event ? Errc::internal : event.error().code;
}

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream out;
  out << std::ifstream(file).rdbuf();
  return out.str();
}

}  // namespace

TEST_CASE("a remote signer signs, encrypts and decrypts as its user, and outlives a restart") {
  World world;
  const Bunker bunker(*world.loop, world.urls);
  const PublicKey peer = SecretKey::generate().public_key();
  {
    const auto signer = world.open(bunker, {.state_file = world.file()});
    REQUIRE(signer);
    CHECK((*signer)->public_key() == bunker.user().public_key());
    CHECK(bunker.heard("switch_relays") == 1);
    const auto event = sign_blocking(**signer, kHint, kPatience);
    REQUIRE(event);
    CHECK(verify(*event));
    CHECK(event->pubkey == bunker.user().public_key());
    CHECK(event->content == kHint.content);

    Later<Result<std::string>> payload;
    (*signer)->nip44_encrypt("secret text", peer, payload.callback());
    const auto sealed = payload.get();
    REQUIRE(sealed);
    CHECK(*nip44_decrypt(*ConversationKey::between(bunker.user(), peer), *sealed) == "secret text");
    Later<Result<std::string>> text;
    (*signer)->nip44_decrypt(*sealed, peer, text.callback());
    CHECK(*text.get() == "secret text");
    Later<Status> pong;
    (*signer)->ping(pong.callback());
    CHECK(pong.get());
  }
  struct stat about {};
  REQUIRE(::stat(world.file().c_str(), &about) == 0);
  CHECK((about.st_mode & 07777) == 0600);
  const std::string kept = text_of(world.file());
  CHECK(kept.find(to_hex(bunker.user().secret_view())) == std::string::npos);
  CHECK(kept.find("s3cret") == std::string::npos);

  // Again: the same client key, no secret, and the user is asked for again.
  const auto again = world.open(bunker, {.state_file = world.file()});
  REQUIRE(again);
  CHECK((*again)->public_key() == bunker.user().public_key());
  CHECK(sign_blocking(**again, kHint, kPatience));
  CHECK(bunker.heard("connect") == 1);
  CHECK(bunker.heard("get_public_key") == 2);
  CHECK(text_of(world.file()) == kept);

  CHECK((*again)->logout());
  CHECK(bunker.heard("logout") == 1);
  CHECK(sign_error(**again) == Errc::closed);
}

TEST_CASE("a remote signer that does not let us in says so") {
  World world;
  const Bunker bunker(*world.loop, world.urls);
  const auto refused = world.open(bunker, {.state_file = world.file()}, "wrong");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::refused);
  CHECK(refused.error().message.find("wrong secret") != std::string::npos);

  const Bunker impostor(*world.loop, world.urls, [&](const SignerRequest& request) {
    if (request.method == "connect")
      return std::vector<SignerResponse>{{request.id, "another", ""}};
    return bunker.honest(request);
  });
  CHECK(world.open(impostor).error().code == Errc::mismatch);
  CHECK(impostor.heard("get_public_key") == 0);

  const Bunker silent(*world.loop, world.urls,
                      [](const SignerRequest&) { return std::vector<SignerResponse>{}; });
  CHECK(world.open(silent, {.session = {.timeout = Milliseconds(300)}}).error().code ==
        Errc::timeout);
  BunkerUri nowhere = *parse_bunker_uri(bunker.address());
  nowhere.relays = {*RelayUrl::parse("ws://127.0.0.1:9")};
  const auto deaf = RemoteSigner::open(
      std::move(nowhere), {.session = {.timeout = Milliseconds(300)}, .loop = world.loop.get()});
  CHECK(deaf.error().code == Errc::unreachable);
}

TEST_CASE("what a hostile signer gives back reaches nobody") {
  World world;
  const Bunker* honest = nullptr;
  enum class Mood { other_content, other_tags, other_user, bad_signature, junk, error, silent };
  std::atomic<Mood> mood = Mood::other_content;
  const SecretKey stranger = SecretKey::generate();
  Bunker bunker(*world.loop, world.urls, [&](const SignerRequest& request) {
    if (request.method != "sign_event") return honest->honest(request);
    UnsignedEvent event = *parse_unsigned_event(request.params.at(0), {0});
    switch (mood) {
      case Mood::other_content:
        event.content += "!";
        return std::vector<SignerResponse>{
            {request.id, to_json(sign_event(honest->user(), event)), ""}};
      case Mood::other_tags:
        event.tags.clear();
        return std::vector<SignerResponse>{
            {request.id, to_json(sign_event(honest->user(), event)), ""}};
      case Mood::other_user:
        return std::vector<SignerResponse>{{request.id, to_json(sign_event(stranger, event)), ""}};
      case Mood::bad_signature: {
        Event forged = sign_event(honest->user(), event);
        forged.sig.bytes[0] ^= 1;
        return std::vector<SignerResponse>{{request.id, to_json(forged), ""}};
      }
      case Mood::junk:
        return std::vector<SignerResponse>{{request.id, "{\"kind\":", ""}};
      case Mood::error:
        return std::vector<SignerResponse>{{request.id, "", "not today"}};
      case Mood::silent:
        return std::vector<SignerResponse>{};
    }
    return std::vector<SignerResponse>{};
  });
  honest = &bunker;
  const auto signer = world.open(bunker, {.session = {.timeout = Milliseconds(1'500)}});
  REQUIRE(signer);
  const std::pair<Mood, Errc> cases[] = {{Mood::other_content, Errc::mismatch},
                                         {Mood::other_tags, Errc::mismatch},
                                         {Mood::other_user, Errc::mismatch},
                                         {Mood::bad_signature, Errc::signature},
                                         {Mood::junk, Errc::parse},
                                         {Mood::error, Errc::refused},
                                         {Mood::silent, Errc::timeout}};
  for (const auto& [now, want] : cases) {
    mood = now;
    CHECK(sign_error(**signer) == want);
  }
}

TEST_CASE("answers of another key, answers twice and a page to agree on change nothing else") {
  World world;
  Bunker* self = nullptr;
  const SecretKey stranger = SecretKey::generate();
  std::atomic<bool> asks_first = false;
  Bunker bunker(*world.loop, world.urls, [&](const SignerRequest& request) {
    auto said = self->honest(request);
    if (request.method != "sign_event") return said;
    // A stranger who even knows the request's id, with an event of his.
    const UnsignedEvent event = *parse_unsigned_event(request.params.at(0), {0});
    self->say({request.id, to_json(sign_event(stranger, event)), ""}, &stranger);
    self->say({request.id, "", "a stranger says no"}, &stranger);
    if (asks_first) {
      said.insert(said.begin(), {request.id, "auth_url", "javascript:x"});
      said.insert(said.begin(), {request.id, "auth_url", "https://signer.example/a"});
      said.insert(said.begin(), {request.id, "auth_url", "https://signer.example/a"});
    }
    said.push_back({request.id, "", "too late to say no"});
    said.push_back({request.id, "once more", ""});
    return said;
  });
  self = &bunker;
  std::mutex mutex;
  std::vector<std::string> pages;
  RemoteSignerOptions options;
  options.on_auth_url = [&](const std::string& url) {
    const std::lock_guard lock(mutex);
    pages.push_back(url);
  };
  const auto signer = world.open(bunker, options);
  REQUIRE(signer);
  for (int i = 0; i < 20; ++i) REQUIRE(sign_blocking(**signer, kHint, kPatience));
  asks_first = true;
  REQUIRE(sign_blocking(**signer, kHint, kPatience));
  const std::lock_guard lock(mutex);
  CHECK(pages == std::vector<std::string>{"https://signer.example/a"});
}

TEST_CASE("a signer is followed to no relay at home that its address does not name (R39)") {
  World world;
  test::Trap trap;
  Bunker* self = nullptr;
  Bunker bunker(*world.loop, world.urls, [&](const SignerRequest& request) {
    if (request.method != "switch_relays") return self->honest(request);
    return std::vector<SignerResponse>{
        {request.id,
         "[\"ws://127.0.0.1:" + trap.port() + "\",\"wss://localhost:" + trap.port() + "\"]", ""}};
  });
  self = &bunker;
  const auto signer = world.open(bunker, {.state_file = world.file()});
  REQUIRE(signer);
  const Instant end = system_now().steady + kPatience;
  while (bunker.heard("switch_relays") == 0 && system_now().steady < end) {
    Later<Status> pong;
    (*signer)->ping(pong.callback());
    REQUIRE(pong.get());
  }
  CHECK(bunker.heard("switch_relays") == 1);
  CHECK(sign_blocking(**signer, kHint, kPatience));
  CHECK(text_of(world.file()).find(trap.port()) == std::string::npos);
  CHECK(trap.caught() == 0);
}

TEST_CASE("a signer that moves to another relay is followed there, also after a restart") {
  World world(2);
  Bunker* self = nullptr;
  Bunker bunker(*world.loop, world.urls, [&](const SignerRequest& request) {
    if (request.method != "switch_relays") return self->honest(request);
    return std::vector<SignerResponse>{{request.id, "[\"" + world.urls[1].text() + "\"]", ""}};
  });
  self = &bunker;
  // Both are named by its address: on loopback nobody else may name a relay.
  const auto opened = [&] {
    BunkerUri uri = *parse_bunker_uri(bunker.address());
    uri.relays = world.urls;
    return RemoteSigner::open(std::move(uri),
                              {.state_file = world.file(), .loop = world.loop.get()});
  };
  {
    const auto signer = opened();
    REQUIRE(signer);
    // The move is over when the file names the relay.
    const Instant end = system_now().steady + kPatience;
    while (text_of(world.file()).find(world.urls[1].text()) == std::string::npos &&
           system_now().steady < end) {
      Later<Status> pong;
      (*signer)->ping(pong.callback());
      REQUIRE(pong.get());
    }
    CHECK(text_of(world.file()).find(world.urls[1].text()) != std::string::npos);
    CHECK(sign_blocking(**signer, kHint, kPatience));
  }
  world.relays[0].reset();  // the one that it left is gone for good
  const auto signer = opened();
  REQUIRE(signer);
  CHECK(sign_blocking(**signer, kHint, kPatience));
}

TEST_CASE("every request gets one answer when a signer is closed, also from inside a callback") {
  World world;
  const Bunker* honest = nullptr;
  Bunker bunker(*world.loop, world.urls, [&](const SignerRequest& request) {
    return request.method == "sign_event" ? std::vector<SignerResponse>{} : honest->honest(request);
  });
  honest = &bunker;
  auto signer = *world.open(bunker);
  std::atomic<int> answers = 0;
  Later<Status> last;
  for (int i = 0; i < 50; ++i) {
    signer->sign(kHint, [&](Result<Event> event) {
      if (!event && event.error().code == Errc::closed) ++answers;
    });
  }
  // The only owner is the callback: it ends the signer on the signer's own thread.
  auto* const raw = signer.get();
  raw->ping([&, owner = std::move(signer)](Status status) mutable {
    owner.reset();
    last.promise.set_value(std::move(status));
  });
  CHECK(last.get());
  const Instant end = system_now().steady + kPatience;
  while (answers < 50 && system_now().steady < end) std::this_thread::yield();
  CHECK(answers == 50);
}
