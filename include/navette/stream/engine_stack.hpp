// Two transport engines, one working on what the other makes: TLS through a proxy, TLS within TLS. Itself an engine, so
// that stacks grow to any height.
#pragma once

#include <navette/stream/transport_engine.hpp>

#include <new>
#include <utility>

namespace navette {

/// An engine whose cipher bytes are `lower`'s, whose plain bytes are `upper`'s, and whose handshake is that of `lower` and
/// then that of `upper`. Takes both over; neither is empty. The transport's end before `upper`'s own end is what `upper`
/// says of it. `errc::out_of_memory`.
io_result<transport_engine> stack_engines(transport_engine lower, transport_engine upper) noexcept;

namespace detail {

class engine_stack {
    static constexpr std::size_t middle_size = 16 * 1024;

    // Invariant: middle_ is what of storage_ lower_ has made and upper_ has not taken yet.
    transport_engine lower_, upper_;
    buffer           storage_{}, owed_{};
    byte_span        middle_{};
    bool             is_open_ = false;   // lower_ is

    // Gives what the upper engine owes to the lower one.
    engine_step settle(engine_step step, buffer& out) noexcept {
        while (!owed_.empty()) {
            const_byte_span   rest = owed_.data();
            const engine_step sent = lower_.send(rest, out);
            if (sent.error) return sent;
            if (rest.size() == owed_.size()) return {.error = errc::misuse};   // an open engine takes what it is given
            owed_.consume(owed_.size() - rest.size());
        }
        return step;
    }

    // Completes the lower handshake as far as `in` goes.
    engine_step open(byte_span& in, buffer& out) noexcept {
        for (;;) {
            const_byte_span   nothing;
            const engine_step sent = lower_.send(nothing, out);
            is_open_               = sent.open;
            if (sent.error || is_open_ || in.empty()) return sent;
            const engine_step got = lower_.receive(in, {}, out);
            if (got.ended) return {.error = errc::tls_truncated};
            if (got.error) return got;
        }
    }

public:
    engine_stack(transport_engine lower, transport_engine upper) noexcept : lower_(std::move(lower)), upper_(std::move(upper)) {}

    engine_step receive(byte_span& in, byte_span plain, buffer& out) noexcept {
        if (!is_open_)
            if (const engine_step step = open(in, out); !is_open_) return {.error = step.error};
        if (storage_.empty() && storage_.grow(middle_size).empty()) return {.error = errc::out_of_memory};
        for (;;) {
            const std::size_t before = middle_.size();
            const engine_step step   = settle(upper_.receive(middle_, plain, owed_), out);
            if (step.error || step.ended || step.produced != 0) return step;
            if (middle_.size() != before) continue;
            if (!middle_.empty()) return step;
            const engine_step below = lower_.receive(in, storage_.data(), out);
            middle_                 = storage_.data().first(below.produced);
            if (below.error) return below;
            if (below.ended) return upper_.receive_eof();
            if (middle_.empty() && in.empty()) return {};
        }
    }

    engine_step receive_eof() noexcept {
        const engine_step below = lower_.receive_eof();
        return below.ended && is_open_ ? upper_.receive_eof() : below;
    }

    engine_step send(const_byte_span& plain, buffer& out) noexcept {
        byte_span nothing;
        if (!is_open_)
            if (const engine_step step = open(nothing, out); !is_open_) return step;
        return settle(upper_.send(plain, owed_), out);
    }

    engine_step shutdown(buffer& out) noexcept {
        if (!is_open_) return lower_.shutdown(out);
        const engine_step step = settle(upper_.shutdown(owed_), out);
        return step.error ? step : lower_.shutdown(out);
    }

    static engine_stack& at(void* self) noexcept { return *static_cast<engine_stack*>(self); }
};

inline constexpr transport_engine_table engine_stack_table{
    [](void* self, byte_span& in, byte_span plain, buffer& out) noexcept { return engine_stack::at(self).receive(in, plain, out); },
    [](void* self) noexcept { return engine_stack::at(self).receive_eof(); },
    [](void* self, const_byte_span& plain, buffer& out) noexcept { return engine_stack::at(self).send(plain, out); },
    [](void* self, buffer& out) noexcept { return engine_stack::at(self).shutdown(out); },
    [](void* self) noexcept { delete &engine_stack::at(self); },
};

} // namespace detail

inline io_result<transport_engine> stack_engines(transport_engine lower, transport_engine upper) noexcept {
    auto* const made = new (std::nothrow) detail::engine_stack(std::move(lower), std::move(upper));
    if (made == nullptr) return errc::out_of_memory;
    return transport_engine(detail::engine_stack_table, made);
}

} // namespace navette
