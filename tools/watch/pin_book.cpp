#include "ipnscast/tools/watch/pin_book.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "ipnscast/nostr/base/file/pending_file.h"

namespace ipnscast::tools {
namespace {

constexpr char kFile[] = "pins.json";

using Json = nlohmann::ordered_json;

std::string key_of(const sync::Cid& root) { return root.as_v1().to_string(); }

}  // namespace

Result<PinBook> PinBook::open(const std::filesystem::path& state_dir) {
  PinBook out(state_dir / kFile);
  std::error_code failed;
  if (!std::filesystem::exists(out.file_, failed)) return out;
  std::ostringstream text;
  text << std::ifstream(out.file_, std::ios::binary).rdbuf();
  if (const Status read = out.read(text.str()); !read) return fail(read.error());
  return out;
}

Status PinBook::read(const std::string& text) {
  const Error damaged{Errc::parse, "\"" + file_.string() +
                                       "\" is damaged: it says what --pin has pinned at your "
                                       "nodes. If you remove it, older pins stay there"};
  const auto root = Json::parse(text, nullptr, false);
  if (!root.is_object() || !root.contains("names") || !root.contains("pins")) return fail(damaged);
  try {
    for (const auto& [text_of_name, list] : root["names"].items()) {
      const auto name = sync::IpnsName::parse(text_of_name);
      if (!name) return fail(damaged);
      for (const auto& one : list) {
        const auto cid = sync::Cid::parse(one.get<std::string>());
        if (!cid) return fail(damaged);
        versions_[*name].push_back(*cid);
      }
    }
    for (const auto& pin : root["pins"]) {
      const std::string cid = pin.at("cid");
      if (!sync::Cid::parse(cid)) return fail(damaged);
      pins_[{pin.at("node"), cid}] = {pin.at("done"), pin.at("foreign")};
    }
  } catch (const Json::exception&) {
    return fail(damaged);
  }
  return {};
}

Status PinBook::save() const {
  Json out = {{"names", Json::object()}, {"pins", Json::array()}};
  for (const auto& [name, roots] : versions_) {
    auto& list = out["names"][name.to_string()] = Json::array();
    for (const sync::Cid& root : roots) list.push_back(key_of(root));
  }
  for (const auto& [place, state] : pins_)
    out["pins"].push_back({{"node", place.first},
                           {"cid", place.second},
                           {"done", state.done},
                           {"foreign", state.foreign}});
  auto file = PendingFile::create(file_, PendingFile::Over::file, 0600);
  if (!file) return fail(file.error());
  if (Status written = file->write(as_bytes(out.dump() + "\n")); !written) return written;
  return file->commit(true);
}

void PinBook::add_version(const sync::IpnsName& name, const sync::Cid& root, size_t most) {
  auto& roots = versions_[name];
  std::erase(roots, root.as_v1());
  roots.insert(roots.begin(), root.as_v1());
  if (roots.size() > most) roots.erase(roots.begin() + static_cast<ptrdiff_t>(most), roots.end());
}

std::vector<sync::Cid> PinBook::versions(const sync::IpnsName& name) const {
  const auto found = versions_.find(name);
  return found == versions_.end() ? std::vector<sync::Cid>() : found->second;
}

std::vector<sync::IpnsName> PinBook::names() const {
  std::vector<sync::IpnsName> out;
  for (const auto& [name, roots] : versions_) out.push_back(name);
  return out;
}

void PinBook::note(const std::string& node, const sync::Cid& root) {
  pins_.try_emplace({node, key_of(root)});
}

void PinBook::finish(const std::string& node, const sync::Cid& root, bool foreign) {
  // What was noted before is ours, although it was pinned when we came back.
  const auto [pin, fresh] = pins_.try_emplace({node, key_of(root)});
  if (fresh) pin->second.foreign = foreign;
  pin->second.done = true;
}

void PinBook::drop(const std::string& node, const sync::Cid& root) {
  pins_.erase({node, key_of(root)});
}

bool PinBook::is_finished(const std::string& node, const sync::Cid& root) const {
  const auto pin = pins_.find({node, key_of(root)});
  return pin != pins_.end() && pin->second.done;
}

std::vector<PinBook::Pin> PinBook::unwanted() const {
  std::set<std::string> wanted;
  for (const auto& [name, roots] : versions_) {
    for (const sync::Cid& root : roots) wanted.insert(key_of(root));
  }
  std::vector<Pin> out;
  for (const auto& [place, state] : pins_) {
    if (!wanted.contains(place.second))
      out.push_back({place.first, *sync::Cid::parse(place.second), state.foreign});
  }
  return out;
}

}  // namespace ipnscast::tools
