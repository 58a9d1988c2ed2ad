#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

#include "ipnscast/nostr/base/log.h"
#include "ipnscast/sync/ipfs/unixfs/workspace.h"
#include "ipnscast/tools/cli/ipfs_path.h"
#include "ipnscast/tools/cli/json_text.h"
#include "ipnscast/tools/cli/left_behind.h"
#include "ipnscast/tools/cli/progress_line.h"
#include "ipnscast/tools/reports/lost_rows.h"
#include "ipnscast/tools/session/domain.h"
#include "ipnscast/tools/session/reading_client.h"
#include "ipnscast/tools/session/resolution.h"
#include "ipnscast/tools/session/target.h"
#include "ipnscast/tools/session/target_text.h"
#include "ipnscast/tools/usage/arguments.h"
#include "ipnscast/tools/usage/typed_value.h"

namespace ipnscast::tools {
namespace {

// Without --timeout. What does not come at all ends sooner.
constexpr Milliseconds kGetDeadline{std::chrono::hours(24)};
constexpr int kLongestChain = 32;  // of names that point to names

struct GetOptions {
  std::string source;
  std::string out;
  std::optional<sync::ByteRange> bytes;
  bool derived = false;
  bool symlinks = false;
  bool no_mode = false;
};

// The version of a name that is fetched as a whole: then it is taken in.
struct Taken {
  sync::IpnsName name;
  sync::IpnsRecord record;
};

std::string joined(std::string front, const std::string& back) {
  if (!front.empty() && !back.empty()) front += '/';
  return front + back;
}

// What the name points to, through further names and domains.
Result<IpfsPath> follow(const Session& session, ReadingClient& client, sync::IpnsName name,
                        std::string path, sync::ExpiredPolicy policy, const TimeLimit& limit,
                        Milliseconds listen, std::optional<Taken>& taken) {
  for (int step = 0; step < kLongestChain; ++step) {
    const auto found = client->resolve(name, limit.left(listen));
    if (!found) return fail(found.error());
    const auto record = record_of(*found, policy);
    if (!record) return fail(nothing_found(name, *found, policy));
    warn_of(name, *found, policy);
    if (step == 0 && path.empty()) taken = Taken{name, *record};
    const std::string value = record->fields().value;
    if (auto content = parse_ipfs_path(value)) {
      content->path = joined(std::move(content->path), path);
      return content;
    }
    const auto [head, inner] = split_path(value);
    if (!value.starts_with("/ipns/")) return fail(Errc::unsupported, "its value is " + value);
    path = joined(std::string(inner), path);
    if (auto next = sync::IpnsName::parse(head)) {
      name = std::move(*next);
      continue;
    }
    if (!looks_like_domain(head)) return fail(Errc::unsupported, "its value is " + value);
    auto led = follow_domain(session, head, limit.left(listen));
    if (!led) return fail(led.error());
    path = joined(std::move(led->path), path);
    if (led->root) return IpfsPath{std::move(*led->root), std::move(path)};
    name = std::move(*led->name);
  }
  return fail(Errc::too_large, "names that point to names, more than 32 deep");
}

Result<IpfsPath> find(const Session& session, ReadingClient& client, const GetOptions& options,
                      sync::ExpiredPolicy policy, const TimeLimit& limit, Milliseconds listen,
                      std::optional<sync::IpnsName>& name, std::optional<Taken>& taken) {
  TargetText typed = read_target_text(options.source);
  auto cid = sync::Cid::parse(typed.head);
  if (cid && !cid->is(sync::Codec::libp2p_key))
    return IpfsPath{std::move(*cid), std::move(typed.path)};
  if (typed.is_content) return fail(typed_cid(options.source).error());
  auto place = resolve_place(session, typed.head, options.derived, limit.left(listen));
  if (!place) return fail(place.error());
  std::string inner = joined(std::move(place->path), typed.path);
  if (place->root) return IpfsPath{std::move(*place->root), std::move(inner)};
  name = *place->name;
  return follow(session, client, std::move(*place->name), std::move(inner), policy, limit, listen,
                taken);
}

Status copy_to_output(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(Errc::io, file.string() + ": " + std::strerror(errno));
  char buffer[65536];
  ssize_t got = 0;
  while ((got = ::read(fd, buffer, sizeof(buffer))) > 0) {
    if (std::fwrite(buffer, 1, static_cast<size_t>(got), stdout) != static_cast<size_t>(got)) break;
  }
  ::close(fd);
  if (got < 0) return fail(Errc::io, file.string() + ": " + std::strerror(errno));
  return {};  // what could not be written is told at the end of the program
}

sync::GetOptions get_options(const GetOptions& options, ProgressLine& line, Milliseconds deadline) {
  sync::GetOptions out{.deadline = deadline,
                       .bytes = options.bytes,
                       .symlinks = options.symlinks,
                       .metadata = !options.no_mode};
  if (line.active()) {
    out.on_progress = [&line, rate = Rate()](const sync::GetProgress& now) {
      line.show(byte_count(now.bytes) + " in " + std::to_string(now.blocks) + " blocks, " +
                rate.of(now.bytes) +
                (now.waiting == 0 ? "" : ", " + std::to_string(now.waiting) + " blocks to come"));
    };
  }
  return out;
}

// Something in the system's directory for temporary files.
std::filesystem::path in_temporary_folder() {
  std::error_code failed;
  return std::filesystem::temp_directory_path(failed) / "content";
}

// By way of a file, so that nothing unverified is ever written out.
Status get_to_output(ReadingClient& client, const IpfsPath& content, sync::GetOptions options) {
  auto folder = sync::Workspace::make_beside(in_temporary_folder());
  if (!folder) return fail(folder.error());
  options.file_only = true;
  options.metadata = false;  // it has to be read here
  const auto file = folder->content();
  const Status got = client->get(content.cid, content.path, file, options);
  return got ? copy_to_output(file) : got;
}

void get(Context& context, const GetOptions& options) {
  const auto session = Session::open(context);
  if (!session) return;
  std::error_code failed;
  if (options.out != "-" && std::filesystem::exists(options.out, failed))
    return report(context, {Errc::conflict, "--output \"" + options.out +
                                                "\" exists already: name another, or remove it"});
  auto config = session->sync_config();
  if (!config) return report(context, config.error());
  // What stands in its CID itself is got from nobody.
  const auto direct = parse_ipfs_path(options.source);
  if (config->gateways.empty() && !(direct && direct->cid.is_identity()))
    return report_usage(
        context, "no gateway or node is configured: " + session->how_to_set("gateways.nodes"));
  const TimeLimit limit(context);
  const Milliseconds listen = listen_time(*config);
  const sync::ExpiredPolicy policy = config->expired;
  auto client = ReadingClient::open(std::move(*config));
  if (!client) return report(context, client.error());
  std::optional<sync::IpnsName> name;
  std::optional<Taken> taken;
  const auto content = find(*session, *client, options, policy, limit, listen, name, taken);
  if (name) say_lost(context, *name, client->lost(*name));
  if (!content) return report(context, content.error());
  Status done;
  {
    ProgressLine line(context.json);
    const sync::GetOptions wanted = get_options(options, line, limit.left(kGetDeadline));
    done = options.out == "-" ? get_to_output(*client, *content, wanted)
                              : (*client)->get(content->cid, content->path, options.out, wanted);
  }
  if (!done) {
    if (done.error().code == Errc::timeout)
      remove_left_behind(options.out == "-" ? in_temporary_folder()
                                            : std::filesystem::path(options.out));
    return report(context, done.error());
  }
  if (taken && !options.bytes) {
    if (const Status noted = (*client)->take_in(taken->name, taken->record); !noted)
      log_warning("get", "not noted as taken in: " + noted.error().message);
  }
  if (context.json && options.out != "-")
    print_line(dump({{"cid", content->cid.to_string()},
                     {"path", content->path},
                     {"out", options.out},
                     {"displaced", context.displaced}}));
}

}  // namespace

void add_get(CLI::App& app, Context& context) {
  CLI::App* const command =
      app.add_subcommand("get", "Fetch what a name or a CID stands for, every block verified");
  const auto options = std::make_shared<GetOptions>();
  command->add_option("source", options->source, "TARGET or CID, with a path inside if wanted")
      ->type_name("TARGET[/path]|CID[/path]")
      ->required();
  command->add_option("-o,--output", options->out, "Must be absent; - for standard output")
      ->type_name("OUT")
      ->required();
  command
      ->add_option_function<std::string>(
          "--bytes",
          [options](const std::string& text) {
            const auto range = sync::ByteRange::parse(text);
            if (!range) refuse_value("--bytes", "\"" + text + "\": " + range.error().message);
            const bool comparable = range->to && (range->from < 0) == (*range->to < 0);
            if (comparable && *range->to < range->from)
              refuse_value("--bytes", "\"" + text + "\" ends before it begins: want FROM:TO");
            options->bytes = *range;
          },
          "Only these of a file, ends included: 0:99, 100:*, or -20:* for the last 20")
      ->type_name("FROM:TO");
  command->add_flag("--derived", options->derived, "Of a Nostr key, the secp256k1 name");
  command->add_flag("--symlinks", options->symlinks, "Make symbolic links that stay inside");
  command->add_flag("--no-mode", options->no_mode,
                    "Leave out the permissions and times that the content has for its files");
  command->callback([&context, options] { get(context, *options); });
}

}  // namespace ipnscast::tools
