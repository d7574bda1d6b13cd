// An echo server over libuv: navette's connections on an event loop that knows nothing of coroutines. What that takes is
// here: a task, a stream over uv_tcp_t and a signal over uv_timer_t (stream/async_stream.hpp says what they mean).
#include <navette/stream/async_opening_handshake.hpp>

#include <coroutine>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <sys/socket.h>
#include <utility>
#include <uv.h>

namespace {

// A coroutine that begins when it is awaited, and goes back to who awaits it.
template <class T>
struct promise_base {
    std::optional<T> value;
    void             return_value(T v) { value.emplace(std::move(v)); }
    T                take() { return *std::move(value); }
};
template <>
struct promise_base<void> {
    void return_void() {}
    void take() {}
};

template <class T>
class task {
public:
    struct promise_type : promise_base<T> {
        std::coroutine_handle<> awaiting = std::noop_coroutine();

        struct resume_awaiting {
            bool await_ready() noexcept { return false; }
            auto await_suspend(std::coroutine_handle<promise_type> h) noexcept { return h.promise().awaiting; }
            void await_resume() noexcept {}
        };
        task                get_return_object() { return task(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        resume_awaiting     final_suspend() noexcept { return {}; }
        void                unhandled_exception() { std::terminate(); }
    };

    task(task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    task& operator=(task&&) = delete;
    ~task() {
        if (handle_) handle_.destroy();
    }

    bool await_ready() noexcept { return false; }
    auto await_suspend(std::coroutine_handle<> awaiting) noexcept {
        handle_.promise().awaiting = awaiting;
        return handle_;
    }
    T await_resume() { return handle_.promise().take(); }

private:
    explicit task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
    std::coroutine_handle<promise_type> handle_;
};

// Runs a task whose end nobody waits for; its frame goes with its end.
struct detached {
    struct promise_type {
        detached           get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void               return_void() {}
        void               unhandled_exception() { std::terminate(); }
    };
};
detached run(task<void> work) { co_await work; }

std::error_code error_of(long status) { return {static_cast<int>(-status), std::system_category()}; }

// Who waits for a callback, and with what it was called.
struct waiting {
    std::coroutine_handle<> who{};
    long                    result = 0;

    bool await_ready() noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) noexcept { who = h; }
    long await_resume() noexcept { return result; }
    void end(long with) {
        result = with;
        if (who) std::exchange(who, {}).resume();
    }
};

// A timer for each wait; notify_all lets them all be due. libuv frees a handle in a callback of its own.
class timer_signal {
    struct timer {
        ::uv_timer_t handle;
        waiting      due;
        timer**      before;
        timer*       after;
    };
    ::uv_loop_t* loop_;
    timer*       first_ = nullptr;

    static void is_due(::uv_timer_t* handle) {
        auto* const self = static_cast<timer*>(handle->data);
        *self->before    = self->after;
        if (self->after != nullptr) self->after->before = self->before;
        ::uv_close(reinterpret_cast<::uv_handle_t*>(handle), [](::uv_handle_t* h) { delete static_cast<timer*>(h->data); });
        self->due.end(0);
    }

public:
    explicit timer_signal(::uv_loop_t* loop) : loop_(loop) {}
    timer_signal(const timer_signal&)            = delete;
    timer_signal& operator=(const timer_signal&) = delete;

    task<void> wait_until(navette::instant when) {
        auto* const made = new timer{{}, {}, &first_, first_};
        if (first_ != nullptr) first_->before = &made->after;
        first_ = made;
        ::uv_timer_init(loop_, &made->handle);
        made->handle.data = made;
        ::uv_update_time(loop_);
        const navette::duration left = when - navette::instant(static_cast<std::int64_t>(::uv_hrtime()));
        const auto ms = left.nanoseconds <= 0 ? 0 : static_cast<std::uint64_t>(navette::to_milliseconds(left));
        if (when != navette::instant::never()) ::uv_timer_start(&made->handle, &is_due, ms, 0);
        co_await made->due;
    }
    void notify_all() {
        for (timer* each = first_; each != nullptr; each = each->after) ::uv_timer_start(&each->handle, &is_due, 0, 0);
    }
};

// libuv frees a handle in a callback of its own; and it says nothing to a read when its handle is closed.
class uv_stream {
    struct socket {
        ::uv_tcp_t         handle{};
        ::uv_write_t       request{};
        waiting            read, written;
        navette::byte_span place{};
        bool               is_closed = false, is_left = false;
        void               leave() {
            if (is_closed && is_left) delete this;
        }
    };
    socket* socket_;

    static socket&   at(const void* handle) { return *static_cast<socket*>(static_cast<const ::uv_handle_t*>(handle)->data); }
    ::uv_stream_t*   stream() { return reinterpret_cast<::uv_stream_t*>(&socket_->handle); }
    static long      is_open(const socket& s) { return ::uv_is_closing(reinterpret_cast<const ::uv_handle_t*>(&s.handle)) == 0; }
    static uv_buf_t  buffer(navette::const_byte_span bytes) {
        return ::uv_buf_init(const_cast<char*>(navette::as_text(bytes).data()), static_cast<unsigned>(bytes.size()));
    }

public:
    template <class T>
    using task   = ::task<T>;
    using signal = timer_signal;

    explicit uv_stream(::uv_loop_t* loop) : socket_(new socket) {
        ::uv_tcp_init(loop, &socket_->handle);
        socket_->handle.data = socket_;
    }
    uv_stream(uv_stream&& other) noexcept : socket_(std::exchange(other.socket_, nullptr)) {}
    uv_stream& operator=(uv_stream&& other) noexcept {
        std::swap(socket_, other.socket_);
        return *this;
    }
    ~uv_stream() {
        if (socket_ == nullptr) return;
        close();
        socket_->is_left = true;
        socket_->leave();
    }

    int accept_from(::uv_stream_t* listener) {
        const int status = ::uv_accept(listener, stream());
        ::uv_tcp_nodelay(&socket_->handle, 1);
        return status;
    }

    task<navette::io_result<std::size_t>> read_some(navette::byte_span in) {
        if (!is_open(*socket_)) co_return error_of(UV_ECANCELED);
        socket_->place    = in;
        const auto places = [](::uv_handle_t* h, std::size_t, ::uv_buf_t* to) { *to = buffer(at(h).place); };
        const auto comes  = [](::uv_stream_t* h, ssize_t size, const ::uv_buf_t*) {
            if (size == 0) return;   // would block
            ::uv_read_stop(h);
            at(h).read.end(size);
        };
        if (const int status = ::uv_read_start(stream(), places, comes); status < 0) co_return error_of(status);
        const long size = co_await socket_->read;
        if (size == UV_EOF) co_return std::size_t{0};
        if (size < 0) co_return error_of(size);
        co_return static_cast<std::size_t>(size);
    }

    task<navette::io_result<std::size_t>> write_some(navette::const_byte_span out) {
        if (!is_open(*socket_)) co_return error_of(UV_ECANCELED);
        const ::uv_buf_t from = buffer(out);
        const int        sent = ::uv_try_write(stream(), &from, 1);
        if (sent >= 0) co_return static_cast<std::size_t>(sent);
        if (sent != UV_EAGAIN) co_return error_of(sent);
        const auto is_sent = [](::uv_write_t* request, int status) { at(request->handle).written.end(status); };
        if (const int status = ::uv_write(&socket_->request, stream(), &from, 1, is_sent); status < 0) co_return error_of(status);
        const long status = co_await socket_->written;
        if (status < 0) co_return error_of(status);
        co_return out.size();
    }

    task<void> shutdown_write() {   // nothing is being written then
        ::uv_os_fd_t fd{};
        if (::uv_fileno(reinterpret_cast<::uv_handle_t*>(&socket_->handle), &fd) == 0) ::shutdown(fd, SHUT_WR);
        co_return;
    }

    void close() {
        if (socket_ == nullptr || !is_open(*socket_)) return;
        ::uv_close(reinterpret_cast<::uv_handle_t*>(&socket_->handle), [](::uv_handle_t* h) {
            socket& s = at(h);
            s.read.end(UV_ECANCELED);
            s.is_closed = true;
            s.leave();
        });
    }

    navette::instant now() const { return navette::instant(static_cast<std::int64_t>(::uv_hrtime())); }
    timer_signal     make_signal() { return timer_signal(socket_->handle.loop); }
    void             start(task<void> work) { run(std::move(work)); }
};
static_assert(navette::async_stream<uv_stream>);

task<void> serve(uv_stream stream) {
    const navette::server_options options{.origins = navette::origin_policy::any()};
    auto                          ws = co_await navette::async_accept(std::move(stream), options);
    for (bool goes_on = ws.has_value(); goes_on;) {
        const auto message = co_await ws->read();
        goes_on            = message.has_value();
        if (message) co_await ws->send(*message);
    }
}

int fail(int status) { return std::fprintf(stderr, "%s\n", ::uv_strerror(status)), 1; }

} // namespace

int main(int argc, char* argv[]) {
    ::uv_loop_t* const loop = ::uv_default_loop();
    ::uv_tcp_t         listener;
    ::sockaddr_in      address{};
    ::uv_ip4_addr("127.0.0.1", argc > 1 ? std::atoi(argv[1]) : 9001, &address);
    ::uv_tcp_init(loop, &listener);
    const auto comes = [](::uv_stream_t* from, int status) {
        uv_stream stream(from->loop);
        if (status < 0 || stream.accept_from(from) < 0) return;
        run(serve(std::move(stream)));
    };
    if (const int status = ::uv_tcp_bind(&listener, reinterpret_cast<const ::sockaddr*>(&address), 0)) return fail(status);
    if (const int status = ::uv_listen(reinterpret_cast<::uv_stream_t*>(&listener), 128, comes)) return fail(status);
    return ::uv_run(loop, UV_RUN_DEFAULT);
}
