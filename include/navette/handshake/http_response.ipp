// The bodies of http_response.hpp.
#pragma once

#include <navette/handshake/http_response.hpp>
#include <navette/handshake/http_writer.hpp>
#include <navette/handshake/known_fields.hpp>

namespace navette {

NAVETTE_INLINE std::string_view reason_phrase(unsigned status) noexcept {
    switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 203: return "Non-Authoritative Information";
    case 204: return "No Content";
    case 205: return "Reset Content";
    case 206: return "Partial Content";
    case 300: return "Multiple Choices";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 305: return "Use Proxy";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 407: return "Proxy Authentication Required";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 426: return "Upgrade Required";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 511: return "Network Authentication Required";
    default: return {};
    }
}

NAVETTE_INLINE errc append_http1(const response_view& response, buffer& out) noexcept {
    const unsigned status = response.status;
    // RFC 9110, 6.4.1 and 8.6
    const bool has_content = status != 101 && status != 204 && status != 304;
    if (status != 101 && (status < 200 || status > 599)) return errc::invalid_status;
    if (!has_content && !response.body.empty()) return errc::invalid_status;
    const std::string_view body = response.omit_body ? std::string_view{} : response.body;
    const std::size_t begin = out.size();
    http_writer head(out);
    head.status_line(status, response.reason);
    bool says_connection = status == 101;
    response.fields.for_each([&](const http_field& field) {
        const known_field known = which_field(field.name);
        says_connection         = says_connection || known == known_field::connection;
        if (known == known_field::content_length || known == known_field::transfer_encoding)
            head.fail(errc::reserved_field);
        head.field(field, known);
    });
    if (!says_connection) head.field({"Connection", "close"});
    if (has_content) {
        head.text("Content-Length: ");
        head.number(response.body.size());
        head.end_line();
    }
    if (const errc e = head.finish(); e != errc{}) return e;
    if (out.append(as_bytes(body))) return {};
    out.shrink(out.size() - begin);
    return errc::out_of_memory;
}

} // namespace navette
