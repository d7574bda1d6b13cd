// An extension for tests: every byte of a message XOR one byte, under RSV1. Its options make it behave as compression
// does at its worst: small output windows, output that is still to come when the input is used up, messages that grow or
// shrink, a context that later messages depend on, failures. It counts what is asked of it.
#pragma once

#include "support/bytes.hpp"

#include <navette/extension/agreement.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <string>
#include <string_view>
#include <vector>

namespace toy {

inline constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

/// Of each `from` bytes only the first goes on, as `to` copies. {2, 1} when sending is undone by {1, 2} when receiving.
struct ratio {
    unsigned to = 1, from = 1;
};

struct options {
    std::uint8_t key      = 0x5a;
    std::size_t  window   = 64;     // bytes that one step produces at most; from 1
    std::size_t  appetite = never;  // bytes that one step takes at most; from 1
    bool         hoards   = false;  // produces nothing before the end of the message has come
    ratio        sent{}, received{};

    // The XOR depends on the messages before, and the first byte on the wire, 00 or 01, says whether it does (00: it
    // refers to none). A missed reset_deflate or end_message shows as wrong text.
    bool takeover = false;

    std::size_t  threshold        = 0;
    bool         eager            = false;
    std::size_t  inflate_fails_at = never;  // byte of each message as it comes, from 0
    std::size_t  deflate_fails_at = never;  // byte of each message to be sent, from 0
    bool         stuck            = false;  // a step of inflating takes nothing, produces nothing and is not done
    std::size_t  failing_makes    = 0;      // the first so many codecs cannot be made

    bool             declines = false;  // every offer, and every answer
    std::string_view offers{};          // what a client offers instead of "toy; key=90", or "toy; key=90; window=3"
    std::uint8_t     offered_window = 0;
};

struct counters {
    std::size_t makes = 0, made = 0, released = 0;                    // calls; codecs
    std::size_t inflates = 0, deflates = 0, ends = 0, resets = 0, releases = 0;   // of all codecs together
    std::size_t deflated_once = 0;
    std::size_t alive() const { return made - released; }
};

// One direction of a codec.
class converter {
    std::size_t            appetite_;
    ratio                  ratio_;
    std::uint8_t           key_;
    bool                   hoards_, takeover_, writes_;
    std::size_t            fails_at_;
    navette::errc          failure_;
    std::vector<std::byte> window_, pending_;
    std::size_t            told_    = 0;      // of pending_
    std::size_t            taken_   = 0;      // of this message
    std::uint8_t           context_ = 0, next_ = 0;
    bool                   begun_   = false;  // a step of this message was taken
    bool                   flagged_ = false;  // its first byte was written or read

public:
    converter(const options& o, std::uint8_t key, std::size_t window, bool writes)
        : appetite_(o.appetite), ratio_(writes ? o.sent : o.received), key_(key), hoards_(o.hoards),
          takeover_(o.takeover), writes_(writes), fails_at_(writes ? o.deflate_fails_at : o.inflate_fails_at),
          failure_(writes ? navette::errc::out_of_memory : navette::errc::invalid_compressed_data), window_(window) {}

    navette::codec_step step(navette::const_byte_span in, bool last) {
        std::fill(window_.begin(), window_.end(), std::byte{0xdd});   // what was produced last lives no longer
        if (!begun_) begin();
        navette::codec_step step;
        step.consumed = std::min(in.size(), appetite_);
        if (fails_at_ - std::min(fails_at_, taken_) < step.consumed) return {.error = failure_};
        for (const std::byte b : in.first(step.consumed))
            if (!take(b)) return {.error = failure_};

        const bool        used_up = step.consumed == in.size();
        const bool        silent  = hoards_ && !(last && used_up);
        const std::size_t more    = silent ? 0 : std::min(window_.size(), pending_.size() - told_);
        std::copy_n(pending_.begin() + static_cast<std::ptrdiff_t>(told_), more, window_.begin());
        told_ += more;
        step.produced = navette::byte_span(window_).first(more);
        step.done     = used_up && (silent || told_ == pending_.size());
        if (told_ == pending_.size()) {
            pending_.clear();
            told_ = 0;
        }
        if (writes_ && last && step.done) end();
        return step;
    }

    // All of `in`, appended to `out`.
    navette::errc run(navette::const_byte_span in, bool last, navette::buffer& out) {
        for (navette::codec_step done; !done.done; in = in.subspan(done.consumed)) {
            done = step(in, last);
            if (done.error != navette::errc{}) return done.error;
            if (!out.append(done.produced)) return navette::errc::out_of_memory;
        }
        return {};
    }

    void end() {
        context_ = takeover_ ? next_ : std::uint8_t{0};
        begun_   = false;
    }

    void reset() {
        context_ = 0;
        begun_   = false;
    }

private:
    void begin() {
        begun_   = true;
        flagged_ = !takeover_;
        taken_ = told_ = 0;
        next_          = context_;
        pending_.clear();
        if (writes_ && takeover_) {
            pending_.push_back(static_cast<std::byte>(context_ != 0));
            flagged_ = true;
        }
    }

    bool take(std::byte b) {
        if (!flagged_) {
            if (b > std::byte{1}) return false;
            if (b == std::byte{0}) next_ = context_ = 0;
            flagged_ = true;
            return true;
        }
        if (taken_++ % ratio_.from != 0) return true;
        const std::byte turned = b ^ static_cast<std::byte>(key_ ^ context_);
        const unsigned  plain  = std::to_integer<unsigned>(writes_ ? b : turned);
        next_                  = static_cast<std::uint8_t>((next_ * 31u + plain + 1u) % 255u + 1u);   // never 0
        pending_.insert(pending_.end(), ratio_.to, turned);
        return true;
    }
};

/// The extension. Lives in one place; outlives what uses its factory.
///
///     toy::extension xored({.window = 1});
///     server_protocol ws(xored.agreed());
class extension {
    options          options_;
    mutable counters counters_;

    struct codec {
        const extension* maker;
        converter        inflater, deflater;
        static codec&    at(void* self) { return *static_cast<codec*>(self); }
    };

    static const extension& at(const void* self) { return *static_cast<const extension*>(self); }

    static const navette::message_codec_table table;

    navette::extension_parameters parameters(std::uint8_t key, std::uint8_t window) const {
        navette::extension_parameters made;
        made.values[0] = key;
        made.values[1] = window;
        return made;
    }

    static std::string element(std::uint8_t key, std::uint8_t window) {
        std::string made = "toy; key=" + std::to_string(key);
        if (window != 0) made += "; window=" + std::to_string(window);
        return made;
    }

    static bool read_number(std::string_view text, std::uint8_t& number) {
        const char* const end  = text.data() + text.size();
        const auto [stop, bad] = std::from_chars(text.data(), end, number);
        return bad == std::errc{} && stop == end;
    }

    static navette::errc offer(const void* self, navette::buffer& out) noexcept {
        const options& o = at(self).options_;
        const bool fits = out.append(o.offers.empty() ? std::string_view(element(o.key, o.offered_window)) : o.offers);
        return fits ? navette::errc{} : navette::errc::out_of_memory;
    }

    static navette::errc negotiate(const void* self, navette::role r, const navette::extension_offer& offered,
                                   navette::extension_parameters& agreed, navette::buffer& answer) noexcept {
        constexpr auto refused   = navette::errc::extension_refused;
        const options& o         = at(self).options_;
        std::uint8_t   key       = 0, window = 0;
        bool           has_key   = false, has_window = false;
        auto           parameters = offered.parameters();
        for (navette::parameter p; parameters.next(p);) {
            if (p.name == "key" && !has_key && read_number(p.value, key))
                has_key = true;
            else if (p.name == "window" && !has_window && read_number(p.value, window) && window != 0)
                has_window = true;
            else
                return refused;
        }
        if (o.declines || !has_key) return refused;
        if (r == navette::role::client && (key != o.key || window != o.offered_window)) return refused;
        agreed = at(self).parameters(key, window);
        if (r == navette::role::server && !answer.append(element(key, window))) return navette::errc::out_of_memory;
        return {};
    }

    static navette::errc make(const void* self, const navette::extension_parameters& agreed, navette::role,
                              navette::message_codec& made) noexcept {
        const extension& e = at(self);
        if (e.counters_.makes++ < e.options_.failing_makes) return navette::errc::out_of_memory;
        const std::size_t window = agreed.values[1] != 0 ? agreed.values[1] : e.options_.window;
        auto* const       state  = new (std::nothrow) codec{&e, converter(e.options_, agreed.values[0], window, false),
                                                            converter(e.options_, agreed.values[0], window, true)};
        if (state == nullptr) return navette::errc::out_of_memory;
        ++e.counters_.made;
        made = navette::message_codec(table, state);
        return {};
    }

    // The key is what messages of two connections can differ by.
    static std::uint8_t variant(const navette::extension_parameters& agreed, navette::role) noexcept {
        return agreed.values[0];
    }

    static navette::errc deflate_once(const void* self, std::uint8_t variant, navette::const_byte_span message,
                                      navette::buffer& out) noexcept {
        const extension& e = at(self);
        ++e.counters_.deflated_once;
        return converter(e.options_, variant, e.options_.window, true).run(message, true, out);
    }

public:
    navette::extension_factory factory;

    explicit extension(const options& o = {}) : options_(o) {
        factory = {.name         = "toy",
                   .rsv          = navette::rsv_bits::rsv1,
                   .self         = this,
                   .threshold    = o.threshold,
                   .eager        = o.eager,
                   .offer        = &offer,
                   .negotiate    = &negotiate,
                   .make         = &make,
                   .variant      = &variant,
                   .deflate_once = &deflate_once};
    }
    extension(const extension&)            = delete;
    extension& operator=(const extension&) = delete;

    /// What both sides have once the opening handshake agreed on this extension with its own key.
    navette::agreement agreed() const { return agreed(options_.key); }
    navette::agreement agreed(std::uint8_t key) const {
        navette::agreement made;
        made.extension  = &factory;
        made.parameters = parameters(key, options_.offered_window);
        return made;
    }

    const counters& count() const { return counters_; }

    /// A message's payload as it goes over the wire, from an empty context.
    std::vector<std::byte> on_wire(navette::const_byte_span message) const {
        navette::buffer out;
        if (deflate_once(this, options_.key, message, out) != navette::errc{}) return {};
        --counters_.deflated_once;
        return bytes(navette::const_byte_span(out.data()));
    }
    std::vector<std::byte> on_wire(std::string_view message) const { return on_wire(navette::as_bytes(message)); }
};

inline constexpr navette::message_codec_table extension::table{
    [](void* self, navette::const_byte_span in, bool last) noexcept {
        ++codec::at(self).maker->counters_.inflates;
        if (codec::at(self).maker->options_.stuck) return navette::codec_step{};
        return codec::at(self).inflater.step(in, last);
    },
    [](void* self) noexcept {
        ++codec::at(self).maker->counters_.ends;
        codec::at(self).inflater.end();
    },
    [](void* self, navette::const_byte_span in, bool last, navette::buffer& out) noexcept {
        ++codec::at(self).maker->counters_.deflates;
        return codec::at(self).deflater.run(in, last, out);
    },
    [](void* self) noexcept {
        ++codec::at(self).maker->counters_.resets;
        codec::at(self).deflater.reset();
    },
    [](void* self) noexcept { ++codec::at(self).maker->counters_.releases; },
    [](void* self) noexcept {
        ++codec::at(self).maker->counters_.released;
        delete &codec::at(self);
    },
};

} // namespace toy
