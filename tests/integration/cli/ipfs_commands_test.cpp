#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "ipnscast/tests/support/catch.h"
#include "ipnscast/tests/support/places.h"
#include "ipnscast/tests/support/process.h"
#include "ipnscast/tests/support/skip.h"
#include "ipnscast/tests/support/temp_dir.h"
#include "ipnscast/tests/support/vectors.h"

using namespace ipnscast;
namespace fs = std::filesystem;

namespace {

constexpr const char* kSeed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
constexpr const char* kSeedName = "k51qzi5uqu5dljtg5upm7x7ugan9lql3ewyknv4r4mhhkwzn8n7cnbd1unfwgq";
constexpr const char* kNostrSecret =
    "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35";

test::Ran ipnscast_in(const fs::path& folder, std::vector<std::string> arguments,
                      std::string input = "") {
  arguments.insert(arguments.begin(), std::string(test::build_folder()) + "/tools/ipnscast");
  test::Process process(
      {.argv = std::move(arguments), .input = std::move(input), .folder = folder});
  auto ran = process.wait(std::chrono::seconds(60));
  REQUIRE(ran);
  INFO(ran->err);
  return *ran;
}

nlohmann::json json_of(const std::string& text) {
  auto out = nlohmann::json::parse(text, nullptr, false);
  REQUIRE_FALSE(out.is_discarded());
  return out;
}

void write(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

void write_secret(const fs::path& path, const std::string& line) {
  write(path, line + "\n");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
}

size_t count(const fs::path& folder) {
  const fs::directory_iterator all(folder);
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

TEST_CASE("name prints every form of a name, and npubs and names lead to each other (R25)") {
  const test::TempDir temp;
  const auto shown =
      ipnscast_in(temp.path(),
                  {"name", "--json", "/ipns/12D3KooWSzRuSFHgLsKr6jJboAPdP7xMga2YBgBspYuErxswcgvt"});
  CHECK(shown.exit == 0);
  const auto forms = json_of(shown.out);
  CHECK(forms["k51"] == "k51qzi5uqu5dmjjgoe7s21dncepi970722cn30qlhm9qridas1c9ktkjb6ejux");
  CHECK(forms["type"] == "ed25519");
  CHECK(forms["npub"].is_null());
  for (const auto* form : {"k51", "b58", "b32", "hex"}) {
    CHECK(ipnscast_in(temp.path(), {"--json", "name", forms[form]}).out == shown.out);
  }
  const std::string npub = "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg";
  const auto derived = json_of(ipnscast_in(temp.path(), {"--json", "name", npub}).out);
  CHECK(derived["type"] == "secp256k1");
  CHECK(derived["npub"] == npub);
  CHECK(json_of(ipnscast_in(temp.path(), {"--json", "name", derived["k51"]}).out) == derived);
  CHECK(ipnscast_in(temp.path(), {"name", "example.com"}).exit == 1);
  CHECK(ipnscast_in(temp.path(), {"name"}).exit == 2);
}

TEST_CASE("cid prints the parts of a CID") {
  const test::TempDir temp;
  const auto shown = json_of(
      ipnscast_in(temp.path(), {"--json", "cid", "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"})
          .out);
  CHECK(shown["version"] == 0);
  CHECK(shown["codec"] == "dag-pb");
  CHECK(shown["hash"] == "sha2-256");
  CHECK(shown["v1"] == "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354");
  CHECK(ipnscast_in(temp.path(), {"cid", "bafynope"}).exit == 1);
}

TEST_CASE("record create signs what record inspect finds valid, for every type of key") {
  const test::TempDir temp;
  write_secret(temp.path() / "seed", kSeed);
  write_secret(temp.path() / "nostr", kNostrSecret);
  const std::vector<std::vector<std::string>> ways = {
      {"--secret-file", "seed"},
      {"--secret-file", "seed", "--v1", "--ttl", "1m", "--data", "_note=x"},
      {"--secret-file", "nostr", "--derive"},
      {"--secret-file", "nostr", "--type", "secp256k1", "--eol", "2100-01-02T03:04:05.678Z"}};
  for (const auto& way : ways) {
    std::vector<std::string> arguments = {"record",     "create", "--value", "/ipfs/bafkqaaa",
                                          "--sequence", "7",      "-o",      "r"};
    arguments.insert(arguments.end(), way.begin(), way.end());
    const auto created = ipnscast_in(temp.path(), arguments);
    REQUIRE(created.exit == 0);
    const std::string name = first_line(created.out);
    const auto inspected =
        ipnscast_in(temp.path(), {"--json", "record", "inspect", "--name", name, "r"});
    CHECK(inspected.exit == 0);
    const auto found = json_of(inspected.out);
    CHECK(found["valid"] == true);
    CHECK(found["reason"] == "");
    CHECK(found["name"] == name);
    CHECK(found["value"] == "/ipfs/bafkqaaa");
    CHECK(found["sequence"] == "7");
    const bool with_data = std::find(way.begin(), way.end(), "--data") != way.end();
    CHECK(found.contains("data") == with_data);
    if (with_data) CHECK(found["data"]["_note"] == "x");
    const auto other = ipnscast_in(
        temp.path(), {"--json", "record", "inspect", "--name",
                      "k51qzi5uqu5dmjjgoe7s21dncepi970722cn30qlhm9qridas1c9ktkjb6ejux", "r"});
    CHECK(other.exit == 1);
    CHECK(json_of(other.out)["reason"] == "signature");
  }
}

TEST_CASE("record inspect says why a record is no good, and shows what it claims") {
  const test::TempDir temp;
  write_secret(temp.path() / "seed", kSeed);
  REQUIRE(ipnscast_in(temp.path(),
                      {"record", "create", "--secret-file", "seed", "--value", "/ipfs/bafkqaaa",
                       "--sequence", "3", "--eol", "2020-01-01T00:00:00Z", "-o", "old"})
              .exit == 0);
  const auto reason = [&](const std::string& name, const std::string& file,
                          const std::string& input = "") {
    const auto ran =
        ipnscast_in(temp.path(), {"--json", "record", "inspect", "--name", name, file}, input);
    CHECK(ran.exit == 1);
    const auto out = json_of(ran.out);
    CHECK(out["valid"] == false);
    return out["reason"].get<std::string>();
  };
  CHECK(reason(kSeedName, "old") == "expired");
  CHECK(reason("nonsense", "old") == "name");
  CHECK(reason(kSeedName, "-", "<html>") == "decode");
  CHECK(reason(kSeedName, "-", std::string(10241, 'x')) == "size");
  CHECK(reason(kSeedName, "-", std::string(2 << 20, 'x')) == "size");
  CHECK(ipnscast_in(temp.path(), {"record", "inspect", "--name", kSeedName, "absent"}).exit == 1);
}

TEST_CASE("record create refuses what makes no sense, with exit code 2 and no file") {
  const test::TempDir temp;
  write_secret(temp.path() / "seed", kSeed);
  write(temp.path() / "open", std::string(kSeed) + "\n");
  fs::permissions(temp.path() / "open", fs::perms::owner_all | fs::perms::others_read);
  const auto create = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"record", "create", "-o", "r"});
    CHECK(ipnscast_in(temp.path(), arguments).exit == 2);
    CHECK_FALSE(fs::exists(temp.path() / "r"));
  };
  create({"--secret-file", "seed", "--sequence", "1"});
  create({"--secret-file", "seed", "--value", "/http/x", "--sequence", "1"});
  create(
      {"--secret-file", "seed", "--value", "/ipfs/bafkqaaa", "--sequence", "9223372036854775808"});
  create({"--secret-file", "open", "--value", "/ipfs/bafkqaaa", "--sequence", "1"});
  create({"--secret-file", "absent", "--value", "/ipfs/bafkqaaa", "--sequence", "1"});
  create(
      {"--secret-file", "seed", "--value", "/ipfs/bafkqaaa", "--sequence", "1", "--type", "rsa"});
  create({"--secret-file", "seed", "--value", "/ipfs/bafkqaaa", "--sequence", "1", "--eol",
          "tomorrow"});
}

TEST_CASE("pack prints the root that Kubo prints, and unpack brings the tree back") {
  const test::TempDir temp;
  write(temp.path() / "in/a.txt", "hello");
  write(temp.path() / "in/sub/.hidden", "h");
  fs::create_directories(temp.path() / "in/empty");
  const auto packed = ipnscast_in(temp.path(), {"pack", "in", "-o", "out.car"});
  REQUIRE(packed.exit == 0);
  const std::string root = first_line(packed.out);
  const auto unpacked =
      ipnscast_in(temp.path(), {"--json", "unpack", "out.car", "--root", root, "-o", "out"});
  REQUIRE(unpacked.exit == 0);
  CHECK(json_of(unpacked.out)["files"] == 2);
  CHECK(test::read_file(temp.path() / "out/a.txt") == "hello");
  CHECK(test::read_file(temp.path() / "out/sub/.hidden") == "h");
  CHECK(fs::is_directory(temp.path() / "out/empty"));
  CHECK(first_line(ipnscast_in(temp.path(), {"pack", "in", "-o", "b.car", "--skip-hidden"}).out) !=
        root);
  // A second time the directory is occupied.
  CHECK(ipnscast_in(temp.path(), {"unpack", "out.car", "--root", root, "-o", "out"}).exit == 1);

  const auto file = ipnscast_in(
      temp.path(), {"--json", "pack", "in/a.txt", "-o", "f.car", "--profile", "unixfs-v1-2025"});
  const std::string file_root = json_of(file.out)["root"];
  CHECK(file_root == "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq");
  CHECK(ipnscast_in(temp.path(), {"unpack", "f.car", "--root", file_root, "-o", "f"}).exit == 0);
  CHECK(test::read_file(temp.path() / "f" / file_root) == "hello");
}

TEST_CASE("pack refuses to pack its own output, and leaves no file when it fails") {
  const test::TempDir temp;
  write(temp.path() / "in/a.txt", "hello");
  CHECK(ipnscast_in(temp.path() / "in", {"pack", ".", "-o", "x.car"}).exit == 2);
  CHECK(ipnscast_in(temp.path(), {"pack", "in", "-o", "in/sub.car"}).exit == 2);
  CHECK(ipnscast_in(temp.path(), {"pack", "absent", "-o", "x.car"}).exit == 1);
  CHECK(ipnscast_in(temp.path(), {"pack", "in", "-o", "x.car", "--profile", "mine"}).exit == 2);
  REQUIRE(::mkfifo((temp.path() / "in/pipe").c_str(), 0600) == 0);
  CHECK(ipnscast_in(temp.path(), {"pack", "in", "-o", "x.car"}).exit != 0);
  CHECK(count(temp.path()) == 1);
}

TEST_CASE(
    "unpack leaves nothing behind when the CAR is cut, altered, incomplete or about something "
    "else") {
  const test::TempDir temp;
  write(temp.path() / "in/a.txt", std::string(300'000, 'a'));
  const std::string root =
      first_line(ipnscast_in(temp.path(), {"pack", "in", "-o", "good.car"}).out);
  const std::string good = test::read_file(temp.path() / "good.car");
  std::string altered = good;
  altered[good.size() / 2] = 'b';
  write(temp.path() / "altered.car", altered);
  write(temp.path() / "cut.car", std::string_view(good).substr(0, good.size() / 2));
  write(temp.path() / "html.car", "<html>");
  write(temp.path() / "empty.car", "");
  const size_t before = count(temp.path());
  for (const auto* file : {"altered.car", "cut.car", "html.car", "empty.car", "absent.car"}) {
    CHECK(ipnscast_in(temp.path(), {"unpack", file, "--root", root, "-o", "out"}).exit == 1);
    CHECK(count(temp.path()) == before);
  }
  const std::string absent = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";
  CHECK(ipnscast_in(temp.path(), {"unpack", "good.car", "--root", absent, "-o", "out"}).exit == 1);
  CHECK(ipnscast_in(temp.path(), {"unpack", "good.car", "--root", "nonsense", "-o", "out"}).exit ==
        2);
  CHECK(ipnscast_in(temp.path(),
                    {"unpack", "good.car", "--root", root, "-o", "out", "--max-bytes", "1000"})
            .exit == 1);
  CHECK(count(temp.path()) == before);
}
