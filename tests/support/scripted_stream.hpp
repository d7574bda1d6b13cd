// A stream whose peer is a script on a virtual clock: what it sends and when, how it reacts to what is written, when it
// stops taking bytes. Everything that was done to the stream is on record. One thread; nothing ever really waits.
#pragma once

#include "support/bytes.hpp"

#include <navette/stream/stream.hpp>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

struct script {
    struct arrival {
        navette::instant       when;
        std::vector<std::byte> bytes;   // none: the end of the stream
    };

    navette::instant                         clock{1'000'000'000};
    std::deque<arrival>                      arrivals;
    std::function<std::vector<std::byte>()>  endless;      // when nothing arrives any more: the next bytes, at once
    navette::duration                        endless_every{};
    std::function<void(script&)>             on_write;     // after each write
    std::size_t                              takes = static_cast<std::size_t>(-1);   // bytes it takes before it stalls
    std::vector<std::byte>                   written;
    std::string                              order;        // of what ended: "shutdown close"
    bool                                     closed   = false;
    bool                                     waited   = false;  // its end was read before the stream's own direction was ended
    std::size_t                              reads    = 0;

    void say(std::vector<std::byte> bytes, navette::duration after = {}) {
        arrivals.push_back({clock + after, std::move(bytes)});
    }
    void end(navette::duration after = {}) { arrivals.push_back({clock + after, {}}); }

    std::string text() const { return std::string(navette::as_text(written)); }
};

class scripted_stream {
    std::shared_ptr<script> script_;
    navette::instant        read_deadline_  = navette::instant::never();
    navette::instant        write_deadline_ = navette::instant::never();

    static std::error_code late() { return std::make_error_code(std::errc::timed_out); }

    // Lets time pass until `when`, or the deadline if that is sooner.
    bool wait(navette::instant when, navette::instant deadline) {
        if (when > deadline) {
            script_->clock = std::max(script_->clock, deadline);
            return false;
        }
        script_->clock = std::max(script_->clock, when);
        return true;
    }

public:
    explicit scripted_stream(std::shared_ptr<script> s) : script_(std::move(s)) {}

    navette::io_result<std::size_t> read_some(navette::byte_span in) {
        script& s = *script_;
        if (s.closed || in.empty()) return navette::errc::misuse;
        if (++s.reads > 1'000'000) return std::make_error_code(std::errc::resource_deadlock_would_occur);   // a loop without end
        if (s.arrivals.empty() && s.endless) s.arrivals.push_back({s.clock + s.endless_every, s.endless()});
        if (s.arrivals.empty()) {
            // A wait without a deadline, for a peer that says nothing more, is the defect that the tests look for.
            if (read_deadline_ == navette::instant::never())
                return std::make_error_code(std::errc::resource_deadlock_would_occur);
            wait(navette::instant::never(), read_deadline_);
            return late();
        }
        auto& next = s.arrivals.front();
        if (!wait(next.when, read_deadline_)) return late();
        if (next.bytes.empty()) {   // the end stays
            s.waited = s.waited || s.order.empty();
            return std::size_t{0};
        }
        const std::size_t n = std::min(in.size(), next.bytes.size());
        std::copy_n(next.bytes.begin(), n, in.begin());
        next.bytes.erase(next.bytes.begin(), next.bytes.begin() + static_cast<std::ptrdiff_t>(n));
        if (next.bytes.empty()) s.arrivals.pop_front();
        return n;
    }

    navette::io_result<std::size_t> write_some(navette::const_byte_span out) {
        script& s = *script_;
        if (s.closed || out.empty()) return navette::errc::misuse;
        const std::size_t n = std::min(out.size(), s.takes - s.written.size());
        if (n == 0) {
            if (write_deadline_ == navette::instant::never())
                return std::make_error_code(std::errc::resource_deadlock_would_occur);
            wait(navette::instant::never(), write_deadline_);
            return late();
        }
        s.written.insert(s.written.end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(n));
        if (const auto react = s.on_write) react(s);   // a copy: it may set another
        return n;
    }

    void shutdown_write() { script_->order += "shutdown "; }
    void close() {
        if (!script_->closed) script_->order += "close";
        script_->closed = true;
    }

    navette::instant now() const { return script_->clock; }
    void             read_expires_at(navette::instant when) { read_deadline_ = when; }
    void             write_expires_at(navette::instant when) { write_deadline_ = when; }
};

static_assert(navette::deadline_stream<scripted_stream>);
