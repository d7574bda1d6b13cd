// A transport engine that is no cipher: XOR with one byte, behind a handshake of one byte each way. Like TLS it cannot
// send before it has received, owes replies in the middle of data (a "key update"), tells a clean end from a truncated
// one, explains an error in a last record, and makes records of bounded size.
#pragma once

#include <navette/stream/transport_engine.hpp>

#include <algorithm>
#include <string>

class toy_engine {
    static constexpr std::byte hello{0x48}, key{0x5a};
    static constexpr std::byte escape{0xe5};   // before one of the following
    static constexpr std::byte literal{1}, end{2}, update{3}, updated{4}, alert{5};
    static constexpr std::size_t record_size = 100;

    bool greeted_ = false, established_ = false, escaped_ = false, ended_ = false;

    static bool put(navette::buffer& out, std::byte a, std::byte b) {
        const std::byte both[] = {a, b};
        return out.append(navette::const_byte_span(both));
    }
    navette::engine_step failed(navette::errc e) const { return {.error = e}; }

    bool greet(navette::buffer& out) {
        if (greeted_) return true;
        greeted_ = true;
        return out.append(navette::const_byte_span(&hello, 1));
    }

    navette::engine_step receive(navette::byte_span& in, navette::byte_span plain, navette::buffer& out) {
        if (!greet(out)) return failed(navette::errc::out_of_memory);
        navette::engine_step step;
        while (!ended_ && !in.empty()) {
            const std::byte b = in.front();
            if (!established_) {
                if (b != hello) {
                    static_cast<void>(put(out, escape, alert));
                    return failed(navette::errc::bad_start_line);
                }
                established_ = true;
            } else if (escaped_ && b == literal) {
                if (step.produced == plain.size()) break;
                plain[step.produced++] = escape ^ key;
                escaped_ = false;
            } else if (escaped_) {
                escaped_ = false;
                if (b == end) ended_ = true;
                if (b == update) static_cast<void>(put(out, escape, updated));
                if (b == alert) return failed(navette::errc::bad_line_end);
            } else if (b == escape) {
                escaped_ = true;
            } else {
                if (step.produced == plain.size()) break;
                plain[step.produced++] = b ^ key;
            }
            in = in.subspan(1);
        }
        step.ended = ended_ && step.produced == 0;
        return step;
    }

    navette::engine_step send(navette::const_byte_span& plain, navette::buffer& out) {
        if (!greet(out)) return failed(navette::errc::out_of_memory);
        if (!established_) return {};
        const auto record = plain.first(std::min(plain.size(), record_size));
        for (const std::byte b : record) {
            const std::byte cipher = b ^ key;
            const bool room = cipher == escape ? put(out, escape, literal) : out.append(navette::const_byte_span(&cipher, 1));
            if (!room) return failed(navette::errc::out_of_memory);
        }
        plain = plain.subspan(record.size());
        return {.open = true};
    }

    static toy_engine& at(void* self) { return *static_cast<toy_engine*>(self); }

public:
    static const navette::transport_engine_table table;

    static navette::transport_engine make() { return {table, new toy_engine}; }

    // A factory that notes the host it was asked for in the std::string behind `self`, if there is one.
    static navette::transport_factory factory(std::string* host = nullptr) {
        return {host, [](const void* self, navette::role, std::string_view name) noexcept
                    -> navette::io_result<navette::transport_engine> {
                    if (self != nullptr) *const_cast<std::string*>(static_cast<const std::string*>(self)) = name;
                    return make();
                }};
    }
};

inline constexpr navette::transport_engine_table toy_engine::table{
    [](void* self, navette::byte_span& in, navette::byte_span plain, navette::buffer& out) noexcept {
        return at(self).receive(in, plain, out);
    },
    [](void*) noexcept { return navette::engine_step{.error = navette::errc::tls_truncated}; },
    [](void* self, navette::const_byte_span& plain, navette::buffer& out) noexcept { return at(self).send(plain, out); },
    [](void* self, navette::buffer& out) noexcept {
        return put(out, escape, end) ? navette::engine_step{} : at(self).failed(navette::errc::out_of_memory);
    },
    [](void* self) noexcept { delete &at(self); },
};
