// A dialer in memory: for each socket that is asked for, a peer in a test's hands.
#pragma once

#include "support/async_memory.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

struct dialed {
    std::vector<std::string>                 to;           // "host:port", one a call
    std::deque<std::shared_ptr<async_peer>>  peers;        // one a call that succeeds
    std::error_code                          refuses{};
    bool                                     never = false;   // comes to an end
    std::vector<navette::instant>            until;
};

struct async_dialer_in_memory {
    using stream = async_memory;

    test_loop*              loop;
    std::shared_ptr<dialed> calls = std::make_shared<dialed>();

    explicit async_dialer_in_memory(test_loop& l) : loop(&l) {}

    stream::task<navette::io_result<stream>> dial(std::string_view host, std::uint16_t port, navette::instant until) {
        return dials(loop, calls, std::string(host) + ":" + std::to_string(port), until);
    }
    navette::instant now() const { return loop->now(); }

    async_peer& peer(std::size_t i) { return *calls->peers.at(i); }

private:
    static stream::task<navette::io_result<stream>> dials(test_loop* loop, std::shared_ptr<dialed> calls, std::string name,
                                                          navette::instant until) {
        calls->to.push_back(name);
        calls->until.push_back(until);
        co_await test_pause(*loop);
        if (calls->never) {
            test_loop::signal time(*loop);
            co_await time.wait_until(until);
            co_return navette::errc::connect_timeout;
        }
        if (calls->refuses) co_return calls->refuses;
        auto made = std::make_shared<async_peer>(*loop);
        calls->peers.push_back(made);
        co_return made->stream();
    }
};

static_assert(navette::async_dialer<async_dialer_in_memory>);
