#include "ipnscast/sync/ipfs/ipld/cid.h"

#include <cstdio>
#include <memory>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/tools/reports/facts.h"
#include "ipnscast/tools/usage/typed_value.h"

namespace ipnscast::tools {
namespace {

using sync::Cid;
using sync::Codec;
using sync::HashCode;

std::string number(uint64_t code) {
  char text[24];
  std::snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(code));
  return text;
}

std::string codec_name(const Cid& cid) {
  switch (static_cast<Codec>(cid.codec)) {
    case Codec::cbor:
      return "cbor";
    case Codec::raw:
      return "raw";
    case Codec::dag_pb:
      return "dag-pb";
    case Codec::dag_cbor:
      return "dag-cbor";
    case Codec::libp2p_key:
      return "libp2p-key";
    case Codec::dag_json:
      return "dag-json";
    case Codec::json:
      return "json";
  }
  return number(cid.codec);
}

std::string hash_name(const Cid& cid) {
  switch (static_cast<HashCode>(cid.hash.code)) {
    case HashCode::identity:
      return "identity";
    case HashCode::sha1:
      return "sha1";
    case HashCode::sha2_256:
      return "sha2-256";
    case HashCode::sha2_512:
      return "sha2-512";
    case HashCode::blake3:
      return "blake3";
    case HashCode::blake2b_256:
      return "blake2b-256";
  }
  return number(cid.hash.code);
}

nlohmann::ordered_json as_v0(const Cid& cid) {
  const bool possible = cid.is(Codec::dag_pb) &&
                        cid.hash.code == static_cast<uint64_t>(HashCode::sha2_256) &&
                        cid.hash.digest.size() == 32;
  if (!possible) return nullptr;
  Cid out = cid;
  out.version = 0;
  return out.to_string();
}

void show_cid(Context& context, const std::string& text) {
  const auto cid = typed_cid(text);
  if (!cid) return report(context, {Errc::parse, cid.error().message});
  print_facts(context, {{"cid", cid->to_string()},
                        {"version", cid->version},
                        {"codec", codec_name(*cid)},
                        {"codec_code", number(cid->codec)},
                        {"hash", hash_name(*cid)},
                        {"hash_code", number(cid->hash.code)},
                        {"digest", to_hex(cid->hash.digest)},
                        {"v0", as_v0(*cid)},
                        {"v1", cid->as_v1().to_string()},
                        {"hex", to_hex(cid->encode())}});
}

}  // namespace

void add_cid(CLI::App& app, Context& context) {
  CLI::App* const command = app.add_subcommand("cid", "The parts of a CID");
  const auto text = std::make_shared<std::string>();
  command->add_option("cid", *text, "A CID in any encoding, with or without /ipfs/")->required();
  command->callback([&context, text] { show_cid(context, *text); });
}

}  // namespace ipnscast::tools
