// A stream in memory between a connection and its peer, which lives in the same thread: when nothing is left to read,
// the peer takes what was written and goes on. What both say comes in pieces; a byte may be damaged, the stream may end
// early or refuse a write, and its clock may run.
#pragma once

#include "bodies/fuzz.hpp"

#include <navette/stream/stream.hpp>

namespace fuzz {

/// Bytes on their way.
class pipe {
    std::byte   bytes_[1 << 18];
    std::size_t begin_ = 0, end_ = 0;

public:
    std::size_t damaged_at = never, ends_at = never;   // counted from the first byte
    std::byte   damage{};
    static constexpr std::size_t never = static_cast<std::size_t>(-1);

    void clear() {
        begin_ = end_ = 0;
        damaged_at = ends_at = never;
    }
    void put(const_byte_span bytes) {
        must(bytes.size() <= sizeof bytes_ - end_, "a conversation is bounded by its input");
        if (!bytes.empty()) std::memcpy(bytes_ + end_, bytes.data(), bytes.size());
        if (damaged_at - end_ < bytes.size()) bytes_[damaged_at] ^= damage;
        end_ += bytes.size();
        if (end_ > ends_at) end_ = lesser(end_, ends_at > begin_ ? ends_at : begin_);
    }
    byte_span take(std::size_t most) {
        const byte_span taken(bytes_ + begin_, lesser(most, end_ - begin_));
        begin_ += taken.size();
        return taken;
    }
    bool empty() const { return begin_ == end_; }
    std::size_t size() const { return end_ - begin_; }
    bool ended() const { return empty() && ends_at <= end_; }
};

/// What a peer can be asked to do: take bytes, go on by one step, say whether it has ended.
struct peer {
    virtual void hear(byte_span piece) = 0;
    virtual bool go_on()               = 0;   // false: there is nothing more to do
    virtual ~peer()                    = default;
};

struct shuttle_state {
    pipe        to_us, to_peer;
    peer*       other = nullptr;
    cuts        cut{};
    std::size_t pieces = 0, calls = 0, writes = 0;
    std::size_t write_fails_at = pipe::never;
    instant     clock{};
    duration    tick{};
    bool        closed = false, shut = false;

    // Of much, most comes at once: how it is cut is tried on what is little.
    std::size_t next_cut(std::size_t there) { return there > 1'024 ? there - 1'000 : cut.sizes[pieces++ % 3]; }
    void        let_peer_hear() {
        while (!to_peer.empty()) other->hear(to_peer.take(next_cut(to_peer.size())));
    }
};

class shuttle {
    shuttle_state* state_;
    static std::error_code broken() { return std::make_error_code(std::errc::broken_pipe); }

public:
    explicit shuttle(shuttle_state& state) : state_(&state) {}

    io_result<std::size_t> read_some(byte_span in) {
        shuttle_state& s = *state_;
        must(++s.calls < 100'000 && !in.empty() && !s.closed,
             "a connection comes to its end, and does not read behind it");
        s.clock = s.clock + s.tick;
        while (s.to_us.empty()) {
            s.let_peer_hear();
            if (!s.to_us.empty()) break;
            if (s.to_us.ended() || !s.other->go_on()) return std::size_t{0};
        }
        const byte_span piece = s.to_us.take(lesser(s.next_cut(s.to_us.size()), in.size()));
        std::memcpy(in.data(), piece.data(), piece.size());
        return piece.size();
    }
    io_result<std::size_t> write_some(const_byte_span out) {
        shuttle_state& s = *state_;
        must(++s.calls < 100'000 && !out.empty() && !s.closed && !s.shut, "nothing is written behind the end");
        if (s.writes++ >= s.write_fails_at) return broken();
        const std::size_t n = lesser(s.next_cut(out.size()), out.size());
        s.to_peer.put(out.first(n));
        return n;
    }
    void    shutdown_write() { state_->shut = true; }
    void    close() { state_->closed = true; }
    instant now() { return state_->clock; }
    void    read_expires_at(instant) {}
    void    write_expires_at(instant) {}
};

static_assert(deadline_stream<shuttle>);

} // namespace fuzz
