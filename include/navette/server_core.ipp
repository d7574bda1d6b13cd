// What the loops of a server share, and what a connection has beside itself for as long as it must.
// The loop itself is server_loop.ipp.
#pragma once

#include <navette/codec/ip_network.hpp>
#include <navette/handshake/proxy_protocol.hpp>
#include <navette/handshake/server_handshake.hpp>
#include <navette/protocol/session.hpp>
#include <navette/server.hpp>
#include <navette/server_memory.ipp>
#include <navette/server_poller.ipp>
#include <navette/server_timers.ipp>
#include <navette/websocket_link.ipp>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace navette::detail {

// Work for a loop, from any thread.
class server_mailbox {
public:
    using task = std::function<void(server_loop&)>;

private:
    std::mutex        guard_{};
    std::vector<task> tasks_{};
    doorbell          bell_{};
    bool              is_open_ = false;

public:
    int native_handle() const noexcept { return bell_.native_handle(); }

    void open() {
        const std::lock_guard held(guard_);
        is_open_ = true;
    }

    // Nothing is taken any more; what was is dropped.
    void close() {
        std::vector<task> dropped;
        const std::lock_guard held(guard_);
        is_open_ = false;
        dropped.swap(tasks_);
    }

    // False: nobody is there, and `work` is as it was.
    bool post(task&& work) {
        const std::lock_guard held(guard_);
        if (!is_open_) return false;
        tasks_.push_back(std::move(work));
        bell_.ring();
        return true;
    }

    void take(std::vector<task>& taken) {
        const std::lock_guard held(guard_);
        taken.swap(tasks_);
        bell_.hush();
    }
};

// A message for all subscribers, of any loop.
class published_message {
    std::mutex       guard_{};
    prepared_message message_;

public:
    published_message(opcode type, const_byte_span payload, compress how) noexcept : message_(type, payload, how) {}

    result<const_byte_span> wire(server_protocol& ws) {
        if (ws.extension() == nullptr) return message_.wire(ws);   // then nothing in it changes
        const std::lock_guard held(guard_);
        return message_.wire(ws);
    }
};

// Bytes that wait: some of the connection's own, or some that it shares with others or that lie apart.
struct server_piece {
    std::shared_ptr<void> owner{};
    const_byte_span                    shared{};
    std::size_t                        own = 0;
};

// What an answer that is given later shares with the connection that waits for it.
struct server_pending {
    std::mutex                      guard{};
    std::shared_ptr<server_mailbox> box{};
    std::uint32_t                   slot = 0, generation = 0;
    bool                            is_decided = false, is_gone = false;
    std::function<void()>           gone{};

    server_pending() = default;
    server_pending(const server_pending&)            = delete;
    server_pending& operator=(const server_pending&) = delete;
    ~server_pending();

    void go();
};

// A request that is being read or answered.
struct server_opening {
    buffer                        head{};
    server_handshake              handshake;
    std::weak_ptr<server_pending> later{};
    agreement                     agreed{};
    bool                          has_agreed = false;

    explicit server_opening(const server_options& options, const limits& bounds) : handshake(options, head, bounds) {}
};

// What a connection has while something waits, is incomplete, or an engine stands between it and the wire.
struct server_io {
    buffer                    out{};        // its own bytes that wait; with an engine, plain ones
    std::vector<server_piece> pieces{};     // in which order they go with shared ones; empty: there are none of these
    std::size_t               first     = 0;   // of pieces, the others have gone
    std::size_t               accounted = 0;   // bytes of `out` in pieces
    std::size_t               shared    = 0;   // bytes of shared pieces
    std::size_t               counted   = 0;   // bytes of all, as the loop has counted them
    std::uint32_t             stalled_since = 0;
    message_assembly<server_memory> assembly;
    buffer                    parked{};     // input that nobody has dealt with
    transport_engine          engine{};
    buffer                    cipher{};     // what goes over the wire
    bool                      is_laid = true, is_shut = false;   // the engine's handshake; its end
    std::unique_ptr<proxy_protocol_reader> proxy{};
    std::unique_ptr<server_opening>        opening{};

    explicit server_io(server_memory& memory) noexcept : assembly(memory) {}

    std::size_t waiting() const noexcept { return out.size() + shared + cipher.size(); }
};

struct server_topic;

// A subscription, from its connection's side.
struct server_subscription {
    server_topic* topic;
    std::size_t   place;   // among the topic's subscribers
};

// What few connections have, but those that have it keep it.
struct server_extra {
    std::vector<server_subscription> topics{};
    std::string                      subprotocol{};
    tcp::endpoint                    client{};
    bool                             has_client = false;
    std::uint64_t                    missed     = 0;   // published messages
};

// How many connections an address has.
struct address_count {
    std::size_t        connections = 0;
    const std::string* key         = nullptr;
};

// A number that one thread changes and others read.
class tally {
    std::atomic<std::uint64_t> n_{0};

public:
    NAVETTE_ALWAYS_INLINE void add(std::uint64_t n) noexcept {
        n_.store(n_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    void take(std::uint64_t n) noexcept { n_.store(n_.load(std::memory_order_relaxed) - n, std::memory_order_relaxed); }
    std::uint64_t value() const noexcept { return n_.load(std::memory_order_relaxed); }
};

using loop_counters = basic_server_counters<tally>;

struct server_callbacks {
    std::function<void(server_request&)>                         request{};
    std::function<void(server_connection&)>                      open{};
    std::function<void(server_connection&, const message&)>      message{};
    std::function<void(server_connection&, const_byte_span)>     pong{};
    std::function<void(server_connection&)>                      drain{};
    std::function<void(server_connection&, const server_close&)> close{};
    std::function<void(const server_connection&, errc, std::string_view)> refused{};
    std::function<void(std::error_code, std::string_view)>       error{};
    std::function<void(const server_connection&, wire_direction, const_byte_span)> wire{};
};

// A socket that is listened on: one for each loop, or one for all.
struct server_listener {
    std::vector<std::shared_ptr<tcp::listener>> sockets{};
};

class server_core {
public:
    enum class stage { idle, running, over };

    // Never changes once it runs.
    server_settings               settings;
    std::vector<std::string_view> subprotocols{};
    std::vector<http_field>       fields{};
    server_options                options;
    server_callbacks              told{};
    std::uint16_t                 port = 0;
    std::error_code               refused{};   // of a listen in the constructor, or for the settings
    std::vector<ip_network>       proxies{};
    bool                          trusts_unix = false;

    tcp::stop_signal         stop{};
    std::atomic<std::size_t> transports{0}, buffered{0};
    std::atomic<unsigned>    next_loop{0};     // for sockets that are adopted

    std::mutex                                     address_guard{};
    std::unordered_map<std::string, address_count> addresses{};

    std::mutex                                guard{};
    std::condition_variable                   changed{};
    stage                                     at = stage::idle;
    std::vector<server_listener>              listeners{};
    std::vector<std::unique_ptr<server_loop>> loops{};   // made by begin, and kept
    std::vector<std::thread>                  threads{};
    std::size_t                               running = 0;   // loops
    duration                                  last_words{-1};   // of a destructor; negative: as the settings have it

    explicit server_core(server_settings given);
    ~server_core();

    std::error_code listen(std::string_view where);
    std::error_code listen(std::string_view host, int port);
    std::error_code add(io_result<tcp::listener> one);

    // Makes the loops; from then on they may run.
    std::error_code begin(server_callbacks callbacks);
    std::error_code open_loops();
    // Runs the loops from `first` on, each in a thread of its own.
    std::error_code start_threads(std::size_t first);
    void            serve(server_loop& loop) noexcept;
    void            join();

    void complain(std::error_code error, std::string_view what) const {
        if (told.error) told.error(error, what);
    }

    // Whether that peer is believed when it says for whom it speaks.
    bool trusts(const ip_address& from, bool is_unix) const noexcept;

    // Counts a connection of that address; false: it has as many as it may. Null in `counted` if there is no limit.
    bool count_address(const ip_address& from, address_count*& counted);
    void forget_address(address_count& counted);
};

} // namespace navette::detail
