#include <navette/extension/message_codec.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"
#include "support/toy_extension.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace navette;

namespace {

message_codec made_by(const toy::extension& extension) {
    message_codec made;
    CHECK(extension.factory.make(extension.factory.self, extension.agreed().parameters, role::server, made) == errc{});
    return made;
}

struct outcome {
    std::vector<std::byte> produced;
    std::size_t            steps = 0, longest = 0;
    errc                   error{};
};

// Steps until the message is done, or an error, or one step too many.
template <class Step>
outcome run(Step step, const_byte_span in) {
    outcome o;
    for (codec_step s; !s.done && o.error == errc{} && o.steps < 10'000; ++o.steps) {
        s  = step(in, true);
        in = in.subspan(s.consumed);
        o.produced.insert(o.produced.end(), s.produced.begin(), s.produced.end());
        o.longest = std::max(o.longest, s.produced.size());
        o.error   = s.error;
    }
    return o;
}
outcome inflate(message_codec& codec, const_byte_span in) {
    return run([&](const_byte_span rest, bool last) { return codec.inflate(rest, last); }, in);
}
outcome deflate(message_codec& codec, const_byte_span in, bool last = true) {
    buffer     out;
    const errc error = codec.deflate(in, last, out);
    return {.produced = bytes(out.data()), .error = error};
}

// Notes what is called on it.
struct recorder {
    std::string calls;
    void*       passed = nullptr;

    static recorder& at(void* self) { return *static_cast<recorder*>(self); }
    static codec_step note(void* self, char c) {
        at(self).calls += c;
        return {.consumed = static_cast<std::size_t>(c)};
    }
};
constexpr message_codec_table recording{
    [](void* self, const_byte_span, bool last) noexcept { return recorder::note(self, last ? 'I' : 'i'); },
    [](void* self) noexcept { recorder::note(self, 'e'); },
    [](void* self, const_byte_span, bool last, buffer&) noexcept {
        recorder::note(self, last ? 'D' : 'd');
        return errc::misuse;
    },
    [](void* self) noexcept { recorder::note(self, 'r'); },
    [](void* self) noexcept { recorder::note(self, 'x'); },
    [](void* self) noexcept { recorder::note(self, '.'); },
};

} // namespace

static_assert(!std::is_copy_constructible_v<message_codec> && std::is_nothrow_move_constructible_v<message_codec> &&
              std::is_nothrow_move_assignable_v<message_codec>);
static_assert(sizeof(message_codec) == 2 * sizeof(void*));

TEST_CASE("a codec calls its table's functions with its state", "[message_codec]") {
    recorder calls;
    {
        message_codec codec(recording, &calls);
        CHECK(codec);
        CHECK(codec.inflate({}, false).consumed == 'i');
        CHECK(codec.inflate({}, true).consumed == 'I');
        codec.end_message();
        buffer out;
        CHECK(codec.deflate({}, false, out) == errc::misuse);
        CHECK(codec.deflate({}, true, out) == errc::misuse);
        codec.reset_deflate();
        codec.release_idle();
        CHECK(calls.calls == "iIedDrx");
    }
    CHECK(calls.calls == "iIedDrx.");
}

TEST_CASE("a codec is released exactly once, wherever it was moved", "[message_codec]") {
    recorder first, second;
    {
        message_codec a(recording, &first);
        message_codec b(std::move(a));
        CHECK_FALSE(a);   // NOLINT(bugprone-use-after-move): that is what is tested
        CHECK(b);
        message_codec none;
        CHECK_FALSE(none);
        none = std::move(b);
        CHECK(none);
        CHECK_FALSE(b);   // NOLINT(bugprone-use-after-move)
        message_codec& same = none;
        none                = std::move(same);
        CHECK(first.calls.empty());
        none = message_codec(recording, &second);
        CHECK(first.calls == ".");
        CHECK(second.calls.empty());
    }
    CHECK(first.calls == ".");
    CHECK(second.calls == ".");
}

TEST_CASE("the toy codec gives back what it was given, through windows and bites of any size", "[message_codec]") {
    const auto text = text_bytes("a shuttle carries the weft back and forth");
    for (const std::size_t window : {1u, 2u, 7u, 64u})
        for (const std::size_t appetite : {std::size_t{1}, std::size_t{5}, toy::never})
            for (const bool hoards : {false, true})
                for (const bool takeover : {false, true}) {
                    const toy::extension extension(
                        {.window = window, .appetite = appetite, .hoards = hoards, .takeover = takeover});
                    message_codec sender = made_by(extension), receiver = made_by(extension);
                    for (int message = 0; message < 3; ++message) {
                        const outcome sent = deflate(sender, text);
                        CHECK(sent.error == errc{});
                        CHECK(sent.produced != text);
                        const outcome got = inflate(receiver, sent.produced);
                        CHECK(got.produced == text);
                        CHECK(got.longest <= window);
                        receiver.end_message();
                    }
                }
}

TEST_CASE("the toy codec without context is an XOR", "[message_codec]") {
    const toy::extension extension({.key = 0x5a});
    message_codec        codec = made_by(extension);
    CHECK(deflate(codec, bytes("00 5a ff")).produced == bytes("5a 00 a5"));
    CHECK(inflate(codec, bytes("5a 00 a5")).produced == bytes("00 5a ff"));
    CHECK(extension.on_wire("x") == bytes("22"));
}

TEST_CASE("the toy codec's steps say what is still to come", "[message_codec]") {
    const toy::extension extension({.key = 0, .window = 2});
    message_codec        codec = made_by(extension);
    codec_step           step  = codec.inflate(bytes("01 02 03"), false);
    CHECK(step.consumed == 3);   // all of the input, and a byte of output is pending
    CHECK(bytes(step.produced) == bytes("01 02"));
    CHECK_FALSE(step.done);
    const byte_span old = step.produced;
    step                = codec.inflate({}, false);
    CHECK(step.consumed == 0);
    CHECK(bytes(step.produced) == bytes("03"));
    CHECK(step.done);
    CHECK(bytes(old) == bytes("03 dd"));   // a view that is kept too long shows
}

TEST_CASE("the toy codec can make messages longer and shorter, and undo it", "[message_codec]") {
    const toy::extension doubling({.key = 1, .sent = {2, 1}, .received = {1, 2}, .takeover = true});
    message_codec        a = made_by(doubling), b = made_by(doubling);
    for (int message = 0; message < 3; ++message) {
        const outcome sent = deflate(a, text_bytes("weft"));
        CHECK(sent.produced.size() == 9);
        CHECK(inflate(b, sent.produced).produced == text_bytes("weft"));
        b.end_message();
    }
    const toy::extension bomb({.key = 0, .received = {1'000, 1}});
    message_codec        c = made_by(bomb);
    CHECK(inflate(c, bytes("07")).produced == std::vector<std::byte>(1'000, std::byte{7}));
    const toy::extension halving({.key = 0, .sent = {1, 2}});
    message_codec        d = made_by(halving);
    CHECK(deflate(d, bytes("01 01 02 02 03")).produced == bytes("01 02 03"));
}

TEST_CASE("the toy codec shows a reset or an end that was missed as wrong text", "[message_codec]") {
    const toy::extension extension({.takeover = true});
    const auto           one = text_bytes("one"), two = text_bytes("two");

    SECTION("both are told: messages from apart and from the connection alternate") {
        message_codec sender = made_by(extension), receiver = made_by(extension);
        for (int turn = 0; turn < 3; ++turn) {
            sender.reset_deflate();
            CHECK(inflate(receiver, deflate(sender, one).produced).produced == one);
            receiver.end_message();
            CHECK(inflate(receiver, extension.on_wire(two)).produced == two);
            receiver.end_message();
        }
    }
    SECTION("no reset after a message from apart") {
        message_codec sender = made_by(extension), receiver = made_by(extension);
        CHECK(inflate(receiver, deflate(sender, one).produced).produced == one);
        receiver.end_message();
        CHECK(inflate(receiver, extension.on_wire(two)).produced == two);
        receiver.end_message();
        CHECK(inflate(receiver, deflate(sender, one).produced).produced != one);
    }
    SECTION("no end of the message before") {
        message_codec sender = made_by(extension), receiver = made_by(extension);
        CHECK(inflate(receiver, deflate(sender, one).produced).produced == one);
        CHECK(inflate(receiver, deflate(sender, one).produced).produced != one);
    }
}

TEST_CASE("a reset forgets the unfinished message too", "[message_codec]") {
    const toy::extension extension({.key = 0, .takeover = true});
    message_codec        codec = made_by(extension);
    CHECK(deflate(codec, text_bytes("abc"), false).produced == concat(bytes("00"), text_bytes("abc")));
    codec.reset_deflate();
    CHECK(deflate(codec, text_bytes("x")).produced == concat(bytes("00"), text_bytes("x")));
}

TEST_CASE("the toy codec fails at the byte that it was told", "[message_codec]") {
    for (const std::size_t n : {0u, 1u, 4u}) {
        const toy::extension extension({.appetite = 1, .inflate_fails_at = n, .deflate_fails_at = n});
        message_codec        codec = made_by(extension);
        const outcome        in = inflate(codec, text_bytes("hello")), out = deflate(codec, text_bytes("hello"));
        CHECK(in.error == errc::invalid_compressed_data);
        CHECK(in.steps == n + 1);
        CHECK(in.produced.size() == n);
        CHECK(out.error == errc::out_of_memory);
        CHECK(out.produced.size() == n);

        const toy::extension later({.inflate_fails_at = 5});
        message_codec        whole = made_by(later);
        CHECK(inflate(whole, text_bytes("hello")).error == errc{});
    }
    const toy::extension context({.takeover = true});
    message_codec        codec = made_by(context);
    CHECK(inflate(codec, bytes("02 00")).error == errc::invalid_compressed_data);
}

TEST_CASE("the toy codec that is stuck does nothing and is not done", "[message_codec]") {
    const toy::extension extension({.stuck = true});
    message_codec        codec = made_by(extension);
    const codec_step     step  = codec.inflate(text_bytes("x"), true);
    CHECK((step.consumed == 0 && step.produced.empty() && !step.done && step.error == errc{}));
}

TEST_CASE("the toy counts the codecs that it made and released, and what was asked of them", "[message_codec]") {
    const toy::extension extension;
    {
        message_codec a = made_by(extension), b = made_by(extension);
        static_cast<void>(a.inflate({}, true));
        a.end_message();
        static_cast<void>(deflate(b, {}));
        static_cast<void>(deflate(b, {}));
        b.reset_deflate();
        b.release_idle();
        CHECK(extension.count().alive() == 2);
    }
    const toy::counters& count = extension.count();
    CHECK(count.alive() == 0);
    CHECK(count.made == 2);
    CHECK(count.released == 2);
    CHECK(count.inflates == 1);
    CHECK(count.ends == 1);
    CHECK(count.deflates == 2);
    CHECK(count.resets == 1);
    CHECK(count.releases == 1);
}
