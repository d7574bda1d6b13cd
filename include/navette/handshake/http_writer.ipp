// The bodies of http_writer.hpp.
#pragma once

#include <navette/handshake/http_writer.hpp>

namespace navette {

NAVETTE_INLINE void http_writer::raw(std::string_view bytes) noexcept {
    if (!failed() && !out_.append(as_bytes(bytes))) fail(errc::out_of_memory);
}

NAVETTE_INLINE void http_writer::text(std::string_view piece) noexcept {
    if (is_field_value(piece)) raw(piece);
    else fail(errc::invalid_field);
}

NAVETTE_INLINE void http_writer::number(std::uint64_t value) noexcept {
    char digits[20];
    std::size_t first = sizeof digits;
    do digits[--first] = static_cast<char>('0' + value % 10);
    while ((value /= 10) != 0);
    raw(std::string_view(static_cast<const char*>(digits), sizeof digits).substr(first));
}

NAVETTE_INLINE void http_writer::line(std::string_view begin, std::string_view end) noexcept {
    if (failed()) return;
    const byte_span place = out_.grow(begin.size() + end.size() + 2);
    if (place.empty()) return fail(errc::out_of_memory);
    detail::copy_short(place.data(), begin.data(), begin.size());
    detail::copy_short(place.data() + begin.size(), end.data(), end.size());
    std::memcpy(place.data() + begin.size() + end.size(), "\r\n", 2);
}

NAVETTE_INLINE void http_writer::status_line(unsigned status, std::string_view reason) noexcept {
    char begin[] = "HTTP/1.1 000 ";
    begin[9]     = static_cast<char>('0' + status / 100);
    begin[10]    = static_cast<char>('0' + status / 10 % 10);
    begin[11]    = static_cast<char>('0' + status % 10);
    if (is_field_value(reason)) line({static_cast<const char*>(begin), sizeof begin - 1}, reason);
    else fail(errc::invalid_field);
}

// One append for all of it. The known names are tokens.
NAVETTE_INLINE void http_writer::field(const http_field& field, known_field known) noexcept {
    if (failed()) return;
    if ((known == known_field::other && !is_token(field.name)) || !is_field_value(field.value)) return fail(errc::invalid_field);
    const byte_span place = out_.grow(field.name.size() + field.value.size() + 4);
    if (place.empty()) return fail(errc::out_of_memory);
    std::byte* to = place.data();
    detail::copy_short(to, field.name.data(), field.name.size());
    to += field.name.size();
    std::memcpy(to, ": ", 2);
    detail::copy_short(to + 2, field.value.data(), field.value.size());
    std::memcpy(to + 2 + field.value.size(), "\r\n", 2);
}

NAVETTE_INLINE void http_writer::fields(const http_fields& fields) noexcept {
    fields.for_each([this](const http_field& each) { field(each); });
}

NAVETTE_INLINE void http_writer::fail(errc error) noexcept {
    if (!failed()) error_ = error;
}

NAVETTE_INLINE errc http_writer::finish() noexcept {
    end_line();
    if (failed()) out_.shrink(out_.size() - begin_);
    return error_;
}

} // namespace navette
