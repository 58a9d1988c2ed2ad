#include "ipnscast/bridge/node/gateway_format.h"

#include "ipnscast/bridge/node/accept.h"
#include "ipnscast/nostr/base/percent.h"

namespace ipnscast::bridge {
namespace {

using nostr::net::query_value;

struct Format {
  std::string_view name;
  std::string_view type;
  GatewayFormat format;
};
constexpr Format kFormats[] = {
    {"raw", "application/vnd.ipld.raw", GatewayFormat::raw},
    {"car", "application/vnd.ipld.car", GatewayFormat::car},
    {"ipns-record", "application/vnd.ipfs.ipns-record", GatewayFormat::record}};

// Those of path gateways, which decode what they serve.
constexpr std::string_view kDecodedFormats[] = {"dag-json", "dag-cbor", "json", "cbor", "tar"};

constexpr const char* kWanted = "want format=raw, format=car or format=ipns-record";

// A parameter of the URL; an empty one counts as missing.
std::string parameter(const HttpRequest& request, std::string_view name) {
  return query_value(request, name).value_or("");
}

const Format* format_of_type(std::string_view type) {
  for (const Format& known : kFormats) {
    if (type == known.type) return &known;
  }
  return nullptr;
}

const Format& format_entry(GatewayFormat format) {
  for (const Format& known : kFormats) {
    if (known.format == format) return known;
  }
  return kFormats[0];
}

Result<GatewayFormat> format_of_name(const std::string& name) {
  for (const Format& known : kFormats) {
    if (name == known.name) return known.format;
  }
  for (const std::string_view decoded : kDecodedFormats) {
    if (name == decoded) {
      return fail(Errc::unsupported,
                  "this gateway is trustless and gives no format=" + name + "; " + kWanted);
    }
  }
  return fail(Errc::parse,
              "\"" + percent_encoded(name.substr(0, 80)) + "\" is no format; " + kWanted);
}

// version, order and dups of a CAR.
struct CarForm {
  std::string version;
  std::string order;
  std::string dups;

  // We write version 1, depth first, with or without duplicates; who does not care for the order
  // gets that one.
  bool is_ours() const {
    return (version.empty() || version == "1") &&
           (order.empty() || order == "dfs" || order == "unk") &&
           (dups.empty() || dups == "y" || dups == "n");
  }
};

std::string value_of(const MediaRange& range, const std::string& name) {
  const auto found = range.parameters.find(name);
  return found == range.parameters.end() ? std::string() : found->second;
}

// What the range says where the URL is silent.
CarForm completed(CarForm url, const MediaRange& range) {
  if (url.version.empty()) url.version = value_of(range, "version");
  if (url.order.empty()) url.order = value_of(range, "order");
  if (url.dups.empty()) url.dups = value_of(range, "dups");
  return url;
}

CarForm form_of_url(const HttpRequest& request) {
  return {parameter(request, "car-version"), parameter(request, "car-order"),
          parameter(request, "car-dups")};
}

// Nothing when the header names no format of ours. A CAR of another form than ours comes last.
const Format* most_wanted(const HttpRequest& request, const std::vector<MediaRange>& accepted) {
  const Format* out = nullptr;
  for (const MediaRange& range : accepted) {
    const Format* const known = range.weight > 0 ? format_of_type(range.type) : nullptr;
    if (known == nullptr) continue;
    out = known;
    const bool is_car = known->format == GatewayFormat::car;
    if (!is_car || completed(form_of_url(request), range).is_ours()) break;
  }
  return out;
}

std::string canonical_query(const HttpRequest& request, const WantedAnswer& wanted) {
  std::string out = "format=" + std::string(format_entry(wanted.format).name);
  const auto keep = [&](std::string_view name) {
    if (const std::string value = parameter(request, name); !value.empty())
      out += '&' + std::string(name) + '=' + percent_encoded(value, ":*");
  };
  if (wanted.format == GatewayFormat::car) {
    keep("dag-scope");
    keep("entity-bytes");
    out += "&car-version=1&car-order=dfs&car-dups=";
    out += wanted.repeats_blocks ? 'y' : 'n';
  }
  keep("filename");
  return out;
}

// A CAR in the form that is wanted most. With `said` true when the Accept header decided something.
Result<CarForm> wanted_form(const HttpRequest& request, const std::vector<MediaRange>& accepted,
                            bool& said) {
  const CarForm url = form_of_url(request);
  if (!url.is_ours()) {
    return fail(Errc::parse,
                "this gateway gives CARs with car-version=1, car-order=dfs and car-dups=y or n");
  }
  bool named = false;
  for (const MediaRange& range : accepted) {
    if (range.type != media_type_of(GatewayFormat::car) || range.weight == 0) continue;
    named = true;
    const CarForm form = completed(url, range);
    if (!form.is_ours()) continue;
    said = said || !range.parameters.empty();
    return form;
  }
  if (!named) return url;
  return fail(Errc::unsupported,
              "this gateway gives CARs of version=1 with order=dfs and dups=y or n");
}

}  // namespace

std::string_view media_type_of(GatewayFormat format) { return format_entry(format).type; }

Result<WantedAnswer> wanted_answer(const HttpRequest& request) {
  const std::string_view accept = header_of(request, "accept");
  const auto accepted = parse_accept(accept);
  const Format* const by_header = most_wanted(request, accepted);
  WantedAnswer out;
  bool header_has_a_say = by_header != nullptr;
  if (const std::string name = parameter(request, "format"); !name.empty()) {
    const auto by_url = format_of_name(name);
    if (!by_url) return fail(by_url.error());
    out.format = *by_url;
    header_has_a_say = by_header != nullptr && by_header->format != *by_url;
  } else if (by_header != nullptr) {
    out.format = by_header->format;
  } else if (accept.empty()) {
    return fail(Errc::parse, std::string("this gateway is trustless: ") + kWanted);
  } else {
    return fail(Errc::unsupported, std::string("this gateway is trustless: ") + kWanted);
  }
  if (out.format == GatewayFormat::car) {
    const auto form = wanted_form(request, accepted, header_has_a_say);
    if (!form) return fail(form.error());
    out.repeats_blocks = form->dups == "y";
  }
  if (header_has_a_say) out.canonical_query = canonical_query(request, out);
  return out;
}

Result<sync::DagScope> wanted_scope(const HttpRequest& request) {
  sync::DagScope out;
  if (const auto wanted = query_value(request, "entity-bytes")) {
    const size_t colon = wanted->find(':');
    const auto bytes = sync::ByteRange::parse(*wanted);
    if (!bytes) return fail(bytes.error());
    if (colon == 0 || colon == wanted->npos)
      return fail(Errc::parse, "entity-bytes: want FROM:TO, like 0:99, 100:* or -20:*");
    const bool same_side = bytes->to && (bytes->from < 0) == (*bytes->to < 0);
    if (same_side && *bytes->to < bytes->from)
      return fail(Errc::parse, "entity-bytes: the range ends before it begins");
    out.bytes = *bytes;
    out.part = sync::DagPart::entity;  // as long as no other part is asked for
  }
  const std::string wanted = parameter(request, "dag-scope");
  if (wanted.empty()) return out;
  if (wanted == "all") {
    out.part = sync::DagPart::all;
  } else if (wanted == "entity") {
    out.part = sync::DagPart::entity;
  } else if (wanted == "block") {
    out.part = sync::DagPart::block;
  } else {
    return fail(Errc::parse, "want dag-scope=block, dag-scope=entity or dag-scope=all");
  }
  return out;
}

}  // namespace ipnscast::bridge
