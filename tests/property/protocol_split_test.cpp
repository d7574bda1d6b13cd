#include <navette/protocol/protocol.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/endpoint.hpp"
#include "support/exchanges.hpp"
#include "support/long_run.hpp"
#include "support/toy_extension.hpp"

using namespace navette;

namespace {

// All that came of an input, however it was cut: whole messages, control frames, how it ended, and what was answered.
// The pieces of a message that was not ended are left out, since how many there were depends on the cut.
template <class P>
class transcript {
    endpoint<P> us_;
    std::string message_;

public:
    std::string heard;
    bool        ended = false;   // by a Close or a failure

    explicit transcript(const toy::extension* xored)
        : us_(xored == nullptr ? agreement{} : xored->agreed()) {}

    // The bytes lie in a place of their own, of exactly their size, and are overwritten afterwards.
    void take(const_byte_span piece) {
        const auto memory = std::make_unique<std::byte[]>(piece.size());
        std::copy(piece.begin(), piece.end(), memory.get());
        byte_span in(memory.get(), piece.size());
        for (std::size_t budget = 4 * piece.size() + 600;; --budget) {
            if (budget == 0) FAIL("receive does not come to an end");
            const event e = us_.ws.receive(in, us_.out);
            if (!e) break;
            if (ended) FAIL("an event behind the end");
            note(e);
        }
        if (!in.empty()) FAIL("input was left though the output has room");
        std::fill_n(memory.get(), piece.size(), std::byte{0xdd});
    }

    std::string end_of_transport() { return us_.hears_eof(); }
    connection_state state() const { return us_.ws.state(); }
    std::size_t output_size() const { return us_.out.size(); }

    std::string answered() {
        const auto frames = us_.said_frames();
        std::size_t closes = 0;
        byte_vector all;
        for (const wire_frame& f : frames) {
            if (f.opcode() == 8) ++closes;
            all = concat(all, frame(f.first, f.payload));
        }
        if (closes > 1 || (closes == 1 && frames.back().opcode() != 8))
            FAIL("a Close is not the last and only one");
        if (ended && state() != connection_state::close_done &&
            state() != connection_state::failed && state() != connection_state::closed)
            FAIL("a connection that ended is in another state");
        return to_hex(all);
    }

private:
    void note(const event& e) {
        if (!e.is_message()) {
            heard += to_text(e) + "\n";
            ended = e.type == event_type::close || e.type == event_type::failed;
            return;
        }
        if (e.first) message_ = e.type == event_type::text ? "text " : "binary ";
        message_ += e.text();
        if (e.last) heard += message_ + "\n";
    }
};

template <class P>
std::pair<std::string, std::string> whole(const_byte_span wire, const toy::extension* xored) {
    transcript<P> t(xored);
    t.take(wire);
    return {t.heard, t.answered()};
}

const toy::extension* agreed_one(bool extended) {
    static const toy::extension xored({.window = 5});
    return extended ? &xored : nullptr;
}

} // namespace

TEMPLATE_TEST_CASE("an exchange means the same wherever it is cut in two",
                   "[property][protocol][6455:6.2][C41][C81][C103][C161][S37][S45][S51]",
                   client_protocol, server_protocol) {
    const toy::extension* const xored = agreed_one(GENERATE(false, true));
    std::size_t                 cuts  = 0;
    for (const exchange& x : stored_exchanges(xored)) {
        INFO(x.name);
        const auto wire   = from_peer<TestType>(x.unmasked);
        const auto wanted = whole<TestType>(wire, xored);
        const std::size_t stride = wire.size() > 10'000 && !is_long_run() ? 997 : 1;
        for (std::size_t cut = 0; cut <= wire.size(); cut += cut < 40 ? 1 : stride) {
            transcript<TestType> t(xored);
            t.take(const_byte_span(wire).first(cut));
            t.take(const_byte_span(wire).subspan(cut));
            if (t.heard != wanted.first || t.answered() != wanted.second)
                FAIL("cut at " << cut << ":\n" << t.heard << "not\n" << wanted.first);
            ++cuts;
        }
    }
    CHECK(cuts > 800);
}

TEMPLATE_TEST_CASE("an exchange means the same in pieces of any size",
                   "[property][protocol][6455:6.2][C41][C81][C103][C161][S27][S29][S45]",
                   client_protocol, server_protocol) {
    const toy::extension* const xored = agreed_one(GENERATE(false, true));
    for (const exchange& x : stored_exchanges(xored)) {
        INFO(x.name);
        const auto wire   = from_peer<TestType>(x.unmasked);
        const auto wanted = whole<TestType>(wire, xored);
        for (const std::size_t size : {1u, 2u, 3u, 5u, 7u, 13u, 64u}) {
            transcript<TestType> t(xored);
            for (std::size_t at = 0; at < wire.size(); at += size)
                t.take(const_byte_span(wire).subspan(at, std::min(size, wire.size() - at)));
            CHECK(t.heard == wanted.first);
            CHECK(t.answered() == wanted.second);
        }
    }
}

TEMPLATE_TEST_CASE("an exchange cut off at any byte ends, abnormally unless it was complete",
                   "[property][protocol][6455:7.1.5][C120][C125][C161][S30]", client_protocol,
                   server_protocol) {
    const toy::extension* const xored = agreed_one(GENERATE(false, true));
    std::size_t                 cuts  = 0;
    for (const exchange& x : stored_exchanges(xored)) {
        INFO(x.name);
        const auto        wire   = from_peer<TestType>(x.unmasked);
        const std::size_t stride = wire.size() > 10'000 && !is_long_run() ? 997 : 1;
        for (std::size_t cut = 0; cut <= wire.size(); cut += cut < 40 ? 1 : stride) {
            transcript<TestType> t(xored);
            t.take(const_byte_span(wire).first(cut));
            const auto size = t.output_size();
            const auto end  = t.end_of_transport();
            if (end != (t.ended ? "" : "failed truncated 1006"))
                FAIL("cut at " << cut << ": " << end);
            t.ended = true;   // nothing may come any more
            if (t.end_of_transport() != "" || t.output_size() != size)
                FAIL("the end was told twice, or answered");
            t.take(const_byte_span(wire).subspan(cut));
            if (t.state() != connection_state::closed) FAIL("not closed");
            ++cuts;
        }
    }
    CHECK(cuts > 800);
}

TEMPLATE_TEST_CASE("whatever one damaged byte does, it does it wherever the exchange is cut",
                   "[property][protocol][C128][C161][C165][S6][S49]", client_protocol,
                   server_protocol) {
    const toy::extension* const xored = agreed_one(GENERATE(false, true));
    std::size_t                 failures = 0, runs = 0;
    for (const exchange& x : stored_exchanges(xored)) {
        if (x.unmasked.size() > 300) continue;
        const auto wire = from_peer<TestType>(x.unmasked);
        for (std::size_t at = 0; at < wire.size(); ++at)
            for (unsigned bit = 0; bit < 8; ++bit) {
                auto damaged = wire;
                damaged[at] ^= static_cast<std::byte>(1u << bit);
                const auto           wanted = whole<TestType>(damaged, xored);
                transcript<TestType> t(xored);
                for (std::size_t i = 0; i < damaged.size(); ++i)
                    t.take(const_byte_span(damaged).subspan(i, 1));
                if (t.heard != wanted.first || t.answered() != wanted.second)
                    FAIL(x.name << ", byte " << at << ", bit " << bit << ":\n"
                                << t.heard << "not\n"
                                << wanted.first);
                failures += wanted.first.find("failed") != std::string::npos;
                ++runs;
            }
    }
    CHECK(runs > 4'000);
    CHECK(failures > runs / 4);
}
