#include <navette/stream/stream.hpp>

#include "support/bytes.hpp"
#include "support/memory_stream.hpp"
#include "support/scripted_stream.hpp"

#include <optional>

using namespace navette;

namespace {

// The least that is a stream.
struct plain_stream {
    std::vector<std::byte>* written;
    int*                    closed;

    io_result<std::size_t> read_some(byte_span in) {
        in[0] = std::byte{'x'};
        return std::size_t{1};
    }
    io_result<std::size_t> write_some(const_byte_span out) {
        written->insert(written->end(), out.begin(), out.end());
        return out.size();
    }
    void shutdown_write() {}
    void close() { ++*closed; }
};

struct gathering_stream : plain_stream {
    using plain_stream::write_some;
    io_result<std::size_t> write_some(std::span<const const_byte_span> pieces) {
        std::size_t n = 0;
        for (const auto piece : pieces) n += *write_some(piece);
        return n;
    }
};

struct without_close {
    io_result<std::size_t> read_some(byte_span);
    io_result<std::size_t> write_some(const_byte_span);
    void                   shutdown_write();
};

static_assert(sync_stream<plain_stream> && !gather_stream<plain_stream> && !deadline_stream<plain_stream>);
static_assert(gather_stream<gathering_stream>);
static_assert(!sync_stream<without_close> && !sync_stream<int>);
static_assert(sync_stream<memory_stream> && !deadline_stream<memory_stream>);
static_assert(sync_stream<any_stream> && !std::is_copy_constructible_v<any_stream>);

} // namespace

TEST_CASE("any_stream passes reads, writes and close on", "[stream]") {
    std::vector<std::byte> written;
    int                    closed = 0;
    any_stream             s{plain_stream{&written, &closed}};
    std::byte              b{};
    CHECK(*s.read_some({&b, 1}) == 1);
    CHECK(b == std::byte{'x'});
    CHECK(*s.write_some(as_bytes("hello")) == 5);
    CHECK(as_text(written) == "hello");
    s.close();
    CHECK(closed == 1);
}

TEST_CASE("any_stream sends the first piece that is not empty if its stream cannot gather", "[stream]") {
    std::vector<std::byte> written;
    int                    closed = 0;
    any_stream             s{plain_stream{&written, &closed}};
    const const_byte_span  pieces[] = {{}, as_bytes("ab"), as_bytes("cd")};
    CHECK(*s.write_some(pieces) == 2);
    CHECK(as_text(written) == "ab");
}

TEST_CASE("any_stream gathers if its stream does", "[stream]") {
    std::vector<std::byte> written;
    int                    closed = 0;
    any_stream             s{gathering_stream{{&written, &closed}}};
    const const_byte_span  pieces[] = {as_bytes("ab"), {}, as_bytes("cd")};
    CHECK(*s.write_some(pieces) == 4);
    CHECK(as_text(written) == "abcd");
}

TEST_CASE("any_stream keeps deadlines exactly if its stream does", "[stream]") {
    auto       s = std::make_shared<script>();
    any_stream with{scripted_stream(s)};
    CHECK(with.keeps_deadlines());
    CHECK(with.now() == s->clock);
    const instant before = s->clock;
    with.read_expires_at(before + seconds(3));
    std::byte b{};
    CHECK(with.read_some({&b, 1}).error() == std::errc::timed_out);
    CHECK(s->clock == before + seconds(3));
    with.write_expires_at(before + seconds(5));
    s->takes = 0;
    CHECK(with.write_some(const_byte_span(&b, 1)).error() == std::errc::timed_out);
    CHECK(s->clock == before + seconds(5));

    std::vector<std::byte> written;
    int                    closed = 0;
    any_stream             without{plain_stream{&written, &closed}};
    CHECK_FALSE(without.keeps_deadlines());
    CHECK(without.now() == instant{});
}

TEST_CASE("any_stream moves, destroys what it held, and is empty afterwards", "[stream]") {
    auto                      s = std::make_shared<script>();
    std::weak_ptr<script>     watched = s;
    any_stream                first{scripted_stream(std::move(s))};
    any_stream                second(std::move(first));
    CHECK_FALSE(first);
    CHECK(second);
    std::byte b{};
    CHECK(first.read_some({&b, 1}).error() == errc::misuse);
    CHECK(first.write_some(const_byte_span(&b, 1)).error() == errc::misuse);
    first.close();
    second = any_stream();
    CHECK(watched.expired());
}

TEST_CASE("any_stream holds any_streams' like only once", "[stream]") {
    std::vector<std::byte> written;
    int                    closed = 0;
    any_stream             inner{plain_stream{&written, &closed}};
    any_stream             outer(std::move(inner));   // moved, not wrapped
    outer.shutdown_write();
    outer.close();
    CHECK(closed == 1);
    CHECK_FALSE(inner);
}
