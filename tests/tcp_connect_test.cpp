#include <navette/tcp.hpp>

#include "support/bytes.hpp"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <mutex>
#include <netdb.h>
#include <pthread.h>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

using namespace navette;

namespace {

// A resolver with an answer that is known beforehand.
struct known {
    tcp::address_list    addresses{};
    std::error_code      error{};
    std::string          asked{};
    std::thread::id      asked_on{};
    std::array<bool, 65> blocked{};   // which signals

    static std::error_code answer(void* self, std::string_view host, tcp::address_list& found) noexcept {
        auto& me    = *static_cast<known*>(self);
        me.asked    = std::string(host.data());
        me.asked_on = std::this_thread::get_id();
        ::sigset_t mask;
        ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
        for (const int number : {SIGINT, SIGTERM, SIGUSR1, SIGSEGV})
            me.blocked[static_cast<std::size_t>(number)] = ::sigismember(&mask, number) == 1;
        found = me.addresses;
        return me.error;
    }
};

tcp::address at(std::string_view text) { return {parse_ip(text)}; }

tcp::resolver answering(std::initializer_list<std::string_view> addresses, std::error_code error = {}) {
    auto self = std::make_shared<known>();
    for (const auto text : addresses) self->addresses.add(at(text));
    self->error = error;
    return {&known::answer, self};
}

// A resolver that answers only when it is let.
class silent {
    std::mutex              mutex_;
    std::condition_variable changed_;
    int                     asked_  = 0;
    bool                    opened_ = false;

public:
    static std::error_code answer(void* self, std::string_view, tcp::address_list& found) noexcept {
        auto&            me = *static_cast<silent*>(self);
        std::unique_lock lock(me.mutex_);
        ++me.asked_;
        me.changed_.notify_all();
        me.changed_.wait(lock, [&me] { return me.opened_; });
        found.add(at("127.0.0.1"));
        return {};
    }
    void wait_until_asked() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return asked_ > 0; });
    }
    int asked() {
        const std::scoped_lock lock(mutex_);
        return asked_;
    }
    void open() {
        const std::scoped_lock lock(mutex_);
        opened_ = true;
        changed_.notify_all();
    }
};

// Lets what still waits go, and waits until it has.
void release(std::shared_ptr<silent>&& gate) {
    const std::weak_ptr<silent> watch = gate;
    gate->open();
    gate.reset();
    for (int i = 0; i < 10'000 && !watch.expired(); ++i) ::usleep(1'000);
    CHECK(watch.expired());
}

// An address that swallows what is sent to it: a listener whose queue is full and from which nobody accepts.
class black_hole {
    tcp::listener            listener_;
    std::vector<tcp::stream> queued_;

public:
    black_hole(std::string_view host, std::uint16_t port) {
        auto listener = tcp::listen(host, port, 0);
        REQUIRE(listener);
        listener_ = *std::move(listener);
        while (auto one = tcp::connect(host, listener_.port(), milliseconds(100))) {
            queued_.push_back(*std::move(one));
            REQUIRE(queued_.size() < 100);
        }
    }
    std::uint16_t port() const { return listener_.port(); }

    // From now on it answers: what was swallowed is sent again, for the first time after a second.
    void make_room() {
        for (std::size_t i = 0; i < queued_.size(); ++i) static_cast<void>(listener_.accept(seconds(5)));
    }

    // Whether somebody who had to wait for room comes.
    bool has_late_comer() {
        make_room();
        return bool(listener_.accept(milliseconds(1'500)));
    }
};

tcp::listener listen_at(std::string_view host, std::uint16_t port = 0) {
    auto made = tcp::listen(host, port);
    REQUIRE(made);
    return *std::move(made);
}

bool somebody_waits(tcp::listener& listener) { return bool(listener.accept(milliseconds(1))); }

std::string peer(const io_result<tcp::stream>& stream) {
    return stream ? std::string(stream->remote()->host()) : stream.error().message();
}

std::ptrdiff_t open_descriptors() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
}

std::vector<std::string> order_of(std::initializer_list<const char*> texts) {
    tcp::address_list list;
    for (const char* text : texts) list.add(at(text));
    std::vector<std::string> order;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const auto found = std::find_if(texts.begin(), texts.end(), [&](const char* text) { return at(text) == list[i]; });
        order.push_back(found == texts.end() ? "?" : *found);
    }
    return order;
}

using texts = std::vector<std::string>;

} // namespace

// ---- addresses

TEST_CASE("IPv6 and IPv4 addresses take turns, beginning with the kind of the first", "[tcp][8305:4]") {
    CHECK(order_of({"::1", "::2", "::3", "1.0.0.1", "1.0.0.2"}) == texts{"::1", "1.0.0.1", "::2", "1.0.0.2", "::3"});
    CHECK(order_of({"1.0.0.1", "::1", "::2", "::3"}) == texts{"1.0.0.1", "::1", "::2", "::3"});
    CHECK(order_of({"1.0.0.2", "1.0.0.1", "1.0.0.3", "::1"}) == texts{"1.0.0.2", "::1", "1.0.0.1", "1.0.0.3"});
    CHECK(order_of({"::3", "::1"}) == texts{"::3", "::1"});
    CHECK(order_of({}).empty());
}

TEST_CASE("an address is tried once, and what is none never", "[tcp]") {
    CHECK(order_of({"1.0.0.1", "::1", "1.0.0.1", "no address", "::1"}) == texts{"1.0.0.1", "::1"});
    tcp::address_list list;
    list.add({parse_ip("fe80::1"), 1});
    list.add({parse_ip("fe80::1"), 2});
    CHECK(list.size() == 2);
    CHECK(list[1].scope == 2);
}

TEST_CASE("of each kind 32 addresses are kept", "[tcp]") {
    tcp::address_list list;
    for (int i = 0; i < 33; ++i) {
        list.add(at("1.0.0." + std::to_string(i)));
        CHECK(list.size() == std::size_t(std::min(i + 1, 32)));
    }
    list.add(at("::1"));
    CHECK(list.size() == 33);
    CHECK(list[1] == at("::1"));
    CHECK(list[32] == at("1.0.0.31"));
}

// ---- resolving

TEST_CASE("a name is resolved by what was handed in, on a thread that takes no signals", "[tcp]") {
    auto        live = listen_at("127.0.0.2");
    const auto  how  = answering({"127.0.0.2"});
    const auto& self = *static_cast<known*>(how.self.get());
    CHECK(peer(tcp::connect("some.name", live.port(), {.resolver = how})) == "127.0.0.2");
    CHECK(self.asked == "some.name");
    CHECK(self.asked_on != std::this_thread::get_id());
    CHECK(self.blocked[SIGINT]);
    CHECK(self.blocked[SIGTERM]);
    CHECK(self.blocked[SIGUSR1]);
    CHECK_FALSE(self.blocked[SIGSEGV]);
    ::sigset_t mine;
    REQUIRE(::pthread_sigmask(SIG_SETMASK, nullptr, &mine) == 0);
    CHECK(::sigismember(&mine, SIGINT) == 0);
}

TEST_CASE("an address in numbers needs no resolver", "[tcp]") {
    auto       live = listen_at("127.0.0.1");
    const auto how  = answering({}, std::make_error_code(std::errc::io_error));
    CHECK(peer(tcp::connect("127.0.0.1", live.port(), {.resolver = how})) == "127.0.0.1");
    CHECK(tcp::connect("::1", 1, {.resolver = how}).error() != std::errc::io_error);
    CHECK(static_cast<known*>(how.self.get())->asked.empty());
    CHECK(tcp::connect("127.0.0.1.", live.port(), {.resolver = how}).error() == std::errc::io_error);
}

TEST_CASE("a resolver's error is reported, and no address at all is one", "[tcp]") {
    const auto failing = answering({"127.0.0.1"}, std::make_error_code(std::errc::io_error));
    CHECK(tcp::connect("name", 80, {.resolver = failing}).error() == std::errc::io_error);
    const auto error = tcp::connect("name", 80, {.resolver = answering({})}).error();
    CHECK(error == std::error_code(EAI_NONAME, tcp::resolver_category()));
}

TEST_CASE("a resolver that never answers does not hold up the deadline, and may outlive everything", "[tcp][C162]") {
    auto gate = std::make_shared<silent>();
    {
        const tcp::connect_options options{.within = milliseconds(50), .resolver = {&silent::answer, gate}};
        const instant              start = tcp::now();
        const auto                 made  = tcp::connect(std::string("silent.name"), 80, options);
        CHECK(made.error() == errc::connect_timeout);
        CHECK(tcp::now() >= start + milliseconds(50));
        CHECK(tcp::now() < start + seconds(30));
    }
    gate->wait_until_asked();
    release(std::move(gate));
}

TEST_CASE("what a resolver takes is taken from the deadline", "[tcp][C162]") {
    black_hole    hole("127.0.0.1", 0);
    auto          gate  = std::make_shared<silent>();
    const instant start = tcp::now();
    std::thread   opener([&gate] {
        gate->wait_until_asked();
        ::usleep(300'000);
        gate->open();
    });
    const auto made = tcp::connect("slow.name", hole.port(), {.within   = milliseconds(600),
                                                              .resolver = {&silent::answer, gate}});
    const auto took = tcp::now() - start;
    opener.join();
    CHECK(made.error() == errc::connect_timeout);
    CHECK(took >= milliseconds(600));
    CHECK(took < seconds(30));
    release(std::move(gate));
}

TEST_CASE("resolvers that hang are bounded in number", "[tcp]") {
    auto       live    = listen_at("127.0.0.1");
    auto       gate    = std::make_shared<silent>();
    const auto hurried = [&gate] {
        return tcp::connect("silent.name", 80, {.within = milliseconds(1), .resolver = {&silent::answer, gate}}).error();
    };
    for (int i = 0; i < tcp::max_abandoned_resolvers; ++i) CHECK(hurried() == errc::connect_timeout);
    for (int i = 0; i < 10'000 && gate->asked() < tcp::max_abandoned_resolvers; ++i) ::usleep(1'000);

    const auto how = answering({"127.0.0.1"});
    CHECK(tcp::connect("name", live.port(), {.resolver = how}).error() == std::errc::resource_unavailable_try_again);
    CHECK(hurried() == std::errc::resource_unavailable_try_again);
    CHECK(gate->asked() == tcp::max_abandoned_resolvers);
    CHECK(tcp::connect("127.0.0.1", live.port()));

    release(std::move(gate));
    io_result<tcp::stream> made = errc::misuse;
    for (int i = 0; i < 10'000 && !made; ++i) {
        made = tcp::connect("name", live.port(), {.resolver = how});
        if (!made) ::usleep(1'000);
    }
    CHECK(made);
}

TEST_CASE("resolvers that answer are not counted as hanging", "[tcp]") {
    auto       live   = listen_at("127.0.0.1");
    const auto how    = answering({"127.0.0.1"});
    int        failed = 0;
    for (int i = 0; i < 3 * tcp::max_abandoned_resolvers; ++i)
        if (!tcp::connect("name", live.port(), {.resolver = how})) ++failed;
    CHECK(failed == 0);
}

TEST_CASE("a thread that cannot be had is an error", "[tcp]") {
    ::pthread_attr_t before, enormous;
    REQUIRE(::pthread_getattr_default_np(&before) == 0);
    REQUIRE(::pthread_attr_init(&enormous) == 0);
    REQUIRE(::pthread_attr_setstacksize(&enormous, std::size_t{1} << 50) == 0);
    REQUIRE(::pthread_setattr_default_np(&enormous) == 0);
    const auto error = tcp::connect("name", 80, {.resolver = answering({"127.0.0.1"})}).error();
    REQUIRE(::pthread_setattr_default_np(&before) == 0);
    ::pthread_attr_destroy(&enormous);
    ::pthread_attr_destroy(&before);
    CHECK(error == std::errc::resource_unavailable_try_again);
    CHECK(tcp::connect("name", 80, {.resolver = answering({}, errc::misuse)}).error() == errc::misuse);
}

TEST_CASE("any number of threads may connect at a time with one resolver", "[tcp]") {
    auto                live = listen_at("127.0.0.1");
    const tcp::resolver how{[](void*, std::string_view, tcp::address_list& found) noexcept {
        found.add(at("127.0.0.1"));
        return std::error_code{};
    }};
    std::atomic<int>         connected{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 10; ++n)
                if (tcp::connect("name", live.port(), {.resolver = how})) ++connected;
        });
    for (auto& thread : threads) thread.join();
    CHECK(connected == 80);
}

// ---- stopping

TEST_CASE("a signal stops a connect whose resolver never answers", "[tcp]") {
    auto             gate = std::make_shared<silent>();
    tcp::stop_signal stop;
    std::thread      other([&] {
        gate->wait_until_asked();
        stop.raise();
    });
    const auto made = tcp::connect("silent.name", 80, {.within = {}, .resolver = {&silent::answer, gate}, .stop = &stop});
    other.join();
    CHECK(made.error() == std::errc::operation_canceled);
    release(std::move(gate));
}

TEST_CASE("a signal stops attempts that wait, and closes them", "[tcp]") {
    black_hole hole("127.0.0.1", 0);
    const auto before = open_descriptors();
    {
        tcp::stop_signal stop;
        std::thread      other([&] {
            ::usleep(20'000);
            stop.raise();
        });
        const auto made = tcp::connect("127.0.0.1", hole.port(), {.within = {}, .stop = &stop});
        other.join();
        CHECK(made.error() == std::errc::operation_canceled);
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("once a signal is raised nothing is begun with it", "[tcp]") {
    auto             live = listen_at("127.0.0.1");
    tcp::stop_signal stop;
    CHECK_FALSE(stop.is_raised());
    stop.raise();
    stop.raise();
    CHECK(stop.is_raised());
    CHECK(tcp::connect("127.0.0.1", live.port(), {.stop = &stop}).error() == std::errc::operation_canceled);
    CHECK(tcp::connect("name", live.port(), {.resolver = answering({"127.0.0.1"}), .stop = &stop}).error() ==
          std::errc::operation_canceled);
    CHECK_FALSE(somebody_waits(live));
    CHECK(live.accept({}, &stop).error() == std::errc::operation_canceled);
}

TEST_CASE("a signal wakes a read for good, also in a stream that was moved", "[tcp]") {
    auto             live = listen_at("127.0.0.1");
    tcp::stop_signal stop;
    auto             client = tcp::connect("127.0.0.1", live.port(), {.stop = &stop});
    auto             server = live.accept(seconds(5));
    REQUIRE(client);
    REQUIRE(server);
    tcp::stream reader;
    reader = tcp::stream(*std::move(client));
    std::thread other([&] {
        ::usleep(20'000);
        stop.raise();
    });
    std::byte  place[1];
    const auto got = reader.read_some(place);
    other.join();
    CHECK(got.error() == std::errc::operation_canceled);
    CHECK(*server->write_some(as_bytes("x")) == 1);
    CHECK(reader.read_some(place).error() == std::errc::operation_canceled);
    CHECK(reader.write_some(as_bytes("x")).error() == std::errc::operation_canceled);
    reader.stop_on(nullptr);
    CHECK(*reader.read_some(place) == 1);
}

TEST_CASE("a peer that keeps sending does not keep a reader from being stopped", "[tcp]") {
    auto             live   = listen_at("127.0.0.1");
    auto             client = tcp::connect("127.0.0.1", live.port());
    tcp::stop_signal stop;
    auto             server = live.accept(seconds(5), &stop);
    REQUIRE(client);
    REQUIRE(server);
    const std::string much(100'000, 'x');
    client->write_expires_at(tcp::now() + milliseconds(20));
    while (client->write_some(as_bytes(much))) {}
    std::byte place[1];
    CHECK(server->read_some(place));
    stop.raise();
    CHECK(server->read_some(place).error() == std::errc::operation_canceled);
}

TEST_CASE("a signal wakes a write to a peer that never reads", "[tcp][S23]") {
    auto             live = listen_at("127.0.0.1");
    tcp::stop_signal stop;
    auto             client = tcp::connect("127.0.0.1", live.port(), {.stop = &stop});
    REQUIRE(client);
    std::thread other([&] {
        ::usleep(20'000);
        stop.raise();
    });
    const std::string much(1 << 20, 'x');
    std::error_code   error;
    for (int i = 0; i < 100'000 && !error; ++i) error = client->write_some(as_bytes(much)).error();
    other.join();
    CHECK(error == std::errc::operation_canceled);
}

TEST_CASE("a signal stops all that wait for it, a listener too", "[tcp]") {
    auto             first = listen_at("127.0.0.1"), second = listen_at("127.0.0.1");
    tcp::stop_signal stop;
    std::error_code  errors[2];
    std::thread      a([&] { errors[0] = first.accept({}, &stop).error(); });
    std::thread      b([&] { errors[1] = second.accept({}, &stop).error(); });
    ::usleep(20'000);
    stop.raise();
    a.join();
    b.join();
    CHECK(errors[0] == std::errc::operation_canceled);
    CHECK(errors[1] == std::errc::operation_canceled);
}

TEST_CASE("a signal may be raised in a signal handler, and leaves errno alone", "[tcp]") {
    static tcp::stop_signal* raised = nullptr;
    tcp::stop_signal         stop;
    raised = &stop;
    struct sigaction handler {}, before {};
    handler.sa_handler = [](int) { raised->raise(); };
    REQUIRE(::sigaction(SIGUSR1, &handler, &before) == 0);
    errno = ENOTTY;
    ::raise(SIGUSR1);
    CHECK(errno == ENOTTY);
    ::sigaction(SIGUSR1, &before, nullptr);
    CHECK(tcp::connect("127.0.0.1", 1, {.stop = &stop}).error() == std::errc::operation_canceled);
}

TEST_CASE("a signal for which there is no descriptor stops whatever it is given to", "[tcp]") {
    auto     live   = listen_at("127.0.0.1");
    auto     stream = tcp::connect("127.0.0.1", live.port());
    ::rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const ::rlimit none{0, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    tcp::stop_signal stop;
    const auto       unresolved = tcp::connect("name", 80, {.resolver = answering({"127.0.0.1"})}).error();
    const auto       unopened   = tcp::connect("127.0.0.1", live.port()).error();
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(unresolved == std::errc::too_many_files_open);
    CHECK(unopened == std::errc::too_many_files_open);
    CHECK(stop.native_handle() == -1);
    CHECK(tcp::connect("127.0.0.1", live.port(), {.stop = &stop}).error() == std::errc::too_many_files_open);
    REQUIRE(stream);
    stream->stop_on(&stop);
    CHECK(stream->write_some(as_bytes("x")).error() == std::errc::too_many_files_open);
    stop.raise();
    CHECK(stop.is_raised());
}

// ---- attempts

TEST_CASE("the first address that answers is taken, and those behind it hear nothing", "[tcp][8305:5]") {
    auto first  = listen_at("127.0.0.2");
    auto second = listen_at("127.0.0.3", first.port());
    auto made   = tcp::connect("name", first.port(), {.resolver = answering({"127.0.0.2", "127.0.0.3"})});
    CHECK(peer(made) == "127.0.0.2");
    CHECK(somebody_waits(first));
    CHECK_FALSE(somebody_waits(second));
}

TEST_CASE("an address that refuses gives way to the next at once", "[tcp][8305:5]") {
    auto live   = listen_at("127.0.0.99");
    auto behind = listen_at("127.0.0.100", live.port());
    auto self   = std::make_shared<known>();
    for (int i = 70; i <= 100; ++i) self->addresses.add(at("127.0.0." + std::to_string(i)));
    // At one attempt in each 160 ms it would be 4.6 s.
    const instant start = tcp::now();
    const auto    made  = tcp::connect("name", live.port(), {.within        = seconds(5),
                                                             .attempt_delay = seconds(2),
                                                             .resolver      = {&known::answer, self}});
    CHECK(peer(made) == "127.0.0.99");
    CHECK(tcp::now() < start + seconds(4));
    CHECK_FALSE(somebody_waits(behind));
}

TEST_CASE("an address that does not answer is overtaken by the next after the delay", "[tcp][8305:5]") {
    black_hole hole("127.0.0.2", 0);
    auto       live  = listen_at("127.0.0.3", hole.port());
    auto       third = listen_at("127.0.0.4", hole.port());
    const auto how   = answering({"127.0.0.2", "127.0.0.3", "127.0.0.4"});
    struct {
        duration asked, least;
    } const delays[] = {
        {{}, milliseconds(100)},                    // the lower bound
        {milliseconds(300), milliseconds(300)},
        {seconds(3'600), seconds(2)},               // the upper bound
    };
    for (const auto& [asked, least] : delays) {
        const instant start = tcp::now();
        const auto    made  = tcp::connect(
            "name", hole.port(), {.within = seconds(60), .attempt_delay = asked, .resolver = how});
        CHECK(peer(made) == "127.0.0.3");
        CHECK(tcp::now() - start >= least);
        CHECK(tcp::now() - start < seconds(20));
    }
    CHECK_FALSE(somebody_waits(third));
}

TEST_CASE("by default the delay is 250 ms", "[tcp][8305:8]") {
    CHECK(tcp::connect_options{}.attempt_delay == milliseconds(250));
    CHECK(tcp::connect_options{}.within == seconds(10));
}

TEST_CASE("every address gets its turn within a short deadline", "[tcp][8305:5][C162]") {
    black_hole hole("127.0.0.2", 0);
    auto       live = listen_at("127.0.0.3", hole.port());
    const auto made = tcp::connect("name", hole.port(), {.within        = milliseconds(1'500),
                                                         .attempt_delay = seconds(2),
                                                         .resolver      = answering({"127.0.0.2", "127.0.0.3"})});
    CHECK(peer(made) == "127.0.0.3");
}

TEST_CASE("attempts go on side by side: one that was overtaken may still win", "[tcp][8305:5]") {
    black_hole  first("127.0.0.2", 0);
    black_hole  second("127.0.0.3", first.port());
    std::thread other([&] {
        ::usleep(250'000);   // both have been tried
        first.make_room();
    });
    const auto made = tcp::connect("name", first.port(), {.within        = seconds(30),
                                                          .attempt_delay = milliseconds(100),
                                                          .resolver      = answering({"127.0.0.2", "127.0.0.3"})});
    other.join();
    CHECK(peer(made) == "127.0.0.2");
}

TEST_CASE("the winner carries bytes both ways, and the losers are closed", "[tcp][8305:5]") {
    black_hole first("127.0.0.2", 0);
    black_hole second("127.0.0.3", first.port());
    auto       live = listen_at("127.0.0.4", first.port());
    const auto how  = answering({"127.0.0.2", "127.0.0.3", "127.0.0.4"});
    const auto before = open_descriptors();
    {
        auto client = tcp::connect("name", live.port(), {.attempt_delay = milliseconds(100), .resolver = how});
        auto server = live.accept(seconds(5));
        REQUIRE(client);
        REQUIRE(server);
        std::byte place[1];
        CHECK(*client->write_some(as_bytes("a")) == 1);
        CHECK(*server->read_some(place) == 1);
        CHECK(place[0] == std::byte{'a'});
        CHECK(*server->write_some(as_bytes("b")) == 1);
        CHECK(*client->read_some(place) == 1);
        CHECK(place[0] == std::byte{'b'});
        CHECK(open_descriptors() == before + 2);
    }
    CHECK(open_descriptors() == before);
    CHECK_FALSE(first.has_late_comer());
}

TEST_CASE("addresses share one deadline", "[tcp][C162]") {
    black_hole    first("127.0.0.2", 0);
    black_hole    second("127.0.0.3", first.port());
    const auto    before = open_descriptors();
    const instant start  = tcp::now();
    const auto    how    = answering({"127.0.0.2", "127.0.0.3", "127.0.0.4"});
    const auto    made   = tcp::connect("name", first.port(), {.within = milliseconds(400), .resolver = how});
    CHECK(made.error() == errc::connect_timeout);
    CHECK(tcp::now() >= start + milliseconds(400));
    CHECK(tcp::now() < start + seconds(30));
    CHECK(open_descriptors() == before);
}

TEST_CASE("if all addresses fail, the error is that of the first to which there is a route", "[tcp]") {
    std::uint16_t port = listen_at("127.0.0.2").port();   // closed again
    const auto    fail = [port](std::initializer_list<std::string_view> addresses) {
        return tcp::connect("name", port, {.resolver = answering(addresses)}).error();
    };
    // No TCP connection leads to a group of hosts, whatever this machine is connected to.
    CHECK(fail({"224.0.0.1"}) == std::errc::network_unreachable);
    CHECK(fail({"127.0.0.2"}) == std::errc::connection_refused);
    CHECK(fail({"224.0.0.1", "127.0.0.2"}) == std::errc::connection_refused);
    CHECK(fail({"127.0.0.2", "224.0.0.1"}) == std::errc::connection_refused);
    CHECK(fail({"224.0.0.1", "ff02::1", "224.0.0.2"}) == std::errc::network_unreachable);
}

TEST_CASE("many addresses are tried, as many at a time as wait", "[tcp]") {
    black_hole hole("127.0.0.2", 0);
    auto       live = listen_at("127.0.0.200", hole.port());
    auto       self = std::make_shared<known>();
    self->addresses.add(at("127.0.0.2"));
    for (int i = 1; i < 31; ++i) self->addresses.add(at("127.0.0." + std::to_string(100 + i)));
    self->addresses.add(at("127.0.0.200"));
    for (int i = 0; i < 100; ++i) self->addresses.add(at("ff02::" + std::to_string(i)));
    CHECK(self->addresses.size() == 64);
    const auto made = tcp::connect("name", live.port(), {.within = seconds(30), .resolver = {&known::answer, self}});
    CHECK(peer(made) == "127.0.0.200");
}

TEST_CASE("signals that interrupt neither end a connect nor prolong it", "[tcp][C162]") {
    struct sigaction handler {}, before {};
    handler.sa_handler = [](int) {};   // without SA_RESTART
    REQUIRE(::sigaction(SIGUSR1, &handler, &before) == 0);
    black_hole        hole("127.0.0.2", 0);
    auto              live = listen_at("127.0.0.3", hole.port());
    auto              gate = std::make_shared<silent>();
    std::atomic<bool> done{false};
    const ::pthread_t connecting = ::pthread_self();
    std::thread       disturber([&] {
        while (!done) {
            ::usleep(2'000);
            ::pthread_kill(connecting, SIGUSR1);
        }
    });
    const auto made = tcp::connect("name", hole.port(), {.resolver = answering({"127.0.0.2", "127.0.0.3"})});
    const auto late = tcp::connect("127.0.0.2", hole.port(), milliseconds(100));
    const auto dumb = tcp::connect("name", 80, {.within = milliseconds(100), .resolver = {&silent::answer, gate}});
    done            = true;
    disturber.join();
    ::sigaction(SIGUSR1, &before, nullptr);
    CHECK(peer(made) == "127.0.0.3");
    CHECK(late.error() == errc::connect_timeout);
    CHECK(dumb.error() == errc::connect_timeout);
    release(std::move(gate));
}

