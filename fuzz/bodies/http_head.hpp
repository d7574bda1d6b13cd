// Heads of HTTP messages (RFC 9112, 2 to 5): the same head, or the same error at the same byte, however the bytes are
// cut; within the limits; nothing behind the head is taken; and the fields, written again, are read alike.
#pragma once

#include "bodies/fuzz.hpp"

#include <navette/handshake/http_body.hpp>
#include <navette/handshake/http_head.hpp>
#include <navette/handshake/http_request.hpp>

namespace fuzz {

inline const place<2 * max_input> head_place[2];
inline const place<max_input>     head_input;
inline transcript head_whole, head_cut;

// One of each kind that http_head::broken_by tells apart; the last is about nothing in a head.
inline constexpr errc head_errors[] = {
    errc::bad_start_line,      errc::bad_host,       errc::origin_refused,        errc::upgrade_mismatch,
    errc::connection_mismatch, errc::invalid_key,    errc::accept_mismatch,       errc::unsupported_version,
    errc::bad_subprotocols,    errc::bad_extensions, errc::unoffered_subprotocol, errc::unoffered_extension,
    errc::unexpected_body,     errc::misuse,
};

inline limits head_limits(unsigned choice) {
    limits bounds;
    if (choice == 1) bounds.max_handshake_line = 24;
    if (choice == 2) bounds.max_handshake_fields = 2;
    if (choice == 3) bounds.max_handshake_size = 48;
    return bounds;
}

inline void note_head(const http_head& head, transcript& log) {
    log.add(head.start_line().size());
    log.add(head.start_line());
    for (const http_field& field : head.fields()) {
        log.add(field.name.size());
        log.add(field.name);
        log.add(field.value.size());
        log.add(field.value);
    }
    const known_fields& known = head.known();
    for (unsigned k = 0; k < static_cast<unsigned>(known_field::other); ++k) {
        const auto which = static_cast<known_field>(k);
        log.add(known.count(which));
        log.add(known.value(which));
    }
    for (const errc why : head_errors) {
        log.add(head.broken_by(why).size());
        log.add(head.broken_by(why));
    }
}

inline void check_fields(const http_head& head, const limits& bounds) {
    std::size_t count = 0;
    const known_fields& known = head.known();
    for (const http_field& field : head.fields()) {
        ++count;
        must(is_token(field.name) && is_field_value(field.value) && trim_ows(field.value) == field.value,
             "fields are what RFC 9110, 5 says");
        must(field.name.size() + field.value.size() < bounds.max_handshake_line,
             "no line is longer than the limit");
        const known_field which = which_field(field.name);
        if (which == known_field::other) continue;
        must(known.count(which) == head.fields().count(field.name), "known fields are all found");
        must(known.value(which) == *head.fields().find(field.name), "the first of them is told");
        if (is_token(field.value)) must(known.contains_token(which, field.value), "a list has its element");
    }
    for (const errc why : head_errors) {
        const std::string_view broken   = head.broken_by(why);
        bool                   is_there = broken.empty() || broken == head.start_line();
        for (const http_field& field : head.fields()) is_there |= broken == field.value;
        must(is_there, "what broke a rule stands in the head");
    }
    must(count <= bounds.max_handshake_fields, "there are no more fields than the limit");
    must(head.start_line().size() <= bounds.max_handshake_line, "the first line is not longer than the limit");
}

/// Reads `text` as it is cut; returns how many bytes were taken. What came of it is in the log.
inline std::size_t read_head(http_message kind, const_byte_span text, const cuts& cut, const limits& bounds,
                             transcript& log) {
    buffer      storage{byte_span(head_place[0])};
    http_head   head(kind, storage, bounds);
    std::size_t taken = 0;
    log.clear();
    const auto status_of = [&] { return head.status(); };
    // Pieces lie in memory that stays: a head that came whole is a view of it.
    const byte_span copy = head_input.last(text.size());
    std::memcpy(copy.data(), text.data(), text.size());
    for (std::size_t i = 0, at = 0; at < text.size() && status_of() == http_head_status::need_more; ++i) {
        const std::size_t n  = lesser(cut.sizes[i % 3], text.size() - at);
        byte_span         in = copy.subspan(at, n);
        const auto        s  = head.receive(in);
        must(s == status_of() && (s != http_head_status::need_more || in.empty()),
             "all is taken while more is needed");
        must(in.empty() || in.data() + in.size() == copy.data() + at + n, "bytes are taken off the front");
        if (s == http_head_status::need_more) std::memset(&copy[at], 0xdd, n);
        taken = at + n - in.size();
        at += n;
    }
    log.add(static_cast<unsigned>(status_of()));
    log.add(static_cast<unsigned>(head.error()));
    must((status_of() == http_head_status::failed) == (head.error() != errc{}), "a failure has an error");
    must(storage.size() <= bounds.max_handshake_size + 1, "no more is kept than the limit");
    if (status_of() != http_head_status::complete) return 0;
    must(taken <= bounds.max_handshake_size, "a head is not longer than the limit");
    note_head(head, log);
    check_fields(head, bounds);
    must(head.keep(), "a head can be kept");
    std::memset(copy.data(), 0xdd, copy.size());
    must(head.start_line().empty() || head.start_line()[0] != '\xdd', "what was kept no longer needs the input");
    byte_span in = head_input.first(1);
    must(head.receive(in) == http_head_status::complete && in.size() == 1, "a complete head takes no more");
    return taken;
}

// The fields of a head that was read, written as they should be, give the same head.
inline void write_and_read(http_message kind, const_byte_span text) {
    buffer    storage{byte_span(head_place[0])}, out{byte_span(head_place[1])};
    http_head head(kind, storage);
    byte_span in = in_place(text);
    if (head.receive(in) != http_head_status::complete) return;
    const auto write = [&](std::string_view part) { must(out.append(part), "there is room"); };
    write(head.start_line());
    write("\r\n");
    for (const http_field& field : head.fields()) write(field.name), write(": "), write(field.value), write("\r\n");
    write("\r\n");
    head_whole.clear();
    note_head(head, head_whole);
    buffer    more{byte_span(head_input)};
    http_head again(kind, more);
    byte_span rest = out.data();
    must(again.receive(rest) == http_head_status::complete && rest.empty(), "a head that is written again is one");
    head_cut.clear();
    note_head(again, head_cut);
    must(head_cut == head_whole, "a head that is written again is the same");
}

inline bool read_heads(input in) {
    const auto            kind   = in.option(0) ? http_message::response : http_message::request;
    const limits          bounds = head_limits(in.options(1, 2));
    const const_byte_span text   = in.rest();
    if (text.empty()) return false;
    const std::size_t taken = read_head(kind, text, uncut, bounds, head_whole);
    const auto check = [&](const cuts& cut) {
        must(read_head(kind, text, cut, bounds, head_cut) == taken, "a head ends where it ends, however it is cut");
        must(head_cut == head_whole, "a head is the same however it is cut");
    };
    check(in.as_cut());
    if (in.option(7)) check(every_byte);   // it costs more than all the rest
    if (taken != 0) write_and_read(kind, text);
    return taken != 0;
}

} // namespace fuzz
