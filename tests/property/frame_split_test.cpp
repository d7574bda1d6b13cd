#include <navette/frame/frame_codec.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/reference_frames.hpp"

#include <algorithm>
#include <cstddef>

using namespace navette;
using namespace reference;

TEMPLATE_TEST_CASE("frames are the same wherever the stream is cut", "[frame_codec][6455:6.2][C81][S12][S45]",
                   as_server, as_client) {
    const conversation<TestType::value> talk(true);
    for (std::size_t cut = 0; cut <= talk.stream.size(); ++cut) {
        INFO("cut at " << cut);
        reader<TestType::value> r;
        r.read(const_byte_span(talk.stream).first(cut));
        r.read(const_byte_span(talk.stream).subspan(cut));
        CHECK(r.error == errc{});
        CHECK(r.seen == talk.sent);
        CHECK(r.frames.between_frames());
    }
}

TEMPLATE_TEST_CASE("frames are the same wherever the stream is cut twice",
                   "[frame_codec][6455:6.2][C81][S10][S45]", as_server, as_client) {
    const conversation<TestType::value> talk(false);
    const const_byte_span               all{talk.stream};
    std::size_t                         wrong = 0;
    for (std::size_t one = 0; one <= all.size(); ++one)
        for (std::size_t two = one; two <= all.size(); ++two) {
            reader<TestType::value> r;
            r.read(all.first(one));
            r.read(all.subspan(one, two - one));
            r.read(all.subspan(two));
            wrong += r.error != errc{} || r.seen != talk.sent;
        }
    CHECK(wrong == 0);
}

TEMPLATE_TEST_CASE("frames come through one byte at a time, with nothing between the bytes",
                   "[frame_codec][6455:6.2][C81][S10][S45]", as_server, as_client) {
    const conversation<TestType::value> talk(true);
    reader<TestType::value>             r;
    for (const std::byte b : talk.stream) {
        r.read(const_byte_span(&b, 1));
        r.read({});
    }
    CHECK(r.error == errc{});
    CHECK(r.seen == talk.sent);
}

TEMPLATE_TEST_CASE("a stream that is cut off is no error here, and says whether a frame is missing bytes",
                   "[frame_codec][6455:7.1.5][S30]", as_server, as_client) {
    const conversation<TestType::value> talk(true);
    for (std::size_t cut = 0; cut <= talk.stream.size(); ++cut) {
        INFO("cut at " << cut);
        reader<TestType::value> r;
        r.read(const_byte_span(talk.stream).first(cut));
        CHECK(r.error == errc{});
        const bool at_an_end = std::count(talk.ends.begin(), talk.ends.end(), cut) == 1;
        CHECK(r.frames.between_frames() == at_an_end);
        r.read({});
        CHECK(r.frames.between_frames() == at_an_end);
    }
}
