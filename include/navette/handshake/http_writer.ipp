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
    char* first = digits + sizeof digits;
    do *--first = static_cast<char>('0' + value % 10);
    while ((value /= 10) != 0);
    raw({first, static_cast<std::size_t>(digits + sizeof digits - first)});
}

NAVETTE_INLINE void http_writer::field(const http_field& field) noexcept {
    if (const errc e = check_field(field); e != errc{}) return fail(e);
    if (failed()) return;
    const std::size_t size = field.name.size() + field.value.size() + 4;
    const byte_span line = out_.grow(size);
    if (line.empty()) return fail(errc::out_of_memory);
    std::byte* const value = line.data() + field.name.size() + 2;
    std::memcpy(line.data(), field.name.data(), field.name.size());
    std::memcpy(value - 2, ": ", 2);
    if (!field.value.empty()) std::memcpy(value, field.value.data(), field.value.size());
    std::memcpy(line.data() + size - 2, "\r\n", 2);
}

NAVETTE_INLINE void http_writer::fields(const http_fields& fields) noexcept {
    for (const http_field& each : fields) field(each);
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
