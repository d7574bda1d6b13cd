// Names behind tcp.hpp: address_list, getaddrinfo, and the thread on which a resolver runs, which shares what it works on
// with the caller, so that either may go first (getaddrinfo(3), pthread_create(3)).
#pragma once

#include <navette/tcp.hpp>
#include <navette/tcp_wait.ipp>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <netdb.h>
#include <netinet/in.h>
#include <new>
#include <pthread.h>
#include <string>

namespace navette::tcp {
namespace detail {

class resolver_errors final : public std::error_category {
public:
    const char* name() const noexcept override { return "resolver"; }
    std::string message(int value) const override { return ::gai_strerror(value); }
};

// A socket address as the system takes it.
struct socket_address {
    ::sockaddr_storage storage{};
    ::socklen_t        size = 0;

    const ::sockaddr* get() const noexcept { return static_cast<const ::sockaddr*>(static_cast<const void*>(&storage)); }
};

inline socket_address to_socket_address(const address& from, int port) noexcept {
    const auto     number = htons(static_cast<std::uint16_t>(port));
    socket_address made;
    if (from.ip.size == 4) {
        ::sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port   = number;
        std::memcpy(&to.sin_addr, from.ip.bytes.data(), sizeof to.sin_addr);
        std::memcpy(&made.storage, &to, made.size = sizeof to);
    } else {
        ::sockaddr_in6 to{};
        to.sin6_family   = AF_INET6;
        to.sin6_port     = number;
        to.sin6_scope_id = from.scope;
        std::memcpy(&to.sin6_addr, from.ip.bytes.data(), sizeof to.sin6_addr);
        std::memcpy(&made.storage, &to, made.size = sizeof to);
    }
    return made;
}

// The address in what the system gave; none if it is of another kind.
inline address to_address(const ::addrinfo& from) noexcept {
    address made;
    if (from.ai_family == AF_INET) {
        ::sockaddr_in in;
        std::memcpy(&in, from.ai_addr, sizeof in);
        std::memcpy(made.ip.bytes.data(), &in.sin_addr, made.ip.size = 4);
    } else if (from.ai_family == AF_INET6) {
        ::sockaddr_in6 in;
        std::memcpy(&in, from.ai_addr, sizeof in);
        std::memcpy(made.ip.bytes.data(), &in.sin6_addr, made.ip.size = 16);
        made.scope = in.sin6_scope_id;
    }
    return made;
}

// getaddrinfo; a null host with AI_PASSIVE stands for all interfaces.
inline std::error_code ask_system(const char* host, int flags, address_list& found) noexcept {
    ::addrinfo wanted{};
    wanted.ai_socktype  = SOCK_STREAM;
    wanted.ai_flags     = flags | AI_NUMERICSERV;
    ::addrinfo* first   = nullptr;
    const int   failure = ::getaddrinfo(host, "0", &wanted, &first);
    if (failure == EAI_SYSTEM) return system_error();
    if (failure != 0) return {failure, resolver_category()};
    for (const auto* one = first; one != nullptr; one = one->ai_next) found.add(to_address(*one));
    ::freeaddrinfo(first);
    return {};
}

inline std::error_code ask_system_for_name(void*, std::string_view host, address_list& found) noexcept {
    return ask_system(host.data(), AI_ADDRCONFIG, found);
}

// Callers that left before their resolver returned.
inline std::atomic<int> abandoned{0};

// A name that is being resolved. Invariant: the thread and the caller share it; the second to leave deletes it. The thread
// writes found and error before it raises answered, and nothing after.
struct resolution {
    resolver              how{};
    std::array<char, 256> host{};
    address_list          found{};
    std::error_code       error{};
    stop_signal           answered{};
    std::atomic<bool>     one_left{false};

    static void leave_as_caller(resolution* shared) noexcept {
        ++abandoned;
        leave(shared);
    }

    // The thread.
    static void* run(void* self) noexcept {
        auto* const shared = static_cast<resolution*>(self);
        const auto  ask    = shared->how.resolve != nullptr ? shared->how.resolve : ask_system_for_name;
        shared->error      = ask(shared->how.self.get(), shared->host.data(), shared->found);
        shared->answered.raise();
        leave(shared);
        return nullptr;
    }

    static std::error_code start(resolution* shared) noexcept {
        ::sigset_t signals, before;   // their handlers run on the program's own threads
        ::sigfillset(&signals);
        for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) ::sigdelset(&signals, fault);
        ::pthread_attr_t how;
        if (const int failure = ::pthread_attr_init(&how)) return system_error(failure);
        ::pthread_attr_setdetachstate(&how, PTHREAD_CREATE_DETACHED);
        ::pthread_sigmask(SIG_SETMASK, &signals, &before);
        ::pthread_t thread;
        const int   failure = ::pthread_create(&thread, &how, run, shared);
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        ::pthread_attr_destroy(&how);
        return system_error(failure);
    }

private:
    static void leave(resolution* shared) noexcept {
        if (!shared->one_left.exchange(true, std::memory_order_acq_rel)) return;
        delete shared;
        --abandoned;
    }
};

inline std::error_code resolve(std::string_view host, const connect_options& options, instant until,
                               address_list& found) noexcept {
    std::array<char, 256> name;
    if (host.empty() || !copy_text(host, name)) return errc::invalid_host;
    if (!ask_system(name.data(), AI_NUMERICHOST, found)) return {};   // not a name: nobody has to be asked

    if (abandoned >= max_abandoned_resolvers)
        return std::make_error_code(std::errc::resource_unavailable_try_again);
    auto* const shared = new (std::nothrow) resolution{.how = options.resolver, .host = name};
    if (shared == nullptr) return errc::out_of_memory;
    auto error = stopped(&shared->answered);
    if (!error) error = resolution::start(shared);
    if (error) {
        delete shared;
        return error;
    }
    error = wait_for(shared->answered.native_handle(), POLLIN, until, options.stop);
    if (shared->answered.is_raised()) {
        error = shared->error;
        found = shared->found;
    } else if (error == std::errc::timed_out) {
        error = errc::connect_timeout;
    }
    resolution::leave_as_caller(shared);
    return error;
}

} // namespace detail

NAVETTE_INLINE const std::error_category& resolver_category() noexcept {
    static const detail::resolver_errors category;
    return category;
}

NAVETTE_INLINE void address_list::add(const address& one) noexcept {
    if (!one.ip) return;
    kind& own  = kinds_[0].size == 0 || kinds_[0].addresses[0].ip.size == one.ip.size ? kinds_[0] : kinds_[1];
    auto* last = own.addresses.data() + own.size;
    if (own.size < max_of_a_kind && std::find(own.addresses.data(), last, one) == last) own.addresses[own.size++] = one;
}

NAVETTE_INLINE const address& address_list::operator[](std::size_t i) const noexcept {
    const std::size_t pairs = std::min(kinds_[0].size, kinds_[1].size);
    if (i < 2 * pairs) return kinds_[i % 2].addresses[i / 2];
    return kinds_[kinds_[0].size > pairs ? 0 : 1].addresses[i - pairs];
}

} // namespace navette::tcp
