#include "ipnscast/tools/watch/change_text.h"

#include <nlohmann/json.hpp>

#include "ipnscast/tests/support/catch.h"

using namespace ipnscast;
using namespace ipnscast::tools;

namespace {

const sync::IpnsName kName =
    sync::IpnsKey::from_bytes(sync::KeyType::ed25519, Bytes(32, 1))->name();

sync::Change lost() {
  sync::Change out{.kind = sync::ChangeKind::lost, .name = kName, .sequence = {7}};
  out.value = "/ipfs/theirs";
  out.other_value = "/ipfs/ours";
  return out;
}

}  // namespace

TEST_CASE("a displaced publish is told in words that say whose it was and what to do") {
  const std::string name = kName.to_string();
  sync::Change change = lost();
  CHECK(change_lines(change, {}) == "lost      " + name +
                                        "  /ipfs/ours of this device was displaced by sequence 7  "
                                        "/ipfs/theirs: ipnscast history " +
                                        name + " --lost");
  change.certain = false;
  change.common = sync::Version{{5}, "/ipfs/both"};
  CHECK(change_lines(change, {}) ==
        "lost      " + name +
            "  /ipfs/ours of this device was perhaps displaced by sequence 7  /ipfs/theirs, which "
            "does not say what it was made of; both contain sequence 5  /ipfs/both: "
            "ipnscast history " +
            name + " --lost");
}

TEST_CASE("the text of strangers in it cannot pass for more lines") {
  sync::Change change = lost();
  change.value = "/ipfs/x\nlost  y";
  CHECK(change_lines(change, {}).find('\n') == std::string::npos);
}

TEST_CASE("programs get what was displaced, whether that is certain, and what both were made of") {
  sync::Change change = lost();
  auto object = nlohmann::json::parse(change_json(change, {}));
  CHECK(object.at("event") == "lost");
  CHECK(object.at("sequence") == "7");
  CHECK(object.at("value") == "/ipfs/theirs");
  CHECK(object.at("other_value") == "/ipfs/ours");
  CHECK(object.at("certain") == true);
  CHECK(object.at("common").is_null());
  change.certain = false;
  change.common = sync::Version{{5}, "/ipfs/both"};
  object = nlohmann::json::parse(change_json(change, {}));
  CHECK(object.at("certain") == false);
  CHECK(object.at("common") == nlohmann::json{{"sequence", "5"}, {"value", "/ipfs/both"}});
  change.kind = sync::ChangeKind::conflict;
  CHECK_FALSE(nlohmann::json::parse(change_json(change, {})).contains("certain"));
}
