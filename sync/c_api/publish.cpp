// Publishing under own names.
#include "ipnscast/sync/c_api/client.h"
#include "ipnscast/sync/c_api/key.h"

using namespace ipnscast;
using namespace ipnscast::c_api;

namespace {

struct GivenOutcome final : Given<ipnscast_outcome> {
  GivenRows<ipnscast_place> rows;
};

using Place = sync::Outcome::Place;

const char* word(Place::Kind kind) {
  return kind == Place::Kind::node ? "node" : kind == Place::Kind::router ? "router" : "relay";
}

const char* word(Place::What what) {
  return what == Place::What::content ? "content" : what == Place::What::record ? "record" : "hint";
}

void give(const sync::Outcome& outcome, ipnscast_outcome** out) {
  if (out == nullptr) return;
  auto given = std::make_unique<GivenOutcome>();
  given->name = given->keep(outcome.name.to_string());
  given->cid = given->keep(outcome.cid.to_string());
  given->sequence = outcome.sequence.value;
  given->quorum_met = outcome.quorum_met ? 1 : 0;
  given->complete = outcome.complete() ? 1 : 0;
  given->queued = outcome.queued ? 1 : 0;
  given->settled = outcome.settled ? 1 : 0;
  for (const Place& place : outcome.places) {
    ipnscast_place& row = given->rows.add();
    row.kind = given->keep(word(place.kind));
    row.what = given->keep(word(place.what));
    row.url = given->keep(place.url);
    row.detail = given->keep(place.detail);
    row.ok = place.ok ? 1 : 0;
    row.took_ms = place.took.count();
  }
  given->place_count = given->rows.size();
  given->places = given->rows.data();
  *out = given.release();
}

// Nothing for 0.
Result<std::optional<Instant>> deadline_in(int64_t timeout_ms) {
  const auto time = time_in(timeout_ms, "timeout_ms");
  if (!time) return fail(time.error());
  if (*time == Milliseconds(0)) return std::optional<Instant>();
  return std::optional<Instant>(std::chrono::steady_clock::now() + *time);
}

Result<sync::PublishOptions> publish_options(const ipnscast_publish_options* given) {
  using Settle = sync::PublishOptions::Settle;
  const auto chosen = options_in(given);
  if (!chosen) return fail(chosen.error());
  const auto deadline = deadline_in(chosen->timeout_ms);
  if (!deadline) return fail(deadline.error());
  sync::PublishOptions out;
  out.deadline = *deadline;
  if (chosen->has_expected != 0) out.expect_sequence = sync::Sequence{chosen->expected_sequence};
  if (chosen->has_base != 0) {
    const auto value = needed_text(chosen->base_value, chosen->base_value_length, "base_value");
    if (!value) return fail(value.error());
    out.based_on = sync::Version{sync::Sequence{chosen->base_sequence}, std::string(*value)};
  }
  out.replace = chosen->replace != 0;
  out.force = chosen->force != 0;
  out.queue = chosen->queue != 0;
  out.hidden = chosen->hidden != 0;
  out.trust_clock = chosen->trust_clock != 0;
  switch (chosen->settle) {
    case IPNSCAST_SETTLE_NO:
      return out;
    case IPNSCAST_SETTLE_SHARED:
      out.settle = Settle::when_shared;
      return out;
    case IPNSCAST_SETTLE_YES:
      out.settle = Settle::yes;
      return out;
    default:
      return fail(Errc::invalid, "\"settle\" is none of ipnscast_settle");
  }
}

// What both ways of publishing share: `publish` does it.
int publish_with(ipnscast_client* client, const ipnscast_key* key,
                 const ipnscast_publish_options* options, ipnscast_outcome** out,
                 ipnscast_error** error,
                 const std::function<Result<sync::Outcome>(sync::Client&,
                                                           const sync::PublishOptions&)>& publish) {
  if (out != nullptr) *out = nullptr;
  return answer(client, error, [&](OpenClient& open) -> Status {
    if (auto there = needed(key, "key"); !there) return there;
    const auto how = publish_options(options);
    if (!how) return fail(how.error());
    const auto outcome = publish(*open.client, *how);
    if (!outcome) return fail(outcome.error());
    give(*outcome, out);
    return {};
  });
}

}  // namespace

int ipnscast_publish(ipnscast_client* client, const ipnscast_key* key, const char* path,
                     size_t path_length, const ipnscast_publish_options* options,
                     ipnscast_outcome** out, ipnscast_error** error) {
  return publish_with(
      client, key, options, out, error,
      [&](sync::Client& through, const sync::PublishOptions& how) -> Result<sync::Outcome> {
        const auto place = path_in(path, path_length, "path");
        if (!place) return fail(place.error());
        return through.publish(key->ipns, *place, how);
      });
}

int ipnscast_publish_cid(ipnscast_client* client, const ipnscast_key* key, const char* cid,
                         size_t cid_length, const ipnscast_publish_options* options,
                         ipnscast_outcome** out, ipnscast_error** error) {
  return publish_with(
      client, key, options, out, error,
      [&](sync::Client& through, const sync::PublishOptions& how) -> Result<sync::Outcome> {
        const auto content = cid_in(cid, cid_length);
        if (!content) return fail(content.error());
        return through.publish_cid(key->ipns, *content, how);
      });
}

int ipnscast_announce(ipnscast_client* client, const char* name, size_t name_length,
                      const char* cid, size_t cid_length, uint64_t sequence, int64_t timeout_ms,
                      ipnscast_outcome** out, ipnscast_error** error) {
  if (out != nullptr) *out = nullptr;
  return answer(client, error, [&](OpenClient& open) -> Status {
    const auto which = name_in(name, name_length);
    if (!which) return fail(which.error());
    const auto content = cid_in(cid, cid_length);
    if (!content) return fail(content.error());
    if (sequence > sync::kMaxSequence)
      return fail(Errc::invalid, "\"sequence\" is beyond 2^63 - 1");
    const auto deadline = deadline_in(timeout_ms);
    if (!deadline) return fail(deadline.error());
    const auto outcome =
        open.client->announce(*which, *content, sync::Sequence{sequence}, {}, {}, false, *deadline);
    if (!outcome) return fail(outcome.error());
    give(*outcome, out);
    return {};
  });
}

int ipnscast_keep_alive(ipnscast_client* client, const ipnscast_key* key, ipnscast_error** error) {
  return answer(client, error, [&](OpenClient& open) -> Status {
    if (auto there = needed(key, "key"); !there) return there;
    return open.client->keep_alive(key->ipns);
  });
}

void ipnscast_outcome_free(ipnscast_outcome* outcome) {
  delete static_cast<GivenOutcome*>(outcome);
}
