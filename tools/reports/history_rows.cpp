#include "ipnscast/tools/reports/history_rows.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/hex.h"
#include "ipnscast/nostr/base/text/shown_text.h"
#include "ipnscast/sync/state/known_record.h"
#include "ipnscast/tools/cli/json_text.h"
#include "ipnscast/tools/cli/screen.h"
#include "ipnscast/tools/reports/short_text.h"

namespace ipnscast::tools {
namespace {

using Json = nlohmann::ordered_json;
using sync::HeardVersion;

std::string_view fate_text(const HeardVersion& heard) {
  switch (heard.fate) {
    case HeardVersion::Fate::waiting:
      return heard.source == sync::SourceKind::local ? "published" : "waiting";
    case HeardVersion::Fate::taken:
      return "taken";
    case HeardVersion::Fate::refused:
      return "refused";
    case HeardVersion::Fate::skipped:
      return "skipped";
  }
  return "unknown";
}

Json heard_facts(const HeardVersion& heard) {
  const auto cid = sync::root_of(heard.version.value);
  Json out = {{"sequence", std::to_string(heard.version.sequence.value)},
              {"value", heard.version.value}};
  out["cid"] = cid ? Json(cid->to_string()) : Json();
  out["seen"] = rfc3339(heard.seen);
  out["state"] = fate_text(heard);
  out["at"] = heard.at ? Json(rfc3339(*heard.at)) : Json();
  out["source"] = to_string(heard.source);
  out["author"] = heard.author ? Json(to_hex(heard.author->view())) : Json();
  if (heard.loser) out["other_value"] = *heard.loser;
  return out;
}

std::string heard_line(const HeardVersion& heard, bool terminal) {
  const std::string& value = heard.version.value;
  std::string out = "sequence " + std::to_string(heard.version.sequence.value) + "  " +
                    (terminal ? short_value(value) : shown_text(value)) + "  seen " +
                    rfc3339(heard.seen) + "  " + std::string(fate_text(heard));
  if (heard.at) out += " " + rfc3339(*heard.at);
  if (heard.loser)
    out += "  over " + (terminal ? short_value(*heard.loser) : shown_text(*heard.loser));
  return out;
}

}  // namespace

void print_history(Context& context, const sync::IpnsName& name,
                   const std::vector<HeardVersion>& heard,
                   const std::vector<sync::Cid>& published) {
  if (context.json) {
    auto roots = Json::array();
    for (const sync::Cid& root : published) roots.push_back(root.to_string());
    auto rows = Json::array();
    for (const HeardVersion& one : heard) rows.push_back(heard_facts(one));
    return print_line(dump({{"name", name.to_string()},
                            {"displaced", context.displaced},
                            {"versions", std::move(roots)},
                            {"heard", std::move(rows)}}));
  }
  const bool terminal = Screen::of(STDOUT_FILENO).terminal;
  for (const HeardVersion& one : heard) print_lines(heard_line(one, terminal));
  for (const sync::Cid& root : published) {
    const bool told = std::any_of(heard.begin(), heard.end(), [&](const HeardVersion& one) {
      return sync::root_of(one.version.value) == root;
    });
    if (!told) print_line("published  " + root.to_string());
  }
  if (heard.empty() && published.empty())
    print_line("nothing was heard of " + name.to_string() + " or published under it here");
}

}  // namespace ipnscast::tools
