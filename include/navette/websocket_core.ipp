// What a websocket and its thread share: the state behind the lock, the queue of messages, and the events on their way
// to the callbacks. Its functions that any thread calls are in websocket.ipp, those of its own thread in
// websocket_thread.ipp.
#pragma once

#include <navette/stream/client_route.hpp>
#include <navette/tcp_client.ipp>
#include <navette/websocket.hpp>
#include <navette/websocket_link.ipp>

#include <condition_variable>
#include <deque>
#include <mutex>

namespace navette {

class websocket::core {
    // Something that a callback is to be told. In a queue it owns what it tells.
    struct occurrence {
        enum class kind { open, message, closing, error, close };

        kind        what = kind::closing;
        opcode      type = opcode::binary;
        byte_span   data{};
        buffer      owned{};
        std::string text{};         // open: the subprotocol; error: the sentence; close: the reason
        std::string extensions{};
        std::error_code         error{};    // close: how it ends, if it is the last
        unsigned                status = 0;
        close_code              code{};
        bool                    was_clean = false;
        std::optional<duration> reconnects_in{};

        // Bytes of memory, roughly.
        std::size_t size() const noexcept { return sizeof *this + owned.size(); }
    };

    struct outgoing {
        opcode        type;
        buffer        payload{};
        std::uint64_t size    = 0;
        std::uint64_t end     = 0;   // where its frame ends in what the link has taken; 0: not framed yet
        std::uint64_t counted = 0;   // bytes of it that bufferedAmount has no more
    };

    // How a connection, or an attempt at one, has ended.
    struct ending {
        std::error_code         error{};   // none: cleanly
        std::string             text{};
        unsigned                status = 0;
        close_code              code   = close_code::abnormal_closure;
        std::string             reason{};
        std::optional<duration> retry_after{};
    };

    // One connection. Only the own thread touches it.
    struct conversation;

    struct callbacks {
        std::function<void()>                   open{};
        std::function<void(const message&)>     message{};
        std::function<void(const error_event&)> error{};
        std::function<void(const close_event&)> close{};
    };

    // Never changes after the constructor; told_ not after connect().
    const websocket_options       options_;
    std::string                   url_{};
    uri                           target_{};
    std::error_code               refused_{};   // why it never connects
    std::vector<std::string_view> subprotocols_{};
    std::vector<http_field>       fields_{};
    callbacks                     told_{};

    // Behind the lock.
    mutable std::mutex       guard_{};
    std::condition_variable  changed_{};
    ready_state              state_    = ready_state::connecting;
    std::string              protocol_{}, extensions_{};
    std::deque<outgoing>     queue_{};
    std::uint64_t            buffered_ = 0;              // bytes of payloads
    std::uint64_t            waiting_  = 0;              // the same with headers, as max_output bounds them
    bool                     has_begun_       = false;   // connect() was called
    bool                     is_being_closed_ = false;   // close() was
    close_code               code_{};
    std::string              reason_{};
    bool                     is_abandoned_ = false;      // the destructor was
    bool                     is_linked_    = false;      // a connection stands, as its thread sees it
    bool                     is_over_      = false;      // the last callback has returned
    std::error_code          outcome_{};
    tcp::stop_signal*        dialling_ = nullptr;        // ends the attempt that is being made
    std::deque<occurrence>   events_{};                  // polled
    std::uint64_t            events_size_ = 0;
    bool                     is_polling_  = false;
    std::thread::id          own_{}, poller_{};
    detail::doorbell         bell_{};                    // for the own thread
    detail::doorbell         call_{};                    // for who polls

    // The own thread's.
    std::deque<outgoing>          sending_{};
    std::size_t                   framed_ = 0;           // of sending_
    std::unique_ptr<conversation> talk_{};
    instant                       opened_ = instant::never();   // when the last attempt succeeded

    static constexpr std::uint64_t max_header = 14;   // of a frame

    // What a destructor spends on what is still to be said.
    static constexpr duration last_words = milliseconds(100);

    using lock = std::unique_lock<std::mutex>;
    using kind = occurrence::kind;

public:
    core(std::string_view url, websocket_options options);

    std::error_code connect(websocket& self, const std::shared_ptr<core>& shared);
    std::error_code send(opcode type, const_byte_span payload);
    std::error_code close(close_code code, std::string_view reason);
    std::error_code wait(duration within);
    std::size_t     poll();
    void            abandon(std::thread& own);

    ready_state   state() const { return lock(guard_), state_; }
    std::uint64_t buffered() const { return lock(guard_), buffered_; }
    std::string   protocol() const { return lock(guard_), protocol_; }
    std::string   extensions() const { return lock(guard_), extensions_; }

    const std::string& url() const noexcept { return url_; }
    int                native_handle() const noexcept { return options_.polled ? call_.native_handle() : -1; }

private:
    std::error_code check() const;

    // Tells a callback, or whoever polls. False: nobody must be told any more, and talk_ may be gone.
    bool fire(occurrence o);
    bool dispatch(occurrence& o);
    void call(occurrence& o);
    void end(std::error_code outcome);

    connect_options asked() const;
    bool            may_go_on();
    bool            is_given_up();

    void   run() noexcept;
    void   live();
    bool   pause(duration);
    ending attempt();
    ending converse(const uri& to, const client_options& asked);
    io_result<tcp::stream> dial(const authority& to);
    void   shake_hands(ending&, const client_route&);
    void   serve(ending&);
    void   feed();
    bool   has_more();
    void   frame_messages();
    void   count_sent();
    void   drop_unsent(bool reconnects);
    bool   wait_for_io(bool reads, instant until);
    detail::websocket_link::reading read();
    bool   take(byte_span in);
    bool   take(const event& e);
    bool   take_upgrade(byte_span& in);
    void   say_goodbye() noexcept;
    static void note_refusal(ending&, const response_view&);
    ending explain(ending, const uri& to) const;
    bool   may_retry(const ending&) const;
};

} // namespace navette
