#pragma once

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "ipnscast/nostr/base/clock.h"
#include "ipnscast/sync/settings/bounds.h"
#include "ipnscast/sync/settings/quantity.h"
#include "ipnscast/sync/settings/value.h"

namespace ipnscast::sync::settings {

// What is told of a setting.
struct Declared {
  std::string key;          // "sources.poll_min"
  std::string_view member;  // of the target, for whoever sets it in C++; empty: not by one name
  Form form = Form::text;
  std::string takes;      // "a time of 100ms or more"
  std::string_view help;  // in the words of whoever sets it
};

// One setting of a Target: of sync::Config, or of the settings of all programs.
template <typename Target>
struct Setting {
  Declared is;
  // Errc::invalid with what is wanted, also for what is out of bounds.
  std::function<Status(Target&, const Value&)> store;
  // What the target has now, as far as the file can say it: right for defaults.
  std::function<Value(const Target&)> shown;
  // Whether what the target has is within the bounds, whoever put it there.
  std::function<Status(const Target&)> check;
};

// Rows of the table, one call for each. `get` is a pointer to a member, or takes the target and
// returns a reference to what is set.
template <typename Target>
class Rows {
 public:
  void section(std::string_view name) { section_ = std::string(name) + "."; }

  template <typename Get>
  void flag(std::string_view key, std::string_view member, Get get, std::string_view help) {
    add(declared(key, member, Form::flag, help), get, read_flag, [](bool on) { return Value{on}; });
  }

  // Of any type of whole numbers.
  template <typename Get>
  void number(std::string_view key, std::string_view member, Get get, Bounds bounds,
              std::string_view unit, std::string_view help) {
    auto is = declared(key, member, Form::number, help);
    is.takes = bounds.text() + (unit.empty() ? "" : " ") + std::string(unit);
    const auto read = read_within<Type<Get>>(
        bounds, read_number, [](auto number) { return static_cast<Type<Get>>(number); });
    add(std::move(is), get, read, show_number<Type<Get>>,
        [bounds](const Type<Get>& number) { return bounds.check(clamped(number)); });
  }

  // Unset: the program chooses.
  template <typename Get>
  void number_or_auto(std::string_view key, Get get, Bounds bounds, std::string_view unit,
                      std::string_view help) {
    auto is = declared(key, {}, Form::number_or_auto, help);
    is.takes = bounds.text() + " " + std::string(unit) + ", or \"auto\"";
    const auto read = [bounds](const Value& value) -> Result<Type<Get>> {
      const auto number = read_number(value);
      if (!number && read_text(value).value_or("") == "auto") return Type<Get>();
      if (!number) return fail(Errc::invalid, "want a number or \"auto\"");
      if (auto within = bounds.check(*number); !within) return fail(within.error());
      return Type<Get>(*number);
    };
    add(std::move(is), get, read, [](const Type<Get>& number) {
      return number ? show_number(*number) : Value{std::string("auto")};
    });
  }

  template <typename Get>
  void size(std::string_view key, std::string_view member, Get get, SizeBounds bounds,
            std::string_view help) {
    auto is = declared(key, member, Form::size, help);
    is.takes = bounds.text();
    const auto read = read_within<Type<Get>>(
        bounds, read_size, [](auto size) { return static_cast<Type<Get>>(size); });
    add(
        std::move(is), get, read, [](uint64_t size) { return Value{size_text(size)}; },
        [bounds](uint64_t size) { return bounds.check(size); });
  }

  // Of any unit of time.
  template <typename Get>
  void time(std::string_view key, std::string_view member, Get get, TimeBounds bounds,
            std::string_view help) {
    auto is = declared(key, member, Form::duration, help);
    is.takes = bounds.text();
    const auto read = read_within<Type<Get>>(bounds, read_duration, [](auto time) {
      return std::chrono::duration_cast<Type<Get>>(time);
    });
    add(
        std::move(is), get, read, [](const Type<Get>& time) { return Value{duration_text(time)}; },
        [bounds](const Type<Get>& time) { return bounds.check(TimeBounds::bounded(time)); });
  }

  template <typename T>
  using Words = std::vector<std::pair<std::string_view, T>>;
  template <typename Get, typename T>
  void choice(std::string_view key, std::string_view member, Get get, Words<T> words,
              std::string_view help) {
    auto is = declared(key, member, Form::choice, help);
    is.takes.clear();
    for (size_t i = 0; i < words.size(); ++i) {
      is.takes += i == 0 ? "" : i + 1 == words.size() ? " or " : ", ";
      is.takes += "\"" + std::string(words[i].first) + "\"";
    }
    const auto read = [words, takes = is.takes](const Value& value) -> Result<T> {
      const auto text = read_text(value);
      if (!text) return fail(Errc::invalid, "want " + takes);
      for (const auto& [word, meaning] : words) {
        if (word == *text) return meaning;
      }
      return fail(Errc::invalid, "\"" + *text + "\": want " + takes);
    };
    add(std::move(is), get, read, [words](const T& now) {
      for (const auto& [word, meaning] : words) {
        if (same(meaning, now)) return Value{std::string(word)};
      }
      return Value{std::string()};
    });
  }

  template <typename Get>
  void text(std::string_view key, std::string_view member, Get get, std::string_view help) {
    parsed(
        key, member, get, [](std::string text) -> Result<std::string> { return text; }, help);
  }
  // A text that means something: `parse` reads it; an empty one is what is not set.
  template <typename Get, typename Parse>
  void parsed(std::string_view key, std::string_view member, Get get, Parse parse,
              std::string_view help) {
    const auto read = [parse](const Value& value) -> Result<Type<Get>> {
      auto text = read_text(value);
      if (!text) return fail(text.error());
      if (text->empty()) return Type<Get>();
      return parse(std::move(*text));
    };
    add(declared(key, member, Form::text, help), get, read, [](const Type<Get>& now) {
      if constexpr (std::is_same_v<Type<Get>, std::string>) return Value{now};
      return Value{std::string()};
    });
  }

  // Texts, each of which `parse` reads; into any container, which is empty by default.
  template <typename Get, typename Parse>
  void list(std::string_view key, std::string_view member, Get get, Parse parse,
            std::string_view help) {
    const auto read = [parse](const Value& value) -> Result<Type<Get>> {
      const auto texts = read_texts(value);
      if (!texts) return fail(texts.error());
      Type<Get> out;
      for (const std::string& text : *texts) {
        auto one = parse(text);
        if (!one) return fail(one.error());
        out.insert(out.end(), std::move(*one));
      }
      return out;
    };
    add(declared(key, member, Form::texts, help), get, read,
        [](const Type<Get>&) { return Value{Value::List{}}; });
  }

  // The rest: how a value is read and shown, and whether it is within bounds.
  template <typename Get, typename Read, typename Show>
  void add(Declared is, Get get, Read read, Show show) {
    add(std::move(is), get, read, show, [](const auto&) { return Status(); });
  }
  template <typename Get, typename Read, typename Show, typename Check>
  void add(Declared is, Get get, Read read, Show show, Check check) {
    all_.push_back(Setting<Target>{
        std::move(is),
        [get, read](Target& target, const Value& value) -> Status {
          auto one = read(value);
          if (!one) return fail(one.error());
          std::invoke(get, target) = std::move(*one);
          return {};
        },
        [get, show](const Target& target) { return show(std::invoke(get, target)); },
        [get, check](const Target& target) -> Status { return check(std::invoke(get, target)); }});
  }
  void add(Setting<Target> row) { all_.push_back(std::move(row)); }

  Declared declared(std::string_view key, std::string_view member, Form form,
                    std::string_view help) const {
    return {section_ + std::string(key), member, form, std::string(to_string(form)), help};
  }

  std::vector<Setting<Target>> take() { return std::move(all_); }

 private:
  // What `read` makes of a value, where that is within the bounds; `made` gives it its type.
  template <typename T, typename Range, typename Read, typename Made>
  static auto read_within(Range bounds, Read read, Made made) {
    return [bounds, read, made](const Value& value) -> Result<T> {
      const auto got = read(value);
      if (!got) return fail(got.error());
      if (auto within = bounds.check(*got); !within) return fail(within.error());
      return made(*got);
    };
  }
  template <typename Get>
  using Type = std::remove_cvref_t<std::invoke_result_t<Get, Target&>>;

  template <typename Number>
  static Value show_number(const Number& number) {
    return Value{static_cast<int64_t>(number)};
  }
  template <typename Number>
  static int64_t clamped(const Number& number) {
    constexpr auto kMost = std::numeric_limits<int64_t>::max();
    return std::cmp_greater(number, kMost) ? kMost : static_cast<int64_t>(number);
  }
  template <typename T>
  static bool same(const T& a, const T& b) {
    return a == b;
  }

  std::string section_;
  std::vector<Setting<Target>> all_;
};

}  // namespace ipnscast::sync::settings
