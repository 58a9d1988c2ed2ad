#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "ipnscast/sync/gateway/endpoint.h"
#include "ipnscast/sync/ipfs/ipns/ipns_record.h"

namespace ipnscast::sync::gateway {

// Kubo's pubsub over its RPC, for IPNS over pubsub ("ipns-pubsub-router" spec): the topic of a name
// carries its signed records. A subscription is an endless POST whose answer has one JSON object a
// line, {"from","data","seqno","topicIDs"}, bytes in multibase; Kubo sends the head of that answer
// together with the first line, however long that takes.

// pubsub/ls: whether the node offers pubsub. Errc::refused with the node's words when it is off or
// wants authorization, Errc::unsupported when this is no RPC; all else says nothing of it.
HttpCall kubo_pubsub_ls_call(const Endpoint& endpoint);
Status read_kubo_pubsub_ls(const Result<HttpAnswer>& answer);

// name/resolve for the sake of what it does to a node that has IPNS over pubsub on: it joins the
// topic. Comes before the subscription: a node that has the topic by pubsub/sub already is unable
// to join it for itself (Kubo 0.42). What it answers is of no interest.
HttpCall kubo_join_topic_call(const Endpoint& endpoint, const IpnsName& name);

// pubsub/sub on the name's topic.
HttpCall kubo_pubsub_sub_call(const Endpoint& endpoint, const IpnsName& name);

// The bytes that a line of that stream brings. Errc::parse; Errc::refused with the node's words for
// the line that ends a stream in an error.
Result<Bytes> read_kubo_pubsub_line(std::string_view line);

// The record that they are, verified for the name: as it is, or inside of a libp2p Record.
tl::expected<IpnsRecord, RecordError> read_pubsub_record(const IpnsName& name, ByteView data,
                                                         UnixMillis now);

// Divides a stream into lines, as it comes. Holds one line of kMaxLine bytes at most.
class PubsubLines {
 public:
  // Room for a record in base64 with what stands around it, twice over.
  static constexpr size_t kMaxLine = 2 * IpnsRecord::kMaxBytes + 8 * 1024;

  // Gives `take` each line that ends in these bytes, without its end and unless it is blank.
  // Returns how many had to be dropped because they are longer; each counts once.
  size_t add(ByteView bytes, const std::function<void(std::string_view)>& take);

 private:
  std::string begun_;
  bool too_long_ = false;  // the rest of this line is skipped
};

}  // namespace ipnscast::sync::gateway
