// A contiguous queue of bytes: appended at the back, consumed at the front. It grows on the heap, never zero-filled, or
// lies in fixed storage of the caller's. Nothing throws; what finds no room says so. Knows one thing of the protocol:
// whether its last bytes are a pong that nobody has begun to send (RFC 6455, 5.5.3).
#pragma once

#include <navette/base/bytes.hpp>
#include <navette/base/config.hpp>

#include <cstdlib>
#include <cstring>

namespace navette {

/// The queue of bytes that go to a peer, or that wait for more. One thread at a time.
///
///     buffer out;                          // grows
///     out.append(as_bytes("hello"));
///     out.consume(socket_write(out.data()));
///
/// Any append may move the bytes: hand I/O a span of `data()` only while nothing appends, or swap the buffer with a
/// second one first. A consume never moves them.
class buffer {
    // Invariant: begin_ <= end_ <= capacity_; the bytes [begin_, end_) are live; pong_ <= size().
    std::byte*   memory_   = nullptr;
    std::size_t  begin_    = 0;
    std::size_t  end_      = 0;
    std::size_t  capacity_ = 0;
    std::uint8_t pong_     = 0;
    bool         fixed_    = false;

public:
    /// An empty buffer that grows on the heap; owns no memory yet.
    constexpr buffer() noexcept = default;

    /// An empty buffer in `storage`, which it borrows for its lifetime and never outgrows.
    explicit buffer(byte_span storage) noexcept : memory_(storage.data()), capacity_(storage.size()), fixed_(true) {}

    buffer(buffer&& other) noexcept { swap(other); }
    buffer& operator=(buffer&& other) noexcept {
        buffer moved;  // made empty: overload resolution of buffer(buffer&&) makes g++ ask whether one converts to a span
        moved.swap(other);
        swap(moved);
        return *this;
    }
    ~buffer() {
        if (!fixed_) std::free(memory_);
    }

    void swap(buffer& other) noexcept {
        detail::swap_values(memory_, other.memory_);
        detail::swap_values(begin_, other.begin_);
        detail::swap_values(end_, other.end_);
        detail::swap_values(capacity_, other.capacity_);
        detail::swap_values(pong_, other.pong_);
        detail::swap_values(fixed_, other.fixed_);
    }

    byte_span       data() noexcept { return {memory_ + begin_, end_ - begin_}; }
    const_byte_span data() const noexcept { return {memory_ + begin_, end_ - begin_}; }
    std::size_t     size() const noexcept { return end_ - begin_; }
    bool            empty() const noexcept { return begin_ == end_; }

    /// Bytes of memory held; of a fixed buffer, the most it can ever hold.
    std::size_t capacity() const noexcept { return capacity_; }
    bool        is_fixed() const noexcept { return fixed_; }

    /// Whether `n` more bytes could be appended, short of the heap's refusal.
    bool can_take(std::size_t n) const noexcept { return !fixed_ || capacity_ - size() >= n; }

    /// Makes room for `n` more bytes, so that appending them moves nothing. False: a fixed buffer is full, or no memory.
    [[nodiscard]] NAVETTE_ALWAYS_INLINE bool reserve(std::size_t n) noexcept {
        return capacity_ - end_ >= n || find_room(n);
    }

    /// Appends `n` uninitialised bytes and returns them to be written at once; empty if there is no room.
    [[nodiscard]] NAVETTE_ALWAYS_INLINE byte_span grow(std::size_t n) noexcept {
        if (!reserve(n)) return {};
        pong_ = 0;
        end_ += n;
        return {memory_ + end_ - n, n};
    }

    /// Appends a copy of `bytes`, which must not lie in this buffer. False: no room, and nothing was appended.
    [[nodiscard]] bool append(const_byte_span bytes) noexcept {
        if (bytes.empty()) return true;
        const byte_span place = grow(bytes.size());
        if (place.empty()) return false;
        std::memcpy(place.data(), bytes.data(), bytes.size());
        return true;
    }
    [[nodiscard]] bool append(std::string_view text) noexcept { return append(as_bytes(text)); }

    /// Removes the last `n` bytes. Precondition: n <= size().
    void shrink(std::size_t n) noexcept {
        end_ -= n;
        pong_ = 0;
    }

    /// Removes the first `n` bytes. Precondition: n <= size().
    void consume(std::size_t n) noexcept {
        begin_ += n;
        if (size() < pong_) pong_ = 0;
        if (begin_ == end_) begin_ = end_ = 0;
    }

    /// Removes all bytes and keeps the memory.
    void clear() noexcept {
        begin_ = end_ = 0;
        pong_ = 0;
    }

    /// Says that the last `n` bytes, at most 131, are a whole pong. Any other append or shrink, and a consume that begins
    /// to send it, forgets that.
    void mark_pong(std::size_t n) noexcept { pong_ = static_cast<std::uint8_t>(n); }

    /// The size of the unsent pong at the end; 0: there is none.
    std::size_t pong_size() const noexcept { return pong_; }

    friend bool operator==(const buffer& a, const_byte_span b) noexcept {
        return a.size() == b.size() && (b.empty() || std::memcmp(a.data().data(), b.data(), b.size()) == 0);
    }

private:
    NAVETTE_NEVER_INLINE bool find_room(std::size_t n) noexcept {
        // Moving the live part down costs no more than the consumes that freed the place, or there is no other place.
        if (capacity_ - size() >= n && (fixed_ || begin_ >= size())) {
            compact();
            return true;
        }
        return !fixed_ && regrow(n);
    }

    void compact() noexcept {
        if (begin_ == 0) return;
        std::memmove(memory_, memory_ + begin_, size());
        end_ -= begin_;
        begin_ = 0;
    }

    // With room for twice what is live, and `n` more, the place runs out again only when compact can help: capacity
    // grows by every call and stays below twice the most that was ever live, and one append.
    bool regrow(std::size_t n) noexcept {
        constexpr std::size_t least = 256;
        const std::size_t     live  = size();
        if (n > static_cast<std::size_t>(-1) / 2 - live) return false;
        const std::size_t wanted = 2 * live + n < least ? least : 2 * live + n;
        auto* const       place  = static_cast<std::byte*>(std::malloc(wanted));
        if (place == nullptr) return false;
        if (live != 0) std::memcpy(place, memory_ + begin_, live);
        std::free(memory_);
        memory_   = place;
        begin_    = 0;
        end_      = live;
        capacity_ = wanted;
        return true;
    }
};

} // namespace navette
