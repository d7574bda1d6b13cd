// What an agreed extension does to the payload of messages, as a table and a state pointer (RFC 6455, 9; RFC 7692, 6).
// The protocol calls it; floors 0 to 6 know no compression library. An extension that is not compression fits as well:
// "inflate" is what the receiver does, "deflate" what the sender did.
#pragma once

#include <navette/base/buffer.hpp>
#include <navette/base/bytes.hpp>
#include <navette/base/errc.hpp>


namespace navette {

/// The outcome of one step of inflating.
struct codec_step {
    std::size_t consumed = 0;  ///< bytes taken off the front of the input; the codec keeps no pointer to it
    byte_span   produced{};    ///< in the codec's window; valid until the next step of any codec that shares the window
    bool        done = false;  ///< the input is used up and nothing more comes of it; false: call again with the rest
    errc        error{};       ///< `invalid_compressed_data` or `out_of_memory`; what was produced came before it
};

/// The functions of a codec; none may be null. `self` is the state that the extension made. One thread at a time.
struct message_codec_table {
    /// Transforms the next piece of a received message's payload, unmasked; `last`: it ends the message. Every step takes
    /// a byte, produces one, or is done: a codec that does none of these is broken.
    codec_step (*inflate)(void* self, const_byte_span in, bool last) noexcept;
    /// A received message is complete: forget its context if that was agreed, give back what is not needed.
    void (*end_message)(void* self) noexcept;
    /// Transforms the next piece of a message to be sent, all of it, and appends what the peer needs in order to read it;
    /// `last`: it ends the message. After an error the message is given up, and what was appended counts for nothing.
    errc (*deflate)(void* self, const_byte_span in, bool last, buffer& out) noexcept;
    /// The next message to be sent must not refer to earlier ones, and an unfinished one is forgotten.
    void (*reset_deflate)(void* self) noexcept;
    /// Gives back the memory that no message under way needs, and no agreement: what was produced last may lie in it.
    void (*release_idle)(void* self) noexcept;
    /// Destroys the state.
    void (*release)(void* self) noexcept;
};

/// A codec of one connection, or none. Owns its state.
class message_codec {
    const message_codec_table* table_ = nullptr;
    void*                      self_  = nullptr;

public:
    constexpr message_codec() noexcept = default;
    constexpr message_codec(const message_codec_table& table, void* self) noexcept : table_(&table), self_(self) {}
    message_codec(message_codec&& other) noexcept
        : table_(detail::take(other.table_)), self_(detail::take(other.self_)) {}
    message_codec& operator=(message_codec&& other) noexcept {
        detail::swap_values(table_, other.table_);
        detail::swap_values(self_, other.self_);
        return *this;
    }
    ~message_codec() {
        if (table_ != nullptr) table_->release(self_);
    }

    explicit   operator bool() const noexcept { return table_ != nullptr; }
    codec_step inflate(const_byte_span in, bool last) noexcept { return table_->inflate(self_, in, last); }
    void       end_message() noexcept { table_->end_message(self_); }
    errc deflate(const_byte_span in, bool last, buffer& out) noexcept { return table_->deflate(self_, in, last, out); }
    void reset_deflate() noexcept { table_->reset_deflate(self_); }
    void release_idle() noexcept { table_->release_idle(self_); }
};

} // namespace navette
