#pragma once

#include "ipnscast/bridge/node/node_answer.h"
#include "ipnscast/bridge/node/store/block_store.h"
#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/sync/ipfs/ipns/ipns_key.h"

// What tests of the embedded node are made of.
namespace ipnscast::test {

inline constexpr UnixMillis kNodeTime{1'790'000'000'000};

bridge::Block raw_block(std::string_view text);

// An Ed25519 key from a seed that repeats the number, and a record of it that is valid at kNodeTime
// (for so many hours).
sync::IpnsKey record_key(uint8_t number);
Bytes record_of(const sync::IpnsKey& key, uint64_t sequence, std::string value = "/ipfs/bafkqaaa",
                int64_t hours = 48);

// `target` is path and query.
bridge::HttpRequest request_of(std::string method, std::string target,
                               std::map<std::string, std::string> headers = {});
// A POST with one file as multipart/form-data.
bridge::HttpRequest upload(const std::string& target, ByteView file);

}  // namespace ipnscast::test
