// wslay's rows: the frame API, and the event API with whole messages, its default, and without buffering, when it hands
// out the pieces that came. It has no handshake; its mask routine is reached through frames alone.
#include "corpus.hpp"
#include "peer.hpp"

#include <wslay/wslay.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace bench {

namespace {

// The unread rest of a wire; reading copies as much as is asked for.
struct source {
    std::string_view left;

    ssize_t read(std::uint8_t* to, std::size_t size) {
        const std::size_t n = std::min(size, left.size());
        if (n == 0) return -1;
        std::memcpy(to, left.data(), n);
        left.remove_prefix(n);
        return static_cast<ssize_t>(n);
    }
};

class frame_context {
    const std::string& wire_;
    source input_{};
    wslay_frame_context_ptr context_ = nullptr;

public:
    explicit frame_context(const std::string& bytes) : wire_(bytes) {
        const wslay_frame_callbacks callbacks{
            nullptr,
            [](std::uint8_t* to, std::size_t size, int, void* self) {
                return static_cast<frame_context*>(self)->input_.read(to, size);
            },
            nullptr};
        if (wslay_frame_context_init(&context_, &callbacks, this) != 0) throw std::bad_alloc();
    }
    frame_context(const frame_context&)            = delete;
    frame_context& operator=(const frame_context&) = delete;
    ~frame_context() { wslay_frame_context_free(context_); }

    template <class Sink>
    void operator()(Sink& sink) {
        input_.left            = wire_;
        std::uint64_t received = 0;
        wslay_frame_iocb frame;
        while (wslay_frame_recv(context_, &frame) >= 0) {
            sink(frame.data, frame.data_length);
            received += frame.data_length;
            if (received == frame.payload_length) {
                sink.end_message();
                received = 0;
            }
        }
    }
};

// Each payload in a masked frame of its own, since the routine cannot be called apart.
struct unmask {
    std::string frames;
    frame_context context{frames};

    explicit unmask(std::size_t size) {
        const std::string& all = texts_of(script::ascii, size);
        for (std::size_t i = 0; i < all.size(); i += size) append_masked_frame(all.substr(i, size));
    }

    void append_masked_frame(const std::string& payload) {
        frames += '\x82';
        if (payload.size() <= 125) {
            frames += static_cast<char>(0x80 | payload.size());
        } else {
            const int length_bytes = payload.size() <= 0xffff ? 2 : 8;
            frames += static_cast<char>(length_bytes == 2 ? 0xfe : 0xff);
            for (int i = length_bytes; i-- > 0;)
                frames += static_cast<char>(payload.size() >> 8 * i & 0xff);
        }
        for (const unsigned char c : text_key) frames += static_cast<char>(c);
        frames += payload;
    }

    template <class Sink>
    struct payload_only {
        Sink& sink;
        void operator()(const void* data, std::size_t size) { sink(data, size); }
        void end_message() {}
    };

    template <class Sink>
    void operator()(Sink& sink) {
        payload_only<Sink> payload{sink};
        context(payload);
    }
};

enum class buffering : bool { no, yes };
enum class reply : bool { no, yes };

template <class Sink, buffering Buffering, reply Reply>
class event_context {
    source input_{};
    Sink* sink_                      = nullptr;
    wslay_event_context_ptr context_ = nullptr;

    static ssize_t read(wslay_event_context_ptr context, std::uint8_t* to, std::size_t size, int,
                        void* self) {
        const ssize_t n = static_cast<event_context*>(self)->input_.read(to, size);
        if (n < 0) wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
        return n;
    }
    static ssize_t write(wslay_event_context_ptr, const std::uint8_t* data, std::size_t size, int,
                         void* self) {
        (*static_cast<event_context*>(self)->sink_)(data, size);
        return static_cast<ssize_t>(size);
    }
    static int make_key(wslay_event_context_ptr, std::uint8_t* key, std::size_t size, void*) {
        std::memset(key, 1, size);
        return 0;
    }
    static void on_chunk(wslay_event_context_ptr, const wslay_event_on_frame_recv_chunk_arg* chunk,
                         void* self) {
        (*static_cast<event_context*>(self)->sink_)(chunk->data, chunk->data_length);
    }
    static void on_message(wslay_event_context_ptr context,
                           const wslay_event_on_msg_recv_arg* message, void* self) {
        Sink& sink = *static_cast<event_context*>(self)->sink_;
        if constexpr (Reply == reply::yes) {
            const wslay_event_msg echoed{message->opcode, message->msg, message->msg_length};
            if (wslay_event_queue_msg(context, &echoed) == 0) wslay_event_send(context);
        } else {
            if constexpr (Buffering == buffering::yes) sink(message->msg, message->msg_length);
            sink.end_message();
        }
    }

public:
    explicit event_context(masked incoming) {
        const wslay_event_callbacks callbacks{
            read,    write,     make_key, nullptr, Buffering == buffering::yes ? nullptr : on_chunk,
            nullptr, on_message};
        const auto init = incoming == masked::yes ? wslay_event_context_server_init
                                                  : wslay_event_context_client_init;
        if (init(&context_, &callbacks, this) != 0) throw std::bad_alloc();
        wslay_event_config_set_no_buffering(context_, Buffering == buffering::no);
    }
    event_context(const event_context&)            = delete;
    event_context& operator=(const event_context&) = delete;
    ~event_context() { wslay_event_context_free(context_); }

    void run(std::string_view bytes, Sink& sink) {
        input_.left = bytes;
        sink_       = &sink;
        wslay_event_recv(context_);
    }
};

template <buffering Buffering, reply Reply>
struct events {
    const wire& from;
    event_context<timed_sink, Buffering, Reply> timed;
    event_context<checked_sink, Buffering, Reply> check;

    events(const wire& w, masked incoming) : from(w), timed(incoming), check(incoming) {}

    void operator()(timed_sink& sink) { timed.run(from.bytes, sink); }
    void operator()(checked_sink& sink) { check.run(from.bytes, sink); }
};

} // namespace

void add_wslay(suite& all) {
    for (const std::size_t size : payload_sizes)
        add(all, "mask", "wslay-frame", size, cost_of_texts(script::ascii, size),
            [size] { return unmask(size); });
    add_receive(all, "wslay-frame",
                [](const wire& w, std::size_t, masked) { return frame_context(w.bytes); });
    add_receive(all, "wslay-event", [](const wire& w, std::size_t, masked incoming) {
        return events<buffering::yes, reply::no>(w, incoming);
    });
    add_receive(all, "wslay-event-unbuffered", [](const wire& w, std::size_t, masked incoming) {
        return events<buffering::no, reply::no>(w, incoming);
    });
    add_echo(all, "wslay-event", [](const wire& w, std::size_t) {
        return events<buffering::yes, reply::yes>(w, masked::yes);
    });
}

} // namespace bench
