// Reads what comes back on one connection. The first reply is received by the library and compared byte for byte; of all
// later ones the frames are walked, and their kind and length are compared: a load generator must be faster than what it
// loads.
#pragma once

#include "traffic.hpp"

#include <array>
#include <cstring>
#include <memory>

namespace load {

class replies {
    // Invariant: left_ counts the payload bytes still to come of the frame that header_ says; held_ those bytes of a
    // header, or of a control frame's payload, that storage_ has. Not both.
    const traffic* expected_;
    std::unique_ptr<session<role::client>> first_; // until the first reply has come; none for raw bytes
    bool raw_, coded_;
    bool compared_      = false;
    bool in_message_    = false;
    std::uint8_t held_  = 0;
    std::uint64_t left_ = 0;
    std::uint64_t size_ = 0; // of the message so far, or of the raw bytes
    frame_header header_{};
    std::array<std::byte, max_control_payload> storage_;
    std::array<std::byte, 10> usual_{}; // the header that a reply should have
    std::size_t usual_size_;
    buffer answer_{}; // pongs that are owed

    static buffer_pool& pool() {
        static buffer_pool one;
        return one;
    }

    static std::string closing(close_code code, const_byte_span reason) {
        std::string told = "the server closed it with " + std::to_string(static_cast<unsigned>(code));
        if (!reason.empty()) told.append(" (").append(as_text(reason)).append(")");
        return told;
    }

public:
    replies(const traffic& expected, const options& asked, const agreement& agreed)
        : expected_(&expected), raw_(asked.transport == scheme::tcp), coded_(asked.deflate) {
        if (!raw_) first_ = std::make_unique<session<role::client>>(client_protocol(agreed, bounds()), pool());
        usual_size_ = write_header({.op = expected.type, .payload_length = expected.payload.size()}, usual_.data());
    }

    static const limits& bounds() {
        static const limits one{.max_message_size = std::uint64_t{1} << 30};
        return one;
    }

    /// Takes all of `in`; how many replies it has completed. `fail(sentence)` does not return.
    template <class Fail>
    std::uint64_t take(byte_span in, Fail fail) {
        if (raw_) return take_raw(in, fail);
        std::uint64_t whole = 0;
        if (first_) {
            whole = take_first(in, fail);
            if (first_) return whole;
        }
        return whole + walk(in, fail);
    }

    /// Bytes that the server must get, to be sent between two messages.
    buffer& answer() { return answer_; }

private:
    template <class Fail>
    std::uint64_t take_raw(const_byte_span in, Fail& fail) {
        const std::size_t size = expected_->payload.size();
        if (!compared_) {
            const auto at       = static_cast<std::size_t>(size_);
            const std::size_t n = std::min(in.size(), size - at);
            if (std::memcmp(in.data(), expected_->payload.data() + at, n) != 0)
                fail("the first reply is not what was sent");
            compared_ = size_ + n == size;
        }
        const std::uint64_t before = size_ / size;
        size_ += in.size();
        return size_ / size - before;
    }

    template <class Fail>
    std::uint64_t take_first(byte_span& in, Fail& fail) {
        while (const event e = first_->receive(in, answer_)) {
            if (e.type == event_type::close) fail(closing(e.code, e.payload));
            if (e.type == event_type::failed) fail("the first reply is none: " + std::string(describe(e.error)));
            if (!e.is_message()) continue;
            if ((e.type == event_type::text) != (expected_->type == opcode::text))
                fail("the first reply is of the other kind, text or binary");
            if (as_text(e.payload) != expected_->payload) fail("the first reply is not what was sent");
            first_.reset();
            return 1;
        }
        return 0;
    }

    template <class Fail>
    std::uint64_t walk(const_byte_span in, Fail& fail) {
        std::uint64_t whole = 0;
        while (!in.empty()) {
            if (left_ != 0) {
                const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size()));
                if (is_control(header_.op)) {
                    std::memcpy(storage_.data() + held_, in.data(), n);
                    held_ = static_cast<std::uint8_t>(held_ + n);
                }
                left_ -= n;
                in = in.subspan(n);
                if (left_ == 0) whole += frame_ended(fail);
                continue;
            }
            if (held_ == 0 && !in_message_ && !coded_) {
                const std::size_t reply = usual_size_ + expected_->payload.size();
                while (in.size() >= reply && is_usual(in.data())) {
                    in = in.subspan(reply);
                    ++whole;
                }
                if (in.empty()) break;
            }
            if (!take_header(in, fail)) break;
            if (left_ == 0) whole += frame_ended(fail);
        }
        return whole;
    }

    bool is_usual(const std::byte* at) const {
        if (usual_size_ == 2) return at[0] == usual_[0] && at[1] == usual_[1];
        return std::memcmp(at, usual_.data(), usual_size_) == 0;
    }

    // Whether a header has ended; else all of `in` is part of one.
    template <class Fail>
    bool take_header(const_byte_span& in, Fail& fail) {
        const std::size_t n = std::min(in.size(), frame_header::max_size - held_);
        std::memcpy(storage_.data() + held_, in.data(), n);
        const parsed_header parsed = parse_header(const_byte_span(storage_.data(), held_ + n));
        if (parsed.error != errc{}) fail("a reply is no frame: " + std::string(describe(parsed.error)));
        if (parsed.size == 0) {
            held_ = static_cast<std::uint8_t>(held_ + n);
            in    = {};
            return false;
        }
        in      = in.subspan(parsed.size - held_);
        held_   = 0;
        header_ = parsed.header;
        left_   = header_.payload_length;
        if (header_.masked) fail("a reply is masked, as a server's must not be");
        if (is_control(header_.op)) return true;
        if (in_message_ != (header_.op == opcode::continuation)) fail("the frames of a reply are not in sequence");
        if (!in_message_ && header_.op != expected_->type) fail("a reply is of the other kind, text or binary");
        in_message_ = true;
        size_ += left_;
        return true;
    }

    // Replies that have ended with this frame.
    template <class Fail>
    std::uint64_t frame_ended(Fail& fail) {
        if (is_control(header_.op)) {
            const const_byte_span payload(storage_.data(), static_cast<std::size_t>(header_.payload_length));
            held_ = 0;
            if (header_.op == opcode::close)
                fail(payload.size() < 2 ? "the server closed it without a code"
                                        : closing(static_cast<close_code>(load_be16(payload.data())), payload.subspan(2)));
            const frame_encoder<role::client> encoder;
            if (header_.op == opcode::ping && encoder.append({.op = opcode::pong}, payload, answer_) != errc{})
                fail("a Ping cannot be answered");
            return 0;
        }
        if (header_.final == fin::no) return 0;
        in_message_ = false;
        if (!coded_ && size_ != expected_->payload.size())
            fail("a reply has " + std::to_string(size_) + " bytes, not " + std::to_string(expected_->payload.size()));
        size_ = 0;
        return 1;
    }
};

} // namespace load
