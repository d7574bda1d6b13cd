// One loop of a server: a thread's connections, its buffers, its turns. What is read is dealt with in server_input.ipp, what
// is written in server_output.ipp; how connections begin and end stands in server_opening.ipp and server_ending.ipp.
#pragma once

#include <navette/server_core.ipp>

#include <bit>
#include <cerrno>
#include <new>
#include <string>
#include <sys/socket.h>

namespace navette::detail {

// Bits of server_connection::flags_.
enum server_flag : std::uint16_t {
    readable     = 1,      // the socket may have something that was not read
    paused       = 2,      // by the application
    stalled      = 4,      // the socket takes nothing more for now
    pressed      = 8,      // so much waits that on_drain is owed
    dirty        = 16,     // stands in dirty_
    ready        = 32,     // stands in ready_
    ping_awaited = 64,     // its pong is, since since_
    ended        = 128,    // the peer has ended its side
    lost         = 256,    // nothing can be written
    doomed       = 512,    // ends as soon as nobody is at it
    opened       = 1024,   // on_open was called
    told         = 2048,   // on_close was
    trusted      = 4096,   // it comes from a proxy that is believed
    begins       = 8192,   // a PROXY header is expected
    ending       = 16384,  // the peer's end, or an error, stands behind what is to be read
    sends_large  = 32768,  // its last message was long
};

// A subscriber of a topic.
struct server_topic {
    std::vector<server_connection*> subscribers{};
    std::string                     name{};
};

class server_loop {
    friend class navette::server_connection;
    friend class navette::server_request;

    // Connections, in places that never move. Invariant: the generation of a place is odd while it is in use.
    struct chunk {
        static constexpr std::size_t size = 64;
        std::uint32_t generation[size] = {};
        std::uint32_t next_free[size]  = {};
        alignas(server_connection) std::byte place[size][sizeof(server_connection)];
    };

    static constexpr std::size_t   large          = 16 * 1024;    // a payload from here on is not copied whole
    static constexpr std::size_t   flush_mark     = 256 * 1024;   // of output that one read leads to
    static constexpr std::size_t   read_at_once   = 1024 * 1024;  // of one connection, before others have their turn
    static constexpr std::size_t   park_mark      = 16 * 1024;    // of input that comes before an answer is decided on
    static constexpr std::uint32_t trim_after     = 20;           // milliseconds without anything to do
    static constexpr std::uint32_t retry_accept   = 100;          // milliseconds
    static constexpr std::uint32_t no_slot        = 0xffff'ffff;
    enum : std::uint64_t { bell_token, stop_token, other_stop_token, listener_token };

    server_core&                    core_;
    const unsigned                  number_;
    std::shared_ptr<server_mailbox> box_ = std::make_shared<server_mailbox>();
    server_poller                   poller_{};
    loop_counters                   counted_{};

    instant       began_;
    std::uint32_t now_  = 0;   // milliseconds since then
    std::uint32_t busy_ = 0;   // when there was something to do
    std::uint32_t turn_ = 0;   // counts them
    timer_wheel   timers_{0};

    std::vector<std::unique_ptr<chunk>> chunks_{};
    std::uint32_t                       free_  = no_slot;
    std::size_t                         count_ = 0;   // connections

    server_memory                   memory_{core_.settings.limits};
    buffer                          input_{}, plain_{};   // storage: what is read, and what an engine makes of it
    buffer                          out_{};               // what the connection that is dealt with sends
    buffer                          scratch_{};
    server_connection*              current_ = nullptr;
    server_slab<server_io>          io_{};
    std::vector<server_connection*> dirty_{}, dirty_now_{}, ready_{}, ready_now_{}, graves_{};
    std::vector<server_mailbox::task> tasks_{};
    std::vector<std::pair<server_connection*, std::error_code>>    reasons_{};   // why they are doomed
    std::unordered_map<std::string, std::unique_ptr<server_topic>> topics_{};

    std::vector<std::shared_ptr<tcp::listener>> listeners_{};
    bool          accepts_     = false;
    bool          starves_     = false;  // and that was said
    bool          is_stopping_ = false;
    std::uint32_t accept_at_   = 0;      // when accepting is tried again, if it is not accepts_
    std::uint32_t stop_by_     = 0;

public:
    server_loop(server_core& core, unsigned number) noexcept : core_(core), number_(number), began_(tcp::now()) {
        tick();
    }
    ~server_loop();
    server_loop(const server_loop&)            = delete;
    server_loop& operator=(const server_loop&) = delete;

    // Once, before run.
    std::error_code open(std::vector<std::shared_ptr<tcp::listener>> listeners);

    // Until everybody has gone after a stop.
    void run() noexcept;

    server_mailbox&      box() noexcept { return *box_; }
    const loop_counters& counted() const noexcept { return counted_; }
    unsigned             number() const noexcept { return number_; }
    bool                 is_of(const server_core& core) const noexcept { return &core_ == &core; }

    // Work that comes out of the box.
    void work_on(std::uint32_t slot, std::uint32_t generation, const std::function<void(server_connection&)>& work);
    void adopt(int fd, const_byte_span already_read);
    void publish(const std::string& topic, const std::shared_ptr<published_message>& message);
    void decide(std::uint32_t slot, std::uint32_t generation, const struct server_decision& made);

private:
    // ---- turns
    void tick() noexcept { now_ = static_cast<std::uint32_t>((tcp::now() - began_).nanoseconds / 1'000'000 + 1'000); }
    void turn();
    void handle(const readiness& what);
    void attend(server_connection& c, const readiness& what);
    void finish_turn();
    void trim() noexcept;
    int  patience() const noexcept;
    void watch(server_connection& c) noexcept;

    // ---- connections
    server_connection* find(std::uint32_t slot, std::uint32_t generation) noexcept;
    server_connection* make(int fd) noexcept;
    void               bury() noexcept;
    template <class F>
    void for_each(F f);
    server_io& io_of(server_connection& c);
    void       release_io(server_connection& c) noexcept;
    server_extra& extra_of(server_connection& c) {
        if (c.extra_ == nullptr) c.extra_ = new server_extra;
        return *c.extra_;
    }
    static bool has(const server_connection& c, server_flag f) noexcept { return (c.flags_ & f) != 0; }
    static void set(server_connection& c, server_flag f) noexcept { c.flags_ = static_cast<std::uint16_t>(c.flags_ | f); }
    static void clear(server_connection& c, server_flag f) noexcept { c.flags_ = static_cast<std::uint16_t>(c.flags_ & ~f); }

    // ---- input
    bool may_read(const server_connection& c) const noexcept;
    void read(server_connection& c);
    void read_later(server_connection& c);
    void take_wire(server_connection& c, byte_span in);
    void take_plain(server_connection& c, byte_span in);
    void decrypt(server_connection& c, byte_span in);
    void take_eof(server_connection& c);
    void take_cipher_eof(server_connection& c);
    event talk_briefly(server_connection& c, byte_span& in);
    void talk(server_connection& c, byte_span in);
    void take_direct(server_connection& c, std::size_t n);
    bool deliver(server_connection& c, const event& e);
    void park(server_connection& c, const_byte_span in);
    void unpark(server_connection& c);

    // ---- output
    static std::size_t queued(const server_connection& c) noexcept { return c.io_ == nullptr ? 0 : c.io_->waiting(); }
    std::size_t        waiting(const server_connection& c) const noexcept {
        return queued(c) + (current_ == &c ? out_.size() : 0);
    }
    bool    fits(const server_connection& c, std::size_t size) const noexcept;
    buffer& output(server_connection& c);
    bool    is_whole(const server_connection& c, std::size_t size, compress how) const noexcept;
    send_result send(server_connection& c, opcode type, const_byte_span payload, compress how);
    send_result send_long(server_connection& c, opcode type, const_byte_span payload, compress how);
    send_result send_short(opcode type, const_byte_span payload);
    send_result send_large(server_connection& c, opcode type, const_byte_span payload);
    send_result refuse(errc why) noexcept;
    void        share(server_connection& c, const std::shared_ptr<void>& owner, const_byte_span bytes);
    void        share_now(server_connection& c, const std::shared_ptr<void>& owner, const_byte_span bytes);
    static void settle_pieces(server_io& io);
    void        flush(server_connection& c);
    void        flush_current(server_connection& c);
    void        flush_queue(server_connection& c);
    bool        encrypt(server_connection& c);
    bool        write_some(server_connection& c, const_byte_span bytes, std::size_t& n);
    bool        write_queue(server_connection& c);
    std::size_t write_once(server_connection& c, bool& blocks);
    void        consume(server_io& io, std::size_t n) noexcept;
    void        lose(server_connection& c) noexcept;
    void        note_queue(server_connection& c, bool blocks);
    void        count_waiting(server_io& io) noexcept;
    void        touch(server_connection& c);

    // ---- openings
    bool take_proxy_header(server_connection& c, byte_span& in);
    bool note_client(server_connection& c);
    bool admit_client(server_connection& c, const ip_address& ip, std::uint16_t port);
    void accept_from(std::size_t listener);
    void pause_accepting(std::error_code why);
    void resume_accepting();
    void admit(int fd, const ::sockaddr_storage* from, const_byte_span already_read);
    void refuse_transport(int fd, refusal why) noexcept;
    void begin_opening(server_connection& c);
    void shake_hands(server_connection& c, byte_span in);
    void request_refused(server_connection& c);
    void decide_now(server_connection& c, bool is_upgrade);
    errc accept(server_connection& c, std::optional<std::string_view> subprotocol, std::span<const http_field> fields);
    errc answer(server_connection& c, unsigned status, std::string_view body, std::span<const http_field> fields);
    void open(server_connection& c);
    void answered(server_connection& c);
    std::shared_ptr<server_pending> wait_for_answer(server_connection& c);
    void set_subprotocol(server_connection& c, std::string_view chosen);

    // ---- endings
    void doom(server_connection& c);
    void doom(server_connection& c, std::error_code why);
    void settle(server_connection& c);
    void linger(server_connection& c);
    void tell(server_connection& c, const server_close& how);
    void end(server_connection& c, std::error_code why);
    void look(server_connection& c);
    void look_open(server_connection& c);
    void expire_opening(server_connection& c);
    void begin_stop();
    void send_away(server_connection& c);
    std::uint32_t due(std::uint32_t since, duration after, duration otherwise = {}) const noexcept;
    void wake_by(server_connection& c, std::uint32_t when) noexcept { timers_.set(c, now_, when); }
    void count_error(std::error_code error) noexcept;
    void refused(refusal why) noexcept { counted_.refused[static_cast<std::size_t>(why)].add(1); }

    // ---- topics
    void subscribe(server_connection& c, std::string_view topic);
    void unsubscribe(server_connection& c, std::string_view topic);
    void unsubscribe_all(server_connection& c) noexcept;
    void remove_subscriber(const server_subscription& leaves) noexcept;
    bool is_behind(server_connection& c);
};

// ---- turns

inline std::error_code server_loop::open(std::vector<std::shared_ptr<tcp::listener>> listeners) {
    if (const auto error = poller_.open(core_.settings.waits_by_poll)) return error;
    const auto none_left = std::make_error_code(std::errc::too_many_files_open);
    const auto add       = [&](int fd, std::uint64_t token) {
        return fd >= 0 && poller_.add(fd, token, server_poller::watch::signal);
    };
    if (!add(box_->native_handle(), bell_token) || !add(core_.stop.native_handle(), stop_token)) return none_left;
    if (core_.settings.stop != nullptr && !add(core_.settings.stop->native_handle(), other_stop_token)) return none_left;
    const std::size_t least = 4'096;
    if (input_.grow(core_.settings.read_size < least ? least : core_.settings.read_size).empty()) return errc::out_of_memory;
    if (core_.settings.tls.make != nullptr && plain_.grow(64 * 1024).empty()) return errc::out_of_memory;
    // What lives as long as the loop lies below what comes and goes, which the heap can then give back.
    for (auto* const each : {&dirty_, &dirty_now_, &ready_, &ready_now_, &graves_}) each->reserve(4'096);
    memory_.reserve(4'096);
    listeners_ = std::move(listeners);
    resume_accepting();
    box_->open();
    return {};
}

inline void server_loop::run() noexcept {
    while (!is_stopping_ || count_ != 0) turn();
    box_->close();
}

// One wait, and everything that has come.
inline void server_loop::turn() {
    const std::size_t n = poller_.wait(patience());
    tick();
    ++turn_;
    if (n != 0) busy_ = now_;
    else if (has_come(now_, busy_ + trim_after)) trim(), busy_ = now_;
    for (std::size_t i = 0; i < n; ++i) handle(poller_[i]);

    ready_now_.swap(ready_);
    for (server_connection* const c : ready_now_) {
        clear(*c, ready);
        if (c->phase_ != server_connection::phase::dead && may_read(*c)) read(*c);
    }
    ready_now_.clear();

    timers_.expire(now_, [this](timed& one) { look(static_cast<server_connection&>(one)); });
    if (!accepts_ && !is_stopping_ && has_come(now_, accept_at_)) resume_accepting();
    finish_turn();
    if (is_stopping_ && has_come(now_, stop_by_))
        for_each([this](server_connection& c) { end(c, errc::close_timeout); });
    bury();
}

// A busy time is over: what it has left goes back.
inline void server_loop::trim() noexcept {
    if (memory_.bytes_kept() == 0) return;
    memory_.trim();
    if (memory_.bytes_kept() != 0) return;
    io_.trim();
    if (out_.empty()) out_ = buffer();
    scratch_ = buffer();
}

inline int server_loop::patience() const noexcept {
    if (!ready_.empty()) return 0;
    int        wait   = timers_.wait(now_);
    const auto at_most = [&](std::uint32_t when) {
        const int left = has_come(now_, when) ? 0 : static_cast<int>(when - now_);
        if (wait < 0 || left < wait) wait = left;
    };
    if (!accepts_ && !is_stopping_) at_most(accept_at_);
    if (is_stopping_) at_most(stop_by_);
    if (memory_.bytes_kept() != 0) at_most(busy_ + trim_after);
    return wait;
}

inline void server_loop::handle(const readiness& what) {
    if (what.token >> 32 != 0) {
        server_connection* const c = find(static_cast<std::uint32_t>(what.token), static_cast<std::uint32_t>(what.token >> 32));
        if (c != nullptr) attend(*c, what);
        return;
    }
    switch (what.token) {
    case bell_token:
        box_->take(tasks_);
        for (const auto& task : tasks_) task(*this);
        tasks_.clear();
        return;
    case stop_token:
    case other_stop_token: return begin_stop();
    default: return accept_from(static_cast<std::size_t>(what.token - listener_token));
    }
}

inline void server_loop::attend(server_connection& c, const readiness& what) {
    if (what.reads) set(c, readable);
    if (what.ended) set(c, ending);
    if (what.writes && has(c, stalled)) {
        clear(c, stalled);
        flush(c);
        settle(c);
    }
    if (c.phase_ != server_connection::phase::dead && has(c, readable) && may_read(c)) read(c);
}

// Writes what callbacks have sent to others than the connection that they were called for.
inline void server_loop::finish_turn() {
    while (!dirty_.empty()) {
        dirty_now_.swap(dirty_);
        for (server_connection* const c : dirty_now_) {
            clear(*c, dirty);
            if (c->phase_ == server_connection::phase::dead) continue;
            unpark(*c);
            flush(*c);
            settle(*c);
        }
        dirty_now_.clear();
    }
}

// ---- connections

inline server_connection* server_loop::find(std::uint32_t slot, std::uint32_t generation) noexcept {
    if (slot / chunk::size >= chunks_.size()) return nullptr;
    chunk& in = *chunks_[slot / chunk::size];
    if (in.generation[slot % chunk::size] != generation || generation % 2 == 0) return nullptr;
    void* const place = in.place[slot % chunk::size];
    auto* const c     = std::launder(static_cast<server_connection*>(place));
    return c->phase_ == server_connection::phase::dead ? nullptr : c;
}

inline server_connection* server_loop::make(int fd) noexcept {
    if (free_ == no_slot) {
        if (chunks_.size() * chunk::size >= no_slot - chunk::size) return nullptr;
        auto made = std::unique_ptr<chunk>(new (std::nothrow) chunk);
        if (made == nullptr) return nullptr;
        const auto first = static_cast<std::uint32_t>(chunks_.size() * chunk::size);
        for (std::uint32_t i = 0; i < chunk::size; ++i)
            made->next_free[i] = i + 1 == chunk::size ? no_slot : first + i + 1;
        free_ = first;
        chunks_.push_back(std::move(made));
    }
    const std::uint32_t slot = free_;
    chunk&              in   = *chunks_[slot / chunk::size];
    free_                    = in.next_free[slot % chunk::size];
    ++count_;
    counted_.transports.add(1);
    return new (in.place[slot % chunk::size])
        server_connection(*this, fd, slot, ++in.generation[slot % chunk::size], now_);
}

// Those that ended in this turn, to which callbacks may have held references until now.
inline void server_loop::bury() noexcept {
    for (server_connection* const c : graves_) {
        const std::uint32_t slot = c->slot_;
        chunk&              in   = *chunks_[slot / chunk::size];
        c->~server_connection();
        ++in.generation[slot % chunk::size];
        in.next_free[slot % chunk::size] = free_;
        free_                            = slot;
        --count_;
        counted_.transports.take(1);
    }
    graves_.clear();
}

template <class F>
void server_loop::for_each(F f) {
    for (std::size_t i = 0; i < chunks_.size(); ++i)
        for (std::uint32_t k = 0; k < chunk::size; ++k) {
            const auto slot = static_cast<std::uint32_t>(i * chunk::size) + k;
            if (server_connection* const c = find(slot, chunks_[i]->generation[k])) f(*c);
        }
}

inline server_io& server_loop::io_of(server_connection& c) {
    if (c.io_ != nullptr) return *c.io_;
    c.io_ = io_.make(memory_);
    return *c.io_;
}

// Gives back what of it is not needed any more, and perhaps all.
inline void server_loop::release_io(server_connection& c) noexcept {
    server_io* const io = c.io_;
    if (io == nullptr || io->waiting() != 0) return;
    for (buffer* const each : {&io->out, &io->cipher})
        if (each->capacity() != 0) memory_.give(std::exchange(*each, buffer()));
    const bool is_whole = io->assembly.release();
    if (!is_whole || io->opening || io->proxy || io->engine || !io->parked.empty()) return;
    c.io_ = nullptr;
    io_.destroy(io);
}

// What poll is to wait for; epoll tells everything once.
inline void server_loop::watch(server_connection& c) noexcept {
    if (poller_.is_told() && c.phase_ != server_connection::phase::dead) poller_.want(c.fd_, may_read(c), has(c, stalled));
}

} // namespace navette::detail
