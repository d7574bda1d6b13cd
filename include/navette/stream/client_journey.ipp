// The bodies of client_journey.hpp.
#pragma once

#include <navette/handshake/redirect.hpp>
#include <navette/stream/client_journey.hpp>

namespace navette {

NAVETTE_INLINE client_journey::client_journey(const uri& to, const client_options& asked, const credentials& login,
                                              std::string_view bearer, unsigned redirects, connect_report& report)
    : from_(to), target_(to), asked_(asked), login_(login), bearer_(bearer), redirects_(redirects), report_(&report),
      fields_(asked.fields.begin(), asked.fields.end()) {
    report = {};
}

NAVETTE_INLINE errc client_journey::begin() {
    if (const errc error = check_uri(target_); error != errc{}) return error;
    sent_.clear();
    value_.clear();
    for (const http_field& each : fields_)
        if (is_same_origin_ || !is_credential(each.name)) sent_.push_back(each);
    errc error{};
    if (is_same_origin_ && !(login_.empty() && bearer_.empty())) {
        if (!login_.empty() && !bearer_.empty()) return errc::misuse;
        error = bearer_.empty() ? append_basic(login_, value_) : append_bearer(bearer_, value_);
        sent_.push_back({"Authorization", as_text(value_.data())});
    }
    asked_.fields = sent_;
    return error;
}

NAVETTE_INLINE std::error_code client_journey::failed(std::error_code why) {
    const response_view& answer = report_->server.response;
    if (why.category() == error_category())
        report_->seen = find_interference(target_, static_cast<errc>(why.value()), answer);
    if (redirects_ == 0 || why != errc::unexpected_status || !is_redirect(answer.status)) return why;
    if (followed_ == redirects_) return errc::too_many_redirects;
    buffer     next;
    const auto leads_to = read_redirect(target_, answer, next);
    if (!leads_to) return leads_to.error();
    ++followed_;
    is_same_origin_   = is_same_origin_ && is_same_origin(from_, *leads_to);
    report_->uri_text = std::move(next);
    report_->uri      = as_text(report_->uri_text.data());
    target_           = *parse_uri(report_->uri);
    return {};
}

} // namespace navette
