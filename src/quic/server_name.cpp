// SPDX-License-Identifier: MIT
#include "quic/server_name.h"

#include <gnutls/x509-ext.h>
#include <gnutls/x509.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "base/address.h"
#include "base/bytes.h"

namespace qmux::quic {
namespace {

using Certificate = std::unique_ptr<gnutls_x509_crt_int, decltype(&gnutls_x509_crt_deinit)>;
using AlternativeNames = std::unique_ptr<gnutls_subject_alt_names_st, decltype(&gnutls_subject_alt_names_deinit)>;

/// Nothing when it is none.
Certificate import_certificate(const gnutls_datum_t& der) {
  gnutls_x509_crt_t raw = nullptr;
  const bool read = gnutls_x509_crt_init(&raw) >= 0 && gnutls_x509_crt_import(raw, &der, GNUTLS_X509_FMT_DER) >= 0;
  Certificate certificate(raw, &gnutls_x509_crt_deinit);
  if (!read) certificate.reset();
  return certificate;
}

/// Nothing when there are none.
AlternativeNames alternative_names(const Certificate& certificate) {
  constexpr char kSubjectAltName[] = "2.5.29.17";
  gnutls_datum_t extension{};
  gnutls_subject_alt_names_t raw = nullptr;
  const bool read =
      gnutls_x509_crt_get_extension_by_oid2(certificate.get(), kSubjectAltName, 0, &extension, nullptr) >= 0 &&
      gnutls_subject_alt_names_init(&raw) >= 0 && gnutls_x509_ext_import_subject_alt_names(&extension, raw, 0) >= 0;
  gnutls_free(extension.data);
  AlternativeNames names(raw, &gnutls_subject_alt_names_deinit);
  if (!read) names.reset();
  return names;
}

/// The 4 or 16 bytes of an IP address, in network byte order.
ConstBytes address_bytes(const Address& address) {
  if (address.family() == AF_INET) {
    return std::as_bytes(std::span(&reinterpret_cast<const sockaddr_in*>(address.raw())->sin_addr, 1));
  }
  return std::as_bytes(std::span(&reinterpret_cast<const sockaddr_in6*>(address.raw())->sin6_addr, 1));
}

/// The same, back; empty when there are neither 4 nor 16 of them.
std::string address_text(ConstBytes bytes) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (bytes.size() == sizeof v4.sin_addr) {
    v4.sin_family = AF_INET;
    std::memcpy(&v4.sin_addr, bytes.data(), bytes.size());
    return Address(reinterpret_cast<const sockaddr*>(&v4), sizeof v4).host_text();
  }
  if (bytes.size() != sizeof v6.sin6_addr) return {};
  v6.sin6_family = AF_INET6;
  std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
  return Address(reinterpret_cast<const sockaddr*>(&v6), sizeof v6).host_text();
}

/// In the ASCII form that certificates have (RFC 5890).
std::string ascii_name(const std::string& name) {
  gnutls_datum_t mapped{};
  if (gnutls_idna_map(name.data(), static_cast<unsigned>(name.size()), &mapped, 0) < 0) return {};
  std::string ascii(as_text(std::as_bytes(std::span(mapped.data, mapped.size))));
  gnutls_free(mapped.data);
  return ascii;
}

bool same_text(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// RFC 9525 section 6.3. "*.com" matches no name.
bool presented_name_matches(std::string_view presented, std::string_view name) {
  if (name.empty()) return false;
  if (!presented.starts_with("*.")) return same_text(presented, name);
  const std::string_view domain = presented.substr(1);
  const auto dot = name.find('.');
  return dot > 0 && dot != std::string_view::npos && domain.find('.', 1) != std::string_view::npos &&
         same_text(domain, name.substr(dot));
}

}  // namespace

NameMatch match_server_name(const gnutls_datum_t& der, const std::string& server_name) {
  const Certificate certificate = import_certificate(der);
  if (!certificate) return NameMatch::nameless;
  const AlternativeNames names = alternative_names(certificate);
  if (!names) return NameMatch::nameless;

  const auto literal = Address::from_literal(server_name, 0);
  const std::string dns_name = literal ? std::string() : ascii_name(server_name);
  NameMatch result = NameMatch::nameless;
  unsigned type = 0;
  gnutls_datum_t datum{};
  for (unsigned i = 0; gnutls_subject_alt_names_get(names.get(), i, &type, &datum, nullptr) >= 0; ++i) {
    const auto name = std::as_bytes(std::span(datum.data, datum.size));
    if (type != GNUTLS_SAN_DNSNAME && type != GNUTLS_SAN_IPADDRESS) continue;
    const bool matches = type == GNUTLS_SAN_DNSNAME ? presented_name_matches(as_text(name), dns_name)
                                                    : literal && std::ranges::equal(address_bytes(*literal), name);
    if (matches) return NameMatch::matches;
    result = NameMatch::differs;
  }
  return result;
}

std::vector<std::string> host_names(const gnutls_datum_t& der) {
  const Certificate certificate = import_certificate(der);
  if (!certificate) return {};
  const AlternativeNames names = alternative_names(certificate);
  std::vector<std::string> result;
  unsigned type = 0;
  gnutls_datum_t datum{};
  for (unsigned i = 0; names && gnutls_subject_alt_names_get(names.get(), i, &type, &datum, nullptr) >= 0; ++i) {
    const auto name = std::as_bytes(std::span(datum.data, datum.size));
    if (type == GNUTLS_SAN_DNSNAME) result.emplace_back(as_text(name));
    if (type == GNUTLS_SAN_IPADDRESS) result.push_back(address_text(name));
  }
  return result;
}

}  // namespace qmux::quic
