#include "ipnscast/sync/gateway/http_transfer.h"

#include <algorithm>
#include <cctype>

#include "ipnscast/sync/gateway/redirect.h"

namespace ipnscast::sync::gateway {
namespace {

constexpr size_t kMaxHeaderBytes = 64 * 1024;
// What may bring as much is read in larger pieces.
constexpr uint64_t kStreamBytes = 4 * 1024 * 1024;
constexpr long kStreamBuffer = 128 * 1024;
constexpr uint64_t kMaxRedirectBody = 64 * 1024;
// Seconds without a byte before a peer of an endless answer is asked for a sign of life, and
// between such questions; Linux asks nine times.
constexpr long kKeepAliveAfter = 30;
constexpr long kKeepAliveEvery = 10;

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::chrono::microseconds microseconds(CURL* easy, CURLINFO info) {
  curl_off_t value = 0;
  curl_easy_getinfo(easy, info, &value);
  return std::chrono::microseconds(value);
}

Milliseconds milliseconds(CURL* easy, CURLINFO info) {
  return std::chrono::duration_cast<Milliseconds>(microseconds(easy, info));
}

int version_of(CURL* easy) {
  long version = 0;
  curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
  switch (version) {
    case CURL_HTTP_VERSION_1_0:
      return 10;
    case CURL_HTTP_VERSION_2_0:
      return 20;
    case CURL_HTTP_VERSION_3:
      return 30;
    default:
      return 11;
  }
}

}  // namespace

HttpTransfer::HttpTransfer(HttpId id, HttpCall call, HttpHandlers handlers,
                           const std::string& ca_file, ClockWitness* witness, Instant now)
    : id_(id),
      call_(std::move(call)),
      handlers_(std::move(handlers)),
      witness_(witness),
      started_(now),
      last_progress_(now),
      last_check_(now),
      url_(call_.url),
      guarded_(call_.named_by == NamedBy::others) {
  refused_ = check_host(call_.url);
  easy_ = refused_ ? curl_easy_init() : nullptr;
  if (easy_ != nullptr && !set_up(ca_file)) {
    curl_easy_cleanup(easy_);
    easy_ = nullptr;
  }
}

HttpTransfer::~HttpTransfer() {
  if (easy_ != nullptr) curl_easy_cleanup(easy_);
  curl_slist_free_all(header_list_);
}

// Those of the call, of which the authorization stays with the origin it is for.
bool HttpTransfer::set_headers() {
  bool good = true;
  curl_slist* list = nullptr;
  const auto add = [&](const std::string& line) {
    curl_slist* longer = curl_slist_append(list, line.c_str());
    if (longer == nullptr)
      good = false;
    else
      list = longer;
  };
  bool has_type = false;
  for (const auto& [name, value] : call_.headers) {
    if (name.find_first_of("\r\n:") != std::string::npos ||
        value.find_first_of("\r\n") != std::string::npos) {
      good = false;
      break;
    }
    const std::string known = lower(name);
    if (known == "authorization" && left_origin_) continue;
    has_type = has_type || known == "content-type";
    add(name + ": " + value);
  }
  add("Expect:");  // a server that ignores "100-continue" would cost a second
  if (!has_type) add("Content-Type:");
  good = good && curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, list) == CURLE_OK;
  curl_slist_free_all(header_list_);
  header_list_ = list;
  return good;
}

bool HttpTransfer::set_up(const std::string& ca_file) {
  bool good = true;
  const auto set = [&](CURLoption option, auto value) {
    good = good && curl_easy_setopt(easy_, option, value) == CURLE_OK;
  };
  set(CURLOPT_PRIVATE, static_cast<void*>(this));
  set(CURLOPT_ERRORBUFFER, error_text_);
  set(CURLOPT_NOSIGNAL, 1L);
  // Without this, removing a transfer whose name look-up hangs blocks the whole thread until the
  // look-up ends.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  // Redirects are followed by us, hop by hop: which addresses a hop may reach depends on where it
  // leads.
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_OPENSOCKETFUNCTION, &HttpTransfer::open_socket);
  set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  set(CURLOPT_PREREQFUNCTION, &HttpTransfer::before_request);
  set(CURLOPT_PREREQDATA, static_cast<void*>(this));
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(call_.connect_timeout.count()));
  if (call_.endless) {
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_TCP_KEEPIDLE, kKeepAliveAfter);
    set(CURLOPT_TCP_KEEPINTVL, kKeepAliveEvery);
  } else {
    set(CURLOPT_MAXFILESIZE_LARGE,
        static_cast<curl_off_t>(std::min<uint64_t>(call_.max_bytes, INT64_MAX)));
    if (call_.max_bytes >= kStreamBytes) set(CURLOPT_BUFFERSIZE, kStreamBuffer);
  }
  // Nothing is asked for but the bytes as they are. Where a proxy on the way compresses all the
  // same they are decoded, and all bounds count what comes out.
  set(CURLOPT_ACCEPT_ENCODING, "identity");
  set(CURLOPT_USERAGENT, "ipnscast");
  if (!ca_file.empty()) set(CURLOPT_CAINFO, ca_file.c_str());
  set_body();

  set(
      CURLOPT_HEADERFUNCTION, +[](char* data, size_t size, size_t count, void* self) -> size_t {
        auto* transfer = static_cast<HttpTransfer*>(self);
        transfer->note_header({data, size * count});
        return transfer->refused_ ? size * count : 0;
      });
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(
      CURLOPT_WRITEFUNCTION, +[](char* data, size_t size, size_t count, void* self) -> size_t {
        return static_cast<HttpTransfer*>(self)->note_body(as_bytes({data, size * count}));
      });
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  return good && aim();
}

void HttpTransfer::set_body() {
  if (call_.method == "GET") return;
  if (call_.method == "HEAD") {
    curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
    return;
  }
  // The bytes stay ours: libcurl reads them from where they are.
  static const uint8_t kNothing = 0;
  const uint8_t* data = call_.body && !call_.body->empty() ? call_.body->data() : &kNothing;
  const curl_off_t size = call_.body ? static_cast<curl_off_t>(call_.body->size()) : 0;
  curl_easy_setopt(easy_, CURLOPT_POST, 1L);
  curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, size);
  curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, reinterpret_cast<const char*>(data));
  if (call_.method != "POST") curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, call_.method.c_str());
}

void HttpTransfer::note_header(std::string_view line) {
  forbidden_.clear();  // another address of the same name was good
  header_bytes_ += line.size();
  if (header_bytes_ > kMaxHeaderBytes) {
    refused_ = fail(Errc::too_large, "headers of more than 64 KiB");
    return;
  }
  // A trailer with words: the other side gave up halfway (trustless gateway spec,
  // "X-Stream-Error"). ipfs-cluster sends one without any when all went well.
  if (head_delivered_) {
    const std::string_view words = trim(line.substr(std::min<size_t>(line.size(), 15), 200));
    if (lower(line.substr(0, 15)) == "x-stream-error:" && !words.empty())
      refused_ = fail(Errc::unreachable, "stream error: " + std::string(words));
    return;
  }
  if (line.substr(0, 5) == "HTTP/") {  // the next answer of a chain of redirects or 1xx
    head_ = {};
    return;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const auto value = trim(line.substr(colon + 1));
  auto [it, fresh] = head_.headers.try_emplace(lower(trim(line.substr(0, colon))), value);
  if (!fresh) it->second.append(", ").append(value);
}

void HttpTransfer::deliver_head() {
  if (head_delivered_) return;
  head_delivered_ = true;
  long status = 0;
  const char* url = nullptr;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy_, CURLINFO_EFFECTIVE_URL, &url);
  head_.status = static_cast<int>(status);
  head_.version = version_of(easy_);
  if (url != nullptr) head_.url = url;
  note_date();
  curl_off_t retry_after = 0;
  curl_easy_getinfo(easy_, CURLINFO_RETRY_AFTER, &retry_after);
  head_.retry_after = Seconds(retry_after);
  if (handlers_.head) handlers_.head(head_);
}

// What the host that the configuration names says the time is. A cache in between hands on what it
// was told some time ago (RFC 9111, "Age").
void HttpTransfer::note_date() {
  if (witness_ == nullptr || guarded_) return;
  const std::string_view age = head_.header("age");
  if (!age.empty() && age != "0") return;
  const Origin there = origin_of(call_.url);
  witness_->note_date(there.scheme + "://" + there.host + ":" + there.port, head_.header("date"),
                      system_now());
}

size_t HttpTransfer::note_body(ByteView bytes) {
  if (!head_delivered_ && redirected()) {  // its words are for people
    redirect_body_ += bytes.size();
    if (redirect_body_ <= kMaxRedirectBody) return bytes.size();
    refused_ = fail(Errc::too_large, "a redirect with more than 64 KiB of words");
    return 0;
  }
  if (!call_.endless && received_ + bytes.size() > call_.max_bytes) {
    refused_ =
        fail(Errc::too_large, "answer of more than " + std::to_string(call_.max_bytes) + " bytes");
    return 0;
  }
  deliver_head();
  if (handlers_.chunk && !handlers_.chunk(bytes)) {
    paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  received_ += bytes.size();
  return bytes.size();
}

void HttpTransfer::resume() {
  if (!paused_) return;
  paused_ = false;
  last_progress_ = std::chrono::steady_clock::now();
  curl_easy_pause(easy_, CURLPAUSE_CONT);  // may hand over the held bytes at once, and pause again
}

curl_off_t HttpTransfer::bytes_moved() const {
  curl_off_t up = 0;
  curl_off_t down = 0;
  curl_easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &up);
  curl_easy_getinfo(easy_, CURLINFO_SIZE_DOWNLOAD_T, &down);
  return up + down + static_cast<curl_off_t>(header_bytes_);
}

Status HttpTransfer::check_time(Instant now) {
  last_check_ = now;
  if (call_.endless) return {};
  if (now >= started_ + call_.deadline) return fail(Errc::timeout, "deadline passed");
  if (call_.stall.count() <= 0) return {};
  const curl_off_t moved = bytes_moved();
  if (moved != last_moved_ || paused_) {
    last_moved_ = moved;
    last_progress_ = now;
  }
  if (now >= last_progress_ + call_.stall) return fail(Errc::timeout, "stalled: no new byte");
  return {};
}

Instant HttpTransfer::next_check() const {
  if (call_.endless) return Instant::max();
  const Instant end = started_ + call_.deadline;
  if (call_.stall.count() <= 0) return end;
  // Progress is only seen when looking, so look more often than the stall time alone would ask for.
  return std::min({end, last_progress_ + call_.stall, last_check_ + call_.stall / 4});
}

HttpTimings HttpTransfer::timings() const {
  HttpTimings out;
  out.request_begun = request_begun_;
  out.first_byte = earlier_ + milliseconds(easy_, CURLINFO_STARTTRANSFER_TIME_T);
  out.total = earlier_ + milliseconds(easy_, CURLINFO_TOTAL_TIME_T);
  long opened = 0;
  curl_easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &opened);
  if (opened == 0) return out;
  out.look_up = microseconds(easy_, CURLINFO_NAMELOOKUP_TIME_T);
  const auto connected = microseconds(easy_, CURLINFO_CONNECT_TIME_T);
  const auto secured = microseconds(easy_, CURLINFO_APPCONNECT_TIME_T);
  out.connect = std::max(connected - out.look_up, std::chrono::microseconds(0));
  if (secured > connected) out.tls = secured - connected;
  out.connected = std::max(std::chrono::duration_cast<Milliseconds>(connected), Milliseconds(1));
  return out;
}

void HttpTransfer::finish(CURLcode code) {
  Status status = refused_;
  if (status && code != CURLE_OK && !forbidden_.empty()) {
    status = fail(Errc::refused, forbidden_text());
  } else if (status && code != CURLE_OK) {
    status = fail(http_error(easy_, code, error_text_, call_.max_bytes));
  }
  if (status) deliver_head();  // an answer without a body
  if (handlers_.done) handlers_.done(std::move(status), timings());
}

void HttpTransfer::finish(Error error) {
  if (handlers_.done) {
    handlers_.done(fail(std::move(error)),
                   easy_ != nullptr ? timings() : HttpTimings{.request_begun = false});
  }
}

}  // namespace ipnscast::sync::gateway
