// SPDX-License-Identifier: MIT
#include "app/run/connection_advice.h"

#include <fmt/format.h>

#include <string_view>

namespace qmux::app {
namespace {

using quic::CertificateFault;
using Kind = quic::CloseCause::Kind;

constexpr std::string_view kRightAddress = "server.servers[].address must be the server's quic_addr";

std::string about_unreachable(io::Unreachable why, std::uint16_t port) {
  switch (why) {
    case io::Unreachable::port:
      return fmt::format("start the server; {}; a TCP service on port {} does not count", kRightAddress, port);
    case io::Unreachable::prohibited:
      return fmt::format("allow UDP port {} in the firewalls of this machine, of the server, and between them", port);
    default:
      return fmt::format("check the network between here and there; {}", kRightAddress);
  }
}

}  // namespace

// --- client -----------------------------------------------------------------------------------------------------------

std::string ClientConnectionAdvice::unresolved(const tunnel::ServerEntry& server) const {
  return fmt::format(
      "server.servers[].address must be a host that this machine can look up, not \"{}\"; or the name server fails",
      server.address.host);
}

std::string ClientConnectionAdvice::closed(const quic::CloseCause& cause, const tunnel::ServerEntry& server) const {
  switch (cause.kind) {
    case Kind::certificate:
      return about_server_certificate(cause.fault, server.server_name);
    case Kind::own_certificate:
      return about_own_certificate(cause.fault);
    case Kind::unreachable:
      return about_unreachable(cause.unreachable, server.address.port);
    case Kind::port_closed:
      return "start the server";
    case Kind::no_answer:
      return fmt::format("start the server; allow UDP port {} in every firewall between here and there; {}",
                         server.address.port, kRightAddress);
    case Kind::application_protocol:
    case Kind::version:
      return fmt::format("{}; another program answers there", kRightAddress);
    default:
      return {};
  }
}

std::string ClientConnectionAdvice::about_server_certificate(CertificateFault fault,
                                                             const std::string& server_name) const {
  switch (fault) {
    case CertificateFault::unknown_issuer:
      return fmt::format("tls.ca_cert_file ({}) must hold the CA that issued the server's certificate",
                         config_.tls.ca_cert_file);
    case CertificateFault::expired:
      return "renew the server's tls.server_cert_file; if it is valid, set this machine's clock";
    case CertificateFault::not_yet_valid:
      return "set this machine's clock; if it is right, the server needs another tls.server_cert_file until then";
    case CertificateFault::wrong_purpose:
      return "the server's tls.server_cert_file must be a certificate for serverAuth";
    case CertificateFault::wrong_name:
      return fmt::format(
          "server.servers[].server_name must be one of these names, or the server's tls.server_cert_file must name {}",
          server_name);
    case CertificateFault::nameless:
      return fmt::format("the server's tls.server_cert_file must name {} in its subjectAltName", server_name);
    default:
      return fmt::format("the server's tls.server_cert_file must be a certificate of a CA in tls.ca_cert_file ({})",
                         config_.tls.ca_cert_file);
  }
}

std::string ClientConnectionAdvice::about_own_certificate(CertificateFault fault) const {
  const std::string& file = config_.tls.client_cert_file;
  if (file.empty()) return "set tls.client_cert_file and tls.client_key_file";
  switch (fault) {
    case CertificateFault::missing:
    case CertificateFault::unknown_issuer:
      return fmt::format("the server's auth.ca_cert_file must hold the CA that issued tls.client_cert_file ({})", file);
    case CertificateFault::outdated:
      return fmt::format("tls.client_cert_file ({}) must be valid now; if it is, set the server's clock", file);
    case CertificateFault::wrong_purpose:
      return fmt::format("tls.client_cert_file ({}) must be a certificate for clientAuth", file);
    case CertificateFault::wrong_key_kind:
      return fmt::format("tls.client_cert_file ({}) must have a key of a kind that the server accepts", file);
    default:
      return fmt::format(
          "tls.client_cert_file ({}) must be valid now, meant for clientAuth, and of a CA in the server's "
          "auth.ca_cert_file",
          file);
  }
}

// --- server -----------------------------------------------------------------------------------------------------------

std::string ServerConnectionAdvice::closed(const quic::CloseCause& cause) const {
  if (cause.kind == Kind::certificate) return about_client_certificate(cause.fault);
  if (cause.kind == Kind::own_certificate) return about_own_certificate(cause.fault);
  return {};
}

std::string ServerConnectionAdvice::about_client_certificate(CertificateFault fault) const {
  const std::string& authority = config_.auth.ca_cert_file;
  switch (fault) {
    case CertificateFault::missing:
      return fmt::format("the client's tls.client_cert_file must be a certificate of a CA in auth.ca_cert_file ({})",
                         authority);
    case CertificateFault::unknown_issuer:
      return fmt::format("auth.ca_cert_file ({}) must hold the CA that issued the client's tls.client_cert_file",
                         authority);
    case CertificateFault::expired:
      return "renew the client's tls.client_cert_file; if it is valid, set this machine's clock";
    case CertificateFault::not_yet_valid:
      return "set this machine's clock; if it is right, the client needs another tls.client_cert_file until then";
    case CertificateFault::wrong_purpose:
      return "the client's tls.client_cert_file must be a certificate for clientAuth";
    default:
      return fmt::format("the client's tls.client_cert_file must be a certificate of a CA in auth.ca_cert_file ({})",
                         authority);
  }
}

std::string ServerConnectionAdvice::about_own_certificate(CertificateFault fault) const {
  const std::string& file = config_.tls.server_cert_file;
  switch (fault) {
    case CertificateFault::unknown_issuer:
      return fmt::format("the client's tls.ca_cert_file must hold the CA that issued tls.server_cert_file ({})", file);
    case CertificateFault::outdated:
      return fmt::format("tls.server_cert_file ({}) must be valid now; if it is, set the client's clock", file);
    case CertificateFault::wrong_purpose:
      return fmt::format("tls.server_cert_file ({}) must be a certificate for serverAuth", file);
    case CertificateFault::wrong_key_kind:
      return fmt::format("tls.server_cert_file ({}) must have a key of a kind that the client accepts", file);
    default:
      return fmt::format(
          "tls.server_cert_file ({}) must be valid now, name the client's server_name in its subjectAltName, and be of "
          "a CA in the client's tls.ca_cert_file",
          file);
  }
}

}  // namespace qmux::app
