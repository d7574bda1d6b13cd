// An echo server on an event loop that knows no library: coroutines over epoll(7), with a task type
// of their own. All that navette asks of an executor (stream/async_stream.hpp) is here.
#include <navette/stream/async_opening_handshake.hpp>
#include <navette/tcp.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <coroutine>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <map>
#include <memory>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

using handle = std::coroutine_handle<>;
using navette::instant, navette::io_result, navette::byte_span, navette::const_byte_span;

template <class T>
struct returns {
    std::optional<T> value;
    void             return_value(T v) { value.emplace(std::move(v)); }
    T                take() { return *std::move(value); }
};
template <>
struct returns<void> {
    void return_void() {}
    void take() {}
};

// Begins when it is awaited; who awaits it is resumed at its end. Destroyed with its frame.
template <class T>
struct [[nodiscard]] task {
    struct promise_type : returns<T> {
        handle              waits = std::noop_coroutine();
        task                get_return_object() { return task(*this); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        auto                final_suspend() noexcept {
            struct back : std::suspend_always {
                handle await_suspend(std::coroutine_handle<promise_type> h) noexcept {
                    return h.promise().waits;
                }
            };
            return back{};
        }
        void unhandled_exception() { std::terminate(); }
    };
    std::coroutine_handle<promise_type> frame;

    explicit task(promise_type& p) : frame(frame.from_promise(p)) {}
    task(task&& other) noexcept : frame(std::exchange(other.frame, {})) {}
    ~task() { if (frame) frame.destroy(); }

    bool   await_ready() { return false; }
    handle await_suspend(handle h) { frame.promise().waits = h; return frame; }
    T      await_resume() { return frame.promise().take(); }
};

struct detached {   // runs to its end by itself
    struct promise_type {
        detached           get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void               return_void() {}
        void               unhandled_exception() { std::terminate(); }
    };
};

instant now() { return std::chrono::steady_clock::now(); }

struct signal_wait;
struct epoll_socket;
const int                            poller = ::epoll_create1(EPOLL_CLOEXEC);
std::deque<handle>                   ready;
std::multimap<instant, signal_wait*> sleepers;
std::map<int, epoll_socket*>         sockets;

// Who waits for a signal stands in both lists, and leaves both.
struct epoll_signal {
    std::vector<signal_wait*> waiting;
    task<void>                wait_until(instant when);
    void                      notify_all();
    epoll_signal() = default;
    epoll_signal(const epoll_signal&) = delete;
};
struct signal_wait {
    epoll_signal&                                  on;
    instant                                        when;
    handle                                         waits{};
    std::multimap<instant, signal_wait*>::iterator place{};

    signal_wait(epoll_signal& s, instant w) : on(s), when(w) {}
    bool await_ready() { return when <= now(); }
    void await_suspend(handle h) {
        waits = h;
        place = sleepers.emplace(when, this);
        on.waiting.push_back(this);
    }
    void await_resume() {}
    void wake() {
        std::erase(on.waiting, this);
        sleepers.erase(place);
        ready.push_back(waits);
    }
};
task<void> epoll_signal::wait_until(instant when) { co_await signal_wait(*this, when); }
void       epoll_signal::notify_all() { while (!waiting.empty()) waiting.back()->wake(); }

// A socket, and who waits for it. epoll tells when either direction becomes possible.
struct epoll_socket {
    int    fd;
    handle reader{}, writer{};

    struct wait : std::suspend_always {
        handle& place;
        explicit wait(handle& p) : place(p) {}
        void await_suspend(handle h) { place = h; }
    };
    struct turn : std::suspend_always {
        void await_suspend(handle h) { ready.push_back(h); }
    };
    explicit epoll_socket(int opened) : fd(opened) {
        ::epoll_event both{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.fd = fd}};
        ::epoll_ctl(poller, EPOLL_CTL_ADD, fd, &both);
        sockets[fd] = this;
    }
    epoll_socket(const epoll_socket&) = delete;
    ~epoll_socket() { close(); }

    static void wake(handle& who) { if (who) ready.push_back(std::exchange(who, {})); }
    void close() {
        if (fd >= 0) {
            sockets.erase(fd);
            ::close(std::exchange(fd, -1));
        }
        wake(reader);
        wake(writer);
    }
    template <class Call>
    static task<io_result<std::size_t>> run(std::shared_ptr<epoll_socket> s,
                                            handle epoll_socket::*who, Call call) {
        for (;;) {
            co_await turn{};   // each socket in its turn, and no coroutine deep within another
            const ssize_t n = call(s->fd);   // of a closed socket: EBADF
            if (n >= 0) co_return static_cast<std::size_t>(n);
            if (errno == EAGAIN) co_await wait((*s).*who);
            else if (errno != EINTR) co_return std::error_code(errno, std::system_category());
        }
    }
    static task<void> shut(std::shared_ptr<epoll_socket> s) {
        ::shutdown(s->fd, SHUT_WR);
        co_return;
    }
};

detached run_to_its_end(task<void> work) { co_await work; }

struct epoll_stream {
    template <class T>
    using task   = ::task<T>;
    using signal = epoll_signal;
    std::shared_ptr<epoll_socket> socket;

    task<io_result<std::size_t>> read_some(byte_span in) {
        const auto call = [in](int fd) { return ::recv(fd, in.data(), in.size(), 0); };
        return epoll_socket::run(socket, &epoll_socket::reader, call);
    }
    task<io_result<std::size_t>> write_some(const_byte_span out) {
        const auto call = [out](int fd) {
            return ::send(fd, out.data(), out.size(), MSG_NOSIGNAL);
        };
        return epoll_socket::run(socket, &epoll_socket::writer, call);
    }
    task<void> shutdown_write() { return epoll_socket::shut(socket); }
    void       close() { if (socket) socket->close(); }
    instant    now() { return ::now(); }
    signal     make_signal() { return signal(); }
    void       start(task<void> work) { run_to_its_end(std::move(work)); }
};
static_assert(navette::async_stream<epoll_stream>);

task<void> serve(epoll_stream stream) {
    const navette::server_options options{.origins = navette::origin_policy::any()};
    auto ws = co_await navette::async_accept(std::move(stream), options);
    while (ws) {
        const auto message = co_await ws->read();
        if (!message) co_return;
        const std::error_code error = co_await ws->send(*message);
        if (error) co_return;
    }
}

detached accept_all(std::shared_ptr<epoll_socket> listener) {
    for (;;) {
        const int fd = ::accept4(listener->fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) run_to_its_end(serve(epoll_stream{std::make_shared<epoll_socket>(fd)}));
        else if (errno == EAGAIN) co_await epoll_socket::wait(listener->reader);
    }
}

int main(int argc, char** argv) {
    auto listener = navette::tcp::listen("127.0.0.1", argc > 1 ? std::atoi(argv[1]) : 9001);
    if (!listener) return std::cerr << listener.error().message() << '\n', 1;
    accept_all(std::make_shared<epoll_socket>(listener->native_handle()));
    for (;;) {
        while (!ready.empty()) {
            const handle next = ready.front();
            ready.pop_front();
            next.resume();
        }
        int wait = -1;
        if (!sleepers.empty() && sleepers.begin()->first != instant::never()) {
            const auto left = navette::to_milliseconds(sleepers.begin()->first - now());
            wait            = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
        }
        ::epoll_event events[64];
        const int     n = ::epoll_wait(poller, events, 64, wait);
        for (int i = 0; i < n; ++i) {
            const auto found = sockets.find(events[i].data.fd);
            if (found == sockets.end()) continue;
            if ((events[i].events & ~EPOLLOUT) != 0u) epoll_socket::wake(found->second->reader);
            if ((events[i].events & ~EPOLLIN) != 0u) epoll_socket::wake(found->second->writer);
        }
        while (!sleepers.empty() && sleepers.begin()->first <= now())
            sleepers.begin()->second->wake();
    }
}
