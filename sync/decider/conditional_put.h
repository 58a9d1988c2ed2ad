#pragma once

#include <functional>
#include <optional>
#include <string>

#include "ipnscast/sync/gateway/record_source.h"
#include "ipnscast/sync/ipfs/ipns/ipns_name.h"

// Putting a record on condition of what it replaces, at a node that decides between writers: with
// HTTP preconditions (RFC 9110 section 13.1) on the puts of delegated routing and of Kubo's RPC.
namespace ipnscast::sync {

// What became of a put.
struct ConditionalPut {
  enum class Answer {
    stored,   // the record is the name's record there now, or was before
    refused,  // another record is there, or none
    nothing,  // nobody knows: there was no answer, or none of a node that decides
  };
  Answer answer = Answer::nothing;
  std::optional<Bytes> stored;  // refused: the record that is there, not verified; nothing: none
  bool never_sent = false;      // answer is nothing: the node cannot have stored it
  std::string why;              // in words, unless it is stored
};

// Puts the record on condition that the node has exactly `instead_of`, or no record at all.
// `dialect` is `routing`, else the RPC is used. `done` comes once, on the http thread; it must not
// block.
gateway::HttpId put_record_if(gateway::Http& http, const gateway::Endpoint& endpoint,
                              gateway::RecordDialect dialect, const IpnsName& name, ByteView record,
                              const std::optional<Bytes>& instead_of, Milliseconds deadline,
                              std::function<void(ConditionalPut)> done);

// What a node that decides has of a name.
struct DecidersRecord {
  bool answered = false;
  std::optional<Bytes> record;  // not verified; nothing: it has none
  std::string why;              // there is no answer
};

// Asks past all caches. `dialect` is `routing`, `rpc_name` or `rpc_routing`. `done` as above.
gateway::HttpId read_deciders_record(gateway::Http& http, const gateway::Endpoint& endpoint,
                                     gateway::RecordDialect dialect, const IpnsName& name,
                                     Milliseconds deadline,
                                     std::function<void(DecidersRecord)> done);

}  // namespace ipnscast::sync
