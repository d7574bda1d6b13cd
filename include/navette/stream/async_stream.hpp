// What the library asks of an asynchronous transport and of the executor behind it: the concepts that async_connection.hpp
// and its like stand on. Coroutines of any executor; no event loop is here, nor any of Asio.
#pragma once

#include <navette/base/bytes.hpp>
#include <navette/base/instant.hpp>
#include <navette/stream/error.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace navette {

/// An asynchronous stream, movable while nothing is pending on it, with the clock and the executor that it belongs to:
///
/// - `S::task<T>` is a coroutine type whose coroutines may await any `S::task<U>`, once. It begins when it is awaited or
///   started, and may be destroyed before that.
/// - `read_some(in)` and `write_some(out)` are as those of `sync_stream`; `in` and `out` are borrowed until the task has
///   ended. One of each may be pending at a time. `shutdown_write()` ends this side's direction, once, while no write is
///   pending; reading goes on.
/// - `close()` ends everything: what is pending ends with an error, not inside the call. It may be called twice, and is
///   called by destructors.
/// - `now()` reads the clock. It does not run backwards.
/// - `make_signal()` makes an `S::signal`, which need not be movable and serves on after the stream was moved or destroyed.
///   `wait_until(when)` ends once `notify_all()` is called or the time has come; at `instant::never()` it never does. Any
///   number wait at once. Who waits runs on after `notify_all` has returned, not inside the call. Nothing else ends a wait,
///   but for cancellation. A signal outlives those who wait for it.
/// - `start(work)` runs a task whose end nobody waits for. It may or may not begin inside the call.
///
/// All that belongs to one stream runs on one thread, or on one strand, at a time.
///
/// Cancellation, by whatever means the executor has, is allowed of reads and waits, but not of what was given to `start`. A
/// cancelled read ends with `std::errc::operation_canceled` and has taken no byte, or with the bytes that it took; a
/// cancelled wait ends early. Either may instead end with an exception, or be destroyed while it is suspended: then, too,
/// it has taken no byte, and does not touch `in` any more. A write that was cancelled leaves the stream unusable.
template <class S>
concept async_stream =
    std::movable<S> && requires(S& s, byte_span in, const_byte_span out, instant when, typename S::signal& moved,
                                typename S::template task<void> work) {
        { s.read_some(in) } -> std::same_as<typename S::template task<io_result<std::size_t>>>;
        { s.write_some(out) } -> std::same_as<typename S::template task<io_result<std::size_t>>>;
        { s.shutdown_write() } -> std::same_as<typename S::template task<void>>;
        s.close();
        { s.now() } -> std::same_as<instant>;
        { s.make_signal() } -> std::same_as<typename S::signal>;
        { moved.wait_until(when) } -> std::same_as<typename S::template task<void>>;
        moved.notify_all();
        s.start(std::move(work));
    };

/// A stream that sends several pieces with one call, as `gather_stream` does. The span of pieces is borrowed, too.
template <class S>
concept async_gather_stream = async_stream<S> && requires(S& s, std::span<const const_byte_span> pieces) {
    { s.write_some(pieces) } -> std::same_as<typename S::template task<io_result<std::size_t>>>;
};

/// What opens streams, of type `D::stream`. `dial` connects to a host, a name or an address without brackets, within
/// `until` on its clock: `errc::connect_timeout`; its other errors pass through untouched. Cancelled or destroyed, it opens
/// none. `host` is borrowed until the task has ended.
template <class D>
concept async_dialer = async_stream<typename D::stream> &&
    requires(D& d, std::string_view host, std::uint16_t port, instant until) {
        { d.dial(host, port, until) } -> std::same_as<typename D::stream::template task<io_result<typename D::stream>>>;
        { d.now() } -> std::same_as<instant>;
    };

} // namespace navette
