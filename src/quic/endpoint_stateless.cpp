// SPDX-License-Identifier: MIT
//
// The half of Endpoint that answers packets which belong to no connection, without keeping anything about their senders.
#include <algorithm>
#include <array>

#include "quic/connection_id.h"
#include "quic/endpoint.h"
#include "quic/limits.h"

namespace qmux::quic {
namespace {

ngtcp2_duration in_ngtcp2(Duration duration) { return static_cast<ngtcp2_duration>(duration.count()); }

/// A reset is a byte shorter than the packet that it answers, and has 21 bytes at least (RFC 9000 section 10.3). A PING that
/// probes an idle connection has 34 bytes, and must be answered.
constexpr std::size_t kResetTriggerBytesMin = 22;

}  // namespace

Endpoint::AddressProof Endpoint::check_token(const io::PacketRun& run, const ngtcp2_pkt_hd& header,
                                             ConnectionStart& start) const {
  if (header.tokenlen == 0) return AddressProof::none;
  const std::uint8_t* const secret = as_octets(ConstBytes(secret_));
  if (header.token[0] == NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY2) {
    ngtcp2_cid original;
    if (ngtcp2_crypto_verify_retry_token2(&original, header.token, header.tokenlen, secret, secret_.size(),
                                          header.version, run.remote.raw(), run.remote.raw_length(), &header.dcid,
                                          in_ngtcp2(limits::kRetryTokenLifetime), token_time()) != 0) {
      return AddressProof::forged;
    }
    start.original_dcid = original;
    start.token_is_retry = true;
    // Only a verified token may reach ngtcp2: any token at all lifts its limit on what is sent to an unproven address.
    start.token = std::as_bytes(std::span(header.token, header.tokenlen));
    return AddressProof::retry;
  }
  if (header.token[0] != NGTCP2_CRYPTO_TOKEN_MAGIC_REGULAR ||
      ngtcp2_crypto_verify_regular_token(header.token, header.tokenlen, secret, secret_.size(), run.remote.raw(),
                                         run.remote.raw_length(), in_ngtcp2(limits::kAddressTokenLifetime),
                                         token_time()) != 0) {
    return AddressProof::none;
  }
  start.token = std::as_bytes(std::span(header.token, header.tokenlen));
  return AddressProof::known;
}

void Endpoint::send_reply(const io::PacketRun& run, ConstBytes packet) {
  const io::SendStatus status = socket_->send({run.local, run.remote, packet, packet.size(), io::Ecn::not_ect});
  // It is lost, like any packet: the peer asks again.
  if (status != io::SendStatus::sent) ++counters_->replies_dropped;
}

void Endpoint::send_version_negotiation(const io::PacketRun& run, ConstBytes datagram,
                                        const ngtcp2_version_cid& header) {
  // RFC 9000 section 6.1: only to a packet that could begin a connection, so that we never send more than we got.
  if (!accepting_ || datagram.size() < NGTCP2_MAX_UDP_PAYLOAD_SIZE) {
    ++counters_->packets_dropped;
    return;
  }
  static constexpr std::array<std::uint32_t, 2> kVersions{NGTCP2_PROTO_VER_V1, 0x1a2a3a4a};  // and a reserved one
  std::array<std::byte, 1200> packet;
  const ngtcp2_ssize length = ngtcp2_pkt_write_version_negotiation(
      as_octets(MutableBytes(packet)), packet.size(), static_cast<std::uint8_t>(loop_.random().below(256)), header.scid,
      header.scidlen, header.dcid, header.dcidlen, kVersions.data(), kVersions.size());
  if (length <= 0) return;
  ++counters_->version_negotiations_sent;
  send_reply(run, std::span(packet).first(static_cast<std::size_t>(length)));
}

void Endpoint::send_retry(const io::PacketRun& run, const ngtcp2_pkt_hd& header) {
  ngtcp2_cid id;
  make_id(id, kConnectionIdBytes, options_.worker.index, options_.worker.count, loop_.random());
  std::array<std::uint8_t, NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN2> token;
  const ngtcp2_ssize token_length =
      ngtcp2_crypto_generate_retry_token2(token.data(), as_octets(ConstBytes(secret_)), secret_.size(), header.version,
                                          run.remote.raw(), run.remote.raw_length(), &id, &header.dcid, token_time());
  if (token_length < 0) return;
  std::array<std::byte, 1200> packet;
  const ngtcp2_ssize length =
      ngtcp2_crypto_write_retry(as_octets(MutableBytes(packet)), packet.size(), header.version, &header.scid, &id,
                                &header.dcid, token.data(), static_cast<std::size_t>(token_length));
  if (length <= 0) return;
  ++counters_->retries_sent;
  send_reply(run, std::span(packet).first(static_cast<std::size_t>(length)));
}

void Endpoint::refuse_token(const io::PacketRun& run, const ngtcp2_pkt_hd& header) {
  ++counters_->address_tokens_refused;
  send_close(run, header, NGTCP2_INVALID_TOKEN);
}

void Endpoint::refuse_connection(const io::PacketRun& run, ConstBytes datagram) {
  ngtcp2_pkt_hd header;
  if (!stopped_accepting_ || ngtcp2_accept(&header, as_octets(datagram), datagram.size()) != 0) {
    ++counters_->packets_dropped;
    return;
  }
  send_close(run, header, NGTCP2_CONNECTION_REFUSED);
}

void Endpoint::send_close(const io::PacketRun& run, const ngtcp2_pkt_hd& header, std::uint64_t transport_error) {
  std::array<std::byte, 1200> packet;
  const ngtcp2_ssize length =
      ngtcp2_crypto_write_connection_close(as_octets(MutableBytes(packet)), packet.size(), header.version, &header.scid,
                                           &header.dcid, transport_error, nullptr, 0);
  if (length > 0) send_reply(run, std::span(packet).first(static_cast<std::size_t>(length)));
}

void Endpoint::send_stateless_reset(const io::PacketRun& run, ConstBytes datagram, const ngtcp2_version_cid& header) {
  if (datagram.size() < kResetTriggerBytesMin) {
    ++counters_->packets_dropped;
    return;
  }
  if (loop_.now() - resets_refilled_ >= std::chrono::seconds(1)) {
    resets_refilled_ = loop_.now();
    resets_allowed_ = limits::kStatelessResetsPerSecond;
  }
  if (resets_allowed_ == 0) {
    ++counters_->resets_withheld;
    return;
  }
  --resets_allowed_;
  ngtcp2_cid id;
  ngtcp2_cid_init(&id, header.dcid, header.dcidlen);
  std::array<std::uint8_t, NGTCP2_STATELESS_RESET_TOKENLEN> token;
  make_reset_token(ResetToken(token), secret_, run.local, id);
  // Shorter than what it answers, so that two endpoints cannot answer each other for ever.
  std::array<std::byte, 64> random;
  const std::size_t random_bytes = std::min(datagram.size() - NGTCP2_STATELESS_RESET_TOKENLEN - 1, random.size());
  loop_.random().fill(std::span(random).first(random_bytes));
  std::array<std::byte, 128> packet;
  const ngtcp2_ssize length = ngtcp2_pkt_write_stateless_reset(
      as_octets(MutableBytes(packet)), packet.size(), token.data(), as_octets(ConstBytes(random)), random_bytes);
  if (length <= 0) return;
  ++counters_->stateless_resets_sent;
  send_reply(run, std::span(packet).first(static_cast<std::size_t>(length)));
}

}  // namespace qmux::quic
